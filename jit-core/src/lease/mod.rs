//! Leases: accounts in a target that exist for a time, and the machine of their states.
//!
//! Pure: each step is a function of the lease, of what was learnt, and of the time. Whatever a crash leaves behind is a
//! lease whose [`Duty`] says what to do next.

mod awaited;
mod duty;
mod edge;
mod elevation;
mod exposure;
mod name;
mod overdue;
mod reason;
mod step;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    AccountId, AccountState, Code, Desired, DesiredState, RemoteRef, RuleName, TargetId, TaskId,
    UnattendedEnd,
};

pub(crate) use awaited::Awaited;
pub use duty::Duty;
pub use edge::{Edge, Share, Taking};
pub use elevation::Elevation;
pub(crate) use elevation::{Answer, Identified, Shown};
pub use exposure::Exposure;
pub(crate) use name::{account_for_key, account_for_remote, remote_name};
pub use step::Misfit;

/// Keeps everything about one remote account that is lent for a time: enough to end it whatever happens, also when the
/// configuration it was made under is gone. It is kept in an account of its own, whose id names the lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "it is stored: each field is there to be read")]
pub struct Lease {
    /// The target that it lives in.
    pub target: TargetId,
    /// The account of whom it is for.
    pub holder: AccountId,
    /// The role that was checked out.
    pub role: RuleName,
    /// The remote account.
    pub remote: RemoteRef,
    /// The account that keeps everything lent to that remote account, where it existed before; `None` where the lease made
    /// it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elevates: Option<AccountId>,
    /// What it holds there, by the target's own names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entitlements: Vec<String>,
    /// From when on it is over; the instant itself is outside.
    #[serde(with = "crate::instant")]
    pub until: DateTime<Utc>,
    /// How far it can be extended.
    #[serde(with = "crate::instant")]
    pub latest: DateTime<Utc>,
    /// How far it has come.
    pub phase: Phase,
    /// Who ends it if nobody of ours ever runs again, as the target said when it was made or its end was set last; `None` where
    /// the target has not said, and where it elevates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unattended: Option<UnattendedEnd>,
    /// Until when something may still come into being by a call whose answer nobody has.
    #[serde(default, with = "crate::instant::option", skip_serializing_if = "Option::is_none")]
    pub unanswered: Option<DateTime<Utc>>,
    /// Whether such a call sets its secret anew: one that cannot hand the secret out removes the account again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub renewing: bool,
    /// The latest end that such calls asked for; `None` where that is not known.
    #[serde(default, with = "crate::instant::option", skip_serializing_if = "Option::is_none")]
    pub asked_until: Option<DateTime<Utc>>,
    /// How many names were borne by strangers.
    #[serde(default)]
    pub names_taken: u32,
    /// Whether it ends before others.
    #[serde(default)]
    pub privileged: bool,
    /// Why it was asked for, in the words of the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// Whether it is counted among what its holder has.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub counted: bool,
    /// How many alarms were raised because it is overdue or quarantined.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub alarms: u32,
    /// When it was last found in the target after it had been gone.
    #[serde(default, with = "crate::instant::option", skip_serializing_if = "Option::is_none")]
    pub came_back: Option<DateTime<Utc>>,
    /// What the target last proved, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
    /// The one task that looks after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// Says how far a lease has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "every phase has its duty")]
pub enum Phase {
    /// Written down; nothing of it is known to be in the target.
    Intended,
    /// In use; the target proved that it is there.
    Active {
        /// Since when.
        #[serde(with = "crate::instant")]
        since: DateTime<Utc>,
    },
    /// To be removed, for as long as it takes.
    Ending {
        /// Since when.
        #[serde(with = "crate::instant")]
        since: DateTime<Utc>,
        /// Why.
        why: EndReason,
        /// Whether the target proved that it can no longer be used.
        shut: bool,
    },
    /// Removed; to be looked at once more when every replica must show it.
    Unconfirmed {
        /// Since when.
        #[serde(with = "crate::instant")]
        since: DateTime<Utc>,
        /// Why it was ended.
        why: EndReason,
        /// When to look.
        #[serde(with = "crate::instant")]
        look_at: DateTime<Utc>,
    },
    /// Gone: a tombstone.
    Gone {
        /// Since when.
        #[serde(with = "crate::instant")]
        since: DateTime<Utc>,
        /// Why it was ended.
        why: EndReason,
    },
    /// What is there is not what we made. Nothing is done to it without a person.
    Quarantined {
        /// Since when.
        #[serde(with = "crate::instant")]
        since: DateTime<Utc>,
        /// What was found, as a code.
        found: Code,
    },
}

/// Says why a lease was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EndReason {
    /// It was checked in.
    CheckedIn,
    /// Its time was over.
    Expired,
    /// Whoever checked it out never got an answer.
    Interrupted,
    /// The target refused to make it.
    Refused,
    /// Its holder may no longer hold anything.
    HolderEnded,
    /// It was found in the target after it had been gone.
    Reappeared,
    /// Somebody else removed it from the target.
    Lost,
    /// It was quarantined, and a person removed what was there or gave it its mark back.
    Settled,
    /// A person said that its target is gone for good. Nobody confirmed that it is not there.
    DeclaredGone,
}

/// Keeps what a target proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "it is stored: each field is there to be read")]
pub struct Proof {
    /// What it showed.
    pub seen: Seeing,
    /// When.
    #[serde(with = "crate::instant")]
    pub at: DateTime<Utc>,
}

