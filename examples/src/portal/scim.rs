//! Directories that drive accounts over SCIM, beside the people who sign in.

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use jit_core::{Attestor, Clock, Jit, Store};
use jit_scim::Tolerance;
use jit_scim::server::{ScimConnection, ScimHttp, ScimService, ScimServiceBuilder, Token, Tokens};

use super::assemble::AssembleError;
use super::settings::{DoorSettings, ScimSettings};
use crate::scim_server::token_files::{TokenFile, TokenFiles};
use crate::scim_server::{BASE, schemas};

const PROGRAM: &str = "portal";

/// The sources of a portal, ready to be served.
pub(super) struct Scim {
    pub(super) service: Arc<ScimService>,
    tokens: TokenFiles,
}

/// Collects them.
#[derive(Default)]
pub(super) struct Sources {
    connections: Vec<ScimConnection>,
    files: Vec<TokenFile>,
    tokens: Vec<Token>,
}

impl Sources {
    /// Adds a connection; its files lie beside the configuration.
    pub(super) fn add(
        &mut self,
        door: &DoorSettings,
        scim: &ScimSettings,
        attestor: Attestor,
        (base_url, folder): (&str, &Path),
    ) -> Result<(), AssembleError> {
        let beside = |files: &[PathBuf]| files.iter().map(|file| folder.join(file)).collect::<Vec<_>>();
        let wrong = |text: String| AssembleError::connection(door, text);
        let schemas = schemas::read(&beside(&scim.schemas), &beside(&scim.resource_types)).map_err(wrong)?;
        let path = folder.join(&scim.token_file);
        let file = TokenFile { path, tenant: door.tenant.clone(), connection: door.id.clone() };
        self.tokens.extend(file.read(PROGRAM).map_err(wrong)?);
        self.files.push(file);
        let connection = ScimConnection::new(attestor, format!("{base_url}{BASE}"));
        let connection = connection.schemas(schemas).tolerance(scim.tolerance.0);
        let connection = if scim.feed { connection.feed() } else { connection };
        let is_entra = scim.tolerance.0 == Tolerance::entra();
        self.connections.push(if is_entra { connection.unique_group_names() } else { connection });
        Ok(())
    }

    /// Puts the service together; there is none where no source is.
    pub(super) fn open(
        self,
        jit: &Arc<Jit>,
        store: &Arc<dyn Store>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Option<Scim>, AssembleError> {
        if self.connections.is_empty() {
            return Ok(None);
        }
        let builder = ScimService::builder(Arc::clone(jit), Arc::clone(store)).clock(Arc::clone(clock));
        let builder = self.connections.into_iter().fold(builder, ScimServiceBuilder::connection);
        let tokens = Arc::new(Tokens::new(self.tokens, Arc::clone(clock))?);
        let tokens = TokenFiles::new(PROGRAM, self.files, tokens);
        Ok(Some(Scim { service: Arc::new(builder.build()?), tokens }))
    }
}

impl Scim {
    /// Serves the sources beside the pages.
    pub(super) fn beside(&self, pages: Router) -> Router {
        pages.nest_service(BASE, ScimHttp::new(Arc::clone(&self.service), self.tokens.tokens()))
    }

    /// Reads the tokens again whenever SIGHUP asks for it, from now on and without end.
    pub(super) fn keep_tokens_fresh(&self) -> io::Result<impl Future<Output = ()>> {
        self.tokens.keep_fresh()
    }
}
