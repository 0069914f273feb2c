use std::fmt::Display;

use jit_oidc::checks::{CheckList, Question};
use jit_oidc::id_token::IdToken;
use serde::Serialize;
use serde_json::{Map, Value};

use super::explained::Explained;

/// Tells of one file, as one line of JSON.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Line<'a> {
    Accepted {
        file: &'a str,
        accepted: bool,
        identity: Identity<'a>,
        checks: Checks,
        #[serde(flatten)]
        explained: Option<Box<Explained>>,
    },
    Refused {
        file: &'a str,
        accepted: bool,
        code: &'a str,
        reason: String,
    },
}

/// Who the evidence speaks of.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Identity<'a> {
    Token { issuer: &'a str, subject: &'a str, claims: &'a Map<String, Value> },
}

/// Which checks were made, by the question that they answer. An empty list means: nobody looked.
#[derive(Serialize)]
pub(super) struct Checks {
    origin: Vec<&'static str>,
    audience: Vec<&'static str>,
    freshness: Vec<&'static str>,
    replay: Vec<&'static str>,
}

impl<'a> Line<'a> {
    pub(super) fn accepted_token(file: &'a str, token: &'a IdToken, explained: Option<Explained>) -> Self {
        let identity =
            Identity::Token { issuer: token.issuer(), subject: token.subject(), claims: token.claims() };
        Self::Accepted {
            file,
            accepted: true,
            identity,
            checks: Checks::of(token.checks()),
            explained: explained.map(Box::new),
        }
    }

    pub(super) fn refused(file: &'a str, code: &'a str, reason: &dyn Display) -> Self {
        Self::Refused { file, accepted: false, code, reason: reason.to_string() }
    }
}

impl Checks {
    fn of(checks: CheckList) -> Self {
        let codes = |question| checks.codes(question).collect();
        Self {
            origin: codes(Question::Origin),
            audience: codes(Question::Audience),
            freshness: codes(Question::Freshness),
            replay: codes(Question::Replay),
        }
    }
}
