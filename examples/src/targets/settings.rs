use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use jit_core::config::{Check, Problems};
use jit_core::{Code, SecretRules, Span, TargetId, TenantId};
use jit_ldap::{ActiveDirectorySettings, CustomSettings, OpenLdapSettings};
use serde::Deserialize;

use super::deployment::DeploymentSettings;
use super::mirror::MirrorSettings;
use super::roles::RoleSettings;
use super::scim::ScimSettings;
use super::work::PaceSettings;

/// Describes one target, of exactly one kind.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TargetSettings {
    pub(crate) id: TargetId,
    /// Whose people may check out here. Where there is only one tenant, and `former_tenants` names nobody, it is theirs
    /// without it.
    #[serde(default)]
    pub(crate) tenants: BTreeSet<TenantId>,
    /// Whose people checked out here before: what they still have ends, and nothing is lent to them.
    #[serde(default)]
    pub(crate) former_tenants: BTreeSet<TenantId>,
    /// What the names of its accounts begin with.
    #[serde(default)]
    pub(crate) prefix: Option<String>,
    /// The way to the servers of a directory.
    #[serde(default)]
    pub(crate) directory: Option<WaySettings>,
    #[serde(default)]
    pub(crate) active_directory: Option<ActiveDirectorySettings>,
    #[serde(default)]
    pub(crate) open_ldap: Option<OpenLdapSettings>,
    /// A directory of another kind.
    #[serde(default)]
    pub(crate) custom: Option<CustomSettings>,
    /// A target in the memory of the program, for demonstrations.
    #[serde(default)]
    pub(crate) in_memory: Option<InMemory>,
    /// An application that speaks SCIM. Nothing is lent there; accounts are mirrored to it.
    #[serde(default)]
    pub(crate) scim: Option<ScimSettings>,
    /// Which accounts are mirrored there.
    #[serde(default)]
    pub(crate) mirror: Option<MirrorSettings>,
    /// What it demands of the secrets of its accounts.
    #[serde(default)]
    pub(crate) secret: Option<SecretSettings>,
    /// How many leases a round of work asks it about at a time.
    #[serde(default)]
    pub(crate) at_once: Option<NonZeroUsize>,
    /// How many leases are worked on in a span.
    #[serde(default)]
    pub(crate) no_more_than: Option<PaceSettings>,
    /// How many leases are quarantined at once because what is there does not bear their markers.
    #[serde(default)]
    pub(crate) quarantined_at_most: Option<NonZeroUsize>,
    /// How long after it was begun a call may still take effect.
    #[serde(default)]
    pub(crate) in_flight_for: Option<Span>,
    /// For how long a lease may be overdue before an alarm is raised.
    #[serde(default)]
    pub(crate) overdue_after: Option<Span>,
    #[serde(default)]
    pub(crate) role: Vec<RoleSettings>,
}

/// Says what a target demands of secrets.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecretSettings {
    length: usize,
    /// Whether they hold `-` and `_` beside letters and digits.
    #[serde(default = "yes")]
    signs: bool,
}

fn yes() -> bool {
    true
}

impl SecretSettings {
    pub(crate) fn rules(&self) -> SecretRules {
        let rules = SecretRules::of_length(self.length);
        if self.signs { rules } else { rules.letters_and_digits() }
    }

    fn check(&self, found: &mut Problems) {
        if !(SecretRules::SHORTEST..=SecretRules::LONGEST).contains(&self.length) {
            let message = format!("must be {} to {}", SecretRules::SHORTEST, SecretRules::LONGEST);
            found.report_in("length", Code::new("config.invalid_value"), message);
        }
    }
}

/// Says how the servers of a directory are reached.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WaySettings {
    pub(crate) servers: Vec<String>,
    /// The certificates that vouch for the servers; without it, those that the machine trusts.
    #[serde(default)]
    pub(crate) ca_file: Option<PathBuf>,
    /// The account that works there.
    pub(crate) account: String,
    /// The file with its password, for nobody but its owner to read.
    pub(crate) password_file: PathBuf,
    #[serde(default)]
    pub(crate) connections: Option<u8>,
}

/// Describes a target in memory.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InMemory {
    /// Who has an account there before anybody checks out.
    #[serde(default)]
    pub(crate) people: Vec<String>,
}

