//! What is done besides answering: records that have to be told anew, ends of accounts and grants.

use std::sync::Arc;
use std::time::Duration;

use jit_core::{Jit, JitError, WorkerId};
use jit_scim::server::ScimService;
use tokio::sync::watch;

use super::run::tell;
use crate::work::{BATCH, Pace};

const PAUSE: Duration = Duration::from_secs(1);

/// Does what is due until `asked` says to stop.
pub(super) async fn keep_working(
    (jit, service): (Arc<Jit>, Arc<ScimService>),
    worker: WorkerId,
    asked: watch::Receiver<bool>,
) {
    let mut pace = Pace { pause: PAUSE, tell, asked };
    loop {
        let turn = work(&jit, &service, &worker).await;
        if !pace.goes_on_after(turn).await {
            return;
        }
    }
}

/// Does a batch of everything, and tells whether more is waiting.
async fn work(jit: &Jit, service: &ScimService, worker: &WorkerId) -> Result<bool, JitError> {
    let told = service.work(worker, BATCH).await?;
    let ended = jit.work(worker, BATCH).await?;
    Ok(told.done.max(ended.done).max(ended.purged) >= BATCH.get())
}
