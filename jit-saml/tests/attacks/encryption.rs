//! What anybody can encrypt with our public key, and what can be asked of us about ciphertexts.

use jit_saml::TrustedIdp;
use jit_saml::base64_text::{decode, encode};
use jit_saml::idp::LegacyRules;
use jit_saml::response::Expectations;
use jit_saml::signature::sign_enveloped;

use crate::forge::{cut, evil};
use crate::support::{Cipher, Draft, Layout, Recipe, decryption_key, key, new_key, trusted};
use crate::table::{Family, ORIGINAL};

fn ours(expected: &mut Expectations<'_>) {
    expected.decryption_keys = Vec::leak(vec![decryption_key(0), decryption_key(1)]);
}

fn sealed(recipe: Recipe, text: &str) -> String {
    Draft::new().with(&recipe.seal("EncryptedAssertion", text, 0))
}

fn sign_response(xml: &str) -> String {
    sign_enveloped(xml, "_response1", key(), None).unwrap()
}

fn cbc() -> TrustedIdp {
    let mut legacy = LegacyRules::default();
    legacy.cbc_under_signed_response = true;
    trusted().with_legacy(legacy)
}

#[test]
fn forged_plaintexts() {
    let mut family = Family::new("plaintext");
    let (idp, recipe, draft) = (trusted(), Recipe::default(), Draft::new());
    let genuine = draft.signed_assertion(key());
    let (bare, signature) = cut(&genuine);
    let forged = genuine.replace("a1b2c3", "victim");
    let around = evil("_evil").replace("</saml:Subject>", &format!("</saml:Subject>{genuine}"));
    for (name, text, code) in [
        ("the true one", genuine.clone(), ORIGINAL),
        ("unsigned", evil("_evil"), "saml.not_signed"),
        ("changed", forged, "saml.digest_mismatch"),
        ("signed by somebody", draft.signed_assertion(&new_key()), "saml.signature_invalid"),
        ("signature removed", bare, "saml.not_signed"),
        (
            "signature on another",
            crate::forge::after_issuer(&evil("_evil"), &signature),
            "saml.reference_mismatch",
        ),
        ("around the true one", around, "saml.signature_unexpected"),
        ("breakout", format!("</saml:EncryptedAssertion>{}", evil("_evil")), "saml.xml_end_tag_mismatch"),
        ("two of them", format!("{genuine}{}", evil("_evil")), "saml.xml_second_root"),
        ("two of them, ours first", format!("{}{genuine}", evil("_evil")), "saml.xml_second_root"),
        ("text before", format!("x{genuine}"), "saml.xml_text_outside_root"),
        ("a document type", format!("<!DOCTYPE x [<!ENTITY e \"x\">]>{genuine}"), "saml.xml_doctype"),
        ("not closed", genuine[..genuine.len() - 1].to_owned(), "saml.xml_markup_malformed"),
        ("a response", draft.signed(), "saml.signature_unexpected"),
        ("encrypted again", recipe.seal("EncryptedAssertion", &genuine, 0), "saml.assertion_malformed"),
        ("nothing", String::new(), "saml.xml_root_missing"),
        (
            "another encoding",
            format!("<?xml version=\"1.0\" encoding=\"UTF-16\"?>{genuine}"),
            "saml.xml_encoding_unsupported",
        ),
        ("no UTF-8 but text", "\u{fffd}".to_owned(), "saml.xml_text_outside_root"),
        ("deep", format!("{}{}", "<a>".repeat(100), "</a>".repeat(100)), "saml.xml_too_deep"),
    ] {
        family.attack_on(name, sealed(recipe, &text), (&idp, ours), code);
    }
    let plain = sealed(recipe, &genuine);
    let moved =
        plain.replace("</saml:EncryptedAssertion>", &format!("</saml:EncryptedAssertion>{}", evil("_evil")));
    family.attack_on("one beside it", moved, (&idp, ours), "saml.assertion_several");
    let inside = plain.replacen("<ds:KeyInfo>", &format!("<ds:KeyInfo>{genuine}"), 1);
    family.attack_on("a signed one in the key info", inside, (&idp, ours), "saml.signature_unexpected");
    let no_issuer = plain.replacen(crate::forge::ISSUER, "", 1);
    family.attack_on("no name outside", no_issuer, (&idp, ours), "saml.issuer_missing");
    let in_signed = sign_response(&sealed(recipe, &evil("_evil"))).replace("Responder", "");
    family.attack_on(
        "signed around by the provider itself",
        in_signed,
        (&idp, ours),
        "BREACH: another identity was accepted",
    );
    let swapped = sign_response(&plain);
    let other = sealed(recipe, &evil("_evil"));
    let value =
        |xml: &str| xml.rsplit_once("<xenc:CipherValue>").unwrap().1.split_once('<').unwrap().0.to_owned();
    let swapped = swapped.replace(&value(&plain), &value(&other));
    family.attack_on("exchanged under a signed response", swapped, (&idp, ours), "saml.digest_mismatch");
    family.end(24);
}

