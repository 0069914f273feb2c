//! The declarative form of a mapping, as TOML or JSON hold it. Every key is described in `docs/mapping.md`.

use serde::{Deserialize, Deserializer, Serialize, de::IgnoredAny};

use super::{ConflictRule, ImportRule, preset::Preset};
use crate::{AttributeName, ClaimPath, Entitlement, EntitlementPattern, RuleName};

/// Says how claims become a profile.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::exhaustive_structs,
    reason = "read from configuration; a new key is a decision of every reader"
)]
pub struct MappingRules {
    /// Rules that suit a product; one's own take the place of those with the same purpose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<Preset>,
    /// What the user name is made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_name: Option<UserNameRule>,
    /// Where the e-mail address comes from, and what says that it is verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<EmailRule>,
    /// Lets rules read the e-mail claim although nothing says that it is verified.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dangerously_use_unverified_email: bool,
    /// What the attributes are made of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attribute: Vec<AttributeRule>,
    /// Which roles and groups are wished for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entitlement: Vec<EntitlementRule>,
    /// Refused wherever it stands: the key of an identity is not a matter of mapping.
    #[serde(default, skip_serializing, deserialize_with = "present")]
    pub subject: bool,
}

/// Takes whatever stands there, and remembers only that something does.
pub(crate) fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

/// Says where the e-mail address comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "read from configuration")]
pub struct EmailRule {
    /// The claim that holds the address.
    pub claim: ClaimPath,
    /// What says that the address is verified; must be stated, even if nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<Verification>,
    /// Takes every address as verified: whoever can set it at the source can be anyone of the domain.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dangerously_assume_verified: bool,
    /// Reads the texts `true` and `1` and the number 1 as true, and their opposites as false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub accept_text_booleans: bool,
    /// Refuses the sign-in where there is no address that can be relied on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
}

/// Says what states that an address is verified. Written as `{ claim = "…", organisation = "…" }`, `"own_domains"` or
/// `"never"`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "each is a decision of its own")]
pub enum Verification {
    /// A claim.
    Claim {
        /// Its name.
        claim: ClaimPath,
        /// The claim that names the organisation of the person by its domain, where the source serves many and private
        /// people as well. Where it names none of the connection's domains, the source does not speak for the address.
        organisation: Option<ClaimPath>,
    },
    /// The connection: an address of a domain that it speaks for is verified, and of any other nothing is said. For
    /// sources that say nothing of verification themselves, as in SAML.
    OwnDomains,
    /// Nothing: the source does not verify addresses.
    Never,
}

/// Says what an attribute is made of: exactly one of `claim`, `constant`, `template`, `join`, `expression`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "read from configuration")]
pub struct AttributeRule {
    /// The attribute.
    pub attribute: AttributeName,
    /// The rule's name in explanations; `attribute.NAME` where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<RuleName>,
    /// The claim that holds the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<ClaimPath>,
    /// A fixed value, or several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constant: Option<Texts>,
    /// A text with claims in braces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// Several claims behind each other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join: Option<Join>,
    /// An expression in CEL over `claims`; needs the feature `cel`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    /// Changes the case of every value.
    #[serde(default)]
    pub case: CaseRule,
    /// When the value counts.
    #[serde(default)]
    pub import: ImportRule,
    /// What happens to values of other sources.
    #[serde(default)]
    pub conflict: ConflictRule,
    /// Whether accounts can be found by the value.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub searchable: bool,
    /// Whether the attribute takes several values.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub list: bool,
    /// The most values; of more nothing is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_values: Option<usize>,
    /// The longest value, in bytes; longer ones are not taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<usize>,
}

/// Puts several claims behind each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "read from configuration")]
pub struct Join {
    /// The claims; empty ones are left out.
    pub claims: Vec<ClaimPath>,
    /// What stands between them.
    #[serde(default = "blank")]
    pub separator: String,
}

fn blank() -> String {
    " ".to_owned()
}

/// Changes the case of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "there are these cases")]
pub enum CaseRule {
    /// Leaves it.
    #[default]
    AsGiven,
    /// Lower case.
    Lower,
    /// Upper case.
    Upper,
}

/// Says what the user name is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "read from configuration")]
pub struct UserNameRule {
    /// Templates, best first; those whose claims are missing are passed over.
    pub template: Vec<String>,
    /// Changes the case.
    #[serde(default)]
    pub case: CaseRule,
    /// What happens to characters that a user name cannot hold.
    #[serde(default)]
    pub invalid: InvalidRule,
    /// Takes the accents off letters, so that `jürgen` becomes `jurgen`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub strip_accents: bool,
    /// What happens when the name is taken.
    #[serde(default)]
    pub on_taken: OnTaken,
    /// Refuses the sign-in where no template gives a name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
}

/// Says what happens to characters that a user name cannot hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "there are these ways")]
pub enum InvalidRule {
    /// The template is passed over.
    #[default]
    Refuse,
    /// An underscore takes their place.
    Replace,
    /// They are left out.
    Drop,
}

/// Says which names are tried when a name is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[expect(clippy::exhaustive_enums, reason = "there are these ways")]
pub enum OnTaken {
    /// None; the sign-in is denied.
    #[default]
    Fail,
    /// None; the person is asked to choose one.
    Ask,
    /// The name with the digits from 2 up to this number behind it.
    Number {
        /// The highest number.
        max: u8,
    },
    /// The name with a few digits behind it that always are the same for the same issuer and subject.
    SubjectHash,
}

/// Says which roles and groups are wished for: `always`, or a `claim` with a `table`, or a `claim` with a `pattern`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "read from configuration")]
pub struct EntitlementRule {
    /// The rule's name in explanations; `entitlement.CLAIM` where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<RuleName>,
    /// What everybody gets who comes over the connection.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub always: Vec<Entitlement>,
    /// The claim that holds the names of groups or roles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<ClaimPath>,
    /// What each name gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<std::collections::BTreeMap<String, Vec<Entitlement>>>,
    /// The names that give something, with one `*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// What such a name gives; `{*}` stands for what the `*` stood for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub give: Option<Texts>,
    /// What the pattern may give at all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<EntitlementPattern>,
    /// How the names are written.
    #[serde(default)]
    pub form: NameForm,
    /// Only names below this distinguished name count; for `form = "dn_first_value"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub under: Option<String>,
    /// Splits a text that holds several names at this character.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<char>,
    /// Changes the case of the names before they are compared.
    #[serde(default)]
    pub case: CaseRule,
}

/// Says how the names of groups are written in a claim.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "there are these forms")]
pub enum NameForm {
    /// As they are.
    #[default]
    Plain,
    /// As distinguished names, of which the first value counts: `eng` of `cn=eng,ou=groups,dc=example` (RFC 4514).
    DnFirstValue,
    /// As paths whose leading slash does not count, as Keycloak writes groups; a `*` stands for one step of the path.
    Path,
}

/// Holds one text or several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
#[expect(clippy::exhaustive_structs, reason = "read from configuration")]
pub struct Texts(pub Vec<String>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Texts;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text or a list of texts")
            }
            fn visit_str<E>(self, text: &str) -> Result<Texts, E> {
                Ok(Texts(vec![text.to_owned()]))
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, items: A) -> Result<Texts, A::Error> {
                Vec::deserialize(serde::de::value::SeqAccessDeserializer::new(items)).map(Texts)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
