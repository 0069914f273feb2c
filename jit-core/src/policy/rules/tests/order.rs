use proptest::prelude::*;

use super::*;
use crate::Finding;

const THREE: &str = r#"
[[rule]]
name = "staff"
when = { groups = { any = "staff" } }
permit = { entitlements = "role:staff" }

[[rule]]
name = "guests"
when = { claim = { name = "guest", any = "true" } }
hold = { asks = ["approval"] }

[[rule]]
name = "rest"
deny = { message = "not for you" }
"#;

#[test]
fn the_first_rule_that_applies_decides() {
    let policy = policy(THREE);
    for (claims, expected) in [
        (json!({"groups": ["staff"], "guest": true}), "permit by staff"),
        (json!({"groups": [], "guest": true}), "hold by guests"),
        (json!({}), "policy.denied by rest"),
    ] {
        assert_eq!(word(&with_claims(claims).decide(&policy)), expected);
    }
}

#[test]
fn a_request_that_no_rule_meets_is_denied() {
    let policy = policy("[[rule]]\nname='r'\nwhen.tenant='globex'\npermit={}");
    assert_eq!(word(&Case::default().decide(&policy)), "policy.no_rule");
}

#[test]
fn a_trace_tells_of_each_rule_that_was_weighed_and_shows_no_value() {
    let policy = policy(THREE);
    let secret = "do-not-show-me";
    let (_, steps) = with_claims(json!({"groups": [secret], "contract_end": secret})).explain(&policy);
    let told: Vec<_> = steps
        .iter()
        .map(|step| (step.rule.as_ref().unwrap().as_str(), step.finding, step.detail.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("staff", Finding::Skipped, "`claim` on `groups` does not hold"),
            ("guests", Finding::Skipped, "`claim` on `guest` has nothing to go by"),
            ("rest", Finding::Decided, "denies with `policy.denied`"),
        ]
    );
    assert!(!format!("{steps:?}").contains(secret));
}

#[test]
fn a_trace_of_a_request_that_no_rule_meets_ends_with_a_refusal() {
    let policy = policy("[[rule]]\nname='r'\nwhen.network='192.0.2.0/24'\npermit={}");
    let (_, steps) = Case::default().explain(&policy);
    assert_eq!(steps[0].detail, "it cannot be told whether `network` holds");
    assert_eq!((steps[1].finding, &steps[1].rule), (Finding::Refused, &None));
}

#[test]
fn a_rule_applies_wherever_it_stands_in_a_long_list() {
    let needs = |number: usize| match number % 4 {
        0 => format!("groups.any = ['g-{number}', 'other']"),
        1 => format!("email_domain = 'd-{number}.example'"),
        2 => format!("acr = 'urn:{number}'"),
        _ => format!("network = '10.0.{number}.0/24'"),
    };
    let list: Vec<_> =
        (0..200).map(|number| format!("when = {{ {} }}\npermit = {{}}\n", needs(number))).collect();
    let policy = rules(&list);
    for number in [0, 1, 62, 63, 64, 65, 66, 67, 127, 128, 198, 199] {
        let (domain, acr) = (format!("a@d-{number}.example"), format!("urn:{number}"));
        let client = format!("10.0.{number}.9");
        let mut case = with_claims(json!({"groups": [format!("g-{number}")]}));
        case.email = (number % 4 == 1).then_some((domain.leak(), EmailTrust::Authoritative));
        case.acr = (number % 4 == 2).then_some(acr.leak());
        case.client = Some(if number % 4 == 3 { client.leak() } else { "192.0.2.1" });
        if number % 4 != 0 {
            case.claims = json!({"groups": ["nobody"]});
        }
        assert_eq!(decided_by(&case.decide(&policy)), Some(number));
    }
}