#[test]
fn every_probe_is_answered_alike() {
    let mut family = Family::new("oracle");
    let genuine = Draft::new().signed_assertion(key());
    for cipher in [Cipher::Aes128Gcm, Cipher::Aes256Gcm] {
        let xml = sealed(Recipe { cipher, ..Recipe::default() }, &genuine);
        let idp = trusted();
        for (index, (at, tag)) in xml.match_indices("<xenc:CipherValue>").enumerate() {
            let start = at + tag.len();
            let end = start + xml[start..].find('<').unwrap();
            let octets = decode(&xml.as_bytes()[start..end]).unwrap();
            let mut probe = |name: &str, octets: Vec<u8>| {
                let xml = format!("{}{}{}", &xml[..start], encode(&octets), &xml[end..]);
                family.attack_on(
                    &format!("{name} in value {index}"),
                    xml,
                    (&idp, ours),
                    "saml.decryption_failed",
                );
            };
            for place in
                [0, 1, 11, 12, 13, octets.len() / 2, octets.len() - 17, octets.len() - 16, octets.len() - 1]
            {
                let mut turned = octets.clone();
                turned[place] ^= 1;
                probe(&format!("a bit at {place}"), turned);
            }
            for length in [0, 1, 12, 16, 28, octets.len() - 1] {
                probe(&format!("cut to {length}"), octets[..length].to_vec());
            }
            probe("longer", [&octets[..], &[0]].concat());
            probe("zeros", vec![0; octets.len()]);
            probe("all bits", vec![0xff; octets.len()]);
        }
    }
    // CBC where the provider may use it: nothing that is not signed around it is ever decrypted
    let recipe = Recipe { cipher: Cipher::Aes128Cbc, ..Recipe::default() };
    let xml = sealed(recipe, &genuine);
    let start = xml.rfind("<xenc:CipherValue>").unwrap() + "<xenc:CipherValue>".len();
    let end = start + xml[start..].find('<').unwrap();
    let octets = decode(&xml.as_bytes()[start..end]).unwrap();
    let idp = cbc();
    for (name, place) in
        [("padding", octets.len() - 17), ("last block", octets.len() - 1), ("vector", 0), ("first block", 16)]
    {
        let mut turned = octets.clone();
        turned[place] ^= 1;
        let probe = format!("{}{}{}", &xml[..start], encode(&turned), &xml[end..]);
        family.attack_on(
            &format!("{name}, nothing signed around"),
            &probe,
            (&idp, ours),
            "saml.encryption_cbc",
        );
        let changed = sign_response(&xml).replace(&encode(&octets), &encode(&turned));
        family.attack_on(
            &format!("{name}, changed under a signature"),
            changed,
            (&idp, ours),
            "saml.digest_mismatch",
        );
    }
    for (name, text) in
        [("no XML", "x"), ("not closed", "<a>"), ("nothing", ""), ("a document type", "<!DOCTYPE a><a/>")]
    {
        let xml = sign_response(&sealed(recipe, text));
        family.attack_on(&format!("{name} by the provider"), xml, (&idp, ours), "saml.decryption_failed");
    }
    for octets in [&octets[..16], &octets[..31], &octets[..octets.len() - 1], &[]] {
        let xml = sign_response(&format!("{}{}{}", &xml[..start], encode(octets), &xml[end..]));
        family.attack_on(
            &format!("{} octets by the provider", octets.len()),
            xml,
            (&idp, ours),
            "saml.decryption_failed",
        );
    }
    family.end(84);
}

