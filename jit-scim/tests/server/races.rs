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
}
