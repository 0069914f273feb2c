use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::schema::GROUP;

#[test]
fn members_that_lie_apart_are_changed_without_being_read() {
    let group = group(&[]);
    let operations = r#"{"op":"add","path":"members","value":[{"value":"a","type":"User"}]},
        {"op":"remove","path":"members[value eq \"b\" or value eq \"c\"]"},
        {"op":"remove","path":"members[type eq \"Group\"]"},
        {"op":"replace","path":"displayName","value":"new"},
        {"op":"replace","path":"members","value":[{"value":"d"}]}"#;
    let (resource, changes) =
        parse(&group, operations, Tolerance::strict()).unwrap().apply_apart(&group, "members").unwrap();
    assert_eq!(resource.as_group().unwrap().display_name(), "new");
    let said: Vec<_> = changes
        .iter()
        .map(|change| match change {
            ElementChange::Add(element) => {
                format!("+{}{}", element.key(), element.kind().unwrap_or_default())
            }
            ElementChange::Remove(key) => format!("-{key}"),
            ElementChange::RemoveWhere(filter) => format!("-[{filter}]"),
            ElementChange::Clear => "clear".to_owned(),
        })
        .collect();
    assert_eq!(said, ["+aUser", "-b", "-c", r#"-[type eq "Group"]"#, "clear", "+d"]);
    let none =
        parse(&group, r#"{"op":"add","path":"members","value":[{"type":"User"}]}"#, Tolerance::strict())
            .unwrap();
    assert_eq!(none.apply_apart(&group, "members").unwrap_err().reason(), Reason::ValueRequired);
    assert_eq!(none.apply_apart(&group, "displayName").unwrap_err().reason(), Reason::PathUnknown);
}

#[test]
fn a_member_that_names_nobody_is_refused_and_empties_no_group() {
    let before = group(&["a", "b"]);
    let refused = |operation: &str| {
        let patch = parse(&before, operation, Tolerance::entra());
        let error = patch.unwrap_err();
        (error.reason(), error.to_string().contains("`members[0].value`"))
    };
    for said in [r#"{"display":"ada"}"#, r#"{"value":null,"display":"ada"}"#] {
        for operation in [
            format!(r#"{{"op":"replace","path":"members","value":[{said}]}}"#),
            format!(r#"{{"op":"add","path":"members","value":[{said}]}}"#),
            format!(r#"{{"op":"Remove","path":"members","value":[{said}]}}"#),
            format!(r#"{{"op":"replace","value":{{"members":[{said}]}}}}"#),
        ] {
            assert_eq!(refused(&operation), (Reason::ValueRequired, true), "{operation}");
        }
        let body = format!(r#"{{"schemas":["{GROUP}"],"displayName":"g","members":[{said}]}}"#);
        for refused in [
            Resource::create(before.kind(), &json(&body), Tolerance::strict()),
            before.replaced_by(&json(&body), Tolerance::strict()),
        ] {
            assert_eq!(refused.unwrap_err().reason(), Reason::ValueRequired, "{said}");
        }
    }
    let one = r#"{"op":"replace","path":"members[value eq \"a\"]","value":{"display":"ada"}}"#;
    assert_eq!(patched(&before, one).unwrap_err().reason(), Reason::ValueRequired);
    for said in ["{}", r#"{"display":null}"#, r#"{"value":null}"#] {
        let none = format!(r#"{{"op":"replace","path":"members","value":[{said}]}}"#);
        assert_eq!(patched(&before, &none).unwrap().as_group().unwrap().members().count(), 0, "{said}");
    }
}

/// What is done to members, as plainly as it can be said.
#[derive(Clone, Debug)]
enum Act {
    Add(Vec<u8>),
    Replace(Vec<u8>),
    Remove(Vec<u8>),
    RemoveAll,
}

impl Act {
    fn text(&self) -> String {
        let list =
            |ids: &[u8]| ids.iter().map(|id| format!(r#"{{"value":"{id}"}}"#)).collect::<Vec<_>>().join(",");
        match self {
            Self::Add(ids) => format!(r#"{{"op":"add","path":"members","value":[{}]}}"#, list(ids)),
            Self::Replace(ids) => format!(r#"{{"op":"replace","value":{{"members":[{}]}}}}"#, list(ids)),
            Self::Remove(ids) => {
                let terms: Vec<_> = ids.iter().map(|id| format!(r#"value eq \"{id}\""#)).collect();
                format!(r#"{{"op":"remove","path":"members[{}]"}}"#, terms.join(" or "))
            }
            Self::RemoveAll => r#"{"op":"remove","path":"members"}"#.to_owned(),
        }
    }

    fn apply(&self, members: &mut BTreeSet<u8>) {
        match self {
            Self::Add(ids) => members.extend(ids),
            Self::Replace(ids) => *members = ids.iter().copied().collect(),
            Self::Remove(ids) => members.retain(|id| !ids.contains(id)),
            Self::RemoveAll => members.clear(),
        }
    }
}

fn act() -> impl Strategy<Value = Act> {
    let ids = || proptest::collection::vec(0_u8..12, 1..5);
    prop_oneof![
        3 => ids().prop_map(Act::Add),
        1 => ids().prop_map(Act::Replace),
        3 => ids().prop_map(Act::Remove),
        1 => Just(Act::RemoveAll),
    ]
}

fn ids(resource: &Resource) -> BTreeSet<u8> {
    resource.as_group().unwrap().members().map(|member| member.id().parse().unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn members_are_a_set_whether_they_lie_apart_or_not(acts in proptest::collection::vec(act(), 1..8)) {
        let before = group(&["1", "2", "3"]);
        let patch = parse(&before, &acts.iter().map(Act::text).collect::<Vec<_>>().join(","), Tolerance::strict()).unwrap();
        let mut expected = ids(&before);
        for act in &acts {
            act.apply(&mut expected);
        }
        let after = patch.apply(&before).unwrap();
        prop_assert_eq!(ids(&after), expected.clone());
        prop_assert_eq!(after.as_group().unwrap().members().count(), expected.len());
        let mut apart = ids(&before);
        for change in patch.apply_apart(&before, "members").unwrap().1 {
            match change {
                ElementChange::Add(element) => { apart.insert(element.key().parse().unwrap()); }
                ElementChange::Remove(key) => { apart.remove(&key.parse().unwrap()); }
                ElementChange::Clear => apart.clear(),
                ElementChange::RemoveWhere(filter) => prop_assert!(false, "{filter}"),
            }
        }
        prop_assert_eq!(apart, expected);
        let again = patch.apply(&after).unwrap();
        prop_assert_eq!(ids(&again), ids(&after), "a PATCH that came twice");
    }

    #[test]
    fn any_path_is_one_or_is_not(text in r#"(members|emails|name|value|type|\.|\[|\]| eq |"a"|pr|urn:|:|é| ){0,8}"#) {
        let kind = Schemas::standard().endpoint("/Users").unwrap().clone();
        if let Ok(path) = Path::parse(&kind, &text) {
            prop_assert_eq!(Path::parse(&kind, &path.to_string()).unwrap(), path);
        }
    }
}

#[test]
fn many_operations_over_many_values_are_refused_before_they_take_long() {
    let ids: Vec<String> = (0..20_000).map(|id| id.to_string()).collect();
    let large = group(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    let one = r#"{"op":"remove","path":"members[type eq \"none\" and not (type pr)]"}"#;
    let error = patched(&large, &vec![one; 900].join(",")).unwrap_err();
    assert_eq!(error.reason(), Reason::PatchTooMuchWork);
    let patch = parse(&large, &vec![one; 900].join(","), Tolerance::strict()).unwrap();
    assert_eq!(
        patch.apply_apart(&group(&[]), "members").unwrap().1.len(),
        900,
        "where they lie apart nobody looks"
    );
}

#[test]
fn a_large_group_is_changed_promptly() {
    let ids: Vec<String> = (0..20_000).map(|id| id.to_string()).collect();
    let large = group(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(large.kind().schema().id() == GROUP);
    let more: Vec<_> = (10_000..25_000).map(|id| format!(r#"{{"value":"{id}"}}"#)).collect();
    let done =
        patched(&large, &format!(r#"{{"op":"add","path":"members","value":[{}]}}"#, more.join(","))).unwrap();
    assert_eq!(done.as_group().unwrap().members().count(), 25_000);
}

#[test]
fn values_that_only_the_whole_tells_apart_are_not_compared_for_ever() {
    let user = user("");
    let addresses: Vec<_> = (0..20_000).map(|number| format!(r#"{{"locality":"{number}"}}"#)).collect();
    let add = |count: usize| {
        format!(r#"{{"op":"add","path":"addresses","value":[{}]}}"#, addresses[..count].join(","))
    };
    let refused = patched(&user, &add(20_000)).unwrap_err();
    assert_eq!(refused.reason(), Reason::PatchTooMuchWork);
    let few = patched(&user, &format!("{},{}", add(100), add(101))).unwrap();
    assert_eq!(few.value("addresses").unwrap().each().len(), 101);
}
