use super::*;

#[test]
fn connection_and_tenant_match_by_name() {
    let case = Case::default();
    for (when, expected) in [
        ("connection = 'entra'", "holds"),
        ("connection = ['okta', 'entra']", "holds"),
        ("connection = 'Entra'", "fails"),
        ("tenant = 'acme'", "holds"),
        ("tenant = ['globex']", "fails"),
        ("tenant = 'acme'\nconnection = 'okta'", "fails"),
    ] {
        assert_eq!(outcome(when, &case), expected, "{when}");
    }
}

#[test]
fn the_account_that_is_met_is_told_apart() {
    let table = [
        (Meets::Nobody, "active", ["none"].as_slice()),
        (Meets::Linked, "active", &["linked"]),
        (Meets::Candidate, "active", &["candidate"]),
        (Meets::Proved, "active", &["candidate", "proved_candidate"]),
        (Meets::Several, "active", &["ambiguous"]),
        (Meets::Linked, "pending", &["linked"]),
        (Meets::Linked, "invited", &["linked", "invited"]),
        (Meets::Candidate, "invited", &["candidate", "invited"]),
    ];
    for (meets, state, expected) in table {
        let case = Case { meets, state: states()[state].clone(), ..Case::default() };
        for is in ["none", "linked", "candidate", "proved_candidate", "ambiguous", "invited"] {
            let wanted = if expected.contains(&is) { "holds" } else { "fails" };
            assert_eq!(outcome(&format!("account = '{is}'"), &case), wanted, "{meets:?} {state} {is}");
        }
    }
}

#[test]
fn an_address_counts_for_its_domain_from_its_grade_on() {
    let permits = |when: &str, email| {
        let rules = format!("[[rule]]\nname = 'r'\npermit = {{}}\nwhen = {{ {when} }}");
        word(&Case { email, ..Case::default() }.decide(&policy(&rules)))
    };
    let own = "email_domain = ['example.com', '*.example.org']";
    for (address, trust, expected) in [
        ("a@example.com", EmailTrust::Authoritative, "permit by r"),
        ("a@b.example.org", EmailTrust::Authoritative, "permit by r"),
        ("a@example.org", EmailTrust::Authoritative, "policy.no_rule"),
        ("a@evilexample.com", EmailTrust::Authoritative, "policy.no_rule"),
        ("a@example.com.evil.net", EmailTrust::Authoritative, "policy.no_rule"),
        ("a@example.com", EmailTrust::Asserted, "policy.no_rule"),
        ("a@example.com", EmailTrust::Unstated, "policy.no_rule"),
        ("a@example.com", EmailTrust::Refuted, "policy.no_rule"),
    ] {
        assert_eq!(permits(own, Some((address, trust))), expected, "{address} {trust:?}");
    }
    assert_eq!(permits(own, None), "policy.no_rule");
    let asserted = "email_domain = 'example.com', email_trust = 'asserted'";
    assert_eq!(permits(asserted, Some(("a@example.com", EmailTrust::Asserted))), "permit by r");
    assert_eq!(permits(asserted, Some(("a@example.com", EmailTrust::Unstated))), "policy.no_rule");
    let not = "not.email_domain = 'example.com'";
    assert_eq!(permits(not, Some(("a@example.org", EmailTrust::Authoritative))), "permit by r");
    assert_eq!(permits(not, Some(("a@example.org", EmailTrust::Asserted))), "policy.no_rule");
    assert_eq!(permits(not, None), "policy.no_rule");
}

