use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use super::*;
use crate::reason::Reason;
use crate::{Json, Limits, Resource, Schemas, ScimError, Tolerance};

fn now() -> DateTime<Utc> {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

fn people(names: &[&str]) -> Vec<Resource> {
    let schemas = Schemas::standard();
    let kind = schemas.endpoint("/Users").unwrap();
    let person = |(number, name): (usize, &&str)| {
        let text = format!(
            r#"{{"schemas":["{}"],"userName":"u{number}","title":{}}}"#,
            kind.schema().id(),
            if name.is_empty() { "null".to_owned() } else { format!("\"{name}\"") }
        );
        let json = Json::parse(text.as_bytes(), &Limits::default()).unwrap();
        let mut resource = Resource::create(kind, &json, Tolerance::strict()).unwrap();
        resource.set_id(&format!("id{number:03}"));
        resource
    };
    names.iter().enumerate().map(person).collect()
}

fn query(parameters: &[(&str, &str)], at: DateTime<Utc>) -> Result<Query, ScimError> {
    let kind = Schemas::standard().endpoint("/Users").unwrap().clone();
    QueryText::of_parameters(parameters.iter().copied())?.bind(
        &kind,
        Tolerance::strict(),
        &PageLimits::default(),
        at,
    )
}

fn ids(found: &Found<'_>) -> String {
    found
        .resources
        .iter()
        .map(|one| one.id().unwrap().trim_start_matches("id0"))
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn pages_by_index_are_kept_within_their_bounds() {
    let people = people(&["b", "a", "", "c", "A"]);
    let page = |parameters: &[(&str, &str)]| ids(&query(parameters, now()).unwrap().run(&people, now()));
    assert_eq!(page(&[]), "00 01 02 03 04");
    assert_eq!(page(&[("startIndex", "2"), ("count", "2")]), "01 02");
    assert_eq!(page(&[("startIndex", "-5"), ("count", "1")]), "00");
    assert_eq!(page(&[("count", "-1")]), "");
    assert_eq!(page(&[("startIndex", "99")]), "");
    assert_eq!(page(&[("sortBy", "title")]), "01 04 00 03 02");
    assert_eq!(
        page(&[("sortBy", "title"), ("sortOrder", "descending"), ("filter", "title pr")]),
        "03 00 01 04"
    );
    let one =
        query(&[("count", "1"), ("attributes", "title"), ("filter", r#"title eq "a""#)], now()).unwrap();
    let text = String::from_utf8(one.answer(&one.run(&people, now()), "https://example.com")).unwrap();
    assert!(
        text.contains(r#""totalResults":2,"itemsPerPage":1,"startIndex":1,"Resources":[{"schemas""#),
        "{text}"
    );
    assert!(text.ends_with(r#""id":"id001","title":"a"}]}"#), "{text}");
    for beyond in ["100000", "18446744073709551616"] {
        assert_eq!(query(&[("count", beyond)], now()).unwrap().page, Page::Index { start: 1, count: 200 });
        let schemas = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
        let text = format!(r#"{{"schemas":["{schemas}"],"count":{beyond},"startIndex":-{beyond}}}"#);
        let message = Json::parse(text.as_bytes(), &Limits::default()).unwrap();
        let kind = Schemas::standard().endpoint("/Users").unwrap().clone();
        let bound = QueryText::of_message(&message).unwrap();
        let bound = bound.bind(&kind, Tolerance::strict(), &PageLimits::default(), now()).unwrap();
        assert_eq!(bound.page, Page::Index { start: 1, count: 200 });
    }
}

#[test]
fn what_is_no_query_is_refused() {
    let refused = |parameters: &[(&str, &str)]| query(parameters, now()).unwrap_err().reason();
    assert_eq!(refused(&[("count", "ten")]), Reason::QueryMalformed);
    assert_eq!(refused(&[("filter", "id pr"), ("filter", "id pr")]), Reason::QueryMalformed);
    assert_eq!(refused(&[("cursor", ""), ("startIndex", "1")]), Reason::QueryMalformed);
    assert_eq!(refused(&[("cursor", "nonsense")]), Reason::CursorInvalid);
    assert_eq!(refused(&[("attributes", "id"), ("excludedAttributes", "id")]), Reason::ProjectionTwice);
    let message = |rest: &str| {
        let text = format!(r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]{rest}}}"#);
        QueryText::of_message(&Json::parse(text.as_bytes(), &Limits::default()).unwrap())
    };
    let same =
        QueryText::of_parameters([("filter", "id pr"), ("attributes", "id, title"), ("count", "3")]).unwrap();
    assert_eq!(message(r#","filter":"id pr","attributes":["id","title"],"COUNT":3"#).unwrap(), same);
    let nothing = r#","filter":null,"attributes":null,"excludedAttributes":null,"sortBy":null,"sortOrder":null,
        "startIndex":null,"count":null,"cursor":null"#;
    assert_eq!(message(nothing).unwrap(), QueryText::default(), "null is no value");
    for bad in [
        r#","shoeSize":null"#,
        r#","count":"3""#,
        r#","attributes":"id""#,
        r#","filter":1"#,
        r#","shoeSize":1"#,
    ] {
        assert_eq!(message(bad).unwrap_err().reason(), Reason::SearchMalformed, "{bad}");
    }
    assert_eq!(QueryText::of_message(&Json::Object(vec![])).unwrap_err().reason(), Reason::SchemasMissing);
}

#[test]
fn a_cursor_is_good_for_its_query_and_its_time() {
    let people = people(&["a", "b", "c"]);
    let first = query(&[("cursor", ""), ("count", "2")], now()).unwrap().run(&people, now()).next.unwrap();
    let at = |later: TimeDelta| query(&[("cursor", &first), ("count", "2")], now() + later);
    assert_eq!(ids(&at(TimeDelta::zero()).unwrap().run(&people, now())), "02");
    assert_eq!(at(TimeDelta::hours(2)).unwrap_err().reason(), Reason::CursorExpired);
    assert_eq!(at(TimeDelta::hours(-2)).unwrap_err().reason(), Reason::CursorInvalid);
    let other = query(&[("cursor", &first), ("sortBy", "title")], now()).unwrap_err();
    assert_eq!(other.reason(), Reason::CursorInvalid);
    assert!(!format!("{:?}", at(TimeDelta::zero()).unwrap()).contains("id001"));
}

#[test]
fn discovery_says_what_the_service_can_do() {
    let schemas = Schemas::standard();
    let discovery = Discovery::new(&schemas, "https://example.com/v2");
    let can = Capabilities {
        patch: true,
        bulk: false,
        filter: true,
        change_password: false,
        sort: true,
        etag: true,
        pages: PageMethods::IndexAndCursor,
        authentication: vec![AuthenticationScheme {
            kind: "oauthbearertoken".to_owned(),
            name: "Bearer token".to_owned(),
            description: "A token in the header".to_owned(),
        }],
    };
    let text = discovery.service_provider_config(&can, &Limits::default(), &PageLimits::default());
    // what a service says fits the schema that it says it in
    let attributes = schemas.schema(crate::schema::SERVICE_PROVIDER_CONFIG).unwrap().attributes();
    let json = Json::parse(&text, &Limits::default()).unwrap();
    for attribute in attributes.iter().filter(|attribute| attribute.is_required()) {
        assert!(json.member(attribute.name()).is_some(), "{}", attribute.name());
    }
    let text = String::from_utf8(text).unwrap();
    for part in [
        r#""bulk":{"supported":false,"maxOperations":1000,"maxPayloadSize":1048576}"#,
        r#""filter":{"supported":true,"maxResults":200}"#,
        r#""pagination":{"cursor":true,"index":true,"#,
        r#""location":"https://example.com/v2/ServiceProviderConfig""#,
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(String::from_utf8(discovery.schemas()).unwrap().contains(r#""totalResults":6"#));
    assert!(String::from_utf8(discovery.resource_types()).unwrap().contains(r#""totalResults":2"#));
    assert!(discovery.schema("URN:ietf:params:scim:schemas:core:2.0:user").is_some());
    assert!(discovery.resource_type("Nobody").is_none());
    let error = ScimError::from(Reason::Taken).to_json().to_bytes();
    assert_eq!(
        String::from_utf8(error).unwrap(),
        r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"409","scimType":"uniqueness","detail":"another resource has this value already"}"#
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn pages_put_together_are_the_whole(
        titles in proptest::collection::vec(proptest::sample::select(vec!["", "a", "A", "b", "c d"]), 0..20),
        count in 1_usize..7,
        descending in any::<bool>(),
    ) {
        let people = people(&titles);
        let order = if descending { "descending" } else { "ascending" };
        let count = count.to_string();
        let sorted = [("sortBy", "title"), ("sortOrder", order)];
        let whole = ids(&query(&sorted, now()).unwrap().run(&people, now()));
        let (mut cursor, mut parts) = (String::new(), Vec::new());
        loop {
            let parameters = [sorted[0], sorted[1], ("count", count.as_str()), ("cursor", cursor.as_str())];
            let query = query(&parameters, now()).unwrap();
            let found = query.run(&people, now());
            prop_assert_eq!(found.total, people.len());
            parts.extend((!found.resources.is_empty()).then(|| ids(&found)));
            match found.next {
                Some(next) => cursor = next,
                None => break,
            }
        }
        prop_assert_eq!(parts.join(" "), whole);
    }
}

#[test]
fn a_count_that_is_none_is_told_as_the_way_of_paging_has_it() {
    let refusal = |parameters: &[(&str, &str)]| query(parameters, now()).unwrap_err().reason();
    for parameters in [[("cursor", ""), ("count", "abc")], [("COUNT", "1.5"), ("cursor", "")]] {
        let reason = refusal(&parameters);
        assert_eq!(reason.scim_type().unwrap().as_str(), "invalidCount", "RFC 9865 §2.1");
    }
    assert_eq!(refusal(&[("count", "abc")]), Reason::QueryMalformed);
    let search = |rest: &str| {
        let schema = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
        let text = format!(r#"{{"schemas":["{schema}"],{rest}}}"#);
        let json = Json::parse(text.as_bytes(), &Limits::default()).unwrap();
        QueryText::of_message(&json).unwrap_err().reason()
    };
    assert_eq!(search(r#""count":"9","cursor":"""#), refusal(&[("cursor", ""), ("count", "x")]));
    assert_eq!(search(r#""count":"9""#), Reason::SearchMalformed);
}
