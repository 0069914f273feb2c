//! A process that lends accounts or looks after them, and that may be killed or stopped anywhere.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use chrono::{DateTime, TimeDelta, Utc};
use jit_core::*;
use jit_ldap::{
    ActiveDirectorySettings, ActiveDirectoryTarget, DirectorySettings, OpenLdapSettings, OpenLdapTarget,
    Roots,
};
use jit_sql::{PostgresOptions, PostgresStore, SqliteStore};
use serde::{Deserialize, Serialize};

use super::doors::{Steps, WatchedStore, WatchedTarget, say};
use crate::peer::{Kind, provider};

/// Where a child reads what it is to do.
pub(crate) const JOB: &str = "JIT_CHILD";
/// The test that is the child.
pub(crate) const NAME: &str = "kills::child::process";

/// Says what a child is to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Job {
    pub(crate) place: Place,
    pub(crate) store: String,
    pub(crate) deployment: String,
    pub(crate) holder: AccountId,
    pub(crate) work: Work,
    /// The time that it begins at.
    pub(crate) begin: DateTime<Utc>,
    pub(crate) stop_at: Option<u64>,
}

/// Says where the accounts are made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) is_windows: bool,
    pub(crate) server: String,
    pub(crate) authority: String,
    pub(crate) account: String,
    pub(crate) password: String,
    pub(crate) base: String,
    pub(crate) groups: Vec<(String, String)>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Work {
    /// Out, out again, longer, in; and out for ten minutes, to run out.
    Live { key: String },
    /// So many out for ten minutes.
    Lend(usize),
    /// One out for ten minutes, unless somebody says no.
    LendOrNot,
    /// Whatever is due after these minutes.
    Tend(Vec<i64>),
}

/// Tells how far a child came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Came {
    pub(crate) steps: u64,
    pub(crate) asked: u64,
    pub(crate) removed: u64,
    pub(crate) commits: u64,
    /// Leases that may still be in the target.
    pub(crate) live: usize,
}

pub(crate) fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

pub(crate) fn operator() -> Entitlement {
    Entitlement::role("operator").unwrap()
}

fn target() -> TargetId {
    TargetId::new("directory").unwrap()
}

/// Does the job, where there is one: run as a test among others it has nothing to do.
#[test]
fn process() {
    let Ok(job) = std::env::var(JOB) else { return };
    let job: Job = serde_json::from_str(&job).unwrap();
    crate::peer::wait(async {
        let clock = Arc::new(ManualClock::at(job.begin));
        let steps = Steps::new(Arc::clone(&clock), job.stop_at);
        let jit = job.engine(&clock, &steps).await;
        say("ready");
        match &job.work {
            Work::Live { key } => job.live(&jit, key).await,
            Work::Lend(count) => {
                for _ in 0..*count {
                    jit.check_out(&job.request(None)).await.unwrap();
                }
            }
            Work::LendOrNot => drop(jit.check_out(&job.request(None)).await),
            Work::Tend(minutes) => tend(&jit, &clock, minutes).await,
        }
        let live = jit.leases(None, &tenant(), &target(), None, NonZeroUsize::new(500).unwrap()).await;
        let came = Came {
            steps: steps.taken(),
            asked: steps.asked.load(SeqCst),
            removed: steps.removed.load(SeqCst),
            commits: steps.commits.load(SeqCst),
            live: live.unwrap().items.len(),
        };
        say(&format!("done {}", serde_json::to_string(&came).unwrap()));
    });
}

/// Opens `sqlite:PATH` or a database of PostgreSQL.
pub(crate) async fn open(url: &str) -> Arc<dyn Store> {
    if let Some(path) = url.strip_prefix("sqlite:") {
        return Arc::new(SqliteStore::open(path).unwrap());
    }
    let options = PostgresOptions::new();
    Arc::new(PostgresStore::open_local(url.parse().unwrap(), options).await.unwrap())
}

