//! Sign-ins from the request to the event, in one browser.

use std::sync::Arc;

use crate::site::{Site, begin, code};
use crate::support::{Draft, IDP, key, new_key, now, trusted, verification_key};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use chrono::TimeDelta;
use jit_core::{
    Attestor, Connection, ConnectionId, ConnectionSettings, Context, DomainSet, Event, Issuer, IssuerSet,
    MappingRules, RulePolicy, TenantId, Trigger,
};
use jit_saml::binding::{Binding, Endpoint, Outbound, RedirectMessage};
use jit_saml::checks::Check;
use jit_saml::crypto::AwsLc;
use jit_saml::secret::Secret;
use jit_saml::settings::SigningSettings;
use jit_saml::signature::{SigningKey, verify, verify_detached};
use jit_saml::xml::{Document, Limits};
use jit_saml::{
    Begin, ResponseForm, SamlEvidence, SamlTrigger, TrustedIdp, UnsolicitedEvidence, base64_text,
};

#[tokio::test]
async fn a_person_signs_in_and_comes_back_to_where_they_were() {
    let site = Site::new();
    let mut asked = begin();
    asked.return_to = Some("/reports?year=2027".to_owned());
    let begun = site.begin(asked).await;
    assert!(
        begun.handle.len() <= 80 && !begun.request.contains("reports") && !begun.handle.contains("reports")
    );
    let authentication = site.finish(&begun, &begun.answer().signed()).await.unwrap();
    assert_eq!(authentication.return_to(), Some("/reports?year=2027"));
    for check in [Check::State, Check::AssertionId, Check::InResponseTo] {
        assert!(authentication.response().checks().made(check));
    }
}

#[tokio::test]
async fn whoever_is_refused_can_still_be_sent_on_to_where_they_wanted_to_go() {
    let site = Site::new();
    let mut asked = begin();
    asked.return_to = Some("/reports".to_owned());
    let begun = site.begin(asked).await;
    let (form, cookie) = (begun.form(&begun.answer().plain()), begun.cookie());
    let resumed = site.login.resume(&form, Some(&cookie)).await.unwrap();
    assert_eq!(resumed.return_to(), Some("/reports"));
    assert_eq!(code(site.login.answer(resumed, &form).await), "saml.not_signed");
    assert_eq!(
        code(site.login.resume(&form, Some(&cookie)).await),
        "saml.state_unknown",
        "a sign-in has one answer"
    );
}

#[tokio::test]
async fn a_sign_in_is_finished_once_and_in_its_browser() {
    let site = Site::new();
    let (mine, theirs) = (site.begin(begin()).await, site.begin(begin()).await);
    let xml = mine.answer().signed();
    let no_cookie = site.login.finish(&mine.form(&xml), None).await;
    assert_eq!(code(no_cookie), "saml.state_not_this_browser");
    let other_browser = site.login.finish(&mine.form(&xml), Some(&theirs.cookie())).await;
    assert_eq!(code(other_browser), "saml.state_not_this_browser");
    let planted = mine.cookie().replace(mine.departure.cookie.value(), theirs.departure.cookie.value());
    assert_eq!(code(site.login.finish(&mine.form(&xml), Some(&planted)).await), "saml.state_unknown");
    let without = ResponseForm::new(&base64_text::encode(xml.as_bytes()), None).unwrap();
    assert_eq!(code(site.login.finish(&without, Some(&mine.cookie())).await), "saml.relay_state_missing");
    assert_eq!(code(site.finish(&mine, &xml).await), "accepted");
    assert_eq!(code(site.finish(&mine, &xml).await), "saml.state_unknown");
    // the response to one sign-in does not finish another
    assert_eq!(code(site.finish(&theirs, &xml).await), "saml.in_response_to_mismatch");
}

#[tokio::test]
async fn a_sign_in_ends_by_itself() {
    let site = Site::new();
    let begun = site.begin(begin()).await;
    site.clock.advance(TimeDelta::minutes(10));
    assert_eq!(code(site.finish(&begun, &begun.answer().signed()).await), "saml.state_unknown");
}