/// Conditions of every kind, to be put together at random.
fn condition() -> impl Strategy<Value = String> {
    prop_oneof![
        prop_oneof![Just("acme"), Just("globex")].prop_map(|tenant| format!("tenant = '{tenant}'")),
        "[abc]".prop_map(|value| format!("groups = {{ any = '{value}' }}")),
        "[abc]".prop_map(|value| format!("groups = {{ contains = ['{value}', 'a'] }}")),
        "[abc]".prop_map(|value| format!("groups = {{ prefix = '{value}-' }}")),
        ("[xyz]", "[abc]")
            .prop_map(|(name, value)| format!("claim = {{ name = '{name}', any = '{value}' }}")),
        prop_oneof![Just("present"), Just("empty"), Just("truncated")]
            .prop_map(|is| format!("claim = {{ name = 'x', is = '{is}' }}")),
        "[abc]".prop_map(|value| format!("wished = 'role:{value}'")),
        "[abc]".prop_map(|value| format!("not_holds = ['role:{value}', 'group:*']")),
        prop_oneof![Just("'192.0.2.0/24'"), Just("['2001:db8::/32', '198.51.100.0/24']")]
            .prop_map(|networks| format!("network = {networks}")),
        Just("hours = { from = '22:00', to = '06:00' }".to_owned()),
        prop_oneof![
            Just("'example.com'"),
            Just("['*.example.com', 'example.org']"),
            Just("'*.b.example.com'")
        ]
        .prop_map(|domains| format!("email_domain = {domains}")),
        Just("email_trust = 'asserted'".to_owned()),
        Just("amr = { any = 'otp' }".to_owned()),
        prop_oneof![Just("'urn:one'"), Just("['urn:two', 'urn:three']")]
            .prop_map(|acr| format!("acr = {acr}")),
        Just("max_auth_age = '1h'".to_owned()),
        Just("account = ['linked', 'candidate']".to_owned()),
    ]
}

fn rule() -> impl Strategy<Value = String> {
    let answer = prop_oneof![
        Just("permit = {}"),
        Just("permit = { account_end = { claim = 'x' } }"),
        Just("hold = { asks = ['approval'] }"),
        Just("deny = { message = 'no' }"),
    ];
    (condition(), any::<bool>(), answer).prop_map(|(condition, not, answer)| {
        let when = if not { format!("not = {{ {condition} }}") } else { condition };
        format!("when = {{ {when} }}\n{answer}\n")
    })
}

fn rules(list: &[String]) -> RulePolicy {
    let named = list.iter().enumerate().map(|(n, rule)| format!("[[rule]]\nname = 'rule-{n}'\n{rule}"));
    let text: String = named.collect();
    let mut rules: PolicyRules = toml::from_str(&text).unwrap();
    // Two equal conditions are refused when loaded; here the later is simply left out.
    let mut seen: Vec<(crate::Conditions, bool)> = Vec::new();
    rules.rules.retain(|rule| {
        let key = (rule.when.clone(), rule.deny.is_some());
        let new = !seen.contains(&key);
        seen.push(key);
        new
    });
    RulePolicy::new(&rules).unwrap_or_else(|problems| panic!("{problems}"))
}

fn values() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        Just(json!([])),
        Just(json!("")),
        Just(json!({"a": []})),
        any::<i64>().prop_map(|n| json!(n)),
        any::<f64>().prop_map(|n| json!([n, {"deep": n}])),
        prop::collection::vec("[abc](-[abc])?", 0..4).prop_map(|list| json!(list)),
        "\\PC*".prop_map(|text| json!(text)),
    ]
}

