//! What is done besides answering: records that have to be told anew, ends of accounts and grants.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use jit_core::{Jit, JitError, WorkerId};
use jit_scim::server::ScimService;
use tokio::sync::watch;

use super::run::tell;
use crate::web::{RandomError, random_token};

const BATCH: NonZeroUsize = NonZeroUsize::new(100).expect("not zero");
const PAUSE: Duration = Duration::from_secs(1);
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(10);

/// Names a worker that no other process is called by.
pub(super) fn worker_id() -> Result<WorkerId, RandomError> {
    let token: String = random_token()?.chars().take(16).collect();
    WorkerId::new(format!("scim-server-{token}")).map_err(|_| RandomError)
}

/// Does what is due until `asked` says to stop.
pub(super) async fn keep_working(
    (jit, service): (Arc<Jit>, Arc<ScimService>),
    worker: WorkerId,
    mut asked: watch::Receiver<bool>,
) {
    loop {
        let pause = match work(&jit, &service, &worker).await {
            Ok(true) => Duration::ZERO,
            Ok(false) => PAUSE,
            Err(error) => {
                tell(&error);
                PAUSE_AFTER_FAILURE
            }
        };
        tokio::select! {
            // A sender that is gone asks to stop as well.
            _ = asked.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Does a batch of everything, and tells whether more is waiting.
async fn work(jit: &Jit, service: &ScimService, worker: &WorkerId) -> Result<bool, JitError> {
    let told = service.work(worker, BATCH).await?;
    let ended = jit.work(worker, BATCH).await?;
    Ok(told.done.max(ended.done).max(ended.purged) >= BATCH.get())
}
