use std::fs;
use std::sync::Arc;

use jit_core::{Attestor, SystemEntropy};
use jit_saml::binding::Binding;
use jit_saml::crypto::{AwsLc, decode_pem};
use jit_saml::logout::{LogoutEnvironment, LogoutSettings, SingleLogout};
use jit_saml::metadata::{MetadataPolicy, MetadataSource, SpMetadata, aggregate_limits};
use jit_saml::signature::{SigningKey, VerificationKey};
use jit_saml::{Environment, IdpSource, Login, SamlConfig, SamlSettings, SamlTrigger, StateKeeper};

use super::{Around, client};
use crate::portal::assemble::AssembleError;
use crate::portal::house::SamlWay;
use crate::portal::settings::{DoorSettings, MetadataSettings, Terms, saml_address};

/// Makes everything that signs people in and out over a SAML connection.
pub(super) fn way(
    door: &DoorSettings,
    saml: &SamlSettings,
    attestor: Attestor,
    around: &Around<'_>,
) -> Result<SamlWay, AssembleError> {
    let config = saml.check().map_err(|error| AssembleError::connection(door, error))?;
    let idps = source(door, saml, &config, around)?;
    let metadata = describe(door, saml, around)?;
    let logout = sign_outs(door, saml, &config, &idps, around)?;
    let environment = Environment {
        idps,
        crypto: Arc::new(AwsLc),
        clock: Arc::clone(around.clock),
        entropy: Arc::new(SystemEntropy),
        keeper: StateKeeper::one_time(Arc::clone(around.store) as _, door.tenant.clone()),
    };
    let trigger = SamlTrigger::new(Login::new(door.id.clone(), config, environment), attestor);
    Ok(SamlWay { trigger, logout, metadata })
}

/// Where the provider is looked up: in the configuration, in a file beside it, or in metadata that is kept fresh.
fn source(
    door: &DoorSettings,
    saml: &SamlSettings,
    config: &SamlConfig,
    around: &Around<'_>,
) -> Result<Arc<dyn IdpSource>, AssembleError> {
    let Some(metadata) = &door.protocol.metadata else { return Ok(Arc::new(config.source())) };
    let loopback = saml.dangerous.allow_loopback_http;
    let (clock, crypto) = (Arc::clone(around.clock), Arc::new(AwsLc));
    let source = match (&metadata.file, &metadata.url) {
        (Some(file), _) => {
            let path = around.folder.join(file);
            let octets = fs::read(&path).map_err(|error| AssembleError::Metadata(path, error))?;
            let policy = reached(MetadataPolicy::pinned().limits(aggregate_limits()), loopback);
            MetadataSource::from_octets(&octets, policy, clock, crypto)
        }
        (None, Some(url)) => {
            let fetch = Arc::new(client(loopback)?);
            MetadataSource::from_url(url, reached(fetched(metadata), loopback), fetch, clock, crypto)
        }
        (None, None) => return Ok(Arc::new(config.source())),
    };
    let source = source.map_err(|error| AssembleError::connection(door, error))?;
    let terms = Terms::of(&door.protocol);
    Ok(Arc::new(source.adjusting(move |idp| terms.imposed_on(idp))))
}

fn fetched(metadata: &MetadataSettings) -> MetadataPolicy {
    let keys: Vec<_> =
        metadata.signed_by.iter().filter_map(|text| VerificationKey::from_pem(text).ok()).collect();
    let mut policy = MetadataPolicy::signed_by(keys);
    if metadata.federation {
        policy = policy.limits(aggregate_limits());
    }
    if metadata.dangerously_unsigned {
        policy.dangerous().accept_unsigned().dangerous().accept_endless()
    } else {
        policy
    }
}

fn reached(policy: MetadataPolicy, loopback: bool) -> MetadataPolicy {
    if loopback { policy.dangerous().accept_loopback() } else { policy }
}

/// Writes what the provider must know of this portal.
fn describe(door: &DoorSettings, saml: &SamlSettings, around: &Around<'_>) -> Result<String, AssembleError> {
    let logout = saml_address(around.base_url, &door.id, "logout");
    let mut metadata = SpMetadata::new(&saml.entity_id, &saml.acs_url);
    if saml.dangerous.allow_loopback_http {
        metadata = metadata.dangerous_accept_loopback();
    }
    if let Some(signing) = &saml.signing {
        metadata = metadata.single_logout(Binding::Redirect, &logout).single_logout(Binding::Post, &logout);
        if let Some(certificate) = certificate(signing.certificate.as_deref()) {
            metadata = metadata.signing_certificate(certificate).signs_requests();
        }
    }
    let publish = &door.protocol.publish;
    for certificate in publish.signing.iter().filter_map(|text| certificate(Some(text))) {
        metadata = metadata.signing_certificate(certificate);
    }
    for certificate in publish.encryption.iter().filter_map(|text| certificate(Some(text))) {
        metadata = metadata.encryption_certificate(certificate);
    }
    metadata.write().map_err(|error| AssembleError::connection(door, error))
}

/// Signing out at both places: every message of it is signed, so without a key there is none.
fn sign_outs(
    door: &DoorSettings,
    saml: &SamlSettings,
    config: &SamlConfig,
    idps: &Arc<dyn IdpSource>,
    around: &Around<'_>,
) -> Result<Option<SingleLogout>, AssembleError> {
    let Some(signing) = &saml.signing else { return Ok(None) };
    let key =
        SigningKey::from_pem(signing.key.expose()).map_err(|error| AssembleError::connection(door, error))?;
    let address = saml_address(around.base_url, &door.id, "logout");
    let mut settings = LogoutSettings::new(&saml.entity_id, address, key)
        .decryption_keys(config.decryption_keys().to_vec())
        .skew(config.skew());
    if let Some(certificate) = certificate(signing.certificate.as_deref()) {
        settings = settings.certificate(certificate);
    }
    let environment = LogoutEnvironment {
        idps: Arc::clone(idps),
        store: Arc::clone(around.store) as _,
        tenant: door.tenant.clone(),
        connection: door.id.clone(),
        clock: Arc::clone(around.clock),
        entropy: Arc::new(SystemEntropy),
        crypto: Arc::new(AwsLc),
    };
    Ok(Some(SingleLogout::new(settings, environment)))
}

fn certificate(pem: Option<&str>) -> Option<Vec<u8>> {
    pem.and_then(|text| decode_pem("CERTIFICATE", text))
}
