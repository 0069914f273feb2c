//! What is recorded: the event is in the same commit as the change it tells of.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{AccountId, Code, ConnectionId, EventId, RuleName, TenantId};

/// Records one thing that happened or was refused. Carries names, codes and rules, never claim values or secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEvent {
    /// Its id; ids are in the order of time.
    pub id: EventId,
    /// When.
    #[serde(with = "crate::instant")]
    pub at: DateTime<Utc>,
    /// The tenant.
    pub tenant: TenantId,
    /// Who caused it.
    pub actor: Actor,
    /// What happened, as a code such as `account.created`.
    pub action: Code,
    /// The account it happened to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// How it came out.
    pub outcome: AuditOutcome,
    /// The rule of the policy that decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleName>,
    /// The changes of the plan, each by its name, such as `grant role:editor`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
}

/// Says who caused an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Actor {
    /// A sign-in or message over a connection.
    Connection {
        /// The connection.
        id: ConnectionId,
    },
    /// An administrator, by the account or name that the application knows.
    Administrator {
        /// The name.
        name: String,
    },
    /// A person, by their account.
    Account {
        /// The account.
        id: AccountId,
    },
    /// The passing of time.
    Clock,
}

/// Says how an event came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "it happened, it was refused, or it waits")]
pub enum AuditOutcome {
    /// It happened.
    Done,
    /// It was refused.
    Refused {
        /// Why, as a code.
        code: Code,
    },
    /// It waits for an answer.
    Held {
        /// What is asked, as words.
        asks: Vec<String>,
    },
}
