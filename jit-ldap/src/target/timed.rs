//! Memberships that Active Directory itself ends: members are told as `<TTL=seconds,name>` where the forest's optional
//! feature for privileged access is on ([MS-ADTS] §3.1.1.9).

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use super::members::GroupName;
use crate::attribute::{Attribute, AttributeName};
use crate::connection::{Connection, ServerFeatures};
use crate::control::Control;
use crate::dn::Dn;
use crate::entry::Entry;
use crate::error::LdapError;
use crate::filter::Filter;
use crate::identifier::EntryId;
use crate::reason::Reason;
use crate::request::{Modification, Scope, Search};
use crate::time::read_generalized;

/// The feature, by the number that it has in every forest.
const FEATURE: &str = "ec43e873-cce8-4640-b4ab-07ffe4ab5bcd";
const FEATURES: &str = "CN=Optional Features,CN=Directory Service,CN=Windows NT,CN=Services";

/// For how long somebody is in a group.
enum Stay {
    Not,
    ForGood,
    For(u32),
}

/// The server's own time, where the forest ends memberships. That is read, and never assumed: elsewhere a member with an end
/// is a name that nobody bears, or one that stays for good.
pub(super) async fn server_time(connection: &mut Connection) -> Result<ServerClock, LdapError> {
    let root = connection.features().await?;
    if !is_on(connection, &root).await? {
        return Err(Reason::ControlUnsupported.into());
    }
    let now = root.root().value(&AttributeName::new("currentTime")?).ok_or(Reason::ValueMissing)?;
    Ok(ServerClock { now: read_generalized(now)?, read: Instant::now() })
}

/// The feature names where it is on; where it is nowhere, or not known, it names nothing.
async fn is_on(connection: &mut Connection, root: &ServerFeatures) -> Result<bool, LdapError> {
    let enabled = AttributeName::new("msDS-EnabledFeatureBL")?;
    let Some(forest) = root.root().text(&AttributeName::new("configurationNamingContext")?) else {
        return Ok(false);
    };
    let features = Dn::parse(&format!("{FEATURES},{forest}"))?;
    let number = FEATURE.parse::<EntryId>()?.to_object_guid();
    let filter = Filter::equals(&AttributeName::new("msDS-OptionalFeatureGUID")?, number);
    let search = Search::new(features, Scope::Children, filter).attributes([enabled.clone()]);
    let feature = connection.read(&search).await?;
    Ok(feature.is_some_and(|feature| feature.values(&enabled).is_some_and(|where_on| !where_on.is_empty())))
}

/// Whole seconds until an end, the part of one counted as a whole, and never none.
fn seconds(now: DateTime<Utc>, ends_at: DateTime<Utc>) -> u32 {
    let left = (ends_at - now).to_std().unwrap_or_default();
    let whole = left.as_secs() + u64::from(left.subsec_nanos() > 0);
    u32::try_from(whole).unwrap_or(u32::MAX).clamp(1, i32::MAX.unsigned_abs())
}

/// What putting somebody into a group for a time came to.
#[derive(Clone, Copy)]
pub(super) enum Joined {
    /// They were not in it.
    Newly,
    /// They were in it for so many seconds yet, which are fewer.
    Longer(u32),
    /// They were in it for as long or longer: for so many seconds yet, or for good.
    Already(Option<u32>),
}

/// What was put into a group a moment ago, under a name that somebody else may bear by now.
pub(super) struct Given {
    pub(super) joined: Joined,
    seconds: u32,
    since: Instant,
}

/// What the server's clock tells.
#[derive(Clone, Copy)]
pub(super) struct ServerClock {
    now: DateTime<Utc>,
    read: Instant,
}

impl ServerClock {
    /// For how many seconds somebody is to stay who is needed until then.
    pub(super) fn until(&self, ends_at: DateTime<Utc>) -> u32 {
        seconds(self.now, ends_at)
    }

    /// When the server takes somebody out again who was to stay until then, to the second; `None` where it does not.
    pub(super) fn end_of(&self, given: &Given, ends_at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let Joined::Already(stays) = given.joined else { return Some(ends_at) };
        // that was told after the clock was read
        let stays = self.read.elapsed() + Duration::from_secs(u64::from(stays?));
        self.now.checked_add_signed(TimeDelta::from_std(stays).ok()?)
    }
}

