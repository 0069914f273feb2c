//! The port to outside systems: one idempotent verb, and looking.

mod book;
mod circuit;
mod drift;
mod entitlement;
mod fault;
mod health;
mod health_view;
mod listing;
mod marker;
mod mirrored;
mod mirroring;
mod pace;
mod quarantine_rules;
mod secret;
mod setup;
mod unmarked;
mod unmarked_view;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::{BackendError, Code};

pub(crate) use book::{Book, Proof, Shelf};
pub(crate) use circuit::{Circuit, CircuitNews, Guarded, refused_until};
pub use drift::{Differences, Drift};
pub use entitlement::RemoteEntitlement;
pub use fault::{FaultScope, TargetFault};
pub(crate) use health::{Health, REMEMBERED};
pub(crate) use health_view::HealthView;
pub use listing::{ListCursor, Listed, Listing, ShownEnd};
pub use marker::{Marker, MarkerKey, MarkerKeyError};
pub use mirrored::Mirrored;
pub use mirroring::{DriftLook, Mirroring, StopLimit};
pub(crate) use pace::Pace;
pub use quarantine_rules::QuarantineRules;
pub use secret::{Secret, SecretRules};
pub use setup::{TargetRole, TargetSetup, Whose};
pub(crate) use unmarked::{KeptIn, Unmarked, UnmarkedLease};
pub(crate) use unmarked_view::UnmarkedView;

/// Provisions accounts in one outside system.
///
/// Every call may be repeated, and may arrive after a later one: an implementation relies on names, markers and native
/// ids, never on what it did before. A failure leaves the outcome unknown to the caller, who repeats or undoes.
///
/// Only the system that an account was made in knows that it is not there: where [`RemoteRef::home`] names another one, what
/// is not found, or borne by a stranger, is the error `target.elsewhere`.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Target: Send + Sync {
    /// Tells what the system can do.
    fn capabilities(&self) -> Capabilities;

    /// Tells which system this is, by something that it keeps for good and that no other has, on the server that an account goes
    /// to; `None` where nothing tells them apart. It is kept with what is made there ([`RemoteRef::home`]).
    ///
    /// # Errors
    /// `target.…`.
    async fn home(&self, remote: &RemoteRef) -> Result<Option<String>, BackendError>;

    /// Brings one remote account to a state, or tells why it was left alone.
    ///
    /// - *Present with a secret*: makes the account where its name is free; where an account with our marker bears the
    ///   name, sets secret, entitlements and end anew. In effect as a whole or not at all.
    /// - *Present without a secret*: sets entitlements and end of an account that is there, and never makes one. What is out
    ///   of use stays so, and the answer is [`Effect::Disabled`]: only a new secret opens it.
    /// - *Disabled*: ends its use and takes its entitlements, in one step where the system can.
    /// - *Absent*: removes it by its native id (by its name, where no id is known) and only under our marker, in one
    ///   conditional operation where the system can. Where entitlements name their holders, it is gone once none that it was
    ///   given names it: a name that is left is taken, unless somebody else has it by now, and told ([`Effect::Named`]) where
    ///   that cannot be done.
    /// - *Holding*: gives an account that existed before what it lacks and takes from it what it has, and tells which of
    ///   it this call changed. By its native id only; never an account that bears a marker of ours, whose entitlements are
    ///   set as a whole. What has a native id itself is taken by that, whatever its name stands for by now and also where
    ///   nothing has that name any longer; it is given only where the name still stands for it, else the answer is
    ///   `target.entitlement`. What is gone for good is held by nobody: what has its name or its place by now is another.
    /// - *Mirrored*: makes, adopts or changes the account so that it stands there as it does here. Adopts one without our
    ///   marker only where its own rules allow that, and marks it. A target that does not mirror answers `target.forbidden`.
    ///
    /// # Errors
    /// `target.…`: the outcome is unknown, except where the error says that nothing was done
    /// ([`BackendError::having_done_nothing`]). Where something may have been given
    /// to an account that is mirrored, its ids come with the error ([`BackendError::knowing`]).
    ///
    /// # Cancel safety
    /// The effect may have happened or may still happen.
    async fn ensure(&self, desired: &Desired) -> Result<Effect, BackendError>;

    /// Looks at one remote account: by its native id where one is known, else by its name.
    ///
    /// # Errors
    /// `target.…`. That the system could not be asked is an error, never "missing".
    async fn observe(&self, remote: &RemoteRef) -> Result<Observed, BackendError>;

    /// Looks at an account that existed before: by its native id where one is known, else by its name; and tells which of
    /// the asked entitlements it holds itself. What it holds through another entitlement does not count. Each is looked for as
    /// [`Target::ensure`] does when it takes, and told with its native id: what has none is what its name stands for now.
    ///
    /// # Errors
    /// `target.…`; `target.entitlement` where one is not found, and not known to be gone. That the system could not be asked
    /// is an error, never "missing".
    async fn holdings(
        &self,
        remote: &RemoteRef,
        asked: &BTreeSet<RemoteEntitlement>,
    ) -> Result<Holdings, BackendError>;

    /// Looks at one remote account as [`Target::observe`] does, on the server that changes to it go to, and tells of it what
    /// [`Target::list`] tells of all; `None` where nothing of ours is there.
    ///
    /// # Errors
    /// `target.…`. That the system could not be asked, or tells what may be old, is an error.
    async fn show(&self, remote: &RemoteRef) -> Result<Option<Listed>, BackendError>;

    /// Looks how an account that is mirrored differs from how it is to stand there, and writes nothing. Everything that the
    /// system shows is compared, whatever was confirmed; what it does not show is believed to be as it was confirmed.
    ///
    /// # Errors
    /// `target.…`. That the system could not be asked is an error, never "missing". A target that does not mirror answers
    /// `target.forbidden`.
    async fn differs(&self, remote: &RemoteRef, wanted: &Mirrored) -> Result<Drift, BackendError>;

    /// Lists the remote accounts that bear any marker of ours, by pages, and tells of each what the system says of its state.
    /// Whatever keeps the list from being whole makes it [`Listing::Partial`]; what is not told of a state does not.
    ///
    /// # Errors
    /// `target.…`.
    async fn list(&self, cursor: Option<ListCursor>) -> Result<Listing, BackendError>;
}

