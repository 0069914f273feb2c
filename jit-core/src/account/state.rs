//! Whether an account may be used.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Account;
use crate::Code;

/// Says whether an account may be used. No sign-in leaves any state but `Invited`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "whoever lets people in decides every state")]
pub enum AccountState {
    /// Made ahead for somebody who has not come yet.
    Invited,
    /// Waits for an approval; holds nothing that takes effect.
    Pending {
        /// Since when.
        #[serde(with = "crate::instant")]
        since: DateTime<Utc>,
    },
    /// In use.
    Active,
    /// Stopped for a while, to be resumed by an explicit act.
    Suspended {
        /// Why, as a code.
        reason: Code,
        /// Since when.
        #[serde(with = "crate::instant")]
        since: DateTime<Utc>,
    },
    /// Stopped until an explicit reactivation.
    Disabled {
        /// Why, as a code.
        reason: Code,
        /// Since when.
        #[serde(with = "crate::instant")]
        since: DateTime<Utc>,
    },
    /// Over: a tombstone that keeps keys and names so that nothing revives the account by accident.
    Ended {
        /// Why, as a code.
        reason: Code,
        /// Since when.
        #[serde(with = "crate::instant")]
        since: DateTime<Utc>,
    },
}

impl AccountState {
    /// The state as a word, as stores index it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Pending { .. } => "pending",
            Self::Active => "active",
            Self::Suspended { .. } => "suspended",
            Self::Disabled { .. } => "disabled",
            Self::Ended { .. } => "ended",
        }
    }
}

/// Says whether an account may be used at one instant; ends count from their instant on, whatever tasks have run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever lets people in decides every standing")]
pub enum Standing {
    /// In use.
    Active,
    /// Made ahead, not used yet.
    Invited,
    /// Waits for an approval.
    Pending,
    /// Made ahead of its beginning.
    Early,
    /// Stopped for a while.
    Suspended,
    /// Stopped.
    Disabled,
    /// Past its end date.
    Expired,
    /// Unused for longer than it may be.
    Idle,
    /// Over.
    Ended,
}

impl Standing {
    pub(super) fn of(account: &Account, now: DateTime<Utc>) -> Self {
        match account.state {
            AccountState::Ended { .. } => Self::Ended,
            AccountState::Disabled { .. } => Self::Disabled,
            AccountState::Suspended { .. } => Self::Suspended,
            AccountState::Invited if account.ends_at.is_none_or(|end| now < end) => Self::Invited,
            AccountState::Pending { .. } if account.ends_at.is_none_or(|end| now < end) => Self::Pending,
            _ if account.ends_at.is_some_and(|end| now >= end) => Self::Expired,
            _ if account.begins_at.is_some_and(|begin| now < begin) => Self::Early,
            _ if is_idle(account, now) => Self::Idle,
            _ => Self::Active,
        }
    }

    /// The code of the denial that the standing asks for; `None` where the account may be used or come into use.
    #[must_use]
    pub fn denial(self) -> Option<Code> {
        match self {
            Self::Active | Self::Invited | Self::Pending => None,
            Self::Early => Some(Code::new("account.not_begun")),
            Self::Suspended => Some(Code::new("account.suspended")),
            Self::Disabled => Some(Code::new("account.disabled")),
            Self::Expired => Some(Code::new("account.expired")),
            Self::Idle => Some(Code::new("account.idle")),
            Self::Ended => Some(Code::new("account.ended")),
        }
    }
}

fn is_idle(account: &Account, now: DateTime<Utc>) -> bool {
    account.idle_at().is_some_and(|idle| now >= idle)
}
