//! Making a group with its first member, so that there is one of its name however many nodes make it at the same moment.

use chrono::TimeDelta;
use http::Method;
use sha2::{Digest as _, Sha256};

use super::failure::Failure;
use super::find::Finder;
use super::groups::Groups;
use super::person::{id_of, version_of};
use super::profile::TargetProfile;
use super::reason::TargetReason;
use super::wire::{Answer, Ask, Call, resource};
use crate::json::Json;

const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// How long whoever made the other group has to take it away again.
const GIVES_WAY_WITHIN: TimeDelta = TimeDelta::seconds(1);

impl Groups {
    /// Makes a group without members; where somebody else did so at the same moment, one of the two remains.
    pub(super) async fn make(
        &self,
        finder: Finder<'_>,
        call: &mut Call,
        name: &str,
    ) -> Result<Option<String>, Failure> {
        let _one_at_a_time = self.making.lock().await;
        if let Some(id) = self.look(finder, call, name).await? {
            return Ok(Some(id));
        }
        let ask = Ask::new(Method::POST, "Groups".to_owned()).body(new_group(name, finder.profile));
        let answer = finder.wire.send(call, &ask).await?;
        if !answer.is_done() && !answer.is_taken() {
            return Err(answer.refusal());
        }
        let made = answer.json.as_ref().filter(|_| answer.is_done());
        match made.and_then(id_of) {
            // any other answer shows a group that was there before, and is not ours to remove
            Some(own) if answer.status == 201 => {
                let version = made.and_then(|made| version_of(made, finder.profile));
                Maker { groups: self, finder, name }.settle(call, own, version).await.map(Some)
            }
            Some(found) => Ok(Some(found)),
            None => self.look(finder, call, name).await,
        }
    }
}

impl Groups {
    /// Of several groups of one name, removes those that makers left behind: they bear our mark, nobody is in them, and each goes
    /// as it was seen. One that may hide who is in it stays. The one with the lowest id stays where all are such. Whoever was about to join one that goes finds the other.
    pub(super) async fn tidy(
        &self,
        finder: Finder<'_>,
        call: &mut Call,
        name: &str,
    ) -> Result<Option<String>, Failure> {
        let (named, mark) = (self.named(finder, call, name).await?, mark_of(name));
        let is_ours = |group: &&Json| group.member("externalId").and_then(Json::as_text) == Some(&mark);
        let mut left: Vec<_> = named.iter().filter(is_ours).filter_map(id_of).collect();
        left.sort();
        let (maker, mut count) = (Maker { groups: self, finder, name }, named.len());
        while count > 1
            && let Some(id) = left.pop()
        {
            count -= usize::from(maker.remove_empty(call, &id, Whose::Left(&mark)).await?);
        }
        self.look(finder, call, name).await
    }
}

/// Whose group is removed.
#[derive(Clone, Copy)]
enum Whose<'a> {
    /// That of this call, which it has just made in this version.
    Own(Option<&'a str>),
    /// One that bears this mark. Others may be about to use it: it goes as it was seen, or stays.
    Left(&'a str),
}

/// Looks after a group that was just made.
struct Maker<'a> {
    groups: &'a Groups,
    finder: Finder<'a>,
    name: &'a str,
}

impl Maker<'_> {
    /// Looks again: since the first look others may have made a group of this name as well. Of the groups the one with the lowest
    /// id remains. But its maker may have been the last one, whom the others did not see: then they are in use already, and it is
    /// its maker who gives way.
    async fn settle(&self, call: &mut Call, own: String, version: Option<&str>) -> Result<String, Failure> {
        let others = self.others(call, &own).await?;
        if others.is_empty() {
            return Ok(own);
        }
        if others.iter().all(|other| own < *other) {
            self.finder.wire.pause(call, GIVES_WAY_WITHIN, TargetReason::GroupMadeTwice).await?;
            if self.others(call, &own).await?.is_empty() {
                return Ok(own);
            }
        }
        if !self.remove_empty(call, &own, Whose::Own(version)).await? {
            // somebody is in it, or may be: those who made the others see that it stays
            return Ok(own);
        }
        // where each gave way to the other there is none, and the next attempt makes one
        self.others(call, &own).await?.into_iter().min().ok_or(TargetReason::GroupMadeTwice.into())
    }

    /// The ids of the other groups of this name.
    async fn others(&self, call: &mut Call, own: &str) -> Result<Vec<String>, Failure> {
        let named = self.groups.named(self.finder, call, self.name).await?;
        Ok(named.iter().filter_map(id_of).filter(|id| id != own).collect())
    }

    /// Removes a group that we made, as it was seen without members. `false`: somebody is in it, or it does not tell.
    async fn remove_empty(&self, call: &mut Call, id: &str, whose: Whose<'_>) -> Result<bool, Failure> {
        if !self.finder.profile.shows_members {
            return Err(TargetReason::GroupNotUnique.into());
        }
        let path = resource("Groups", id)?;
        let answer = self.finder.wire.send(call, &Ask::new(Method::GET, path.clone()).for_many()).await?;
        let group = match (answer.status, answer.json) {
            (404 | 410, _) => return Ok(true),
            (200, Some(group)) => group,
            (200..=299, _) => return Err(TargetReason::AnswerMalformed.into()),
            (status, json) => return Err(Answer { status, json }.refused()),
        };
        let version = version_of(&group, self.finder.profile);
        if !self.is_to_go(&group, version, whose) {
            return Ok(false);
        }
        let ask = Ask::new(Method::DELETE, path).only_if(version);
        let answer = self.finder.wire.send(call, &ask).await?;
        match answer.status {
            200..=299 | 404 | 410 => Ok(true),
            // somebody came in meanwhile
            409 | 412 => Ok(false),
            405 | 501 => Err(TargetReason::GroupNotUnique.into()),
            _ => Err(answer.refused()),
        }
    }

    /// Nobody is in it, and it is ours. One that shows no members may hide them, unless it is still as it was made.
    fn is_to_go(&self, group: &Json, version: Option<&str>, whose: Whose<'_>) -> bool {
        let is_empty = self.groups.is_empty(self.finder.profile, group);
        match whose {
            Whose::Own(made) => is_empty.unwrap_or(version.is_some() && version == made),
            Whose::Left(mark) => {
                let is_marked = group.member("externalId").and_then(Json::as_text) == Some(mark);
                is_empty == Some(true) && is_marked && version.is_some()
            }
        }
    }
}

/// A group without members. Its `externalId` is made of its name, so that a target which has it unique makes one of each name,
/// whoever asks.
fn new_group(name: &str, profile: &TargetProfile) -> Json {
    let schemas = Json::List(vec![Json::text(GROUP)]);
    let mut group = vec![("schemas", schemas), ("displayName", Json::text(name))];
    if profile.marks_groups {
        group.push(("externalId", Json::text(mark_of(name))));
    }
    Json::object(group)
}

fn mark_of(name: &str) -> String {
    let digest = Sha256::digest(name.as_bytes());
    digest.iter().take(16).fold("jit-group-".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}