fn case() -> impl Strategy<Value = Case> {
    let claims = (values(), values(), values(), values());
    let trust =
        prop_oneof![Just(EmailTrust::Unstated), Just(EmailTrust::Asserted), Just(EmailTrust::Authoritative)];
    let address =
        prop_oneof![Just("a@example.com"), Just("a@example.org"), Just("a@b.example.com"), Just("a@b.test")];
    let email = prop::option::of((address, trust));
    let meets =
        prop_oneof![Just(Meets::Nobody), Just(Meets::Linked), Just(Meets::Proved), Just(Meets::Several)];
    let client = prop_oneof![Just("192.0.2.9"), Just("2001:db8::1"), Just("203.0.113.1"), Just("::1")];
    let (client, acr) = (
        prop::option::of(client),
        prop::option::of(prop_oneof![Just("urn:one"), Just("urn:two"), Just("urn:x")]),
    );
    let cut = prop::sample::subsequence(vec!["groups", "x", "z"], 0..=1);
    (claims, cut, email, meets, client, acr, any::<bool>()).prop_map(
        |((groups, x, y, z), truncated, email, meets, client, acr, spoke)| Case {
            claims: json!({"groups": groups, "x": x, "y": y, "z": z}),
            truncated,
            email,
            meets,
            client,
            holds: vec![("role:a", None)],
            wished: vec!["role:b"],
            amr: if spoke { vec!["otp"] } else { vec![] },
            acr,
            ..Case::default()
        },
    )
}

/// The number of the rule that decided.
fn decided_by(decision: &Decision) -> Option<usize> {
    word(decision).rsplit_once("rule-").and_then(|(_, n)| n.parse().ok())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn rules_after_the_deciding_one_never_change_the_decision(
        list in prop::collection::vec(rule(), 1..8), more in prop::collection::vec(rule(), 0..4), case in case(),
    ) {
        let decision = case.decide(&rules(&list));
        if decided_by(&decision).is_some() {
            let longer: Vec<_> = list.iter().chain(&more).cloned().collect();
            prop_assert_eq!(case.decide(&rules(&longer)), decision);
        }
    }

    #[test]
    fn each_rule_alone_decides_as_it_does_in_the_list_and_none_means_no(
        list in prop::collection::vec(rule(), 1..8), case in case(),
    ) {
        let alone: Vec<_> = list.iter().map(|rule| case.decide(&rules(std::slice::from_ref(rule)))).collect();
        let first = alone.iter().find(|decision| decided_by(decision).is_some());
        let together = case.decide(&rules(&list));
        match first {
            None => prop_assert_eq!(word(&together), "policy.no_rule"),
            Some(first) => {
                let bare = |decision: &Decision| word(decision).split(" by ").next().map(str::to_owned);
                prop_assert_eq!(bare(&together), bare(first));
            }
        }
    }

    #[test]
    fn what_a_source_left_out_or_cut_lets_nobody_in(
        name in "[gxyz]", value in "[abc]", test in prop_oneof![Just("any"), Just("contains")], not in any::<bool>(),
        mut case in case(), cut in any::<bool>(),
    ) {
        let test = format!("claim = {{ name = '{name}', {test} = '{value}' }}");
        let when = if not { format!("not = {{ {test} }}") } else { test };
        let policy = rules(&[format!("when = {{ {when} }}\npermit = {{}}\n")]);
        if cut {
            let name: &'static str = ["g", "x", "y", "z"].into_iter().find(|one| *one == name).unwrap();
            case.truncated.push(name);
        } else {
            case.claims.as_object_mut().unwrap().remove(&name);
        }
        prop_assert_eq!(word(&case.decide(&policy)), "policy.no_rule");
    }

    #[test]
    fn texts_beyond_what_one_pass_finds_are_found_all_the_same(chosen in 0..400_usize, sources in 1..40_usize) {
        let names: Vec<_> = (0..400).map(|n| format!("g{n}")).collect();
        let filler: Vec<_> = (0..sources)
            .map(|n| format!("[[rule]]
name='f{n}'
when.claim={{ name='claim-{n}', any='nobody' }}
permit={{}}
"))
            .collect();
        let last = format!("[[rule]]\nname='last'\nwhen.groups.any={names:?}\npermit={{}}");
        let policy = policy(&(filler.concat() + &last));
        let mut claims = many(sources);
        claims.insert("groups".into(), json!([names[chosen]]));
        prop_assert_eq!(word(&with_claims(Value::Object(claims.clone())).decide(&policy)), "permit by last");
        claims.insert("groups".into(), json!(["g400"]));
        prop_assert_eq!(word(&with_claims(Value::Object(claims)).decide(&policy)), "policy.no_rule");
    }
}
