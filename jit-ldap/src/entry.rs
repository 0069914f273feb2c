//! What a search finds.

use std::fmt;

use crate::attribute::{Attribute, AttributeName};
use crate::ber::{Reader, tag};
use crate::dn::Dn;
use crate::identifier::{EntryId, IdAttribute};
use crate::reason::Reason;

/// How many values one message may hold, of all attributes together.
const VALUES: usize = 65_536;

/// An entry as a server returned it. `Debug` shows names of attributes, no values.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    dn: String,
    attributes: Vec<Attribute>,
}

impl Entry {
    /// Reads the inside of `SearchResultEntry` (RFC 4511 §4.5.2).
    pub(crate) fn read(body: &[u8]) -> Result<Self, Reason> {
        let mut reader = Reader::new(body);
        let dn = reader.text()?.to_owned();
        let mut list = Reader::new(reader.expect(tag::SEQUENCE)?);
        let mut left = VALUES;
        let mut attributes = Vec::new();
        while !list.is_empty() {
            left = left.checked_sub(1).ok_or(Reason::MessageTooLarge)?;
            attributes.push(attribute(list.expect(tag::SEQUENCE)?, &mut left)?);
        }
        reader.end()?;
        Ok(Self { dn, attributes })
    }

    /// The name, read.
    ///
    /// # Errors
    /// `ldap.dn_malformed` when the directory writes names in a way of its own.
    pub fn dn(&self) -> Result<Dn, Reason> {
        Dn::parse(&self.dn)
    }

    /// The name as the server wrote it.
    #[must_use]
    pub fn dn_text(&self) -> &str {
        &self.dn
    }

    /// The attributes, in the order of the server.
    #[must_use]
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// The values of an attribute; `None` when it is not there, which may also mean that we may not see it.
    #[must_use]
    pub fn values(&self, name: &AttributeName) -> Option<&[Vec<u8>]> {
        let found = self.attributes.iter().find(|attribute| attribute.name() == name);
        found.map(Attribute::values)
    }

    /// The value of an attribute that has exactly one.
    #[must_use]
    pub fn value(&self, name: &AttributeName) -> Option<&[u8]> {
        match self.values(name)? {
            [value] => Some(value),
            _ => None,
        }
    }

    /// The value of an attribute that has exactly one, and it is text.
    #[must_use]
    pub fn text(&self, name: &AttributeName) -> Option<&str> {
        self.value(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// The identifier that the directory gave the entry.
    ///
    /// # Errors
    /// `ldap.value_missing` when the attribute is not there; `ldap.value_malformed`.
    pub fn id(&self, attribute: IdAttribute) -> Result<EntryId, Reason> {
        attribute.read(self.value(&attribute.name()).ok_or(Reason::ValueMissing)?)
    }

    /// What the entry counts against limits, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.dn.len() + self.attributes.iter().map(Attribute::size).sum::<usize>()
    }

    pub(crate) fn attributes_mut(&mut self) -> &mut Vec<Attribute> {
        &mut self.attributes
    }
}

fn attribute(body: &[u8], left: &mut usize) -> Result<Attribute, Reason> {
    let mut reader = Reader::new(body);
    let name = reader.text()?;
    let name = AttributeName::new(name).map_err(|_| Reason::MessageMalformed)?;
    let mut set = Reader::new(reader.expect(tag::SET)?);
    let mut values = Vec::new();
    while !set.is_empty() {
        *left = left.checked_sub(1).ok_or(Reason::MessageTooLarge)?;
        values.push(set.expect(tag::OCTET_STRING)?.to_vec());
    }
    reader.end()?;
    Ok(Attribute::new(name, values))
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entry")?;
        f.debug_list().entries(&self.attributes).finish()
    }
}