#[tokio::test]
async fn only_the_provider_that_was_asked_may_answer() {
    let other_key = new_key();
    let other = TrustedIdp::new("https://other.example.net", vec![verification_key(&other_key)])
        .with_sign_on(vec![Endpoint::new(Binding::Redirect, "https://other.example.net/sso").unwrap()]);
    let site = Site::with(vec![trusted(), other], |_| {});
    let begun = site.begin(Begin::at("https://other.example.net")).await;
    // a genuine assertion of the first provider, and one that the second provider writes in its name
    assert_eq!(code(site.finish(&begun, &begun.answer().signed()).await), "saml.issuer_mismatch");
    let begun = site.begin(Begin::at("https://other.example.net")).await;
    let unsigned_issuer = begun.answer().response(IDP, "https://other.example.net");
    assert_eq!(code(site.finish(&begun, &unsigned_issuer.signed()).await), "saml.signature_invalid");
    let begun = site.begin(Begin::at("https://other.example.net")).await;
    let in_its_name = begun.answer().response(IDP, "https://other.example.net").signed_by(&other_key);
    assert_eq!(code(site.finish(&begun, &in_its_name).await), "saml.issuer_mismatch");
    assert_eq!(code(site.login.begin(Begin::at("https://unknown")).await), "saml.idp_unknown");
    assert_eq!(code(site.login.begin(Begin::default()).await), "saml.client_unusable");
}

#[tokio::test]
async fn an_assertion_is_used_once() {
    let site = Site::with(vec![trusted()], |settings| settings.dangerous.accept_unsolicited = true);
    let answer = " InResponseTo=\"_request1\"";
    let xml = Draft::new().response(answer, "").assertion(answer, "").signed();
    let form = ResponseForm::new(&base64_text::encode(xml.as_bytes()), None).unwrap();
    assert_eq!(code(site.login.finish_unsolicited(&form).await), "accepted");
    // another response around the same assertion is the same sign-in
    let again = xml.replace("_response1", "_response2");
    let again = ResponseForm::new(&base64_text::encode(again.as_bytes()), None).unwrap();
    assert_eq!(code(site.login.finish_unsolicited(&again).await), "saml.replayed");
    site.clock.advance(TimeDelta::minutes(8));
    assert_eq!(code(site.login.finish_unsolicited(&form).await), "saml.confirmation_expired");
}

#[tokio::test]
async fn what_is_refused_uses_nothing_up() {
    let site = Site::with(vec![trusted()], |settings| settings.dangerous.accept_unsolicited = true);
    let answer = " InResponseTo=\"_request1\"";
    let draft = Draft::new().response(answer, "").assertion(answer, "");
    let form = |xml: &str| ResponseForm::new(&base64_text::encode(xml.as_bytes()), None).unwrap();
    let forged = draft.signed_by(&new_key());
    assert_eq!(code(site.login.finish_unsolicited(&form(&forged)).await), "saml.signature_invalid");
    assert_eq!(code(site.login.finish_unsolicited(&form(&draft.signed())).await), "accepted");
}

#[tokio::test]
async fn what_nobody_asked_for_is_refused_unless_the_connection_says_otherwise() {
    let answer = " InResponseTo=\"_request1\"";
    let xml = Draft::new().response(answer, "").assertion(answer, "").signed();
    let form = ResponseForm::new(&base64_text::encode(xml.as_bytes()), None).unwrap();
    assert_eq!(form.unverified_issuer().as_deref(), Some(IDP));
    assert_eq!(code(Site::new().login.finish_unsolicited(&form).await), "saml.unsolicited_refused");
    let open = |idps| Site::with(idps, |settings| settings.dangerous.accept_unsolicited = true);
    assert_eq!(code(open(Vec::new()).login.finish_unsolicited(&form).await), "saml.idp_unknown");
    let asked = Draft::new().signed();
    let asked = ResponseForm::new(&base64_text::encode(asked.as_bytes()), None).unwrap();
    let refused = open(vec![trusted()]).login.finish_unsolicited(&asked).await;
    assert_eq!(code(refused), "saml.in_response_to_unexpected");
}

