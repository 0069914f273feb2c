//! Sign-ins that wait until an account is in a target.

use std::{collections::HashMap, sync::Arc};

use super::{Brought, Pass};
use crate::{
    Account, AccountId, BuildError, Connection, ConnectionId, Jit, JitError, MirrorState, Mirroring, Store,
    TargetSetup, TenantId, Wanted, wanted,
};

/// How often a task is brought that somebody else replaces meanwhile.
const ATTEMPTS: usize = 16;

/// Checks that people sign in over each connection that waits. An engine that does not know the connections of all tenants of
/// a target cannot tell; nor can one that knows only those that provision, where the others are another process's.
///
/// # Errors
/// [`BuildError::UnknownWaiter`], [`BuildError::WaiterProvisions`].
pub(in crate::engine) fn check_waiters<'a>(
    targets: impl Iterator<Item = &'a TargetSetup>,
    connections: &HashMap<(TenantId, ConnectionId), Connection>,
) -> Result<(), BuildError> {
    for setup in targets {
        let is_served = |tenant: &TenantId| connections.keys().any(|(own, _)| own == tenant);
        if setup.tenants.is_empty() || !setup.tenants.iter().all(is_served) {
            continue;
        }
        for id in setup.mirroring.iter().flat_map(|mirroring| &mirroring.waits) {
            let named =
                setup.tenants.iter().filter_map(|tenant| connections.get(&(tenant.clone(), id.clone())));
            let provisions: Vec<_> = named.map(|connection| connection.provisioning.is_some()).collect();
            let signs_in = |tenant: &TenantId| {
                connections.iter().any(|((own, _), known)| own == tenant && known.provisioning.is_none())
            };
            if provisions.is_empty() && setup.tenants.iter().all(signs_in) {
                return Err(BuildError::UnknownWaiter(setup.id.clone(), id.clone()));
            }
            if !provisions.is_empty() && provisions.iter().all(|provisions| *provisions) {
                return Err(BuildError::WaiterProvisions(setup.id.clone(), id.clone()));
            }
        }
    }
    Ok(())
}

impl Jit {
    /// Brings at once what a sign-in over this connection waits for.
    ///
    /// # Errors
    /// `target.…`, `store.…`: the person is known here and not there; signing in again tries again. `mirror.not_there`
    /// where the target refused them, or too many are stopped there; `target.quarantined` at once where it fails nearly
    /// everybody; `engine.contended` where somebody else changes them without end.
    pub(in crate::engine) async fn waited_for(
        &self,
        connection: &Connection,
        account: Arc<Account>,
    ) -> Result<Arc<Account>, JitError> {
        let waits: Vec<_> =
            self.parts.targets.values().filter(|setup| self.waits_for(connection, setup)).collect();
        if waits.is_empty() {
            return Ok(account);
        }
        // Few wait, and those who do not should not carry the room for it.
        Box::pin(self.bring_waited_for(connection, waits, account)).await
    }

    fn waits_for(&self, connection: &Connection, setup: &TargetSetup) -> bool {
        let Connection { settings, .. } = connection;
        let mirroring = setup.mirrored_for(&settings.tenant);
        mirroring.is_some_and(|mirroring| self.is_waited_for(mirroring, &settings.tenant, &settings.id))
    }

    async fn bring_waited_for(
        &self,
        connection: &Connection,
        waits: Vec<&TargetSetup>,
        mut account: Arc<Account>,
    ) -> Result<Arc<Account>, JitError> {
        let (store, tenant, id) = (self.store_of(connection), account.tenant.clone(), account.id);
        for setup in waits {
            // Another process brought them, and the round that would find out is still to come.
            if account.mirror(&setup.id).is_none() && self.is_newcomer(setup, &account) {
                self.mark_newcomer(store, setup, (&tenant, id), None).await?;
                account = Arc::new(self.there(store, &tenant, id).await?);
            }
            account = self.bring_what_is_due(store, setup, account).await?;
            if self.is_kept_out(setup, &account) {
                return Err(JitError::refused("mirror.not_there"));
            }
        }
        Ok(account)
    }

    /// Brings what is due for an account. Whoever else changes it meanwhile may replace its task, and then that one is brought:
    /// what it was about stands there or it does not, whichever task it is. Whoever is refused is asked for once.
    async fn bring_what_is_due(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
        mut account: Arc<Account>,
    ) -> Result<Arc<Account>, JitError> {
        let (tenant, id) = (account.tenant.clone(), account.id);
        for _ in 0..ATTEMPTS {
            let Some(task) = account.mirror(&setup.id).and_then(|mirror| mirror.task) else {
                return Ok(account);
            };
            let asked = self.wanted_there(setup, &account);
            let brought = self.bring(store, setup, (&tenant, id), task, Pass::Usual).await?;
            account = Arc::new(self.there(store, &tenant, id).await?);
            match brought {
                Brought::Held => return Err(self.quarantined(setup).into()),
                // The task that is left asks again once an earlier call can do nothing any more. Until then the answer is
                // known.
                Brought::Moved
                    if is_refused_for_now(setup, &account) && self.wanted_there(setup, &account) == asked =>
                {
                    return Ok(account);
                }
                // What takes access may have to wait: it is about nobody who is to be in use there.
                Brought::Moved | Brought::Later(_) if !self.is_kept_out(setup, &account) => {
                    return Ok(account);
                }
                Brought::Done | Brought::Moved | Brought::Later(_) => {}
            }
        }
        Err(JitError::refused("engine.contended"))
    }

    async fn there(&self, store: &dyn Store, tenant: &TenantId, id: AccountId) -> Result<Account, JitError> {
        store.get(tenant, id).await?.ok_or(JitError::refused("mirror.not_there"))
    }

    /// Tells whether sign-ins over this connection wait. One that provisions never does, though another tenant's of the same
    /// id may.
    pub(super) fn is_waited_for(&self, mirroring: &Mirroring, tenant: &TenantId, id: &ConnectionId) -> bool {
        mirroring.waits.contains(id)
            && self.connection(tenant, id).is_some_and(|connection| connection.provisioning.is_none())
    }

    /// Tells whether somebody is to be in use there who is not: the target refused them, or they were not brought yet.
    fn is_kept_out(&self, setup: &TargetSetup, account: &Account) -> bool {
        let Some(mirroring) = setup.mirrored_for(&account.tenant) else { return false };
        let Some(mirror) = account.mirror(&setup.id) else { return false };
        let next = wanted(account, mirroring, Some(mirror), self.parts.clock.work());
        mirror.state != MirrorState::Present && matches!(&next, Wanted::There(mirrored) if mirrored.active)
    }

    /// Names how they are to stand there, to compare it with how they were to stand before.
    fn wanted_there(&self, setup: &TargetSetup, account: &Account) -> Option<String> {
        let mirroring = setup.mirrored_for(&account.tenant)?;
        Some(wanted(account, mirroring, account.mirror(&setup.id), self.parts.clock.work()).digest())
    }
}

/// Tells whether the target refused somebody while an earlier call may still take effect.
fn is_refused_for_now(setup: &TargetSetup, account: &Account) -> bool {
    let mirror = account.mirror(&setup.id);
    mirror.is_some_and(|mirror| {
        matches!(mirror.state, MirrorState::Refused { .. }) && mirror.unanswered.is_some()
    })
}
