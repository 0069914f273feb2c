//! A house with one holder, and a real directory as its target.

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use jit_core::*;
use jit_ldap::target::GroupSettings;
use jit_ldap::{
    ActiveDirectorySettings, ActiveDirectoryTarget, Attribute, AttributeName, Connection, Directory, Dn,
    EntryName, Filter, OpenLdapSettings, OpenLdapTarget, Password, Scope, Search,
};

use crate::active_directory::samba;
use crate::peer::Peer;

/// Both kinds of directory, through the same doors.
pub(crate) enum World {
    OpenLdap(Box<Peer>),
    Windows(&'static Peer),
}

impl World {
    pub(crate) async fn both() -> [Self; 2] {
        [Self::open_ldap(), Self::windows().await]
    }

    pub(crate) fn open_ldap() -> Self {
        Self::OpenLdap(Box::new(Peer::start("slapd")))
    }

    pub(crate) async fn windows() -> Self {
        Self::Windows(samba().await)
    }

    pub(crate) fn peer(&self) -> &Peer {
        match self {
            Self::OpenLdap(peer) => peer,
            Self::Windows(peer) => peer,
        }
    }

    pub(crate) fn base(&self) -> Dn {
        self.peer().below("OU=jit")
    }

    pub(crate) fn dn(&self, name: &str) -> Dn {
        let kind = if matches!(self, Self::OpenLdap(_)) { "uid" } else { "CN" };
        self.base().child(jit_ldap::Rdn::new(kind, name).unwrap())
    }

    pub(crate) fn marker(&self) -> AttributeName {
        let name = if matches!(self, Self::OpenLdap(_)) { "description" } else { "adminDescription" };
        AttributeName::new(name).unwrap()
    }

    pub(crate) fn target(&self) -> Arc<dyn Target> {
        self.target_at(self.peer().directory())
    }

    pub(crate) fn target_at(&self, directory: Directory) -> Arc<dyn Target> {
        match self {
            Self::OpenLdap(peer) => Arc::new(OpenLdapTarget::new(directory, &open_ldap(peer)).unwrap()),
            Self::Windows(peer) => Arc::new(ActiveDirectoryTarget::new(directory, &windows(peer)).unwrap()),
        }
    }

    /// The same behind a table in which a name stands for the group of another name, which stands for none.
    pub(crate) fn target_pointed_elsewhere(&self, name: &str, at: &str) -> Arc<dyn Target> {
        let directory = self.peer().directory();
        match self {
            Self::OpenLdap(peer) => {
                let mut settings = open_ldap(peer);
                let group = settings.groups.remove(at).unwrap();
                settings.groups.insert(name.to_owned(), group);
                Arc::new(OpenLdapTarget::new(directory, &settings).unwrap())
            }
            Self::Windows(peer) => {
                let mut settings = windows(peer);
                let group = settings.groups.remove(at).unwrap();
                settings.groups.insert(name.to_owned(), group);
                Arc::new(ActiveDirectoryTarget::new(directory, &settings).unwrap())
            }
        }
    }

    /// Somebody who may do everything below the place of the accounts.
    pub(crate) async fn administrator(&self) -> Connection {
        let Self::Windows(peer) = self else { return self.peer().as_service().await };
        administrator_of(peer).await
    }

    pub(crate) fn group(&self, name: &str) -> EntryName {
        EntryName::Dn(self.peer().below(&format!("CN={name},OU=groups")))
    }

    /// Whether a group has a member of this name.
    pub(crate) async fn is_member(&self, group: &str, account: &Dn) -> bool {
        let group = self.peer().below(&format!("CN={group},OU=groups"));
        let filter = Filter::equals(&AttributeName::MEMBER, account.to_string());
        let search = Search::new(group, Scope::Base, filter);
        self.peer().as_service().await.read(&search).await.unwrap().is_some()
    }

