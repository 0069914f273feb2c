use chrono::TimeZone as _;

use super::*;
use crate::schema::{ENTERPRISE_USER, GROUP, USER};
use crate::{Limits, Schemas};

fn kind(endpoint: &str) -> Arc<ResourceType> {
    Schemas::standard().endpoint(endpoint).unwrap().clone()
}

fn json(text: &str) -> Json {
    Json::parse(text.as_bytes(), &Limits::default()).unwrap()
}

fn user_body(rest: &str) -> Json {
    json(&format!(
        r#"{{"schemas":["{USER}"],"userName":"alice"{}{rest}}}"#,
        if rest.is_empty() { "" } else { "," }
    ))
}

fn user(rest: &str) -> Resource {
    Resource::create(&kind("/Users"), &user_body(rest), Tolerance::strict()).unwrap()
}

fn refusal(body: &str) -> ScimError {
    Resource::create(&kind("/Users"), &json(body), Tolerance::strict()).unwrap_err()
}

fn shown(resource: &Resource, attributes: Option<&str>, excluded: Option<&str>) -> String {
    let projection = Projection::of_query(resource.kind(), attributes, excluded).unwrap();
    String::from_utf8(resource.to_json(&projection, "https://example.com/v2")).unwrap()
}

#[test]
fn a_user_comes_back_as_the_schema_writes_it() {
    let body = format!(
        r#"{{"SCHEMAS":["{ENTERPRISE_USER}","{USER}"],"id":"mine","USERNAME":"Alice","externalID":"x-1",
        "name":{{"givenname":"Alice","familyName":null}},"active":true,"groups":[{{"value":"admins"}}],
        "emails":[{{"value":"a@example.com","TYPE":"work","primary":true}},{{"value":"A@example.com","type":"WORK"}}],
        "{ENTERPRISE_USER}":{{"department":"Sales","manager":{{"value":"7","displayName":"forged"}}}},
        "ims":[],"title":null,"meta":{{"version":"forged"}}}}"#
    );
    let user = Resource::create(&kind("/Users"), &json(&body), Tolerance::strict()).unwrap();
    assert_eq!(
        shown(&user, None, None),
        format!(
            r#"{{"schemas":["{USER}","{ENTERPRISE_USER}"],"externalId":"x-1","userName":"Alice","name":{{"givenName":"Alice"}},"active":true,"emails":[{{"value":"a@example.com","type":"work","primary":true}}],"{ENTERPRISE_USER}":{{"department":"Sales","manager":{{"value":"7"}}}}}}"#
        )
    );
    let view = user.as_user().unwrap();
    assert_eq!((view.user_name(), view.email(), view.is_active()), ("Alice", Some("a@example.com"), true));
    assert_eq!(
        (view.name().given(), view.enterprise("department"), view.manager()),
        (Some("Alice"), Some("Sales"), Some("7"))
    );
    assert!(user.as_group().is_none());
    assert_eq!(format!("{user:?}"), "Resource(User)");
}

