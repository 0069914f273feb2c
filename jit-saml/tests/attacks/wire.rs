//! What the browser brings: bombs, other encodings, parameters twice.

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use jit_saml::ResponseForm;
use jit_saml::base64_text::encode;
use jit_saml::binding::RedirectMessage;
use std::io::Write as _;

use crate::support::{Draft, verify};
use crate::table::Family;

fn query(octets: &[u8]) -> String {
    let text: String = url::form_urlencoded::byte_serialize(encode(octets).as_bytes()).collect();
    format!("SAMLResponse={text}")
}

#[test]
fn forms_and_queries() {
    let mut family = Family::new("wire");
    let xml = Draft::new().signed();
    let text = encode(xml.as_bytes());
    let form = |value: &str| {
        let body = format!(
            "SAMLResponse={}",
            url::form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>()
        );
        match ResponseForm::from_body(body.as_bytes()) {
            Ok(form) => crate::support::code(&verify(&String::from_utf8_lossy(form.response()))),
            Err(rejection) => rejection.code(),
        }
    };
    let mut deflated = DeflateEncoder::new(Vec::new(), Compression::default());
    deflated.write_all(xml.as_bytes()).unwrap();
    for (name, value, code) in [
        ("as it should be", text.clone(), "accepted"),
        (
            "wrapped lines",
            text.as_bytes().chunks(76).map(String::from_utf8_lossy).collect::<Vec<_>>().join("\r\n"),
            "accepted",
        ),
        ("base64 twice", encode(text.as_bytes()), "saml.xml_text_outside_root"),
        ("compressed as in a query", encode(&deflated.finish().unwrap()), "saml.xml_forbidden_character"),
        (
            "the alphabet of addresses",
            text.replace('/', "_").replace('+', "-").replacen('A', "_", 1),
            "saml.base64_invalid",
        ),
        ("an octet too few", text[..text.len() - 1].to_owned(), "saml.base64_invalid"),
        ("padding inside", format!("{}===={}", &text[..4], &text[4..]), "saml.base64_invalid"),
        ("no base64", xml.clone(), "saml.base64_invalid"),
        ("nothing", String::new(), "saml.response_missing"),
        ("three megabytes", "A".repeat(3 << 20), "saml.form_too_large"),
        ("a megabyte and more", encode(&vec![b' '; (1 << 20) + 1]), "saml.xml_too_large"),
    ] {
        family.expect(name, form(&value), code);
    }
    let read = |query: &str| {
        RedirectMessage::from_query(query).err().map_or("accepted", |rejection| rejection.code())
    };
    let pack = |octets: &mut dyn Iterator<Item = Vec<u8>>| {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        octets.for_each(|octets| encoder.write_all(&octets).unwrap());
        encoder.finish().unwrap()
    };
    let bomb = pack(&mut (0..200).map(|_| vec![b'x'; 1 << 20]));
    family.expect("200 megabytes", read(&query(&bomb)), "saml.query_too_large");
    let bomb = pack(&mut (0..20).map(|_| vec![b'x'; 1 << 20]));
    family.expect("20 megabytes", read(&query(&bomb)), "saml.deflate_too_large");
    let one = pack(&mut std::iter::once(xml.clone().into_bytes()));
    family.expect("as it should be", read(&query(&one)), "accepted");
    family.expect("two streams", read(&query(&[one.clone(), one.clone()].concat())), "saml.deflate_invalid");
    family.expect("rest behind", read(&query(&[&one[..], b"x"].concat())), "saml.deflate_invalid");
    family.expect("cut", read(&query(&one[..one.len() - 1])), "saml.deflate_invalid");
    family.expect("compressed twice", read(&query(&pack(&mut std::iter::once(one.clone())))), "accepted");
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
    zlib.write_all(xml.as_bytes()).unwrap();
    family.expect("with the header of zlib", read(&query(&zlib.finish().unwrap())), "saml.deflate_invalid");
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(xml.as_bytes()).unwrap();
    family.expect("with the header of gzip", read(&query(&gzip.finish().unwrap())), "saml.deflate_invalid");
    family.expect("not compressed", read(&query(xml.as_bytes())), "saml.deflate_invalid");
    let signed = query(&one);
    family.expect("twice", read(&format!("{signed}&{signed}")), "saml.query_ambiguous");
    family.expect(
        "a request as well",
        read(&format!("{signed}&{}", signed.replace("Response", "Request"))),
        "saml.query_ambiguous",
    );
    family.expect(
        "another name",
        read(&signed.replace("SAMLResponse", "%53AMLResponse")),
        "saml.query_malformed",
    );
    family.end(24);
}
