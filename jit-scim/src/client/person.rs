//! An account of the target as it was seen, and what of it is to be otherwise.

use std::collections::{BTreeMap, BTreeSet};

use jit_core::{Marker, Mirrored};
use sha2::{Digest as _, Sha256};

use super::failure::Failure;
use super::place::{Place, change};
use super::profile::TargetProfile;
use super::reason::TargetReason;
use crate::json::Json;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
/// What is the target's alone, and is never sent back.
const THEIRS: [&str; 4] = ["id", "meta", "groups", "password"];

/// An account of the target.
pub(super) struct Person {
    pub(super) id: String,
    pub(super) version: Option<String>,
    pub(super) active: bool,
    pub(super) name: Option<String>,
    pub(super) marker: Option<String>,
    json: Json,
}

impl Person {
    /// Reads a user.
    pub(super) fn read(json: Json, profile: &TargetProfile) -> Result<Self, Failure> {
        let id = id_of(&json).ok_or(TargetReason::AnswerMalformed)?;
        let version = version_of(&json, profile).map(str::to_owned);
        let marker = Place::parse(&profile.marker)
            .and_then(|place| place.texts(&json).first().map(|t| (*t).to_owned()));
        Ok(Self {
            id,
            version,
            // who is not said to be out of use is in use
            active: active_of(&json).unwrap_or(true),
            name: json.member("userName").and_then(Json::as_text).map(str::to_owned),
            marker: marker.filter(|marker| !marker.is_empty()),
            json,
        })
    }

    pub(super) fn is_marked(&self, marker: &Marker) -> bool {
        self.marker.as_deref() == Some(marker.as_str())
    }

    /// Whether it is in use, where that is said.
    pub(super) fn said_active(&self) -> Option<bool> {
        active_of(&self.json)
    }

    pub(super) fn is_named(&self, name: &str) -> bool {
        self.name.as_deref().is_some_and(|own| crate::text::fold(own) == crate::text::fold(name))
    }

    /// The groups that it shows to be a direct member of, by id and by name where that is shown.
    pub(super) fn groups(&self) -> Vec<(String, Option<String>)> {
        let Some(Json::List(groups)) = self.json.member("groups") else { return Vec::new() };
        let is_direct = |group: &&Json| {
            group
                .member("type")
                .and_then(Json::as_text)
                .is_none_or(|kind| kind.eq_ignore_ascii_case("direct"))
        };
        let text = |group: &Json, name: &str| group.member(name).and_then(Json::as_text).map(str::to_owned);
        let groups = groups.iter().filter(is_direct);
        groups.filter_map(|group| Some((text(group, "value")?, text(group, "display")))).collect()
    }
}

/// Some write the boolean as text.
fn active_of(json: &Json) -> Option<bool> {
    match json.member("active")? {
        Json::Boolean(active) => Some(*active),
        Json::Text(active) => Some(!active.eq_ignore_ascii_case("false")),
        _ => None,
    }
}

pub(super) fn id_of(json: &Json) -> Option<String> {
    match json.member("id")? {
        Json::Text(id) if !id.is_empty() => Some(id.clone()),
        Json::Integer(id) => Some(id.to_string()),
        _ => None,
    }
}

/// The version of a resource, where it can be named in `If-Match` (RFC 9110 §8.8.3): some show a number or a date there.
pub(super) fn version_of<'a>(json: &'a Json, profile: &TargetProfile) -> Option<&'a str> {
    let version = json.member("meta")?.member("version")?.as_text()?;
    let tag = version.strip_prefix("W/").unwrap_or(version).strip_prefix('"')?.strip_suffix('"')?;
    let is_tag = tag.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
    (profile.versions && is_tag).then_some(version)
}

/// Says how an account is to stand, place by place.
pub(super) struct Wish {
    pub(super) active: bool,
    texts: Vec<(Place, Vec<String>)>,
    single: bool,
}

