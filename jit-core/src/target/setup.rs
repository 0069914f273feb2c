//! What an application says about a target: the port, and the roles that can be checked out.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    num::{NonZeroU32, NonZeroUsize},
    sync::Arc,
};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Circuit, HealthView, MarkerKey, Mirroring, Pace, Proof, SecretRules, Target, UnmarkedView};
use crate::{Account, AttributeName, ConnectionId, Entitlement, Lease, RuleName, Source, TargetId, TenantId};

/// How many leases by one role one holder may have at once.
const PER_HOLDER: NonZeroU32 = NonZeroU32::MIN.saturating_add(49);

/// Describes one role that can be checked out at a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetRole {
    pub(crate) place: Option<String>,
    pub(crate) entitlements: Vec<String>,
    pub(crate) longest: TimeDelta,
    pub(crate) privileged: bool,
    pub(crate) per_holder: NonZeroU32,
    pub(crate) holders: Vec<Entitlement>,
    pub(crate) elevates: Option<Whose>,
}

/// Says whose account in the target a role elevates.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "an account is named in one of these ways")]
pub enum Whose {
    /// The one that the application names with each request. It answers for whose it is.
    Named,
    /// The one that an attribute of the holder names. A value counts only if an administrator or one of these connections
    /// gave it.
    Attribute {
        /// The attribute.
        name: AttributeName,
        /// Whom to believe, beside administrators.
        given_by: Vec<ConnectionId>,
    },
}

impl Whose {
    /// Names the account in the target; `None` where nobody who is believed names exactly one. `named` is the application's
    /// word, which counts for [`Whose::Named`] alone.
    #[must_use]
    pub fn name(&self, holder: &Account, named: Option<&str>) -> Option<String> {
        let Self::Attribute { name, given_by } = self else { return named.map(str::to_owned) };
        let is_believed = |source: &Source| match source {
            Source::Connection(connection) => given_by.contains(connection),
            Source::Administrator => true,
            Source::Person | Source::PreExisting => false,
        };
        let values = holder.attributes.get(name).into_iter().flatten();
        let values = values.filter(|value| is_believed(&value.provenance.source));
        let texts: BTreeSet<_> = values.map(|value| value.text.as_str()).collect();
        let only = texts.first().filter(|_| texts.len() == 1 && named.is_none());
        only.map(|text| (*text).to_owned())
    }
}

impl TargetRole {
    /// Describes a role that may be held for `longest` in all, by accounts that hold one of `holders`.
    #[must_use]
    pub fn new(longest: TimeDelta, holders: Vec<Entitlement>) -> Self {
        Self {
            place: None,
            entitlements: Vec::new(),
            longest,
            privileged: false,
            per_holder: PER_HOLDER,
            holders,
            elevates: None,
        }
    }

