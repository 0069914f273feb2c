//! The compiled e-mail rule.

use std::sync::Arc;

use serde_json::Value;

use super::{EmailRule, MapError, Notes, Verification};
use crate::{
    Claim, ClaimPath, ClaimValues, Claims, Code, Domain, DomainSet, EmailAddress, EmailClaim, Finding,
    RuleName, config::Problems,
};

/// Holds the e-mail rule, ready to run.
#[derive(Debug)]
pub(super) struct CompiledEmail {
    address: ClaimPath,
    claim: Arc<str>,
    rule: RuleName,
    verified: Verified,
    organisation: Option<Organisation>,
    accepts_texts: bool,
    is_required: bool,
}

#[derive(Debug)]
enum Verified {
    Claim(ClaimPath),
    OwnDomains(DomainSet),
    Never,
    Assumed,
}

/// The claim that says to whose organisation a person belongs, and the domains by which ours are named.
#[derive(Debug)]
struct Organisation {
    claim: ClaimPath,
    ours: DomainSet,
}

impl EmailRule {
    /// Tells whether something says, or is assumed to say, that the address is verified.
    pub(super) fn has_verification(&self) -> bool {
        self.dangerously_assume_verified
            || matches!(self.verified, Some(Verification::Claim { .. } | Verification::OwnDomains))
    }
}

impl CompiledEmail {
    /// Compiles the rule for a connection that speaks for `domains`; `None` when something is wrong with it, which is
    /// reported.
    pub(super) fn new(rule: &EmailRule, domains: &DomainSet, found: &mut Problems) -> Option<Self> {
        let verified = match (&rule.verified, rule.dangerously_assume_verified) {
            (Some(Verification::Claim { claim, .. }), false) if *claim == rule.claim => {
                let message = "an address cannot say of itself that it is verified";
                found.report_in("verified", Code::new("config.email_unverified"), message);
                return None;
            }
            (Some(Verification::Claim { claim, .. }), false) => Verified::Claim(claim.clone()),
            (Some(Verification::OwnDomains), false) => Verified::OwnDomains(domains.clone()),
            (Some(Verification::Never), false) => Verified::Never,
            (None, true) => Verified::Assumed,
            (Some(_), true) => {
                let message = "`verified` and `dangerously_assume_verified` exclude each other";
                found.report_in("dangerously_assume_verified", Code::new("config.contradiction"), message);
                return None;
            }
            (None, false) => {
                let message = "say what verifies the address: `verified = { claim = \"email_verified\" }`, \
                               `verified = \"own_domains\"` or `verified = \"never\"`";
                found.report(Code::new("config.email_unverified"), message);
                return None;
            }
        };
        if rule.accept_text_booleans && !matches!(verified, Verified::Claim(_)) {
            let message = "`accept_text_booleans` needs `verified = { claim = … }`";
            found.report_in("accept_text_booleans", Code::new("config.contradiction"), message);
            return None;
        }
        let organisation = match &rule.verified {
            Some(Verification::Claim { organisation, .. }) => organisation.clone(),
            _ => None,
        };
        Some(Self {
            address: rule.claim.clone(),
            claim: rule.claim.as_str().into(),
            rule: RuleName::new("email").ok()?,
            verified,
            organisation: organisation.map(|claim| Organisation { claim, ours: domains.clone() }),
            accepts_texts: rule.accept_text_booleans,
            is_required: rule.required,
        })
    }

    /// The claim that holds the address.
    pub(super) fn address(&self) -> &ClaimPath {
        &self.address
    }

    /// Reads the address and what is said about it.
    pub(super) fn map(&self, claims: &Claims, notes: &mut Notes) -> Result<Option<EmailClaim>, MapError> {
        let claim = claims.at(&self.address);
        let Claim::Values(values) = claim else {
            let (rule, claim_path, state) = (self.rule.clone(), self.address.clone(), claim.state());
            return if self.is_required {
                Err(MapError::Required { rule, claim: claim_path, state })
            } else {
                Ok(None)
            };
        };
        let address = values.text().ok_or("the claim does not hold one text").and_then(|text| {
            EmailAddress::new(&text).map_err(|_| "the claim does not hold an address that can be relied on")
        });
        match address {
            Ok(address) => self.graded(address, claims, notes).map(Some),
            Err(problem) if self.is_required => Err(MapError::Malformed { rule: self.rule.clone(), problem }),
            Err(problem) => {
                notes.add(&self.rule, Finding::Refused, problem);
                Ok(None)
            }
        }
    }

    /// What gave the address.
    pub(super) fn origin(&self) -> (RuleName, Arc<str>) {
        (self.rule.clone(), Arc::clone(&self.claim))
    }

    /// Puts what the source said about an address beside it.
    fn graded(
        &self,
        address: EmailAddress,
        claims: &Claims,
        notes: &mut Notes,
    ) -> Result<EmailClaim, MapError> {
        let verified = self.verified(&address, claims);
        if verified == Some(false) {
            if self.is_required {
                let (rule, claim) = (self.rule.clone(), self.address.clone());
                return Err(MapError::Required { rule, claim, state: "refuted" });
            }
            notes.add(&self.rule, Finding::Refused, "the source refutes the address: nothing is made of it");
        }
        let is_outsider =
            self.organisation.as_ref().is_some_and(|organisation| !organisation.is_ours(claims));
        if is_outsider {
            let detail =
                "no organisation of the connection is named: the source does not speak for the address";
            notes.add(&self.rule, Finding::Refused, detail);
        }
        Ok(EmailClaim { address, verified, is_outsider })
    }

    /// `None` is not `true`: whatever is not plainly a truth value says nothing.
    fn verified(&self, address: &EmailAddress, claims: &Claims) -> Option<bool> {
        match &self.verified {
            Verified::Claim(path) => self.truth(path, claims),
            Verified::OwnDomains(domains) => domains.contains(address.domain()).then_some(true),
            Verified::Never => None,
            Verified::Assumed => Some(true),
        }
    }

    /// Tells whether the source refutes whatever stands in the claim of the address.
    pub(super) fn is_refuted(&self, claims: &Claims) -> bool {
        matches!(&self.verified, Verified::Claim(path) if self.truth(path, claims) == Some(false))
    }

    fn truth(&self, path: &ClaimPath, claims: &Claims) -> Option<bool> {
        // Where everything is a list, as in SAML, a truth value is a list of one.
        let value = match claims.at(path).values()?.json() {
            Value::Array(items) => match items.as_slice() {
                [item] => item,
                _ => return None,
            },
            value => value,
        };
        match value {
            Value::Bool(truth) => Some(*truth),
            Value::String(text) if self.accepts_texts => match text.as_str() {
                "true" | "1" => Some(true),
                "false" | "0" => Some(false),
                _ => None,
            },
            Value::Number(number) if self.accepts_texts => match number.as_u64() {
                Some(1) => Some(true),
                Some(0) => Some(false),
                _ => None,
            },
            _ => None,
        }
    }
}

impl Organisation {
    fn is_ours(&self, claims: &Claims) -> bool {
        let named = claims.at(&self.claim).values().and_then(ClaimValues::text);
        named.and_then(|name| Domain::new(&name).ok()).is_some_and(|domain| self.ours.contains(&domain))
    }
}
