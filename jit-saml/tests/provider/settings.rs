//! Settings: what is sound, and that each unsound field is named.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::encoding::Pkcs8V1Der;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use jit_saml::binding::Binding;
use jit_saml::config::SubjectSource;
use jit_saml::idp::SignatureDemand;
use jit_saml::{SamlSettings, base64_text};

use crate::support::key;

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----", base64_text::encode(der))
}

fn public_key() -> String {
    pem("PUBLIC KEY", &key().public_key_info().unwrap())
}

/// Settings with one provider; `more` stands before the provider, `idp` within it.
fn settings(more: &str, idp: &str) -> Result<SamlSettings, toml::de::Error> {
    toml::from_str(&format!(
        "entity_id = 'https://sp.example.com/saml'\nacs_url = 'https://sp.example.com/saml/acs'\n{more}\n\
         [idp]\nentity_id = 'https://idp.example.org'\nsign_on_url = 'https://idp.example.org/sso'\n\
         certificates = ['''{}''']\n{idp}\n",
        public_key()
    ))
}

#[test]
fn little_needs_to_be_written() {
    let config = settings("", "").unwrap().check().unwrap();
    let idp = config.idp().unwrap();
    assert_eq!((idp.entity_id(), idp.keys().len()), ("https://idp.example.org", 1));
    assert_eq!(idp.sign_on()[0].binding, Binding::Redirect);
    assert_eq!(idp.demand(), SignatureDemand::Either);
    assert_eq!(config.subject(), &SubjectSource::PersistentNameId);
    assert_eq!(config.skew().num_seconds(), 180);
    assert!(!config.accepts_unsolicited() && config.authn_contexts().is_empty());
    let legacy = idp.legacy();
    assert!(!legacy.cbc_under_signed_response && !legacy.inclusive_c14n && !legacy.offset_times);
    assert!(legacy.sha1_until.is_none());
}

#[test]
fn each_allowance_is_a_switch_of_its_own() {
    let idp = "signed = 'both'\nscopes = ['example.org']\nsign_on_binding = 'post'\n\
               logout_url = 'https://idp.example.org/slo'\n[idp.legacy]\ncbc_under_signed_response = true\n\
               inclusive_c14n = true\nsha1_until = '2027-06-01T00:00:00Z'\noffset_times = true\n";
    let config = settings("", idp).unwrap().check().unwrap();
    let idp = config.idp().unwrap();
    assert_eq!((idp.demand(), idp.sign_on()[0].binding), (SignatureDemand::Both, Binding::Post));
    assert!(idp.admits_scope("example.org") && idp.logout().len() == 1);
    assert!(idp.legacy().sha1_until.is_some() && idp.signature_rules().inclusive_c14n);
    assert!(settings("", "[idp.legacy]\naccept_everything = true").is_err());
}

#[test]
fn an_unsound_field_is_named() {
    let refused = |more: &str, idp: &str| settings(more, idp).unwrap().check().unwrap_err().field;
    for (more, field) in [
        ("skew_seconds = 30", "skew_seconds"),
        ("skew_seconds = 601", "skew_seconds"),
        ("sign_in_seconds = 5", "sign_in_seconds"),
        ("authn_contexts = ['']", "authn_contexts"),
        ("decryption_keys = ['x']", "decryption_keys"),
        ("name_id_format = ''", "name_id_format"),
        ("name_id_format = 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient'", "name_id_format"),
        ("signing = { key = 'x' }", "signing.key"),
        ("subject = { scoped = true }", "subject.scoped"),
        ("subject = { attribute = '' }", "subject.attribute"),
        (
            "subject = { attribute = 'a' }\ndangerous = { name_id_format_as_key = 'urn:x' }",
            "dangerous.name_id_format_as_key",
        ),
        (
            "dangerous.name_id_format_as_key = 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient'",
            "dangerous.name_id_format_as_key",
        ),
    ] {
        assert_eq!(refused(more, ""), field, "{more}");
    }
    assert_eq!(refused("", "logout_url = 'javascript:alert(1)'"), "idp.logout_url");
    let change = |change: fn(&mut SamlSettings)| {
        let mut settings = settings("", "").unwrap();
        change(&mut settings);
        settings.check().unwrap_err().field
    };
    assert_eq!(change(|own| own.entity_id = "a b".into()), "entity_id");
    assert_eq!(change(|own| own.acs_url = "http://sp.example.com/acs".into()), "acs_url");
    assert_eq!(change(|own| own.idp.as_mut().unwrap().entity_id = String::new()), "idp.entity_id");
    assert_eq!(change(|own| own.idp.as_mut().unwrap().sign_on_url = None), "idp.sign_on_url");
    assert_eq!(change(|own| own.idp.as_mut().unwrap().certificates = vec!["x".into()]), "idp.certificates");
}

#[test]
fn one_unusable_certificate_does_not_poison_the_others() {
    let mut settings = settings("", "").unwrap();
    let idp = settings.idp.as_mut().unwrap();
    let bad = format!("{}\n{}", pem("CERTIFICATE", &[0x30, 0x00]), public_key());
    idp.certificates = vec!["nothing".to_owned(), bad];
    assert_eq!(settings.check().unwrap().idp().unwrap().keys().len(), 1);
}

#[test]
fn keys_of_our_own_are_read_and_not_shown() {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let key = pem("PRIVATE KEY", AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap().as_ref());
    let own = format!("decryption_keys = ['''{key}''', '''{key}''']\nsigning = {{ key = '''{key}''' }}");
    let settings = settings(&own, "").unwrap();
    let config = settings.check().unwrap();
    assert_eq!(config.decryption_keys().len(), 2);
    for shown in [format!("{settings:?}"), format!("{config:?}")] {
        assert!(!shown.contains("PRIVATE KEY"));
    }
}

#[test]
fn a_demonstration_on_one_machine_is_a_switch() {
    let mut own = settings("", "").unwrap();
    own.acs_url = "http://localhost:8080/acs".into();
    assert!(own.check().is_err());
    own.dangerous.allow_loopback_http = true;
    assert!(own.check().is_ok());
    own.acs_url = "http://sp.example.com/acs".into();
    assert!(own.check().is_err());
}
