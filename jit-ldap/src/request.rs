//! Requests, as they go over the wire (RFC 4511 §4).

use zeroize::Zeroizing;

use crate::attribute::{Attribute, AttributeName};
use crate::ber::{Writer, tag};
use crate::control::Control;
use crate::dn::{Dn, Rdn};
use crate::filter::Filter;
use crate::identifier::EntryName;
use crate::password::Password;
use crate::response::Kind;

/// Names of extended operations.
pub(crate) mod oid {
    pub(crate) const START_TLS: &str = "1.3.6.1.4.1.1466.20037";
    pub(crate) const WHO_AM_I: &str = "1.3.6.1.4.1.4203.1.11.3";
    pub(crate) const MODIFY_PASSWORD: &str = "1.3.6.1.4.1.4203.1.11.1";
    pub(crate) const REFRESH: &str = "1.3.6.1.4.1.1466.101.119.1";
}

/// More than most requests take.
const USUAL_OCTETS: usize = 512;

/// An operation, encoded; wiped when dropped, because passwords travel in some.
pub(crate) struct Request {
    op: Zeroizing<Vec<u8>>,
    controls: Vec<Control>,
    /// The kind of the last message of the answer; `None` where there is no answer.
    pub(crate) ends_with: Option<Kind>,
}

impl Request {
    fn new(ends_with: Kind, fill: impl FnOnce(&mut Writer)) -> Self {
        let mut writer = Writer::with_room(USUAL_OCTETS);
        fill(&mut writer);
        Self { op: Zeroizing::new(writer.into_bytes()), controls: Vec::new(), ends_with: Some(ends_with) }
    }

    pub(crate) fn with(mut self, controls: &[Control]) -> Self {
        self.controls.extend_from_slice(controls);
        self
    }

    /// Puts the operation into its envelope.
    pub(crate) fn message(&self, id: i32) -> Zeroizing<Vec<u8>> {
        let mut writer = Writer::with_room(self.op.len() + USUAL_OCTETS);
        let outer = writer.begin(tag::SEQUENCE);
        writer.integer(tag::INTEGER, id);
        writer.raw(&self.op);
        if !self.controls.is_empty() {
            let list = writer.begin(tag::constructed(0));
            self.controls.iter().for_each(|control| control.write(&mut writer));
            writer.end(list);
        }
        writer.end(outer);
        Zeroizing::new(writer.into_bytes())
    }

    pub(crate) fn bind(name: &str, password: &Password) -> Self {
        Self::new(Kind::Bind, |writer| {
            let op = writer.begin(0x60);
            writer.integer(tag::INTEGER, 3);
            writer.octets(name.as_bytes());
            writer.primitive(tag::primitive(0), password.expose().as_bytes());
            writer.end(op);
        })
    }

    pub(crate) fn unbind() -> Self {
        let op = Zeroizing::new(vec![0x42, 0]);
        Self { op, controls: Vec::new(), ends_with: None }
    }

    pub(crate) fn abandon(id: i32) -> Self {
        let mut writer = Writer::default();
        writer.integer(0x50, id);
        Self { op: Zeroizing::new(writer.into_bytes()), controls: Vec::new(), ends_with: None }
    }

    pub(crate) fn search(search: &Search) -> Self {
        Self::new(Kind::SearchDone, |writer| {
            let op = writer.begin(0x63);
            writer.octets(search.base.to_string().as_bytes());
            writer.integer(tag::ENUMERATED, search.scope as i32);
            // never follow aliases: what they point at lies elsewhere
            writer.integer(tag::ENUMERATED, 0);
            writer.integer(tag::INTEGER, i32::try_from(search.size_limit).unwrap_or(i32::MAX));
            writer.integer(tag::INTEGER, i32::from(search.time_limit));
            writer.boolean(tag::BOOLEAN, false);
            writer.raw(search.filter.wire());
            let list = writer.begin(tag::SEQUENCE);
            if search.attributes.is_empty() {
                // RFC 4511 §4.5.1.8: none at all
                writer.octets(b"1.1");
            }
            search.attributes.iter().for_each(|name| writer.octets(name.as_str().as_bytes()));
            writer.end(list);
            writer.end(op);
        })
        .with(&search.controls)
    }

    pub(crate) fn add(dn: &Dn, attributes: &[Attribute]) -> Self {
        Self::new(Kind::Add, |writer| {
            let op = writer.begin(0x68);
            writer.octets(dn.to_string().as_bytes());
            let list = writer.begin(tag::SEQUENCE);
            for attribute in attributes {
                partial_attribute(writer, attribute);
            }
            writer.end(list);
            writer.end(op);
        })
    }

    pub(crate) fn modify(name: &EntryName, changes: &[Modification]) -> Self {
        Self::new(Kind::Modify, |writer| {
            let op = writer.begin(0x66);
            writer.octets(name.to_string().as_bytes());
            let list = writer.begin(tag::SEQUENCE);
            for change in changes {
                let item = writer.begin(tag::SEQUENCE);
                let (number, attribute) = match change {
                    Modification::Add(attribute) => (0, attribute),
                    Modification::Delete(attribute) => (1, attribute),
                    Modification::Replace(attribute) => (2, attribute),
                };
                writer.integer(tag::ENUMERATED, number);
                partial_attribute(writer, attribute);
                writer.end(item);
            }
            writer.end(list);
            writer.end(op);
        })
    }

