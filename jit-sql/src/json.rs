//! Writes documents out: the same text as `serde_json` writes, at a third of the cost.
//!
//! `serde_json` looks at each byte of a text by itself, and the documents of a first sign-in hold some 2,500. Here eight
//! are looked at together; the rare text that holds something to escape is written character by character.

use std::fmt::{self, Write as _};

use serde::{Serialize, Serializer, ser};

/// Writes a value as JSON into a text of about so many bytes.
///
/// # Errors
/// [`Unwritable`] where JSON has no form for it, such as a map whose keys are lists.
pub(crate) fn to_string<T: Serialize + ?Sized>(value: &T, about: usize) -> Result<String, Unwritable> {
    let mut writer = Writer { text: String::with_capacity(about) };
    value.serialize(&mut writer)?;
    Ok(writer.text)
}

/// Says that something cannot be written; never what.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unwritable;

impl fmt::Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a part cannot be written as JSON")
    }
}

impl std::error::Error for Unwritable {}

impl ser::Error for Unwritable {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl From<fmt::Error> for Unwritable {
    fn from(_: fmt::Error) -> Self {
        Self
    }
}

/// Holds what is written so far.
struct Writer {
    text: String,
}

impl Writer {
    fn quoted(&mut self, text: &str) {
        self.text.push('"');
        self.inner(text);
        self.text.push('"');
    }

    #[inline]
    fn inner(&mut self, text: &str) {
        if is_plain(text) {
            self.text.push_str(text);
        } else {
            self.escaped(text);
        }
    }

    /// Writes what stands in quotes (RFC 8259 section 7), with the short form of an escape where there is one.
    #[cold]
    fn escaped(&mut self, text: &str) {
        for letter in text.chars() {
            match letter {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                '\u{8}' => self.text.push_str("\\b"),
                '\t' => self.text.push_str("\\t"),
                '\n' => self.text.push_str("\\n"),
                '\u{c}' => self.text.push_str("\\f"),
                '\r' => self.text.push_str("\\r"),
                control if control < ' ' => {
                    // A text takes whatever is written into it.
                    let _ = write!(self.text, "\\u{:04x}", u32::from(control));
                }
                other => self.text.push(other),
            }
        }
    }

    /// Writes the name of a member, which is a text or is put in quotes as it stands.
    fn name<T: Serialize + ?Sized>(&mut self, name: &T) -> Result<(), Unwritable> {
        let start = self.text.len();
        name.serialize(&mut *self)?;
        match self.text.as_bytes().get(start) {
            Some(b'"') => Ok(()),
            Some(b'-' | b'0'..=b'9' | b't' | b'f') => {
                self.text.insert(start, '"');
                self.text.push('"');
                Ok(())
            }
            _ => Err(Unwritable),
        }
    }

    fn plain(&mut self, value: impl fmt::Display) -> Result<(), Unwritable> {
        Ok(write!(self.text, "{value}")?)
    }

    fn begin(&mut self, open: char, close: &'static str) -> Parts<'_> {
        self.text.push(open);
        Parts { writer: self, is_first: true, close }
    }

    /// Begins an object of one member, the name of the variant, whose value begins so.
    fn begin_variant(&mut self, variant: &str, open: char, close: &'static str) -> Parts<'_> {
        self.text.push('{');
        self.quoted(variant);
        self.text.push(':');
        self.begin(open, close)
    }

    fn float(&mut self, value: impl Serialize) -> Result<(), Unwritable> {
        self.text.push_str(&serde_json::to_string(&value).map_err(|_| Unwritable)?);
        Ok(())
    }
}

/// One in each of eight bytes.
const EACH: u64 = 0x0101_0101_0101_0101;

/// Tells whether a text stands in quotes as it is: no quote, no backslash, no control character.
#[inline]
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (words, rest) = bytes.as_chunks::<8>();
    // The last eight bytes count what the words leave over; some are looked at twice.
    let all_of_rest = match bytes.last_chunk::<8>() {
        Some(last) => is_plain_word(u64::from_le_bytes(*last)),
        // Blanks, which are plain, stand for what is missing.
        None => is_plain_word(rest.iter().fold(EACH * 0x20, |word, byte| word << 8 | u64::from(*byte))),
    };
    all_of_rest && words.iter().all(|word| is_plain_word(u64::from_le_bytes(*word)))
}

/// Asks all eight bytes at once: what is below a bound leaves its highest bit behind when the bound is taken away.
#[inline]
fn is_plain_word(word: u64) -> bool {
    let below = |word: u64, bound: u64| word.wrapping_sub(EACH * bound) & !word;
    let is = |byte: u8| below(word ^ (EACH * u64::from(byte)), 1);
    (below(word, 0x20) | is(b'"') | is(b'\\')) & (EACH << 7) == 0
}

/// Writes the parts of a list or object, with commas between them.
struct Parts<'w> {
    writer: &'w mut Writer,
    is_first: bool,
    close: &'static str,
}

impl Parts<'_> {
    fn next(&mut self) {
        if !std::mem::replace(&mut self.is_first, false) {
            self.writer.text.push(',');
        }
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        self.next();
        value.serialize(&mut *self.writer)
    }

