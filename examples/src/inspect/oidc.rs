use std::io::Write;

use chrono::{DateTime, TimeDelta, Utc};
use jit_core::{Attestation, Clock};
use jit_oidc::OidcConfig;
use jit_oidc::expectations::{Expectations, IssuerRule, TokenPolicy};
use jit_oidc::id_token::{self, IdToken};
use jit_oidc::keys::KeySet;
use jit_oidc::rejection::Rejection;
use jit_oidc::signature::Engine;
use jit_oidc::trigger::attestation;

use super::arguments::OidcInquiry;
use super::configured::Configured;
use super::explain::Explainer;
use super::files::{read, write_line};
use super::refusal::Refusal;
use super::report::Line;
use super::{ALL_ACCEPTED, Failure, SOME_REFUSED};
use crate::command_line::UsageError;

/// Verifies each token file and writes a line for it.
pub(super) fn inspect(inquiry: &OidcInquiry, clock: &dyn Clock, out: &mut dyn Write) -> Result<u8, Failure> {
    let now = inquiry.both.now(clock);
    let source = Source::of(inquiry)?;
    let policy = adjusted(source.policy(inquiry)?, inquiry);
    let jwks = read(inquiry.jwks.as_deref().unwrap_or_default())?;
    let tokens = inquiry.both.files.iter().map(|file| read(file)).collect::<Result<Vec<_>, _>>()?;
    // A key set that cannot be used refuses every token, as it would at a sign-in.
    let keys = KeySet::parse(&jwks, &Engine::aws_lc(), policy.allowed_algorithms());
    let demands = source.demands(inquiry);
    let engine = source.explainer(inquiry, now)?;
    let mut code = ALL_ACCEPTED;
    for (file, token) in inquiry.both.files.iter().zip(&tokens) {
        let verified = match &keys {
            Ok(keys) => verify(token.trim_ascii(), keys, inquiry, &policy, &demands, now),
            Err(rejection) => Err(*rejection),
        };
        let judged = verified.map_err(Refusal::from).and_then(|token| {
            let identity = match (source.attestation(&token)?, &engine) {
                (Some(attestation), Some(engine)) => Some((engine, engine.identity(attestation)?)),
                _ => None,
            };
            Ok((token, identity))
        });
        let written = match judged {
            Ok((token, identity)) => {
                let explained = identity.map(|(engine, identity)| engine.explain(identity)).transpose();
                write_line(out, &Line::accepted_token(file, &token, explained.map_err(Failure::Backend)?))
            }
            Err(refusal) => {
                code = SOME_REFUSED;
                write_line(out, &Line::refused(file, &refusal.code, &refusal.reason))
            }
        };
        written.map_err(Failure::Output)?;
    }
    Ok(code)
}

/// Where the expectations come from: the command line, or a connection of a configuration.
enum Source {
    CommandLine,
    Configured { connection: Box<Configured>, oidc: Box<OidcConfig> },
}

/// What a sign-in demands beyond the policy of its connection.
struct Demands {
    max_age: Option<TimeDelta>,
    acr: Vec<String>,
}

impl Source {
    fn of(inquiry: &OidcInquiry) -> Result<Self, Failure> {
        let Some((file, connection)) = inquiry.both.configured() else { return Ok(Self::CommandLine) };
        let connection = Configured::load(file, connection)?;
        let Some(settings) = &connection.door().protocol.oidc else {
            return Err(connection.of_another_protocol());
        };
        let oidc = settings.check().map_err(|error| connection.unusable(&error))?;
        Ok(Self::Configured { connection: Box::new(connection), oidc: Box::new(oidc) })
    }

    fn policy(&self, inquiry: &OidcInquiry) -> Result<TokenPolicy, Failure> {
        match (self, &inquiry.issuer, &inquiry.client_id) {
            (Self::Configured { oidc, .. }, ..) => Ok(oidc.policy().clone()),
            (Self::CommandLine, Some(issuer), Some(client)) => {
                Ok(TokenPolicy::new(IssuerRule::exact(issuer), client))
            }
            (Self::CommandLine, ..) => Err(Failure::Usage(UsageError::Missing("--issuer"))),
        }
    }

    fn demands(&self, inquiry: &OidcInquiry) -> Demands {
        let (max_age, acr) = match self {
            Self::CommandLine => (None, Vec::new()),
            Self::Configured { oidc, .. } => (oidc.max_age(), oidc.required_acr().to_vec()),
        };
        Demands {
            max_age: inquiry.max_age.or(max_age.map(|seconds| TimeDelta::seconds(i64::from(seconds)))),
            acr: if inquiry.acr.is_empty() { acr } else { inquiry.acr.clone() },
        }
    }

    fn explainer(&self, inquiry: &OidcInquiry, now: DateTime<Utc>) -> Result<Option<Explainer<'_>>, Failure> {
        match self {
            Self::Configured { connection, .. } => connection.explainer(&inquiry.both, now),
            Self::CommandLine => Ok(None),
        }
    }

    /// What the engine would be told; nothing where no connection is known.
    fn attestation(&self, token: &IdToken) -> Result<Option<Attestation>, Refusal> {
        match self {
            Self::CommandLine => Ok(None),
            Self::Configured { oidc, .. } => Ok(Some(attestation(token, None, oidc.peculiarities())?)),
        }
    }
}

fn verify(
    token: &[u8],
    keys: &KeySet,
    inquiry: &OidcInquiry,
    policy: &TokenPolicy,
    demands: &Demands,
    now: DateTime<Utc>,
) -> Result<IdToken, Rejection> {
    let mut expected = Expectations::new(policy).acr(&demands.acr);
    if let Some(nonce) = &inquiry.nonce {
        expected = expected.nonce(nonce);
    }
    if let Some(access_token) = &inquiry.access_token {
        expected = expected.access_token(access_token);
    }
    if let Some(code) = &inquiry.code {
        expected = expected.code(code);
    }
    if let Some(max_age) = demands.max_age {
        expected = expected.max_age(max_age);
    }
    id_token::verify(token, keys, &expected, now)
}

/// What the command line says counts before what the configuration says.
fn adjusted(mut policy: TokenPolicy, inquiry: &OidcInquiry) -> TokenPolicy {
    if let Some(algorithms) = inquiry.algorithms {
        policy = policy.algorithms(algorithms);
    }
    if !inquiry.audiences.is_empty() {
        policy = policy.trusted_audiences(inquiry.audiences.clone());
    }
    if let Some(leeway) = inquiry.leeway {
        policy = policy.leeway(leeway);
    }
    if inquiry.require_at_hash {
        policy = policy.require_at_hash();
    }
    policy
}
