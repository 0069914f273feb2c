//! Keeping documents that are about no person, and telling records anew for which they matter.

use std::num::NonZeroUsize;

use async_trait::async_trait;

use super::{
    Connection, Jit, JitError, WorkReport,
    fan_out::{single, tasks_to_retell},
    sign_in::actor,
    work::{HOLD, after_pause},
};
use crate::{
    AccountId, AuditEvent, AuditOutcome, BackendError, Code, Commit, ConnectionId, DocumentId, DocumentKey,
    DocumentWrite, ErrorKind, Lane, Member, Settlement, Store, TaskKind, TenantId, Tenants, WorkerId,
};

/// How many tasks are claimed at a time: they are told one after the other while the claim holds.
const CLAIMS: usize = 16;

/// Asks for documents to be kept that are about no person, such as groups.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "the adapter builds it")]
pub struct Kept {
    /// The tenant.
    pub tenant: TenantId,
    /// The connection whose source says it.
    pub connection: ConnectionId,
    /// What happens, as a code for the record.
    pub action: Code,
    /// What is written, all or nothing.
    pub documents: Vec<DocumentWrite>,
    /// Whose records are told anew because of it, with the documents about them.
    pub retell: Vec<(AccountId, DocumentKey)>,
    /// The group whose members' records are told anew, all of them: for groups of which nobody wants to read everybody first.
    pub retell_members: Option<DocumentKey>,
    /// The one thing that changed for those in `retell`, such as their group: nothing else is read anew for them. `None` where
    /// it may be anything.
    pub about: Option<DocumentKey>,
}

/// Names a document whose record is told anew.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "whoever has a record told anew says all of it")]
pub struct Retold {
    /// The document.
    pub document: DocumentKey,
    /// The one thing that changed, such as a group of its person: what else the record is told with need not be read anew.
    /// `None` where it may be anything.
    pub about: Option<DocumentKey>,
}

/// Tells the record of a document anew. Adapters implement it.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Teller: Send + Sync {
    /// Reads the document and hands what it says now to [`Jit::handle`]. A document that is gone is nothing to tell.
    ///
    /// # Errors
    /// Whatever prevents it now; the task comes again, later and later.
    ///
    /// # Cancel safety
    /// The record may have been handled.
    async fn tell(&self, jit: &Jit, retold: &Retold) -> Result<(), JitError>;

    /// Names the document that is told anew for a member of a group, with the account of its person; `None` where the member
    /// is no person.
    fn person(&self, group: &DocumentKey, member: &Member) -> Option<(AccountId, DocumentKey)>;
}

impl Jit {
    /// Mints the id of a document that is to be kept.
    #[must_use]
    pub fn new_document_id(&self) -> DocumentId {
        self.mint(self.parts.clock.now()).document()
    }

    /// Keeps documents that are about no person, with the tasks to tell records anew for which they matter: one commit.
    ///
    /// # Errors
    /// `engine.unknown_connection`, `engine.not_provisioning`, `engine.foreign_document` when a document belongs to another
    /// connection; [`JitError::Backend`] with `store.document_changed`, `store.document_taken`,
    /// `store.document_name_taken` or `store.no_such_member`, or when the backend failed.
    ///
    /// # Cancel safety
    /// The commit is made whole or not at all.
    pub async fn keep(&self, kept: Kept) -> Result<(), JitError> {
        let Kept { tenant, connection, action, documents, retell, retell_members, about } = kept;
        let connection = self.keeping_connection(&tenant, &connection)?;
        let told = retell.iter().map(|(_, key)| key).chain(&retell_members).chain(&about);
        check_own(connection, documents.iter().map(DocumentWrite::key).chain(told))?;
        let now = self.parts.clock.now();
        let mut mint = self.mint(now);
        let due = self.parts.clock.work().min(now);
        let lane = Lane::of_records(&tenant, &connection.settings.id);
        let mut frame =
            |account: AccountId, kind: TaskKind| single(&mut mint, (&tenant, &lane), account, kind, due);
        let mut tasks = tasks_to_retell(retell, about, &mut frame);
        let nobody = AccountId::from_uuid(uuid::Uuid::nil());
        let members =
            retell_members.map(|group| TaskKind::RetellMembers { group: group.into(), after: None });
        tasks.extend(members.map(|kind| frame(nobody, kind)));
        let event = AuditEvent {
            id: mint.event(),
            at: now,
            tenant: tenant.clone(),
            actor: actor(connection),
            action,
            account: None,
            outcome: AuditOutcome::Done,
            rule: None,
            changes: documents.iter().map(DocumentWrite::word).collect(),
        };
        let commit = Commit { documents, tasks, events: vec![event], ..Commit::new(tenant) };
        Ok(self.store_of(connection).commit(&commit).await?)
    }

