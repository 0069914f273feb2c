//! Documents in random calls.

use proptest::{collection::vec, prelude::*};

use super::player::{Player, agree};
use crate::conformance::{
    Failure,
    failure::same,
    sample::{Made, at, count},
};
use crate::{
    Collection, ConnectionId, Document, DocumentId, DocumentKey, DocumentName, DocumentQuery,
    DocumentStore as _, DocumentWrite, IndexName, MemberChange, Store,
};

/// Which document: kind and number.
type Which = (u8, u8);

/// A document that a commit writes.
#[derive(Clone, Debug)]
pub(super) struct Write {
    which: Which,
    act: u8,
    stale: bool,
    names: Vec<(u8, u8)>,
    members: Vec<(u8, Which)>,
    seconds: i64,
}

const KINDS: [&str; 2] = ["User", "Group"];
const NUMBERS: u8 = 3;
const NAMES: u8 = 3;

fn which() -> impl Strategy<Value = Which> {
    (0..2_u8, 0..NUMBERS)
}

pub(super) fn writes() -> impl Strategy<Value = Vec<Write>> {
    let names = vec((0..2_u8, 0..NAMES), 0..3);
    let members = vec((0..6_u8, which()), 0..3);
    let write = (which(), 0..10_u8, prop::bool::weighted(0.2), names, members, 0..9_i64);
    let write = write.prop_map(|(which, act, stale, names, members, seconds)| Write {
        which,
        act,
        stale,
        names,
        members,
        seconds,
    });
    prop_oneof![3 => Just(Vec::new()), 2 => vec(write, 1..4)]
}

impl Player<'_> {
    fn of(&self, tenant: u8, kind: u8) -> Made<Collection> {
        let kind = KINDS.get(usize::from(kind)).copied().unwrap_or("User").parse()?;
        Ok(Collection { tenant: self.tenant(tenant)?, connection: ConnectionId::new("main")?, kind })
    }

    fn document_id(&self, tenant: u8, (kind, number): Which) -> DocumentId {
        DocumentId::from_uuid(self.uuid(5 + kind, tenant, number))
    }

    fn document_key(&self, tenant: u8, which: Which) -> Made<DocumentKey> {
        Ok(self.of(tenant, which.0)?.key(self.document_id(tenant, which)))
    }

    /// The writes on top of what the model has: whoever plays reads first, as a server does.
    pub(super) async fn document_writes(&self, tenant: u8, writes: &[Write]) -> Made<Vec<DocumentWrite>> {
        let mut made = Vec::with_capacity(writes.len());
        for write in writes {
            let key = self.document_key(tenant, write.which)?;
            let after = looks(key.clone(), write)?;
            let stored = self.model.document(&key).await?;
            let known = stored.is_some();
            let mut before = stored.unwrap_or_else(|| after.clone());
            if write.stale && known {
                before.version = before.version.saturating_sub(1).max(1);
            }
            let changes = write.members.iter().map(|change| self.change(tenant, *change));
            let changes = changes.collect::<Made<Vec<_>>>()?;
            made.push(match write.act {
                0 => DocumentWrite::remove(&before, at(write.seconds)),
                8 => DocumentWrite::remove_apart(&before, at(write.seconds)),
                9 => {
                    let members = write.members.iter().map(|(_, which)| self.document_id(tenant, *which));
                    DocumentWrite::dismiss(key, members.chain([self.document_id(tenant, (0, 0))]))
                }
                1 => DocumentWrite::create(after).with_members(changes),
                _ if known => DocumentWrite::update(&before, after).with_members(changes),
                _ => DocumentWrite::create(after).with_members(changes),
            });
        }
        Ok(made)
    }

    fn change(&self, tenant: u8, (act, which): (u8, Which)) -> Made<MemberChange> {
        let member = self.document_id(tenant, which);
        Ok(match act {
            0 => MemberChange::Clear,
            1 | 2 => MemberChange::Remove { member },
            _ => MemberChange::Add {
                member,
                kind: self.of(tenant, which.0)?.kind,
                body: format!("{{\"by\":{act}}}").into(),
            },
        })
    }

    /// Compares everything that can be seen of documents.
    pub(super) async fn look_at_documents(&self, store: &dyn Store, tenant: u8) -> Result<(), Failure> {
        for kind in [0, 1] {
            let of = self.of(tenant, kind)?;
            agree("count", store.count_documents(&of).await, self.model.count_documents(&of).await)?;
            for skip in [0, 1] {
                let query = DocumentQuery { of: of.clone(), after: None, skip, limit: count(2) };
                let (got, want) = (store.documents(&query).await?, self.model.documents(&query).await?);
                same(&got, &want, "documents")?;
            }
            for (index, value) in (0..2).flat_map(|index| (0..NAMES).map(move |value| (index, value))) {
                let name = named((index, value))?;
                let got = store.documents_named(&of, &name.index, &name.value).await;
                let want = self.model.documents_named(&of, &name.index, &name.value).await;
                agree("documents_named", got, want)?;
            }
            for number in 0..NUMBERS {
                let key = self.document_key(tenant, (kind, number))?;
                agree("document", store.document(&key).await, self.model.document(&key).await)?;
                let got = store.document_text(&of, key.id).await;
                agree("document_text", got, self.model.document_text(&of, key.id).await)?;
                let got = store.members(&key, None, count(9)).await?;
                same(&got, &self.model.members(&key, None, count(9)).await?, "members")?;
                agree("memberships", store.memberships(&key).await, self.model.memberships(&key).await)?;
            }
        }
        Ok(())
    }
}

fn named((index, value): (u8, u8)) -> Made<DocumentName> {
    // One that differs from another in case only.
    let value = ["anna", "Anna", "bert"].get(usize::from(value)).copied().unwrap_or("carl");
    Ok(match index {
        0 => DocumentName::unique(IndexName::new("name")?, value),
        _ => DocumentName::shared(IndexName::new("team")?, value),
    })
}

fn looks(key: DocumentKey, write: &Write) -> Made<Document> {
    Ok(Document {
        key,
        version: 1,
        created_at: at(0),
        changed_at: at(write.seconds),
        account: None,
        body: format!("{{\"at\":{}}}", write.seconds).into(),
        names: write.names.iter().map(|name| named(*name)).collect::<Made<_>>()?,
    })
}
