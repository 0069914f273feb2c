//! Groups that were to follow their members and do not: whoever gets a name next would be in them.

use std::num::NonZeroUsize;
use std::sync::Arc;

use chrono::TimeDelta;
use jit_core::*;
use jit_ldap::{Attribute, AttributeName, Dn, EntryName, Modification, OpenLdapTarget, Search};

use super::house::{House, World, absent, made, open_ldap, present, secret, stranger, tenant};
use super::kills::{killed_at, let_it_land};
use super::unseen::hide_of;
use crate::peer::Peer;

/// An OpenLDAP without the overlay that the settings speak of.
pub(crate) fn unfollowed() -> World {
    World::OpenLdap(Box::new(Peer::start_as("slapd", &["--unfollowed"])))
}

/// The same, and a house that lends there.
async fn lending() -> (World, House) {
    let world = unfollowed();
    let house = House::behind(world.target(), 0).await;
    (world, house)
}

const GROUPS: [&str; 2] = ["ops", "staff"];

async fn names(world: &World, dn: &Dn) -> [bool; 2] {
    [world.is_member("ops", dn).await, world.is_member("staff", dn).await]
}

/// What the server says of when each group was changed last.
async fn stamps(world: &World) -> Vec<Option<String>> {
    let stamp = AttributeName::new("entryCSN").unwrap();
    let mut stamps = Vec::new();
    for group in GROUPS {
        let search = Search::entry(world.group(group)).attributes([stamp.clone()]);
        let entry = world.peer().as_administrator().await.read(&search).await.unwrap().unwrap();
        stamps.push(entry.text(&stamp).map(str::to_owned));
    }
    stamps
}

/// Makes these the only members of a group.
async fn set_members(world: &World, group: &str, members: &[&Dn]) {
    let names = members.iter().map(ToString::to_string);
    let change = [Modification::Replace(Attribute::new(AttributeName::MEMBER, names))];
    world.peer().as_administrator().await.modify(&world.group(group), &change, &[]).await.unwrap();
}

#[tokio::test]
async fn whoever_is_removed_is_taken_out_of_groups_that_do_not_follow() {
    let (world, house) = lending().await;
    for is_moved in [false, true] {
        let out = house.out(30).await;
        let mut dn = world.dn(&out.name);
        if is_moved {
            let unit = world.peer().below("ou=moved,ou=jit");
            let text = |kind: AttributeName, value: &str| Attribute::new(kind, [value]);
            let class = text(AttributeName::OBJECT_CLASS, "organizationalUnit");
            let attributes = [class, text(AttributeName::new("ou").unwrap(), "moved")];
            let mut administrator = world.administrator().await;
            administrator.add(&unit, &attributes, &[]).await.unwrap();
            let (before, rdn) = (EntryName::from(&dn), dn.rdn().unwrap().clone());
            administrator.rename(&before, &rdn, false, Some(&unit), &[]).await.unwrap();
            dn = unit.child(rdn);
            world.appoint("ops", &dn).await;
        }
        assert_eq!(house.check_in(out.lease).await.unwrap().phase.word(), "gone", "{is_moved}");
        assert!(!world.exists(&dn).await);
        for dn in [&dn, &world.dn(&out.name)] {
            assert_eq!(names(&world, dn).await, [false; 2], "{is_moved} {dn}");
        }
    }
}

#[tokio::test]
async fn what_somebody_else_removed_is_taken_out_of_groups_and_never_twice() {
    let (world, house) = lending().await;
    let out = house.out(30).await;
    let dn = world.dn(&out.name);
    // as a process leaves it that dies once the account is removed
    world.dismiss(&dn).await;
    assert_eq!(names(&world, &dn).await, [true; 2]);
    house.clock.advance(TimeDelta::minutes(31));
    house.work().await;
    assert_eq!(names(&world, &dn).await, [false; 2]);
    let before = stamps(&world).await;
    for _ in 0..3 {
        assert_eq!(house.an_hour_later().await, WorkReport::default(), "nothing is left to do");
    }
    assert_eq!(stamps(&world).await, before);
}

#[tokio::test]
async fn no_kill_leaves_a_name_in_a_group() {
    let (world, house) = lending().await;
    let (mut killed, mut whole) = (0, 0);
    for round in 0..40 {
        let out = house.out(30).await;
        match killed_at(round % 20, Box::pin(house.check_in(out.lease))).await {
            Some(_) => whole += 1,
            None => killed += 1,
        }
        let_it_land(&world).await;
        house.clock.advance(TimeDelta::minutes(31));
        for _ in 0..3 {
            house.work().await;
            house.clock.advance(TimeDelta::hours(1));
        }
        let dn = world.dn(&out.name);
        assert!(!world.exists(&dn).await, "{round}");
        assert_eq!(names(&world, &dn).await, [false; 2], "{round}");
        let before = stamps(&world).await;
        assert_eq!(house.work().await, WorkReport::default(), "{round}: a second recovery does nothing");
        assert_eq!(stamps(&world).await, before, "{round}");
    }
    assert!(killed > 0 && whole > 0, "{killed} {whole}");
}

