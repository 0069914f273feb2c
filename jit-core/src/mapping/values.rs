//! The values of a wish: mostly one.

use std::{fmt, ops::Deref, slice};

/// Holds the values that a source wants an attribute to have. A single one needs no list of its own.
///
/// `Debug` prints their number, never the values.
#[derive(Clone, PartialEq, Eq)]
pub struct WishedValues(Few);

/// A list never has exactly one value, so that equal values are equal.
#[derive(Clone, PartialEq, Eq)]
enum Few {
    One(String),
    List(Vec<String>),
}

impl Deref for WishedValues {
    type Target = [String];
    fn deref(&self) -> &[String] {
        match &self.0 {
            Few::One(text) => slice::from_ref(text),
            Few::List(texts) => texts,
        }
    }
}

impl From<String> for WishedValues {
    fn from(text: String) -> Self {
        Self(Few::One(text))
    }
}

impl From<Vec<String>> for WishedValues {
    fn from(texts: Vec<String>) -> Self {
        Self(match <[String; 1]>::try_from(texts) {
            Ok([text]) => Few::One(text),
            Err(texts) => Few::List(texts),
        })
    }
}

impl FromIterator<String> for WishedValues {
    fn from_iter<I: IntoIterator<Item = String>>(texts: I) -> Self {
        Vec::from_iter(texts).into()
    }
}

impl fmt::Debug for WishedValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WishedValues({})", self.len())
    }
}
