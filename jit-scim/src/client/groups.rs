//! Groups of the target: found by name, joined and left.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use http::Method;

use super::failure::Failure;
use super::find::Finder;
use super::learned::Learned;
use super::person::{id_of, operation, patch};
use super::profile::{GroupChanges, GroupOrigin, MemberRemoval, TargetProfile};
use super::rate::MemberPace;
use super::reason::TargetReason;
use super::turns::{Turns, Waiting};
use super::wire::{Answer, Ask, Call, resource};
use crate::json::Json;

/// How long a name is believed to be that of the same group.
const KNOWN_FOR: TimeDelta = TimeDelta::minutes(5);
const KNOWN: usize = 4096;

/// What is known of the groups of one target.
#[derive(Debug, Default)]
pub(super) struct Groups {
    known: Mutex<BTreeMap<String, (String, DateTime<Utc>)>>,
    turns: Turns,
    pace: MemberPace,
    pub(super) making: tokio::sync::Mutex<()>,
    /// The target said that it has no PATCH.
    lacks_patch: Learned,
    /// A group of the target showed its members: one that shows none has none.
    shows_members: AtomicBool,
}

impl Groups {
    /// Lets a member join the group of this name, and tells its id. Whatever comes of it, `asked` has the id of a group that may
    /// have the member from now on.
    pub(super) async fn join(
        &self,
        finder: Finder<'_>,
        call: &mut Call,
        name: &str,
        member: &str,
        asked: &mut BTreeMap<String, String>,
    ) -> Result<String, Failure> {
        // a second look where the group was made anew under the same name
        for _ in 0..2 {
            let Some(id) = self.id(finder, call, name, true).await? else { break };
            asked.insert(name.to_owned(), id.clone());
            if (GroupAt { groups: self, finder, id: &id }).change(call, member, true).await? {
                return Ok(id);
            }
            asked.remove(name);
            self.forget(&id);
        }
        Err(TargetReason::GroupUnknown.into())
    }

    /// Leaves the group of this name, unless its id is one of those that need not or must not be left. One that is not there
    /// need not be left.
    pub(super) async fn leave_named(
        &self,
        finder: Finder<'_>,
        call: &mut Call,
        name: &str,
        member: &str,
        but: &BTreeSet<String>,
    ) -> Result<(), Failure> {
        for _ in 0..2 {
            let Some(id) = self.id(finder, call, name, false).await? else { break };
            if but.contains(&id) || self.leave(finder, call, &id, member).await? {
                break;
            }
        }
        Ok(())
    }

    /// Leaves a group whose id is known; `false` where there is no such group any longer.
    pub(super) async fn leave(
        &self,
        finder: Finder<'_>,
        call: &mut Call,
        id: &str,
        member: &str,
    ) -> Result<bool, Failure> {
        let is_there = GroupAt { groups: self, finder, id }.change(call, member, false).await?;
        if !is_there {
            self.forget(id);
        }
        Ok(is_there)
    }

    /// Finds the id of the group of this name.
    pub(super) async fn find(
        &self,
        finder: Finder<'_>,
        call: &mut Call,
        name: &str,
    ) -> Result<Option<String>, Failure> {
        self.id(finder, call, name, false).await
    }

    async fn id(
        &self,
        finder: Finder<'_>,
        call: &mut Call,
        name: &str,
        joins: bool,
    ) -> Result<Option<String>, Failure> {
        let now = finder.wire.now();
        let known = self.known().get(name).cloned();
        if let Some((id, since)) = known
            && (TimeDelta::zero()..KNOWN_FOR).contains(&now.signed_duration_since(since))
        {
            return Ok(Some(id));
        }
        let found = match self.look_or_tidy(finder, call, name).await? {
            None if joins && finder.profile.groups == GroupOrigin::Made => {
                self.make(finder, call, name).await?
            }
            found => found,
        };
        if let Some(id) = &found {
            let mut known = self.known();
            if known.len() >= KNOWN {
                known.clear();
            }
            known.insert(name.to_owned(), (id.clone(), now));
        }
        Ok(found)
    }

