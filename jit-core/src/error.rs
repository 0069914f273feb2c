//! What can go wrong, by stage, and what a caller should do about it.

use std::{borrow::Cow, collections::BTreeMap, error::Error, fmt};

use chrono::TimeDelta;

use crate::{FaultScope, IndexName, TargetFault, store::CounterName};

/// Says what a caller should do about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "callers must treat every class; a new one is a breaking change")]
pub enum ErrorClass {
    /// The evidence or the input is wrong; the same input will be refused again.
    Rejected,
    /// The evidence is right and the answer is no.
    Denied,
    /// Something needed was not reachable; the same call may succeed later and nothing was changed.
    Transient,
    /// Configuration, code or stored data must be mended first.
    Permanent,
}

/// Names a rejection or denial by a code that stays the same between versions, such as `link.email_unverified`.
///
/// Every code is listed in `docs/codes.md`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Code(Cow<'static, str>);

impl Code {
    /// Names a code.
    #[must_use]
    pub const fn new(code: &'static str) -> Self {
        Self(Cow::Borrowed(code))
    }

    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Code {
    fn from(code: String) -> Self {
        Self(Cow::Owned(code))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Tells which unique value another account or document (or an earlier call) holds already.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the engine answers each of them differently")]
pub enum Taken {
    /// An identity: (tenant, connection, issuer, subject).
    Identity,
    /// A user name's comparison key within the tenant.
    UserName,
    /// The account id itself.
    Account,
    /// The id of a task.
    Task,
    /// A one-time key that was put before and is not yet over.
    OneTime,
    /// The id of a document.
    Document,
    /// A unique name of a document, under this index.
    DocumentName(IndexName),
}

/// Classifies a failure of a port.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A value that must be unique is held already.
    AlreadyExists(Taken),
    /// The account changed since it was read, or is not there; or a claim on a task is no longer ours.
    Conflict,
    /// The document changed since it was read, or is not there.
    DocumentChanged,
    /// A document that shall be a member of a group is not there.
    NoSuchMember,
    /// The commit would push a counter beyond its bound.
    LimitReached(CounterName),
    /// The backend cannot be reached, is shutting down or ran out of time.
    Unavailable,
    /// The call is wrong in itself, such as a commit whose parts belong to two tenants.
    Invalid,
    /// Stored data cannot be read back.
    Corrupt,
    /// A target did not do what was asked, for this reason.
    Target(TargetFault),
}

/// Tells whether and when the same call may succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "retry loops must know every answer")]
pub enum Retry {
    /// The same call will fail again.
    Never,
    /// The same call may succeed after a growing pause.
    Backoff,
    /// The same call may succeed after this time.
    After(TimeDelta),
}

/// The ids of what was given, by name.
struct Ids(BTreeMap<String, String>);

static NO_IDS: BTreeMap<String, String> = BTreeMap::new();

/// Describes a failure of a port: what kind, whether to try again, during which operation, and why.
pub struct BackendError {
    kind: ErrorKind,
    retry: Retry,
    scope: FaultScope,
    has_done_nothing: bool,
    operation: &'static str,
    /// Apart, so that an error takes no more room for what few have.
    ids: Option<Box<Ids>>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl BackendError {
    /// Describes a failure of `operation`; the advice on retrying follows from the kind.
    #[must_use]
    pub fn new(kind: ErrorKind, operation: &'static str) -> Self {
        let retry = match kind {
            ErrorKind::Unavailable => Retry::Backoff,
            ErrorKind::Target(fault) if fault.is_passing() => Retry::Backoff,
            _ => Retry::Never,
        };
        let scope = match kind {
            ErrorKind::Target(fault) => fault.scope(),
            _ => FaultScope::Neither,
        };
        Self { kind, retry, scope, has_done_nothing: false, operation, ids: None, source: None }
    }

    /// Adds the cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Replaces the advice on retrying.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Says that nothing was done: what was there before the call is as it was.
    #[must_use]
    pub fn having_done_nothing(mut self) -> Self {
        self.has_done_nothing = true;
        self
    }

    /// Says that something may have been done before it failed.
    #[must_use]
    pub fn possibly_having_acted(mut self) -> Self {
        self.has_done_nothing = false;
        self
    }

    /// Tells whether it is known that nothing was done. Else that is to be found out.
    #[must_use]
    pub const fn has_done_nothing(&self) -> bool {
        self.has_done_nothing
    }

    /// Says whom it is about, where an adapter knows better than the kind tells.
    #[must_use]
    pub fn about(mut self, scope: FaultScope) -> Self {
        self.scope = scope;
        self
    }

    /// Adds the ids of what a target may have given before it failed, by name, as [`Mirrored::ids`](crate::Mirrored::ids) has
    /// them.
    #[must_use]
    pub fn knowing(mut self, ids: BTreeMap<String, String>) -> Self {
        self.ids = Some(Box::new(Ids(ids)));
        self
    }

    /// The ids of what a target may have given before it failed, by name: a mirror keeps them, so that it can be taken.
    #[must_use]
    pub fn ids(&self) -> &BTreeMap<String, String> {
        self.ids.as_ref().map_or(&NO_IDS, |ids| &ids.0)
    }

    /// Whom it is about: a target that fails for its own reasons is left alone once it fails nearly everybody.
    #[must_use]
    pub fn scope(&self) -> FaultScope {
        self.scope
    }

    /// The kind of failure.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// Whether and when to try again.
    #[must_use]
    pub fn retry(&self) -> Retry {
        self.retry
    }

    /// The operation that failed, such as `users.commit`.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// What a caller should do about it.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        match self.kind {
            ErrorKind::Unavailable | ErrorKind::Conflict | ErrorKind::DocumentChanged => {
                ErrorClass::Transient
            }
            ErrorKind::Target(fault) if fault.is_passing() => ErrorClass::Transient,
            ErrorKind::AlreadyExists(_) | ErrorKind::LimitReached(_) | ErrorKind::NoSuchMember => {
                ErrorClass::Denied
            }
            ErrorKind::Invalid | ErrorKind::Corrupt | ErrorKind::Target(_) => ErrorClass::Permanent,
        }
    }

    /// The stable code of this failure.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::new(match &self.kind {
            ErrorKind::AlreadyExists(Taken::Identity) => "store.identity_taken",
            ErrorKind::AlreadyExists(Taken::UserName) => "store.user_name_taken",
            ErrorKind::AlreadyExists(Taken::Account) => "store.account_taken",
            ErrorKind::AlreadyExists(Taken::Task) => "store.task_taken",
            ErrorKind::AlreadyExists(Taken::OneTime) => "store.one_time_taken",
            ErrorKind::AlreadyExists(Taken::Document) => "store.document_taken",
            ErrorKind::AlreadyExists(Taken::DocumentName(_)) => "store.document_name_taken",
            ErrorKind::Conflict => "store.conflict",
            ErrorKind::DocumentChanged => "store.document_changed",
            ErrorKind::NoSuchMember => "store.no_such_member",
            ErrorKind::LimitReached(_) => "store.limit_reached",
            ErrorKind::Unavailable => "store.unavailable",
            ErrorKind::Invalid => "store.invalid",
            ErrorKind::Corrupt => "store.corrupt",
            ErrorKind::Target(fault) => fault.code(),
        })
    }
}

