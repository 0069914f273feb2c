use super::*;
use crate::patch::{PATCH_OP, Patch};
use crate::{Limits, Schemas};

const SCHEMA: &str = r#"{"id":"urn:example:safe","attributes":[{"name":"title"},
    {"name":"keys","type":"complex","multiValued":true,"subAttributes":[{"name":"value"},{"name":"type"},{"name":"note"},
        {"name":"pin","mutability":"writeOnly","returned":"never"},{"name":"made","mutability":"immutable"},
        {"name":"tags","multiValued":true,"mutability":"immutable"}]},
    {"name":"slots","type":"complex","multiValued":true,"subAttributes":[{"name":"street"},
        {"name":"pin","mutability":"writeOnly","returned":"never"}]},
    {"name":"box","type":"complex","subAttributes":[{"name":"label"},
        {"name":"pin","mutability":"writeOnly","returned":"never"}]},
    {"name":"full","type":"complex","subAttributes":[{"name":"label","required":true},
        {"name":"pin","mutability":"writeOnly","returned":"never"}]}]}"#;
const EXTENSION: &str = r#"{"id":"urn:example:lock","attributes":[{"name":"code","mutability":"writeOnly","returned":"never"},
    {"name":"colour"}]}"#;

fn safe(rest: &str) -> Json {
    let text = format!(r#"{{"schemas":["urn:example:safe","urn:example:lock"]{rest}}}"#);
    Json::parse(text.as_bytes(), &Limits::default()).unwrap()
}

fn created(rest: &str) -> Resource {
    let schemas = Schemas::builder().add_schemas(SCHEMA.as_bytes()).unwrap();
    let schemas = schemas.add_schemas(EXTENSION.as_bytes()).unwrap();
    let kind = r#"{"name":"Safe","endpoint":"/Safes","schema":"urn:example:safe",
        "schemaExtensions":[{"schema":"urn:example:lock","required":false}]}"#;
    let schemas = schemas.add_resource_types(kind.as_bytes()).unwrap().build();
    Resource::create(schemas.endpoint("/Safes").unwrap(), &safe(rest), Tolerance::strict()).unwrap()
}

fn kept(resource: &Resource) -> String {
    let text = String::from_utf8(resource.to_stored()).unwrap();
    let (_, rest) = text.split_once(']').unwrap();
    rest.trim_start_matches(',').strip_suffix('}').unwrap().to_owned()
}

#[test]
fn what_get_showed_destroys_nothing_when_it_is_put() {
    let before = created(
        r#","title":"t","keys":[{"value":"1","type":"t","pin":"P1","made":"m"},{"value":"2","pin":"P2"}],
        "slots":[{"street":"x","pin":"P3"},{"pin":"P4"}],"box":{"pin":"P5"},"urn:example:lock":{"code":"P6"}"#,
    );
    let shown = before.to_json(&crate::Projection::default(), "");
    assert!(!String::from_utf8(shown.clone()).unwrap().contains('P'));
    let shown = Json::parse(&shown, &Limits::default()).unwrap();
    assert!(before.replaced_by(&shown, Tolerance::strict()).unwrap() == before, "{}", kept(&before));
}