    /// Where makers of ours left several, those that nobody is in go first.
    async fn look_or_tidy(
        &self,
        finder: Finder<'_>,
        call: &mut Call,
        name: &str,
    ) -> Result<Option<String>, Failure> {
        let is_ours = finder.profile.marks_groups && finder.profile.groups == GroupOrigin::Made;
        match self.look(finder, call, name).await {
            Err(failure) if is_ours && failure.reason == TargetReason::GroupNotUnique => {
                self.tidy(finder, call, name).await
            }
            found => found,
        }
    }

    pub(super) async fn look(
        &self,
        finder: Finder<'_>,
        call: &mut Call,
        name: &str,
    ) -> Result<Option<String>, Failure> {
        let mut hits = self.named(finder, call, name).await?;
        match (hits.pop(), hits.is_empty()) {
            (None, _) => Ok(None),
            (Some(group), true) => id_of(&group).map(Some).ok_or(TargetReason::AnswerMalformed.into()),
            (Some(_), false) => Err(TargetReason::GroupNotUnique.into()),
        }
    }

    /// The groups of this name, without their members.
    pub(super) async fn named(
        &self,
        finder: Finder<'_>,
        call: &mut Call,
        name: &str,
    ) -> Result<Vec<Json>, Failure> {
        let is_hit = |json: &Json| json.member("displayName").and_then(Json::as_text) == Some(name);
        finder.select(call, "Groups?excludedAttributes=members&", "displayName", name, is_hit).await
    }

    /// Tells whether nobody is in a group, as it was read; `None` where it may hide who is.
    pub(super) fn is_empty(&self, profile: &TargetProfile, group: &Json) -> Option<bool> {
        match group.member("members") {
            Some(Json::List(list)) => {
                self.shows_members.fetch_or(!list.is_empty(), Ordering::Relaxed);
                Some(list.is_empty())
            }
            _ if profile.omits_members || self.shows_members.load(Ordering::Relaxed) => Some(true),
            _ => None,
        }
    }

    /// Forgets by which names a group was known that is there no longer.
    fn forget(&self, id: &str) {
        self.known().retain(|_, (own, _)| own != id);
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, (String, DateTime<Utc>)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One group of the target.
pub(super) struct GroupAt<'a> {
    pub(super) groups: &'a Groups,
    pub(super) finder: Finder<'a>,
    pub(super) id: &'a str,
}

impl GroupAt<'_> {
    /// Changes a member, and says of a failure that it came of this group. `false`: there is no such group.
    async fn change(&self, call: &mut Call, member: &str, joins: bool) -> Result<bool, Failure> {
        self.change_in_turn(call, member, joins).await.map_err(Failure::of_group)
    }

    /// Changes a member when it is its turn, together with others who wait.
    async fn change_in_turn(&self, call: &mut Call, member: &str, joins: bool) -> Result<bool, Failure> {
        let turn = self.groups.turns.at(self.id);
        let waiting = turn.wait(member, joins);
        let _turn = self.finder.wire.wait_for(call, turn.gate.lock()).await;
        match waiting.change.outcome() {
            Some(outcome) => outcome.map(|()| true),
            // It is not the target that took so long.
            None if self.finder.wire.has_waited_out(call) => Err(TargetReason::GroupPaced.into()),
            None => self.batch(call, &waiting).await,
        }
    }

