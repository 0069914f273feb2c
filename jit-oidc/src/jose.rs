//! The compact form of RFC 7515 and nothing more: size, parts, base64url, header.

use serde_json::{Map, Value};

use crate::algorithm::Algorithm;
use crate::base64url::Scratch;
use crate::json;
use crate::rejection::Rejection;

/// The longest token that is looked at.
pub(crate) const MAX_TOKEN: usize = 16 * 1024;
/// The longest `kid` that is looked at.
pub(crate) const MAX_KID: usize = 512;

const MAX_HEADER_VALUES: usize = 256;
const MAX_PAYLOAD_VALUES: usize = 16 * 1024;

/// What is read of a header. Keys and addresses of keys in it (`jwk`, `jku`, `x5u`, `x5c`) are never read.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) algorithm: Algorithm,
    pub(crate) kid: Option<String>,
    pub(crate) typ: Option<String>,
}

/// A token in three parts with its header read and nothing verified.
#[derive(Debug)]
pub(crate) struct Compact<'a> {
    pub(crate) header: Header,
    /// The bytes that the signature covers: header, dot, payload.
    pub(crate) signed: &'a [u8],
    payload: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Compact<'a> {
    /// Splits a token and reads its header.
    pub(crate) fn parse(token: &'a [u8], scratch: &mut Scratch) -> Result<Self, Rejection> {
        if token.len() > MAX_TOKEN {
            return Err(Rejection::TokenTooLarge);
        }
        let [header, payload, signature] = split(token)?;
        let header = parse_header(scratch.decode(header)?)?;
        let signed_len = token.len() - signature.len() - 1;
        let signed = token.get(..signed_len).ok_or(Rejection::TokenMalformed)?;
        Ok(Self { header, signed, payload, signature })
    }

    /// Decodes the signature.
    pub(crate) fn signature<'s>(&self, scratch: &'s mut Scratch) -> Result<&'s [u8], Rejection> {
        scratch.decode(self.signature)
    }

    /// Reads the claims; callers do so only after the signature was checked.
    pub(crate) fn claims(&self, scratch: &mut Scratch) -> Result<Map<String, Value>, Rejection> {
        json::object(scratch.decode(self.payload)?, MAX_PAYLOAD_VALUES)
    }
}

/// Reads only the `kid` of a token that was parsed before.
pub(crate) fn kid_of(token: &[u8]) -> Option<String> {
    Compact::parse(token, &mut Scratch::new()).ok()?.header.kid
}

fn split(token: &[u8]) -> Result<[&[u8]; 3], Rejection> {
    let mut dots = memchr::memchr_iter(b'.', token);
    let (Some(first), Some(second)) = (dots.next(), dots.next()) else {
        return Err(Rejection::TokenMalformed);
    };
    match dots.count() {
        0 => {}
        // RFC 7516 §7.1: five parts are an encrypted token
        2 => return Err(Rejection::TokenEncrypted),
        _ => return Err(Rejection::TokenMalformed),
    }
    match (token.get(..first), token.get(first + 1..second), token.get(second + 1..)) {
        (Some(header @ [_, ..]), Some(payload @ [_, ..]), Some(signature)) => {
            Ok([header, payload, signature])
        }
        _ => Err(Rejection::TokenMalformed),
    }
}

fn parse_header(text: &[u8]) -> Result<Header, Rejection> {
    let mut header = json::object(text, MAX_HEADER_VALUES)?;
    check_extensions(&header)?;
    Ok(Header { algorithm: algorithm(&header)?, kid: kid(&mut header)?, typ: typ(&mut header)? })
}

/// RFC 7515 §4.1.11: what is marked critical and not understood must be refused; nothing is understood here.
fn check_extensions(header: &Map<String, Value>) -> Result<(), Rejection> {
    let forbidden = [
        ("crit", Rejection::CriticalHeader),
        ("b64", Rejection::UnencodedPayload),
        ("zip", Rejection::CompressedPayload),
        ("cty", Rejection::NestedToken),
        ("enc", Rejection::TokenEncrypted),
    ];
    match forbidden.iter().find(|(name, _)| header.contains_key(*name)) {
        Some((_, rejection)) => Err(*rejection),
        None => Ok(()),
    }
}