#[test]
fn other_algorithms_layouts_and_places() {
    let mut family = Family::new("encryption");
    let genuine = Draft::new().signed_assertion(key());
    let idp = trusted();
    let xml = sealed(Recipe::default(), &genuine);
    let (aes, oaep) =
        ("http://www.w3.org/2009/xmlenc11#aes256-gcm", "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p");
    let xenc = "http://www.w3.org/2001/04/xmlenc#";
    for (name, from, to, code) in [
        ("RSA 1.5", oaep, format!("{xenc}rsa-1_5"), "saml.encryption_algorithm"),
        ("key wrap", oaep, format!("{xenc}kw-aes256"), "saml.encryption_algorithm"),
        (
            "key agreement",
            oaep,
            "http://www.w3.org/2009/xmlenc11#ECDH-ES".to_owned(),
            "saml.encryption_algorithm",
        ),
        ("no transport", oaep, String::new(), "saml.encryption_algorithm"),
        ("3DES", aes, format!("{xenc}tripledes-cbc"), "saml.encryption_algorithm"),
        (
            "AES-192",
            aes,
            "http://www.w3.org/2009/xmlenc11#aes192-gcm".to_owned(),
            "saml.encryption_algorithm",
        ),
        ("no cipher", aes, String::new(), "saml.encryption_algorithm"),
        ("CBC claimed", aes, format!("{xenc}aes256-cbc"), "saml.encryption_cbc"),
        (
            "AES-128 claimed",
            aes,
            "http://www.w3.org/2009/xmlenc11#aes128-gcm".to_owned(),
            "saml.decryption_failed",
        ),
        (
            "a reference",
            "<xenc:CipherValue>",
            "<xenc:CipherReference URI=\"file:///etc/passwd\"/><xenc:CipherValue>".to_owned(),
            "saml.encryption_malformed",
        ),
        (
            "a reference alone",
            "xenc:CipherValue>",
            "xenc:CipherReference>".to_owned(),
            "saml.encryption_malformed",
        ),
        (
            "two values",
            "<xenc:CipherValue>",
            "<xenc:CipherValue/><xenc:CipherValue>".to_owned(),
            "saml.encryption_malformed",
        ),
        (
            "two data",
            "</saml:EncryptedAssertion>",
            "<xenc:CipherData/><xenc:EncryptedData/></saml:EncryptedAssertion>".to_owned(),
            "saml.encryption_malformed",
        ),
        (
            "a comment in the value",
            "<xenc:CipherValue>",
            "<xenc:CipherValue><!-- -->".to_owned(),
            "saml.encryption_malformed",
        ),
        ("no method", "xenc:EncryptionMethod", "xenc:Method".to_owned(), "saml.encryption_malformed"),
        ("no key", "xenc:EncryptedKey", "xenc:Key".to_owned(), "saml.encryption_malformed"),
        (
            "a key by reference",
            "<xenc:EncryptedKey Id=\"_key\">",
            "<ds:RetrievalMethod URI=\"https://evil.example/\"/><xenc:Other>".to_owned(),
            "saml.encryption_malformed",
        ),
    ] {
        let changed = xml.replace(from, &to);
        let changed = if name == "a key by reference" {
            changed.replace("</xenc:EncryptedKey>", "</xenc:Other>")
        } else {
            changed
        };
        family.attack_on(name, changed, (&idp, ours), code);
    }
    family.attack_on("no key here", &xml, (&idp, |_| {}), "saml.decryption_key_missing");
    for strangers in [8, 100, 1000] {
        for layout in [Layout::Inside, Layout::Beside] {
            let one = Recipe { strangers: 1, layout, ..Recipe::default() };
            let xml = sealed(one, &genuine);
            let (start, end) =
                (xml.find("<xenc:EncryptedKey").unwrap(), xml.find("</xenc:EncryptedKey>").unwrap() + 20);
            let many = format!("{}{}", xml[start..end].repeat(strangers), &xml[start..end]);
            let xml = xml.replacen(&xml[start..end], &many, 1);
            family.attack_on(
                &format!("{strangers} keys"),
                xml,
                (&idp, ours),
                "saml.encryption_too_many_keys",
            );
        }
    }
    family.end(24);
}

#[test]
fn the_attempts_for_one_message_are_counted() {
    let mut family = Family::new("attempts");
    let idp = trusted();
    let attribute = "<saml:Attribute xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" Name=\"x\"/>";
    // a provider that is trusted for its own people may still wish us ill: the first element costs two attempts, the others one
    let encrypted = Recipe::default().seal("EncryptedAttribute", attribute, 1);
    for (count, code) in [
        (31, "BREACH: another identity was accepted"),
        (32, "saml.encryption_too_many_keys"),
        (200, "saml.encryption_too_many_keys"),
    ] {
        let xml = Draft::new().attributes(&encrypted.repeat(count).replace(" Id=\"_key\"", "")).signed();
        family.attack_on(&format!("{count} attributes"), xml, (&idp, ours), code);
    }
    family.end(3);
}
