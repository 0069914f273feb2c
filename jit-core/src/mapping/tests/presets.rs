use serde_json::json;

use super::*;

#[test]
fn every_preset_loads_without_a_problem_and_adds_something() {
    for preset in Preset::ALL {
        let loaded: MappingRules =
            load(preset.text(), Format::Toml, "preset").unwrap_or_else(|p| panic!("{preset:?}: {p}"));
        assert_eq!(loaded, preset.rules());
        assert!(loaded.email.is_some() && loaded.user_name.is_some() && !loaded.attribute.is_empty());
        let word = serde_json::to_value(preset).unwrap();
        assert_eq!(rules(&format!("preset = {word}")).preset, Some(preset));
    }
}

#[test]
fn a_preset_suits_the_claims_of_its_product() {
    let person = json!({
        "name": "Ada Lovelace", "given_name": "Ada", "family_name": "Lovelace", "email": "ada@example.com",
        "email_verified": true, "preferred_username": "ada@example.com", "nickname": "ada", "login": "ada",
        "tid": "t", "oid": "o", "hd": "example.com", "picture": "https://example.com/p.png", "avatar_url": "https://x",
    });
    for (preset, verified, name) in [
        ("entra", None, "ada@example.com"),
        ("okta", Some(true), "ada@example.com"),
        ("google", Some(true), "ada"),
        ("keycloak", Some(true), "ada@example.com"),
        ("auth0", Some(true), "ada"),
        ("github", None, "ada"),
        ("gitlab", Some(true), "ada@example.com"),
    ] {
        let profile = map_own(&format!("preset = '{preset}'"), Claims::new(members(person.clone()))).unwrap();
        let email = profile.email.as_ref().unwrap();
        assert_eq!((email.verified, email.is_outsider), (verified, false), "{preset}");
        assert_eq!(names(&profile)[0], name, "{preset}");
        let display = profile.attributes.iter().find(|wish| wish.name.as_str() == "display_name").unwrap();
        assert_eq!(display.value, values(&["Ada Lovelace"]), "{preset}");
        assert!(profile.entitlements.is_empty(), "a preset gives no access");
    }
}

#[test]
fn no_preset_refuses_a_sign_in_for_values_that_it_cannot_take() {
    for preset in Preset::ALL {
        let rules = preset.rules();
        let named = |text: &String| {
            text.split('{')
                .skip(1)
                .map(|slot| slot.split(['}', '|']).next().unwrap())
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let mut claims: Vec<String> =
            rules.user_name.iter().flat_map(|rule| &rule.template).flat_map(named).collect();
        claims.extend(rules.email.iter().map(|rule| rule.claim.as_str().to_owned()));
        for rule in &rules.attribute {
            claims.extend(rule.claim.iter().map(|path| path.as_str().to_owned()));
            claims.extend(rule.template.iter().flat_map(named));
            claims
                .extend(rule.join.iter().flat_map(|join| &join.claims).map(|path| path.as_str().to_owned()));
        }
        for odd in
            [json!(["one", "two"]), json!({"odd": {"form": 1}}), json!("x".repeat(5000)), json!([["deep"]])]
        {
            let said = claims.iter().map(|claim| (claim.clone(), odd.clone())).collect();
            let profile = rules.compile().unwrap().map(&identity_of(Claims::new(said), "s")).unwrap();
            assert!(!profile.notes.is_empty(), "{preset:?} {odd}");
            for (wish, rule) in profile.attributes.iter().zip(&rules.attribute) {
                if rule.claim.is_some() && !rule.list {
                    assert_eq!(wish.value, Wished::Unknown, "{preset:?} {} {odd}", wish.name);
                }
            }
        }
    }
}

#[test]
fn google_speaks_for_members_of_the_organisation_only() {
    let said = |hd: Value| json!({"email": "ada@example.com", "email_verified": true, "hd": hd});
    for (hd, is_outsider) in
        [(json!("example.com"), false), (json!(null), true), (json!("other.example"), true)]
    {
        let profile = map_own("preset = 'google'", Claims::new(members(said(hd)))).unwrap();
        assert_eq!(profile.email.unwrap().is_outsider, is_outsider);
    }
}

#[test]
fn entra_needs_the_domain_owner_to_vouch_for_an_address() {
    for (edov, verified) in [(json!(true), Some(true)), (json!("1"), Some(true)), (json!(false), Some(false))]
    {
        let claims = json!({"email": "ada@example.com", "email_verified": true, "xms_edov": edov});
        assert_eq!(map("preset = 'entra'", claims).email.unwrap().verified, verified);
    }
}

#[test]
fn own_rules_take_the_place_of_those_of_the_preset() {
    let toml = "preset = 'okta'\n[user_name]\ntemplate = ['{nick}']\n[[attribute]]\nattribute = 'display_name'\n\
                constant = 'mine'\n[[attribute]]\nattribute = 'locale'\nimport = 'ignore'\n";
    let profile = map(toml, json!({"name": "theirs", "locale": "de", "nick": "n", "given_name": "g"}));
    let of = |name: &str| {
        profile.attributes.iter().find(|wish| wish.name.as_str() == name).map(|wish| wish.value.clone())
    };
    assert_eq!(of("display_name"), Some(values(&["mine"])));
    assert_eq!(of("locale"), None);
    assert_eq!(of("given_name"), Some(values(&["g"])));
    assert_eq!(names(&profile), ["n"]);
}
