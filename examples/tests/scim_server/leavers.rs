//! Leaves that wait: who is told, and how a person decides them, with `checkout` on the same store.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::folder;
use crate::scim::{Server, patch, person};

/// One leaves in a span, and the others wait.
const CONNECTION: &str = r#"
tenant = "acme"
id = "hr"
issuers = ["urn:acme:hr"]
policy = { rule = [{ name = "everybody", permit = {} }] }
mapping = { user_name = { template = ["{userName}"] } }
provisioning = { leavers = { most = 1, within = "3650d", removals = 0 } }
protocol = {}
"#;
/// Whoever only decides about people lends nothing.
const CHECKOUT: &str = "[checkout]\nstore = \"sqlite:people.db\"\ntenant = \"acme\"\n";

fn checkout(folder: &Path, line: &str) -> (Option<i32>, Vec<Value>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_checkout"));
    let line = format!("--config checkout.toml --json {line}");
    let output = command.current_dir(folder).args(line.split_whitespace()).output().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    (output.status.code(), lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// What a field says of each.
fn each<'a>(lines: &'a [Value], field: &str) -> Vec<&'a str> {
    lines.iter().map(|line| line[field].as_str().unwrap_or_default()).collect()
}

#[test]
fn leaves_that_wait_are_told_listed_and_decided() {
    let folder = folder("leavers");
    fs::write(folder.join("connection.toml"), CONNECTION).unwrap();
    fs::write(folder.join("checkout.toml"), CHECKOUT).unwrap();
    let server = Server::start(&folder, "sqlite:people.db", &["--config", "connection.toml"]);
    let off = patch(&json!([{ "op": "replace", "path": "active", "value": false }]));
    for name in ["ada", "bob", "cyn", "dan", "eve"] {
        let path = format!("/Users/{}", server.ask("POST", "/Users", &person(name)).id());
        assert_eq!(server.ask("PATCH", &path, &off).body["active"], false);
        if name == "ada" {
            assert_eq!(server.ask("DELETE", &path, &Value::Null).status, 204);
        }
    }
    assert_eq!(server.end("-TERM"), Some(0));

    // Whoever works first tells, the server or a sweep.
    let (code, swept) = checkout(&folder, "sweep");
    let told =
        fs::read_to_string(folder.join("complaints")).unwrap().matches("alarm `record.parked`").count();
    let told = told + swept.iter().filter(|line| line["alarm"] == "record.parked").count();
    assert_eq!((code, told), (Some(0), 5), "{swept:?}");
    assert_eq!(checkout(&folder, "alarms").1.len(), 5);

    let (code, waiting) = checkout(&folder, "person leaving");
    assert_eq!((code, each(&waiting, "user")), (Some(0), vec!["ada", "bob", "cyn", "dan", "eve"]));
    assert_eq!(each(&waiting, "waits"), ["removal", "leave", "leave", "leave", "leave"]);
    assert_eq!(each(&waiting, "state"), ["disabled", "active", "active", "active", "active"]);
    assert_eq!((&waiting[0]["connection"], waiting[0]["since"].is_string()), (&json!("hr"), true));
    assert_eq!(checkout(&folder, "person leaving --connection other"), (Some(0), Vec::new()));

    for (line, state) in [
        ("person confirm-leave ada", "ended"),
        ("person confirm-leave bob", "disabled"),
        ("person dismiss-leave cyn", "active"),
    ] {
        let (code, decided) = checkout(&folder, line);
        assert_eq!((code, each(&decided, "state")), (Some(0), vec![state]), "{line}: {decided:?}");
    }
    for (line, error) in [
        ("person dismiss-leave cyn", "checkout.not_waiting"),
        ("person confirm-leave nobody", "account.unknown"),
        ("person confirm-leave --all --connection hr --at-most 1", "checkout.too_many_waiting"),
        ("person confirm-leave --all --connection other", "checkout.not_waiting"),
    ] {
        let (code, refused) = checkout(&folder, line);
        assert_eq!((code, each(&refused, "error")), (Some(1), vec![error]), "{line}");
    }
    let (code, decided) = checkout(&folder, "person confirm-leave --all --connection hr");
    assert_eq!((code, each(&decided, "user")), (Some(0), vec!["dan", "eve"]), "{decided:?}");
    assert_eq!(each(&decided, "state"), ["disabled", "disabled"]);
    assert_eq!(checkout(&folder, "person leaving"), (Some(0), Vec::new()));
}
