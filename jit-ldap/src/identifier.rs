//! What names an entry for good: `objectGUID` and `objectSid` of Active Directory, `entryUUID` (RFC 4530).

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::attribute::AttributeName;
use crate::dn::Dn;
use crate::reason::Reason;

/// The immutable identifier of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryId(Uuid);

impl EntryId {
    /// The identifier of no entry.
    pub(crate) const NOBODY: Self = Self(Uuid::nil());

    /// Takes an identifier that was read before.
    #[must_use]
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// Reads `entryUUID`.
    ///
    /// # Errors
    /// `ldap.value_malformed`.
    pub fn from_entry_uuid(value: &[u8]) -> Result<Self, Reason> {
        // the form of RFC 4122 and no other that the parser would take
        let text = std::str::from_utf8(value).ok().filter(|text| text.len() == 36);
        text.and_then(|text| Uuid::parse_str(text).ok()).map(Self).ok_or(Reason::ValueMalformed)
    }

    /// Reads `objectGUID`, whose first three parts are little-endian ([MS-DTYP] §2.3.4.2).
    ///
    /// # Errors
    /// `ldap.value_malformed`.
    pub fn from_object_guid(value: &[u8]) -> Result<Self, Reason> {
        let octets = <[u8; 16]>::try_from(value).map_err(|_| Reason::ValueMalformed)?;
        Ok(Self(Uuid::from_bytes_le(octets)))
    }

    /// Writes `objectGUID`.
    #[must_use]
    pub const fn to_object_guid(self) -> [u8; 16] {
        self.0.to_bytes_le()
    }

    /// The identifier as a UUID.
    #[must_use]
    pub const fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl fmt::Debug for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EntryId({})", self.0)
    }
}

impl FromStr for EntryId {
    type Err = Reason;

    fn from_str(text: &str) -> Result<Self, Reason> {
        Self::from_entry_uuid(text.as_bytes())
    }
}

/// The attribute by which a directory names its entries for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "each is read in its own form")]
pub enum IdAttribute {
    /// `entryUUID`: OpenLDAP and most others.
    EntryUuid,
    /// `objectGUID`: Active Directory.
    ObjectGuid,
    /// `GUID`, sixteen octets: eDirectory.
    EdirectoryGuid,
    /// `ibm-entryUUID`: the directory servers of IBM.
    IbmEntryUuid,
    /// `nsUniqueId`, four groups of eight digits: 389 Directory Server, whose `entryUUID` is a plug-in.
    NsUniqueId,
}

impl IdAttribute {
    /// The name.
    #[must_use]
    pub const fn name(self) -> AttributeName {
        match self {
            Self::EntryUuid => AttributeName::ENTRY_UUID,
            Self::ObjectGuid => AttributeName::OBJECT_GUID,
            Self::EdirectoryGuid => AttributeName::EDIRECTORY_GUID,
            Self::IbmEntryUuid => AttributeName::IBM_ENTRY_UUID,
            Self::NsUniqueId => AttributeName::NS_UNIQUE_ID,
        }
    }

    /// Reads a value.
    ///
    /// # Errors
    /// `ldap.value_malformed`.
    pub fn read(self, value: &[u8]) -> Result<EntryId, Reason> {
        match self {
            Self::EntryUuid | Self::IbmEntryUuid => EntryId::from_entry_uuid(value),
            Self::ObjectGuid => EntryId::from_object_guid(value),
            Self::EdirectoryGuid => Uuid::from_slice(value).map(EntryId).map_err(|_| Reason::ValueMalformed),
            Self::NsUniqueId => from_ns_unique_id(value).ok_or(Reason::ValueMalformed),
        }
    }

    /// Writes an identifier as a filter takes it.
    #[must_use]
    pub fn write(self, id: EntryId) -> Vec<u8> {
        match self {
            Self::EntryUuid | Self::IbmEntryUuid => id.to_string().into_bytes(),
            Self::ObjectGuid => id.to_object_guid().to_vec(),
            Self::EdirectoryGuid => id.0.as_bytes().to_vec(),
            Self::NsUniqueId => {
                let groups = id.0.as_bytes().chunks(4).map(|group| {
                    group.iter().fold(String::new(), |text, octet| text + &format!("{octet:02x}"))
                });
                groups.collect::<Vec<_>>().join("-").into_bytes()
            }
        }
    }
}

/// `66446001-1dd211b2-66225011-2ee211db`
fn from_ns_unique_id(value: &[u8]) -> Option<EntryId> {
    let text = std::str::from_utf8(value).ok()?;
    let is_plain = text.split('-').count() == 4 && text.split('-').all(|group| group.len() == 8);
    let digits = text.replace('-', "");
    Uuid::try_parse(&digits).ok().filter(|_| is_plain).map(EntryId)
}

