//! The values of a wish: mostly one, and mostly short.

use std::{fmt, slice};

use smol_str::SmolStr;

/// Holds the values that a source wants an attribute to have. A single one needs no list of its own.
///
/// `Debug` prints their number, never the values.
#[derive(Clone, PartialEq, Eq)]
pub struct WishedValues(Few);

/// A list never has exactly one value, so that equal values are equal.
#[derive(Clone, PartialEq, Eq)]
enum Few {
    One(SmolStr),
    List(Vec<SmolStr>),
}

impl WishedValues {
    /// The number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        self.texts().len()
    }

    /// Tells whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.texts().is_empty()
    }

    /// Each value.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.texts().iter().map(SmolStr::as_str)
    }

    pub(super) fn one(text: SmolStr) -> Self {
        Self(Few::One(text))
    }

    pub(super) fn list(texts: Vec<SmolStr>) -> Self {
        Self(match <[SmolStr; 1]>::try_from(texts) {
            Ok([text]) => Few::One(text),
            Err(texts) => Few::List(texts),
        })
    }

    fn texts(&self) -> &[SmolStr] {
        match &self.0 {
            Few::One(text) => slice::from_ref(text),
            Few::List(texts) => texts,
        }
    }
}

impl Default for WishedValues {
    fn default() -> Self {
        Self(Few::List(Vec::new()))
    }
}

impl<T: AsRef<str>> FromIterator<T> for WishedValues {
    fn from_iter<I: IntoIterator<Item = T>>(texts: I) -> Self {
        Self::list(texts.into_iter().map(SmolStr::new).collect())
    }
}

impl fmt::Debug for WishedValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WishedValues({})", self.len())
    }
}
