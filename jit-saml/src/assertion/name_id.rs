//! Names of subjects (SAML Core §2.2).

use std::fmt;

use crate::names::{SAML, TRANSIENT, UNSPECIFIED};
use crate::rejection::Rejection;
use crate::xml::Element;

/// The name of a subject with everything that says in which space it is a name. `Debug` shows no value.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct NameId {
    /// The name, byte for byte.
    pub value: String,
    /// What kind of name it is.
    pub format: Option<String>,
    /// The identity provider in whose space it is a name, where that is not the issuer.
    pub name_qualifier: Option<String>,
    /// The service provider, or group of them, for whom it is a name.
    pub sp_name_qualifier: Option<String>,
    /// What the service provider calls the subject, where it told the identity provider.
    pub sp_provided_id: Option<String>,
}

impl NameId {
    /// Reads a `NameID`. One without any character would be the same for everybody.
    pub(super) fn read(element: Element<'_>) -> Option<Self> {
        let value =
            element.only_text().filter(|value| element.is(SAML, "NameID") && !value.trim().is_empty())?;
        let owned = |name| element.attribute(name).map(str::to_owned);
        Some(Self {
            value: value.into_owned(),
            format: owned("Format"),
            name_qualifier: owned("NameQualifier"),
            sp_name_qualifier: owned("SPNameQualifier"),
            sp_provided_id: owned("SPProvidedID"),
        })
    }

    /// Returns what kind of name it is; one that says nothing is unspecified (SAML Core §8.3.1).
    #[must_use]
    pub fn format(&self) -> &str {
        self.format.as_deref().unwrap_or(UNSPECIFIED)
    }

    /// Tells whether it names a session and not a person (SAML Core §8.3.8).
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.format() == TRANSIENT
    }
}

impl fmt::Debug for NameId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NameId").field("format", &self.format()).finish_non_exhaustive()
    }
}

/// Reads a `NameID` that must be one.
pub(crate) fn read_name_id(element: Element<'_>) -> Result<NameId, Rejection> {
    NameId::read(element).ok_or(Rejection::SubjectMalformed)
}

/// What may identify a subject.
#[derive(Clone, Copy)]
pub(crate) enum IdElement<'d> {
    Plain(Element<'d>),
    Encrypted(Element<'d>),
}

impl<'d> IdElement<'d> {
    /// Finds the identifier among the children of a `Subject`: it comes first, and there is at most one (SAML Core
    /// §2.4.1). A `BaseID` is an extension that nothing here understands.
    pub(crate) fn of(subject: Element<'d>) -> Result<Option<Self>, Rejection> {
        let mut found = None;
        for (index, child) in subject.children().enumerate() {
            let id = match (child.namespace(), child.local()) {
                (SAML, "SubjectConfirmation") => continue,
                (SAML, "NameID") => Some(Self::Plain(child)),
                (SAML, "EncryptedID") => Some(Self::Encrypted(child)),
                (SAML, "BaseID") => None,
                _ => return Err(Rejection::SubjectMalformed),
            };
            if index > 0 {
                return Err(Rejection::SubjectMalformed);
            }
            found = id;
        }
        if subject.has_text() { Err(Rejection::SubjectMalformed) } else { Ok(found) }
    }
}
