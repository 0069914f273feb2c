use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::run::{Expression, ExpressionFault};
use crate::{Claims, config::Problems};

fn compiled(source: &str) -> Expression {
    let mut found = Problems::none();
    Expression::new_in(source, &mut found).unwrap_or_else(|| panic!("{source}: {found}"))
}

fn refused(source: &str) -> String {
    let mut found = Problems::none();
    match Expression::new_in(source, &mut found) {
        None => found.to_string(),
        Some(_) => format!("accepted {source}"),
    }
}

fn claims(value: Value) -> Claims {
    let Value::Object(members) = value else { panic!("an object") };
    Claims::new(members)
}

fn texts(source: &str, value: Value) -> Result<Option<Vec<String>>, ExpressionFault> {
    compiled(source).texts(&claims(value))
}

fn person() -> Value {
    json!({
        "name": "Ada Lovelace", "groups": ["eng", "team-a", "team-b"], "n": 41, "ok": true, "none": null,
        "address": {"city": "London"}, "https://x/roles": ["admin"], "empty": [],
    })
}

#[test]
fn an_expression_makes_texts_and_truth_values_of_claims() {
    for (source, expected) in [
        ("claims.name.lowerAscii()", vec!["ada lovelace"]),
        (
            "claims.groups.filter(g, g.startsWith('team-')).map(g, 'group:' + g)",
            vec!["group:team-a", "group:team-b"],
        ),
        ("claims['https://x/roles']", vec!["admin"]),
        ("claims.address.city + '/' + string(claims.n + 1)", vec!["London/42"]),
        ("has(claims.nope) ? claims.nope : 'none'", vec!["none"]),
        ("has(claims.none) ? 'there' : 'not there'", vec!["not there"]),
        ("'nope' in claims ? 'a' : 'b'", vec!["b"]),
        ("claims.name.split(' ')", vec!["Ada", "Lovelace"]),
        ("claims.empty", vec![]),
        ("claims.ok && 'eng' in claims.groups", vec!["true"]),
    ] {
        let expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
        assert_eq!(texts(source, person()), Ok(Some(expected)), "{source}");
    }
    assert_eq!(compiled("claims.groups.exists(g, g == 'eng')").evaluate_bool(&claims(person())), Ok(true));
    assert_eq!(compiled("claims.name").evaluate_bool(&claims(person())), Err(ExpressionFault::WrongResult));
}

#[test]
fn a_missing_or_cut_claim_is_never_a_conclusion() {
    assert_eq!(texts("claims.nope", person()), Ok(None));
    assert_eq!(texts("claims.none + 'x'", person()), Ok(None));
    assert_eq!(texts("claims.name + 1", person()), Err(ExpressionFault::Failed));
    let cut = claims(person()).truncated("groups");
    assert_eq!(compiled("'x' in claims.groups ? 'a' : 'b'").texts(&cut), Ok(None));
    assert_eq!(compiled("!('x' in claims.groups)").evaluate_bool(&cut), Err(ExpressionFault::Missing));
    assert_eq!(
        compiled("claims.nope == 'x'").evaluate_bool(&claims(person())),
        Err(ExpressionFault::Missing)
    );
}

#[test]
fn a_wrong_expression_is_refused_with_its_place_when_it_is_loaded() {
    for (source, part) in [
        ("claims.x ==", "line 1, column"),
        ("claim.x", "line 1, column 1: unknown variable `claim`"),
        ("claims.x\n&& foo(1)", "line 2, column 7: unknown function `foo`"),
        ("claims.x.startWith('a')", "did you mean `startsWith`"),
        ("claims.x.matches('a')", "unknown function `matches`"),
        ("size(claims.x, 2)", "is not called like this"),
        ("claims", "name the claim"),
        ("claims.map(k, k)", "name the claim"),
        ("claims[claims.x]", "name the claim"),
        ("Foo{a: 1}", "messages"),
        ("claims.x.map(claims, 1)", "something else already"),
        ("claims.x.all(1, true)", "needs a variable"),
        ("", "empty"),
    ] {
        let message = refused(source);
        assert!(message.contains(part) && message.contains("(config.expression)"), "{source}: {message}");
    }
}

