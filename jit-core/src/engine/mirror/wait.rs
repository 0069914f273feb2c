//! Sign-ins that wait until an account is in a target.

use std::sync::Arc;

use super::{Brought, Pass};
use crate::{Account, Connection, Jit, JitError, MirrorState, TargetSetup, Wanted, wanted};

impl Jit {
    /// Brings at once what a sign-in over this connection waits for.
    ///
    /// # Errors
    /// `target.…`, `store.…`: the person is known here and not there; signing in again tries again. `mirror.not_there`
    /// where the target refused them, or too many are stopped there; `target.quarantined` at once where it fails nearly
    /// everybody.
    pub(in crate::engine) async fn waited_for(
        &self,
        connection: &Connection,
        account: Arc<Account>,
    ) -> Result<Arc<Account>, JitError> {
        if account.mirrors.is_empty() {
            return Ok(account);
        }
        // Few wait, and those who do not should not carry the room for it.
        Box::pin(self.bring_waited_for(connection, account)).await
    }

    async fn bring_waited_for(
        &self,
        connection: &Connection,
        account: Arc<Account>,
    ) -> Result<Arc<Account>, JitError> {
        let mut waits = Vec::new();
        for mirror in &account.mirrors {
            let Some(setup) = self.parts.targets.get(&mirror.target) else { continue };
            let Some(mirroring) = setup.mirrored_for(&account.tenant) else { continue };
            if mirroring.waits.contains(&connection.settings.id) {
                waits.push((setup, mirror.task));
            }
        }
        if waits.is_empty() {
            return Ok(account);
        }
        let (store, tenant, id) = (self.store_of(connection), account.tenant.clone(), account.id);
        for (setup, task) in waits {
            if let Some(task) = task
                && let Brought::Held = self.bring(store, setup, (&tenant, id), task, Pass::Usual).await?
            {
                return Err(self.quarantined(setup).into());
            }
            let account = store.get(&tenant, id).await?.ok_or(JitError::refused("mirror.not_there"))?;
            if self.is_kept_out(setup, &account) {
                return Err(JitError::refused("mirror.not_there"));
            }
        }
        Ok(store.get(&tenant, id).await?.map_or(account, Arc::new))
    }

    /// Tells whether the target refused somebody who is to be in use there.
    fn is_kept_out(&self, setup: &TargetSetup, account: &Account) -> bool {
        let Some(mirroring) = setup.mirrored_for(&account.tenant) else { return false };
        let mirror = account.mirror(&setup.id);
        let is_refused = mirror.is_some_and(|mirror| matches!(mirror.state, MirrorState::Refused { .. }));
        let next = wanted(account, mirroring, mirror, self.parts.clock.work());
        is_refused && matches!(&next, Wanted::There(mirrored) if mirrored.active)
    }
}