#[test]
fn a_rule_that_denies_a_domain_cannot_be_passed_with_a_doubtful_address() {
    let rules = |when: &str| {
        format!(
            "[[rule]]\nname='d'\nwhen={{ {when} }}\ndeny={{message='no'}}\n[[rule]]\nname='p'\npermit={{}}"
        )
    };
    let decide = |when: &str, email| word(&Case { email, ..Case::default() }.decide(&policy(&rules(when))));
    for trust in [EmailTrust::Refuted, EmailTrust::Unstated, EmailTrust::Asserted, EmailTrust::Authoritative]
    {
        let rival = Some(("a@rival.example", trust));
        assert_eq!(decide("email_domain = 'rival.example'", rival), "policy.denied by d", "{trust:?}");
        let ours = Some(("a@example.com", trust));
        assert_eq!(decide("email_domain = 'rival.example'", ours), "permit by p", "{trust:?}");
        let expected =
            if trust == EmailTrust::Authoritative { "permit by p" } else { "policy.undecided by d" };
        assert_eq!(decide("not.email_domain = 'example.com'", ours), expected, "{trust:?}");
    }
    assert_eq!(decide("email_domain = 'rival.example'", None), "permit by p");
    assert_eq!(decide("not.email_domain = 'example.com'", None), "policy.undecided by d");
}

#[test]
fn the_grade_of_an_address_alone_can_be_asked_for() {
    let case = |trust| Case { email: Some(("a@example.com", trust)), ..Case::default() };
    assert_eq!(outcome("email_trust = 'asserted'", &case(EmailTrust::Authoritative)), "holds");
    assert_eq!(outcome("email_trust = 'asserted'", &case(EmailTrust::Asserted)), "holds");
    assert_eq!(outcome("email_trust = 'asserted'", &case(EmailTrust::Unstated)), "fails");
    assert_eq!(outcome("email_trust = 'asserted'", &Case::default()), "silent");
}

#[test]
fn claims_are_tested_byte_for_byte_in_all_their_states() {
    let claims = json!({
        "groups": ["staff", "/eng/core", "team-a"], "one": "staff", "empty": [], "null": null,
        "number": [7, 1.5, -3], "truth": true, "odd": ["staff", {"a": 1}], "object": {"a": "b"},
        "realm": {"roles": ["r1"]}, "cut": ["staff"]
    });
    let case = Case { truncated: vec!["cut", "gone"], ..with_claims(claims) };
    for (when, expected) in [
        ("groups.any = 'staff'", "holds"),
        ("groups.any = ['x', 'team-a']", "holds"),
        ("groups.any = 'Staff'", "fails"),
        ("groups.any = 'staf'", "fails"),
        ("groups.contains = ['staff', 'team-a']", "holds"),
        ("groups.contains = ['staff', 'x']", "fails"),
        ("groups.prefix = '/eng/'", "holds"),
        ("groups.prefix = 'team-'", "holds"),
        ("groups.prefix = '/eng/core/'", "fails"),
        ("groups.is = 'present'", "holds"),
        ("groups.is = 'empty'", "fails"),
        ("groups.any = 'staff'\ngroups.prefix = 'x-'", "fails"),
        ("claim = { name = 'one', any = 'staff' }", "holds"),
        ("claim = { name = 'one', contains = ['staff'] }", "holds"),
        ("claim = { name = '/realm/roles', any = 'r1' }", "holds"),
        ("claim = { name = 'number', any = '7' }", "holds"),
        ("claim = { name = 'number', any = '1.5' }", "holds"),
        ("claim = { name = 'number', contains = ['-3', '7'] }", "holds"),
        ("claim = { name = 'number', prefix = '-' }", "holds"),
        ("claim = { name = 'truth', any = 'true' }", "holds"),
        ("claim = { name = 'empty', any = 'x' }", "fails"),
        ("claim = { name = 'empty', is = 'empty' }", "holds"),
        ("claim = { name = 'empty', is = 'present' }", "fails"),
        ("claim = { name = 'absent', any = 'x' }", "silent"),
        ("claim = { name = 'absent', prefix = 'x-' }", "silent"),
        ("claim = { name = 'absent', is = 'present' }", "silent"),
        ("claim = { name = 'absent', is = 'empty' }", "silent"),
        ("claim = { name = 'absent', is = 'truncated' }", "silent"),
        ("claim = { name = 'null', is = 'present' }", "silent"),
        ("claim = { name = 'cut', any = 'staff' }", "open"),
        ("claim = { name = 'cut', contains = 'x' }", "open"),
        ("claim = { name = 'cut', prefix = 'x-' }", "open"),
        ("claim = { name = 'cut', is = 'present' }", "open"),
        ("claim = { name = 'cut', is = 'empty' }", "open"),
        ("claim = { name = 'cut', is = 'truncated' }", "holds"),
        ("claim = { name = 'gone', is = 'truncated' }", "holds"),
        ("claim = { name = 'gone', any = 'x' }", "open"),
        ("claim = { name = 'odd', any = 'staff' }", "holds"),
        ("claim = { name = 'odd', any = 'x' }", "open"),
        ("claim = { name = 'object', any = 'b' }", "open"),
        ("claim = [{ name = 'one', any = 'staff' }, { name = 'truth', any = 'false' }]", "fails"),
    ] {
        assert_eq!(outcome(when, &case), expected, "{when}");
    }
}

