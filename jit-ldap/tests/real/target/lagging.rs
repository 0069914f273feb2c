//! Servers that have not heard of what is so on others, or take no changes any longer: neither proves that somebody is in no
//! group.

use std::collections::BTreeSet;

use jit_core::*;
use jit_ldap::{Attribute, AttributeName, Dn, EntryName, Modification};

use super::servers::{done, follower, giving, hire, is_member, person, server, taking, target};
use super::unseen::lender;
use crate::peer::Peer;

async fn configure(peer: &Peer, changes: &[Modification]) {
    let database = EntryName::Dn(Dn::parse("olcDatabase={1}mdb,cn=config").unwrap());
    peer.as_configurator().await.modify(&database, changes, &[]).await.unwrap();
}

fn setting(name: &str, values: &[&str]) -> Attribute {
    Attribute::new(AttributeName::new(name).unwrap(), values.iter().copied())
}

/// Lets a server that followed another one take changes itself, and hear of no others.
async fn promote(peer: &Peer) {
    let gone = |name| Modification::Delete(setting(name, &[]));
    configure(peer, &[gone("olcUpdateRef"), gone("olcSyncrepl")]).await;
}

/// Lets a server follow one that is not there, and take no changes: it names nobody who does.
async fn demote(peer: &Peer) {
    let follow = format!(
        "rid=1 provider=ldap://127.0.0.1:1 type=refreshOnly retry=\"3600 +\" searchbase=\"{}\" bindmethod=simple",
        peer.base()
    );
    configure(peer, &[Modification::Add(setting("olcSyncrepl", &[&follow]))]).await;
}

/// Removes a group, and makes another one under its name.
async fn make_anew(peer: &Peer, group: &str) {
    let dn = peer.below(&format!("cn={group},ou=groups"));
    let nobody = peer.below("cn=nobody").to_string();
    let attributes = [
        Attribute::new(AttributeName::OBJECT_CLASS, ["groupOfNames"]),
        Attribute::new(AttributeName::COMMON_NAME, [group]),
        Attribute::new(AttributeName::MEMBER, [nobody.as_str()]),
    ];
    let mut administrator = peer.as_administrator().await;
    administrator.delete(&EntryName::from(&dn), &[]).await.unwrap();
    administrator.add(&dn, &attributes, &[]).await.unwrap();
}

#[tokio::test]
async fn a_group_that_a_server_which_stands_in_has_not_heard_of_is_not_one_that_was_removed() {
    let one = Peer::start("slapd");
    let people: Vec<_> = (0..12).map(|number| format!("person-{number}")).collect();
    for name in &people {
        hire(&one, name).await;
    }
    let other = follower(&one);
    promote(&other).await;
    make_anew(&one, "ops").await;
    let target = target([server(&one), server(&other)], &one);
    let asked = BTreeSet::from([RemoteEntitlement::named("ops")]);
    let mut lent = Vec::new();
    for name in &people {
        let found = target.holdings(&person(name, None), &asked).await.unwrap();
        let Holdings::Found { native, lacks, .. } = found else { panic!("{name} is there") };
        let known = person(name, Some(&native));
        assert_eq!(target.ensure(&giving(&known, &lacks)).await.unwrap(), done(&lacks, &[].into()));
        if is_member(&one, name).await {
            lent.push((known, lacks));
        }
    }
    assert!(!lent.is_empty() && lent.len() < people.len());
    drop(one);
    for (known, groups) in &lent {
        let error = target.ensure(&taking(known, groups)).await.unwrap_err();
        assert_eq!(error.code().as_str(), "target.unseen", "{}: there they are in it", known.name);
    }
}

#[tokio::test]
async fn a_server_that_takes_no_changes_any_longer_does_not_prove_that_somebody_is_in_no_group() {
    let peer = Peer::start("slapd");
    let target = lender(&peer, None);
    let asked = BTreeSet::from([RemoteEntitlement::named("ops")]);
    let found = target.holdings(&person("alice", None), &asked).await.unwrap();
    let Holdings::Found { native, lacks, .. } = found else { panic!("she is there") };
    let known = person("alice", Some(&native));
    // it takes changes
    assert_eq!(target.ensure(&giving(&known, &lacks)).await.unwrap(), done(&lacks, &[].into()));
    assert_eq!(target.ensure(&taking(&known, &lacks)).await.unwrap(), done(&[].into(), &lacks));
    demote(&peer).await;
    // by the server above it she is in it again, of which this one has not heard
    let error = target.ensure(&taking(&known, &lacks)).await.unwrap_err();
    assert_eq!(error.code().as_str(), "target.read_only");
}
