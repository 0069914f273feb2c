//! scim2-tester and scim2-cli find nothing wrong, whatever the store is.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::peer::folder;
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
    let folder = folder("scim-tester");
    for store in ["memory", "sqlite:people.db"] {
        assert_eq!(passed(&Server::start(&folder, store, &[])), 135, "{store}");
    }
}

#[test]
fn the_tester_passes_types_from_files() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/scim");
    let (schemas, types) = (data.join("schemas.json"), data.join("resource-types.json"));
    let options = ["--schemas", schemas.to_str().unwrap(), "--resource-types", types.to_str().unwrap()];
    for tolerance in ["strict", "entra", "okta"] {
        let options = [&options[..], &["--tolerance", tolerance]].concat();
        let server = Server::start(&folder(&format!("scim-types-{tolerance}")), "memory", &options);
        assert_eq!(passed(&server), 135 + 51, "{tolerance}");
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
