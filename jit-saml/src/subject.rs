//! Which name becomes the key of a person.
//!
//! A key must name the same person for good (law of the key). A persistent `NameID` promises that (SAML Core §8.3.7), and so
//! do the subject identifier attributes. An address or a user name promises nothing, and a transient name promises the
//! contrary. The connection names one place, so that two spaces of names never meet in one connection.

use jit_core::Stability;

use crate::assertion::{Attribute, AttributeValue, NameId};
use crate::claims::has_scope_of;
use crate::config::{SamlConfig, SubjectSource};
use crate::idp::TrustedIdp;
use crate::names::PERSISTENT;
use crate::rejection::Rejection;
use crate::response::VerifiedResponse;

/// Begins the keys of names that belong to other spaces than the usual one.
const QUALIFIED: &str = "urn:jit:saml:qualified:";

/// Finds the subject and says whether it names a person.
pub(crate) fn subject(
    response: &VerifiedResponse,
    config: &SamlConfig,
    idp: &TrustedIdp,
) -> Result<(String, Stability), Rejection> {
    let name_id = || response.name_id().ok_or(Rejection::NameIdMissing);
    match config.subject() {
        SubjectSource::Attribute { name, scoped } => {
            let attribute = response.attributes().get(name).ok_or(Rejection::SubjectAttributeMissing)?;
            of_attribute(attribute, *scoped, response, config, idp)
        }
        SubjectSource::PersistentNameId => named(name_id()?, PERSISTENT, response, config),
        SubjectSource::DangerousNameId { format } => named(name_id()?, format, response, config),
    }
}

/// Takes a `NameID` of one format. A transient one is handed on as what it is: the attestor refuses it.
fn named(
    name_id: &NameId,
    format: &str,
    response: &VerifiedResponse,
    config: &SamlConfig,
) -> Result<(String, Stability), Rejection> {
    let stability = match name_id.format() {
        _ if name_id.is_transient() => Stability::Transient,
        found if found == format => Stability::Persistent,
        _ => return Err(Rejection::NameIdNotStable),
    };
    Ok((qualified(name_id, response.issuer(), config.entity_id()), stability))
}

fn of_attribute(
    attribute: &Attribute,
    scoped: bool,
    response: &VerifiedResponse,
    config: &SamlConfig,
    idp: &TrustedIdp,
) -> Result<(String, Stability), Rejection> {
    match attribute.values.as_slice() {
        // the scope is demanded of the name, in whatever element it stands
        [value]
            if scoped && value.text().is_some_and(|text| !text.is_empty() && !has_scope_of(text, idp)) =>
        {
            Err(Rejection::SubjectScope)
        }
        [AttributeValue::NameId(name_id)] => named(name_id, PERSISTENT, response, config),
        [AttributeValue::Text(text)] if !text.is_empty() => {
            Ok((in_space(text, "", ""), Stability::Persistent))
        }
        [] | [_] => Err(Rejection::SubjectAttributeMissing),
        _ => Err(Rejection::SubjectAttributeAmbiguous),
    }
}

/// SAML Core §8.3.7: a name means something only together with its qualifiers. Those that say what is so anyway are left
/// out; any other becomes part of the key, with its length before it, so that no two spaces can meet.
fn qualified(name_id: &NameId, issuer: &str, sp_entity_id: &str) -> String {
    let other = |qualifier: &Option<String>, usual: &str| match qualifier.as_deref() {
        Some(qualifier) if qualifier != usual => qualifier.to_owned(),
        _ => String::new(),
    };
    let (name, sp) =
        (other(&name_id.name_qualifier, issuer), other(&name_id.sp_name_qualifier, sp_entity_id));
    in_space(&name_id.value, &name, &sp)
}

/// Joins a name and its space. A plain text that looks as if it had been joined is put into a space as well.
fn in_space(value: &str, name: &str, sp: &str) -> String {
    if name.is_empty() && sp.is_empty() && !value.starts_with(QUALIFIED) {
        return value.to_owned();
    }
    format!("{QUALIFIED}{}:{name}{}:{sp}{value}", name.len(), sp.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name_id(value: &str, name: Option<&str>, sp: Option<&str>) -> NameId {
        NameId {
            value: value.into(),
            format: Some(PERSISTENT.into()),
            name_qualifier: name.map(str::to_owned),
            sp_name_qualifier: sp.map(str::to_owned),
            sp_provided_id: None,
        }
    }

    fn key(name_id: &NameId) -> String {
        qualified(name_id, "https://idp", "https://sp")
    }

    #[test]
    fn qualifiers_that_say_what_is_so_anyway_change_nothing() {
        let plain = key(&name_id("a", None, None));
        assert_eq!(plain, "a");
        assert_eq!(key(&name_id("a", Some("https://idp"), Some("https://sp"))), plain);
        assert_ne!(key(&name_id("a", Some("https://other"), None)), plain);
        assert_ne!(key(&name_id("a", None, Some("https://other"))), plain);
    }

    proptest! {
        #[test]
        fn two_spaces_never_meet(
            a in ("[a:0-9]{0,6}", proptest::option::of("[a:0-9]{1,4}"), proptest::option::of("[a:0-9]{1,4}")),
            b in ("[a:0-9]{0,6}", proptest::option::of("[a:0-9]{1,4}"), proptest::option::of("[a:0-9]{1,4}")),
            prefixed in any::<bool>(),
        ) {
            let make = |(value, name, sp): &(String, Option<String>, Option<String>)| {
                let value = if prefixed { format!("{QUALIFIED}{value}") } else { value.clone() };
                name_id(&value, name.as_deref(), sp.as_deref())
            };
            prop_assert_eq!(key(&make(&a)) == key(&make(&b)), a == b);
        }
    }
}
