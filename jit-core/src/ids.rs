//! Names and ids: one type each, so that none can stand in for another.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Says why a text cannot be an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// The text is empty.
    #[error("must not be empty")]
    Empty,
    /// The text is longer than this number of bytes.
    #[error("must not be longer than {0} bytes")]
    TooLong(usize),
    /// The text holds a character that the id does not allow.
    #[error("holds a character that is not allowed there")]
    Character,
}

/// The longest configured name (tenant, connection, store, lane …), in bytes.
const NAME_BYTES: usize = 64;

fn check_name(text: &str) -> Result<(), IdError> {
    check_length(text, NAME_BYTES)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/');
    if text.chars().all(allowed) { Ok(()) } else { Err(IdError::Character) }
}

/// The longest name of a target, so that its lanes are names as well.
const TARGET_BYTES: usize = 48;

fn check_target(text: &str) -> Result<(), IdError> {
    check_length(text, TARGET_BYTES)?;
    check_name(text)
}

/// Allows every character but controls: what the wire delivers is kept byte for byte.
fn check_opaque<const BYTES: usize>(text: &str) -> Result<(), IdError> {
    check_length(text, BYTES)?;
    if text.chars().any(char::is_control) { Err(IdError::Character) } else { Ok(()) }
}

fn check_length(text: &str, bytes: usize) -> Result<(), IdError> {
    match text.len() {
        0 => Err(IdError::Empty),
        n if n > bytes => Err(IdError::TooLong(bytes)),
        _ => Ok(()),
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        text_id!($(#[$doc])* $name, $check, |text: &str| format!("{text:?}"));
    };
    ($(#[$doc:meta])* $name:ident, $check:expr, $shown:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks and takes the text, byte for byte.
            ///
            /// # Errors
            /// [`IdError`] when the text is empty, too long or holds a character that is not allowed.
            pub fn new(text: impl AsRef<str>) -> Result<Self, IdError> {
                let text = text.as_ref();
                $check(text)?;
                Ok(Self(text.into()))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.as_str().to_owned()
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(FromText(std::marker::PhantomData))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), $shown(&self.0))
            }
        }
    };
}

text_id!(
    /// Names a tenant: the wall that no connection, key, index or query crosses.
    TenantId,
    check_name
);
text_id!(
    /// Names a connection: a configured trust in one source.
    ConnectionId,
    check_name
);
text_id!(
    /// Names one of the user stores of an application.
    StoreId,
    check_name
);
text_id!(
    /// Names a lane of tasks, such as `accounts` or one target; lanes do not wait for each other.
    Lane,
    check_name
);

impl Lane {
    /// The lane in which the records of a connection wait to be told anew. By a digest, so that it is a name however long
    /// the names of tenant and connection are.
    pub(crate) fn of_records(tenant: &TenantId, connection: &ConnectionId) -> Self {
        // No name holds the character between them.
        Self::digested("records", &format!("{tenant}\n{connection}"))
    }

    /// The lane of the task by which records of a tenant are removed. There may be many, and they come after those of targets,
    /// among which somebody looks for the first.
    pub(crate) fn of_forgetting(tenant: &TenantId) -> Self {
        Self::digested("tenant", tenant.as_str())
    }

    fn digested(what: &str, of: &str) -> Self {
        use sha2::{Digest as _, Sha256};
        let half = Sha256::digest(of).first_chunk::<16>().map_or(0, |half| u128::from_be_bytes(*half));
        Self(format!("{what}:{half:032x}").into())
    }
}

text_id!(
    /// Names a target: an outside system that accounts are provisioned to.
    TargetId,
    check_target
);
text_id!(
    /// Names a worker that claims tasks.
    WorkerId,
    check_name
);
text_id!(
    /// Names a kind of document, such as `User` or `Group`.
    DocumentKind,
    check_opaque::<128>
);
text_id!(
    /// Names what documents are found by, such as `userName`.
    IndexName,
    check_opaque::<256>
);
text_id!(
    /// Names a rule of a mapping or a policy, as people wrote it.
    RuleName,
    check_opaque::<128>
);
text_id!(
    /// Names an attribute of an account.
    AttributeName,
    check_name
);
text_id!(
    /// Names a request of a source, so that it can be told when it comes again.
    RequestId,
    check_opaque::<128>
);
text_id!(
    /// Names the party that speaks for a subject, compared byte for byte: an OpenID issuer, a SAML entity id, a directory.
    Issuer,
    check_opaque::<1024>
);
text_id!(
    /// Names a person or workload within an issuer, compared byte for byte: never trimmed, folded or normalised, never
    /// empty. `Debug` prints its length only.
    Subject,
    check_opaque::<1024>,
    |text: &str| format!("{} bytes", text.len())
);

