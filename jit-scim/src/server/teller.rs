//! Telling the record of a person anew when their groups changed.

use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;
use jit_core::{
    AccountId, Code, Document, DocumentId, DocumentKey, DocumentWrite, Expected, Jit, JitError, Kept, Member,
    Memberships, Presence, Retold, Teller,
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

/// The groups of a person: as they are shown, and what the client calls each.
struct Groups {
    shown: Json,
    keys: Vec<Option<String>>,
    /// Whether the person is in others as well.
    is_cut: bool,
}

/// What the record of a person is told of a group besides its identifier.
#[derive(Clone, Default)]
struct Name {
    display: Option<String>,
    key: Option<String>,
}

/// What a person's document says of their groups.
type Known = HashMap<DocumentId, Name>;

#[async_trait]
impl Teller for ScimService {
    async fn tell(&self, _jit: &Jit, Retold { document, about }: &Retold) -> Result<(), JitError> {
        let of = &document.collection;
        let Some(turn) = self.turn(&of.tenant, &of.connection) else { return Ok(()) };
        let refused =
            |error: ScimError| JitError::Refused(error.cause().cloned().unwrap_or_else(|| error.code()));
        turn.retell(document, about.as_ref()).await.map_err(refused)
    }

    fn person(&self, group: &DocumentKey, member: &Member) -> Option<(AccountId, DocumentKey)> {
        let of = &group.collection;
        self.turn(&of.tenant, &of.connection)?.person(member)
    }
}

impl Turn<'_> {
    /// Tells a person's record with the groups that they are in now. Where their document says so already, so does their
    /// record: both are one commit. Of all groups, no other is read anew than the one that it is `about`, and those that the
    /// document does not know yet: whoever renames a group has everybody told about that one.
    pub(super) async fn retell(
        &self,
        key: &DocumentKey,
        about: Option<&DocumentKey>,
    ) -> Result<(), ScimError> {
        let Some(served) = self.realm.served(key.collection.kind.as_str()) else { return Ok(()) };
        for _ in 0..ATTEMPTS {
            let found = self.service.store.document(key).await.map_err(|error| fault::of_store(&error))?;
            let Some(before) = found else { return Ok(()) };
            // what was read may have changed before it was told: it is over when there is nothing left to tell
            if self.retell_once(served, &before, about).await? {
                return Ok(());
            }
        }
        Err(Reason::Contended.into())
    }

    /// Tells whether the document says what is, and if not, tells what is.
    async fn retell_once(
        &self,
        served: &Served,
        before: &Document,
        about: Option<&DocumentKey>,
    ) -> Result<bool, ScimError> {
        let old = body::resource(&served.kind, &before.body)?;
        let known = body::besides(&before.body)?;
        let names = about.and_then(|about| names_known(&old, &known, about)).unwrap_or_default();
        let Groups { shown, keys, is_cut } = self.groups_of(&before.key, &names).await?;
        let besides = known.clone().with_groups(keys, is_cut);
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
            Err(error) if is_final(error.reason()) && (is_cut || !loses(&old, &new)) => {
                self.note_groups(write).await
            }
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
            about: None,
        };
        match self.service.jit.keep(kept).await {
            Ok(()) => Ok(false),
            Err(error) if fault::is_stale(&error) => Ok(false),
            Err(error) => Err(fault::of_engine(&error)),
        }
    }

    /// Lists the groups that a person is a member of themselves: a group within a group gives them nothing. Those whose names
    /// are known are not read.
    async fn groups_of(&self, key: &DocumentKey, known: &Known) -> Result<Groups, ScimError> {
        let memberships = self.service.store.memberships(key).await;
        let Memberships { groups, is_cut } = memberships.map_err(|error| fault::of_store(&error))?;
        let (mut shown, mut keys) = (Vec::new(), Vec::new());
        for group in groups {
            let served = self.realm.served(group.collection.kind.as_str());
            let Some(served) = served.filter(|served| served.role == Role::Group) else { continue };
            let name = match known.get(&group.id) {
                Some(name) => name.clone(),
                None => match self.name_of(served, group.id).await? {
                    Some(name) => name,
                    None => continue,
                },
            };
            let mut members = vec![("value", Json::text(group.id.to_string()))];
            members.extend(name.display.map(|name| ("display", Json::text(name))));
            members.push(("type", Json::text("direct")));
            shown.push(Json::object(members));
            keys.push(name.key);
        }
        Ok(Groups { shown: Json::List(shown), keys, is_cut })
    }

    async fn name_of(&self, served: &Served, group: DocumentId) -> Result<Option<Name>, ScimError> {
        let found = self.service.store.document_text(&served.of, group).await;
        let Some(document) = found.map_err(|error| fault::of_store(&error))? else { return Ok(None) };
        let resource = body::resource(&served.kind, &document.body)?;
        let [display, key] = [resource.text("displayName"), resource.external_id()];
        Ok(Some(Name { display: display.map(str::to_owned), key: key.map(str::to_owned) }))
    }
}

/// Lists the names of a person's groups as their document says them, but for the one that changed; `None` where it does not say
/// which is whose.
fn names_known(old: &Resource, besides: &Besides, but: &DocumentKey) -> Option<Known> {
    let groups: Vec<_> = old.labelled("groups").collect();
    let keys = besides.keys_of_groups(groups.len())?;
    let named = groups.iter().zip(keys).filter_map(|(group, key)| {
        let id = group.value().and_then(Served::id).filter(|id| *id != but.id)?;
        Some((id, Name { display: group.display().map(str::to_owned), key: key.map(str::to_owned) }))
    });
    Some(named.collect())
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
