use super::*;

/// The codes and places that a text is refused with.
fn refused(rules: &str) -> Vec<String> {
    match read(rules) {
        Ok(_) => Vec::new(),
        Err(problems) => {
            problems.iter().map(|problem| format!("{} {}", problem.code, problem.path)).collect()
        }
    }
}

fn with(when: &str) -> Vec<String> {
    refused(&format!("[[rule]]\nname = 'r'\npermit = {{}}\n[rule.when]\n{when}"))
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_code_and_place() {
    for (when, expected) in [
        ("connection = []", "config.empty_list rule[0].when.connection"),
        ("network = []", "config.empty_list rule[0].when.network"),
        ("groups.any = []", "config.empty_list rule[0].when.groups.any"),
        ("groups = {}", "config.empty_condition rule[0].when.groups"),
        ("amr = {}", "config.empty_condition rule[0].when.amr"),
        ("not = {}", "config.empty_condition rule[0].when.not"),
        ("claim = { any = 'x' }", "config.missing_claim rule[0].when.claim[0]"),
        ("claim = { name = 'email', any = 'x' }", "config.email_claim rule[0].when.claim[0].name"),
        ("claim = { name = '/email', any = 'x' }", "config.email_claim rule[0].when.claim[0].name"),
        ("groups.prefix = 'team'", "config.prefix_without_boundary rule[0].when.groups.prefix"),
        ("groups.prefix = ''", "config.prefix_without_boundary rule[0].when.groups.prefix"),
        ("hours = { from = '08:00', to = '08:00' }", "config.empty_window rule[0].when.hours[0]"),
        ("hours = { from = '24:00', to = '08:00' }", "config.empty_window rule[0].when.hours[0]"),
        ("hours = { days = [] }", "config.empty_list rule[0].when.hours[0].days"),
        (
            "not_before = 2026-01-02T00:00:00Z\nnot_after = 2026-01-02T00:00:00Z",
            "config.empty_window rule[0].when.not_after",
        ),
        ("not = { not = { not = { not = { not = { tenant = 'a' } } } } }", "config.too_deep"),
        ("network = '192.0.2.1/24'", "config.invalid_value rule[0].when.network"),
        ("network = ['192.0.2.0/24', 'x']", "config.invalid_value rule[0].when.network[1]"),
        ("email_domain = '.example.com'", "config.domain_boundary rule[0].when.email_domain"),
        ("email_domain = '*example.com'", "config.domain_boundary rule[0].when.email_domain"),
        ("email_trust = 'verified'", "config.unknown_word rule[0].when.email_trust"),
        ("account = 'known'", "config.unknown_word rule[0].when.account"),
        ("max_auth_age = '0s'", "config.invalid_value rule[0].when.max_auth_age"),
        ("group = 'x'", "config.unknown_field rule[0].when.group"),
        ("not = { group = 'x' }", "config.unknown_field rule[0].when.not.group"),
        ("hours = { offset = 'Europe/Berlin' }", "config.invalid_value rule[0].when.hours"),
        ("tenant = 7", "config.wrong_type rule[0].when.tenant"),
    ] {
        let found = with(when);
        assert!(found.len() == 1 && found[0].starts_with(expected), "{when}: {found:?}");
    }
}

#[test]
fn answers_are_checked() {
    for (answer, expected) in [
        ("", "config.no_answer rule[0]"),
        ("permit = {}\ndeny = { message = 'no' }", "config.several_answers rule[0]"),
        ("deny = {}", "config.missing_field rule[0].deny"),
        ("deny = { message = ' ' }", "config.invalid_message rule[0].deny.message"),
        ("deny = { message = 'no', code = 'nope' }", "config.invalid_code rule[0].deny.code"),
        ("deny = { message = 'no', code = 'link.proved' }", "config.invalid_code rule[0].deny.code"),
        ("deny = { message = 'no', code = 'Access.No' }", "config.invalid_code rule[0].deny.code"),
        ("hold = { asks = [] }", "config.empty_list rule[0].hold.asks"),
        ("hold = { asks = ['consent'] }", "config.invalid_value rule[0].hold.asks[0]"),
        ("permit = { entitlements = [] }", "config.empty_list rule[0].permit.entitlements"),
        ("permit = { entitlements = 'editor' }", "config.invalid_value rule[0].permit.entitlements"),
        ("permit = { account_end = { claim = 'exp' } }", "config.token_end rule[0].permit.account_end"),
        ("permit = { grant_end = { lease = '8h', at = 2026-01-01T00:00:00Z } }", "config."),
        ("permit = { grant_end = { span = '8h' } }", "config.unknown_word rule[0].permit.grant_end"),
        ("permit = { session_limit = 30 }", "config.wrong_type rule[0].permit.session_limit"),
        ("permit = { roles = 'x' }", "config.unknown_field rule[0].permit.roles"),
    ] {
        let found = refused(&format!("[[rule]]\nname = 'r'\nwhen.tenant = 'acme'\n{answer}"));
        assert!(found.len() == 1 && found[0].starts_with(expected), "{answer}: {found:?}");
    }
}

#[test]
fn rules_that_are_never_reached_and_names_given_twice_are_refused() {
    let rule =
        |name: &str, when: &str, answer: &str| format!("[[rule]]\nname='{name}'\nwhen={when}\n{answer}\n");
    let deny = "deny={message='no'}";
    let text = rule("a", "{}", "permit={}") + &rule("b", "{tenant='x'}", "permit={}");
    assert_eq!(refused(&text), ["config.unreachable_rule rule[1].name"]);
    let text =
        rule("a", "{tenant='x'}", "permit={}") + &rule("b", "{tenant='x'}", "hold={asks=['approval']}");
    assert_eq!(refused(&text), ["config.unreachable_rule rule[1].name"]);
    let text =
        rule("a", "{email_domain='x.example'}", "permit={}") + &rule("b", "{email_domain='x.example'}", deny);
    assert_eq!(refused(&text), [""; 0]);
    let text = rule("a", "{tenant='x'}", "permit={}") + &rule("a", "{}", deny);
    assert_eq!(refused(&text), ["config.duplicate_rule rule[1].name"]);
    assert_eq!(refused(""), ["config.no_rules "]);
    assert_eq!(refused("rule = []"), ["config.no_rules "]);
    assert_eq!(refused("[[rules]]"), ["config.unknown_field rules"]);
    assert_eq!(refused("[[rule]]\npermit = {}"), ["config.missing_field rule[0]"]);
}

#[test]
fn privileges_are_not_given_on_the_word_of_a_doubtful_address_or_to_everybody() {
    let rule =
        |when: &str, answer: &str| refused(&format!("[[rule]]\nname='r'\nwhen={{ {when} }}\n{answer}\n"));
    let doubtful = "email_domain='example.com', email_trust='asserted'";
    let admin = "permit={entitlements='role:admin'}";
    assert_eq!(rule(doubtful, admin), ["config.privileged_unverified rule[0].permit.entitlements"]);
    assert_eq!(
        rule(doubtful, "permit={ceiling=['role:*']}"),
        ["config.privileged_unverified rule[0].permit.ceiling"]
    );
    assert_eq!(
        rule(doubtful, "hold={asks=['approval'],permit={entitlements='role:owner'}}"),
        ["config.privileged_unverified rule[0].hold.permit.entitlements"]
    );
    assert_eq!(rule(doubtful, "permit={entitlements='role:editor',ceiling=['role:editor']}"), [""; 0]);
    assert_eq!(rule("email_domain='example.com'", admin), [""; 0]);
    assert_eq!(rule("", admin), ["config.privileged_to_everyone rule[0].permit.entitlements"]);
    let own = format!("protected=['role:payroll']\n[[rule]]\nname='r'\nwhen={{ {doubtful} }}\n");
    assert_eq!(refused(&format!("{own}{admin}")), [""; 0]);
    assert_eq!(
        refused(&format!("{own}permit={{entitlements='role:payroll'}}")),
        ["config.privileged_unverified rule[0].permit.entitlements"]
    );
}

#[test]
fn a_problem_names_file_line_and_field() {
    let text =
        "[[rule]]\nname = 'staff'\npermit = {}\n\n[[rule]]\nname = 'late'\ndeny = { message = 'no' }\n";
    let shown = read(text).unwrap_err().to_string();
    assert_eq!(
        shown,
        "rules.toml:6:1: rule[1].name: never reached: rule `staff` decides before it (config.unreachable_rule)"
    );
}

#[test]
fn rules_are_read_from_json_as_from_toml_and_written_back() {
    let toml = "protected = ['role:x']\n[[rule]]\nname = 'r'\npermit = { account_end = { claim = 'end' }, \
                idle_limit = '90d' }\n[rule.when]\nemail_domain = 'example.com'\nnetwork = '192.0.2.0/24'\n\
                not_after = 2027-01-01T00:00:00Z\nhours = { from = '08:00', to = '18:00' }\n\
                [[rule]]\nname = 'h'\nhold = { asks = ['consent:t', 'approval'] }";
    let from_toml = read(toml).unwrap();
    let json = serde_json::to_string(&from_toml).unwrap();
    let from_json: PolicyRules = load(&json, Format::Json, "rules.json").unwrap();
    assert_eq!(from_json, from_toml);
    let again: PolicyRules = load(&toml::to_string(&from_toml).unwrap(), Format::Toml, "rules.toml").unwrap();
    assert_eq!(again, from_toml);
}

#[cfg(not(feature = "cel"))]
#[test]
fn expressions_are_refused_where_they_cannot_be_evaluated() {
    assert_eq!(with("expression = 'true'"), ["config.expression_unavailable rule[0].when.expression"]);
}

#[cfg(feature = "cel")]
#[test]
fn expressions_are_checked_when_they_are_loaded() {
    for (expression, expected) in [
        ("claims.groups.nope(", "config.expression rule[0].when.expression"),
        ("system('x')", "config.expression rule[0].when.expression"),
        ("claims.email == 'a@example.com'", "config.email_claim rule[0].when.expression"),
    ] {
        let when = format!("expression = {}", toml::Value::String(expression.to_owned()));
        assert_eq!(with(&when), [expected], "{expression}");
    }
    assert_eq!(
        with("expression = \"claims.email_verified && claims.email.endsWith('@a.example')\""),
        [""; 0]
    );
}