impl Wish {
    /// Takes what is wanted. The marker is written like everything else.
    pub(super) fn of(wanted: &Mirrored, marker: &Marker, profile: &TargetProfile) -> Result<Self, Failure> {
        let invalid = || Failure::from(TargetReason::ProfileInvalid);
        let marker_place = Place::parse(&profile.marker).ok_or_else(invalid)?;
        let mut texts: BTreeMap<Place, Vec<String>> = BTreeMap::new();
        for (path, values) in &wanted.attributes {
            let place = Place::parse(path).filter(|place| !is_kept(place)).ok_or_else(invalid)?;
            texts.insert(place, values.clone());
        }
        texts.insert(Place::of("userName"), vec![wanted.user_name.clone()]);
        texts.extend(wanted.display_name.clone().map(|name| (Place::of("displayName"), vec![name])));
        let mail = Place::typed("emails", &profile.email_type);
        texts.extend(wanted.email.clone().map(|address| (mail, vec![address])));
        texts.insert(marker_place, vec![marker.as_str().to_owned()]);
        Ok(Self { active: wanted.active, texts: texts.into_iter().collect(), single: profile.single_values })
    }

    /// The account as one that is new.
    pub(super) fn new_person(&self) -> Json {
        let mut user = Json::object([("schemas", Json::List(vec![Json::text(USER)]))]);
        for (place, texts) in &self.texts {
            self.write(&mut user, place, texts);
        }
        change(&mut user, "active", |_| Some(Json::Boolean(self.active)));
        user
    }

    /// Makes sure that the account has what the target requires of one that is new.
    pub(super) fn check_required(&self, profile: &TargetProfile) -> Result<(), Failure> {
        let user = self.new_person();
        let is_there = |name: &String| Place::parse(name).is_some_and(|place| !place.texts(&user).is_empty());
        if profile.requires.iter().all(is_there) { Ok(()) } else { Err(TargetReason::RequiredMissing.into()) }
    }

    /// What is to be written. What was confirmed once and is wanted no differently is left as the target keeps it: some write
    /// names in their own way, and nobody would ever be done with them.
    pub(super) fn open(&self, person: &Person, wanted: &Mirrored) -> Difference {
        if wanted.confirmed.as_ref() == Some(&digest(wanted)) {
            Difference::of_use(self.active, person)
        } else {
            self.differences(person)
        }
    }

    /// What of an account is otherwise than wished.
    pub(super) fn differences(&self, person: &Person) -> Difference {
        let mut difference = Difference { after: person.json.clone(), paths: BTreeMap::new(), active: None };
        for (place, texts) in &self.texts {
            if self.stands(place, texts, &person.json) {
                continue;
            }
            let was_there = place.whole(&person.json).is_some();
            self.write(&mut difference.after, place, texts);
            let after = place.whole(&difference.after).cloned();
            difference.paths.insert(place.path(), Step { was_there, after });
        }
        difference.activate(self.active, person);
        difference
    }

    fn write(&self, user: &mut Json, place: &Place, texts: &[String]) {
        place.set(user, texts, self.single);
        let Some(schema) = place.schema().filter(|_| !texts.is_empty()) else { return };
        change(user, "schemas", |old| {
            let mut schemas = if let Some(Json::List(schemas)) = old { schemas } else { Vec::new() };
            if !schemas.iter().any(|own| own.as_text().is_some_and(|own| own.eq_ignore_ascii_case(schema))) {
                schemas.push(Json::text(schema));
            }
            Some(Json::List(schemas))
        });
    }

    fn stands(&self, place: &Place, texts: &[String], user: &Json) -> bool {
        let own: BTreeSet<_> = place.texts(user).into_iter().collect();
        let wished: BTreeSet<_> = texts.iter().map(String::as_str).collect();
        let is_name = *place == Place::of("userName");
        own == wished
            // the case of a user name makes no difference to any target (RFC 7643 §4.1.1)
            || is_name && own.first().zip(wished.first()).is_some_and(|(own, wished)| crate::text::fold(own) == crate::text::fold(wished))
            // the only value there, under another kind that nothing is said of
            || !place.is_plain() && self.is_alone(place) && is_only_value(place, user, &wished)
    }

    /// Whether nothing else is said of the attribute.
    fn is_alone(&self, place: &Place) -> bool {
        let path = place.path();
        self.texts.iter().filter(|(other, _)| other.path().eq_ignore_ascii_case(&path)).count() == 1
    }
}

/// Whether a value is the only one of its attribute, whatever kind the target gave it.
fn is_only_value(place: &Place, user: &Json, wished: &BTreeSet<&str>) -> bool {
    let Some(Json::List(elements)) = place.whole(user) else { return false };
    let [element] = elements.as_slice() else { return false };
    let value = element.member("value").and_then(Json::as_text);
    wished.len() == 1 && value.is_some_and(|value| wished.contains(value))
}