#[tokio::test]
async fn a_provider_is_asked_to_make_a_name_where_the_settings_say_so() {
    let request = async |allow_create| {
        let site = Site::with(vec![trusted()], |settings| settings.allow_create = allow_create);
        site.begin(begin()).await.request
    };
    assert!(!request(false).await.contains("NameIDPolicy"));
    assert!(request(true).await.contains("<samlp:NameIDPolicy AllowCreate=\"true\""));
}

#[tokio::test]
async fn the_cookie_of_a_sign_in_goes_with_its_answer() {
    let site = Site::new();
    let (mine, theirs) = (site.begin(begin()).await, site.begin(begin()).await);
    let form = mine.form(&mine.answer().plain());
    assert!(site.login.finish(&form, Some(&mine.cookie())).await.is_err());
    let spent = site.login.cookie_of(&form, Some(&mine.cookie())).unwrap();
    assert_eq!(spent.name(), mine.departure.cookie.name());
    assert_eq!(spent.clear_header(), mine.departure.cookie.clear_header());
    // nothing is removed that the browser does not have, and no name is made up of what somebody posts
    assert!(site.login.cookie_of(&form, Some(&theirs.cookie())).is_none());
    assert!(site.login.cookie_of(&form, None).is_none());
    let odd = ResponseForm::new("YQ==", Some("a=b; Domain=x")).unwrap();
    let planted = "__Host-jit-saml-a=b; Domain=x; __Host-jit-saml-a=b; Doma=1";
    assert!(site.login.cookie_of(&odd, Some(planted)).is_none());
    assert!(site.login.cookie_of(&ResponseForm::new("YQ==", None).unwrap(), Some(planted)).is_none());
}

#[tokio::test]
async fn demands_are_sent_and_the_answer_is_held_to_them() {
    let site = Site::with(vec![trusted()], |settings| settings.authn_contexts = vec!["urn:mfa".into()]);
    let mut asked = begin();
    asked.force_authn = true;
    let begun = site.begin(asked.clone()).await;
    for demanded in ["ForceAuthn=\"true\"", "Comparison=\"exact\"", ">urn:mfa<"] {
        assert!(begun.request.contains(demanded), "{demanded}");
    }
    assert_eq!(code(site.finish(&begun, &begun.answer().signed()).await), "saml.authn_context_mismatch");
    let begun = site.begin(asked.clone()).await;
    let class = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport";
    let old = begun.answer().assertion(class, "urn:mfa").assertion("11:58:00Z", "11:50:00Z");
    assert_eq!(code(site.finish(&begun, &old.signed()).await), "saml.authentication_too_old");
    let begun = site.begin(asked).await;
    let done = begun.answer().assertion(class, "urn:mfa");
    assert_eq!(code(site.finish(&begun, &done.signed()).await), "accepted");
}

fn signing() -> (SigningKey, SigningSettings) {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let der = base64_text::encode(pair.to_pkcs8v1().unwrap().as_ref());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{der}\n-----END PRIVATE KEY-----\n");
    let settings = format!("key = '''{pem}'''");
    (SigningKey::from_pem(&pem).unwrap(), toml::from_str(&settings).unwrap())
}

#[tokio::test]
async fn requests_are_signed_beside_the_query_or_within_the_form() {
    let (our_key, settings) = signing();
    let endpoint = |binding| Endpoint::new(binding, "https://idp.example.org/sso").unwrap();
    let idp = trusted()
        .with_sign_on(vec![endpoint(Binding::Redirect), endpoint(Binding::Post)])
        .wanting_signed_requests(true);
    assert_eq!(
        code(Site::with(vec![idp.clone()], |_| {}).login.begin(begin()).await),
        "saml.client_unusable"
    );
    let site = Site::with(vec![idp], |own| own.signing = Some(settings));
    let keys = [verification_key(&our_key)];
    let rules = jit_saml::signature::SignatureRules::default();

    let begun = site.begin(begin()).await;
    let Outbound::Redirect(address) = &begun.departure.outbound else { panic!("a redirect") };
    let message = RedirectMessage::from_query(address.split_once('?').unwrap().1).unwrap();
    let signed = message.signature().unwrap();
    verify_detached(&signed.octets, &signed.algorithm, &signed.value, &keys, &rules, now(), &AwsLc).unwrap();

    let mut by_post = begin();
    by_post.binding = Some(Binding::Post);
    let begun = site.begin(by_post).await;
    assert!(matches!(begun.departure.outbound, Outbound::Post(_)));
    let document = Document::parse(begun.request.as_bytes(), &Limits::default()).unwrap();
    assert!(verify(document.root(), &keys, &rules, now(), &AwsLc).is_ok());
    assert_eq!(code(site.finish(&begun, &begun.answer().signed()).await), "accepted");
}

