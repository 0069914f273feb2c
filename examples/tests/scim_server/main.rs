//! Runs `scim-server` as a program: how it begins, what it refuses, what holds when many ask at once, how it ends.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is how a test fails"
)]

mod leavers;
#[path = "../support/program.rs"]
mod program;
#[path = "../support/scim.rs"]
mod scim;
#[path = "../support/scim_races.rs"]
mod scim_races;
mod shared;
mod tokens;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use scim::{Answer, GROUP, Server, TOKEN, USER, patch, person};
use serde_json::{Value, json};

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("scim-server").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn run(folder: &Path, line: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scim-server"));
    command.current_dir(folder).args(line.split_whitespace()).output().unwrap()
}

fn on_memory(name: &str) -> Server {
    Server::start(&folder(name), "memory", &[])
}

#[test]
fn bad_usage_and_bad_files_end_with_2() {
    let folder = folder("usage");
    for (name, text) in [
        ("tokens", TOKEN),
        ("empty", "# nobody\n"),
        ("odd", "a-token-that-nobody-guesses def=ghi\n"),
        ("name", "x name\n"),
        ("wrong.toml", "tenant = 1\n"),
        ("wrong.json", "{"),
    ] {
        fs::write(folder.join(name), text).unwrap();
    }
    let whole = "--addr 127.0.0.1:0 --store memory --token-file";
    for (line, says) in [
        (String::new(), "option `--addr` is missing"),
        (format!("{whole} none"), "none: cannot be read"),
        (format!("{whole} empty"), "empty: "),
        (format!("{whole} odd"), "odd:1: `def=ghi` is neither"),
        (format!("{whole} name"), "name:1: a token has 20 characters or more"),
        (format!("{whole} tokens --base https://h/v2?a=1"), "`--base`: neither"),
        (format!("{whole} tokens --config wrong.toml"), "wrong.toml:1"),
        (format!("{whole} tokens --schemas wrong.json"), "wrong.json: "),
        (format!("{whole} tokens --resource-types none"), "none: cannot be read"),
    ] {
        let output = run(&folder, &line);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{line}: {said}");
        assert!(said.contains(says), "{line}: {said}");
    }
    assert_eq!(run(&folder, "--help").status.code(), Some(0));
}

#[test]
fn what_was_kept_before_is_found_by_what_is_unique_now() {
    let folder = folder("index-anew");
    let group = json!({ "schemas": [GROUP], "displayName": "Crew" });
    let server = Server::start(&folder, "sqlite:people.db", &[]);
    assert_eq!(server.ask("POST", "/Groups", &group).status, 201);
    assert_eq!(server.end("-TERM"), Some(0));
    // Names of groups are unique for this provider, and those that were kept before have none.
    let server = Server::start(&folder, "sqlite:people.db", &["--tolerance", "entra", "--index-anew"]);
    server.ask("POST", "/Groups", &group).refuses(409, Some("uniqueness"));
    let said = fs::read_to_string(folder.join("complaints")).unwrap();
    assert!(said.contains("indexed anew: 1 looked at, 1 written, 0 left as they were"), "{said}");
    assert_eq!(server.end("-TERM"), Some(0));
    let server = Server::start(&folder, "sqlite:people.db", &["--tolerance", "entra", "--index-anew"]);
    let said = fs::read_to_string(folder.join("complaints")).unwrap();
    assert!(said.contains("1 looked at, 0 written"), "what is up to date stays: {said}");
    drop(server);
}

#[test]
fn an_address_that_is_taken_ends_with_1() {
    let folder = folder("taken");
    fs::write(folder.join("tokens"), TOKEN).unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let output = run(&folder, &format!("--addr {address} --store memory --token-file tokens"));
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains(&address.to_string()));
}

#[test]
fn it_ends_in_good_order_on_both_signals() {
    for signal in ["-INT", "-TERM"] {
        assert_eq!(on_memory(signal).end(signal), Some(0), "{signal}");
    }
}

