//! Loads every block of settings of the page on directories.

use std::sync::Arc;

use jit_core::config::{ConnectionConfig, Format, load};
use jit_ldap::{DirectorySettings, Roots, SignInSettings};

const PAGE: &str = include_str!("../../docs/ldap.md");

#[test]
fn every_block_of_settings_loads() {
    let blocks: Vec<_> =
        PAGE.split("```toml\n").skip(1).map(|part| part.split_once("\n```").unwrap().0).collect();
    assert_eq!(blocks.len(), 2);
    for block in blocks {
        let settings: ConnectionConfig<SignInSettings> = load(block, Format::Toml, "page").unwrap();
        settings.define().unwrap();
    }
}

#[test]
fn a_setting_that_is_not_sound_is_named_with_its_line() {
    let (_, block) = PAGE.split_once("```toml\n").unwrap();
    let broken =
        block.split_once("\n```").unwrap().0.replace("(objectClass=inetOrgPerson)", "objectClass=person");
    let problems = load::<ConnectionConfig<SignInSettings>>(&broken, Format::Toml, "page").unwrap_err();
    let text = problems.to_string();
    assert!(text.contains("protocol.filter") && text.contains("ldap.settings_invalid"), "{text}");
}

#[test]
fn the_block_on_servers_loads() {
    let (_, block) = PAGE.split_once("```toml,directory\n").unwrap();
    let settings: DirectorySettings = toml::from_str(block.split_once("\n```").unwrap().0).unwrap();
    assert!(!format!("{settings:?}").contains("of the service account"));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    settings.open(provider, Roots::platform()).unwrap();
}
