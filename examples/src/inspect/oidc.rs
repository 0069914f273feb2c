use std::fs::File;
use std::io::{self, Read, Write};

use chrono::{DateTime, TimeDelta, Utc};
use jit_core::Clock;
use jit_oidc::OidcConfig;
use jit_oidc::expectations::{Expectations, IssuerRule, TokenPolicy};
use jit_oidc::id_token;
use jit_oidc::keys::KeySet;
use jit_oidc::rejection::Rejection;
use jit_oidc::signature::Engine;

use super::arguments::{Inquiry, UsageError};
use super::explain::Explainer;
use super::report::Line;
use super::{ALL_ACCEPTED, Failure, SOME_REFUSED};
use crate::portal::settings::Settings;

/// Longer than any limit of the verification, so that each limit is still the verification's to name.
const LONGEST_FILE: u64 = 1024 * 1024;

/// Verifies each token file and writes a line for it.
pub(super) fn inspect(inquiry: &Inquiry, clock: &dyn Clock, out: &mut dyn Write) -> Result<u8, Failure> {
    let now = inquiry.now.unwrap_or_else(|| clock.now());
    let source = Source::of(inquiry)?;
    let policy = adjusted(source.policy(inquiry)?, inquiry);
    let jwks = read(&inquiry.jwks)?;
    let tokens = inquiry.files.iter().map(|file| read(file)).collect::<Result<Vec<_>, _>>()?;
    let explainer = source.explainer(inquiry, now)?;
    // A key set that cannot be used refuses every token, as it would at a sign-in.
    let keys = KeySet::parse(&jwks, &Engine::aws_lc(), policy.allowed_algorithms());
    let demands = source.demands(inquiry);
    let mut code = ALL_ACCEPTED;
    for (file, token) in inquiry.files.iter().zip(&tokens) {
        let verified = match &keys {
            Ok(keys) => verify(token.trim_ascii(), keys, inquiry, &policy, &demands, now),
            Err(rejection) => Err(*rejection),
        };
        let line = match &verified {
            Ok(token) => {
                let outcome = explainer.as_ref().map(|explainer| explainer.explain(token)).transpose();
                Line::accepted(file, token, outcome.map_err(Failure::Backend)?)
            }
            Err(rejection) => {
                code = SOME_REFUSED;
                Line::refused(file, *rejection)
            }
        };
        write_line(out, &line).map_err(Failure::Output)?;
    }
    Ok(code)
}

/// Where the expectations come from: the command line, or a connection of a configuration.
enum Source {
    CommandLine,
    Configured { settings: Box<Settings>, door: usize, oidc: Box<OidcConfig> },
}

/// What a sign-in demands beyond the policy of its connection.
struct Demands {
    max_age: Option<TimeDelta>,
    acr: Vec<String>,
}

impl Source {
    fn of(inquiry: &Inquiry) -> Result<Self, Failure> {
        let (Some(file), Some(connection)) = (&inquiry.config, &inquiry.connection) else {
            return Ok(Self::CommandLine);
        };
        let text = std::fs::read_to_string(file).map_err(|error| Failure::File(file.clone(), error))?;
        let settings = Settings::load(&text, file).map_err(Failure::Settings)?;
        let found = settings.connection.iter().enumerate().find(|(_, door)| door.id.as_str() == connection);
        let Some((place, door)) = found else {
            let message = format!("`{file}` has no connection `{connection}`");
            return Err(Failure::Usage(UsageError::Configuration(message)));
        };
        let oidc = door.protocol.oidc.check().map_err(|error| {
            Failure::Usage(UsageError::Configuration(format!("connection `{connection}`: {error}")))
        })?;
        Ok(Self::Configured { settings: Box::new(settings), door: place, oidc: Box::new(oidc) })
    }

    fn policy(&self, inquiry: &Inquiry) -> Result<TokenPolicy, Failure> {
        match (self, &inquiry.issuer, &inquiry.client_id) {
            (Self::Configured { oidc, .. }, ..) => Ok(oidc.policy().clone()),
            (Self::CommandLine, Some(issuer), Some(client)) => {
                Ok(TokenPolicy::new(IssuerRule::exact(issuer), client))
            }
            (Self::CommandLine, ..) => Err(Failure::Usage(UsageError::Missing("--issuer"))),
        }
    }

    fn demands(&self, inquiry: &Inquiry) -> Demands {
        let configured = match self {
            Self::CommandLine => None,
            Self::Configured { settings, door, .. } => {
                settings.connection.get(*door).map(|door| &door.protocol.oidc)
            }
        };
        let max_age = configured.and_then(|oidc| oidc.max_age);
        let acr = configured.map(|oidc| oidc.required_acr.clone()).unwrap_or_default();
        Demands {
            max_age: inquiry.max_age.or(max_age.map(|seconds| TimeDelta::seconds(i64::from(seconds)))),
            acr: if inquiry.acr.is_empty() { acr } else { inquiry.acr.clone() },
        }
    }

    fn explainer(&self, inquiry: &Inquiry, now: DateTime<Utc>) -> Result<Option<Explainer<'_>>, Failure> {
        match self {
            Self::Configured { settings, door, oidc } if inquiry.explain => {
                let Some(door) = settings.connection.get(*door) else { return Ok(None) };
                Explainer::new(settings, door, oidc, inquiry.store.as_deref(), now).map(Some)
            }
            _ => Ok(None),
        }
    }
}

fn verify(
    token: &[u8],
    keys: &KeySet,
    inquiry: &Inquiry,
    policy: &TokenPolicy,
    demands: &Demands,
    now: DateTime<Utc>,
) -> Result<id_token::IdToken, Rejection> {
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
fn adjusted(mut policy: TokenPolicy, inquiry: &Inquiry) -> TokenPolicy {
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

fn read(name: &str) -> Result<Vec<u8>, Failure> {
    let attempt = || {
        let mut bytes = Vec::new();
        if name == "-" {
            io::stdin().lock().take(LONGEST_FILE).read_to_end(&mut bytes)?;
        } else {
            File::open(name)?.take(LONGEST_FILE).read_to_end(&mut bytes)?;
        }
        Ok(bytes)
    };
    attempt().map_err(|error| Failure::File(name.to_owned(), error))
}

fn write_line(out: &mut dyn Write, line: &Line<'_>) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}
