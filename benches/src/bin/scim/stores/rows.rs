//! The rows of people, as the service commits them.

use std::ops::Range;
use std::sync::Arc;

use jit_benches::house::ready;
use jit_benches::scripted::Scripted;
use jit_core::{Clock as _, Commit, Document, DocumentName, ExternalKey, Mint, SystemClock};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::alone::{request, serve};
use crate::requests::{Operation, say};

/// What a POST writes: an account with its identity and what it is looked up by, a document with its names, counters, and
/// an audit event.
pub(crate) struct Person {
    pub(crate) key: ExternalKey,
    pub(crate) account: Uuid,
    pub(crate) user_name_key: Option<String>,
    pub(crate) account_text: String,
    pub(crate) lookups: Vec<(String, Vec<u8>)>,
    pub(crate) counters: Vec<(String, i64)>,
    pub(crate) document: Uuid,
    pub(crate) at: i64,
    pub(crate) names_text: String,
    pub(crate) body: String,
    pub(crate) names: Vec<Name>,
    pub(crate) event: Uuid,
    pub(crate) event_text: String,
}

/// What a document is found by. `tie` is nothing but zeros where only one may have the name.
pub(crate) struct Name {
    pub(crate) digest: Vec<u8>,
    pub(crate) tie: Uuid,
}

/// Lets the service create people before a store that keeps nothing, and takes what it commits.
pub(crate) fn people(numbers: Range<u64>) -> Vec<Person> {
    let store = Arc::new(Scripted::default());
    let (service, context) = serve(Arc::clone(&store) as _);
    for number in numbers {
        let said = say(Operation::Post, number, "", 1, false);
        // Else tokio would have it wait now and then, for the sake of other tasks.
        let handled = tokio::task::unconstrained(service.handle(&context, request(&said)));
        assert_eq!(ready(handled).status(), 201);
    }
    store.take_commits().into_iter().map(|commit| person(&commit)).collect()
}

fn person(commit: &Commit) -> Person {
    let write = commit.account.as_ref().unwrap();
    let (after, keys) = (write.after(), write.keys());
    let ([key], [event], [document]) = (&*keys.identities_added, &*commit.events, &*commit.documents) else {
        panic!("not the rows of a plain person: {commit:?}")
    };
    assert!(commit.tasks.is_empty() && keys.entitlements_added.is_empty(), "{commit:?}");
    assert!(after.ends_at.is_none() && after.last_seen.is_none() && after.state.word() == "active");
    let document = document.after().unwrap();
    let lookup = |key: &jit_core::LookupKey| (key.kind.clone(), Sha256::digest(&key.value).to_vec());
    let counter = |change: &jit_core::CounterChange| (change.name.as_str().to_owned(), change.by);
    Person {
        key: key.clone(),
        account: after.id.as_uuid(),
        user_name_key: after.user_name.as_ref().map(|name| name.key().to_owned()),
        account_text: serde_json::to_string(after).unwrap(),
        lookups: keys.lookups_added.iter().map(lookup).collect(),
        counters: commit.counters.iter().map(counter).collect(),
        document: document.key.id.as_uuid(),
        at: document.created_at.timestamp_micros(),
        names_text: names_text(document),
        body: document.body.to_string(),
        names: document.names.iter().map(|name| Name::of(name, document)).collect(),
        event: event.id.as_uuid(),
        event_text: serde_json::to_string(event).unwrap(),
    }
}

fn names_text(document: &Document) -> String {
    let row = |name: &DocumentName| (name.index.to_string(), name.value.to_string(), name.unique);
    serde_json::to_string(&document.names.iter().map(row).collect::<Vec<_>>()).unwrap()
}

impl Name {
    fn of(name: &DocumentName, document: &Document) -> Self {
        let tie = if name.unique { Uuid::nil() } else { document.key.id.as_uuid() };
        Self { digest: digest(name.index.as_str(), &name.value), tie }
    }
}

/// What an index is asked for.
pub(crate) fn digest(index: &str, value: &str) -> Vec<u8> {
    Sha256::digest(format!("{index}\0{value}")).to_vec()
}

/// A person as they are, whose name shall change.
pub(crate) struct Before {
    pub(crate) document_version: i64,
    pub(crate) body: String,
    pub(crate) account: Uuid,
    pub(crate) account_version: i64,
    pub(crate) account_text: String,
}

/// What a PATCH of the display name writes.
pub(crate) struct Renamed {
    pub(crate) document: Uuid,
    pub(crate) before: Before,
    pub(crate) body: String,
    pub(crate) account_text: String,
    pub(crate) at: i64,
    pub(crate) event: Uuid,
    pub(crate) event_text: String,
}

impl Renamed {
    /// Puts the name into the texts that were read, as a program does that knows where it stands.
    pub(crate) fn new(document: Uuid, before: Before, name: &str) -> Self {
        let now = SystemClock.now();
        let seed = document.as_u128() ^ u128::from(now.timestamp_subsec_nanos());
        let event = Mint::new(now, seed.to_le_bytes()).event().as_uuid();
        let event_text = format!(
            r#"{{"id":"{event}","at":"{}","tenant":"default","actor":{{"kind":"connection","id":"scim"}},"action":"account.moved","account":"{}","outcome":{{"kind":"done"}},"rule":"everybody","changes":["set attribute display_name","update document User {document}"]}}"#,
            now.to_rfc3339(),
            before.account,
        );
        let version = (before.account_version + 1).to_string();
        let account_text = put(&before.account_text, (r#","version":"#, ','), &version);
        Self {
            document,
            body: put(&before.body, (r#""displayName":""#, '"'), name),
            account_text: put(&account_text, (r#""display_name":[{"text":""#, '"'), name),
            before,
            at: now.timestamp_micros(),
            event,
            event_text,
        }
    }
}

/// Puts words into the place of those that stand behind a mark, up to another one.
fn put(text: &str, (behind, before): (&str, char), words: &str) -> String {
    let (head, tail) = text.split_once(behind).unwrap_or_else(|| panic!("no {behind} in {text}"));
    let (_, tail) = tail.split_once(before).unwrap();
    format!("{head}{behind}{words}{before}{tail}")
}
