//! What must hold when many ask at once, of one server or of several on one store.

use std::sync::Barrier;
use std::thread;

use serde_json::json;

use crate::scim::{Answer, GROUP, Server, patch};

/// Lets so many ask at once, each of the servers in turn.
fn at_once(servers: &[&Server], count: usize, ask: impl Fn(&Server, usize) -> Answer + Sync) -> Vec<Answer> {
    let barrier = Barrier::new(count);
    thread::scope(|scope| {
        let callers: Vec<_> = (0..count)
            .map(|number| {
                let (ask, barrier, server) = (&ask, &barrier, servers[number % servers.len()]);
                scope.spawn(move || {
                    barrier.wait();
                    ask(server, number)
                })
            })
            .collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    })
}

fn with_status(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}

/// Of many that make one user name, one does, and the others hear whose fault it is.
pub(crate) fn one_of_fifty_creates(servers: &[&Server]) {
    let before = servers[0].count("/Users");
    let answers = at_once(servers, 50, |server, number| {
        // The case of a user name does not count.
        server.join(if number % 2 == 0 { "twin" } else { "TWIN" })
    });
    assert_eq!(with_status(&answers, 201), 1, "{answers:?}");
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        answer.refuses(409, Some("uniqueness"));
    }
    assert_eq!(servers[0].count("/Users"), before + 1);
}

/// Of many that change one version, one does.
pub(crate) fn one_of_thirty_writers(servers: &[&Server]) {
    let made = servers[0].join("written");
    let (path, version) = (format!("/Users/{}", made.id()), made.header("etag").unwrap().to_owned());
    let answers = at_once(servers, 30, |server, number| {
        let rename =
            patch(&json!([{ "op": "replace", "path": "displayName", "value": format!("writer {number}") }]));
        server.ask_if("PATCH", &path, Some(&version), &rename)
    });
    assert_eq!(with_status(&answers, 200), 1, "{answers:?}");
    assert_eq!(with_status(&answers, 412), 29, "{answers:?}");
    let winner = answers.iter().find(|answer| answer.status == 200).unwrap();
    assert_eq!(servers[0].get(&path).body["displayName"], winner.body["displayName"]);
}

/// Of many that join a group without a condition, all are in it; of many that leave, nobody takes others along.
pub(crate) fn no_member_is_lost(servers: &[&Server]) {
    let people: Vec<_> = (0..20).map(|number| servers[0].join(&format!("member-{number}")).id()).collect();
    let group = servers[0].ask("POST", "/Groups", &json!({ "schemas": [GROUP], "displayName": "Crew" }));
    let path = format!("/Groups/{}", group.id());
    let answers = at_once(servers, people.len(), |server, number| {
        let add = json!([{ "op": "add", "path": "members", "value": [{ "value": people[number] }] }]);
        server.ask("PATCH", &path, &patch(&add))
    });
    assert!(answers.iter().all(|answer| answer.status < 300), "{answers:?}");
    assert_eq!(members(servers[0], &path), 20);
    let answers = at_once(servers, 10, |server, number| {
        let filter = format!("members[value eq \"{}\"]", people[number]);
        server.ask("PATCH", &path, &patch(&json!([{ "op": "remove", "path": filter }])))
    });
    assert!(answers.iter().all(|answer| answer.status < 300), "{answers:?}");
    assert_eq!(members(servers[0], &path), 10);
}

fn members(server: &Server, path: &str) -> usize {
    server.get(path).body["members"].as_array().map_or(0, Vec::len)
}
