//! Asking whether an account of an outside system is one that leases made.

use std::{collections::HashSet, fmt, num::NonZeroUsize, sync::Arc};

use futures_util::future::try_join_all;

use crate::{BackendError, LookupKey, TenantId, UserStore};

/// How many questions are put at once.
const AT_ONCE: usize = 16;

/// Tells of accounts in outside systems whether a lease made them. Such an account is nobody who signs in there, and is read
/// from there as nobody, whatever it bears by now: its native id stays with the lease, also when that is over.
#[derive(Clone)]
pub struct LentAccounts {
    places: Vec<(TenantId, Arc<dyn UserStore>)>,
}

impl LentAccounts {
    /// Asks for the leases of a tenant in a user store.
    #[must_use]
    pub fn of(tenant: TenantId, store: Arc<dyn UserStore>) -> Self {
        Self { places: vec![(tenant, store)] }
    }

    /// Asks for those of another tenant, or in another user store, as well: name all whose targets lie in the same system.
    #[must_use]
    pub fn and_of(mut self, tenant: TenantId, store: Arc<dyn UserStore>) -> Self {
        self.places.push((tenant, store));
        self
    }

    /// Tells whether a lease made the account that its system calls by this id for good. One look into an index for each tenant
    /// and store; no record is read, so that one which cannot be read counts as well.
    ///
    /// # Errors
    /// `store.unavailable`.
    pub async fn has(&self, native: &str) -> Result<bool, BackendError> {
        let key = LookupKey::leased_as(native);
        for (tenant, store) in &self.places {
            if !store.bearers(tenant, &key, None, NonZeroUsize::MIN).await?.items.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Tells which of these ids are of accounts that a lease made.
    ///
    /// # Errors
    /// `store.unavailable`.
    pub async fn among(&self, natives: &[String]) -> Result<HashSet<String>, BackendError> {
        let mut lent = HashSet::new();
        for some in natives.chunks(AT_ONCE) {
            let answers = try_join_all(some.iter().map(|native| self.has(native))).await?;
            let found = some.iter().zip(answers).filter(|(_, is_lent)| *is_lent);
            lent.extend(found.map(|(native, _)| native.clone()));
        }
        Ok(lent)
    }
}

impl fmt::Debug for LentAccounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LentAccounts").field("places", &self.places.len()).finish()
    }
}
