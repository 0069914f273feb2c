//! A connection as configuration holds it: what it is trusted with, its mapping, its policy, its protocol's settings.

mod addresses;
mod among;

use std::{collections::BTreeSet, sync::Arc};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub use among::check_connections;

use super::{Check, Problems, provisioning::check_provisioning};
use crate::{
    Attestor, Code, Connection, ConnectionId, ConnectionSettings, DomainSet, EntitlementPattern, Issuer,
    IssuerSet, LinkBy, LinkRule, MailLink, MappingRules, PolicyRules, Provisioning, RulePolicy, StoreId,
    TenantId, Verification, mapping::present,
};

/// The most issuers, names, domains, ceiling lines and link rules of a connection, each.
const LINES: usize = 1000;

/// Holds the settings of one connection; `P` are those of its protocol.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "P: DeserializeOwned"))]
#[expect(clippy::exhaustive_structs, reason = "read from configuration")]
pub struct ConnectionConfig<P> {
    /// The tenant that the connection speaks for.
    pub tenant: TenantId,
    /// Its id, unique in the tenant.
    pub id: ConnectionId,
    /// The issuers that may speak over it, byte for byte.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issuers: Vec<Issuer>,
    /// Or issuers that differ in one place, such as the tenants of Entra.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer_template: Option<IssuerTemplate>,
    /// The mail domains that it speaks for.
    #[serde(default)]
    pub domains: DomainSet,
    /// What it may grant at most; nothing where nothing is listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ceiling: Vec<EntitlementPattern>,
    /// How an account is found that the identity is not linked to yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub link: Vec<LinkRule>,
    /// The user store of its accounts; the application's main one where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<StoreId>,
    /// From claims to a profile.
    #[serde(default)]
    pub mapping: MappingRules,
    /// From a profile to a decision.
    #[serde(default)]
    pub policy: PolicyRules,
    /// Lets the connection speak of joiners, movers and leavers, and says how far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provisioning: Option<Provisioning>,
    /// Another mapping and policy that run beside the real ones and change nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow: Option<ShadowConfig>,
    /// The settings of the protocol.
    pub protocol: P,
    /// Refused wherever it stands: the key of an identity is not a setting.
    #[serde(default, skip_serializing, deserialize_with = "present")]
    pub subject: bool,
    /// Refused when it asks for transient subjects; any other belongs to the protocol.
    #[serde(default, skip_serializing)]
    pub name_id_format: Option<String>,
}

/// Trusts issuers that differ in one place only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "read from configuration")]
pub struct IssuerTemplate {
    /// The issuer with `{*}` for one segment of its path.
    pub template: String,
    /// What may stand there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<String>,
    /// Lets anything stand there: whoever can open a tenant at the source can sign in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dangerously_allow_any: bool,
}

/// Holds a mapping and a policy that only run to be compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "read from configuration")]
pub struct ShadowConfig {
    /// From claims to a profile.
    pub mapping: MappingRules,
    /// From a profile to a decision.
    pub policy: PolicyRules,
}

impl<P> ConnectionConfig<P> {
    /// Defines the connection; hands out its attestor, for the trigger, and the settings of the protocol.
    ///
    /// # Errors
    /// Everything that is wrong with the settings; those of the protocol are not looked at.
    pub fn define(self) -> Result<(Connection, Attestor, P), Problems> {
        let mut found = Problems::none();
        self.check_own(&mut found);
        found.or(())?;
        let mapping = Arc::new(self.mapping.compile_for(&self.domains)?);
        let policy = Arc::new(RulePolicy::new(&self.policy)?);
        let shadow = match &self.shadow {
            None => None,
            Some(shadow) => {
                let mapping = Arc::new(shadow.mapping.compile_for(&self.domains)?);
                Some((mapping, Arc::new(RulePolicy::new(&shadow.policy)?)))
            }
        };
        let settings = ConnectionSettings {
            issuers: self.issuer_set(),
            tenant: self.tenant,
            id: self.id,
            domains: self.domains,
            ceiling: self.ceiling,
            link: self.link,
            store: self.store,
        };
        let (mut connection, attestor) = Connection::define(settings, mapping, policy);
        if let Some((mapping, policy)) = shadow {
            connection = connection.shadowed_by(mapping, policy);
        }
        if let Some(provisioning) = self.provisioning {
            connection = connection.provisions(provisioning);
        }
        Ok((connection, attestor, self.protocol))
    }

