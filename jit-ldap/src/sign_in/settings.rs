//! Settings of a sign-in as people write them, and what they become when they are sound.

use std::time::Duration;

use jit_core::{Issuer, IssuerSet};
use serde::Deserialize;

use super::groups::{GroupConfig, GroupSettings};
use crate::attribute::AttributeName;
use crate::claims::{ClaimNames, attributes};
use crate::dn::{Dn, Rdn};
use crate::filter::Filter;
use crate::identifier::IdAttribute;
use crate::lent::{Markers, add_markers, one_or_more};
use crate::reason::Reason;

/// A setting is not sound.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` {problem}")]
#[non_exhaustive]
pub struct SettingsError {
    /// The field.
    pub field: &'static str,
    /// What is wrong with it; never its value.
    pub problem: &'static str,
}

impl SettingsError {
    /// The reason of every unsound setting.
    pub const REASON: Reason = Reason::SettingsInvalid;

    pub(crate) const fn new(field: &'static str, problem: &'static str) -> Self {
        Self { field, problem }
    }
}

/// What people write about a sign-in at a directory.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SignInSettings {
    /// What the directory is called, for good: part of the key of every account that comes from it.
    pub issuer: String,
    /// Below which entry people are looked for.
    pub base: String,
    /// The attributes whose value a person may type, such as `uid`, or `sAMAccountName` and `userPrincipalName`. Each must
    /// be unique below the base.
    pub names: Vec<String>,
    /// What an entry must match beside the name (RFC 4515).
    #[serde(default = "usual_filter")]
    pub filter: String,
    /// The attribute that names an entry for good.
    pub id: IdAttribute,
    /// The attributes that become claims.
    #[serde(default)]
    pub claims: Vec<String>,
    /// Those of the claims that our account can read on every entry below the base: a missing attribute means that it is
    /// empty, and what it gave before is taken back. For all others a missing attribute says nothing.
    #[serde(default)]
    pub readable: Vec<String>,
    /// Where the person's groups are looked for, if they are.
    #[serde(default)]
    pub groups: Option<GroupSettings>,
    /// The attributes in which temporary accounts bear their marker, one name or a list: whoever bears one in any of them signs
    /// in as nobody. None: `adminDescription` where `id` is `object_guid`, and `description` elsewhere, as for targets.
    #[serde(default, deserialize_with = "one_or_more")]
    pub marker: Vec<String>,
    /// How many failures are let through.
    #[serde(default)]
    pub throttle: ThrottleSettings,
    /// How many milliseconds after it was asked for a refusal is told at the soonest, up to 10,000: more than the directory takes
    /// for a wrong password, or its time tells who exists.
    #[serde(default = "usual_refusal")]
    pub refused_after_ms: u16,
}

/// How many failed sign-ins of one person, and by one name, follow each other in the directory's memory. Stay below the number
/// at which it locks the account out, or anybody can lock out anybody.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ThrottleSettings {
    /// How many may fail.
    pub failures: u8,
    /// How many seconds the directory remembers a failure after the last one: not shorter than its own setting.
    pub window_seconds: u32,
}

impl Default for ThrottleSettings {
    fn default() -> Self {
        Self { failures: 3, window_seconds: 1800 }
    }
}

fn usual_filter() -> String {
    "(objectClass=person)".to_owned()
}

const fn usual_refusal() -> u16 {
    500
}

impl SignInSettings {
    /// Settings with the usual filter and throttling, and no claims yet.
    #[must_use]
    pub fn new(issuer: &str, base: &str, names: &[&str], id: IdAttribute) -> Self {
        Self {
            issuer: issuer.to_owned(),
            base: base.to_owned(),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            filter: usual_filter(),
            id,
            claims: Vec::new(),
            readable: Vec::new(),
            groups: None,
            marker: Vec::new(),
            throttle: ThrottleSettings::default(),
            refused_after_ms: usual_refusal(),
        }
    }

