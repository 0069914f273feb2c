//! Bounds the work of looking at values, whoever asks for it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ptr;

use crate::resource::Value;
use crate::text::comparable;

/// How many bytes of a text are looked at in one look.
const BYTES: usize = 64;
/// The same while a document is read.
const BYTES_READ: usize = 32;
/// The same where letters of all scripts are brought into one form.
const BYTES_FOLDED: usize = 3;

/// What is left of the work that one request may cause. A look is one value that is compared, or 64 bytes of a text.
#[derive(Debug)]
pub struct Effort {
    left: usize,
}

/// The effort is spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spent;

impl Effort {
    /// Allows so many looks.
    #[must_use]
    pub const fn new(looks: usize) -> Self {
        Self { left: looks }
    }

    /// Tells how many looks are left.
    #[must_use]
    pub const fn left(&self) -> usize {
        self.left
    }

    /// Takes some looks; where fewer are left, all of them.
    pub(crate) fn take(&mut self, looks: usize) -> Result<(), Spent> {
        let left = self.left.checked_sub(looks);
        self.left = left.unwrap_or_default();
        left.map(drop).ok_or(Spent)
    }

    /// Takes what it is to read a document so long.
    pub(crate) fn take_document(&mut self, bytes: usize) -> Result<(), Spent> {
        self.take(bytes / BYTES_READ + 1)
    }

    /// Lets something have a part of what is left, and takes what that needed.
    pub(crate) fn lend<T>(&mut self, most: usize, work: impl FnOnce(&mut Self) -> T) -> T {
        let mut part = Self::new(self.left.min(most));
        let lent = part.left;
        let done = work(&mut part);
        self.left -= lent - part.left;
        done
    }
}

/// Counts the looks at a value and at everything in it.
pub(crate) fn weight(value: &Value) -> usize {
    let inner: usize = match value {
        Value::Complex(object) => object.iter().map(|(_, value)| weight(value)).sum(),
        Value::Many(values) => values.iter().map(weight).sum(),
        value => value.as_text().map_or(0, |text| text.len() / BYTES),
    };
    inner.saturating_add(1)
}

/// Looks at the values of one resource, and keeps the form in which each is compared: many terms may ask for it.
pub(crate) struct Looks<'a> {
    effort: &'a mut Effort,
    /// By where the value lies, which is in one place as long as it is looked at.
    folded: HashMap<*const Value, String>,
}

impl<'a> Looks<'a> {
    pub(crate) fn new(effort: &'a mut Effort) -> Self {
        Self { effort, folded: HashMap::new() }
    }

    pub(crate) fn at_one(&mut self) -> Result<(), Spent> {
        self.effort.take(1)
    }

    pub(crate) fn at_text(&mut self, text: &str) -> Result<(), Spent> {
        self.effort.take(text.len() / BYTES)
    }

    /// Returns the text of a value in the form in which it is compared.
    pub(crate) fn compared<'t>(
        &'t mut self,
        value: &Value,
        text: &'t str,
        case_exact: bool,
    ) -> Result<&'t str, Spent> {
        if case_exact {
            return Ok(text);
        }
        match self.folded.entry(ptr::from_ref(value)) {
            Entry::Occupied(folded) => Ok(folded.into_mut()),
            Entry::Vacant(place) => {
                if !text.is_ascii() {
                    self.effort.take(text.len() / BYTES_FOLDED)?;
                }
                match comparable(text, false) {
                    Cow::Borrowed(text) => Ok(text),
                    Cow::Owned(folded) => Ok(place.insert(folded)),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spent_stays_spent() {
        let mut effort = Effort::new(10);
        assert_eq!(effort.lend(4, |part| part.take(5)), Err(Spent));
        assert_eq!(effort.left(), 6, "no more than what was lent");
        assert_eq!(effort.take(7), Err(Spent));
        assert_eq!((effort.left(), effort.take(1)), (0, Err(Spent)));
    }

    #[test]
    fn long_texts_weigh_more() {
        assert_eq!(weight(&Value::text("short")), 1);
        assert_eq!(weight(&Value::Many(vec![Value::text(&"x".repeat(6400)), Value::Boolean(true)])), 103);
    }
}
