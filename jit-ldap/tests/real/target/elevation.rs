//! Groups that are lent to the accounts of people: given, shared, taken, and nothing else of theirs touched.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::TimeDelta;
use jit_core::*;
use jit_ldap::{
    ActiveDirectoryTarget, Attribute, AttributeName, Dn, EntryName, Modification, OpenLdapTarget, Rdn,
};

use super::house::{House, World, open_ldap, remote, tenant, windows};
use super::kills::{PATIENCE, killed_at, let_it_land, waits};
use crate::peer::Peer;

impl World {
    /// Where a new person is put: where we may make them, or an administrator does.
    fn person(&self, name: &str) -> Dn {
        match self {
            Self::OpenLdap(peer) => peer.below(&format!("uid={name},ou=jit")),
            Self::Windows(peer) => peer.below(&format!("CN={name},OU=People")),
        }
    }

    pub(crate) async fn hire(&self, name: &str) -> Dn {
        self.hire_as(name, name).await
    }

    /// Makes an entry of this name; in Windows whoever it is logs in by another one.
    async fn hire_as(&self, name: &str, login: &str) -> Dn {
        let dn = self.person(name);
        let text = |kind: AttributeName, value: &str| Attribute::new(kind, [value]);
        let attributes = match self {
            Self::OpenLdap(_) => vec![
                text(AttributeName::OBJECT_CLASS, "inetOrgPerson"),
                text(AttributeName::USER_ID, name),
                text(AttributeName::COMMON_NAME, name),
                text(AttributeName::SURNAME, name),
            ],
            Self::Windows(_) => {
                vec![text(AttributeName::OBJECT_CLASS, "user"), text(AttributeName::SAM_ACCOUNT_NAME, login)]
            }
        };
        self.administrator().await.add(&dn, &attributes, &[]).await.unwrap();
        dn
    }

    pub(crate) async fn dismiss(&self, dn: &Dn) {
        self.administrator().await.delete(&EntryName::from(dn), &[]).await.unwrap();
    }

    /// Puts somebody into a group for good, as an administrator might.
    pub(crate) async fn appoint(&self, group: &str, person: &Dn) {
        let group = EntryName::Dn(self.peer().below(&format!("CN={group},OU=groups")));
        let member = Attribute::new(AttributeName::MEMBER, [person.to_string()]);
        self.administrator().await.modify(&group, &[Modification::Add(member)], &[]).await.unwrap();
    }
}

impl House {
    pub(crate) async fn lift(&self, role: &str, minutes: i64, name: &str) -> Result<Elevated, JitError> {
        self.jit.elevate(&self.request(role, minutes), Some(name)).await
    }
}

#[tokio::test]
async fn a_person_is_in_a_group_until_the_end_and_stays_where_they_were() {
    for world in World::both().await {
        let (house, dn) = (House::behind(world.target(), 0).await, world.hire("lent-dora").await);
        world.appoint("staff", &dn).await;
        let lent = house.lift("lift", 30, "lent-dora").await.unwrap();
        assert_eq!((lent.unattended, lent.sessions_survive), (UnattendedEnd::LibraryOnly, true));
        assert!(world.is_member("ops", &dn).await && world.is_member("staff", &dn).await);
        house.jit.extend(None, &tenant(), lent.lease, TimeDelta::hours(1), house.by()).await.unwrap();
        house.clock.advance(TimeDelta::minutes(61));
        assert_eq!(house.work().await.failed, 0);
        assert!(!world.is_member("ops", &dn).await && world.is_member("staff", &dn).await);
        world.dismiss(&dn).await;
    }
}

#[tokio::test]
async fn two_leases_share_a_group_and_a_new_name_does_not_matter() {
    for world in World::both().await {
        let (house, dn) = (House::behind(world.target(), 0).await, world.hire("lent-emil").await);
        let first = house.lift("lift", 30, "lent-emil").await.unwrap();
        let second = house.lift("lift-ops", 60, "lent-emil").await.unwrap();
        let kind = dn.rdn().unwrap().single().unwrap().0.to_owned();
        let rdn = Rdn::new(&kind, "lent-emilia").unwrap();
        let after = dn.parent().unwrap().child(rdn.clone());
        let mut administrator = world.administrator().await;
        administrator.rename(&EntryName::from(&dn), &rdn, false, None, &[]).await.unwrap();
        // somebody else has the old name by now, and is in the group for good
        let heir = world.hire_as("lent-emil", "lent-heir").await;
        world.appoint("ops", &heir).await;

        house.check_in(first.lease).await.unwrap();
        assert!(world.is_member("ops", &after).await && !world.is_member("staff", &after).await);
        let lease = house.check_in(second.lease).await.unwrap();
        assert_eq!(lease.phase.word(), "gone");
        assert!(!world.is_member("ops", &after).await && world.is_member("ops", &heir).await);
        world.dismiss(&after).await;
        world.dismiss(&heir).await;
    }
}

