use std::num::NonZeroUsize;

use jit_core::{TimeDoubt, WorkReport, WorkerId};
use serde::Serialize;
use serde_json::json;

use crate::checkout::failure::Failure;
use crate::checkout::house::House;
use crate::checkout::report::{Report, instant};
use crate::checkout::{DONE, FAILED};
use crate::targets::Opened;
use crate::web::random_token;

const BATCH: NonZeroUsize = NonZeroUsize::new(100).expect("not zero");

/// Tells what was done for one target; for the accounts themselves where it names none.
#[derive(Default, Serialize)]
pub(super) struct SweptLine {
    pub(super) target: Option<String>,
    pub(super) done: usize,
    pub(super) again: usize,
    pub(super) failed: usize,
    /// The code of what kept the target's tasks from being looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

/// Does everything that is due. A target that fails keeps no other from its turn.
pub(super) async fn sweep(house: &House, report: &mut Report<'_>) -> Result<u8, Failure> {
    let worker = worker()?;
    let mut lines = vec![accounts(house, &worker).await];
    for target in &house.targets {
        lines.push(at_target(house, &worker, target).await);
    }
    // What the targets raised just now is told just now.
    let told = accounts(house, &worker).await;
    if let Some(line) = lines.first_mut() {
        line.join(told);
    }
    for target in house.jit.missing_targets().await? {
        // Nobody can end what is lent there.
        let error = Some("lease.unknown_target".to_owned());
        lines.push(SweptLine { target: Some(target.to_string()), error, ..SweptLine::default() });
    }
    if let (Some(doubt), Some(accounts)) = (house.jit.time_doubt(), lines.first_mut()) {
        let code = match doubt {
            // What only a jump of the clock made due was left alone.
            TimeDoubt::Ahead(_) => "clock.ahead",
            // The time goes on from what is known, and nobody can tell how long the clock stood wrong.
            TimeDoubt::Behind(_) => "clock.behind",
        };
        accounts.error.get_or_insert(code.to_owned());
    }
    report.several(&lines, ["TARGET", "DONE", "LATER", "FAILED"], |line| {
        let target = line.target.clone().unwrap_or_else(|| "(accounts)".to_owned());
        let failed = line.error.clone().unwrap_or_else(|| line.failed.to_string());
        [target, line.done.to_string(), line.again.to_string(), failed]
    })?;
    for alarm in house.alarms() {
        report.alarm(&alarm)?;
    }
    let is_delayed = lines.iter().any(SweptLine::is_delayed);
    Ok(if is_delayed { FAILED } else { DONE })
}

/// Takes the word of whoever runs the program that the clock is right.
pub(super) async fn confirm_time(house: &House, report: &mut Report<'_>) -> Result<u8, Failure> {
    house.jit.confirm_time(&house.by).await?;
    report.one(&json!({ "confirmed": house.now() }), &[("confirmed", instant(house.now()))])?;
    Ok(DONE)
}

/// Ends of grants and accounts: they may bring leases to their end, and so come first.
async fn accounts(house: &House, worker: &WorkerId) -> SweptLine {
    let mut line = SweptLine::default();
    loop {
        match house.jit.work(worker, BATCH).await {
            Ok(report) => {
                if !line.add(report) {
                    return line;
                }
            }
            Err(error) => return SweptLine { error: Some(error.code().to_string()), ..line },
        }
    }
}

/// Looks after the leases at one target.
pub(super) async fn at_target(house: &House, worker: &WorkerId, target: &Opened) -> SweptLine {
    let mut line = SweptLine { target: Some(target.id.to_string()), ..SweptLine::default() };
    loop {
        match house.jit.work_target(worker, &target.id, BATCH).await {
            Ok(report) => {
                if !line.add(report) {
                    return line;
                }
            }
            Err(error) => return SweptLine { error: Some(error.code().to_string()), ..line },
        }
    }
}

/// Names a worker that no other process is called by.
pub(super) fn worker() -> Result<WorkerId, Failure> {
    let token =
        random_token().map_err(|error| Failure::Failed("checkout.randomness".into(), error.to_string()))?;
    let id = token.chars().take(16).collect::<String>();
    WorkerId::new(format!("checkout-{id}"))
        .map_err(|error| Failure::Failed("checkout.randomness".into(), error.to_string()))
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
        self.error = self.error.take().or(other.error);
    }

    /// Adds a round, and tells whether another may find more to do: what fails comes again later, and is not waited for.
    fn add(&mut self, report: WorkReport) -> bool {
        self.done += report.done;
        self.again += report.again;
        self.failed += report.failed;
        report.done > 0 || report.purged > 0
    }
}
