//! Names and values of attributes.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};

use zeroize::Zeroize as _;

use crate::reason::Reason;

/// The longest name, in bytes.
const BYTES: usize = 256;

/// The name of an attribute with its options (RFC 4512 §2.5): `member`, `2.5.4.31`, `userCertificate;binary`. Compared
/// without regard to case.
#[derive(Clone)]
pub struct AttributeName(Cow<'static, str>);

macro_rules! known {
    ($($name:ident = $text:literal;)+) => {
        $(
            #[doc = concat!("`", $text, "`.")]
            pub const $name: Self = Self(Cow::Borrowed($text));
        )+
    };
}

impl AttributeName {
    known! {
        ALL_USER = "*";
        ALL_OPERATIONAL = "+";
        COMMON_NAME = "cn";
        EDIRECTORY_GUID = "GUID";
        ENTRY_EXPIRE_TIMESTAMP = "entryExpireTimestamp";
        ENTRY_TTL = "entryTtl";
        ENTRY_UUID = "entryUUID";
        IBM_ENTRY_UUID = "ibm-entryUUID";
        IS_DELETED = "isDeleted";
        MAIL = "mail";
        MEMBER = "member";
        MEMBER_OF = "memberOf";
        NAME = "name";
        NS_UNIQUE_ID = "nsUniqueId";
        OBJECT_CLASS = "objectClass";
        OBJECT_GUID = "objectGUID";
        OBJECT_SID = "objectSid";
        UNICODE_PASSWORD = "unicodePwd";
        USER_PASSWORD = "userPassword";
        ACCOUNT_EXPIRES = "accountExpires";
        LOCKOUT_TIME = "lockoutTime";
        ADMIN_COUNT = "adminCount";
        ADMIN_DESCRIPTION = "adminDescription";
        DESCRIPTION = "description";
        PASSWORD_END_TIME = "pwdEndTime";
        PASSWORD_LOCKED_TIME = "pwdAccountLockedTime";
        SAM_ACCOUNT_NAME = "sAMAccountName";
        SURNAME = "sn";
        USER_ACCOUNT_CONTROL = "userAccountControl";
        USER_ID = "uid";
        USER_PRINCIPAL_NAME = "userPrincipalName";
    }

    /// Checks a name.
    ///
    /// # Errors
    /// `ldap.attribute_malformed`.
    pub fn new(text: &str) -> Result<Self, Reason> {
        if text.len() > BYTES {
            return Err(Reason::AttributeMalformed);
        }
        let mut parts = text.split(';');
        let kind = parts.next().unwrap_or_default();
        let is_option = |option: &str| {
            let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '=' | '*');
            !option.is_empty() && option.chars().all(allowed)
        };
        if is_kind(kind) && parts.all(is_option) {
            Ok(Self(Cow::Owned(text.to_owned())))
        } else {
            Err(Reason::AttributeMalformed)
        }
    }

    /// The name as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name without its options.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.0.split_once(';').map_or(&*self.0, |(kind, _)| kind)
    }

    /// Tells whether its values are passwords: they are told to nobody, travel over TLS only, and do not stay in memory.
    pub(crate) fn is_of_passwords(&self) -> bool {
        let names = ["userPassword", "unicodePwd", "2.5.4.35", "1.2.840.113556.1.4.90"];
        names.iter().any(|name| name.eq_ignore_ascii_case(self.kind()))
    }

    /// The options.
    pub fn options(&self) -> impl Iterator<Item = &str> {
        self.0.split(';').skip(1)
    }

    /// Returns the name with one more option.
    pub(crate) fn with_option(&self, option: &str) -> Self {
        Self(Cow::Owned(format!("{};{option}", self.0)))
    }

    /// Returns the name with none of its options.
    pub(crate) fn without_options(&self) -> Self {
        Self(Cow::Owned(self.kind().to_owned()))
    }
}

/// Tells whether a text is a short name or an object identifier.
pub(crate) fn is_kind(text: &str) -> bool {
    let is_name = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    is_name || (text.contains('.') && text.split('.').all(is_number))
}

impl PartialEq for AttributeName {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for AttributeName {}

impl Hash for AttributeName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in self.0.bytes() {
            state.write_u8(byte.to_ascii_lowercase());
        }
    }
}

impl fmt::Display for AttributeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AttributeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An attribute with its values. `Debug` shows how many there are; passwords are wiped from memory when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Attribute {
    name: AttributeName,
    values: Vec<Vec<u8>>,
}

impl Attribute {
    /// Takes a name and its values.
    #[must_use]
    pub fn new<V: Into<Vec<u8>>>(name: AttributeName, values: impl IntoIterator<Item = V>) -> Self {
        Self { name, values: values.into_iter().map(Into::into).collect() }
    }

    /// The name.
    #[must_use]
    pub const fn name(&self) -> &AttributeName {
        &self.name
    }

    /// The values, exact bytes.
    #[must_use]
    pub fn values(&self) -> &[Vec<u8>] {
        &self.values
    }

    /// What the attribute counts against limits, in bytes.
    pub(crate) fn size(&self) -> usize {
        // each is kept by itself, which costs as much as its end and its place
        let kept = |value: &Vec<u8>| value.len() + size_of::<Vec<u8>>() + 2 * size_of::<usize>();
        let values = self.values.iter().map(kept);
        size_of::<Self>() + values.sum::<usize>()
    }

    pub(crate) fn into_values(mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.values)
    }

    fn wipe(&mut self) {
        if self.name.is_of_passwords() {
            self.values.zeroize();
        }
    }
}

impl Drop for Attribute {
    fn drop(&mut self) {
        self.wipe();
    }
}

impl fmt::Debug for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} values", self.name, self.values.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_names_and_nothing_else() {
        for good in
            ["cn", "2.5.4.3", "userCertificate;binary", "member;range=0-1499", "member;range=0-*", "x-a1"]
        {
            assert_eq!(AttributeName::new(good).unwrap().as_str(), good);
        }
        for bad in
            ["", "1", "1.", ".1", "-a", "a b", "cn;", "cn;;x", "a=b", "cn)(uid=*", "ä", "cn\0", "a;b c"]
        {
            assert!(AttributeName::new(bad).is_err(), "{bad}");
        }
        assert!(AttributeName::new(&"a".repeat(257)).is_err());
        assert_eq!(AttributeName::new("MEMBER").unwrap(), AttributeName::MEMBER);
        let ranged = AttributeName::new("member;range=0-9").unwrap();
        assert_eq!((ranged.kind(), ranged.options().collect::<Vec<_>>()), ("member", vec!["range=0-9"]));
    }

    #[test]
    fn passwords_are_known_by_any_of_their_names_and_wiped() {
        for name in
            ["userPassword", "USERPASSWORD;lang-de", "unicodePwd", "2.5.4.35", "1.2.840.113556.1.4.90"]
        {
            let mut attribute = Attribute::new(AttributeName::new(name).unwrap(), ["secret"]);
            attribute.wipe();
            assert!(attribute.values().is_empty(), "{name}");
        }
        let mut mail = Attribute::new(AttributeName::MAIL, ["a@example.com"]);
        mail.wipe();
        assert_eq!(mail.values(), [b"a@example.com"]);
    }
}