    fn member<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Unwritable> {
        let is_first = std::mem::replace(&mut self.is_first, false);
        self.writer.text.push_str(if is_first { "\"" } else { ",\"" });
        self.writer.inner(name);
        self.writer.text.push_str("\":");
        value.serialize(&mut *self.writer)
    }

    fn close(self) {
        self.writer.text.push_str(self.close);
    }
}

impl<'w> Serializer for &'w mut Writer {
    type Ok = ();
    type Error = Unwritable;
    type SerializeSeq = Parts<'w>;
    type SerializeTuple = Parts<'w>;
    type SerializeTupleStruct = Parts<'w>;
    type SerializeTupleVariant = Parts<'w>;
    type SerializeMap = Parts<'w>;
    type SerializeStruct = Parts<'w>;
    type SerializeStructVariant = Parts<'w>;

    fn serialize_bool(self, value: bool) -> Result<(), Unwritable> {
        self.plain(value)
    }
    fn serialize_i8(self, value: i8) -> Result<(), Unwritable> {
        self.plain(value)
    }
    fn serialize_i16(self, value: i16) -> Result<(), Unwritable> {
        self.plain(value)
    }
    fn serialize_i32(self, value: i32) -> Result<(), Unwritable> {
        self.plain(value)
    }
    fn serialize_i64(self, value: i64) -> Result<(), Unwritable> {
        self.plain(value)
    }
    fn serialize_i128(self, value: i128) -> Result<(), Unwritable> {
        self.plain(value)
    }
    fn serialize_u8(self, value: u8) -> Result<(), Unwritable> {
        self.plain(value)
    }
    fn serialize_u16(self, value: u16) -> Result<(), Unwritable> {
        self.plain(value)
    }
    fn serialize_u32(self, value: u32) -> Result<(), Unwritable> {
        self.plain(value)
    }
    fn serialize_u64(self, value: u64) -> Result<(), Unwritable> {
        self.plain(value)
    }
    fn serialize_u128(self, value: u128) -> Result<(), Unwritable> {
        self.plain(value)
    }
    fn serialize_f32(self, value: f32) -> Result<(), Unwritable> {
        self.float(value)
    }
    fn serialize_f64(self, value: f64) -> Result<(), Unwritable> {
        self.float(value)
    }
    fn serialize_char(self, value: char) -> Result<(), Unwritable> {
        self.quoted(value.encode_utf8(&mut [0; 4]));
        Ok(())
    }
    fn serialize_str(self, value: &str) -> Result<(), Unwritable> {
        self.quoted(value);
        Ok(())
    }
    fn serialize_bytes(self, value: &[u8]) -> Result<(), Unwritable> {
        value.serialize(self)
    }
    fn serialize_none(self) -> Result<(), Unwritable> {
        self.serialize_unit()
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unwritable> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<(), Unwritable> {
        self.text.push_str("null");
        Ok(())
    }
    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Unwritable> {
        self.serialize_unit()
    }
    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _number: u32,
        variant: &'static str,
    ) -> Result<(), Unwritable> {
        self.serialize_str(variant)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), Unwritable> {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _number: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Unwritable> {
        let mut parts = self.begin('{', "}");
        parts.member(variant, value)?;
        parts.close();
        Ok(())
    }
    fn serialize_seq(self, _length: Option<usize>) -> Result<Parts<'w>, Unwritable> {
        Ok(self.begin('[', "]"))
    }
    fn serialize_tuple(self, _length: usize) -> Result<Parts<'w>, Unwritable> {
        Ok(self.begin('[', "]"))
    }
    fn serialize_tuple_struct(self, _name: &'static str, _length: usize) -> Result<Parts<'w>, Unwritable> {
        Ok(self.begin('[', "]"))
    }
    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _number: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Parts<'w>, Unwritable> {
        Ok(self.begin_variant(variant, '[', "]}"))
    }
    fn serialize_map(self, _length: Option<usize>) -> Result<Parts<'w>, Unwritable> {
        Ok(self.begin('{', "}"))
    }
    fn serialize_struct(self, name: &'static str, _length: usize) -> Result<Parts<'w>, Unwritable> {
        // By such names serde_json tells itself that a text is JSON already; nothing of ours holds one.
        if name.starts_with("$serde_json::private") {
            return Err(Unwritable);
        }
        Ok(self.begin('{', "}"))
    }
    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _number: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Parts<'w>, Unwritable> {
        Ok(self.begin_variant(variant, '{', "}}"))
    }
}

