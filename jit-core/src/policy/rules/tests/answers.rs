use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::*;
use crate::{AccountEnd, Ask, GrantEnd, Permit};

fn permit(answer: &str, case: &Case) -> Result<Permit, String> {
    match case.decide(&policy(&format!("[[rule]]\nname = 'r'\npermit = {answer}"))) {
        Decision::Permit(permit) => Ok(permit),
        other => Err(word(&other)),
    }
}

#[test]
fn a_permit_carries_its_limits() {
    let answer = "{ entitlements = ['role:editor', 'group:staff'], ceiling = ['role:editor', 'group:*'], \
                  grant_end = { lease = '8h' }, account_end = { after_creation = '90d' }, idle_limit = '30d', \
                  session_limit = '30m' }";
    let given = permit(answer, &Case::default()).unwrap();
    assert_eq!(given.rule.unwrap().as_str(), "r");
    assert_eq!(given.entitlements, ["role:editor".parse().unwrap(), "group:staff".parse().unwrap()]);
    assert_eq!(given.ceiling.unwrap().len(), 2);
    assert_eq!(given.grant_end, Some(GrantEnd::Lease(TimeDelta::hours(8))));
    assert_eq!(given.account_end, Some(AccountEnd::AfterCreation(TimeDelta::days(90))));
    assert_eq!(given.idle_limit, Some(TimeDelta::days(30)));
    assert_eq!(given.session_limit, Some(TimeDelta::minutes(30)));
    let plain = permit("{}", &Case::default()).unwrap();
    assert_eq!(plain, Permit { rule: plain.rule.clone(), ..Permit::default() });
}

#[test]
fn ends_can_be_fixed_and_a_past_end_of_the_account_denies() {
    let given = permit(
        "{ grant_end.at = 2027-01-01T00:00:00Z, account_end.at = '2027-02-01T00:00:00Z' }",
        &Case::default(),
    );
    let given = given.unwrap();
    assert_eq!(given.grant_end, Some(GrantEnd::At(at("2027-01-01T00:00:00Z"))));
    assert_eq!(given.account_end, Some(AccountEnd::At(at("2027-02-01T00:00:00Z"))));
    let past = permit("{ account_end.at = 2026-07-01T10:00:00Z }", &Case::default());
    assert_eq!(past, Err("policy.end_passed by r".to_owned()));
}

#[test]
fn the_end_of_a_contract_comes_from_its_claim_and_fails_closed() {
    let until = |claims: Value| permit("{ account_end.claim = 'contract_end' }", &with_claims(claims));
    let end = |text: &str| Ok(Some(AccountEnd::At(at(text))));
    for (value, expected) in [
        (json!("2026-12-31T17:00:00+01:00"), end("2026-12-31T16:00:00Z")),
        (json!("2026-12-31"), end("2027-01-01T00:00:00Z")),
        (json!(["2026-12-31"]), end("2027-01-01T00:00:00Z")),
        (json!("2026-07-01"), end("2026-07-02T00:00:00Z")),
        (json!("2026-06-30"), Err("policy.end_passed by r")),
        (json!("2026-13-01"), Err("policy.end_missing by r")),
        (json!("2026-1-1"), Err("policy.end_missing by r")),
        (json!("31.12.2026"), Err("policy.end_missing by r")),
        (json!("2026-12-31T17:00:00"), Err("policy.end_missing by r")),
        (json!(1_798_740_000), Err("policy.end_missing by r")),
        (json!(["2026-12-31", "2027-12-31"]), Err("policy.end_missing by r")),
        (json!(""), Err("policy.end_missing by r")),
        (json!(null), Err("policy.end_missing by r")),
        (json!("262143-12-31"), Err("policy.end_missing by r")),
    ] {
        let given = until(json!({ "contract_end": value }));
        assert_eq!(given.map(|permit| permit.account_end), expected.map_err(str::to_owned), "{value}");
    }
    assert_eq!(until(json!({})).unwrap_err(), "policy.end_missing by r");
    let cut = Case { truncated: vec!["contract_end"], ..with_claims(json!({"contract_end": "2026-12-31"})) };
    assert_eq!(
        permit("{ account_end.claim = 'contract_end' }", &cut).unwrap_err(),
        "policy.end_missing by r"
    );
    let east = permit(
        "{ account_end.claim = { name = 'contract_end', offset = '+02:00' } }",
        &with_claims(json!({"contract_end": "2026-12-31"})),
    );
    assert_eq!(east.unwrap().account_end, Some(AccountEnd::At(at("2026-12-31T22:00:00Z"))));
}

#[test]
fn a_hold_names_its_asks_and_what_is_permitted_then() {
    let rules = "[[rule]]\nname = 'r'\n[rule.hold]\nasks = ['consent:terms-2026', 'user_name', 'password', \
                 'link_proof', 'approval']\npermit.entitlements = 'role:guest'";
    let Decision::Hold(hold) = Case::default().decide(&policy(rules)) else { panic!("a hold") };
    let asks =
        [Ask::Consent("terms-2026".into()), Ask::UserName, Ask::Password, Ask::LinkProof, Ask::Approval];
    assert_eq!(hold.asks, BTreeSet::from(asks));
    assert_eq!(hold.permit.entitlements, ["role:guest".parse().unwrap()]);
}

#[test]
fn a_hold_whose_end_cannot_be_read_denies() {
    let rules = "[[rule]]\nname='r'\n[rule.hold]\nasks=['approval']\npermit.account_end.claim='contract_end'";
    assert_eq!(word(&Case::default().decide(&policy(rules))), "policy.end_missing by r");
}

#[test]
fn a_denial_says_what_the_operator_wrote() {
    let rules = "[[rule]]\nname='r'\ndeny={code='app.staff_only',message='Only staff may sign in here.'}";
    let Decision::Deny(denial) = Case::default().decide(&policy(rules)) else { panic!("a denial") };
    assert_eq!(denial.code.as_str(), "app.staff_only");
    assert_eq!(denial.message.as_deref(), Some("Only staff may sign in here."));
}
