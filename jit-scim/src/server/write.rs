//! Writing what a resource has become: one commit, whatever it is.

use std::sync::Arc;

use jit_core::{
    Code, Document, DocumentId, DocumentKey, DocumentName, DocumentWrite, Expected, Kept, Presence,
};

use super::edit::Fresh;
use super::members::Membership;
use super::record::{Told, Written};
use super::served::{Role, SUBJECT, Served, indexed};
use super::service::Turn;
use super::settings::PasswordVersion;
use super::{body, fault};
use crate::error::ScimError;
use crate::reason::Reason;
use crate::resource::{Resource, Value};

impl Turn<'_> {
    /// Writes the resource in the place of what is there.
    pub(super) async fn write(
        &self,
        served: &Served,
        (id, before): (DocumentId, Option<(&Document, &Resource)>),
        fresh: &Fresh,
    ) -> Result<Written<Document>, ScimError> {
        let before_document = before.map(|(document, _)| document);
        let own = id.to_string();
        let subject = match served.role {
            Role::Person => Some(subject(before_document, &fresh.resource, &own)?),
            Role::Group | Role::Plain => None,
        };
        let names = match before {
            Some(before) => served.names_after(&fresh.resource, subject, before),
            None => served.names(&fresh.resource, subject, None),
        };
        let body = body::pack(&fresh.resource, &fresh.besides);
        let most = self.realm.connection.limits.resource_bytes;
        body::check_length(served, (&body, &fresh.resource), before.map(|(_, old)| old), most)?;
        let after = self.document_after(before_document, served.of.key(id), body, names);
        let write = match before_document {
            Some(before) => DocumentWrite::update(before, after.clone()),
            None => DocumentWrite::create(after.clone()),
        };
        let written = match served.role {
            Role::Person => {
                let told = Told {
                    served,
                    subject: subject.unwrap_or(&own),
                    resource: &fresh.resource,
                    besides: &fresh.besides,
                    presence: fresh.presence,
                    expected: Expected::Anything,
                    documents: vec![write],
                };
                self.write_person(told, &after, fresh.password.as_deref()).await?
            }
            Role::Group => match self.write_group(served, (before, write), fresh).await? {
                Some(written) => written,
                None => return Ok(Written::Done(before_document.cloned().unwrap_or(after))),
            },
            Role::Plain => self.keep(action(before_document), write, Membership::default()).await?,
        };
        Ok(match written {
            Written::Done(()) => Written::Done(after),
            Written::Stale => Written::Stale,
        })
    }

    /// Says that a name is taken where that is so: whoever is refused for another reason as well looks for this one.
    async fn taken(&self, served: &Served, wanted: &Document) -> Result<Option<ScimError>, ScimError> {
        for name in wanted.names.iter().filter(|name| name.unique) {
            let found = self.service.store.documents_named(&served.of, &name.index, &name.value).await;
            let found = found.map_err(|error| fault::of_store(&error))?;
            if found.iter().any(|other| other.id != wanted.key.id) {
                return Ok(Some(fault::name_taken(name.index.as_str())));
            }
        }
        Ok(None)
    }

    fn document_after(
        &self,
        before: Option<&Document>,
        key: DocumentKey,
        body: Arc<str>,
        names: Arc<[DocumentName]>,
    ) -> Document {
        Document {
            key,
            version: before.map_or(1, |document| document.version.saturating_add(1)),
            created_at: before.map_or(self.now, |document| document.created_at),
            changed_at: self.now,
            account: before.and_then(|document| document.account),
            body,
            names,
        }
    }

    async fn write_person(
        &self,
        told: Told<'_>,
        after: &Document,
        password: Option<&str>,
    ) -> Result<Written<()>, ScimError> {
        let served = told.served;
        // Of somebody unknown, silence says nothing: what was said last is said again, and nobody gets in.
        let anew = (told.presence == Presence::Unsaid)
            .then(|| Told { presence: Presence::INACTIVE, ..told.clone() });
        let written = match (self.tell(told).await, anew) {
            (Err(error), Some(anew)) if error.reason() == Reason::NotFound => self.tell(anew).await,
            (written, _) => written,
        };
        let account = match written {
            Ok(Written::Done(account)) => account,
            Ok(Written::Stale) => return Ok(Written::Stale),
            Err(error) if after.version > 1 && fault::is_of_tombstone(&error) => {
                // whoever removed the person meanwhile ended the account as well
                if self.is_overtaken(served, after).await? {
                    return Ok(Written::Stale);
                }
                return Err(error.with_reason(Reason::RecordRefused));
            }
            Err(error) => return Err(self.taken(served, after).await?.unwrap_or(error)),
        };
        if let (Some(password), Some(passwords)) = (password, &self.realm.connection.passwords) {
            let version = PasswordVersion { document: after.key.id, number: after.version };
            let set = passwords.set(account.id, version, password).await;
            set.map_err(|error| fault::of_store(&error))?;
        }
        Ok(Written::Done(()))
    }

    /// Tells whether what this would have followed is no longer there.
    async fn is_overtaken(&self, served: &Served, after: &Document) -> Result<bool, ScimError> {
        let now = self.service.store.document_text(&served.of, after.key.id).await;
        let now = now.map_err(|error| fault::of_store(&error))?;
        Ok(now.is_none_or(|now| now.version.saturating_add(1) != after.version))
    }

    /// Writes a group; `None` where that changes nothing, neither about it nor about who is in it.
    async fn write_group(
        &self,
        served: &Served,
        (before, write): (Option<(&Document, &Resource)>, DocumentWrite),
        fresh: &Fresh,
    ) -> Result<Option<Written<()>>, ScimError> {
        let is_same = !fresh.in_any_case && before.is_some_and(|(_, old)| *old == fresh.resource);
        let is_renamed = before.is_some_and(|(_, old)| {
            let (old, new) = (old, &fresh.resource);
            old.text("displayName") != new.text("displayName") || old.external_id() != new.external_id()
        });
        let before = before.map(|(document, _)| document);
        let membership = self.membership(served, before, &fresh.members, is_renamed).await;
        let why = |error| if let Some(rolls) = self.rolls { rolls.why(error) } else { error };
        let mut membership = membership.map_err(why)?;
        let changes = std::mem::take(&mut membership.changes);
        if is_same && changes.is_empty() {
            return Ok(None);
        }
        let roll = self.rolls.zip(before).filter(|(rolls, before)| rolls.knows(before));
        let roll = roll.map(|(rolls, before)| (rolls, before, changes.clone()));
        let written = self.keep(action(before), write.with_members(changes), membership).await?;
        if let Some((rolls, before, changes)) = roll {
            match &written {
                Written::Done(()) => rolls.follow(before, &changes),
                Written::Stale => rolls.overtaken(),
            }
        }
        Ok(Some(written))
    }

    /// Keeps a document of no person, and lets those follow whose groups changed: the first of them at once.
    pub(super) async fn keep(
        &self,
        action: &'static str,
        document: DocumentWrite,
        told: Membership,
    ) -> Result<Written<()>, ScimError> {
        let attestor = &self.realm.connection.attestor;
        let most = self.realm.connection.reach.retold_at_once;
        let (members_of, first) = told.all_of.unzip();
        let first = first.unwrap_or_default();
        let at_once: Vec<_> =
            told.retell.iter().map(|(_, key)| key).chain(&first).take(most).cloned().collect();
        let group = document.key().clone();
        let kept = Kept {
            tenant: attestor.tenant().clone(),
            connection: attestor.connection().clone(),
            action: Code::new(action),
            documents: vec![document],
            retell: told.retell,
            retell_members: members_of,
            about: Some(group.clone()),
        };
        match self.service.jit.keep(kept).await {
            Ok(()) => {}
            Err(error) if fault::is_stale(&error) => return Ok(Written::Stale),
            Err(error) => return Err(fault::of_engine(&error)),
        }
        for key in &at_once {
            // it is kept already, and a task tells it again
            if let Err(error) = self.retell(key, Some(&group)).await {
                tracing::warn!(document = %key.id, code = %error.code(), "access does not follow its groups yet");
            }
        }
        Ok(Written::Done(()))
    }

    /// Takes the password out of a person: it is in no document. Where nobody takes it, it was not said.
    pub(super) fn take_password(&self, served: &Served, resource: &mut Resource) -> Option<String> {
        if served.role != Role::Person || resource.value("password").is_none() {
            return None;
        }
        let path = served.kind.resolve("password")?;
        let password = resource.take(&path).as_ref().and_then(Value::as_text).map(str::to_owned);
        password.filter(|_| self.realm.connection.passwords.is_some())
    }
}

fn action(before: Option<&Document>) -> &'static str {
    if before.is_some() { "document.changed" } else { "document.created" }
}

/// Finds what the source calls the person for good: what it called them first, or else our own name.
fn subject<'a>(
    before: Option<&'a Document>,
    resource: &'a Resource,
    own: &'a str,
) -> Result<&'a str, ScimError> {
    let subject = match before {
        Some(document) => subject_or(document, own),
        None => resource.external_id().filter(|external| !external.is_empty()).unwrap_or(own),
    };
    if indexed(subject) == subject {
        Ok(subject)
    } else {
        Err(ScimError::at_attribute(Reason::ExternalIdInvalid, "externalId"))
    }
}

/// Returns what the source calls the person for good.
pub(super) fn subject_or<'a>(document: &'a Document, id: &'a str) -> &'a str {
    let name = document.names.iter().find(|name| name.index.as_str() == SUBJECT);
    name.map_or(id, |name| &name.value)
}
