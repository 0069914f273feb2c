//! Several servers of one directory, of which the others learn late what one was told. Two that never learn of each other
//! are such servers at the moment that matters.

use std::collections::BTreeSet;

use jit_core::*;
use jit_ldap::{
    Attribute, AttributeName, Directory, EntryName, Filter, Modification, OpenLdapTarget, PoolSettings,
    Roots, Scope, Search, Server, Tls,
};

use super::house::{House, absent, made, open_ldap, present, remote, secret};
use crate::peer::{Peer, provider};

pub(super) fn server(peer: &Peer) -> Server {
    peer.ldaps()
}

pub(super) fn target(servers: [Server; 2], peer: &Peer) -> OpenLdapTarget {
    let mut settings = open_ldap(peer);
    let directory = Directory::new(servers, &peer.account(), PoolSettings::default());
    let refused = OpenLdapTarget::new(directory.clone(), &settings).unwrap_err();
    assert_eq!(refused.field, "settles_seconds");
    settings.settles_seconds = 60;
    settings.people = Some(peer.below("ou=people").to_string());
    OpenLdapTarget::new(directory, &settings).unwrap()
}

async fn has(peer: &Peer, name: &str) -> bool {
    let search = Search::entry(peer.below(&format!("uid={name},ou=jit")));
    peer.as_service().await.read(&search).await.unwrap().is_some()
}

#[tokio::test]
async fn every_request_about_an_account_goes_to_the_server_that_it_was_made_on() {
    let (one, other) = (Peer::start("slapd"), Peer::start("slapd"));
    let forwards = target([server(&one), server(&other)], &one);
    // another node may write them in another order
    let backwards = target([server(&other), server(&one)], &one);
    let (mut on_one, mut on_other) = (0, 0);
    for number in 0..24 {
        let name = format!("jit-{number}");
        let account = made(&forwards, &name, &["ops"], &secret()).await;
        match (has(&one, &name).await, has(&other, &name).await) {
            (true, false) => on_one += 1,
            (false, true) => on_other += 1,
            both => panic!("{both:?}"),
        }
        assert!(matches!(backwards.observe(&account).await.unwrap(), Observed::Ours { .. }));
        let extended = backwards.ensure(&present(&account, &["staff"], None)).await.unwrap();
        assert!(matches!(extended, Effect::Present { .. }));
        let disabled = Desired { remote: account.clone(), state: DesiredState::Disabled };
        assert_eq!(backwards.ensure(&disabled).await.unwrap(), Effect::Disabled);
        assert_eq!(backwards.ensure(&absent(&account)).await.unwrap(), Effect::Absent { was_there: true });
    }
    assert!(on_one > 0 && on_other > 0, "{on_one} {on_other}");
}

#[tokio::test]
async fn a_server_that_stands_in_proves_nothing_by_what_it_does_not_have() {
    let (one, other) = (Peer::start("slapd"), Peer::start("slapd"));
    let target = target([server(&one), server(&other)], &one);
    let mut lost = Vec::new();
    let mut kept = Vec::new();
    for number in 0..24 {
        let name = format!("jit-{number}");
        let account = made(&target, &name, &["ops"], &secret()).await;
        if has(&other, &name).await { kept.push(account) } else { lost.push(account) }
    }
    drop(one);
    for account in &lost {
        let disabled = Desired { remote: account.clone(), state: DesiredState::Disabled };
        for desired in
            [absent(account), disabled, present(account, &[], None), present(account, &[], Some(&secret()))]
        {
            let error = target.ensure(&desired).await.unwrap_err();
            assert_eq!(error.code().as_str(), "target.unseen");
        }
        assert_eq!(target.observe(account).await.unwrap_err().code().as_str(), "target.unseen");
        assert!(!has(&other, &account.name).await, "nothing is made a second time");
    }
    for account in &kept {
        assert_eq!(target.ensure(&absent(account)).await.unwrap(), Effect::Absent { was_there: true });
    }
    // what is new is made where somebody answers, whichever server it would have gone to
    for number in 0..12 {
        let account = made(&target, &format!("new-{number}"), &["ops"], &secret()).await;
        assert!(matches!(target.observe(&account).await.unwrap(), Observed::Ours { .. }));
    }
    assert!(!lost.is_empty() && !kept.is_empty());
}

