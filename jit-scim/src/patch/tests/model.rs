//! What a PATCH makes of a user, beside an evaluator that works on plain JSON and says no more than RFC 7644 §3.5.2 does.

use proptest::prelude::*;
use serde_json::{Map, Value as Plain, json as plain};

use super::*;

const MANAGER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";
const DEPARTMENT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";

/// One operation, taken apart.
#[derive(Clone, Debug)]
struct Ask {
    verb: Verb,
    target: Target,
    value: Plain,
}

#[derive(Clone, Debug)]
enum Target {
    /// The resource itself: no path.
    Whole,
    /// An attribute with one value, by the members that lead to it, and its path.
    One(&'static [&'static str], &'static str),
    /// E-mail addresses: which of them, and what of them.
    Emails(Option<(&'static str, Plain)>, Option<&'static str>),
}

impl Ask {
    fn message(&self) -> String {
        let op = match self.verb {
            Verb::Add => "add",
            Verb::Replace => "replace",
            Verb::Remove => "remove",
        };
        let mut message = plain!({"op": op});
        let path = match &self.target {
            Target::Whole => None,
            Target::One(_, path) => Some((*path).to_owned()),
            Target::Emails(filter, sub) => {
                let filter = filter.as_ref().map(|(name, value)| format!("[{name} eq {value}]"));
                let sub = sub.map(|sub| format!(".{sub}"));
                Some(format!("emails{}{}", filter.unwrap_or_default(), sub.unwrap_or_default()))
            }
        };
        message["path"] = path.map_or(Plain::Null, Plain::from);
        if self.verb != Verb::Remove {
            message["value"] = self.value.clone();
        }
        message.to_string()
    }

