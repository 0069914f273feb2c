//! Many at once: nobody's change is lost, and what is held once is held once. For any server and any number of nodes.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::support::*;

/// Thirty writers name the same version: one of them wins.
pub(crate) async fn one_of_thirty_writers_wins(nodes: &[Arc<dyn Client>]) {
    let id = nodes[0].post("/Users", user("race-if-match")).await.is(201).id();
    let write = move |number: usize| {
        let body = patch(json!([{"op": "replace", "path": "title", "value": format!("t{number}")}]));
        (format!("/Users/{id}"), "PATCH", Some("W/\"1\""), body)
    };
    let answers = all_at_once(nodes, 30, write).await;
    assert_eq!(count(&answers, 200), 1, "{answers:?}");
    assert_eq!(count(&answers, 412), 29, "{answers:?}");
}

/// Fifty create the same user: one is created, and the others are told that the name is taken.
pub(crate) async fn one_of_fifty_creations_wins(nodes: &[Arc<dyn Client>]) {
    let answers = all_at_once(nodes, 50, |_| ("/Users".to_owned(), "POST", None, user("race-create"))).await;
    assert_eq!(count(&answers, 201), 1, "{answers:?}");
    assert_eq!(count(&answers, 409), 49, "{answers:?}");
    let taken = answers.iter().filter(|answer| answer.status == 409);
    assert!(taken.into_iter().all(|answer| answer.body["scimType"] == "uniqueness"));
    let found = nodes[0].get("/Users?filter=userName eq \"race-create\"").await;
    assert_eq!(found.body["totalResults"], 1);
}

/// Twenty change different attributes without naming a version: every change is there afterwards.
pub(crate) async fn no_change_is_lost(nodes: &[Arc<dyn Client>]) {
    let id = nodes[0].post("/Users", user("race-patch")).await.is(201).id();
    let path = format!("/Users/{id}");
    let write = |number: usize| {
        let value = json!([{"value": format!("n{number}"), "type": format!("t{number}")}]);
        (path.clone(), "PATCH", None, patch(json!([{"op": "add", "path": "phoneNumbers", "value": value}])))
    };
    let answers = all_at_once(nodes, 20, write).await;
    assert_eq!(count(&answers, 200), 20, "{answers:?}");
    let numbers = nodes[0].get(&path).await.body["phoneNumbers"].as_array().unwrap().len();
    assert_eq!(numbers, 20);
}

/// Twenty join one group at once, and then leave it at once: nobody is lost, and nobody is left.
pub(crate) async fn no_member_is_lost(nodes: &[Arc<dyn Client>]) {
    let mut ids = Vec::new();
    for number in 0..20 {
        ids.push(nodes[0].post("/Users", user(&format!("race-member-{number}"))).await.is(201).id());
    }
    let path = format!("/Groups/{}", nodes[0].post("/Groups", group("team-race", &[])).await.is(201).id());
    let join = |number: usize| {
        let change = json!([{"op": "add", "path": "members", "value": [{"value": ids[number]}]}]);
        (path.clone(), "PATCH", None, patch(change))
    };
    let answers = all_at_once(nodes, 20, join).await;
    assert_eq!(count(&answers, 204), 20, "{answers:?}");
    assert_eq!(nodes[0].get(&path).await.body["members"].as_array().unwrap().len(), 20);
    let leave = |number: usize| {
        let change = json!([{"op": "remove", "path": format!("members[value eq \"{}\"]", ids[number])}]);
        (path.clone(), "PATCH", None, patch(change))
    };
    let answers = all_at_once(nodes, 20, leave).await;
    assert_eq!(count(&answers, 204), 20, "{answers:?}");
    assert!(nodes[0].get(&path).await.body.get("members").is_none());
    for id in &ids {
        assert!(nodes[0].get(&format!("/Users/{id}")).await.body.get("groups").is_none());
    }
}

/// People join a group and are removed at the same time: whoever is gone is in no group.
pub(crate) async fn nobody_who_is_gone_is_a_member(nodes: &[Arc<dyn Client>]) {
    let mut ids = Vec::new();
    for number in 0..10 {
        ids.push(nodes[0].post("/Users", user(&format!("race-gone-{number}"))).await.is(201).id());
    }
    let path = format!("/Groups/{}", nodes[0].post("/Groups", group("team-gone", &[])).await.is(201).id());
    let both = |number: usize| {
        let id = &ids[number / 2];
        if number.is_multiple_of(2) {
            return (format!("/Users/{id}"), "DELETE", None, Value::Null);
        }
        let change = json!([{"op": "add", "path": "members", "value": [{"value": id}]}]);
        (path.clone(), "PATCH", None, patch(change))
    };
    let answers = all_at_once(nodes, 20, both).await;
    assert!(answers.iter().all(|answer| [204, 400].contains(&answer.status)), "{answers:?}");
    assert!(nodes[0].get(&path).await.body.get("members").is_none());
}

/// Sends many requests at once, in turn to each node.
async fn all_at_once(
    nodes: &[Arc<dyn Client>],
    number: usize,
    request: impl Fn(usize) -> (String, &'static str, Option<&'static str>, Value),
) -> Vec<Answer> {
    let mut tasks = tokio::task::JoinSet::new();
    for (number, node) in (0..number).zip(nodes.iter().cycle().cloned()) {
        let (path, method, if_match, body) = request(number);
        tasks.spawn(async move {
            let headers: Vec<_> = if_match.map(|tag| ("if-match", tag)).into_iter().collect();
            node.send(method, &path, &headers, Some(&body)).await
        });
    }
    tasks.join_all().await
}

fn count(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}

mod in_memory {
    use super::*;

    fn nodes() -> Vec<Arc<dyn Client>> {
        vec![Arc::new(house())]
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn writers() {
        one_of_thirty_writers_wins(&nodes()).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn creations() {
        one_of_fifty_creations_wins(&nodes()).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn changes() {
        no_change_is_lost(&nodes()).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn members() {
        no_member_is_lost(&nodes()).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn departures() {
        nobody_who_is_gone_is_a_member(&nodes()).await;
    }
}
