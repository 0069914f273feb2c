//! What a connection demands of an ID token: fixed rules in [`TokenPolicy`], those of one sign-in in [`Expectations`].

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use jit_core::{Issuer, IssuerSet};

use crate::algorithm::AlgorithmSet;

/// The place of the tenant id in an issuer template of Microsoft Entra.
pub const TENANT_PLACEHOLDER: &str = "{tenantid}";

/// Which `iss` a connection trusts. Issuers are compared as bytes, never as addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerRule(pub(crate) Rule);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rule {
    Exact { issuer: String, aliases: Vec<String> },
    Template { template: String, tenants: Tenants },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tenants {
    Listed(BTreeSet<String>),
    Any,
}

impl IssuerRule {
    /// Trusts one issuer.
    #[must_use]
    pub fn exact(issuer: impl Into<String>) -> Self {
        Self(Rule::Exact { issuer: issuer.into(), aliases: Vec::new() })
    }

    /// Trusts one issuer under several spellings. Identities always carry the first one, so that no person gets two
    /// accounts. Google needs it for `accounts.google.com`.
    #[must_use]
    pub fn with_aliases(issuer: impl Into<String>, aliases: Vec<String>) -> Self {
        Self(Rule::Exact { issuer: issuer.into(), aliases })
    }

    /// Trusts the issuers that a template with `{tenantid}` yields for the listed tenants. The tenant is read from
    /// `tid`, and `iss` must be the template with exactly that tenant.
    #[must_use]
    pub fn tenants(template: impl Into<String>, tenants: impl IntoIterator<Item = String>) -> Self {
        Self(Rule::Template {
            template: template.into(),
            tenants: Tenants::Listed(tenants.into_iter().collect()),
        })
    }

    /// Trusts every tenant of the template: anybody can open one, so whoever uses this decides about tenants later.
    #[must_use]
    pub fn dangerous_any_tenant(template: impl Into<String>) -> Self {
        Self(Rule::Template { template: template.into(), tenants: Tenants::Any })
    }

    /// Returns what the provider's metadata must name as `issuer`: the issuer, or the template itself.
    #[must_use]
    pub fn published(&self) -> &str {
        match &self.0 {
            Rule::Exact { issuer, .. } => issuer,
            Rule::Template { template, .. } => template,
        }
    }

    /// Says the same to `jit-core`, whose attestor asks once more; `None` when an issuer cannot be one there.
    pub(crate) fn to_core(&self) -> Option<IssuerSet> {
        match &self.0 {
            // identities always carry the first spelling
            Rule::Exact { issuer, .. } => Issuer::new(issuer).ok().map(IssuerSet::one),
            Rule::Template { template, tenants } => {
                let (prefix, suffix) = template.split_once(TENANT_PLACEHOLDER)?;
                let (prefix, suffix) = (prefix.to_owned(), suffix.to_owned());
                Some(match tenants {
                    Tenants::Listed(names) => IssuerSet::Between { prefix, suffix, names: names.clone() },
                    Tenants::Any => IssuerSet::DangerouslyAnyBetween { prefix, suffix },
                })
            }
        }
    }

    /// Tells whether the `iss` of an authorization response (RFC 9207) can be one of this rule.
    pub(crate) fn admits(&self, iss: &str) -> bool {
        match &self.0 {
            Rule::Exact { issuer, aliases } => iss == issuer || aliases.iter().any(|alias| alias == iss),
            Rule::Template { template, tenants } => {
                tenant_of(template, iss).is_some_and(|tid| tenants.allow(tid))
            }
        }
    }
}

impl Tenants {
    pub(crate) fn allow(&self, tenant: &str) -> bool {
        match self {
            Self::Listed(tenants) => tenants.contains(tenant),
            Self::Any => is_tenant_id(tenant),
        }
    }
}

fn tenant_of<'a>(template: &str, iss: &'a str) -> Option<&'a str> {
    let (before, after) = template.split_once(TENANT_PLACEHOLDER)?;
    iss.strip_prefix(before)?.strip_suffix(after)
}

/// A tenant id is a GUID; anything else could reach into other parts of an issuer's path.
pub(crate) fn is_tenant_id(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        })
}

/// The rules of a connection for each of its ID tokens.
#[derive(Debug, Clone)]
pub struct TokenPolicy {
    pub(crate) issuer: IssuerRule,
    pub(crate) client_id: String,
    pub(crate) algorithms: AlgorithmSet,
    pub(crate) trusted_audiences: Vec<String>,
    pub(crate) leeway: TimeDelta,
    pub(crate) max_lifetime: TimeDelta,
    pub(crate) max_issued_ago: Option<TimeDelta>,
    pub(crate) require_at_hash: bool,
}

