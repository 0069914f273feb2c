use super::*;

/// Each wrong mapping, and where and how it is refused.
const REFUSED: &[(&str, &str)] = &[
    ("[[attribute]]\nattribute = 'a'\nclam = 'x'\n", "m:3:1: attribute[0].clam: config.unknown_field"),
    ("preset = 'oktaa'", "m:1:10: preset: config.unknown_word"),
    ("[email]\nclaim = 'email'\n", "m:1:2: email: config.email_unverified"),
    (
        "[email]\nclaim = 'email'\nverified = { claim = 'email' }\n",
        "m:3:1: email.verified: config.email_unverified",
    ),
    (
        "[email]\nclaim = 'e'\nverified = 'never'\ndangerously_assume_verified = true\n",
        "m:4:1: email.dangerously_assume_verified: config.contradiction",
    ),
    (
        "[email]\nclaim = 'e'\nverified = 'never'\naccept_text_booleans = true\n",
        "m:4:1: email.accept_text_booleans: config.contradiction",
    ),
    (
        "[[attribute]]\nattribute = 'a'\nclaim = 'email'\n",
        "m:3:1: attribute[0].claim: config.email_unverified",
    ),
    (
        "[[attribute]]\nattribute = 'a'\ntemplate = '{email|local}'\n",
        "m:3:1: attribute[0].template: config.email_unverified",
    ),
    (
        "[[attribute]]\nattribute = 'a'\njoin = { claims = ['x', '/email/0'] }\n",
        "m:3:1: attribute[0].join: config.email_unverified",
    ),
    (
        "[user_name]\ntemplate = ['{nick}', '{email}']\n",
        "m:2:23: user_name.template[1]: config.email_unverified",
    ),
    (
        "[user_name]\ntemplate = ['{mail}']\n[email]\nclaim = 'mail'\nverified = 'never'\n",
        "m:2:13: user_name.template[0]: config.email_unverified",
    ),
    (
        "[[entitlement]]\nclaim = 'email'\ntable = { 'a@b.example' = ['role:admin'] }\n",
        "m:2:1: entitlement[0].claim: config.email_unverified",
    ),
    (
        "preset = 'google'\n[email]\nclaim = 'email'\nverified = 'never'\n",
        "m:1:1: preset: config.email_unverified",
    ),
    ("[[attribute]]\nattribute = 'a'\nclaim = 'oid'\n", "m:3:1: attribute[0].claim: config.oid_without_tid"),
    (
        "[[attribute]]\nattribute = 'a'\ntemplate = '{oid}'\n",
        "m:3:1: attribute[0].template: config.oid_without_tid",
    ),
    ("subject = 'email'\n", "m:1:1: subject: config.subject_is_no_setting"),
    ("[subject]\nclaim = 'oid'\n", "m:1:2: subject: config.subject_is_no_setting"),
    (
        "[[attribute]]\nattribute = 'a'\nclaim = 'x'\n[[attribute]]\nattribute = 'a'\nclaim = 'y'\n",
        "m:5:1: attribute[1].attribute: config.duplicate_rule",
    ),
    (
        "[[entitlement]]\nalways = ['role:a']\n[[entitlement]]\nalways = ['role:a']\n",
        "m:3:1: entitlement[1]: config.duplicate_rule",
    ),
    ("[user_name]\ntemplate = ['guest', '{x}']\n", "m:2:22: user_name.template[1]: config.unreachable_rule"),
    ("[user_name]\ntemplate = ['{x}', '{x}']\n", "m:2:20: user_name.template[1]: config.duplicate_rule"),
    ("[user_name]\ntemplate = []\n", "m:2:1: user_name.template: config.out_of_range"),
    ("[user_name]\ntemplate = ['{x']\n", "m:2:13: user_name.template[0]: config.template"),
    (
        "[user_name]\ntemplate = ['{x}']\non_taken = { number = { max = 99 } }\n",
        "m:3:1: user_name.on_taken: config.out_of_range",
    ),
    ("[[attribute]]\nattribute = 'a'\n", "m:1:1: attribute[0]: config.one_of"),
    ("[[attribute]]\nattribute = 'a'\nclaim = 'x'\nconstant = 'y'\n", "m:1:1: attribute[0]: config.one_of"),
    (
        "[[attribute]]\nattribute = 'a b'\nclaim = 'x'\n",
        "m:2:13: attribute[0].attribute: config.invalid_value",
    ),
    ("[[attribute]]\nattribute = 'a'\nclaim = ''\n", "m:3:9: attribute[0].claim: config.invalid_value"),
    (
        "[[attribute]]\nattribute = 'a'\ntemplate = '{x|uper}'\n",
        "m:3:1: attribute[0].template: config.template",
    ),
    (
        "[[attribute]]\nattribute = 'a'\nclaim = 'x'\nmax_values = 2\n",
        "m:4:1: attribute[0].max_values: config.contradiction",
    ),
    (
        "[[attribute]]\nattribute = 'a'\nclaim = 'x'\nlist = true\nmax_values = 0\n",
        "m:5:1: attribute[0].max_values: config.out_of_range",
    ),
    ("[[attribute]]\nattribute = 'a'\nconstant = ''\n", "m:3:1: attribute[0].constant: config.invalid_value"),
    ("[[attribute]]\nattribute = 'a'\nconstant = 7\n", "m:3:12: attribute[0].constant: config.wrong_type"),
    ("[[entitlement]]\nclaim = 'g'\n", "m:1:1: entitlement[0]: config.one_of"),
    ("[[entitlement]]\nalways = ['admin']\n", "m:2:11: entitlement[0].always[0]: config.invalid_value"),
    (
        "[[entitlement]]\nclaim = 'g'\ntable = { eng = [] }\n",
        "m:3:11: entitlement[0].table.eng: config.unreachable_rule",
    ),
    (
        "[[entitlement]]\nclaim = 'g'\npattern = 'team'\ngive = 'role:a'\nallow = ['role:a']\n",
        "m:3:1: entitlement[0].pattern: config.pattern",
    ),
    (
        "[[entitlement]]\nclaim = 'g'\npattern = 'team-*'\ngive = 'role:{*}'\n",
        "m:1:1: entitlement[0]: config.missing_field",
    ),
    (
        "[[entitlement]]\nclaim = 'g'\npattern = '*'\ngive = 'role:{*}'\nallow = ['role:*']\n",
        "m:5:10: entitlement[0].allow[0]: config.allows_everything",
    ),
    (
        "[[entitlement]]\nclaim = 'g'\npattern = '*'\ngive = 'role:{*}'\nallow = ['role:team-*']\n",
        "m:4:1: entitlement[0].give: config.outside_allow",
    ),
    (
        "[[entitlement]]\nclaim = 'g'\npattern = 'a*'\ngive = ['group:a', 'role:admin']\nallow = ['group:*']\n",
        "m:5:10: entitlement[0].allow[0]: config.allows_everything",
    ),
    (
        "[[entitlement]]\nclaim = 'g'\nunder = 'dc=x'\ntable = { a = ['role:a'] }\n",
        "m:1:1: entitlement[0]: config.one_of",
    ),
    (
        "[[entitlement]]\nclaim = 'g'\nunder = 'x'\nform = 'dn_first_value'\ntable = { a = ['role:a'] }\n",
        "m:3:1: entitlement[0].under: config.invalid_value",
    ),
];

