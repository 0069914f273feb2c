//! What becomes of names and attributes: the key of a person, and the claims.

use crate::support::{ACS, Draft, IDP, SP, key, trusted, verify_with};
use jit_core::{Attestation, Claim, Stability};
use jit_saml::assertion::AttributeValue;
use jit_saml::settings::IdpSettings;
use jit_saml::trigger::attestation;
use jit_saml::{SamlSettings, TrustedIdp, base64_text};

const PERSISTENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";
const EMAIL: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress";

fn attested(
    draft: &Draft,
    idp: &TrustedIdp,
    adjust: impl FnOnce(&mut SamlSettings),
) -> Result<Attestation, String> {
    let mut settings = SamlSettings::new(SP, ACS);
    adjust(&mut settings);
    let response = verify_with(&draft.signed(), idp, |_| {}).unwrap();
    attestation(&response, &settings.check().unwrap(), idp).map_err(|error| error.code().to_string())
}

fn subject(draft: &Draft, adjust: impl FnOnce(&mut SamlSettings)) -> Result<(String, Stability), String> {
    let attestation = attested(draft, &trusted().with_scopes(vec!["example.org".into()]), adjust)?;
    Ok((attestation.subject.as_str().to_owned(), attestation.stability))
}

fn with_attributes(attributes: &str) -> Attestation {
    attested(&Draft::new().attributes(attributes), &trusted(), |_| {}).unwrap()
}

#[test]
fn a_persistent_name_is_the_key() {
    assert_eq!(subject(&Draft::new(), |_| {}), Ok(("a1b2c3".into(), Stability::Persistent)));
    let spaced = Draft::new().assertion("a1b2c3", " A1b2c3 ");
    assert_eq!(subject(&spaced, |_| {}).unwrap().0, " A1b2c3 ");
    let usual = format!("NameQualifier=\"https://idp.example.org/metadata\" SPNameQualifier=\"{SP}\" Format");
    let usual = Draft::new().assertion("NameID Format", &format!("NameID {usual}"));
    assert_eq!(subject(&usual, |_| {}).unwrap().0, "a1b2c3");
    let other = Draft::new().assertion("NameID Format", "NameID SPNameQualifier=\"https://other\" Format");
    assert_ne!(subject(&other, |_| {}).unwrap().0, "a1b2c3");
}

#[test]
fn a_transient_name_is_never_the_key() {
    let transient = Draft::new().assertion(PERSISTENT, "urn:oasis:names:tc:SAML:2.0:nameid-format:transient");
    assert_eq!(subject(&transient, |_| {}).unwrap().1, Stability::Transient);
}

#[test]
fn a_name_that_promises_nothing_is_the_key_only_by_a_switch() {
    let mail = Draft::new().assertion(PERSISTENT, EMAIL);
    let nothing = Draft::new().assertion(&format!(" Format=\"{PERSISTENT}\""), "");
    for draft in [&mail, &nothing] {
        assert_eq!(subject(draft, |_| {}), Err("saml.name_id_not_stable".into()));
    }
    let by_switch = |draft: &Draft| {
        subject(draft, |settings| settings.dangerous.name_id_format_as_key = Some(EMAIL.into()))
    };
    assert_eq!(by_switch(&mail), Ok(("a1b2c3".into(), Stability::Persistent)));
    // one format only: otherwise a user name could be somebody's persistent name
    assert_eq!(by_switch(&nothing), Err("saml.name_id_not_stable".into()));
    assert_eq!(by_switch(&Draft::new()), Err("saml.name_id_not_stable".into()));
}

