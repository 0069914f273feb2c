//! What a path names (RFC 7644 §3.2), and how texts in addresses are decoded.

use super::served::Served;
use crate::error::ScimError;
use crate::reason::Reason;
use crate::schema::{ResourceType, Schemas};

use std::borrow::Cow;
use std::fmt;

/// What a request is about.
#[derive(Clone, Debug)]
pub(super) enum Route<'a> {
    /// Everything that is served.
    Root,
    /// `/.search`.
    RootSearch,
    /// All resources of a type.
    All(&'a ResourceType),
    /// `/Users/.search`.
    Search(&'a ResourceType),
    /// One resource.
    One(&'a ResourceType, Cow<'a, str>),
    /// `/Me`.
    Me,
    /// `/Bulk`.
    Bulk,
    /// `/ServiceProviderConfig`.
    Config,
    /// `/Schemas`, or one of them.
    Schemas(Option<Cow<'a, str>>),
    /// `/ResourceTypes`, or one of them.
    Types(Option<Cow<'a, str>>),
}

impl<'a> Route<'a> {
    /// Lists the methods that can be used at it (RFC 9110 §10.2.1).
    pub(super) const fn methods(&self) -> &'static str {
        match self {
            Self::Root | Self::Config | Self::Schemas(_) | Self::Types(_) => "GET, HEAD",
            Self::RootSearch | Self::Search(_) | Self::Bulk => "POST",
            Self::All(_) => "GET, HEAD, POST",
            Self::One(..) | Self::Me => "GET, HEAD, PUT, PATCH, DELETE",
        }
    }

    /// Tells whether a request with this method is one that changes something.
    pub(super) fn changes(&self, method: &str) -> bool {
        matches!(
            (self, method),
            (Self::All(_) | Self::Bulk, "POST") | (Self::One(..) | Self::Me, "PUT" | "PATCH" | "DELETE")
        )
    }

    /// Reads a path below the address of the service.
    pub(super) fn parse(path: &'a str, schemas: &'a Schemas) -> Result<Self, ScimError> {
        let unserved = || ScimError::from(Reason::PathUnserved);
        let path = path.strip_prefix('/').unwrap_or(path);
        let path = path.strip_suffix('/').unwrap_or(path);
        if path.is_empty() {
            return Ok(Self::Root);
        }
        let (first, second) = path.split_once('/').map_or((path, None), |(a, b)| (a, Some(b)));
        let first = decode(first, false).ok_or_else(unserved)?;
        let second = second.map(|text| decode(text, false).filter(|_| !text.contains('/')));
        let second = second.map(|text| text.ok_or_else(unserved)).transpose()?;
        match (&*first, second) {
            ("Schemas", id) => Ok(Self::Schemas(id)),
            ("ResourceTypes", id) => Ok(Self::Types(id)),
            ("ServiceProviderConfig", None) => Ok(Self::Config),
            ("Bulk", None) => Ok(Self::Bulk),
            ("Me", None) => Ok(Self::Me),
            (".search", None) => Ok(Self::RootSearch),
            (name, second) => {
                let is_named = |kind: &&ResourceType| kind.endpoint().strip_prefix('/') == Some(name);
                let kind = schemas.types().map(AsRef::as_ref).find(is_named).ok_or_else(unserved)?;
                Ok(match second {
                    None => Self::All(kind),
                    Some(id) if id == ".search" => Self::Search(kind),
                    Some(id) => Self::One(kind, id),
                })
            }
        }
    }
}

/// Names what is served; of a resource its type and, where it is one of ours, its identifier.
impl fmt::Display for Route<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(kind) | Self::Search(kind) => f.write_str(kind.endpoint()),
            Self::One(kind, id) => match Served::id(id) {
                Some(id) => write!(f, "{}/{id}", kind.endpoint()),
                None => f.write_str(kind.endpoint()),
            },
            Self::Me => f.write_str("/Me"),
            Self::Bulk => f.write_str("/Bulk"),
            Self::Root | Self::RootSearch => f.write_str("/"),
            Self::Config => f.write_str("/ServiceProviderConfig"),
            Self::Schemas(_) => f.write_str("/Schemas"),
            Self::Types(_) => f.write_str("/ResourceTypes"),
        }
    }
}

/// A name and its value.
type Parameter<'a> = (Cow<'a, str>, Cow<'a, str>);

/// Reads the parameters of a query.
///
/// # Errors
/// `scim.query_malformed` where an escape is none, or is no UTF-8.
pub(super) fn parameters(query: &str) -> Result<Vec<Parameter<'_>>, ScimError> {
    let malformed = || ScimError::from(Reason::QueryMalformed);
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| parameter(pair).ok_or_else(malformed)).collect()
}

fn parameter(pair: &str) -> Option<Parameter<'_>> {
    // the name is short: to look for its end byte by byte is quicker than any search
    let end = pair.bytes().position(|byte| byte == b'=').unwrap_or(pair.len());
    let (name, value) = pair.split_at_checked(end)?;
    Some((decode(name, true)?, decode(value.strip_prefix('=').unwrap_or(value), true)?))
}

/// Decodes escapes (RFC 3986 §2.1), and in a form the plus sign as well.
fn decode(text: &str, form: bool) -> Option<Cow<'_, str>> {
    let is_special = |byte: u8| byte == b'%' || (form && byte == b'+');
    if !text.bytes().any(is_special) {
        return Some(Cow::Borrowed(text));
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => 16 * hex_digit(bytes.next()?)? + hex_digit(bytes.next()?)?,
            b'+' if form => b' ',
            plain => plain,
        });
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}

const fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded_and_nothing_else() {
        assert_eq!(decode("a%20b+c", true).as_deref(), Some("a b c"));
        assert_eq!(decode("a+b%C3%A4", false).as_deref(), Some("a+bä"));
        for bad in ["%", "%2", "%zz", "%ff", "%+1"] {
            assert_eq!(decode(bad, true), None, "{bad}");
        }
        let read = parameters("filter=id+eq+%221%22&count=&x&").unwrap();
        let expected = [("filter", r#"id eq "1""#), ("count", ""), ("x", "")];
        assert_eq!(read, expected.map(|(name, value)| (name.into(), value.into())));
    }

    #[test]
    fn paths_name_what_is_served() {
        let schemas = Schemas::standard();
        let word = |path: &str| format!("{:?}", Route::parse(path, &schemas).map_err(|error| error.reason()));
        for (path, expected) in [
            ("", "Ok(Root)"),
            ("/", "Ok(Root)"),
            ("/.search", "Ok(RootSearch)"),
            ("/Me", "Ok(Me)"),
            ("/Bulk/", "Ok(Bulk)"),
            ("/ServiceProviderConfig", "Ok(Config)"),
            ("/Schemas/urn%3Aa", "Ok(Schemas(Some(\"urn:a\")))"),
            ("/users", "Err(PathUnserved)"),
            ("/Groups/1/2", "Err(PathUnserved)"),
            ("/Users%2F1", "Err(PathUnserved)"),
            ("//Users", "Err(PathUnserved)"),
        ] {
            assert_eq!(word(path), expected, "{path}");
        }
        assert!(matches!(Route::parse("/Users/", &schemas), Ok(Route::All(_))));
        assert!(matches!(Route::parse("/Groups/.search", &schemas), Ok(Route::Search(_))));
        assert!(matches!(Route::parse("/Users/a%2Fb", &schemas), Ok(Route::One(_, id)) if id == "a/b"));
    }
}
