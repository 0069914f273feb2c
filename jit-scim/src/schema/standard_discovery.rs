//! The schemas of RFC 7643 for discovery (§8.7.2): what a service says about itself.

use super::standard::{complex, reference, schema, text};
use super::{
    Attribute, Kind, Mutability, RESOURCE_TYPE, Returned, SCHEMA, SERVICE_PROVIDER_CONFIG, Schema, Uniqueness,
};

pub(super) fn schemas() -> [Schema; 3] {
    [service_provider_config(), resource_type(), schema_of_schemas()]
}

fn flag(name: &str, description: &str) -> Attribute {
    Attribute::new(name, Kind::Boolean, description).read_only()
}

fn fixed(name: &str, description: &str) -> Attribute {
    text(name, description).read_only()
}

fn count(name: &str, description: &str) -> Attribute {
    Attribute::new(name, Kind::Integer, description).read_only().required()
}

fn feature(name: &str, description: &str, further: Vec<Attribute>) -> Attribute {
    let mut members = vec![flag("supported", "Whether it is supported").required()];
    members.extend(further);
    complex(name, description, members).read_only().required()
}

fn service_provider_config() -> Schema {
    let link = |name, description| reference(name, description, &["external"]).read_only();
    schema(
        SERVICE_PROVIDER_CONFIG,
        "Service Provider Configuration",
        "What the service can do",
        vec![
            link("documentationUri", "Documentation for people"),
            feature("patch", "PATCH", vec![]),
            feature(
                "bulk",
                "Bulk requests",
                vec![
                    count("maxOperations", "Most operations in one request"),
                    count("maxPayloadSize", "Most bytes in one request"),
                ],
            ),
            feature("filter", "Filters", vec![count("maxResults", "Most resources in one answer")]),
            feature("changePassword", "Changes of passwords", vec![]),
            feature("sort", "Sorting", vec![]),
            feature("etag", "Versions", vec![]),
            pagination(),
            complex(
                "authenticationSchemes",
                "Ways to authenticate",
                vec![
                    fixed("type", "Kind of the way").required(),
                    fixed("name", "Name for people").required(),
                    fixed("description", "Explanation for people").required(),
                    link("specUri", "Specification"),
                    link("documentationUri", "Documentation for people"),
                    flag("primary", "Whether it is the preferred one"),
                ],
            )
            .many()
            .read_only()
            .required(),
        ],
    )
}

/// RFC 9865 §4.
fn pagination() -> Attribute {
    let optional = |name, description| Attribute::new(name, Kind::Integer, description).read_only();
    let method = fixed("defaultPaginationMethod", "What is used if the client does not say");
    complex(
        "pagination",
        "Pages",
        vec![
            flag("cursor", "Whether pages are told apart by a cursor").required(),
            flag("index", "Whether pages are told apart by an index").required(),
            method.suggesting(&["cursor", "index"]),
            optional("defaultPageSize", "Resources on a page if the client does not say"),
            optional("maxPageSize", "Most resources on a page"),
            optional("cursorTimeout", "Seconds for which a cursor is good"),
        ],
    )
    .read_only()
}

fn resource_type() -> Schema {
    let urn = |name, description| reference(name, description, &["uri"]).read_only().exact();
    let endpoint = Attribute {
        uniqueness: Uniqueness::Server,
        ..reference("endpoint", "Path below the address of the service", &["uri"]).read_only().required()
    };
    schema(
        RESOURCE_TYPE,
        "ResourceType",
        "A kind of resource",
        vec![
            fixed("id", "Identifier"),
            fixed("name", "Name").required().exact().unique(),
            fixed("description", "Explanation for people"),
            endpoint,
            urn("schema", "URN of the schema").required(),
            complex(
                "schemaExtensions",
                "Extensions of the schema",
                vec![
                    urn("schema", "URN of the extension").required(),
                    flag("required", "Whether every resource must have it").required(),
                ],
            )
            .many()
            .read_only(),
        ],
    )
}

fn schema_of_schemas() -> Schema {
    let mut attributes = characteristics();
    attributes.push(
        complex("subAttributes", "Attributes of a complex value", characteristics()).many().read_only(),
    );
    schema(
        SCHEMA,
        "Schema",
        "A set of attributes",
        vec![
            fixed("id", "URN").required(),
            fixed("name", "Name for people").required(),
            fixed("description", "Explanation for people"),
            complex("attributes", "The attributes", attributes).many().read_only().required(),
        ],
    )
}

fn characteristics() -> Vec<Attribute> {
    use Kind::{Binary, Boolean, Complex, DateTime, Decimal, Integer, Reference};
    let kinds =
        [Kind::String, Complex, Boolean, Decimal, Integer, DateTime, Reference, Binary].map(Kind::as_str);
    let mutabilities =
        [Mutability::ReadOnly, Mutability::ReadWrite, Mutability::Immutable, Mutability::WriteOnly];
    let returned =
        [Returned::Always, Returned::Never, Returned::Default, Returned::Request].map(Returned::as_str);
    let uniqueness = [Uniqueness::None, Uniqueness::Server, Uniqueness::Global].map(Uniqueness::as_str);
    vec![
        fixed("name", "Name").required().exact(),
        fixed("type", "Type of the values").required().suggesting(&kinds),
        flag("multiValued", "Whether there may be several values").required(),
        fixed("description", "Explanation for people").exact(),
        flag("required", "Whether a resource must have it"),
        fixed("canonicalValues", "Suggested values").exact().many(),
        flag("caseExact", "Whether upper and lower case differ"),
        fixed("mutability", "Who may write it").exact().suggesting(&mutabilities.map(Mutability::as_str)),
        fixed("returned", "When it is part of an answer").exact().suggesting(&returned),
        fixed("uniqueness", "How far values are unique").exact().suggesting(&uniqueness),
        fixed("referenceTypes", "What a reference may point to").exact().many(),
    ]
}
