//! Every reason for a refusal, each with a stable code, a status and the detail type that RFC 7644 §3.12 names.

use std::fmt;

use jit_core::ErrorClass;

/// The detail types of errors (RFC 7644 §3.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScimType {
    /// `invalidFilter`.
    InvalidFilter,
    /// `invalidSyntax`.
    InvalidSyntax,
    /// `invalidPath`.
    InvalidPath,
    /// `noTarget`.
    NoTarget,
    /// `invalidValue`.
    InvalidValue,
    /// `mutability`.
    Mutability,
    /// `uniqueness`.
    Uniqueness,
    /// `tooMany`.
    TooMany,
    /// `invalidCursor` (RFC 9865 §5).
    InvalidCursor,
    /// `expiredCursor` (RFC 9865 §5).
    ExpiredCursor,
}

impl ScimType {
    /// Lists every detail type.
    pub const ALL: &'static [Self] = &[
        Self::InvalidFilter,
        Self::InvalidSyntax,
        Self::InvalidPath,
        Self::NoTarget,
        Self::TooMany,
        Self::InvalidValue,
        Self::Mutability,
        Self::Uniqueness,
        Self::InvalidCursor,
        Self::ExpiredCursor,
    ];

    /// Returns the name as RFC 7644 writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidFilter => "invalidFilter",
            Self::InvalidSyntax => "invalidSyntax",
            Self::InvalidPath => "invalidPath",
            Self::NoTarget => "noTarget",
            Self::InvalidValue => "invalidValue",
            Self::Mutability => "mutability",
            Self::Uniqueness => "uniqueness",
            Self::TooMany => "tooMany",
            Self::InvalidCursor => "invalidCursor",
            Self::ExpiredCursor => "expiredCursor",
        }
    }
}

/// What a reason comes to on the wire.
#[derive(Clone, Copy)]
enum Answer {
    /// 400 with a detail type.
    Bad(ScimType),
    /// 409 with `uniqueness`.
    Taken,
    /// A status without a detail type.
    Plain(u16),
    /// No request is at fault: a file of ours is.
    Setup,
}

use Answer::{Bad, Plain, Setup};
use ScimType::{
    ExpiredCursor, InvalidCursor, InvalidFilter, InvalidPath, InvalidSyntax, InvalidValue, Mutability,
    NoTarget, TooMany,
};

