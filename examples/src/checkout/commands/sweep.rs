use futures_util::future::join_all;
use jit_core::{Code, TimeDoubt, WorkReport, WorkerId};
use serde::Serialize;
use serde_json::json;

use crate::checkout::failure::Failure;
use crate::checkout::house::House;
use crate::checkout::report::{Report, instant};
use crate::checkout::{DONE, FAILED};
use crate::targets::Opened;
use crate::work::{BATCH, worker_id};

/// Tells what was done for one target; for the accounts themselves where it names none.
#[derive(Default, Serialize)]
pub(super) struct SweptLine {
    pub(super) target: Option<String>,
    pub(super) done: usize,
    pub(super) again: usize,
    pub(super) failed: usize,
    /// Records of leases that were removed because they had been over for long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) forgotten: Option<usize>,
    /// The code of what kept the target's tasks from being looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

/// Does everything that is due, at all targets at once: one that fails, hangs or has much to do keeps no other from its turn.
pub(super) async fn sweep(house: &House, report: &mut Report<'_>) -> Result<u8, Failure> {
    let worker = worker()?;
    // Ends of grants and accounts may bring leases to their end.
    let mut accounts = accounts(house, &worker).await;
    let swept = join_all(house.targets.iter().map(|target| at_target_and_told(house, &worker, target))).await;
    let mut lines = Vec::new();
    for (line, told) in swept {
        accounts.join(told);
        lines.push(line);
    }
    if let Some(doubt) = house.jit.time_doubt() {
        let code = match doubt {
            // What only a jump of the clock made due was left alone.
            TimeDoubt::Ahead(_) => "clock.ahead",
            // The time goes on from what is known, and nobody can tell how long the clock stood wrong.
            TimeDoubt::Behind(_) => "clock.behind",
        };
        accounts.error.get_or_insert(code.to_owned());
    }
    lines.insert(0, accounts);
    let missing = house.jit.missing_targets().await;
    for target in missing.iter().flatten() {
        // Nobody can end what is lent there.
        let error = Some("lease.unknown_target".to_owned());
        lines.push(SweptLine { target: Some(target.to_string()), error, ..SweptLine::default() });
    }
    report.several(&lines, ["TARGET", "DONE", "LATER", "FAILED"], |line| {
        let target = line.target.clone().unwrap_or_else(|| "(accounts)".to_owned());
        let failed = line.error.clone().unwrap_or_else(|| line.failed.to_string());
        [target, line.done.to_string(), line.again.to_string(), failed]
    })?;
    // What was done is told, whatever cannot be found out.
    missing?;
    let is_delayed = lines.iter().any(SweptLine::is_delayed);
    Ok(if is_delayed { FAILED } else { DONE })
}

/// Takes the word of whoever runs the program that the clock is right.
pub(super) async fn confirm_time(house: &House, report: &mut Report<'_>) -> Result<u8, Failure> {
    house.jit.confirm_time(&house.by).await?;
    report.one(&json!({ "confirmed": house.now() }), &[("confirmed", instant(house.now()))])?;
    Ok(DONE)
}

/// Does what is due for the accounts: ends of grants and accounts, and alarms.
async fn accounts(house: &House, worker: &WorkerId) -> SweptLine {
    let mut line = SweptLine::default();
    while line.take(house.jit.work(worker, BATCH).await.map_err(|error| error.code())) {}
    line
}

/// Looks after the leases at one target, and has people told of what a round raised before the next one: no alarm waits until
/// a storm is over, or for another target. Tells what was done for the target, and what for the accounts.
async fn at_target_and_told(house: &House, worker: &WorkerId, target: &Opened) -> (SweptLine, SweptLine) {
    let (mut line, mut told) = (SweptLine::at(target), SweptLine::default());
    loop {
        let goes_on = line.round(house, worker, target).await;
        told.join(accounts(house, worker).await);
        if !goes_on {
            return (line, told);
        }
    }
}

/// Looks after the leases at one target.
pub(super) async fn at_target(house: &House, worker: &WorkerId, target: &Opened) -> SweptLine {
    let mut line = SweptLine::at(target);
    while line.round(house, worker, target).await {}
    line
}

/// Names a worker that no other process is called by.
pub(super) fn worker() -> Result<WorkerId, Failure> {
    worker_id("checkout").map_err(|error| Failure::Failed("checkout.randomness".into(), error.to_string()))
}

impl SweptLine {
    /// Whether something that is due could not be done now.
    pub(super) fn is_delayed(&self) -> bool {
        self.failed > 0 || self.error.is_some()
    }

    fn join(&mut self, other: Self) {
        self.done += other.done;
        self.again += other.again;
        self.failed += other.failed;
        self.forgot(other.forgotten.unwrap_or(0));
        self.error = self.error.take().or(other.error);
    }

    fn forgot(&mut self, records: usize) {
        if records > 0 {
            *self.forgotten.get_or_insert(0) += records;
        }
    }

    fn at(target: &Opened) -> Self {
        Self { target: Some(target.id.to_string()), ..Self::default() }
    }

    /// Does a batch of what is due at the target, and tells whether another may find more to do.
    async fn round(&mut self, house: &House, worker: &WorkerId, target: &Opened) -> bool {
        let done = house.jit.work_target(worker, &target.id, BATCH).await;
        self.take(done.map_err(|error| error.code()))
    }

    /// Adds a round, and tells whether another may find more to do: what fails comes again later, and is not waited for.
    fn take(&mut self, round: Result<WorkReport, Code>) -> bool {
        match round {
            Ok(report) => {
                self.done += report.done;
                self.again += report.again;
                // What cannot be read is due, and is not done here.
                self.failed += report.failed + report.unreadable;
                self.forgot(report.forgotten);
                report.done > 0 || report.purged > 0
            }
            Err(code) => {
                self.error = Some(code.to_string());
                false
            }
        }
    }
}
