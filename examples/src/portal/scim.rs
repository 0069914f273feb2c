//! Directories that drive accounts over SCIM, beside the people who sign in.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use jit_core::{Attestor, Clock, Jit, Store};
use jit_scim::Tolerance;
use jit_scim::server::{ScimConnection, ScimHttp, ScimService, ScimServiceBuilder, Token, Tokens};

use super::assemble::AssembleError;
use super::settings::{DoorSettings, ScimSettings};
use crate::scim_server::{BASE, schemas, tokens};

/// The sources of a portal, ready to be served.
pub(super) struct Scim {
    pub(super) service: Arc<ScimService>,
    tokens: Arc<Tokens>,
}

/// Collects them.
#[derive(Default)]
pub(super) struct Sources {
    connections: Vec<ScimConnection>,
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
        let mut warn = |text: String| eprintln!("portal: {text}");
        let wrong = |text: String| AssembleError::connection(door, text);
        let schemas = schemas::read(&beside(&scim.schemas), &beside(&scim.resource_types)).map_err(wrong)?;
        let tokens = tokens::read(&folder.join(&scim.token_file), (&door.tenant, &door.id), &mut warn);
        self.tokens.extend(tokens.map_err(wrong)?);
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
        let tokens = Tokens::new(self.tokens, Arc::clone(clock))?;
        Ok(Some(Scim { service: Arc::new(builder.build()?), tokens: Arc::new(tokens) }))
    }
}

impl Scim {
    /// Serves the sources beside the pages.
    pub(super) fn beside(&self, pages: Router) -> Router {
        pages.nest_service(BASE, ScimHttp::new(Arc::clone(&self.service), Arc::clone(&self.tokens) as _))
    }
}
