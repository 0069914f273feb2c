//! Telling the record of a person anew when their groups changed.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jit_core::{
    AccountId, Code, Document, DocumentKey, DocumentWrite, Expected, Jit, JitError, Kept, Member, Presence,
    Teller,
};

use super::body::Besides;
use super::change::ATTEMPTS;
use super::record::{Told, Written};
use super::served::{Role, Served};
use super::service::{ScimService, Turn};
use super::write::subject_or;
use super::{body, fault};
use crate::error::ScimError;
use crate::json::Json;
use crate::reason::Reason;
use crate::resource::{Labelled, Resource};

/// The groups of a person: as they are shown, and what the client calls them.
struct Groups {
    shown: Json,
    keys: Vec<String>,
}

#[async_trait]
impl Teller for ScimService {
    async fn tell(&self, _jit: &Jit, document: &DocumentKey) -> Result<(), JitError> {
        let of = &document.collection;
        let Some(turn) = self.turn(&of.tenant, &of.connection) else { return Ok(()) };
        let refused =
            |error: ScimError| JitError::Refused(error.cause().cloned().unwrap_or_else(|| error.code()));
        turn.retell(document).await.map_err(refused)
    }

    fn person(&self, group: &DocumentKey, member: &Member) -> Option<(AccountId, DocumentKey)> {
        let of = &group.collection;
        self.turn(&of.tenant, &of.connection)?.person(member)
    }
}

impl Turn<'_> {
    /// Tells a person's record with the groups that they are in now. Where their document says so already, so does their
    /// record: both are one commit.
    pub(super) async fn retell(&self, key: &DocumentKey) -> Result<(), ScimError> {
        let Some(served) = self.realm.served(key.collection.kind.as_str()) else { return Ok(()) };
        for _ in 0..ATTEMPTS {
            let found = self.service.store.document(key).await.map_err(|error| fault::of_store(&error))?;
            let Some(before) = found else { return Ok(()) };
            // what was read may have changed before it was told: it is over when there is nothing left to tell
            if self.retell_once(served, &before).await? {
                return Ok(());
            }
        }
        Err(Reason::Contended.into())
    }

    /// Tells whether the document says what is, and if not, tells what is.
    async fn retell_once(&self, served: &Served, before: &Document) -> Result<bool, ScimError> {
        let old = body::resource(&served.kind, &before.body)?;
        let Groups { shown, keys } = self.groups_of(&before.key).await?;
        let known = body::besides(&before.body)?;
        let besides = Besides { group_keys: keys, ..known.clone() };
        let mut new = old.clone();
        new.set_read_only("groups", &shown)?;
        if new == old && besides == known {
            return Ok(true);
        }
        let after = Document { body: body::pack(&new, &besides), changed_at: self.now, ..before.clone() };
        let write = DocumentWrite::update(before, after);
        let own = before.key.id.to_string();
        let told = Told {
            served,
            subject: subject_or(before, &own),
            resource: &new,
            besides: &besides,
            // groups say nothing of whether their members are there: what was said of that once is not said again
            presence: Presence::Unsaid,
            expected: Expected::Known,
            documents: vec![write.clone()],
        };
        match self.tell(told).await {
            Ok(Written::Done(_) | Written::Stale) => Ok(false),
            // the answer is no, and stays no until something else is said: the groups are what they are all the same. What was
            // lost with a group is not given up: it is told again until mapping and policy let it go
            Err(error) if is_final(error.reason()) && !loses(&old, &new) => self.note_groups(write).await,
            Err(error) => Err(error),
        }
    }

    async fn note_groups(&self, write: DocumentWrite) -> Result<bool, ScimError> {
        let of = write.key().collection.clone();
        let kept = Kept {
            tenant: of.tenant,
            connection: of.connection,
            action: Code::new("document.changed"),
            documents: vec![write],
            retell: Vec::new(),
            retell_members: None,
        };
        match self.service.jit.keep(kept).await {
            Ok(()) => Ok(false),
            Err(error) if fault::is_stale(&error) => Ok(false),
            Err(error) => Err(fault::of_engine(&error)),
        }
    }

    /// Lists the groups that a person is a member of themselves: a group within a group gives them nothing.
    async fn groups_of(&self, key: &DocumentKey) -> Result<Groups, ScimError> {
        let memberships = self.service.store.memberships(key).await;
        let (mut shown, mut keys) = (Vec::new(), Vec::new());
        for group in memberships.map_err(|error| fault::of_store(&error))? {
            let served = self.realm.served(group.collection.kind.as_str());
            let Some(served) = served.filter(|served| served.role == Role::Group) else { continue };
            let found = self.service.store.document(&group).await.map_err(|error| fault::of_store(&error))?;
            let Some(document) = found else { continue };
            let resource = body::resource(&served.kind, &document.body)?;
            let mut members = vec![("value", Json::text(group.id.to_string()))];
            members.extend(resource.text("displayName").map(|name| ("display", Json::text(name))));
            members.push(("type", Json::text("direct")));
            shown.push(Json::object(members));
            keys.extend(resource.external_id().map(str::to_owned));
        }
        Ok(Groups { shown: Json::List(shown), keys })
    }
}

/// Tells whether a person is in fewer groups than their account was told of.
fn loses(old: &Resource, new: &Resource) -> bool {
    let groups = |resource: &Resource| -> BTreeSet<String> {
        resource.labelled("groups").filter_map(Labelled::value).map(str::to_owned).collect()
    };
    !groups(old).is_subset(&groups(new))
}

fn is_final(reason: Reason) -> bool {
    matches!(reason, Reason::RecordRefused | Reason::RecordInvalid | Reason::NotFound | Reason::Taken)
}