    /// The issuers that may speak; for a template that is wrong none.
    fn issuer_set(&self) -> IssuerSet {
        let parts = self.issuer_template.as_ref().and_then(|known| Some((known, known.parts()?)));
        match parts {
            None => IssuerSet::Exactly(self.issuers.iter().cloned().collect()),
            Some((known, (prefix, suffix))) => {
                let (prefix, suffix) = (prefix.to_owned(), suffix.to_owned());
                if known.dangerously_allow_any {
                    IssuerSet::DangerouslyAnyBetween { prefix, suffix }
                } else {
                    IssuerSet::Between { prefix, suffix, names: known.allow.iter().cloned().collect() }
                }
            }
        }
    }

    /// Checks everything but the settings of the protocol.
    fn check_own(&self, found: &mut Problems) {
        self.check_issuers(found);
        self.check_sizes(found);
        self.check_links(found);
        self.check_ceiling(found);
        if self.subject {
            let message = "the key of an identity is not a setting: it is the issuer's own subject";
            found.report_in("subject", Code::new("config.subject_is_no_setting"), message);
        }
        if let Some(format) = &self.name_id_format {
            let (code, message) = if format.to_ascii_lowercase().contains("transient") {
                ("config.transient_subject", "a transient subject names a session and cannot be a key")
            } else {
                ("config.unknown_field", "the form of subjects belongs to the settings of the protocol")
            };
            found.report_in("name_id_format", Code::new(code), message);
        }
        found.within("mapping", |found| self.mapping.check(found));
        self.check_own_domains(found);
        self.check_who_speaks(found);
        found.within("policy", |found| self.policy.check(found));
        if let Some(provisioning) = &self.provisioning {
            let has_one_issuer = self.issuer_template.is_none() && self.issuers.len() == 1;
            found.within("provisioning", |found| {
                check_provisioning(provisioning, &self.id, has_one_issuer, found);
            });
        }
        if let Some(shadow) = &self.shadow {
            found.within("shadow", |found| {
                found.within("mapping", |found| shadow.mapping.check(found));
                found.within("policy", |found| shadow.policy.check(found));
            });
        }
    }

    fn check_issuers(&self, found: &mut Problems) {
        match (&self.issuer_template, self.issuers.is_empty()) {
            (None, true) => {
                found.report(Code::new("config.one_of"), "needs `issuers` or an `issuer_template`");
            }
            (Some(_), false) => {
                let message = "has either `issuers` or an `issuer_template`";
                found.report_in("issuer_template", Code::new("config.one_of"), message);
            }
            (None, false) => {
                let mut seen = BTreeSet::new();
                found.each("issuers", &self.issuers, |issuer, found| {
                    if !seen.insert(issuer) {
                        found.report(Code::new("config.duplicate_issuer"), "stands here twice");
                    }
                });
            }
            (Some(template), true) => {
                found.within("issuer_template", |found| template.check(found));
            }
        }
    }

    fn check_sizes(&self, found: &mut Problems) {
        let counts = [
            ("issuers", self.issuers.len()),
            ("domains", self.domains.patterns().len()),
            ("ceiling", self.ceiling.len()),
            ("link", self.link.len()),
        ];
        for (field, _) in counts.into_iter().filter(|(_, count)| *count > LINES) {
            found.report_in(field, Code::new("config.out_of_range"), format!("has more than {LINES} lines"));
        }
    }

