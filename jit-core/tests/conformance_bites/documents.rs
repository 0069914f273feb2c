//! The faults of documents.

use std::{num::NonZeroUsize, sync::Arc};

use async_trait::async_trait;
use jit_core::{
    BackendError, Collection, Commit, Document, DocumentId, DocumentKey, DocumentName, DocumentQuery,
    DocumentStore, DocumentText, DocumentWrite, ErrorKind, IndexName, Member, MemberChange, Memberships,
    Page, Taken, UserStore as _,
};

use crate::{faulty::Faulty, table::Fault};

#[async_trait]
impl DocumentStore for Faulty {
    async fn document(&self, key: &DocumentKey) -> Result<Option<Document>, BackendError> {
        let mut found = self.inner.document(key).await?;
        if self.has(Fault::DocumentsForgetTenant) && found.is_none() {
            for tenant in self.tenants() {
                let elsewhere = Collection { tenant, ..key.collection.clone() }.key(key.id);
                found = found.or(self.inner.document(&elsewhere).await?);
            }
        }
        if let Some(document) = &mut found {
            match self.fault {
                Fault::DocumentsLoseNames => document.names = Arc::default(),
                Fault::DocumentVersionsStand => document.version = 1,
                _ => {}
            }
        }
        Ok(found)
    }

    async fn document_text(
        &self,
        of: &Collection,
        id: DocumentId,
    ) -> Result<Option<DocumentText>, BackendError> {
        let mut found = self.inner.document_text(of, id).await?;
        if let Some(text) = found.as_mut().filter(|_| self.has(Fault::DocumentTextsStand)) {
            text.changed_at = text.created_at;
        }
        Ok(found)
    }

    async fn documents_named(
        &self,
        of: &Collection,
        index: &IndexName,
        value: &str,
    ) -> Result<Vec<DocumentText>, BackendError> {
        if !self.has(Fault::FoldsDocumentNames) {
            return self.inner.documents_named(of, index, value).await;
        }
        let limit = NonZeroUsize::new(1_000).unwrap();
        let all = DocumentQuery { of: of.clone(), after: None, skip: 0, limit };
        let fold = |text: &str| text.trim().to_lowercase();
        let has = |name: &DocumentName| name.index == *index && fold(&name.value) == fold(value);
        let mut found = Vec::new();
        for text in self.inner.documents(&all).await?.items {
            let document = self.inner.document(&of.key(text.id)).await?;
            found.extend(document.filter(|document| document.names.iter().any(has)).map(|_| text));
        }
        Ok(found)
    }

    async fn documents(&self, query: &DocumentQuery) -> Result<Page<DocumentText>, BackendError> {
        let mut page = self.inner.documents(query).await?;
        if self.has(Fault::DocumentPagesSkip) && query.after.is_some() && !page.items.is_empty() {
            page.items.remove(0);
        }
        Ok(page)
    }

    async fn count_documents(&self, of: &Collection) -> Result<u64, BackendError> {
        self.inner.count_documents(of).await
    }

    async fn members(
        &self,
        group: &DocumentKey,
        after: Option<DocumentId>,
        limit: NonZeroUsize,
    ) -> Result<Page<Member>, BackendError> {
        let mut page = self.inner.members(group, after, limit).await?;
        if self.has(Fault::MembersEndAtAPage) {
            page.next = None;
        }
        Ok(page)
    }

    async fn member(&self, group: &DocumentKey, id: DocumentId) -> Result<Option<Member>, BackendError> {
        let found = self.inner.member(group, id).await?;
        let once = self.memo().members.get(&(group.clone(), id)).cloned();
        Ok(found.or(once.filter(|_| self.has(Fault::KeepsLostMembers))))
    }

    async fn memberships(&self, member: &DocumentKey) -> Result<Memberships, BackendError> {
        let found = self.inner.memberships(member).await?;
        Ok(Memberships { is_cut: found.is_cut && !self.has(Fault::HidesCutGroups), ..found })
    }
}

/// The same write with its document or its members changed.
fn rewrite(
    write: &DocumentWrite,
    document: impl FnOnce(&mut Document),
    member: impl Fn(&MemberChange) -> Vec<MemberChange>,
) -> DocumentWrite {
    let Some(mut after) = write.after().cloned() else { return write.clone() };
    document(&mut after);
    let members = write.members().iter().flat_map(member).collect();
    let rewritten = match write.expected() {
        None => DocumentWrite::create(after),
        Some(version) => {
            // Names that do not change are those of both.
            let kept = after.names.iter().filter(|name| !write.names_added().contains(name));
            let names = kept.chain(write.names_removed()).cloned().collect();
            let before = Document { version, names, ..after.clone() };
            DocumentWrite::update(&before, after)
        }
    };
    rewritten.with_members(members)
}

fn same(change: &MemberChange) -> Vec<MemberChange> {
    vec![change.clone()]
}

fn with(commit: &Commit, write: impl Fn(&DocumentWrite) -> DocumentWrite) -> Commit {
    Commit { documents: commit.documents.iter().map(write).collect(), ..commit.clone() }
}