#[test]
fn a_person_is_made_found_changed_and_deleted() {
    let server = on_memory("life");
    // Most user names are addresses.
    assert_eq!(server.join("bob@example.com").status, 201);
    let made = server.join("ada");
    assert_eq!(made.status, 201, "{made:?}");
    let id = made.id();
    let location = made.header("location").unwrap();
    assert_eq!(location, format!("http://{}/scim/v2/Users/{id}", server.address), "as RFC 7644 §3.1 asks");
    assert_eq!(made.body["meta"]["location"], location);
    let found = server.get("/Users?filter=userName%20eq%20%22ADA%22");
    assert_eq!(found.body["Resources"][0]["id"], id.as_str(), "{found:?}");
    let path = format!("/Users/{id}");
    let off = patch(&json!([{ "op": "replace", "path": "active", "value": false }]));
    assert_eq!(server.ask("PATCH", &path, &off).body["active"], false);
    let mut whole = person("ada");
    whole["displayName"] = json!("Ada");
    let put = server.ask("PUT", &path, &whole);
    assert_eq!((put.status, &put.body["displayName"]), (200, &json!("Ada")), "{put:?}");
    assert_eq!(server.ask("DELETE", &path, &Value::Null).status, 204);
    server.get(&path).refuses(404, None);
    assert_eq!(server.count("/Users"), 1);
}

#[test]
fn why_something_was_not_done_is_told_to_whoever_runs_it() {
    let folder = folder("complaints");
    let server = Server::start(&folder, "memory", &[]);
    server.join("ada");
    server.join("ada").refuses(409, Some("uniqueness"));
    server.get("/Users/none").refuses(404, None);
    let bulk = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [{ "method": "POST", "path": "/Users", "bulkId": "1", "data": person("ada") }],
    });
    assert_eq!(server.ask("POST", "/Bulk", &bulk).status, 200);
    assert_eq!(server.end("-TERM"), Some(0));
    let told = fs::read_to_string(folder.join("complaints")).unwrap();
    let lines: Vec<_> = told.lines().collect();
    assert_eq!(lines.len(), 2, "the one who only asked knows already: {told}");
    for line in lines {
        let why = "INFO jit_scim::server::service: not done: another resource has this value already tenant=";
        let which = [
            "connection=scim",
            "token=\"tests\"",
            "method=\"POST\"",
            "at=/Users",
            "status=409",
            "code=scim.taken",
        ];
        for part in [why].into_iter().chain(which) {
            assert!(line.contains(part), "{line}");
        }
        assert!(!line.contains("ada") && !line.contains("userName"), "nothing of what was sent: {line}");
    }
}

#[test]
fn two_people_may_share_an_address() {
    let server = on_memory("shared-address");
    let shared = |name: &str| {
        let mut person = person(name);
        person["emails"][0]["value"] = json!("team@example.com");
        person
    };
    for name in ["ada", "bob"] {
        assert_eq!(server.ask("POST", "/Users", &shared(name)).status, 201, "{name}");
    }
    assert_eq!(server.get("/Users?filter=emails%20eq%20%22team%40example.com%22").body["totalResults"], 2);
}

#[test]
fn a_feed_tells_of_somebody_again_with_post() {
    let told = |title: &str, name: Option<&str>| {
        let mut body = person("ada");
        body["externalId"] = json!("4711");
        body["title"] = json!(title);
        if let Some(name) = name {
            body["displayName"] = json!(name);
        }
        let schema = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
        let operation = json!({ "method": "POST", "path": "/Users", "bulkId": "1", "data": body });
        json!({ "schemas": [schema], "Operations": [operation] })
    };
    let status = |answer: &Answer| answer.body["Operations"][0]["status"].clone();
    let server = Server::start(&folder("feed"), "memory", &["--feed"]);
    let made = server.ask("POST", "/Bulk", &told("Engineer", Some("Ada")));
    assert_eq!(status(&made), "201", "{made:?}");
    let again = server.ask("POST", "/Bulk", &told("Director", None));
    assert_eq!(status(&again), "200", "{again:?}");
    let found = server.get("/Users?filter=externalId%20eq%20%224711%22").body;
    assert_eq!(found["totalResults"], 1);
    let ada = &found["Resources"][0];
    assert_eq!((&ada["title"], &ada["displayName"]), (&json!("Director"), &json!("Ada")));

    let server = on_memory("no-feed");
    server.ask("POST", "/Bulk", &told("Engineer", None));
    assert_eq!(
        status(&server.ask("POST", "/Bulk", &told("Director", None))),
        "409",
        "without it that is a conflict"
    );
}

