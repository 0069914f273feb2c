//! The program: from the command line to a server that serves until it is asked to end.

use std::error::Error;
use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use jit_core::config::ConnectionConfig;
use jit_core::{Jit, MemoryStore, Store, SystemClock, TimeGuard};
use jit_scim::Tolerance;
use jit_scim::server::{ScimConnection, ScimHttp, ScimService, Tokens};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::arguments::{self, Command, Keeping, Order};
use super::connection::{self, Scim};
use super::stop::Stop;
use super::token_files::{TokenFile, TokenFiles};
use super::work::keep_working;
use super::{BASE, schemas, tokens};
use crate::alarms::{Alarms, StandardError};
use crate::log;
use crate::portal::assemble::open;
use crate::say::{complain, complain_of, say};
use crate::signals::asked_to_end;
use crate::web::serve;
use crate::work::worker_id;

/// What it is called.
const PROGRAM: &str = "scim-server";

/// Ended in good order.
pub const ENDED: u8 = 0;
/// Could not serve.
pub const CANNOT_SERVE: u8 = 1;
/// The command line, or a file that it names, is wrong.
pub const BAD_USAGE: u8 = 2;

/// Runs the command line, the program's name left out, and tells with which code the process should exit.
pub fn run(arguments: impl IntoIterator<Item: Into<OsString>>) -> ExitCode {
    let done = match arguments::parse(arguments) {
        Ok(Command::Help) => say(arguments::USAGE).map_err(Stop::cannot_serve),
        Ok(Command::Token) => tokens::make(),
        Ok(Command::Serve(order)) => start(&order),
        Err(error) => Err(Stop::Settings(format!("{error}\n\n{}", arguments::USAGE))),
    };
    ExitCode::from(match done {
        Ok(()) => ENDED,
        Err(Stop::Settings(text)) => {
            complain(format_args!("{PROGRAM}: {}", text.trim_end()));
            BAD_USAGE
        }
        Err(Stop::CannotServe(error)) => {
            tell(error.as_ref());
            CANNOT_SERVE
        }
    })
}

/// Tells the operator.
pub(super) fn tell(error: &(dyn Error + 'static)) {
    complain_of(PROGRAM, error);
}

fn start(order: &Order) -> Result<(), Stop> {
    log::to_standard_error();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Stop::cannot_serve)?;
    runtime.block_on(perform(order))
}

async fn perform(order: &Order) -> Result<(), Stop> {
    // Whatever is wrong with a file is said before a store is touched.
    let settings = connection::settings(&order.who)?;
    let tokens = token_files(order, &settings)?;
    let schemas = schemas::read(&order.schemas, &order.resource_types).map_err(Stop::Settings)?;
    let (connection, attestor, scim) =
        settings.define().map_err(|found| Stop::Settings(found.to_string()))?;
    let listener = TcpListener::bind(order.address).await;
    let listener = listener.map_err(|error| Stop::cannot_listen(order.address, error))?;
    let address = listener.local_addr().map_err(Stop::cannot_serve)?;
    let store = open_store(&order.keeping).await?;
    let mut jit = Jit::builder(Arc::clone(&store))
        .time_guard(TimeGuard::default())
        .protection(scim.protection.protection())
        // sessions are kept by others, and theirs is what they must be told
        .alarms(Arc::new(Alarms(StandardError(PROGRAM))))
        .connection(connection);
    if scim.leave_notices {
        jit = jit.leaves_notices();
    }
    let jit = Arc::new(jit.build()?);
    let base = order.base.clone().unwrap_or_else(|| base(address));
    let mut served = ScimConnection::new(attestor, base).schemas(schemas).tolerance(order.tolerance);
    if order.tolerance == Tolerance::entra() {
        served = served.unique_group_names();
    }
    if order.feed {
        served = served.feed();
    }
    let service = Arc::new(ScimService::builder(Arc::clone(&jit), store).connection(served).build()?);
    if order.index_anew {
        index_anew(&service).await?;
    }
    serve_until_asked((jit, service), tokens, listener).await
}

/// Lets everything that is kept be found by what is unique now. What cannot be is named on standard error, and served as it is.
async fn index_anew(service: &ScimService) -> Result<(), Stop> {
    let done = service.index_anew().await.map_err(Stop::cannot_serve)?;
    let (seen, written, failed) = (done.seen, done.written, done.failed);
    complain(format_args!(
        "{PROGRAM}: indexed anew: {seen} looked at, {written} written, {failed} left as they were"
    ));
    Ok(())
}

/// Says where clients reach what listens at this address; of one that stands for all only the path is known.
fn base(address: SocketAddr) -> String {
    if address.ip().is_unspecified() { BASE.to_owned() } else { format!("http://{address}{BASE}") }
}

fn token_files(order: &Order, settings: &ConnectionConfig<Scim>) -> Result<TokenFiles, Stop> {
    let (path, tenant) = (order.token_file.clone(), settings.tenant.clone());
    let file = TokenFile { path, tenant, connection: settings.id.clone() };
    let tokens = Tokens::new(file.read(PROGRAM).map_err(Stop::Settings)?, Arc::new(SystemClock))?;
    Ok(TokenFiles::new(PROGRAM, vec![file], Arc::new(tokens)))
}

async fn serve_until_asked(
    (jit, service): (Arc<Jit>, Arc<ScimService>),
    tokens: TokenFiles,
    listener: TcpListener,
) -> Result<(), Stop> {
    let address = listener.local_addr().map_err(Stop::cannot_serve)?;
    let worker = worker_id(PROGRAM).map_err(Stop::cannot_serve)?;
    let (ask, asked) = watch::channel(false);
    let working = tokio::spawn(keep_working((jit, Arc::clone(&service)), worker, asked));
    let site = ScimHttp::new(service, tokens.tokens()).below(BASE);
    // Whoever reads that it is ready may ask something of it at once.
    let asked_to_end = asked_to_end().map_err(Stop::cannot_serve)?;
    let kept_fresh = tokens.keep_fresh().map_err(Stop::cannot_serve)?;
    let stop = async {
        tokio::select! {
            () = asked_to_end => {}
            () = kept_fresh => {}
        }
    };
    // It serves whether anybody listens here or not.
    let _ = say(format_args!("{PROGRAM}: ready at http://{address}{BASE}\n"));
    let served = serve(vec![(listener, site)], stop).await;
    // The worker ends with its sender in any case.
    let _ = ask.send(true);
    working.await.map_err(io::Error::other).map_err(Stop::cannot_serve)?;
    served.map_err(Stop::cannot_serve)
}

async fn open_store(keeping: &Keeping) -> Result<Arc<dyn Store>, Stop> {
    match keeping {
        Keeping::Memory => Ok(Arc::new(MemoryStore::new())),
        Keeping::Store(url) => Ok(open(url, Path::new("")).await?),
    }
}
