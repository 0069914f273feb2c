//! What a resource says of its person, as claims for mapping and policy.
//!
//! A resource is whole: what it does not have, its source says not to be there. So every attribute of the schema is among
//! the claims, and those without a value are empty and not absent.

use jit_core::{Claims, SharedClaims};
use serde_json::{Number, Value as Claim};

use super::body::Besides;
use crate::resource::elements::{is_primary, primary_position};
use crate::resource::{Object, Resource, Value};
use crate::schema::{Attribute, Attributes, Kind, META, Position, ResourceType, SCHEMAS};

const GROUPS: &str = "groups";
const GROUP_KEYS: &str = "groups.externalId";

/// What is said, in no order yet.
type Said = Vec<(String, Claim)>;

/// So many claims a resource makes, as a rule.
const ROOM: usize = 16;

/// Lists what is said. Of several values the primary one comes first, so that `/emails/0/value` is the preferred address;
/// the values alone are at `emails.value`, and the names of groups at `groups.display` and `groups.externalId`.
pub(super) fn of(resource: &Resource, besides: &Besides, unsaid: &SharedClaims) -> Claims {
    let group_keys = &besides.group_keys;
    let mut claims = Said::with_capacity(ROOM);
    for (position, value) in resource.root().iter() {
        if let Some(attribute) = resource.kind().attributes().at(position) {
            say(&mut claims, (position, attribute), Some(value));
        }
    }
    if !group_keys.is_empty() {
        claims.push((GROUP_KEYS.to_owned(), group_keys.iter().cloned().map(Claim::String).collect()));
    }
    let is_cut = besides.cuts(resource.value(GROUPS).map_or(0, |groups| groups.each().len()));
    let claims = Claims::of(claims).over(unsaid);
    if !is_cut {
        return claims;
    }
    // who is in groups that the store did not name still has what those gave
    let parts = [GROUPS, "groups.value", "groups.display", GROUP_KEYS];
    parts.into_iter().fold(claims, Claims::truncated)
}

/// Lists what a resource says that has nothing: that all of it is empty. It is the same for all of a type.
pub(super) fn unsaid(kind: &ResourceType) -> SharedClaims {
    let mut claims = Said::new();
    for attribute in kind.attributes().positions() {
        say(&mut claims, attribute, None);
    }
    claims.push((GROUP_KEYS.to_owned(), Claim::Array(Vec::new())));
    SharedClaims::new(claims.into_iter().collect())
}

fn say(claims: &mut Said, (position, attribute): (Position, &Attribute), value: Option<&Value>) {
    if position == META || position == SCHEMAS || attribute.is_hidden() {
        return;
    }
    if attribute.is_multi_valued() {
        flatten(claims, attribute, value);
    }
    claims.push((attribute.name().to_owned(), claim(attribute, value)));
}

/// Puts the values of a list apart from what is said about them.
fn flatten(claims: &mut Said, attribute: &Attribute, value: Option<&Value>) {
    let names: &[&str] = if attribute.name() == GROUPS { &["value", "display"] } else { &["value"] };
    for name in names {
        let sub = attribute.sub_attributes().find(name).filter(|(_, sub)| !sub.is_hidden());
        let Some((position, sub)) = sub else { continue };
        let each = ordered(attribute, value).filter_map(Value::as_complex);
        let texts = each.filter_map(|object| object.get(position)).map(|value| claim(sub, Some(value)));
        claims.push(([attribute.name(), ".", name].concat(), Claim::Array(texts.collect())));
    }
}

fn claim(attribute: &Attribute, value: Option<&Value>) -> Claim {
    match value {
        None if attribute.is_multi_valued() || attribute.sub_attributes().is_empty() => {
            Claim::Array(Vec::new())
        }
        None => whole(attribute.sub_attributes(), &Object::default()),
        Some(Value::Complex(object)) if !attribute.is_multi_valued() => {
            whole(attribute.sub_attributes(), object)
        }
        Some(Value::Many(_)) => {
            Claim::Array(ordered(attribute, value).map(|value| plain(attribute, value)).collect())
        }
        Some(value) => plain(attribute, value),
    }
}

/// One of several values, with everything that it could have but for switches: one that is not there, such as `primary`, is
/// none, and an expression may ask for it as it would for any.
fn element(attributes: &Attributes, object: &Object) -> Claim {
    let said = attributes.positions().filter(|(position, attribute)| {
        !attribute.is_hidden() && (attribute.kind() != Kind::Boolean || object.get(*position).is_some())
    });
    members(said, object)
}

/// A value of a complex attribute, with everything that it could have.
fn whole(attributes: &Attributes, object: &Object) -> Claim {
    members(attributes.positions().filter(|(_, attribute)| !attribute.is_hidden()), object)
}

fn members<'a>(said: impl Iterator<Item = (Position, &'a Attribute)>, object: &Object) -> Claim {
    let member = |(position, attribute): (Position, &Attribute)| {
        (attribute.name().to_owned(), claim(attribute, object.get(position)))
    };
    Claim::Object(said.map(member).collect())
}