#[test]
fn bad_input_is_refused_and_changes_nothing() {
    let server = on_memory("bad-input");
    let id = server.join("ada").id();
    let before = server.get(&format!("/Users/{id}"));
    let with = |body: &[u8]| {
        let bearer = format!("authorization: Bearer {TOKEN}");
        server.ask_with("POST", "/Users", &[&bearer, "content-type: application/scim+json"], body)
    };
    let sized = |size: usize| format!("{{\"schemas\":[\"{USER}\"],\"userName\":\"{}\"}}", "x".repeat(size));
    with(b"{\"schemas\":").refuses(400, Some("invalidSyntax"));
    with(b"{\"userName\":\"\xff\xfe\"}").refuses(400, Some("invalidSyntax"));
    with(b"[]").refuses(400, Some("invalidSyntax"));
    with(b"").refuses(400, Some("invalidSyntax"));
    with("[".repeat(100_000).as_bytes()).refuses(400, Some("invalidSyntax"));
    with(format!("{{\"schemas\":[\"{USER}\"],\"userName\":\"a\",\"nome\":1}}").as_bytes())
        .refuses(400, Some("invalidSyntax"));
    with(format!("{{\"schemas\":[\"{USER}\"],\"userName\":7}}").as_bytes())
        .refuses(400, Some("invalidValue"));
    with(format!("{{\"schemas\":[\"{USER}\"]}}").as_bytes()).refuses(400, Some("invalidValue"));
    // Who writes more than any buffer holds before they read hears of it as well.
    for size in [1 << 20, 12 << 20] {
        with(sized(size).as_bytes()).refuses(413, None);
        server.ask_with("POST", "/Users", &[], sized(size).as_bytes()).refuses(401, None);
    }
    let bearer = format!("authorization: Bearer {TOKEN}");
    let plain = server.ask_with(
        "POST",
        "/Users",
        &[&bearer, "content-type: text/plain"],
        person("b").to_string().as_bytes(),
    );
    plain.refuses(415, None);
    assert_eq!(server.count("/Users"), 1);
    assert_eq!(server.get(&format!("/Users/{id}")).body, before.body);
}

#[test]
fn filters_that_would_explode_are_refused_or_answered() {
    let server = on_memory("filters");
    server.join("ada");
    let search = |filter: &str| {
        let schema = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
        server.ask("POST", "/Users/.search", &json!({ "schemas": [schema], "filter": filter }))
    };
    let nested = format!("{}userName pr{}", "(".repeat(10_000), ")".repeat(10_000));
    search(&nested).refuses(400, Some("invalidFilter"));
    search(&vec!["userName eq \"a\""; 5_000].join(" or ")).refuses(400, Some("invalidFilter"));
    search("not not not userName pr").refuses(400, Some("invalidFilter"));
    search("password eq \"x\"").refuses(400, Some("invalidFilter"));
    // In a normal form these would be a million terms.
    let pairs = vec!["(userName eq \"a\" or displayName eq \"b\")"; 20].join(" and ");
    assert_eq!(search(&pairs).body["totalResults"], 0);
    let values = vec!["emails[type eq \"work\" or type eq \"home\"]"; 16].join(" and ");
    assert_eq!(search(&values).body["totalResults"], 1);
    server.get("/Users?filter=%zz").refuses(400, Some("invalidValue"));
    server.get("/Users?filter=%ff").refuses(400, Some("invalidValue"));
}

#[test]
fn what_is_not_there_is_answered() {
    let server = on_memory("answers");
    let status = |method: &str, path: &str| server.ask(method, path, &Value::Null).status;
    assert_eq!(status("GET", "/Users/none"), 404);
    assert_eq!(status("DELETE", "/Users/00000000-0000-0000-0000-000000000000"), 404);
    assert_eq!(status("GET", "/Nowhere"), 404);
    assert_eq!(status("DELETE", "/Users"), 405);
    assert_eq!(status("GET", "/ServiceProviderConfig"), 200);
    assert_eq!(status("POST", "/ServiceProviderConfig"), 405);
}