/// Each of these ends the process in a plain interpreter, or takes it for minutes.
#[test]
fn what_would_end_the_process_is_refused_or_bounded() {
    for source in [
        format!("{}1{}", "(".repeat(17), ")".repeat(17)),
        format!("{}1{}", "[".repeat(2000), "]".repeat(2000)),
        format!("1{}", " + 1".repeat(1000)),
        "-".repeat(250) + "1",
        "[1].all(a, [1].all(b, [1].all(c, true)))".to_owned(),
        "claims.g".to_owned() + &".map(x, x + x)".repeat(9),
    ] {
        assert!(refused(&source).contains("(config.expression)"), "{}", refused(&source));
    }
    let deepest = format!("{}1{} == 1", "(".repeat(16), ")".repeat(16));
    assert_eq!(compiled(&deepest).evaluate_bool(&Claims::default()), Ok(true));
    let longest = format!("1{} == 200", " + 1".repeat(198));
    assert!(compiled(&longest).evaluate_bool(&Claims::default()).is_ok());
    let lists = format!("size({}1{}) == 1", "[".repeat(15), "]".repeat(15));
    assert_eq!(compiled(&lists).evaluate_bool(&Claims::default()), Ok(true));
    let ternary = "true ? 1 : ".repeat(90) + "1";
    assert_eq!(compiled(&ternary).texts(&Claims::default()), Ok(Some(vec!["1".into()])));
}

#[test]
fn work_that_would_grow_without_bound_does_not_start() {
    let many =
        json!({"g": (0..5000).map(|n| format!("group-{n}")).collect::<Vec<_>>(), "s": "x".repeat(4000)});
    let doubling = "[claims.s]".to_owned() + &".map(x, x + x + x + x + x + x + x + x)".repeat(8);
    let mut nested = String::from("claims.g.map(a, claims.g.map(b, claims.s + a + b))");
    let _ = write!(nested, " == []");
    for source in [
        doubling.as_str(),
        nested.as_str(),
        "claims.g.all(a, claims.g.all(b, a != b + 'x'))",
        "claims.s.replace('', claims.s)",
        "claims.s.split('').map(x, claims.s).join(claims.s)",
    ] {
        let result = compiled(source).texts(&claims(many.clone()));
        assert_eq!(result, Err(ExpressionFault::OverBudget), "{source}");
    }
    let large = json!({"g": "x".repeat(1 << 20)});
    assert_eq!(texts("claims.g", large), Err(ExpressionFault::OverBudget));
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    assert_eq!(texts("claims.g", json!({"g": deep})), Err(ExpressionFault::OverBudget));
    let usual = json!({"g": (0..300).map(|n| format!("group-{n}")).collect::<Vec<_>>()});
    assert_eq!(texts("claims.g.filter(g, g.endsWith('-299'))", usual), Ok(Some(vec!["group-299".into()])));
}

/// The heaviest runs that the budget allows end long before their time is over, in debug builds too.
#[test]
fn what_the_budget_allows_ends_in_time() {
    let group = |count: usize| json!({"g": (0..count).map(|n| format!("{n}")).collect::<Vec<_>>(), "s": "x".repeat(300)});
    for source in [
        "claims.g.all(a, claims.g.all(b, a != b + 'x'))",
        "claims.g.map(a, claims.g.filter(b, a != b)).all(x, size(x) > 0)",
        "claims.s.split('').map(x, x + x).join('-') != ''",
        "claims.s.indexOf(claims.s + 'y') == -1",
    ] {
        let expression = compiled(source);
        let mut ran = 0;
        for count in [10, 30, 60, 90, 130, 200] {
            match expression.evaluate_bool(&claims(group(count))) {
                Ok(truth) => {
                    assert!(truth, "{source}");
                    ran += 1;
                }
                Err(fault) => assert_eq!(fault, ExpressionFault::OverBudget, "{source} {count}"),
            }
        }
        assert!(ran > 0, "{source}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]
    #[test]
    fn no_text_makes_compiling_or_running_panic(
        source in "(claims\\.(g|s|n)|'[a-z]{0,3}'|[0-9]|\\.(map|all|filter)\\(x, x\\)|\\(|\\)|\\[|\\]| [+*%?:<] | && | in |\\.size\\(\\)|\\.split\\(''\\)|!|-){1,12}"
    ) {
        let mut found = Problems::none();
        if let Some(expression) = Expression::new_in(&source, &mut found) {
            let _ = expression.texts(&claims(json!({"g": ["a", "b"], "s": "text", "n": i64::MAX})));
        }
    }
}