macro_rules! reasons {
    ($( $(#[doc = $section:literal])? $variant:ident = $code:literal, $answer:expr, $meaning:literal; )+) => {
        /// Says why something was refused. Carries no value.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Reason {
            $(
                #[doc = concat!("`", $code, "`: ", $meaning, ".")]
                $(#[doc = ""] #[doc = $section])?
                $variant,
            )+
        }

        impl Reason {
            /// Lists every reason.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Names the reason for logs, alerts and tests; stable across releases.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// Explains the code in one phrase.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning),+ }
            }

            const fn answer(self) -> Answer {
                match self { $(Self::$variant => $answer),+ }
            }
        }
    };
}

reasons! {
    // bodies
    BodyTooLarge = "scim.body_too_large", Plain(413), "the body is longer than is taken";
    BodyIncomplete = "scim.body_incomplete", Plain(408), "the body did not come, or not in time";
    JsonMalformed = "scim.json_malformed", Bad(InvalidSyntax), "the text is not JSON";
    JsonTooDeep = "scim.json_too_deep", Bad(InvalidSyntax), "objects and arrays lie too deep in each other";
    JsonTooManyValues = "scim.json_too_many_values", Plain(413), "the text holds more values than are taken";
    JsonNameTwice = "scim.json_name_twice", Bad(InvalidSyntax), "an object has two members of one name";
    NotAnObject = "scim.not_an_object", Bad(InvalidSyntax), "a JSON object is expected";

    // schemas and resource types of ours
    SchemaKeyUnknown = "scim.schema_key_unknown", Setup, "a schema or resource type has a member that does not exist";
    SchemaKeyMissing = "scim.schema_key_missing", Setup, "a schema or resource type lacks a member";
    SchemaKeyInvalid = "scim.schema_key_invalid", Setup, "a member of a schema or resource type has an impossible value";
    SchemaContradiction = "scim.schema_contradiction", Setup, "the characteristics of an attribute contradict each other";
    SchemaNameTwice = "scim.schema_name_twice", Setup, "a name, endpoint or URN is there already";
    SchemaUnknown = "scim.schema_unknown", Setup, "a resource type names a schema that was not loaded";

    // resources
    #[doc = "RFC 7643 §3."]
    SchemasMissing = "scim.schemas_missing", Bad(InvalidSyntax), "the attribute `schemas` is missing";
    SchemasUnknown = "scim.schemas_unknown", Bad(InvalidSyntax), "`schemas` names one that the resource type does not have";
    SchemasIncomplete = "scim.schemas_incomplete", Bad(InvalidSyntax), "`schemas` leaves out one whose attributes are there";
    AttributeUnknown = "scim.attribute_unknown", Bad(InvalidSyntax), "the schema has no such attribute";
    #[doc = "Names are compared without regard to case (RFC 7643 §2.1)."]
    AttributeTwice = "scim.attribute_twice", Bad(InvalidSyntax), "an attribute is given twice";
    ValueType = "scim.value_type", Bad(InvalidValue), "the value is not of the type of its attribute";
    ValueRequired = "scim.value_required", Bad(InvalidValue), "a required attribute has no value";
    ValueTooLong = "scim.value_too_long", Bad(InvalidValue), "a text is longer than is taken";
    #[doc = "RFC 7643 §2.4."]
    PrimaryTwice = "scim.primary_twice", Bad(InvalidValue), "more than one value is the primary one";
    ImmutableChanged = "scim.immutable_changed", Bad(Mutability), "an immutable attribute has another value already";
    #[doc = "RFC 7644 §3.9."]
    ProjectionTwice = "scim.projection_twice", Bad(InvalidValue), "`attributes` and `excludedAttributes` exclude each other";

    // filters: RFC 7644 §3.4.2.2
    FilterMalformed = "scim.filter_malformed", Bad(InvalidFilter), "the text is not a filter";
    FilterTooDeep = "scim.filter_too_deep", Bad(InvalidFilter), "the filter is nested deeper than 64 levels";
    FilterTooLong = "scim.filter_too_long", Bad(InvalidFilter), "the filter has more than 1,024 terms or 64 KiB";
    FilterAttributeUnknown = "scim.filter_attribute_unknown", Bad(InvalidFilter), "the filter names an attribute that does not exist";
    #[doc = "An answer would tell its value bit by bit."]
    FilterAttributeHidden = "scim.filter_attribute_hidden", Bad(InvalidFilter), "the filter names an attribute that is never returned";
    FilterOperator = "scim.filter_operator", Bad(InvalidFilter), "the operator does not fit the type of the attribute";
    FilterValue = "scim.filter_value", Bad(InvalidFilter), "the value does not fit the type of the attribute";

    // sorting: RFC 7644 §3.4.2.3
    SortAttribute = "scim.sort_attribute", Bad(InvalidValue), "nothing can be sorted by this attribute";
    SortOrder = "scim.sort_order", Bad(InvalidValue), "the order is neither `ascending` nor `descending`";

    // paths and changes: RFC 7644 §3.5.2
    PathMalformed = "scim.path_malformed", Bad(InvalidPath), "the text is not a path";
    PathUnknown = "scim.path_unknown", Bad(InvalidPath), "the path names an attribute that does not exist";
    PathFilterOnOne = "scim.path_filter_on_one", Bad(InvalidPath), "the path selects among values of an attribute that has one or no parts";
    PatchMalformed = "scim.patch_malformed", Bad(InvalidSyntax), "the message is not a PATCH";
    PatchOperationUnknown = "scim.patch_operation_unknown", Bad(InvalidSyntax), "an operation is none of `add`, `replace` and `remove`";
    PatchTooManyOperations = "scim.patch_too_many_operations", Plain(413), "the PATCH has more operations than are taken";
    PatchTooMuchWork = "scim.patch_too_much_work", Plain(413), "the operations would look at more values than is allowed";
    PatchValueMissing = "scim.patch_value_missing", Bad(InvalidValue), "an operation lacks its value";
    PatchValueUnexpected = "scim.patch_value_unexpected", Bad(InvalidValue), "a removal has a value";
    PatchNoTarget = "scim.patch_no_target", Bad(NoTarget), "the path selects nothing to operate on";
    ReadOnly = "scim.read_only", Bad(Mutability), "the attribute is read-only";
    RequiredRemoved = "scim.required_removed", Bad(Mutability), "a required attribute cannot be removed";

    // queries: RFC 7644 §3.4.2, RFC 9865
    QueryMalformed = "scim.query_malformed", Bad(InvalidValue), "a parameter of the query is not of its type or given twice";
    SearchMalformed = "scim.search_malformed", Bad(InvalidSyntax), "the message is not a search request";
    CursorInvalid = "scim.cursor_invalid", Bad(InvalidCursor), "the cursor is not one of this query";
    CursorExpired = "scim.cursor_expired", Bad(ExpiredCursor), "the cursor is too old";

    // bulk: RFC 7644 §3.7
    BulkMalformed = "scim.bulk_malformed", Bad(InvalidSyntax), "the message is not a bulk request";
    BulkTooManyOperations = "scim.bulk_too_many_operations", Plain(413), "the bulk request has more operations than are taken";
    BulkIdTwice = "scim.bulk_id_twice", Bad(InvalidValue), "two operations have the same `bulkId`";
    BulkIdUnknown = "scim.bulk_id_unknown", Bad(InvalidValue), "no operation that creates something has this `bulkId`";
    BulkIdFailed = "scim.bulk_id_failed", Plain(409), "what the `bulkId` stands for could not be created";

    // what a store finds
    NotFound = "scim.not_found", Plain(404), "there is no such resource";
    Taken = "scim.taken", Answer::Taken, "another resource has this value already";
    #[doc = "RFC 7644 §3.14."]
    VersionStale = "scim.version_stale", Plain(412), "the resource is not of the version that was named";

    // what a service answers
    Unauthenticated = "scim.unauthenticated", Plain(401), "a valid bearer token is needed";
    Forbidden = "scim.forbidden", Plain(403), "the token does not allow this";
    PathUnserved = "scim.path_unserved", Plain(404), "nothing is served at this path";
    MethodNotAllowed = "scim.method_not_allowed", Plain(405), "this cannot be done at this path";
    MediaType = "scim.media_type", Plain(415), "the body is not of the type `application/scim+json` or `application/json`";
    NotSupported = "scim.not_supported", Plain(501), "the service does not do this";
    DiscoveryFiltered = "scim.discovery_filtered", Plain(403), "what the service says about itself cannot be filtered";
    TooManyFound = "scim.too_many", Bad(TooMany), "the query would look at more than is allowed";
    MemberUnknown = "scim.member_unknown", Bad(InvalidValue), "a member is no resource of this connection";
    ExternalIdInvalid = "scim.external_id_invalid", Bad(InvalidValue), "the `externalId` cannot be the key of a person";
    RecordInvalid = "scim.record_invalid", Bad(InvalidValue), "no account can be made of these values";
    RecordRefused = "scim.record_refused", Plain(403), "the change is not allowed";
    Contended = "scim.contended", Plain(503), "the resource changed under every attempt";
    Unavailable = "scim.unavailable", Plain(503), "the service cannot be used at the moment";
    Broken = "scim.broken", Setup, "the service cannot do this before it is mended";
}

impl Reason {
    /// Tells what a caller should do about it.
    #[must_use]
    pub const fn class(self) -> ErrorClass {
        match self.answer() {
            Plain(503) => ErrorClass::Transient,
            Answer::Taken | Plain(403) => ErrorClass::Denied,
            Bad(_) | Plain(_) => ErrorClass::Rejected,
            Setup => ErrorClass::Permanent,
        }
    }

    /// Returns the status of HTTP.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self.answer() {
            Bad(_) => 400,
            Answer::Taken => 409,
            Plain(status) => status,
            Setup => 500,
        }
    }

    /// Returns the detail type, where RFC 7644 §3.12 has one.
    #[must_use]
    pub const fn scim_type(self) -> Option<ScimType> {
        match self.answer() {
            Bad(scim_type) => Some(scim_type),
            Answer::Taken => Some(ScimType::Uniqueness),
            Plain(_) | Setup => None,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.meaning())
    }
}

impl std::error::Error for Reason {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_code_is_unique_and_well_formed() {
        let codes: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        assert_eq!(codes.len(), Reason::ALL.len());
        for code in codes {
            let name = code.strip_prefix("scim.").unwrap();
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{code}");
        }
    }

    #[test]
    fn messages_follow_the_house_rules() {
        for reason in Reason::ALL {
            assert!(!reason.to_string().ends_with('.'), "{reason}");
        }
    }
}