#[tokio::test]
async fn who_is_gone_takes_along_what_was_lent_and_an_heir_of_the_name_is_not_touched() {
    for world in World::both().await {
        let (house, dn) = (House::behind(world.target(), 0).await, world.hire("lent-fritz").await);
        let lent = house.lift("lift-ops", 30, "lent-fritz").await.unwrap();
        world.dismiss(&dn).await;
        assert_eq!(world.hire("lent-fritz").await, dn);
        assert!(!world.is_member("ops", &dn).await, "the name inherits nothing");
        world.appoint("ops", &dn).await;
        let lease = house.check_in(lent.lease).await.unwrap();
        assert_eq!(lease.phase.word(), "gone");
        assert!(world.is_member("ops", &dn).await);
        world.dismiss(&dn).await;
    }
}

#[tokio::test]
async fn who_cannot_be_elevated_and_what_must_not_be_given_is_refused() {
    for world in World::both().await {
        let house = House::behind(world.target(), 0).await;
        let (made, dn) = (house.out(30).await, world.hire("lent-gustav").await);
        let mut asked = vec![
            ("lift", "nobody-there", "lease.unknown_account"),
            ("lift", "lent-gustav*", "lease.unknown_account"),
            ("lift", "lent-gustav ", "target.name"),
            ("lift", "lent-gustav\0", "target.name"),
            // a group bears this name
            ("lift", "staff", "lease.unknown_account"),
            ("lift-ghost", "lent-gustav", "target.entitlement"),
            ("lift-unknown", "lent-gustav", "target.entitlement"),
        ];
        if matches!(world, World::Windows(_)) {
            // it lies outside of where people are
            asked.push(("lift", made.name.as_str(), "lease.unknown_account"));
            asked.push(("lift-rulers", "lent-gustav", "target.entitlement"));
        } else {
            asked.push(("lift", made.name.as_str(), "lease.account_is_lent"));
        }
        for (role, name, code) in asked {
            let error = house.lift(role, 30, name).await.unwrap_err();
            assert_eq!(error.code().as_str(), code, "{role} {name}: {error:?}");
        }
        assert!(!world.is_member("ops", &dn).await && !world.is_member("staff", &dn).await);
        house.check_in(made.lease).await.unwrap();
        world.dismiss(&dn).await;
    }
}

#[tokio::test]
async fn who_writes_a_mark_of_ours_into_their_own_entry_keeps_nothing() {
    for world in World::both().await {
        let (house, dn) = (House::behind(world.target(), 0).await, world.hire("lent-hugo").await);
        let lent = house.lift("lift", 30, "lent-hugo").await.unwrap();
        let mark = Modification::Replace(Attribute::new(world.marker(), ["jit1:x"]));
        world.administrator().await.modify(&EntryName::from(&dn), &[mark], &[]).await.unwrap();
        let refused = house.lift("lift-ops", 30, "lent-hugo").await.unwrap_err();
        assert_eq!(refused.code().as_str(), "lease.account_is_lent");
        let lease = house.check_in(lent.lease).await.unwrap();
        assert_eq!(lease.phase.word(), "gone");
        assert!(!world.is_member("ops", &dn).await && !world.is_member("staff", &dn).await);
        world.dismiss(&dn).await;
    }
}

/// What takes these groups from a person whom the target knows.
async fn taking(target: &dyn Target, name: &str, groups: &[&str]) -> Desired {
    let unknown = RemoteRef { place: None, ..remote(name) };
    let Holdings::Found { native, .. } = target.holdings(&unknown, &BTreeSet::new()).await.unwrap() else {
        panic!("it is there")
    };
    let take = groups.iter().map(|group| RemoteEntitlement::named(*group)).collect();
    let state = DesiredState::Holding { give: BTreeMap::new(), take };
    Desired { remote: RemoteRef { native: Some(native), ..unknown }, state }
}

