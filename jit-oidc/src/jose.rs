//! The compact form of RFC 7515 and nothing more: size, parts, base64url, header.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};

use crate::algorithm::Algorithm;
use crate::json;
use crate::rejection::Rejection;

/// The longest token that is looked at.
pub(crate) const MAX_TOKEN: usize = 16 * 1024;
/// The longest `kid` that is looked at.
pub(crate) const MAX_KID: usize = 512;

const MAX_HEADER_VALUES: usize = 256;
const MAX_PAYLOAD_VALUES: usize = 16 * 1024;

/// Base64url without padding; stray bits in the last character are refused.
pub(crate) const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(false),
);

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
    pub(crate) signature: Vec<u8>,
}

impl<'a> Compact<'a> {
    /// Splits a token and reads its header.
    pub(crate) fn parse(token: &'a [u8]) -> Result<Self, Rejection> {
        if token.len() > MAX_TOKEN {
            return Err(Rejection::TokenTooLarge);
        }
        let [header, payload, signature] = split(token)?;
        let header = parse_header(header)?;
        let signed_len = token.len() - signature.len() - 1;
        let signed = token.get(..signed_len).ok_or(Rejection::TokenMalformed)?;
        Ok(Self { header, signed, payload, signature: decode(signature)? })
    }

    /// Reads the claims; callers do so only after the signature was checked.
    pub(crate) fn claims(&self) -> Result<Map<String, Value>, Rejection> {
        json::object(&decode(self.payload)?, MAX_PAYLOAD_VALUES)
    }
}

fn split(token: &[u8]) -> Result<[&[u8]; 3], Rejection> {
    let mut parts = token.split(|byte| *byte == b'.');
    let (Some(header), Some(payload), Some(signature)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(Rejection::TokenMalformed);
    };
    match parts.count() {
        0 if header.is_empty() || payload.is_empty() => Err(Rejection::TokenMalformed),
        0 => Ok([header, payload, signature]),
        // RFC 7516 §7.1: five parts are an encrypted token
        2 => Err(Rejection::TokenEncrypted),
        _ => Err(Rejection::TokenMalformed),
    }
}

fn decode(part: &[u8]) -> Result<Vec<u8>, Rejection> {
    BASE64URL.decode(part).map_err(|_| Rejection::Base64Invalid)
}

fn parse_header(part: &[u8]) -> Result<Header, Rejection> {
    let header = json::object(&decode(part)?, MAX_HEADER_VALUES)?;
    check_extensions(&header)?;
    Ok(Header { algorithm: algorithm(&header)?, kid: kid(&header)?, typ: typ(&header)? })
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

fn kid(header: &Map<String, Value>) -> Result<Option<String>, Rejection> {
    match header.get("kid") {
        None => Ok(None),
        Some(Value::String(kid)) if kid.len() <= MAX_KID => Ok(Some(kid.clone())),
        Some(_) => Err(Rejection::HeaderMalformed),
    }
}

fn typ(header: &Map<String, Value>) -> Result<Option<String>, Rejection> {
    match header.get("typ") {
        None => Ok(None),
        Some(Value::String(typ)) => Ok(Some(typ.clone())),
        Some(_) => Err(Rejection::HeaderMalformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str) -> Vec<u8> {
        format!("{}.e30.AA", BASE64URL.encode(header)).into_bytes()
    }

    fn refused(header: &str) -> Rejection {
        Compact::parse(&token(header)).unwrap_err()
    }

    #[test]
    fn reads_what_it_needs_and_nothing_else() {
        let token = token(r#"{"alg":"ES256","kid":"a","typ":"JWT","jwk":{"kty":"oct"},"jku":"https://x"}"#);
        let compact = Compact::parse(&token).unwrap();
        assert_eq!(compact.header.algorithm, Algorithm::Es256);
        assert_eq!(compact.header.kid.as_deref(), Some("a"));
        assert_eq!(compact.signed, &token[..token.len() - 3]);
        assert!(compact.claims().unwrap().is_empty());
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
            let claims = Compact::parse(token.as_bytes()).and_then(|compact| compact.claims().map(drop));
            assert_eq!(claims, Err(Rejection::Base64Invalid), "{part}");
        }
    }

    #[test]
    fn counts_the_parts() {
        for token in ["", ".", "..", "a.b", "a.b.c.d", "e30..", "a.b.c.d.e.f"] {
            assert_eq!(Compact::parse(token.as_bytes()).unwrap_err(), Rejection::TokenMalformed, "{token}");
        }
        assert_eq!(Compact::parse(b"a.b.c.d.e").unwrap_err(), Rejection::TokenEncrypted);
        assert_eq!(Compact::parse(&vec![b'a'; MAX_TOKEN + 1]).unwrap_err(), Rejection::TokenTooLarge);
    }
}
