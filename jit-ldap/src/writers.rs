//! Which servers of a directory take changes: a read-only domain controller, or a replica that names the server above it, takes none.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::attribute::{Attribute, AttributeName};
use crate::connection::Connection;
use crate::dn::{Dn, Rdn};
use crate::error::{Fate, LdapError};
use crate::identifier::EntryName;
use crate::reason::Reason;
use crate::request::Modification;

/// How long it counts: servers are promoted, and put in the second row.
const COUNTS_FOR: Duration = Duration::from_secs(600);

/// Remembers whether one server takes changes.
#[derive(Clone, Default)]
pub(crate) struct Role(Arc<Mutex<Option<(bool, Instant)>>>);

impl Role {
    /// Whether it takes changes, and whether that was learnt a short while ago.
    pub(crate) fn known(&self) -> (Option<bool>, bool) {
        let known = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.map_or((None, false), |(takes, at)| (Some(takes), at.elapsed() < COUNTS_FOR))
    }

    pub(crate) fn learn(&self, takes_changes: bool) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((takes_changes, Instant::now()));
    }
}

/// Asks a server whether it takes changes: by its own word (Active Directory), else by a change of an entry that is not there.
/// It is a change that would do nothing if it were.
pub(crate) async fn takes_changes(connection: &mut Connection, base: &Dn) -> Result<bool, LdapError> {
    match connection.features().await {
        Ok(features) if features.is_active_directory() => return Ok(!features.is_read_only()),
        Err(error) if error.fate() != Fate::Answered || error.reason() == Reason::Busy => return Err(error),
        // whoever keeps its root to itself is asked the other way
        _ => {}
    }
    let nobody = Rdn::new("cn", "nobody of this name").map_err(LdapError::from)?;
    let nothing = Modification::Delete(Attribute::new(AttributeName::DESCRIPTION, ["nothing of this value"]));
    match connection.modify(&EntryName::Dn(base.child(nobody)), &[nothing], &[]).await {
        Ok(_) => Ok(true),
        Err(error) if sends_elsewhere(&error) => Ok(false),
        // it did not look
        Err(error) if error.reason() == Reason::Busy => Err(error),
        Err(error) if error.fate() == Fate::Answered => Ok(true),
        Err(error) => Err(error),
    }
}

/// Tells whether a server refused a change because another one would have to make it; or because the entry is kept elsewhere.
pub(crate) fn sends_elsewhere(error: &LdapError) -> bool {
    // OpenLDAP, where a replica knows nobody above it
    const SHADOW: &str = "shadow context";
    let is_shadow = || error.answer().is_some_and(|answer| answer.diagnostic().contains(SHADOW));
    error.reason() == Reason::Referral || (error.reason() == Reason::Unwilling && is_shadow())
}
