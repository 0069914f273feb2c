//! The account: one person or workload, with everything that was given to it and by whom.

mod grant;
mod lookup;
mod mirror;
mod over;
mod state;
mod user_name;

use std::{collections::BTreeMap, fmt};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    AccountId, AttributeName, Elevation, EmailAddress, EmailTrust, ExternalKey, HeldRecord, Lease, TargetId,
    TaskId, TenantId, WaitingLeave,
};

pub use grant::{Entitlement, EntitlementKind, EntitlementPattern, Grant, Provenance, Source};
pub use lookup::LookupKey;
pub use mirror::{Mirror, MirrorState};
pub use state::{AccountState, Standing};
pub use user_name::{NameError, UserName};

/// Keeps everything known of one account. `Debug` prints ids and state, never personal data.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// Counts the commits that changed it; a commit names the version it was planned on.
    pub version: u64,
    /// Whether it may be used.
    pub state: AccountState,
    /// Its user name, unique in the tenant by its comparison key.
    pub user_name: Option<UserName>,
    /// Its e-mail address with the grade it was proved at.
    pub email: Option<AccountEmail>,
    /// Its attributes, each value with its origin.
    #[serde(default)]
    pub attributes: BTreeMap<AttributeName, Vec<AttributeValue>>,
    /// The identities that may sign in to it.
    #[serde(default)]
    pub identities: Vec<LinkedIdentity>,
    /// What it holds.
    #[serde(default)]
    pub grants: Vec<Grant>,
    /// What the person consented to, by the name of the terms.
    #[serde(default)]
    pub consents: BTreeMap<String, DateTime<Utc>>,
    /// Sessions, tokens and local credentials issued under an earlier epoch are void.
    #[serde(default)]
    pub credential_epoch: u64,
    /// When it came into being.
    #[serde(with = "crate::instant")]
    pub created_at: DateTime<Utc>,
    /// When a commit last changed it.
    #[serde(with = "crate::instant")]
    pub updated_at: DateTime<Utc>,
    /// When it first came into use; until then nothing but its own approval or proof brings it there.
    #[serde(default, with = "crate::instant::option", skip_serializing_if = "Option::is_none")]
    pub activated_at: Option<DateTime<Utc>>,
    /// Identities that were cut off: only a proof by the owner links them again. Once [`Account::MOST_CUT_OFF`] are kept,
    /// nothing else links any identity: which ones were cut off after them is not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cut_off: Vec<ExternalKey>,
    /// When it ends by itself.
    #[serde(default, with = "crate::instant::option")]
    pub ends_at: Option<DateTime<Utc>>,
    /// Who said so: what an administrator said, a connection may only shorten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_set_by: Option<Source>,
    /// The end that an administrator set, kept while a connection shortens it: see [`Account::end_of_administrator`].
    #[serde(default, with = "crate::instant::option", skip_serializing_if = "Option::is_none")]
    pub admin_end: Option<DateTime<Utc>>,
    /// How long it may go unused before it ends.
    #[serde(default, with = "milliseconds", skip_serializing_if = "Option::is_none")]
    pub idle_limit: Option<TimeDelta>,
    /// The task that looks after its end, so that a moved end replaces it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_review: Option<TaskId>,
    /// When it was last used, to the granularity of the engine's coalescing.
    #[serde(default, with = "crate::instant::option")]
    pub last_seen: Option<DateTime<Utc>>,
    /// From when on it may be used, where its source set a beginning.
    #[serde(default, with = "crate::instant::option", skip_serializing_if = "Option::is_none")]
    pub begins_at: Option<DateTime<Utc>>,
    /// What provisioning connections last said of its person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<HeldRecord>,
    /// The remote account that this account stands for, lent for a time; `None` for people and workloads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Box<Lease>>,
    /// What is lent to a remote account that existed before, which this account stands for; `None` for all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elevation: Option<Box<Elevation>>,
    /// How it stands in the targets that it is mirrored to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mirrors: Vec<Mirror>,
}

