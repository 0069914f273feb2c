//! Metadata exchanged with a running `SimpleSAMLphp`, and sign-outs that begin here and there.

use std::sync::Arc;

use jit_core::{ConnectionId, MemoryStore, SystemClock, SystemEntropy, TenantId};
use jit_saml::binding::Binding;
use jit_saml::crypto::{AwsLc, decode_pem};
use jit_saml::logout::{
    Ended, LogoutEnvironment, LogoutMessage, LogoutSettings, LogoutStatus, Received, SessionAtIdp,
    SingleLogout,
};
use jit_saml::metadata::SpMetadata;
use jit_saml::secret::Secret;
use jit_saml::settings::IdpSettings;
use jit_saml::signature::SigningKey;
use jit_saml::{Begin, Outbound, SamlSettings};
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::live::{ACS, Idp, SP, assert_alice, login, sign_in_with, signing};
use crate::peer::pem;

const SLO: &str = "https://sp.example.com/slo";

fn certificate(name: &str) -> Vec<u8> {
    decode_pem("CERTIFICATE", &pem(&format!("{name}.crt.pem"))).unwrap()
}

/// Hands our own document over; `options` are the provider's.
fn introduce_ourselves(idp: &Idp, options: &Value) {
    let metadata = SpMetadata::new(SP, ACS)
        .single_logout(Binding::Redirect, SLO)
        .signing_certificate(certificate("other"))
        .signing_certificate(certificate("rsa"))
        .encryption_certificate(certificate("decryption"))
        .signs_requests();
    idp.control("sp", &json!({ "metadata": metadata.write().unwrap(), "options": options }));
}

/// Settings that know the provider by its document alone.
fn settings(idp: &Idp) -> SamlSettings {
    let mut known = IdpSettings::default();
    known.entity_id.clone_from(&idp.entity_id);
    known.metadata = Some(Browser::default().open(&idp.entity_id).body);
    let mut settings = SamlSettings::new(SP, ACS);
    settings.idp = Some(known);
    settings.signing = Some(signing("rsa"));
    settings.decryption_keys = vec![Secret::new(pem("decryption.key.pem"))];
    settings.dangerous.allow_loopback_http = true;
    settings
}

fn sign_outs(settings: &SamlSettings) -> SingleLogout {
    let key = SigningKey::from_pem(&pem("rsa.key.pem")).unwrap();
    let environment = LogoutEnvironment {
        idps: Arc::new(settings.check().unwrap().source()),
        store: Arc::new(MemoryStore::new()),
        tenant: TenantId::new("acme").unwrap(),
        connection: ConnectionId::new("corp").unwrap(),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        crypto: Arc::new(AwsLc),
    };
    SingleLogout::new(LogoutSettings::new(SP, SLO, key), environment)
}

async fn signed_in(browser: &mut Browser, idp: &Idp, settings: &SamlSettings) -> SessionAtIdp {
    let authentication = sign_in_with(browser, &login(settings), Begin::default()).await.unwrap();
    assert_alice(&authentication, idp);
    let response = authentication.response();
    SessionAtIdp {
        issuer: response.issuer().to_owned(),
        name_id: response.name_id().unwrap().clone(),
        session_indexes: response.session_index().map(str::to_owned).into_iter().collect(),
    }
}

/// Sends the browser on, and answers the message with which it comes back to us.
fn carried(browser: &mut Browser, outbound: &Outbound) -> LogoutMessage {
    let Outbound::Redirect(address) = outbound else { panic!("{outbound:?}") };
    returned(browser, address)
}

fn returned(browser: &mut Browser, address: &str) -> LogoutMessage {
    let answer = browser.open(address);
    let location = answer.header("location").unwrap_or_else(|| panic!("{}", answer.body));
    let (place, query) = location.split_once('?').unwrap();
    assert_eq!(place, SLO);
    LogoutMessage::from_query(query).unwrap()
}

#[tokio::test]
async fn each_side_knows_the_other_by_its_metadata() {
    let idp = Idp::start();
    idp.signs_in("alice");
    introduce_ourselves(&idp, &json!({ "assertion.encryption": true, "validate.authnrequest": true }));
    let mut settings = settings(&idp);
    settings.idp.as_mut().unwrap().legacy.cbc_under_signed_response = true;
    signed_in(&mut Browser::default(), &idp, &settings).await;
    settings.signing = Some(signing("decryption"));
    let stranger = sign_in_with(&mut Browser::default(), &login(&settings), Begin::default()).await;
    assert!(stranger.unwrap_err().contains("Unable to validate signature"));
}

#[tokio::test]
async fn a_sign_out_that_begins_here_is_confirmed() {
    let idp = Idp::start();
    idp.signs_in("alice");
    introduce_ourselves(&idp, &json!({ "sign.logout": true, "validate.logout": true }));
    let settings = settings(&idp);
    let mut browser = Browser::default();
    let session = signed_in(&mut browser, &idp, &settings).await;
    let sign_outs = sign_outs(&settings);
    let outbound = sign_outs.begin(&session, Some("page 7")).await.unwrap();
    match sign_outs.receive(&carried(&mut browser, &outbound)).await.unwrap() {
        Received::Response(finished) => {
            assert_eq!(finished.issuer, idp.entity_id);
            assert_eq!(finished.status, LogoutStatus::Complete);
            assert_eq!(finished.relay_state.as_deref(), Some("page 7"));
        }
        Received::Request(request) => panic!("{request:?}"),
    }
}

#[tokio::test]
async fn a_sign_out_that_begins_there_names_the_session_and_is_answered() {
    let idp = Idp::start();
    idp.signs_in("alice");
    introduce_ourselves(&idp, &json!({ "sign.logout": true, "validate.logout": true }));
    let settings = settings(&idp);
    let mut browser = Browser::default();
    let session = signed_in(&mut browser, &idp, &settings).await;
    let sign_outs = sign_outs(&settings);
    let address = format!(
        "{0}/simplesaml/saml2/idp/SingleLogoutService.php?ReturnTo={0}/simplesaml/logout.php",
        idp.base
    );
    let message = returned(&mut browser, &address);
    let Received::Request(request) = sign_outs.receive(&message).await.unwrap() else { panic!("a response") };
    assert!(request.ends(
        &session.issuer,
        &session.name_id,
        session.session_indexes.first().map(String::as_str)
    ));
    let Outbound::Redirect(back) = sign_outs.answer(request, Ended::All).unwrap() else { panic!("a form") };
    let page = browser.open(&back);
    assert!(page.status == 200 && !page.body.contains("xception"), "{}", page.body);
    assert_eq!(sign_outs.receive(&message).await.unwrap_err().code().to_string(), "saml.logout_replayed");
}