#[tokio::test]
async fn a_redirect_is_chosen_wherever_the_provider_offers_it() {
    let endpoint = |binding| Endpoint::new(binding, "https://idp.example.org/sso").unwrap();
    let (post, redirect) = (endpoint(Binding::Post), endpoint(Binding::Redirect));
    for offered in [vec![post.clone(), redirect.clone()], vec![redirect, post.clone()]] {
        let begun = Site::with(vec![trusted().with_sign_on(offered)], |_| {}).begin(begin()).await;
        assert!(matches!(begun.departure.outbound, Outbound::Redirect(_)));
    }
    let begun = Site::with(vec![trusted().with_sign_on(vec![post])], |_| {}).begin(begin()).await;
    assert!(matches!(begun.departure.outbound, Outbound::Post(_)));
}

#[tokio::test]
async fn providers_whose_metadata_ran_out_are_not_asked() {
    let site = Site::with(vec![trusted().valid_until(Some(now()))], |_| {});
    assert_eq!(code(site.login.begin(begin()).await), "saml.idp_expired");
}

const RULES: &str = "[[rule]]\nname = \"everybody\"\npermit = {}\n";

fn attestor() -> Attestor {
    let settings = ConnectionSettings {
        tenant: TenantId::new("acme").unwrap(),
        id: ConnectionId::new("corp").unwrap(),
        issuers: IssuerSet::one(Issuer::new(IDP).unwrap()),
        domains: DomainSet::default(),
        ceiling: Vec::new(),
        link: Vec::new(),
        store: None,
    };
    let mapping = Arc::new(MappingRules::default().compile().unwrap());
    let policy = Arc::new(RulePolicy::new(&toml::from_str(RULES).unwrap()).unwrap());
    Connection::define(settings, mapping, policy).1
}

#[tokio::test]
async fn the_trigger_yields_the_event_of_the_sign_in() {
    let site = Site::with(vec![trusted()], |settings| settings.dangerous.accept_unsolicited = true);
    let begun = site.begin(begin()).await;
    let evidence = |xml: &str| SamlEvidence {
        form: begun.form(xml),
        cookies: Some(begun.cookie()),
        context: Context::default(),
    };
    let evidence = evidence(&begun.answer().signed());
    let answer = " InResponseTo=\"_request1\"";
    let unsolicited =
        Draft::new().response(answer, "").assertion(answer, "").assertion("_assertion1", "_assertion2");
    let transient = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";
    let transient = unsolicited.assertion("urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", transient);
    let transient =
        jit_saml::signature::sign_enveloped(&transient.assertion, "_assertion2", key(), None).unwrap();
    let transient = Draft::new().response(answer, "").with(&transient);

    let trigger = SamlTrigger::new(site.login, attestor());
    let Event::SignIn(sign_in) = trigger.verify(evidence).await.unwrap() else { panic!("a sign-in") };
    let identity = sign_in.identity;
    assert_eq!((identity.key().issuer.as_str(), identity.key().subject.as_str()), (IDP, "a1b2c3"));
    assert_eq!(identity.session().index.as_deref(), Some("_session1"));
    assert_eq!(identity.checks().replay, jit_core::Check::Made("in_response_to state assertion_id".into()));
    let form = ResponseForm::new(&base64_text::encode(transient.as_bytes()), None).unwrap();
    let evidence = UnsolicitedEvidence { form, context: Context::default() };
    let refused = trigger.unsolicited().verify(evidence).await.unwrap_err();
    assert_eq!(refused.code().as_str(), "identity.transient_subject");
}

#[test]
fn settings_show_no_key() {
    let (_, settings) = signing();
    assert!(!format!("{settings:?}").contains("PRIVATE"));
    assert_eq!(format!("{:?}", Secret::new("x")), "Secret(…)");
}