#[test]
fn an_attribute_is_the_key_where_the_connection_says_so() {
    const ID: &str = "urn:oasis:names:tc:SAML:attribute:subject-id";
    let with = |values: &str, scoped| {
        let draft =
            Draft::new().attributes(&format!("<saml:Attribute Name=\"{ID}\">{values}</saml:Attribute>"));
        subject(&draft, |settings| {
            settings.subject.attribute = Some(ID.into());
            settings.subject.scoped = scoped;
        })
    };
    let value = |text: &str| format!("<saml:AttributeValue>{text}</saml:AttributeValue>");
    let found = Ok(("ada@example.org".to_owned(), Stability::Persistent));
    assert_eq!(with(&value("ada@example.org"), true), found);
    // a scope is compared without regard to case, a key byte for byte
    assert_eq!(with(&value("ada@Example.ORG"), true).unwrap().0, "ada@Example.ORG");
    assert_eq!(with(&value("ada@example.net"), false).unwrap().0, "ada@example.net");
    for foreign in ["ada@example.net", "ada", "@example.org", "ada@a.example.org", "ada@example.org@evil.org"]
    {
        assert_eq!(with(&value(foreign), true), Err("saml.subject_scope".into()), "{foreign}");
    }
    assert_eq!(with(&value("a").repeat(2), false), Err("saml.subject_attribute_ambiguous".into()));
    // the scope is demanded of a name in its own element as well
    let name = |text: &str| value(&format!("<saml:NameID Format=\"{PERSISTENT}\">{text}</saml:NameID>"));
    assert_eq!(with(&name("ada@example.org"), true), found);
    assert_eq!(with(&name("ada@example.net"), true), Err("saml.subject_scope".into()));
    // a text that looks like the key of a qualified name is not that name
    let qualified = "<saml:NameID NameQualifier=\"https://other\" Format";
    let qualified = with(&name("ada").replace("<saml:NameID Format", qualified), false).unwrap().0;
    let looks_like_it = with(&value(&qualified), false).unwrap().0;
    assert!(qualified != looks_like_it && looks_like_it.ends_with(&qualified));
    for nothing in ["", "<saml:AttributeValue/>", "<saml:AttributeValue xsi:nil=\"true\"/>", &value("<x/>")] {
        assert_eq!(with(nothing, false), Err("saml.subject_attribute_missing".into()), "{nothing}");
    }
    let absent = subject(&Draft::new(), |settings| settings.subject.attribute = Some("x".into()));
    assert_eq!(absent, Err("saml.subject_attribute_missing".into()));
    let targeted = format!(
        "<saml:AttributeValue><saml:NameID Format=\"{PERSISTENT}\">t1</saml:NameID></saml:AttributeValue>"
    );
    assert_eq!(with(&targeted, false).unwrap().0, "t1");
}

#[test]
fn without_a_name_there_is_no_key_and_a_key_has_its_bounds() {
    let nobody =
        Draft::new().assertion(&format!("<saml:NameID Format=\"{PERSISTENT}\">a1b2c3</saml:NameID>"), "");
    assert_eq!(subject(&nobody, |_| {}), Err("saml.name_id_missing".into()));
    let long = Draft::new().assertion("a1b2c3", &"a".repeat(1025));
    assert_eq!(subject(&long, |_| {}), Err("saml.subject_unusable".into()));
}

#[test]
fn attributes_are_merged_by_name_and_kept_in_order() {
    let draft = Draft::new().attributes(
        "<saml:Attribute Name=\"Role\"><saml:AttributeValue>a</saml:AttributeValue></saml:Attribute>\
         <saml:Attribute Name=\"mail\"><saml:AttributeValue>first@example.org</saml:AttributeValue></saml:Attribute>\
         <saml:Attribute Name=\"Role\" NameFormat=\"urn:x\"><saml:AttributeValue>b</saml:AttributeValue></saml:Attribute>",
    );
    let response = verify_with(&draft.signed(), &trusted(), |_| {}).unwrap();
    let names: Vec<_> = response.attributes().iter().map(|attribute| attribute.name.as_str()).collect();
    assert_eq!(names, ["Role", "mail", "groups"]);
    let roles = response.attributes().get("Role").unwrap();
    assert_eq!(roles.texts().collect::<Vec<_>>(), ["a", "b"]);
    let mail = response.attributes().get("mail").unwrap();
    assert_eq!(mail.texts().collect::<Vec<_>>(), ["first@example.org", "ada@example.org"]);
    assert!(!format!("{:?}", response.attributes()).contains('@'));
}