#[test]
fn each_wrong_mapping_is_refused_with_line_field_and_code() {
    let mut wrong = Vec::new();
    for (toml, expected) in REFUSED {
        let found = problems(toml);
        let short: Vec<String> = found
            .iter()
            .map(|problem| {
                let (before, code) = problem.rsplit_once(" (").unwrap();
                let place = before.splitn(3, ": ").take(2).collect::<Vec<_>>().join(": ");
                format!("{place}: {}", code.trim_end_matches(')'))
            })
            .collect();
        if !short.iter().any(|problem| problem == expected) {
            wrong.push(format!("{toml}expected {expected}\nfound {found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn danger_that_is_called_by_its_name_is_let_through() {
    assert_eq!(
        problems("dangerously_use_unverified_email = true\n[user_name]\ntemplate = ['{email|local}']\n"),
        [""; 0]
    );
    assert_eq!(
        problems(
            "[email]\nclaim = 'email'\ndangerously_assume_verified = true\n[[attribute]]\nattribute = 'mail'\nclaim = 'email'\n"
        ),
        [""; 0]
    );
    assert_eq!(problems("[[attribute]]\nattribute = 'a'\ntemplate = '{tid}/{oid}'\n"), [""; 0]);
}

#[test]
fn several_mistakes_are_told_at_once() {
    let toml = "[[attribute]]\nattribute = 'a'\nclaim = 'oid'\n[[attribute]]\nattribute = 'b'\n[email]\nclaim = 'e'\n";
    assert_eq!(problems(toml).len(), 3);
}

#[test]
fn json_is_checked_like_toml() {
    let json = "{\"attribute\": [\n  {\"attribute\": \"a\", \"claim\": \"email\"}\n]}";
    let problems = load::<MappingRules>(json, Format::Json, "m.json").unwrap_err().to_string();
    assert!(problems.starts_with("m.json:2:22: attribute[0].claim: "), "{problems}");
    assert!(problems.ends_with("(config.email_unverified)"), "{problems}");
}

#[cfg(not(feature = "cel"))]
#[test]
fn an_expression_without_the_feature_is_refused() {
    let found = problems("[[attribute]]\nattribute = 'a'\nexpression = 'claims.x'\n");
    assert!(found[0].contains("(config.expression_unavailable)"), "{found:?}");
}
