use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use chrono::TimeDelta;
use jit_core::config::Problems;
use jit_core::{
    Code, Entitlement, MarkerKey, MarkerKeyError, MemoryTarget, RuleName, Target, TargetId, TargetRole,
    TargetSetup, TenantId, Whose,
};
use jit_ldap::{
    ActiveDirectoryTarget, CustomTarget, Directory, DirectorySettings, LdapError, OpenLdapTarget, Reason,
    Roots, Systems,
};

use super::deployment::DeploymentSettings;
use super::files::{Credentials, read, read_secret};
use super::roles::{ElevatesSettings, RoleSettings};
use super::settings::{Kind, TargetSettings, WaySettings};

/// Holds a target that is ready to be asked; nothing was asked yet.
pub(crate) struct Opened {
    pub(crate) id: TargetId,
    /// To whose people it is open; to all others it does not exist.
    pub(crate) tenants: BTreeSet<TenantId>,
    pub(crate) target: Arc<dyn Target>,
    pub(crate) setup: TargetSetup,
    pub(crate) roles: Vec<RoleOffer>,
}

/// The targets that are open to the people of a tenant.
pub(crate) fn open_to<'a>(targets: &'a [Opened], tenant: &TenantId) -> impl Iterator<Item = &'a Opened> {
    targets.iter().filter(move |target| target.tenants.contains(tenant))
}

/// Tells what of a role matters to those who choose one.
#[derive(Debug, Clone)]
pub(crate) struct RoleOffer {
    pub(crate) name: RuleName,
    pub(crate) entitlements: Vec<String>,
    pub(crate) longest: TimeDelta,
    pub(crate) holders: Vec<Entitlement>,
    pub(crate) privileged: bool,
    /// Whose account that existed before it elevates; `None` where it makes one.
    pub(crate) elevates: Option<Whose>,
}

impl RoleOffer {
    fn of(role: &RoleSettings) -> Self {
        Self {
            name: role.name.clone(),
            entitlements: role.entitlements.clone(),
            longest: role.longest.delta(),
            holders: role.holders.clone(),
            privileged: role.privileged,
            elevates: role.elevates.as_ref().and_then(ElevatesSettings::whose),
        }
    }
}

/// Opens the targets of a configuration that was checked, which has these tenants. Reads files beside it, and asks no
/// server.
pub(crate) fn open(
    deployment: Option<&DeploymentSettings>,
    targets: &[TargetSettings],
    tenants: &BTreeSet<TenantId>,
    directories: &Directories<'_>,
    found: &mut Problems,
) -> Vec<Opened> {
    let Some(deployment) = deployment else { return Vec::new() };
    let Some(key) = found.within("deployment", |found| marker_key(deployment, directories.folder, found))
    else {
        return Vec::new();
    };
    let mut opened = Vec::new();
    found.each("target", targets, |settings, found| {
        let tenants = tenants_of(settings, tenants, found);
        if let Some(opened_one) = open_one(settings, directories, found) {
            opened.push(Opened::of(settings, opened_one, key.clone(), tenants));
        }
    });
    opened
}

/// A target that many tenants share is a decision, and none that is made by leaving something out.
fn tenants_of(
    settings: &TargetSettings,
    tenants: &BTreeSet<TenantId>,
    found: &mut Problems,
) -> BTreeSet<TenantId> {
    if !settings.says_whose() && tenants.len() == 1 {
        return tenants.clone();
    }
    if !settings.says_whose() {
        found.report_in("tenants", Code::new("config.missing_field"), "must say whose people check out here");
    }
    if !settings.tenants.is_subset(tenants) {
        found.report_in(
            "tenants",
            Code::new("config.invalid_value"),
            "nobody signs in to one of these tenants",
        );
    }
    settings.tenants.clone()
}

