//! What a request makes of a resource, before any of it is written.

use std::sync::Arc;

use jit_core::Presence;

use super::body::Besides;
use super::record::presence;
use super::served::{Role, Served};
use super::service::Turn;
use crate::error::ScimError;
use crate::json::Json;
use crate::patch::{ElementChange, Patch, element};
use crate::resource::{Projection, Resource};
use crate::schema::{AttributePath, Attributes};

/// What a client wants a resource to become.
pub(super) enum Edit<'a> {
    Put(&'a Json),
    Patch(Patch),
}

/// A resource on its way into a document, and what must not be kept in it.
pub(super) struct Fresh {
    pub(super) resource: Resource,
    pub(super) besides: Besides,
    pub(super) members: Vec<ElementChange>,
    pub(super) password: Option<String>,
    /// What is said of whether the person is there.
    pub(super) presence: Presence,
    /// Whether it counts as a change even where it is none: of what nobody may read, the version must not tell either.
    pub(super) in_any_case: bool,
}

impl Edit<'_> {
    pub(super) fn apply(
        &self,
        turn: &Turn<'_>,
        served: &Served,
        old: &Resource,
        besides: Besides,
    ) -> Result<Fresh, ScimError> {
        let is_group = served.role == Role::Group;
        let (mut resource, members) = match self {
            Self::Patch(patch) if is_group => patch.apply_apart(old, "members")?,
            Self::Patch(patch) => (patch.apply(old)?, Vec::new()),
            Self::Put(json) => {
                let mut resource = old.replaced_by(json, turn.realm.connection.tolerance)?;
                let mut members = Vec::new();
                if is_group {
                    members.push(ElementChange::Clear);
                    members.extend(members_said(&mut resource)?);
                }
                (resource, members)
            }
        };
        let was_stopped = served.role == Role::Person && presence(old, &besides) == Presence::INACTIVE;
        let is_silent = was_stopped && !self.says_use(&resource);
        let besides = self.stop(was_stopped, old, &mut resource, besides);
        // What was said of it once is not said again by a new title: it may have been dismissed meanwhile.
        let presence = if is_silent { Presence::Unsaid } else { presence(&resource, &besides) };
        let password = turn.take_password(served, &mut resource);
        Ok(Fresh { resource, besides, members, password, presence, in_any_case: self.writes_hidden(served) })
    }

    /// Tells whether it is said that somebody is in use, or that they are not, be it once more.
    fn says_use(&self, resource: &Resource) -> bool {
        let is_named = match self {
            Self::Patch(patch) => patch.says("active"),
            Self::Put(_) => true,
        };
        is_named && resource.value("active").is_some()
    }

    /// Keeps somebody stopped until `active: true` is said: whoever says nothing of it, or null, leaves `false`, and whoever
    /// takes it away by its path is shown none, while the stop is remembered.
    fn stop(&self, was_stopped: bool, old: &Resource, resource: &mut Resource, besides: Besides) -> Besides {
        let is_taken_away = matches!(self, Self::Patch(patch) if patch.removes("active"));
        if was_stopped && !is_taken_away {
            resource.keep(old, "active");
        }
        Besides { is_stopped: was_stopped && resource.value("active").is_none(), ..besides }
    }

    /// Tells whether something is written that nobody may read. A password is kept elsewhere.
    fn writes_hidden(&self, served: &Served) -> bool {
        let apart = served.kind.resolve("password").filter(|_| served.role == Role::Person);
        match self {
            Self::Patch(patch) => patch.writes_hidden(apart.as_ref()),
            Self::Put(json) => {
                let apart = apart.as_ref().map(AttributePath::as_str);
                let Json::Object(members) = json else { return false };
                let others = members
                    .iter()
                    .filter(|(name, _)| !apart.is_some_and(|own| own.eq_ignore_ascii_case(name)));
                names_hidden(served.kind.attributes(), others)
            }
        }
    }

    /// Lets an answer show what was written.
    pub(super) fn shown(&self, served: &Served, projection: Projection) -> Projection {
        match self {
            Self::Put(json) => projection.and_written(&served.kind, json),
            Self::Patch(patch) => projection.and_patched(patch),
        }
    }
}

impl Fresh {
    pub(super) fn changes_nothing(&self, old: &Resource) -> bool {
        !self.in_any_case && self.members.is_empty() && self.password.is_none() && self.resource == *old
    }
}

fn names_hidden<'a>(attributes: &Attributes, members: impl IntoIterator<Item = &'a (String, Json)>) -> bool {
    members.into_iter().any(|(name, value)| {
        let Some((_, attribute)) = attributes.find(name) else { return false };
        let values = if let Json::List(values) = value { values } else { std::slice::from_ref(value) };
        let within = |value: &Json| matches!(value, Json::Object(members) if names_hidden(attribute.sub_attributes(), members));
        attribute.is_hidden() || values.iter().any(within)
    })
}

/// Takes the members out of a group: they lie apart.
pub(super) fn members_said(resource: &mut Resource) -> Result<Vec<ElementChange>, ScimError> {
    let kind = Arc::clone(resource.kind());
    let Some(path) = kind.resolve("members") else { return Ok(Vec::new()) };
    let (Some(attribute), Some(said)) = (kind.attribute(&path), resource.take(&path)) else {
        return Ok(Vec::new());
    };
    said.each().iter().map(|value| Ok(ElementChange::Add(element(attribute, value)?))).collect()
}