async fn tend(jit: &Jit, clock: &ManualClock, minutes: &[i64]) {
    let worker = WorkerId::new(format!("worker-{}", std::process::id())).unwrap();
    let most = NonZeroUsize::new(100).unwrap();
    for minutes in minutes {
        clock.advance(TimeDelta::minutes(*minutes));
        // A store that was left in the middle of a write, or a step that was overtaken, is no reason to stop.
        for _ in 0..20 {
            let done = jit.work_target(&worker, &target(), most).await.map(|report| report.done);
            let accounts = jit.work(&worker, most).await.map(|report| report.done);
            if matches!((done, accounts), (Ok(0), Ok(0))) {
                break;
            }
        }
    }
}

impl Job {
    async fn live(&self, jit: &Jit, key: &str) {
        let first = jit.check_out(&self.request(Some(key))).await.unwrap();
        let again = jit.check_out(&self.request(Some(key))).await.unwrap();
        assert_eq!((first.lease, &first.name), (again.lease, &again.name));
        jit.extend(None, &tenant(), again.lease, TimeDelta::minutes(20), self.by()).await.unwrap();
        jit.check_in(None, &tenant(), again.lease, self.by()).await.unwrap();
        jit.check_out(&self.request(None)).await.unwrap();
    }

    fn by(&self) -> Actor {
        Actor::Account { id: self.holder }
    }

    fn request(&self, key: Option<&str>) -> CheckOut {
        CheckOut {
            tenant: tenant(),
            store: None,
            holder: self.holder,
            by: self.by(),
            target: target(),
            role: RuleName::new("admin").unwrap(),
            span: TimeDelta::minutes(10),
            key: key.map(str::to_owned),
            purpose: None,
        }
    }

    async fn engine(&self, clock: &Arc<ManualClock>, steps: &Arc<Steps>) -> Jit {
        let store = WatchedStore { inner: open(&self.store).await, steps: Arc::clone(steps) };
        let watched = WatchedTarget { inner: self.place.target(), steps: Arc::clone(steps) };
        let key = MarkerKey::new(&self.deployment, &[7; 32]).unwrap();
        let groups = self.place.groups.iter().map(|(name, _)| name.clone()).collect();
        let role =
            TargetRole::new(TimeDelta::hours(8), vec![operator()]).with(groups).in_place("jit").privileged();
        let setup = TargetSetup::new(target(), Arc::new(watched), key)
            .for_tenants([tenant()])
            .role(RuleName::new("admin").unwrap(), role);
        Jit::builder(Arc::new(store)).clock(Arc::clone(clock) as _).target(setup).build().unwrap()
    }
}

impl Place {
    pub(crate) fn new(kind: Kind, peer: &crate::peer::Peer) -> Self {
        let group = |name: &str| (name.to_owned(), peer.below(&format!("CN={name},OU=groups")).to_string());
        Self {
            is_windows: kind == Kind::Windows,
            server: peer.url(),
            authority: peer.text("ca").to_owned(),
            account: peer.text("service").to_owned(),
            password: peer.text("service_password").to_owned(),
            base: peer.below("OU=JIT").to_string(),
            groups: vec![group("ops"), group("staff")],
        }
    }

    fn target(&self) -> Arc<dyn Target> {
        let settings = DirectorySettings::new(vec![self.server.clone()], &self.account, &self.password);
        let roots = Roots::none().and_pem(&std::fs::read(&self.authority).unwrap()).unwrap();
        let directory = settings.open(provider(), roots).unwrap();
        let place = ("jit", self.base.as_str());
        if self.is_windows {
            let mut settings = ActiveDirectorySettings::new(&self.base, place, "jit.test");
            let groups = self.groups.iter().cloned();
            settings.groups =
                groups.map(|(name, dn)| (name, jit_ldap::target::GroupSettings::Plain(dn))).collect();
            settings.settles_seconds = 0;
            return Arc::new(ActiveDirectoryTarget::new(directory, &settings).unwrap());
        }
        let mut settings = OpenLdapSettings::new(&self.base, place);
        settings.groups = self.groups.iter().cloned().collect();
        settings.password_policy = true;
        settings.groups_follow = true;
        Arc::new(OpenLdapTarget::new(directory, &settings).unwrap())
    }
}