    /// Adds the attributes of the markers of targets on the same directory to those that are looked at: what any of them lends
    /// signs in as nobody.
    #[must_use]
    pub fn beside_targets<N: Into<String>>(mut self, markers: impl IntoIterator<Item = N>) -> Self {
        add_markers(&mut self.marker, self.id, markers);
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// [`SettingsError`] that names the first unsound field; its code is `ldap.settings_invalid`.
    pub fn check(&self) -> Result<SignInConfig, SettingsError> {
        let issuer =
            Issuer::new(&self.issuer).map_err(|_| SettingsError::new("issuer", "cannot be an issuer"))?;
        let base = base_of(&self.base)?;
        let names = attributes(&self.names, "names")?;
        if names.is_empty() {
            return Err(SettingsError::new("names", "must name an attribute"));
        }
        let claims = ClaimNames::check(&self.claims, &self.readable, "claims")?;
        let groups = self.groups.as_ref().map(GroupSettings::check).transpose()?;
        if let Some(groups) = &groups
            && claims.names().iter().any(|claim| claim.as_str() == groups.claim)
        {
            return Err(SettingsError::new("groups", "must have a claim of their own"));
        }
        let decoy =
            Rdn::new("cn", "nobody of this name").map_err(|_| SettingsError::new("base", "is not usable"))?;
        Ok(SignInConfig {
            issuer,
            decoy: base.child(decoy).to_string(),
            base,
            names,
            filter: filter_of(&self.filter)?,
            id: self.id,
            claims,
            groups,
            markers: Markers::check(&self.marker, self.id)?,
            throttle: self.throttle.check()?,
            refused_after: self.pause()?,
        })
    }

    fn pause(&self) -> Result<Duration, SettingsError> {
        let problem = "must be 10000 milliseconds at most";
        let is_sound = self.refused_after_ms <= 10_000;
        let pause = is_sound.then(|| Duration::from_millis(self.refused_after_ms.into()));
        pause.ok_or(SettingsError::new("refused_after_ms", problem))
    }
}

impl ThrottleSettings {
    fn check(self) -> Result<Self, SettingsError> {
        let is_sound = (1..=100).contains(&self.failures) && self.window_seconds > 0;
        let problem = "must let between 1 and 100 failures through in some time";
        if is_sound { Ok(self) } else { Err(SettingsError::new("throttle", problem)) }
    }
}

/// Reads the entry below which is looked.
pub(crate) fn base_of(text: &str) -> Result<Dn, SettingsError> {
    let base = Dn::parse(text).ok().filter(|base| *base != Dn::default());
    base.ok_or(SettingsError::new("base", "must be a distinguished name"))
}

/// Reads what entries have to match.
pub(crate) fn filter_of(text: &str) -> Result<Filter, SettingsError> {
    Filter::parse(text).map_err(|_| SettingsError::new("filter", "must be a filter"))
}

impl jit_core::config::Check for SignInSettings {
    fn check(&self, found: &mut jit_core::config::Problems) {
        if let Err(error) = Self::check(self) {
            found.report_in(error.field, jit_core::Code::new(SettingsError::REASON.code()), error.problem);
        }
    }
}

/// Settings that were found sound.
#[derive(Debug, Clone)]
pub struct SignInConfig {
    issuer: Issuer,
    base: Dn,
    names: Vec<AttributeName>,
    filter: Filter,
    id: IdAttribute,
    claims: ClaimNames,
    groups: Option<GroupConfig>,
    markers: Markers,
    throttle: ThrottleSettings,
    refused_after: Duration,
    /// A name below the base that nobody has.
    decoy: String,
}

impl SignInConfig {
    /// Returns the issuer.
    #[must_use]
    pub const fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// Returns the issuers that may speak over the connection, as `jit-core` wants them.
    #[must_use]
    pub fn issuers(&self) -> IssuerSet {
        IssuerSet::one(self.issuer.clone())
    }

    pub(crate) const fn base(&self) -> &Dn {
        &self.base
    }

    pub(crate) fn names(&self) -> &[AttributeName] {
        &self.names
    }

    pub(crate) const fn filter(&self) -> &Filter {
        &self.filter
    }

    pub(crate) const fn id(&self) -> IdAttribute {
        self.id
    }

    pub(crate) const fn claims(&self) -> &ClaimNames {
        &self.claims
    }

    pub(super) const fn groups(&self) -> Option<&GroupConfig> {
        self.groups.as_ref()
    }

    pub(super) const fn markers(&self) -> &Markers {
        &self.markers
    }

    pub(crate) const fn throttle(&self) -> ThrottleSettings {
        self.throttle
    }

    pub(super) const fn refused_after(&self) -> Duration {
        self.refused_after
    }

    pub(crate) fn decoy(&self) -> &str {
        &self.decoy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> SignInSettings {
        SignInSettings::new(
            "ldap.example.com",
            "ou=people,dc=example,dc=com",
            &["uid"],
            IdAttribute::EntryUuid,
        )
    }

    fn problem(change: impl FnOnce(&mut SignInSettings)) -> &'static str {
        let mut settings = settings();
        change(&mut settings);
        settings.check().unwrap_err().field
    }

    #[test]
    fn each_unsound_setting_is_named() {
        assert!(settings().check().is_ok());
        assert_eq!(problem(|s| s.issuer.clear()), "issuer");
        assert_eq!(problem(|s| s.base.clear()), "base");
        assert_eq!(problem(|s| s.base = "people".to_owned()), "base");
        assert_eq!(problem(|s| s.names.clear()), "names");
        assert_eq!(problem(|s| s.names.push("uid=x)(".to_owned())), "names");
        assert_eq!(problem(|s| s.filter = "objectClass=person".to_owned()), "filter");
        assert_eq!(problem(|s| s.claims.push("USERPASSWORD".to_owned())), "claims");
        assert_eq!(problem(|s| s.readable.push("mail".to_owned())), "readable");
        assert_eq!(problem(|s| s.marker = vec!["title".to_owned(), "a b".to_owned()]), "marker");
        assert_eq!(problem(|s| s.throttle.failures = 0), "throttle");
        assert_eq!(problem(|s| s.refused_after_ms = 10_001), "refused_after_ms");
        assert_eq!(problem(|s| s.groups = Some(GroupSettings::below("groups"))), "groups");
        let same = |s: &mut SignInSettings| {
            s.claims.push("groups".to_owned());
            s.groups = Some(GroupSettings::below("ou=groups,dc=x"));
        };
        assert_eq!(problem(same), "groups");
    }
}
