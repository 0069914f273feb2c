//! From the settings of a connection to a door that people can come in by.

use std::sync::Arc;

use jit_core::{Attestor, Clock, Connection, Store, SystemEntropy};
use jit_oidc::http::HttpError;
use jit_oidc::login::Environment;
use jit_oidc::{Engine, GuardedHttp, Login, OidcSettings, OidcTrigger, StateKeeper};

use super::assemble::AssembleError;
use super::house::{Door, Way};
use super::settings::{DoorSettings, Protocol};

/// Makes the connection for the engine, and the door with the trigger that feeds it.
pub(super) fn hang(
    settings: &DoorSettings,
    store: &Arc<dyn Store>,
    clock: &Arc<dyn Clock>,
) -> Result<(Connection, Door), AssembleError> {
    let (connection, attestor, protocol) = settings.clone().define()?;
    let (issuer, way) = way(settings, &protocol, attestor, store, clock)?;
    let door = Door {
        id: settings.id.clone(),
        tenant: settings.tenant.clone(),
        store: settings.store.clone(),
        label: protocol.label,
        issuer,
        way,
    };
    Ok((connection, door))
}

/// Makes the trigger, and tells the issuer that pages show.
fn way(
    settings: &DoorSettings,
    protocol: &Protocol,
    attestor: Attestor,
    store: &Arc<dyn Store>,
    clock: &Arc<dyn Clock>,
) -> Result<(String, Way), AssembleError> {
    match &protocol.oidc {
        Some(oidc) => {
            let trigger = oidc_trigger(settings, oidc, attestor, store, clock)?;
            let issuer = trigger.login().config().policy().issuer_rule().published().to_owned();
            Ok((issuer, Way::Oidc(Box::new(trigger))))
        }
        None => Err(AssembleError::NoProtocol(settings.id.clone())),
    }
}

fn oidc_trigger(
    settings: &DoorSettings,
    oidc: &OidcSettings,
    attestor: Attestor,
    store: &Arc<dyn Store>,
    clock: &Arc<dyn Clock>,
) -> Result<OidcTrigger, AssembleError> {
    let config = oidc.check().map_err(|error| AssembleError::Connection(settings.id.clone(), error))?;
    let environment = Environment {
        http: Arc::new(client(oidc.dangerous.allow_loopback_http)?),
        engine: Engine::aws_lc(),
        clock: Arc::clone(clock),
        entropy: Arc::new(SystemEntropy),
        keeper: StateKeeper::one_time(Arc::clone(store) as _, settings.tenant.clone()),
    };
    let login = Login::new(settings.id.clone(), config, environment);
    Ok(OidcTrigger::new(login, attestor))
}

fn client(loopback: bool) -> Result<GuardedHttp, HttpError> {
    let builder = GuardedHttp::builder();
    if loopback { builder.dangerous().allow_loopback_http().build() } else { builder.build() }
}