impl Account {
    /// Begins an account that holds nothing yet.
    #[must_use]
    pub fn begin(id: AccountId, tenant: TenantId, state: AccountState, now: DateTime<Utc>) -> Self {
        let activated_at = (state == AccountState::Active).then_some(now);
        Self {
            id,
            tenant,
            version: 1,
            state,
            user_name: None,
            email: None,
            attributes: BTreeMap::new(),
            identities: Vec::new(),
            grants: Vec::new(),
            consents: BTreeMap::new(),
            credential_epoch: 0,
            created_at: now,
            updated_at: now,
            activated_at,
            cut_off: Vec::new(),
            ends_at: None,
            end_set_by: None,
            admin_end: None,
            idle_limit: None,
            end_review: None,
            last_seen: None,
            begins_at: None,
            records: Vec::new(),
            lease: None,
            elevation: None,
            mirrors: Vec::new(),
        }
    }

    /// The end that an administrator set, which a connection may shorten, and not lift.
    #[must_use]
    pub fn end_of_administrator(&self) -> Option<DateTime<Utc>> {
        let set_last = self.end_set_by == Some(Source::Administrator);
        // Documents that were written earlier bear it as the end alone.
        self.admin_end.or(self.ends_at.filter(|_| set_last))
    }

    /// Tells whether it stands for something in a target instead of for a person or workload.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        self.lease.is_some() || self.elevation.is_some()
    }

    /// The most identities that are remembered as cut off.
    pub const MOST_CUT_OFF: usize = 64;

    /// Tells whether the identity was cut off, or so many were that it may have been.
    #[must_use]
    pub fn is_cut_off(&self, key: &ExternalKey) -> bool {
        self.cut_off.len() >= Self::MOST_CUT_OFF || self.cut_off.contains(key)
    }

    pub(crate) fn remember_cut_off(&mut self, key: &ExternalKey) {
        if !self.is_cut_off(key) {
            self.cut_off.push(key.clone());
        }
    }

    /// Forgets that an identity was cut off. A full list stays full, since others may be missing in it.
    pub(crate) fn let_back_in(&mut self, key: &ExternalKey) {
        if self.cut_off.len() < Self::MOST_CUT_OFF {
            self.cut_off.retain(|other| other != key);
        }
    }

    /// Tells whether the identity may sign in to this account.
    #[must_use]
    pub fn is_linked_to(&self, key: &ExternalKey) -> bool {
        self.identities.iter().any(|identity| identity.key == *key)
    }

    /// What was last heard of the person in one record.
    #[must_use]
    pub fn record(&self, key: &ExternalKey) -> Option<&HeldRecord> {
        self.records.iter().find(|record| record.key == *key)
    }

    /// How it stands in a target that it is mirrored to.
    #[must_use]
    pub fn mirror(&self, target: &TargetId) -> Option<&Mirror> {
        self.mirrors.iter().find(|mirror| mirror.target == *target)
    }

    /// Tells whether a grant for the entitlement is in force at `now`.
    #[must_use]
    pub fn holds(&self, entitlement: &Entitlement, now: DateTime<Utc>) -> bool {
        self.grants.iter().any(|grant| grant.entitlement == *entitlement && grant.is_in_force(now))
    }

    /// The next instant at which the account ends by itself, by date or by disuse.
    #[must_use]
    pub fn next_end(&self) -> Option<DateTime<Utc>> {
        match (self.ends_at, self.idle_at()) {
            (Some(end), Some(idle)) => Some(end.min(idle)),
            (end, idle) => end.or(idle),
        }
    }

    /// The instant at which disuse ends the account. Use is recorded to within [`Account::seen_granularity`], which is
    /// added, so that disuse never counts from before the last use.
    #[must_use]
    pub fn idle_at(&self) -> Option<DateTime<Utc>> {
        let span = self.idle_limit?.checked_add(&self.seen_granularity()?)?;
        let since = self.last_seen.unwrap_or(self.created_at);
        self.begins_at.map_or(since, |begin| begin.max(since)).checked_add_signed(span)
    }

    /// How exactly the use of an account that disuse may end is recorded.
    #[must_use]
    pub fn seen_granularity(&self) -> Option<TimeDelta> {
        self.idle_limit.map(|limit| limit / 64)
    }

    /// Tells whether the account may be used at `now`, and if not, why.
    #[must_use]
    pub fn standing(&self, now: DateTime<Utc>) -> Standing {
        Standing::of(self, now)
    }

    /// The leaves that wait for an administrator, over whichever connection.
    #[must_use]
    pub fn waiting_leaves(&self) -> Vec<WaitingLeave> {
        self.records.iter().filter_map(WaitingLeave::of).collect()
    }

    /// The keys by which the account can be found: its e-mail address and searchable attributes; of a lease that may
    /// still be in its target, target and holder, and of one that is over for good, since when; of any lease, what it made; the
    /// targets that it is mirrored to; of a leave that waits, its connection, and that one waits.
    #[must_use]
    pub fn lookup_keys(&self) -> Vec<LookupKey> {
        let email = self.email.iter().map(|email| LookupKey::email(&email.address));
        let attributes = self.attributes.iter().flat_map(|(name, values)| {
            values
                .iter()
                .filter(|value| value.searchable)
                .map(|value| LookupKey::attribute(name, &value.text))
        });
        let lease = self
            .lease
            .iter()
            .filter(|lease| lease.is_live())
            .flat_map(|lease| [LookupKey::leased_at(&lease.target), LookupKey::leased_for(lease.holder)]);
        let made = self.lease.as_deref().and_then(Lease::made).map(LookupKey::leased_as);
        let is_over = matches!(self.state, AccountState::Ended { .. });
        let parked = self.records.iter().filter(|record| record.parked.is_some() && !is_over);
        let parked = parked
            .flat_map(|record| [LookupKey::parked_leave(&record.key.connection), LookupKey::parked_leaves()]);
        let elevation = self.elevation.iter().filter(|elevation| elevation.is_live());
        let elevation = elevation.map(|elevation| LookupKey::elevated_at(&elevation.target));
        let mirrors = self.mirrors.iter().filter(|mirror| mirror.may_be_there());
        let mirrors = mirrors.map(|mirror| LookupKey::mirrored_at(&mirror.target));
        let over = self.over_since().map(LookupKey::over_since);
        let remote = lease.chain(made).chain(over).chain(elevation).chain(mirrors);
        let mut keys: Vec<_> = email.chain(attributes).chain(remote).chain(parked).collect();
        keys.sort();
        keys.dedup();
        keys
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("id", &self.id)
            .field("tenant", &self.tenant)
            .field("version", &self.version)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// Keeps an e-mail address with what proved it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountEmail {
    /// The address.
    pub address: EmailAddress,
    /// The best grade it was ever proved at, for this address.
    pub trust: EmailTrust,
    /// Who gave it.
    pub provenance: Provenance,
}

