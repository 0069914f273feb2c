//! Whatever is a filter or a path is the same one when it was written and read again, and evaluating it answers.
#![no_main]

use std::sync::LazyLock;

use jit_scim::{Filter, Json, Limits, Path, Resource, Schemas, Tolerance};
use libfuzzer_sys::fuzz_target;

static SCHEMAS: LazyLock<Schemas> = LazyLock::new(Schemas::standard);
static ALICE: LazyLock<Resource> = LazyLock::new(|| {
    let body = br#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"Alice","active":true,
        "name":{"givenName":"A"},"emails":[{"value":"a@example.com","type":"work"},{"value":"b@example.com"}]}"#;
    let json = Json::parse(body, &Limits::default()).expect("it is JSON");
    Resource::create(SCHEMAS.endpoint("/Users").expect("a standard type"), &json, Tolerance::strict()).expect("it fits")
});

fuzz_target!(|text: &str| {
    let users = ALICE.kind();
    for tolerance in [Tolerance::strict(), Tolerance::entra()] {
        if let Ok(filter) = Filter::parse_with(users, text, tolerance) {
            let again = Filter::parse(users, &filter.to_string()).expect("what was written is a filter");
            assert!(again == filter);
            assert_eq!(again.matches(&ALICE), filter.matches(&ALICE));
        }
        if let Ok(path) = Path::parse_with(users, text, tolerance) {
            assert!(Path::parse(users, &path.to_string()).expect("what was written is a path") == path);
        }
    }
});