#[test]
fn the_groups_test_can_read_another_claim() {
    let case = with_claims(json!({"roles": ["staff"]}));
    assert_eq!(outcome("groups.name = 'roles'\ngroups.any = 'staff'", &case), "holds");
    assert_eq!(outcome("groups.any = 'staff'", &case), "silent");
}

#[test]
fn wishes_of_a_cut_claim_are_not_taken_for_complete() {
    let case = |truncated| Case { wished: vec!["role:admin", "group:team-a"], truncated, ..Case::default() };
    for (when, whole, cut) in [
        ("wished = 'role:admin'", "holds", "holds"),
        ("wished = ['role:x', 'group:team-*']", "holds", "holds"),
        ("wished = 'role:editor'", "fails", "open"),
        ("wished = 'group:team'", "fails", "open"),
    ] {
        assert_eq!(outcome(when, &case(vec![])), whole, "{when}");
        assert_eq!(outcome(when, &case(vec!["groups"])), cut, "{when}");
    }
    assert_eq!(outcome("wished = 'role:admin'", &Case::default()), "fails");
}

#[test]
fn what_the_account_holds_counts_while_it_is_in_force() {
    let past = Some("2026-07-01T09:59:59Z");
    let case = |meets| Case {
        meets,
        holds: vec![
            ("role:admin", None),
            ("role:owner", past),
            ("group:team-a", Some("2027-01-01T00:00:00Z")),
        ],
        ..Case::default()
    };
    for (when, linked, nobody, several) in [
        ("holds = 'role:admin'", "holds", "fails", "open"),
        ("holds = 'role:owner'", "fails", "fails", "open"),
        ("holds = 'group:*'", "holds", "fails", "open"),
        ("not_holds = 'role:admin'", "fails", "holds", "open"),
        ("not_holds = ['role:owner', 'role:root*']", "holds", "holds", "open"),
    ] {
        assert_eq!(outcome(when, &case(Meets::Linked)), linked, "{when}");
        assert_eq!(outcome(when, &case(Meets::Candidate)), linked, "{when}");
        assert_eq!(outcome(when, &case(Meets::Nobody)), nobody, "{when}");
        assert_eq!(outcome(when, &case(Meets::Several)), several, "{when}");
    }
}

#[test]
fn an_unknown_address_lies_in_no_network_and_outside_of_none() {
    let case = |client| Case { client, ..Case::default() };
    let when = "network = ['192.0.2.0/24', '2001:db8::/32', '198.51.100.7']";
    for (client, expected) in [
        (Some("192.0.2.1"), "holds"),
        (Some("::ffff:192.0.2.1"), "holds"),
        (Some("2001:db8:ffff::1"), "holds"),
        (Some("198.51.100.7"), "holds"),
        (Some("198.51.100.8"), "fails"),
        (Some("2001:db9::1"), "fails"),
        (None, "open"),
    ] {
        assert_eq!(outcome(when, &case(client)), expected, "{client:?}");
    }
}

