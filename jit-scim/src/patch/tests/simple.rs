//! Attributes with several values that are not complex: each stands for its own `value`.

use super::*;

fn thing(rest: &str) -> Resource {
    static SCHEMAS: LazyLock<Schemas> = LazyLock::new(|| {
        let schema = r#"{"id":"urn:example:thing","attributes":[{"name":"tags","multiValued":true},
            {"name":"sizes","type":"integer","multiValued":true},{"name":"secrets","multiValued":true,"returned":"never"},
            {"name":"exact","multiValued":true,"caseExact":true},{"name":"one"}]}"#;
        let kind = r#"{"name":"Thing","endpoint":"/Things","schema":"urn:example:thing"}"#;
        let schemas = Schemas::builder().add_schemas(schema.as_bytes()).unwrap();
        schemas.add_resource_types(kind.as_bytes()).unwrap().build()
    });
    let body = json(&format!(r#"{{"schemas":["urn:example:thing"],{rest}}}"#));
    let mut thing =
        Resource::create(SCHEMAS.endpoint("/Things").unwrap(), &body, Tolerance::strict()).unwrap();
    thing.set_id("id-1");
    thing
}

#[test]
fn one_of_several_simple_values_is_removed_or_replaced() {
    let before = thing(r#""tags":["a","b","c"],"sizes":[1,2,3],"exact":["x","X"]"#);
    for (operation, attribute, after) in [
        (r#"{"op":"remove","path":"tags[value eq \"B\"]"}"#, "tags", r#""tags":["a","c"]"#),
        (r#"{"op":"remove","path":"tags[value eq \"a\" or value eq \"c\"]"}"#, "tags", r#""tags":["b"]"#),
        (r#"{"op":"remove","path":"tags[not (value eq \"a\")]"}"#, "tags", r#""tags":["a"]"#),
        (r#"{"op":"remove","path":"tags[value pr]"}"#, "tags", ""),
        (r#"{"op":"remove","path":"tags[value eq \"z\"]"}"#, "tags", r#""tags":["a","b","c"]"#),
        (r#"{"op":"replace","path":"tags[value eq \"b\"]","value":"z"}"#, "tags", r#""tags":["a","z","c"]"#),
        (r#"{"op":"replace","path":"tags[value eq \"b\"]","value":"A"}"#, "tags", r#""tags":["a","c"]"#),
        (r#"{"op":"replace","path":"tags[value eq \"b\"]","value":null}"#, "tags", r#""tags":["a","c"]"#),
        (r#"{"op":"add","path":"tags[value eq \"b\"]","value":"b"}"#, "tags", r#""tags":["a","b","c"]"#),
        (r#"{"op":"remove","path":"sizes[value gt 1]"}"#, "sizes", r#""sizes":[1]"#),
        (r#"{"op":"remove","path":"exact[value eq \"x\"]"}"#, "exact", r#""exact":["X"]"#),
        (r#"{"op":"remove","path":"exact[value eq \"x\" or value eq \"y\"]"}"#, "exact", r#""exact":["X"]"#),
    ] {
        becomes(&before, operation, attribute, after);
    }
    let none = patched(&before, r#"{"op":"replace","path":"tags[value eq \"z\"]","value":"y"}"#).unwrap_err();
    assert_eq!(none.reason(), Reason::PatchNoTarget);
    let added = r#"{"op":"Add","path":"tags[value eq \"d\"]","value":"d"}"#;
    let added = patched_with(&before, added, Tolerance::entra()).unwrap();
    assert_eq!(shown(&added, "tags"), r#""tags":["a","b","c","d"]"#);
}

#[test]
fn a_filter_finds_by_one_of_several_simple_values() {
    let one = thing(r#""tags":["a","bc"],"sizes":[1,5],"secrets":["s"]"#);
    let filter = |text: &str| crate::Filter::parse(one.kind(), text);
    for (text, found) in [
        (r#"tags[value eq "A"]"#, true),
        (r#"tags[value sw "b" and value ew "c"]"#, true),
        (r#"tags[value sw "a" and value ew "c"]"#, false),
        ("sizes[value gt 1 and value lt 5]", false),
        ("sizes[value ge 5]", true),
        (r#"exact[value eq "a"]"#, false),
    ] {
        let filter = filter(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(filter.matches(&one), found, "{text}");
        assert_eq!(crate::Filter::parse(one.kind(), &filter.to_string()).unwrap(), filter, "{text}");
    }
    for (text, reason) in [
        (r#"secrets[value eq "s"]"#, Reason::FilterAttributeHidden),
        (r#"tags[type eq "a"]"#, Reason::FilterAttributeUnknown),
        (r#"tags[value eq "a"].value eq "a""#, Reason::FilterMalformed),
        (r#"one[value eq "a"]"#, Reason::FilterMalformed),
    ] {
        assert_eq!(filter(text).unwrap_err().reason(), reason, "{text}");
    }
    let path = |text: &str| Path::parse(one.kind(), text).unwrap_err().reason();
    assert_eq!(path(r#"one[value eq "a"]"#), Reason::PathFilterOnOne);
    assert_eq!(path(r#"secrets[value eq "s"]"#), Reason::FilterAttributeHidden);
    assert_eq!(path(r#"tags[value eq "a"].value"#), Reason::PathUnknown);
}