#[test]
fn no_value_is_ever_fatal() {
    let draft = Draft::new().attributes(
        "<saml:Attribute Name=\"v\"><saml:AttributeValue> x &amp; y </saml:AttributeValue><saml:AttributeValue/>\
         <saml:AttributeValue xsi:nil=\"1\"/><saml:AttributeValue><a xmlns=\"urn:x\"><b/></a></saml:AttributeValue>\
         <saml:AttributeValue>x<a/></saml:AttributeValue><saml:AttributeValue><saml:NameID>n</saml:NameID>\
         </saml:AttributeValue><saml:AttributeValue xsi:type=\"xs:integer\"><![CDATA[4<2]]></saml:AttributeValue>\
         </saml:Attribute>",
    );
    let response = verify_with(&draft.signed(), &trusted(), |_| {}).unwrap();
    let values = &response.attributes().get("v").unwrap().values;
    let text = |text: &str| AttributeValue::Text(text.into());
    assert!(values[0] == text(" x & y ") && values[1] == text("") && values[2] == AttributeValue::Nil);
    assert!(values[3] == AttributeValue::Complex && values[4] == AttributeValue::Complex);
    assert!(matches!(&values[5], AttributeValue::NameId(name_id) if name_id.value == "n"));
    assert!(values[6] == text("4<2"));
}

#[test]
fn attributes_without_a_name_are_refused() {
    for odd in [
        "<saml:Attribute/>",
        "<saml:Attribute Name=\"\"/>",
        "<saml:Attribute Name=\"a\"><saml:Value/></saml:Attribute>",
        "<saml:Other Name=\"a\"/>",
    ] {
        let outcome = verify_with(&Draft::new().attributes(odd).signed(), &trusted(), |_| {});
        assert_eq!(crate::support::code(&outcome), "saml.attribute_malformed", "{odd}");
    }
}

#[test]
fn claims_have_four_states() {
    let attestation = with_attributes(
        "<saml:Attribute Name=\"none\"/><saml:Attribute Name=\"blank\"><saml:AttributeValue/></saml:Attribute>\
         <saml:Attribute Name=\"nil\"><saml:AttributeValue xsi:nil=\"true\"/></saml:Attribute>\
         <saml:Attribute Name=\"odd\"><saml:AttributeValue><x/></saml:AttributeValue></saml:Attribute>\
         <saml:Attribute Name=\"mixed\"><saml:AttributeValue>a</saml:AttributeValue>\
         <saml:AttributeValue><x/></saml:AttributeValue></saml:Attribute>",
    );
    let claims = &attestation.claims;
    for empty in ["none", "blank", "nil"] {
        assert_eq!(claims.get(empty), Claim::Empty, "{empty}");
    }
    assert_eq!((claims.get("odd"), claims.get("absent")), (Claim::Absent, Claim::Absent));
    assert_eq!(claims.get("mixed"), Claim::Truncated);
    let texts = |name| {
        claims.get(name).values().unwrap().texts().map(std::borrow::Cow::into_owned).collect::<Vec<_>>()
    };
    assert_eq!(texts("mail"), ["ada@example.org"]);
    assert_eq!(texts("groups"), ["staff", "admins"]);
}

#[test]
fn groups_that_entra_leaves_out_are_cut_and_not_absent() {
    const GROUPS: &str = "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups";
    let link = "<saml:Attribute Name=\"http://schemas.microsoft.com/claims/groups.link\"><saml:AttributeValue>\
                https://graph.windows.net/x/users/y/getMemberObjects</saml:AttributeValue></saml:Attribute>";
    let draft = Draft::new().attributes(link);
    let attestation =
        attested(&draft, &trusted(), |settings| settings.group_attributes = vec!["groups".into()]);
    let claims = attestation.unwrap().claims;
    assert_eq!((claims.get(GROUPS), claims.get("groups")), (Claim::Truncated, Claim::Truncated));
    assert_ne!(with_attributes("").claims.get("groups"), Claim::Truncated);
}

