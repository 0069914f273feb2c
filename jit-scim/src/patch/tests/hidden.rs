//! What is never returned shows in nothing that a PATCH does.

use super::*;

const SCHEMA: &str = r#"{"id":"urn:example:door","attributes":[
    {"name":"slots","type":"complex","multiValued":true,"subAttributes":[{"name":"street"},
        {"name":"pin","mutability":"writeOnly","returned":"never"}]},
    {"name":"boxes","type":"complex","multiValued":true,"subAttributes":[{"name":"value"},
        {"name":"pin","mutability":"writeOnly","returned":"never"},{"name":"seal","mutability":"readOnly"}]},
    {"name":"box","type":"complex","subAttributes":[{"name":"label"},
        {"name":"pin","mutability":"writeOnly","returned":"never"},{"name":"seal","mutability":"readOnly"}]},
    {"name":"codes","type":"complex","multiValued":true,"subAttributes":[{"name":"label"},
        {"name":"value","mutability":"writeOnly","returned":"never"}]},
    {"name":"secrets","type":"complex","multiValued":true,"returned":"never","subAttributes":[{"name":"value"}]}]}"#;

fn door(rest: &str) -> Resource {
    static SCHEMAS: LazyLock<Schemas> = LazyLock::new(|| {
        let kind = r#"{"name":"Door","endpoint":"/Doors","schema":"urn:example:door"}"#;
        let schemas = Schemas::builder().add_schemas(SCHEMA.as_bytes()).unwrap();
        schemas.add_resource_types(kind.as_bytes()).unwrap().build()
    });
    let body = json(&format!(r#"{{"schemas":["urn:example:door"],{rest}}}"#));
    let mut door = Resource::create(SCHEMAS.endpoint("/Doors").unwrap(), &body, Tolerance::strict()).unwrap();
    door.set_id("id-1");
    door
}

/// What is seen after each of the operations, which differ in what nobody sees.
fn seen(before: &Resource, tolerance: Tolerance, operations: [&str; 2]) -> [String; 2] {
    operations.map(|operation| match patched_with(before, operation, tolerance) {
        Ok(after) => shown(&after, "slots,codes,secrets"),
        Err(error) => error.to_string(),
    })
}

#[test]
fn a_right_guess_is_answered_as_a_wrong_one() {
    let before = door(
        r#""slots":[{"street":"x","pin":"0427"}],"codes":[{"label":"a","value":"0427"},{"label":"b","value":"1"}],
        "secrets":[{"value":"0427"}]"#,
    );
    for operation in [
        r#"{"op":"add","path":"slots","value":[{"street":"x","pin":"GUESS"}]}"#,
        r#"{"op":"add","path":"slots","value":[{"pin":"GUESS"}]}"#,
        r#"{"op":"add","path":"codes","value":[{"label":"c","value":"GUESS"}]}"#,
        r#"{"op":"replace","path":"codes[label eq \"b\"].value","value":"GUESS"}"#,
        r#"{"op":"Remove","path":"codes","value":[{"value":"GUESS"}]}"#,
        r#"{"op":"replace","path":"secrets[value eq \"GUESS\"].value","value":"2"}"#,
    ] {
        let [right, wrong] = ["0427", "9999"].map(|guess| operation.replace("GUESS", guess));
        let [right, wrong] = seen(&before, Tolerance::entra(), [&right, &wrong]);
        assert_eq!(right, wrong, "{operation}");
    }
}

#[test]
fn a_value_that_looks_the_same_is_the_same_and_takes_on_what_is_said_anew() {
    let before = door(r#""slots":[{"street":"x","pin":"1"},{"street":"y"}]"#);
    let after =
        patched(&before, r#"{"op":"add","path":"slots","value":[{"street":"x","pin":"2"},{"street":"z"}]}"#);
    let kept = String::from_utf8(after.unwrap().to_stored()).unwrap();
    assert!(kept.contains(r#""slots":[{"street":"x","pin":"2"},{"street":"y"},{"street":"z"}]"#), "{kept}");
    let none = door(r#""slots":[{"pin":"1"}]"#);
    let after = patched(&none, r#"{"op":"add","path":"slots","value":[{"pin":"2"}]}"#).unwrap();
    let kept = String::from_utf8(after.to_stored()).unwrap();
    assert!(kept.contains(r#""slots":[{"pin":"1"},{"pin":"2"}]"#), "nothing tells them apart: {kept}");
}

#[test]
fn what_the_server_says_of_a_value_does_not_tell_whether_a_guess_was_right() {
    let kept = r#"{"schemas":["urn:example:door"],"id":"id-1","boxes":[{"value":"1","pin":"0427","seal":"s"}],
        "box":{"label":"l","pin":"0427","seal":"s"}}"#;
    let before = Resource::kept(door(r#""slots":[]"#).kind(), kept).unwrap();
    assert!(shown(&before, "boxes").contains(r#""seal":"s""#));
    for operation in [
        r#"{"op":"replace","path":"boxes","value":[{"value":"1","pin":"GUESS"}]}"#,
        r#"{"op":"replace","path":"boxes[value eq \"1\"]","value":{"value":"1","pin":"GUESS"}}"#,
        r#"{"op":"replace","path":"boxes[value eq \"1\"].pin","value":"GUESS"}"#,
        r#"{"op":"add","path":"boxes","value":[{"value":"1","pin":"GUESS"}]}"#,
        r#"{"op":"replace","path":"box","value":{"label":"l","pin":"GUESS"}}"#,
        r#"{"op":"replace","path":"box.pin","value":"GUESS"}"#,
    ] {
        let [right, wrong] = ["0427", "9999"].map(|guess| {
            let after = patched(&before, &operation.replace("GUESS", guess)).unwrap();
            shown(&after, "boxes,box")
        });
        assert_eq!(right, wrong, "{operation}");
    }
    let [right, wrong] = ["0427", "9999"].map(|guess| {
        let put = format!(
            r#"{{"schemas":["urn:example:door"],"boxes":[{{"value":"1","pin":"{guess}"}}],
            "box":{{"label":"l","pin":"{guess}"}}}}"#
        );
        let after = before.replaced_by(&json(&put), Tolerance::strict()).unwrap();
        shown(&after, "boxes,box")
    });
    assert_eq!(right, wrong, "nor does a PUT");
    let same = patched(&before, r#"{"op":"replace","path":"boxes","value":[{"value":"1"}]}"#).unwrap();
    assert_eq!(shown(&same, "boxes,box"), shown(&before, "boxes,box"));
}
