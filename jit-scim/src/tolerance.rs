//! What is taken from providers although it is not SCIM: named sets of quirks, each of which a provider is known to have.

/// A set of quirks that are borne. What is in no set is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a quirk of its own, and on or off")]
pub struct Tolerance {
    /// `Add`, `Replace` and `Remove` are operations.
    pub(crate) operations_in_any_case: bool,
    /// `"True"` and `"False"` are values of a boolean attribute.
    pub(crate) booleans_as_text: bool,
    /// A `remove` with a path to several values and a `value` removes those values, and not all.
    pub(crate) removal_by_value: bool,
    /// The value of an operation without path has members such as `name.givenName` or `urn:…:User:department`.
    pub(crate) names_with_dots: bool,
    /// An `add` whose value filter matches nothing makes a value of what the filter asks to be equal.
    pub(crate) add_creates: bool,
    /// A text in the place of a complex value is its `value`, as in `manager`.
    pub(crate) text_for_complex: bool,
    /// The value of a filter may lack its quotes.
    pub(crate) filters_without_quotes: bool,
    /// The value of an operation without path may repeat the resource's own `id`.
    pub(crate) own_id: bool,
    /// A PATCH overlooks what is read-only.
    pub(crate) read_only_overlooked: bool,
    /// URNs in `schemas` that are overlooked.
    pub(crate) foreign_schemas: &'static [&'static str],
}

impl Tolerance {
    /// Takes what RFC 7643 and RFC 7644 allow, and nothing else.
    #[must_use]
    pub const fn strict() -> Self {
        Self {
            operations_in_any_case: false,
            booleans_as_text: false,
            removal_by_value: false,
            names_with_dots: false,
            add_creates: false,
            text_for_complex: false,
            filters_without_quotes: false,
            own_id: false,
            read_only_overlooked: false,
            foreign_schemas: &[],
        }
    }

    /// Takes what Microsoft Entra ID sends, with and without its flag `aadOptscim062020`.
    #[must_use]
    pub const fn entra() -> Self {
        Self {
            operations_in_any_case: true,
            booleans_as_text: true,
            removal_by_value: true,
            names_with_dots: true,
            add_creates: true,
            text_for_complex: true,
            filters_without_quotes: true,
            own_id: false,
            read_only_overlooked: false,
            foreign_schemas: &["http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
        }
    }

    /// Takes what Okta sends: its renaming of a group repeats the `id`.
    #[must_use]
    pub const fn okta() -> Self {
        Self { own_id: true, ..Self::strict() }
    }

    /// Overlooks what is read-only also where a PATCH adds or replaces it, as in whole resources (RFC 7644 §3.3): for
    /// changes that are made of one. To remove it is still refused.
    #[must_use]
    pub const fn overlooking_read_only(self) -> Self {
        Self { read_only_overlooked: true, ..self }
    }

    /// Returns the set with this name: `strict`, `entra` or `okta`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "strict" => Some(Self::strict()),
            "entra" => Some(Self::entra()),
            "okta" => Some(Self::okta()),
            _ => None,
        }
    }
}
