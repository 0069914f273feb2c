//! Reading what is kept of leases, where a record cannot be read: it keeps nobody from the others.

use crate::{Account, AccountId, BackendError, Cursor, ErrorKind, Filter, LookupKey, Query, Store, TenantId};

/// Holds one page of the accounts that keep leases; `next` is `None` where nothing follows.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LeasePage {
    /// Those that could be read, in the order of their ids.
    pub items: Vec<Account>,
    /// Those whose records cannot be read: a person must look. They are as good as live.
    pub unreadable: Vec<AccountId>,
    /// Where to go on.
    pub next: Option<Cursor>,
}

/// Asks for the accounts that carry a key.
pub(super) fn bearing(tenant: &TenantId, key: LookupKey, limit: std::num::NonZeroUsize) -> Query {
    Query { tenant: tenant.clone(), filter: Filter::Bearing(key), after: None, limit }
}

/// Reads a page of those who carry a key. A store fails a page for one record that cannot be read: then each is read by
/// itself.
pub(super) async fn page_of(store: &dyn Store, query: &Query) -> Result<LeasePage, BackendError> {
    let error = match store.list(query).await {
        Ok(page) => return Ok(LeasePage { items: page.items, unreadable: Vec::new(), next: page.next }),
        Err(error) => error,
    };
    let Filter::Bearing(key) = &query.filter else { return Err(error) };
    if !is_corrupt(&error) {
        return Err(error);
    }
    let ids = store.bearers(&query.tenant, key, query.after, query.limit).await?;
    let mut page = LeasePage { items: Vec::new(), unreadable: Vec::new(), next: ids.next };
    for id in ids.items {
        match store.get(&query.tenant, id).await {
            Ok(found) => page.items.extend(found),
            Err(error) if is_corrupt(&error) => page.unreadable.push(id),
            Err(error) => return Err(error),
        }
    }
    Ok(page)
}

pub(super) fn is_corrupt(error: &BackendError) -> bool {
    *error.kind() == ErrorKind::Corrupt
}
