//! What people rely on when they write a mapping.

mod entitlements;
mod lints;
mod presets;
mod profiles;
mod properties;
mod saml;

use std::sync::Arc;

use serde_json::{Map, Value};

use super::*;
use crate::{
    Assurance, Attestation, Attestor, Check as Made, Checks, Claims, ConnectionId, DomainSet, Issuer,
    IssuerSet, SessionHint, Stability, Subject, TenantId, VerifiedIdentity,
    config::{Format, load},
    identity::Seal,
};

fn members(value: Value) -> Map<String, Value> {
    let Value::Object(members) = value else { panic!("an object") };
    members
}

fn identity_of(claims: Claims, subject: &str) -> VerifiedIdentity {
    let issuer = Issuer::new("https://idp.example").unwrap();
    let seal = Seal {
        tenant: TenantId::new("acme").unwrap(),
        connection: ConnectionId::new("main").unwrap(),
        issuers: IssuerSet::one(issuer.clone()),
    };
    let made = || Made::Made("test".into());
    let attestation = Attestation {
        issuer,
        subject: Subject::new(subject).unwrap(),
        stability: Stability::Persistent,
        claims,
        assurance: Assurance::default(),
        session: SessionHint::default(),
        checks: Checks { origin: made(), audience: made(), freshness: made(), replay: made() },
    };
    Attestor::new(Arc::new(seal)).attest(attestation).unwrap()
}

fn rules(toml: &str) -> MappingRules {
    match load(toml, Format::Toml, "mapping.toml") {
        Ok(rules) => rules,
        Err(problems) => panic!("{problems}"),
    }
}

/// Maps as a connection does that speaks for `example.com` and the domains below it.
fn map_own(toml: &str, claims: Claims) -> Result<Profile, MapError> {
    let patterns = ["example.com", "*.example.com"].map(|text| text.parse().unwrap());
    let mapping = rules(toml).compile_for(&DomainSet::new(patterns.to_vec())).unwrap();
    mapping.map(&identity_of(claims, "subject-1"))
}

fn try_map(toml: &str, claims: Claims) -> Result<Profile, MapError> {
    rules(toml).compile().unwrap().map(&identity_of(claims, "subject-1"))
}

fn map(toml: &str, claims: Value) -> Profile {
    try_map(toml, Claims::new(members(claims))).unwrap()
}

/// Every problem of a mapping, as people read it.
fn problems(toml: &str) -> Vec<String> {
    match load::<MappingRules>(toml, Format::Toml, "m") {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

fn names(profile: &Profile) -> Vec<String> {
    let wish = profile.user_name.as_ref();
    wish.map_or_else(Vec::new, |wish| wish.candidates.iter().map(|name| name.as_str().to_owned()).collect())
}

fn wished(profile: &Profile) -> Vec<&str> {
    profile.entitlements.iter().map(|wish| wish.entitlement.as_str()).collect()
}

fn values(texts: &[&str]) -> Wished {
    Wished::Values(texts.iter().map(|text| (*text).to_owned()).collect())
}
