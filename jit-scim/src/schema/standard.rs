//! The schemas of RFC 7643 for people and groups (§4, §8.7.1), and what every resource has (§3.1).

use super::standard_discovery as discovery;
use super::{
    Attribute, Attributes, ENTERPRISE_USER, GROUP, Kind, Mutability, Returned, Schema, USER, Uniqueness,
};

/// Lists every schema that is built in.
pub(super) fn schemas() -> Vec<Schema> {
    let mut schemas = vec![user(), group(), enterprise_user()];
    schemas.extend(discovery::schemas());
    schemas
}

/// What every resource has. The order is the one of the positions in `resource_type`.
pub(super) fn common() -> Vec<Attribute> {
    vec![
        Attribute {
            required: true,
            returned: Returned::Always,
            ..reference("schemas", "URNs of the schemas", &["uri"])
        }
        .many(),
        Attribute { returned: Returned::Always, ..text("id", "Identifier, given by the server") }
            .exact()
            .read_only()
            .unique(),
        text("externalId", "Identifier that the client gave").exact(),
        complex(
            "meta",
            "What the server knows about the resource",
            vec![
                text("resourceType", "Name of the resource type").exact(),
                Attribute::new("created", Kind::DateTime, "When the resource came into being"),
                Attribute::new("lastModified", Kind::DateTime, "When the resource changed last"),
                reference("location", "Address of the resource", &["uri"]),
                text("version", "Version, as in the header `ETag`").exact(),
            ],
        )
        .read_only(),
    ]
}

fn user() -> Schema {
    let mut attributes = names_of_a_user();
    attributes.extend(values_of_a_user());
    schema(USER, "User", "A person's account", attributes)
}

fn names_of_a_user() -> Vec<Attribute> {
    vec![
        text("userName", "Name to sign in with").required().unique(),
        complex(
            "name",
            "Parts of the person's name",
            vec![
                text("formatted", "Whole name, for display"),
                text("familyName", "Family name"),
                text("givenName", "Given name"),
                text("middleName", "Middle names"),
                text("honorificPrefix", "Title before the name"),
                text("honorificSuffix", "Suffix after the name"),
            ],
        ),
        text("displayName", "Name for display"),
        text("nickName", "Casual name"),
        reference("profileUrl", "Page about the person", &["external"]),
        text("title", "Title in the organization"),
        text("userType", "Relation to the organization"),
        text("preferredLanguage", "Language, as in `Accept-Language`"),
        text("locale", "Locale for dates, numbers and currency"),
        text("timezone", "Time zone, as in `Europe/Berlin`"),
        Attribute::new("active", Kind::Boolean, "Whether the account can be used"),
        Attribute {
            mutability: Mutability::WriteOnly,
            returned: Returned::Never,
            ..text("password", "Password in clear")
        }
        .exact(),
    ]
}

/// The parts of a postal address.
fn address() -> Vec<Attribute> {
    vec![
        text("formatted", "Whole address, for display or for a label"),
        text("streetAddress", "Street and house"),
        text("locality", "City"),
        text("region", "State or region"),
        text("postalCode", "Postal code"),
        text("country", "Country"),
        text("type", "What it is for").suggesting(&["work", "home", "other"]),
        Attribute::new("primary", Kind::Boolean, "Whether it is the preferred one"),
    ]
}

