//! Runs `inspect saml` as a customer's CI would: files in, lines of JSON and an exit code out.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod case;
mod connection;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use case::{Case, NOW, PERSISTENT, Says, USUAL, lines};
use chrono::DateTime;
use jit_examples::demo_saml_idp::Identity;
use serde_json::{Value, json};

#[test]
fn a_good_response_is_accepted_with_what_was_checked() {
    let case = Case::new("good");
    let xml = case.response("good.xml", USUAL);
    case.write("good.b64", BASE64_STANDARD.encode(xml));
    for arguments in [
        "good.xml",
        "good.b64",
        "--encoding xml good.xml",
        "--encoding base64 good.b64",
        "--encoding=base64 good.b64",
    ] {
        let output = case.usual(&format!("--request-id _r1 {arguments}"));
        assert_eq!(output.status.code(), Some(0), "{arguments}: {output:?}");
        let line = &lines(&output)[0];
        assert_eq!(line["accepted"], true);
        assert_eq!(line["identity"]["issuer"], "https://idp.example");
        assert_eq!(line["identity"]["name_id"], "ada-7f");
        assert_eq!(line["identity"]["name_id_format"], PERSISTENT);
        assert_eq!(line["identity"]["session_index"], "_s1");
        assert_eq!(line["checks"]["replay"], json!(["in_response_to", "assertion_id"]));
        assert!(line["checks"]["origin"].as_array().unwrap().contains(&json!("assertion_signature")));
    }
}

