//! Texts with numbers: prefixes, and names of namespaces.

use std::borrow::Cow;
use std::collections::HashMap;

/// So many are looked through faster than they are hashed. Documents that people mean to send have hardly more.
const FEW: usize = 8;

/// Different texts, each with its place as its number.
#[derive(Debug)]
pub(super) struct Numbered<'t> {
    texts: Vec<Cow<'t, str>>,
    /// Kept once there are more than a few, so that no document makes looking up slow.
    index: HashMap<Cow<'t, str>, usize>,
}

impl<'t> Numbered<'t> {
    pub(super) fn new() -> Self {
        Self { texts: Vec::with_capacity(FEW), index: HashMap::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    pub(super) fn find(&self, text: &str) -> Option<usize> {
        if self.texts.len() <= FEW {
            return self.texts.iter().position(|known| known == text);
        }
        self.index.get(text).copied()
    }

    /// Answers the number of a text that was not known before.
    pub(super) fn add(&mut self, text: Cow<'t, str>) -> usize {
        let number = self.texts.len();
        self.texts.push(text);
        if self.texts.len() == FEW + 1 {
            self.index.extend(self.texts.iter().cloned().zip(0..));
        } else if let Some(added) = self.texts.last().filter(|_| number > FEW) {
            self.index.insert(added.clone(), number);
        }
        number
    }
}
