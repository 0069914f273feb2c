//! What is asked for in a query, be it by parameters (RFC 7644 §3.4.2) or by a message (§3.4.3).

use std::num::IntErrorKind;

use chrono::{DateTime, TimeDelta, Utc};

use super::Cursor;
use crate::error::ScimError;
use crate::filter::Filter;
use crate::json::Json;
use crate::reason::Reason;
use crate::resource::Projection;
use crate::schema::ResourceType;
use crate::sort::Sort;
use crate::tolerance::Tolerance;

const SEARCH_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
const FILTER: &str = "filter";
const ATTRIBUTES: &str = "attributes";
const EXCLUDED: &str = "excludedAttributes";
const SORT_BY: &str = "sortBy";
const SORT_ORDER: &str = "sortOrder";
const START_INDEX: &str = "startIndex";
const COUNT: &str = "count";
const CURSOR: &str = "cursor";
const PARAMETERS: [&str; 8] = [FILTER, ATTRIBUTES, EXCLUDED, SORT_BY, SORT_ORDER, START_INDEX, COUNT, CURSOR];
/// From here on a number has no place in 64 bits.
const BEYOND: f64 = 9_223_372_036_854_775_808.0;

/// A query as it was sent: texts that no schema has seen yet. `Debug` shows no values.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct QueryText {
    filter: Option<String>,
    attributes: Option<Vec<String>>,
    excluded: Option<Vec<String>>,
    sort_by: Option<String>,
    sort_order: Option<String>,
    start_index: Option<i64>,
    count: Option<i64>,
    cursor: Option<String>,
}

/// How long pages are, and how long a cursor is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a service says all of it in its configuration")]
pub struct PageLimits {
    /// Resources on a page if the client does not say.
    pub default: usize,
    /// Most resources on a page.
    pub most: usize,
    /// How long a cursor is good.
    pub cursor_age: TimeDelta,
}

impl Default for PageLimits {
    fn default() -> Self {
        Self { default: 100, most: 200, cursor_age: TimeDelta::hours(1) }
    }
}

/// Where a page begins, and how long it is at most.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 9865 knows no third way")]
pub enum Page {
    /// By the number of its first resource, counted from one.
    Index {
        /// The number.
        start: usize,
        /// The length.
        count: usize,
    },
    /// Behind a resource (RFC 9865), or at the beginning.
    Cursor {
        /// The last resource of the page before.
        after: Option<Cursor>,
        /// The length.
        count: usize,
    },
}

/// A query over the resources of one type, bound to their schema.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Query {
    /// What a resource must fulfil.
    pub filter: Option<Filter>,
    /// The order; without one resources are ordered by identifier.
    pub sort: Option<Sort>,
    /// What of each resource is asked for.
    pub projection: Projection,
    /// Which page.
    pub page: Page,
    /// What a cursor of this query is bound to, where pages are asked for by cursor.
    pub(super) digest: u64,
}

impl QueryText {
    /// Reads the parameters of a query, decoded. Those that SCIM does not know are overlooked; of the others the case of the
    /// name does not count, for a filter that is overlooked would find everybody.
    ///
    /// # Errors
    /// `scim.query_malformed`; `scim.count_invalid` where pages are asked for by cursor.
    pub fn of_parameters<'a>(
        parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, ScimError> {
        let mut query = Self::default();
        let mut no_count = None;
        for (name, value) in parameters {
            let refused = || ScimError::at_attribute(Reason::QueryMalformed, name);
            let text = || value.to_owned();
            let names = || value.split(',').map(|name| name.trim().to_owned()).collect();
            let number = || whole(value.trim()).ok_or_else(refused);
            let known = PARAMETERS.into_iter().find(|known| known.eq_ignore_ascii_case(name));
            let before = match known {
                Some(FILTER) => query.filter.replace(text()).is_some(),
                Some(ATTRIBUTES) => query.attributes.replace(names()).is_some(),
                Some(EXCLUDED) => query.excluded.replace(names()).is_some(),
                Some(SORT_BY) => query.sort_by.replace(text()).is_some(),
                Some(SORT_ORDER) => query.sort_order.replace(text()).is_some(),
                Some(START_INDEX) => query.start_index.replace(number()?).is_some(),
                Some(COUNT) => {
                    let count = whole(value.trim());
                    no_count = no_count.or_else(|| count.is_none().then(refused));
                    query.count.replace(count.unwrap_or_default()).is_some()
                }
                Some(CURSOR) => query.cursor.replace(text()).is_some(),
                _ => false,
            };
            if before {
                return Err(refused());
            }
        }
        query.counted(no_count)
    }

