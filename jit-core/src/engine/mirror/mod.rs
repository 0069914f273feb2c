//! Mirroring accounts to other systems: what changes here is marked in the commit that changes it, and brought there by
//! tasks, or at once where a sign-in waits for it.

mod bring;
mod drift;
mod learned;
mod mark;
mod newcomers;
mod quarantine;
mod rounds;
mod stops;
mod wait;

pub(super) use bring::{Brought, not_before};
pub(super) use quarantine::Pass;
pub use quarantine::TargetQuarantine;
pub use rounds::{DriftRound, DriftRounds};
pub(super) use wait::check_waiters;

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroUsize,
};

use chrono::{DateTime, Utc};

use crate::{
    Account, AccountId, AccountWrite, Actor, AuditEvent, AuditOutcome, Code, Commit, Cursor, Desired,
    DesiredState, ErrorKind, EventId, Filter, Jit, JitError, Lane, Mirror, MirrorState, Mirrored, Page,
    Query, RemoteRef, Store, StoreId, TargetId, TargetSetup, TenantId, Wanted, wanted,
};

/// Tells what would be brought to a target for one account.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MirrorForecast {
    /// The account.
    pub account: AccountId,
    /// How it is to stand there.
    pub wanted: Wanted,
    /// Whether that differs from what was brought there last.
    pub differs: bool,
}

/// How often an account is marked anew when it changes meanwhile.
const ATTEMPTS: usize = 16;

impl Jit {
    /// Tells for a page of accounts how they are to stand in a target. Asks the target nothing, and writes nothing: a dry
    /// run for a configuration that is new.
    ///
    /// # Errors
    /// `mirror.unknown_target`, `engine.unknown_store`; [`JitError::Backend`].
    pub async fn forecast_mirror(
        &self,
        store: Option<&StoreId>,
        tenant: &TenantId,
        target: &TargetId,
        after: Option<Cursor>,
        limit: NonZeroUsize,
    ) -> Result<Page<MirrorForecast>, JitError> {
        let (store, setup) = (self.store_named(store)?, self.mirror_setup(tenant, target)?);
        let now = self.parts.clock.now();
        let query = Query { tenant: tenant.clone(), filter: Filter::All, after, limit };
        let page = store.list(&query).await?;
        let forecast = |account: Account| {
            let there = account.mirror(target);
            let wanted = wanted(&account, setup.mirrored_for(tenant)?, there, now);
            let last = there.and_then(|there| there.asked.clone());
            let differs = last.map_or(wanted != Wanted::Nothing, |last| last != wanted.digest());
            Some(MirrorForecast { account: account.id, wanted, differs })
        };
        Ok(Page { items: page.items.into_iter().filter_map(forecast).collect(), next: page.next })
    }

    /// Has a page of accounts brought to a target anew, whether or not they changed: for a target that is new, or that
    /// others may have changed. Tells how many were marked, and where the next page begins.
    ///
    /// # Errors
    /// `mirror.unknown_target`, `engine.unknown_store`; `engine.contended` when an account changed under every attempt;
    /// [`JitError::Backend`].
    ///
    /// # Cancel safety
    /// Some of the accounts may have been marked; marking them again does no harm.
    pub async fn mirror_anew(
        &self,
        store: Option<&StoreId>,
        tenant: &TenantId,
        target: &TargetId,
        after: Option<Cursor>,
        limit: NonZeroUsize,
    ) -> Result<(usize, Option<Cursor>), JitError> {
        let (store, setup) = (self.store_named(store)?, self.mirror_setup(tenant, target)?);
        let query = Query { tenant: tenant.clone(), filter: Filter::All, after, limit };
        let page = store.list(&query).await?;
        let mut marked = 0;
        for account in page.items {
            marked += usize::from(self.mark_anew(store, setup, account, None).await?);
        }
        Ok((marked, page.next))
    }

    /// Lets go of the id that a target gave an account, after a person has looked at why the target refuses it, such as one that
    /// is no longer there: it is looked for by its mark, and made anew where that finds nothing.
    ///
    /// # Errors
    /// `mirror.unknown_target`, `engine.unknown_store`, `account.unknown`; `mirror.not_refused` where the target did not refuse
    /// the account; `engine.contended` when it changed under every attempt; [`JitError::Backend`].
    ///
    /// # Cancel safety
    /// It was let go of or not; looking at the audit trail tells.
    pub async fn let_go_of_mirrored(
        &self,
        store: Option<&StoreId>,
        tenant: &TenantId,
        target: &TargetId,
        account: AccountId,
        by: &str,
    ) -> Result<(), JitError> {
        let (store, setup) = (self.store_named(store)?, self.mirror_setup(tenant, target)?);
        let found = store.get(tenant, account).await?.ok_or(JitError::refused("account.unknown"))?;
        let is_let_go = is_refused(&found, setup) && self.mark_anew(store, setup, found, Some(by)).await?;
        if is_let_go { Ok(()) } else { Err(JitError::refused("mirror.not_refused")) }
    }

