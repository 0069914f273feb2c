//! Accounts that the server itself removes, whoever else is still there.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use jit_core::*;
use jit_ldap::{AttributeName, CustomSettings, CustomTarget, OpenLdapTarget, Search};

use super::house::{House, World, made, open_ldap, present, remote, secret, target_id, tenant};
use crate::peer::Peer;

pub(crate) fn target(peer: &Peer, has_password_policy: bool) -> OpenLdapTarget {
    let mut settings = open_ldap(peer);
    (settings.dynamic, settings.password_policy) = (true, has_password_policy);
    OpenLdapTarget::new(peer.directory(), &settings).unwrap()
}

/// The same behind a table in which the name of one group stands for another, whose name stands for none.
pub(crate) fn target_pointed_elsewhere(peer: &Peer) -> OpenLdapTarget {
    let mut settings = open_ldap(peer);
    settings.dynamic = true;
    let staff = settings.groups.remove("staff").unwrap();
    settings.groups.insert("ops".to_owned(), staff);
    OpenLdapTarget::new(peer.directory(), &settings).unwrap()
}

fn for_seconds(remote: &RemoteRef, seconds: i64, secret: Option<&Secret>) -> Desired {
    let mut desired = present(remote, &["ops"], secret);
    if let DesiredState::Present { ends_at, .. } = &mut desired.state {
        *ends_at = SystemClock.now() + TimeDelta::seconds(seconds);
    }
    desired
}

/// How many seconds an account has to live.
async fn life(world: &World, account: &str) -> i64 {
    let search = Search::entry(world.dn(account)).attributes([AttributeName::ENTRY_TTL]);
    let entry = world.peer().as_service().await.read(&search).await.unwrap().unwrap();
    entry.text(&AttributeName::ENTRY_TTL).unwrap().parse().unwrap()
}

