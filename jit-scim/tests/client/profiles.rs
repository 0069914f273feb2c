//! Profiles as people write them.

use std::sync::Arc;

use jit_core::SystemClock;
use jit_core::config::{Format, load};
use jit_scim::client::{
    Adoption, FixedToken, MemberRemoval, RequestRate, ScimTarget, TargetPreset, TargetProfile,
    guarded_transport,
};

fn read(text: &str) -> Result<TargetProfile, toml::de::Error> {
    toml::from_str(text)
}

#[test]
fn a_profile_is_a_preset_and_what_is_said_otherwise() {
    let text = r#"
        preset = "aws"
        adoption = "unmarked"
        page = 20
        writes = { requests = 10, seconds = 1, burst = 5 }
    "#;
    let profile = read(text).unwrap();
    assert_eq!((profile.adoption, profile.page), (Adoption::Unmarked, 20));
    assert_eq!(profile.member_removal, MemberRemoval::Value, "as the preset has it");
    assert_eq!(profile.writes, Some(RequestRate { requests: 10, seconds: 1, burst: 5 }));
    assert_eq!(read("").unwrap(), TargetProfile::generic());
    assert!(read("preset = \"nobody\"").is_err());
    assert!(read("deletes = true").is_err(), "what does not exist is refused");
}

#[test]
fn every_preset_is_sound_and_reads_back() {
    use TargetPreset::{Atlassian, Aws, Generic, Github, Slack, Zoom};
    for preset in [Generic, Slack, Github, Aws, Atlassian, Zoom] {
        let profile = TargetProfile::preset(preset);
        assert_eq!(profile.adoption, Adoption::Never, "adopting is for the application to allow");
        let text = toml::to_string(&profile).unwrap();
        assert_eq!(read(&text).unwrap(), profile, "{preset:?}");
        assert!(target("https://app.example/scim", profile).is_ok());
    }
}

fn target(base: &str, profile: TargetProfile) -> Result<ScimTarget, &'static str> {
    let transport = guarded_transport().dangerous().allow_loopback_http().build().unwrap();
    let token = Arc::new(FixedToken::new("secret-of-the-target"));
    let made = ScimTarget::new(base, token, profile, Arc::new(transport), Arc::new(SystemClock));
    made.map_err(|error| error.field)
}

#[test]
fn each_unsound_setting_is_named() {
    for (text, field) in [
        ("marker = \"emails\"", "marker"),
        ("marker = \"a b\"", "marker"),
        ("requires = [\"a b\"]", "requires"),
        ("email_type = \"\"", "email_type"),
        ("members_per_request = 0", "members_per_request"),
        ("page = 0", "page"),
        ("media_type = \"text/plain\"", "media_type"),
        ("reads = { requests = 0, seconds = 1, burst = 1 }", "reads"),
        ("writes = { requests = 1, seconds = 4000000000, burst = 4000000000 }", "writes"),
        ("member_changes = { members = 0, seconds = 1, burst = 1 }", "member_changes"),
        ("call_seconds = 500", "call_seconds"),
        ("patience_seconds = 60", "patience_seconds"),
    ] {
        assert_eq!(target("https://app.example", read(text).unwrap()).unwrap_err(), field);
    }
    for base in ["app.example", "ftp://app.example", "https://app.example/scim?tenant=1", ""] {
        assert_eq!(target(base, TargetProfile::generic()).unwrap_err(), "base", "{base}");
    }
}

#[test]
fn what_is_required_and_not_handed_out_is_told() {
    let profile =
        read("requires = [\"displayName\", \"emails\", \"name\", \"urn:a:User:costCenter\"]").unwrap();
    let lacking = |handed: &[&str]| profile.lacking(handed).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lacking(&["userName", "emails", "displayname"]), ["name", "urn:a:User:costCenter"]);
    let all = ["displayName", "emails[type eq \"work\"].value", "name.familyName", "urn:a:User:costCenter"];
    assert!(lacking(&all).is_empty());
    assert_eq!(lacking(&["displayName", "emails", "name", "costCenter"]), ["urn:a:User:costCenter"]);
}

const PAGE: &str = include_str!("../../../docs/scim.md");

#[test]
fn the_profile_of_the_page_loads_and_an_error_in_it_is_named() {
    let (_, block) = PAGE.split_once("```toml,profile\n").unwrap();
    let (block, _) = block.split_once("\n```").unwrap();
    let profile: TargetProfile = load(block, Format::Toml, "page").unwrap();
    assert!(target("https://app.example", profile).is_ok());
    let broken = block.replace("page = ", "page = 0 # ");
    let problems = load::<TargetProfile>(&broken, Format::Toml, "page").unwrap_err().to_string();
    assert!(problems.contains("page") && problems.contains("scim.profile_invalid"), "{problems}");
}

#[test]
fn nothing_shows_the_token() {
    let target = target("https://app.example", TargetProfile::generic()).unwrap();
    assert!(!format!("{target:?}").contains("secret"));
}
