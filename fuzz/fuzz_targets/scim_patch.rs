//! Whatever is a PATCH applies or is refused, and what comes of it fits its schema; the same holds for whole resources.
#![no_main]

use std::sync::LazyLock;

use jit_scim::{Json, Limits, Patch, Resource, Schemas, Tolerance};
use libfuzzer_sys::fuzz_target;

static SCHEMAS: LazyLock<Schemas> = LazyLock::new(Schemas::standard);

fn resource(endpoint: &str, rest: &str) -> Resource {
    let kind = SCHEMAS.endpoint(endpoint).expect("a standard type");
    let body = format!(r#"{{"schemas":["{}"],{rest}}}"#, kind.schema().id());
    let json = Json::parse(body.as_bytes(), &Limits::default()).expect("it is JSON");
    Resource::create(kind, &json, Tolerance::strict()).expect("it fits")
}

static BEFORE: LazyLock<[Resource; 2]> = LazyLock::new(|| {
    [
        resource("/Users", r#""userName":"a","emails":[{"value":"a","type":"work","primary":true},{"value":"b"}]"#),
        resource("/Groups", r#""displayName":"g","members":[{"value":"1"},{"value":"2"}]"#),
    ]
});

fn fits(resource: &Resource) {
    let stored = resource.to_stored();
    let again = Resource::stored(resource.kind(), &stored).expect("what was written fits");
    assert!(again == *resource);
}

fuzz_target!(|octets: &[u8]| {
    let limits = Limits::default();
    let Ok(json) = Json::parse(octets, &limits) else { return };
    assert!(Json::parse(&json.to_bytes(), &limits).expect("what was written is JSON") == json);
    for before in BEFORE.iter() {
        for tolerance in [Tolerance::strict(), Tolerance::entra(), Tolerance::okta()] {
            if let Ok(patch) = Patch::parse(before.kind(), &json, tolerance, &limits) {
                if let Ok(after) = patch.apply(before) {
                    fits(&after);
                }
                let _ = patch.apply_apart(before, "members");
            }
            for made in [Resource::create(before.kind(), &json, tolerance), before.replaced_by(&json, tolerance)] {
                made.iter().for_each(fits);
            }
        }
    }
});
