//! What would come of evidence: mapping, decision and plan, by the engine's own `explain`.

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use jit_core::{
    AttestError, Attestation, Attestor, Code, Context, Event, Jit, ManualClock, MemoryStore, Store,
    VerifiedIdentity,
};

use super::Failure;
use super::explained::Explained;
use crate::command_line::UsageError;
use crate::portal::assemble::open;
use crate::portal::settings::{DoorSettings, Settings, StoreUrl};

/// Runs verified evidence through a connection, and writes nothing.
pub(super) struct Explainer<'a> {
    runtime: tokio::runtime::Runtime,
    jit: Jit,
    attestor: Attestor,
    door: &'a DoorSettings,
}

impl<'a> Explainer<'a> {
    /// Prepares the connection over an empty store, or over the one given.
    pub(super) fn new(
        settings: &Settings,
        door: &'a DoorSettings,
        store: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Self, Failure> {
        let unusable = |error: &dyn std::fmt::Display| {
            Failure::Usage(UsageError::Unclear(format!("connection `{}`: {error}", door.id)))
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| unusable(&error))?;
        let store: Arc<dyn Store> = match store {
            None => Arc::new(MemoryStore::new()),
            Some(text) => runtime
                .block_on(open(&existing(text)?, Path::new("")))
                .map_err(|error| Failure::Usage(UsageError::Unclear(format!("`--store`: {error}"))))?,
        };
        let (connection, attestor, _) = door.clone().define().map_err(|problems| unusable(&problems))?;
        let mut builder = Jit::builder(Arc::clone(&store))
            .clock(Arc::new(ManualClock::at(now)))
            .protection(settings.protection.protection())
            .connection(connection);
        // The others have a say as well: one may decide alone who has an account.
        for other in
            settings.connection.iter().filter(|other| (&other.tenant, &other.id) != (&door.tenant, &door.id))
        {
            builder = builder.connection(other.clone().define().map_err(|problems| unusable(&problems))?.0);
        }
        // Connections of one source keep their accounts in one store; the other stores are not asked.
        for named in &settings.store {
            let is_asked = door.store.as_ref() == Some(&named.id);
            let shelf = if is_asked { Arc::clone(&store) } else { Arc::new(MemoryStore::new()) };
            builder = builder.store(named.id.clone(), shelf);
        }
        let jit = builder.build().map_err(|error| unusable(&error))?;
        Ok(Self { runtime, jit, attestor, door })
    }

    /// Vouches for what was found to be said, as the trigger of the connection would.
    pub(super) fn identity(&self, attestation: Attestation) -> Result<VerifiedIdentity, AttestError> {
        self.attestor.attest(attestation)
    }

    /// Explains what would come of a sign-in. Fails where the store cannot be asked.
    pub(super) fn explain(&self, identity: VerifiedIdentity) -> Result<Explained, Code> {
        let event = Event::sign_in(identity, Context::default());
        let explanation = self.runtime.block_on(self.jit.explain(event)).map_err(|error| error.code())?;
        Ok(Explained::of(&explanation, &self.door.domains))
    }
}

/// A store that does not exist holds nothing to explain, and must not come into being by asking.
fn existing(text: &str) -> Result<StoreUrl, Failure> {
    let invalid = |what| Failure::Usage(UsageError::invalid("--store", &what));
    match StoreUrl::try_from(text.to_owned()).map_err(invalid)? {
        StoreUrl::Sqlite(path) if !Path::new(&path).is_file() => Err(invalid("there is no such file")),
        url => Ok(url),
    }
}
