//! Lends accounts in directories for a time, and ends them.

mod arguments;
mod commands;
mod failure;
mod house;
mod report;
mod secret_file;
mod settings;
mod table;
mod telling;

use std::cell::RefCell;
use std::ffi::OsString;
use std::future::Future;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use jit_core::{Clock, TimeGuard};

use arguments::{Command, Order};
use failure::Failure;
use house::House;
use report::Report;
use settings::Settings;
use telling::telling;

use crate::alarms::Alarm;
use crate::targets::read_text;

/// It is done.
pub const DONE: u8 = 0;
/// The rules say no, or a target differs from what is written down.
pub const REFUSED: u8 = 1;
/// The command line or the configuration is wrong.
pub const BAD_USAGE: u8 = 2;
/// A store or a target failed, or the program was interrupted: what was begun is ended by a later `sweep`.
pub const FAILED: u8 = 3;

/// Runs the command line, the program's name left out, and tells with which code the process should exit.
///
/// Answers go to `out`, complaints to `err`. Without a guard every jump of the clock is believed.
pub fn run(
    arguments: impl IntoIterator<Item: Into<OsString>>,
    clock: Arc<dyn Clock>,
    guard: Option<TimeGuard>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
    // A program that asked for JSON gets it, whatever else is wrong with the command line.
    let asks_for_json = arguments.iter().any(|argument| argument == "--json");
    let (config, json, by, order) = match arguments::parse(arguments) {
        Ok(Command::Run { config, json, by, order }) => (config, json, by, order),
        Ok(Command::Help) => {
            return out.write_all(arguments::USAGE.as_bytes()).map_or(FAILED, |()| DONE);
        }
        Ok(Command::Version) => {
            return writeln!(out, "checkout {}", env!("CARGO_PKG_VERSION")).map_or(FAILED, |()| DONE);
        }
        Err(error) => {
            return fail(&Failure::Usage(error), &mut Report::new(&RefCell::new(out), asks_for_json), err);
        }
    };
    let out = RefCell::new(out);
    let mut report = Report::new(&out, json);
    let mut aside = Report::new(&out, json);
    let tell = |alarm: &Alarm| {
        writeln!(err, "{alarm}")?;
        err.flush()?;
        aside.alarm(alarm)
    };
    let done = start(&config, (order, by), (clock, guard), &mut report, tell);
    for complaint in report.complaints() {
        let _ = writeln!(err, "{complaint}");
    }
    match done {
        Ok(code) => code,
        Err(failure) => fail(&failure, &mut report, err),
    }
}

fn fail(failure: &Failure, report: &mut Report<'_>, err: &mut dyn Write) -> u8 {
    // Where the answer cannot be written, the complaint still can.
    let _ = report.failure(failure);
    // There is nowhere left to complain about a closed standard error.
    let _ = writeln!(err, "{failure}");
    failure.exit_code()
}

fn start(
    config: &Path,
    (order, by): (Order, Option<String>),
    time: (Arc<dyn Clock>, Option<TimeGuard>),
    report: &mut Report<'_>,
    tell: impl FnMut(&Alarm) -> io::Result<()>,
) -> Result<u8, Failure> {
    let (text, is_exposed) =
        read_text(config).map_err(|error| Failure::Unreadable(config.display().to_string(), error))?;
    let (settings, targets) = Settings::load(&text, config, is_exposed).map_err(Failure::Settings)?;
    let folder = config.parent().unwrap_or(Path::new(""));
    // An empty one in the place of what is elsewhere would say that nothing is lent, and nothing would end.
    if let Some(missing) = settings.checkout.store.missing_file(folder).filter(|_| !order.makes_a_store()) {
        return Err(Failure::NoStore(missing));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Failed("checkout.runtime".into(), error.to_string()))?;
    runtime.block_on(async {
        let (teller, told) = telling();
        let work = async {
            let house = House::open(settings, targets, folder, time, teller).await?.acting_as(by);
            commands::perform(&house, order, report).await
        };
        tokio::select! {
            done = told.during(work, tell) => done,
            // Whatever was begun is written down: dropping the work is no worse than a crash.
            () = interrupted()? => Err(Failure::Interrupted),
        }
    })
}

/// Listens for signals from now on, and waits until one asks the program to end.
fn interrupted() -> Result<impl Future<Output = ()>, Failure> {
    crate::signals::asked_to_end()
        .map_err(|error: io::Error| Failure::Failed("checkout.runtime".into(), error.to_string()))
}