#[test]
fn hours_follow_the_clock_on_the_wall_and_go_over_midnight() {
    let case = |now| Case { now, ..Case::default() };
    // The 1st of July 2026 is a Wednesday.
    for (when, now, expected) in [
        ("hours = { from = '08:00', to = '18:00' }", "2026-07-01T08:00:00Z", "holds"),
        ("hours = { from = '08:00', to = '18:00' }", "2026-07-01T17:59:59Z", "holds"),
        ("hours = { from = '08:00', to = '18:00' }", "2026-07-01T18:00:00Z", "fails"),
        ("hours = { from = '08:00', to = '18:00', offset = '+02:00' }", "2026-07-01T06:00:00Z", "holds"),
        ("hours = { from = '08:00', to = '18:00', offset = '+02:00' }", "2026-07-01T16:30:00Z", "fails"),
        ("hours = { days = ['mon', 'wed'] }", "2026-07-01T00:00:00Z", "holds"),
        ("hours = { days = 'thu' }", "2026-07-01T23:59:59Z", "fails"),
        ("hours = { days = 'thu', offset = '+01:00' }", "2026-07-01T23:59:59Z", "holds"),
        ("hours = { days = 'tue', offset = '-03:30' }", "2026-07-01T03:29:59Z", "holds"),
        ("hours = { days = 'wed', from = '22:00', to = '06:00' }", "2026-07-01T22:00:00Z", "holds"),
        ("hours = { days = 'wed', from = '22:00', to = '06:00' }", "2026-07-02T05:59:59Z", "holds"),
        ("hours = { days = 'wed', from = '22:00', to = '06:00' }", "2026-07-02T06:00:00Z", "fails"),
        ("hours = { days = 'wed', from = '22:00', to = '06:00' }", "2026-07-01T05:59:59Z", "fails"),
        ("hours = { days = 'sun', from = '22:00', to = '06:00' }", "2026-07-06T01:00:00Z", "holds"),
        ("hours = [{ to = '01:00' }, { from = '23:00' }]", "2026-07-01T23:30:00Z", "holds"),
        ("hours = { days = 'thu' }", "1969-12-25T12:00:00Z", "holds"),
    ] {
        assert_eq!(outcome(when, &case(now)), expected, "{when} at {now}");
    }
}

#[test]
fn a_rule_can_begin_and_end() {
    let case = |now| Case { now, ..Case::default() };
    let when = "not_before = 2026-07-01T00:00:00Z\nnot_after = '2026-08-01T00:00:00+00:00'";
    assert_eq!(outcome(when, &case("2026-06-30T23:59:59Z")), "fails");
    assert_eq!(outcome(when, &case("2026-07-01T00:00:00Z")), "holds");
    assert_eq!(outcome(when, &case("2026-08-01T00:00:00Z")), "fails");
}

#[test]
fn how_a_person_authenticated_counts_only_when_the_source_says_it() {
    let case = Case {
        acr: Some("urn:two"),
        amr: vec!["pwd", "otp"],
        authenticated_at: Some("2026-07-01T09:30:00Z"),
        ..Case::default()
    };
    for (when, expected) in [
        ("acr = ['urn:one', 'urn:two']", "holds"),
        ("acr = 'urn:one'", "fails"),
        ("amr.any = ['hwk', 'otp']", "holds"),
        ("amr.any = 'hwk'", "fails"),
        ("amr.all = ['otp', 'pwd']", "holds"),
        ("amr.all = ['otp', 'hwk']", "fails"),
        ("amr = { any = 'pwd', all = ['hwk'] }", "fails"),
        ("max_auth_age = '30m'", "holds"),
        ("max_auth_age = '29m'", "fails"),
    ] {
        assert_eq!(outcome(when, &case), expected, "{when}");
        assert_eq!(outcome(when, &Case::default()), "silent", "{when}");
    }
    let soon = |at| Case { authenticated_at: Some(at), ..Case::default() };
    assert_eq!(outcome("max_auth_age = '1h'", &soon("2026-07-01T10:01:00Z")), "holds");
    assert_eq!(outcome("max_auth_age = '1h'", &soon("2026-07-01T10:01:01Z")), "fails");
}

