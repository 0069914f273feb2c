//! One resource type as it is served: what its documents are found by, and how they become answers.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, Datelike, Timelike, Utc};
use jit_core::{
    Collection, ConnectionId, Document, DocumentId, DocumentKind, DocumentName, DocumentText, IndexName,
    SharedClaims, TenantId, UNIQUE_INDEXES,
};
use sha2::{Digest, Sha256};

use super::service::ServiceError;
use super::{body, claims};
use crate::error::ScimError;
use crate::json::Json;
use crate::reason::Reason;
use crate::resource::write::{number, text};
use crate::resource::{Labelled, Meta, Resource, Version};
use crate::schema::{Attribute, AttributePath, GROUP, Kind, Mutability, ResourceType, USER};
use crate::text::fold;

/// The index of what the source calls a person for good.
pub(super) const SUBJECT: &str = "subject";
pub(super) const EXTERNAL_ID: &str = "externalId";
pub(super) const EMAILS: &str = "emails.value";
const DISPLAY_NAME: &str = "displayName";
/// The types that RFC 7643 defines.
const USER_TYPE: &str = "User";
const GROUP_TYPE: &str = "Group";
/// At most one unique index is none of an attribute that the schema calls unique: [`SUBJECT`], or the names of groups.
const OWN_INDEXES: usize = 1;
/// How long an identifier is.
const ID_BYTES: usize = 36;
/// What is longer is found by its digest.
const NAME_BYTES: usize = 512;
/// What digests begin with.
const DIGEST: &str = "sha256:";

/// Takes a name: its index, its value and whether one document alone may have it.
type ShowName<'s> = dyn FnMut(&IndexName, Cow<'_, str>, bool) + 's;

/// What the documents of a type stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// An account.
    Person,
    /// Members, and no account.
    Group,
    /// Neither.
    Plain,
}

#[derive(Debug)]
pub(super) struct Served {
    pub(super) kind: Arc<ResourceType>,
    pub(super) role: Role,
    pub(super) of: Collection,
    /// Whether answers to writes show more than others.
    pub(super) shows_on_request: bool,
    /// What everybody is said to lack whose resource does not have it.
    pub(super) unsaid: SharedClaims,
    unique_names: bool,
    /// The attributes whose values are held once.
    unique: Vec<IndexName>,
    /// The other indexes. All documents share these names.
    others: Vec<IndexName>,
    meta: String,
    address: String,
}

