//! What would come of a token: mapping, decision and plan, by the engine's own `explain`.

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use jit_core::{
    Assurance, AttestError, Attestation, Attestor, Check, Checks, Claims, Code, Context, Event, Issuer, Jit,
    ManualClock, MemoryStore, SessionHint, Stability, Store, Subject,
};
use jit_oidc::OidcConfig;
use jit_oidc::checks::Question;
use jit_oidc::id_token::IdToken;
use jit_oidc::providers::Peculiarities;
use serde_json::{Map, Value};

use super::Failure;
use super::arguments::UsageError;
use super::explained::Explained;
use crate::portal::assemble::{open, protection};
use crate::portal::settings::{DoorSettings, Settings, StoreUrl};

/// Runs verified tokens through a connection, and writes nothing.
pub(super) struct Explainer<'a> {
    runtime: tokio::runtime::Runtime,
    jit: Jit,
    attestor: Attestor,
    door: &'a DoorSettings,
    oidc: &'a OidcConfig,
}

impl<'a> Explainer<'a> {
    /// Prepares the connection over an empty store, or over the one given.
    pub(super) fn new(
        settings: &Settings,
        door: &'a DoorSettings,
        oidc: &'a OidcConfig,
        store: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Self, Failure> {
        let unusable = |error: &dyn std::fmt::Display| {
            Failure::Usage(UsageError::Configuration(format!("connection `{}`: {error}", door.id)))
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| unusable(&error))?;
        let store: Arc<dyn Store> = match store {
            None => Arc::new(MemoryStore::new()),
            Some(text) => runtime
                .block_on(open(&existing(text)?, Path::new("")))
                .map_err(|error| Failure::Usage(UsageError::Configuration(format!("`--store`: {error}"))))?,
        };
        let (connection, attestor, _) = door.clone().define().map_err(|problems| unusable(&problems))?;
        let mut builder = Jit::builder(Arc::clone(&store))
            .clock(Arc::new(ManualClock::at(now)))
            .protection(protection(&settings.protection));
        if let Some(name) = &door.store {
            builder = builder.store(name.clone(), store);
        }
        let jit = builder.connection(connection).build().map_err(|error| unusable(&error))?;
        Ok(Self { runtime, jit, attestor, door, oidc })
    }

    /// Explains one token.
    pub(super) fn explain(&self, token: &IdToken) -> Result<Explained, Code> {
        let attestation = attestation(token, self.oidc.peculiarities())?;
        let identity = self.attestor.attest(attestation).map_err(AttestError::code)?;
        let event = Event::sign_in(identity, Context::default());
        let explanation = self.runtime.block_on(self.jit.explain(event)).map_err(|error| error.code())?;
        Ok(Explained::of(&explanation, &self.door.domains))
    }
}

/// A store that does not exist holds nothing to explain, and must not come into being by asking.
fn existing(text: &str) -> Result<StoreUrl, Failure> {
    let invalid = |what| Failure::Usage(UsageError::Invalid("--store", what));
    match StoreUrl::try_from(text.to_owned()).map_err(invalid)? {
        StoreUrl::Sqlite(path) if !Path::new(&path).is_file() => Err(invalid("there is no such file")),
        url => Ok(url),
    }
}

/// Says of the token what a sign-in would say of it, but for what comes from elsewhere than the token.
fn attestation(token: &IdToken, peculiarities: &Peculiarities) -> Result<Attestation, Code> {
    let made = |question| Check::Made(token.checks().codes(question).collect::<Vec<_>>().join(" "));
    Ok(Attestation {
        issuer: Issuer::new(token.issuer()).map_err(|_| Code::new("oidc.issuer_malformed"))?,
        subject: Subject::new(token.subject()).map_err(|_| Code::new("oidc.subject_malformed"))?,
        stability: Stability::Persistent,
        claims: claims(token.claims(), peculiarities),
        assurance: Assurance {
            context: token.acr().map(str::to_owned),
            methods: token.amr().map(str::to_owned).collect(),
            authenticated_at: token.auth_time(),
        },
        session: SessionHint::default(),
        checks: Checks {
            origin: made(Question::Origin),
            audience: made(Question::Audience),
            freshness: made(Question::Freshness),
            replay: made(Question::Replay),
        },
    })
}

/// Reads the claims as a sign-in over this provider does: claims that live elsewhere or were cut are incomplete, and
/// texts are truth values where the provider is known for it.
fn claims(signed: &Map<String, Value>, peculiarities: &Peculiarities) -> Claims {
    let mut members = signed.clone();
    for name in peculiarities.string_booleans {
        let truth = members.get(*name).and_then(truth);
        if let (Some(value), Some(truth)) = (members.get_mut(*name), truth) {
            *value = Value::Bool(truth);
        }
    }
    let elsewhere = signed.get("_claim_names").and_then(Value::as_object);
    let mut claims = Claims::new(members);
    for name in elsewhere.into_iter().flat_map(Map::keys) {
        claims = claims.truncated(name);
    }
    match peculiarities.overage {
        Some(overage) if signed.get(overage.flag).and_then(truth) == Some(true) => {
            claims.truncated(overage.claim)
        }
        _ => claims,
    }
}

fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::String(text) => match text.as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        },
        Value::Number(number) => match number.as_u64() {
            Some(1) => Some(true),
            Some(0) => Some(false),
            _ => None,
        },
        _ => None,
    }
}