#[tokio::test]
async fn whoever_has_the_name_by_now_stays_in_the_groups() {
    let (world, house) = lending().await;
    let out = house.out(30).await;
    let dn = world.dn(&out.name);
    world.dismiss(&dn).await;
    world.administrator().await.add(&dn, &stranger(&world, &out.name), &[]).await.unwrap();
    assert_eq!(house.check_in(out.lease).await.unwrap().phase.word(), "gone");
    assert!(world.exists(&dn).await);
    assert_eq!(names(&world, &dn).await, [true; 2]);
}

#[tokio::test]
async fn a_group_that_keeps_a_name_is_told_until_it_does_not() {
    let (world, house) = lending().await;
    let nobody = world.peer().below("cn=nobody");
    let out = house.out(30).await;
    let dn = world.dn(&out.name);
    // a group of this class must name somebody
    set_members(&world, "ops", &[&dn]).await;
    let lease = house.check_in(out.lease).await.unwrap();
    assert!(!world.exists(&dn).await);
    assert_eq!((lease.phase.word(), lease.alarms), ("ending", 1));
    assert_eq!(lease.proof.map(|proof| proof.seen), Some(Seeing::Absent), "the account is gone");
    assert_eq!(names(&world, &dn).await, [true, false], "what can be taken is");
    for _ in 0..3 {
        assert_eq!(house.an_hour_later().await.failed, 1, "it comes again");
    }
    set_members(&world, "ops", &[&nobody, &dn]).await;
    assert_eq!(house.an_hour_later().await.failed, 0);
    assert_eq!(names(&world, &dn).await, [false; 2]);
    let limit = NonZeroUsize::new(100).unwrap();
    let query = AuditQuery { tenant: tenant(), account: None, after: None, latest_first: false, limit };
    let trail = house.store.events(&query).await.unwrap().items;
    let told: Vec<_> = trail.iter().filter(|event| event.action.as_str() == "lease.still_named").collect();
    let [told] = told.as_slice() else { panic!("told once: {told:?}") };
    assert!(told.changes.contains(&"named by ops".to_owned()), "{:?}", told.changes);
    assert!(trail.iter().any(|event| event.action.as_str() == "lease.overdue_over"));
}

#[tokio::test]
async fn what_cannot_be_taken_out_of_a_group_is_told_by_its_name() {
    for (follows, code) in [(true, "ldap.access_denied"), (false, "ldap.schema_violation")] {
        let world = unfollowed();
        let mut settings = open_ldap(world.peer());
        settings.groups_follow = follows;
        settings.people = settings.people.filter(|_| follows);
        let target = OpenLdapTarget::new(world.peer().directory(), &settings).unwrap();
        let known = made(&target, "jit-kept", &["ops"], &secret()).await;
        let dn = world.dn("jit-kept");
        if follows {
            hide_of(world.peer(), "exact", "cn=ops,ou=groups", "member").await;
        } else {
            set_members(&world, "ops", &[&dn]).await;
        }
        let kept = Effect::Named { by: ["ops".to_owned()].into(), why: Code::new(code) };
        for turn in ["removed", "gone"] {
            assert_eq!(target.ensure(&absent(&known)).await.unwrap(), kept, "{turn} {code}");
            assert!(!world.exists(&dn).await);
        }
    }
}

#[tokio::test]
async fn a_group_that_an_account_was_not_given_keeps_it_from_nothing() {
    let (world, house) = lending().await;
    let out = house.jit.check_out(&house.request("ops", 30)).await.unwrap();
    hide_of(world.peer(), "exact", "cn=staff,ou=groups", "member").await;
    assert_eq!(house.check_in(out.lease).await.unwrap().phase.word(), "gone");
    assert_eq!(names(&world, &world.dn(&out.name)).await, [false; 2]);
}

#[tokio::test]
async fn a_group_that_is_not_there_keeps_nobody_from_being_gone() {
    let world = unfollowed();
    let mut settings = open_ldap(world.peer());
    settings.groups.insert("lost".into(), world.peer().below("cn=ops,ou=nowhere").to_string());
    let target: Arc<dyn Target> = Arc::new(OpenLdapTarget::new(world.peer().directory(), &settings).unwrap());
    let known = made(target.as_ref(), "jit-alone", &["staff"], &secret()).await;
    for was_there in [true, false] {
        assert_eq!(target.ensure(&absent(&known)).await.unwrap(), Effect::Absent { was_there });
    }
    let again = target.ensure(&present(&RemoteRef { native: None, ..known }, &[], Some(&secret()))).await;
    assert!(matches!(again.unwrap(), Effect::Present { .. }));
}