/// Keeps one value of an attribute with who gave it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributeValue {
    /// The value.
    pub text: String,
    /// Who gave it.
    pub provenance: Provenance,
    /// Whether accounts can be found by it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub searchable: bool,
}

impl fmt::Debug for AttributeValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AttributeValue(… by {:?})", self.provenance.source)
    }
}

/// Keeps one identity that may sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkedIdentity {
    /// The key.
    pub key: ExternalKey,
    /// When it was linked.
    #[serde(with = "crate::instant")]
    pub linked_at: DateTime<Utc>,
    /// By what proof.
    pub proof: LinkProof,
}

/// Says what proved that an identity belongs to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LinkProof {
    /// The account came into being at this identity's first sign-in.
    FirstSignIn,
    /// The account came into being at this identity's first record.
    FirstRecord,
    /// Another connection of the same source names the person by this identity.
    SameSource,
    /// A verified address of a domain that the connection speaks for.
    AuthoritativeEmail,
    /// A searchable attribute that the connection is configured to match by.
    MatchedAttribute,
    /// The person signed in with an identity that was linked before.
    OtherIdentity,
    /// The person received a message at the address that the account had.
    Mail,
    /// The application re-authenticated the person with a local credential.
    Reauthentication,
    /// An administrator said so.
    Administrator,
}

/// Keeps spans as whole milliseconds.
mod milliseconds {
    use chrono::TimeDelta;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "the signature that serde calls")]
    pub(super) fn serialize<S: Serializer>(
        span: &Option<TimeDelta>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        span.map(|span| span.num_milliseconds()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<TimeDelta>, D::Error> {
        let milliseconds = Option::<i64>::deserialize(deserializer)?;
        Ok(milliseconds.and_then(TimeDelta::try_milliseconds))
    }
}