fn plain(attribute: &Attribute, value: &Value) -> Claim {
    match value {
        Value::Boolean(value) => Claim::Bool(*value),
        Value::Integer(value) => Claim::Number((*value).into()),
        Value::Decimal(value) => Number::from_f64(*value).map_or(Claim::Null, Claim::Number),
        Value::Complex(object) => element(attribute.sub_attributes(), object),
        Value::Many(values) => Claim::Array(values.iter().map(|value| plain(attribute, value)).collect()),
        Value::Text(_) | Value::DateTime(_) => Claim::String(value.as_text().unwrap_or_default().to_owned()),
    }
}

/// The values, the primary one first.
fn ordered<'a>(attribute: &Attribute, value: Option<&'a Value>) -> impl Iterator<Item = &'a Value> + use<'a> {
    let values = value.map_or(&[][..], Value::each);
    let position = primary_position(attribute);
    let leads = move |value: &&Value| position.is_some_and(|position| is_primary(value, position));
    values.iter().filter(leads).chain(values.iter().filter(move |value| !leads(value)))
}

#[cfg(test)]
mod tests {
    use jit_core::MEMBERSHIPS;
    use serde_json::Map;

    use super::*;
    use crate::{Json, Limits, Schemas, Tolerance};

    fn said(rest: &str) -> Map<String, Claim> {
        let schemas = Schemas::standard();
        let kind = schemas.endpoint("/Users").unwrap();
        let text = format!(r#"{{"schemas":["{}"],"userName":"alice"{rest}}}"#, kind.schema().id());
        let json = Json::parse(text.as_bytes(), &Limits::default()).unwrap();
        let mut user = Resource::create(kind, &json, Tolerance::strict()).unwrap();
        let groups = br#"[{"value":"7","display":"Sales","type":"direct"}]"#;
        user.set_read_only("groups", &Json::parse(groups, &Limits::default()).unwrap()).unwrap();
        let besides = Besides { group_keys: vec!["object-7".to_owned()], ..Besides::default() };
        let claims = of(&user, &besides, &unsaid(kind));
        claims.members().map(|(name, value)| (name.to_owned(), value.clone())).collect()
    }

    #[test]
    fn what_is_not_there_is_said_to_be_empty_and_nothing_secret_is_said() {
        let claims = said(
            r#","password":"s3cret","name":{"givenName":"A"},"emails":[{"value":"b@x"},{"value":"a@x","primary":true}]"#,
        );
        assert_eq!(claims["userName"], "alice");
        assert_eq!(claims["title"], Claim::Array(vec![]));
        assert_eq!(claims["name"]["givenName"], "A");
        assert_eq!(claims["name"]["familyName"], Claim::Array(vec![]));
        assert_eq!(claims["emails"][0]["value"], "a@x");
        assert_eq!(claims["emails"][1]["display"], Claim::Array(vec![]));
        assert_eq!(claims["emails"][0]["primary"], true);
        assert_eq!(claims["emails"][1].get("primary"), None, "a switch that nobody set is none");
        assert_eq!(claims["emails"][0]["type"], Claim::Array(vec![]));
        assert_eq!(claims["emails.value"], serde_json::json!(["a@x", "b@x"]));
        assert_eq!(claims["roles.value"], Claim::Array(vec![]));
        assert_eq!(claims["groups.display"], serde_json::json!(["Sales"]));
        assert_eq!(claims["groups.value"], serde_json::json!(["7"]));
        assert_eq!(claims["groups.externalId"], serde_json::json!(["object-7"]));
        let enterprise = &claims["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"];
        assert_eq!(enterprise["manager"]["value"], Claim::Array(vec![]));
        for name in ["password", "meta", "schemas"] {
            assert!(!claims.contains_key(name), "{name}");
        }
    }

    #[test]
    fn groups_that_a_store_did_not_name_all_of_are_said_to_be_cut() {
        let schemas = Schemas::standard();
        let kind = schemas.endpoint("/Users").unwrap();
        let of = |count: usize, is_cut: bool| {
            let group = |number: usize| Json::object([("value", Json::text(number.to_string()))]);
            let text = format!(r#"{{"schemas":["{}"],"userName":"alice"}}"#, kind.schema().id());
            let json = Json::parse(text.as_bytes(), &Limits::default()).unwrap();
            let mut user = Resource::create(kind, &json, Tolerance::strict()).unwrap();
            user.set_read_only("groups", &Json::List((0..count).map(group).collect())).unwrap();
            of(&user, &Besides::default().with_groups(vec![None; count], is_cut), &unsaid(kind))
        };
        let (all, cut) = (of(MEMBERSHIPS, false), of(3, true));
        for part in ["groups", "groups.value", "groups.display", "groups.externalId"] {
            assert!(!matches!(all.get(part), jit_core::Claim::Truncated), "{part}");
            assert!(matches!(cut.get(part), jit_core::Claim::Truncated), "{part}");
        }
        assert!(!matches!(cut.get("userName"), jit_core::Claim::Truncated));
    }
}