    pub(crate) fn delete(name: &EntryName) -> Self {
        Self::new(Kind::Delete, |writer| writer.primitive(0x4a, name.to_string().as_bytes()))
    }

    pub(crate) fn rename(name: &EntryName, rdn: &Rdn, keep_old: bool, parent: Option<&Dn>) -> Self {
        Self::new(Kind::ModifyDn, |writer| {
            let op = writer.begin(0x6c);
            writer.octets(name.to_string().as_bytes());
            writer.octets(rdn.to_string().as_bytes());
            writer.boolean(tag::BOOLEAN, !keep_old);
            if let Some(parent) = parent {
                writer.primitive(tag::primitive(0), parent.to_string().as_bytes());
            }
            writer.end(op);
        })
    }

    pub(crate) fn extended(oid: &str, value: Option<&[u8]>) -> Self {
        Self::new(Kind::Extended, |writer| {
            let op = writer.begin(0x77);
            writer.primitive(tag::primitive(0), oid.as_bytes());
            if let Some(value) = value {
                writer.primitive(tag::primitive(1), value);
            }
            writer.end(op);
        })
    }

    /// RFC 3062 §2.
    pub(crate) fn modify_password(
        user: Option<&str>,
        old: Option<&Password>,
        new: Option<&Password>,
    ) -> Self {
        let mut writer = Writer::default();
        let outer = writer.begin(tag::SEQUENCE);
        let parts = [user, old.map(Password::expose), new.map(Password::expose)];
        for (number, part) in (0..).zip(parts) {
            if let Some(part) = part {
                writer.primitive(tag::primitive(number), part.as_bytes());
            }
        }
        writer.end(outer);
        Self::extended(oid::MODIFY_PASSWORD, Some(&Zeroizing::new(writer.into_bytes())))
    }

    /// RFC 2589 §4.1.
    pub(crate) fn refresh(dn: &Dn, seconds: i32) -> Self {
        let mut writer = Writer::default();
        let outer = writer.begin(tag::SEQUENCE);
        writer.primitive(tag::primitive(0), dn.to_string().as_bytes());
        writer.integer(tag::primitive(1), seconds);
        writer.end(outer);
        Self::extended(oid::REFRESH, Some(&writer.into_bytes()))
    }
}

fn partial_attribute(writer: &mut Writer, attribute: &Attribute) {
    let outer = writer.begin(tag::SEQUENCE);
    writer.octets(attribute.name().as_str().as_bytes());
    let set = writer.begin(tag::SET);
    attribute.values().iter().for_each(|value| writer.octets(value));
    writer.end(set);
    writer.end(outer);
}

/// How far below its base a search looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 4511 §4.5.1.2 names these three")]
pub enum Scope {
    /// The base itself.
    Base = 0,
    /// What lies right below it.
    Children = 1,
    /// The base and everything below it.
    Subtree = 2,
}

/// A search.
#[derive(Debug, Clone)]
pub struct Search {
    pub(crate) base: EntryName,
    pub(crate) scope: Scope,
    pub(crate) filter: Filter,
    pub(crate) attributes: Vec<AttributeName>,
    pub(crate) size_limit: u32,
    pub(crate) time_limit: u16,
    pub(crate) controls: Vec<Control>,
}

impl Search {
    /// Searches for entries, without any of their attributes at first.
    #[must_use]
    pub fn new(base: impl Into<EntryName>, scope: Scope, filter: Filter) -> Self {
        let base = base.into();
        Self {
            base,
            scope,
            filter,
            attributes: Vec::new(),
            size_limit: 0,
            time_limit: 0,
            controls: Vec::new(),
        }
    }

    /// Reads one entry.
    #[must_use]
    pub fn entry(name: impl Into<EntryName>) -> Self {
        Self::new(name, Scope::Base, Filter::present(&AttributeName::OBJECT_CLASS))
    }

    /// Asks for these attributes too.
    #[must_use]
    pub fn attributes(mut self, names: impl IntoIterator<Item = AttributeName>) -> Self {
        self.attributes.extend(names);
        self
    }

    /// Asks the server to stop after so many entries; nought leaves that to the server.
    #[must_use]
    pub const fn size_limit(mut self, entries: u32) -> Self {
        self.size_limit = entries;
        self
    }

    /// Asks the server to stop after so many seconds; nought leaves that to the server.
    #[must_use]
    pub const fn time_limit(mut self, seconds: u16) -> Self {
        self.time_limit = seconds;
        self
    }

    /// Looks for entries that match this instead.
    #[must_use]
    pub fn filtered(mut self, filter: Filter) -> Self {
        self.filter = filter;
        self
    }

    /// Adds a control.
    #[must_use]
    pub fn control(mut self, control: Control) -> Self {
        self.controls.push(control);
        self
    }
}

/// A change of an entry. All changes of one request are made or none; deleting a value that is not there fails them all,
/// which makes deleting the old and adding the new a comparison and an exchange in one.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_enums, reason = "RFC 4511 §4.6 names these three")]
pub enum Modification {
    /// Adds these values.
    Add(Attribute),
    /// Removes these values; without any it removes the attribute.
    Delete(Attribute),
    /// Puts these values in the place of all others; without any it removes the attribute, if it is there.
    Replace(Attribute),
}
