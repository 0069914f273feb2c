use super::*;
use super::{Kind as K, Mutability as M, Returned as R, Uniqueness as U};
use crate::reason::Reason;

const SCHEMAS_FILE: &[u8] = include_bytes!("../../tests/data/schemas.json");
const TYPE_FILE: &[u8] = include_bytes!("../../tests/data/resource-type.json");

fn refusal(schema: &str) -> (Reason, String) {
    let error = Schemas::builder().add_schemas(schema.as_bytes()).unwrap_err();
    (error.reason(), error.to_string())
}

fn with_attribute(attribute: &str) -> (Reason, String) {
    refusal(&format!(r#"{{"id":"urn:example:a","name":"A","attributes":[{{"name":"first"}},{attribute}]}}"#))
}

#[test]
fn the_standard_schemas_are_those_of_the_rfc() {
    let schemas = Schemas::standard();
    let ids: Vec<_> = schemas.schemas().map(Schema::id).collect();
    assert_eq!(ids, [USER, GROUP, ENTERPRISE_USER, SERVICE_PROVIDER_CONFIG, RESOURCE_TYPE, SCHEMA]);
    let user = schemas.resource_type("User").unwrap();
    assert_eq!(user.endpoint(), "/Users");
    let characteristic = |name: &str| {
        let attribute = user.attribute(&user.resolve(name).unwrap()).unwrap();
        (
            attribute.kind(),
            attribute.mutability(),
            attribute.returned(),
            attribute.uniqueness(),
            attribute.is_case_exact(),
        )
    };
    assert_eq!(characteristic("userName"), (K::String, M::ReadWrite, R::Default, U::Server, false));
    assert_eq!(characteristic("id"), (K::String, M::ReadOnly, R::Always, U::Server, true));
    assert_eq!(characteristic("password"), (K::String, M::WriteOnly, R::Never, U::None, true));
    assert_eq!(characteristic("groups"), (K::Complex, M::ReadOnly, R::Default, U::None, false));
    assert_eq!(characteristic("photos.value"), (K::Reference, M::ReadWrite, R::Default, U::None, true));
    assert_eq!(characteristic("meta.created"), (K::DateTime, M::ReadWrite, R::Default, U::None, false));
    let group = schemas.resource_type("Group").unwrap();
    let member = group.attribute(&group.resolve("members.value").unwrap()).unwrap();
    assert_eq!(member.mutability(), M::Immutable);
}

#[test]
fn names_are_found_in_any_case_and_by_urn() {
    let schemas = Schemas::standard();
    let user = schemas.resource_type("User").unwrap();
    let found = |text: &str| user.resolve(text).map(|path| path.to_string());
    for (text, name) in [
        ("USERNAME", "userName"),
        ("name.GivenName", "name.givenName"),
        ("urn:ietf:params:scim:schemas:core:2.0:User:userName", "userName"),
        ("URN:ietf:params:scim:schemas:core:2.0:user:name.familyName", "name.familyName"),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", ENTERPRISE_USER),
    ] {
        assert_eq!(found(text).as_deref(), Some(name), "{text}");
    }
    for text in ["department", "manager", "manager.value"] {
        let whole = format!("{ENTERPRISE_USER}:{text}");
        assert_eq!(found(&whole.to_uppercase()).as_deref(), Some(whole.as_str()));
        assert_eq!(found(text), None, "an extension's attribute needs its URN");
    }
    for text in
        ["", ".", "name.", "name.x", "userName.x", "emails.value.x", "urn:x:y", USER, "urn:", ":userName"]
    {
        assert_eq!(found(text), None, "{text}");
    }
}

#[test]
fn files_with_schemas_and_types_are_loaded() {
    let schemas =
        Schemas::builder().add_schemas(SCHEMAS_FILE).unwrap().add_resource_types(TYPE_FILE).unwrap().build();
    let kind = schemas.endpoint("/TestResources").unwrap();
    assert_eq!(kind.name(), "TestResource");
    assert!(kind.extensions()[0].is_required());
    let path =
        kind.resolve("urn:ietf:params:scim:schemas:extension:test:2.0:TestResource:extInteger").unwrap();
    assert_eq!(kind.attribute(&path).unwrap().kind(), Kind::Integer);
}

#[test]
fn what_discovery_shows_can_be_loaded_again() {
    for schema in Schemas::standard().schemas().take(3) {
        let text = serde_json::to_string(&schema.to_json("https://example.com/v2")).unwrap();
        let text = text.replace(":2.0:", ":9.9:");
        let again = Schemas::builder()
            .add_schemas(text.replace(":9.9:Schema", ":2.0:Schema").as_bytes())
            .unwrap()
            .build();
        let again = again.schema(&schema.id().replace(":2.0:", ":9.9:")).unwrap();
        let names =
            |schema: &Schema| schema.attributes().iter().map(|a| a.name().to_owned()).collect::<Vec<_>>();
        assert_eq!(names(again), names(schema));
    }
    let shown = Schemas::standard().resource_type("User").unwrap().to_json("https://example.com/v2");
    let shown = serde_json::to_string(&shown).unwrap();
    assert!(shown.contains(r#""location":"https://example.com/v2/ResourceTypes/User""#), "{shown}");
    assert!(shown.contains(r#""required":false"#), "{shown}");
}

#[test]
fn what_is_never_returned_must_not_show_in_what_is_refused() {
    for attribute in [
        r#"{"name":"a","returned":"never","mutability":"immutable"}"#,
        r#"{"name":"a","returned":"never","uniqueness":"server"}"#,
        r#"{"name":"a","type":"complex","returned":"never","subAttributes":[{"name":"b","mutability":"immutable"}]}"#,
        r#"{"name":"a","type":"complex","mutability":"immutable","subAttributes":[{"name":"b","returned":"never"}]}"#,
    ] {
        let (found, message) = with_attribute(attribute);
        assert_eq!(found, Reason::SchemaContradiction, "{attribute}");
        assert!(message.contains("`[0].attributes[1].returned`"), "{message}");
    }
}

#[test]
fn a_broken_schema_is_refused_with_its_place() {
    for (attribute, reason, place) in [
        (r#"{"name":"a","mutabilty":"readOnly"}"#, Reason::SchemaKeyUnknown, "[0].attributes[1].mutabilty"),
        (r#"{"name":"a","mutability":"readonly"}"#, Reason::SchemaKeyInvalid, "[0].attributes[1].mutability"),
        (r#"{"type":"string"}"#, Reason::SchemaKeyMissing, "[0].attributes[1].name"),
        (r#"{"name":"1a"}"#, Reason::SchemaKeyInvalid, "[0].attributes[1].name"),
        (r#"{"name":"a.b"}"#, Reason::SchemaKeyInvalid, "[0].attributes[1].name"),
        (r#"{"name":"FIRST"}"#, Reason::SchemaNameTwice, "[0].attributes[1].name"),
        (r#"{"name":"a","type":"complex"}"#, Reason::SchemaContradiction, "[0].attributes[1].subAttributes"),
        (
            r#"{"name":"a","subAttributes":[{"name":"b"}]}"#,
            Reason::SchemaContradiction,
            "[0].attributes[1].subAttributes",
        ),
        (
            r#"{"name":"a","mutability":"writeOnly"}"#,
            Reason::SchemaContradiction,
            "[0].attributes[1].returned",
        ),
        (
            r#"{"name":"a","type":"boolean","uniqueness":"server"}"#,
            Reason::SchemaContradiction,
            "[0].attributes[1].uniqueness",
        ),
        (
            r#"{"name":"a","type":"complex","multiValued":true,"subAttributes":[{"name":"value","uniqueness":"server"}]}"#,
            Reason::SchemaContradiction,
            "[0].attributes[1].uniqueness",
        ),
        (r#"{"name":"a","required":"yes"}"#, Reason::SchemaKeyInvalid, "[0].attributes[1].required"),
        (
            r#"{"name":"a","canonicalValues":[1]}"#,
            Reason::SchemaKeyInvalid,
            "[0].attributes[1].canonicalValues",
        ),
        (
            r#"{"name":"a","type":"complex","subAttributes":[{"name":"b","type":"complex","subAttributes":[{"name":"c"}]}]}"#,
            Reason::SchemaContradiction,
            "[0].attributes[1].subAttributes[0].type",
        ),
    ] {
        let (found, message) = with_attribute(attribute);
        assert_eq!(found, reason, "{attribute}");
        assert!(message.contains(&format!("`{place}`")), "{message}");
    }
    for (schema, reason) in [
        ("{", Reason::JsonMalformed),
        ("[1]", Reason::NotAnObject),
        (r#"{"name":"A","attributes":[{"name":"a"}]}"#, Reason::SchemaKeyMissing),
        (r#"{"id":"plain","attributes":[{"name":"a"}]}"#, Reason::SchemaKeyInvalid),
        (r#"{"id":"urn:a[b","attributes":[{"name":"a"}]}"#, Reason::SchemaKeyInvalid),
        (r#"{"id":"urn:a","attributes":[]}"#, Reason::SchemaKeyMissing),
        (r#"{"id":"urn:a","schemas":["urn:b"],"attributes":[{"name":"a"}]}"#, Reason::SchemaKeyInvalid),
        (&format!(r#"{{"id":"{USER}","attributes":[{{"name":"a"}}]}}"#), Reason::SchemaNameTwice),
    ] {
        assert_eq!(refusal(schema).0, reason, "{schema}");
    }
}

#[test]
fn a_broken_type_is_refused() {
    let refusal = |text: &str| Schemas::builder().add_resource_types(text.as_bytes()).unwrap_err().reason();
    let of = |endpoint: &str, schema: &str| {
        format!(r#"{{"name":"X","endpoint":"{endpoint}","schema":"{schema}"}}"#)
    };
    assert_eq!(refusal(&of("/Users", GROUP)), Reason::SchemaNameTwice);
    assert_eq!(refusal(&of("/Xs", "urn:x:y")), Reason::SchemaUnknown);
    for endpoint in ["Xs", "/", "/a/b", "/Bulk", "/me", "/a b"] {
        assert_eq!(refusal(&of(endpoint, GROUP)), Reason::SchemaKeyInvalid, "{endpoint}");
    }
    // a schema that would hide what every resource has
    let hiding = r#"{"id":"urn:example:hiding","attributes":[{"name":"ID"}]}"#;
    let builder = Schemas::builder().add_schemas(hiding.as_bytes()).unwrap();
    let error = builder.add_resource_types(of("/Xs", "urn:example:hiding").as_bytes()).unwrap_err();
    assert_eq!(error.reason(), Reason::SchemaNameTwice);
}

#[test]
fn a_type_of_the_same_name_takes_the_place_of_the_standard_one() {
    let extension = r#"{"id":"urn:example:badge","attributes":[{"name":"number"}]}"#;
    let user = format!(
        r#"{{"name":"User","endpoint":"/Users","schema":"{USER}","schemaExtensions":[{{"schema":"urn:example:badge","required":false}}]}}"#
    );
    let schemas = Schemas::builder().add_schemas(extension.as_bytes()).unwrap();
    let schemas = schemas.add_resource_types(user.as_bytes()).unwrap().build();
    assert_eq!(schemas.types().count(), 2);
    assert!(schemas.endpoint("/Users").unwrap().resolve("urn:example:badge:number").is_some());
}