/// Reads a value from a text without a copy in between: accounts are read at every sign-in.
pub(crate) struct FromText<T>(pub(crate) std::marker::PhantomData<T>);

impl<T> serde::de::Visitor<'_> for FromText<T>
where
    T: std::str::FromStr,
    T::Err: fmt::Display,
{
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Takes an id that was minted before.
            #[must_use]
            pub const fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }

            /// The id as a UUID.
            #[must_use]
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

uuid_id!(
    /// Identifies an account.
    AccountId
);
uuid_id!(
    /// Identifies a grant.
    GrantId
);
uuid_id!(
    /// Identifies a task.
    TaskId
);
uuid_id!(
    /// Identifies an audit event.
    EventId
);
uuid_id!(
    /// Identifies a document. Ids are in the order in which documents came into being.
    DocumentId
);

/// Identifies who signs in: exact bytes of (tenant, connection, issuer, subject), never an e-mail address.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ExternalKey {
    /// The tenant that the connection belongs to.
    pub tenant: TenantId,
    /// The connection that the evidence came over.
    pub connection: ConnectionId,
    /// The issuer that speaks for the subject.
    pub issuer: Issuer,
    /// The subject within the issuer.
    pub subject: Subject,
}

impl fmt::Debug for ExternalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExternalKey({}/{} {} …)", self.tenant, self.connection, self.issuer)
    }
}

/// Mints ids in order from one instant and one draw of randomness, so that planning stays a pure function.
#[derive(Debug)]
pub struct Mint {
    millis: u64,
    next: u128,
}

/// The random bits of a version 7 UUID (RFC 9562 section 5.7).
const RANDOM_BITS: u32 = 74;

impl Mint {
    /// Starts at `now` with the entropy of `seed`; the same inputs mint the same ids.
    #[must_use]
    pub fn new(now: chrono::DateTime<chrono::Utc>, seed: [u8; 16]) -> Self {
        let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
        // The top bit stays clear so that counting up never wraps around.
        let next = u128::from_le_bytes(seed) & ((1 << (RANDOM_BITS - 1)) - 1);
        Self { millis, next }
    }

    fn uuid(&mut self) -> Uuid {
        let random = self.next;
        self.next = self.next.wrapping_add(1);
        let high = (random >> 62) & 0xfff;
        let low = random & ((1 << 62) - 1);
        let bits = (u128::from(self.millis) << 80) | (0x7 << 76) | (high << 64) | (0b10 << 62) | low;
        Uuid::from_u128(bits)
    }

    /// Mints an account id.
    pub fn account(&mut self) -> AccountId {
        AccountId(self.uuid())
    }

    /// Mints a grant id.
    pub fn grant(&mut self) -> GrantId {
        GrantId(self.uuid())
    }

    /// Mints a task id.
    pub fn task(&mut self) -> TaskId {
        TaskId(self.uuid())
    }

    /// Mints an event id.
    pub fn event(&mut self) -> EventId {
        EventId(self.uuid())
    }

    /// Mints a document id.
    pub fn document(&mut self) -> DocumentId {
        DocumentId(self.uuid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_subject_is_refused_and_blanks_are_kept() {
        assert_eq!(Subject::new(""), Err(IdError::Empty));
        assert_eq!(Subject::new("a\0b"), Err(IdError::Character));
        assert_ne!(Subject::new(" alice").unwrap(), Subject::new("alice").unwrap());
        assert_ne!(Subject::new("Alice").unwrap(), Subject::new("alice").unwrap());
    }

    #[test]
    fn minted_ids_are_ordered_version_7_and_distinct() {
        let now = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let mut mint = Mint::new(now, [0xff; 16]);
        let ids: Vec<_> = (0..1000).map(|_| mint.account()).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(ids.iter().all(|id| id.as_uuid().get_version_num() == 7));
        assert!(ids.iter().all(|id| id.as_uuid().get_variant() == uuid::Variant::RFC4122));
    }
}
