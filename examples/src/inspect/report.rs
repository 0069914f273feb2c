use std::fmt::Display;

use jit_oidc::checks::{CheckList, Question};
use jit_oidc::id_token::IdToken;
use jit_saml::VerifiedResponse;
use jit_saml::assertion::{Attribute, Attributes, NameId};
use jit_saml::checks as saml;
use serde::{Serialize, Serializer};
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
    Token {
        issuer: &'a str,
        subject: &'a str,
        claims: &'a Map<String, Value>,
    },
    Assertion {
        issuer: &'a str,
        name_id: Option<&'a str>,
        name_id_format: Option<&'a str>,
        session_index: Option<&'a str>,
        attributes: InOrder<'a>,
    },
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

    /// A response whose assertion is seen for the first time in this run; whether a request is known to compare with.
    pub(super) fn accepted_response(
        file: &'a str,
        response: &'a VerifiedResponse,
        is_compared: bool,
        explained: Option<Explained>,
    ) -> Self {
        let name_id = response.name_id();
        let identity = Identity::Assertion {
            issuer: response.issuer(),
            name_id: name_id.map(|name_id| name_id.value.as_str()),
            name_id_format: name_id.map(NameId::format),
            session_index: response.session_index(),
            attributes: InOrder(response.attributes()),
        };
        let checks = Checks::of_response(response, is_compared);
        Self::Accepted { file, accepted: true, identity, checks, explained: explained.map(Box::new) }
    }

    pub(super) fn refused(file: &'a str, code: &'a str, reason: &dyn Display) -> Self {
        Self::Refused { file, accepted: false, code, reason: reason.to_string() }
    }
}

/// The attributes as an object whose members keep the order of the document.
pub(super) struct InOrder<'a>(&'a Attributes);

impl Serialize for InOrder<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let texts = |attribute: &'_ Attribute| -> Vec<Option<String>> {
            attribute.values.iter().map(|value| value.text().map(str::to_owned)).collect()
        };
        serializer.collect_map(self.0.iter().map(|attribute| (&attribute.name, texts(attribute))))
    }
}

impl Checks {
    fn of_response(response: &VerifiedResponse, is_compared: bool) -> Self {
        let made = |question| response.checks().iter().filter(move |check| check.question() == question);
        let codes = |question| made(question).map(saml::Check::code).collect::<Vec<_>>();
        let mut replay = codes(saml::Question::Replay);
        // Where the command line names no request, the response was compared with itself.
        replay.retain(|code| is_compared || *code != saml::Check::InResponseTo.code());
        // The memory of the run has not seen it before.
        replay.push(saml::Check::AssertionId.code());
        Self {
            origin: codes(saml::Question::Origin),
            audience: codes(saml::Question::Audience),
            freshness: codes(saml::Question::Freshness),
            replay,
        }
    }

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
