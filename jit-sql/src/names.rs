//! The names of a document as they are kept: a list of index, value, and whether the value is unique.
#![cfg(any(feature = "sqlite", feature = "postgres"))]

use std::{borrow::Cow, cell::RefCell, fmt, sync::Arc};

use jit_core::{DocumentName, IndexName};
use serde::{
    Deserialize, Deserializer,
    de::{Error, SeqAccess, Visitor},
};

/// How many indexes a thread remembers: an application has some ten.
const KNOWN: usize = 64;

thread_local! {
    /// The indexes that this thread has met. Nearly every document has names of the same few, which are made once.
    static INDEXES: RefCell<Vec<IndexName>> = const { RefCell::new(Vec::new()) };
}

/// Names that were read.
pub(crate) struct Names(pub(crate) Arc<[DocumentName]>);

/// A name as it is kept.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>, #[serde(borrow)] Cow<'a, str>, bool);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Reading)
    }
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Names;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of names")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Names, A::Error> {
        let mut names = Vec::new();
        while let Some(Name(index, value, unique)) = access.next_element()? {
            let index = INDEXES.with_borrow_mut(|known| of(known, &index)).map_err(A::Error::custom)?;
            names.push(DocumentName { index, value: value.as_ref().into(), unique });
        }
        Ok(Names(names.into()))
    }
}

fn of(known: &mut Vec<IndexName>, text: &str) -> Result<IndexName, jit_core::IdError> {
    if let Some(index) = known.iter().find(|index| index.as_str() == text) {
        return Ok(index.clone());
    }
    let index = IndexName::new(text)?;
    if known.len() < KNOWN {
        known.push(index.clone());
    }
    Ok(index)
}
