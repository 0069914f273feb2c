//! A house with one holder on a durable SQLite.

use std::{
    num::{NonZeroU32, NonZeroUsize},
    path::Path,
    sync::Arc,
};

use chrono::TimeDelta;
use jit_core::{
    Account, AccountId, AccountState, AccountWrite, Actor, CheckOut, CheckedOut, Clock as _, Commit,
    Entitlement, Grant, Jit, ManualClock, MarkerKey, MemoryTarget, Mint, Provenance, RuleName, Source,
    SystemClock, Target, TargetId, TargetRole, TargetSetup, TenantId, UserStore as _, WorkerId,
};
use jit_sql::SqliteStore;

pub(crate) const AT_ONCE: usize = 64;

/// What lends.
pub(crate) struct House {
    pub(crate) jit: Jit,
    pub(crate) clock: Arc<ManualClock>,
    holder: AccountId,
}

pub(crate) fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

pub(crate) fn target_id(name: &str) -> TargetId {
    TargetId::new(name).unwrap()
}

impl House {
    pub(crate) async fn on(file: &Path, target: Arc<dyn Target>) -> Self {
        let now = SystemClock.now();
        let (clock, store) = (Arc::new(ManualClock::at(now)), Arc::new(SqliteStore::open(file).unwrap()));
        let operator = Entitlement::role("operator").unwrap();
        let mut mint = Mint::new(now, [9; 16]);
        let mut account = Account::begin(mint.account(), tenant(), AccountState::Active, now);
        let by = Provenance::of(Source::Administrator);
        account.grants.push(Grant::new(mint.grant(), operator.clone(), by, now));
        let holder = account.id;
        let commit = Commit { account: Some(AccountWrite::create(account)), ..Commit::new(tenant()) };
        store.commit(&commit).await.unwrap();
        let mut builder =
            Jit::builder(store).clock(Arc::clone(&clock) as _).leases_per_holder(NonZeroU32::MAX);
        let elsewhere: Arc<dyn Target> = Arc::new(MemoryTarget::new());
        for (name, target) in [("directory", target), ("elsewhere", elsewhere)] {
            let role = || {
                let role = TargetRole::new(TimeDelta::hours(8), vec![operator.clone()]).in_place("jit");
                role.per_holder(NonZeroU32::MAX)
            };
            let groups = vec!["ops".to_owned(), "staff".to_owned()];
            let markers = MarkerKey::new("bench", &[5; 32]).unwrap();
            let setup = TargetSetup::new(target_id(name), target, markers)
                .for_tenants([tenant()])
                .at_once(NonZeroUsize::new(AT_ONCE).unwrap())
                .role(RuleName::new("grouped").unwrap(), role().with(groups))
                .role(RuleName::new("plain").unwrap(), role())
                .role(RuleName::new("privileged").unwrap(), role().privileged());
            builder = builder.target(setup);
        }
        Self { jit: builder.build().unwrap(), clock, holder }
    }

    pub(crate) async fn out(&self, target: &str, role: &str) -> CheckedOut {
        let request = CheckOut {
            tenant: tenant(),
            store: None,
            holder: self.holder,
            by: Actor::Account { id: self.holder },
            target: target_id(target),
            role: RuleName::new(role).unwrap(),
            span: TimeDelta::minutes(30),
            key: None,
            purpose: None,
        };
        self.jit.check_out(&request).await.unwrap()
    }

    pub(crate) async fn back(&self, lease: AccountId) {
        let lease = self.jit.check_in(None, &tenant(), lease, Actor::Clock).await.unwrap();
        assert_eq!(lease.phase.word(), "gone");
    }

    pub(crate) async fn work(&self, limit: usize) -> usize {
        let (worker, limit) = (WorkerId::new("w").unwrap(), NonZeroUsize::new(limit).unwrap());
        let report = self.jit.work_target(&worker, &target_id("directory"), limit).await.unwrap();
        assert_eq!(report.failed, 0);
        report.done
    }
}
