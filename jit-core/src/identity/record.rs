//! The witness of a lifecycle event: what a provisioning connection says of one person, verified.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    Assurance, AttestError, Attestation, Attestor, Checks, Claims, SessionHint, Stability, VerifiedIdentity,
};
use crate::{DocumentWrite, ExternalKey, Issuer, RequestId, Subject};

/// Carries what a trigger has verified of one record, for an [`Attestor`] to vouch for. `Debug` prints neither the subject
/// nor claim values.
#[expect(clippy::exhaustive_structs, reason = "a trigger that leaves a fact out must not compile")]
pub struct RecordStatement {
    /// Who speaks, exact bytes.
    pub issuer: Issuer,
    /// Of whom: the name that the source gives for good, such as `externalId` or an employee's number, exact bytes.
    pub subject: Subject,
    /// What is said of them. Absent is not said, empty is empty.
    pub claims: Claims,
    /// Whether that is all, or what changed.
    pub extent: Extent,
    /// Whether they are there.
    pub presence: Presence,
    /// Counts the states of this record, where the source does so: a number that only grows, such as a sequence or the
    /// milliseconds of an instant. What is older than what was heard never overwrites it.
    pub version: Option<u64>,
    /// Names the request: the same one again, right after, changes nothing.
    pub request: Option<RequestId>,
    /// What the source supposes to find.
    pub expected: Expected,
    /// Which checks were made.
    pub checks: Checks,
}

/// Tells whether a record is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a record is whole or it is not")]
pub enum Extent {
    /// Everything that the source has to say.
    Whole,
    /// What changed since the last record. Needs a connection that keeps records, to be read together with it.
    Part,
}

/// Tells whether a person is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the planner answers each of them")]
pub enum Presence {
    /// They are, or will be: a joiner where they are new, a mover where they are known.
    Active {
        /// From when on.
        from: Bound,
        /// Until when; the instant itself is outside.
        until: Bound,
    },
    /// They have left, or will: stopped until the source brings them back and its connection may do so.
    Inactive {
        /// At which instant; `None`: now.
        at: Option<DateTime<Utc>>,
    },
    /// They are gone for good: a tombstone remains.
    Gone,
    /// Not said: it stays as it was heard last, so that claims can be told anew without the presence that once came with
    /// them. Of somebody unknown that says nothing (`record.unknown`).
    Unsaid,
}

impl Presence {
    /// There, with nothing said about since when or until when.
    pub const ACTIVE: Self = Self::Active { from: Bound::Unsaid, until: Bound::Unsaid };
    /// Not there from now on.
    pub const INACTIVE: Self = Self::Inactive { at: None };
}

/// Tells what a source says about a beginning or an end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "unsaid is not open: the planner decides each")]
pub enum Bound {
    /// Nothing: what was known stays.
    #[default]
    Unsaid,
    /// That there is none.
    Open,
    /// That it is at this instant.
    At(DateTime<Utc>),
}

/// Tells what a source supposes to find; anything else is denied and changes nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the engine answers each of them")]
pub enum Expected {
    /// Whatever is there.
    #[default]
    Anything,
    /// Nobody that this record was heard of before (a SCIM `POST`).
    New,
    /// Somebody that this record was heard of before (a SCIM `PUT`, `PATCH` or `DELETE`).
    Known,
    /// The account at this version (`If-Match`).
    Version(u64),
}

/// Proves that a trigger verified a record of one connection. The engine consumes it.
///
/// It has no constructor but [`Attestor::attest_record`], and neither `Clone`, `Default` nor `Deserialize`. What it proves of
/// a person lets nobody in: the identity inside is only lent. `Debug` prints no claim values.
#[must_use = "a verified record has no effect until the engine handles it"]
pub struct VerifiedRecord {
    identity: VerifiedIdentity,
    extent: Extent,
    presence: Presence,
    version: Option<u64>,
    request: Option<RequestId>,
    expected: Expected,
    documents: Vec<DocumentWrite>,
}

impl Attestor {
    /// Vouches for a record that a trigger has verified.
    ///
    /// # Errors
    /// `identity.foreign_issuer` when the connection does not trust the issuer.
    pub fn attest_record(&self, statement: RecordStatement) -> Result<VerifiedRecord, AttestError> {
        let identity = self.attest(Attestation {
            issuer: statement.issuer,
            subject: statement.subject,
            stability: Stability::Persistent,
            claims: statement.claims,
            assurance: Assurance::default(),
            session: SessionHint::default(),
            checks: statement.checks,
        })?;
        Ok(VerifiedRecord {
            identity,
            extent: statement.extent,
            presence: statement.presence,
            version: statement.version,
            request: statement.request,
            expected: statement.expected,
            documents: Vec::new(),
        })
    }
}