#[tokio::test]
async fn a_group_that_is_not_there_or_was_struck_from_the_table_keeps_no_other() {
    for world in World::both().await {
        let (target, dn) = (world.target(), world.hire("lent-ida").await);
        for missing in ["ghost", "a-struck-one"] {
            world.appoint("ops", &dn).await;
            world.appoint("staff", &dn).await;
            let taking = taking(target.as_ref(), "lent-ida", &[missing, "ops", "staff"]).await;
            let error = target.ensure(&taking).await.unwrap_err();
            assert_eq!(error.code().as_str(), "target.entitlement", "{missing}");
            assert!(!world.is_member("ops", &dn).await && !world.is_member("staff", &dn).await, "{missing}");
        }
        world.dismiss(&dn).await;
    }
}

/// Waits until a group no longer names an entry.
async fn left(world: &World, group: &str, person: &Dn) {
    for _ in 0..10_000 {
        if !world.is_member(group, person).await {
            return;
        }
    }
    panic!("the group still names them");
}

#[tokio::test]
async fn who_is_renamed_right_before_the_end_leaves_the_group_where_members_follow_later() {
    let start = || Peer::start_as("slapd", &["--refint-alone"]);
    let world = World::OpenLdap(Box::new(tokio::task::spawn_blocking(start).await.unwrap()));
    let house = House::behind(world.target(), 0).await;
    let people = world.peer().below("ou=people");
    let named = |name: &str| people.child(Rdn::new("uid", name).unwrap());
    let mut administrator = world.peer().as_administrator().await;
    let lent = house.lift("lift-ops", 30, "alice").await.unwrap();
    let (before, after) = (EntryName::from(&named("alice")), Rdn::new("uid", "alicia").unwrap());
    administrator.rename(&before, &after, true, None, &[]).await.unwrap();
    house.check_in(lent.lease).await.unwrap();

    left(&world, "ops", &named("alice")).await;
    house.clock.advance(TimeDelta::minutes(2));
    assert_eq!(house.work().await.failed, 0);
    assert!(!world.is_member("ops", &named("alicia")).await);
    house.clock.advance(TimeDelta::minutes(2));
    house.work().await;
    assert_eq!(house.work().await, WorkReport::default(), "nothing is left to do");
}

#[tokio::test]
async fn a_group_that_must_have_a_member_keeps_no_other() {
    let world = World::open_ldap();
    let (house, dn) = (House::behind(world.target(), 0).await, world.hire("lent-jana").await);
    let lent = house.lift("lift", 30, "lent-jana").await.unwrap();
    let nobody = world.peer().below("cn=nobody").to_string();
    let nobody = || Attribute::new(AttributeName::MEMBER, [nobody.clone()]);
    let group = EntryName::Dn(world.peer().below("cn=ops,ou=groups"));
    let change = [Modification::Delete(nobody())];
    world.administrator().await.modify(&group, &change, &[]).await.unwrap();
    let lease = house.check_in(lent.lease).await.unwrap();
    assert_eq!(lease.phase.word(), "ending");
    assert!(world.is_member("ops", &dn).await && !world.is_member("staff", &dn).await);
    let change = [Modification::Add(nobody())];
    world.administrator().await.modify(&group, &change, &[]).await.unwrap();
    house.clock.advance(TimeDelta::minutes(20));
    house.work().await;
    assert!(!world.is_member("ops", &dn).await);
}

#[tokio::test]
async fn where_groups_do_not_follow_their_members_or_nobody_says_where_people_are_nothing_is_lent() {
    let world = World::open_ldap();
    let mut settings = open_ldap(world.peer());
    settings.groups_follow = false;
    let refused = OpenLdapTarget::new(world.peer().directory(), &settings).unwrap_err();
    assert_eq!(refused.field, "people");
    settings.people = None;
    let target = OpenLdapTarget::new(world.peer().directory(), &settings).unwrap();
    let house = House::behind(std::sync::Arc::new(target), 0).await;
    let error = house.lift("lift", 30, "alice").await.unwrap_err();
    assert_eq!(error.code().as_str(), "lease.cannot_elevate");
}

