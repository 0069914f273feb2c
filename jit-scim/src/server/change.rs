//! Creating, changing and removing one resource. Whatever it is, it is one commit.

use jit_core::{Document, DocumentWrite, Expected, Presence};

use super::body::Besides;
use super::bulk::what_is_new;
use super::conditions::Conditions;
use super::edit::{Edit, Fresh, members_said};
use super::members::Membership;
use super::record::{Told, Written, presence};
use super::run::Done;
use super::served::{Role, Served};
use super::service::Turn;
use super::write::subject_or;
use super::{body, fault};
use crate::error::ScimError;
use crate::json::Json;
use crate::protocol::QueryText;
use crate::reason::Reason;
use crate::resource::Resource;

/// How often a change is made anew on what was written meanwhile.
pub(super) const ATTEMPTS: usize = 128;

impl Turn<'_> {
    /// Creates a resource (RFC 7644 §3.3).
    pub(super) async fn create(
        &self,
        served: &Served,
        json: &Json,
        text: &QueryText,
    ) -> Result<Done, ScimError> {
        let projection = text.projection(&served.kind)?;
        let mut resource = Resource::whole(&served.kind, json, self.realm.connection.tolerance)?;
        if let Some(done) = self.change_known(served, &resource, (json, text)).await? {
            return Ok(done);
        }
        // of somebody who is known a feed may say a part: only who is new has to be told of whole
        resource.check_complete()?;
        let id = self.service.jit.new_document_id();
        resource.set_id(&id.to_string());
        let members = if served.role == Role::Group { members_said(&mut resource)? } else { Vec::new() };
        let password = self.take_password(served, &mut resource);
        let besides = Besides::default();
        let presence = presence(&resource, &besides);
        let fresh = Fresh { resource, besides, members, password, presence, in_any_case: true };
        let document = match self.write(served, (id, None), &fresh).await {
            Ok(Written::Done(document)) => document,
            Ok(Written::Stale) => return Err(Reason::Contended.into()),
            // another request of the feed may have told of the same person meanwhile
            Err(error) if error.reason() == Reason::Taken => {
                let known = self.change_known(served, &fresh.resource, (json, text)).await?;
                return known.ok_or(error);
            }
            Err(error) => return Err(error),
        };
        let projection =
            if served.shows_on_request { projection.and_written(&served.kind, json) } else { projection };
        self.done(served, &document, 201, Some(&projection)).await
    }

    /// Changes the person whom a feed tells of anew; `None` where they are not known, or it is no feed.
    async fn change_known(
        &self,
        served: &Served,
        resource: &Resource,
        (json, text): (&Json, &QueryText),
    ) -> Result<Option<Done>, ScimError> {
        let Some(known) = self.known_to_feed(served, resource).await? else { return Ok(None) };
        let new = what_is_new(json);
        let edit = self.part(served, &new)?;
        Box::pin(self.change(served, &known, &edit, &Conditions::default(), text)).await.map(Some)
    }

    /// Changes a resource (RFC 7644 §3.5). Without `If-Match` it is made on whatever is there, anew where that changes
    /// meanwhile.
    pub(super) async fn change(
        &self,
        served: &Served,
        id: &str,
        edit: &Edit<'_>,
        conditions: &Conditions,
        text: &QueryText,
    ) -> Result<Done, ScimError> {
        let mut projection = text.projection(&served.kind)?;
        if served.shows_on_request {
            projection = edit.shown(served, projection);
        }
        for _ in 0..ATTEMPTS {
            let before = self.document(served, id).await?;
            conditions.check(&before)?;
            let old = body::resource(&served.kind, &before.body)?;
            let fresh = edit.apply(self, served, &old, body::besides(&before.body)?)?;
            let is_same = fresh.changes_nothing(&old);
            let document = if is_same && !self.leaves_again(served, &before, fresh.presence).await? {
                before
            } else {
                match self.write(served, (before.key.id, Some((&before, &old))), &fresh).await? {
                    Written::Done(document) => document,
                    Written::Stale => continue,
                }
            };
            // a large group is not sent back for one of its members
            let silent = served.role == Role::Group && matches!(edit, Edit::Patch(_)) && !text.chooses();
            let (status, projection) = if silent { (204, None) } else { (200, Some(&projection)) };
            return self.done(served, &document, status, projection).await;
        }
        Err(Reason::Contended.into())
    }

    /// Removes a resource (RFC 7644 §3.6). A person leaves a tombstone, and everybody leaves their groups.
    pub(super) async fn remove(
        &self,
        served: &Served,
        id: &str,
        conditions: &Conditions,
    ) -> Result<Done, ScimError> {
        for _ in 0..ATTEMPTS {
            let before = self.document(served, id).await?;
            conditions.check(&before)?;
            let write = DocumentWrite::remove(&before, self.now);
            let written = match served.role {
                Role::Person => self.remove_person(served, &before, write).await?,
                Role::Group => self.remove_group(served, &before).await?,
                Role::Plain => self.keep("document.removed", write, Membership::default()).await?,
            };
            if let Written::Done(()) = written {
                let location = self.location(served, id);
                return Ok(Done {
                    status: 204,
                    id: id.to_owned(),
                    location,
                    version: None,
                    body: Vec::new(),
                });
            }
        }
        Err(Reason::Contended.into())
    }

    /// Removes a group. The members of a large one stay behind, and are let go of while they are told.
    async fn remove_group(&self, served: &Served, before: &Document) -> Result<Written<()>, ScimError> {
        let membership = self.everybody(served, before).await?;
        let write = match membership.all_of {
            Some(_) => DocumentWrite::remove_apart(before, self.now),
            None => DocumentWrite::remove(before, self.now),
        };
        self.keep("document.removed", write, membership).await
    }

    async fn remove_person(
        &self,
        served: &Served,
        before: &Document,
        write: DocumentWrite,
    ) -> Result<Written<()>, ScimError> {
        let own = before.key.id.to_string();
        let told = Told {
            served,
            subject: subject_or(before, &own),
            resource: &body::resource(&served.kind, &before.body)?,
            besides: &Besides::default(),
            presence: Presence::Gone,
            expected: Expected::Known,
            documents: vec![write.clone()],
        };
        match self.tell(told).await {
            Ok(Written::Done(_)) => Ok(Written::Done(())),
            Ok(Written::Stale) => Ok(Written::Stale),
            // an administrator has let go of the account: what was said of it goes all the same
            Err(error) if error.reason() == Reason::NotFound => {
                self.keep("document.removed", write, Membership::default()).await
            }
            Err(error) => Err(error),
        }
    }

    pub(super) async fn document(&self, served: &Served, id: &str) -> Result<Document, ScimError> {
        let id = Served::id(id).ok_or(Reason::NotFound)?;
        let found = self.service.store.document(&served.of.key(id)).await;
        found.map_err(|error| fault::of_store(&error))?.ok_or_else(|| Reason::NotFound.into())
    }
}
