//! JSON as it came in: bounded, in its order, and without two members of one name.

use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde::{Deserializer, Serialize, Serializer};

use crate::error::ScimError;
use crate::limits::Limits;
use crate::reason::Reason;

/// A JSON value that keeps the order of members. `Debug` shows no value.
#[derive(Clone, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "JSON has no other values")]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A number without fraction or exponent, within 64 bits.
    Integer(i64),
    /// Every other number.
    Decimal(f64),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Self>),
    /// An object: no name occurs twice.
    Object(Vec<(String, Self)>),
}

impl Json {
    /// Reads one JSON document.
    ///
    /// # Errors
    /// `scim.body_too_large`, `scim.json_malformed`, `scim.json_too_deep`, `scim.json_too_many_values`,
    /// `scim.json_name_twice`, `scim.value_too_long`.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, ScimError> {
        if bytes.len() > limits.body_bytes {
            return Err(ScimError::beyond(Reason::BodyTooLarge, limits.body_bytes));
        }
        let rest = Cell::new(limits.values);
        let fault = Cell::new(Reason::JsonMalformed);
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        let seed = Seed { depth: limits.depth, text_bytes: limits.text_bytes, rest: &rest, fault: &fault };
        let json = seed.deserialize(&mut reader).map_err(|_| match fault.get() {
            Reason::JsonTooManyValues => ScimError::beyond(Reason::JsonTooManyValues, limits.values),
            reason => reason.into(),
        })?;
        reader.end().map_err(|_| ScimError::from(Reason::JsonMalformed))?;
        Ok(json)
    }

    /// Returns the member of this name; names are compared without regard to case (RFC 7643 §2.1).
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Returns the text, where it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// Returns the members.
    ///
    /// # Errors
    /// `scim.not_an_object`; `scim.attribute_twice` where two names differ in case only.
    pub(crate) fn as_object(&self) -> Result<&[(String, Self)], ScimError> {
        let Self::Object(members) = self else { return Err(Reason::NotAnObject.into()) };
        match twice(members, str::eq_ignore_ascii_case, str::to_ascii_lowercase) {
            Some(name) => Err(ScimError::at_attribute(Reason::AttributeTwice, &name.to_ascii_lowercase())),
            None => Ok(members),
        }
    }

    /// Writes the value.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // neither a map with odd keys nor a sink that fails is in the way
        serde_json::to_vec(self).unwrap_or_default()
    }

    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(crate) fn object<'a>(members: impl IntoIterator<Item = (&'a str, Self)>) -> Self {
        Self::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Boolean(value) => serializer.serialize_bool(*value),
            Self::Integer(value) => serializer.serialize_i64(*value),
            Self::Decimal(value) => serializer.serialize_f64(*value),
            Self::Text(value) => serializer.serialize_str(value),
            Self::List(values) => serializer.collect_seq(values),
            Self::Object(members) => {
                serializer.collect_map(members.iter().map(|(name, value)| (name, value)))
            }
        }
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "Null",
            Self::Boolean(_) => "Boolean(…)",
            Self::Integer(_) => "Integer(…)",
            Self::Decimal(_) => "Decimal(…)",
            Self::Text(_) => "Text(…)",
            Self::List(_) => "List(…)",
            Self::Object(_) => "Object(…)",
        })
    }
}

/// Reads one value, counting down what is left of the limits.
#[derive(Clone, Copy)]
struct Seed<'a> {
    depth: usize,
    text_bytes: usize,
    rest: &'a Cell<usize>,
    fault: &'a Cell<Reason>,
}