#[tokio::test]
async fn memberships_are_not_left_to_a_forest_that_does_not_end_them() {
    let world = World::windows().await;
    let mut settings = windows(world.peer());
    settings.ends_memberships = true;
    let target = ActiveDirectoryTarget::new(world.peer().directory(), &settings).unwrap();
    let (house, dn) = (House::behind(std::sync::Arc::new(target), 0).await, world.hire("lent-kurt").await);
    let error = house.lift("lift-ops", 30, "lent-kurt").await.unwrap_err();
    assert_eq!(error.code().as_str(), "target.limit", "{error:?}");
    assert!(!world.is_member("ops", &dn).await);
    for _ in 0..3 {
        house.clock.advance(TimeDelta::minutes(3));
        assert_eq!(house.work().await.failed, 0, "nothing is left to be ended");
    }
    world.dismiss(&dn).await;
}

#[tokio::test]
async fn what_was_lent_before_the_forest_was_to_end_it_is_not_said_to_be_ended_by_it() {
    let world = World::windows().await;
    let mut settings = windows(world.peer());
    settings.ends_memberships = true;
    let timed = ActiveDirectoryTarget::new(world.peer().directory(), &settings).unwrap();
    let store = Arc::new(MemoryStore::new());
    let before = House::behind_on(Arc::clone(&store), world.target(), 0).await;
    let after = before.anew(store, Arc::new(timed));
    let dn = world.hire("lent-lena").await;
    let request = CheckOut { key: Some("k".to_owned()), ..before.request("lift-ops", 30) };
    let lent = before.jit.elevate(&request, Some("lent-lena")).await.unwrap();
    assert_eq!((lent.unattended, lent.worst_case), (UnattendedEnd::LibraryOnly, None));
    let again = after.jit.elevate(&request, Some("lent-lena")).await.unwrap();
    assert_eq!((again.lease, again.unattended), (lent.lease, UnattendedEnd::LibraryOnly));
    after.check_in(lent.lease).await.unwrap();
    assert!(!world.is_member("ops", &dn).await);
    world.dismiss(&dn).await;
}

async fn kill(world: &World, rounds: usize, longest: usize) {
    let house = House::behind(world.target(), 0).await;
    let dn = world.hire("lent-killed").await;
    world.appoint("staff", &dn).await;
    let (mut whole, mut killed, mut remained) = (0, 0, 0);
    for round in 0..rounds * PATIENCE {
        if round >= rounds && whole > 0 && killed > 0 && remained > 0 {
            break;
        }
        match killed_at(
            round % waits(longest, round, rounds),
            Box::pin(house.lift("lift", 30, "lent-killed")),
        )
        .await
        {
            Some(Ok(lent)) => {
                whole += 1;
                killed_at(round % waits(longest / 4, round, rounds), Box::pin(house.check_in(lent.lease)))
                    .await;
            }
            Some(Err(error)) => assert_eq!(error.code().as_str(), "lease.in_progress", "{error:?}"),
            None => killed += 1,
        }
        let_it_land(world).await;
        remained += usize::from(world.is_member("ops", &dn).await);
        house.clock.advance(TimeDelta::minutes(1));
        killed_at(round % waits(longest / 4, round, rounds), Box::pin(house.work())).await;
        assert!(world.is_member("staff", &dn).await);
    }
    let_it_land(world).await;
    for _ in 0..60 {
        house.clock.advance(TimeDelta::minutes(5));
        house.work().await;
    }
    println!("{whole} lent, {killed} killed while they were; something was left in between {remained} times");
    assert!(whole > 0 && killed > 0 && remained > 0);
    assert!(!world.is_member("ops", &dn).await && world.is_member("staff", &dn).await);
    assert_eq!(house.an_hour_later().await, WorkReport::default(), "nothing is left to do");
    world.dismiss(&dn).await;
}

#[tokio::test]
async fn no_kill_leaves_a_person_in_a_group_of_open_ldap() {
    Box::pin(kill(&World::open_ldap(), 120, 30)).await;
}

#[tokio::test]
async fn no_kill_leaves_a_person_in_a_group_of_active_directory() {
    Box::pin(kill(&World::windows().await, 60, 60)).await;
}