fn values_of_a_user() -> Vec<Attribute> {
    let groups = vec![
        text("value", "Identifier of the group").read_only(),
        reference("$ref", "Address of the group", &["User", "Group"]).read_only(),
        text("display", "Name of the group").read_only(),
        text("type", "Whether the membership is direct").suggesting(&["direct", "indirect"]).read_only(),
    ];
    let certificate = Attribute::new("value", Kind::Binary, "Certificate, as DER in base64").exact();
    vec![
        values("emails", "E-mail addresses", text("value", "E-mail address"), &["work", "home", "other"]),
        values(
            "phoneNumbers",
            "Telephone numbers",
            text("value", "Telephone number"),
            &["work", "home", "mobile", "fax", "pager", "other"],
        ),
        values(
            "ims",
            "Addresses of instant messaging",
            text("value", "Address"),
            &["aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"],
        ),
        values(
            "photos",
            "Pictures of the person",
            reference("value", "Address of the picture", &["external"]).exact(),
            &["photo", "thumbnail"],
        ),
        complex("addresses", "Postal addresses", address()).many(),
        complex("groups", "Groups that the person belongs to", groups).many().read_only(),
        values("entitlements", "What the person is entitled to", text("value", "Entitlement"), &[]),
        values("roles", "Roles of the person", text("value", "Role"), &[]),
        values("x509Certificates", "Certificates of the person", certificate, &[]),
    ]
}

fn group() -> Schema {
    let immutable = |attribute| Attribute { mutability: Mutability::Immutable, ..attribute };
    schema(
        GROUP,
        "Group",
        "A group of people and of other groups",
        vec![
            text("displayName", "Name for display").required(),
            complex(
                "members",
                "Members of the group",
                vec![
                    immutable(text("value", "Identifier of the member")),
                    immutable(reference("$ref", "Address of the member", &["User", "Group"])),
                    immutable(text("type", "Kind of the member")).suggesting(&["User", "Group"]),
                    text("display", "Name of the member").read_only(),
                ],
            )
            .many(),
        ],
    )
}

fn enterprise_user() -> Schema {
    schema(
        ENTERPRISE_USER,
        "EnterpriseUser",
        "What organizations know about their people",
        vec![
            text("employeeNumber", "Number of the person in the organization"),
            text("costCenter", "Cost center"),
            text("organization", "Organization"),
            text("division", "Division"),
            text("department", "Department"),
            complex(
                "manager",
                "Manager of the person",
                vec![
                    text("value", "Identifier of the manager").exact(),
                    reference("$ref", "Address of the manager", &["User"]),
                    text("displayName", "Name of the manager").read_only(),
                ],
            ),
        ],
    )
}

pub(super) fn schema(id: &str, name: &str, description: &str, attributes: Vec<Attribute>) -> Schema {
    Schema {
        id: id.into(),
        name: name.to_owned(),
        description: description.to_owned(),
        attributes: Attributes::of(attributes),
    }
}

pub(super) fn text(name: &str, description: &str) -> Attribute {
    Attribute::new(name, Kind::String, description)
}

pub(super) fn reference(name: &str, description: &str, types: &[&str]) -> Attribute {
    let reference_types = types.iter().map(|&name| name.to_owned()).collect();
    Attribute { reference_types, ..Attribute::new(name, Kind::Reference, description) }
}

pub(super) fn complex(name: &str, description: &str, sub_attributes: Vec<Attribute>) -> Attribute {
    Attribute {
        sub_attributes: Attributes::of(sub_attributes),
        ..Attribute::new(name, Kind::Complex, description)
    }
}

/// The usual form of several values (RFC 7643 §2.4).
fn values(name: &str, description: &str, value: Attribute, types: &[&str]) -> Attribute {
    complex(
        name,
        description,
        vec![
            value,
            text("display", "Value for display"),
            text("type", "What it is for").suggesting(types),
            Attribute::new("primary", Kind::Boolean, "Whether it is the preferred one"),
        ],
    )
    .many()
}

impl Attribute {
    pub(super) fn many(self) -> Self {
        Self { multi_valued: true, ..self }
    }

    pub(super) fn required(self) -> Self {
        Self { required: true, ..self }
    }

    pub(super) fn exact(self) -> Self {
        Self { case_exact: true, ..self }
    }

    pub(super) fn read_only(self) -> Self {
        Self { mutability: Mutability::ReadOnly, ..self }
    }

    pub(super) fn unique(self) -> Self {
        Self { uniqueness: Uniqueness::Server, ..self }
    }

    pub(super) fn suggesting(self, values: &[&str]) -> Self {
        Self { canonical_values: values.iter().map(|&value| value.to_owned()).collect(), ..self }
    }
}