fn algorithm(header: &Map<String, Value>) -> Result<Algorithm, Rejection> {
    let name = header.get("alg").and_then(Value::as_str).ok_or(Rejection::AlgorithmMissing)?;
    if name.eq_ignore_ascii_case("none") {
        return Err(Rejection::AlgorithmNone);
    }
    Algorithm::from_name(name).ok_or(Rejection::AlgorithmNotAllowed)
}

fn kid(header: &mut Map<String, Value>) -> Result<Option<String>, Rejection> {
    match header.remove("kid") {
        None => Ok(None),
        Some(Value::String(kid)) if kid.len() <= MAX_KID => Ok(Some(kid)),
        Some(_) => Err(Rejection::HeaderMalformed),
    }
}

fn typ(header: &mut Map<String, Value>) -> Result<Option<String>, Rejection> {
    match header.remove("typ") {
        None => Ok(None),
        Some(Value::String(typ)) => Ok(Some(typ)),
        Some(_) => Err(Rejection::HeaderMalformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base64url::encode;

    fn token(header: &str) -> Vec<u8> {
        format!("{}.e30.AA", encode(header.as_bytes())).into_bytes()
    }

    fn refused(header: &str) -> Rejection {
        Compact::parse(&token(header), &mut Scratch::new()).unwrap_err()
    }

    #[test]
    fn reads_what_it_needs_and_nothing_else() {
        let token = token(r#"{"alg":"ES256","kid":"a","typ":"JWT","jwk":{"kty":"oct"},"jku":"https://x"}"#);
        let scratch = &mut Scratch::new();
        let compact = Compact::parse(&token, scratch).unwrap();
        assert_eq!(compact.header.algorithm, Algorithm::Es256);
        assert_eq!(compact.header.kid.as_deref(), Some("a"));
        assert_eq!(compact.signed, &token[..token.len() - 3]);
        assert!(compact.claims(scratch).unwrap().is_empty());
    }

    #[test]
    fn refuses_extensions() {
        assert_eq!(refused(r#"{"alg":"RS256","crit":[]}"#), Rejection::CriticalHeader);
        assert_eq!(refused(r#"{"alg":"RS256","b64":true}"#), Rejection::UnencodedPayload);
        assert_eq!(refused(r#"{"alg":"RS256","zip":"DEF"}"#), Rejection::CompressedPayload);
        assert_eq!(refused(r#"{"alg":"RS256","cty":"JWT"}"#), Rejection::NestedToken);
    }

    #[test]
    fn refuses_padding_stray_bits_and_other_alphabets() {
        for part in ["e30=", "e31", "e3+", "e3/", "e 30", "e30\n"] {
            let token = format!("eyJhbGciOiJSUzI1NiJ9.{part}.AA");
            let scratch = &mut Scratch::new();
            let claims =
                Compact::parse(token.as_bytes(), scratch).and_then(|compact| compact.claims(scratch));
            assert_eq!(claims.err(), Some(Rejection::Base64Invalid), "{part}");
        }
    }

    #[test]
    fn counts_the_parts() {
        let refused = |token: &[u8]| Compact::parse(token, &mut Scratch::new()).unwrap_err();
        for token in ["", ".", "..", "a.b", "a.b.c.d", "e30..", "a.b.c.d.e.f"] {
            assert_eq!(refused(token.as_bytes()), Rejection::TokenMalformed, "{token}");
        }
        assert_eq!(refused(b"a.b.c.d.e"), Rejection::TokenEncrypted);
        assert_eq!(refused(&vec![b'a'; MAX_TOKEN + 1]), Rejection::TokenTooLarge);
    }
}
