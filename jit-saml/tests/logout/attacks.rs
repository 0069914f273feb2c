//! Messages that somebody else than the provider made, or changed.

use jit_saml::binding::{Direction, redirect_url};
use jit_saml::signature::{SigningKey, sign_enveloped};

use crate::keys;
use crate::world::{IDP, Message, NAME, OTHER, SLO, World, posted};

fn parameter<'q>(query: &'q str, name: &str) -> &'q str {
    query.split('&').find(|part| part.split('=').next() == Some(name)).unwrap()
}

fn without(query: &str, name: &str) -> String {
    query.split('&').filter(|part| part.split('=').next() != Some(name)).collect::<Vec<_>>().join("&")
}

/// Signs a query that another producer wrote, in whatever encoding.
fn sign(query: &str, key: &SigningKey) -> String {
    let (_, signature) = key.sign_detached(query.as_bytes()).unwrap();
    let value: String = url::form_urlencoded::byte_serialize(keys::base64(&signature).as_bytes()).collect();
    format!("{query}&Signature={value}")
}

#[tokio::test]
async fn an_unsigned_or_stripped_query_is_refused() {
    let world = World::new();
    let signed = Message::request().query(Some("state"), Some(&world.key));
    for (query, code) in [
        (Message::request().query(None, None), "saml.logout_unsigned"),
        (without(&without(&signed, "Signature"), "SigAlg"), "saml.logout_unsigned"),
        (without(&signed, "Signature"), "saml.query_malformed"),
        (without(&signed, "SigAlg"), "saml.query_malformed"),
        (format!("{}&Signature=", without(&signed, "Signature")), "saml.signature_invalid"),
        (format!("{}&Signature=AAAA", without(&signed, "Signature")), "saml.signature_invalid"),
    ] {
        assert_eq!(world.refused_query(&query).await, code, "{query:.300}");
    }
    assert_eq!(world.refused_query(&signed).await, "accepted");
}

#[tokio::test]
async fn a_doubled_parameter_is_refused() {
    let world = World::new();
    let signed = Message::request().query(Some("state"), Some(&world.key));
    let evil = Message::request().set("ID", "_evil").query(None, None);
    for name in ["SAMLRequest", "RelayState", "SigAlg", "Signature"] {
        let doubled = format!("{signed}&{}", parameter(&signed, name));
        assert_eq!(world.refused_query(&doubled).await, "saml.query_ambiguous", "{name}");
    }
    for query in [format!("{evil}&{signed}"), format!("{signed}&{evil}"), format!("{signed}&SAMLResponse=AA")]
    {
        assert_eq!(world.refused_query(&query).await, "saml.query_ambiguous");
    }
    // the same name to a framework that decodes names, and another to the signature
    assert_eq!(world.refused_query(&format!("{signed}&%53AMLRequest=AA")).await, "saml.query_ambiguous");
}

#[tokio::test]
async fn order_and_case_of_the_encoding_are_the_senders_own() {
    for change in 0..3 {
        let world = World::new();
        let query = Message::request().query(Some("a state"), None);
        let algorithm = "SigAlg=http%3a%2f%2fwww.w3.org%2f2001%2f04%2fxmldsig-more%23rsa-sha256";
        let query = match change {
            // lower-case hex, as .NET writes it
            0 => query.replace("%2B", "%2b").replace("%2F", "%2f").replace("%3D", "%3d"),
            // spaces as %20
            1 => query.replace("a+state", "a%20state"),
            _ => query,
        };
        let signed = sign(&format!("{query}&{algorithm}"), &world.key);
        let mut parts: Vec<_> = signed.split('&').collect();
        parts.reverse();
        parts.push("extra=1");
        assert_eq!(world.refused_query(&parts.join("&")).await, "accepted", "change {change}");
    }
}

#[tokio::test]
async fn another_encoding_of_the_same_text_is_not_what_was_signed() {
    let world = World::new();
    let signed = Message::request().query(Some("a+b"), Some(&world.key));
    assert!(signed.contains("a%2Bb"));
    assert_eq!(world.refused_query(&signed.replace("a%2Bb", "a%2bb")).await, "saml.signature_invalid");
    assert_eq!(
        world.refused_query(&signed.replace("xmldsig-more", "xmldsi%67-more")).await,
        "saml.signature_invalid"
    );
}

#[tokio::test]
async fn only_deflate_is_an_encoding() {
    let world = World::new();
    let signed = Message::request().query(None, Some(&world.key));
    let other = format!("{signed}&SAMLEncoding=urn%3Aother");
    assert_eq!(world.refused_query(&other).await, "saml.encoding_unsupported");
    let deflate = format!("{signed}&SAMLEncoding=urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE");
    assert_eq!(world.refused_query(&deflate).await, "accepted");
}

