//! Loads every example of the page on mapping.

use jit_core::{
    MappingRules,
    config::{ConnectionConfig, Format, load},
};
use serde::Deserialize;

const PAGE: &str = include_str!("../../docs/mapping.md");

#[derive(Deserialize)]
struct NoSettings {}

impl jit_core::config::Check for NoSettings {
    fn check(&self, _found: &mut jit_core::config::Problems) {}
}

/// The examples of the page with the kind that is written behind `toml`.
fn examples() -> Vec<(&'static str, &'static str)> {
    let parts = PAGE.split("```toml").skip(1);
    parts.filter_map(|part| part.split_once("\n```").and_then(|(text, _)| text.split_once('\n'))).collect()
}

#[test]
fn every_example_loads() {
    let mut loaded = 0;
    for (kind, text) in examples() {
        let problems = match kind {
            ",connection" => load::<ConnectionConfig<NoSettings>>(text, Format::Toml, "page")
                .and_then(|connection| connection.define().map(|_| ()))
                .err(),
            ",cel" if !cfg!(feature = "cel") => continue,
            _ => load::<MappingRules>(text, Format::Toml, "page")
                .and_then(|rules| rules.compile().map(|_| ()))
                .err(),
        };
        assert!(problems.is_none(), "{text}\n{}", problems.unwrap());
        loaded += 1;
    }
    assert!(loaded >= 8, "{loaded} examples");
}

#[test]
fn every_key_of_the_rules_is_described() {
    let rules = load::<MappingRules>("nonsense = 1", Format::Toml, "page").unwrap_err().to_string();
    let attribute =
        load::<MappingRules>("[[attribute]]\nnonsense = 1", Format::Toml, "page").unwrap_err().to_string();
    let entitlement =
        load::<MappingRules>("[[entitlement]]\nnonsense = 1", Format::Toml, "page").unwrap_err().to_string();
    let mut keys = 0;
    for message in [rules, attribute, entitlement] {
        for key in message.split('`').skip(1).step_by(2) {
            assert!(PAGE.contains(&format!("`{key}")) || PAGE.contains(&format!("[[{key}]]")), "{key}");
            keys += 1;
        }
    }
    assert!(keys > 25, "{keys} keys");
}