#[tokio::test]
async fn a_server_that_stands_in_is_not_told_to_forget_whom_it_does_not_know_yet() {
    let (one, other) = (Peer::start("slapd"), Peer::start("slapd"));
    let target = target([server(&one), server(&other)], &one);
    let mut account = made(&target, "jit-0", &["ops"], &secret()).await;
    for number in 1.. {
        if has(&one, &account.name).await {
            break;
        }
        account = made(&target, &format!("jit-{number}"), &["ops"], &secret()).await;
    }
    drop(one);
    // it learned of the group before it learned of the account
    let known = &account.name;
    let names = [format!("uid={known},{}", other.below("ou=jit"))];
    let change = [Modification::Replace(Attribute::new(AttributeName::MEMBER, names))];
    let ops = EntryName::Dn(other.below("cn=ops,ou=groups"));
    other.as_administrator().await.modify(&ops, &change, &[]).await.unwrap();
    let error = target.ensure(&absent(&account)).await.unwrap_err();
    assert_eq!(error.code().as_str(), "target.unseen", "nobody knows whether it is gone");
}

#[tokio::test]
async fn a_new_account_is_made_where_somebody_answers_also_by_a_process_that_nobody_accepted_yet() {
    let (one, other) = (Peer::start("slapd"), Peer::start("slapd"));
    let servers = || [server(&one), server(&other)];
    let (first, last) = (servers(), servers());
    let house = House::behind(std::sync::Arc::new(target(first, &one)), 0).await;
    let target = std::sync::Arc::new(target(last, &one));
    drop(one);
    for number in 0..16 {
        let process = house.in_another_process(target.clone());
        let request = CheckOut { key: Some(format!("key-{number}")), ..process.request("admin", 30) };
        let out = process.jit.check_out(&request).await.unwrap();
        assert!(has(&other, &out.name).await, "{number}");
    }
}

#[tokio::test]
async fn another_server_is_asked_only_when_nothing_was_sent() {
    let (peer, stranger) = (Peer::start("slapd"), Peer::start("slapd"));
    let false_one = Server::ldaps(peer.text("host"), stranger.tls()).port(peer.port("ldaps"));
    let roots = Roots::none().and_pem(&std::fs::read(stranger.text("ca")).unwrap()).unwrap();
    let tls = Tls::new(provider(), roots).unwrap();
    let good = Server::ldaps(stranger.text("host"), tls).port(stranger.port("ldaps"));
    // one whose certificate is wrong was never spoken to: the other one does the work
    let target = target([false_one, good], &stranger);
    for number in 0..8 {
        let mut account = remote(&format!("jit-{number}"));
        let effect = target.ensure(&present(&account, &["ops"], Some(&secret()))).await.unwrap();
        let Effect::Present { native, .. } = effect else { panic!("it is made") };
        account.native = Some(native);
        assert_eq!(target.ensure(&absent(&account)).await.unwrap(), Effect::Absent { was_there: true });
    }
}

/// Somebody who has an account, by name or also by identifier.
pub(super) fn person(name: &str, native: Option<&str>) -> RemoteRef {
    RemoteRef { name: name.to_owned(), place: None, native: native.map(str::to_owned), ..remote(name) }
}

pub(super) type Groups = BTreeSet<RemoteEntitlement>;

pub(super) fn giving(person: &RemoteRef, groups: &Groups) -> Desired {
    let until = SystemClock.now() + chrono::TimeDelta::hours(1);
    let give = groups.iter().map(|group| (group.clone(), until)).collect();
    Desired { remote: person.clone(), state: DesiredState::Holding { give, take: [].into() } }
}

