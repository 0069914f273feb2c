//! Records that a list reads one by one, and goes on where one cannot be read.

use jit_core::{Account, AccountId, BackendError, ErrorKind, Store, TenantId};

/// Says what is kept under an id.
pub(crate) enum Record {
    /// An account.
    Account(Box<Account>),
    /// Nothing.
    Missing,
    /// What this program cannot read.
    Unreadable,
}

impl Record {
    /// Reads what is kept under an id. Its failures are those of the store, but for `store.corrupt`.
    pub(crate) async fn read(
        store: &dyn Store,
        tenant: &TenantId,
        id: AccountId,
    ) -> Result<Self, BackendError> {
        match store.get(tenant, id).await {
            Ok(Some(account)) => Ok(Self::Account(Box::new(account))),
            Ok(None) => Ok(Self::Missing),
            Err(error) if *error.kind() == ErrorKind::Corrupt => Ok(Self::Unreadable),
            Err(error) => Err(error),
        }
    }

    /// The account, where there is one that can be read.
    pub(crate) fn account(self) -> Option<Account> {
        match self {
            Self::Account(account) => Some(*account),
            Self::Missing | Self::Unreadable => None,
        }
    }
}