    pub(crate) async fn exists(&self, dn: &Dn) -> bool {
        self.peer().as_service().await.read(&Search::entry(dn)).await.unwrap().is_some()
    }
}

pub(crate) async fn administrator_of(peer: &Peer) -> Connection {
    let mut connection = peer.connect().await;
    let password = Password::new("Adm1nistrator-Passw0rd").unwrap();
    connection.bind("Administrator@jit.test", &password, &[]).await.unwrap();
    connection
}

pub(crate) fn open_ldap(peer: &Peer) -> OpenLdapSettings {
    let place = peer.below("ou=jit").to_string();
    let mut settings = OpenLdapSettings::new(&place, ("jit", &place));
    settings.places.insert("nowhere".into(), peer.below("ou=nowhere,ou=jit").to_string());
    for group in ["ops", "staff", "ghost"] {
        settings.groups.insert(group.into(), peer.below(&format!("cn={group},ou=groups")).to_string());
    }
    settings.password_policy = true;
    settings.groups_follow = true;
    settings.people = Some(peer.base().to_string());
    settings
}

pub(crate) fn windows(peer: &Peer) -> ActiveDirectorySettings {
    let place = peer.below("OU=JIT").to_string();
    let mut settings = ActiveDirectorySettings::new(&place, ("jit", &place), "jit.test");
    settings.places.insert("nowhere".into(), peer.below("OU=Nowhere,OU=JIT").to_string());
    let mut group = |name: &str, dn: &str| {
        settings.groups.insert(name.into(), GroupSettings::Plain(peer.below(dn).to_string()));
    };
    for name in ["ops", "staff", "ghost"] {
        group(name, &format!("CN={name},OU=Groups"));
    }
    group("rulers", "CN=Domain Admins,CN=Users");
    group("administrators", "CN=Administrators,CN=Builtin");
    settings.settles_seconds = 0;
    settings.people = Some(peer.below("OU=People").to_string());
    settings
}

/// A deployment of its own for each test, which share the domain controller.
pub(crate) struct House {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) holder: AccountId,
    pub(crate) key: MarkerKey,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) jit: Jit,
}

pub(crate) fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

pub(crate) fn target_id() -> TargetId {
    TargetId::new("directory").unwrap()
}

static SEEDS: AtomicU64 = AtomicU64::new(1);

pub(crate) fn seed() -> u64 {
    SEEDS.fetch_add(1, Ordering::Relaxed) + u64::from(std::process::id()) * 1000
}

impl House {
    /// Its clock stands before the server's by so many minutes.
    pub(crate) async fn behind(target: Arc<dyn Target>, minutes: i64) -> Self {
        Self::behind_on(Arc::new(MemoryStore::new()), target, minutes).await
    }

    /// The same on a store that another house uses as well.
    pub(crate) async fn behind_on(store: Arc<MemoryStore>, target: Arc<dyn Target>, minutes: i64) -> Self {
        let (seed, now) = (seed(), SystemClock.now() - TimeDelta::minutes(minutes));
        let clock = Arc::new(ManualClock::at(now));
        let mut mint = Mint::new(now, [9; 16]);
        let mut account = Account::begin(mint.account(), tenant(), AccountState::Active, now);
        let by = Provenance::of(Source::Administrator);
        account.grants.push(Grant::new(mint.grant(), operator(), by, now));
        let holder = account.id;
        let commit = Commit { account: Some(AccountWrite::create(account)), ..Commit::new(tenant()) };
        store.commit(&commit).await.unwrap();
        let key = MarkerKey::new(&format!("t{seed}"), &[5; 32]).unwrap();
        let jit = engine(store.clone(), &clock, setup(target, &key), seed);
        Self { clock, holder, key, store, jit }
    }

    /// The same house after its settings changed.
    pub(crate) fn anew(&self, store: Arc<MemoryStore>, target: Arc<dyn Target>) -> Self {
        let Self { clock, holder, key, .. } = self;
        let jit = engine(store.clone(), clock, setup(target, key), seed());
        Self { clock: Arc::clone(clock), holder: *holder, key: key.clone(), store, jit }
    }

    /// The same in another process, which knows of our credentials what is in the store.
    pub(crate) fn in_another_process(&self, target: Arc<dyn Target>) -> Self {
        let Self { clock, holder, key, store, .. } = self;
        let setup = setup(target, key).proving_with("directory", &[b"jit", b"secret"]);
        let jit = engine(store.clone(), clock, setup, seed());
        Self { clock: Arc::clone(clock), holder: *holder, key: key.clone(), store: store.clone(), jit }
    }

    pub(crate) fn request(&self, role: &str, minutes: i64) -> CheckOut {
        CheckOut {
            tenant: tenant(),
            store: None,
            holder: self.holder,
            by: self.by(),
            target: target_id(),
            role: RuleName::new(role).unwrap(),
            span: TimeDelta::minutes(minutes),
            key: None,
            purpose: None,
        }
    }

    pub(crate) fn by(&self) -> Actor {
        Actor::Account { id: self.holder }
    }

    pub(crate) async fn out(&self, minutes: i64) -> CheckedOut {
        self.jit.check_out(&self.request("admin", minutes)).await.unwrap()
    }

    pub(crate) async fn check_in(&self, lease: AccountId) -> Result<Lease, JitError> {
        self.jit.check_in(None, &tenant(), lease, self.by()).await
    }

    pub(crate) async fn work(&self) -> WorkReport {
        let worker = WorkerId::new("w1").unwrap();
        self.jit.work_target(&worker, &target_id(), NonZeroUsize::new(100).unwrap()).await.unwrap()
    }

    /// Works once more, when an hour has passed.
    pub(crate) async fn an_hour_later(&self) -> WorkReport {
        self.clock.advance(TimeDelta::hours(1));
        self.work().await
    }

