use std::sync::Arc;

use jit_core::Attestor;
use jit_ldap::{LdapTrigger, SignInSettings};

use super::Around;
use crate::portal::assemble::AssembleError;
use crate::portal::house::LdapWay;
use crate::portal::settings::DoorSettings;

/// Makes everything that signs people in by a name and a password of a directory.
pub(super) fn way(
    door: &DoorSettings,
    ldap: &SignInSettings,
    attestor: Attestor,
    around: &Around<'_>,
) -> Result<LdapWay, AssembleError> {
    let settings = around.settings.refusing_what_is_lent(ldap);
    let config = settings.check().map_err(|error| AssembleError::connection(door, error))?;
    let no_directory = || AssembleError::NoProtocol(door.id.clone());
    let directory = around.directories.get(&door.id).cloned().ok_or_else(no_directory)?;
    let (failures, clock) = (Arc::clone(around.store) as _, Arc::clone(around.clock));
    let trigger = LdapTrigger::new(config, directory, failures, clock, attestor);
    Ok(LdapWay { trigger, shut_for: settings.throttle.shut_for() })
}
