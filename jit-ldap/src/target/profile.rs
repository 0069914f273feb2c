//! What accounts of a directory consist of, as data.

use chrono::{DateTime, TimeDelta, Timelike as _, Utc};
use jit_core::ShownEnd;
use serde::Deserialize;

use super::life;
use crate::attribute::{Attribute, AttributeName};
use crate::entry::Entry;
use crate::identifier::IdAttribute;
use crate::reason::Reason;
use crate::request::Modification;
use crate::time::{AccountExpires, read_generalized, write_generalized};

/// Describes the accounts of a directory that speaks plain LDAP.
#[derive(Debug, Clone)]
pub(super) struct Profile {
    pub(super) classes: Vec<String>,
    /// Stands in the entry's own part of its name.
    pub(super) name: AttributeName,
    /// Hold the name too, because the classes demand them.
    pub(super) also_named: Vec<AttributeName>,
    pub(super) constants: Vec<Attribute>,
    pub(super) marker: AttributeName,
    pub(super) password: PasswordWay,
    pub(super) end: Option<EndAttribute>,
    pub(super) switch: Option<Switch>,
    pub(super) id: IdAttribute,
    /// Whether the server knows assertions (RFC 4528) and reading after a change (RFC 4527).
    pub(super) has_controls: bool,
    pub(super) groups_follow: bool,
    /// Whether accounts are dynamic entries, which the server removes at their end.
    pub(super) is_dynamic: bool,
}

/// How a password is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "there are these two ways")]
pub enum PasswordWay {
    /// As a value of `userPassword`, in the request that makes the account. What the server stores is for it to say: some
    /// store what they are given.
    #[default]
    Attribute,
    /// By the operation for that (RFC 3062), after the account was made: then the server hashes it.
    Operation,
}

/// How an attribute holds an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "each is written in its own form")]
pub enum TimeForm {
    /// `20270115080000Z` (RFC 4517 §3.3.13).
    GeneralizedTime,
    /// Seconds since 1970.
    UnixSeconds,
    /// Ten-millionths of a second since 1601.
    WindowsTime,
}

/// The attribute from whose value on the server itself refuses an account.
#[derive(Debug, Clone)]
pub(super) struct EndAttribute {
    pub(super) name: AttributeName,
    pub(super) form: TimeForm,
}

impl EndAttribute {
    /// Directories keep seconds: a part of one counts as a whole, so that nobody is refused too early.
    pub(super) fn at(&self, ends_at: DateTime<Utc>) -> Result<Attribute, Reason> {
        let begun = ends_at.with_nanosecond(0).ok_or(Reason::ValueMalformed)?;
        let whole =
            if begun == ends_at { Some(begun) } else { begun.checked_add_signed(TimeDelta::seconds(1)) };
        let whole = whole.ok_or(Reason::ValueMalformed)?;
        let text = match self.form {
            TimeForm::GeneralizedTime => write_generalized(whole)?,
            TimeForm::UnixSeconds => whole.timestamp().to_string(),
            TimeForm::WindowsTime => AccountExpires::At(whole).write()?,
        };
        Ok(Attribute::new(self.name.clone(), [text]))
    }

    /// The end of an account as it was read; without the attribute it has none.
    pub(super) fn shown(&self, entry: &Entry) -> ShownEnd {
        let Some(value) = entry.value(&self.name) else { return ShownEnd::Never };
        let seconds = || std::str::from_utf8(value).ok().and_then(|text| text.parse::<i64>().ok());
        let at = match self.form {
            TimeForm::WindowsTime => return AccountExpires::shown(value),
            TimeForm::UnixSeconds if seconds() == Some(0) => return ShownEnd::Never,
            TimeForm::UnixSeconds => seconds().and_then(|seconds| DateTime::from_timestamp(seconds, 0)),
            TimeForm::GeneralizedTime => read_generalized(value).ok(),
        };
        at.map_or(ShownEnd::Untold, ShownEnd::At)
    }

