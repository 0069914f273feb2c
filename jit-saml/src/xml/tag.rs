//! Cuts the inside of a start tag into attributes.

use super::{XmlError, names};

/// One attribute as it stands in the text; places are octets from the start of the tag's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RawAttribute<'t> {
    pub(super) name: &'t str,
    pub(super) name_at: usize,
    pub(super) value: &'t str,
    pub(super) value_at: usize,
}

/// Walks over the attributes of a tag.
#[derive(Debug)]
pub(super) struct RawAttributes<'t> {
    content: &'t str,
    at: usize,
}

impl<'t> RawAttributes<'t> {
    /// Begins after the name of the element.
    pub(super) fn new(content: &'t str, name_length: usize) -> Self {
        Self { content, at: name_length }
    }

    fn octet(&self) -> Option<u8> {
        self.content.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) -> bool {
        let start = self.at;
        while self.octet().is_some_and(is_space) {
            self.at += 1;
        }
        self.at > start
    }

    fn slice(&self, from: usize, to: usize) -> Result<&'t str, XmlError> {
        self.content.get(from..to).ok_or(XmlError::AttributeMalformed)
    }

    /// Answers the next attribute (XML 1.0 §3.1).
    pub(super) fn next(&mut self) -> Result<Option<RawAttribute<'t>>, XmlError> {
        let spaced = self.skip_space();
        if self.at == self.content.len() {
            return Ok(None);
        }
        if !spaced {
            return Err(XmlError::AttributeMalformed);
        }
        let name_at = self.at;
        let rest = self.content.as_bytes().get(name_at..).unwrap_or_default();
        self.at += names::extent(rest);
        let name = self.slice(name_at, self.at)?;
        self.skip_space();
        if self.octet() != Some(b'=') {
            return Err(if name.is_empty() { XmlError::NameInvalid } else { XmlError::AttributeMalformed });
        }
        self.at += 1;
        self.skip_space();
        let quote = self.octet().filter(|octet| matches!(octet, b'"' | b'\''));
        let quote = quote.ok_or(XmlError::AttributeMalformed)?;
        let value_at = self.at + 1;
        let rest = self.content.as_bytes().get(value_at..).unwrap_or_default();
        let length = memchr::memchr(quote, rest).ok_or(XmlError::AttributeMalformed)?;
        self.at = value_at + length + 1;
        let value = self.slice(value_at, value_at + length)?;
        Ok(Some(RawAttribute { name, name_at, value, value_at }))
    }
}

/// XML 1.0 §2.3, `S`.
pub(super) fn is_space(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\n' | b'\r')
}

/// What stands in the raw value of an attribute.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) less_than: bool,
    /// References or white space: the value is another one after normalisation.
    pub(super) changes: bool,
    pub(super) quote: bool,
}

pub(super) fn look(value: &str) -> Seen {
    let (mut less, mut changes, mut quote) = (0_u8, 0_u8, 0_u8);
    for octet in value.bytes() {
        less |= u8::from(octet == b'<');
        changes |= u8::from(octet == b'&') | u8::from(octet < b' ');
        quote |= u8::from(octet == b'"');
    }
    Seen { less_than: less != 0, changes: changes != 0, quote: quote != 0 }
}
