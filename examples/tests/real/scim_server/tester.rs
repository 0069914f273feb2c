//! scim2-tester and scim2-cli find nothing wrong, whatever the store is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::peer::{folder, start};
use crate::scim::{Server, TOKEN};

fn program(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/peers/scim2-cli").join(name)
}

fn url(server: &Server) -> String {
    format!("http://{}{}", server.address, server.base)
}

/// How many checks of scim2-tester a server passes; it must pass all.
fn passed(server: &Server) -> usize {
    let output = Command::new(program("check")).arg(url(server)).env("SCIM_TOKEN", TOKEN).output().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    let results: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let failed: Vec<_> = results.iter().filter(|result| result["status"] != "SUCCESS").collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    results.len()
}

#[test]
fn the_tester_passes_users_and_groups_on_every_store() {
    let (postgres, _postgres) = start("postgres", &["--no-fsync"], &folder("peer-scim-tester"));
    let folder = folder("scim-tester");
    for store in ["memory", "sqlite:people.db", &postgres] {
        assert_eq!(passed(&Server::start(&folder, store, &[])), 138, "{}", store.split(':').next().unwrap());
    }
}

/// The types of our data, as far as the tester understands them: it fills in texts for decimals and instants, compares the
/// bytes of binaries with their text, does not ask for what is returned on request only, and misses what is always returned
/// where it sent none. The peer of the same authors fails there as well.
fn types(folder: &Path) {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/scim");
    fs::copy(data.join("resource-types.json"), folder.join("types.json")).unwrap();
    let mut schemas: Value = serde_json::from_slice(&fs::read(data.join("schemas.json")).unwrap()).unwrap();
    let attributes = schemas[0]["attributes"].as_array_mut().unwrap();
    let foreign = ["decimal", "dateTime", "binary"].map(Value::from);
    attributes
        .retain(|attribute| !foreign.contains(&attribute["type"]) && attribute["returned"] != "request");
    for attribute in attributes.iter_mut().filter(|attribute| attribute["returned"] == "always") {
        attribute["required"] = true.into();
    }
    fs::write(folder.join("schemas.json"), schemas.to_string()).unwrap();
}

#[test]
fn the_tester_passes_types_from_files_whatever_is_borne() {
    for tolerance in ["strict", "entra", "okta"] {
        let folder = folder(&format!("scim-types-{tolerance}"));
        types(&folder);
        let options =
            ["--schemas", "schemas.json", "--resource-types", "types.json", "--tolerance", tolerance];
        let server = Server::start(&folder, "memory", &options);
        assert_eq!(passed(&server), 193, "{tolerance}");
    }
}

#[test]
fn the_command_of_scim2_cli_is_content() {
    let server = Server::start(&folder("scim2-cli"), "memory", &[]);
    let run = |arguments: &[&str]| {
        Command::new(program("scim2"))
            .args(["--url", &url(&server)])
            .args(arguments)
            .env("SCIM_CLI_HEADERS", format!("Authorization: Bearer {TOKEN}"))
            .output()
            .unwrap()
    };
    let tested = run(&["test"]);
    assert!(tested.status.success(), "{}", String::from_utf8_lossy(&tested.stdout));
    let made = run(&["create", "user", "--user-name", "ada"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let found = run(&["query", "user"]);
    assert!(String::from_utf8_lossy(&found.stdout).contains("ada"), "{found:?}");
}