pub(super) fn taking(person: &RemoteRef, groups: &Groups) -> Desired {
    let state = DesiredState::Holding { give: [].into(), take: groups.clone() };
    Desired { remote: person.clone(), state }
}

pub(super) fn done(given: &Groups, taken: &Groups) -> Effect {
    let (given, taken) = (given.clone(), taken.clone());
    Effect::Holding { given, taken, ends: [].into(), repointed: [].into() }
}

#[tokio::test]
async fn what_is_lent_to_a_person_is_taken_where_it_was_given() {
    let (one, other) = (Peer::start("slapd"), Peer::start("slapd"));
    let forwards = target([server(&one), server(&other)], &one);
    let backwards = target([server(&other), server(&one)], &one);
    let asked = [RemoteEntitlement::named("ops")].into();
    let mut lent = Vec::new();
    for name in ["alice", "bob", "carol"] {
        let found = forwards.holdings(&person(name, None), &asked).await.unwrap();
        let Holdings::Found { native, held, lacks } = found else { panic!("{found:?}") };
        assert!(held.is_empty());
        let known = person(name, Some(&native));
        let given = backwards.ensure(&giving(&known, &lacks)).await.unwrap();
        assert_eq!(given, done(&lacks, &[].into()));
        let found = backwards.holdings(&known, &asked).await.unwrap();
        assert_eq!(found, Holdings::Found { native, held: lacks.clone(), lacks: [].into() });
        lent.push((known, lacks));
    }
    drop(one);
    let (mut taken, mut waiting) = (0, 0);
    for (known, groups) in &lent {
        match forwards.ensure(&taking(known, groups)).await {
            Ok(effect) => {
                assert_eq!(effect, done(&[].into(), groups));
                taken += 1;
            }
            Err(error) => {
                // the server that stands in knows nobody of this identifier
                assert_eq!(error.code().as_str(), "target.unseen");
                let found = forwards.holdings(known, &asked).await.unwrap_err();
                assert_eq!(found.code().as_str(), "target.unseen");
                waiting += 1;
            }
        }
    }
    assert_eq!(taken + waiting, lent.len());
}

pub(super) async fn hire(peer: &Peer, name: &str) {
    let text = |kind: AttributeName, value: &str| Attribute::new(kind, [value]);
    let names = [AttributeName::USER_ID, AttributeName::COMMON_NAME, AttributeName::SURNAME];
    let mut attributes = vec![text(AttributeName::OBJECT_CLASS, "inetOrgPerson")];
    attributes.extend(names.map(|kind| text(kind, name)));
    let person = peer.below(&format!("uid={name},ou=people"));
    peer.as_administrator().await.add(&person, &attributes, &[]).await.unwrap();
}

/// Puts somebody into a group for good, as an administrator might, on a server of which the other never hears.
async fn appoint(peer: &Peer, name: &str) {
    let person = peer.below(&format!("uid={name},ou=people")).to_string();
    let member = Modification::Add(Attribute::new(AttributeName::MEMBER, [person]));
    let group = EntryName::Dn(peer.below("cn=ops,ou=groups"));
    peer.as_administrator().await.modify(&group, &[member], &[]).await.unwrap();
}

pub(super) async fn is_member(peer: &Peer, name: &str) -> bool {
    let person = peer.below(&format!("uid={name},ou=people")).to_string();
    let filter = Filter::equals(&AttributeName::MEMBER, person);
    let search = Search::new(peer.below("cn=ops,ou=groups"), Scope::Base, filter);
    peer.as_service().await.read(&search).await.unwrap().is_some()
}

