//! Just-in-time provisioning: a verified event goes in, a planned and audited change of accounts comes out.
//!
//! ```text
//! evidence ─ Trigger ─▶ Event ─ AttributeMapper ─▶ Profile ─ Policy ─▶ Decision ─ plan() ─▶ Plan ─ commit() ─▶ Account
//! ```
//!
//! | port | keeps or does |
//! |---|---|
//! | [`Trigger`] | verifies evidence of one connection and yields an [`Event`] |
//! | [`AttributeMapper`] | makes a [`Profile`] of the claims |
//! | [`Policy`] | answers with a [`Decision`] |
//! | [`UserStore`] | keeps accounts; one atomic [`Commit`] |
//! | [`DocumentStore`] | keeps what sources said, word for word, beside the accounts |
//! | [`TaskQueue`] | hands out durable work, fenced |
//! | [`OneTime`] | keeps what may be taken once |
//! | [`AuditLog`], [`AuditSink`] | read and export the audit trail |
//! | [`Target`] | provisions accounts in an outside system |
//! | [`Clock`], [`Pulse`], [`Entropy`] | time and randomness as inputs |

mod account;
mod address;
mod audit;
mod caseless;
mod clock;
pub mod config;
#[cfg(feature = "conformance")]
pub mod conformance;
mod engine;
mod error;
mod identity;
mod ids;
mod instant;
mod lease;
mod literals;
mod mapping;
mod memory;
#[cfg(feature = "mocks")]
mod mocks;
mod plan;
mod policy;
mod reasons;
mod store;
mod target;
mod text;

pub use account::{
    Account, AccountEmail, AccountState, AttributeValue, Entitlement, EntitlementKind, EntitlementPattern,
    Grant, LinkProof, LinkedIdentity, LookupKey, Mirror, MirrorState, NameError, Provenance, Source,
    Standing, UserName,
};
pub use address::is_public_address;
pub use audit::{Actor, AuditEvent, AuditOutcome};
pub use caseless::caseless;
pub use clock::{
    Clock, Entropy, ManualClock, Pulse, SeededEntropy, SystemClock, SystemEntropy, SystemPulse, TimeDoubt,
    TimeGuard,
};
pub use engine::{
    AdminRequest, Authority, BuildError, CheckOut, CheckedOut, Connection, ConnectionSettings, Denied,
    Difference, Differing, DriftRound, DriftRounds, Elevated, Event, Explanation, Extended, Held, Invitation,
    Jit, JitBuilder, JitError, Kept, LeasePage, LeaverLimit, LentAccounts, LentWrong, LinkAnswer, LinkBy,
    LinkRule, MailLink, MailProof, MirrorForecast, NamedBy, Notices, Outcome, Provisioned, Provisioning,
    ReconcileMode, Reconciliation, Reply, Retold, SamePerson, Session, ShadowReport, SignIn, SignedIn,
    TargetQuarantine, Teller, Ticket, Trigger, Verdict, VerifyError, WorkReport,
};
pub use error::{BackendError, Code, ErrorClass, ErrorKind, Retry, Taken};
pub use identity::{
    Assurance, AttestError, Attestation, Attestor, Bound, Check, Checks, Claim, ClaimPath, ClaimPathError,
    ClaimValues, Claims, Domain, DomainError, DomainPattern, DomainSet, EmailAddress, EmailClaim, EmailError,
    EmailEvidence, EmailTrust, Expected, Extent, HeldPresence, HeldRecord, IssuerSet, Presence,
    RecordStatement, SessionHint, SharedClaims, Stability, VerifiedIdentity, VerifiedRecord, WaitingLeave,
};
pub use ids::{
    AccountId, AttributeName, ConnectionId, DocumentId, DocumentKind, EventId, ExternalKey, GrantId, IdError,
    IndexName, Issuer, Lane, Mint, RequestId, RuleName, StoreId, Subject, TargetId, TaskId, TenantId,
    WorkerId,
};
pub use lease::{
    Duty, Edge, Elevation, EndReason, Exposure, Lease, Misfit, Phase, Proof, Seeing, Share, Taking,
};
pub use mapping::{
    AttributeMapper, AttributeRule, AttributeWish, Candidates, CaseRule, ConflictRule, EmailRule,
    EntitlementRule, EntitlementWish, ImportRule, InvalidRule, Join, MapError, Mapping, MappingRules,
    NameForm, OnNameTaken, OnTaken, Preset, Profile, Texts, UserNameRule, UserNameWish, Verification, Wished,
    WishedValues,
};
pub use memory::{MemorySink, MemoryStore, MemoryTarget, RemoteAccount};
pub use plan::{
    AdminAct, Answers, Change, Plan, Planned, Protection, Reason, RecordEffect, RecordFacts, RecordPlan,
    Refusal, SameSource, SignInFacts, SignInPlan, Wanted, plan_admin, plan_end_of_account, plan_end_of_grant,
    plan_record, plan_sign_in, wanted,
};
pub use policy::{
    AccountEnd, AccountEndRule, AccountIs, Ask, AskText, AuthenticationMethods, ClaimEnd, ClaimIs, ClaimTest,
    Conditions, Context, Day, Decision, Denial, DenyAnswer, Finding, GrantEnd, GrantEndRule, Hold,
    HoldAnswer, Hours, Instant, Network, Offset, Permit, PermitAnswer, Policy, PolicyRule, PolicyRules,
    PolicyTextError, Present, Request, RulePolicy, Span, Stage, Step, TimeOfDay, Trace,
};
pub use store::{
    About, AccountWrite, AuditLog, AuditQuery, AuditSink, Claimed, Collection, Commit, CounterChange,
    CounterName, Cursor, Document, DocumentKey, DocumentName, DocumentQuery, DocumentStore, DocumentText,
    DocumentWrite, Filter, Forgotten, Joining, KeyChanges, MEMBERSHIPS, Matches, Member, MemberChange,
    Memberships, NetMembers, ONE_TIME_BYTES, OneTime, OneTimeKey, Over, PAGE_ITEMS, Page, Query, Seen,
    Settlement, Store, Task, TaskKind, TaskQueue, Tenants, UNIQUE_INDEXES, UserStore,
};
pub use target::{
    Capabilities, Desired, DesiredState, Differences, Drift, DriftLook, Effect, FaultScope, Holdings,
    ListCursor, Listed, Listing, Marker, MarkerKey, MarkerKeyError, Mirrored, Mirroring, Observed,
    QuarantineRules, RemoteEntitlement, RemoteRef, Secret, SecretRules, ShownEnd, StopLimit, Target,
    TargetFault, TargetRole, TargetSetup, UnattendedEnd, Whose,
};

/// What macros of this crate refer to.
#[doc(hidden)]
pub mod __jit {
    pub use async_trait::async_trait;
    pub use chrono::TimeDelta;

    pub use crate::reasons::are_codes;

    pub type Instant = chrono::DateTime<chrono::Utc>;
    pub type Limit = std::num::NonZeroUsize;
    pub type Asked = std::collections::BTreeSet<crate::RemoteEntitlement>;
}

/// Doubles of every port, for tests of applications.
#[cfg(feature = "mocks")]
pub use {
    clock::{MockClock, MockEntropy, MockPulse},
    engine::{MockNotices, MockTeller, MockTrigger},
    mapping::MockAttributeMapper,
    mocks::MockStore,
    policy::MockPolicy,
    store::{MockAuditLog, MockAuditSink, MockDocumentStore, MockOneTime, MockTaskQueue, MockUserStore},
    target::MockTarget,
};
