//! What the presets make of the attributes that SAML providers send: every value stands in a list, names are URIs.

use serde_json::json;

use super::*;
use crate::Claim;

const CLAIMS: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims";
const MICROSOFT: &str = "http://schemas.microsoft.com/ws/2008/06/identity/claims";
const MAIL: &str = "urn:oid:0.9.2342.19200300.100.1.3";

fn claims(attributes: &[(&str, &[&str])]) -> Claims {
    let members = attributes.iter().map(|(name, values)| ((*name).to_owned(), json!(values)));
    Claims::new(members.collect())
}

fn entra() -> Vec<(String, Value)> {
    let of = |name: &str, values: Value| (name.to_owned(), values);
    vec![
        of("http://schemas.microsoft.com/identity/claims/tenantid", json!(["7d1b"])),
        of("http://schemas.microsoft.com/identity/claims/objectidentifier", json!(["f00d"])),
        of("http://schemas.microsoft.com/identity/claims/displayname", json!(["Ada Lovelace"])),
        of(
            "http://schemas.microsoft.com/identity/claims/identityprovider",
            json!(["https://sts.windows.net/7d1b/"]),
        ),
        of(
            "http://schemas.microsoft.com/claims/authnmethodsreferences",
            json!(["password", "multipleauthn"]),
        ),
        of(&format!("{CLAIMS}/givenname"), json!(["Ada"])),
        of(&format!("{CLAIMS}/surname"), json!(["Lovelace"])),
        of(&format!("{CLAIMS}/emailaddress"), json!(["Ada.Lovelace@example.com"])),
        of(&format!("{CLAIMS}/name"), json!(["ada@example.onmicrosoft.com"])),
        of(&format!("{MICROSOFT}/groups"), json!(["aaaa-1", "bbbb-2"])),
    ]
}

fn adfs() -> Claims {
    claims(&[
        (&format!("{CLAIMS}/emailaddress"), &["ada@example.com"]),
        (&format!("{CLAIMS}/givenname"), &["Ada"]),
        (&format!("{CLAIMS}/surname"), &["Lovelace"]),
        (&format!("{CLAIMS}/name"), &["Ada Lovelace"]),
        (&format!("{CLAIMS}/upn"), &["alovelace@corp.example.com"]),
        (&format!("{MICROSOFT}/windowsaccountname"), &["CORP\\alovelace"]),
        ("http://schemas.xmlsoap.org/claims/Group", &["Domain Users", "Engineering"]),
    ])
}

fn okta() -> Claims {
    claims(&[
        ("email", &["ada@example.com"]),
        ("login", &["ada@example.com"]),
        ("firstName", &["Ada"]),
        ("lastName", &["Lovelace"]),
        ("displayName", &["Ada Lovelace"]),
        ("groups", &["Everyone", "engineering"]),
    ])
}

fn keycloak(verified: &str) -> Claims {
    claims(&[
        ("urn:oid:1.2.840.113549.1.9.1", &["ada@example.com"]),
        ("urn:oid:2.5.4.42", &["Ada"]),
        ("urn:oid:2.5.4.4", &["Lovelace"]),
        ("username", &["ada"]),
        ("email_verified", &[verified]),
        ("Role", &["offline_access", "uma_authorization", "editor"]),
        ("member", &["/staff/engineering"]),
    ])
}

fn google() -> Claims {
    claims(&[
        ("email", &["ada@example.com"]),
        ("first_name", &["Ada"]),
        ("last_name", &["Lovelace"]),
        ("department", &[""]),
        ("groups", &["Engineering"]),
    ])
}

fn shibboleth() -> Claims {
    claims(&[
        ("urn:oasis:names:tc:SAML:attribute:subject-id", &["idm123@example.com"]),
        ("urn:oasis:names:tc:SAML:attribute:pairwise-id", &["HA2TKNZZGE2TOZA=@example.com"]),
        ("urn:oid:1.3.6.1.4.1.5923.1.1.1.6", &["alovelace@example.com"]),
        ("urn:oid:1.3.6.1.4.1.5923.1.1.1.9", &["member@example.com", "staff@example.com"]),
        ("urn:oid:1.3.6.1.4.1.5923.1.1.1.7", &["urn:mace:dir:entitlement:common-lib-terms"]),
        (MAIL, &["ada@maths.example.com"]),
        ("urn:oid:2.16.840.1.113730.3.1.241", &["Ada Lovelace"]),
        ("urn:oid:2.5.4.42", &["Ada"]),
        ("urn:oid:2.5.4.4", &["Lovelace"]),
    ])
}

fn attribute(profile: &Profile, name: &str) -> Wished {
    profile.attributes.iter().find(|wish| wish.name.as_str() == name).unwrap().value.clone()
}

#[test]
fn a_preset_suits_the_attributes_of_its_product() {
    let entra = Claims::new(entra().into_iter().collect());
    for (preset, sent, name) in [
        ("entra_saml", entra, "ada@example.onmicrosoft.com"),
        ("okta_saml", okta(), "ada@example.com"),
        ("google_saml", google(), "ada"),
        ("keycloak_saml", keycloak("true"), "ada"),
        ("adfs_saml", adfs(), "alovelace@corp.example.com"),
        ("shibboleth", shibboleth(), "alovelace"),
    ] {
        let profile = map_own(&format!("preset = '{preset}'"), sent).unwrap();
        assert_eq!(profile.email.as_ref().unwrap().verified, Some(true), "{preset}");
        assert_eq!(names(&profile)[0], name, "{preset}");
        assert_eq!(attribute(&profile, "display_name"), values(&["Ada Lovelace"]), "{preset}");
        assert_eq!(attribute(&profile, "given_name"), values(&["Ada"]), "{preset}");
        assert_eq!(attribute(&profile, "family_name"), values(&["Lovelace"]), "{preset}");
        assert!(profile.entitlements.is_empty(), "a preset gives no access");
    }
}

