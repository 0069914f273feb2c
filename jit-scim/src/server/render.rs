//! From documents to answers.

use jit_core::{Document, DocumentText, Member};

use super::run::Done;
use super::served::{Role, Served, with_members};
use super::service::Turn;
use crate::error::ScimError;
use crate::reason::Reason;
use crate::resource::{Projection, Resource, Version};

impl Turn<'_> {
    /// Writes a resource as it was asked for. `left` is how many members may still be shown.
    pub(super) async fn render(
        &self,
        served: &Served,
        document: &DocumentText,
        projection: &Projection,
        left: &mut usize,
    ) -> Result<Vec<u8>, ScimError> {
        let mut out = Vec::new();
        self.render_into(&mut out, served, (document, projection), left).await?;
        Ok(out)
    }

    /// Writes a resource behind what was written before.
    pub(super) async fn render_into(
        &self,
        out: &mut Vec<u8>,
        served: &Served,
        (document, projection): (&DocumentText, &Projection),
        left: &mut usize,
    ) -> Result<(), ScimError> {
        let is_group = served.role == Role::Group;
        let shows_members = is_group && projection.shows_named(&served.kind, "members");
        let is_plain =
            projection.is_default() || (is_group && projection.is_default_without(&served.kind, "members"));
        let members = if shows_members {
            let members = self.members_of(&served.of.key(document.id), *left).await?;
            *left = left.saturating_sub(members.len());
            members
        } else {
            Vec::new()
        };
        if is_plain {
            let members: Vec<_> = members.iter().map(|member| self.member_json(member).to_bytes()).collect();
            let mut text = Vec::new();
            if !members.is_empty() {
                text.extend_from_slice(br#","members":["#);
                text.extend_from_slice(&members.join(&b','));
                text.push(b']');
            }
            return served.answer(out, document, &text);
        }
        let resource = served.resource(document)?;
        let resource = if shows_members { self.with_members(resource, &members)? } else { resource };
        out.extend_from_slice(&resource.to_json(projection, &self.realm.connection.base));
        Ok(())
    }

    /// Answers a write; without a projection there is no body.
    pub(super) async fn done(
        &self,
        served: &Served,
        document: &Document,
        status: u16,
        projection: Option<&Projection>,
    ) -> Result<Done, ScimError> {
        let id = document.key.id.to_string();
        let body = match projection {
            Some(projection) => self.render_written(served, &document.text(), projection).await?,
            None => Vec::new(),
        };
        let location = self.location(served, &id);
        Ok(Done { status, id, location, version: Some(Version::numbered(document.version)), body })
    }

    /// What was done is answered all the same where there are more members than can be shown: without them.
    async fn render_written(
        &self,
        served: &Served,
        document: &DocumentText,
        projection: &Projection,
    ) -> Result<Vec<u8>, ScimError> {
        let mut left = self.realm.connection.reach.members;
        match self.render(served, document, projection, &mut left).await {
            Err(error) if error.reason() == Reason::TooManyFound => {
                let bare = Projection::of_query(&served.kind, None, Some("members"))?;
                self.render(served, document, &bare, &mut left).await
            }
            rendered => rendered,
        }
    }

    pub(super) fn location(&self, served: &Served, id: &str) -> String {
        [&self.realm.connection.base, served.kind.endpoint(), "/", id].concat()
    }

    /// Puts members into a group.
    pub(super) fn with_members(&self, resource: Resource, members: &[Member]) -> Result<Resource, ScimError> {
        with_members(resource, members.iter().map(|member| self.member_json(member)).collect())
    }
}
