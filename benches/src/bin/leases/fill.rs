//! Live leases by the hundred thousand, written through the port of the store.

use std::{path::Path, sync::Arc};

use chrono::TimeDelta;
use jit_benches::tasks::{TASKS, all_at_once};
use jit_core::{
    Account, AccountWrite, Actor, AuditEvent, AuditOutcome, Clock as _, Code, Commit, Entropy as _, Lane,
    MarkerKey, MemoryTarget, Mint, SystemClock, SystemEntropy, Task, TaskKind, TaskQueue as _,
    UserStore as _,
};
use jit_sql::{Durability, SqliteOptions, SqliteStore};

use crate::house::{House, target_id, tenant};

const LANE: &str = "target:directory";

/// Makes as many as are wanted, after the pattern of one that was lent.
pub(crate) async fn fill(file: &Path, count: usize) {
    let house = House::on(file, Arc::new(MemoryTarget::new())).await;
    house.out("directory", "plain").await;
    let one = std::num::NonZeroUsize::MIN;
    let page = house.jit.leases(None, &tenant(), &target_id("directory"), None, one).await.unwrap();
    let pattern = Arc::new(page.items.into_iter().next().unwrap());
    drop(house);
    // Nobody asks whether these survive a loss of power.
    let options = SqliteOptions::new().durability(Durability::Normal);
    let store = Arc::new(SqliteStore::open_with(file, &options).unwrap());
    let shares = (0..TASKS).map(|task| count / TASKS + usize::from(task < count % TASKS));
    all_at_once(shares.collect(), |share| {
        let (store, pattern) = (Arc::clone(&store), Arc::clone(&pattern));
        async move {
            let mut seed = [0; 16];
            SystemEntropy.fill(&mut seed).unwrap();
            let mut mint = Mint::new(SystemClock.now(), seed);
            for number in 0..share {
                store.commit(&lent(&pattern, &mut mint, number)).await.unwrap();
            }
        }
    })
    .await;
    let due = store.next_due(&Lane::new(LANE).unwrap()).await.unwrap();
    assert!(due.is_some_and(|due| due > SystemClock.now()), "none is due yet");
}

/// The commit that makes such a lease active.
fn lent(pattern: &Account, mint: &mut Mint, number: usize) -> Commit {
    let (id, task, event) = (mint.account(), mint.task(), mint.event());
    let mut account = Account { id, ..pattern.clone() };
    let mut lease = account.lease.clone().unwrap();
    lease.remote.name = id.to_string();
    lease.remote.marker = MarkerKey::new("bench", &[5; 32]).unwrap().mark(&account.tenant, id);
    // Some hours from now, no two at one instant.
    lease.until += TimeDelta::hours(4) + TimeDelta::milliseconds(i64::try_from(number).unwrap());
    lease.task = Some(task);
    account.ends_at = Some(lease.until);
    let mut commit = Commit::new(account.tenant.clone());
    commit.tasks.push(Task {
        id: task,
        tenant: account.tenant.clone(),
        lane: Lane::new(LANE).unwrap(),
        account: id,
        kind: TaskKind::TendLease,
        due: lease.until,
    });
    commit.events.push(AuditEvent {
        id: event,
        at: account.updated_at,
        tenant: account.tenant.clone(),
        actor: Actor::Account { id: lease.holder },
        action: Code::new("lease.active"),
        account: Some(id),
        outcome: AuditOutcome::Done,
        rule: Some(lease.role.clone()),
        changes: vec![format!("active {} at {}", lease.remote.name, lease.target)],
    });
    account.lease = Some(lease);
    commit.account = Some(AccountWrite::create(account));
    commit
}
