//! Durable future work.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{AccountId, Code, DocumentId, DocumentKey, GrantId, Lane, TargetId, TaskId, TenantId, WorkerId};

/// Keeps one piece of future work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// The tenant.
    pub tenant: TenantId,
    /// The lane it waits in.
    pub lane: Lane,
    /// The account it is about.
    pub account: AccountId,
    /// What is to be done.
    pub kind: TaskKind,
    /// Not before this instant.
    #[serde(with = "crate::instant")]
    pub due: DateTime<Utc>,
}

/// Says what is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
#[non_exhaustive]
pub enum TaskKind {
    /// Take a grant away, if it has ended by then.
    EndGrant {
        /// The grant.
        grant: GrantId,
    },
    /// Look whether the account has reached its end date or was unused for too long, and end it.
    ReviewEnd,
    /// Look after a lease: the account is the one that keeps it.
    TendLease,
    /// End every lease that the account holds.
    EndLeases,
    /// Tell the application that sessions and credentials of an earlier epoch are void.
    EndSessions {
        /// The epoch that begins.
        epoch: u64,
    },
    /// Tell the owner of the account what happened, such as a new way to sign in.
    Notify {
        /// What happened, as a code.
        about: Code,
    },
    /// Tell whoever runs the application of something that needs a person, or that it is over.
    Alarm {
        /// What, as a code.
        about: Code,
        /// The target it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target: Option<TargetId>,
    },
    /// Bring an account to a target that it is mirrored to.
    Mirror {
        /// The target.
        target: TargetId,
    },
    /// Tell the record of a document anew: something that it is told with has changed, such as the groups of its person.
    Retell {
        /// The document.
        document: DocumentKey,
        /// The one thing that changed, such as a group of its person: nothing else has to be read anew. `None` where it may be
        /// anything.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        about: Option<Box<DocumentKey>>,
    },
    /// Tell the records of all these documents anew: one task where a commit would have to write very many.
    RetellThese {
        /// The documents, with the accounts of their people.
        told: Vec<(AccountId, DocumentKey)>,
        /// The one thing that changed, as in [`Self::Retell`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        about: Option<Box<DocumentKey>>,
    },
    /// Tell the records of the members of a group anew, piece by piece: those of a group that is there, or those that stayed
    /// behind when it was removed ([`DocumentWrite::remove_apart`](crate::DocumentWrite::remove_apart)).
    RetellMembers {
        /// The group.
        group: Box<DocumentKey>,
        /// After which member the next piece begins.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<DocumentId>,
    },
    /// Look how accounts stand in a target that they are mirrored to: one task for each store, which is never done.
    LookForDrift {
        /// The target.
        target: TargetId,
    },
    /// Remove records of leases of the tenant that have been over for good for long. It comes again without end.
    ForgetLeases,
    /// Remember the time that was last trusted: its due instant is that time, and it is never done.
    Anchor,
    /// Nothing, here: what is kept cannot be read, such as a task of a later version. It is for whoever can read it. Never kept.
    #[serde(skip)]
    Unreadable,
}

impl TaskKind {
    /// The kind as a word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::EndGrant { .. } => "end_grant",
            Self::ReviewEnd => "review_end",
            Self::TendLease => "tend_lease",
            Self::EndLeases => "end_leases",
            Self::EndSessions { .. } => "end_sessions",
            Self::Notify { .. } => "notify",
            Self::Alarm { .. } => "alarm",
            Self::Mirror { .. } => "mirror",
            Self::Retell { .. } => "retell",
            Self::RetellThese { .. } => "retell_these",
            Self::RetellMembers { .. } => "retell_members",
            Self::LookForDrift { .. } => "look_for_drift",
            Self::ForgetLeases => "forget_leases",
            Self::Anchor => "anchor",
            Self::Unreadable => "unreadable",
        }
    }
}

/// Says whose tasks are wanted: a process claims none that it could do nothing with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a backend answers each")]
pub enum Tenants {
    /// Those of all tenants.
    All,
    /// Those of these tenants.
    These(BTreeSet<TenantId>),
    /// Those of all tenants but these.
    AllBut(BTreeSet<TenantId>),
}

impl Tenants {
    /// Tells whether it is one of them.
    #[must_use]
    pub fn include(&self, tenant: &TenantId) -> bool {
        match self {
            Self::All => true,
            Self::These(these) => these.contains(tenant),
            Self::AllBut(these) => !these.contains(tenant),
        }
    }
}

/// Proves that a worker may do a task, until the claim is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The task.
    pub task: Task,
    /// Who claimed it.
    pub worker: WorkerId,
    /// Counts the claims on this task; a settlement with an older epoch is refused.
    pub epoch: u64,
    /// How often the task was claimed before without being done.
    pub attempts: u32,
    /// Until when the claim holds.
    pub until: DateTime<Utc>,
}

/// Says how a claim ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a claim ends in one of these ways")]
pub enum Settlement {
    /// Done: the task goes.
    Done,
    /// Not now: the task is due again then.
    Again(DateTime<Utc>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_does_not_say_what_changed_is_read_and_written_as_it_was() {
        let text = r#"{"do":"retell","document":{"collection":{"tenant":"acme","connection":"scim","kind":"User"},"id":"01990000-0000-7000-8000-000000000001"}}"#;
        let kind: TaskKind = serde_json::from_str(text).unwrap();
        assert!(matches!(&kind, TaskKind::Retell { about: None, .. }));
        assert_eq!(serde_json::to_string(&kind).unwrap(), text);
    }
}
