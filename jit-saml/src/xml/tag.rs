//! Cuts the inside of a start tag into attributes.

use super::names::{self, Extent};
use super::{Limits, XmlError};

/// One attribute as it stands in the text; places are octets from the start of the tag's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RawAttribute<'t> {
    pub(super) name: &'t str,
    pub(super) name_at: usize,
    pub(super) prefix: usize,
    pub(super) value: &'t str,
    pub(super) value_at: usize,
    /// The value is another one after normalisation: it holds references or white space.
    pub(super) changes: bool,
    /// The value may hold a quotation mark.
    pub(super) quotes: bool,
}

/// A start tag between its first octet and the one or two that close it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Closed<'t> {
    pub(super) content: &'t str,
    pub(super) empty: bool,
}

/// Walks over the attributes of a tag.
#[derive(Debug)]
pub(super) struct RawAttributes<'t> {
    /// The tag without its first octet, and whatever follows it.
    content: &'t str,
    at: usize,
    count: usize,
    /// No value that ends before this octet holds a reference, other white space than spaces, or a less-than sign.
    simple: usize,
}

impl<'t> RawAttributes<'t> {
    /// Begins after the name of the element. The tag has at least `length` octets.
    pub(super) fn new(content: &'t str, name_length: usize, length: usize) -> Self {
        // One look at the whole tag saves a look at each value.
        let tag = content.get(name_length..length).unwrap_or_default();
        let simple = if special(tag) { 0 } else { length };
        Self { content, at: name_length, count: 0, simple }
    }

    /// Answers the next attribute (XML 1.0 §3.1), `None` where the tag closes.
    pub(super) fn next(&mut self, limits: &Limits) -> Result<Option<RawAttribute<'t>>, XmlError> {
        let spaced = self.skip_space();
        if matches!(self.octet(), None | Some(b'>' | b'/')) {
            return Ok(None);
        }
        if !spaced {
            return Err(XmlError::AttributeMalformed);
        }
        self.count += 1;
        if self.count > limits.attributes {
            return Err(XmlError::TooManyAttributes);
        }
        let name_at = self.at;
        let Extent { length, prefix } = names::qualified(self.rest())?;
        let name = self.take(length)?;
        self.skip_space();
        self.expect(|octet| octet == b'=')?;
        self.skip_space();
        let quote = self.expect(|octet| matches!(octet, b'"' | b'\''))?;
        let value_at = self.at;
        let end = memchr::memchr(quote, self.rest().as_bytes()).ok_or(XmlError::MarkupMalformed)?;
        let value = self.take(end)?;
        self.at += 1;
        let changes = self.at > self.simple && special(value);
        if changes && value.contains('<') {
            return Err(XmlError::LessThanInAttribute);
        }
        let quotes = quote == b'\'';
        Ok(Some(RawAttribute { name, name_at, prefix, value, value_at, changes, quotes }))
    }

    /// Answers what was read, where nothing follows it but the end of a tag.
    pub(super) fn close(&self) -> Result<Closed<'t>, XmlError> {
        let (content, rest) = self.content.split_at_checked(self.at).ok_or(XmlError::MarkupMalformed)?;
        let empty = rest.starts_with('/');
        if rest.as_bytes().get(usize::from(empty)) != Some(&b'>') {
            return Err(XmlError::MarkupMalformed);
        }
        Ok(Closed { content, empty })
    }

    /// Tells whether nothing follows.
    pub(super) fn is_over(&self) -> bool {
        self.at == self.content.len()
    }

    fn rest(&self) -> &'t str {
        self.content.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, length: usize) -> Result<&'t str, XmlError> {
        let piece = self.content.get(self.at..self.at + length).ok_or(XmlError::AttributeMalformed)?;
        self.at += length;
        Ok(piece)
    }

    fn octet(&self) -> Option<u8> {
        self.content.as_bytes().get(self.at).copied()
    }

    fn expect(&mut self, fits: impl Fn(u8) -> bool) -> Result<u8, XmlError> {
        let octet = self.octet().filter(|octet| fits(*octet)).ok_or(XmlError::AttributeMalformed)?;
        self.at += 1;
        Ok(octet)
    }

    fn skip_space(&mut self) -> bool {
        let start = self.at;
        while self.octet().is_some_and(is_space) {
            self.at += 1;
        }
        self.at > start
    }
}

/// Says whether a text holds a reference, other white space than spaces, or a less-than sign.
fn special(text: &str) -> bool {
    let (blocks, rest) = text.as_bytes().as_chunks::<16>();
    let look = |seen: u8, octet: &u8| {
        seen | u8::from(*octet < b' ') | u8::from(*octet == b'&') | u8::from(*octet == b'<')
    };
    let seen = blocks.iter().fold(0, |seen, block| block.iter().fold(seen, look));
    // octets that were seen already make the rest a whole block, which takes less than looking at them one by one
    let seen = match text.as_bytes().last_chunk::<16>() {
        Some(last) => last.iter().fold(seen, look),
        None => rest.iter().fold(seen, look),
    };
    seen != 0
}

/// XML 1.0 §2.3, `S`.
pub(super) fn is_space(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\n' | b'\r')
}
