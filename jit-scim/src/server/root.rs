//! Queries over everything that is served (RFC 7644 §3.4.2.1, §3.4.3).

use super::message::ScimResponse;
use super::served::Served;
use super::service::Turn;
use crate::error::ScimError;
use crate::protocol::{ListResponse, Page, Place, Query, QueryText};
use crate::reason::Reason;

/// The types that a query is about, each with the query bound to it.
type Bound<'a> = Vec<(&'a Served, Query)>;

impl Turn<'_> {
    /// Answers a query over all types. A type that lacks an attribute of the filter has nothing that fulfils it.
    pub(super) async fn list_all(&self, text: &QueryText) -> Result<ScimResponse, ScimError> {
        let bound = self.bind_all(text)?;
        match bound.first().map(|(_, query)| &query.page) {
            Some(Page::Index { start, count }) if !text.needs_one_order() => {
                let (start, count) = (*start, *count);
                self.one_behind_the_other(bound, start, count).await
            }
            _ => self.all_together(&bound).await,
        }
    }

    /// Binds the query to each type that has the attributes of its filter.
    fn bind_all(&self, text: &QueryText) -> Result<Bound<'_>, ScimError> {
        let connection = &self.realm.connection;
        let (mut bound, mut refused, mut leads) = (Vec::new(), None, false);
        for served in &self.realm.served {
            let bind =
                |text: &QueryText| text.bind(&served.kind, connection.tolerance, &connection.pages, self.now);
            // a cursor is one of the first type that can be sorted
            let query = if leads { bind(&text.without_cursor()) } else { bind(text) };
            match query {
                Ok(query) => {
                    leads = true;
                    bound.push((served, query));
                }
                Err(error) if error.reason() == Reason::FilterAttributeUnknown => {
                    refused.get_or_insert(error);
                }
                // what lacks the attribute has no value there
                Err(error) if error.reason() == Reason::SortAttribute => {
                    bound.push((served, bind(&text.without_order())?));
                    refused.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        if leads { Ok(bound) } else { Err(refused.unwrap_or_else(|| Reason::NotSupported.into())) }
    }

    /// Pages of one type follow those of another, each as the store has them.
    async fn one_behind_the_other(
        &self,
        bound: Bound<'_>,
        start: usize,
        count: usize,
    ) -> Result<ScimResponse, ScimError> {
        let (mut total, mut bodies, mut is_full) = (0_usize, Vec::new(), false);
        let mut left = self.realm.connection.reach.members;
        for (served, mut query) in bound {
            // nothing comes behind what was left out
            let left_over = if is_full { 0 } else { count.saturating_sub(bodies.len()) };
            query.page = Page::Index { start: start.saturating_sub(total).max(1), count: left_over };
            let hits = self.find(served, &query).await?;
            is_full |= hits.is_full;
            total = total.saturating_add(hits.total);
            for document in &hits.documents {
                bodies.push(self.render(served, document, &query.projection, &mut left).await?);
            }
        }
        let list = ListResponse { total, place: Place::Index(start), resources: &bodies };
        Ok(ScimResponse::with_body(200, list.to_bytes()))
    }

    /// Brings all types into the order that was asked for, or else into that of their identifiers.
    async fn all_together(&self, bound: &Bound<'_>) -> Result<ScimResponse, ScimError> {
        let lead = bound.iter().find(|(_, query)| query.sort.is_some()).or_else(|| bound.first());
        let (leading, lead) = lead.ok_or(Reason::NotSupported)?;
        let mut all = Vec::new();
        for (served, query) in bound {
            let ranks = self.ranks(served, query).await?;
            all.extend(ranks.into_iter().map(|(rank, id)| (rank, (*served, query, id))));
        }
        all.sort_by(|(a, _), (b, _)| lead.order(a, b));
        let (ranks, found): (Vec<_>, Vec<_>) = all.into_iter().unzip();
        let mut window = lead.window(&leading.kind, &ranks);
        let (mut bodies, mut room) = (Vec::with_capacity(window.len()), self.room());
        let mut left = self.realm.connection.reach.members;
        for (number, (served, query, id)) in found.get(window.clone()).unwrap_or_default().iter().enumerate()
        {
            for document in self.by_ids(served, [*id]).await? {
                if room.takes(&document) {
                    bodies.push(self.render(served, &document, &query.projection, &mut left).await?);
                }
            }
            if room.is_full {
                window.end = window.start.saturating_add(number);
                break;
            }
        }
        let place = match lead.page {
            Page::Index { start, .. } => Place::Index(start),
            Page::Cursor { .. } => Place::Cursor { next: lead.next(&ranks, &window, self.now) },
        };
        let list = ListResponse { total: ranks.len(), place, resources: &bodies };
        Ok(ScimResponse::with_body(200, list.to_bytes()))
    }
}
