//! Leaves that wait: who is told, and how a person decides them, with `checkout` on the same store.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use jit_core::{
    AccountWrite, Commit, ConnectionId, ExternalKey, HeldPresence, HeldRecord, Issuer, Subject, TenantId,
    UserName, UserStore as _,
};
use jit_sql::SqliteStore;
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

#[test]
fn a_leave_that_changed_since_it_was_seen_is_not_decided() {
    let folder = waiting_over_two_connections("seen");
    let seen = |user: &str, connection: &str| {
        let (_, lines) = checkout(&folder, "person leaving");
        let is_it = |line: &&Value| line["user"] == user && line["connection"] == connection;
        lines.iter().find(is_it).unwrap()["seen"].as_str().unwrap().to_owned()
    };
    // Whoever saw that hr lets ada go has not said that crm may remove her.
    let (code, decided) =
        checkout(&folder, &format!("person confirm-leave ada --seen {}", seen("ada", "hr")));
    assert_eq!((code, each(&decided, "state")), (Some(0), vec!["disabled"]), "{decided:?}");
    assert_eq!(waiting(&folder), [["ada", "crm", "removal"], ["bob", "hr", "leave"]]);

    let before = seen("bob", "hr");
    let server = Server::start(&folder, "sqlite:people.db", &["--config", "connection.toml"]);
    let found = server.ask("GET", "/Users?filter=userName%20eq%20%22bob%22", &Value::Null);
    let path = format!("/Users/{}", found.body["Resources"][0]["id"].as_str().unwrap());
    assert_eq!(server.ask("DELETE", &path, &Value::Null).status, 204);
    assert_eq!(server.end("-TERM"), Some(0));
    for command in ["confirm-leave", "dismiss-leave"] {
        for line in
            [format!("bob --seen {before}"), format!("bob --seen {} --seen {before}", seen("bob", "hr"))]
        {
            let (code, refused) = checkout(&folder, &format!("person {command} {line}"));
            assert_eq!((code, each(&refused, "error")), (Some(1), vec!["record.leave_changed"]), "{line}");
        }
    }
    assert_eq!(waiting(&folder), [["ada", "crm", "removal"], ["bob", "hr", "removal"]]);
    let (code, decided) =
        checkout(&folder, &format!("person confirm-leave bob --seen {}", seen("bob", "hr")));
    assert_eq!((code, each(&decided, "state")), (Some(0), vec!["ended"]), "{decided:?}");
}

#[test]
fn a_dismissed_leave_comes_again_only_where_it_is_said_again() {
    let folder = folder("said-again");
    fs::write(folder.join("connection.toml"), CONNECTION.replace("most = 1", "most = 0")).unwrap();
    fs::write(folder.join("checkout.toml"), CHECKOUT).unwrap();
    let with_server = |work: &dyn Fn(&Server)| {
        let server = Server::start(&folder, "sqlite:people.db", &["--config", "connection.toml"]);
        work(&server);
        assert_eq!(server.end("-TERM"), Some(0));
    };
    let path = std::cell::OnceCell::new();
    let change = |operation: Value| {
        with_server(&|server: &Server| {
            let made = || format!("/Users/{}", server.ask("POST", "/Users", &person("ada")).id());
            let answer = server.ask("PATCH", path.get_or_init(made), &patch(&json!([operation.clone()])));
            assert_eq!((answer.status, &answer.body["active"]), (200, &json!(false)), "{operation}");
        });
        each(&checkout(&folder, "person leaving").1, "user").len()
    };
    let off = json!({ "op": "replace", "path": "active", "value": false });
    assert_eq!(change(off.clone()), 1);
    assert_eq!(checkout(&folder, "person dismiss-leave ada").0, Some(0));
    assert_eq!(change(json!({ "op": "replace", "path": "title", "value": "Guide" })), 0);
    assert_eq!(change(off), 1, "their source insists");
}

/// Ada and bob, whose leave waits since hr said so, and the removal of ada, since crm said so as well.
fn waiting_over_two_connections(name: &str) -> PathBuf {
    let folder = folder(name);
    fs::write(folder.join("connection.toml"), CONNECTION.replace("most = 1", "most = 0")).unwrap();
    fs::write(folder.join("checkout.toml"), CHECKOUT).unwrap();
    let server = Server::start(&folder, "sqlite:people.db", &["--config", "connection.toml"]);
    let off = patch(&json!([{ "op": "replace", "path": "active", "value": false }]));
    for name in ["ada", "bob"] {
        let path = format!("/Users/{}", server.ask("POST", "/Users", &person(name)).id());
        assert_eq!(server.ask("PATCH", &path, &off).status, 200);
    }
    assert_eq!(server.end("-TERM"), Some(0));
    park_removal(&folder, "ada", "crm");
    folder
}

/// Writes what another connection would: that the removal of somebody waits.
#[tokio::main(flavor = "current_thread")]
async fn park_removal(folder: &Path, name: &str, connection: &str) {
    let store = SqliteStore::open(folder.join("people.db")).unwrap();
    let (tenant, name) = (TenantId::new("acme").unwrap(), UserName::new(name).unwrap());
    let before = store.named(&tenant, name.key()).await.unwrap().unwrap();
    let key = ExternalKey {
        tenant: tenant.clone(),
        connection: ConnectionId::new(connection).unwrap(),
        issuer: Issuer::new(format!("urn:acme:{connection}")).unwrap(),
        subject: Subject::new(name.as_str()).unwrap(),
    };
    let parked = before.records[0].parked;
    let presence = HeldPresence::Gone;
    let mut after = before.clone();
    let before_parked = Some(HeldPresence::Active);
    after.records.push(HeldRecord {
        key,
        presence,
        version: None,
        request: None,
        claims: None,
        parked,
        before_parked,
    });
    let mut commit = Commit::new(tenant);
    commit.account = Some(AccountWrite::update(&before, after));
    store.commit(&commit).await.unwrap();
}

/// Who waits over which connection for what.
fn waiting(folder: &Path) -> Vec<[String; 3]> {
    let (_, lines) = checkout(folder, "person leaving");
    let mut found: Vec<_> = lines
        .iter()
        .map(|line| ["user", "connection", "waits"].map(|field| line[field].as_str().unwrap().to_owned()))
        .collect();
    found.sort();
    found
}

#[test]
fn confirming_all_of_a_connection_ends_nobody_for_what_another_one_said() {
    let folder = waiting_over_two_connections("confirm-one-of-two");
    let (code, decided) = checkout(&folder, "person confirm-leave --all --connection hr");
    assert_eq!((code, each(&decided, "user")), (Some(0), vec!["ada", "bob"]));
    assert_eq!(each(&decided, "state"), ["disabled", "disabled"], "nobody is removed for good");
    assert_eq!(waiting(&folder), [["ada", "crm", "removal"]], "it waits still");
    let (code, decided) = checkout(&folder, "person confirm-leave ada");
    assert_eq!((code, each(&decided, "state")), (Some(0), vec!["ended"]));
}

#[test]
fn dismissing_all_of_a_connection_leaves_what_another_one_said() {
    let folder = waiting_over_two_connections("dismiss-one-of-two");
    let (code, decided) = checkout(&folder, "person dismiss-leave --all --connection crm");
    assert_eq!((code, each(&decided, "user")), (Some(0), vec!["ada"]));
    assert_eq!(waiting(&folder), [["ada", "hr", "leave"], ["bob", "hr", "leave"]]);
}
