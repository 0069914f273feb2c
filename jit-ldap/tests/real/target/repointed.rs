//! The table points the name of a group at another one while it is lent, or loses it; or the group is renamed, moved or made
//! anew: what was lent is taken where it was lent, and what people have by themselves stays.

use std::sync::Arc;

use chrono::TimeDelta;
use jit_core::{Target, UserStore as _};
use jit_ldap::{Attribute, AttributeName, Dn, EntryName, OpenLdapTarget, Rdn};

use super::house::{House, World, open_ldap, tenant};
use super::unseen::{hide_identifier, reveal};
use crate::peer::Peer;

impl House {
    fn behind_another_table(&self, target: Arc<dyn Target>) -> Self {
        self.anew(Arc::clone(&self.store), target)
    }
}

#[tokio::test]
async fn a_name_that_is_pointed_at_another_group_takes_nobody_out_of_that() {
    for world in World::both().await {
        let (house, dn) = (House::behind(world.target(), 0).await, world.hire("moved-anna").await);
        world.appoint("staff", &dn).await;
        let lent = house.lift("lift-ops", 30, "moved-anna").await.unwrap();
        let after = house.behind_another_table(world.target_pointed_elsewhere("ops", "staff"));
        let longer = after.jit.extend(None, &tenant(), lent.lease, TimeDelta::hours(1), after.by()).await;
        assert_eq!(longer.unwrap_err().code().as_str(), "target.entitlement");
        house.clock.advance(TimeDelta::minutes(3));
        assert_eq!(after.check_in(lent.lease).await.unwrap().phase.word(), "gone");
        assert!(!world.is_member("ops", &dn).await, "there it was lent");
        assert!(world.is_member("staff", &dn).await, "there they were before");
        world.dismiss(&dn).await;
    }
}

#[tokio::test]
async fn leases_of_one_name_that_stood_for_two_groups_do_not_end_each_other() {
    for world in World::both().await {
        let (house, dn) = (House::behind(world.target(), 0).await, world.hire("moved-bert").await);
        let first = house.lift("lift-ops", 30, "moved-bert").await.unwrap();
        let after = house.behind_another_table(world.target_pointed_elsewhere("ops", "staff"));
        let second = after.lift("lift-ops", 60, "moved-bert").await.unwrap();
        assert!(world.is_member("ops", &dn).await && world.is_member("staff", &dn).await);
        after.check_in(first.lease).await.unwrap();
        assert!(!world.is_member("ops", &dn).await && world.is_member("staff", &dn).await);
        after.check_in(second.lease).await.unwrap();
        assert!(!world.is_member("staff", &dn).await);
        world.dismiss(&dn).await;
    }
}

/// A table without the group.
fn struck(peer: &Peer) -> Arc<dyn Target> {
    let mut settings = open_ldap(peer);
    settings.groups.remove("ops").unwrap();
    Arc::new(OpenLdapTarget::new(peer.directory(), &settings).unwrap())
}

async fn is_in(peer: &Peer, group: &str, person: &Dn) -> bool {
    let filter = jit_ldap::Filter::equals(&AttributeName::MEMBER, person.to_string());
    let search = jit_ldap::Search::new(peer.below(group), jit_ldap::Scope::Base, filter);
    peer.as_service().await.read(&search).await.unwrap().is_some()
}

#[tokio::test]
async fn a_group_that_was_renamed_and_struck_from_the_table_is_left_by_whoever_was_lent_it() {
    let world = World::open_ldap();
    let peer = world.peer();
    let (house, dn) = (House::behind(world.target(), 0).await, world.hire("moved-carl").await);
    for is_struck in [false, true] {
        let lent = house.lift("lift-ops", 30, "moved-carl").await.unwrap();
        let (ops, elsewhere) = (EntryName::Dn(peer.below("cn=ops,ou=groups")), peer.below("ou=jit"));
        let mut administrator = peer.as_administrator().await;
        let operations = Rdn::new("cn", "operations").unwrap();
        administrator.rename(&ops, &operations, true, Some(&elsewhere), &[]).await.unwrap();
        assert!(is_in(peer, "cn=operations,ou=jit", &dn).await);
        let now = if is_struck {
            house.behind_another_table(struck(peer))
        } else {
            house.anew(house.store.clone(), world.target())
        };
        assert_eq!(now.check_in(lent.lease).await.unwrap().phase.word(), "gone", "{is_struck}");
        assert!(!is_in(peer, "cn=operations,ou=jit", &dn).await, "{is_struck}");
        let (name, groups) = (EntryName::Dn(peer.below("cn=operations,ou=jit")), peer.below("ou=groups"));
        administrator.rename(&name, &Rdn::new("cn", "ops").unwrap(), true, Some(&groups), &[]).await.unwrap();
    }
    world.dismiss(&dn).await;
}

