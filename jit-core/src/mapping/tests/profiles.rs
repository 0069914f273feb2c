use serde_json::json;

use super::*;

fn attribute(toml: &str, claims: Value) -> Wished {
    map(toml, claims).attributes.remove(0).value
}

fn one(text: &str) -> Wished {
    values(&[text])
}

#[test]
fn a_missing_or_cut_claim_says_nothing_and_an_empty_one_says_empty() {
    for rule in [
        "claim = 'x'",
        "template = '{x}'",
        "join = { claims = ['x'] }",
        "claim = 'x'\nlist = true",
        "template = '{x}{y}'",
    ] {
        let toml = format!("[[attribute]]\nattribute = 'a'\n{rule}\n");
        assert_eq!(attribute(&toml, json!({"y": ""})), Wished::Unknown, "{rule}");
        assert_eq!(attribute(&toml, json!({"x": null, "y": ""})), Wished::Unknown, "{rule}");
        assert_eq!(attribute(&toml, json!({"x": "", "y": ""})), Wished::Empty, "{rule}");
        assert_eq!(attribute(&toml, json!({"x": "v", "y": ""})), one("v"), "{rule}");
        let cut = Claims::new(members(json!({"x": ["v"], "y": ""}))).truncated("x");
        assert_eq!(try_map(&toml, cut.clone()).unwrap().attributes[0].value, Wished::Unknown, "{rule}");
        let required = format!("{toml}import = 'require'\n");
        for claims in [Claims::default(), Claims::new(members(json!({"x": [], "y": ""}))), cut] {
            let error = try_map(&required, claims).unwrap_err();
            assert!(matches!(error, MapError::Required { .. }), "{rule}: {error}");
        }
    }
}

#[test]
fn values_are_taken_by_path_constant_template_join_and_case() {
    let claims = json!({
        "address": {"lines": ["a", "b"]}, "given": "Ada", "family": "Lovelace", "n": 3, "tags": ["X", "x", "", "Y"],
    });
    for (rule, value) in [
        ("claim = '/address/lines/1'", one("b")),
        ("claim = 'n'", one("3")),
        ("constant = 'guest'", one("guest")),
        ("constant = ['a', 'b']\nlist = true", values(&["a", "b"])),
        ("template = '{family|upper}, {given}'", one("LOVELACE, Ada")),
        ("join = { claims = ['given', 'family'], separator = '.' }\ncase = 'lower'", one("ada.lovelace")),
        ("claim = 'tags'\nlist = true\ncase = 'lower'", values(&["x", "y"])),
    ] {
        let toml = format!("[[attribute]]\nattribute = 'a'\n{rule}\n");
        assert_eq!(attribute(&toml, claims.clone()), value, "{rule}");
    }
}

#[test]
fn a_form_or_size_that_a_rule_cannot_take_says_nothing_and_refuses_only_where_it_is_required() {
    let claims =
        || Claims::new(members(json!({"list": ["a", "b"], "object": {"a": 1}, "long": "x".repeat(2000)})));
    for (rule, code) in [
        ("claim = 'list'", "map.malformed"),
        ("claim = 'object'", "map.malformed"),
        ("template = '{list}'", "map.malformed"),
        ("claim = 'long'", "map.limit"),
        ("template = '{long}'", "map.limit"),
        ("join = { claims = ['long'] }", "map.limit"),
        ("claim = 'list'\nlist = true\nmax_values = 1", "map.limit"),
    ] {
        for import in ["suggest", "force"] {
            let toml = format!("[[attribute]]\nattribute = 'a'\n{rule}\nimport = '{import}'\n");
            let profile = try_map(&toml, claims()).unwrap();
            assert_eq!(profile.attributes[0].value, Wished::Unknown, "{rule}");
            let [note] = profile.notes.as_slice() else { panic!("{rule}: {:?}", profile.notes) };
            assert_eq!(note.rule.as_ref().unwrap().as_str(), "attribute.a", "{rule}");
            assert!(!note.detail.contains("xx"), "a note holds no values: {}", note.detail);
        }
        let required = format!("[[attribute]]\nattribute = 'a'\n{rule}\nimport = 'require'\n");
        assert_eq!(try_map(&required, claims()).unwrap_err().code().as_str(), code, "{rule}");
    }
    let fits = "[[attribute]]\nattribute = 'a'\nclaim = 'list'\nlist = true\nmax_bytes = 1\n";
    assert_eq!(try_map(fits, claims()).unwrap().attributes[0].value, values(&["a", "b"]));
}