    /// Marks one account; `false` where nothing of it is to be there, or it is gone, or it is to be let go of and is not refused
    /// by now. Who lets go of its id is named.
    async fn mark_anew(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
        account: Account,
        lets_go: Option<&str>,
    ) -> Result<bool, JitError> {
        let (tenant, id) = (account.tenant.clone(), account.id);
        let mut found = Some(account);
        for _ in 0..ATTEMPTS {
            let (Some(before), Some(mirroring)) = (found, setup.mirrored_for(&tenant)) else {
                return Ok(false);
            };
            let now = self.parts.clock.now();
            let there = before.mirror(&setup.id);
            let wanted = wanted(&before, mirroring, there, now);
            if wanted == Wanted::Nothing || lets_go.is_some() && !is_refused(&before, setup) {
                return Ok(false);
            }
            let takes = mark::takes(&wanted, there);
            let (mut after, mut commit) = (before.clone(), Commit::new(tenant.clone()));
            for mirror in after.mirrors.iter_mut().filter(|mirror| mirror.target == setup.id) {
                mirror.confirmed = None;
                if lets_go.is_some() {
                    (mirror.native, mirror.state) = (None, MirrorState::Waiting);
                }
            }
            let next = mark::Next { due: self.parts.clock.work(), is_change: true, takes };
            let mut mint = self.mint(now);
            mark::mark(&mut commit, &mut after, setup, next, &mut mint);
            commit.events.extend(lets_go.map(|by| let_go(mint.event(), now, &after, setup, by)));
            after.updated_at = now;
            commit.account = Some(AccountWrite::update(&before, after));
            match store.commit(&commit).await {
                Ok(()) => return Ok(true),
                Err(error) if *error.kind() == ErrorKind::Conflict => found = store.get(&tenant, id).await?,
                Err(error) => return Err(error.into()),
            }
        }
        Err(JitError::refused("engine.contended"))
    }

    fn mirror_setup(&self, tenant: &TenantId, target: &TargetId) -> Result<&TargetSetup, JitError> {
        let setup = self.parts.targets.get(target).filter(|setup| setup.mirrored_for(tenant).is_some());
        setup.ok_or(JitError::refused("mirror.unknown_target"))
    }
}

fn is_refused(account: &Account, setup: &TargetSetup) -> bool {
    account.mirror(&setup.id).is_some_and(|mirror| matches!(mirror.state, MirrorState::Refused { .. }))
}

fn let_go(id: EventId, at: DateTime<Utc>, account: &Account, setup: &TargetSetup, by: &str) -> AuditEvent {
    AuditEvent {
        id,
        at,
        tenant: account.tenant.clone(),
        actor: Actor::Administrator { name: by.to_owned() },
        action: Code::new("mirror.let_go"),
        account: Some(account.id),
        outcome: AuditOutcome::Done,
        rule: None,
        changes: vec![format!("at {}", setup.id)],
    }
}

/// The lanes of what is brought to a target: what takes access there, and the rest. The name of a target is short enough.
pub(super) fn lanes_of(target: &TargetId) -> [Option<Lane>; 2] {
    ["ends", "mirror"].map(|which| Lane::new(format!("target:{target}:{which}")).ok())
}

/// Out of use, without what we gave; the rest stays as it is.
fn stopped(mirror: &Mirror) -> Mirrored {
    Mirrored {
        active: false,
        user_name: mirror.name.clone(),
        display_name: None,
        email: None,
        attributes: BTreeMap::new(),
        entitlements: BTreeSet::new(),
        held: mirror.held.clone(),
        doubtful: mirror.doubtful.clone(),
        ids: mirror.ids.clone(),
        confirmed: mirror.confirmed.clone(),
    }
}

/// What a target is asked for; `None` where nothing is to be asked.
fn desired(setup: &TargetSetup, account: &Account, mirror: &Mirror, wanted: &Wanted) -> Option<Desired> {
    let state = match wanted {
        Wanted::Nothing => return None,
        Wanted::Gone => DesiredState::Absent { given: None },
        Wanted::Stopped => DesiredState::Mirrored(Box::new(stopped(mirror))),
        Wanted::There(mirrored) => {
            let (doubtful, confirmed) = (mirror.doubtful.clone(), mirror.confirmed.clone());
            DesiredState::Mirrored(Box::new(Mirrored { doubtful, confirmed, ..mirrored.as_ref().clone() }))
        }
    };
    let name = match wanted {
        // Until its id is known it is looked for by the name that it is to bear.
        Wanted::There(mirrored) if mirror.native.is_none() => mirrored.user_name.clone(),
        _ => mirror.name.clone(),
    };
    let marker = setup.markers.mark(&account.tenant, account.id);
    Some(Desired {
        remote: RemoteRef { name, place: None, marker, native: mirror.native.clone(), home: None },
        state,
    })
}