    async fn batch(&self, call: &mut Call, waiting: &Waiting<'_>) -> Result<bool, Failure> {
        let most = usize::try_from(self.finder.profile.members_per_request).unwrap_or(usize::MAX);
        let mut batch = waiting.batch(most);
        batch.truncate(self.places(call, batch.len()).await?);
        let members: Vec<_> = batch.iter().map(|change| change.member.as_str()).collect();
        match self.send_placed(call, &members, waiting.change.joins).await {
            Ok(true) => {
                for change in &batch {
                    change.done();
                }
                Ok(true)
            }
            Err(failure) if batch.len() > 1 && failure.may_be_of_one() => {
                for change in &batch {
                    change.alone();
                }
                self.places(call, 1).await?;
                self.send_placed(call, &[&waiting.change.member], waiting.change.joins).await
            }
            Err(failure) if failure.is_of_target() => {
                for change in &batch {
                    change.failed(&failure);
                }
                Err(failure)
            }
            other => other,
        }
    }

    /// Waits until at least one of so many members may change, and tells how many may.
    async fn places(&self, call: &mut Call, wanted: usize) -> Result<usize, Failure> {
        loop {
            let wire = self.finder.wire;
            match self.groups.pace.take(self.finder.profile.member_changes, self.id, wanted, wire.now()) {
                Ok(places) => return Ok(places),
                Err(wait) => wire.pause(call, wait, TargetReason::GroupPaced).await?,
            }
        }
    }

    /// Waits until so many members may change once more; none of their places is kept where that takes too long.
    pub(super) async fn all_places(&self, call: &mut Call, wanted: usize) -> Result<(), Failure> {
        let mut taken = 0;
        while taken < wanted {
            match self.places(call, wanted - taken).await {
                Ok(places) => taken += places,
                Err(failure) => {
                    self.groups.pace.give_back(self.finder.profile.member_changes, self.id, taken);
                    return Err(failure);
                }
            }
        }
        Ok(())
    }

    /// Sends for members who have their places for one change. Where no change was sent, the places are free again.
    async fn send_placed(&self, call: &mut Call, members: &[&str], joins: bool) -> Result<bool, Failure> {
        let before = call.writes();
        let result = self.send(call, members, joins).await;
        if call.writes() == before {
            self.groups.pace.give_back(self.finder.profile.member_changes, self.id, members.len());
        }
        result
    }

    async fn send(&self, call: &mut Call, members: &[&str], joins: bool) -> Result<bool, Failure> {
        let lacks_patch = self.groups.lacks_patch.is_believed(self.finder.wire.now());
        if self.finder.profile.group_changes == GroupChanges::Patch && !lacks_patch {
            let body = patch(self.operations(members, joins));
            let ask = Ask::new(Method::PATCH, resource("Groups", self.id)?).body(body);
            let answer = self.finder.wire.send(call, &ask.for_many()).await?;
            if !answer.is_unsupported() {
                return judge(&answer, joins, members.len());
            }
            self.groups.lacks_patch.learn(self.finder.wire.now());
        }
        self.replace(call, members, joins).await
    }

    fn operations(&self, members: &[&str], joins: bool) -> Vec<Json> {
        let values = members.iter().map(|member| Json::object([("value", Json::text(*member))])).collect();
        match self.finder.profile.member_removal {
            _ if joins => vec![operation("add", "members", Some(Json::List(values)))],
            MemberRemoval::Value => vec![operation("remove", "members", Some(Json::List(values)))],
            MemberRemoval::Filter => {
                let path = |member: &&str| format!("members[value eq {}]", serde_json::Value::from(*member));
                members.iter().map(|member| operation("remove", &path(member), None)).collect()
            }
        }
    }
}

/// What an answer says of so many members at once. One that is gone or not in the group says nothing of the others: whoever
/// was refused together goes alone next.
pub(super) fn judge(answer: &Answer, joins: bool, members: usize) -> Result<bool, Failure> {
    match answer.status {
        200..=299 => Ok(true),
        400 | 404 | 410 if members > 1 => Err(answer.refused()),
        404 | 410 => Ok(false),
        // who is not in the group need not be taken out
        400 if !joins && answer.says("noTarget") => Ok(true),
        _ => Err(answer.refused()),
    }
}