#[tokio::test]
async fn the_relay_state_is_covered() {
    let world = World::new();
    let signed = Message::request().query(Some("state"), Some(&world.key));
    for query in [
        signed.replace("RelayState=state", "RelayState=evil"),
        without(&signed, "RelayState"),
        signed.replace("RelayState=state", "RelayState="),
    ] {
        assert_eq!(world.refused_query(&query).await, "saml.signature_invalid");
    }
    let bare = Message::request().query(None, Some(&world.key));
    assert_eq!(world.refused_query(&format!("{bare}&RelayState=added")).await, "saml.signature_invalid");
}

#[tokio::test]
async fn a_signature_belongs_to_one_message_and_direction() {
    let world = World::new();
    let one = Message::request().query(None, Some(&world.key));
    let other = Message::request().set("ID", "_other").query(None, Some(&world.key));
    let swapped = one.replace(parameter(&one, "Signature"), parameter(&other, "Signature"));
    assert_eq!(world.refused_query(&swapped).await, "saml.signature_invalid");
    // a request under the name of a response, and a response under the name of a request
    let renamed = one.replace("SAMLRequest=", "SAMLResponse=");
    assert_eq!(world.refused_query(&renamed).await, "saml.logout_root");
    let response =
        redirect_url(SLO, Direction::Request, &Message::response("_1").xml(), None, Some(&world.key));
    let response = response.unwrap();
    assert_eq!(world.refused_query(response.split_once('?').unwrap().1).await, "saml.logout_root");
    // what the provider signed for a sign-in is no demand to sign out
    let sign_in = "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"_message\"/>";
    let sign_in =
        sign_enveloped(&sign_in.replace("/>", "> </samlp:Response>"), "_message", &world.key, None).unwrap();
    assert_eq!(world.refused(posted(Direction::Request, &sign_in, None)).await, "saml.logout_root");
}

#[tokio::test]
async fn keys_and_algorithms_are_those_of_the_provider() {
    let world = World::new();
    let stranger = Message::request().redirect(&keys::rsa());
    assert_eq!(world.refused(stranger).await, "saml.signature_invalid");
    // a key of another kind, and one of another provider of the same service
    assert_eq!(world.refused(Message::request().redirect(&world.other_key)).await, "saml.key_mismatch");
    let other = Message::request().issued_by(&format!("<saml:Issuer>{OTHER}</saml:Issuer>"));
    assert_eq!(world.refused(other.redirect(&world.key)).await, "saml.key_mismatch");
    let signed = Message::request().query(None, Some(&world.key));
    for (algorithm, code) in [
        ("http://www.w3.org/2000/09/xmldsig#rsa-sha1", "saml.sha1_not_allowed"),
        ("http://www.w3.org/2000/09/xmldsig#hmac-sha1", "saml.signature_algorithm_not_allowed"),
        ("http://www.w3.org/2001/04/xmldsig-more#hmac-sha256", "saml.signature_algorithm_not_allowed"),
        ("http://www.w3.org/2000/09/xmldsig#dsa-sha1", "saml.signature_algorithm_not_allowed"),
        ("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", "saml.key_mismatch"),
        ("", "saml.signature_algorithm_not_allowed"),
    ] {
        let query = signed
            .replace(parameter(&signed, "SigAlg"), &format!("SigAlg={}", algorithm.replace('#', "%23")));
        assert_eq!(world.refused_query(&query).await, code, "{algorithm}");
    }
}

#[tokio::test]
async fn a_form_needs_the_signature_inside_and_nothing_beside_it() {
    let world = World::new();
    let xml = Message::request().xml();
    let post = |xml: &str| posted(Direction::Request, xml, None);
    assert_eq!(world.refused(post(&xml)).await, "saml.logout_unsigned");
    let signed = sign_enveloped(&xml, "_message", &world.key, None).unwrap();
    assert_eq!(world.refused(post(&signed.replace("p-17", "p-18"))).await, "saml.digest_mismatch");
    // a wrapped request: the signed one inside a forged one
    let forged = Message::request()
        .set("ID", "_forged")
        .holding(format!("<samlp:Extensions>{signed}</samlp:Extensions><saml:NameID>victim</saml:NameID>"));
    assert_eq!(world.refused(post(&forged.xml())).await, "saml.logout_unsigned");
    let (before, rest) = signed.split_once("<ds:Signature").unwrap();
    let (signature, after) = rest.split_once("</ds:Signature>").unwrap();
    let signature = format!("<ds:Signature{signature}</ds:Signature>");
    let moved = Message::request()
        .set("ID", "_forged")
        .issued_by(&format!("<saml:Issuer>{IDP}</saml:Issuer>{signature}"))
        .holding(format!(
            "<samlp:Extensions>{before}{after}</samlp:Extensions><saml:NameID>victim</saml:NameID>"
        ));
    assert_eq!(world.refused(post(&moved.xml())).await, "saml.reference_mismatch");
    let doubled = signed.replace("</ds:Signature>", &format!("</ds:Signature>{signature}"));
    assert_eq!(world.refused(post(&doubled)).await, "saml.logout_signature_misplaced");
    assert_eq!(world.refused(post(&signed)).await, "accepted");
}

