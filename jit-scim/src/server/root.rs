//! Queries over everything that is served (RFC 7644 §3.4.2.1, §3.4.3).

use super::message::ScimResponse;
use super::service::Turn;
use crate::error::ScimError;
use crate::protocol::{ListResponse, Page, Place, QueryText};
use crate::reason::Reason;

impl Turn<'_> {
    /// Answers a query over all types, one type behind the other. A type that lacks an attribute of the filter has nothing
    /// that fulfils it.
    pub(super) async fn list_all(&self, text: &QueryText) -> Result<ScimResponse, ScimError> {
        let connection = &self.realm.connection;
        let (mut total, mut bodies, mut page) = (0_usize, Vec::new(), None);
        let mut refused = None;
        let mut left = connection.reach.members;
        for served in &self.realm.served {
            let bound = text.bind(&served.kind, connection.tolerance, &connection.pages, self.now);
            let mut query = match bound {
                Err(error) if error.reason() == Reason::FilterAttributeUnknown => {
                    refused.get_or_insert(error);
                    continue;
                }
                bound => bound?,
            };
            let Page::Index { start, count } = query.page else { return Err(Reason::NotSupported.into()) };
            if query.sort.is_some() {
                return Err(Reason::NotSupported.into());
            }
            page = Some(start);
            query.page = Page::Index {
                start: start.saturating_sub(total).max(1),
                count: count.saturating_sub(bodies.len()),
            };
            let hits = self.find(served, &query).await?;
            total = total.saturating_add(hits.total);
            for document in &hits.documents {
                bodies.push(self.render(served, document, &query.projection, &mut left).await?);
            }
        }
        let Some(start) = page else { return Err(refused.unwrap_or_else(|| Reason::NotSupported.into())) };
        let list = ListResponse { total, place: Place::Index(start), resources: &bodies };
        Ok(ScimResponse::with_body(200, list.to_bytes()))
    }
}
