//! Parts of the metadata of the service provider.

use super::extensions::Localized;

/// A set of attributes that is asked for under one name (SAML Metadata §2.4.4.1).
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct AttributeService {
    pub(super) names: Vec<Localized>,
    pub(super) descriptions: Vec<Localized>,
    pub(super) attributes: Vec<RequestedAttribute>,
}

/// An attribute that is asked for (SAML Metadata §2.4.4.2).
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct RequestedAttribute {
    pub(super) name: String,
    pub(super) name_format: Option<String>,
    pub(super) friendly_name: Option<String>,
    pub(super) required: bool,
}

/// Which subject identifier is needed (SAML V2.0 Subject Identifier Attributes §2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the profile knows these four")]
pub enum SubjectId {
    /// `subject-id`: the same at every service.
    SubjectId,
    /// `pairwise-id`: another one at every service.
    PairwiseId,
    /// Either; the provider prefers `pairwise-id`.
    Any,
    /// None.
    Nothing,
}

/// The organisation behind the service (SAML Metadata §2.3.2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Organization {
    pub(super) names: Vec<Localized>,
    pub(super) display_names: Vec<Localized>,
    pub(super) urls: Vec<Localized>,
}

/// Somebody to turn to (SAML Metadata §2.3.2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Contact {
    pub(super) kind: ContactKind,
    pub(super) given_name: Option<String>,
    pub(super) surname: Option<String>,
    pub(super) emails: Vec<String>,
}

/// What to turn to somebody for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the schema knows these, and one for security incidents stands beside it"
)]
pub enum ContactKind {
    /// Technical matters.
    Technical,
    /// Support for people.
    Support,
    /// Administrative matters.
    Administrative,
    /// Payments.
    Billing,
    /// Security incidents, as REFEDS writes them.
    Security,
}

impl Localized {
    /// Says something in a language, named by its BCP 47 tag.
    #[must_use]
    pub fn new(language: impl Into<String>, text: impl Into<String>) -> Self {
        Self { language: language.into(), text: text.into() }
    }
}

impl AttributeService {
    /// Names a set of attributes; the schema wants at least one attribute in it.
    pub fn new(name: Localized, first: RequestedAttribute) -> Self {
        Self { names: vec![name], descriptions: Vec::new(), attributes: vec![first] }
    }

    /// Names it in another language.
    pub fn name(mut self, name: Localized) -> Self {
        self.names.push(name);
        self
    }

    /// Adds a description.
    pub fn description(mut self, description: Localized) -> Self {
        self.descriptions.push(description);
        self
    }

    /// Adds an attribute.
    pub fn attribute(mut self, attribute: RequestedAttribute) -> Self {
        self.attributes.push(attribute);
        self
    }
}

impl RequestedAttribute {
    /// Asks for an attribute that is named by a URI.
    pub fn new(name: impl Into<String>) -> Self {
        let name_format = Some(super::names::NAME_FORMAT_URI.to_owned());
        Self { name: name.into(), name_format, friendly_name: None, required: false }
    }

    /// Says how the name is to be read; `None` leaves that open.
    pub fn name_format(mut self, format: Option<String>) -> Self {
        self.name_format = format;
        self
    }

    /// Adds a name for people.
    pub fn friendly_name(mut self, name: impl Into<String>) -> Self {
        self.friendly_name = Some(name.into());
        self
    }

    /// Says that the service does not work without it.
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }
}

impl SubjectId {
    /// Writes the requirement as the profile does.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SubjectId => "subject-id",
            Self::PairwiseId => "pairwise-id",
            Self::Any => "any",
            Self::Nothing => "none",
        }
    }
}

impl Organization {
    /// Names an organisation and its page; both names are the same until another display name is added.
    pub fn new(name: Localized, url: Localized) -> Self {
        Self { display_names: vec![name.clone()], names: vec![name], urls: vec![url] }
    }

    /// Names it in another language.
    pub fn translation(mut self, name: Localized, display_name: Localized, url: Localized) -> Self {
        self.names.push(name);
        self.display_names.push(display_name);
        self.urls.push(url);
        self
    }
}

impl Contact {
    /// Names a mailbox.
    pub fn new(kind: ContactKind, email: impl Into<String>) -> Self {
        Self { kind, given_name: None, surname: None, emails: vec![email.into()] }
    }

    /// Adds a person's name, or the name of a team as the given name.
    pub fn named(mut self, given_name: impl Into<String>, surname: Option<String>) -> Self {
        self.given_name = Some(given_name.into());
        self.surname = surname;
        self
    }
}

impl ContactKind {
    pub(super) const fn schema_type(self) -> &'static str {
        match self {
            Self::Technical => "technical",
            Self::Support => "support",
            Self::Administrative => "administrative",
            Self::Billing => "billing",
            Self::Security => "other",
        }
    }
}
