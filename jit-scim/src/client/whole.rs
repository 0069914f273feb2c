//! Groups that are put whole: read, put back with a change, and read again where nothing else tells that it stands.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use http::Method;

use super::failure::Failure;
use super::groups::{GroupAt, judge};
use super::person::version_of;
use super::place::change;
use super::reason::TargetReason;
use super::wire::{Answer, Ask, Call, resource};
use crate::json::Json;

/// How often a whole group is put when it changes meanwhile.
const ATTEMPTS: usize = 4;
/// How long a target is waited for that still shows a group as it was before it was put.
const LAGS: [TimeDelta; 2] = [TimeDelta::seconds(1), TimeDelta::seconds(2)];

impl GroupAt<'_> {
    /// Reads the group, and puts it back with the change. Where it shows no version, what another node puts at the same time may
    /// undo that: it is read once more, and put anew where others changed it. Each time takes places of its own, but for the
    /// first. `false`: there is no such group.
    pub(super) async fn replace(
        &self,
        call: &mut Call,
        members: &[&str],
        joins: bool,
    ) -> Result<bool, Failure> {
        if !self.finder.profile.shows_members {
            return Err(TargetReason::MembersUnseen.into());
        }
        let Some(mut group) = self.read(call).await? else { return Ok(false) };
        for attempt in 0..ATTEMPTS {
            let Some(whole) = with_members(&group, members, joins) else { return Ok(true) };
            if attempt > 0 {
                self.all_places(call, members.len()).await?;
            }
            let version = version_of(&group, self.finder.profile);
            let is_bound = version.is_some();
            let ask = Ask::new(Method::PUT, resource("Groups", self.id)?).body(whole).only_if(version);
            let answer = self.finder.wire.send(call, &ask.for_many()).await?;
            let next = if matches!(answer.status, 409 | 412) {
                self.read(call).await?
            } else {
                let is_there = judge(&answer, joins, 1)?;
                if !is_there || is_bound {
                    return Ok(is_there);
                }
                self.read_back(call, &group).await?
            };
            let Some(next) = next else { return Ok(false) };
            group = next;
        }
        let stands = with_members(&group, members, joins).is_none();
        if stands { Ok(true) } else { Err(TargetReason::ChangedMeanwhile.into()) }
    }

    /// Reads a group that was put. While it shows who was in it before, the target lags: to put it anew would undo what it does
    /// not show yet, so that the next call has to look.
    async fn read_back(&self, call: &mut Call, before: &Json) -> Result<Option<Json>, Failure> {
        for lag in LAGS {
            let group = self.read(call).await?;
            if group.as_ref().is_none_or(|group| members_of(group) != members_of(before)) {
                return Ok(group);
            }
            self.finder.wire.pause(call, lag, TargetReason::ChangedMeanwhile).await?;
        }
        let group = self.read(call).await?;
        if group.as_ref().is_some_and(|group| members_of(group) == members_of(before)) {
            return Err(TargetReason::ChangedMeanwhile.into());
        }
        Ok(group)
    }

    /// Reads the group with all its members; `None` where there is none.
    async fn read(&self, call: &mut Call) -> Result<Option<Json>, Failure> {
        let ask = Ask::new(Method::GET, resource("Groups", self.id)?).for_many();
        let answer = self.finder.wire.send(call, &ask).await?;
        let group = match (answer.status, answer.json) {
            (404 | 410, _) => return Ok(None),
            (200, Some(group)) => group,
            (200..=299, _) => return Err(TargetReason::AnswerMalformed.into()),
            (status, json) => return Err(Answer { status, json }.refused()),
        };
        // one that may hide its members would lose them where it is put back
        let shows = self.groups.is_empty(self.finder.profile, &group);
        shows.map(|_| Some(group)).ok_or(TargetReason::MembersUnseen.into())
    }
}

/// The ids of the members that a group shows.
fn members_of(group: &Json) -> BTreeSet<&str> {
    let list = if let Some(Json::List(list)) = group.member("members") { list.as_slice() } else { &[] };
    list.iter().filter_map(|entry| entry.member("value")?.as_text()).collect()
}

/// The group as it is put back; `None` where it is so already.
fn with_members(group: &Json, members: &[&str], joins: bool) -> Option<Json> {
    let mut whole = group.clone();
    for name in ["id", "meta"] {
        change(&mut whole, name, |_| None);
    }
    let mut is_changed = false;
    change(&mut whole, "members", |old| {
        let mut list = if let Some(Json::List(list)) = old { list } else { Vec::new() };
        let before = list.len();
        let is = |entry: &Json, member: &str| entry.member("value").and_then(Json::as_text) == Some(member);
        if joins {
            let missing = members.iter().filter(|member| !list.iter().any(|entry| is(entry, member)));
            let missing: Vec<_> =
                missing.map(|member| Json::object([("value", Json::text(*member))])).collect();
            list.extend(missing);
        } else {
            list.retain(|entry| !members.iter().any(|member| is(entry, member)));
        }
        is_changed = list.len() != before;
        Some(Json::List(list))
    });
    is_changed.then_some(whole)
}
