//! Whatever is a bulk request comes to its end, every operation of it gets one answer, and nothing is completed after it was changed.
#![no_main]

use jit_scim::protocol::{Bulk, BulkOutcome};
use jit_scim::{Json, Limits, Schemas};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let limits = Limits::default();
    if let Ok(json) = Json::parse(octets, &limits)
        && let Ok(mut bulk) = Bulk::parse(&json, &limits)
    {
        let mut steps = 0;
        let mut changed = Vec::new();
        while let Some(step) = bulk.next() {
            steps += 1;
            assert!(steps <= 2 * limits.bulk_operations);
            assert!(!step.completes || !changed.contains(&step.path), "completed after it was changed");
            let id = format!("made-here-{}", step.operation);
            changed.push(step.path);
            bulk.done(step.operation, BulkOutcome::Done { status: 201, location: id.clone(), id, version: None });
        }
        let answers = bulk.answer();
        if json.member("failOnErrors").is_none() {
            let count = |json: &Json| match json.member("Operations") {
                Some(Json::List(list)) => list.len(),
                _ => 0,
            };
            assert_eq!(count(&answers), count(&json));
        }
    }
    let _ = Schemas::builder().add_schemas(octets).and_then(|builder| builder.add_resource_types(octets));
});
