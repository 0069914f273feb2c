//! Which documents are believed.

use chrono::TimeDelta;
use jit_saml::metadata::MetadataPolicy;
use jit_saml::signature::sign_enveloped;

use crate::certificate::certificate;
use crate::document::{ENTITY, Idp, NAMESPACES, ends_in, now, read, refused, signed};
use crate::keys;
use crate::public::public;

fn group(attributes: &str, content: &str) -> String {
    format!("<md:EntitiesDescriptor {NAMESPACES} {attributes}>{content}</md:EntitiesDescriptor>")
}

fn signed_group(attributes: &str, content: &str, key: &jit_saml::signature::SigningKey) -> String {
    signed(&group(&format!("ID=\"_root\" {attributes}"), content), key)
}

#[test]
fn a_signature_by_a_key_of_the_policy_is_needed() {
    let (publisher, other, idp_key) = (keys::rsa(), keys::elliptic(), keys::elliptic());
    let policy = MetadataPolicy::signed_by(vec![public(&other), public(&publisher)]);
    let mut idp = Idp::new(&[&idp_key]);
    idp.attributes = format!("ID=\"_root\" {}", ends_in(24));
    let document = signed(&idp.xml(), &publisher);
    let metadata = read(&document, &policy).unwrap();
    assert_eq!(metadata.descriptor(ENTITY, now()).unwrap().signing_keys, [public(&idp_key)]);

    assert_eq!(refused(&idp.xml(), &policy), "saml.metadata_unsigned");
    let by_itself = MetadataPolicy::signed_by(vec![public(&idp_key)]);
    assert_eq!(refused(&document, &by_itself), "saml.key_mismatch");
    assert_eq!(
        refused(&document, &MetadataPolicy::signed_by(vec![public(&keys::rsa())])),
        "saml.signature_invalid"
    );
    assert_eq!(refused(&document, &MetadataPolicy::signed_by(Vec::new())), "saml.key_missing");
    let changed = document.replace("https://idp.example.org/sso", "https://evil.example.org/sso");
    assert_eq!(refused(&changed, &policy), "saml.digest_mismatch");
}

#[test]
fn the_key_in_the_document_is_never_asked() {
    let attacker = keys::elliptic();
    let idp = Idp { attributes: format!("ID=\"_root\" {}", ends_in(24)), ..Idp::new(&[&attacker]) };
    let own = certificate(&attacker);
    let document = sign_enveloped(&idp.xml(), "_root", &attacker, Some(&own)).unwrap();
    let policy = MetadataPolicy::signed_by(vec![public(&keys::elliptic())]);
    assert_eq!(refused(&document, &policy), "saml.signature_invalid");
}

#[test]
fn a_signature_of_a_part_does_not_speak_for_the_whole() {
    let publisher = keys::elliptic();
    let policy = MetadataPolicy::signed_by(vec![public(&publisher)]);
    let idp = Idp { attributes: format!("ID=\"_root\" {}", ends_in(24)), ..Idp::new(&[&keys::elliptic()]) };
    let part = signed(&idp.xml(), &publisher);
    let evil = Idp { entity_id: "https://evil.example.org".into(), ..Idp::new(&[&keys::elliptic()]) };
    let around = group(&ends_in(24), &format!("{part}{}", evil.xml()));
    assert_eq!(refused(&around, &policy), "saml.metadata_unsigned");
    // the signature moved up to the root, where it names another element
    let (before, rest) = part.split_once("<ds:Signature").unwrap();
    let (signature, after) = rest.split_once("</ds:Signature>").unwrap();
    let moved = group(
        &format!("ID=\"_other\" {}", ends_in(24)),
        &format!("<ds:Signature{signature}</ds:Signature>{before}{after}{}", evil.xml()),
    );
    assert_eq!(refused(&moved, &policy), "saml.reference_mismatch");
    assert_eq!(refused(&moved.replace("_other", "_root"), &policy), "saml.id_repeated");
}

#[test]
fn signatures_of_members_inside_a_signed_group_do_no_harm() {
    let (publisher, member) = (keys::elliptic(), keys::elliptic());
    let idp = Idp { attributes: "ID=\"_member\"".into(), ..Idp::new(&[&member]) };
    let inner = sign_enveloped(&idp.xml(), "_member", &member, None).unwrap();
    let document = signed_group(&ends_in(24), &inner, &publisher);
    let metadata = read(&document, &MetadataPolicy::signed_by(vec![public(&publisher)])).unwrap();
    assert!(metadata.descriptor(ENTITY, now()).is_ok());
}

