//! What is wrong with what somebody sent, and where.

use std::error::Error;
use std::fmt;

use jit_core::{Code, ErrorClass};

use crate::json::Json;
use crate::reason::Reason;

/// The schema of an error.
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
/// The longest name of an attribute that a message repeats.
const NAME_BYTES: usize = 128;

/// Says where in the input something is wrong. Never holds a value.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Place {
    /// A byte of a filter or path, counted from zero.
    Offset(usize),
    /// An attribute, by its name or path.
    Attribute(String),
    /// The most that is taken of what there is too much of.
    Most(usize),
}

/// Says why something was refused: a reason with its stable code, and the place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScimError {
    reason: Reason,
    place: Option<Place>,
    operation: Option<usize>,
    cause: Option<Code>,
}

impl ScimError {
    pub(crate) const fn at_offset(reason: Reason, offset: usize) -> Self {
        Self { reason, place: Some(Place::Offset(offset)), operation: None, cause: None }
    }

    /// Names the limit (RFC 7644 §3.7.4).
    pub(crate) const fn beyond(reason: Reason, most: usize) -> Self {
        Self { reason, place: Some(Place::Most(most)), operation: None, cause: None }
    }

    /// Names an attribute. A name that a stranger made up is repeated only where it has the form of one.
    pub(crate) fn at_attribute(reason: Reason, name: &str) -> Self {
        let plain = |c: char| c.is_ascii_alphanumeric() || "$._-:[]/".contains(c);
        let place = Some(name)
            .filter(|name| !name.is_empty() && name.len() <= NAME_BYTES && name.chars().all(plain))
            .map(|name| Place::Attribute(name.to_owned()));
        Self { reason, place, operation: None, cause: None }
    }

    /// Puts the name of what surrounds it before the place.
    pub(crate) fn within(mut self, outer: &str) -> Self {
        let inner = match self.place.take() {
            Some(Place::Attribute(inner)) => inner,
            Some(offset) => {
                self.place = Some(offset);
                return self;
            }
            None => String::new(),
        };
        let dot = if inner.is_empty() || inner.starts_with('[') { "" } else { "." };
        Self {
            operation: self.operation,
            cause: self.cause,
            ..Self::at_attribute(self.reason, &format!("{outer}{dot}{inner}"))
        }
    }

    #[must_use]
    pub(crate) fn caused_by(mut self, cause: Code) -> Self {
        self.cause = Some(cause);
        self
    }

    #[must_use]
    pub(crate) const fn in_operation(mut self, number: usize) -> Self {
        self.operation = Some(number);
        self
    }

    #[must_use]
    pub(crate) const fn with_reason(mut self, reason: Reason) -> Self {
        self.reason = reason;
        self
    }

    /// Returns the reason.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// Returns the stable code.
    #[must_use]
    pub const fn code(&self) -> Code {
        Code::new(self.reason.code())
    }

    /// Returns the code of the engine or the store that stands behind it, where there is one.
    #[must_use]
    pub const fn cause(&self) -> Option<&Code> {
        self.cause.as_ref()
    }

    /// Tells what a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> ErrorClass {
        self.reason.class()
    }

    /// Returns the place, where one can be named.
    #[must_use]
    pub const fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    /// Writes the body of an answer (RFC 7644 §3.12).
    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut members = vec![
            ("schemas", Json::List(vec![Json::text(ERROR)])),
            ("status", Json::text(self.reason.status().to_string())),
        ];
        if let Some(scim_type) = self.reason.scim_type() {
            members.push(("scimType", Json::text(scim_type.as_str())));
        }
        members.push(("detail", Json::text(self.to_string())));
        Json::object(members)
    }

    /// Returns the number of the PATCH or bulk operation, counted from zero.
    #[must_use]
    pub const fn operation(&self) -> Option<usize> {
        self.operation
    }
}

impl From<Reason> for ScimError {
    fn from(reason: Reason) -> Self {
        Self { reason, place: None, operation: None, cause: None }
    }
}

impl fmt::Display for ScimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason.meaning())?;
        match &self.place {
            Some(Place::Offset(offset)) => write!(f, ", at byte {offset}")?,
            Some(Place::Attribute(name)) => write!(f, ", at `{name}`")?,
            Some(Place::Most(most)) => write!(f, ", at most {most}")?,
            None => {}
        }
        if let Some(number) = self.operation {
            write!(f, ", in operation {number}")?;
        }
        self.cause.as_ref().map_or(Ok(()), |cause| write!(f, " ({cause})"))
    }
}

impl Error for ScimError {}
