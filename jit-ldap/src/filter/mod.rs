//! Filters (RFC 4511 §4.5.1.7): built of typed parts, so that no value can become a part of the filter.
//!
//! A filter is kept as it goes over the wire. Whatever walks over it does so by a list of its own, so however it was built,
//! nothing can overflow.

mod names;
mod parse;

use std::fmt;

use crate::attribute::AttributeName;
use crate::ber::{Writer, tag};
use crate::reason::Reason;

/// The deepest filter.
const DEPTH: u8 = 32;
/// The longest filter on the wire, in bytes.
const BYTES: usize = 64 * 1024;

/// A search filter. `Display` writes it as RFC 4515 does; `Debug` shows its size only, because values stand in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Filter {
    wire: Vec<u8>,
    text: String,
    depth: u8,
}

impl Filter {
    /// Matches entries that have this value, by the attribute's own rule of equality.
    #[must_use]
    pub fn equals(name: &AttributeName, value: impl AsRef<[u8]>) -> Self {
        Self::compare(3, "=", name, value.as_ref())
    }

    /// Matches entries with a value not below this one.
    #[must_use]
    pub fn at_least(name: &AttributeName, value: impl AsRef<[u8]>) -> Self {
        Self::compare(5, ">=", name, value.as_ref())
    }

    /// Matches entries with a value not above this one.
    #[must_use]
    pub fn at_most(name: &AttributeName, value: impl AsRef<[u8]>) -> Self {
        Self::compare(6, "<=", name, value.as_ref())
    }

    /// Matches entries that have the attribute.
    #[must_use]
    pub fn present(name: &AttributeName) -> Self {
        let mut writer = Writer::default();
        writer.primitive(tag::primitive(7), name.as_str().as_bytes());
        Self { wire: writer.into_bytes(), text: format!("({name}=*)"), depth: 1 }
    }

    /// Matches entries with a value that begins like this.
    #[must_use]
    pub fn begins_with(name: &AttributeName, value: impl AsRef<[u8]>) -> Self {
        Self::substrings(name, Some(value.as_ref()), &[], None)
    }

    /// Matches entries whose value has all of these bits (Active Directory, `1.2.840.113556.1.4.803`).
    #[must_use]
    pub fn has_bits(name: &AttributeName, bits: u32) -> Self {
        Self::extensible(Some("1.2.840.113556.1.4.803"), Some(name), bits.to_string().as_bytes(), false)
    }

    /// Matches entries that name this one, or name an entry that does, and so on (Active Directory,
    /// `1.2.840.113556.1.4.1941`).
    #[must_use]
    pub fn in_chain(name: &AttributeName, dn: &str) -> Self {
        Self::extensible(Some("1.2.840.113556.1.4.1941"), Some(name), dn.as_bytes(), false)
    }

    /// Matches entries that match all of these; without any it matches every entry (RFC 4526).
    ///
    /// # Errors
    /// `ldap.filter_too_deep`.
    pub fn all(filters: impl IntoIterator<Item = Self>) -> Result<Self, Reason> {
        Self::group(0, '&', filters)
    }

    /// Matches entries that match one of these; without any it matches no entry (RFC 4526).
    ///
    /// # Errors
    /// `ldap.filter_too_deep`.
    pub fn any(filters: impl IntoIterator<Item = Self>) -> Result<Self, Reason> {
        Self::group(1, '|', filters)
    }

    /// Matches entries that do not match.
    ///
    /// # Errors
    /// `ldap.filter_too_deep`.
    pub fn negate(self) -> Result<Self, Reason> {
        Self::group(2, '!', [self])
    }

    /// Reads a filter as RFC 4515 writes it: for settings, never for texts in which values were put.
    ///
    /// # Errors
    /// `ldap.filter_malformed`, `ldap.filter_too_deep`.
    pub fn parse(text: &str) -> Result<Self, Reason> {
        parse::filter(text)
    }

    pub(crate) fn wire(&self) -> &[u8] {
        &self.wire
    }

    fn compare(number: u8, sign: &str, name: &AttributeName, value: &[u8]) -> Self {
        let mut writer = Writer::default();
        let outer = writer.begin(tag::constructed(number));
        writer.octets(name.as_str().as_bytes());
        writer.octets(value);
        writer.end(outer);
        Self { wire: writer.into_bytes(), text: format!("({name}{sign}{})", Escaped(value)), depth: 1 }
    }

    fn substrings(name: &AttributeName, first: Option<&[u8]>, middle: &[&[u8]], last: Option<&[u8]>) -> Self {
        let mut writer = Writer::default();
        let outer = writer.begin(tag::constructed(4));
        writer.octets(name.as_str().as_bytes());
        let parts = writer.begin(tag::SEQUENCE);
        let mut text = format!("({name}=");
        for (number, part) in first
            .map(|part| (0, part))
            .into_iter()
            .chain(middle.iter().map(|part| (1, *part)))
            .chain(last.map(|part| (2, part)))
        {
            writer.primitive(tag::primitive(number), part);
            if number > 0 {
                text.push('*');
            }
            text.push_str(&Escaped(part).to_string());
        }
        writer.end(parts);
        writer.end(outer);
        text.push_str(if last.is_some() { ")" } else { "*)" });
        Self { wire: writer.into_bytes(), text, depth: 1 }
    }

    fn extensible(rule: Option<&str>, name: Option<&AttributeName>, value: &[u8], with_dn: bool) -> Self {
        let mut writer = Writer::default();
        let mut text = String::from("(");
        let outer = writer.begin(tag::constructed(9));
        if let Some(rule) = rule {
            writer.primitive(tag::primitive(1), rule.as_bytes());
        }
        if let Some(name) = name {
            writer.primitive(tag::primitive(2), name.as_str().as_bytes());
            text.push_str(name.as_str());
        }
        writer.primitive(tag::primitive(3), value);
        if with_dn {
            writer.boolean(tag::primitive(4), true);
            text.push_str(":dn");
        }
        writer.end(outer);
        if let Some(part) = rule {
            text.push(':');
            text.push_str(part);
        }
        text.push_str(":=");
        text.push_str(&Escaped(value).to_string());
        text.push(')');
        Self { wire: writer.into_bytes(), text, depth: 1 }
    }

    fn group(number: u8, sign: char, filters: impl IntoIterator<Item = Self>) -> Result<Self, Reason> {
        let mut writer = Writer::default();
        let outer = writer.begin(tag::constructed(number));
        let (mut text, mut depth, mut bytes) = (format!("({sign}"), 0, 0);
        for filter in filters {
            depth = depth.max(filter.depth);
            bytes += filter.wire.len();
            if depth >= DEPTH || bytes > BYTES {
                return Err(Reason::FilterTooDeep);
            }
            writer.raw(&filter.wire);
            text.push_str(&filter.text);
        }
        writer.end(outer);
        text.push(')');
        Ok(Self { wire: writer.into_bytes(), text, depth: depth + 1 })
    }
}

/// Writes a value as RFC 4515 §3 says.
struct Escaped<'a>(&'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            let is_special = |c: char| matches!(c, '*' | '(' | ')' | '\\') || c.is_ascii_control();
            for part in chunk.valid().split_inclusive(is_special) {
                f.write_str(part.strip_suffix(is_special).unwrap_or(part))?;
                if let Some(special) = part.chars().next_back().filter(|c| is_special(*c)) {
                    write!(f, "\\{:02x}", u32::from(special))?;
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\{byte:02x}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Filter({} bytes)", self.wire.len())
    }
}

#[cfg(test)]
mod tests;
