//! One strict pass over JSON text (RFC 8259): no duplicate member, no trailing data, bounded depth and number of values.
//!
//! The tree that this pass builds is the only one anybody reads afterwards, so two parsers can never disagree about
//! what was signed. Only the structure is read here; numbers and escapes are left to `serde_json`. A `Visitor` over its
//! `Deserializer` would answer differently in builds where some other crate switches its `arbitrary_precision` on.

use serde_json::{Map, Number, Value};

use crate::rejection::Rejection;

/// The deepest nesting that is read; the outermost object is level 1.
pub(crate) const MAX_DEPTH: usize = 32;
/// Room for this many elements is made at once: group lists are rarely shorter.
const USUAL_LENGTH: usize = 16;

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
    let mut parser = Parser { text, at: 0, values_left: max_values };
    let value = parser.value(0)?;
    match parser.peek() {
        None => Ok(value),
        Some(_) => Err(Rejection::JsonInvalid),
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    values_left: usize,
}

impl<'a> Parser<'a> {
    fn value(&mut self, depth: usize) -> Result<Value, Rejection> {
        self.values_left = self.values_left.checked_sub(1).ok_or(Rejection::JsonTooLarge)?;
        match self.peek() {
            Some(b'"') => self.string().map(Value::String),
            Some(b'{') => self.members(depth + 1),
            Some(b'[') => self.elements(depth + 1),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal("true", Value::Bool(true)),
            Some(b'f') => self.literal("false", Value::Bool(false)),
            Some(b'n') => self.literal("null", Value::Null),
            _ => Err(Rejection::JsonInvalid),
        }
    }

    fn members(&mut self, depth: usize) -> Result<Value, Rejection> {
        check_depth(depth)?;
        self.at += 1;
        let mut members = Map::new();
        if self.take(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(Rejection::JsonInvalid);
            }
            let name = self.string()?;
            self.expect(b':')?;
            if members.insert(name, self.value(depth)?).is_some() {
                return Err(Rejection::JsonDuplicateMember);
            }
            if self.take(b'}') {
                return Ok(Value::Object(members));
            }
            self.expect(b',')?;
        }
    }

    fn elements(&mut self, depth: usize) -> Result<Value, Rejection> {
        check_depth(depth)?;
        self.at += 1;
        let mut elements = Vec::new();
        if self.take(b']') {
            return Ok(Value::Array(elements));
        }
        elements.reserve(USUAL_LENGTH);
        loop {
            elements.push(self.value(depth)?);
            if self.take(b']') {
                return Ok(Value::Array(elements));
            }
            self.expect(b',')?;
        }
    }

    /// Reads a string that begins here.
    fn string(&mut self) -> Result<String, Rejection> {
        let start = self.at + 1;
        let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1f);
        let len = self.rest(start).iter().position(is_special).ok_or(Rejection::JsonInvalid)?;
        match self.byte(start + len) {
            Some(b'"') => {
                self.at = start + len + 1;
                Ok(self.slice(start, start + len)?.to_owned())
            }
            Some(b'\\') => self.escaped_string(start + len),
            _ => Err(Rejection::JsonInvalid),
        }
    }

    /// Reads a string that begins here and whose first escape is at `escape`.
    fn escaped_string(&mut self, mut escape: usize) -> Result<String, Rejection> {
        let end = loop {
            let after = escape + 2;
            let next = self.rest(after).iter().position(|byte| matches!(byte, b'"' | b'\\'));
            let next = after + next.ok_or(Rejection::JsonInvalid)?;
            match self.byte(next) {
                Some(b'"') => break next + 1,
                _ => escape = next,
            }
        };
        let quoted = self.slice(self.at, end)?;
        self.at = end;
        serde_json::from_str(quoted).map_err(|_| Rejection::JsonInvalid)
    }

    fn number(&mut self) -> Result<Value, Rejection> {
        let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let len = self.rest(self.at).iter().take_while(|byte| is_part(byte)).count();
        let digits = self.slice(self.at, self.at + len)?;
        self.at += len;
        digits.parse::<Number>().map(Value::Number).map_err(|_| Rejection::JsonInvalid)
    }

    fn literal(&mut self, word: &str, value: Value) -> Result<Value, Rejection> {
        if !self.rest(self.at).starts_with(word.as_bytes()) {
            return Err(Rejection::JsonInvalid);
        }
        self.at += word.len();
        Ok(value)
    }

    fn expect(&mut self, byte: u8) -> Result<(), Rejection> {
        if self.take(byte) { Ok(()) } else { Err(Rejection::JsonInvalid) }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Skips white space and looks at what follows.
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.byte(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                other => return other,
            }
        }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    fn rest(&self, from: usize) -> &'a [u8] {
        self.text.as_bytes().get(from..).unwrap_or_default()
    }

    fn slice(&self, from: usize, to: usize) -> Result<&'a str, Rejection> {
        self.text.get(from..to).ok_or(Rejection::JsonInvalid)
    }
}

fn check_depth(depth: usize) -> Result<(), Rejection> {
    if depth > MAX_DEPTH { Err(Rejection::JsonTooDeep) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refused(text: &[u8]) -> Rejection {
        object(text, 100).unwrap_err()
    }

    /// Any value, without a member name that occurs twice.
    fn tree() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..8)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

        #[test]
        fn reads_what_was_written(tree in tree(), pretty in any::<bool>()) {
            let write = if pretty { serde_json::to_string_pretty } else { serde_json::to_string };
            let text = write(&tree).unwrap();
            let expected: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(value(text.as_bytes(), 10_000), Ok(expected));
        }

        #[test]
        fn agrees_with_serde_json_about_broken_text(
            tree in tree(), at in any::<prop::sample::Index>(), with in prop::sample::select(b"{}[]\",:\\ue0-.+tfn \n\t\x01a9".to_vec()), remove in any::<bool>(),
        ) {
            let mut text = serde_json::to_vec(&tree).unwrap();
            let at = at.index(text.len());
            if remove { text.remove(at); } else { text.insert(at, with); }
            agree(&text)?;
        }

        #[test]
        fn agrees_with_serde_json_about_any_text(text in "[{}\\[\\]\",:\\\\ue0-9.+tfn \n\t-]{0,24}") {
            agree(text.as_bytes())?;
        }

        #[test]
        fn agrees_with_serde_json_about_numbers(text in "-?[0-9.eE+-]{0,12}") {
            agree(text.as_bytes())?;
        }
    }

    fn agree(text: &[u8]) -> Result<(), TestCaseError> {
        let theirs = serde_json::from_slice::<Value>(text);
        match value(text, 10_000) {
            Ok(ours) => prop_assert_eq!(Some(ours), theirs.ok()),
            Err(Rejection::JsonDuplicateMember | Rejection::JsonTooDeep) => {}
            Err(_) => prop_assert!(theirs.is_err(), "{}", String::from_utf8_lossy(text)),
        }
        Ok(())
    }

    #[test]
    fn refuses_a_repeated_member_at_any_level_and_in_any_spelling() {
        for text in [r#"{"a":1,"a":1}"#, r#"{"x":[{"a":1,"b":2,"a":3}]}"#, r#"{"a":1,"\u0061":2}"#] {
            assert_eq!(refused(text.as_bytes()), Rejection::JsonDuplicateMember, "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_exactly_one_value() {
        for text in [
            "",
            "{",
            "{}x",
            "{}{}",
            "\u{feff}{}",
            "{'a':1}",
            "{\"a\":1,}",
            "{\"a\":NaN}",
            "{\"a\":1e999}",
            "{\"a\\",
            "{\"a\\\"",
        ] {
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
}
