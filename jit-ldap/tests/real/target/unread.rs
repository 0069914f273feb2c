//! What our account may see and not read: that it is what we look for is not told, nor that it is not.

use std::sync::Arc;

use chrono::TimeDelta;
use jit_core::*;
use jit_ldap::{Attribute, AttributeName, Dn, EntryName, Modification, Search};

use super::custom::without_controls;
use super::house::{House, World, absent, made, secret, stranger, tenant};
use super::unseen::{
    PEOPLE, ends_once_shown, hide_identifier, hide_of, lender, loses_once_shown, rename, reveal,
    stays_while_hidden,
};
use crate::peer::Peer;

fn disabled(remote: &RemoteRef) -> Desired {
    Desired { remote: remote.clone(), state: DesiredState::Disabled }
}

#[tokio::test]
async fn an_account_whose_identifier_we_may_not_read_any_longer_is_not_called_gone() {
    let world = World::open_ldap();
    let (peer, house) = (world.peer(), House::behind(world.target(), 0).await);
    for is_renamed in [false, true] {
        let out = house.out(30).await;
        let mut dn = world.dn(&out.name);
        hide_identifier(peer, "subtree", "ou=jit").await;
        if is_renamed {
            dn = rename(peer, &dn, "somebody").await;
        }
        let longer = house.jit.extend(None, &tenant(), out.lease, TimeDelta::hours(2), house.by()).await;
        assert_eq!(longer.unwrap_err().code().as_str(), "target.forbidden", "{is_renamed}");
        house.clock.advance(TimeDelta::minutes(3));
        let how = if is_renamed { "renamed" } else { "hidden" };
        stays_while_hidden(peer, &house, &out, &dn, how).await;
        ends_once_shown(&world, &house, &dn, how).await;
    }
}

#[tokio::test]
async fn what_can_be_asked_about_an_account_says_nothing_of_one_whose_identifier_is_hidden() {
    let world = World::open_ldap();
    let peer = world.peer();
    let both: [Arc<dyn Target>; 2] = [world.target(), Arc::new(without_controls(peer))];
    for (number, target) in both.iter().enumerate() {
        // in no group: nothing else names it
        let known = made(target.as_ref(), &format!("jit-{number}"), &[], &secret()).await;
        hide_identifier(peer, "subtree", "ou=jit").await;
        let codes = [
            target.observe(&known).await.unwrap_err().code(),
            target.ensure(&disabled(&known)).await.unwrap_err().code(),
            target.ensure(&absent(&known)).await.unwrap_err().code(),
            target.show(&known).await.unwrap_err().code(),
        ];
        assert!(codes.iter().all(|code| code.as_str() == "target.forbidden"), "{number} {codes:?}");
        reveal(peer).await;
        assert!(matches!(target.observe(&known).await.unwrap(), Observed::Ours { enabled: true, .. }));
        for was_there in [true, false] {
            assert_eq!(target.ensure(&absent(&known)).await.unwrap(), Effect::Absent { was_there });
        }
        assert_eq!(target.observe(&known).await.unwrap(), Observed::Missing);
    }
}

/// Puts an entry back as from a backup: with all that it had, and another identifier.
async fn restore(peer: &Peer, dn: &Dn) {
    let mut administrator = peer.as_administrator().await;
    let search = Search::entry(dn).attributes([AttributeName::ALL_USER]);
    let entry = administrator.read(&search).await.unwrap().unwrap();
    administrator.delete(&EntryName::from(dn), &[]).await.unwrap();
    administrator.add(dn, entry.attributes(), &[]).await.unwrap();
}

#[tokio::test]
async fn an_account_that_was_put_back_from_a_backup_is_ended_under_the_identifier_that_it_has_by_now() {
    let world = World::open_ldap();
    let (peer, house) = (world.peer(), House::behind(world.target(), 0).await);
    for is_hidden in [false, true] {
        let out = house.out(30).await;
        let dn = world.dn(&out.name);
        restore(peer, &dn).await;
        assert_eq!(peer.bind(&dn.to_string(), out.secret.reveal()).await, "fine");
        if is_hidden {
            hide_identifier(peer, "subtree", "ou=jit").await;
            stays_while_hidden(peer, &house, &out, &dn, "put back").await;
            ends_once_shown(&world, &house, &dn, "put back").await;
        } else {
            assert_eq!(house.check_in(out.lease).await.unwrap().phase.word(), "gone");
        }
        assert!(!world.exists(&dn).await, "{is_hidden}");
    }
}

#[tokio::test]
async fn another_one_of_its_name_keeps_no_account_from_being_gone() {
    let world = World::open_ldap();
    let house = House::behind(world.target(), 0).await;
    let out = house.out(30).await;
    let dn = world.dn(&out.name);
    world.dismiss(&dn).await;
    let heir = stranger(&world, &out.name);
    world.administrator().await.add(&dn, &heir, &[]).await.unwrap();
    world.appoint("ops", &dn).await;
    assert_eq!(house.check_in(out.lease).await.unwrap().phase.word(), "gone");
    assert!(world.exists(&dn).await && world.is_member("ops", &dn).await);
}

#[tokio::test]
async fn a_person_whose_identifier_we_may_not_read_any_longer_is_not_called_gone() {
    let world = World::open_ldap();
    let house = House::behind(lender(world.peer(), None), 0).await;
    for (what, dn) in PEOPLE {
        let hidden = async |peer: &Peer| {
            hide_identifier(peer, what, dn).await;
            1
        };
        loses_once_shown(&world, &house, "ops", hidden).await;
    }
}

/// A group of a class that may have members and need not.
async fn loose_group(peer: &Peer, name: &str) {
    let text = |kind: AttributeName, values: &[&str]| Attribute::new(kind, values.iter().copied());
    let attributes = [
        text(AttributeName::OBJECT_CLASS, &["organizationalRole", "extensibleObject"]),
        text(AttributeName::COMMON_NAME, &[name]),
    ];
    let dn = peer.below(&format!("cn={name},ou=groups"));
    peer.as_administrator().await.add(&dn, &attributes, &[]).await.unwrap();
}

#[tokio::test]
async fn a_group_that_does_not_show_its_members_is_not_one_that_names_nobody() {
    let world = World::open_ldap();
    let peer = world.peer();
    loose_group(peer, "ghost").await;
    let house = House::behind(lender(peer, None), 0).await;
    for group in ["ops", "ghost"] {
        let hidden = async |peer: &Peer| {
            hide_of(peer, "exact", &format!("cn={group},ou=groups"), "member").await;
            hide_identifier(peer, "exact", "uid=alice,ou=people").await;
            2
        };
        loses_once_shown(&world, &house, group, hidden).await;
    }
}

#[tokio::test]
async fn whoever_is_gone_from_a_group_that_is_empty_by_now_is_called_gone() {
    let world = World::open_ldap();
    let peer = world.peer();
    loose_group(peer, "ghost").await;
    let house = House::behind(lender(peer, None), 0).await;
    let lent = house.jit.elevate(&house.request("lift-ghost", 30), Some("alice")).await.unwrap();
    peer.as_administrator()
        .await
        .delete(&EntryName::Dn(peer.below("uid=alice,ou=people")), &[])
        .await
        .unwrap();
    // the directory put a name there, lest the group be empty
    let none = Attribute::new(AttributeName::MEMBER, Vec::<Vec<u8>>::new());
    let empty = [Modification::Replace(none)];
    peer.as_administrator().await.modify(&world.group("ghost"), &empty, &[]).await.unwrap();
    assert_eq!(house.check_in(lent.lease).await.unwrap().phase.word(), "gone");
}