#[test]
fn of_an_address_that_its_source_refutes_nothing_is_made() {
    let toml = "[email]\nclaim = '/contact/mail'\nverified = { claim = 'v' }\n\
                [user_name]\ntemplate = ['{/contact/mail|local}', '{nick}']\n\
                [[attribute]]\nattribute = 'mail'\nclaim = '/contact/mail'\n\
                [[attribute]]\nattribute = 'city'\nclaim = '/contact/city'\n";
    let said = |verified: Value| json!({"contact": {"mail": "root@example.com", "city": "Bonn"}, "v": verified, "nick": "ada"});
    let trusted = map(toml, said(json!(true)));
    assert_eq!(names(&trusted), ["root", "ada"]);
    let refuted = map(toml, said(json!(false)));
    assert_eq!(names(&refuted), ["ada"]);
    assert_eq!(refuted.attributes[0].value, Wished::Unknown);
    assert_eq!(refuted.attributes[1].value, one("Bonn"), "what stands beside it is read");
    assert_eq!(refuted.email.unwrap().verified, Some(false));
    assert!(refuted.notes.iter().any(|note| note.detail.contains("refutes")), "{:?}", refuted.notes);
    let odd = json!({"contact": {"mail": "root@"}, "v": false, "nick": "ada"});
    assert_eq!(names(&map(toml, odd)), ["ada"], "nor of what is no address at all");
    let required = toml.replace("verified =", "required = true\nverified =");
    let error = try_map(&required, Claims::new(members(said(json!(false))))).unwrap_err();
    assert_eq!(error.to_string(), "rule `email` requires claim `/contact/mail`, which is refuted");
}

#[test]
fn an_address_counts_for_members_of_the_connections_organisation() {
    let toml = "[email]\nclaim = 'email'\nverified = { claim = 'v', organisation = 'hd' }\n";
    let outsider = |hd: Value| {
        let claims = json!({"email": "ada@example.com", "v": true, "hd": hd});
        let profile = map_own(toml, Claims::new(members(claims))).unwrap();
        let email = profile.email.unwrap();
        assert_eq!((email.verified, profile.notes.len()), (Some(true), usize::from(email.is_outsider)));
        email.is_outsider
    };
    for ours in [json!("example.com"), json!("EXAMPLE.com"), json!("sub.example.com"), json!(["example.com"])]
    {
        assert!(!outsider(ours.clone()), "{ours}");
    }
    for other in [
        json!(null),
        json!(""),
        json!("evil.example"),
        json!("evilexample.com"),
        json!(["example.com", "evil.example"]),
        json!({"example.com": true}),
        json!(true),
    ] {
        assert!(outsider(other.clone()), "{other}");
    }
}

#[test]
fn access_follows_from_an_address_only_where_its_source_speaks_for_it() {
    let toml = "[email]\nclaim = 'email'\nverified = { claim = 'v', organisation = 'hd' }\n\
                [[attribute]]\nattribute = 'mail'\nclaim = 'email'\n\
                [[entitlement]]\nclaim = 'email'\ntable = { 'eve@example.com' = ['role:editor'] }\n";
    let wishes = |text: &str, v: Value, hd: Value| {
        let claims = json!({"email": "eve@example.com", "v": v, "hd": hd});
        let profile = map_own(text, Claims::new(members(claims))).unwrap();
        assert_eq!(profile.attributes.len(), 1);
        profile.entitlements.len()
    };
    let ours = json!("example.com");
    assert_eq!(wishes(toml, json!(true), ours.clone()), 1);
    assert_eq!(wishes(toml, json!(true), json!(null)), 0, "a private account there");
    assert_eq!(wishes(toml, json!(null), ours.clone()), 0, "nobody says that it is verified");
    assert_eq!(wishes(toml, json!(false), ours.clone()), 0, "its source refutes it");
    let open = format!("dangerously_use_unverified_email = true\n{toml}");
    assert_eq!(wishes(&open, json!(null), ours), 1);
}

#[test]
fn what_verifies_an_address_is_written_as_it_is_read() {
    for text in [
        json!("own_domains"),
        json!("never"),
        json!({"claim": "v"}),
        json!({"claim": "v", "organisation": "/org/domain"}),
    ] {
        let read: Verification = serde_json::from_value(text.clone()).unwrap();
        assert_eq!(serde_json::to_value(read).unwrap(), text);
    }
    let found = |verified: &str| problems(&format!("[email]\nclaim = 'email'\nverified = {verified}\n"));
    for (wrong, says) in [
        ("'own_domain'", "did you mean `own_domains`"),
        ("{ clam = 'v' }", "did you mean `claim`"),
        ("{ organisation = 'hd' }", "field `claim` is missing"),
        ("7", "config.wrong_type"),
    ] {
        let lines = found(wrong);
        assert!(lines.len() == 1 && lines[0].contains("email.verified"), "{wrong}: {lines:?}");
        assert!(lines[0].contains(says), "{wrong}: {lines:?}");
    }
}

