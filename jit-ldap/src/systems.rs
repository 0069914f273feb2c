//! Which lists of servers are one directory.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::circuit::Circuit;
use crate::directory::Directory;
use crate::pool::ServiceAccount;
use crate::reason::Reason;
use crate::settings::Address;

/// Knows which lists of servers are one directory: those that have a server in common, directly or over other lists. All
/// servers of a directory count failures together, whichever of them are written where. Clones know of each other what was
/// named.
#[derive(Clone, Default)]
pub struct Systems {
    groups: Vec<BTreeSet<String>>,
    guards: Arc<Mutex<Vec<Guard>>>,
}

/// What guards our password at one directory.
struct Guard {
    system: String,
    account: ServiceAccount,
    circuit: Circuit,
}

impl Systems {
    /// Adds a list of servers, written as in [`DirectorySettings`](crate::DirectorySettings).
    ///
    /// # Errors
    /// `ldap.settings_invalid` when a server is written in another way; then nothing is added.
    pub fn add(&mut self, servers: &[String]) -> Result<(), Reason> {
        let names = servers.iter().map(|server| Address::parse(server).map(|address| address.system()));
        let names = names.collect::<Result<BTreeSet<_>, _>>()?;
        let (joined, apart) = self.groups.drain(..).partition(|group| !group.is_disjoint(&names));
        self.groups = apart;
        self.groups.push(joined.into_iter().flatten().chain(names).collect());
        Ok(())
    }

    /// Gives a directory the name that all lists have which are one with its own ([`Directory::system`]), and guards our
    /// password there together with every one of this name that has been named before and works with the same account and
    /// password, as [`Directory::guarded_with`] does: however many parts of an application open a way to a directory, one of
    /// them tries the password, and all others wait for what comes of it.
    #[must_use]
    pub fn named(&self, directory: &Directory) -> Directory {
        let own = directory.system();
        let group = self.groups.iter().find(|group| group.contains(own));
        let named =
            group.and_then(BTreeSet::first).map_or_else(|| directory.clone(), |name| directory.called(name));
        self.guarded(named)
    }

    fn guarded(&self, directory: Directory) -> Directory {
        let Some((account, circuit)) = directory.account().zip(directory.circuit()) else { return directory };
        let mut guards = self.guards.lock().unwrap_or_else(PoisonError::into_inner);
        guards.retain(|guard| guard.circuit.is_in_use());
        let is_same = |guard: &&Guard| guard.system == directory.system() && guard.account.is_same(account);
        match guards.iter().find(is_same) {
            Some(guard) if guard.circuit.is_same(circuit) => directory,
            Some(guard) => directory.guarded_by(&guard.circuit),
            None => {
                let (system, account) = (directory.system().to_owned(), account.clone());
                guards.push(Guard { system, account, circuit: circuit.clone() });
                directory
            }
        }
    }
}

impl fmt::Debug for Systems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Systems").field("groups", &self.groups).finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "platform-roots"))]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{DirectorySettings, Roots};

    fn list(servers: &[&str]) -> Vec<String> {
        servers.iter().map(|server| (*server).to_owned()).collect()
    }

    fn named(systems: &Systems, servers: &[String]) -> String {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let settings = DirectorySettings::new(servers.to_vec(), "cn=jit", "a-password");
        let directory = settings.open(provider, Roots::platform());
        directory
            .map_or_else(|error| error.to_string(), |directory| systems.named(&directory).system().to_owned())
    }

    #[test]
    fn lists_that_overlap_are_one_directory_in_whatever_order_they_come() {
        let mut lists = [
            list(&["ldaps://dc4", "ldaps://dc3"]),
            list(&["ldaps://dc2", "ldaps://dc1"]),
            list(&["ldap://DC2.:389/", "ldaps://dc3:636"]),
            list(&["ldaps://other"]),
        ];
        for turn in 0..4 {
            lists.rotate_left(1);
            let mut systems = Systems::default();
            assert!(lists.iter().all(|list| systems.add(list).is_ok()));
            let mut names = lists.each_ref().map(|list| named(&systems, list));
            names.sort();
            assert_eq!(names, ["dc1", "dc1", "dc1", "other"], "{turn}");
        }
    }

    #[test]
    fn what_is_no_list_of_servers_is_refused_and_what_nobody_added_keeps_its_name() {
        let mut systems = Systems::default();
        assert_eq!(systems.add(&list(&["ldaps://dc1", "dc3"])), Err(Reason::SettingsInvalid));
        assert_eq!(named(&systems, &list(&["ldaps://dc4", "ldaps://dc3"])), "dc3");
    }
}
