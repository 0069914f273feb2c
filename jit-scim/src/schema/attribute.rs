//! An attribute and its characteristics (RFC 7643 §2.2, §7).

use smol_str::SmolStr;

use super::attributes::{Attributes, Position};
use crate::json::Json;

macro_rules! characteristic {
    ($(#[$doc:meta])* $name:ident { $( $(#[$variant_doc:meta])* $variant:ident = $text:literal, )+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[expect(clippy::exhaustive_enums, reason = "RFC 7643 knows no other values")]
        pub enum $name { $( $(#[$variant_doc])* $variant, )+ }

        impl $name {
            /// Returns the value as RFC 7643 writes it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $text, )+ }
            }

            pub(crate) fn parse(text: &str) -> Option<Self> {
                match text { $( $text => Some(Self::$variant), )+ _ => None }
            }
        }
    };
}

characteristic! {
    /// Names the type of an attribute's values (RFC 7643 §2.3).
    Kind {
        /// Text.
        String = "string",
        /// `true` or `false`.
        Boolean = "boolean",
        /// A number with a fraction.
        Decimal = "decimal",
        /// A whole number.
        Integer = "integer",
        /// An instant.
        DateTime = "dateTime",
        /// Base64.
        Binary = "binary",
        /// A URI, or the identifier of another resource.
        Reference = "reference",
        /// Attributes of its own.
        Complex = "complex",
    }
}

characteristic! {
    /// Tells who may write an attribute, and when.
    Mutability {
        /// Only we write it.
        ReadOnly = "readOnly",
        /// A client reads and writes it.
        ReadWrite = "readWrite",
        /// A client writes it once.
        Immutable = "immutable",
        /// A client writes it and nobody reads it.
        WriteOnly = "writeOnly",
    }
}

characteristic! {
    /// Tells when an attribute is part of an answer.
    Returned {
        /// In every answer, whatever was asked for.
        Always = "always",
        /// In no answer, and no filter looks at it.
        Never = "never",
        /// Unless something else was asked for.
        Default = "default",
        /// Only if it was asked for.
        Request = "request",
    }
}

characteristic! {
    /// Tells how far no two resources may have the same value.
    Uniqueness {
        /// Values may repeat.
        None = "none",
        /// A value is held once within the tenant.
        Server = "server",
        /// A value is held once in the world.
        Global = "global",
    }
}

/// One attribute of a schema.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a characteristic that RFC 7643 has as a boolean")]
pub struct Attribute {
    pub(super) name: SmolStr,
    pub(super) description: String,
    pub(super) kind: Kind,
    pub(super) multi_valued: bool,
    pub(super) required: bool,
    pub(super) case_exact: bool,
    pub(super) mutability: Mutability,
    pub(super) returned: Returned,
    pub(super) uniqueness: Uniqueness,
    pub(super) canonical_values: Vec<String>,
    pub(super) reference_types: Vec<String>,
    pub(super) sub_attributes: Attributes,
    pub(super) extension: bool,
}

impl Attribute {
    /// Defines a readable and writable attribute with the defaults of RFC 7643 §2.2.
    pub(super) fn new(name: &str, kind: Kind, description: &str) -> Self {
        Self {
            name: name.into(),
            description: description.to_owned(),
            kind,
            multi_valued: false,
            required: false,
            case_exact: false,
            mutability: Mutability::ReadWrite,
            returned: Returned::Default,
            uniqueness: Uniqueness::None,
            canonical_values: Vec::new(),
            reference_types: Vec::new(),
            sub_attributes: Attributes::default(),
            extension: false,
        }
    }

    /// Returns the name; of the container of an extension, its URN.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the explanation for people.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Returns the type of the values.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Tells whether there may be several values.
    #[must_use]
    pub const fn is_multi_valued(&self) -> bool {
        self.multi_valued
    }

    /// Tells whether a resource must have it.
    #[must_use]
    pub const fn is_required(&self) -> bool {
        self.required
    }

    /// Tells whether upper and lower case differ. In references and binaries they always do (RFC 7643 §2.3.6, §2.3.7).
    #[must_use]
    pub const fn is_case_exact(&self) -> bool {
        self.case_exact || matches!(self.kind, Kind::Binary | Kind::Reference)
    }

    /// Tells who may write it.
    #[must_use]
    pub const fn mutability(&self) -> Mutability {
        self.mutability
    }

    /// Tells when it is part of an answer.
    #[must_use]
    pub const fn returned(&self) -> Returned {
        self.returned
    }

    /// Tells how far its values are unique.
    #[must_use]
    pub const fn uniqueness(&self) -> Uniqueness {
        self.uniqueness
    }

    /// Returns the values that are suggested; others are taken as well.
    #[must_use]
    pub fn canonical_values(&self) -> &[String] {
        &self.canonical_values
    }

    /// Returns what a reference may point to.
    #[must_use]
    pub fn reference_types(&self) -> &[String] {
        &self.reference_types
    }

    /// Returns the attributes of a complex value; none for other types.
    #[must_use]
    pub const fn sub_attributes(&self) -> &Attributes {
        &self.sub_attributes
    }

    /// Tells whether it is the container of an extension.
    #[must_use]
    pub const fn is_extension(&self) -> bool {
        self.extension
    }

    /// Tells whether nobody may ever learn its values, be it by an answer or by a filter.
    pub(crate) fn is_hidden(&self) -> bool {
        self.returned == Returned::Never || self.mutability == Mutability::WriteOnly
    }

    /// Finds the sub-attribute that stands for the whole value (RFC 7643 §2.4).
    pub(crate) fn value_position(&self) -> Option<Position> {
        self.sub_attributes.find("value").map(|(position, _)| position)
    }

    /// Writes the attribute as `/Schemas` shows it.
    pub(super) fn to_json(&self) -> Json {
        let texts = |texts: &[String]| Json::List(texts.iter().map(Json::text).collect());
        let mut members = vec![
            ("name", Json::text(self.name.as_str())),
            ("type", Json::text(self.kind.as_str())),
            ("multiValued", Json::Boolean(self.multi_valued)),
            ("description", Json::text(&self.description)),
            ("required", Json::Boolean(self.required)),
            ("caseExact", Json::Boolean(self.is_case_exact())),
            ("mutability", Json::text(self.mutability.as_str())),
            ("returned", Json::text(self.returned.as_str())),
            ("uniqueness", Json::text(self.uniqueness.as_str())),
        ];
        if !self.canonical_values.is_empty() {
            members.push(("canonicalValues", texts(&self.canonical_values)));
        }
        if !self.reference_types.is_empty() {
            members.push(("referenceTypes", texts(&self.reference_types)));
        }
        if self.kind == Kind::Complex {
            members.push(("subAttributes", self.sub_attributes.to_json()));
        }
        Json::object(members)
    }
}
