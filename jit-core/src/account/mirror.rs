//! How an account stands in a target that it is mirrored to.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{Code, TargetId, TaskId};

/// Keeps how an account stands in one target that it is mirrored to. `Debug` prints no personal data.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Mirror {
    /// The target.
    pub target: TargetId,
    /// The name that it was last asked for by.
    pub name: String,
    /// The id that the target gave it, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub native: Option<String>,
    /// How it stands there.
    pub state: MirrorState,
    /// What the target confirmed that we gave there.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub held: BTreeSet<String>,
    /// What we may have given there by calls that had no answer.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub doubtful: BTreeSet<String>,
    /// The ids that the target has for these, by name, as far as it told them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ids: BTreeMap<String, String>,
    /// What the target confirmed last, as it told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<String>,
    /// A digest of what the target did last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
    /// Until when a call may still take effect whose answer nobody has.
    #[serde(default, with = "crate::instant::option", skip_serializing_if = "Option::is_none")]
    pub unanswered: Option<DateTime<Utc>>,
    /// A digest of how it was found to differ there from what was brought, where somebody was told of that;
    /// with a mark behind it where it was overwritten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<String>,
    /// The task that brings the next change there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
    /// Since when, or from when on, that change is due.
    #[serde(default, with = "crate::instant::option", skip_serializing_if = "Option::is_none")]
    pub due: Option<DateTime<Utc>>,
    /// Whether an alarm was raised because it is overdue.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alarmed: bool,
}

/// Says how an account stands in a target that it is mirrored to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "whoever brings changes there decides each")]
pub enum MirrorState {
    /// Not there, as far as is known.
    Waiting,
    /// There and in use.
    Present,
    /// There and out of use.
    Inactive,
    /// About to be put out of use or removed.
    Stopping,
    /// In use, though it is to be stopped, or out of use and to be removed: too many were to go at once, and somebody must
    /// allow it.
    Parked {
        /// Since when.
        #[serde(with = "crate::instant")]
        since: DateTime<Utc>,
        /// Whether it is out of use already, so that only its removal waits.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        inactive: bool,
    },
    /// The target refused it for good: the next change of the account asks anew.
    Refused {
        /// Why.
        code: Code,
    },
}

impl Mirror {
    /// Begins to mirror an account.
    #[must_use]
    pub fn begin(target: TargetId, name: String) -> Self {
        Self {
            target,
            name,
            native: None,
            state: MirrorState::Waiting,
            held: BTreeSet::new(),
            doubtful: BTreeSet::new(),
            ids: BTreeMap::new(),
            confirmed: None,
            asked: None,
            unanswered: None,
            drift: None,
            task: None,
            due: None,
            alarmed: false,
        }
    }

    /// Tells whether it may be in the target: it was made there, or a call that makes it has no answer yet.
    #[must_use]
    pub fn may_be_there(&self) -> bool {
        self.native.is_some() || self.unanswered.is_some()
    }

    /// Tells whether it may be in use there.
    #[must_use]
    pub fn may_be_in_use(&self) -> bool {
        self.may_be_there() && !self.state.is_out_of_use()
    }
}

impl MirrorState {
    pub(crate) const fn is_out_of_use(&self) -> bool {
        matches!(self, Self::Inactive | Self::Parked { inactive: true, .. })
    }
}

impl fmt::Debug for Mirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mirror")
            .field("target", &self.target)
            .field("native", &self.native)
            .field("state", &self.state)
            .field("due", &self.due)
            .finish_non_exhaustive()
    }
}