/// Puts somebody into a group for so long. Whoever stays longer, or for good, does.
pub(super) async fn join(
    connection: &mut Connection,
    group: &GroupName,
    person: &Dn,
    seconds: u32,
) -> Result<Given, LdapError> {
    let since = Instant::now();
    let given = |joined| Given { joined, seconds, since };
    let staying = staying(person, seconds);
    match group.modify(connection, std::slice::from_ref(&staying)).await {
        Err(error) if matches!(error.reason(), Reason::EntryExists | Reason::ValueExists) => {}
        other => return other.map(|()| given(Joined::Newly)),
    }
    match stay(connection, group, person).await? {
        Stay::ForGood => Ok(given(Joined::Already(None))),
        Stay::For(left) if left >= seconds => Ok(given(Joined::Already(Some(left)))),
        Stay::For(left) => {
            // one request: never out of the group in between
            let longer = [gone(person), staying];
            group.modify(connection, &longer).await.map(|()| given(Joined::Longer(left)))
        }
        // gone in between: who asks again finds the group without them
        Stay::Not => Err(Reason::AssertionFailed.into()),
    }
}

/// Takes from whoever bears a name by now what was given under it, and nothing else: they stay for just the time that was
/// given. Who stayed for a shorter time before does so again.
pub(super) async fn take_back(
    connection: &mut Connection,
    group: &GroupName,
    name: &Dn,
    given: &Given,
) -> Result<(), LdapError> {
    let passed = u32::try_from(given.since.elapsed().as_secs()).unwrap_or(u32::MAX);
    let earliest = given.seconds.saturating_sub(passed.saturating_add(1));
    let mut changes = vec![gone(name)];
    match given.joined {
        Joined::Already(_) => return Ok(()),
        Joined::Newly => {}
        Joined::Longer(before) => changes.push(staying(name, before)),
    }
    match stay(connection, group, name).await? {
        Stay::For(left) if (earliest..=given.seconds).contains(&left) => {}
        _ => return Ok(()),
    }
    match group.modify(connection, &changes).await {
        Err(error) if matches!(error.reason(), Reason::EntryMissing | Reason::ValueMissing) => Ok(()),
        other => other,
    }
}

fn staying(person: &Dn, seconds: u32) -> Modification {
    Modification::Add(member(format!("<TTL={seconds},{person}>")))
}

fn gone(person: &Dn) -> Modification {
    Modification::Delete(member(person.to_string()))
}

fn member(value: String) -> Attribute {
    Attribute::new(AttributeName::MEMBER, [value])
}

async fn stay(connection: &mut Connection, group: &GroupName, person: &Dn) -> Result<Stay, LdapError> {
    Ok(stay_of(&group.members(connection, &[Control::link_ttl()]).await?, person))
}

fn stay_of(group: &Entry, person: &Dn) -> Stay {
    let is_person = |name: &str| Dn::parse(name).is_ok_and(|name| name == *person);
    for value in group.values(&AttributeName::MEMBER).unwrap_or_default() {
        let Ok(text) = std::str::from_utf8(value) else { continue };
        let timed = text.strip_prefix("<TTL=").and_then(|rest| rest.strip_suffix('>')?.split_once(','));
        match timed {
            Some((left, name)) if is_person(name) => return left.parse().map_or(Stay::For(0), Stay::For),
            None if is_person(text) => return Stay::ForGood,
            _ => {}
        }
    }
    Stay::Not
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_whole_seconds_and_never_none() {
        let at = |text: &str| text.parse().unwrap();
        let now = at("2027-01-15T08:00:00Z");
        for (ends_at, left) in [
            ("2027-01-15T08:30:00Z", 1800),
            ("2027-01-15T08:29:59.5Z", 1800),
            ("2027-01-15T07:00:00Z", 1),
            ("9999-01-15T07:00:00Z", i32::MAX.unsigned_abs()),
        ] {
            assert_eq!(seconds(now, at(ends_at)), left, "{ends_at}");
        }
    }
}
