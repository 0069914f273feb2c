//! From the settings of a connection to a door that people can come in by.

mod ldap;
mod saml;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use jit_core::{Attestor, Clock, Connection, ConnectionId, Store, SystemEntropy};
use jit_http::{GuardedHttp, HttpFailure};
use jit_ldap::Directory;
use jit_oidc::login::Environment;
use jit_oidc::{Engine, Login, OidcSettings, OidcTrigger, StateKeeper};

use super::assemble::AssembleError;
use super::house::{Door, Shelf, Way};
use super::settings::{DoorSettings, Method, Protocol, Settings};
use crate::targets::Opened;

/// Makes the connection for the engine, and the door with the trigger that feeds it.
pub(super) fn hang(
    settings: &DoorSettings,
    around: &Around<'_>,
) -> Result<(Connection, Door), AssembleError> {
    let (connection, attestor, protocol) = settings.clone().define()?;
    let (issuer, way) = way(settings, &protocol, attestor, around)?;
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

/// What every door stands in.
pub(super) struct Around<'a> {
    pub(super) settings: &'a Settings,
    pub(super) base_url: &'a str,
    /// Where the configuration lies, and files that it names.
    pub(super) folder: &'a Path,
    /// Where people sign in by a name and a password, by connection.
    pub(super) directories: &'a BTreeMap<ConnectionId, Directory>,
    pub(super) store: &'a Arc<dyn Store>,
    /// All user stores, the main one among them.
    pub(super) shelves: &'a [Shelf],
    pub(super) targets: &'a [Opened],
    pub(super) clock: &'a Arc<dyn Clock>,
}

/// Makes the trigger, and tells the issuer that pages show.
fn way(
    settings: &DoorSettings,
    protocol: &Protocol,
    attestor: Attestor,
    around: &Around<'_>,
) -> Result<(String, Way), AssembleError> {
    match protocol.method() {
        Some(Method::Oidc(oidc)) => {
            let trigger = oidc_trigger(settings, oidc, attestor, around)?;
            let issuer = trigger.login().config().policy().issuer_rule().published().to_owned();
            Ok((issuer, Way::Oidc(Box::new(trigger))))
        }
        Some(Method::Saml(saml)) => {
            let way = saml::way(settings, saml, attestor, around)?;
            let issuer = settings.issuers.first().map(ToString::to_string);
            Ok((issuer.unwrap_or_default(), Way::Saml(Box::new(way))))
        }
        Some(Method::Ldap(ldap)) => {
            let way = ldap::way(settings, ldap, attestor, around)?;
            Ok((ldap.issuer.clone(), Way::Ldap(Box::new(way))))
        }
        Some(Method::Scim(_)) | None => Err(AssembleError::NoProtocol(settings.id.clone())),
    }
}

fn oidc_trigger(
    settings: &DoorSettings,
    oidc: &OidcSettings,
    attestor: Attestor,
    around: &Around<'_>,
) -> Result<OidcTrigger, AssembleError> {
    let config = oidc.check().map_err(|error| AssembleError::connection(settings, error))?;
    let environment = Environment {
        http: Arc::new(client(oidc.dangerous.allow_loopback_http)?),
        engine: Engine::aws_lc(),
        clock: Arc::clone(around.clock),
        entropy: Arc::new(SystemEntropy),
        keeper: StateKeeper::one_time(Arc::clone(around.store) as _, settings.tenant.clone()),
    };
    let login = Login::new(settings.id.clone(), config, environment);
    Ok(OidcTrigger::new(login, attestor))
}

/// Makes the client that providers are asked with.
fn client(loopback: bool) -> Result<GuardedHttp, HttpFailure> {
    let builder = GuardedHttp::builder();
    if loopback { builder.dangerous().allow_loopback_http().build() } else { builder.build() }
}
