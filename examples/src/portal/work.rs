use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use jit_core::WorkerId;
use tokio::sync::watch;

use super::failure::tell;
use super::house::House;
use crate::web::{RandomError, random_token};

const BATCH: NonZeroUsize = NonZeroUsize::new(100).expect("not zero");
const PAUSE: Duration = Duration::from_secs(2);
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(10);

/// Names a worker that no other process is called by.
pub(super) fn worker_id() -> Result<WorkerId, RandomError> {
    let token: String = random_token()?.chars().take(16).collect();
    WorkerId::new(format!("portal-{token}")).map_err(|_| RandomError)
}

/// Does what is due (ends of grants and accounts, leftovers) until `asked` says to stop.
pub(super) async fn keep_working(house: Arc<House>, worker: WorkerId, mut asked: watch::Receiver<bool>) {
    loop {
        let pause = match house.jit.work(&worker, BATCH).await {
            Ok(report) if report.done.max(report.purged) >= BATCH.get() => Duration::ZERO,
            Ok(_) => PAUSE,
            Err(error) => {
                tell(&error);
                PAUSE_AFTER_FAILURE
            }
        };
        tokio::select! {
            // A sender that is gone asks to stop as well.
            _ = asked.wait_for(|stop| *stop) => break,
            () = tokio::time::sleep(pause) => {}
        }
    }
    if let Err(error) = house.jit.flush_seen().await {
        tell(&error);
    }
}
