//! Telling the records of very many documents anew, piece by piece: neither a commit nor a turn grows with them.

use std::num::NonZeroUsize;

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{Jit, keep::Teller};
use crate::{
    AccountId, BackendError, Claimed, Commit, DocumentId, DocumentKey, DocumentWrite, ErrorKind, Lane, Mint,
    Store, Taken, Task, TaskId, TaskKind, TenantId,
};

/// How many documents one commit brings tasks for.
pub(super) const PIECE: usize = 500;

/// Makes the tasks by which records are told anew: one for each as long as they are few, else some for many each.
pub(super) fn tasks_to_retell(
    told: Vec<(AccountId, DocumentKey)>,
    about: Option<DocumentKey>,
    mut frame: impl FnMut(AccountId, TaskKind) -> Task,
) -> Vec<Task> {
    let about = about.map(Box::new);
    if told.len() <= PIECE {
        let single = told
            .into_iter()
            .map(|(account, document)| frame(account, TaskKind::Retell { document, about: about.clone() }));
        return single.collect();
    }
    let nobody = AccountId::from_uuid(Uuid::nil());
    let these = |some: &[_]| TaskKind::RetellThese { told: some.to_vec(), about: about.clone() };
    let pieces = told.chunks(PIECE).map(these);
    pieces.map(|kind| frame(nobody, kind)).collect()
}

impl Jit {
    /// Replaces a task that is about many by tasks about one each, and by one for the rest: one commit, so that a crash loses
    /// nothing. Whoever does it again because their claim ran out brings tasks twice, which tell nothing new.
    pub(super) async fn fan_out(
        &self,
        store: &dyn Store,
        claimed: &Claimed,
        teller: &dyn Teller,
    ) -> Result<(), BackendError> {
        let task = &claimed.task;
        let mut commit = Commit::new(task.tenant.clone());
        commit.withdrawn.push(task.id);
        let (told, about) = match &task.kind {
            TaskKind::RetellThese { told, about } => (told.clone(), about.clone()),
            TaskKind::RetellMembers { group, after } => {
                let piece = self.piece_of(store, (group, *after), teller, &mut commit).await?;
                commit.tasks.extend(piece.next.map(|after| Task {
                    id: next_id(task.id),
                    kind: TaskKind::RetellMembers { group: group.clone(), after: Some(after) },
                    ..task.clone()
                }));
                (piece.told, Some(group.clone()))
            }
            _ => (Vec::new(), None),
        };
        let mut mint = self.mint(self.parts.clock.now());
        let (tenant, lane) = (&task.tenant, &task.lane);
        commit.tasks.extend(told.into_iter().map(|(account, document)| {
            let kind = TaskKind::Retell { document, about: about.clone() };
            single(&mut mint, (tenant, lane), account, kind, task.due)
        }));
        match store.commit(&commit).await {
            // Another worker did the same meanwhile.
            Err(error) if *error.kind() == ErrorKind::AlreadyExists(Taken::Task) => Ok(()),
            done => done,
        }
    }

    /// Reads the next members of a group. Those of one that is gone are let go of with the same commit.
    async fn piece_of(
        &self,
        store: &dyn Store,
        (group, after): (&DocumentKey, Option<DocumentId>),
        teller: &dyn Teller,
        commit: &mut Commit,
    ) -> Result<Piece, BackendError> {
        let limit = NonZeroUsize::new(PIECE).unwrap_or(NonZeroUsize::MIN);
        let page = store.members(group, after, limit).await?;
        let is_gone = store.document(group).await?.is_none();
        if is_gone && !page.items.is_empty() {
            let members = page.items.iter().map(|member| member.id);
            commit.documents.push(DocumentWrite::dismiss(group.clone(), members));
        }
        let next = page.next.and_then(|_| page.items.last().map(|member| member.id));
        Ok(Piece {
            told: page.items.iter().filter_map(|member| teller.person(group, member)).collect(),
            next,
        })
    }
}

/// Some members of a group whose records are told anew, and after whom the next come.
struct Piece {
    told: Vec<(AccountId, DocumentKey)>,
    next: Option<DocumentId>,
}

pub(super) fn single(
    mint: &mut Mint,
    (tenant, lane): (&TenantId, &Lane),
    account: AccountId,
    kind: TaskKind,
    due: chrono::DateTime<chrono::Utc>,
) -> Task {
    Task { id: mint.task(), tenant: tenant.clone(), lane: lane.clone(), account, kind, due }
}

/// Names the task for the rest by the one before it, so that two that do one piece at once do not make two rests. A UUID of
/// version 8 (RFC 9562 section 5.8).
fn next_id(before: TaskId) -> TaskId {
    let mut hash = Sha256::new();
    hash.update(b"rest");
    hash.update(before.as_uuid().as_bytes());
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(hash.finalize()) {
        *to = from;
    }
    TaskId::from_uuid(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}