/// Tells what a system can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "an implementation answers for each")]
pub struct Capabilities {
    /// Who ends a remote account that is made from now on, if nobody of ours ever runs again. Of one that is there the answer
    /// of the last call tells ([`Effect::Present`]): settings change.
    pub end: UnattendedEnd,
    /// Who takes an entitlement that an account which existed before is given from now on, if nobody of ours ever runs again
    /// (of one that it has, [`Effect::Holding`] tells); `None` where none can be lent to such accounts.
    pub elevation: Option<UnattendedEnd>,
    /// How long a removal may take until every replica shows it; zero where its answer proves it.
    pub settles_after: TimeDelta,
    /// Whether sessions of a remote account outlive its removal.
    pub sessions_survive: bool,
    /// Whether accounts from here can be mirrored there ([`DesiredState::Mirrored`]).
    pub mirrors: bool,
}

/// Says who ends what is lent if nobody of ours ever runs again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "whoever judges the exposure decides each")]
pub enum UnattendedEnd {
    /// The system removes it at its end.
    ServerDeletes,
    /// The system refuses its log-in from its end on.
    ServerRefusesLogin,
    /// The system takes the entitlement from the account at its end.
    ServerDropsMembership,
    /// Nobody.
    LibraryOnly,
}

/// Names one remote account, and says by what it is known to be ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "an implementation reads each")]
pub struct RemoteRef {
    /// The name that it logs in by; derived from the lease, so that creating can be repeated. That of an account which
    /// existed before is what it was found by.
    pub name: String,
    /// The configured place that it lives in, such as one organisational unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What marks it as ours. An account that existed before bears none; then it names the lease, for whoever keeps a record
    /// in the system.
    pub marker: Marker,
    /// The id that the system gave it and never changes, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub native: Option<String>,
    /// The system that it was made in, as [`Target::home`] told then; `None` where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<String>,
}

/// Says how a remote account shall be.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "an implementation reads each")]
pub struct Desired {
    /// Which one.
    pub remote: RemoteRef,
    /// How.
    pub state: DesiredState,
}