#[test]
fn what_a_put_leaves_out_is_removed_but_for_what_nobody_reads() {
    for (before, put, after) in [
        // of values what tells them apart says which is which, in whatever order
        (
            r#","keys":[{"value":"1","pin":"P1"},{"value":"2","pin":"P2","note":"n"}]"#,
            r#","keys":[{"value":"2"},{"value":"3"}]"#,
            r#""keys":[{"value":"2","pin":"P2"},{"value":"3"}]"#,
        ),
        (
            r#","keys":[{"value":"1","pin":"P1"}]"#,
            r#","keys":[{"value":"1","pin":"N"}]"#,
            r#""keys":[{"value":"1","pin":"N"}]"#,
        ),
        (r#","keys":[{"value":"1","pin":"P1"}]"#, "", ""),
        (
            r#","slots":[{"street":"x","pin":"P1"}]"#,
            r#","slots":[{"street":"y"}]"#,
            r#""slots":[{"street":"y"}]"#,
        ),
        // two that look the same are taken in their order
        (
            r#","slots":[{"street":"x","pin":"P1"},{"street":"x","pin":"P2"}]"#,
            r#","slots":[{"street":"x"},{"street":"x"}]"#,
            r#""slots":[{"street":"x","pin":"P1"},{"street":"x","pin":"P2"}]"#,
        ),
        // a value of which nothing is seen cannot be named, and so cannot be left out
        (r#","slots":[{"pin":"P1"}]"#, "", r#""slots":[{"pin":"P1"}]"#),
        (r#","box":{"label":"l","pin":"P1"}"#, "", r#""box":{"pin":"P1"}"#),
        (r#","box":{"label":"l"}"#, "", ""),
        // what would not be whole goes
        (r#","full":{"label":"l","pin":"P1"}"#, "", ""),
    ] {
        let old = created(before);
        let new = old
            .replaced_by(&safe(put), Tolerance::strict())
            .unwrap_or_else(|error| panic!("{before}: {error}"));
        assert_eq!(kept(&new), after, "{before} {put}");
    }
}

#[test]
fn what_is_immutable_in_a_value_of_several_stays() {
    let old = created(r#","keys":[{"value":"1","made":"m"}]"#);
    let put = |rest: &str| old.replaced_by(&safe(rest), Tolerance::strict());
    assert!(put(r#","keys":[{"value":"1"}]"#).unwrap() == old);
    let changed = put(r#","keys":[{"value":"1","made":"other"}]"#).unwrap_err();
    assert_eq!(changed.reason(), Reason::ImmutableChanged);
    assert!(changed.to_string().contains("`keys.made`"), "{changed}");
}

fn patched(before: &Resource, operation: &str) -> Result<Resource, ScimError> {
    let text = format!(r#"{{"schemas":["{PATCH_OP}"],"Operations":[{operation}]}}"#);
    let message = Json::parse(text.as_bytes(), &Limits::default()).unwrap();
    Patch::parse(&before.kind, &message, Tolerance::strict(), &Limits::default())?.apply(before)
}

#[test]
fn what_get_showed_destroys_nothing_when_patch_replaces_it() {
    let before = created(
        r#","keys":[{"value":"1","type":"t","pin":"P1","made":"m"},{"value":"2","pin":"P2"}],
        "slots":[{"street":"x","pin":"P3"},{"pin":"P4"}],"box":{"label":"l","pin":"P5"}"#,
    );
    for operation in [
        r#"{"op":"replace","path":"keys","value":[{"value":"1","type":"t","made":"m"},{"value":"2"}]}"#,
        r#"{"op":"replace","path":"keys","value":[{"value":"1","type":"t"},{"value":"2"}]}"#,
        r#"{"op":"replace","path":"keys[value eq \"1\"]","value":{"value":"1","type":"t"}}"#,
        r#"{"op":"replace","path":"slots","value":[{"street":"x"}]}"#,
        r#"{"op":"replace","path":"box","value":{"label":"l"}}"#,
        // all of it at once, as a feed says it
        r#"{"op":"replace","value":{"keys":[{"value":"1","type":"t"},{"value":"2"}],"slots":[{"street":"x"}]}}"#,
    ] {
        let after = patched(&before, operation).unwrap_or_else(|error| panic!("{operation}: {error}"));
        assert_eq!(kept(&after), kept(&before), "{operation}");
    }
}

#[test]
fn what_patch_replaces_otherwise_goes_as_with_put() {
    let before = created(r#","keys":[{"value":"1","pin":"P1","note":"n"},{"value":"2","pin":"P2"}]"#);
    for (operation, after) in [
        (r#"{"op":"replace","path":"keys","value":[{"value":"1"}]}"#, r#""keys":[{"value":"1","pin":"P1"}]"#),
        (r#"{"op":"replace","path":"keys","value":[{"value":"3"}]}"#, r#""keys":[{"value":"3"}]"#),
        (
            r#"{"op":"replace","path":"keys[value eq \"1\"]","value":{"value":"1","pin":"N"}}"#,
            r#""keys":[{"value":"1","pin":"N"},{"value":"2","pin":"P2"}]"#,
        ),
        // to say that there are none is to take them away
        (r#"{"op":"replace","path":"keys","value":[]}"#, ""),
        (r#"{"op":"remove","path":"keys"}"#, ""),
    ] {
        assert_eq!(kept(&patched(&before, operation).unwrap()), after, "{operation}");
    }
}

#[test]
fn what_is_immutable_in_a_value_of_several_is_not_replaced_by_patch() {
    let before = created(r#","keys":[{"value":"1","made":"m","tags":["a"]}]"#);
    for (operation, place) in [
        (r#"{"op":"replace","path":"keys","value":[{"value":"1","made":"other"}]}"#, "`keys.made`"),
        (r#"{"op":"replace","path":"keys[value eq \"1\"]","value":{"value":"1","made":"o"}}"#, "`keys.made`"),
        (r#"{"op":"add","path":"keys","value":[{"value":"1","tags":["b"]}]}"#, "`keys.tags`"),
    ] {
        let refused = patched(&before, operation).expect_err(operation);
        assert_eq!(refused.reason(), Reason::ImmutableChanged, "{operation}");
        assert!(refused.to_string().contains(place), "{refused}");
    }
}