impl Seed<'_> {
    fn refuse<E: serde::de::Error>(&self, reason: Reason) -> E {
        self.fault.set(reason);
        E::custom(reason.code())
    }

    fn deeper<E: serde::de::Error>(mut self) -> Result<Self, E> {
        self.depth = self.depth.checked_sub(1).ok_or_else(|| self.refuse(Reason::JsonTooDeep))?;
        Ok(self)
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        let rest = self
            .rest
            .get()
            .checked_sub(1)
            .ok_or_else(|| self.refuse::<D::Error>(Reason::JsonTooManyValues))?;
        self.rest.set(rest);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        #[expect(clippy::cast_precision_loss, reason = "beyond 64 bits signed a number is a decimal")]
        Ok(i64::try_from(value).map_or(Json::Decimal(value as f64), Json::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Decimal(value))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Json, E> {
        if value.len() > self.text_bytes {
            return Err(self.refuse(Reason::ValueTooLong));
        }
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let inner = self.deeper()?;
        let mut values = Vec::new();
        while let Some(value) = access.next_element_seed(inner)? {
            values.push(value);
        }
        Ok(Json::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let inner = self.deeper()?;
        let mut members: Vec<(String, Json)> = Vec::new();
        while let Some(name) = access.next_key()? {
            members.push((name, access.next_value_seed(inner)?));
        }
        if twice(&members, |a, b| a == b, str::to_owned).is_some() {
            return Err(self.refuse(Reason::JsonNameTwice));
        }
        Ok(Json::Object(members))
    }
}

/// So many names are compared with each other rather than put in order.
const FEW: usize = 16;

/// Finds a name that is there twice. `key` makes equal texts of names that are the same.
fn twice(
    members: &[(String, Json)],
    is_same: impl Fn(&str, &str) -> bool,
    key: impl Fn(&str) -> String,
) -> Option<&str> {
    let mut names = members.iter().map(|(name, _)| name.as_str());
    if members.len() <= FEW {
        return names
            .enumerate()
            .find(|(number, name)| members.iter().take(*number).any(|(other, _)| is_same(other, name)))
            .map(|(_, name)| name);
    }
    let mut met = HashSet::with_capacity(members.len());
    names.find(|name| !met.insert(key(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Json, Reason> {
        Json::parse(text.as_bytes(), &Limits::default()).map_err(|error| error.reason())
    }

    #[test]
    fn order_and_numbers_are_kept() {
        let text = r#"{"b":[1,-2,1.5,null,true],"a":"ä\u0041"}"#;
        assert_eq!(serde_json::to_string(&parse(text).unwrap()).unwrap(), text.replace("\\u0041", "A"));
        assert_eq!(parse("18446744073709551615"), Ok(Json::Decimal(18_446_744_073_709_551_615.0)));
    }

    #[test]
    fn decimals_come_back_as_they_were_read() {
        for text in
            ["8888889478888888887e87", "0.1", "-2.2250738585072014e-308", "123456789.12345678901234567890"]
        {
            let read = parse(text).unwrap();
            assert_eq!(Json::parse(&read.to_bytes(), &Limits::default()).unwrap(), read, "{text}");
        }
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for bad in ["", "{", "[1,]", "{'a':1}", "01", "\"\\x\"", "{} {}", "nul", "\"\u{1}\"", "1e999"] {
            assert_eq!(parse(bad), Err(Reason::JsonMalformed), "{bad}");
        }
        assert_eq!(Json::parse(b"\"\xff\"", &Limits::default()).unwrap_err().reason(), Reason::JsonMalformed);
    }

    #[test]
    fn one_name_has_one_value() {
        assert_eq!(parse(r#"{"a":1,"b":2,"a":3}"#), Err(Reason::JsonNameTwice));
        let twice = parse(r#"{"userName":"a","USERNAME":"b"}"#).unwrap();
        assert_eq!(twice.as_object().unwrap_err().reason(), Reason::AttributeTwice);
    }

    #[test]
    fn size_depth_and_count_have_limits() {
        let limits = Limits { body_bytes: 100, depth: 3, values: 10, ..Limits::default() };
        let parse = |text: &str| Json::parse(text.as_bytes(), &limits).map_err(|error| error.reason());
        assert!(parse("[[[1]]]").is_ok());
        assert_eq!(parse("[[[[1]]]]"), Err(Reason::JsonTooDeep));
        assert_eq!(parse("[1,2,3,4,5,6,7,8,9,10]"), Err(Reason::JsonTooManyValues));
        assert_eq!(parse(&" ".repeat(101)), Err(Reason::BodyTooLarge));
        let limits = Limits { text_bytes: 3, ..limits };
        let parse = |text: &str| Json::parse(text.as_bytes(), &limits).map_err(|error| error.reason());
        assert!(parse(r#"["abc", {"a name is no text of a value": "\u00e4"}]"#).is_ok());
        assert_eq!(parse(r#"["abcd"]"#), Err(Reason::ValueTooLong));
        assert_eq!(parse(r#"["\u00e4\u00e4"]"#), Err(Reason::ValueTooLong), "it is bytes that count");
        let deep = "[".repeat(500_000);
        assert_eq!(
            Json::parse(deep.as_bytes(), &Limits::default()).unwrap_err().reason(),
            Reason::JsonTooDeep
        );
    }
}
