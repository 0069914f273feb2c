//! Groups of people at a forest that ends memberships by itself.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use jit_core::*;

use crate::ber::{attribute, done, entry, message, result};
use crate::server::Act;
use crate::targets::{LINK_TTL, PERSON, dora, giving, group, looked_at, target};

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
