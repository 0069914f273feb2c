//! A server that is killed between the change of a group and what it means for the members: nothing of it is lost.

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::{Duration, Instant};

use jit_core::{Filter, Query, TenantId, UserStore as _};
use jit_sql::SqliteStore;
use serde_json::{Value, json};

use crate::peer::{folder, wait};
use crate::scim::{GROUP, Server, TOKEN, patch};

/// More than one request tells anew before it is answered.
const MEMBERS: usize = 300;
const CONNECTION: &str = r#"
tenant = "acme"
id = "hr"
issuers = ["urn:acme:hr"]
ceiling = ["role:operator"]
policy = { rule = [{ name = "everybody", permit = {} }] }
protocol = {}

[provisioning]
reactivates = true

[[mapping.entitlement]]
claim = "groups.display"
table = { Operators = ["role:operator"] }
"#;

/// How many hold what the group is worth.
async fn holders(folder: &Path) -> usize {
    let store = SqliteStore::open(folder.join("people.db")).unwrap();
    let (tenant, mut after, mut count) = (TenantId::new("acme").unwrap(), None, 0);
    loop {
        let limit = NonZeroUsize::new(500).unwrap();
        let query = Query { tenant: tenant.clone(), filter: Filter::All, after, limit };
        let page = store.list(&query).await.unwrap();
        count += page.items.iter().filter(|account| !account.grants.is_empty()).count();
        match page.next {
            Some(next) => after = Some(next),
            None => return count,
        }
    }
}

/// Waits until so many hold it: as long as it takes, but not for ever.
fn wait_for(folder: &Path, count: usize) {
    let begun = Instant::now();
    while wait(holders(folder)) != count {
        assert!(begun.elapsed() < Duration::from_secs(300), "{} of {count} hold it", wait(holders(folder)));
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn open(folder: &Path) -> Server {
    Server::start(folder, "sqlite:people.db", &["--config", "connection.toml"])
}

fn member_list(people: &[String]) -> Value {
    people.iter().map(|id| json!({ "value": id })).collect()
}

#[test]
fn access_follows_a_group_even_when_the_server_is_killed_in_between() {
    let folder = folder("scim-killed");
    fs::write(folder.join("connection.toml"), CONNECTION).unwrap();
    let server = open(&folder);
    let people: Vec<_> = (0..MEMBERS).map(|number| server.join(&format!("person-{number}")).id()).collect();
    let group = json!({ "schemas": [GROUP], "displayName": "Operators" });
    let path = format!("/Groups/{}", server.ask("POST", "/Groups", &group).id());

    // Killed as soon as the change is written, with nobody told of it, or with some.
    let add = patch(&json!([{ "op": "add", "path": "members", "value": member_list(&people) }]));
    let unanswered = send(&server, &path, &add);
    while server.get(&path).body["members"].as_array().is_none() {}
    drop(server);
    drop(unanswered);
    let server = open(&folder);
    assert_eq!(server.get(&path).body["members"].as_array().unwrap().len(), MEMBERS);
    wait_for(&folder, MEMBERS);

    // Killed when the answer is out.
    let remove = patch(&json!([{ "op": "remove", "path": "members" }]));
    assert!(server.ask("PATCH", &path, &remove).status < 300);
    drop(server);
    let server = open(&folder);
    wait_for(&folder, 0);
    assert_eq!(server.end("-TERM"), Some(0));
}

/// Sends a change and does not wait for the answer.
fn send(server: &Server, path: &str, body: &Value) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).unwrap();
    let body = body.to_string();
    let head = format!(
        "PATCH {}{path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {TOKEN}\r\n\
         content-type: application/scim+json\r\ncontent-length: {}\r\n\r\n",
        server.base,
        server.address,
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    stream
}
