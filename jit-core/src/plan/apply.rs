//! Carrying a plan out on an account, in memory: what the commit writes.

use chrono::{DateTime, Utc};

use super::{Change, Plan};
use crate::{Account, AccountState, HeldRecord, LinkProof, LinkedIdentity, Source, TenantId};

impl Plan {
    /// Makes the account as it will be. `before` is `None` for a plan that creates.
    ///
    /// The version goes up by one if anything changes, so that an empty plan leaves the account as it is.
    #[must_use]
    pub fn apply(&self, before: Option<&Account>, tenant: &TenantId, now: DateTime<Utc>) -> Account {
        let fresh = || Account {
            version: 0,
            ..Account::begin(self.account, tenant.clone(), AccountState::Invited, now)
        };
        let mut account = before.cloned().unwrap_or_else(fresh);
        if self.is_empty() {
            return account;
        }
        for planned in &self.changes {
            apply_change(&mut account, &planned.change, now);
        }
        account.version = account.version.saturating_add(1);
        account.updated_at = now;
        account
    }
}

fn apply_change(account: &mut Account, change: &Change, now: DateTime<Utc>) {
    match change {
        Change::Create { state } | Change::SetState(state) => {
            account.state = state.clone();
            if *state == AccountState::Active {
                account.activated_at.get_or_insert(now);
            }
        }
        Change::Link { .. } | Change::Unlink(_) => apply_to_identities(account, change, now),
        Change::Give(_) | Change::MoveEnd { .. } | Change::Withdraw { .. } => {
            apply_to_grants(account, change);
        }
        Change::SetUserName(name) => account.user_name = Some(name.clone()),
        Change::SetEmail(email) => account.email = Some(email.clone()),
        Change::ClearEmail => account.email = None,
        Change::ClearUserName => account.user_name = None,
        Change::SetAttribute { name, values } if values.is_empty() => {
            account.attributes.remove(name);
        }
        Change::SetAttribute { name, values } => {
            account.attributes.insert(name.clone(), values.clone());
        }
        Change::SetBegin(_) | Change::SetEnd { .. } | Change::SetIdleLimit(_) => {
            apply_to_bounds(account, change, now);
        }
        Change::SetRecord(record) => {
            account.records.retain(|held| held.key != record.key);
            account.records.push(HeldRecord::clone(record));
        }
        Change::Consent(terms) => {
            account.consents.insert(terms.clone(), now);
        }
        Change::ForgetConsents => account.consents.clear(),
        Change::EndCredentials => account.credential_epoch = account.credential_epoch.saturating_add(1),
    }
}

/// The changes of identities.
fn apply_to_identities(account: &mut Account, change: &Change, now: DateTime<Utc>) {
    match change {
        Change::Link { key, proof } => {
            account.identities.push(LinkedIdentity { key: key.clone(), linked_at: now, proof: *proof });
            // Only a sign-in is a use.
            if !matches!(proof, LinkProof::FirstRecord | LinkProof::SameSource) {
                account.last_seen = Some(now);
            }
            account.let_back_in(key);
        }
        Change::Unlink(key) => {
            account.identities.retain(|identity| identity.key != *key);
            account.remember_cut_off(key);
        }
        _ => {}
    }
}

/// The changes of when an account begins and ends.
fn apply_to_bounds(account: &mut Account, change: &Change, now: DateTime<Utc>) {
    match change {
        Change::SetBegin(begin) => account.begins_at = *begin,
        Change::SetEnd { at, by } => {
            account.admin_end =
                if *by == Source::Administrator { *at } else { account.end_of_administrator() };
            account.ends_at = *at;
            account.end_set_by = Some(by.clone());
        }
        Change::SetIdleLimit(limit) => {
            // Disuse counts from here: what came before the limit was not known exactly.
            account.idle_limit = *limit;
            account.last_seen = Some(now);
        }
        _ => {}
    }
}

/// The changes of grants.
fn apply_to_grants(account: &mut Account, change: &Change) {
    match change {
        Change::Give(grant) => account.grants.push(grant.clone()),
        Change::MoveEnd { grant, ends_at, .. } => {
            for held in account.grants.iter_mut().filter(|held| held.id == *grant) {
                held.ends_at = *ends_at;
            }
        }
        Change::Withdraw { grant, .. } => account.grants.retain(|held| held.id != *grant),
        _ => {}
    }
}
