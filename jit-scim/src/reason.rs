//! Every reason for a refusal, each with a stable code, a status and the detail type that RFC 7644 §3.12 names.

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
    /// `invalidCount` (RFC 9865 §2.1).
    InvalidCount,
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
        Self::InvalidCount,
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
            Self::InvalidCount => "invalidCount",
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
    ExpiredCursor, InvalidCount, InvalidCursor, InvalidFilter, InvalidPath, InvalidSyntax, InvalidValue,
    Mutability, NoTarget, TooMany,
};

jit_core::reasons! {
    /// Says why something was refused. Carries no value.
    pub enum Reason: fn answer -> Answer {
        // bodies
        BodyTooLarge = "scim.body_too_large", "the body is longer than is taken", Plain(413);
        ResourceTooLarge = "scim.resource_too_large", "the resource would be longer than is kept", Plain(413);
        BodyIncomplete = "scim.body_incomplete", "the body did not come, or not in time", Plain(408);
        JsonMalformed = "scim.json_malformed", "the text is not JSON", Bad(InvalidSyntax);
        JsonTooDeep = "scim.json_too_deep", "objects and arrays lie too deep in each other", Bad(InvalidSyntax);
        JsonTooManyValues = "scim.json_too_many_values", "the text holds more values than are taken", Plain(413);
        JsonNameTwice = "scim.json_name_twice", "an object has two members of one name", Bad(InvalidSyntax);
        NotAnObject = "scim.not_an_object", "a JSON object is expected", Bad(InvalidSyntax);

        // schemas and resource types of ours
        SchemaKeyUnknown = "scim.schema_key_unknown", "a schema or resource type has a member that does not exist", Setup;
        SchemaKeyMissing = "scim.schema_key_missing", "a schema or resource type lacks a member", Setup;
        SchemaKeyInvalid = "scim.schema_key_invalid", "a member of a schema or resource type has an impossible value", Setup;
        SchemaContradiction = "scim.schema_contradiction", "the characteristics of an attribute contradict each other", Setup;
        SchemaNameTwice = "scim.schema_name_twice", "a name, endpoint or URN is there already", Setup;
        SchemaUnknown = "scim.schema_unknown", "a resource type names a schema that was not loaded", Setup;

        // resources
        #[doc = "RFC 7643 §3."]
        SchemasMissing = "scim.schemas_missing", "`schemas` is missing, or does not name what is expected", Bad(InvalidSyntax);
        SchemasUnknown = "scim.schemas_unknown", "`schemas` names one that the resource type does not have", Bad(InvalidSyntax);
        SchemasIncomplete = "scim.schemas_incomplete", "`schemas` leaves out one whose attributes are there", Bad(InvalidSyntax);
        AttributeUnknown = "scim.attribute_unknown", "the schema has no such attribute", Bad(InvalidSyntax);
        #[doc = "Names are compared without regard to case (RFC 7643 §2.1)."]
        AttributeTwice = "scim.attribute_twice", "an attribute is given twice", Bad(InvalidSyntax);
        ValueType = "scim.value_type", "the value is not of the type of its attribute", Bad(InvalidValue);
        ValueRequired = "scim.value_required", "a required attribute has no value", Bad(InvalidValue);
        ValueTooLong = "scim.value_too_long", "a text is longer than is taken", Bad(InvalidValue);
        #[doc = "RFC 7643 §2.4."]
        PrimaryTwice = "scim.primary_twice", "more than one value is the primary one", Bad(InvalidValue);
        ImmutableChanged = "scim.immutable_changed", "an immutable attribute has another value already", Bad(Mutability);
        #[doc = "RFC 7644 §3.9."]
        ProjectionTwice = "scim.projection_twice", "`attributes` and `excludedAttributes` exclude each other", Bad(InvalidValue);

        // filters: RFC 7644 §3.4.2.2
        FilterMalformed = "scim.filter_malformed", "the text is not a filter", Bad(InvalidFilter);
        FilterTooDeep = "scim.filter_too_deep", "the filter is nested deeper than 64 levels", Bad(InvalidFilter);
        FilterTooLong = "scim.filter_too_long", "the filter has more than 1,024 terms or 64 KiB", Bad(InvalidFilter);
        FilterAttributeUnknown = "scim.filter_attribute_unknown", "the filter names an attribute that does not exist", Bad(InvalidFilter);
        #[doc = "An answer would tell its value bit by bit."]
        FilterAttributeHidden = "scim.filter_attribute_hidden", "the filter names an attribute that is never returned", Bad(InvalidFilter);
        FilterOperator = "scim.filter_operator", "the operator does not fit the type of the attribute", Bad(InvalidFilter);
        FilterValue = "scim.filter_value", "the value does not fit the type of the attribute", Bad(InvalidFilter);

        // sorting: RFC 7644 §3.4.2.3
        SortAttribute = "scim.sort_attribute", "nothing can be sorted by this attribute", Bad(InvalidValue);
        SortOrder = "scim.sort_order", "the order is neither `ascending` nor `descending`", Bad(InvalidValue);

        // paths and changes: RFC 7644 §3.5.2
        PathMalformed = "scim.path_malformed", "the text is not a path", Bad(InvalidPath);
        PathUnknown = "scim.path_unknown", "the path names an attribute that does not exist", Bad(InvalidPath);
        PathFilterOnOne = "scim.path_filter_on_one", "the path selects among values of an attribute that has one", Bad(InvalidPath);
        PatchMalformed = "scim.patch_malformed", "the message is not a PATCH", Bad(InvalidSyntax);
        PatchOperationUnknown = "scim.patch_operation_unknown", "an operation is none of `add`, `replace` and `remove`", Bad(InvalidSyntax);
        PatchTooManyOperations = "scim.patch_too_many_operations", "the PATCH has more operations than are taken", Plain(413);
        PatchTooMuchWork = "scim.patch_too_much_work", "the operations would look at more values than is allowed", Plain(413);
        PatchValueMissing = "scim.patch_value_missing", "an operation lacks its value", Bad(InvalidValue);
        PatchValueUnexpected = "scim.patch_value_unexpected", "a removal has a value", Bad(InvalidValue);
        PatchNoTarget = "scim.patch_no_target", "the path selects nothing to operate on", Bad(NoTarget);
        ReadOnly = "scim.read_only", "the attribute is read-only", Bad(Mutability);
        RequiredRemoved = "scim.required_removed", "a required attribute cannot be removed", Bad(Mutability);

        // queries: RFC 7644 §3.4.2, RFC 9865
        QueryMalformed = "scim.query_malformed", "a parameter of the query is not of its type or given twice", Bad(InvalidValue);
        SearchMalformed = "scim.search_malformed", "the message is not a search request", Bad(InvalidSyntax);
        CursorInvalid = "scim.cursor_invalid", "the cursor is not one of this query", Bad(InvalidCursor);
        CountInvalid = "scim.count_invalid", "the `count` beside a cursor is no whole number", Bad(InvalidCount);
        CursorExpired = "scim.cursor_expired", "the cursor is too old", Bad(ExpiredCursor);

        // bulk: RFC 7644 §3.7
        BulkMalformed = "scim.bulk_malformed", "the message is not a bulk request, or a part of it is no operation", Bad(InvalidSyntax);
        BulkTooManyOperations = "scim.bulk_too_many_operations", "the bulk request has more operations than are taken", Plain(413);
        BulkIdTwice = "scim.bulk_id_twice", "two operations have the same `bulkId`", Bad(InvalidValue);
        BulkIdUnknown = "scim.bulk_id_unknown", "no operation that creates something has this `bulkId`", Bad(InvalidValue);
        BulkIdFailed = "scim.bulk_id_failed", "what the `bulkId` stands for could not be created", Plain(409);

        // what a store finds
        NotFound = "scim.not_found", "there is no such resource", Plain(404);
        Taken = "scim.taken", "another resource has this value already", Answer::Taken;
        #[doc = "RFC 7644 §3.14."]
        VersionStale = "scim.version_stale", "the resource is not of the version that was named", Plain(412);

        // what a service answers
        TokenMissing = "scim.token_missing", "a bearer token is needed", Plain(401);
        Unauthenticated = "scim.unauthenticated", "the bearer token is not good, or no longer", Plain(401);
        Forbidden = "scim.forbidden", "the token does not allow this", Plain(403);
        PathUnserved = "scim.path_unserved", "nothing is served at this path", Plain(404);
        MethodNotAllowed = "scim.method_not_allowed", "this cannot be done at this path", Plain(405);
        MediaType = "scim.media_type", "the body is not of the type `application/scim+json` or `application/json`, or is compressed", Plain(415);
        NotSupported = "scim.not_supported", "the service does not do this", Plain(501);
        DiscoveryFiltered = "scim.discovery_filtered", "what the service says about itself cannot be filtered", Plain(403);
        TooManyFound = "scim.too_many", "the query would look at more than is allowed", Bad(TooMany);
        MemberUnknown = "scim.member_unknown", "a member is no resource of this connection", Bad(InvalidValue);
        ExternalIdInvalid = "scim.external_id_invalid", "the `externalId` cannot be the key of a person", Bad(InvalidValue);
        RecordInvalid = "scim.record_invalid", "no account can be made of these values", Bad(InvalidValue);
        RecordRefused = "scim.record_refused", "the change is not allowed", Plain(403);
        Contended = "scim.contended", "the resource changed under every attempt", Plain(503);
        Unavailable = "scim.unavailable", "the service cannot be used at the moment", Plain(503);
        Broken = "scim.broken", "the service cannot do this before it is mended", Setup;
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_follow_the_house_rules() {
        for reason in Reason::ALL {
            assert!(!reason.to_string().ends_with('.'), "{reason}");
        }
    }
}
