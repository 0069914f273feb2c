//! What indexes know of a filter.

use jit_core::{DocumentId, DocumentText, Memberships, PAGE_ITEMS};

use super::fault;
use super::served::{EMAILS, EXTERNAL_ID, Role, Served, indexed};
use super::service::Turn;
use crate::error::ScimError;
use crate::filter::Filter;

const MEMBERS: &str = "members.value";

/// What an index knows, in the order of the identifiers.
pub(super) enum Candidates {
    Read(Vec<DocumentText>),
    /// Not read yet: they may be many more than a page shows.
    Known(Vec<DocumentId>),
}

impl Turn<'_> {
    /// Looks up what an index knows: everything that fulfils the filter is among it. `None` where no index helps.
    pub(super) async fn candidates(
        &self,
        served: &Served,
        filter: &Filter,
    ) -> Result<Option<Candidates>, ScimError> {
        let store = &self.service.store;
        let within = filter.values_within().filter_map(|(attribute, value)| match attribute {
            "emails" => Some((EMAILS, value)),
            "members" => Some((MEMBERS, value)),
            _ => None,
        });
        for (attribute, value) in filter.equalities().chain(within) {
            if attribute == "id" {
                return Ok(Some(Candidates::Read(self.by_ids(served, Served::id(value)).await?)));
            }
            if served.role == Role::Group && attribute == MEMBERS {
                match self.groups_with(served, value).await? {
                    Some(groups) => return Ok(Some(Candidates::Known(groups))),
                    None => continue,
                }
            }
            let indexes = served.indexes(attribute);
            if indexes == [None, None] {
                continue;
            }
            let (value, mut found) = (indexed(value), Vec::new());
            for index in indexes.into_iter().flatten() {
                let named = store.documents_named(&served.of, index, &value).await;
                let named = named.map_err(|error| fault::of_store(&error))?;
                found = if found.is_empty() { named } else { both(found, named) };
            }
            // a page that is full may not be all
            if found.len() < PAGE_ITEMS {
                return Ok(Some(Candidates::Read(found)));
            }
        }
        Ok(None)
    }

    pub(super) async fn by_ids(
        &self,
        served: &Served,
        ids: impl IntoIterator<Item = DocumentId>,
    ) -> Result<Vec<DocumentText>, ScimError> {
        let mut found = Vec::new();
        for id in ids {
            let document = self.service.store.document_text(&served.of, id).await;
            found.extend(document.map_err(|error| fault::of_store(&error))?);
        }
        Ok(found)
    }

    /// Lists the groups of a member; `None` where the store does not name them all: a part must not be taken for the whole.
    async fn groups_with(&self, served: &Served, member: &str) -> Result<Option<Vec<DocumentId>>, ScimError> {
        let Some(member) = Served::id(member) else { return Ok(Some(Vec::new())) };
        let mut groups = Vec::new();
        for other in &self.realm.served {
            let found = self.service.store.memberships(&other.of.key(member)).await;
            let Memberships { groups: found, is_cut } = found.map_err(|error| fault::of_store(&error))?;
            if is_cut {
                return Ok(None);
            }
            groups.extend(found.into_iter().filter(|key| key.collection == served.of).map(|key| key.id));
        }
        groups.sort_unstable();
        Ok(Some(groups))
    }
}

/// Tells whether everything that an index finds fulfils a filter: what a person was called first finds them, whatever they
/// are called now.
pub(super) fn is_exact(filter: &Filter) -> bool {
    let is_exact = |(name, value): (&str, &str)| name != EXTERNAL_ID && indexed(value) == value;
    filter.only_equality().is_some_and(is_exact)
}

/// Brings what two indexes know together, in the order of the identifiers.
fn both(mut found: Vec<DocumentText>, named: Vec<DocumentText>) -> Vec<DocumentText> {
    found.extend(named);
    found.sort_by_key(|document| document.id);
    found.dedup_by_key(|document| document.id);
    found
}

/// Leaves what is on a page.
pub(super) fn window<T>(mut all: Vec<T>, start: usize, count: usize) -> Vec<T> {
    let first = start.saturating_sub(1).min(all.len());
    all.truncate(first.saturating_add(count));
    all.drain(..first);
    all
}
