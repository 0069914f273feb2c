use std::sync::{Arc, LazyLock};

use proptest::prelude::*;

use super::*;
use crate::reason::Reason;
use crate::{Json, Limits, Place, Schemas};

fn users() -> Arc<ResourceType> {
    static USERS: LazyLock<Arc<ResourceType>> =
        LazyLock::new(|| Schemas::standard().endpoint("/Users").unwrap().clone());
    USERS.clone()
}

fn read(body: &str) -> Resource {
    let text = format!(
        r#"{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],{body}}}"#
    );
    let json = Json::parse(text.as_bytes(), &Limits::default()).unwrap();
    Resource::create(&users(), &json, Tolerance::strict()).unwrap()
}

fn alice() -> Resource {
    let mut alice = read(
        r#""userName":"Alice","externalId":"Ext-1","active":true,"title":"","nickName":"a \"b\" \\ ü",
        "name":{"givenName":"Alice"},"password":"p",
        "emails":[{"value":"alice@example.com","type":"work","primary":true},{"value":"a@home.example","type":"home"}],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"007","manager":{"value":"m-1"}}"#,
    );
    let at = "2026-01-02T03:04:05Z".parse().unwrap();
    alice.set_id("id-1");
    let version = crate::Version::numbered(1);
    alice.set_meta(&crate::Meta { created: at, last_modified: at, version });
    alice
}

fn refusal(text: &str) -> (Reason, usize) {
    let error = Filter::parse(&users(), text).unwrap_err();
    let Some(Place::Offset(offset)) = error.place() else { panic!("{error}") };
    (error.reason(), *offset)
}