#[test]
fn what_only_one_product_sends_arrives_too() {
    let profile = map_own("preset = 'entra_saml'", Claims::new(entra().into_iter().collect())).unwrap();
    assert_eq!(attribute(&profile, "entra_object"), values(&["7d1b/f00d"]));
    let profile = map_own("preset = 'google_saml'", google()).unwrap();
    assert_eq!(attribute(&profile, "department"), Wished::Empty, "an empty value says that there is none");
    let profile = map_own("preset = 'shibboleth'", shibboleth()).unwrap();
    assert_eq!(attribute(&profile, "subject_id"), values(&["idm123@example.com"]));
    assert_eq!(attribute(&profile, "affiliations"), values(&["member@example.com", "staff@example.com"]));
    assert_eq!(attribute(&profile, "orcid"), Wished::Unknown, "what was not sent is not empty");
}

#[test]
fn an_assertion_speaks_for_addresses_of_the_domains_of_its_connection_only() {
    let at = |address: &str| {
        let profile = map_own("preset = 'shibboleth'", claims(&[(MAIL, &[address])])).unwrap();
        profile.email.unwrap().verified
    };
    assert_eq!(at("ada@example.com"), Some(true));
    assert_eq!(at("ada@maths.example.com"), Some(true));
    for foreign in ["ada@elsewhere.example", "ada@badexample.com", "ada@example.com.elsewhere.example"] {
        assert_eq!(at(foreign), None, "{foreign}");
    }
    let nobodys = map("preset = 'shibboleth'", json!({MAIL: ["ada@example.com"]}));
    assert_eq!(nobodys.email.unwrap().verified, None, "a connection without domains speaks for no address");
}

#[test]
fn keycloak_says_itself_whether_an_address_is_verified() {
    for (said, verified) in [("true", Some(true)), ("false", Some(false)), ("perhaps", None)] {
        let profile = map_own("preset = 'keycloak_saml'", keycloak(said)).unwrap();
        assert_eq!(profile.email.unwrap().verified, verified, "{said}");
    }
    let silent = claims(&[("urn:oid:1.2.840.113549.1.9.1", &["ada@example.com"])]);
    assert_eq!(map_own("preset = 'keycloak_saml'", silent).unwrap().email.unwrap().verified, None);
    let twofold = claims(&[
        ("urn:oid:1.2.840.113549.1.9.1", &["ada@example.com"]),
        ("email_verified", &["true", "false"]),
    ]);
    assert_eq!(map_own("preset = 'keycloak_saml'", twofold).unwrap().email.unwrap().verified, None);
}

#[test]
fn several_addresses_are_no_address() {
    let several = claims(&[(MAIL, &["ada@example.com", "root@example.com"])]);
    assert_eq!(map_own("preset = 'shibboleth'", several).unwrap().email, None);
}

#[test]
fn uris_and_oids_name_claims_in_rules_of_every_kind() {
    let toml = format!(
        "[[entitlement]]\nclaim = '{MICROSOFT}/groups'\ntable = {{ 'aaaa-1' = ['role:editor'] }}\n\
         [[attribute]]\nattribute = 'team'\ntemplate = '{{urn:oid:2.5.4.11|lower}}'\n\
         [[attribute]]\nattribute = 'slash'\nclaim = '/~1groups~1of'\n\
         [[attribute]]\nattribute = 'both'\njoin = {{ claims = ['urn:oid:2.5.4.42', '{CLAIMS}/surname'] }}\n"
    );
    let mut sent = entra();
    sent.push(("urn:oid:2.5.4.11".into(), json!(["Maths"])));
    sent.push(("urn:oid:2.5.4.42".into(), json!(["Ada"])));
    sent.push(("/groups/of".into(), json!(["x"])));
    let profile = map_own(&toml, Claims::new(sent.into_iter().collect())).unwrap();
    assert_eq!(wished(&profile), ["role:editor"]);
    assert_eq!(attribute(&profile, "team"), values(&["maths"]));
    assert_eq!(
        attribute(&profile, "slash"),
        values(&["x"]),
        "a name that begins with a slash is written as a pointer"
    );
    assert_eq!(attribute(&profile, "both"), values(&["Ada Lovelace"]));
}

#[test]
fn a_link_in_the_place_of_groups_takes_nothing_away() {
    let groups = format!("{MICROSOFT}/groups");
    let mut sent = entra();
    sent.retain(|(name, _)| *name != groups);
    let cut = Claims::new(sent.into_iter().collect()).truncated(groups.clone());
    assert_eq!(cut.get(&groups), Claim::Truncated);
    let toml = format!(
        "preset = 'entra_saml'\n[[entitlement]]\nclaim = '{groups}'\ntable = {{ 'aaaa-1' = ['role:editor'] }}\n"
    );
    assert!(map_own(&toml, cut).unwrap().entitlements.is_empty());
}