    fn check_links(&self, found: &mut Problems) {
        let email = self.mapping.with_preset().email;
        let is_verified = email.as_ref().is_some_and(|rule| {
            rule.dangerously_assume_verified || rule.verified != Some(Verification::Never)
        });
        for (index, rule) in self.link.iter().enumerate() {
            let is_twin = self.link.iter().take(index).any(|other| other == rule);
            let problem = match &rule.by {
                _ if is_twin => Some(("config.duplicate_rule", "the same rule stands before")),
                LinkBy::Email(_) if email.is_none() => {
                    Some(("config.unreachable_rule", "needs a mapping with an `email` rule"))
                }
                LinkBy::Email(MailLink::WhenAuthoritative) if self.domains.patterns().is_empty() => {
                    Some(("config.unreachable_rule", "needs `domains` that the connection speaks for"))
                }
                LinkBy::Email(MailLink::WhenAuthoritative) if !is_verified => Some((
                    "config.email_unverified",
                    "needs an `email` rule that says what verifies the address",
                )),
                LinkBy::Attribute { claim, .. }
                    if claim.root() == "email"
                        || email.as_ref().is_some_and(|rule| rule.claim.root() == claim.root()) =>
                {
                    Some(("config.email_unverified", "links by an address: use `by = { email = … }`"))
                }
                LinkBy::Attribute { claim, .. } if claim.root() == "oid" => {
                    Some(("config.oid_without_tid", "`oid` names a person only together with `tid`"))
                }
                LinkBy::Email(_) | LinkBy::Attribute { .. } => None,
            };
            if let Some((code, message)) = problem {
                found.within("link", |found| {
                    found.item(index, |found| found.report(Code::new(code), message));
                });
            }
        }
    }

    /// Reports fixed roles and groups of the mapping that the ceiling never lets through.
    fn check_ceiling(&self, found: &mut Problems) {
        let code = || Code::new("config.above_ceiling");
        let is_allowed = |given: &crate::Entitlement| self.ceiling.iter().any(|line| line.matches(given));
        found.within("mapping", |found| {
            found.each("entitlement", &self.mapping.entitlement, |rule, found| {
                found.each("always", &rule.always, |given, found| {
                    if !is_allowed(given) {
                        found.report(code(), format!("`{given}` is not in the `ceiling` of the connection"));
                    }
                });
                for (name, given) in rule.table.iter().flatten() {
                    if let Some(given) = given.iter().find(|given| !is_allowed(given)) {
                        let message = format!("`{given}` is not in the `ceiling` of the connection");
                        found.within("table", |found| found.report_in(name, code(), message));
                    }
                }
            });
        });
    }
}

impl<P: Check> Check for ConnectionConfig<P> {
    fn check(&self, found: &mut Problems) {
        self.check_own(found);
        found.within("protocol", |found| self.protocol.check(found));
    }
}

/// Checks nothing: for a protocol without settings.
impl Check for () {
    fn check(&self, _found: &mut Problems) {}
}

impl IssuerTemplate {
    /// What stands before and behind the place that differs.
    fn parts(&self) -> Option<(&str, &str)> {
        self.template.split_once("{*}").filter(|(_, suffix)| !suffix.contains("{*}"))
    }
}

impl Check for IssuerTemplate {
    fn check(&self, found: &mut Problems) {
        let code = || Code::new("config.issuer_template");
        let is_bounded = |prefix: &str, suffix: &str| {
            let path = prefix.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
            path.is_some_and(|(host, _)| !host.is_empty())
                && prefix.ends_with('/')
                && (suffix.is_empty() || suffix.starts_with('/'))
        };
        match self.parts() {
            Some((prefix, suffix)) if is_bounded(prefix, suffix) => {}
            _ => {
                let message = "needs `{*}` once, for one whole segment of the path";
                found.report_in("template", code(), message);
            }
        }
        if self.allow.is_empty() != self.dangerously_allow_any {
            let message = "needs either `allow` or `dangerously_allow_any = true`";
            found.report(Code::new("config.one_of"), message);
        }
        if self.allow.len() > LINES {
            let message = format!("has more than {LINES} lines");
            found.report_in("allow", Code::new("config.out_of_range"), message);
        }
        found.each("allow", &self.allow, |name, found| {
            if name.is_empty() || name.contains('/') || name.chars().any(char::is_control) {
                found.report(code(), "is not one segment of a path");
            }
        });
    }
}

#[cfg(test)]
mod tests;
