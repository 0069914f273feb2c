use std::sync::LazyLock;

mod hidden;
mod members;
mod model;
mod simple;

use super::*;
use crate::reason::Reason;
use crate::schema::{ENTERPRISE_USER, USER};
use crate::{Projection, Schemas};

fn json(text: &str) -> Json {
    Json::parse(text.as_bytes(), &Limits::default()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn resource(endpoint: &str, rest: &str) -> Resource {
    static SCHEMAS: LazyLock<Schemas> = LazyLock::new(Schemas::standard);
    let kind = SCHEMAS.endpoint(endpoint).unwrap().clone();
    let urn = kind.schema().id();
    let schemas = if rest.contains(ENTERPRISE_USER) {
        format!(r#""{urn}","{ENTERPRISE_USER}""#)
    } else {
        format!(r#""{urn}""#)
    };
    let mut resource =
        Resource::create(&kind, &json(&format!(r#"{{"schemas":[{schemas}],{rest}}}"#)), Tolerance::strict())
            .unwrap();
    resource.set_id("id-1");
    resource
}

fn user(rest: &str) -> Resource {
    resource("/Users", &format!(r#""userName":"alice"{}{rest}"#, if rest.is_empty() { "" } else { "," }))
}

fn group(members: &[&str]) -> Resource {
    let members: Vec<_> = members.iter().map(|id| format!(r#"{{"value":"{id}"}}"#)).collect();
    resource("/Groups", &format!(r#""displayName":"g","members":[{}]"#, members.join(",")))
}

fn parse(resource: &Resource, operations: &str, tolerance: Tolerance) -> Result<Patch, ScimError> {
    let text = format!(r#"{{"schemas":["{PATCH_OP}"],"Operations":[{operations}]}}"#);
    Patch::parse(resource.kind(), &json(&text), tolerance, &Limits::default())
}

fn patched_with(resource: &Resource, operations: &str, tolerance: Tolerance) -> Result<Resource, ScimError> {
    parse(resource, operations, tolerance)?.apply(resource)
}

fn patched(resource: &Resource, operations: &str) -> Result<Resource, ScimError> {
    patched_with(resource, operations, Tolerance::strict())
}

fn shown(resource: &Resource, attributes: &str) -> String {
    let projection = Projection::of_query(resource.kind(), Some(attributes), None).unwrap();
    let text = String::from_utf8(resource.to_json(&projection, "")).unwrap();
    let (_, rest) = text.split_once(r#""id":"id-1""#).unwrap();
    rest.trim_start_matches(',').trim_end_matches('}').to_owned()
        + if rest.ends_with("}}") { "}" } else { "" }
}

fn becomes(before: &Resource, operations: &str, attributes: &str, after: &str) {
    let done = patched(before, operations).unwrap_or_else(|error| panic!("{operations}: {error}"));
    assert_eq!(shown(&done, attributes), after, "{operations}");
}

#[test]
fn attributes_are_added_replaced_and_removed() {
    let alice = user(r#""title":"T","name":{"givenName":"A","familyName":"F"}"#);
    for (operations, attributes, after) in [
        (r#"{"op":"add","path":"nickName","value":"n"}"#, "nickName", r#""nickName":"n""#),
        (r#"{"op":"replace","path":"TITLE","value":"U"}"#, "title", r#""title":"U""#),
        (r#"{"op":"replace","path":"nickName","value":"n"}"#, "nickName", r#""nickName":"n""#),
        (r#"{"op":"remove","path":"title"}"#, "title", ""),
        (r#"{"op":"remove","path":"nickName"}"#, "nickName", ""),
        (r#"{"op":"replace","path":"title","value":null}"#, "title", ""),
        (
            r#"{"op":"add","path":"name","value":{"givenName":"B"}}"#,
            "name",
            r#""name":{"familyName":"F","givenName":"B"}"#,
        ),
        (
            r#"{"op":"replace","path":"name","value":{"givenName":"B"}}"#,
            "name",
            r#""name":{"familyName":"F","givenName":"B"}"#,
        ),
        (
            r#"{"op":"replace","path":"name.givenName","value":"B"}"#,
            "name.givenName",
            r#""name":{"givenName":"B"}"#,
        ),
        (r#"{"op":"remove","path":"name.givenName"}"#, "name", r#""name":{"familyName":"F"}"#),
        (r#"{"op":"remove","path":"name.givenName"},{"op":"remove","path":"name.familyName"}"#, "name", ""),
        (
            r#"{"op":"replace","value":{"active":false,"name":{"givenName":"B"}}}"#,
            "active,name.givenName",
            r#""name":{"givenName":"B"},"active":false"#,
        ),
        (r#"{"op":"add","value":{"emails":[{"value":"a@x"}]}}"#, "emails", r#""emails":[{"value":"a@x"}]"#),
        (
            r#"{"op":"add","path":"urn:ietf:params:scim:schemas:core:2.0:User:nickName","value":"n"}"#,
            "nickName",
            r#""nickName":"n""#,
        ),
    ] {
        becomes(&alice, operations, attributes, after);
    }
    assert_eq!(shown(&alice, "title"), r#""title":"T""#, "the resource itself is as it was");
}

#[test]
fn several_values_are_selected_by_a_filter() {
    let alice = user(
        r#""emails":[{"value":"w@x","type":"work","primary":true},{"value":"h@x","type":"home"},{"value":"o@x","type":"other"}]"#,
    );
    for (operations, after) in [
        (
            r#"{"op":"remove","path":"emails[type eq \"work\"]"}"#,
            r#"[{"value":"h@x","type":"home"},{"value":"o@x","type":"other"}]"#,
        ),
        (
            r#"{"op":"remove","path":"emails[type eq \"none\"]"}"#,
            r#"[{"value":"w@x","type":"work","primary":true},{"value":"h@x","type":"home"},{"value":"o@x","type":"other"}]"#,
        ),
        (
            r#"{"op":"replace","path":"emails[type eq \"work\"].value","value":"n@x"},{"op":"remove","path":"emails[type ne \"work\"]"}"#,
            r#"[{"value":"n@x","type":"work","primary":true}]"#,
        ),
        (
            r#"{"op":"replace","path":"emails[type eq \"home\"]","value":{"value":"n@x","type":"home"}},{"op":"remove","path":"emails[type eq \"other\" or type eq \"work\"]"}"#,
            r#"[{"value":"n@x","type":"home"}]"#,
        ),
        (r#"{"op":"replace","path":"emails","value":[{"value":"n@x"}]}"#, r#"[{"value":"n@x"}]"#),
        (
            r#"{"op":"remove","path":"emails[type eq \"other\"]"},{"op":"add","path":"emails","value":{"value":"n@x","type":"other","primary":true}}"#,
            r#"[{"value":"w@x","type":"work","primary":false},{"value":"h@x","type":"home"},{"value":"n@x","type":"other","primary":true}]"#,
        ),
        (
            r#"{"op":"remove","path":"emails[type eq \"other\"]"},{"op":"add","path":"emails","value":[{"value":"H@X","type":"HOME","display":"d"}]}"#,
            r#"[{"value":"w@x","type":"work","primary":true},{"value":"H@X","display":"d","type":"HOME"}]"#,
        ),
        (
            r#"{"op":"replace","path":"emails[type eq \"home\"].primary","value":true},{"op":"remove","path":"emails[type eq \"other\"]"}"#,
            r#"[{"value":"w@x","type":"work","primary":false},{"value":"h@x","type":"home","primary":true}]"#,
        ),
        (
            r#"{"op":"remove","path":"emails.display"},{"op":"remove","path":"emails[type pr].type"},{"op":"remove","path":"emails[primary eq true]"}"#,
            r#"[{"value":"h@x"},{"value":"o@x"}]"#,
        ),
    ] {
        becomes(&alice, operations, "emails", &format!(r#""emails":{after}"#));
    }
    for nothing in ["null", "{}"] {
        let removes =
            r#"{"op":"replace","path":"emails[type eq \"work\" or type eq \"other\"]","value":NOTHING}"#;
        let after = r#""emails":[{"value":"h@x","type":"home"}]"#;
        becomes(&alice, &removes.replace("NOTHING", nothing), "emails", after);
        let adds = r#"{"op":"add","path":"emails[type eq \"work\"]","value":NOTHING}"#;
        assert!(patched(&alice, &adds.replace("NOTHING", nothing)).unwrap() == alice);
    }
    becomes(&alice, r#"{"op":"remove","path":"emails"}"#, "emails", "");
    becomes(&alice, r#"{"op":"replace","path":"emails","value":[]}"#, "emails", "");
}

#[test]
fn extensions_come_and_go() {
    let alice = user("");
    let add = format!(r#"{{"op":"add","path":"{ENTERPRISE_USER}:manager","value":{{"value":"m"}}}}"#);
    let managed = patched(&alice, &add).unwrap();
    assert_eq!(managed.as_user().unwrap().manager(), Some("m"));
    assert!(
        String::from_utf8(managed.to_stored())
            .unwrap()
            .contains(&format!(r#""schemas":["{USER}","{ENTERPRISE_USER}"]"#))
    );
    let same = patched(
        &alice,
        &format!(r#"{{"op":"add","value":{{"{ENTERPRISE_USER}":{{"manager":{{"value":"m"}}}}}}}}"#),
    )
    .unwrap();
    assert!(same == managed);
    let whole = patched(
        &alice,
        &format!(r#"{{"op":"replace","path":"{ENTERPRISE_USER}","value":{{"manager":{{"value":"m"}}}}}}"#),
    )
    .unwrap();
    assert!(whole == managed);
    // clients whose objects know their schema send it along
    let named = format!(r#"{{"schemas":["{ENTERPRISE_USER}"],"manager":{{"value":"m"}}}}"#);
    let with_schemas = format!(r#"{{"op":"add","path":"{ENTERPRISE_USER}","value":{named}}}"#);
    assert!(patched(&alice, &with_schemas).unwrap() == managed);
    for path in ["", ":manager", ":manager.value"] {
        let gone =
            patched(&managed, &format!(r#"{{"op":"remove","path":"{ENTERPRISE_USER}{path}"}}"#)).unwrap();
        assert!(gone == alice, "{path}");
    }
    // what only the server says about a manager is not said about the next one
    let mut known = managed.clone();
    let named = json(r#"{"manager":{"value":"m","displayName":"M"}}"#);
    known.set_read_only(ENTERPRISE_USER, &named).unwrap();
    let next = patched(
        &known,
        &format!(r#"{{"op":"replace","path":"{ENTERPRISE_USER}:manager.value","value":"n"}}"#),
    )
    .unwrap();
    assert_eq!(next.as_user().unwrap().enterprise("manager.displayName"), None);
}

#[test]
fn what_a_patch_must_not_do() {
    use Reason as R;
    let mut alice = user(r#""emails":[{"value":"w@x","type":"work"},{"value":"h@x","type":"home"}]"#);
    alice.set_read_only("groups", &json(r#"[{"value":"g"}]"#)).unwrap();
    for (operations, reason) in [
        (r#"{"op":"replace","path":"id","value":"2"}"#, R::ReadOnly),
        (r#"{"op":"replace","value":{"id":"id-1"}}"#, R::ReadOnly),
        (r#"{"op":"remove","path":"groups"}"#, R::ReadOnly),
        (r#"{"op":"remove","path":"groups[value eq \"g\"]"}"#, R::ReadOnly),
        (r#"{"op":"replace","path":"meta.version","value":"x"}"#, R::ReadOnly),
        (r#"{"op":"remove","path":"userName"}"#, R::RequiredRemoved),
        (r#"{"op":"remove"}"#, R::PatchNoTarget),
        (r#"{"op":"replace","path":"emails[type eq \"none\"].value","value":"x"}"#, R::PatchNoTarget),
        (r#"{"op":"add","path":"emails[type eq \"none\"].value","value":"x"}"#, R::PatchNoTarget),
        (r#"{"op":"add","path":"shoeSize","value":"x"}"#, R::PathUnknown),
        (r#"{"op":"add","path":"emails.shoeSize","value":"x"}"#, R::PathUnknown),
        (r#"{"op":"add","path":"","value":"x"}"#, R::PathMalformed),
        (r#"{"op":"add","path":"emails[type eq \"work\"]x","value":"x"}"#, R::PathMalformed),
        (r#"{"op":"add","path":"name[givenName pr]","value":{}}"#, R::PathFilterOnOne),
        (r#"{"op":"add","path":"emails[type eq ]","value":"x"}"#, R::FilterMalformed),
        (r#"{"op":"add","path":"title","value":1}"#, R::ValueType),
        (r#"{"op":"add","path":"active","value":"True"}"#, R::ValueType),
        (r#"{"op":"add","path":"title"}"#, R::PatchValueMissing),
        (r#"{"op":"remove","path":"emails","value":[{"value":"w@x"}]}"#, R::PatchValueUnexpected),
        (r#"{"op":"Add","path":"title","value":"x"}"#, R::PatchOperationUnknown),
        (r#"{"op":"move","path":"title","value":"x"}"#, R::PatchOperationUnknown),
        (r#"{"path":"title","value":"x"}"#, R::PatchOperationUnknown),
        (r#"{"op":"add","path":7,"value":"x"}"#, R::PatchMalformed),
        (r#"{"op":"add","value":"x"}"#, R::ValueType),
        (r#"{"op":"add","value":{"name.givenName":"x"}}"#, R::AttributeUnknown),
        (r#"{"op":"replace","path":"emails.primary","value":true}"#, R::PrimaryTwice),
        (r#"{"op":"add","path":"schemas","value":["urn:x:y"]}"#, R::SchemasUnknown),
    ] {
        // what comes before the failure has no effect either
        let all = format!(r#"{{"op":"add","path":"title","value":"first"}},{operations}"#);
        let error = patched(&alice, &all).unwrap_err();
        assert_eq!((error.reason(), error.operation()), (reason, Some(1)), "{operations}");
    }
    for (text, reason) in [
        (r#"{"Operations":[{"op":"remove","path":"title"}]}"#.to_owned(), R::SchemasMissing),
        (format!(r#"{{"schemas":["{PATCH_OP}"]}}"#), R::PatchMalformed),
        (format!(r#"{{"schemas":["{PATCH_OP}"],"Operations":[]}}"#), R::PatchMalformed),
        (format!(r#"{{"schemas":["{PATCH_OP}"],"Operations":[1]}}"#), R::NotAnObject),
        ("[]".to_owned(), R::NotAnObject),
    ] {
        let error =
            Patch::parse(alice.kind(), &json(&text), Tolerance::strict(), &Limits::default()).unwrap_err();
        assert_eq!(error.reason(), reason, "{text}");
    }
    let empty = patched(&alice, r#"{"op":"replace","path":"userName","value":""}"#).unwrap_err();
    assert_eq!(empty.reason(), R::ValueRequired);
    let many = vec![r#"{"op":"remove","path":"title"}"#; 1001].join(",");
    assert_eq!(patched(&alice, &many).unwrap_err().reason(), R::PatchTooManyOperations);
}

#[test]
fn members_are_references_for_good() {
    let before = group(&["a", "b"]);
    becomes(
        &before,
        r#"{"op":"add","path":"members","value":[{"value":"b","display":"forged"},{"value":"c"}]}"#,
        "members",
        r#""members":[{"value":"a"},{"value":"b"},{"value":"c"}]"#,
    );
    becomes(
        &before,
        r#"{"op":"remove","path":"members[value eq \"a\"]"}"#,
        "members",
        r#""members":[{"value":"b"}]"#,
    );
    let error = patched(&before, r#"{"op":"replace","path":"members[value eq \"a\"].value","value":"c"}"#)
        .unwrap_err();
    assert_eq!(error.reason(), Reason::ImmutableChanged);
    let error =
        patched(&before, r#"{"op":"replace","path":"members[value eq \"a\"]","value":{"value":"c"}}"#)
            .unwrap_err();
    assert_eq!(error.reason(), Reason::ImmutableChanged);
    let error =
        patched(&before, r#"{"op":"add","path":"members[value eq \"a\"].display","value":"c"}"#).unwrap_err();
    assert_eq!(error.reason(), Reason::ReadOnly);
}

#[test]
fn entra_sends_what_it_sends() {
    let entra = |before: &Resource, operations: &str| patched_with(before, operations, Tolerance::entra());
    let alice = user(r#""name":{"givenName":"A"}"#);
    let off = entra(&alice, r#"{"op":"Replace","path":"active","value":"False"}"#).unwrap();
    assert!(!off.as_user().unwrap().is_active());
    let dotted =
        format!(r#"{{"op":"replace","value":{{"name.givenName":"B","{ENTERPRISE_USER}:department":"D"}}}}"#);
    let done = entra(&alice, &dotted).unwrap();
    assert_eq!(
        (done.as_user().unwrap().name().given(), done.as_user().unwrap().enterprise("department")),
        (Some("B"), Some("D"))
    );
    let work =
        entra(&alice, r#"{"op":"Add","path":"emails[type eq \"work\"].value","value":"a@x"}"#).unwrap();
    assert_eq!(shown(&work, "emails"), r#""emails":[{"value":"a@x","type":"work"}]"#);
    let role = r#"{"op":"Add","path":"roles[primary eq \"True\"].value","value":"admin"}"#;
    let with_role = entra(&alice, role).unwrap();
    let again = entra(&with_role, &role.replace("admin", "reader")).unwrap();
    let roles = |user: &Resource| -> Vec<_> {
        user.labelled("roles").map(|role| (role.value().unwrap().to_owned(), role.is_primary())).collect()
    };
    assert_eq!(roles(&with_role), [("admin".to_owned(), true)]);
    assert_eq!(roles(&again), [("reader".to_owned(), true)]);
    assert!(patched_with(&alice, role, Tolerance::okta()).is_err());
    let error = entra(&alice, r#"{"op":"Replace","path":"emails[type eq \"work\"].value","value":"a@x"}"#)
        .unwrap_err();
    assert_eq!(error.reason(), Reason::PatchNoTarget);
    let error =
        entra(&alice, r#"{"op":"Add","path":"emails[type ne \"work\"].value","value":"a@x"}"#).unwrap_err();
    assert_eq!(error.reason(), Reason::PatchNoTarget);
    let managed =
        entra(&alice, &format!(r#"{{"op":"Add","path":"{ENTERPRISE_USER}:manager","value":"m"}}"#)).unwrap();
    assert_eq!(managed.as_user().unwrap().manager(), Some("m"));
    let fewer =
        entra(&group(&["a", "b"]), r#"{"op":"Remove","path":"members","value":[{"value":"a"}]}"#).unwrap();
    assert_eq!(shown(&fewer, "members"), r#""members":[{"value":"b"}]"#);
    let same = entra(&group(&["a", "b"]), r#"{"op":"Remove","path":"members","value":[]}"#).unwrap();
    assert_eq!(shown(&same, "members"), r#""members":[{"value":"a"},{"value":"b"}]"#);
}

#[test]
fn okta_repeats_the_identifier() {
    let rename = |id: &str| format!(r#"{{"op":"replace","value":{{"id":"{id}","displayName":"new"}}}}"#);
    let done = patched_with(&group(&[]), &rename("id-1"), Tolerance::okta()).unwrap();
    assert_eq!(done.as_group().unwrap().display_name(), "new");
    let error = patched_with(&group(&[]), &rename("id-2"), Tolerance::okta()).unwrap_err();
    assert_eq!(error.reason(), Reason::ReadOnly);
    let empty =
        patched_with(&group(&["a"]), r#"{"op":"replace","path":"members","value":[]}"#, Tolerance::okta())
            .unwrap();
    assert_eq!(shown(&empty, "members"), "");
    assert!(
        patched_with(&group(&[]), r#"{"op":"Replace","path":"displayName","value":"x"}"#, Tolerance::okta())
            .is_err()
    );
}

#[test]
fn what_is_immutable_changes_in_no_part_of_it() {
    let schema = r#"{"id":"urn:example:born","attributes":[{"name":"birth","type":"complex","mutability":"immutable",
        "subAttributes":[{"name":"place"},{"name":"year","type":"integer"}]}]}"#;
    let kind = r#"{"name":"Born","endpoint":"/Born","schema":"urn:example:born"}"#;
    let schemas = Schemas::builder().add_schemas(schema.as_bytes()).unwrap();
    let schemas = schemas.add_resource_types(kind.as_bytes()).unwrap().build();
    let kind = schemas.endpoint("/Born").unwrap();
    let born = |rest: &str| {
        let body = json(&format!(r#"{{"schemas":["urn:example:born"]{rest}}}"#));
        let mut resource = Resource::create(kind, &body, Tolerance::strict()).unwrap();
        resource.set_id("id-1");
        resource
    };
    let there = born(r#","birth":{"place":"Bonn","year":1990}"#);
    for change in [
        r#"{"op":"replace","path":"birth.place","value":"Ulm"}"#,
        r#"{"op":"remove","path":"birth.year"}"#,
        r#"{"op":"remove","path":"birth"}"#,
        r#"{"op":"add","path":"birth","value":{"year":1991}}"#,
    ] {
        assert_eq!(patched(&there, change).unwrap_err().reason(), Reason::ImmutableChanged, "{change}");
    }
    let half = born(r#","birth":{"place":"Bonn"}"#);
    let more = r#"{"op":"add","path":"birth.year","value":1990}"#;
    assert_eq!(
        patched(&half, more).unwrap_err().reason(),
        Reason::ImmutableChanged,
        "it was said without a year"
    );
    let same = r#"{"op":"replace","path":"birth.place","value":"Bonn"}"#;
    assert!(patched(&there, same).unwrap() == there);
    let begun = patched(&born(""), r#"{"op":"add","path":"birth.place","value":"Bonn"}"#).unwrap();
    assert_eq!(begun.text("birth.place"), Some("Bonn"), "what was never said can be said");
}