#[tokio::test]
async fn a_query_must_not_carry_a_signature_inside() {
    let world = World::new();
    let signed = sign_enveloped(&Message::request().xml(), "_message", &world.key, None).unwrap();
    let url = redirect_url(SLO, Direction::Request, &signed, None, Some(&world.key)).unwrap();
    let refused = world.refused_query(url.split_once('?').unwrap().1).await;
    assert_eq!(refused, "saml.logout_signature_misplaced");
    let url = redirect_url(SLO, Direction::Request, &signed, None, None).unwrap();
    assert_eq!(world.refused_query(url.split_once('?').unwrap().1).await, "saml.logout_unsigned");
}

#[tokio::test]
async fn every_part_of_a_message_is_checked() {
    let world = World::new();
    let request = Message::request;
    let issuer = |text: &str| request().issued_by(text);
    let holding = |content: &str| request().holding(content);
    let session = |content: &str| {
        request().holding(format!("{NAME}<samlp:SessionIndex>{content}</samlp:SessionIndex>"))
    };
    for (message, code) in [
        (request().set("Version", "1.1"), "saml.logout_version"),
        (request().without("Version"), "saml.logout_version"),
        (request().without("ID"), "saml.logout_id_missing"),
        (request().set("ID", "a b"), "saml.logout_id_missing"),
        (request().without("Destination"), "saml.logout_destination_missing"),
        (request().set("Destination", ""), "saml.logout_destination_missing"),
        (
            request().set("Destination", "https://sp.example.org/saml/slo/"),
            "saml.logout_destination_mismatch",
        ),
        (
            request().set("Destination", "https://evil.example.org/saml/slo"),
            "saml.logout_destination_mismatch",
        ),
        (request().without("IssueInstant"), "saml.logout_time_malformed"),
        (request().set("IssueInstant", "now"), "saml.logout_time_malformed"),
        (request().set("NotOnOrAfter", "2027-01-15T12:00:00+00:00"), "saml.logout_time_malformed"),
        (issuer(""), "saml.logout_issuer_missing"),
        (issuer("<saml:Issuer/>"), "saml.logout_issuer_missing"),
        (issuer("<saml:Issuer>https://unknown</saml:Issuer>"), "saml.logout_issuer_unknown"),
        (issuer(&format!("<saml:Issuer>{IDP} </saml:Issuer>")), "saml.logout_issuer_unknown"),
        (issuer(&format!("<saml:Issuer>{IDP}<!-- -->.evil</saml:Issuer>")), "saml.logout_issuer_missing"),
        (
            issuer(&format!("<saml:Issuer Format=\"urn:x\">{IDP}</saml:Issuer>")),
            "saml.logout_issuer_mismatch",
        ),
        (holding(""), "saml.logout_name_missing"),
        (holding("<saml:BaseID/>"), "saml.logout_name_missing"),
        (holding("<saml:NameID/>"), "saml.logout_name_malformed"),
        (holding("<saml:NameID> </saml:NameID>"), "saml.logout_name_malformed"),
        (holding("<saml:NameID>admin<!-- -->.evil</saml:NameID>"), "saml.logout_name_malformed"),
        (holding("<saml:NameID>a<b/></saml:NameID>"), "saml.logout_name_malformed"),
        (holding(&format!("{NAME}{NAME}")), "saml.logout_malformed"),
        (holding(&format!("{NAME}text")), "saml.logout_malformed"),
        (session(""), "saml.logout_session_index_malformed"),
        (session("a<!-- -->b"), "saml.logout_session_index_malformed"),
        (
            holding(&format!("{NAME}{}", "<samlp:SessionIndex>s</samlp:SessionIndex>".repeat(257))),
            "saml.logout_too_many_sessions",
        ),
    ] {
        let xml = message.xml();
        assert_eq!(world.refused(message.redirect(&world.key)).await, code, "{xml:.400}");
    }
}

#[tokio::test]
async fn strange_octets_are_answered() {
    let world = World::new();
    for query in ["", "SAMLRequest", "SAMLRequest=", "SAMLRequest=%", "SAMLRequest=AA==", "RelayState=1"] {
        assert_ne!(world.refused_query(query).await, "accepted");
    }
    for form in
        [&b""[..], b"SAMLRequest=", b"SAMLRequest=*", b"SAMLRequest=AA==&SAMLRequest=AA==", b"\xff=\xff"]
    {
        assert!(jit_saml::logout::LogoutMessage::from_form(form).is_err() || form == b"SAMLRequest=");
    }
    let bomb = redirect_url(SLO, Direction::Request, &" ".repeat(50 << 20), None, None).unwrap();
    let refused = world.refused_query(bomb.split_once('?').unwrap().1).await;
    assert!(["saml.deflate_too_large", "saml.query_too_large"].contains(&refused.as_str()), "{refused}");
}