    /// Puts the remote accounts into a place that the target knows by this name.
    #[must_use]
    pub fn in_place(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// Gives the remote accounts these entitlements, by the target's own names.
    #[must_use]
    pub fn with(mut self, entitlements: Vec<String>) -> Self {
        self.entitlements = entitlements;
        self
    }

    /// Lends the entitlements to an account of the target that existed before, instead of making one.
    #[must_use]
    pub fn elevating(mut self, whose: Whose) -> Self {
        self.elevates = Some(whose);
        self
    }

    /// Ends before others when many end at once.
    #[must_use]
    pub fn privileged(mut self) -> Self {
        self.privileged = true;
        self
    }

    /// Bounds how many leases by it one holder may have at once: 50 unless said otherwise. One takes a place until the
    /// target has proved that it is not there. See also [`JitBuilder::leases_per_holder`](crate::JitBuilder::leases_per_holder).
    #[must_use]
    pub fn per_holder(mut self, most: NonZeroU32) -> Self {
        self.per_holder = most;
        self
    }

    /// Tells whether it still gives all that a lease holds.
    pub(crate) fn gives(&self, lease: &Lease) -> bool {
        lease.entitlements.iter().all(|held| self.entitlements.contains(held))
    }

    pub(crate) fn admits(&self, account: &Account, now: DateTime<Utc>) -> bool {
        self.holders.iter().any(|entitlement| account.holds(entitlement, now))
    }
}

/// Describes a target to the engine.
#[derive(Clone)]
pub struct TargetSetup {
    pub(crate) id: TargetId,
    pub(crate) target: Arc<dyn Target>,
    pub(crate) tenants: BTreeSet<TenantId>,
    pub(crate) former_tenants: BTreeSet<TenantId>,
    pub(crate) markers: MarkerKey,
    pub(crate) roles: BTreeMap<RuleName, TargetRole>,
    pub(crate) secrets: SecretRules,
    pub(crate) prefix: String,
    pub(crate) in_flight: TimeDelta,
    pub(crate) at_once: NonZeroUsize,
    pub(crate) pace: Option<Arc<Pace>>,
    pub(crate) overdue_after: TimeDelta,
    pub(crate) circuit: Arc<Circuit>,
    pub(crate) proof: Option<Proof>,
    pub(crate) health: Arc<HealthView>,
    pub(crate) mirroring: Option<Arc<Mirroring>>,
    pub(crate) unmarked: Arc<UnmarkedView>,
}

/// The longest prefix of names: with the thirteen signs that follow, a name fits the twenty that Active Directory allows.
const PREFIX_BYTES: usize = 7;

const MOST_AT_ONCE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(63);

/// How many leases are quarantined at once.
const QUARANTINED: usize = 10;
const MOST_QUARANTINED: usize = 128;

impl TargetSetup {
    /// Describes a target, and the key that marks what is made there. It is nobody's until [`TargetSetup::for_tenants`]
    /// says whose.
    #[must_use]
    pub fn new(id: TargetId, target: Arc<dyn Target>, markers: MarkerKey) -> Self {
        Self {
            id,
            target,
            tenants: BTreeSet::new(),
            former_tenants: BTreeSet::new(),
            markers,
            roles: BTreeMap::new(),
            secrets: SecretRules::default(),
            prefix: "jit-".to_owned(),
            in_flight: TimeDelta::minutes(2),
            at_once: NonZeroUsize::MIN.saturating_add(3),
            pace: None,
            overdue_after: TimeDelta::minutes(15),
            circuit: Arc::default(),
            proof: None,
            health: Arc::default(),
            mirroring: None,
            unmarked: Arc::new(UnmarkedView::of(QUARANTINED)),
        }
    }

    /// Opens the target to the people of these tenants: what they check out is made there, and what their attributes name
    /// is elevated there. To all others it is unknown. Whoever shares a target among tenants trusts the administrators of
    /// each with the accounts of all, where a role elevates the account that an attribute names.
    #[must_use]
    pub fn for_tenants(mut self, tenants: impl IntoIterator<Item = TenantId>) -> Self {
        self.tenants.extend(tenants);
        self
    }

    /// Says that it was open to the people of these tenants, and is closed to them by now: nothing is lent to them there any
    /// longer, nor extended, and what was lent before ends as ever. What is lent to tenants that neither this nor
    /// [`TargetSetup::for_tenants`] names is left alone: they may call another system by the same name.
    #[must_use]
    pub fn formerly_for_tenants(mut self, tenants: impl IntoIterator<Item = TenantId>) -> Self {
        self.former_tenants.extend(tenants);
        self
    }

    /// Tells whether what was lent to a tenant under this name is there, and looked after here.
    pub(crate) fn tends(&self, tenant: &TenantId) -> bool {
        self.tenants.contains(tenant) || self.former_tenants.contains(tenant)
    }

    /// All whose leases are looked after here.
    pub(crate) fn tended(&self) -> BTreeSet<TenantId> {
        self.tenants.union(&self.former_tenants).cloned().collect()
    }