impl VerifiedRecord {
    /// The key: (tenant, connection, issuer, external id).
    #[must_use]
    pub fn key(&self) -> &ExternalKey {
        self.identity.key()
    }

    /// Who it is about, with what was said, for mapping and policy.
    pub fn identity(&self) -> &VerifiedIdentity {
        &self.identity
    }

    /// Whether it is whole.
    #[must_use]
    pub fn extent(&self) -> Extent {
        self.extent
    }

    /// Whether the person is there.
    #[must_use]
    pub fn presence(&self) -> Presence {
        self.presence
    }

    /// The state of the record that it tells of.
    #[must_use]
    pub fn version(&self) -> Option<u64> {
        self.version
    }

    /// The request that it came with.
    #[must_use]
    pub fn request(&self) -> Option<&RequestId> {
        self.request.as_ref()
    }

    /// What the source supposes to find.
    #[must_use]
    pub fn expected(&self) -> Expected {
        self.expected
    }

    /// Keeps documents along with what the record changes: one commit, also where it changes nothing else. They are
    /// documents of the record's connection, about its person. Nothing is kept where the record is denied or outdated.
    pub fn keeping(mut self, documents: Vec<DocumentWrite>) -> Self {
        self.documents = documents;
        self
    }

    /// The documents that are kept along with it.
    #[must_use]
    pub fn documents(&self) -> &[DocumentWrite] {
        &self.documents
    }

    /// Takes the documents out, so that they need not be copied to be committed.
    pub(crate) fn take_documents(&mut self) -> Vec<DocumentWrite> {
        std::mem::take(&mut self.documents)
    }

    /// Reads what changed together with what was said before.
    pub(crate) fn on_top_of(&self, before: &Claims) -> Self {
        Self {
            identity: self.identity.saying(before.overlaid(self.identity.claims())),
            extent: Extent::Whole,
            presence: self.presence,
            version: self.version,
            request: self.request.clone(),
            expected: self.expected,
            // What is kept is kept as it came, and not what it is read with.
            documents: Vec::new(),
        }
    }
}

impl fmt::Debug for RecordStatement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordStatement")
            .field("issuer", &self.issuer)
            .field("claims", &self.claims)
            .field("extent", &self.extent)
            .field("presence", &self.presence)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for VerifiedRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedRecord")
            .field("identity", &self.identity)
            .field("extent", &self.extent)
            .field("presence", &self.presence)
            .field("version", &self.version)
            .field("expected", &self.expected)
            .finish_non_exhaustive()
    }
}

/// Keeps what a provisioning connection last said of the account's person. `Debug` prints no claim values.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct HeldRecord {
    /// Which record: (tenant, connection, issuer, external id).
    pub key: ExternalKey,
    /// Whether the person was there.
    pub presence: HeldPresence,
    /// Which state of the record it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// The last request that changed something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestId>,
    /// Everything that was said, where the connection keeps records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<Claims>,
    /// Since when a leave waits for an administrator, since too many came at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parked: Option<DateTime<Utc>>,
    /// What was so before the leave that waits: that they were there, where nothing was heard before. `None` where nothing
    /// waits, or waited already before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_parked: Option<HeldPresence>,
}

/// Tells whether a person was there when a record was last heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "the planner answers each of them")]
pub enum HeldPresence {
    /// They were.
    Active,
    /// They had left.
    Inactive,
    /// They were gone for good.
    Gone,
}

/// Names a leave that waits for an administrator as somebody saw it, so that nobody decides what they have not seen: what another
/// connection said, or what was said since then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WaitingLeave {
    /// Which record.
    pub key: ExternalKey,
    /// What waits: a leave, or a removal for good.
    pub presence: HeldPresence,
    /// Since when.
    pub since: DateTime<Utc>,
}

impl WaitingLeave {
    /// Names what waits of a record; `None` where nothing does.
    #[must_use]
    pub fn of(held: &HeldRecord) -> Option<Self> {
        Some(Self { key: held.key.clone(), presence: held.presence, since: held.parked? })
    }

    /// Tells whether it is what waits of this record, not changed since it was seen.
    #[must_use]
    pub fn is_still(&self, held: &HeldRecord) -> bool {
        self.key == held.key && self.presence == held.presence && held.parked == Some(self.since)
    }
}

impl fmt::Debug for HeldRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldRecord")
            .field("connection", &self.key.connection)
            .field("presence", &self.presence)
            .field("version", &self.version)
            .field("parked", &self.parked)
            .finish_non_exhaustive()
    }
}
