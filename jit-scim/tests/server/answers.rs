//! What of a resource an answer shows, and when it shows nothing.

use jit_scim::Schemas;
use serde_json::{Value, json};

use crate::support::*;

const DOOR: &str = "urn:example:door";
const LOCK: &str = "urn:example:lock";

/// A type with what is returned on request: itself, within a value, within one of several, and in an extension.
fn doors() -> Schemas {
    let on_request = |name: &str| json!({"name": name, "type": "string", "returned": "request"});
    let plain = |name: &str| json!({"name": name, "type": "string"});
    let several = json!({"name": "keys", "type": "complex", "multiValued": true,
        "subAttributes": [plain("value"), on_request("cut")]});
    let quiet = json!({"name": "quiet", "type": "complex", "returned": "request", "subAttributes": [plain("a"), on_request("b")]});
    let door = json!({"id": DOOR, "name": "Door", "attributes": [plain("name"), on_request("code"),
        {"name": "frame", "type": "complex", "subAttributes": [plain("wood"), on_request("price")]}, several, quiet]});
    let lock = json!({"id": LOCK, "name": "Lock", "attributes": [plain("make"), on_request("pin")]});
    let kind = json!({"id": "Door", "name": "Door", "endpoint": "/Doors", "schema": DOOR,
        "schemaExtensions": [{"schema": LOCK, "required": false}]});
    let schemas = Schemas::builder().add_schemas(json!([door, lock]).to_string().as_bytes()).unwrap();
    schemas.add_resource_types(kind.to_string().as_bytes()).unwrap().build()
}

/// What an answer shows, but for what every answer has.
fn shown(answer: &Answer) -> Value {
    let mut body = answer.body.clone();
    for name in ["schemas", "id", "meta"] {
        body.as_object_mut().unwrap().remove(name);
    }
    body
}

/// RFC 7643 §7: also returned where the client specified it.
#[tokio::test]
async fn what_is_returned_on_request_is_shown_to_whoever_wrote_it_also_within_a_value() {
    let house = house_with(SETTINGS, |connection| connection.schemas(doors()));
    let said = json!({"name": "front", "code": "1", "frame": {"wood": "oak", "price": "2"},
        "keys": [{"value": "k", "cut": "3"}, {"value": "l"}], "quiet": {"a": "4", "b": "5"}, LOCK: {"make": "m", "pin": "6"}});
    let mut body = said.clone();
    body["schemas"] = json!([DOOR, LOCK]);
    let made = house.post("/Doors", body.clone()).await.is(201);
    assert_eq!(shown(&made), said);
    let path = format!("/Doors/{}", made.id());
    let default = json!({"name": "front", "frame": {"wood": "oak"}, "keys": [{"value": "k"}, {"value": "l"}], LOCK: {"make": "m"}});
    assert_eq!(shown(&house.get(&path).await), default, "nobody wrote it in this request");
    assert_eq!(shown(&house.put(&path, body.clone()).await.is(200)), said);
    let without = house.put(&format!("{path}?excludedAttributes=code,keys.cut"), body).await.is(200);
    let mut less = said.clone();
    less.as_object_mut().unwrap().remove("code");
    less["keys"][0].as_object_mut().unwrap().remove("cut");
    assert_eq!(shown(&without), less);
    for (operation, place, value) in [
        (json!({"op": "add", "path": "frame.price", "value": "x"}), "/frame/price", "x"),
        (json!({"op": "replace", "path": "frame", "value": {"price": "y"}}), "/frame/price", "y"),
        (json!({"op": "add", "path": "keys[value eq \"l\"].cut", "value": "z"}), "/keys/1/cut", "z"),
        (json!({"op": "add", "path": "keys", "value": [{"value": "m", "cut": "w"}]}), "/keys/2/cut", "w"),
        (json!({"op": "replace", "path": format!("{LOCK}:pin"), "value": "7"}), "/urn:example:lock/pin", "7"),
        (json!({"op": "replace", "value": {LOCK: {"pin": "8"}}}), "/urn:example:lock/pin", "8"),
        (json!({"op": "add", "path": "quiet.b", "value": "9"}), "/quiet/b", "9"),
    ] {
        let answer = house.patch(&path, json!([operation])).await.is(200);
        let [own, code] = [place, "/code"].map(|place| answer.body.pointer(place).cloned());
        assert_eq!((own, code), (Some(json!(value)), None), "{operation}: {}", answer.body);
    }
}

/// RFC 9110 §13.1.1: no method is performed where the condition is false.
#[tokio::test]
async fn a_resource_of_another_version_than_asked_for_is_not_shown() {
    let house = house();
    let id = house.post("/Users", user("anna")).await.id();
    let path = format!("/Users/{id}");
    for (method, headers, status) in [
        ("GET", &[("if-match", "W/\"1\"")][..], 200),
        ("GET", &[("if-match", "\"7\", \"1\"")], 200),
        ("GET", &[("if-match", "*")], 200),
        ("GET", &[("if-match", "W/\"7\"")], 412),
        ("HEAD", &[("if-match", "W/\"7\"")], 412),
        ("GET", &[("if-match", "none")], 412),
        ("GET", &[("if-match", "W/\"1\""), ("if-none-match", "W/\"1\"")], 304),
        ("GET", &[("if-match", "W/\"7\""), ("if-none-match", "W/\"1\"")], 412),
    ] {
        house.send(method, &path, headers, None).await.is(status);
    }
    house.send("GET", "/Users/none", &[("if-match", "*")], None).await.refuses(404, None);
}