/// Implements one of the traits by which serde hands over the parts of a list.
macro_rules! writes_items {
    ($trait:ident, $method:ident) => {
        impl ser::$trait for Parts<'_> {
            type Ok = ();
            type Error = Unwritable;
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
                self.item(value)
            }
            fn end(self) -> Result<(), Unwritable> {
                self.close();
                Ok(())
            }
        }
    };
}

writes_items!(SerializeSeq, serialize_element);
writes_items!(SerializeTuple, serialize_element);
writes_items!(SerializeTupleStruct, serialize_field);
writes_items!(SerializeTupleVariant, serialize_field);

/// Implements one of the traits by which serde hands over the members of an object.
macro_rules! writes_members {
    ($trait:ident) => {
        impl ser::$trait for Parts<'_> {
            type Ok = ();
            type Error = Unwritable;
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Unwritable> {
                self.member(name, value)
            }
            fn end(self) -> Result<(), Unwritable> {
                self.close();
                Ok(())
            }
        }
    };
}

writes_members!(SerializeStruct);
writes_members!(SerializeStructVariant);

impl ser::SerializeMap for Parts<'_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, name: &T) -> Result<(), Unwritable> {
        self.next();
        self.writer.name(name)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        self.writer.text.push(':');
        value.serialize(&mut *self.writer)
    }

    fn end(self) -> Result<(), Unwritable> {
        self.close();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[derive(Clone, Debug, Serialize)]
    enum Any {
        Unit,
        Newtype(Inner),
        Tuple(u8, Option<String>),
        Struct { text: String, numbers: Vec<i64> },
    }

    #[derive(Clone, Debug, Serialize)]
    struct Inner(f64, char, BTreeMap<i32, bool>);

    #[derive(Clone, Debug, Serialize)]
    struct Whole {
        #[serde(flatten)]
        each: BTreeMap<String, Any>,
        #[serde(skip_serializing_if = "Option::is_none")]
        nothing: Option<u8>,
        unit: (),
        bytes: [u8; 3],
        large: (u128, i128),
        value: Value,
    }

    fn texts() -> impl Strategy<Value = String> {
        prop_oneof!["[a-z\"\\\\\\x00-\\x1f\u{7f}äß漢😀]{0,20}", "[a-z]{0,30}", any::<String>()]
    }

    fn any_of() -> impl Strategy<Value = Any> {
        prop_oneof![
            Just(Any::Unit),
            (any::<f64>(), any::<char>(), prop::collection::btree_map(any::<i32>(), any::<bool>(), 0..3))
                .prop_map(|(number, letter, map)| Any::Newtype(Inner(number, letter, map))),
            (any::<u8>(), prop::option::of(texts())).prop_map(|(number, text)| Any::Tuple(number, text)),
            (texts(), prop::collection::vec(any::<i64>(), 0..4))
                .prop_map(|(text, numbers)| Any::Struct { text, numbers }),
        ]
    }

    proptest! {
        #[test]
        fn the_text_is_that_of_serde_json(
            each in prop::collection::btree_map(texts(), any_of(), 0..6), bytes: [u8; 3], large: (u128, i128),
            text in texts(),
        ) {
            let value = json!({ "text": text, "list": [1, -2, 0.5, null, true, {}, []] });
            let whole = Whole { each, nothing: None, unit: (), bytes, large, value };
            prop_assert_eq!(to_string(&whole, 0).unwrap(), serde_json::to_string(&whole).unwrap());
        }
    }

    #[test]
    fn each_character_is_escaped_wherever_it_stands() {
        for letter in (0..=0x7f).filter_map(char::from_u32).chain(['\u{80}', '\u{a2}', '\u{dc}', '\u{2028}'])
        {
            for before in 0..17 {
                let text = format!("{}{letter}{}", "x".repeat(before), "y".repeat(16 - before));
                for text in [text.as_str(), text.trim_end_matches('y')] {
                    assert_eq!(to_string(text, 0).unwrap(), serde_json::to_string(text).unwrap());
                }
            }
        }
    }

    #[test]
    fn what_json_has_no_form_for_is_refused() {
        assert_eq!(to_string(&BTreeMap::from([(vec![1], 2)]), 0), Err(Unwritable));
        assert_eq!(to_string(&BTreeMap::from([((), 2)]), 0), Err(Unwritable));
    }
}