#[test]
fn the_server_gives_identifier_meta_and_address() {
    let mut user = user(r#""title":"x""#);
    let at = Utc.with_ymd_and_hms(2026, 1, 2, 3, 4, 5).unwrap();
    user.set_id("42");
    user.set_meta(&Meta { created: at, last_modified: at, version: Version::numbered(3) });
    assert_eq!(user.version(), Some(Version::numbered(3)));
    let text = shown(&user, Some("meta"), None);
    assert!(text.contains(r#""meta":{"resourceType":"User","created":"2026-01-02T03:04:05.000Z""#), "{text}");
    assert!(text.contains(r#""version":"W/\"3\"","location":"https://example.com/v2/Users/42"}"#), "{text}");
    assert!(!text.contains("title"), "{text}");
    let text = shown(&user, Some("meta.location"), None);
    assert!(text.contains(r#""meta":{"location":"https://example.com/v2/Users/42"}"#), "{text}");
    let stored = user.to_stored();
    assert!(!String::from_utf8(stored.clone()).unwrap().contains("location"));
    assert!(Resource::stored(user.kind(), &stored).unwrap() == user);
}

#[test]
fn what_does_not_fit_the_schema_is_refused() {
    let in_user = |rest: &str| format!(r#"{{"schemas":["{USER}"],"userName":"a",{rest}}}"#);
    for (body, reason, place) in [
        ("[]".to_owned(), Reason::NotAnObject, None),
        (r#"{"userName":"a"}"#.to_owned(), Reason::SchemasMissing, None),
        (r#"{"schemas":[],"userName":"a"}"#.to_owned(), Reason::SchemasMissing, None),
        (
            format!(r#"{{"schemas":["{USER}","urn:x:y"],"userName":"a"}}"#),
            Reason::SchemasUnknown,
            Some("urn:x:y"),
        ),
        (format!(r#"{{"schemas":["{GROUP}"],"userName":"a"}}"#), Reason::SchemasUnknown, Some(GROUP)),
        (format!(r#"{{"schemas":["{USER}"]}}"#), Reason::ValueRequired, Some("userName")),
        (format!(r#"{{"schemas":["{USER}"],"userName":""}}"#), Reason::ValueRequired, Some("userName")),
        (format!(r#"{{"schemas":["{USER}"],"userName":null}}"#), Reason::ValueRequired, Some("userName")),
        (in_user(r#""USERNAME":"b""#), Reason::AttributeTwice, Some("username")),
        (in_user(r#""shoeSize":1"#), Reason::AttributeUnknown, Some("shoeSize")),
        (in_user(r#""name":{"x":1}"#), Reason::AttributeUnknown, Some("name.x")),
        (in_user(r#""active":"true""#), Reason::ValueType, Some("active")),
        (in_user(r#""active":1"#), Reason::ValueType, Some("active")),
        (in_user(r#""title":1"#), Reason::ValueType, Some("title")),
        (in_user(r#""name":"Alice""#), Reason::ValueType, Some("name")),
        (in_user(r#""emails":{"value":"a"}"#), Reason::ValueType, Some("emails")),
        (in_user(r#""emails":["a"]"#), Reason::ValueType, Some("emails[0]")),
        (in_user(r#""emails":[{"value":"a"},{"value":["b"]}]"#), Reason::ValueType, Some("emails[1].value")),
        (
            in_user(r#""x509Certificates":[{"value":"***"}]"#),
            Reason::ValueType,
            Some("x509Certificates[0].value"),
        ),
        (
            in_user(r#""emails":[{"value":"a","primary":true},{"value":"b","primary":true}]"#),
            Reason::PrimaryTwice,
            Some("emails.primary"),
        ),
        (
            in_user(&format!(r#""{ENTERPRISE_USER}":{{"department":"x"}}"#)),
            Reason::SchemasIncomplete,
            Some(ENTERPRISE_USER),
        ),
    ] {
        let error = refusal(&body);
        assert_eq!(error.reason(), reason, "{body}");
        let place = place.map(|name| crate::Place::Attribute(name.to_owned()));
        assert_eq!(error.place(), place.as_ref(), "{body}");
    }
}

#[test]
fn answers_hold_what_was_asked_for_and_nothing_secret() {
    let mut user = user(
        r#""password":"s3cret","title":"T","name":{"givenName":"G","familyName":"F"},"emails":[{"value":"v","type":"work"}]"#,
    );
    user.set_id("1");
    for (attributes, excluded, expected) in [
        (Some("title"), None, r#","title":"T"}"#),
        (Some("NAME.givenname, nothing"), None, r#","name":{"givenName":"G"}}"#),
        (Some("emails.type"), None, r#","emails":[{"type":"work"}]}"#),
        (Some("password"), None, "}"),
        (Some(""), None, "}"),
        (
            None,
            Some("title,emails,name.familyName,id,schemas"),
            r#","userName":"alice","name":{"givenName":"G"}}"#,
        ),
        (None, Some("name,emails"), r#","userName":"alice","title":"T"}"#),
    ] {
        let text = shown(&user, attributes, excluded);
        assert_eq!(
            text,
            format!(r#"{{"schemas":["{USER}"],"id":"1"{expected}"#),
            "{attributes:?} {excluded:?}"
        );
    }
    let both = Projection::of_query(user.kind(), Some("a"), Some("b")).unwrap_err();
    assert_eq!(both.reason(), Reason::ProjectionTwice);
    assert!(!shown(&user, None, None).contains("s3cret"));
    let path = user.kind().resolve("password").unwrap();
    assert_eq!(user.take(&path).unwrap().as_text(), Some("s3cret"));
    assert!(!String::from_utf8(user.to_stored()).unwrap().contains("s3cret"));
}

#[test]
fn replacing_follows_mutability() {
    let mut old = user(r#""password":"p","title":"T","externalId":"e""#);
    old.set_id("1");
    old.set_read_only("groups", &json(r#"[{"value":"g"}]"#)).unwrap();
    let new =
        old.replaced_by(&user_body(r#""id":"2","nickName":"n","groups":[]"#), Tolerance::strict()).unwrap();
    assert_eq!(
        (new.id(), new.text("nickName"), new.text("title"), new.external_id()),
        (Some("1"), Some("n"), None, None)
    );
    assert!(new.value("groups").is_some(), "what is read-only stays");
    assert_eq!(new.text("password"), Some("p"), "what nobody reads stays");
    let changed: Vec<_> = new.changed_from(&old).iter().map(ToString::to_string).collect();
    assert_eq!(changed, ["externalId", "nickName", "title"]);
    let missing =
        old.replaced_by(&json(&format!(r#"{{"schemas":["{USER}"]}}"#)), Tolerance::strict()).unwrap_err();
    assert_eq!(missing.reason(), Reason::ValueRequired);
}

#[test]
fn what_every_characteristic_means() {
    let schemas = Schemas::builder().add_schemas(include_bytes!("../../tests/data/schemas.json")).unwrap();
    let schemas =
        schemas.add_resource_types(include_bytes!("../../tests/data/resource-type.json")).unwrap().build();
    let kind = schemas.endpoint("/TestResources").unwrap();
    let [core, extension] = [
        "urn:ietf:params:scim:schemas:test:2.0:TestResource",
        "urn:ietf:params:scim:schemas:extension:test:2.0:TestResource",
    ];
    let body = |rest: &str| {
        json(&format!(
            r#"{{"schemas":["{core}","{extension}"],"identifier":"I","{extension}":{{"extRequired":"r"}}{rest}}}"#
        ))
    };
    let create = |rest: &str| Resource::create(kind, &body(rest), Tolerance::strict());
    let one = create(r#","immutableAttr":"i","readOnlyAttr":"no","writeOnlyAttr":"w","requestOnlyAttr":"q","alwaysReturnedAttr":"a","integerAttr":7,"decimalAttr":1,"uniqueString":"UNIQUE""#).unwrap();
    let text = shown(&one, Some("integerAttr"), None);
    assert!(text.contains(r#""alwaysReturnedAttr":"a""#) && !text.contains("identifier"), "{text}");
    let text = shown(&one, None, None);
    assert!(text.contains(r#""decimalAttr":1.0"#), "{text}");
    for hidden in ["readOnlyAttr", "writeOnlyAttr", "requestOnlyAttr"] {
        assert!(!text.contains(hidden), "{text}");
    }
    assert!(shown(&one, Some("requestOnlyAttr"), None).contains(r#""requestOnlyAttr":"q""#));
    let written = Projection::default().and_written(kind, &json(r#"{"requestOnlyAttr":"q"}"#));
    assert!(String::from_utf8(one.to_json(&written, "")).unwrap().contains(r#""requestOnlyAttr":"q""#));
    let keys: Vec<_> = one
        .unique_keys()
        .into_iter()
        .map(|key| (key.attribute().to_owned(), key.value().to_owned()))
        .collect();
    assert_eq!(
        keys,
        [("identifier".to_owned(), "i".to_owned()), ("uniqueString".to_owned(), "unique".to_owned())]
    );
    let other = one.replaced_by(&body(r#","immutableAttr":"j""#), Tolerance::strict()).unwrap_err();
    assert_eq!(other.reason(), Reason::ImmutableChanged);
    assert_eq!(one.replaced_by(&body(""), Tolerance::strict()).unwrap().text("immutableAttr"), Some("i"));
    assert_eq!(create(r#","integerAttr":1.5"#).unwrap_err().reason(), Reason::ValueType);
    assert_eq!(create(r#","integerAttr":"42""#).unwrap_err().reason(), Reason::ValueType);
    assert_eq!(create(r#","dateTimeAttr":"yesterday""#).unwrap_err().reason(), Reason::ValueType);
    let missing = json(&format!(r#"{{"schemas":["{core}"],"identifier":"I"}}"#));
    let error = Resource::create(kind, &missing, Tolerance::strict()).unwrap_err();
    assert_eq!(error.reason(), Reason::ValueRequired, "a required extension");
}

#[test]
fn entra_is_borne_only_where_it_is_named() {
    let body = user_body(r#""active":"True","roles":[{"value":"r","primary":"true"}]"#);
    let user = Resource::create(&kind("/Users"), &body, Tolerance::entra()).unwrap();
    assert!(user.as_user().unwrap().is_active());
    assert!(Resource::create(&kind("/Users"), &body, Tolerance::okta()).is_err());
    let foreign = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group";
    let group = json(&format!(
        r#"{{"schemas":["{GROUP}","{foreign}"],"displayName":"g","members":[{{"$ref":null,"value":"1"}}]}}"#
    ));
    let read = Resource::create(&kind("/Groups"), &group, Tolerance::entra()).unwrap();
    assert_eq!(read.as_group().unwrap().members().map(MemberView::id).collect::<Vec<_>>(), ["1"]);
    let strict = Resource::create(&kind("/Groups"), &group, Tolerance::strict()).unwrap_err();
    assert_eq!(strict.reason(), Reason::SchemasUnknown);
    assert_eq!(Tolerance::named("okta"), Some(Tolerance::okta()));
    assert_eq!(Tolerance::named("other"), None);
}

#[test]
fn what_was_kept_is_read_against_the_schema_of_now() {
    let read = |text: &str| Resource::stored(&kind("/Users"), text.as_bytes());
    let body = format!(
        r#"{{"schemas":["{USER}"],"id":"7","userName":"\u0061lice","active":true,"emails":[null,{{"value":"a@x"}},{{}}],"name":{{}},"title":null,"roles":[],"x509Certificates":[{{"value":"QQ=="}}]}}"#
    );
    let user = read(&body).unwrap();
    let shown = String::from_utf8(user.to_stored()).unwrap();
    assert_eq!(
        shown,
        format!(
            r#"{{"schemas":["{USER}"],"id":"7","userName":"alice","active":true,"emails":[{{"value":"a@x"}}],"x509Certificates":[{{"value":"QQ=="}}]}}"#
        )
    );
    for (text, reason, place) in [
        ("[]", Reason::JsonMalformed, None),
        (r#"{"userName":"a"} x"#, Reason::JsonMalformed, None),
        (r#"{"userName":1}"#, Reason::ValueType, Some("userName")),
        (r#"{"active":"true"}"#, Reason::ValueType, Some("active")),
        (r#"{"name":"a"}"#, Reason::ValueType, Some("name")),
        (r#"{"name":{"givenName":[]}}"#, Reason::ValueType, Some("name.givenName")),
        (r#"{"emails":{"value":"a"}}"#, Reason::ValueType, Some("emails")),
        (r#"{"emails":[["a"]]}"#, Reason::ValueType, Some("emails")),
        (r#"{"x509Certificates":[{"value":"*"}]}"#, Reason::ValueType, Some("x509Certificates.value")),
        (r#"{"shoeSize":1}"#, Reason::AttributeUnknown, Some("shoeSize")),
        (r#"{"title":"a","TITLE":"b"}"#, Reason::AttributeTwice, Some("TITLE")),
    ] {
        let error = read(text).unwrap_err();
        let named = match error.place() {
            Some(crate::error::Place::Attribute(name)) => Some(name.as_str()),
            _ => None,
        };
        assert_eq!((error.reason(), named), (reason, place), "{text}");
    }
    let deep = format!(r#"{{"emails":{}"#, "[".repeat(100_000));
    assert!(read(&deep).is_err());
}

#[test]
fn what_is_always_returned_is_so_within_an_extension() {
    let schema =
        r#"{"id":"urn:example:badge","attributes":[{"name":"number","returned":"always"},{"name":"label"}]}"#;
    let kind = format!(
        r#"{{"name":"User","endpoint":"/Users","schema":"{USER}","schemaExtensions":[{{"schema":"urn:example:badge","required":false}}]}}"#
    );
    let schemas = Schemas::builder().add_schemas(schema.as_bytes()).unwrap();
    let schemas = schemas.add_resource_types(kind.as_bytes()).unwrap().build();
    let body = format!(
        r#"{{"schemas":["{USER}","urn:example:badge"],"userName":"a","title":"t","urn:example:badge":{{"number":"7","label":"x"}}}}"#
    );
    let user =
        Resource::create(schemas.endpoint("/Users").unwrap(), &json(&body), Tolerance::strict()).unwrap();
    let badge = r#""urn:example:badge":{"number":"7"}"#;
    for (attributes, excluded) in [
        (Some("title"), None),
        (Some("nothing"), None),
        (None, Some("urn:example:badge")),
        (None, Some("urn:example:badge:number,urn:example:badge:label")),
    ] {
        let text = shown(&user, attributes, excluded);
        assert!(text.contains(badge), "{attributes:?} {excluded:?}: {text}");
    }
    let text = shown(&user, Some("urn:example:badge:label"), None);
    assert!(text.contains(r#""urn:example:badge":{"number":"7","label":"x"}"#), "{text}");
}