#[test]
fn an_attribute_wish_carries_its_rules_and_origin() {
    let toml = "[[attribute]]\nattribute = 'a'\nclaim = '/x/y'\nname = 'mine'\nimport = 'suggest'\n\
                conflict = 'replace'\nsearchable = true\n[[attribute]]\nattribute = 'b'\nclaim = 'b'\nimport = 'ignore'\n";
    let profile = map(toml, json!({"b": "b"}));
    assert_eq!(profile.attributes.len(), 1);
    let wish = &profile.attributes[0];
    assert_eq!(
        (wish.import, wish.conflict, wish.searchable),
        (ImportRule::Suggest, ConflictRule::Replace, true)
    );
    assert_eq!((wish.rule.as_str(), wish.claim.as_deref()), ("mine", Some("/x/y")));
}

#[test]
fn an_address_is_verified_only_where_its_source_says_true() {
    let verified = |rule: &str, value: Value| {
        let toml = format!("[email]\nclaim = 'email'\n{rule}\n");
        map(&toml, json!({"email": "a@example.com", "v": value})).email.unwrap().verified
    };
    let by_claim = "verified = { claim = 'v' }";
    assert_eq!(verified(by_claim, json!(true)), Some(true));
    assert_eq!(verified(by_claim, json!(false)), Some(false));
    for silent in [json!(null), json!("true"), json!(1), json!(["true"]), json!({}), json!("yes")] {
        assert_eq!(verified(by_claim, silent), None);
    }
    let with_texts = "verified = { claim = 'v' }\naccept_text_booleans = true";
    for (value, truth) in
        [(json!("true"), Some(true)), (json!("1"), Some(true)), (json!(0), Some(false)), (json!("yes"), None)]
    {
        assert_eq!(verified(with_texts, value), truth);
    }
    assert_eq!(verified("verified = 'never'", json!(true)), None);
    assert_eq!(verified("dangerously_assume_verified = true", json!(null)), Some(true));
}

#[test]
fn an_address_that_cannot_be_relied_on_is_none_and_is_told_of() {
    let toml = "[email]\nclaim = 'email'\nverified = 'never'\n";
    for bad in [json!("not an address"), json!(["a@example.com", "b@example.com"]), json!("ａ@example.com")]
    {
        let profile = map(toml, json!({"email": bad}));
        assert_eq!(profile.email, None);
        assert_eq!(profile.notes.len(), 1);
        assert!(!format!("{:?}", profile.notes).contains("example"), "notes hold no values");
        let required = format!("{toml}required = true\n");
        assert!(matches!(
            try_map(&required, Claims::new(members(json!({"email": bad})))),
            Err(MapError::Malformed { .. })
        ));
    }
    assert_eq!(map(toml, json!({})).notes, []);
}

#[test]
fn user_names_are_tried_in_order_and_by_their_strategy() {
    let base = "[user_name]\ntemplate = ['{nick}', '{given|lower}.{family|lower}']\n";
    let claims = json!({"nick": "ada", "given": "Ada", "family": "Lovelace"});
    assert_eq!(names(&map(base, claims.clone())), ["ada", "ada.lovelace"]);
    assert_eq!(names(&map(base, json!({"given": "A", "family": "B"}))), ["a.b"]);
    assert_eq!(names(&map(base, json!({"given": "A", "family": ""}))), [""; 0]);
    let numbered = format!("{base}on_taken = {{ number = {{ max = 4 }} }}\n");
    assert_eq!(names(&map(&numbered, claims.clone())), ["ada", "ada.lovelace", "ada2", "ada3", "ada4"]);
    let hashed = format!("{base}on_taken = 'subject_hash'\n");
    let first = map(&hashed, claims.clone());
    assert_eq!(names(&first).len(), 4);
    assert!(names(&first)[2].starts_with("ada-") && names(&first)[2].len() == 8);
    let other =
        rules(&hashed).compile().unwrap().map(&identity_of(Claims::new(members(claims.clone())), "other"));
    assert_ne!(names(&first)[2], names(&other.unwrap())[2]);
    let asked = format!("{base}on_taken = 'ask'\n");
    assert_eq!(map(&asked, claims).user_name.unwrap().on_taken, OnNameTaken::Ask);
}

#[test]
fn characters_that_a_name_cannot_hold_are_treated_by_rule() {
    let name = |rule: &str, nick: &str| {
        let toml = format!("[user_name]\ntemplate = ['{{nick}}']\n{rule}\n");
        names(&map(&toml, json!({"nick": nick}))).join(" ")
    };
    assert_eq!(name("", "a b"), "");
    assert_eq!(name("invalid = 'replace'", "a b/c"), "a_b_c");
    assert_eq!(name("invalid = 'drop'", "a b/c"), "abc");
    assert_eq!(name("strip_accents = true", "Jürgen"), "Jurgen");
    assert_eq!(name("case = 'lower'", "JÜRGEN"), "jürgen");
    assert_eq!(name("invalid = 'replace'", "p\u{430}ypal"), "", "a name of two scripts is no name");
    let required = "[user_name]\ntemplate = ['{nick}']\nrequired = true\n";
    assert!(matches!(try_map(required, Claims::default()), Err(MapError::Required { .. })));
}