fn marker_key(deployment: &DeploymentSettings, folder: &Path, found: &mut Problems) -> Option<MarkerKey> {
    let key = read_secret(&folder.join(&deployment.marker_key), "marker_key", found)?;
    let unsound = |field: &str, error: MarkerKeyError, found: &mut Problems| {
        found.report_in(field, Code::new("config.invalid_value"), error.to_string());
    };
    let mut keys = match MarkerKey::new(&deployment.name, &key) {
        Ok(key) => key,
        Err(error) => {
            let field = if error == MarkerKeyError::TooShort { "marker_key" } else { "name" };
            unsound(field, error, found);
            return None;
        }
    };
    for file in &deployment.former_keys {
        let former = read_secret(&folder.join(file), "former_keys", found)?;
        keys = keys.with_former(&former).map_err(|error| unsound("former_keys", error, found)).ok()?;
    }
    Some(keys)
}

/// A target, and by what we prove ourselves there.
type Proving = (Arc<dyn Target>, Credentials);

fn open_one(
    settings: &TargetSettings,
    directories: &Directories<'_>,
    found: &mut Problems,
) -> Option<Proving> {
    let (directory, credentials) = match &settings.directory {
        Some(way) => {
            let (directory, credentials) =
                found.within("directory", |found| directories.open_as(way, found))?;
            (Some(directory), credentials)
        }
        None => (None, Credentials::default()),
    };
    let unsound = |field: &str, error: &dyn std::fmt::Display, found: &mut Problems| {
        found.report_in(field, Code::new("config.invalid_value"), error.to_string());
        None
    };
    let target: Option<Arc<dyn Target>> = match (settings.kind()?, directory) {
        (Kind::ActiveDirectory(settings), Some(directory)) => {
            match ActiveDirectoryTarget::new(directory, settings) {
                Ok(target) => Some(Arc::new(target)),
                Err(error) => unsound("active_directory", &error, found),
            }
        }
        (Kind::OpenLdap(settings), Some(directory)) => match OpenLdapTarget::new(directory, settings) {
            Ok(target) => Some(Arc::new(target)),
            Err(error) => unsound("open_ldap", &error, found),
        },
        (Kind::Custom(settings), Some(directory)) => match CustomTarget::new(directory, settings) {
            Ok(target) => Some(Arc::new(target)),
            Err(error) => unsound("custom", &error, found),
        },
        (Kind::InMemory(settings), None) => {
            let target = MemoryTarget::new();
            settings.people.iter().for_each(|name| target.plant(name));
            Some(Arc::new(target))
        }
        (Kind::Scim(settings), None) => {
            return found.within("scim", |found| settings.open(directories.folder, found));
        }
        _ => None,
    };
    target.map(|target| (target, credentials))
}

/// Opens directories. Those where we are the same account guard its password together, as the servers count refusals: whoever
/// asked each by itself would lock the account out.
pub(crate) struct Directories<'a> {
    folder: &'a Path,
    systems: Systems,
}

impl<'a> Directories<'a> {
    /// Reads files in this folder, for these ways and no others: those that have a server in common lead to one directory.
    pub(crate) fn in_folder(folder: &'a Path, ways: impl IntoIterator<Item = &'a WaySettings>) -> Self {
        let mut systems = Systems::default();
        for way in ways {
            // what is no list of servers is a problem when it is opened
            let _ = systems.add(&way.servers);
        }
        Self { folder, systems }
    }

    /// Opens the way to the servers of a directory, and asks none of them.
    pub(crate) fn open(&self, way: &WaySettings, found: &mut Problems) -> Option<Directory> {
        self.open_as(way, found).map(|(directory, _)| directory)
    }

    fn open_as(&self, way: &WaySettings, found: &mut Problems) -> Option<(Directory, Credentials)> {
        directory(way, self.folder, &self.systems, found)
    }
}

fn directory(
    way: &WaySettings,
    folder: &Path,
    systems: &Systems,
    found: &mut Problems,
) -> Option<(Directory, Credentials)> {
    let password = read_secret(&folder.join(&way.password_file), "password_file", found);
    let roots = match &way.ca_file {
        None => Some(Roots::platform()),
        Some(file) => read(&folder.join(file), "ca_file", found).and_then(|pem| {
            let roots = Roots::none().and_pem(&pem);
            let message = "holds no certificate (PEM), or one that cannot be read";
            roots.map_err(|error| found.report_in("ca_file", error.code(), message)).ok()
        }),
    };
    let (password, roots) = (password?, roots?);
    let Ok(text) = std::str::from_utf8(&password) else {
        found.report_in("password_file", Code::new("config.invalid_value"), "the password is no text");
        return None;
    };
    let mut settings = DirectorySettings::new(way.servers.clone(), &way.account, text);
    settings.connections = way.connections.unwrap_or(settings.connections);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let opened = settings.open(provider, roots);
    let opened = opened.map_err(|error| report(&error, found)).ok();
    let parts = vec![way.account.as_bytes().to_vec().into(), password];
    let directory = systems.named(&opened?);
    let system = directory.system().to_owned();
    Some((directory, Credentials { system, parts }))
}

