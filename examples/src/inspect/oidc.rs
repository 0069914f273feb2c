use std::fs::File;
use std::io::{self, Read, Write};

use chrono::{DateTime, Utc};
use jit_core::Clock;
use jit_oidc::expectations::{Expectations, IssuerRule, TokenPolicy};
use jit_oidc::id_token;
use jit_oidc::keys::KeySet;
use jit_oidc::rejection::Rejection;
use jit_oidc::signature::Engine;

use super::arguments::{Inquiry, UsageError};
use super::report::Line;
use super::{ALL_ACCEPTED, Failure, SOME_REFUSED};

/// Longer than any limit of the verification, so that each limit is still the verification's to name.
const LONGEST_FILE: u64 = 1024 * 1024;

/// Verifies each token file and writes a line for it.
pub(super) fn inspect(inquiry: &Inquiry, clock: &dyn Clock, out: &mut dyn Write) -> Result<u8, Failure> {
    let policy = token_policy(inquiry)?;
    let jwks = read(&inquiry.jwks)?;
    let tokens = inquiry.files.iter().map(|file| read(file)).collect::<Result<Vec<_>, _>>()?;
    let now = inquiry.now.unwrap_or_else(|| clock.now());
    // A key set that cannot be used refuses every token, as it would at a sign-in.
    let keys = KeySet::parse(&jwks, &Engine::aws_lc(), policy.allowed_algorithms());
    let mut code = ALL_ACCEPTED;
    for (file, token) in inquiry.files.iter().zip(&tokens) {
        let verified = match &keys {
            Ok(keys) => verify(token.trim_ascii(), keys, inquiry, &policy, now),
            Err(rejection) => Err(*rejection),
        };
        let line = match &verified {
            Ok(token) => Line::accepted(file, token),
            Err(rejection) => {
                code = SOME_REFUSED;
                Line::refused(file, *rejection)
            }
        };
        write_line(out, &line).map_err(Failure::Output)?;
    }
    Ok(code)
}

fn verify(
    token: &[u8],
    keys: &KeySet,
    inquiry: &Inquiry,
    policy: &TokenPolicy,
    now: DateTime<Utc>,
) -> Result<id_token::IdToken, Rejection> {
    let mut expected = Expectations::new(policy).acr(&inquiry.acr);
    if let Some(nonce) = &inquiry.nonce {
        expected = expected.nonce(nonce);
    }
    if let Some(access_token) = &inquiry.access_token {
        expected = expected.access_token(access_token);
    }
    if let Some(code) = &inquiry.code {
        expected = expected.code(code);
    }
    if let Some(max_age) = inquiry.max_age {
        expected = expected.max_age(max_age);
    }
    id_token::verify(token, keys, &expected, now)
}

fn token_policy(inquiry: &Inquiry) -> Result<TokenPolicy, Failure> {
    let (Some(issuer), Some(client_id)) = (&inquiry.issuer, &inquiry.client_id) else {
        return Err(Failure::Usage(UsageError::Missing("--issuer")));
    };
    let policy = TokenPolicy::new(IssuerRule::exact(issuer), client_id);
    Ok(adjusted(policy, inquiry))
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