/// Names an entry in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are these two ways")]
pub enum EntryName {
    /// By its distinguished name.
    Dn(Dn),
    /// By its identifier, wherever it lies: Active Directory only ([MS-ADTS] §3.1.1.3.1.2.4).
    Guid(EntryId),
}

impl From<Dn> for EntryName {
    fn from(dn: Dn) -> Self {
        Self::Dn(dn)
    }
}

impl From<&Dn> for EntryName {
    fn from(dn: &Dn) -> Self {
        Self::Dn(dn.clone())
    }
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dn(dn) => dn.fmt(f),
            Self::Guid(id) => write!(f, "<GUID={id}>"),
        }
    }
}

/// A security identifier of Windows ([MS-DTYP] §2.4.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sid {
    authority: u64,
    parts: Vec<u32>,
}

impl Sid {
    /// Reads `objectSid`.
    ///
    /// # Errors
    /// `ldap.value_malformed`.
    pub fn from_object_sid(value: &[u8]) -> Result<Self, Reason> {
        let (head, parts) = value.split_at_checked(8).ok_or(Reason::ValueMalformed)?;
        let [1, count, authority @ ..] = head else { return Err(Reason::ValueMalformed) };
        if *count > 15 || parts.len() != usize::from(*count) * 4 {
            return Err(Reason::ValueMalformed);
        }
        let authority = authority.iter().fold(0, |number, octet| (number << 8) | u64::from(*octet));
        let part =
            |octets: &[u8]| octets.iter().rev().fold(0, |number, octet| (number << 8) | u32::from(*octet));
        Ok(Self { authority, parts: parts.chunks(4).map(part).collect() })
    }

    /// The last part, which names the account or group within its domain.
    #[must_use]
    pub fn relative_id(&self) -> Option<u32> {
        self.parts.last().copied()
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S-1-{}", self.authority)?;
        self.parts.iter().try_for_each(|part| write!(f, "-{part}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_read_as_each_directory_writes_them() {
        let octets: Vec<u8> = (0..16).collect();
        let id = EntryId::from_object_guid(&octets).unwrap();
        assert_eq!(id.to_string(), "03020100-0504-0706-0809-0a0b0c0d0e0f");
        assert_eq!(id.to_object_guid().as_slice(), octets);
        assert_eq!(EntryId::from_entry_uuid(id.to_string().as_bytes()), Ok(id));
        assert_eq!(EntryName::Guid(id).to_string(), "<GUID=03020100-0504-0706-0809-0a0b0c0d0e0f>");
        for bad in [&b""[..], b"0302", b"{3020100-0504-0706-0809-0a0b0c0d0e0f}", &[0xff; 36]] {
            assert!(EntryId::from_entry_uuid(bad).is_err() && EntryId::from_object_guid(bad).is_err());
        }
        assert!(EntryId::from_entry_uuid(b"03020100050407060809 0a0b0c0d0e0f").is_err());
    }

    #[test]
    fn every_form_goes_there_and_back() {
        let id = EntryId(Uuid::from_u128(0x6644_6001_1dd2_11b2_6622_5011_2ee2_11db));
        for attribute in [
            IdAttribute::EntryUuid,
            IdAttribute::ObjectGuid,
            IdAttribute::EdirectoryGuid,
            IdAttribute::IbmEntryUuid,
            IdAttribute::NsUniqueId,
        ] {
            assert_eq!(attribute.read(&attribute.write(id)), Ok(id), "{attribute:?}");
            for bad in [&b""[..], b"x", &[0; 17], b"66446001-1dd211b2-66225011-2ee211d", &[0xff; 36]] {
                assert!(attribute.read(bad).is_err(), "{attribute:?}");
            }
        }
        assert_eq!(IdAttribute::NsUniqueId.write(id), b"66446001-1dd211b2-66225011-2ee211db");
    }

    #[test]
    fn security_identifiers_are_read() {
        let mut octets = vec![1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0];
        let sid = Sid::from_object_sid(&octets).unwrap();
        assert_eq!((sid.to_string().as_str(), sid.relative_id()), ("S-1-5-32-544", Some(544)));
        octets.pop();
        assert!(Sid::from_object_sid(&octets).is_err());
        assert!(Sid::from_object_sid(&[1, 16, 0, 0, 0, 0, 0, 5]).is_err());
        assert!(Sid::from_object_sid(&[2, 0, 0, 0, 0, 0, 0, 5]).is_err());
    }
}
