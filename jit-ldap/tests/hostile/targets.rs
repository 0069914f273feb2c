//! Groups of people at servers that are slow, and at a forest that ends memberships by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jit_core::*;
use jit_ldap::target::GroupSettings;
use jit_ldap::{
    ActiveDirectorySettings, ActiveDirectoryTarget, Directory, LdapError, Password, PoolSettings,
    ServiceAccount,
};
use tokio::time::Instant;

use crate::ber::{attribute, bound, done, entry, message, result};
use crate::collections::end_of_page;
use crate::server::{Act, Asked, connection, limits};

pub(crate) const NATIVE: &str = "03020100-0504-0706-0809-0a0b0c0d0e0f";
const PERSON: &str = "CN=dora,OU=People,DC=x";
const FEATURE: &str =
    "CN=PAM,CN=Optional Features,CN=Directory Service,CN=Windows NT,CN=Services,CN=Configuration,DC=x";
const LINK_TTL: &str = "1.2.840.113556.1.4.2309";
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
async fn target(
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
fn group(number: usize) -> RemoteEntitlement {
    let native = Some(format!("cn=g{number:02},ou=groups,dc=x"));
    RemoteEntitlement { native, ..RemoteEntitlement::named(format!("g{number:02}")) }
}

fn giving(groups: usize, until: &str) -> Desired {
    let give = (0..groups).map(|number| (group(number), until.parse().unwrap()));
    let state = DesiredState::Holding { give: give.collect(), take: BTreeSet::new() };
    Desired { remote: dora(), state }
}

fn taking(groups: usize) -> Desired {
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
fn looked_at(asked: &Asked, is_on: bool, (person, members): (&str, &[&str])) -> Vec<u8> {
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

/// A group as a server shows it, and who bears the name of the person at each look by their identifier.
struct Played {
    /// Before any change, after the first, and so on.
    members: Vec<&'static [&'static str]>,
    /// Whether the first change finds that the name is a member's.
    is_member: bool,
    names: &'static [&'static str],
}

/// The texts of the changes that a server was asked for.
async fn changes(is_on: bool, members: &'static [&'static str], is_member: bool) -> (String, Vec<String>) {
    played(is_on, Played { members: vec![members], is_member, names: &[PERSON] }).await
}

async fn played(is_on: bool, played: Played) -> (String, Vec<String>) {
    let asked_for = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&asked_for);
    let mut names = played.names.iter();
    let mut person = "";
    let target = target(1, true, move |asked| {
        if asked.op == 0x63 {
            if asked.bytes.windows(6).any(|part| part == b"<GUID=") {
                person = names.next().unwrap_or(&person);
            }
            let count = heard.lock().unwrap().len().min(played.members.len() - 1);
            return vec![Act::Say(looked_at(&asked, is_on, (person, played.members[count])))];
        }
        let mut heard = heard.lock().unwrap();
        heard.push(String::from_utf8_lossy(&asked.bytes).into_owned());
        let code = if played.is_member && heard.len() == 1 { 68 } else { 0 };
        vec![Act::Say(message(asked.id, &result(0x67, code, b"")))]
    })
    .await;
    assert_eq!(target.capabilities().elevation, Some(UnattendedEnd::ServerDropsMembership));
    let came = match target.ensure(&giving(1, "2027-01-15T08:30:00Z")).await {
        Ok(Effect::Holding { given, ends, .. }) => match ends.get(&group(0)) {
            Some(end) => format!("gave {}, ends {}", given.len(), end.format("%H:%M:%S")),
            None => format!("gave {}", given.len()),
        },
        Ok(other) => format!("{other:?}"),
        Err(error) => error.code().to_string(),
    };
    let heard = asked_for.lock().unwrap().clone();
    (came, heard)
}

const TIMED: &str = "<TTL=1800,CN=dora,OU=People,DC=x>";

