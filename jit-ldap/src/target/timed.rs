//! Memberships that Active Directory itself ends: members are told as `<TTL=seconds,name>` where the forest's optional
//! feature for privileged access is on ([MS-ADTS] §3.1.1.9).

use chrono::{DateTime, Utc};

use crate::attribute::{Attribute, AttributeName};
use crate::connection::{Connection, ServerFeatures};
use crate::control::Control;
use crate::dn::Dn;
use crate::entry::Entry;
use crate::error::LdapError;
use crate::filter::Filter;
use crate::identifier::{EntryId, EntryName};
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
pub(super) async fn server_time(connection: &mut Connection) -> Result<DateTime<Utc>, LdapError> {
    let root = connection.features().await?;
    if !is_on(connection, &root).await? {
        return Err(Reason::ControlUnsupported.into());
    }
    let now = root.root().value(&AttributeName::new("currentTime")?).ok_or(Reason::ValueMissing)?;
    Ok(read_generalized(now)?)
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
pub(super) fn seconds(now: DateTime<Utc>, ends_at: DateTime<Utc>) -> u32 {
    let left = (ends_at - now).to_std().unwrap_or_default();
    let whole = left.as_secs() + u64::from(left.subsec_nanos() > 0);
    u32::try_from(whole).unwrap_or(u32::MAX).clamp(1, i32::MAX.unsigned_abs())
}

/// Puts somebody into a group for so long, and tells whether they were not in it. Whoever stays longer, or for good, does.
pub(super) async fn join(
    connection: &mut Connection,
    group: &Dn,
    person: &Dn,
    seconds: u32,
) -> Result<bool, LdapError> {
    let name = EntryName::from(group);
    let member = |value: String| Attribute::new(AttributeName::MEMBER, [value]);
    let staying = Modification::Add(member(format!("<TTL={seconds},{person}>")));
    match connection.modify(&name, std::slice::from_ref(&staying), &[]).await {
        Err(error) if matches!(error.reason(), Reason::EntryExists | Reason::ValueExists) => {}
        other => return other.map(|_| true),
    }
    match stay(connection, group, person).await? {
        Stay::ForGood => Ok(false),
        Stay::For(left) if left >= seconds => Ok(false),
        Stay::For(_) => {
            // one request: never out of the group in between
            let longer = [Modification::Delete(member(person.to_string())), staying];
            connection.modify(&name, &longer, &[]).await.map(|_| false)
        }
        // gone in between: who asks again finds the group without them
        Stay::Not => Err(Reason::AssertionFailed.into()),
    }
}

async fn stay(connection: &mut Connection, group: &Dn, person: &Dn) -> Result<Stay, LdapError> {
    let search = Search::entry(group).attributes([AttributeName::MEMBER]).control(Control::link_ttl());
    let found = connection.read(&search).await?.ok_or(Reason::EntryMissing)?;
    Ok(stay_of(&found, person))
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
