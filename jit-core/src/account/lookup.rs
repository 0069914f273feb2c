//! Keys that lead to accounts and are no identities.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{AccountId, AttributeName, ConnectionId, EmailAddress, TargetId};

/// Finds accounts by something that is not their identity. Several accounts may share one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LookupKey {
    /// `email`, `leased_at`, `leased_for`, `leased_as`, `over_since`, `elevated_at`, `mirrored_at`, `parked_leave`,
    /// `parked_leaves`, or `attribute:` and the attribute's name.
    pub kind: String,
    /// The value, normalised for comparison.
    pub value: String,
}

/// The kind of keys that have an order.
const OVER_SINCE: &str = "over_since";

impl LookupKey {
    /// Looks for an e-mail address.
    #[must_use]
    pub fn email(address: &EmailAddress) -> Self {
        Self { kind: "email".into(), value: address.key().to_owned() }
    }

    /// Looks for the live leases at a target.
    #[must_use]
    pub fn leased_at(target: &TargetId) -> Self {
        Self { kind: "leased_at".into(), value: target.to_string() }
    }

    /// Looks for the live leases of a holder.
    #[must_use]
    pub fn leased_for(holder: AccountId) -> Self {
        Self { kind: "leased_for".into(), value: holder.to_string() }
    }

    /// Looks for the leases that made an account, by what its target calls it for good; also those that are over.
    #[must_use]
    pub fn leased_as(native: &str) -> Self {
        Self { kind: "leased_as".into(), value: native.to_owned() }
    }

    /// Looks for the leases that are over for good since exactly this instant, to the microsecond. Keys of this kind have an
    /// order, which [`UserStore::long_over`](crate::UserStore::long_over) reads.
    #[must_use]
    pub fn over_since(at: DateTime<Utc>) -> Self {
        Self { kind: OVER_SINCE.into(), value: at.timestamp_micros().to_string() }
    }

    /// The instant of a key that [`Self::over_since`] made; `None` for all others.
    #[must_use]
    pub fn over_instant(&self) -> Option<DateTime<Utc>> {
        if self.kind != OVER_SINCE {
            return None;
        }
        DateTime::from_timestamp_micros(self.value.parse().ok()?)
    }

    /// Looks for the accounts whose leave waits for an administrator.
    #[must_use]
    pub fn parked_leave(connection: &ConnectionId) -> Self {
        Self { kind: "parked_leave".into(), value: connection.to_string() }
    }

    /// Looks for the accounts of which a leave waits for an administrator, whatever connection it came over.
    #[must_use]
    pub fn parked_leaves() -> Self {
        Self { kind: "parked_leaves".into(), value: "any".into() }
    }

    /// Looks for the accounts of a target to which something is lent and that existed before.
    #[must_use]
    pub fn elevated_at(target: &TargetId) -> Self {
        Self { kind: "elevated_at".into(), value: target.to_string() }
    }

    /// Looks for the accounts that are mirrored to a target and may be there.
    #[must_use]
    pub fn mirrored_at(target: &TargetId) -> Self {
        Self { kind: "mirrored_at".into(), value: target.to_string() }
    }

    /// Looks for an attribute value, byte for byte.
    #[must_use]
    pub fn attribute(name: &AttributeName, value: &str) -> Self {
        Self { kind: format!("attribute:{name}"), value: value.to_owned() }
    }
}

impl fmt::Debug for LookupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LookupKey({} …)", self.kind)
    }
}