impl fmt::Display for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match &self.kind {
            ErrorKind::AlreadyExists(Taken::Identity) => "the identity belongs to an account already",
            ErrorKind::AlreadyExists(Taken::UserName) => "the user name is taken",
            ErrorKind::AlreadyExists(Taken::Account) => "the account exists already",
            ErrorKind::AlreadyExists(Taken::Task) => "the task exists already",
            ErrorKind::AlreadyExists(Taken::OneTime) => "the one-time value was put before",
            ErrorKind::AlreadyExists(Taken::Document) => "the document exists already",
            ErrorKind::AlreadyExists(Taken::DocumentName(index)) => {
                return write!(f, "{}: another document has this name of index `{index}`", self.operation);
            }
            ErrorKind::Conflict => "the state changed since it was read",
            ErrorKind::DocumentChanged => "the document changed since it was read",
            ErrorKind::NoSuchMember => "a document that shall be a member is not there",
            ErrorKind::LimitReached(counter) => {
                return write!(f, "{}: the bound of counter `{counter}` is reached", self.operation);
            }
            ErrorKind::Unavailable => "the backend is not available",
            ErrorKind::Invalid => "the call is not valid",
            ErrorKind::Corrupt => "stored data cannot be read",
            ErrorKind::Target(fault) => fault.meaning(),
        };
        write!(f, "{}: {what}", self.operation)
    }
}

impl fmt::Debug for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackendError")
            .field("kind", &self.kind)
            .field("retry", &self.retry)
            .field("scope", &self.scope)
            .field("operation", &self.operation)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl Error for BackendError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
