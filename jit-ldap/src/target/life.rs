//! Lives of dynamic entries (RFC 2589): the server removes an entry at the end of its life, whoever else is there.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::attribute::AttributeName;
use crate::connection::{Connection, ServerFeatures};
use crate::dn::Dn;
use crate::entry::Entry;
use crate::error::LdapError;
use crate::reason::Reason;
use crate::time::read_generalized;

/// The class of entries that have a life.
pub(super) const CLASS: &str = "dynamicObject";

/// The attributes by which a server says how long an entry lives.
pub(super) const fn attributes() -> [AttributeName; 2] {
    [AttributeName::ENTRY_TTL, AttributeName::ENTRY_EXPIRE_TIMESTAMP]
}

/// Tells whether a server offers dynamic entries here (RFC 2589 §7). That it takes their class says nothing.
pub(super) fn is_offered(features: &ServerFeatures, base: &Dn) -> bool {
    features.dynamic_subtrees().any(|subtree| base.is_within(&subtree))
}

/// The server's own time when it returned an entry: it says when the life ends, and in how long. `None` when the entry has
/// no life.
pub(super) fn server_time(entry: &Entry) -> Option<DateTime<Utc>> {
    let left = entry.text(&AttributeName::ENTRY_TTL)?.parse::<u32>().ok()?;
    end(entry)?.checked_sub_signed(TimeDelta::seconds(i64::from(left)))
}

/// When the life of an entry ends; `None` when it has none.
pub(super) fn end(entry: &Entry) -> Option<DateTime<Utc>> {
    read_generalized(entry.value(&AttributeName::ENTRY_EXPIRE_TIMESTAMP)?).ok()
}

/// Gives an entry the life that it shall have: it is there until its end, to the second, and removed after it.
pub(super) async fn prolong(
    connection: &mut Connection,
    dn: &Dn,
    now: DateTime<Utc>,
    ends_at: DateTime<Utc>,
) -> Result<(), LdapError> {
    let life = life(now, ends_at);
    let given = connection.refresh(dn, life).await?;
    // an account that goes early is none that was asked for
    if given < life { Err(Reason::AdminLimit.into()) } else { Ok(()) }
}

fn life(now: DateTime<Utc>, ends_at: DateTime<Utc>) -> Duration {
    let left = (ends_at - now).to_std().unwrap_or_default();
    let whole = left.as_secs() + u64::from(left.subsec_nanos() > 0);
    Duration::from_secs(whole.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_is_whole_seconds_and_never_none() {
        let at = |text: &str| text.parse().unwrap();
        let now = at("2027-01-15T08:00:00Z");
        for (ends_at, seconds) in [
            ("2027-01-15T08:30:00Z", 1800),
            ("2027-01-15T08:29:59.5Z", 1800),
            ("2027-01-15T08:00:00Z", 1),
            ("2027-01-15T07:00:00Z", 1),
        ] {
            assert_eq!(life(now, at(ends_at)), Duration::from_secs(seconds), "{ends_at}");
        }
    }
}
