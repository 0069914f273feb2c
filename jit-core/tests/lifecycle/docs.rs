//! What the page about lifecycles shows can be loaded.

use jit_core::{
    Connection, Jit, MemoryStore,
    config::{Check, ConnectionConfig, Format, Problems, check_connections, load},
};
use serde::Deserialize;

const PAGE: &str = include_str!("../../../docs/lifecycle.md");

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

impl Check for Nothing {
    fn check(&self, _found: &mut Problems) {}
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    connection: Vec<ConnectionConfig<Nothing>>,
}

impl Check for Settings {
    fn check(&self, found: &mut Problems) {
        check_connections("connection", &self.connection, found);
    }
}

fn connections(text: &str) -> Vec<Connection> {
    let settings = load::<Settings>(text, Format::Toml, "page").unwrap_or_else(|found| panic!("{found}"));
    settings.connection.into_iter().map(|config| config.define().unwrap().0).collect()
}

#[test]
fn the_settings_on_the_page_make_an_engine() {
    let blocks: Vec<_> =
        PAGE.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(blocks.len(), 1);
    let whole = blocks[0].replace("reactivates = true", "authority = \"whole\"\nmemberships = \"groups\"");
    for text in [blocks[0], &whole] {
        let builder = Jit::builder(std::sync::Arc::new(MemoryStore::new()));
        let builder = connections(text).into_iter().fold(builder, jit_core::JitBuilder::connection);
        assert!(builder.build().is_ok());
    }
}

#[test]
fn every_setting_is_described() {
    let text = "tenant = \"a\"\nid = \"b\"\n[connection.provisioning]\nnonsense = 1";
    let found =
        load::<Settings>(&format!("[[connection]]\n{text}"), Format::Toml, "page").unwrap_err().to_string();
    let keys: Vec<_> = found.split('`').skip(1).step_by(2).filter(|key| !key.contains("nonsense")).collect();
    assert!(keys.len() >= 7, "{found}");
    for key in keys {
        assert!(PAGE.contains(&format!("| `{key}` |")), "{key}: {found}");
    }
}