#[test]
fn a_block_of_conditions_is_turned_around_as_a_whole() {
    let case = Case { client: Some("192.0.2.1"), ..with_claims(json!({"groups": ["staff"]})) };
    for (when, expected) in [
        ("not = { tenant = 'globex', groups.any = 'staff' }", "holds"),
        ("not = { tenant = 'acme', groups.any = 'staff' }", "fails"),
        ("not = { tenant = 'acme', claim = { name = 'absent', any = 'x' } }", "open"),
        ("not = { tenant = 'globex', claim = { name = 'absent', any = 'x' } }", "holds"),
        ("not = { not = { tenant = 'acme' } }", "holds"),
        ("tenant = 'acme'\nnot.network = '198.51.100.0/24'", "holds"),
    ] {
        let rules = |answer: &str| {
            format!("[[rule]]\nname='r'\n{answer}\n[rule.when]\n{when}\n[[rule]]\nname='p'\npermit={{}}")
        };
        let permitted = word(&case.decide(&policy(&rules("permit={}"))));
        let denied = word(&case.decide(&policy(&rules("deny={message='no'}"))));
        let expected = match expected {
            "holds" => ("permit by r", "policy.denied by r"),
            "fails" => ("permit by p", "permit by p"),
            _ => ("permit by p", "policy.undecided by r"),
        };
        assert_eq!((permitted.as_str(), denied.as_str()), expected, "{when}");
    }
}

#[test]
fn a_missing_second_factor_is_refused_even_when_the_source_is_silent() {
    let rules = "[[rule]]\nname='mfa'\nwhen.not.amr.any=['otp','hwk']\ndeny={message='use a second factor'}\n\
                 [[rule]]\nname='p'\npermit={}";
    let case = |amr| Case { amr, ..Case::default() };
    assert_eq!(word(&case(vec!["pwd", "otp"]).decide(&policy(rules))), "permit by p");
    assert_eq!(word(&case(vec!["pwd"]).decide(&policy(rules))), "policy.denied by mfa");
    assert_eq!(word(&case(vec![]).decide(&policy(rules))), "policy.undecided by mfa");
}

#[test]
fn nobody_slips_past_a_rule_that_denies_by_having_too_many_groups() {
    let rules = "[[rule]]\nname='blocked'\nwhen.groups.any='blocked'\ndeny={message='no'}\n\
                 [[rule]]\nname='p'\npermit={}";
    let case = |truncated| Case { truncated, ..with_claims(json!({"groups": ["staff"]})) };
    assert_eq!(word(&case(vec![]).decide(&policy(rules))), "permit by p");
    assert_eq!(word(&case(vec!["groups"]).decide(&policy(rules))), "policy.undecided by blocked");
}

#[cfg(feature = "cel")]
#[test]
fn an_expression_that_gives_no_truth_value_can_not_be_told() {
    let case =
        Case { truncated: vec!["cut"], ..with_claims(json!({"level": 3, "groups": ["a"], "cut": ["a"]})) };
    for (when, expected) in [
        ("expression = 'claims.level >= 3'", "holds"),
        ("expression = 'claims.level > 3'", "fails"),
        ("expression = \"'a' in claims.groups\"", "holds"),
        ("expression = \"'a' in claims.absent\"", "open"),
        ("expression = \"!('a' in claims.cut)\"", "open"),
        ("expression = 'claims.level'", "open"),
        ("expression = 'claims.level / 0 == 1'", "open"),
        ("expression = \"claims.level == 'x' || claims.groups > 2\"", "open"),
    ] {
        assert_eq!(outcome(when, &case), expected, "{when}");
    }
}
