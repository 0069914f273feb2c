//! Answers a query over resources in memory: for stores that cannot do it themselves, and as the model for those that can.

use std::cmp::Ordering;

use chrono::{DateTime, Utc};

use super::{Cursor, ListResponse, Page, Place, Query};
use crate::resource::Resource;

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

impl Query {
    /// Finds the resources of one page. The order is total, so that no page repeats or leaves out what stays as it is.
    #[must_use]
    pub fn run<'a>(
        &self,
        resources: impl IntoIterator<Item = &'a Resource>,
        now: DateTime<Utc>,
    ) -> Found<'a> {
        let fits = |resource: &&Resource| self.filter.as_ref().is_none_or(|filter| filter.matches(resource));
        let mut found: Vec<_> = resources.into_iter().filter(fits).collect();
        found.sort_by(|a, b| self.compare(a, b));
        let total = found.len();
        let (start, count) = match &self.page {
            Page::Index { start, count } => (start.saturating_sub(1), *count),
            Page::Cursor { after: None, count } => (0, *count),
            Page::Cursor { after: Some(cursor), count } => {
                let before = |resource: &&Resource| {
                    cursor.compare(resource, self.sort.as_ref()).is_some_and(Ordering::is_le)
                };
                (found.partition_point(before), *count)
            }
        };
        let resources: Vec<_> = found.into_iter().skip(start).take(count).collect();
        let next = match (&self.page, resources.last()) {
            (Page::Cursor { .. }, Some(last)) if start + resources.len() < total => {
                Some(self.cursor(last, now))
            }
            _ => None,
        };
        Found { total, resources, next }
    }

    /// Names the page behind this resource.
    #[must_use]
    pub fn cursor(&self, last: &Resource, now: DateTime<Utc>) -> String {
        Cursor::behind(last, self.sort.as_ref()).write(self.digest, now)
    }

    /// Orders resources as the query asks, and those that are alike by identifier.
    #[must_use]
    pub fn compare(&self, a: &Resource, b: &Resource) -> Ordering {
        let by_key = self.sort.as_ref().map_or(Ordering::Equal, |sort| sort.compare(a, b));
        by_key.then_with(|| a.id().unwrap_or_default().cmp(b.id().unwrap_or_default()))
    }

    /// Writes the answer; `base` is the address of the service.
    #[must_use]
    pub fn answer(&self, found: &Found<'_>, base: &str) -> Vec<u8> {
        let bodies: Vec<_> = found.resources.iter().map(|one| one.to_json(&self.projection, base)).collect();
        let place = match &self.page {
            Page::Index { start, .. } => Place::Index(*start),
            Page::Cursor { .. } => Place::Cursor { next: found.next.clone() },
        };
        ListResponse { total: found.total, place, resources: &bodies }.to_bytes()
    }
}