#[tokio::test(start_paused = true)]
async fn a_forest_that_ends_memberships_is_told_when() {
    let (came, heard) = changes(true, &[], false).await;
    assert_eq!((came.as_str(), heard.len()), ("gave 1, ends 08:30:00", 1));
    assert!(heard[0].contains(TIMED), "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn a_membership_that_ends_earlier_is_prolonged_in_one_request() {
    let (came, heard) = changes(true, &["<TTL=60,CN=Dora,OU=people,DC=x>", "CN=other,DC=x"], true).await;
    assert_eq!((came.as_str(), heard.len()), ("gave 0, ends 08:30:00", 2));
    let (taken, given) = (heard[1].find(PERSON), heard[1].find(TIMED));
    assert!(taken.is_some() && taken < given, "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn a_membership_that_lasts_longer_or_for_good_stays() {
    for (members, told) in [
        (&["<TTL=7200,CN=dora,OU=People,DC=x>"][..], "gave 0, ends 10:00:00"),
        (&["CN=dora,OU=People,DC=x"], "gave 0"),
    ] {
        let (came, heard) = changes(true, members, true).await;
        assert_eq!((came.as_str(), heard.len()), (told, 1), "nobody says more than is so: {members:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn in_a_group_of_many_a_membership_is_found_and_prolonged() {
    let members = &[
        "CN=a,DC=x",
        "<TTL=7,CN=b,DC=x>",
        "CN=c,DC=x",
        "CN=d,DC=x",
        "CN=e,DC=x",
        "CN=f,DC=x",
        "CN=g,DC=x",
        "<TTL=60,CN=dora,OU=People,DC=x>",
    ];
    let (came, heard) = changes(true, members, true).await;
    assert_eq!((came.as_str(), heard.len()), ("gave 0, ends 08:30:00", 2), "{heard:?}");
    let (taken, given) = (heard[1].find(PERSON), heard[1].find(TIMED));
    assert!(taken.is_some() && taken < given, "{heard:?}");
}

const RENAMED: &str = "CN=dora-2,OU=People,DC=x";

#[tokio::test(start_paused = true)]
async fn whoever_took_the_name_in_the_moment_of_the_change_loses_what_they_were_given() {
    let play = Played { members: vec![&[TIMED]], is_member: false, names: &[PERSON, RENAMED] };
    let (came, heard) = played(true, play).await;
    assert_eq!((came.as_str(), heard.len()), ("target.unreachable", 2), "the call is repeated");
    assert!(heard[1].contains(PERSON) && !heard[1].contains("TTL"), "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn who_was_renamed_after_the_change_loses_it_by_the_new_name() {
    let members = vec![&["CN=dora,OU=People,DC=x", "<TTL=1800,CN=dora-2,OU=People,DC=x>"][..]];
    let (came, heard) = played(true, Played { members, is_member: false, names: &[PERSON, RENAMED] }).await;
    assert_eq!((came.as_str(), heard.len()), ("target.unreachable", 2));
    assert!(heard[1].contains(RENAMED), "who bears the old name was a member before: {heard:?}");
}

#[tokio::test(start_paused = true)]
async fn whoever_took_the_name_and_was_a_member_keeps_what_they_had() {
    const SHORT: &str = "<TTL=60,CN=dora,OU=People,DC=x>";
    let names = &[PERSON, RENAMED];
    for has in [&[PERSON][..], &["<TTL=900,CN=dora,OU=People,DC=x>"], &["<TTL=7200,CN=dora,OU=People,DC=x>"]]
    {
        let (came, heard) = played(true, Played { members: vec![has], is_member: false, names }).await;
        assert_eq!((came.as_str(), heard.len()), ("target.unreachable", 1), "{has:?}");
    }
    let (came, heard) = played(true, Played { members: vec![&[PERSON]], is_member: true, names }).await;
    assert_eq!((came.as_str(), heard.len()), ("target.unreachable", 1), "it stays for good");
    let members = vec![&[SHORT][..], &[SHORT], &[TIMED]];
    let (came, heard) = played(true, Played { members, is_member: true, names }).await;
    assert_eq!((came.as_str(), heard.len()), ("target.unreachable", 3), "{heard:?}");
    let (taken, given) = (heard[2].find(PERSON), heard[2].find(SHORT));
    assert!(taken.is_some() && taken < given, "it ends as it would have: {heard:?}");
}

#[tokio::test(start_paused = true)]
async fn whoever_takes_the_name_of_a_group_in_the_moment_of_the_change_is_given_nobody() {
    const GROUP: &str = "ffffffff-ffff-ffff-ffff-ffffffffffff";
    const BEFORE: &[&str] = &["<TTL=60,CN=dora,OU=People,DC=x>"];
    const AFTER: &[&str] = &[TIMED, "<TTL=1800,CN=dora-2,OU=People,DC=x>"];
    let asked_for = Arc::new(Mutex::new(Vec::<String>::new()));
    let heard = Arc::clone(&asked_for);
    let target = target(1, true, move |asked| {
        let text = String::from_utf8_lossy(&asked.bytes).into_owned();
        let (id, mut heard) = (asked.id, heard.lock().unwrap());
        if asked.op != 0x63 {
            heard.push(text);
            let code = if heard.len() == 1 { 68 } else { 0 };
            return vec![Act::Say(message(id, &result(0x67, code, b"")))];
        }
        if text.contains(",OU=Groups,DC=x") && text.contains("objectGUID") {
            let shown = entry("CN=g00,OU=Groups,DC=x", &[attribute("objectGUID", &[vec![0xff; 16]])]);
            return vec![Act::Say([message(id, &shown), message(id, &done(0))].concat())];
        }
        if text.contains(LINK_TTL) {
            assert!(text.contains(&format!("<GUID={GROUP}>")), "by its name it may be another one: {text}");
        }
        // renamed after the change
        let (person, members) = if heard.len() < 2 { (PERSON, BEFORE) } else { (RENAMED, AFTER) };
        vec![Act::Say(looked_at(&asked, true, (person, members)))]
    })
    .await;
    let known = RemoteEntitlement { native: Some(GROUP.to_owned()), ..RemoteEntitlement::named("g00") };
    let give = [(known, "2027-01-15T08:30:00Z".parse().unwrap())].into();
    let state = DesiredState::Holding { give, take: BTreeSet::new() };
    let error = target.ensure(&Desired { remote: dora(), state }).await.unwrap_err();
    assert_eq!(error.code().as_str(), "target.unreachable", "the call is repeated");
    let heard = asked_for.lock().unwrap();
    // given, given for longer, and taken back under both names
    assert_eq!(heard.len(), 4, "{heard:?}");
    for change in heard.iter() {
        assert!(change.contains(&format!("<GUID={GROUP}>")) && !change.contains("CN=g00"), "{change}");
    }
}

#[tokio::test(start_paused = true)]
async fn where_the_feature_is_off_nothing_is_given() {
    let (came, heard) = changes(false, &[], false).await;
    assert_eq!((came.as_str(), heard.len()), ("target.limit", 0));
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

/// What taking a group from a person comes to whom a domain controller does not find, while it shows nothing of this name, and
/// a group that names them or none: the codes of the target and of the directory, where they are not gone. Told to drop them,
/// the group answers so.
async fn end_of_unfound_person(
    hidden: &'static str,
    is_named: bool,
    (code, text): (u8, &'static str),
) -> Result<Effect, (Code, Code)> {
    let target = target(1, false, move |asked| {
        if asked.op == 0x66 {
            assert!(asked.bytes.windows(6).any(|part| part == b"<GUID="), "by what they are called for good");
            return vec![Act::Say(message(asked.id, &result(0x67, code, text.as_bytes())))];
        }
        let says = |text: &str| asked.bytes.windows(text.len()).any(|part| part == text.as_bytes());
        let shown = |dn: &str| (dn != hidden).then(|| entry(dn, &[]));
        let found = match asked.op {
            0x63 if says("CN=g00") && says("member") => is_named.then(|| entry("CN=g00,OU=Groups,DC=x", &[])),
            0x63 if says("CN=g00") => shown("CN=g00,OU=Groups,DC=x"),
            // who of the groups names them
            0x63 if says("OU=Groups") && hidden == "OU=Groups,DC=x" => {
                return vec![Act::Say(message(asked.id, &done(32)))];
            }
            0x63 if says("OU=Groups") => is_named.then(|| entry("CN=g00,OU=Groups,DC=x", &[])),
            0x63 if says("<GUID=") => None,
            0x63 if says("OU=People") => shown("OU=People,DC=x"),
            _ => Some(entry("", &[])),
        };
        let found = found.map(|found| message(asked.id, &found)).unwrap_or_default();
        vec![Act::Say([found, message(asked.id, &done(0))].concat())]
    });
    target.await.ensure(&taking(1)).await.map_err(|error| {
        let cause = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref::<LdapError>());
        (error.code(), cause.unwrap().code())
    })
}

/// No such value.
const NOT_IN: (u8, &str) = (16, "");

#[tokio::test(start_paused = true)]
async fn in_active_directory_too_a_group_that_cannot_be_looked_at_is_not_one_that_names_nobody() {
    let gone = Ok(Effect::Absent { was_there: false });
    for answer in [NOT_IN, (53, "00000561: SvcErr: DSID-031A1254"), (53, "doesn't exist for target GUID")] {
        assert_eq!(end_of_unfound_person("", false, answer).await, gone, "{answer:?}");
    }
    for (hidden, is_named, answer) in [
        ("OU=People,DC=x", false, NOT_IN),
        // renamed, or not for us to see: it may name them
        ("CN=g00,OU=Groups,DC=x", false, NOT_IN),
        ("OU=Groups,DC=x", false, NOT_IN),
        ("", true, (50, "")),
        // it shows nobody: what may not be read looks like what is not there
        ("", false, (50, "")),
        ("", false, (53, "")),
        ("", false, (21, "")),
    ] {
        let unproved = end_of_unfound_person(hidden, is_named, answer).await;
        let codes = unproved.as_ref().map_err(|(target, directory)| (target.as_str(), directory.as_str()));
        let unproved = Err(("target.forbidden", "ldap.absence_unproved"));
        assert_eq!(codes, unproved, "{hidden} {is_named} {answer:?}");
    }
    let taken = end_of_unfound_person("", true, (0, "")).await;
    assert!(matches!(&taken, Ok(Effect::Holding { taken, .. }) if taken.len() == 1), "{taken:?}");
    let elsewhere = end_of_unfound_person("", false, (51, "")).await.unwrap_err();
    assert_eq!((elsewhere.0.as_str(), elsewhere.1.as_str()), ("target.unreachable", "ldap.busy"));
}

/// What becomes of the end of an account that a domain controller does not find by its identifier, where it answers the change
/// of what bears that so.
async fn end_of_unfound_by_identifier(code: u8) -> Result<Effect, Code> {
    let target = target(1, false, move |asked| {
        let says = |text: &str| asked.bytes.windows(text.len()).any(|part| part == text.as_bytes());
        let found = match asked.op {
            0x66 => {
                assert!(says("<GUID="), "whatever its name is by now");
                return vec![Act::Say(message(asked.id, &result(0x67, code, b"")))];
            }
            0x4a => return vec![Act::Say(message(asked.id, &result(0x6b, 32, b"")))],
            _ if says("<GUID=") || says("jit1:") => None,
            _ if says("OU=JIT,DC=x") => Some(entry("OU=JIT,DC=x", &[])),
            _ => Some(entry("", &[])),
        };
        let found = found.map(|found| message(asked.id, &found)).unwrap_or_default();
        vec![Act::Say([found, message(asked.id, &done(0))].concat())]
    });
    let absent = Desired { remote: dora(), state: DesiredState::Absent { given: None } };
    target.await.ensure(&absent).await.map_err(|error| error.code())
}

#[tokio::test(start_paused = true)]
async fn in_active_directory_too_only_a_server_that_says_so_proves_that_nothing_bears_an_identifier() {
    let gone = Effect::Absent { was_there: false };
    assert_eq!(end_of_unfound_by_identifier(32).await, Ok(gone));
    for (code, says) in [
        (0, "target.forbidden"),
        (16, "target.forbidden"),
        (50, "target.forbidden"),
        (51, "target.unreachable"),
    ] {
        let unproved = end_of_unfound_by_identifier(code).await;
        assert_eq!(unproved.as_ref().map_err(Code::as_str), Err(says), "{code}");
    }
}
