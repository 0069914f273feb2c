//! Whole sign-ins at a running `SimpleSAMLphp`: what we ask for gets there, and what comes back is read.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use jit_core::{ConnectionId, MemoryStore, SystemClock, SystemEntropy, TenantId};
use jit_saml::binding::Binding;
use jit_saml::crypto::AwsLc;
use jit_saml::login::Authentication;
use jit_saml::secret::Secret;
use jit_saml::settings::{IdpSettings, SigningSettings};
use jit_saml::{Begin, Environment, Login, Outbound, ResponseForm, SamlSettings, StateKeeper};
use serde_json::{Value, json};
use url::Url;

use crate::browser::{Browser, exchange};
use crate::peer::{pem, program};

pub(crate) const SP: &str = "https://sp.example.com/saml";
pub(crate) const ACS: &str = "https://sp.example.com/acs";
const GROUPS: &str = "urn:oid:1.3.6.1.4.1.5923.1.5.1.1";

/// A running provider; it ends with its standard input, which ends with the test.
pub(crate) struct Idp {
    child: Child,
    pub(crate) base: String,
    pub(crate) entity_id: String,
}

impl Idp {
    pub(crate) fn start() -> Self {
        let mut command = Command::new(program("saml-ssp", "start"));
        let mut child = command
            .args(["--port", "0", "--stdin-lifeline"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let text = |name: &str| ready[name].as_str().unwrap().to_owned();
        Self { child, base: text("issuer"), entity_id: text("entity_id") }
    }

    /// Sends a command; `null` asks by GET.
    pub(crate) fn control(&self, command: &str, body: &Value) {
        let (method, body) = if body.is_null() { ("GET", String::new()) } else { ("POST", body.to_string()) };
        let address = Url::parse(&format!("{}/_ctl/{command}", self.base)).unwrap();
        let answer = exchange(&address, method, &[("Content-Type", "application/json".to_owned())], &body);
        assert_eq!(answer.status, 200, "{command}: {}", answer.body);
    }

    pub(crate) fn signs_in(&self, user: &str) {
        self.control(&format!("login?user={user}"), &Value::Null);
    }

    /// Makes us known, with our certificate for signatures and encryption.
    fn knows_us(&self, options: &Value) {
        let body = |name: &str| {
            let text = pem(name);
            text.lines().filter(|line| !line.starts_with('-')).collect::<String>()
        };
        let key = |name: &str, signing: bool| {
            json!({
                "type": "X509Certificate", "X509Certificate": body(name),
                "signing": signing, "encryption": !signing,
            })
        };
        let mut all = json!({ "keys": [key("p256.crt.pem", true), key("rsa.crt.pem", true), key("decryption.crt.pem", false)] });
        all.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
        self.control("sp", &json!({ "entity_id": SP, "acs": ACS, "options": all }));
    }

    fn certificate(&self) -> String {
        let metadata = Browser::default().open(&self.entity_id).body;
        let value = metadata.split_once("<ds:X509Certificate>").unwrap().1.split('<').next().unwrap();
        format!("-----BEGIN CERTIFICATE-----\n{value}\n-----END CERTIFICATE-----\n")
    }

    fn settings(&self) -> SamlSettings {
        let mut idp = IdpSettings::default();
        idp.entity_id.clone_from(&self.entity_id);
        idp.certificates = vec![self.certificate()];
        idp.sign_on_url = Some(format!("{}/simplesaml/saml2/idp/SSOService.php", self.base));
        let mut settings = SamlSettings::new(SP, ACS);
        settings.idp = Some(idp);
        settings.decryption_keys = vec![Secret::new(pem("decryption.key.pem"))];
        settings.dangerous.allow_loopback_http = true;
        settings
    }
}

impl Drop for Idp {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ended = self.child.wait();
    }
}

pub(crate) fn signing(key: &str) -> SigningSettings {
    let mut settings: SigningSettings =
        serde_json::from_value(json!({ "key": pem(&format!("{key}.key.pem")) })).unwrap();
    settings.certificate = Some(pem(&format!("{key}.crt.pem")));
    settings
}

pub(crate) fn login(settings: &SamlSettings) -> Login {
    let config = settings.check().unwrap();
    let environment = Environment {
        idps: Arc::new(config.source()),
        crypto: Arc::new(AwsLc),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        keeper: StateKeeper::one_time(Arc::new(MemoryStore::new()), TenantId::new("acme").unwrap()),
    };
    Login::new(ConnectionId::new("corp").unwrap(), config, environment)
}

/// Goes to the provider and comes back, as a browser does; answers the code of a refusal, or the page on which the
/// provider refuses.
async fn sign_in(login: &Login, begin: Begin) -> Result<Authentication, String> {
    sign_in_with(&mut Browser::default(), login, begin).await
}

pub(crate) async fn sign_in_with(
    browser: &mut Browser,
    login: &Login,
    begin: Begin,
) -> Result<Authentication, String> {
    let departure = login.begin(begin).await.unwrap();
    let page = match &departure.outbound {
        Outbound::Redirect(address) => browser.open(address),
        Outbound::Post(form) => browser.post(form.action(), form.fields()),
    };
    let Ok(form) = ResponseForm::from_body(&page.form()) else { return Err(page.body) };
    let cookie = departure.cookie.set_header();
    let cookie = cookie.split(';').next().unwrap();
    let first = login.finish(&form, Some(cookie)).await;
    let again = login.finish(&form, Some(cookie)).await;
    assert_eq!(again.unwrap_err().code().to_string(), "saml.state_unknown");
    first.map_err(|error| error.code().to_string())
}

async fn code(login: &Login, begin: Begin) -> String {
    sign_in(login, begin).await.map_or_else(|code| code, |_| "accepted".to_owned())
}

fn by(binding: Binding) -> Begin {
    let mut begin = Begin::default();
    begin.binding = Some(binding);
    begin
}

pub(crate) fn assert_alice(authentication: &Authentication, idp: &Idp) {
    let response = authentication.response();
    assert_eq!(response.issuer(), idp.entity_id);
    assert_eq!(response.name_id().unwrap().value, "alice");
    let groups: Vec<_> = response.attributes().get(GROUPS).unwrap().texts().collect();
    assert_eq!(groups, ["eng", "eng-oncall", "vpn"]);
    assert!(response.session_index().is_some() && response.session_not_on_or_after().is_some());
}

#[tokio::test]
async fn a_sign_in_comes_back_with_the_person() {
    let idp = Idp::start();
    idp.knows_us(&json!({}));
    idp.signs_in("alice");
    let site = login(&idp.settings());
    assert_alice(&sign_in(&site, Begin::default()).await.unwrap(), &idp);
    idp.signs_in("biggroups");
    let many = sign_in(&site, Begin::default()).await.unwrap();
    assert_eq!(many.response().attributes().get(GROUPS).unwrap().values.len(), 200);
}

#[tokio::test]
async fn what_the_provider_says_no_to_has_a_code() {
    let idp = Idp::start();
    idp.knows_us(&json!({}));
    let site = login(&idp.settings());
    idp.signs_in("deny");
    assert_eq!(code(&site, Begin::default()).await, "saml.status_authn_failed");
    idp.signs_in("alice");
    let mut strong = Begin::default();
    strong.authn_contexts = Some(vec!["https://refeds.org/profile/mfa".to_owned()]);
    assert_eq!(code(&site, strong).await, "saml.authn_context_mismatch");
    let mut again = Begin::default();
    again.force_authn = true;
    assert_eq!(code(&site, again).await, "accepted");
    idp.control("logout", &Value::Null);
    let mut passive = Begin::default();
    passive.is_passive = true;
    assert_eq!(code(&site, passive).await, "saml.status_no_passive");
}

#[tokio::test]
async fn our_signed_requests_are_accepted_and_others_are_not() {
    let idp = Idp::start();
    idp.knows_us(&json!({ "validate.authnrequest": true }));
    idp.signs_in("alice");
    for binding in [Binding::Redirect, Binding::Post] {
        let mut settings = idp.settings();
        settings.idp.as_mut().unwrap().sign_on_binding = Some(binding);
        let unsigned = code(&login(&settings), by(binding)).await;
        assert!(unsigned.contains("no signature found on message"), "{binding:?}: {unsigned}");
        settings.signing = Some(signing("other"));
        let strange = code(&login(&settings), by(binding)).await;
        assert!(strange.contains("alidate") && strange.contains("ignature"), "{binding:?}: {strange}");
        settings.signing = Some(signing("rsa"));
        assert_alice(&sign_in(&login(&settings), by(binding)).await.unwrap(), &idp);
    }
}

#[tokio::test]
async fn what_is_signed_can_be_chosen_and_demanded() {
    let idp = Idp::start();
    idp.signs_in("alice");
    for (response, assertion, signed, expected) in [
        (true, true, "both", "accepted"),
        (true, false, "response", "accepted"),
        (false, true, "assertion", "accepted"),
        (false, true, "response", "saml.response_not_signed"),
        (true, false, "assertion", "saml.assertion_not_signed"),
        (false, false, "either", "saml.not_signed"),
    ] {
        idp.knows_us(&json!({ "saml20.sign.response": response, "saml20.sign.assertion": assertion }));
        let mut settings = idp.settings();
        settings.idp.as_mut().unwrap().signed = serde_json::from_value(json!(signed)).unwrap();
        assert_eq!(
            code(&login(&settings), Begin::default()).await,
            expected,
            "{response} {assertion} {signed}"
        );
    }
}

#[tokio::test]
async fn its_legacy_needs_switches() {
    let idp = Idp::start();
    idp.signs_in("alice");
    idp.knows_us(&json!({ "assertion.encryption": true }));
    let mut settings = idp.settings();
    assert_eq!(code(&login(&settings), Begin::default()).await, "saml.encryption_cbc");
    settings.idp.as_mut().unwrap().legacy.cbc_under_signed_response = true;
    assert_alice(&sign_in(&login(&settings), Begin::default()).await.unwrap(), &idp);
    idp.knows_us(&json!({ "signature.algorithm": "http://www.w3.org/2000/09/xmldsig#rsa-sha1" }));
    assert_eq!(code(&login(&settings), Begin::default()).await, "saml.sha1_not_allowed");
    idp.knows_us(&json!({ "signature.algorithm": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512" }));
    assert_eq!(code(&login(&settings), Begin::default()).await, "accepted");
}

#[tokio::test]
async fn what_it_begins_itself_is_refused_unless_allowed() {
    let idp = Idp::start();
    idp.knows_us(&json!({}));
    idp.signs_in("alice");
    let mut settings = idp.settings();
    let address = format!("{}/simplesaml/saml2/idp/SSOService.php?spentityid={SP}", idp.base);
    let form = |page: &[u8]| ResponseForm::from_body(page).unwrap();
    let page = form(&Browser::default().open(&address).form());
    let refused = login(&settings).finish_unsolicited(&page).await.unwrap_err();
    assert_eq!(refused.code().to_string(), "saml.unsolicited_refused");
    settings.dangerous.accept_unsolicited = true;
    let site = login(&settings);
    assert_alice(&site.finish_unsolicited(&page).await.unwrap(), &idp);
    assert_eq!(site.finish_unsolicited(&page).await.unwrap_err().code().to_string(), "saml.replayed");
}
