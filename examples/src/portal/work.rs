use std::sync::Arc;
use std::time::Duration;

use jit_core::{JitError, TargetId, WorkerId};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::failure::tell;
use super::house::House;
use crate::say::complain;
use crate::work::{BATCH, Pace};

const PAUSE: Duration = Duration::from_secs(2);

/// Does what is due until `asked` says to stop: ends of grants and accounts, leftovers, and the leases at each target, of
/// which none waits for another.
pub(super) async fn keep_working(house: Arc<House>, worker: WorkerId, asked: watch::Receiver<bool>) {
    match house.jit.missing_targets().await {
        Ok(missing) => missing.iter().for_each(|target| {
            let is_there = house.targets.iter().any(|opened| opened.id == *target);
            let why = if is_there {
                "leaves alone what a tenant has there that is in none of its `tenants` and `former_tenants`"
            } else {
                "is no target of the configuration"
            };
            complain(format_args!("portal: `{target}` {why}: what is lent there does not end"));
        }),
        Err(error) => tell(&error),
    }
    let mut all = JoinSet::new();
    for target in &house.targets {
        let (house, worker, asked) = (Arc::clone(&house), worker.clone(), asked.clone());
        all.spawn(keep_target(house, target.id.clone(), worker, asked));
    }
    all.spawn(keep_accounts(house, worker, asked));
    // One that broke down must not take the others with it.
    while all.join_next().await.is_some() {}
}

async fn keep_target(house: Arc<House>, target: TargetId, worker: WorkerId, asked: watch::Receiver<bool>) {
    let mut pace = Pace { pause: PAUSE, tell, asked };
    loop {
        let turn = house.jit.work_target(&worker, &target, BATCH).await;
        if !pace.goes_on_after(turn.map(|report| report.done >= BATCH.get())).await {
            return;
        }
    }
}

async fn keep_accounts(house: Arc<House>, worker: WorkerId, asked: watch::Receiver<bool>) {
    let mut pace = Pace { pause: PAUSE, tell, asked };
    loop {
        let turn = work(&house, &worker).await;
        if !pace.goes_on_after(turn).await {
            break;
        }
    }
    if let Err(error) = house.jit.flush_seen().await {
        tell(&error);
    }
}

/// Does a batch of everything, and tells whether more is waiting.
async fn work(house: &House, worker: &WorkerId) -> Result<bool, JitError> {
    let told = match &house.scim {
        Some(scim) => scim.service.work(worker, BATCH).await?.done,
        None => 0,
    };
    let report = house.jit.work(worker, BATCH).await?;
    Ok(report.done.max(report.purged).max(told) >= BATCH.get())
}