#[test]
fn the_root_says_when_it_ends_and_that_is_soon_enough() {
    let publisher = keys::elliptic();
    let policy = MetadataPolicy::signed_by(vec![public(&publisher)]);
    let content = Idp::new(&[&keys::elliptic()]).xml();
    let with = |attributes: &str| signed_group(attributes, &content, &publisher);
    assert!(read(&with(&ends_in(24 * 30)), &policy).is_ok());
    for (attributes, code) in [
        (String::new(), "saml.metadata_end_missing"),
        (ends_in(24 * 30 + 1), "saml.metadata_end_too_far"),
        (ends_in(-1), "saml.metadata_expired"),
        ("validUntil=\"2099-01-01\"".to_owned(), "saml.metadata_end_malformed"),
        ("validUntil=\"\"".to_owned(), "saml.metadata_end_malformed"),
    ] {
        assert_eq!(refused(&with(&attributes), &policy), code, "{attributes}");
    }
    let shorter = policy.clone().valid_at_most(TimeDelta::hours(2));
    assert_eq!(refused(&with(&ends_in(3)), &shorter), "saml.metadata_end_too_far");
    assert!(read(&with(""), &policy.dangerous().accept_endless()).is_ok());
}

#[test]
fn the_end_of_a_group_or_role_ends_what_is_in_it() {
    let publisher = keys::elliptic();
    let policy = MetadataPolicy::signed_by(vec![public(&publisher)]);
    let named = |name: &str, attributes: String, role_attributes: String| {
        let entity_id = format!("https://{name}.example.org");
        Idp { entity_id, attributes, role_attributes, ..Idp::new(&[&keys::elliptic()]) }.xml()
    };
    let content = [
        named("long", String::new(), String::new()),
        named("own", ends_in(1), String::new()),
        named("role", String::new(), ends_in(1)),
        named("over", ends_in(-1), String::new()),
        named("odd", "validUntil=\"soon\"".into(), String::new()),
        group(&ends_in(1), &group(&ends_in(9), &named("group", String::new(), String::new()))),
    ];
    let document = signed_group(&ends_in(24), &content.concat(), &publisher);
    let metadata = read(&document, &policy).unwrap();
    assert_eq!(metadata.len(), 6);
    let code = |name: &str, hours| {
        let at = now() + TimeDelta::hours(hours) + TimeDelta::minutes(3);
        let found = metadata.descriptor(&format!("https://{name}.example.org"), at);
        found.err().map(|error| error.code().to_string())
    };
    let expired = Some("saml.metadata_expired".to_owned());
    for name in ["own", "role", "group"] {
        assert_eq!(code(name, 0), None, "{name}");
        assert_eq!(code(name, 1), expired, "{name}");
    }
    assert_eq!(code("long", 23), None);
    // clocks may differ by three minutes
    let before = now() + TimeDelta::hours(24) + TimeDelta::seconds(179);
    assert!(metadata.descriptor("https://long.example.org", before).is_ok());
    assert_eq!(code("long", 24), expired);
    assert_eq!(code("over", 0), expired);
    assert_eq!(code("odd", 0), Some("saml.metadata_end_malformed".to_owned()));
}

#[test]
fn a_pinned_text_is_believed_as_it_stands_until_it_ends() {
    let policy = MetadataPolicy::pinned();
    let idp = Idp { attributes: "ID=\"_root\"".into(), ..Idp::new(&[&keys::elliptic()]) };
    assert!(read(&idp.xml(), &policy).is_ok());
    let own = signed(&idp.xml(), &keys::elliptic());
    assert!(read(&own, &policy).unwrap().only(now()).is_ok());
    let over = Idp { attributes: ends_in(-1), ..Idp::new(&[&keys::elliptic()]) };
    assert_eq!(refused(&over.xml(), &policy), "saml.metadata_expired");
    let far = Idp { attributes: ends_in(24 * 3650), ..Idp::new(&[&keys::elliptic()]) };
    assert!(read(&far.xml(), &policy).is_ok());
}

#[test]
fn what_is_no_metadata_is_refused_before_anything_is_believed() {
    let policy = MetadataPolicy::pinned();
    assert_eq!(refused("<a/>", &policy), "saml.metadata_root");
    assert_eq!(refused("<EntityDescriptor xmlns=\"urn:other\"/>", &policy), "saml.metadata_root");
    let idp = Idp::new(&[&keys::elliptic()]).xml();
    let with_dtd = format!("<!DOCTYPE x [<!ENTITY a \"b\">]>{idp}");
    assert!(refused(&with_dtd, &policy).starts_with("saml.xml_"), "{}", refused(&with_dtd, &policy));
    assert!(refused(idp.strip_suffix('>').unwrap(), &policy).starts_with("saml.xml_"));
    let deep = (0..20).fold(idp, |inner, _| group("", &inner));
    assert_eq!(refused(&deep, &policy), "saml.metadata_too_deep");
}