impl TokenPolicy {
    /// Demands an issuer and a client, with a leeway of 60 seconds and a lifetime of at most 24 hours.
    #[must_use]
    pub fn new(issuer: IssuerRule, client_id: impl Into<String>) -> Self {
        Self {
            issuer,
            client_id: client_id.into(),
            algorithms: AlgorithmSet::default(),
            trusted_audiences: Vec::new(),
            leeway: TimeDelta::seconds(60),
            max_lifetime: TimeDelta::hours(24),
            max_issued_ago: None,
            require_at_hash: false,
        }
    }

    /// Allows these algorithms and no other.
    #[must_use]
    pub const fn algorithms(mut self, algorithms: AlgorithmSet) -> Self {
        self.algorithms = algorithms;
        self
    }

    /// Accepts these audiences beside the client itself. All others are refused.
    #[must_use]
    pub fn trusted_audiences(mut self, audiences: Vec<String>) -> Self {
        self.trusted_audiences = audiences;
        self
    }

    /// Allows clocks to differ by this much. Negative values count as zero.
    #[must_use]
    pub fn leeway(mut self, leeway: TimeDelta) -> Self {
        self.leeway = leeway.max(TimeDelta::zero());
        self
    }

    /// Bounds the time from `iat` to `exp`.
    #[must_use]
    pub const fn max_lifetime(mut self, lifetime: TimeDelta) -> Self {
        self.max_lifetime = lifetime;
        self
    }

    /// Bounds the time since `iat`.
    #[must_use]
    pub const fn max_issued_ago(mut self, age: TimeDelta) -> Self {
        self.max_issued_ago = Some(age);
        self
    }

    /// Demands `at_hash`; without this it is checked whenever it is there.
    #[must_use]
    pub const fn require_at_hash(mut self) -> Self {
        self.require_at_hash = true;
        self
    }

    /// Returns the allowed algorithms.
    #[must_use]
    pub const fn allowed_algorithms(&self) -> AlgorithmSet {
        self.algorithms
    }

    /// Returns the rule for `iss`.
    #[must_use]
    pub const fn issuer_rule(&self) -> &IssuerRule {
        &self.issuer
    }
}

/// The rules of a connection together with what one sign-in demands.
#[derive(Clone, Copy)]
pub struct Expectations<'a> {
    pub(crate) policy: &'a TokenPolicy,
    pub(crate) nonce: Option<&'a str>,
    pub(crate) access_token: Option<&'a str>,
    pub(crate) code: Option<&'a str>,
    pub(crate) max_age: Option<TimeDelta>,
    pub(crate) begun: Option<DateTime<Utc>>,
    pub(crate) acr: &'a [String],
}

impl<'a> Expectations<'a> {
    /// Demands what the policy says. Without [`Expectations::nonce`] nothing protects from replay, and the checks
    /// that are reported say so.
    #[must_use]
    pub const fn new(policy: &'a TokenPolicy) -> Self {
        Self { policy, nonce: None, access_token: None, code: None, max_age: None, begun: None, acr: &[] }
    }

    /// Demands the nonce of this sign-in.
    #[must_use]
    pub const fn nonce(mut self, nonce: &'a str) -> Self {
        self.nonce = Some(nonce);
        self
    }

    /// Compares `at_hash` with this access token.
    #[must_use]
    pub const fn access_token(mut self, token: &'a str) -> Self {
        self.access_token = Some(token);
        self
    }

    /// Compares `c_hash` with this authorization code.
    #[must_use]
    pub const fn code(mut self, code: &'a str) -> Self {
        self.code = Some(code);
        self
    }

    /// Demands `auth_time`, and that it is at most this long ago.
    #[must_use]
    pub const fn max_age(mut self, age: TimeDelta) -> Self {
        self.max_age = Some(age);
        self
    }

    /// Names when the sign-in began. Whoever authenticated since then did so for it and is never too old for `max_age`,
    /// however long a page of the provider kept them afterwards.
    #[must_use]
    pub const fn begun(mut self, at: DateTime<Utc>) -> Self {
        self.begun = Some(at);
        self
    }

    /// Demands one of these authentication contexts; an empty list demands nothing.
    #[must_use]
    pub const fn acr(mut self, accepted: &'a [String]) -> Self {
        self.acr = accepted;
        self
    }
}

impl std::fmt::Debug for Expectations<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Expectations").field("policy", self.policy).finish_non_exhaustive()
    }
}