    /// Does up to `limit` due tasks of a connection to tell records anew. Call it in a loop; any number of workers on any
    /// number of nodes share the work.
    ///
    /// # Errors
    /// `engine.unknown_connection`, `engine.not_provisioning`; [`JitError::Backend`] when the store cannot hand out or
    /// settle tasks. A record that cannot be told is counted and comes again.
    ///
    /// # Cancel safety
    /// Claims come back when their hold is over.
    pub async fn retell(
        &self,
        worker: &WorkerId,
        tenant: &TenantId,
        connection: &ConnectionId,
        limit: NonZeroUsize,
        teller: &dyn Teller,
    ) -> Result<WorkReport, JitError> {
        let connection = self.keeping_connection(tenant, connection)?;
        let store = self.store_of(connection);
        let lane = Lane::of_records(tenant, &connection.settings.id);
        let (mut report, mut left) = (WorkReport::default(), limit.get());
        while let Some(most) = NonZeroUsize::new(left.min(CLAIMS)) {
            let claims =
                store.claim(worker, &lane, &Tenants::All, self.parts.clock.work(), HOLD, most).await?;
            if claims.is_empty() {
                break;
            }
            left = left.saturating_sub(claims.len());
            for claimed in self.readable(claims, None, &mut report).await {
                self.retell_one(store, &claimed, teller, &mut report).await?;
            }
        }
        Ok(report)
    }

    async fn retell_one(
        &self,
        store: &dyn Store,
        claimed: &crate::Claimed,
        teller: &dyn Teller,
        report: &mut WorkReport,
    ) -> Result<(), BackendError> {
        let told = match &claimed.task.kind {
            TaskKind::Retell { document, about } => {
                let retold = Retold { document: document.clone(), about: about.as_deref().cloned() };
                teller.tell(self, &retold).await
            }
            // The commit takes this task away: there is nothing left to settle.
            TaskKind::RetellThese { .. } | TaskKind::RetellMembers { .. } => {
                match self.fan_out(store, claimed, teller).await {
                    Ok(()) => {
                        report.done += 1;
                        return Ok(());
                    }
                    Err(error) => Err(error.into()),
                }
            }
            // Nothing else waits in this lane.
            _ => Ok(()),
        };
        let settlement = match told {
            Ok(()) => {
                report.done += 1;
                Settlement::Done
            }
            Err(error) => {
                tracing::warn!(task = %claimed.task.id, kind = claimed.task.kind.word(), code = %error.code(), "task failed");
                report.failed += 1;
                Settlement::Again(after_pause(claimed, self.parts.clock.work()))
            }
        };
        match store.settle(claimed, settlement).await {
            // Somebody else has the task by now, and will settle it.
            Err(error) if *error.kind() == ErrorKind::Conflict => Ok(()),
            other => other,
        }
    }

    fn keeping_connection(&self, tenant: &TenantId, id: &ConnectionId) -> Result<&Connection, JitError> {
        let connection = self.connection(tenant, id).ok_or(JitError::refused("engine.unknown_connection"))?;
        let provisions = connection.provisioning.is_some();
        provisions.then_some(connection).ok_or(JitError::refused("engine.not_provisioning"))
    }
}

/// Refuses documents of another connection: a source speaks for its own only.
pub(super) fn check_own<'a>(
    connection: &Connection,
    documents: impl IntoIterator<Item = &'a DocumentKey>,
) -> Result<(), JitError> {
    let settings = &connection.settings;
    let is_own = |key: &DocumentKey| {
        key.collection.tenant == settings.tenant && key.collection.connection == settings.id
    };
    if documents.into_iter().all(is_own) { Ok(()) } else { Err(JitError::refused("engine.foreign_document")) }
}
