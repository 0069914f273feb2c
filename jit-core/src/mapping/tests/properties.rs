use proptest::prelude::*;
use serde_json::json;

use super::*;

fn any_claim() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z@.*{}/,=+\\\\ -]{0,12}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[a-d/~]{1,3}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_claims() -> impl Strategy<Value = Claims> {
    let names = prop::sample::select(vec!["a", "b", "c", "email", "v", "groups"]);
    (prop::collection::btree_map(names, any_claim(), 0..6), any::<bool>()).prop_map(|(map, cut)| {
        let claims = Claims::new(map.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
        if cut { claims.truncated("groups") } else { claims }
    })
}

const EVERYTHING: &str = r#"
[email]
claim = "email"
verified = { claim = "v" }
accept_text_booleans = true
[user_name]
template = ["{a|local}", "{b|first|lower}", "{email|local|default:x}"]
invalid = "replace"
strip_accents = true
on_taken = "subject_hash"
[[attribute]]
attribute = "one"
claim = "/a/b"
[[attribute]]
attribute = "list"
claim = "groups"
list = true
case = "upper"
[[attribute]]
attribute = "text"
template = "{a|first|trim}-{c|default:}"
[[attribute]]
attribute = "joined"
join = { claims = ["a", "b", "c"] }
[[entitlement]]
claim = "groups"
pattern = "*"
give = ["group:x-{*}", "role:{*}-y"]
allow = ["group:x-*", "role:a-y", "role:*-y"]
"#;

proptest! {
    #[test]
    fn mapping_never_panics_and_is_deterministic(claims in any_claims()) {
        let toml = EVERYTHING.replace(", \"role:*-y\"", "").replace(", \"role:{*}-y\"", "");
        let mapping = rules(&toml).compile().unwrap();
        let identity = identity_of(claims, "s");
        let first = mapping.map(&identity);
        prop_assert_eq!(&first, &mapping.map(&identity));
        prop_assert_eq!(&first, &rules(&toml).compile().unwrap().map(&identity));
    }

    #[test]
    fn a_pattern_never_gives_what_its_list_does_not_allow(
        groups in prop::collection::vec("[a-c:*{}/-]{0,6}|role:admin|team-[a-c]{0,3}", 0..20),
        pattern in "[a-c-]{0,2}\\*[a-c-]{0,2}|team-\\*",
        give in "(role|group):[a-c-]{0,2}(\\{\\*\\})?[a-c-]{0,2}",
        allow in prop::collection::vec("(role|group):[a-c-]{0,3}\\*?", 0..4),
    ) {
        let toml = format!(
            "[[entitlement]]\nclaim = 'groups'\npattern = '{pattern}'\ngive = '{give}'\nallow = {}\n",
            json!(allow)
        );
        if let Ok(rules) = load::<MappingRules>(&toml, Format::Toml, "m") {
            let allowed: Vec<crate::EntitlementPattern> = allow.iter().map(|text| text.parse().unwrap()).collect();
            let claims = Claims::new(members(json!({"groups": groups})));
            let profile = rules.compile().unwrap().map(&identity_of(claims, "s")).unwrap();
            for wish in &profile.entitlements {
                prop_assert!(allowed.iter().any(|allow| allow.matches(&wish.entitlement)), "{:?}", wish.entitlement);
            }
        }
    }

    #[test]
    fn names_give_what_a_plain_look_at_each_rule_gives(
        groups in prop::collection::vec("[a-c]{0,3}|team-[a-c]{0,4}|team-é[a-c]?|long-beginning-[a-c]{0,9}", 0..60),
        lines in prop::collection::btree_map("[a-c]{1,3}|team-[a-c]", "[x-z]", 0..6),
        patterns in prop::collection::btree_set(
            ("[a-c]{0,2}|team-|team-é|long-beginning-", "[a-c]{0,2}", "[x-z]{0,2}|quite-a-long-beginning-"), 0..4,
        ),
    ) {
        let table: Vec<_> = lines.iter().map(|(name, role)| format!("'{name}' = ['role:{role}']")).collect();
        let table = (!table.is_empty())
            .then(|| format!("[[entitlement]]\nclaim = 'g'\ntable = {{ {} }}\n", table.join(", ")));
        let toml: String = table.into_iter().chain(patterns.iter().map(|(before, after, give)| format!(
            "[[entitlement]]\nclaim = 'g'\npattern = '{before}*{after}'\ngive = 'group:g{give}{{*}}'\nallow = ['group:g*']\n"
        ))).collect();
        let mut expected: Vec<String> = Vec::new();
        for name in &groups {
            let stars = patterns.iter().filter_map(|(before, after, give)| {
                let star = name.strip_prefix(before.as_str())?.strip_suffix(after.as_str())?;
                (!star.is_empty()).then(|| format!("group:g{give}{star}"))
            });
            expected.extend(lines.get(name).map(|role| format!("role:{role}")).into_iter().chain(stars));
        }
        let mut seen = std::collections::BTreeSet::new();
        expected.retain(|text| seen.insert(text.clone()));
        let profile = map_own(&toml, Claims::new(members(json!({"g": groups})))).unwrap();
        prop_assert_eq!(wished(&profile), expected);
    }

    #[test]
    fn no_text_makes_loading_a_mapping_panic(
        lines in prop::collection::vec(
            "\\[?\\[?(attribute|email|user_name|entitlement)\\]?\\]?|(claim|template|pattern|give|allow|table|on_taken|preset|under) = ('[a-z{}|*:=,]{0,9}'|[0-9]|\\['[{}a-z*:]{0,9}'\\]|\\{ a = \\['role:a'\\] \\})",
            0..12
        )
    ) {
        let _ = load::<MappingRules>(&lines.join("\n"), Format::Toml, "m");
    }
}
