//! Letting requests in that their holders may make.

use chrono::{DateTime, Utc};

use super::{
    CheckOut,
    check_out::{LONG_GONE, answer_by},
};
use crate::{
    Account, AccountId, BackendError, Jit, JitError, Lease, RemoteRef, Standing, Store, TargetRole,
    TargetSetup, lease::account_for_key,
};

const KEY_BYTES: usize = 256;
const PURPOSE_BYTES: usize = 1024;
/// How often a request with one key begins: each time that came to nothing leaves a record.
const TURNS: u32 = 16;

/// A request that its holder may make.
pub(super) struct Admitted<'a> {
    pub(super) setup: &'a TargetSetup,
    pub(super) role: &'a TargetRole,
    pub(super) store: &'a dyn Store,
    pub(super) holder: Account,
    pub(super) id: AccountId,
    pub(super) until: DateTime<Utc>,
    pub(super) now: DateTime<Utc>,
}

impl Admitted<'_> {
    /// The lease of a remote account, of which nothing was done yet.
    pub(super) fn lease(&self, request: &CheckOut, remote: RemoteRef) -> Lease {
        let (target, role) = (self.setup.id.clone(), request.role.clone());
        Lease {
            entitlements: self.role.entitlements.clone(),
            latest: self.now.checked_add_signed(self.role.longest).unwrap_or(self.until),
            unanswered: Some(answer_by(self.setup, self.now)),
            privileged: self.role.privileged,
            purpose: request.purpose.clone(),
            ..Lease::intended(target, request.holder, role, remote, self.until)
        }
    }
}

impl Jit {
    /// Lets a request in that its holder may make.
    pub(super) async fn admitted<'a>(&'a self, request: &'a CheckOut) -> Result<Admitted<'a>, JitError> {
        let setup = self.setup_for(&request.tenant, &request.target)?;
        let role = setup.roles.get(&request.role).ok_or(JitError::refused("lease.unknown_role"))?;
        check_texts(request)?;
        self.check_time().await?;
        let now = self.parts.clock.now();
        self.check_circuit(setup).await?;
        let store = self.store_named(request.store.as_ref())?;
        let holder = store.get(&request.tenant, request.holder).await?;
        let holder = holder.ok_or(JitError::refused("lease.unknown_holder"))?;
        check_holder(&holder, role, now)?;
        let until = end_of(request, role, &holder, now)?;
        let id = match &request.key {
            Some(key) => account_for_key(&request.tenant, &request.target, holder.id, key, 0),
            None => self.mint(now).account(),
        };
        Ok(Admitted { setup, role, store, holder, id, until, now })
    }

    /// Lets a request with a key begin again, where the one before came to nothing: it goes by another id then. Tells whether
    /// it does.
    pub(super) async fn begins_again(
        &self,
        asked: &mut Admitted<'_>,
        request: &CheckOut,
        over: &JitError,
    ) -> Result<bool, JitError> {
        let JitError::Refused(code) = over else { return Ok(false) };
        let next = match code.as_str() {
            "lease.over" => {
                let found =
                    asked.store.get(&request.tenant, asked.id).await?.and_then(|account| account.lease);
                let begins = found.is_some_and(|lease| lease.came_to_nothing());
                turns_after(request, asked.id).next().filter(|_| begins)
            }
            LONG_GONE => known_after(asked.store, request, asked.id).await?,
            _ => None,
        };
        asked.id = next.unwrap_or(asked.id);
        Ok(next.is_some())
    }
}

/// The ids by which a request with a key goes after one, each when the one before came to nothing.
fn turns_after(request: &CheckOut, id: AccountId) -> impl Iterator<Item = AccountId> {
    let id_of =
        |key: &str, turn| account_for_key(&request.tenant, &request.target, request.holder, key, turn);
    let turns = request.key.iter().flat_map(move |key| (0..TURNS).map(move |turn| id_of(key, turn)));
    turns.skip_while(move |of| *of != id).skip(1)
}

/// The next id by which a request with a key goes of which something is known. Of those before nothing is known any longer but
/// that there were some; it would not be there without them.
pub(super) async fn known_after(
    store: &dyn Store,
    request: &CheckOut,
    id: AccountId,
) -> Result<Option<AccountId>, BackendError> {
    for next in turns_after(request, id) {
        if store.get(&request.tenant, next).await?.is_some_and(|account| account.lease.is_some()) {
            return Ok(Some(next));
        }
    }
    Ok(None)
}

impl Lease {
    /// Tells whether it was made for such a request.
    pub(super) fn is_of(&self, request: &CheckOut) -> bool {
        self.holder == request.holder && self.target == request.target && self.role == request.role
    }
}

fn check_texts(request: &CheckOut) -> Result<(), JitError> {
    // An empty key is a variable that nobody set: it would make one request of all.
    let is_key = |text: &String| (1..=KEY_BYTES).contains(&text.len());
    let is_sound = request.key.as_ref().is_none_or(is_key)
        && request.purpose.as_ref().is_none_or(|purpose| is_purpose(purpose));
    if is_sound { Ok(()) } else { Err(JitError::refused("lease.invalid")) }
}

/// Whoever reads it in a terminal must not be told what to do by it.
fn is_purpose(text: &str) -> bool {
    let is_plain = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    text.len() <= PURPOSE_BYTES && text.chars().all(is_plain)
}

/// Checks why somebody gives their word.
pub(super) fn check_reason(text: &str) -> Result<(), JitError> {
    let is_sound = !text.trim().is_empty() && is_purpose(text);
    if is_sound { Ok(()) } else { Err(JitError::refused("lease.invalid")) }
}

fn check_holder(holder: &Account, role: &TargetRole, now: DateTime<Utc>) -> Result<(), JitError> {
    // What is lent to somebody lends nothing in turn.
    if holder.standing(now) != Standing::Active || holder.is_remote() {
        return Err(JitError::refused("lease.holder_inactive"));
    }
    if role.admits(holder, now) { Ok(()) } else { Err(JitError::refused("lease.not_entitled")) }
}

fn end_of(
    request: &CheckOut,
    role: &TargetRole,
    holder: &Account,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, JitError> {
    let too_long = || JitError::refused("lease.too_long");
    if request.span <= chrono::TimeDelta::zero() || request.span > role.longest {
        return Err(too_long());
    }
    let end = now.checked_add_signed(request.span).ok_or_else(too_long)?;
    Ok(holder.ends_at.map_or(end, |last| last.min(end)))
}
