//! What the files beside a configuration open.

use std::collections::BTreeMap;
use std::path::Path;

use jit_core::ConnectionId;
use jit_core::config::{self, Format, Problems};
use jit_ldap::Directory;

use super::Settings;
use crate::targets::{Directories, Opened, open};

/// What is ready to be asked; nothing was asked yet.
#[derive(Debug, Default)]
pub(crate) struct Beside {
    /// Where people check out accounts.
    pub(crate) targets: Vec<Opened>,
    /// Where people sign in, by connection.
    pub(crate) directories: BTreeMap<ConnectionId, Directory>,
}

impl Settings {
    /// Reads and checks a configuration with the secrets and certificates that it names, which lie in `folder`.
    pub(crate) fn load_with_files(text: &str, file: &str, folder: &Path) -> Result<(Self, Beside), Problems> {
        let mut beside = Beside::default();
        let settings = config::load_with(text, Format::Toml, file, |settings: &Self, found| {
            config::Check::check(settings, found);
            if found.is_empty() {
                beside = settings.open_files(folder, found);
            }
        })?;
        Ok((settings, beside))
    }

    fn open_files(&self, folder: &Path, found: &mut Problems) -> Beside {
        let tenants = self.connection.iter().map(|door| door.tenant.clone()).collect();
        let directories = self.target.iter().filter_map(|target| target.directory.as_ref());
        let doors = self.connection.iter().filter_map(|door| door.protocol.directory.as_ref());
        let ways = Directories::in_folder(folder, directories.chain(doors));
        let targets = open(self.deployment.as_ref(), &self.target, &tenants, &ways, found);
        let mut directories = BTreeMap::new();
        found.each("connection", &self.connection, |door, found| {
            let Some(way) = &door.protocol.directory else { return };
            let opened =
                found.within("protocol", |found| found.within("directory", |found| ways.open(way, found)));
            directories.extend(opened.map(|directory| (door.id.clone(), directory)));
        });
        Beside { targets, directories }
    }
}