    /// What is left in the directory of this house, by the markers that only it can make.
    pub(crate) async fn left(&self, target: &dyn Target) -> Vec<RemoteRef> {
        let Listing::Complete(all) = target.list(None).await.unwrap() else { panic!("a whole listing") };
        let all = all.into_iter().map(|listed| listed.remote);
        all.filter(|remote| self.key.reads(&remote.marker).is_some()).collect()
    }
}

fn operator() -> Entitlement {
    Entitlement::role("operator").unwrap()
}

fn setup(target: Arc<dyn Target>, key: &MarkerKey) -> TargetSetup {
    let role = |groups: &[&str]| {
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        // some tests lend to one person again and again
        TargetRole::new(TimeDelta::hours(8), vec![operator()]).with(groups).per_holder(NonZeroU32::MAX)
    };
    let named = |name: &str| RuleName::new(name).unwrap();
    TargetSetup::new(target_id(), target, key.clone())
        .for_tenants([tenant()])
        .role(named("admin"), role(&["ops", "staff"]).in_place("jit"))
        .role(named("ops"), role(&["ops"]).in_place("jit"))
        .role(named("lost"), role(&["ops"]).in_place("nowhere"))
        .role(named("unplaced"), role(&["ops"]).in_place("elsewhere"))
        .role(named("unknown"), role(&["ops", "nobody-knows"]).in_place("jit"))
        .role(named("ghost"), role(&["ops", "ghost"]).in_place("jit"))
        .role(named("rulers"), role(&["rulers"]).in_place("jit"))
        .role(named("administrators"), role(&["administrators"]).in_place("jit"))
        .role(named("lift"), role(&["ops", "staff"]).elevating(Whose::Named))
        .role(named("lift-ops"), role(&["ops"]).elevating(Whose::Named))
        .role(named("lift-ghost"), role(&["ghost"]).elevating(Whose::Named))
        .role(named("lift-unknown"), role(&["nobody-knows"]).elevating(Whose::Named))
        .role(named("lift-rulers"), role(&["rulers"]).elevating(Whose::Named))
}

fn engine(store: Arc<MemoryStore>, clock: &Arc<ManualClock>, setup: TargetSetup, seed: u64) -> Jit {
    Jit::builder(store)
        .clock(Arc::clone(clock) as _)
        .entropy(Arc::new(SeededEntropy::new(seed)))
        .leases_per_holder(NonZeroU32::MAX)
        .target(setup)
        .build()
        .unwrap()
}

pub(crate) fn secret() -> Secret {
    SecretRules::default().draw(&SeededEntropy::new(seed())).unwrap()
}

/// An account without an engine.
pub(crate) fn remote(name: &str) -> RemoteRef {
    let now: DateTime<Utc> = SystemClock.now();
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&seed().to_be_bytes());
    let lease = Mint::new(now, bytes).account();
    let marker = MarkerKey::new("direct", &[6; 32]).unwrap().mark(&tenant(), lease);
    RemoteRef { name: name.to_owned(), place: Some("jit".to_owned()), marker, native: None, home: None }
}

pub(crate) fn present(remote: &RemoteRef, groups: &[&str], secret: Option<&Secret>) -> Desired {
    let state = DesiredState::Present {
        entitlements: groups.iter().map(|group| (*group).to_owned()).collect(),
        secret: secret.cloned(),
        ends_at: SystemClock.now() + TimeDelta::hours(1),
    };
    Desired { remote: remote.clone(), state }
}

pub(crate) fn absent(remote: &RemoteRef) -> Desired {
    Desired { remote: remote.clone(), state: DesiredState::Absent { given: None } }
}

/// Makes it and returns it with its identifier.
pub(crate) async fn made(target: &dyn Target, name: &str, groups: &[&str], secret: &Secret) -> RemoteRef {
    let mut remote = remote(name);
    let Effect::Present { native, .. } =
        target.ensure(&present(&remote, groups, Some(secret))).await.unwrap()
    else {
        panic!("it is made")
    };
    remote.native = Some(native);
    remote
}

/// What somebody else might make under a name.
pub(crate) fn stranger(world: &World, name: &str) -> Vec<Attribute> {
    let with = |class: &str, names: &[AttributeName]| {
        let mut attributes = vec![Attribute::new(AttributeName::OBJECT_CLASS, [class])];
        attributes.extend(names.iter().map(|kind| Attribute::new(kind.clone(), [name])));
        attributes
    };
    match world {
        World::OpenLdap(_) => with(
            "inetOrgPerson",
            &[AttributeName::USER_ID, AttributeName::COMMON_NAME, AttributeName::SURNAME],
        ),
        // without a name to log in by it gets one
        World::Windows(_) => with("user", &[]),
    }
}