#[test]
fn filters_that_fit() {
    let alice = alice();
    for text in [
        r#"userName eq "alice""#,
        r#"USERNAME EQ "ALICE""#,
        r#"urn:ietf:params:scim:schemas:core:2.0:User:userName sw "al""#,
        r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq "007""#,
        r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager eq "m-1""#,
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value pr",
        r#"userName ne "bob" and not (userName eq "bob")"#,
        r#"not(userName eq "bob")"#,
        r#"userName eq "x" or userName eq "alice" and active eq true"#,
        r#"(userName eq "x" or userName eq "alice") and active eq true"#,
        r#"emails co "example.com""#,
        r#"emails.type eq "home" and emails.type eq "work""#,
        r#"emails[type eq "work" and value ew "@example.com"]"#,
        r#"emails[type eq "work"].value eq "ALICE@example.com""#,
        r#"emails[not (type eq "work")].value sw "a@""#,
        r#"not (emails[type eq "home" and value ew "@example.com"])"#,
        r#"nickName eq "a \"b\" \\ \u00fc""#,
        r#"nickName co "Ü""#,
        r#"meta.lastModified gt "2026-01-02T04:04:04+01:00""#,
        r#"meta.created le "2026-01-02T03:04:05""#,
        r#"meta.created sw "2026-01""#,
        r#"meta.resourceType eq "User""#,
        r#"schemas eq "urn:ietf:params:scim:schemas:core:2.0:User""#,
        r#"id eq "id-1""#,
        "displayName eq null and displayName ne \"x\" and userName ne null",
        "emails pr and name pr and not (displayName pr) and not (title pr) and not (ims pr)",
        r#"  ( userName   eq "alice" )  "#,
        r#"userName gt "ALIC" and userName lt "alicf" and userName ge "alice" and userName le "Alice""#,
    ] {
        let filter = Filter::parse(&users(), text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert!(filter.matches(&alice), "{text}");
        assert_eq!(Filter::parse(&users(), &filter.to_string()).unwrap(), filter, "{text}");
    }
    for text in [
        r#"externalId eq "ext-1""#,
        r#"emails[type eq "home" and primary eq true]"#,
        r#"emails[type eq "home"].value co "example.com""#,
        "active eq false",
        r#"userName eq """#,
        r#"displayName gt "a""#,
    ] {
        assert!(!Filter::parse(&users(), text).unwrap().matches(&alice), "{text}");
    }
}

#[test]
fn filters_that_are_none() {
    use Reason::{
        FilterAttributeHidden as Hidden, FilterAttributeUnknown as Unknown, FilterMalformed as Bad,
    };
    use Reason::{FilterOperator as Operator, FilterValue as Value};
    let mut wrong = Vec::new();
    for (text, reason, offset) in [
        ("", Bad, 0),
        ("userName", Bad, 8),
        ("userName eq", Bad, 11),
        ("userName eq ", Bad, 12),
        ("userName eq alice", Bad, 12),
        (r#"userName eq "alice"#, Bad, 12),
        (r#"userName eq"alice""#, Bad, 11),
        (r#"userName eq "a"b"#, Bad, 15),
        (r#"userName xx "a""#, Bad, 9),
        (r#"userName eq "a" and"#, Bad, 16),
        (r#"userName eq "a" xor userName eq "b""#, Bad, 16),
        (r#"userName eq "a"and userName eq "b""#, Bad, 15),
        (r#"(userName eq "a""#, Bad, 16),
        (r#"userName eq "a")"#, Bad, 15),
        (r#"not userName eq "a""#, Unknown, 0),
        (r#"userName eq "\x""#, Bad, 12),
        (r#"userName eq "\ud800""#, Bad, 12),
        (r#"userName eq {"a":1}"#, Bad, 12),
        ("active eq TRUE", Bad, 10),
        ("userName pr pr", Bad, 12),
        ("userName pr\"", Bad, 11),
        ("emails[type pr", Bad, 14),
        ("emails[]", Bad, 7),
        (r#"emails[type eq "a"].value"#, Bad, 25),
        (r#"emails[type eq "a"]x"#, Bad, 19),
        (r#"emails[type[x pr] eq "a"]"#, Bad, 12),
        ("userName[value pr]", Bad, 9),
        ("meta.lastModified gt 01", Bad, 21),
        (r#"shoeSize eq "a""#, Unknown, 0),
        (r#"emails[shoeSize eq "a"]"#, Unknown, 7),
        (r#"urn:x:y:userName eq "a""#, Unknown, 0),
        (r#"password eq "p""#, Hidden, 0),
        ("password pr", Hidden, 0),
        ("active gt true", Operator, 7),
        (r#"active co "t""#, Operator, 7),
        (r#"x509Certificates.value gt "a""#, Operator, 23),
        (r#"name eq "a""#, Operator, 5),
        ("userName gt null", Operator, 9),
        (r#"active eq "true""#, Value, 10),
        ("userName eq 1", Value, 12),
        (r#"meta.created eq "now""#, Value, 16),
    ] {
        if refusal(text) != (reason, offset) {
            wrong.push((text, refusal(text)));
        }
    }
    assert_eq!(wrong, []);
}

#[test]
fn depth_and_length_end_at_a_limit() {
    let deep = |levels: usize| format!("{}userName pr{}", "(".repeat(levels), ")".repeat(levels));
    assert!(Filter::parse(&users(), &deep(64)).is_ok());
    assert_eq!(refusal(&deep(65)).0, Reason::FilterTooDeep);
    assert_eq!(refusal(&deep(20_000)).0, Reason::FilterTooDeep);
    assert_eq!(refusal(&"not (".repeat(10_000)).0, Reason::FilterTooDeep);
    let long = |terms: usize| vec!["active eq true"; terms].join(" or ");
    let filter = Filter::parse(&users(), &long(1024)).unwrap();
    assert!(filter.matches(&alice()));
    assert_eq!(refusal(&long(1025)).0, Reason::FilterTooLong);
    assert_eq!(refusal(&"x".repeat(70_000)).0, Reason::FilterTooLong);
    // what would be two to the power of thirty in a normal form
    let exploding = vec![r#"(userName eq "a" or userName eq "b")"#; 30].join(" and ");
    assert!(!Filter::parse(&users(), &exploding).unwrap().matches(&alice()));
}

#[test]
fn a_store_learns_what_to_look_up() {
    let filter =
        Filter::parse(&users(), r#"userName eq "Alice" and active eq true and externalId eq "E""#).unwrap();
    assert_eq!(filter.equalities().collect::<Vec<_>>(), [("userName", "alice"), ("externalId", "E")]);
    let filter = Filter::parse(&users(), r#"userName eq "a" or userName eq "b""#).unwrap();
    assert_eq!(filter.equalities().count(), 0);
    assert!(!format!("{filter:?}").contains("\"a\""));
}

#[test]
fn quotes_may_be_missing_only_for_entra() {
    let text = "externalId eq jyoung and userName eq 7";
    let filter = Filter::parse_with(&users(), text, Tolerance::entra()).unwrap();
    assert!(filter.matches(&read(r#""userName":"7","externalId":"jyoung""#)));
    assert!(Filter::parse_with(&users(), text, Tolerance::okta()).is_err());
    assert!(Filter::parse_with(&users(), r#"externalId eq "a"b"#, Tolerance::entra()).is_err());
}

/// A filter as plainly as it can be said, evaluated on the JSON itself.
#[derive(Clone, Debug)]
enum Plain {
    And(Box<Plain>, Box<Plain>),
    Or(Box<Plain>, Box<Plain>),
    Not(Box<Plain>),
    Present(&'static str),
    Test(&'static str, &'static str, String),
    Active(bool),
    Email(Box<Plain>),
}

impl Plain {
    fn text(&self) -> String {
        match self {
            Self::And(a, b) => format!("({}) and ({})", a.text(), b.text()),
            Self::Or(a, b) => format!("({}) or ({})", a.text(), b.text()),
            Self::Not(a) => format!("not ({})", a.text()),
            Self::Present(name) => format!("{name} pr"),
            Self::Test(name, operator, value) => {
                format!("{name} {operator} {}", serde_json::to_string(value).unwrap())
            }
            Self::Active(value) => format!("active eq {value}"),
            Self::Email(inner) => format!("emails[{}]", inner.text()),
        }
    }

    fn holds(&self, json: &Json) -> bool {
        match self {
            Self::And(a, b) => a.holds(json) & b.holds(json),
            Self::Or(a, b) => a.holds(json) | b.holds(json),
            Self::Not(a) => !a.holds(json),
            Self::Present("emails") => {
                let full = |one: &Json| matches!(one, Json::Object(members) if !members.is_empty());
                matches!(json.member("emails"), Some(Json::List(list)) if list.iter().any(full))
            }
            Self::Present(name) => texts(json, name).iter().any(|text| !text.is_empty()),
            Self::Test(name, operator, value) => {
                let texts = texts(json, name);
                let value = value.to_lowercase();
                let holds = |text: &String| match *operator {
                    "eq" => *text == value,
                    "ne" => *text != value,
                    "co" => text.contains(&value),
                    "sw" => text.starts_with(&value),
                    "ew" => text.ends_with(&value),
                    "gt" => *text > value,
                    "ge" => *text >= value,
                    "lt" => *text < value,
                    _ => *text <= value,
                };
                texts.iter().any(holds) || (texts.is_empty() && *operator == "ne")
            }
            Self::Active(value) => matches!(json.member("active"), Some(Json::Boolean(own)) if own == value),
            Self::Email(inner) => {
                // a value without anything in it is none
                let holds = |one: &Json| *one != Json::Object(vec![]) && inner.holds(one);
                matches!(json.member("emails"), Some(Json::List(list)) if list.iter().any(holds))
            }
        }
    }
}

/// The texts that a name leads to, folded.
fn texts(json: &Json, name: &str) -> Vec<String> {
    let name = if name == "emails" { "emails.value" } else { name };
    let (first, rest) = name.split_once('.').map_or((name, None), |(first, rest)| (first, Some(rest)));
    let values = match json.member(first) {
        None => Vec::new(),
        Some(Json::List(list)) => list.iter().collect(),
        Some(one) => vec![one],
    };
    let inner = |value: &Json| match rest {
        Some(rest) => texts(value, rest),
        None => value.as_text().map(str::to_lowercase).into_iter().collect(),
    };
    values.into_iter().flat_map(inner).collect()
}

fn word() -> impl Strategy<Value = String> {
    proptest::sample::select(vec!["", "a", "B", "ab", "É", "b\"", "\\", "x y", ")"]).prop_map(str::to_owned)
}

fn plain(names: &'static [&'static str], in_value: bool) -> BoxedStrategy<Plain> {
    let operators = vec!["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"];
    let test = (proptest::sample::select(names), proptest::sample::select(operators), word())
        .prop_map(|(name, operator, value)| Plain::Test(name, operator, value));
    let leaf = prop_oneof![
        6 => test,
        1 => proptest::sample::select(names).prop_map(Plain::Present),
    ];
    let leaf = if in_value {
        leaf.boxed()
    } else {
        let email = plain(&["value", "type"], true).prop_map(|inner| Plain::Email(Box::new(inner)));
        prop_oneof![6 => leaf, 1 => any::<bool>().prop_map(Plain::Active), 2 => email].boxed()
    };
    leaf.prop_recursive(if in_value { 2 } else { 4 }, 24, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Plain::And(a.into(), b.into())),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Plain::Or(a.into(), b.into())),
            inner.prop_map(|a| Plain::Not(a.into())),
        ]
    })
    .boxed()
}

fn body() -> impl Strategy<Value = String> {
    let text = |name: &'static str| {
        proptest::option::of(word()).prop_map(move |word| {
            word.map(|word| format!(r#""{name}":{}"#, serde_json::to_string(&word).unwrap()))
        })
    };
    let email = (text("value"), text("type")).prop_map(|(value, kind)| {
        format!("{{{}}}", [value, kind].into_iter().flatten().collect::<Vec<_>>().join(","))
    });
    let emails = proptest::collection::vec(email, 0..3)
        .prop_map(|emails| Some(format!(r#""emails":[{}]"#, emails.join(","))));
    let active = proptest::option::of(any::<bool>())
        .prop_map(|active| active.map(|active| format!(r#""active":{active}"#)));
    let name = text("givenName").prop_map(|name| name.map(|name| format!(r#""name":{{{name}}}"#)));
    (text("title"), text("nickName"), name, active, emails).prop_map(|(a, b, c, d, e)| {
        [Some(r#""userName":"ab""#.to_owned()), a, b, c, d, e]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(",")
    })
}

const NAMES: &[&str] = &["userName", "title", "nickName", "name.givenName", "emails", "emails.type"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_plain_reading_agrees(plain in plain(NAMES, false), body in body()) {
        let filter = Filter::parse(&users(), &plain.text()).unwrap();
        let json = Json::parse(format!("{{{body}}}").as_bytes(), &Limits::default()).unwrap();
        prop_assert_eq!(filter.matches(&read(&body)), plain.holds(&json), "{} on {}", plain.text(), body);
        let again = Filter::parse(&users(), &filter.to_string()).unwrap();
        prop_assert_eq!(again, filter);
    }

    #[test]
    fn any_text_is_a_filter_or_is_not(text in r#"(userName|emails|type| |\(|\)|\[|\]|eq|pr|and|or|not|"a"|1|null|\.|\\|é){0,14}"#) {
        if let Ok(filter) = Filter::parse(&users(), &text) {
            prop_assert_eq!(Filter::parse(&users(), &filter.to_string()).unwrap(), filter);
        }
    }
}

#[test]
fn the_work_of_a_filter_has_a_bound() {
    let long = read(&format!(r#""userName":"a","title":"{}""#, "É".repeat(30_000)));
    let terms = |count: usize| vec![r#"title co "zz0""#; count].join(" or ");
    let spent = |count: usize| {
        let mut effort = Effort::new(1_000_000);
        let matches = Filter::parse(&users(), &terms(count)).unwrap().matches_within(&long, &mut effort);
        assert_eq!(matches, Ok(false));
        1_000_000 - effort.left()
    };
    let (one, hundred) = (spent(1), spent(100));
    assert!(
        hundred < 10 * one,
        "a text is brought into the form in which it is compared once: {one}, {hundred}"
    );
    let many = Filter::parse(&users(), &terms(1000)).unwrap();
    let mut effort = Effort::new(100_000);
    assert_eq!(many.matches_within(&long, &mut effort).unwrap_err().reason(), Reason::TooManyFound);
    assert_eq!(effort.left(), 0);
    let found = Filter::parse(&users(), r#"userName eq "A" or title co "zz0""#).unwrap();
    assert_eq!(
        found.matches_within(&long, &mut Effort::new(10)),
        Ok(true),
        "what is not looked at costs nothing"
    );
}
