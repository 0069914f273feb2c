//! Accounts that are removed because nobody needs them any longer.

use serde::{Deserialize, Serialize};

use crate::{Account, AccountId, Lease, LookupKey, TenantId};

/// Names an account that is to be removed, as it was read. Only one that is over for good makes one
/// ([`Account::over_since`]): fields are private so that nothing else can be forgotten.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forgotten {
    tenant: TenantId,
    account: AccountId,
    version: u64,
    key: LookupKey,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    made: Option<LookupKey>,
}

impl Forgotten {
    /// Names an account that is over for good; `None` where it must stay.
    #[must_use]
    pub fn of(account: &Account) -> Option<Self> {
        let key = LookupKey::over_since(account.over_since()?);
        let made = account.lease.as_deref().and_then(Lease::made).map(LookupKey::leased_as);
        Some(Self {
            tenant: account.tenant.clone(),
            account: account.id,
            version: account.version,
            key,
            made,
        })
    }

    /// Its tenant.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// Its id, which stays taken.
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// The version that must be stored.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The lookup key that goes with it: since when it is over.
    #[must_use]
    pub fn key(&self) -> &LookupKey {
        &self.key
    }

    /// The lookup key that stays, and the only other one that it has: what its lease made. Whoever bears that id in its target
    /// is nobody who signs in or is imported, also when nothing else is known of the lease.
    #[must_use]
    pub fn made(&self) -> Option<&LookupKey> {
        self.made.as_ref()
    }
}
