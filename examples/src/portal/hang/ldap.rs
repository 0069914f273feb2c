use std::collections::BTreeSet;
use std::sync::Arc;

use jit_core::{Attestor, LentAccounts, StoreId, UserStore};
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
    let trigger = LdapTrigger::new(config, directory, failures, lent(door, around), clock, attestor);
    Ok(LdapWay { trigger, shut_for: settings.throttle.shut_for() })
}

/// Everything that is lent to whoever has an account here: any of it may lie in this directory.
fn lent(door: &DoorSettings, around: &Around<'_>) -> LentAccounts {
    let own = (&door.tenant, door.store.as_ref());
    let doors = around.settings.connection.iter().map(|door| (&door.tenant, door.store.as_ref()));
    let targets = around.targets.iter().flat_map(|target| &target.tenants).map(|tenant| (tenant, None));
    let others: BTreeSet<_> = doors.chain(targets).filter(|place| *place != own).collect();
    let lent = LentAccounts::of(door.tenant.clone(), store_of(own.1, around));
    others
        .into_iter()
        .fold(lent, |lent, (tenant, store)| lent.and_of(tenant.clone(), store_of(store, around)))
}

fn store_of(name: Option<&StoreId>, around: &Around<'_>) -> Arc<dyn UserStore> {
    let shelf = around.shelves.iter().find(|shelf| shelf.name.as_ref() == name);
    Arc::clone(shelf.map_or(around.store, |shelf| &shelf.store)) as _
}