    /// Reads the body of a POST to `.search`.
    ///
    /// # Errors
    /// `scim.not_an_object`, `scim.schemas_missing`, `scim.search_malformed`; `scim.count_invalid` where pages are asked for
    /// by cursor.
    pub fn of_message(json: &Json) -> Result<Self, ScimError> {
        let (mut query, mut no_count) = (Self::default(), None);
        let declared =
            |json: &Json| json.as_text().is_some_and(|urn| urn.eq_ignore_ascii_case(SEARCH_REQUEST));
        if !matches!(json.member("schemas"), Some(Json::List(list)) if list.iter().any(declared)) {
            json.as_object()?;
            return Err(Reason::SchemasMissing.into());
        }
        for (name, json) in json.as_object()? {
            let refused = || ScimError::at_attribute(Reason::SearchMalformed, name);
            let text = || json.as_text().map(str::to_owned).ok_or_else(refused);
            let number = || match json {
                Json::Integer(number) => Ok(*number),
                Json::Decimal(number) if *number >= BEYOND => Ok(i64::MAX),
                Json::Decimal(number) if *number <= -BEYOND => Ok(i64::MIN),
                _ => Err(refused()),
            };
            let names = || {
                let Json::List(list) = json else { return Err(refused()) };
                list.iter().map(|name| name.as_text().map(str::to_owned).ok_or_else(refused)).collect()
            };
            match PARAMETERS.into_iter().find(|known| known.eq_ignore_ascii_case(name)) {
                // null is no value (RFC 7643 §2.5)
                Some(_) if matches!(json, Json::Null) => {}
                None if name.eq_ignore_ascii_case("schemas") => {}
                Some(FILTER) => query.filter = Some(text()?),
                Some(ATTRIBUTES) => query.attributes = Some(names()?),
                Some(EXCLUDED) => query.excluded = Some(names()?),
                Some(SORT_BY) => query.sort_by = Some(text()?),
                Some(SORT_ORDER) => query.sort_order = Some(text()?),
                Some(START_INDEX) => query.start_index = Some(number()?),
                Some(COUNT) => match number() {
                    Ok(count) => query.count = Some(count),
                    Err(error) => no_count = Some(error),
                },
                Some(CURSOR) => query.cursor = Some(text()?),
                _ => return Err(refused()),
            }
        }
        query.counted(no_count)
    }

    /// Refuses a count that is none, as the way of paging has it (RFC 9865 §2.1).
    fn counted(self, no_count: Option<ScimError>) -> Result<Self, ScimError> {
        match no_count {
            None => Ok(self),
            Some(error) if self.cursor.is_some() => Err(error.with_reason(Reason::CountInvalid)),
            Some(error) => Err(error),
        }
    }

    /// Tells whether the resources of several types have to be brought into one order for it.
    pub(crate) const fn needs_one_order(&self) -> bool {
        self.sort_by.is_some() || self.cursor.is_some()
    }

    pub(crate) fn without_cursor(&self) -> Self {
        Self { cursor: None, ..self.clone() }
    }

    pub(crate) fn without_order(&self) -> Self {
        Self { sort_by: None, sort_order: None, ..self.without_cursor() }
    }

    /// Tells whether attributes are chosen.
    pub(crate) fn chooses(&self) -> bool {
        self.attributes.is_some() || self.excluded.is_some()
    }

    /// Chooses attributes only: for a request about one resource.
    ///
    /// # Errors
    /// `scim.projection_twice`.
    pub fn projection(&self, kind: &ResourceType) -> Result<Projection, ScimError> {
        Projection::new(
            kind,
            self.attributes.as_ref().map(|names| names.iter().map(String::as_str)),
            self.excluded.as_ref().map(|names| names.iter().map(String::as_str)),
        )
    }

    /// Binds the query to the schema of the resources.
    ///
    /// # Errors
    /// Those of [`Filter::parse`] and [`Sort::parse`]; `scim.projection_twice`, `scim.cursor_invalid`,
    /// `scim.cursor_expired`; `scim.query_malformed` where both `cursor` and `startIndex` are given.
    pub fn bind(
        &self,
        kind: &ResourceType,
        tolerance: Tolerance,
        limits: &PageLimits,
        now: DateTime<Utc>,
    ) -> Result<Query, ScimError> {
        let filter =
            self.filter.as_deref().map(|text| Filter::parse_with(kind, text, tolerance)).transpose()?;
        let sort = self
            .sort_by
            .as_deref()
            .map(|by| Sort::parse(kind, by, self.sort_order.as_deref()))
            .transpose()?;
        let parts = || {
            let order = if sort.as_ref().is_some_and(Sort::is_descending) { "-" } else { "+" };
            [
                kind.id(),
                self.filter.as_deref().unwrap_or_default(),
                self.sort_by.as_deref().unwrap_or_default(),
                order,
            ]
        };
        let digest = self.cursor.as_ref().map_or(0, |_| digest(parts()));
        let page = self.page(limits, digest, now)?;
        Ok(Query { filter, sort, projection: self.projection(kind)?, page, digest })
    }

    /// What lies below the least is the least (RFC 7644 §3.4.2.4), and what lies above the most is the most.
    fn page(&self, limits: &PageLimits, digest: u64, now: DateTime<Utc>) -> Result<Page, ScimError> {
        let natural = |number: i64| usize::try_from(number.max(0)).unwrap_or(usize::MAX);
        let count = self.count.map_or(limits.default, natural).min(limits.most);
        match (self.cursor.as_deref(), self.start_index) {
            (None, start) => Ok(Page::Index { start: start.map_or(1, natural).max(1), count }),
            (Some(_), Some(_)) => Err(ScimError::at_attribute(Reason::QueryMalformed, "cursor")),
            (Some(""), None) => Ok(Page::Cursor { after: None, count }),
            (Some(text), None) => {
                let after = Cursor::parse(text, digest, now, limits.cursor_age)?;
                Ok(Page::Cursor { after: Some(after), count })
            }
        }
    }
}

impl std::fmt::Debug for QueryText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QueryText").field("attributes", &self.attributes).finish_non_exhaustive()
    }
}

/// Reads a whole number; what lies beyond 64 bits is the most or the least of them.
fn whole(text: &str) -> Option<i64> {
    match text.parse::<i64>() {
        Ok(number) => Some(number),
        Err(error) => match error.kind() {
            IntErrorKind::PosOverflow => Some(i64::MAX),
            IntErrorKind::NegOverflow => Some(i64::MIN),
            _ => None,
        },
    }
}

/// FNV-1a: tells queries apart, and need not withstand anybody.
fn digest<'a>(parts: impl IntoIterator<Item = &'a str>) -> u64 {
    let bytes = parts.into_iter().flat_map(|part| part.bytes().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
