use serde_json::json;

use super::*;

const TEAMS: &str = "[[entitlement]]\nclaim = 'groups'\npattern = 'team-*'\ngive = 'group:team-{*}'\n\
                     allow = ['group:team-*']\n";

#[test]
fn a_table_gives_what_it_lists_and_equality_gives_nothing() {
    let toml = "[[entitlement]]\nclaim = 'groups'\ntable = { eng = ['role:editor', 'group:eng'], ops = ['role:operator'] }\n\
                [[entitlement]]\nalways = ['group:staff']\n";
    let profile = map(toml, json!({"groups": ["eng", "admin", "role:admin", "ENG", 7, {"a": 1}]}));
    assert_eq!(wished(&profile), ["group:staff", "role:editor", "group:eng"]);
    assert_eq!(profile.entitlements[1].claim.as_deref(), Some("groups"));
    assert_eq!(profile.entitlements[0].claim, None);
    assert_eq!(wished(&map(toml, json!({"groups": "ops"}))), ["group:staff", "role:operator"]);
    assert_eq!(wished(&map(toml, json!({}))), ["group:staff"]);
}

#[test]
fn a_cut_claim_gives_nothing_and_is_told_of() {
    let claims = Claims::new(members(json!({"groups": ["team-a"]}))).truncated("groups");
    let profile = try_map(TEAMS, claims).unwrap();
    assert_eq!(wished(&profile), [""; 0]);
    assert_eq!(profile.notes.len(), 1);
}

#[test]
fn a_pattern_gives_within_its_allow_list_only() {
    assert_eq!(
        wished(&map(TEAMS, json!({"groups": ["team-a", "team-", "xteam-b", "team-a"]}))),
        ["group:team-a"]
    );
    let listed = "[[entitlement]]\nclaim = 'groups'\npattern = '*-admins'\ngive = ['role:{*}', 'group:all']\n\
                  allow = ['role:editor', 'group:all']\n";
    let profile = map(listed, json!({"groups": ["admin-admins", "editor-admins"]}));
    assert_eq!(wished(&profile), ["group:all", "role:editor"]);
    assert_eq!(profile.notes.len(), 1);
}

#[test]
fn names_are_read_in_the_form_that_the_rule_says() {
    let with = |options: &str, groups: Value| {
        let toml = format!(
            "[[entitlement]]\nclaim = 'g'\ntable = {{ 'eng/core' = ['group:core'], eng = ['group:eng'] }}\n{options}\n"
        );
        wished(&map(&toml, json!({"g": groups}))).join(" ")
    };
    assert_eq!(with("", json!(["eng", "/eng"])), "group:eng");
    assert_eq!(with("form = 'path'", json!(["/eng/core"])), "group:core");
    assert_eq!(with("form = 'dn_first_value'", json!(["CN=eng,OU=g,DC=x", "eng"])), "group:eng");
    assert_eq!(with("form = 'dn_first_value'\nunder = 'ou=g,dc=x'", json!(["CN=eng,OU=h,DC=x"])), "");
    assert_eq!(with("split = ','", json!("a, eng ,b")), "group:eng");
    assert_eq!(with("case = 'lower'", json!(["ENG"])), "group:eng");
    let steps = "[[entitlement]]\nclaim = 'g'\nform = 'path'\npattern = 'teams/*'\ngive = 'group:t-{*}'\nallow = ['group:t-*']\n";
    assert_eq!(wished(&map(steps, json!({"g": ["/teams/a", "/teams/a/b"]}))), ["group:t-a"]);
}

#[test]
fn too_many_names_refuse_the_sign_in() {
    let many: Vec<String> = (0..1001).map(|n| format!("team-{n}")).collect();
    let error = try_map(TEAMS, Claims::new(members(json!({"groups": many})))).unwrap_err();
    assert!(matches!(error, MapError::Limit { .. }));
    let more = vec!["x"; 10_001];
    let error = try_map(TEAMS, Claims::new(members(json!({"groups": more})))).unwrap_err();
    assert!(matches!(error, MapError::Limit { .. }));
}
