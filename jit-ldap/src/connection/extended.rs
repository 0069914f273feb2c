//! Extended operations, and what a server says about itself.

use std::time::Duration;

use super::Connection;
use zeroize::Zeroizing;

use crate::attribute::AttributeName;
use crate::ber::{Reader, tag};
use crate::dn::Dn;
use crate::entry::Entry;
use crate::error::{Fate, LdapError};
use crate::password::Password;
use crate::reason::Reason;
use crate::request::{Request, Search, oid};

/// What a server says about itself in its root (RFC 4512 §5.1). It is not verified by anything but TLS.
#[derive(Debug, Clone)]
pub struct ServerFeatures {
    root: Entry,
}

impl Connection {
    /// Asks as whom the connection acts (RFC 4532): `dn:…`, `u:…`, or nothing for nobody.
    ///
    /// # Errors
    /// `ldap.control_unsupported` or another answer when the server does not know the operation, as Samba; every code of
    /// the way.
    ///
    /// # Cancel safety
    /// The connection is unusable afterwards.
    pub async fn who_am_i(&mut self) -> Result<String, LdapError> {
        let done = self.exchange(Request::extended(oid::WHO_AM_I, None)).await?;
        let text = String::from_utf8(done.value.unwrap_or_default());
        text.map_err(|_| LdapError::new(Reason::TextMalformed).with_fate(Fate::Answered))
    }

    /// Changes a password (RFC 3062): of the bound account when no `user` is named. Without a new one the server makes
    /// one, which is returned.
    ///
    /// # Errors
    /// `ldap.password_in_clear` before anything is sent; `ldap.constraint_violation`, `ldap.access_denied`,
    /// `ldap.unwilling` and every other code of answers and of the way.
    ///
    /// # Cancel safety
    /// The password may have been changed; the connection is unusable afterwards.
    pub async fn modify_password(
        &mut self,
        user: Option<&Dn>,
        old: Option<&Password>,
        new: Option<&Password>,
    ) -> Result<Option<Password>, LdapError> {
        self.demand_confidential()?;
        let user = user.map(ToString::to_string);
        let done = self.exchange(Request::modify_password(user.as_deref(), old, new)).await?;
        let answered = |reason: Reason| LdapError::new(reason).with_fate(Fate::Answered);
        let value = done.value.filter(|value| !value.is_empty()).map(Zeroizing::new);
        let Some(value) = value else { return Ok(None) };
        let made = generated(&value).map_err(answered)?;
        made.map(Password::new).transpose().map_err(answered)
    }

    /// Gives a dynamic entry so much longer to live (RFC 2589 §4) and returns what the server made of it.
    ///
    /// # Errors
    /// `ldap.schema_violation` when the entry is not dynamic; every other code of answers and of the way.
    ///
    /// # Cancel safety
    /// The life may have been prolonged; the connection is unusable afterwards.
    pub async fn refresh(&mut self, entry: &Dn, life: Duration) -> Result<Duration, LdapError> {
        let seconds = i32::try_from(life.as_secs()).map_err(|_| Reason::ValueMalformed)?;
        let done = self.exchange(Request::refresh(entry, seconds)).await?;
        let seconds = life_of(&done.value.unwrap_or_default());
        seconds.map(Duration::from_secs).map_err(|reason| LdapError::new(reason).with_fate(Fate::Answered))
    }

    /// Reads what the server says about itself.
    ///
    /// # Errors
    /// `ldap.entry_missing` when it says nothing; as [`Connection::find_one`].
    ///
    /// # Cancel safety
    /// The connection is unusable afterwards.
    pub async fn features(&mut self) -> Result<ServerFeatures, LdapError> {
        let search = Search::entry(Dn::default())
            .attributes([AttributeName::ALL_USER, AttributeName::ALL_OPERATIONAL]);
        let root = self.find_one(&search).await?;
        let root = root.ok_or_else(|| LdapError::new(Reason::EntryMissing).with_fate(Fate::Answered))?;
        Ok(ServerFeatures { root })
    }
}

impl ServerFeatures {
    /// Tells whether the server knows a control.
    #[must_use]
    pub fn has_control(&self, oid: &str) -> bool {
        self.lists("supportedControl", oid)
    }

    /// Tells whether the server knows an extended operation.
    #[must_use]
    pub fn has_extension(&self, oid: &str) -> bool {
        self.lists("supportedExtension", oid)
    }

    /// Tells whether this is Active Directory, or what passes for it ([MS-ADTS] §3.1.1.3.4.3.1).
    #[must_use]
    pub fn is_active_directory(&self) -> bool {
        self.lists("supportedCapabilities", "1.2.840.113556.1.4.800")
    }

    /// Tells whether this is a domain controller that takes no changes ([MS-ADTS] §3.1.1.3.4.3.7).
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.lists("supportedCapabilities", "1.2.840.113556.1.4.1920")
    }

    /// The names under which the server keeps entries.
    pub fn naming_contexts(&self) -> impl Iterator<Item = Dn> {
        self.names("namingContexts")
    }

    /// The names below which the server keeps dynamic entries (RFC 2589 §7).
    pub fn dynamic_subtrees(&self) -> impl Iterator<Item = Dn> {
        self.names("dynamicSubtrees")
    }

    /// The root itself.
    #[must_use]
    pub const fn root(&self) -> &Entry {
        &self.root
    }

    fn names(&self, attribute: &str) -> impl Iterator<Item = Dn> {
        let values = self.values(attribute).unwrap_or_default();
        values.iter().filter_map(|value| Dn::parse(std::str::from_utf8(value).ok()?).ok())
    }

    fn lists(&self, attribute: &str, oid: &str) -> bool {
        self.values(attribute).is_some_and(|values| values.iter().any(|value| value == oid.as_bytes()))
    }

    fn values(&self, attribute: &str) -> Option<&[Vec<u8>]> {
        self.root.values(&AttributeName::new(attribute).ok()?)
    }
}

/// `SEQUENCE { genPasswd [0] OPTIONAL }`
fn generated(value: &[u8]) -> Result<Option<String>, Reason> {
    let mut reader = Reader::new(Reader::new(value).expect(tag::SEQUENCE)?);
    let made = reader.optional(tag::primitive(0))?;
    made.map(|made| String::from_utf8(made.to_vec()).map_err(|_| Reason::TextMalformed)).transpose()
}

/// `SEQUENCE { responseTtl [1] INTEGER }`
fn life_of(value: &[u8]) -> Result<u64, Reason> {
    let mut reader = Reader::new(Reader::new(value).expect(tag::SEQUENCE)?);
    let octets = reader.expect(tag::primitive(1))?;
    if octets.is_empty() || octets.len() > 4 {
        return Err(Reason::MessageMalformed);
    }
    Ok(octets.iter().fold(0, |number, octet| (number << 8) | u64::from(*octet)))
}