/// Says how a remote account shall be.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "an implementation decides each")]
pub enum DesiredState {
    /// There, in use, with exactly these entitlements.
    Present {
        /// What it holds, by the system's own names.
        entitlements: Vec<String>,
        /// Its secret, which also allows that it is made, and brought back into use; `None` leaves the secret, and an account
        /// that is out of use, as they are.
        secret: Option<Secret>,
        /// From when on the system itself shall refuse it, where it can.
        ends_at: DateTime<Utc>,
    },
    /// There, out of use, without entitlements.
    Disabled,
    /// Not there.
    Absent {
        /// What it was given, by the system's own names: of that it is seen to that nothing names it any longer. `None` where
        /// that is not known: of all that the target may give.
        given: Option<Vec<String>>,
    },
    /// There as somebody else made it, with these changes to what it holds and no others.
    Holding {
        /// What it shall hold, each with the instant from which on the system itself shall take it, where it can. A later
        /// end that is there already stays, as does what has none: calls may arrive in another order, and whoever needs it
        /// for longer counts on that.
        give: BTreeMap<RemoteEntitlement, DateTime<Utc>>,
        /// What it shall not hold.
        take: BTreeSet<RemoteEntitlement>,
    },
    /// There as the account is here.
    Mirrored(Box<Mirrored>),
}

/// Tells what [`Target::ensure`] came to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the state machine decides each")]
pub enum Effect {
    /// It is there as desired, under this native id.
    Present {
        /// The id that never changes.
        native: String,
        /// Who ends it if nobody of ours ever runs again, as it stands after this call: never what the settings would make of a
        /// new one.
        end: UnattendedEnd,
    },
    /// It is out of use and holds nothing.
    Disabled,
    /// It is not there.
    Absent {
        /// Whether it was there before.
        was_there: bool,
    },
    /// It holds what was to be given and nothing of what was to be taken.
    Holding {
        /// What this call gave, as it was asked for; the rest was held before.
        given: BTreeSet<RemoteEntitlement>,
        /// What this call took, as it was asked for; the rest was not held before.
        taken: BTreeSet<RemoteEntitlement>,
        /// When the system itself has taken what was to be given, at the latest, as it stands after this call. What is not
        /// named it takes never, or nobody knows.
        ends: BTreeMap<RemoteEntitlement, DateTime<Utc>>,
        /// Of what was to be taken that whose name stands for something else by now: a person should know.
        repointed: BTreeSet<RemoteEntitlement>,
    },
    /// It is there as it is here.
    Mirrored {
        /// The id that never changes.
        native: String,
        /// What it holds of what we give, for [`Mirrored::held`] of the next call.
        held: BTreeSet<String>,
        /// The ids of what it holds, by name, as far as the target has such, for [`Mirrored::ids`] of the next call.
        ids: BTreeMap<String, String>,
        /// A digest of what was confirmed, for [`Mirrored::confirmed`] of the next call.
        confirmed: String,
        /// Whether it was there before without our marker, and bears it from now on.
        adopted: bool,
    },
    /// Somebody without our marker bears the name; nothing was done. Said of what shall not be there as well: a call without
    /// an answer may have made it, with a marker that is looked for elsewhere by now.
    Stranger,
    /// The account with the native id no longer bears our marker, or bears one where something is to be given to whoever
    /// existed before; nothing was done. What is to be taken from such an account is taken whatever it bears.
    NotOurs,
    /// It cannot be removed, for a reason that repeating does not mend by itself, such as entries below it.
    Stuck(Code),
    /// It is not there any longer, and what it held names it still: whoever gets its name next would hold that. Said of what
    /// shall not be there, where whoever was asked to forget the name did not.
    Named {
        /// Which entitlements name it.
        by: BTreeSet<String>,
        /// What kept the first of them from being taken.
        why: Code,
    },
}

/// Tells what [`Target::observe`] saw.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the state machine decides each")]
pub enum Observed {
    /// Not there.
    Missing,
    /// There, and ours.
    Ours {
        /// The id that never changes.
        native: String,
        /// Whether it can be used.
        enabled: bool,
    },
    /// Something is there that does not bear our marker.
    Foreign,
}

/// Tells what [`Target::holdings`] saw.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the engine decides each")]
pub enum Holdings {
    /// Not there.
    Missing,
    /// It bears a marker of ours: it was made for a time. Only of whom was asked for by name: people may write a marker
    /// into their own account, and what was lent to an id is looked for whatever it bears.
    Made,
    /// There, as somebody else made it.
    Found {
        /// The id that never changes.
        native: String,
        /// Which of the asked entitlements it holds, with their ids.
        held: BTreeSet<RemoteEntitlement>,
        /// Which it does not hold, with their ids.
        lacks: BTreeSet<RemoteEntitlement>,
    },
}
