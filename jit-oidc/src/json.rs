//! One strict pass over JSON text: no duplicate member, no trailing data, bounded depth and number of values.
//!
//! The tree that this pass builds is the only one anybody reads afterwards, so two parsers can never disagree
//! about what was signed.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::rejection::Rejection;

/// The deepest nesting that is read; the outermost object is level 1.
pub(crate) const MAX_DEPTH: usize = 32;

/// Under this name `serde_json` hands over numbers when a crate of the same build has switched its
/// `arbitrary_precision` on. Understanding it keeps the answer the same in every build.
const NUMBER_TOKEN: &str = "$serde_json::private::Number";

/// Parses one JSON object of at most `max_values` values.
pub(crate) fn object(text: &[u8], max_values: usize) -> Result<Map<String, Value>, Rejection> {
    match value(text, max_values)? {
        Value::Object(members) => Ok(members),
        _ => Err(Rejection::JsonNotAnObject),
    }
}

/// Parses one JSON value of at most `max_values` values.
pub(crate) fn value(text: &[u8], max_values: usize) -> Result<Value, Rejection> {
    let text = std::str::from_utf8(text).map_err(|_| Rejection::Utf8Invalid)?;
    let limits = Limits { values: Cell::new(max_values), broken: Cell::new(None) };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let parsed = Strict { limits: &limits, depth: 0 }
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value));
    parsed.map_err(|_| limits.broken.get().unwrap_or(Rejection::JsonInvalid))
}

/// Room for this many elements is made at once: group lists are rarely shorter.
const USUAL_LENGTH: usize = 16;

struct Limits {
    values: Cell<usize>,
    broken: Cell<Option<Rejection>>,
}

impl Limits {
    fn breach<E: serde::de::Error>(&self, rejection: Rejection) -> E {
        self.broken.set(Some(rejection));
        E::custom("refused")
    }

    fn count<E: serde::de::Error>(&self) -> Result<(), E> {
        match self.values.get().checked_sub(1) {
            Some(left) => self.values.set(left),
            None => return Err(self.breach(Rejection::JsonTooLarge)),
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
struct Strict<'a> {
    limits: &'a Limits,
    depth: usize,
}

impl<'a> Strict<'a> {
    fn deeper<E: serde::de::Error>(self) -> Result<Strict<'a>, E> {
        let depth = self.depth + 1;
        if depth > MAX_DEPTH {
            return Err(self.limits.breach(Rejection::JsonTooDeep));
        }
        Ok(Strict { depth, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.limits.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut array = Vec::new();
        while let Some(element) = elements.next_element_seed(inner)? {
            if array.is_empty() {
                array.reserve(USUAL_LENGTH);
            }
            array.push(element);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.is_empty() && name == NUMBER_TOKEN {
                return number(&members.next_value::<String>()?);
            }
            if object.insert(name, members.next_value_seed(inner)?).is_some() {
                return Err(self.limits.breach(Rejection::JsonDuplicateMember));
            }
        }
        Ok(Value::Object(object))
    }
}

fn number<E: serde::de::Error>(text: &str) -> Result<Value, E> {
    text.parse::<Number>().map(Value::Number).map_err(E::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &[u8]) -> Rejection {
        object(text, 100).unwrap_err()
    }

    #[test]
    fn builds_the_tree_that_serde_json_builds() {
        let text = r#" {"a":[1,-2,3.5,1e3,"x\u00e9\ud83d\ude00",true,false,null,{}],"b":{"c":""}} "#;
        let expected: Value = serde_json::from_str(text).unwrap();
        assert_eq!(value(text.as_bytes(), 100), Ok(expected));
    }

    #[test]
    fn refuses_a_repeated_member_at_any_level_and_in_any_spelling() {
        for text in [r#"{"a":1,"a":1}"#, r#"{"x":[{"a":1,"b":2,"a":3}]}"#, r#"{"a":1,"\u0061":2}"#] {
            assert_eq!(refused(text.as_bytes()), Rejection::JsonDuplicateMember, "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_exactly_one_value() {
        for text in
            ["", "{", "{}x", "{}{}", "\u{feff}{}", "{'a':1}", "{\"a\":1,}", "{\"a\":NaN}", "{\"a\":1e999}"]
        {
            assert_eq!(refused(text.as_bytes()), Rejection::JsonInvalid, "{text}");
        }
        assert_eq!(refused(br#"{"a":"\ud800"}"#), Rejection::JsonInvalid);
        assert_eq!(refused(b"{\"a\":\"\xff\"}"), Rejection::Utf8Invalid);
        assert_eq!(refused(b"[]"), Rejection::JsonNotAnObject);
    }

    #[test]
    fn bounds_depth_and_number_of_values() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(value(nested(MAX_DEPTH).as_bytes(), 100).is_ok());
        assert_eq!(value(nested(MAX_DEPTH + 1).as_bytes(), 100), Err(Rejection::JsonTooDeep));
        assert_eq!(value(nested(100_000).as_bytes(), 1_000_000), Err(Rejection::JsonTooDeep));
        assert_eq!(value(b"[1,2,3]", 3), Err(Rejection::JsonTooLarge));
    }

    #[test]
    fn reads_numbers_of_a_build_with_arbitrary_precision() {
        let text = format!(r#"{{"exp":{{"{NUMBER_TOKEN}":"12"}}}}"#);
        assert_eq!(object(text.as_bytes(), 10).unwrap().get("exp").unwrap().as_u64(), Some(12));
    }
}