    /// An end that has passed. Nought means "never" to some.
    fn passed(&self) -> Option<Attribute> {
        self.at(DateTime::UNIX_EPOCH + TimeDelta::seconds(1)).ok()
    }
}

/// The attribute whose value puts an account out of use.
#[derive(Debug, Clone)]
pub(super) struct Switch {
    pub(super) name: AttributeName,
    /// `None`: the attribute is not there.
    pub(super) open: Option<String>,
    pub(super) closed: String,
}

impl Profile {
    /// What makes a new account, but for its password.
    pub(super) fn attributes(
        &self,
        name: &str,
        marker: &str,
        ends_at: DateTime<Utc>,
    ) -> Result<Vec<Attribute>, Reason> {
        let mut attributes = vec![
            Attribute::new(AttributeName::OBJECT_CLASS, self.classes()),
            Attribute::new(self.marker.clone(), [marker]),
        ];
        let names = std::iter::once(&self.name).chain(&self.also_named);
        attributes.extend(names.map(|kind| Attribute::new(kind.clone(), [name])));
        attributes.extend(self.constants.iter().cloned());
        if let Some(end) = &self.end {
            attributes.push(end.at(ends_at)?);
        }
        Ok(attributes)
    }

    fn classes(&self) -> impl Iterator<Item = &str> {
        let dynamic = self.is_dynamic.then_some(life::CLASS);
        self.classes.iter().map(String::as_str).chain(dynamic)
    }

    /// Tells whether an account can be used. Without a switch its password is what was taken, and nobody may read whether
    /// that is there.
    pub(super) fn is_enabled(&self, entry: &Entry) -> bool {
        let Some(switch) = &self.switch else { return true };
        let values = entry.values(&switch.name).unwrap_or_default();
        // OpenLDAP puts another value there after too many wrong passwords, for a time; a new password takes it away
        !values.iter().any(|value| value.eq_ignore_ascii_case(switch.closed.as_bytes()))
    }

    /// The attribute that a new account starts with when it is in use, or not yet.
    pub(super) fn position(&self, is_open: bool) -> Option<Attribute> {
        let switch = self.switch.as_ref()?;
        let value = if is_open { switch.open.clone()? } else { switch.closed.clone() };
        Some(Attribute::new(switch.name.clone(), [value]))
    }

    /// What the switch of an account in use is; no values, where it is not there then.
    pub(super) fn opening(&self) -> Option<Attribute> {
        let switch = self.switch.as_ref()?;
        Some(self.position(true).unwrap_or_else(|| none_of(switch.name.clone())))
    }

    /// The changes that put an account out of use. Without a password nobody binds.
    pub(super) fn closure(&self) -> Vec<Modification> {
        let password = if self.switch.is_none() { Some(none_of(AttributeName::USER_PASSWORD)) } else { None };
        let end = self.end.as_ref().and_then(EndAttribute::passed);
        [self.position(false), password, end].into_iter().flatten().map(Modification::Replace).collect()
    }
}

fn none_of(name: AttributeName) -> Attribute {
    Attribute::new(name, std::iter::empty::<Vec<u8>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_within_a_second_is_the_end_of_that_second() {
        let end = |form| EndAttribute { name: AttributeName::PASSWORD_END_TIME, form };
        let at = |form, text: &str| end(form).at(text.parse().unwrap()).unwrap().values().concat();
        for (form, written) in [
            (TimeForm::GeneralizedTime, "20270115080000Z"),
            (TimeForm::UnixSeconds, "1800000000"),
            (TimeForm::WindowsTime, "134444736000000000"),
        ] {
            assert_eq!(at(form, "2027-01-15T08:00:00Z"), written.as_bytes());
            assert_eq!(at(form, "2027-01-15T07:59:59.000001Z"), written.as_bytes());
            assert!(end(form).passed().is_some());
            assert!(end(form).at(DateTime::<Utc>::MAX_UTC).is_err());
        }
    }
}
