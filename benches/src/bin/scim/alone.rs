//! The service without HTTP: how many instructions a request takes, which other work on the machine does not change.

use std::hint::black_box;
use std::sync::Arc;

use jit_benches::house::ready;
use jit_benches::instructions;
use jit_benches::report::{Goal, line, remark};
use jit_core::config::{Check, ConnectionConfig, Format, Problems, load};
use jit_core::{Jit, MemoryStore, Store};
use jit_scim::server::{ScimConnection, ScimContext, ScimRequest, ScimResponse, ScimService};
use serde::Deserialize;
use serde_json::Value;

use crate::requests::{ALL, Operation, Said, say, shown};

/// As many people as are there; instructions do not depend much on it.
const PEOPLE: u64 = 1000;

/// What `scim-server` has built in.
const CONNECTION: &str = r#"
tenant = "default"
id = "scim"
issuers = ["urn:jit:scim-server"]
policy = { rule = [{ name = "everybody", permit = {} }] }

[provisioning]
reactivates = true

[mapping]
dangerously_use_unverified_email = true
email = { claim = "/emails/0/value", verified = "never" }
attribute = [{ attribute = "login", claim = "userName" }, { attribute = "display_name", claim = "displayName" }]

[protocol]
"#;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

impl Check for Nothing {
    fn check(&self, _: &mut Problems) {}
}

/// Prints a line for each operation.
pub(crate) fn measure() {
    if !instructions::can_count() {
        return remark("valgrind is not installed: the lines of the service without HTTP are missing");
    }
    for operation in ALL {
        let count = |what: &str| instructions::of_a_turn(&["alone", what, operation.words()], 200, 1200);
        let (ours, beside) = (count("service"), count("json"));
        let what = format!("SCIM without HTTP: {}", operation.words());
        let beside_words = format!("{beside:.0} JSON of the echo");
        line(&what, format!("{ours:.0} instructions"), beside_words, ours / beside, Goal::Shown);
    }
}

/// Does an operation so many times, for callgrind.
pub(crate) fn run(what: &str, operation: &str, turns: u64) {
    let operation = ALL.into_iter().find(|known| known.words() == operation).unwrap();
    match what {
        "service" => Alone::new().turn(operation, turns),
        _ => echo(operation, turns),
    }
}

/// Composes the service on a store, with what `scim-server` has built in.
pub(crate) fn serve(store: Arc<dyn Store>) -> (ScimService, ScimContext) {
    let settings: ConnectionConfig<Nothing> = load(CONNECTION, Format::Toml, "connection").unwrap();
    let context = ScimContext::new(settings.tenant.clone(), settings.id.clone(), "bench");
    let (connection, attestor, _) = settings.define().unwrap();
    let jit = Arc::new(Jit::builder(Arc::clone(&store)).connection(connection).build().unwrap());
    let served = ScimConnection::new(attestor, "/scim/v2");
    (ScimService::builder(jit, store).connection(served).build().unwrap(), context)
}

/// A request as the service takes it.
pub(crate) fn request(said: &Said) -> ScimRequest<'_> {
    let (path, query) =
        said.path.split_once('?').map_or((said.path.as_str(), None), |(path, query)| (path, Some(query)));
    ScimRequest {
        method: said.method,
        path,
        query,
        content_type: (!said.body.is_empty()).then_some("application/scim+json"),
        body: said.body.as_bytes(),
        ..ScimRequest::default()
    }
}

struct Alone {
    service: ScimService,
    context: ScimContext,
    ids: Vec<String>,
}

impl Alone {
    fn new() -> Self {
        let (service, context) = serve(Arc::new(MemoryStore::new()));
        let mut alone = Self { service, context, ids: Vec::new() };
        for number in 0..PEOPLE {
            let made = alone.ask(&say(Operation::Post, number, "", PEOPLE, false));
            let made: Value = serde_json::from_slice(made.body()).unwrap();
            alone.ids.push(made["id"].as_str().unwrap().to_owned());
        }
        alone
    }

    fn turn(&self, operation: Operation, turns: u64) {
        for number in 0..turns {
            let number = if operation == Operation::Post { PEOPLE + number } else { number };
            let place = usize::try_from(number.wrapping_mul(7_919) % PEOPLE).unwrap();
            let is_active = number / PEOPLE % 2 == 1;
            black_box(self.ask(&say(operation, number, &self.ids[place], PEOPLE, is_active)));
        }
    }

    fn ask(&self, said: &Said) -> ScimResponse {
        let response = ready(self.service.handle(&self.context, request(said)));
        assert!(response.status() < 300, "{}", String::from_utf8_lossy(response.body()));
        response
    }
}

/// What the echo does with JSON: reads what came in, and writes it or what it was asked for.
fn echo(operation: Operation, turns: u64) {
    let people: Vec<Value> = (0..100).map(|number| serde_json::from_str(&shown(number)).unwrap()).collect();
    for number in 0..turns {
        let said = say(operation, number, "1", PEOPLE, false);
        black_box(match operation {
            Operation::List => serde_json::to_vec(&people).unwrap(),
            Operation::Get | Operation::Filter => serde_json::to_vec(&people[0]).unwrap(),
            _ => serde_json::to_vec(&serde_json::from_str::<Value>(&said.body).unwrap()).unwrap(),
        });
    }
}
