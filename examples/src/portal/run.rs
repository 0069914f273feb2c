//! The program: from the command line to a portal that serves until it is asked to end.

use std::error::Error;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;
use jit_core::{Clock, SystemClock};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::arguments::{self, Command};
use super::assemble::{AssembleError, assemble};
use super::demo;
use super::failure::tell;
use super::house::House;
use super::routes::routes;
use super::scim::Scim;
use super::settings::{Beside, Settings};
use super::work::keep_working;
use crate::log;
use crate::say::{complain, say};
use crate::signals::asked_to_end;
use crate::web::{Guard, serve};
use crate::work::worker_id;

/// Ended in good order.
pub const ENDED: u8 = 0;
/// Could not serve.
pub const CANNOT_SERVE: u8 = 1;
/// The command line or the configuration is wrong.
pub const BAD_USAGE: u8 = 2;

/// Runs the command line, the program's name left out, and tells with which code the process should exit.
pub fn run(arguments: impl IntoIterator<Item: Into<OsString>>) -> ExitCode {
    let code = match arguments::parse(arguments) {
        Ok(Command::Help) => help(),
        Ok(command) => start(command),
        Err(error) => {
            complain(format_args!("portal: {error}\n\n{}", arguments::USAGE.trim_end()));
            BAD_USAGE
        }
    };
    ExitCode::from(code)
}

fn help() -> u8 {
    match say(arguments::USAGE) {
        Ok(()) => ENDED,
        Err(error) => {
            tell(&error);
            CANNOT_SERVE
        }
    }
}

fn start(command: Command) -> u8 {
    log::to_standard_error();
    let served = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Stop::cannot_serve)
        .and_then(|runtime| runtime.block_on(perform(command)));
    match served {
        Ok(()) => ENDED,
        Err(Stop::Settings(text)) => {
            complain(text);
            BAD_USAGE
        }
        Err(Stop::CannotServe(error)) => {
            tell(error.as_ref());
            CANNOT_SERVE
        }
    }
}

/// Why nothing is served (any more).
enum Stop {
    /// What is wrong with the configuration, a line for each problem.
    Settings(String),
    CannotServe(Box<dyn Error>),
}

impl Stop {
    fn cannot_serve(error: impl Error + 'static) -> Self {
        Self::CannotServe(Box::new(error))
    }
}

impl From<AssembleError> for Stop {
    fn from(error: AssembleError) -> Self {
        match error {
            AssembleError::Settings(problems) => Self::Settings(problems.to_string()),
            error => Self::cannot_serve(error),
        }
    }
}

async fn perform(command: Command) -> Result<(), Stop> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    match command {
        Command::Demo { address, data } => {
            let demo = demo::prepare(address, &data, clock).await.map_err(Stop::cannot_serve)?;
            let authority = demo.base_url.trim_start_matches("http://").to_owned();
            let ready = demo.base_url.clone();
            open(demo.house, demo.listener, &authority, &ready, demo.providers).await
        }
        Command::Configured { file } => configured(&file, clock).await,
        Command::Help => Ok(()),
    }
}

async fn configured(file: &Path, clock: Arc<dyn Clock>) -> Result<(), Stop> {
    let folder = file.parent().map(PathBuf::from).unwrap_or_default();
    let (settings, beside) = read(file, &folder)?;
    let (listen, base_url) = (settings.portal.listen, settings.portal.base_url.clone());
    let authority = settings.portal.authority().unwrap_or_default();
    let listener = TcpListener::bind(listen).await.map_err(Stop::cannot_serve)?;
    let house = assemble(settings, beside, &folder, clock, false).await?;
    open(house, listener, &authority, &base_url, Vec::new()).await
}

/// Reads a configuration; what is wrong with it names file, line and field.
fn read(file: &Path, folder: &Path) -> Result<(Settings, Beside), Stop> {
    let name = file.display();
    let text = std::fs::read_to_string(file)
        .map_err(|error| Stop::Settings(format!("{name}: cannot be read: {error}")))?;
    Settings::load_with_files(&text, &name.to_string(), folder)
        .map_err(|problems| Stop::Settings(problems.to_string()))
}

async fn open(
    house: House,
    listener: TcpListener,
    authority: &str,
    base_url: &str,
    mut sites: Vec<(TcpListener, Router)>,
) -> Result<(), Stop> {
    let house = Arc::new(house);
    let worker = worker_id("portal").map_err(Stop::cannot_serve)?;
    let (ask, asked) = watch::channel(false);
    let working = tokio::spawn(keep_working(Arc::clone(&house), worker, asked));
    let scim = house.scim.as_ref();
    let beside = |pages| match scim {
        Some(scim) => scim.beside(pages),
        None => pages,
    };
    sites.push((listener, Guard::new(authority).around_beside(routes(Arc::clone(&house)), beside)));
    // Whoever reads that it is ready may ask something of it at once.
    let asked_to_end = asked_to_end().map_err(Stop::cannot_serve)?;
    let kept_fresh = scim.map(Scim::keep_tokens_fresh).transpose().map_err(Stop::cannot_serve)?;
    let stop = async {
        match kept_fresh {
            Some(kept_fresh) => tokio::select! {
                () = asked_to_end => {}
                () = kept_fresh => {}
            },
            None => asked_to_end.await,
        }
    };
    // It serves whether anybody listens here or not.
    let _ = say(format_args!("portal: ready at {base_url}\n"));
    let served = serve(sites, stop).await;
    // The worker ends with its sender in any case.
    let _ = ask.send(true);
    working.await.map_err(io::Error::other).map_err(Stop::cannot_serve)?;
    served.map_err(Stop::cannot_serve)
}