#[tokio::test]
async fn what_a_server_that_stands_in_has_not_heard_of_is_not_counted_as_lent() {
    let (one, other) = (Peer::start("slapd"), Peer::start("slapd"));
    let target = std::sync::Arc::new(target([server(&one), server(&other)], &one));
    let people: Vec<_> = (0..16).map(|number| format!("person-{number}")).collect();
    for name in &people {
        hire(&one, name).await;
        hire(&other, name).await;
        appoint(&one, name).await;
    }
    drop(one);
    let house = House::behind(target, 0).await;
    let (mut lent, mut refused) = (0, 0);
    for name in &people {
        match house.jit.elevate(&house.request("lift-ops", 30), Some(name)).await {
            Ok(_) => lent += 1,
            Err(error) => {
                assert_eq!(error.code().as_str(), "target.unseen");
                assert!(!is_member(&other, name).await, "nothing is lent that may have been there before");
                // nor does it prove that a group is not there
                let ghost =
                    house.jit.elevate(&house.request("lift-ghost", 30), Some(name)).await.unwrap_err();
                assert_eq!(ghost.code().as_str(), "target.unseen");
                refused += 1;
            }
        }
    }
    assert!(refused > 0, "some of {lent} belong to the server that went away");
}

/// A server that follows another one and takes no changes itself.
pub(super) fn follower(of: &Peer) -> Peer {
    Peer::start_as("slapd", &["--follow", &of.port("ldap").to_string()])
}

#[tokio::test]
async fn a_server_that_takes_no_changes_owns_no_account() {
    let one = Peer::start("slapd");
    let mut settings = open_ldap(&one);
    settings.settles_seconds = 60;
    let alone = OpenLdapTarget::new(one.directory(), &settings).unwrap();
    let before = made(&alone, "jit-before", &["ops"], &secret()).await;
    let other = follower(&one);
    for servers in [[server(&one), server(&other)], [server(&other), server(&one)]] {
        let target = target(servers, &one);
        assert!(matches!(target.observe(&before).await.unwrap(), Observed::Ours { .. }));
        for number in 0..16 {
            let account = made(&target, &format!("jit-{number}"), &["ops"], &secret()).await;
            let disabled = Desired { remote: account.clone(), state: DesiredState::Disabled };
            assert_eq!(target.ensure(&disabled).await.unwrap(), Effect::Disabled);
            assert_eq!(target.ensure(&absent(&account)).await.unwrap(), Effect::Absent { was_there: true });
            // what it does not have is believed: it is the server of every account
            assert_eq!(target.ensure(&absent(&account)).await.unwrap(), Effect::Absent { was_there: false });
            assert_eq!(target.observe(&account).await.unwrap(), Observed::Missing);
        }
        for name in ["alice", "bob", "carol"] {
            let asked = [RemoteEntitlement::named("ops")].into();
            let found = target.holdings(&person(name, None), &asked).await.unwrap();
            let Holdings::Found { native, lacks, .. } = found else { panic!("{name} is there") };
            let known = person(name, Some(&native));
            let given = target.ensure(&giving(&known, &lacks)).await.unwrap();
            assert_eq!(given, done(&lacks, &[].into()));
            let taken = target.ensure(&taking(&known, &lacks)).await.unwrap();
            assert_eq!(taken, done(&[].into(), &lacks));
        }
    }
    let target = target([server(&one), server(&other)], &one);
    assert_eq!(target.ensure(&absent(&before)).await.unwrap(), Effect::Absent { was_there: true });
    drop(one);
    for number in 0..8 {
        let account = remote(&format!("new-{number}"));
        let error = target.ensure(&present(&account, &["ops"], Some(&secret()))).await.unwrap_err();
        assert_eq!(error.code().as_str(), "target.unreachable", "the one that takes changes is away");
    }
}

#[tokio::test]
async fn where_no_server_takes_changes_the_answer_says_so() {
    let one = Peer::start("slapd");
    let (two, three) = (follower(&one), follower(&one));
    let alone = OpenLdapTarget::new(two.directory(), &open_ldap(&two)).unwrap();
    let both = target([server(&two), server(&three)], &two);
    for target in [&alone, &both] {
        let error = target.ensure(&present(&remote("jit-1"), &["ops"], Some(&secret()))).await.unwrap_err();
        assert_eq!(error.code().as_str(), "target.read_only");
    }
}
