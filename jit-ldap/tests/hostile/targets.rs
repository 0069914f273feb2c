//! Groups of people at servers that are slow, or that send changes elsewhere; and what plays such a server.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jit_core::*;
use jit_ldap::target::GroupSettings;
use jit_ldap::{
    ActiveDirectorySettings, ActiveDirectoryTarget, Directory, Password, PoolSettings, ServiceAccount,
};
use tokio::time::Instant;

use crate::ber::{attribute, bound, done, entry, message, result};
use crate::collections::end_of_page;
use crate::server::{Act, Asked, connection, limits};

pub(crate) const NATIVE: &str = "03020100-0504-0706-0809-0a0b0c0d0e0f";
pub(crate) const PERSON: &str = "CN=dora,OU=People,DC=x";
const FEATURE: &str =
    "CN=PAM,CN=Optional Features,CN=Directory Service,CN=Windows NT,CN=Services,CN=Configuration,DC=x";
pub(crate) const LINK_TTL: &str = "1.2.840.113556.1.4.2309";
const IN_CHAIN: &str = "1.2.840.113556.1.4.1941";

/// A server that answers each request after the bind by `script`.
pub(crate) async fn directory(mut script: impl FnMut(Asked) -> Vec<Act> + Send + 'static) -> Directory {
    let mut connection = connection(move |asked| match asked.op {
        0x60 => vec![Act::Say(message(asked.id, &bound()))],
        _ => script(asked),
    });
    connection.bind("jit@x", &Password::new("a password").unwrap(), &[]).await.unwrap();
    let mut pool = PoolSettings::default();
    pool.limits = limits();
    let account = ServiceAccount::new("jit@x", "a password").unwrap();
    Directory::dangerously_over(connection, &account, pool)
}

/// A target behind such a server.
pub(crate) async fn target(
    groups: usize,
    ends_memberships: bool,
    script: impl FnMut(Asked) -> Vec<Act> + Send + 'static,
) -> ActiveDirectoryTarget {
    let directory = directory(script).await;
    let mut settings = ActiveDirectorySettings::new("OU=JIT,DC=x", ("jit", "OU=JIT,DC=x"), "x");
    for number in 0..groups {
        let dn = format!("CN=g{number:02},OU=Groups,DC=x");
        settings.groups.insert(format!("g{number:02}"), GroupSettings::Plain(dn));
    }
    settings.people = Some("OU=People,DC=x".to_owned());
    settings.ends_memberships = ends_memberships;
    ActiveDirectoryTarget::new(directory, &settings).unwrap()
}

pub(crate) fn dora() -> RemoteRef {
    let lease = Mint::new("2027-01-15T08:00:00Z".parse().unwrap(), [7; 16]).account();
    let marker = MarkerKey::new("hostile", &[6; 32]).unwrap().mark(&TenantId::new("acme").unwrap(), lease);
    RemoteRef { name: "dora".to_owned(), place: None, marker, native: Some(NATIVE.to_owned()), home: None }
}

/// A group of which this server shows no identifier: it is known by its name.
pub(crate) fn group(number: usize) -> RemoteEntitlement {
    let native = Some(format!("cn=g{number:02},ou=groups,dc=x"));
    RemoteEntitlement { native, ..RemoteEntitlement::named(format!("g{number:02}")) }
}

pub(crate) fn giving(groups: usize, until: &str) -> Desired {
    let give = (0..groups).map(|number| (group(number), until.parse().unwrap()));
    let state = DesiredState::Holding { give: give.collect(), take: BTreeSet::new() };
    Desired { remote: dora(), state }
}

pub(crate) fn taking(groups: usize) -> Desired {
    let take = (0..groups).map(|number| RemoteEntitlement::named(group(number).name)).collect();
    Desired { remote: dora(), state: DesiredState::Holding { give: BTreeMap::new(), take } }
}

/// How many values this server returns at once; Windows: 1,500.
const AT_ONCE: usize = 3;

/// The members from where they are asked for; without the control nobody hears for how long they stay.
fn part_of(members: &[&str], asked: &Asked) -> Vec<u8> {
    let text = String::from_utf8_lossy(&asked.bytes);
    let from = text.split_once("range=").map_or("0", |(_, range)| range.split_once('-').unwrap().0);
    let from: usize = from.parse().unwrap();
    let end = members.len().min(from + AT_ONCE);
    let last = if end == members.len() { "*".to_owned() } else { (end - 1).to_string() };
    let is_whole = from == 0 && end == members.len();
    let name = if is_whole { "member".to_owned() } else { format!("member;range={from}-{last}") };
    let shown = members[from..end].iter().map(|member| match member.split_once(',') {
        Some((ttl, name)) if ttl.starts_with("<TTL=") && !text.contains(LINK_TTL) => {
            name.trim_end_matches('>').as_bytes().to_vec()
        }
        _ => member.as_bytes().to_vec(),
    });
    attribute(&name, &shown.collect::<Vec<_>>())
}

