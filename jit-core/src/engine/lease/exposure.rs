//! Telling what is left of a lease if nobody of ours ever runs again.

use super::{super::Jit, bearing::is_corrupt};
use crate::{Account, BackendError, Exposure, JitError, Lease, Store, StoreId};

impl Jit {
    /// Tells who ends what the lease of an account lends if nobody of ours ever runs again, and when at the latest; `None` where
    /// the account keeps no lease. It is what the target said when the lease was made or extended, whatever the target could
    /// do by now, and also where the target is not configured any longer. What nobody said, or cannot be read, counts as
    /// nothing.
    ///
    /// # Errors
    /// `engine.unknown_store`; [`JitError::Backend`].
    pub async fn exposure(
        &self,
        store: Option<&StoreId>,
        account: &Account,
    ) -> Result<Option<Exposure>, JitError> {
        let Some(lease) = account.lease.as_deref() else { return Ok(None) };
        Ok(Some(self.exposure_of(self.store_named(store)?, account, lease).await?))
    }

    /// The same of what was lent a moment ago: it stands, whether that can be looked up or not.
    pub(super) async fn exposure_now(&self, store: &dyn Store, account: &Account, lease: &Lease) -> Exposure {
        self.exposure_of(store, account, lease).await.unwrap_or(Exposure::UNKNOWN)
    }

    async fn exposure_of(
        &self,
        store: &dyn Store,
        account: &Account,
        lease: &Lease,
    ) -> Result<Exposure, BackendError> {
        let lent = match lease.elevates {
            Some(keeper) => match store.get(&account.tenant, keeper).await {
                Err(error) if is_corrupt(&error) => None,
                kept => kept?.and_then(|kept| kept.elevation),
            },
            None => None,
        };
        Ok(lease.exposure(account.id, lent.as_deref()))
    }
}
