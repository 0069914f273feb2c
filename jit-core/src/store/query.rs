//! Reading in pages.

use std::num::NonZeroUsize;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Account, AccountId, Entitlement, EventId, LookupKey, TenantId};

/// Tells how many accounts carry a lookup key. Several are never narrowed to one.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "whoever links decides all three")]
pub enum Matches {
    /// None.
    None,
    /// Exactly this one.
    One(Box<Account>),
    /// More than one.
    Several,
}

/// Asks for accounts of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The tenant.
    pub tenant: TenantId,
    /// Which accounts.
    pub filter: Filter,
    /// Where the last page ended.
    pub after: Option<Cursor>,
    /// The most that a page may hold; never more than [`PAGE_ITEMS`], whatever it says.
    pub limit: NonZeroUsize,
}

/// The most items that one call returns, whatever limit it names.
pub const PAGE_ITEMS: usize = 1_000;

/// Selects accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Filter {
    /// All.
    All,
    /// Those in a state, by its word.
    State(&'static str),
    /// Those that hold an entitlement, in force or not.
    Holding(Entitlement),
    /// Those that carry a lookup key.
    Bearing(LookupKey),
}

/// Marks where a page ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(Uuid);

impl Cursor {
    /// Marks the place after an id.
    #[must_use]
    pub const fn after(id: Uuid) -> Self {
        Self(id)
    }

    /// The id that the page ended with.
    #[must_use]
    pub const fn id(self) -> Uuid {
        self.0
    }
}

/// Names an account that is over for good, and since when; ordered by that, then by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_structs, reason = "backends build it, and it is where to go on from")]
pub struct Over {
    /// Since when, to the microsecond.
    pub since: DateTime<Utc>,
    /// The account.
    pub account: AccountId,
}

/// Holds one page; `next` is `None` where nothing follows.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The items, in order.
    pub items: Vec<T>,
    /// Where to go on.
    pub next: Option<Cursor>,
}

/// Asks for audit events of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditQuery {
    /// The tenant.
    pub tenant: TenantId,
    /// Those of one account, or all.
    pub account: Option<AccountId>,
    /// Where the last page ended.
    pub after: Option<Cursor>,
    /// Latest first instead of earliest first.
    pub latest_first: bool,
    /// The most that a page may hold.
    pub limit: NonZeroUsize,
}

/// Names an event and the account that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct About {
    /// The event.
    pub event: EventId,
    /// The account, where it is about one.
    pub account: Option<AccountId>,
}
