//! The trivial server that every figure is a share of: axum, which reads JSON and writes JSON, and does nothing else.
//!
//! What is changed or made it answers as it was said. People and lists of them are as large as those of ours.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, StatusCode};
use axum::routing::{get, patch};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::requests::shown;

type Answer = (StatusCode, [(HeaderName, &'static str); 1], Vec<u8>);

/// Serves until it is killed. Prints what the others print.
#[expect(clippy::print_stdout, reason = "whoever started it reads its address")]
pub(crate) fn serve() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let people: Vec<Value> =
            (0..1000).map(|number| serde_json::from_str(&shown(number)).unwrap()).collect();
        let router = Router::new()
            .route("/Users", get(list).post(echo_new))
            .route("/Users/{id}", patch(echo).get(one))
            .with_state(Arc::new(people));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let ids: Vec<String> = (0..1000).map(|number| number.to_string()).collect();
        println!("{}", json!({"base": base, "token": "none", "pid": std::process::id(), "ids": ids}));
        axum::serve(listener, router).await.unwrap();
    });
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct List<'a> {
    schemas: [&'static str; 1],
    total_results: usize,
    #[serde(rename = "Resources")]
    resources: &'a [Value],
}

/// Of a query, one person or a hundred, as it asks; nothing is looked up.
async fn list(State(people): State<Arc<Vec<Value>>>, uri: axum::http::Uri) -> Answer {
    let count = if uri.query().is_some_and(|query| query.starts_with("filter")) { 1 } else { 100 };
    let schemas = ["urn:ietf:params:scim:api:messages:2.0:ListResponse"];
    let list = List { schemas, total_results: count, resources: &people[..count] };
    answer(StatusCode::OK, &list)
}

async fn one(State(people): State<Arc<Vec<Value>>>, Path(id): Path<usize>) -> Answer {
    answer(StatusCode::OK, &people[id])
}

async fn echo(body: Bytes) -> Answer {
    answer(StatusCode::OK, &read(&body))
}

async fn echo_new(body: Bytes) -> Answer {
    answer(StatusCode::CREATED, &read(&body))
}

fn read(body: &Bytes) -> Value {
    serde_json::from_slice(body).unwrap()
}

fn answer(status: StatusCode, value: &impl Serialize) -> Answer {
    (status, [(CONTENT_TYPE, "application/scim+json")], serde_json::to_vec(value).unwrap())
}