#[test]
fn types_of_ones_own_are_served() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/scim");
    let (schemas, types) = (data.join("schemas.json"), data.join("resource-types.json"));
    let options = ["--schemas", schemas.to_str().unwrap(), "--resource-types", types.to_str().unwrap()];
    let server = Server::start(&folder("own-types"), "memory", &options);
    let machine = |serial: &str| {
        json!({
            "schemas": ["urn:example:params:scim:schemas:2.0:Machine", "urn:example:params:scim:schemas:extension:2.0:Warranty"],
            "serial": serial, "cores": 8, "load": 0.5, "unlockCode": "hush", "remarks": "old",
            "urn:example:params:scim:schemas:extension:2.0:Warranty": { "contract": "C-1" },
        })
    };
    let made: Answer = server.ask("POST", "/Machines", &machine("S-1"));
    assert_eq!(made.status, 201, "{made:?}");
    assert!(made.body.get("unlockCode").is_none(), "{made:?}");
    assert!(server.get(&format!("/Machines/{}", made.id())).body.get("remarks").is_none());
    server.ask("POST", "/Machines", &machine("s-1")).refuses(409, Some("uniqueness"));
    let path = format!("/Machines/{}?attributes=remarks", made.id());
    assert_eq!(server.get(&path).body["remarks"], "old");
    assert_eq!(server.count("/Machines"), 1);
    assert_eq!(server.count("/Users"), 0);
}

#[test]
fn what_is_kept_in_a_file_is_there_after_a_restart() {
    let folder = folder("restart");
    let server = Server::start(&folder, "sqlite:people.db", &["--base", "/scim/v2"]);
    let made = [server.join("ada"), server.join("bob")];
    // Whatever was answered is written down, so that it makes no difference how it ends.
    drop(server);
    let server = Server::start(&folder, "sqlite:people.db", &["--base", "/scim/v2"]);
    assert_eq!(server.end("-TERM"), Some(0));
    let server = Server::start(&folder, "sqlite:people.db", &["--base", "/scim/v2"]);
    for made in made {
        let found = server.get(&format!("/Users/{}", made.id()));
        assert_eq!(found.body, made.body);
        assert_eq!(found.header("etag"), made.header("etag"));
    }
}

#[test]
fn nobody_is_lost_or_doubled_when_many_ask_at_once() {
    let kept = folder("races-sqlite");
    for server in [on_memory("races-memory"), Server::start(&kept, "sqlite:people.db", &[])] {
        scim_races::one_of_fifty_creates(&[&server]);
        scim_races::one_of_thirty_writers(&[&server]);
        scim_races::no_member_is_lost(&[&server]);
    }
}

/// A connection whose people have names of ours, and the leases of the same store.
const NAMED: &str = r#"
tenant = "acme"
id = "hr"
issuers = ["urn:acme:hr"]
policy = { rule = [{ name = "everybody", permit = {} }] }
mapping = { user_name = { template = ["{userName}"] } }
provisioning = {}
protocol = {}
"#;
const CHECKOUT: &str = concat!(
    "[checkout]\nstore = \"sqlite:people.db\"\ntenant = \"acme\"\n\n",
    include_str!("../data/target.toml")
);

#[test]
fn who_was_deleted_comes_anew_once_they_are_released() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder("released");
    for (name, text) in [
        ("connection.toml", NAMED),
        ("checkout.toml", CHECKOUT),
        ("key", "a key for tests that is longer than 32 bytes"),
        ("password", "a password for tests"),
    ] {
        fs::write(folder.join(name), text).unwrap();
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    let open = || Server::start(&folder, "sqlite:people.db", &["--config", "connection.toml"]);
    let mut ada = person("ada");
    ada["externalId"] = json!("4711");
    let server = open();
    let id = server.ask("POST", "/Users", &ada).id();
    assert_eq!(server.ask("DELETE", &format!("/Users/{id}"), &Value::Null).status, 204);
    server.ask("POST", "/Users", &ada).refuses(409, Some("uniqueness"));
    drop(server);
    let release = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_checkout"));
        let line = ["--config", "checkout.toml", "--json", "person", "release", "ada"];
        command.current_dir(&folder).args(line).output().unwrap()
    };
    let released = release();
    assert_eq!(released.status.code(), Some(0), "{released:?}");
    let server = open();
    assert_eq!(server.ask("POST", "/Users", &ada).status, 201);
    drop(server);
    let refused = release();
    assert_eq!(refused.status.code(), Some(1), "nobody in use is released: {refused:?}");
}
