//! A wrong password of our own at a directory that locks accounts after three failures: it is tried once, however many ask.

mod held;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use jit_core::config::{self, ConnectionConfig, Format};
use jit_core::*;
use jit_ldap::{
    Attribute, AttributeName, BindEvidence, Directory, Dn, EntryName, IdAttribute, Import, ImportSettings,
    LdapTrigger, Modification, OpenLdapTarget, PoolSettings, Search, Server, ServiceAccount, SignInSettings,
    Systems,
};

use crate::peer::Peer;
use crate::target::{House, World, open_ldap, remote, tenant};

/// How many ask in the same moment.
const BURST: usize = 32;

fn name(text: &str) -> AttributeName {
    AttributeName::new(text).unwrap()
}

fn put(kind: &str, values: &[&str]) -> Modification {
    Modification::Replace(Attribute::new(name(kind), values.iter().copied()))
}

fn service(peer: &Peer) -> EntryName {
    EntryName::Dn(Dn::parse(peer.text("service")).unwrap())
}

/// A directory that shuts our account after the third failure.
async fn strict() -> World {
    let world = World::open_ldap();
    let policy = EntryName::Dn(world.peer().below("cn=default,ou=policies"));
    let mut administrator = world.peer().as_administrator().await;
    administrator.modify(&policy, &[put("pwdMaxFailure", &["3"])], &[]).await.unwrap();
    world
}

/// How many failures the directory counts against our account, and whether it is shut.
async fn counted(peer: &Peer) -> (usize, bool) {
    let kinds = [name("pwdFailureTime"), name("pwdAccountLockedTime")];
    let search = Search::entry(service(peer)).attributes(kinds.clone());
    let entry = peer.as_administrator().await.read(&search).await.unwrap().unwrap();
    let values = |kind| entry.values(kind).map_or(0, <[_]>::len);
    (values(&kinds[0]), values(&kinds[1]) > 0)
}

/// Gives our account this password, as its administrator does, who does not ask for another one at its first use.
async fn rotate(peer: &Peer, password: &str) {
    let mut administrator = peer.as_administrator().await;
    for change in [put("userPassword", &[password]), put("pwdReset", &[])] {
        administrator.modify(&service(peer), &[change], &[]).await.unwrap();
    }
}

/// The way to the directory with this password, as each part of an application opens it for itself: by one of its servers, or
/// by both, in whatever order.
fn way(peer: &Peer, systems: &Systems, password: &str, part: usize) -> Directory {
    let account = ServiceAccount::new(peer.text("service"), password).unwrap();
    let other = Server::start_tls(OTHER, peer.tls()).port(peer.port("ldap"));
    let servers = match part {
        0 => vec![peer.ldaps()],
        1 => vec![other, peer.ldaps()],
        2 => vec![other],
        _ => vec![peer.ldaps(), other],
    };
    systems.named(&Directory::new(servers, &account, PoolSettings::default()))
}

/// Another way to write where the directory is, as of another server of it.
const OTHER: &str = "127.0.0.1";

fn systems(peer: &Peer) -> Systems {
    let mut systems = Systems::default();
    let one = format!("ldaps://{}:{}", peer.text("host"), peer.port("ldaps"));
    systems.add(&[one, format!("ldap://{OTHER}:{}", peer.port("ldap"))]).unwrap();
    systems
}

/// Counts what was told, by code.
fn tally(codes: impl IntoIterator<Item = String>) -> BTreeMap<String, usize> {
    let mut tally = BTreeMap::new();
    for code in codes {
        *tally.entry(code).or_default() += 1;
    }
    tally
}

fn said<T>(outcome: Result<T, String>) -> String {
    outcome.map_or_else(|code| code, |_| "fine".to_owned())
}

/// Does all of this at once.
async fn at_once<T: Send + 'static>(
    calls: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let tasks: Vec<_> = calls.into_iter().map(tokio::spawn).collect();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.unwrap());
    }
    outcomes
}

/// An application with two targets, where we are the same account of one directory.
struct Application {
    jit: Arc<Jit>,
    house: House,
}

impl Application {
    async fn of(peer: &Peer, password: &str) -> Self {
        let systems = systems(peer);
        let target = |part| {
            let directory = way(peer, &systems, password, part);
            Arc::new(OpenLdapTarget::new(directory, &open_ldap(peer)).unwrap())
        };
        let house = House::behind(target(0), 0).await;
        let setup = |id: &str, part| {
            let role = TargetRole::new(TimeDelta::hours(8), vec![Entitlement::role("operator").unwrap()]);
            let role = role.with(["ops".to_owned()].into()).in_place("jit").per_holder(NonZeroU32::MAX);
            TargetSetup::new(TargetId::new(id).unwrap(), target(part), house.key.clone())
                .for_tenants([tenant()])
                .role(RuleName::new("admin").unwrap(), role)
                .proving_with("directory", &[peer.text("service").as_bytes(), password.as_bytes()])
        };
        let jit = Jit::builder(house.store.clone())
            .clock(Arc::clone(&house.clock) as _)
            .entropy(Arc::new(SeededEntropy::new(7)))
            .leases_per_holder(NonZeroU32::MAX)
            .target(setup("one", 0))
            .target(setup("other", 2))
            .build();
        Self { jit: Arc::new(jit.unwrap()), house }
    }

    /// Checks out as often at once, at both targets, and tells how it came out.
    async fn burst(&self) -> BTreeMap<String, usize> {
        let calls = (0..BURST).map(|number| {
            let target = TargetId::new(if number % 2 == 0 { "one" } else { "other" }).unwrap();
            let request = CheckOut { target, ..self.house.request("admin", 30) };
            let jit = Arc::clone(&self.jit);
            async move { said(jit.check_out(&request).await.map_err(|error| error.code().to_string())) }
        });
        tally(at_once(calls).await)
    }

