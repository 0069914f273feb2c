//! From what was signed to the four-state claims of the engine.

use jit_core::Claims;
use serde_json::{Map, Value};

use crate::assertion::{Attribute, AttributeValue};
use crate::config::SamlConfig;
use crate::idp::TrustedIdp;
use crate::response::VerifiedResponse;

/// The claim that holds the `NameID`. No attribute can take its place.
pub const NAME_ID: &str = "saml:name_id";
/// The claim that holds the format of the `NameID`.
pub const NAME_ID_FORMAT: &str = "saml:name_id_format";

/// Entra sends this attribute in the place of groups that are too many (more than 150).
const ENTRA_GROUPS_LINK: &str = "http://schemas.microsoft.com/claims/groups.link";
/// The attribute in which Entra sends groups.
const ENTRA_GROUPS: &str = "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups";

/// Takes over the attributes and the name of the subject.
pub(crate) fn to_claims(response: &VerifiedResponse, config: &SamlConfig, idp: &TrustedIdp) -> Claims {
    let mut members = Map::new();
    let mut cut = Vec::new();
    for attribute in response.attributes() {
        // what the subject says of itself stands under these two names, and no attribute takes its place
        if [NAME_ID, NAME_ID_FORMAT].contains(&attribute.name.as_str()) {
            continue;
        }
        match value_of(attribute, config, idp) {
            Said::All(value) => {
                members.insert(attribute.name.clone(), value);
            }
            Said::Part => cut.push(attribute.name.as_str()),
            Said::Nothing => {}
        }
    }
    if let Some(name_id) = response.name_id() {
        members.insert(NAME_ID.into(), name_id.value.as_str().into());
        members.insert(NAME_ID_FORMAT.into(), name_id.format().into());
    }
    if response.attributes().get(ENTRA_GROUPS_LINK).is_some() {
        cut.push(ENTRA_GROUPS);
        cut.extend(config.group_attributes.iter().map(String::as_str));
    }
    cut.into_iter().fold(Claims::new(members), Claims::truncated)
}

/// Names the attributes of which values were left out because their scope is not one of the provider.
pub(crate) fn out_of_scope<'r>(
    response: &'r VerifiedResponse,
    config: &SamlConfig,
    idp: &TrustedIdp,
) -> impl Iterator<Item = &'r str> {
    let left_out =
        |attribute: &&Attribute| spoken(attribute).any(|text| !may_say(attribute, text, config, idp));
    response.attributes().iter().filter(left_out).map(|attribute| attribute.name.as_str())
}

/// How completely an attribute can be read.
enum Said {
    /// This is all that the provider said.
    All(Value),
    /// Some of its values cannot be read or are not the provider's to say, so nothing may be concluded from what is missing.
    Part,
    /// No value of it counts.
    Nothing,
}

fn value_of(attribute: &Attribute, config: &SamlConfig, idp: &TrustedIdp) -> Said {
    let kept: Vec<Value> =
        spoken(attribute).filter(|text| may_say(attribute, text, config, idp)).map(Value::from).collect();
    let is_whole =
        kept.len() == spoken(attribute).count() && !attribute.values.contains(&AttributeValue::Complex);
    match (kept.len(), is_whole) {
        (0, false) => Said::Nothing,
        (_, false) => Said::Part,
        (1, true) => Said::All(kept.into_iter().next().unwrap_or_default()),
        // none at all is an empty list: the provider said that there is nothing
        (_, true) => Said::All(Value::Array(kept)),
    }
}

/// An empty text says nothing.
fn spoken(attribute: &Attribute) -> impl Iterator<Item = &str> {
    attribute.texts().filter(|text| !text.is_empty())
}

/// SDP-SP17: what lies outside the provider's scopes is not its to say. One of many providers of whom no scope is known has
/// none; the one provider of a connection speaks for all of it.
fn may_say(attribute: &Attribute, text: &str, config: &SamlConfig, idp: &TrustedIdp) -> bool {
    idp.asserts_any_scope() || !config.is_scoped(&attribute.name) || has_scope_of(text, idp)
}

/// Tells whether what stands behind the last `@` is a scope of the provider.
pub(crate) fn has_scope_of(text: &str, idp: &TrustedIdp) -> bool {
    text.rsplit_once('@').is_some_and(|(name, scope)| !name.is_empty() && idp.admits_scope(scope))
}
