//! From settings to a portal that can be served.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jit_core::Store;
use jit_core::config::Problems;
use jit_core::{BackendError, BuildError, Clock, ConnectionId, ErrorKind, Jit, JitBuilder, TimeGuard};
use jit_http::HttpFailure;
use jit_scim::server::{ServiceError, TokenError};
use jit_sql::{PostgresOptions, PostgresStore, SqliteStore};

use super::comparisons::Comparisons;
use super::hang::{Around, hang};
use super::holds::{HOLD_LASTS, Holds};
use super::house::{Door, House, Shelf};
use super::proxies::Proxies;
use super::scim::Sources;
use super::session::Sessions;
use super::settings::{Beside, DoorSettings, Method, Settings, StoreUrl};
use super::sign_in_forms::SignInForms;
use crate::alarms::{Alarms, StandardError};
use crate::targets::Opened;

/// Says why a portal could not be assembled.
#[derive(Debug, thiserror::Error)]
pub(super) enum AssembleError {
    #[error("{0}")]
    Settings(#[from] Problems),
    #[error("the user store cannot be opened")]
    Store(#[from] BackendError),
    #[error("the connections do not go together")]
    Build(#[from] BuildError),
    #[error("the client for providers cannot be made")]
    Http(#[from] HttpFailure),
    #[error("the settings of connection `{0}` cannot be used")]
    Connection(ConnectionId, #[source] Box<dyn Error + Send + Sync>),
    #[error("`{0}` cannot be read")]
    Metadata(PathBuf, #[source] io::Error),
    #[error("the sources over SCIM do not go together")]
    Sources(#[from] ServiceError),
    #[error("the tokens of the sources do not go together")]
    Tokens(#[from] TokenError),
    #[error("connection `{0}` has no protocol")]
    NoProtocol(ConnectionId),
}

impl AssembleError {
    pub(super) fn connection(door: &DoorSettings, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Connection(door.id.clone(), error.into())
    }
}

/// Opens the stores and puts the engine together. Nothing is asked of a provider before somebody signs in.
pub(super) async fn assemble(
    settings: Settings,
    beside: Beside,
    folder: &Path,
    clock: Arc<dyn Clock>,
    demo: bool,
) -> Result<House, AssembleError> {
    let Beside { targets, directories } = beside;
    let mut shelves = vec![Shelf { name: None, store: open(&settings.portal.store, folder).await?.clone() }];
    for store in &settings.store {
        shelves.push(Shelf { name: Some(store.id.clone()), store: open(&store.url, folder).await? });
    }
    let (main, named) = shelves
        .split_first()
        .ok_or(AssembleError::Store(BackendError::new(ErrorKind::Invalid, "portal.assemble")))?;
    let builder = builder(&settings, main, named, &targets, &clock);
    let around = Around {
        settings: &settings,
        base_url: &settings.portal.base_url,
        folder,
        directories: &directories,
        store: &main.store,
        shelves: &shelves,
        targets: &targets,
        clock: &clock,
    };
    let (builder, doors, sources) = connect(builder, &around)?;
    let jit = Arc::new(builder.build()?);
    let scim = sources.open(&jit, &main.store, &clock)?;
    Ok(House {
        jit,
        scim,
        doors,
        comparisons: Comparisons::new(Arc::clone(&clock)),
        clock,
        sessions: Sessions::new(&settings.portal.base_url),
        holds: Holds::new(&settings.portal.base_url),
        sign_in_forms: SignInForms::new(&settings.portal.base_url),
        admin: settings.portal.admin,
        proxies: Proxies::new(settings.portal.trusted_proxies),
        demo,
        shelves,
        targets,
    })
}

/// Connects the engine: with doors that people come in by, and with sources that tell of them.
fn connect(
    mut builder: JitBuilder,
    around: &Around<'_>,
) -> Result<(JitBuilder, Vec<Door>, Sources), AssembleError> {
    let (mut doors, mut sources) = (Vec::new(), Sources::default());
    for door in &around.settings.connection {
        if let Some(Method::Scim(scim)) = door.protocol.method() {
            let (connection, attestor, _) = door.clone().define()?;
            sources.add(door, scim, attestor, (around.base_url, around.folder))?;
            builder = builder.connection(connection);
            continue;
        }
        let (connection, door) = hang(door, around)?;
        builder = builder.connection(connection);
        doors.push(door);
    }
    Ok((builder, doors, sources))
}

/// Begins the engine: stores, time, protection and targets.
fn builder(
    settings: &Settings,
    main: &Shelf,
    named: &[Shelf],
    targets: &[Opened],
    clock: &Arc<dyn Clock>,
) -> JitBuilder {
    let mut builder = Jit::builder(Arc::clone(&main.store))
        .clock(Arc::clone(clock))
        .time_guard(TimeGuard::default())
        .protection(settings.protection.protection())
        .hold_for(HOLD_LASTS)
        .alarms(Arc::new(Alarms(StandardError("portal"))))
        .explaining();
    if settings.portal.leave_notices {
        builder = builder.leaves_notices();
    }
    for shelf in named {
        if let Some(name) = &shelf.name {
            builder = builder.store(name.clone(), Arc::clone(&shelf.store));
        }
    }
    if let Some(deployment) = &settings.deployment {
        builder = deployment.bound(builder);
    }
    for target in targets {
        builder = builder.target(target.setup.clone());
    }
    builder
}

/// Opens a user store; paths are relative to the folder of the configuration.
pub(crate) async fn open(url: &StoreUrl, folder: &Path) -> Result<Arc<dyn Store>, BackendError> {
    match url {
        StoreUrl::Sqlite(path) => {
            let path = folder.join(path);
            let opened = tokio::task::spawn_blocking(move || SqliteStore::open(path)).await;
            let stopped = |error| {
                BackendError::new(ErrorKind::Unavailable, "sqlite.open").caused_by(Box::new(error) as Box<_>)
            };
            Ok(Arc::new(opened.map_err(stopped)??))
        }
        StoreUrl::Postgres(url) => {
            let config = url.parse().map_err(|error: tokio_postgres::Error| {
                BackendError::new(ErrorKind::Invalid, "postgres.open").caused_by(error)
            })?;
            Ok(Arc::new(PostgresStore::open_local(config, PostgresOptions::new()).await?))
        }
    }
}
