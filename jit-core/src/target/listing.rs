//! What a target shows of what is in it.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::RemoteRef;
use crate::Code;

/// Continues a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListCursor(Vec<u8>);

impl ListCursor {
    /// Keeps a place in a listing, as the implementation understands it.
    #[must_use]
    pub fn new(place: Vec<u8>) -> Self {
        Self(place)
    }

    /// The place.
    #[must_use]
    pub fn place(&self) -> &[u8] {
        &self.0
    }
}

/// Holds one page of a listing. A partial one says nothing of what it does not name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete and partial must never be confused")]
pub enum Listing {
    /// More follows.
    More(Vec<Listed>, ListCursor),
    /// The last page: the listing is whole.
    Complete(Vec<Listed>),
    /// The last page of a listing that is not whole, for this reason.
    Partial(Vec<Listed>, Code),
}

/// Shows one remote account of a listing: which one, and how it is, as far as the system tells.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "an implementation answers for each")]
pub struct Listed {
    /// Which one.
    pub remote: RemoteRef,
    /// What its place is called besides, where several names stand for that.
    pub also_in: BTreeSet<String>,
    /// Whether it can be used; `None` where that is not told.
    pub enabled: Option<bool>,
    /// From when on the system itself ends it.
    pub end: ShownEnd,
    /// What it holds of all that the system can be asked to give, by the system's own names; `None` where that is not told.
    pub entitlements: Option<BTreeSet<String>>,
}

impl Listed {
    /// Names a remote account, and tells nothing else of it.
    #[must_use]
    pub fn named(remote: RemoteRef) -> Self {
        Self { remote, also_in: BTreeSet::new(), enabled: None, end: ShownEnd::Untold, entitlements: None }
    }
}

/// Says from when on a system itself ends a remote account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "no end and none that is told must never be confused")]
pub enum ShownEnd {
    /// That is not told.
    Untold,
    /// Never.
    Never,
    /// From this instant on.
    At(DateTime<Utc>),
}
