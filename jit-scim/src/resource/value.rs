//! Values of attributes, bound to positions in a schema.

use std::fmt;

use chrono::{DateTime, NaiveDateTime, SecondsFormat, SubsecRound as _, Utc};
use smol_str::SmolStr;

use crate::schema::{Attributes, Position};

/// An instant, with the text that said it.
#[derive(Clone, PartialEq, Eq)]
pub struct Instant {
    text: SmolStr,
    at: DateTime<Utc>,
}

impl Instant {
    /// Reads `xsd:dateTime` (RFC 7643 §2.3.5). Without a zone it is in UTC.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.as_bytes().get(10) != Some(&b'T') || text.bytes().any(|byte| byte.is_ascii_lowercase()) {
            return None;
        }
        let zoned = DateTime::parse_from_rfc3339(text).map(|at| at.to_utc());
        let at = zoned
            .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").map(|at| at.and_utc()))
            .ok()?;
        Some(Self { text: text.into(), at })
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the instant.
    #[must_use]
    pub const fn at(&self) -> DateTime<Utc> {
        self.at
    }
}

impl From<DateTime<Utc>> for Instant {
    fn from(at: DateTime<Utc>) -> Self {
        // the text says milliseconds, and whoever says it again means this instant
        Self { text: at.to_rfc3339_opts(SecondsFormat::Millis, true).into(), at: at.trunc_subsecs(3) }
    }
}

/// A value that fits its attribute. `Debug` shows the type only.
#[derive(Clone, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 7643 knows no other values")]
pub enum Value {
    /// A string, a reference, or binary in base64.
    Text(SmolText),
    /// A boolean.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Decimal(f64),
    /// An instant.
    DateTime(Instant),
    /// The attributes of a complex value.
    Complex(Object),
    /// The values of a multi-valued attribute: never none.
    Many(Vec<Self>),
}

/// A text that is short more often than not.
#[derive(Clone, PartialEq, Eq)]
pub struct SmolText(pub(crate) SmolStr);

impl std::ops::Deref for SmolText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Value {
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(SmolText(text.into()))
    }

    /// Returns the text, where it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::DateTime(instant) => Some(instant.as_str()),
            _ => None,
        }
    }

    /// Returns the boolean, where it is one.
    #[must_use]
    pub const fn as_boolean(&self) -> Option<bool> {
        if let Self::Boolean(value) = self { Some(*value) } else { None }
    }

    /// Returns the attributes, where it is a complex value.
    #[must_use]
    pub const fn as_complex(&self) -> Option<&Object> {
        if let Self::Complex(object) = self { Some(object) } else { None }
    }

    /// Returns the values: several, or the one that it is.
    #[must_use]
    pub fn each(&self) -> &[Self] {
        if let Self::Many(values) = self { values } else { std::slice::from_ref(self) }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text(…)"),
            Self::Boolean(_) => f.write_str("Boolean(…)"),
            Self::Integer(_) => f.write_str("Integer(…)"),
            Self::Decimal(_) => f.write_str("Decimal(…)"),
            Self::DateTime(_) => f.write_str("DateTime(…)"),
            Self::Complex(object) => write!(f, "Complex({} attributes)", object.entries.len()),
            Self::Many(values) => write!(f, "Many({} values)", values.len()),
        }
    }
}

impl fmt::Debug for SmolText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SmolText(…)")
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Instant(…)")
    }
}

/// Attributes with values, in the order of their schema. It holds no names: those are in the schema.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Object {
    entries: Vec<(Position, Value)>,
}

/// As many attributes as an object has room for from the beginning.
const ROOM: usize = 16;

impl Object {
    /// Begins an object, with room for what most of its kind have.
    pub(crate) fn begin(attributes: &Attributes) -> Self {
        Self { entries: Vec::with_capacity(attributes.len().min(ROOM)) }
    }

    pub(crate) fn get(&self, position: Position) -> Option<&Value> {
        self.entries.get(self.search(position).ok()?).map(|(_, value)| value)
    }

    pub(crate) fn get_mut(&mut self, position: Position) -> Option<&mut Value> {
        let place = self.search(position).ok()?;
        self.entries.get_mut(place).map(|(_, value)| value)
    }

    pub(crate) fn text(&self, position: Position) -> Option<&str> {
        self.get(position)?.as_text()
    }

    pub(crate) fn set(&mut self, position: Position, value: Value) {
        match self.search(position) {
            Ok(place) => {
                if let Some((_, old)) = self.entries.get_mut(place) {
                    *old = value;
                }
            }
            Err(place) => self.entries.insert(place, (position, value)),
        }
    }

    pub(crate) fn remove(&mut self, position: Position) -> Option<Value> {
        let place = self.search(position).ok()?;
        Some(self.entries.remove(place).1)
    }

    /// Sets or, without a value, removes.
    pub(crate) fn put(&mut self, position: Position, value: Option<Value>) {
        match value {
            Some(value) => self.set(position, value),
            None => drop(self.remove(position)),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Position, &Value)> {
        self.entries.iter().map(|(position, value)| (*position, value))
    }

    fn search(&self, position: Position) -> Result<usize, usize> {
        self.entries.binary_search_by_key(&position, |(own, _)| *own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_as_xml_schema_writes_them() {
        for good in ["2011-05-13T04:42:34Z", "2011-05-13T04:42:34.123456+02:00", "2011-05-13T04:42:34"] {
            assert_eq!(Instant::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "2011-05-13",
            "2011-05-13 04:42:34Z",
            "2011-05-13t04:42:34z",
            "2011-13-13T04:42:34Z",
            "é2011-05-1T",
        ] {
            assert!(Instant::parse(bad).is_none(), "{bad}");
        }
        let instants = ["2011-05-13T04:42:34+02:00", "2011-05-13T02:42:34"]
            .map(|text| Instant::parse(text).unwrap().at());
        assert_eq!(instants[0], instants[1]);
    }

    #[test]
    fn an_instant_is_what_its_text_says() {
        let exact = "2026-01-02T03:04:05.678912Z".parse::<DateTime<Utc>>().unwrap();
        let instant = Instant::from(exact);
        assert_eq!(instant.as_str(), "2026-01-02T03:04:05.678Z");
        assert!(Instant::parse(instant.as_str()).unwrap() == instant);
    }

    #[test]
    fn attributes_stay_in_order() {
        let mut object = Object::default();
        for position in [5, 1, 3, 1] {
            object.set(position, Value::Integer(i64::from(position)));
        }
        assert_eq!(object.iter().map(|(position, _)| position).collect::<Vec<_>>(), [1, 3, 5]);
        assert_eq!(object.remove(3), Some(Value::Integer(3)));
        assert_eq!(object.get(3), None);
    }
}
