//! Answers a query over resources in memory: for stores that cannot do it themselves, and as the model for those that can.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{Cursor, ListResponse, Page, Place, Query};
use crate::resource::{Resource, Value};
use crate::schema::{META, ResourceType};
use crate::sort::Sort;

/// What a query found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Found<'a> {
    /// How many resources fulfil the query, on all pages.
    pub total: usize,
    /// Those of this page, in order.
    pub resources: Vec<&'a Resource>,
    /// The cursor of the next page, where pages are told apart by cursor and there is one.
    pub next: Option<String>,
}

/// Says where a resource stands in the order of a query, so that a page can be found without the resources.
#[derive(Clone, Debug)]
pub(crate) struct Rank {
    key: Option<Value>,
    id: String,
}

impl Rank {
    /// Stands where the identifier says, where nothing else orders.
    pub(crate) fn of_id(id: String) -> Self {
        Self { key: None, id }
    }
}

impl Query {
    /// Finds the resources of one page. The order is total, so that no page repeats or leaves out what stays as it is.
    #[must_use]
    pub fn run<'a>(
        &self,
        resources: impl IntoIterator<Item = &'a Resource>,
        now: DateTime<Utc>,
    ) -> Found<'a> {
        let fits = |resource: &&Resource| self.filter.as_ref().is_none_or(|filter| filter.matches(resource));
        let mut found: Vec<_> =
            resources.into_iter().filter(fits).map(|resource| (self.rank(resource), resource)).collect();
        found.sort_by(|(a, _), (b, _)| self.order(a, b));
        let (ranks, resources): (Vec<_>, Vec<_>) = found.into_iter().unzip();
        let kind = resources.first().map(|resource| Arc::clone(resource.kind()));
        let window = kind.map_or(0..0, |kind| self.window(&kind, &ranks));
        let next = self.next(&ranks, &window, now);
        Found { total: ranks.len(), resources: resources.get(window).unwrap_or_default().to_vec(), next }
    }

    /// Tells whether filter or order look at what the server says about a resource.
    pub(crate) fn looks_at_meta(&self) -> bool {
        let is_sorted = self.sort.as_ref().is_some_and(|sort| sort.attribute().steps().starts_with(&[META]));
        is_sorted || self.filter.as_ref().is_some_and(|filter| filter.looks_at(&[META]))
    }

    /// Tells where a resource stands.
    pub(crate) fn rank(&self, resource: &Resource) -> Rank {
        let key = self.sort.as_ref().and_then(|sort| sort.place(resource));
        Rank { key, id: resource.id().unwrap_or_default().to_owned() }
    }

    /// Orders as the query asks, and what is alike by identifier.
    pub(crate) fn order(&self, a: &Rank, b: &Rank) -> Ordering {
        let by_key = |sort: &Sort| sort.compare_places(a.key.as_ref(), b.key.as_ref());
        self.sort.as_ref().map_or(Ordering::Equal, by_key).then_with(|| a.id.cmp(&b.id))
    }

    /// Finds the page among ranks that are in order.
    pub(crate) fn window(&self, kind: &ResourceType, ranks: &[Rank]) -> Range<usize> {
        let (start, count) = match &self.page {
            Page::Index { start, count } => (start.saturating_sub(1), *count),
            Page::Cursor { after: None, count } => (0, *count),
            Page::Cursor { after: Some(cursor), count } => {
                let last = cursor.sorted_by(kind, self.sort.as_ref());
                let last = last.ok().map(|key| Rank { key, id: cursor.id().to_owned() });
                let before = |rank: &Rank| last.as_ref().is_some_and(|last| self.order(rank, last).is_le());
                (ranks.partition_point(before), *count)
            }
        };
        let start = start.min(ranks.len());
        start..start.saturating_add(count).min(ranks.len())
    }

    /// Names the page that follows, where pages are told apart by cursor and there is one.
    pub(crate) fn next(&self, ranks: &[Rank], window: &Range<usize>, now: DateTime<Utc>) -> Option<String> {
        let last = ranks.get(window.end.checked_sub(1)?)?;
        let more = window.end < ranks.len() && !window.is_empty();
        (more && matches!(self.page, Page::Cursor { .. }))
            .then(|| Cursor::behind(last.key.as_ref(), &last.id).write(self.digest, now))
    }

    /// Names the page behind this resource.
    #[must_use]
    pub fn cursor(&self, last: &Resource, now: DateTime<Utc>) -> String {
        let rank = self.rank(last);
        Cursor::behind(rank.key.as_ref(), &rank.id).write(self.digest, now)
    }

    /// Names the page behind the resource with this identifier, where resources are ordered by identifier.
    pub(crate) fn cursor_behind(&self, id: &str, now: DateTime<Utc>) -> String {
        Cursor::behind(None, id).write(self.digest, now)
    }

    /// Orders resources as the query asks, and those that are alike by identifier.
    #[must_use]
    pub fn compare(&self, a: &Resource, b: &Resource) -> Ordering {
        self.order(&self.rank(a), &self.rank(b))
    }

    /// Writes the answer; `base` is the address of the service.
    #[must_use]
    pub fn answer(&self, found: &Found<'_>, base: &str) -> Vec<u8> {
        let bodies: Vec<_> = found.resources.iter().map(|one| one.to_json(&self.projection, base)).collect();
        let place = self.place(found.next.clone());
        ListResponse { total: found.total, place, resources: &bodies }.to_bytes()
    }

    /// Says which page it is.
    pub(crate) fn place(&self, next: Option<String>) -> Place {
        match &self.page {
            Page::Index { start, .. } => Place::Index(*start),
            Page::Cursor { .. } => Place::Cursor { next },
        }
    }
}