/// What a domain controller answers to somebody who looks: the person, a group that nobody protects, the root, the feature.
pub(crate) fn looked_at(asked: &Asked, is_on: bool, (person, members): (&str, &[&str])) -> Vec<u8> {
    let says = |text: &str| asked.bytes.windows(text.len()).any(|part| part == text.as_bytes());
    let values = |name: &str, texts: &[&str]| {
        attribute(name, &texts.iter().map(|text| text.as_bytes().to_vec()).collect::<Vec<_>>())
    };
    // nor is it in a group that somebody protects
    if says(IN_CHAIN) {
        return end_of_page(asked.id, b"");
    }
    let guid = attribute("objectGUID", &[(0..16).collect()]);
    let sid = attribute("objectSid", &[vec![1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 9, 0, 0]]);
    let found = if says("msDS-OptionalFeatureGUID") {
        is_on.then(|| entry(FEATURE, &[values("msDS-EnabledFeatureBL", &["CN=Partitions,DC=x"])]))
    } else if says(LINK_TTL) || says("range=") {
        Some(entry("CN=g00,OU=Groups,DC=x", &[part_of(members, asked)]))
    } else if says("adminCount") {
        Some(entry("CN=g00,OU=Groups,DC=x", &[sid]))
    } else if says("<GUID=") {
        Some(entry(person, &[guid]))
    } else if says(",OU=Groups,DC=x") {
        // it keeps the identifiers of groups to itself
        let text = String::from_utf8_lossy(&asked.bytes);
        let (before, _) = text.split_once(",OU=Groups,DC=x").unwrap();
        let (_, name) = before.rsplit_once("CN=").unwrap();
        Some(entry(&format!("CN={name},OU=Groups,DC=x"), &[]))
    } else {
        let now = values("currentTime", &["20270115080000.0Z"]);
        Some(entry("", &[now, values("configurationNamingContext", &["CN=Configuration,DC=x"])]))
    };
    let found = found.map(|found| message(asked.id, &found));
    [found.unwrap_or_default(), message(asked.id, &done(0))].concat()
}

#[tokio::test(start_paused = true)]
async fn a_call_about_many_groups_of_a_slow_server_ends_in_its_time() {
    let slow = Duration::from_secs(5);
    let target = target(40, false, move |asked| match asked.op {
        0x63 => vec![Act::Say(looked_at(&asked, false, (PERSON, &[])))],
        _ => vec![Act::Late(slow, message(asked.id, &result(0x67, 0, b"")))],
    })
    .await;
    let began = Instant::now();
    let error = target.ensure(&taking(40)).await.unwrap_err();
    assert_eq!((error.code().as_str(), began.elapsed()), ("target.unreachable", Duration::from_secs(60)));
    let after = target.observe(&dora()).await.unwrap_err();
    assert_eq!(after.code().as_str(), "target.unreachable", "nobody goes on with what was given up");
}

/// What comes of a change that a domain controller sends elsewhere, which says of itself that it can do this.
async fn sent_elsewhere(capabilities: &'static [&'static str]) -> String {
    let target = target(1, false, move |asked| {
        if asked.op != 0x63 {
            return vec![Act::Say(message(asked.id, &result(0x67, 10, b"")))];
        }
        if !asked.bytes.windows(3).any(|part| part == b"\x04\x01+") {
            return vec![Act::Say(looked_at(&asked, false, (PERSON, &[])))];
        }
        let values: Vec<_> = capabilities.iter().map(|oid| oid.as_bytes().to_vec()).collect();
        let root = message(asked.id, &entry("", &[attribute("supportedCapabilities", &values)]));
        vec![Act::Say([root, message(asked.id, &done(0))].concat())]
    })
    .await;
    target.ensure(&taking(1)).await.unwrap_err().code().to_string()
}

#[tokio::test(start_paused = true)]
async fn a_read_only_domain_controller_is_told_from_a_group_that_is_kept_elsewhere() {
    const ANY: &str = "1.2.840.113556.1.4.800";
    assert_eq!(sent_elsewhere(&[ANY, "1.2.840.113556.1.4.1920"]).await, "target.read_only");
    assert_eq!(sent_elsewhere(&[ANY]).await, "target.entitlement");
}