/// A group that an administrator makes, with somebody in it for good.
async fn make_group(peer: &Peer, name: &str, person: &Dn) {
    let text = |kind: AttributeName, value: &str| Attribute::new(kind, [value]);
    let members = [peer.below("cn=nobody").to_string(), person.to_string()];
    let group = [
        text(AttributeName::OBJECT_CLASS, "groupOfNames"),
        text(AttributeName::COMMON_NAME, name),
        Attribute::new(AttributeName::MEMBER, members),
    ];
    let dn = peer.below(&format!("cn={name},ou=groups"));
    peer.as_administrator().await.add(&dn, &group, &[]).await.unwrap();
}

#[tokio::test]
async fn a_group_that_was_made_after_it_could_not_be_lent_keeps_its_own_members() {
    let world = World::open_ldap();
    let (house, dn) = (House::behind(world.target(), 0).await, world.hire("moved-emma").await);
    let refused = house.lift("lift-ghost", 30, "moved-emma").await.unwrap_err();
    assert_eq!(refused.code().as_str(), "target.entitlement");
    make_group(world.peer(), "ghost", &dn).await;
    for _ in 0..3 {
        assert_eq!(house.an_hour_later().await.failed, 0);
    }
    assert!(world.is_member("ghost", &dn).await, "nobody was ever put there by us");
    world.dismiss(&dn).await;
}

#[tokio::test]
async fn a_group_that_was_made_anew_under_the_same_name_keeps_its_own_members() {
    let world = World::open_ldap();
    let peer = world.peer();
    let (house, dn) = (House::behind(world.target(), 0).await, world.hire("moved-dina").await);
    let lent = house.lift("lift-ops", 30, "moved-dina").await.unwrap();
    let ops = peer.below("cn=ops,ou=groups");
    let mut administrator = peer.as_administrator().await;
    administrator.delete(&EntryName::from(&ops), &[]).await.unwrap();
    assert_eq!(
        house.check_in(lent.lease).await.unwrap().phase.word(),
        "ending",
        "nobody can tell where it is"
    );
    make_group(peer, "ops", &dn).await;
    for _ in 0..3 {
        assert_eq!(house.an_hour_later().await.failed, 0);
    }
    let kept = house.store.get(&tenant(), lent.lease).await.unwrap().unwrap();
    assert!(!kept.lease.unwrap().is_live());
    assert!(world.is_member("ops", &dn).await, "an administrator put them there");
    world.dismiss(&dn).await;
}

#[tokio::test]
async fn one_group_that_is_written_in_two_ways_is_shared_where_its_identifier_cannot_be_read() {
    let world = World::open_ldap();
    let peer = world.peer();
    hide_identifier(peer, "exact", "cn=ops,ou=groups").await;
    let (house, dn) = (House::behind(world.target(), 0).await, world.hire("moved-finn").await);
    let first = house.lift("lift-ops", 30, "moved-finn").await.unwrap();
    let mut settings = open_ldap(peer);
    settings.groups.insert("ops".into(), peer.below("2.5.4.3=OPS,ou=groups").to_string());
    let rewritten = Arc::new(OpenLdapTarget::new(peer.directory(), &settings).unwrap());
    let after = house.behind_another_table(rewritten);
    let second = after.lift("lift-ops", 60, "moved-finn").await.unwrap();
    assert_eq!(after.check_in(first.lease).await.unwrap().phase.word(), "gone");
    assert!(world.is_member("ops", &dn).await, "the second lease still needs it");
    assert_eq!(after.check_in(second.lease).await.unwrap().phase.word(), "gone");
    assert!(!world.is_member("ops", &dn).await);
    world.dismiss(&dn).await;
}

#[tokio::test]
async fn one_group_is_shared_though_its_identifier_could_be_read_for_one_lease_alone() {
    let world = World::open_ldap();
    let (peer, ops) = (world.peer(), "cn=ops,ou=groups");
    let (house, dn) = (House::behind(world.target(), 0).await, world.hire("moved-gina").await);
    for first_is_hidden in [true, false] {
        if first_is_hidden {
            hide_identifier(peer, "exact", ops).await;
        }
        let first = house.lift("lift-ops", 30, "moved-gina").await.unwrap();
        if first_is_hidden {
            reveal(peer).await;
            let longer =
                house.jit.extend(None, &tenant(), first.lease, TimeDelta::hours(1), house.by()).await;
            longer.expect("it is the same group");
            house.clock.advance(TimeDelta::minutes(3));
        } else {
            hide_identifier(peer, "exact", ops).await;
            let refused = house.lift("lift-ops", 60, "moved-gina").await.unwrap_err();
            assert_eq!(refused.code().as_str(), "target.entitlement", "it may be another one by now");
            reveal(peer).await;
        }
        let second = house.lift("lift-ops", 60, "moved-gina").await.unwrap();
        assert_eq!(house.check_in(first.lease).await.unwrap().phase.word(), "gone");
        assert!(world.is_member("ops", &dn).await, "the second lease still needs it");
        assert_eq!(house.check_in(second.lease).await.unwrap().phase.word(), "gone");
        assert!(!world.is_member("ops", &dn).await);
    }
    world.dismiss(&dn).await;
}