impl Served {
    /// Prepares a type. `base` is the address of the service, without a slash at its end.
    pub(super) fn new(
        kind: &Arc<ResourceType>,
        (tenant, connection): (TenantId, ConnectionId),
        base: &str,
        unique_names: bool,
    ) -> Result<Self, ServiceError> {
        let document_kind = DocumentKind::new(kind.name());
        let document_kind = document_kind.map_err(|_| ServiceError::TypeName(kind.name().to_owned()))?;
        let index = |name: String| IndexName::new(&name).map_err(|_| ServiceError::AttributeName(name));
        let unique = kind.unique_attributes().into_iter().map(index).collect::<Result<Vec<_>, _>>()?;
        let role = match (kind.schema().id(), kind.name()) {
            (USER, _) => Role::Person,
            (GROUP, _) => Role::Group,
            (_, USER_TYPE | GROUP_TYPE) => return Err(ServiceError::TypeSchema(kind.name().to_owned())),
            _ => Role::Plain,
        };
        if unique.len() + OWN_INDEXES > UNIQUE_INDEXES {
            return Err(ServiceError::ManyUnique(kind.name().to_owned()));
        }
        let string = |value: &str| {
            let mut out = Vec::new();
            text(&mut out, value);
            String::from_utf8(out).unwrap_or_default()
        };
        let address = string(&format!("{base}{}/", kind.endpoint()));
        Ok(Self {
            role,
            of: Collection { tenant, connection, kind: document_kind },
            shows_on_request: kind.shows_on_request(),
            unsaid: claims::unsaid(kind),
            unique_names: unique_names && role == Role::Group,
            unique,
            others: indexes([SUBJECT, EXTERNAL_ID, EMAILS, DISPLAY_NAME]),
            meta: format!(r#""meta":{{"resourceType":{},"created":""#, string(kind.name())),
            address: address.trim_end_matches('"').to_owned(),
            kind: Arc::clone(kind),
        })
    }

    /// Reads an identifier; what is not written as we write it names nothing.
    pub(super) fn id(text: &str) -> Option<DocumentId> {
        let is_ours = |id: &DocumentId| id.as_uuid().hyphenated().encode_lower(&mut [0; ID_BYTES]) == text;
        text.parse().ok().filter(is_ours)
    }

    /// Lists what the document is found by. Where nothing of that changes, it is what is there.
    pub(super) fn names(
        &self,
        resource: &Resource,
        subject: Option<&str>,
        before: Option<&Document>,
    ) -> Arc<[DocumentName]> {
        if let Some(before) = before {
            let (mut old, mut is_same) = (before.names.iter(), true);
            self.each_name(resource, subject, &mut |index, value, unique| {
                let is_this =
                    |old: &DocumentName| old.index == *index && *old.value == *value && old.unique == unique;
                is_same &= old.next().is_some_and(is_this);
            });
            if is_same && old.next().is_none() {
                return Arc::clone(&before.names);
            }
        }
        let mut names = Vec::new();
        self.each_name(resource, subject, &mut |index, value, unique| {
            names.push(DocumentName { index: index.clone(), value: value.into(), unique });
        });
        names.into()
    }

    /// Lists what a changed document is found by. Where nothing is changed of what an index holds, it stays as it is there,
    /// though it would be named in another way now: else an end would be refused for a name that it is not about.
    pub(super) fn names_after(
        &self,
        resource: &Resource,
        subject: Option<&str>,
        (before, old): (&Document, &Resource),
    ) -> Arc<[DocumentName]> {
        let new = self.names(resource, subject, Some(before));
        if Arc::ptr_eq(&new, &before.names) {
            return new;
        }
        let said = self.names(old, subject, Some(before));
        // in the order in which they are written anew, so that the next look sees that nothing changed
        let mut indexes = Vec::new();
        for name in [&new, &said, &before.names].into_iter().flat_map(|names| names.iter()) {
            if !indexes.contains(&&name.index) {
                indexes.push(&name.index);
            }
        }
        let of = |names: &[DocumentName], index: &IndexName| -> Vec<DocumentName> {
            names.iter().filter(|name| name.index == *index).cloned().collect()
        };
        let kept = indexes.into_iter().flat_map(|index| {
            let changed = of(&new, index);
            if changed == of(&said, index) { of(&before.names, index) } else { changed }
        });
        kept.collect()
    }

    fn each_name(&self, resource: &Resource, subject: Option<&str>, show: &mut ShowName<'_>) {
        let mut name = |index: &str, value: &str, unique| {
            if let Some(index) = self.index(index) {
                show(index, indexed(value), unique);
            }
        };
        resource.each_unique(&mut |attribute, value| name(attribute, &value, true));
        // a person is called like this mostly, and is then found by it
        if let Some(external) = resource.external_id().filter(|external| Some(*external) != subject) {
            name(EXTERNAL_ID, external, false);
        }
        match self.role {
            Role::Person => {
                // also where it is their own id: else somebody else could come by that name
                if let Some(subject) = subject {
                    name(SUBJECT, subject, true);
                }
                let emails = resource.labelled("emails").filter_map(Labelled::value);
                emails.for_each(|email| name(EMAILS, &fold(email), false));
            }
            Role::Group => {
                let display = resource.text(DISPLAY_NAME).unwrap_or_default();
                name(DISPLAY_NAME, &fold(display), self.unique_names);
            }
            Role::Plain => {}
        }
    }

    /// Lists what does not count for how long a resource may be: the groups that others put a person into, and whether they are
    /// in use. What is only called like that counts.
    pub(super) fn uncounted(&self) -> Vec<AttributePath> {
        if self.role != Role::Person {
            return Vec::new();
        }
        let is_put_in = |groups: &Attribute| groups.mutability() == Mutability::ReadOnly;
        let is_switch = |active: &Attribute| active.kind() == Kind::Boolean && !active.is_multi_valued();
        let find = |name, is_it: &dyn Fn(&Attribute) -> bool| {
            self.kind.resolve(name).filter(|path| self.kind.attribute(path).is_some_and(is_it))
        };
        find("groups", &is_put_in).into_iter().chain(find("active", &is_switch)).collect()
    }

    fn index(&self, name: &str) -> Option<&IndexName> {
        self.unique.iter().chain(&self.others).find(|own| own.as_str() == name)
    }

    /// Returns the indexes that find everything whose attribute equals a value; none where no index does.
    pub(super) fn indexes(&self, attribute: &str) -> [Option<&IndexName>; 2] {
        if let Some(own) = self.unique.iter().find(|own| own.as_str() == attribute) {
            return [Some(own), None];
        }
        match (attribute, self.role) {
            (EXTERNAL_ID, Role::Person) => [self.index(SUBJECT), self.index(EXTERNAL_ID)],
            (EMAILS, Role::Person) | (DISPLAY_NAME, Role::Group) | (EXTERNAL_ID, _) => {
                [self.index(attribute), None]
            }
            _ => [None, None],
        }
    }

    /// Reads the resource of a document, with what the service says of it.
    pub(super) fn resource(&self, document: &DocumentText) -> Result<Resource, ScimError> {
        let mut resource = body::resource(&self.kind, &document.body)?;
        resource.set_meta(&Meta {
            created: document.created_at,
            last_modified: document.changed_at,
            version: Version::numbered(document.version),
        });
        Ok(resource)
    }

    /// Writes the default answer: what is kept, the members if there are any, and `meta`.
    pub(super) fn answer(
        &self,
        out: &mut Vec<u8>,
        document: &DocumentText,
        members: &[u8],
    ) -> Result<(), ScimError> {
        let shown = body::shown(&document.body)?.strip_suffix('}').ok_or(Reason::Broken)?;
        out.reserve(shown.len() + members.len() + self.address.len() + 256);
        out.extend_from_slice(shown.as_bytes());
        out.extend_from_slice(members);
        out.push(b',');
        self.write_meta(out, document);
        out.push(b'}');
        Ok(())
    }

    fn write_meta(&self, out: &mut Vec<u8>, document: &DocumentText) {
        out.extend_from_slice(self.meta.as_bytes());
        let begin = out.len();
        instant(out, document.created_at);
        let created = begin..out.len();
        out.extend_from_slice(br#"","lastModified":""#);
        if document.changed_at == document.created_at {
            out.extend_from_within(created);
        } else {
            instant(out, document.changed_at);
        }
        out.extend_from_slice(br#"","version":"W/\""#);
        number(out, document.version);
        out.extend_from_slice(br#"\"","location":"#);
        out.extend_from_slice(self.address.as_bytes());
        let mut id = [0; ID_BYTES];
        out.extend_from_slice(document.id.as_uuid().hyphenated().encode_lower(&mut id).as_bytes());
        out.extend_from_slice(b"\"}");
    }
}

/// Brings a value into the form that an index holds: what it cannot hold as it is, as a digest. What looks like a digest is
/// brought into one as well: else it would be taken for that of another value.
pub(super) fn indexed(value: &str) -> Cow<'_, str> {
    // To look at every byte is quicker than to stop at the first that is not.
    let is_printable = || value.bytes().fold(true, |all, byte| all & (b' '..=b'~').contains(&byte));
    let is_digest = value.starts_with(DIGEST);
    if value.len() <= NAME_BYTES && !is_digest && (is_printable() || !value.chars().any(char::is_control)) {
        return value.into();
    }
    let digest = Sha256::digest(value.as_bytes());
    digest.iter().fold(DIGEST.to_owned(), |text, byte| format!("{text}{byte:02x}")).into()
}

fn indexes<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> Vec<IndexName> {
    names.into_iter().filter_map(|name| IndexName::new(name).ok()).collect()
}

/// Writes an instant to the millisecond, as `Instant::from` does.
fn instant(out: &mut Vec<u8>, at: DateTime<Utc>) {
    let (date, time) = (at.naive_utc().date(), at.naive_utc().time());
    let Ok(year @ 0..=9999) = u32::try_from(date.year()) else { return };
    let seconds = time.num_seconds_from_midnight();
    pair(out, year / 100);
    let parts = [
        (year % 100, b'-'),
        (date.month(), b'-'),
        (date.day(), b'T'),
        (seconds / 3600, b':'),
        (seconds / 60 % 60, b':'),
        (seconds % 60, b'.'),
    ];
    for (number, after) in parts {
        pair(out, number);
        out.push(after);
    }
    let millis = at.timestamp_subsec_millis();
    pair(out, millis / 10 % 100);
    out.push(digit(millis));
    out.push(b'Z');
}

fn pair(out: &mut Vec<u8>, number: u32) {
    out.extend_from_slice(&[digit(number / 10), digit(number)]);
}

/// The last digit of a number.
fn digit(number: u32) -> u8 {
    u8::try_from(number % 10).unwrap_or_default() + b'0'
}

/// Puts the members into a resource, for answers that show a part of them.
pub(super) fn with_members(mut resource: Resource, members: Vec<Json>) -> Result<Resource, ScimError> {
    resource.set_read_only("members", &Json::List(members))?;
    Ok(resource)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Schemas;

    #[test]
    fn a_value_that_no_index_can_keep_unique_is_not_served() {
        let served = |urn: &str| {
            let schema = format!(
                r#"{{"id":"{urn}","attributes":[{{"name":"{}","uniqueness":"server"}}]}}"#,
                "n".repeat(64)
            );
            let kind = format!(
                r#"{{"name":"Kept","endpoint":"/Kept","schema":"{GROUP}","schemaExtensions":[{{"schema":"{urn}","required":false}}]}}"#
            );
            let schemas = Schemas::builder().add_schemas(schema.as_bytes()).unwrap();
            let schemas = schemas.add_resource_types(kind.as_bytes()).unwrap().build();
            let owner = ("acme".parse().unwrap(), "scim".parse().unwrap());
            Served::new(schemas.endpoint("/Kept").unwrap(), owner, "/v2", false).map(drop)
        };
        assert_eq!(served("urn:example:short"), Ok(()));
        let urn = format!("urn:example:{}", "x".repeat(200));
        let name = format!("{urn}:{}", "n".repeat(64));
        assert_eq!(served(&urn), Err(ServiceError::AttributeName(name)));
    }

    #[test]
    fn a_type_with_more_unique_values_than_a_commit_keeps_apart_is_not_served() {
        let served = |count: usize| {
            let attributes: Vec<_> =
                (0..count).map(|number| format!(r#"{{"name":"n{number}","uniqueness":"server"}}"#)).collect();
            let schema = format!(r#"{{"id":"urn:example:many","attributes":[{}]}}"#, attributes.join(","));
            let kind = r#"{"name":"Many","endpoint":"/Many","schema":"urn:example:many"}"#;
            let schemas = Schemas::builder().add_schemas(schema.as_bytes()).unwrap();
            let schemas = schemas.add_resource_types(kind.as_bytes()).unwrap().build();
            let owner = ("acme".parse().unwrap(), "scim".parse().unwrap());
            Served::new(schemas.endpoint("/Many").unwrap(), owner, "/v2", false).map(drop)
        };
        assert_eq!(served(31), Ok(()));
        assert_eq!(served(32), Err(ServiceError::ManyUnique("Many".to_owned())));
    }
}
