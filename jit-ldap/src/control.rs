//! Controls: what a request asks for beside the operation, and what an answer says beside the result.

use std::fmt;

use crate::attribute::AttributeName;
use crate::ber::{Element, Reader, Writer, tag};
use crate::entry::Entry;
use crate::filter::Filter;
use crate::reason::Reason;

/// How many controls an answer may carry.
const CONTROLS: usize = 32;

/// Names of controls.
pub mod oid {
    /// Assertion (RFC 4528).
    pub const ASSERTION: &str = "1.3.6.1.1.12";
    /// Changes since a cookie (Active Directory, [MS-ADTS] §3.1.1.3.4.1.3).
    pub const DIR_SYNC: &str = "1.2.840.113556.1.4.841";
    /// How long each value of a link stays (Active Directory, [MS-ADTS] §3.1.1.3.4.1.26).
    pub const LINK_TTL: &str = "1.2.840.113556.1.4.2309";
    /// Pages of results (RFC 2696).
    pub const PAGED_RESULTS: &str = "1.2.840.113556.1.4.319";
    /// Password policy (draft-behera-ldap-password-policy §6).
    pub const PASSWORD_POLICY: &str = "1.3.6.1.4.1.42.2.27.8.5.1";
    /// The entry after the operation (RFC 4527 §3.2).
    pub const POST_READ: &str = "1.3.6.1.1.13.2";
    /// The entry before the operation (RFC 4527 §3.1).
    pub const PRE_READ: &str = "1.3.6.1.1.13.1";
    /// Deleted entries too (Active Directory).
    pub const SHOW_DELETED: &str = "1.2.840.113556.1.4.417";
    /// The end of a synchronisation (RFC 4533 §2.4).
    pub const SYNC_DONE: &str = "1.3.6.1.4.1.4203.1.9.1.3";
    /// Synchronisation (RFC 4533 §2.2).
    pub const SYNC_REQUEST: &str = "1.3.6.1.4.1.4203.1.9.1.1";
    /// The state of one entry in a synchronisation (RFC 4533 §2.3).
    pub const SYNC_STATE: &str = "1.3.6.1.4.1.4203.1.9.1.2";
    /// An entry with everything below it (Active Directory).
    pub const TREE_DELETE: &str = "1.2.840.113556.1.4.805";
}

/// A control of a request.
#[derive(Clone, PartialEq, Eq)]
pub struct Control {
    oid: &'static str,
    is_critical: bool,
    value: Option<Vec<u8>>,
}

impl Control {
    /// Asks for a page of results; the cookie is empty at first.
    #[must_use]
    pub fn paged_results(size: u16, cookie: &[u8]) -> Self {
        let value = sequence(|writer| {
            writer.integer(tag::INTEGER, i32::from(size));
            writer.octets(cookie);
        });
        // critical: without it the server would cut the result or send everything at once
        Self { oid: oid::PAGED_RESULTS, is_critical: true, value: Some(value) }
    }

    /// Carries the operation out only if the entry matches; otherwise `ldap.assertion_failed`.
    #[must_use]
    pub fn assertion(filter: &Filter) -> Self {
        Self { oid: oid::ASSERTION, is_critical: true, value: Some(filter.wire().to_vec()) }
    }

    /// Returns attributes as they were before the operation.
    #[must_use]
    pub fn pre_read(attributes: &[AttributeName]) -> Self {
        Self { oid: oid::PRE_READ, is_critical: true, value: Some(selection(attributes)) }
    }

    /// Returns attributes as they are after the operation.
    #[must_use]
    pub fn post_read(attributes: &[AttributeName]) -> Self {
        Self { oid: oid::POST_READ, is_critical: true, value: Some(selection(attributes)) }
    }

    /// Asks at a bind what the password policy says.
    #[must_use]
    pub const fn password_policy() -> Self {
        Self { oid: oid::PASSWORD_POLICY, is_critical: false, value: None }
    }

    /// Shows with each member for how long it stays one, as `<TTL=seconds,name>`.
    #[must_use]
    pub const fn link_ttl() -> Self {
        // critical: without it what stays for a time would look like what stays for good
        Self { oid: oid::LINK_TTL, is_critical: true, value: None }
    }

    /// Finds deleted entries too.
    #[must_use]
    pub const fn show_deleted() -> Self {
        Self { oid: oid::SHOW_DELETED, is_critical: true, value: None }
    }

    /// Deletes an entry with everything below it.
    #[must_use]
    pub const fn dangerous_tree_delete() -> Self {
        Self { oid: oid::TREE_DELETE, is_critical: true, value: None }
    }

    /// Asks Active Directory for changes since a cookie, of what the caller may see anyway: that needs no right to
    /// replicate.
    #[must_use]
    pub fn dir_sync(cookie: &[u8]) -> Self {
        const OBJECT_SECURITY: i32 = 1;
        const BYTES: i32 = 1 << 20;
        let value = sequence(|writer| {
            writer.integer(tag::INTEGER, OBJECT_SECURITY);
            writer.integer(tag::INTEGER, BYTES);
            writer.octets(cookie);
        });
        Self { oid: oid::DIR_SYNC, is_critical: true, value: Some(value) }
    }