    /// How often each of these was told.
    async fn alarms(&self) -> BTreeMap<String, usize> {
        let (tenant, limit) = (Jit::house_tenant().unwrap(), std::num::NonZeroUsize::new(100).unwrap());
        let query = AuditQuery { tenant, account: None, after: None, latest_first: false, limit };
        let events = self.house.store.events(&query).await.unwrap().items;
        tally(events.into_iter().map(|event| event.action.to_string()))
    }
}

/// Lets minutes pass, for leases and for connections.
async fn pass(house: &House, minutes: u32) {
    house.clock.advance(TimeDelta::minutes(minutes.into()));
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(60) * minutes).await;
    tokio::time::resume();
}

fn told<const N: usize>(codes: [(&str, usize); N]) -> BTreeMap<String, usize> {
    codes.into_iter().map(|(code, count)| (code.to_owned(), count)).collect()
}

#[tokio::test]
async fn a_burst_of_first_calls_with_a_wrong_password_is_one_failure_and_one_alarm() {
    let world = strict().await;
    let application = Application::of(world.peer(), "not-the-password-yet").await;
    assert_eq!(application.burst().await, told([("target.credentials", BURST)]));
    assert_eq!(counted(world.peer()).await, (1, false));
    assert_eq!(application.alarms().await, told([("target.credentials_refused", 1)]));

    rotate(world.peer(), "not-the-password-yet").await;
    pass(&application.house, 6).await;
    assert_eq!(application.burst().await, told([("fine", BURST)]));
    let both = [("target.credentials_accepted", 1), ("target.credentials_refused", 1)];
    assert_eq!(application.alarms().await, told(both));
}

#[tokio::test]
async fn a_password_that_was_changed_meanwhile_is_one_failure_and_one_alarm() {
    let world = strict().await;
    let right = world.peer().text("service_password");
    let application = Application::of(world.peer(), right).await;
    assert_eq!(application.burst().await, told([("fine", BURST)]));
    rotate(world.peer(), "of-another-application").await;
    // what is open stays good until it was idle for too long, and there is not enough of it for all
    let some = application.burst().await;
    pass(&application.house, 3).await;
    assert_eq!(application.burst().await, told([("target.credentials", BURST)]), "{some:?}");
    assert_eq!(counted(world.peer()).await, (1, false));
    assert_eq!(application.alarms().await, told([("target.credentials_refused", 1)]));

    rotate(world.peer(), right).await;
    pass(&application.house, 6).await;
    assert_eq!(application.burst().await, told([("fine", BURST)]));
}

const SIGN_IN: &str = r#"
tenant = "acme"
id = "directory"
issuers = ["ldap.jit.test"]
domains = ["jit.test"]

[protocol]
issuer = "ldap.jit.test"
base = "ou=people,dc=jit,dc=test"
names = ["uid"]
filter = "(objectClass=inetOrgPerson)"
id = "entry_uuid"
claims = ["mail"]
throttle = { failures = 100 }

[mapping]

[[policy.rule]]
name = "everybody"
permit = {}
"#;

pub(crate) fn trigger(directory: Directory, house: &House) -> LdapTrigger {
    let settings: ConnectionConfig<SignInSettings> =
        config::load(SIGN_IN, Format::Toml, "test.toml").unwrap();
    let (_, attestor, sign_in) = settings.define().unwrap();
    let lent = LentAccounts::of(tenant(), house.store.clone());
    let (store, clock) = (house.store.clone(), Arc::clone(&house.clock) as _);
    LdapTrigger::new(sign_in.check().unwrap(), directory, store, lent, clock, attestor)
}

/// What each part of an application says to those who ask it at once, none of which knows of the others.
async fn everybody(peer: &Peer, systems: &Systems, password: &str, house: &House) -> BTreeMap<String, usize> {
    let way = |part| way(peer, systems, password, part);
    let target = |part| Arc::new(OpenLdapTarget::new(way(part), &open_ldap(peer)).unwrap());
    let targets = [target(0), target(2)];
    let trigger = Arc::new(trigger(way(1), house));
    let people = peer.below("ou=people").to_string();
    let settings = ImportSettings::new(&people, "(objectClass=inetOrgPerson)", IdAttribute::EntryUuid);
    let import = Arc::new(Import::new(way(3), &settings).unwrap());
    let calls = (0..BURST).map(|number| {
        let (target, trigger, import) = (targets[number % 2].clone(), trigger.clone(), import.clone());
        async move {
            match number % 4 {
                0 | 1 => said(
                    target.observe(&remote("jit-nobody")).await.map_err(|error| error.code().to_string()),
                ),
                2 => said(trigger.verify(alice()).await.map_err(|error| error.code().to_string())),
                _ => said(import.begin(None).await.map_err(|error| error.code().to_string())),
            }
        }
    });
    tally(at_once(calls).await)
}

pub(crate) fn alice() -> BindEvidence {
    let password = zeroize::Zeroizing::new("alice-password-1".to_owned());
    BindEvidence { user_name: "alice".into(), password, context: Context::default() }
}

#[tokio::test]
async fn sign_in_import_and_targets_that_know_nothing_of_each_other_try_a_wrong_password_once() {
    let world = strict().await;
    let (peer, systems) = (world.peer(), systems(world.peer()));
    let house = House::behind(world.target(), 0).await;
    let told_all = everybody(peer, &systems, "wrong-password", &house).await;
    assert_eq!(counted(peer).await, (1, false), "{told_all:?}");
    assert!(!told_all.contains_key("fine"), "{told_all:?}");
    let right = everybody(peer, &systems, peer.text("service_password"), &house).await;
    assert_eq!(right, told([("fine", BURST)]), "another password is tried at once");
}