fn report(error: &LdapError, found: &mut Problems) {
    if error.reason() == Reason::SettingsInvalid {
        let message = "needs `servers` written `ldaps://HOST` or `ldap://HOST`, with a port where it is another than \
                       usual, and 1 to 32 `connections`";
        found.report(error.code(), message);
    } else {
        found.report(error.code(), error.to_string());
    }
}

impl Opened {
    fn of(
        settings: &TargetSettings,
        (target, credentials): Proving,
        key: MarkerKey,
        tenants: BTreeSet<TenantId>,
    ) -> Self {
        let setup = TargetSetup::new(settings.id.clone(), Arc::clone(&target), key);
        let mut setup =
            setup.for_tenants(tenants.clone()).formerly_for_tenants(settings.former_tenants.clone());
        if !credentials.parts.is_empty() {
            let parts: Vec<&[u8]> = credentials.parts.iter().map(|part| part.as_slice()).collect();
            setup = setup.proving_with(&credentials.system, &parts);
        }
        setup = settings.paced(setup);
        if let Some(secret) = &settings.secret {
            setup = setup.secrets(secret.rules());
        }
        if let Some(prefix) = &settings.prefix {
            setup = setup.named_with(prefix);
        }
        for role in &settings.role {
            setup = setup.role(role.name.clone(), lent(role));
        }
        if let Some(mirror) = &settings.mirror {
            setup = setup.mirroring(mirror.mirroring());
        }
        let roles = settings.role.iter().map(RoleOffer::of).collect();
        Self { id: settings.id.clone(), tenants, target, setup, roles }
    }
}

fn lent(role: &RoleSettings) -> TargetRole {
    let mut lent =
        TargetRole::new(role.longest.delta(), role.holders.clone()).with(role.entitlements.clone());
    if let Some(place) = &role.place {
        lent = lent.in_place(place);
    }
    if let Some(whose) = role.elevates.as_ref().and_then(ElevatesSettings::whose) {
        lent = lent.elevating(whose);
    }
    if let Some(most) = role.per_holder {
        lent = lent.per_holder(most);
    }
    if role.privileged { lent.privileged() } else { lent }
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("setup", &self.setup).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use jit_core::config::{Format, load_with};

    use super::*;

    /// To whom a target is open of which this is said, in a portal with these tenants.
    fn open_where(said: &str, tenants: &[&str]) -> Result<Vec<String>, String> {
        let tenants = tenants.iter().map(|name| TenantId::new(name).unwrap()).collect();
        let text = format!("id = \"one\"\n{said}\n");
        let mut open = BTreeSet::new();
        let read = |settings: &TargetSettings, found: &mut Problems| {
            open = tenants_of(settings, &tenants, found);
        };
        load_with(&text, Format::Toml, "portal.toml", read).map_err(|found| found.to_string())?;
        Ok(open.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_target_is_open_by_default_only_where_nothing_is_said_and_nobody_else_could_be_meant() {
        assert_eq!(open_where("", &["acme"]).unwrap(), ["acme"]);
        assert!(open_where("", &["acme", "initech"]).unwrap_err().contains("(config.missing_field)"));
        assert_eq!(open_where("tenants = [\"acme\"]", &["acme", "initech"]).unwrap(), ["acme"]);
        for closed in ["[\"acme\"]", "[\"acme\", \"initech\"]"] {
            let said = format!("former_tenants = {closed}");
            for tenants in [&["acme"][..], &["acme", "initech"], &["initech"]] {
                assert!(open_where(&said, tenants).unwrap().is_empty(), "{said}: {tenants:?}");
            }
        }
    }
}
