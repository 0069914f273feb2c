//! Grants: one entitlement held by one account, with who gave it and, where bounded, when it ends.

use std::{fmt, str::FromStr, sync::Arc};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{ConnectionId, GrantId, IdError, RuleName, TaskId, ids::FromText};

/// Tells roles and groups apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "written into stored names")]
pub enum EntitlementKind {
    /// A role of the application.
    Role,
    /// A group.
    Group,
}

/// Names something that an account can hold, written `role:admin` or `group:staff`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Entitlement {
    kind: EntitlementKind,
    text: SmolStr,
}

const ENTITLEMENT_BYTES: usize = 256;

impl Entitlement {
    /// Names a role.
    ///
    /// # Errors
    /// [`IdError`] when the name is empty, longer than 250 bytes or holds control characters.
    pub fn role(name: &str) -> Result<Self, IdError> {
        format!("role:{name}").parse()
    }

    /// Names a group.
    ///
    /// # Errors
    /// [`IdError`] when the name is empty, longer than 250 bytes or holds control characters.
    pub fn group(name: &str) -> Result<Self, IdError> {
        format!("group:{name}").parse()
    }

    /// Tells whether a text that was put together names something, all of it but `part` known to be right.
    #[inline]
    pub(crate) fn may_be(text: &str, part: &str) -> bool {
        text.len() <= ENTITLEMENT_BYTES && !has_control(part)
    }

    /// Takes a text that names something of this kind.
    #[inline]
    pub(crate) fn composed(kind: EntitlementKind, text: &str) -> Self {
        Self { kind, text: SmolStr::new(text) }
    }

    /// Role or group.
    #[must_use]
    pub fn kind(&self) -> EntitlementKind {
        self.kind
    }

    /// The name with its kind, as in `role:admin`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The name without its kind.
    #[must_use]
    pub fn name(&self) -> &str {
        self.text.split_once(':').map_or("", |(_, name)| name)
    }
}

#[inline]
fn has_control(text: &str) -> bool {
    // Plain letters and digits are told at once.
    let is_plain = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    !is_plain && holds_control(text)
}

#[inline(never)]
fn holds_control(text: &str) -> bool {
    text.chars().any(char::is_control)
}

impl FromStr for Entitlement {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.len() > ENTITLEMENT_BYTES {
            return Err(IdError::TooLong(ENTITLEMENT_BYTES));
        }
        let (kind, name) = match text.split_once(':') {
            Some(("role", name)) => (EntitlementKind::Role, name),
            Some(("group", name)) => (EntitlementKind::Group, name),
            _ => return Err(IdError::Character),
        };
        if name.is_empty() {
            return Err(IdError::Empty);
        }
        if has_control(name) {
            return Err(IdError::Character);
        }
        Ok(Self { kind, text: text.into() })
    }
}

impl TryFrom<String> for Entitlement {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl Serialize for Entitlement {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Entitlement {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(FromText(std::marker::PhantomData))
    }
}

impl From<Entitlement> for String {
    fn from(entitlement: Entitlement) -> Self {
        entitlement.text.into()
    }
}

impl fmt::Display for Entitlement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Entitlement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Matches entitlements: an exact name (`role:editor`), or every name that begins alike (`group:team-*`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EntitlementPattern {
    text: String,
}

impl EntitlementPattern {
    /// Tells whether the entitlement falls under the pattern.
    #[must_use]
    pub fn matches(&self, entitlement: &Entitlement) -> bool {
        self.covers(entitlement.as_str())
    }

    /// Tells whether the entitlement of this name and kind falls under the pattern.
    pub(crate) fn covers(&self, text: &str) -> bool {
        match self.text.strip_suffix('*') {
            Some(prefix) => text.starts_with(prefix),
            None => text == self.text,
        }
    }

    /// What every name under the pattern begins with, unless it is one exact name.
    pub(crate) fn prefix(&self) -> Option<&str> {
        self.text.strip_suffix('*')
    }

    /// Tells whether the pattern is one exact name.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        !self.text.ends_with('*')
    }
}

impl FromStr for EntitlementPattern {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let name = text.strip_suffix('*').unwrap_or(text);
        if name.contains('*') {
            return Err(IdError::Character);
        }
        match name {
            "role:" | "group:" if text.ends_with('*') => {}
            name => {
                name.parse::<Entitlement>()?;
            }
        }
        Ok(Self { text: text.to_owned() })
    }
}

impl TryFrom<String> for EntitlementPattern {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<EntitlementPattern> for String {
    fn from(pattern: EntitlementPattern) -> Self {
        pattern.text
    }
}

/// Says who gave something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Source {
    /// A connection, through its mapping or policy.
    Connection(ConnectionId),
    /// The person, in the application.
    Person,
    /// An administrator.
    Administrator,
    /// It was there before we came.
    PreExisting,
}

/// Says who gave something, by which rule, from which claim.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Provenance {
    /// Who gave it: only the same source takes it away.
    pub source: Source,
    /// The rule of the mapping or policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleName>,
    /// The claim that the rule read; `None` where the rule reads none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<Arc<str>>,
}

impl Provenance {
    /// Names a source without rule or claim.
    #[must_use]
    pub fn of(source: Source) -> Self {
        Self { source, rule: None, claim: None }
    }
}

/// Keeps one entitlement that an account holds from one source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Its id.
    pub id: GrantId,
    /// What is held.
    pub entitlement: Entitlement,
    /// Who gave it.
    pub provenance: Provenance,
    /// Since when.
    #[serde(with = "crate::instant")]
    pub given_at: DateTime<Utc>,
    /// Until when; the instant itself is outside.
    #[serde(default, with = "crate::instant::option", skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<DateTime<Utc>>,
    /// The task that looks after its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_task: Option<TaskId>,
}

impl Grant {
    /// Gives an entitlement from `given_at` on, for the time being without an end.
    #[must_use]
    pub fn new(
        id: GrantId,
        entitlement: Entitlement,
        provenance: Provenance,
        given_at: DateTime<Utc>,
    ) -> Self {
        Self { id, entitlement, provenance, given_at, ends_at: None, end_task: None }
    }

    /// Ends at this instant.
    #[must_use]
    pub fn until(mut self, ends_at: Option<DateTime<Utc>>) -> Self {
        self.ends_at = ends_at;
        self
    }
}

impl Grant {
    /// Tells whether the grant has not ended at `now`.
    #[must_use]
    pub fn is_in_force(&self, now: DateTime<Utc>) -> bool {
        self.ends_at.is_none_or(|end| now < end)
    }
}