/// What is never written as a further attribute: the target's own, and what has a place in every account.
fn is_kept(place: &Place) -> bool {
    let path = place.path();
    let kept = ["userName", "active", "schemas"];
    place.schema().is_none() && THEIRS.iter().chain(&kept).any(|name| name.eq_ignore_ascii_case(&path))
}

/// What is to be otherwise.
pub(super) struct Difference {
    after: Json,
    paths: BTreeMap<String, Step>,
    pub(super) active: Option<bool>,
}

struct Step {
    was_there: bool,
    after: Option<Json>,
}

impl Difference {
    /// Nothing but whether it is in use.
    pub(super) fn of_use(active: bool, person: &Person) -> Self {
        let mut difference = Self { after: person.json.clone(), paths: BTreeMap::new(), active: None };
        difference.activate(active, person);
        difference
    }

    fn activate(&mut self, active: bool, person: &Person) {
        if person.active != active {
            change(&mut self.after, "active", |_| Some(Json::Boolean(active)));
            self.active = Some(active);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.paths.is_empty() && self.active.is_none()
    }

    /// Whether it is about nothing but being in use.
    pub(super) fn is_of_use_only(&self) -> bool {
        self.paths.is_empty()
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.keys().map(String::as_str)
    }

    /// As a PATCH: an operation with a path for each.
    pub(super) fn patch(&self) -> Json {
        let mut operations: Vec<_> = self.paths.iter().map(|(path, step)| step.operation(path)).collect();
        operations
            .extend(self.active.map(|active| operation("replace", "active", Some(Json::Boolean(active)))));
        patch(operations)
    }

    /// As a PUT: what the target showed, with what we say in its place.
    pub(super) fn whole(&self) -> Json {
        let mut whole = self.after.clone();
        for name in THEIRS {
            change(&mut whole, name, |_| None);
        }
        whole
    }
}

impl Step {
    fn operation(&self, path: &str) -> Json {
        let verb = match (&self.after, self.was_there) {
            (None, _) => "remove",
            // targets differ in whether what is not there can be replaced
            (_, false) => "add",
            (_, true) => "replace",
        };
        operation(verb, path, self.after.clone())
    }
}

/// One operation of a PATCH.
pub(super) fn operation(verb: &str, path: &str, value: Option<Json>) -> Json {
    let mut members = vec![("op", Json::text(verb)), ("path", Json::text(path))];
    members.extend(value.map(|value| ("value", value)));
    Json::object(members)
}

pub(super) fn patch(operations: Vec<Json>) -> Json {
    Json::object([("schemas", Json::List(vec![Json::text(PATCH)])), ("Operations", Json::List(operations))])
}

/// A digest of everything that is wanted, what a target is said to have confirmed.
pub(super) fn digest(wanted: &Mirrored) -> String {
    let texts = |texts: &mut dyn Iterator<Item = &String>| Json::List(texts.map(Json::text).collect());
    let attributes =
        wanted.attributes.iter().map(|(path, values)| (path.as_str(), texts(&mut values.iter())));
    let said = Json::List(vec![
        Json::Boolean(wanted.active),
        Json::text(&wanted.user_name),
        wanted.display_name.as_ref().map_or(Json::Null, Json::text),
        wanted.email.as_ref().map_or(Json::Null, Json::text),
        Json::object(attributes),
        texts(&mut wanted.entitlements.iter()),
    ]);
    Sha256::digest(said.to_bytes()).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    #[test]
    fn a_version_is_named_only_where_it_is_a_tag() {
        let version = |version: &str| {
            let json = format!(r#"{{"meta":{{"version":{}}}}}"#, serde_json::Value::from(version));
            let json = Json::parse(json.as_bytes(), &Limits::default()).unwrap();
            version_of(&json, &TargetProfile::generic()).is_some()
        };
        assert!(version("W/\"1\"") && version("\"a-b\""));
        for text in ["1", "", "W/1", "\"", "\"a\"b\"", "\"a\nb\"", "\"é\"", "2026-11-21T00:00:00Z"] {
            assert!(!version(text), "{text:?}");
        }
    }
}