/// Says what a target showed of a remote account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "what is shown is the last proved state, and there are these")]
pub enum Seeing {
    /// In use.
    Present,
    /// Out of use.
    Disabled,
    /// Not there.
    Absent,
}

impl Phase {
    /// Why it was ended, from when its end begins on.
    pub(crate) fn why(&self) -> Option<EndReason> {
        match *self {
            Self::Ending { why, .. } | Self::Unconfirmed { why, .. } | Self::Gone { why, .. } => Some(why),
            Self::Intended | Self::Active { .. } | Self::Quarantined { .. } => None,
        }
    }

    /// The phase as a word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Intended => "intended",
            Self::Active { .. } => "active",
            Self::Ending { .. } => "ending",
            Self::Unconfirmed { .. } => "gone_unconfirmed",
            Self::Gone { .. } => "gone",
            Self::Quarantined { .. } => "quarantined",
        }
    }
}

impl Lease {
    /// Writes a lease down of which nothing was done yet: nothing is lent by it, and it cannot be extended past `until`. What
    /// else a request asks for is set in its fields.
    #[must_use]
    pub const fn intended(
        target: TargetId,
        holder: AccountId,
        role: RuleName,
        remote: RemoteRef,
        until: DateTime<Utc>,
    ) -> Self {
        Self {
            target,
            holder,
            role,
            remote,
            elevates: None,
            entitlements: Vec::new(),
            until,
            latest: until,
            phase: Phase::Intended,
            unattended: None,
            unanswered: None,
            renewing: false,
            asked_until: None,
            names_taken: 0,
            privileged: false,
            purpose: None,
            counted: false,
            alarms: 0,
            came_back: None,
            proof: None,
            task: None,
        }
    }

    /// Tells whether something of it may be in the target, now or later.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !matches!(self.phase, Phase::Gone { .. }) || self.unanswered.is_some()
    }

    /// From when on it is over at the latest: an extension may have reached the target, and its answer not us.
    pub(crate) fn ends_by(&self) -> DateTime<Utc> {
        match (self.unanswered, self.asked_until) {
            (None, _) => self.until,
            (Some(_), Some(asked)) => asked.max(self.until),
            (Some(_), None) => self.latest,
        }
    }

    /// Tells whether a call that could have made an account was never answered. Whatever bears the name may be that account,
    /// also where it does not bear the marker.
    pub(crate) fn may_have_been_made(&self) -> bool {
        let makes = self.remote.native.is_none() || self.renewing;
        self.elevates.is_none() && self.unanswered.is_some() && makes
    }

    /// How the target shall have the account that it made, at its end.
    pub(crate) fn ended(&self) -> Desired {
        let state = DesiredState::Absent { given: Some(self.entitlements.clone()) };
        Desired { remote: self.remote.clone(), state }
    }

    /// What the target calls the account that it made, once that is known.
    pub(crate) fn made(&self) -> Option<&str> {
        self.remote.native.as_deref().filter(|_| self.elevates.is_none())
    }

    /// Since when it is over for good: gone, as was proved, with no call on its way, and nobody is to look after it, to be told
    /// of it or to decide anything about it. `None` for all others; among them for good what a person declared gone and what
    /// came back after it had been gone.
    pub(crate) fn over_since(&self) -> Option<DateTime<Utc>> {
        let Phase::Gone { since, why } = self.phase else { return None };
        let is_settled =
            self.unanswered.is_none() && self.task.is_none() && self.alarms == 0 && !self.counted;
        let is_told_apart =
            self.came_back.is_some() || matches!(why, EndReason::DeclaredGone | EndReason::Reappeared);
        (is_settled && !is_told_apart).then_some(since)
    }

    /// Tells whether it was refused, and it is known that nothing of it is there: whoever asks again with its key begins anew.
    pub(crate) fn came_to_nothing(&self) -> bool {
        let is_refused = matches!(self.phase, Phase::Gone { why: EndReason::Refused, .. });
        is_refused && self.unanswered.is_none() && self.came_back.is_none() && self.made().is_none()
    }

    /// Tells whether nothing is left of it but its name, in what it held.
    pub(crate) fn is_only_named(&self) -> bool {
        let is_seen = self.proof.is_some_and(|proof| proof.seen == Seeing::Absent);
        is_seen && matches!(self.phase, Phase::Ending { shut: true, .. })
    }

    /// Tells whether its end has not begun.
    pub(crate) fn is_in_use(&self) -> bool {
        matches!(self.phase, Phase::Intended | Phase::Active { .. })
    }

    /// Tells whether it takes a place among what its holder has: from when it is written down until the target has proved
    /// that it is not there.
    pub(crate) fn takes_place(&self) -> bool {
        !matches!(self.phase, Phase::Unconfirmed { .. } | Phase::Gone { .. })
    }

    /// The state of the account that keeps the lease, which was written down at `created_at`.
    pub(crate) fn account_state(&self, created_at: DateTime<Utc>) -> AccountState {
        match &self.phase {
            Phase::Intended => AccountState::Pending { since: created_at },
            Phase::Active { .. } => AccountState::Active,
            Phase::Ending { since, .. } | Phase::Unconfirmed { since, .. } => {
                AccountState::Disabled { reason: Code::new("lease.ending"), since: *since }
            }
            Phase::Gone { since, .. } => {
                AccountState::Ended { reason: Code::new("lease.over"), since: *since }
            }
            Phase::Quarantined { since, found } => {
                AccountState::Suspended { reason: found.clone(), since: *since }
            }
        }
    }
}