    /// Asks for changes since a cookie (RFC 4533, refresh only).
    #[must_use]
    pub fn sync(cookie: Option<&[u8]>) -> Self {
        const REFRESH_ONLY: i32 = 1;
        let value = sequence(|writer| {
            writer.integer(tag::ENUMERATED, REFRESH_ONLY);
            if let Some(cookie) = cookie {
                writer.octets(cookie);
            }
        });
        Self { oid: oid::SYNC_REQUEST, is_critical: true, value: Some(value) }
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        let outer = writer.begin(tag::SEQUENCE);
        writer.octets(self.oid.as_bytes());
        if self.is_critical {
            writer.boolean(tag::BOOLEAN, true);
        }
        if let Some(value) = &self.value {
            writer.octets(value);
        }
        writer.end(outer);
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Control({})", self.oid)
    }
}

fn sequence(fill: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::default();
    let outer = writer.begin(tag::SEQUENCE);
    fill(&mut writer);
    writer.end(outer);
    writer.into_bytes()
}

fn selection(attributes: &[AttributeName]) -> Vec<u8> {
    sequence(|writer| attributes.iter().for_each(|name| writer.octets(name.as_str().as_bytes())))
}

/// The controls of an answer.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Controls {
    list: Vec<(String, Vec<u8>)>,
}

impl Controls {
    /// Reads the inside of `[0] Controls`.
    pub(crate) fn read(body: &[u8]) -> Result<Self, Reason> {
        let mut reader = Reader::new(body);
        let mut list = Vec::new();
        while !reader.is_empty() {
            if list.len() >= CONTROLS {
                return Err(Reason::MessageTooLarge);
            }
            let mut control = Reader::new(reader.expect(tag::SEQUENCE)?);
            let oid = control.text()?.to_owned();
            if let Some(body) = control.optional(tag::BOOLEAN)? {
                Element { tag: tag::BOOLEAN, body }.boolean()?;
            }
            let value = control.optional(tag::OCTET_STRING)?.unwrap_or_default().to_vec();
            control.end()?;
            list.push((oid, value));
        }
        Ok(Self { list })
    }

    /// The value of a control; `None` when the answer does not carry it.
    #[must_use]
    pub fn value(&self, oid: &str) -> Option<&[u8]> {
        self.list.iter().find(|(name, _)| name == oid).map(|(_, value)| value.as_slice())
    }

    /// The entry that a pre-read or post-read control brought.
    ///
    /// # Errors
    /// `ldap.control_missing` when there is none; `ldap.message_malformed`.
    pub fn read_entry(&self, oid: &str) -> Result<Entry, Reason> {
        let value = self.value(oid).ok_or(Reason::ControlMissing)?;
        // RFC 4527 says SearchResultEntry, whose tag is [APPLICATION 4]; OpenLDAP writes a plain SEQUENCE
        let mut reader = Reader::new(value);
        let element = reader.next()?.filter(|element| matches!(element.tag, tag::ENTRY | tag::SEQUENCE));
        reader.end()?;
        Entry::read(element.ok_or(Reason::MessageMalformed)?.body)
    }

    /// The cookie for the next page; empty at the last one.
    pub(crate) fn page_cookie(&self) -> Result<Vec<u8>, Reason> {
        let value = self.value(oid::PAGED_RESULTS).ok_or(Reason::ControlMissing)?;
        let mut reader = Reader::new(Reader::new(value).expect(tag::SEQUENCE)?);
        let _estimate = reader.integer()?;
        Ok(reader.expect(tag::OCTET_STRING)?.to_vec())
    }

    /// Tells whether the password policy lets the account do nothing but change its password.
    pub(crate) fn must_change_password(&self) -> Result<bool, Reason> {
        const CHANGE_AFTER_RESET: &[u8] = &[2];
        let Some(value) = self.value(oid::PASSWORD_POLICY) else { return Ok(false) };
        let mut reader = Reader::new(Reader::new(value).expect(tag::SEQUENCE)?);
        let _warning = reader.optional(tag::constructed(0))?;
        Ok(reader.optional(tag::primitive(1))? == Some(CHANGE_AFTER_RESET))
    }

    /// Whether there is more, and the cookie to ask for it.
    pub(crate) fn dir_sync(&self) -> Result<(bool, Vec<u8>), Reason> {
        let value = self.value(oid::DIR_SYNC).ok_or(Reason::ControlMissing)?;
        let mut reader = Reader::new(Reader::new(value).expect(tag::SEQUENCE)?);
        let more = reader.integer()? != 0;
        let _unused = reader.integer()?;
        Ok((more, reader.expect(tag::OCTET_STRING)?.to_vec()))
    }
}

impl fmt::Debug for Controls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.list.iter().map(|(oid, _)| oid)).finish()
    }
}