#[test]
fn the_name_is_a_claim_that_no_attribute_can_replace() {
    let forged = "<saml:Attribute Name=\"saml:name_id\"><saml:AttributeValue>admin</saml:AttributeValue></saml:Attribute>";
    let claims = with_attributes(forged).claims;
    assert_eq!(claims.get("saml:name_id").values().unwrap().text().unwrap(), "a1b2c3");
    assert_eq!(claims.get("saml:name_id_format").values().unwrap().text().unwrap(), PERSISTENT);
}

const AFFILIATION: &str = "urn:oid:1.3.6.1.4.1.5923.1.1.1.9";

/// A person with an affiliation in each of these scopes.
fn affiliated(scopes: &[&str]) -> Draft {
    let value = |scope| format!("<saml:AttributeValue>staff@{scope}</saml:AttributeValue>");
    let values: String = scopes.iter().map(value).collect();
    Draft::new().attributes(&format!("<saml:Attribute Name=\"{AFFILIATION}\">{values}</saml:Attribute>"))
}

#[test]
fn values_outside_the_scopes_of_the_provider_are_left_out() {
    let affiliation = |scopes: &[&str], known: &str| {
        let idp = trusted().with_scopes(vec![known.into()]);
        attested(&affiliated(scopes), &idp, |_| {}).unwrap()
    };
    let both = affiliation(&["example.org", "Example.Org"], "example.org");
    assert_eq!(both.claims.get(AFFILIATION).values().unwrap().iter().count(), 2);
    // what was left out may be what an entitlement rests on, so the rest is not all
    let one = affiliation(&["example.org", "example.net"], "example.org");
    assert_eq!(one.claims.get(AFFILIATION), Claim::Truncated);
    let none = affiliation(&["example.org", "example.net"], "example.com");
    assert_eq!(none.claims.get(AFFILIATION), Claim::Absent);
    for left_out in [one, none] {
        let checks = format!("{:?}", left_out.checks);
        assert!(checks.contains(&format!("left_out_for_its_scope:{AFFILIATION}")), "{checks}");
    }
    assert!(!format!("{:?}", both.checks).contains("left_out"));
}

#[test]
fn without_a_known_scope_one_of_many_providers_asserts_none_and_an_only_one_any() {
    let claims = attested(&affiliated(&["example.org"]), &trusted(), |_| {}).unwrap().claims;
    assert_eq!(claims.get(AFFILIATION), Claim::Absent);
    let claims =
        attested(&affiliated(&["example.org"]), &trusted().asserting_any_scope(), |_| {}).unwrap().claims;
    assert_eq!(claims.get(AFFILIATION).values().unwrap().text().unwrap(), "staff@example.org");
}

#[test]
fn the_provider_of_the_settings_is_the_only_one_and_asserts_any_scope() {
    let mut settings = SamlSettings::new(SP, ACS);
    let mut idp = IdpSettings::new(IDP);
    let key = base64_text::encode(&key().public_key_info().unwrap());
    idp.certificates = vec![format!("-----BEGIN PUBLIC KEY-----\n{key}\n-----END PUBLIC KEY-----\n")];
    idp.sign_on_url = Some("https://idp.example.org/sso".into());
    settings.idp = Some(idp);
    let config = settings.check().unwrap();
    let response = verify_with(&affiliated(&["a.org", "b.org"]).signed(), config.idp().unwrap(), |_| {});
    let claims = attestation(&response.unwrap(), &config, config.idp().unwrap()).unwrap().claims;
    assert_eq!(claims.get(AFFILIATION).values().unwrap().iter().count(), 2);
}

#[test]
fn the_session_and_every_check_reach_the_engine() {
    let attestation = attested(&Draft::new(), &trusted(), |_| {}).unwrap();
    assert_eq!(attestation.session.index.as_deref(), Some("_session1"));
    assert_eq!(attestation.session.ends_at.unwrap().to_rfc3339(), "2027-01-15T20:00:00+00:00");
    assert!(attestation.assurance.context.unwrap().ends_with("PasswordProtectedTransport"));
    let checks = format!("{:?}", attestation.checks);
    for made in
        ["ecdsa-sha256", "assertion_signature", "audience", "recipient", "not_on_or_after", "in_response_to"]
    {
        assert!(checks.contains(made), "{made}");
    }
}
