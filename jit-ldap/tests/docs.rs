//! Loads every block of settings of the page on directories.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::Arc;

use jit_core::config::{ConnectionConfig, Format, load};
use jit_ldap::{
    ActiveDirectorySettings, ActiveDirectoryTarget, CustomSettings, CustomTarget, DirectorySettings, Import,
    ImportSettings, OpenLdapSettings, OpenLdapTarget, Roots, SignInSettings,
};

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

fn block_of(kind: &str) -> &'static str {
    let (_, block) = PAGE.split_once(&format!("```toml,{kind}\n")).unwrap();
    block.split_once("\n```").unwrap().0
}

#[test]
fn the_blocks_on_servers_and_targets_load() {
    let settings: DirectorySettings = toml::from_str(block_of("directory")).unwrap();
    assert!(!format!("{settings:?}").contains("of the service account"));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let directory = settings.open(provider, Roots::platform()).unwrap();
    let windows: ActiveDirectorySettings = load(block_of("active-directory"), Format::Toml, "page").unwrap();
    ActiveDirectoryTarget::new(directory.clone(), &windows).unwrap();
    let mut open_ldap: OpenLdapSettings = load(block_of("openldap"), Format::Toml, "page").unwrap();
    open_ldap.settles_seconds = 10;
    OpenLdapTarget::new(directory.clone(), &open_ldap).unwrap();
    let mut custom: CustomSettings = load(block_of("custom"), Format::Toml, "page").unwrap();
    custom.settles_seconds = 10;
    CustomTarget::new(directory.clone(), &custom).unwrap();
    for kind in ["import", "import-active-directory"] {
        let import: ImportSettings = load(block_of(kind), Format::Toml, "page").unwrap();
        Import::new(directory.clone(), &import).unwrap();
    }
}

#[test]
fn a_setting_of_a_target_that_is_not_sound_is_named_with_its_line() {
    let outside = block_of("openldap").replace("ou=operators,ou=jit,", "ou=operators,");
    let problems = load::<OpenLdapSettings>(&outside, Format::Toml, "page").unwrap_err().to_string();
    assert!(problems.contains("places") && problems.contains("ldap.settings_invalid"), "{problems}");
    let misspelt = block_of("active-directory").replace("protected =", "protect =");
    load::<ActiveDirectorySettings>(&misspelt, Format::Toml, "page").unwrap_err();
}