    /// Adds a role.
    #[must_use]
    pub fn role(mut self, name: RuleName, role: TargetRole) -> Self {
        self.roles.insert(name, role);
        self
    }

    /// Mirrors accounts of its tenants there. The target must be able to ([`Capabilities::mirrors`](super::Capabilities)).
    #[must_use]
    pub fn mirroring(mut self, mirroring: Mirroring) -> Self {
        self.mirroring = Some(Arc::new(mirroring));
        self
    }

    /// Replaces what is demanded of secrets.
    #[must_use]
    pub fn secrets(mut self, rules: SecretRules) -> Self {
        self.secrets = rules;
        self
    }

    /// Says by what we prove ourselves there, such as the name and the password of our account, and to which `system`: what
    /// counts failures together, such as the servers of a directory. The main store then keeps that it was refused (as a
    /// digest that only the holder of the deployment's key can make), so that all processes together ask no more often than
    /// one, also one that lives for a single call; other credentials are tried at once. Targets that prove themselves alike to
    /// one system are one to it: what one of them learns of the credentials counts for all. The last part is the secret and
    /// those before it say as whom: whoever is accepted there as the same account, or for the same target, closes the alarm
    /// that another secret raised. Without it each process finds out by itself, for each target.
    #[must_use]
    pub fn proving_with(mut self, system: &str, credentials: &[&[u8]]) -> Self {
        let account = credentials.split_last().map_or(credentials, |(_, account)| account);
        let digest = |kind: &[u8], parts: &[&[u8]]| {
            let system: &[&[u8]] = &[kind, system.as_bytes()];
            self.markers.digest(&[system, parts].concat())
        };
        self.proof = Some(Proof {
            credentials: digest(b"credentials", credentials),
            account: digest(b"account", account),
            system: digest(b"system", &[]),
        });
        self
    }

    /// Begins the names of remote accounts so, instead of with `jit-`: up to seven letters, digits and `-`; the rest is
    /// left out.
    #[must_use]
    pub fn named_with(mut self, prefix: &str) -> Self {
        let allowed = prefix.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-');
        self.prefix = allowed.take(PREFIX_BYTES).collect();
        self
    }

    /// Says how long after it was begun a call to the target may still take effect; two minutes unless said otherwise.
    /// It must be longer than every time limit of the target's client.
    #[must_use]
    pub fn in_flight_for(mut self, span: TimeDelta) -> Self {
        self.in_flight = span;
        self
    }

    /// Lets a round of work ask the target about so many leases at a time; four unless said otherwise, and never more than
    /// 64. What people check out and in does not wait for a place.
    #[must_use]
    pub fn at_once(mut self, count: NonZeroUsize) -> Self {
        self.at_once = count.min(MOST_AT_ONCE);
        self
    }

    /// Works on no more than so many leases in a span, however many are due; without it, as many as there are.
    #[must_use]
    pub fn no_more_than(mut self, count: NonZeroU32, span: TimeDelta) -> Self {
        self.pace = Some(Arc::new(Pace::new(count, span)));
        self
    }

    /// Quarantines no more leases than this at once, because what is there does not bear their markers: ten unless said
    /// otherwise, and never more than 128. The others wait, and one alarm (`target.markers_unknown`) says so: that so many
    /// people took markers is less likely than that the setting of the markers was changed.
    #[must_use]
    pub fn quarantining_at_most(mut self, count: NonZeroUsize) -> Self {
        self.unmarked = Arc::new(UnmarkedView::of(count.get().min(MOST_QUARANTINED)));
        self
    }

    /// Says for how long a lease may be overdue before an alarm is raised; 15 minutes unless said otherwise. Further alarms
    /// come at four times that distance, sixteen times, and so on.
    #[must_use]
    pub fn overdue_after(mut self, span: TimeDelta) -> Self {
        self.overdue_after = span;
        self
    }
}

impl fmt::Debug for TargetSetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TargetSetup")
            .field("id", &self.id)
            .field("roles", &self.roles)
            .finish_non_exhaustive()
    }
}