/// Waits until the server has removed it, which it looks for every two seconds.
async fn until_gone(world: &World, account: &str) {
    for _ in 0..600 {
        if !world.exists(&world.dn(account)).await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the server does not remove it");
}

#[tokio::test]
async fn an_account_that_nobody_ends_is_gone_after_its_end() {
    let world = World::open_ldap();
    let mut ends = Vec::new();
    for has_policy in [true, false] {
        let (target, name) = (target(world.peer(), has_policy), format!("jit-{has_policy}"));
        assert_eq!(target.capabilities().end, UnattendedEnd::ServerDeletes);
        let account = made(&target, &name, &["ops"], &secret()).await;
        assert!(world.is_member("ops", &world.dn(&name)).await);
        target.ensure(&for_seconds(&account, 1, None)).await.unwrap();
        // nobody is left who knows of it
        drop(target);
        ends.push(name);
    }
    for name in ends {
        until_gone(&world, &name).await;
        assert!(!world.is_member("ops", &world.dn(&name)).await, "its memberships went with it");
    }
}

#[tokio::test]
async fn whoever_extends_prolongs_its_life_first_and_what_is_over_stays_over() {
    let world = World::open_ldap();
    let target = std::sync::Arc::new(target(world.peer(), true));
    let house = House::behind(target.clone(), 0).await;
    let out = house.out(30).await;
    assert_eq!(out.unattended, UnattendedEnd::ServerDeletes);
    let before = life(&world, &out.name).await;
    // the server tells its time in whole seconds
    assert!((1500..=1802).contains(&before), "{before}");
    house.jit.extend(None, &tenant(), out.lease, TimeDelta::minutes(120), house.by()).await.unwrap();
    let after = life(&world, &out.name).await;
    assert!((6900..=7202).contains(&after), "{after}");
    // told twice, or told and not written down: nothing changes but its end
    let lease = house.check_in(out.lease).await.unwrap();
    assert!(matches!(lease.phase, Phase::Gone { .. } | Phase::Unconfirmed { .. }), "{:?}", lease.phase);
    assert!(!world.exists(&world.dn(&out.name)).await);

    let short = made(target.as_ref(), "jit-short", &[], &secret()).await;
    target.ensure(&for_seconds(&short, 1, None)).await.unwrap();
    until_gone(&world, "jit-short").await;
    let extended = target.ensure(&for_seconds(&short, 600, None)).await.unwrap();
    assert_eq!(extended, Effect::Absent { was_there: false });
}

#[tokio::test]
async fn a_lease_that_the_server_ended_ends_without_a_complaint() {
    let world = World::open_ldap();
    // by the clock of the server it is over when it begins
    let house = House::behind(std::sync::Arc::new(target(world.peer(), true)), 60).await;
    let out = house.out(30).await;
    until_gone(&world, &out.name).await;
    let extended =
        house.jit.extend(None, &tenant(), out.lease, TimeDelta::minutes(40), house.by()).await.unwrap_err();
    assert_eq!(extended.code().as_str(), "lease.over");
    house.clock.advance(TimeDelta::minutes(31));
    assert_eq!(house.work().await.failed, 0);
    house.clock.advance(TimeDelta::minutes(10));
    assert_eq!(house.work().await, WorkReport::default());
}

#[tokio::test]
async fn a_life_that_the_server_does_not_give_is_refused_and_nothing_is_left() {
    let world = World::open_ldap();
    let long = remote("jit-long");
    let target = target(world.peer(), true);
    let error = target.ensure(&for_seconds(&long, 86_400 * 3, Some(&secret()))).await.unwrap_err();
    assert_eq!(error.code().as_str(), "target.limit", "{error:?}");
    assert!(!world.exists(&world.dn("jit-long")).await);
}

#[tokio::test]
async fn what_was_made_to_stay_can_be_extended_after_the_settings_changed() {
    let world = World::open_ldap();
    let before = made(world.target().as_ref(), "jit-before", &["ops"], &secret()).await;
    let target = target(world.peer(), true);
    let effect = target.ensure(&for_seconds(&before, 600, None)).await.unwrap();
    assert!(matches!(effect, Effect::Present { end: UnattendedEnd::ServerRefusesLogin, .. }), "{effect:?}");
}

#[tokio::test]
async fn a_directory_of_windows_is_not_taken_for_another_one() {
    let World::Windows(peer) = World::windows().await else { panic!("Windows") };
    let place = peer.below("OU=JIT").to_string();
    let mut settings = CustomSettings::new(&place, ("jit", &place), "user", "cn");
    (settings.dynamic, settings.groups_follow) = (true, true);
    let target = CustomTarget::new(peer.directory(), &settings).unwrap();
    let error = target.ensure(&present(&remote("jit-odd"), &[], Some(&secret()))).await.unwrap_err();
    assert_eq!(error.code().as_str(), "target.forbidden", "there everybody reads what is in `userPassword`");
    let entry = Search::entry(peer.below("CN=jit-odd,OU=JIT"));
    assert!(peer.as_service().await.read(&entry).await.unwrap().is_none());
}

/// A house on a store that outlives its settings.
async fn in_turn(targets: [Arc<dyn Target>; 2]) -> [House; 2] {
    let store = Arc::new(MemoryStore::new());
    let [first, second] = targets;
    let first = House::behind_on(Arc::clone(&store), first, 0).await;
    let second = first.anew(store, second);
    [first, second]
}

async fn exposure(house: &House, lease: AccountId) -> (UnattendedEnd, bool) {
    let one = std::num::NonZeroUsize::new(9).unwrap();
    let page = house.jit.leases(None, &tenant(), &target_id(), None, one).await.unwrap();
    let account = page.items.into_iter().find(|account| account.id == lease).unwrap();
    let exposure = house.jit.exposure(None, &account).await.unwrap().unwrap();
    (exposure.ended_by, exposure.worst_case.is_some())
}

#[tokio::test]
async fn what_was_lent_before_the_server_was_to_end_it_is_not_said_to_be_ended_by_it() {
    let world = World::open_ldap();
    let mut settings = open_ldap(world.peer());
    settings.password_policy = false;
    let plain = Arc::new(OpenLdapTarget::new(world.peer().directory(), &settings).unwrap());
    let [before, after] = in_turn([plain, Arc::new(target(world.peer(), false))]).await;
    let out = before.out(30).await;
    assert_eq!((out.unattended, out.worst_case), (UnattendedEnd::LibraryOnly, None));
    assert_eq!(exposure(&after, out.lease).await, (UnattendedEnd::LibraryOnly, false));
    let span = TimeDelta::minutes(60);
    let longer = after.jit.extend(None, &tenant(), out.lease, span, after.by()).await.unwrap();
    assert_eq!(longer.unattended, UnattendedEnd::LibraryOnly, "an entry is dynamic from the first or never");
    let new = after.out(30).await;
    assert_eq!((new.unattended, new.worst_case), (UnattendedEnd::ServerDeletes, Some(new.until)));
    for lease in [out.lease, new.lease] {
        after.check_in(lease).await.unwrap();
    }
}

#[tokio::test]
async fn what_the_server_was_to_end_is_prolonged_when_the_settings_no_longer_say_so() {
    let world = World::open_ldap();
    let mut settings = open_ldap(world.peer());
    settings.password_policy = false;
    let plain = Arc::new(OpenLdapTarget::new(world.peer().directory(), &settings).unwrap());
    let [before, after] = in_turn([Arc::new(target(world.peer(), true)), plain]).await;
    let out = before.out(30).await;
    assert_eq!(exposure(&after, out.lease).await, (UnattendedEnd::ServerDeletes, true));
    let span = TimeDelta::minutes(60);
    let longer = after.jit.extend(None, &tenant(), out.lease, span, after.by()).await.unwrap();
    assert_eq!((longer.unattended, longer.worst_case), (UnattendedEnd::ServerDeletes, Some(longer.until)));
    let left = life(&world, &out.name).await;
    assert!((3300..=3602).contains(&left), "it lives as long as it is lent: {left}");
    after.check_in(out.lease).await.unwrap();
}

#[tokio::test]
async fn an_extension_tells_a_server_that_refuses_log_ins_by_now_when_to_begin() {
    let world = World::open_ldap();
    let mut settings = open_ldap(world.peer());
    settings.password_policy = false;
    let plain = Arc::new(OpenLdapTarget::new(world.peer().directory(), &settings).unwrap());
    let [before, after] = in_turn([plain, world.target()]).await;
    let out = before.out(30).await;
    assert_eq!(exposure(&after, out.lease).await, (UnattendedEnd::LibraryOnly, false));
    let span = TimeDelta::minutes(60);
    let longer = after.jit.extend(None, &tenant(), out.lease, span, after.by()).await.unwrap();
    assert_eq!(longer.unattended, UnattendedEnd::ServerRefusesLogin);
    let end = AttributeName::new("pwdEndTime").unwrap();
    let search = Search::entry(world.dn(&out.name)).attributes([end.clone()]);
    let entry = world.peer().as_service().await.read(&search).await.unwrap().unwrap();
    assert!(entry.value(&end).is_some(), "the server knows it");
    assert_eq!(exposure(&after, out.lease).await, (UnattendedEnd::ServerRefusesLogin, true));
    after.check_in(out.lease).await.unwrap();
}