    /// Works on the JSON; nothing where it is refused.
    fn apply(&self, user: &mut Map<String, Plain>) -> Option<()> {
        match &self.target {
            Target::Whole => {
                for (name, value) in self.value.as_object()? {
                    match name.as_str() {
                        "emails" => emails(user, self.verb, value)?,
                        ENTERPRISE_USER => {
                            for (inner, value) in value.as_object()? {
                                one(user, self.verb, &[ENTERPRISE_USER, inner], value);
                            }
                        }
                        name => one(user, self.verb, &[name], value),
                    }
                }
                Some(())
            }
            Target::One(names, _) => {
                one(user, self.verb, names, &self.value);
                Some(())
            }
            Target::Emails(None, None) => emails(user, self.verb, &self.value),
            Target::Emails(filter, sub) => some(user, self.verb, filter.as_ref(), *sub, &self.value),
        }
    }
}

/// Sets or removes what has one value. What is not named of an object stays, and an object without anything goes.
fn one(user: &mut Map<String, Plain>, verb: Verb, names: &[&str], value: &Plain) {
    let [name, rest @ ..] = names else { return };
    let is_nothing = value.is_null() || value.as_object().is_some_and(Map::is_empty);
    if !rest.is_empty() {
        let inner = user.entry(*name).or_insert_with(|| plain!({}));
        one(inner.as_object_mut().unwrap(), verb, rest, value);
    } else if verb == Verb::Remove || (verb == Verb::Replace && is_nothing) {
        user.remove(*name);
    } else if let (Some(new), Some(old)) =
        (value.as_object(), user.get_mut(*name).and_then(Plain::as_object_mut))
    {
        old.extend(new.clone());
    } else if !is_nothing {
        user.insert((*name).to_owned(), value.clone());
    }
    if user.get(*name).and_then(Plain::as_object).is_some_and(Map::is_empty) {
        user.remove(*name);
    }
}

fn take(user: &mut Map<String, Plain>) -> Vec<Plain> {
    user.remove("emails").and_then(|emails| emails.as_array().cloned()).unwrap_or_default()
}

fn put(user: &mut Map<String, Plain>, emails: Vec<Plain>) {
    if !emails.is_empty() {
        user.insert("emails".to_owned(), emails.into());
    }
}

/// What tells addresses apart.
fn identity(email: &Plain) -> Option<(String, String)> {
    let text = |name: &str| email[name].as_str().map(str::to_lowercase);
    Some((text("value")?, text("type").unwrap_or_default()))
}

/// Of those that are the same the primary one stays, or else the first.
fn without_repeated(emails: &[Plain]) -> Vec<Plain> {
    let one_of = |own: &(String, String)| {
        let is_same = |email: &Plain| identity(email).as_ref() == Some(own);
        let primary = emails.iter().position(|email| is_same(email) && is_primary(email));
        primary.or_else(|| emails.iter().position(is_same))
    };
    let is_kept = |place: usize, email: &Plain| identity(email).is_none_or(|own| one_of(&own) == Some(place));
    let kept = emails.iter().enumerate().filter(|(place, email)| is_kept(*place, email));
    kept.map(|(_, email)| email.clone()).collect()
}

fn is_primary(email: &Plain) -> bool {
    email["primary"] == true
}

fn emails(user: &mut Map<String, Plain>, verb: Verb, value: &Plain) -> Option<()> {
    let mut there = take(user);
    let listed = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    let said = listed.into_iter().filter(|one| one.as_object().is_some_and(|one| !one.is_empty()));
    let said = without_repeated(&said.collect::<Vec<_>>());
    if verb == Verb::Remove {
        return Some(());
    }
    if said.iter().filter(|one| is_primary(one)).count() > 1 {
        return None;
    }
    if verb == Verb::Replace {
        put(user, said);
        return Some(());
    }
    let mut touched = Vec::new();
    for new in said {
        let is_same = |old: &Plain| match identity(&new) {
            Some(own) => identity(old) == Some(own),
            None => *old == new,
        };
        let place = there.iter().position(is_same).unwrap_or(there.len());
        match there.get_mut(place) {
            Some(old) => old.as_object_mut()?.extend(new.as_object()?.clone()),
            None => there.push(new),
        }
        touched.push(place);
    }
    let there = one_primary(there, &touched)?;
    put(user, there);
    Some(())
}

/// Whichever was made the primary one alone is it.
fn one_primary(mut emails: Vec<Plain>, touched: &[usize]) -> Option<Vec<Plain>> {
    let places = 0..emails.len();
    let chosen: Vec<_> =
        places.filter(|place| touched.contains(place) && is_primary(&emails[*place])).collect();
    for (place, email) in emails.iter_mut().enumerate() {
        if !chosen.is_empty() && !chosen.contains(&place) && is_primary(email) {
            email["primary"] = false.into();
        }
    }
    (emails.iter().filter(|email| is_primary(email)).count() <= 1).then_some(emails)
}

fn some(
    user: &mut Map<String, Plain>,
    verb: Verb,
    filter: Option<&(&'static str, Plain)>,
    sub: Option<&str>,
    value: &Plain,
) -> Option<()> {
    let mut there = take(user);
    let folded = |value: &Plain| value.as_str().map_or_else(|| value.to_string(), str::to_lowercase);
    let fits = |email: &Plain| filter.is_none_or(|(name, value)| folded(&email[*name]) == folded(value));
    let meant: Vec<_> = (0..there.len()).filter(|place| fits(&there[*place])).collect();
    if meant.is_empty() {
        put(user, there);
        return (verb == Verb::Remove).then_some(());
    }
    let is_nothing = value.is_null() || value.as_object().is_some_and(Map::is_empty);
    for place in &meant {
        let email = there[*place].as_object_mut()?;
        match (sub, verb) {
            (Some(sub), verb) => one(email, verb, &[sub], value),
            (None, Verb::Add) if is_nothing => {}
            (None, Verb::Add) => email.extend(value.as_object()?.clone()),
            (None, Verb::Replace) if !is_nothing => email.clone_from(value.as_object()?),
            (None, _) => email.clear(),
        }
    }
    let there = one_primary(there, &meant)?;
    let there = there.into_iter().filter(|email| email.as_object().is_some_and(|email| !email.is_empty()));
    put(user, without_repeated(&there.collect::<Vec<_>>()));
    Some(())
}

fn member(name: &'static str, values: Vec<Plain>) -> impl Strategy<Value = Option<(&'static str, Plain)>> {
    let value = proptest::sample::select(values).prop_map(move |value| (name, value));
    proptest::option::of(value)
}

fn object(members: Vec<Option<(&'static str, Plain)>>) -> Plain {
    Plain::Object(members.into_iter().flatten().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn email() -> impl Strategy<Value = Plain> {
    let value = member("value", vec!["a".into(), "A".into(), "b".into()]);
    let kind = member("type", vec!["work".into(), "Work".into(), "home".into()]);
    let display = member("display", vec!["x".into(), "y".into()]);
    let primary = member("primary", vec![true.into(), false.into()]);
    (value, kind, display, primary).prop_map(|(a, b, c, d)| object(vec![a, b, c, d]))
}

fn name() -> impl Strategy<Value = Plain> {
    let given = member("givenName", vec!["Ada".into(), "Eve".into()]);
    (given, member("familyName", vec!["L".into()])).prop_map(|(a, b)| object(vec![a, b]))
}

fn text() -> impl Strategy<Value = Plain> {
    proptest::sample::select(vec![plain!("x"), plain!("y"), Plain::Null])
}

fn several() -> impl Strategy<Value = Plain> {
    proptest::collection::vec(email(), 0..3).prop_map(Plain::from)
}

fn target() -> impl Strategy<Value = (Target, Plain)> {
    let texts: Vec<(&'static [&'static str], &'static str)> = vec![
        (&["title"], "title"),
        (&["name", "givenName"], "NAME.givenName"),
        (&[ENTERPRISE_USER, "department"], DEPARTMENT),
    ];
    let texts = (proptest::sample::select(texts), text());
    let whole = (text(), name(), several(), text()).prop_map(|(title, name, emails, department)| {
        plain!({"title": title, "name": name, "emails": emails, ENTERPRISE_USER: {"department": department}})
    });
    let filters = vec![("type", plain!("WORK")), ("value", plain!("a")), ("primary", plain!(true))];
    let filter = proptest::option::weighted(0.8, proptest::sample::select(filters));
    let sub = proptest::sample::select(vec!["value", "type", "display"]);
    let manager = proptest::sample::select(vec![plain!({"value": "m"}), plain!({})]);
    let selected = proptest::sample::select(vec!["type", "value", "primary"]).prop_map(|name| match name {
        "primary" => (name, plain!(true)),
        "type" => (name, plain!("home")),
        _ => (name, plain!("A")),
    });
    prop_oneof![
        3 => texts.prop_map(|((names, path), value)| (Target::One(names, path), value)),
        1 => name().prop_map(|value| (Target::One(&["name"], "name"), value)),
        1 => manager.prop_map(|value| (Target::One(&[ENTERPRISE_USER, "manager"], MANAGER), value)),
        2 => whole.prop_map(|value| (Target::Whole, value)),
        3 => several().prop_map(|value| (Target::Emails(None, None), value)),
        4 => (filter, sub, text()).prop_map(|(filter, sub, value)| (Target::Emails(filter, Some(sub)), value)),
        4 => (selected, email()).prop_map(|(filter, value)| (Target::Emails(Some(filter), None), value)),
    ]
}

fn ask() -> impl Strategy<Value = Ask> {
    let verb = proptest::sample::select(vec![Verb::Add, Verb::Replace, Verb::Remove]);
    (verb, target()).prop_filter_map("a removal has a path", |(verb, (target, value))| {
        let is_whole = matches!(target, Target::Whole);
        (verb != Verb::Remove || !is_whole).then_some(Ask { verb, target, value })
    })
}

fn seen(user: &Resource) -> Map<String, Plain> {
    let mut seen: Map<String, Plain> =
        serde_json::from_slice(&user.to_json(&Projection::default(), "")).unwrap();
    seen.retain(|name, _| !["schemas", "id", "meta"].contains(&name.as_str()));
    seen
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_user_becomes_what_plain_json_becomes(asks in proptest::collection::vec(ask(), 1..6)) {
        let before = user(r#""title":"t","emails":[{"value":"a","type":"work","primary":true},{"value":"b"}]"#);
        let mut expected = Some(seen(&before));
        for ask in &asks {
            expected = expected.and_then(|mut user| ask.apply(&mut user).map(|()| user));
        }
        let operations = asks.iter().map(Ask::message).collect::<Vec<_>>().join(",");
        let after = patched(&before, &operations);
        prop_assert_eq!(after.as_ref().ok().map(seen), expected, "{} {:?}", operations, after.err());
    }
}