/// Names the kind of a target.
pub(crate) enum Kind<'a> {
    ActiveDirectory(&'a ActiveDirectorySettings),
    OpenLdap(&'a OpenLdapSettings),
    Custom(&'a CustomSettings),
    InMemory(&'a InMemory),
    Scim(&'a ScimSettings),
}

impl TargetSettings {
    /// The kind; `None` where there is not exactly one.
    pub(crate) fn kind(&self) -> Option<Kind<'_>> {
        let kinds = [
            self.active_directory.as_ref().map(Kind::ActiveDirectory),
            self.open_ldap.as_ref().map(Kind::OpenLdap),
            self.custom.as_ref().map(Kind::Custom),
            self.in_memory.as_ref().map(Kind::InMemory),
            self.scim.as_ref().map(Kind::Scim),
        ];
        let mut kinds = kinds.into_iter().flatten();
        kinds.next().filter(|_| kinds.next().is_none())
    }

    /// The attributes in which its accounts bear their marker, today's and those of before; none where it is no directory.
    pub(crate) fn markers(&self) -> impl Iterator<Item = &str> {
        let set = self.kind().and_then(|kind| match kind {
            Kind::ActiveDirectory(settings) => Some((&settings.marker, &settings.former_markers)),
            Kind::OpenLdap(settings) => Some((&settings.marker, &settings.former_markers)),
            Kind::Custom(settings) => Some((&settings.marker, &settings.former_markers)),
            Kind::InMemory(_) | Kind::Scim(_) => None,
        });
        set.into_iter().flat_map(|(marker, former)| std::iter::once(marker).chain(former)).map(String::as_str)
    }

    /// Whether it is said whose the target is. One that was only closed to somebody is open to nobody.
    pub(super) fn says_whose(&self) -> bool {
        !self.tenants.is_empty() || !self.former_tenants.is_empty()
    }

    fn check_tenants(&self, found: &mut Problems) {
        if !self.tenants.is_disjoint(&self.former_tenants) {
            let message =
                "names a tenant that `tenants` names as well: the target is open to them, or closed";
            found.report_in("former_tenants", Code::new("config.invalid_value"), message);
        }
    }

    fn check_kind(&self, found: &mut Problems) {
        if let Some(settings) = &self.active_directory {
            found.within("active_directory", |found| Check::check(settings, found));
        }
        if let Some(settings) = &self.open_ldap {
            found.within("open_ldap", |found| Check::check(settings, found));
        }
        if let Some(settings) = &self.custom {
            found.within("custom", |found| Check::check(settings, found));
        }
        match self.kind() {
            None => found.report(
                Code::new("config.one_of"),
                "needs exactly one of `active_directory`, `open_ldap`, `custom`, `in_memory` and `scim`",
            ),
            Some(Kind::InMemory(_) | Kind::Scim(_)) if self.directory.is_some() => {
                found.report_in(
                    "directory",
                    Code::new("config.one_of"),
                    "goes with no `in_memory` and no `scim`",
                );
            }
            Some(Kind::InMemory(_) | Kind::Scim(_)) => {}
            Some(_) if self.directory.is_some() => {}
            Some(_) => found.report(
                Code::new("config.missing_field"),
                "needs `directory`: the servers, and the account to work with",
            ),
        }
    }

    fn check_mirror(&self, found: &mut Problems) {
        let mirrors = matches!(self.kind(), Some(Kind::InMemory(_) | Kind::Scim(_)));
        match &self.mirror {
            Some(_) if !mirrors => {
                found.report_in("mirror", Code::new("config.one_of"), "goes with `scim` or `in_memory`");
            }
            Some(mirror) => {
                let profile = self.scim.as_ref().map(|scim| &scim.profile);
                found.within("mirror", |found| mirror.check(profile, found));
            }
            None if self.scim.is_some() => {
                found.report(
                    Code::new("config.missing_field"),
                    "needs `mirror`: whose accounts, and what of them",
                );
            }
            None if self.role.is_empty() => {
                found.report(Code::new("config.missing_field"), "needs at least one `role`");
            }
            None => {}
        }
        if self.scim.is_some() && !self.role.is_empty() {
            found.report_in("role", Code::new("config.one_of"), "goes with no `scim`: nothing is lent there");
        }
    }
}

impl Check for TargetSettings {
    fn check(&self, found: &mut Problems) {
        self.check_tenants(found);
        self.check_kind(found);
        self.check_roles(found);
        self.check_mirror(found);
        self.check_work(found);
        if let Some(secret) = &self.secret {
            found.within("secret", |found| secret.check(found));
        }
        let is_sign = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if self.prefix.as_ref().is_some_and(|prefix| prefix.len() > 7 || !prefix.chars().all(is_sign)) {
            let message = "must be up to seven letters, digits and `-`";
            found.report_in("prefix", Code::new("config.invalid_value"), message);
        }
        if self.secret.is_some() && self.scim.is_some() {
            found.report_in(
                "secret",
                Code::new("config.one_of"),
                "goes with no `scim`: nothing is lent there",
            );
        }
    }
}

/// Checks the targets of a configuration, without opening a file.
pub(crate) fn check_targets(
    deployment: Option<&DeploymentSettings>,
    targets: &[TargetSettings],
    found: &mut Problems,
) {
    if deployment.is_none() && !targets.is_empty() {
        let message = "needs `deployment`: the name and the key that mark what is made in targets";
        found.report(Code::new("config.missing_field"), message);
    }
    if let Some(deployment) = deployment {
        found.within("deployment", |found| deployment.check(found));
    }
    let is_changing_keys = deployment.is_some_and(|deployment| !deployment.former_keys.is_empty());
    if is_changing_keys && targets.iter().any(|target| target.mirror.is_some()) {
        let message = "goes with no `mirror`: what is mirrored is known by the present key alone, and would be a \
                       stranger's after a change; leave the key as it is";
        found.within("deployment", |found| {
            found.report_in("former_keys", Code::new("config.invalid_value"), message);
        });
    }
    let mut ids = BTreeSet::new();
    found.each("target", targets, |target, found| {
        if !ids.insert(&target.id) {
            found.report_in("id", Code::new("config.duplicate_target"), "another target has this id");
        }
        target.check(found);
    });
}