#[test]
fn attributes_keep_the_order_of_the_document_and_repeated_names_are_one() {
    let case = Case::new("attributes");
    case.response("good.xml", USUAL);
    let output = case.usual("--request-id _r1 good.xml");
    let text = String::from_utf8(output.stdout).unwrap();
    let expected = r#""attributes":{"Role":["editor","viewer"],"mail":["ada@acme.example"],"empty":[""],"complex":[null]}"#;
    assert!(text.contains(expected), "{text}");
    assert!(text.starts_with(r#"{"file":"good.xml","accepted":true,"identity":{"issuer""#), "{text}");
}

#[test]
fn a_response_without_a_name_says_so() {
    let case = Case::new("nameless");
    case.response("good.xml", Says { name_id: "", ..USUAL });
    let line = &lines(&case.usual("--request-id _r1 good.xml"))[0];
    assert_eq!((&line["accepted"], &line["identity"]["name_id"]), (&json!(true), &Value::Null));
    assert_eq!(line["identity"]["name_id_format"], Value::Null);
}

#[test]
fn a_bad_response_names_its_code_and_the_rest_is_inspected_all_the_same() {
    let case = Case::new("bad");
    let elsewhere = "https://sp.example/other";
    for (name, says) in [
        ("audience", Says { audience: "https://other.example", ..USUAL }),
        ("recipient", Says { destination: elsewhere, ..USUAL }),
        ("expired", Says { ends: NOW - 600, ..USUAL }),
        ("issuer", Says { issuer: "https://other.example", ..USUAL }),
        ("unsigned", Says { signed: false, ..USUAL }),
        ("request", Says { in_response_to: "_r2", ..USUAL }),
        ("good", USUAL),
    ] {
        case.response(name, says);
    }
    case.write("junk", "no response");
    let tampered = std::fs::read_to_string(case.folder.join("good")).unwrap().replace("ada-7f", "root-0");
    case.write("tampered", &tampered);
    let output =
        case.usual("--request-id _r1 audience recipient expired issuer unsigned request junk tampered good");
    assert_eq!(output.status.code(), Some(1));
    let found = lines(&output);
    let codes: Vec<_> = found.iter().map(|line| line["code"].as_str().unwrap_or_default()).collect();
    assert_eq!(
        codes,
        [
            "saml.audience_mismatch",
            "saml.destination_mismatch",
            "saml.confirmation_expired",
            "saml.issuer_mismatch",
            "saml.not_signed",
            "saml.in_response_to_mismatch",
            "saml.base64_invalid",
            "saml.digest_mismatch",
            "",
        ]
    );
    assert_eq!(found[4]["reason"], "neither the response nor the assertion is signed");
    assert!(found[0].get("identity").is_none());
    assert_eq!(found[8]["accepted"], true, "what is refused uses nothing up");
}

#[test]
fn an_assertion_counts_once_in_a_run() {
    let case = Case::new("replay");
    case.response("one.xml", USUAL);
    case.response("other.xml", Says { id: "_a2", ..USUAL });
    let output = case.usual("--request-id _r1 one.xml other.xml one.xml");
    assert_eq!(output.status.code(), Some(1));
    let found = lines(&output);
    assert_eq!((&found[0]["accepted"], &found[1]["accepted"]), (&json!(true), &json!(true)));
    assert_eq!(found[2]["code"], "saml.replayed");
    assert_eq!(case.usual("--request-id _r1 one.xml").status.code(), Some(0), "another run begins anew");
}

#[test]
fn who_asked_is_compared_named_or_denied() {
    let case = Case::new("requests");
    case.response("asked.xml", USUAL);
    case.response("unasked.xml", Says { id: "_a2", in_response_to: "", ..USUAL });
    for (options, asked, unasked) in [
        ("--request-id _r1", None, Some("saml.in_response_to_missing")),
        ("--unsolicited", Some("saml.in_response_to_unexpected"), None),
        ("", None, Some("saml.in_response_to_missing")),
    ] {
        let found = lines(&case.usual(&format!("{options} asked.xml unasked.xml")));
        assert_eq!(found[0]["code"].as_str(), asked, "{options}");
        assert_eq!(found[1]["code"].as_str(), unasked, "{options}");
    }
    let line = &lines(&case.usual("asked.xml"))[0];
    assert_eq!(line["checks"]["replay"], json!(["assertion_id"]), "nobody compared the request");
    let line = &lines(&case.usual("--unsolicited unasked.xml"))[0];
    assert_eq!(line["checks"]["replay"], json!(["unsolicited", "assertion_id"]));
}

#[test]
fn clocks_may_differ_by_the_skew() {
    let case = Case::new("skew");
    case.response("late.xml", Says { ends: NOW - 100, ..USUAL });
    assert_eq!(case.usual("--request-id _r1 late.xml").status.code(), Some(0));
    let output = case.usual("--request-id _r1 --skew 60 late.xml");
    assert_eq!(lines(&output)[0]["code"], "saml.confirmation_expired");
}

#[test]
fn the_provider_comes_by_metadata_or_by_certificates() {
    let case = Case::new("provider");
    case.response("good.xml", USUAL);
    let stranger = Identity::generate("stranger", DateTime::from_timestamp(NOW, 0).unwrap()).unwrap();
    case.write("stranger.pem", stranger.certificate_pem());
    let unusable = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    let both = std::fs::read_to_string(case.folder.join("idp.pem")).unwrap();
    case.write("unusable.pem", unusable);
    case.write("both.pem", format!("{unusable}{both}"));
    let sp = format!(
        "saml --sp-entity-id https://sp.example --acs-url https://sp.example/acs --now {NOW} --request-id _r1"
    );
    let own = "--idp-entity-id https://idp.example";
    for (provider, status) in [
        ("--idp-metadata metadata.xml", 0),
        ("--idp-metadata two.xml --idp-entity-id https://idp.example", 0),
        ("--idp-metadata two.xml", 2),
        ("--idp-metadata two.xml --idp-entity-id https://third.example", 2),
        (&format!("{own} --idp-cert stranger.pem --idp-cert idp.pem"), 0),
        (&format!("{own} --idp-cert stranger.pem"), 1),
        (&format!("{own} --idp-cert both.pem"), 0),
        (&format!("{own} --idp-cert unusable.pem --idp-cert idp.pem"), 0),
        (&format!("{own} --idp-cert unusable.pem"), 1),
        (&format!("{own} --idp-cert metadata.xml"), 2),
        (&format!("{own} --idp-cert missing.pem"), 2),
    ] {
        let output = case.inspect(&format!("{sp} {provider} good.xml"));
        assert_eq!(output.status.code(), Some(status), "{provider}: {output:?}");
    }
    let output = case.inspect(&format!("{sp} {own} --idp-cert stranger.pem good.xml"));
    assert_eq!(lines(&output)[0]["code"], "saml.signature_invalid");
}

#[test]
fn bad_usage_exits_with_2_and_says_why() {
    let case = Case::new("usage");
    case.response("good.xml", USUAL);
    for (output, says) in [
        (case.inspect("saml good.xml"), "`--sp-entity-id` is missing"),
        (case.usual("--encoding hex good.xml"), "neither `xml` nor `base64`"),
        (case.usual("--decryption-key idp.pem good.xml"), "is not an RSA key"),
        (case.usual("missing.xml"), "`missing.xml`"),
        (case.usual("--request-id a --unsolicited good.xml"), "exclude each other"),
        (case.usual("--explain good.xml"), "`--config` is missing"),
    ] {
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(output.stdout.is_empty());
        assert!(String::from_utf8(output.stderr).unwrap().contains(says), "{says}");
    }
}

#[test]
fn xml_in_another_encoding_is_refused_as_such() {
    let case = Case::new("encoding");
    let xml = case.response("good.xml", USUAL);
    for (name, mark, order) in [
        ("little.xml", &b"\xff\xfe"[..], u16::to_le_bytes as fn(u16) -> [u8; 2]),
        ("big.xml", b"\xfe\xff", u16::to_be_bytes),
        ("unmarked.xml", b"", u16::to_be_bytes),
    ] {
        let octets: Vec<u8> = mark.iter().copied().chain(xml.encode_utf16().flat_map(order)).collect();
        case.write(name, octets);
        let line = &lines(&case.usual(&format!("--request-id _r1 {name}")))[0];
        assert_ne!(line["code"], "saml.base64_invalid", "{name}");
        assert!(line["code"].as_str().unwrap().starts_with("saml.xml_"), "{name}: {line}");
    }
}

#[test]
fn metadata_that_nobody_may_believe_refuses_every_file_with_its_code() {
    let case = Case::new("metadata");
    case.response("good.xml", USUAL);
    let good = std::fs::read_to_string(case.folder.join("metadata.xml")).unwrap();
    let over = "validUntil=\"2001-01-01T00:00:00Z\" entityID=";
    case.write("entity-over.xml", good.replace("entityID=", over));
    case.write(
        "root-over.xml",
        good.replace("<EntitiesDescriptor ", "<EntitiesDescriptor validUntil=\"2001-01-01T00:00:00Z\" "),
    );
    case.write("no-keys.xml", good.replace("<KeyDescriptor>", "<KeyDescriptor use=\"encryption\">"));
    case.write("twice.xml", good.replace("</EntitiesDescriptor>", &format!("{good}</EntitiesDescriptor>")));
    case.write("cut.xml", good.split_at(good.len() / 2).0);
    case.write("unusable.pem", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n");
    let entity = "--idp-entity-id https://idp.example";
    for (provider, code) in [
        ("--idp-metadata entity-over.xml", "saml.metadata_expired"),
        ("--idp-metadata root-over.xml", "saml.metadata_expired"),
        ("--idp-metadata no-keys.xml", "saml.metadata_no_signing_key"),
        ("--idp-metadata cut.xml", "saml.xml_unclosed"),
        (&format!("--idp-metadata twice.xml {entity}"), "saml.metadata_entity_ambiguous"),
        (&format!("--idp-cert unusable.pem {entity}"), "saml.key_missing"),
    ] {
        let output = case.inspect(&format!(
            "saml --sp-entity-id https://sp.example --acs-url https://sp.example/acs --now {NOW} {provider} good.xml good.xml"
        ));
        assert_eq!(output.status.code(), Some(1), "{provider}: {output:?}");
        let codes: Vec<_> = lines(&output).into_iter().map(|line| line["code"].clone()).collect();
        assert_eq!(codes, [code, code], "{provider}");
    }
}

#[test]
fn the_metadata_of_a_federation_is_read_whole() {
    let case = Case::new("federation");
    case.response("good.xml", USUAL);
    let good = std::fs::read_to_string(case.folder.join("metadata.xml")).unwrap();
    let many = "<EntityDescriptor entityID=\"https://other.example\"/>".repeat(100_000);
    case.write("many.xml", good.replace("</EntitiesDescriptor>", &format!("{many}</EntitiesDescriptor>")));
    let output = case.inspect(&format!(
        "saml --sp-entity-id https://sp.example --acs-url https://sp.example/acs --now {NOW} --request-id _r1 --idp-metadata \
         many.xml --idp-entity-id https://idp.example good.xml"
    ));
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn the_last_instant_that_can_be_told_is_no_panic() {
    let case = Case::new("last");
    case.response("good.xml", USUAL);
    for now in [8_210_266_876_799_i64, -8_334_601_228_800] {
        let output = case.inspect(&format!(
            "saml --sp-entity-id https://sp.example --acs-url https://sp.example/acs --now {now} --idp-metadata metadata.xml \
             good.xml"
        ));
        assert!(matches!(output.status.code(), Some(1 | 2)), "{output:?}");
    }
}
