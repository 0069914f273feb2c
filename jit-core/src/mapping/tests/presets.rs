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
        let profile = map(&format!("preset = '{preset}'"), person.clone());
        assert_eq!(profile.email.as_ref().unwrap().verified, verified, "{preset}");
        assert_eq!(names(&profile)[0], name, "{preset}");
        let display = profile.attributes.iter().find(|wish| wish.name.as_str() == "display_name").unwrap();
        assert_eq!(display.value, values(&["Ada Lovelace"]), "{preset}");
        assert!(profile.entitlements.is_empty(), "a preset gives no access");
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