impl Faulty {
    pub(crate) fn remember_members(&self, commit: &Commit) {
        let mut memo = self.memo();
        for write in &commit.documents {
            for change in write.members() {
                if let MemberChange::Add { member, kind, body } = change {
                    let joined = Member { id: *member, kind: kind.clone(), body: body.clone() };
                    memo.members.insert((write.key().clone(), *member), joined);
                }
            }
        }
    }

    pub(crate) async fn write_documents(&self, commit: &Commit) -> Result<(), BackendError> {
        let nothing = |_: &mut Document| {};
        match self.fault {
            Fault::DocumentVersionsIgnored => self.write_over_anything(commit).await,
            Fault::RemovedDocumentsStay => {
                let mut changed = commit.clone();
                changed.documents.retain(|write| write.after().is_some());
                self.inner.commit(&changed).await
            }
            Fault::EmptiesRemovedGroups => {
                let mut changed = commit.clone();
                for write in &mut changed.documents {
                    let at = write.removed_at().filter(|_| write.leaves_members());
                    if let (Some(at), Some(stored)) = (at, self.inner.document(write.key()).await?) {
                        *write = DocumentWrite::remove(&stored, at);
                    }
                }
                self.inner.commit(&changed).await
            }
            Fault::UniqueNamesAreShared => {
                let shared = |document: &mut Document| {
                    for name in Arc::make_mut(&mut document.names) {
                        name.unique = false;
                    }
                };
                self.inner.commit(&with(commit, |write| rewrite(write, shared, same))).await
            }
            Fault::DocumentsFirst | Fault::DocumentsLast => {
                let documents =
                    Commit { documents: commit.documents.clone(), ..Commit::new(commit.tenant.clone()) };
                let rest = Commit { documents: Vec::new(), ..commit.clone() };
                let first_documents = self.has(Fault::DocumentsFirst);
                let (first, second) = if first_documents { (documents, rest) } else { (rest, documents) };
                self.inner.commit(&first).await?;
                self.inner.commit(&second).await
            }
            Fault::AddingReplacesMembers => {
                let replace = |change: &MemberChange| match change {
                    MemberChange::Add { member, .. } => {
                        vec![MemberChange::Remove { member: *member }, change.clone()]
                    }
                    other => vec![other.clone()],
                };
                self.inner.commit(&with(commit, |write| rewrite(write, nothing, replace))).await
            }
            Fault::RemovingClears => {
                let clear = |change: &MemberChange| match change {
                    MemberChange::Remove { .. } => vec![MemberChange::Clear],
                    other => vec![other.clone()],
                };
                self.inner.commit(&with(commit, |write| rewrite(write, nothing, clear))).await
            }
            _ => self.write_documents_and_forgive(commit).await,
        }
    }

    /// The faults of accepting what must be refused, and of looking first and writing later.
    async fn write_documents_and_forgive(&self, commit: &Commit) -> Result<(), BackendError> {
        match self.fault {
            Fault::ChecksDocumentVersionsEarly => {
                for write in &commit.documents {
                    let stored = self.inner.document(write.key()).await?;
                    if stored.map(|document| document.version) != write.expected() {
                        return self.inner.commit(commit).await;
                    }
                }
                self.meet().await;
                return self.write_over_anything(commit).await;
            }
            Fault::ChecksDocumentNamesEarly => {
                for write in &commit.documents {
                    for name in write.names_added() {
                        let of = &write.key().collection;
                        if !self.inner.documents_named(of, &name.index, &name.value).await?.is_empty() {
                            let taken = ErrorKind::AlreadyExists(Taken::DocumentName(name.index.clone()));
                            return Err(BackendError::new(taken, "faulty"));
                        }
                    }
                }
                self.meet().await;
            }
            _ => {}
        }
        let Err(error) = self.inner.commit(commit).await else { return Ok(()) };
        let forgiven = match (self.fault, error.kind()) {
            (Fault::ChecksDocumentNamesEarly, ErrorKind::AlreadyExists(Taken::DocumentName(_))) => {
                with(commit, |write| rewrite(write, |document| document.names = Arc::default(), same))
            }
            (Fault::AcceptsAnyMember, ErrorKind::NoSuchMember) => {
                with(commit, |write| rewrite(write, |_| {}, |_| Vec::new()))
            }
            (Fault::SkipsForeignDocuments, ErrorKind::Invalid) => {
                let mut own = commit.clone();
                own.documents.retain(|write| write.key().collection.tenant == commit.tenant);
                own
            }
            _ => return Err(error),
        };
        self.inner.commit(&forgiven).await
    }

    /// Writes documents over whatever is there.
    async fn write_over_anything(&self, commit: &Commit) -> Result<(), BackendError> {
        let mut changed = commit.clone();
        changed.documents.clear();
        for write in &commit.documents {
            let stored = self.inner.document(write.key()).await?;
            let members = write.members().to_vec();
            changed.documents.extend(match (write.after().cloned(), write.removed_at(), stored) {
                (Some(after), _, Some(stored)) => {
                    Some(DocumentWrite::update(&stored, after).with_members(members))
                }
                (Some(after), _, None) => Some(DocumentWrite::create(after).with_members(members)),
                (None, Some(at), Some(stored)) => Some(DocumentWrite::remove(&stored, at)),
                (None, _, _) => None,
            });
        }
        self.inner.commit(&changed).await
    }
}
