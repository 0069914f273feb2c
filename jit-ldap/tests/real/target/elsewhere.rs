//! Two directories under one name: the one proves nothing of what was lent in the other.

use std::num::NonZeroUsize;
use std::sync::Arc;

use chrono::TimeDelta;
use jit_core::*;
use jit_ldap::{EntryName, OpenLdapTarget};

use super::house::{House, World, open_ldap, target_id, tenant};

async fn lease(house: &House, id: AccountId) -> Lease {
    *house.store.get(&tenant(), id).await.unwrap().unwrap().lease.unwrap()
}

#[tokio::test]
async fn a_directory_that_was_put_in_the_place_of_another_calls_nothing_there_gone() {
    let (old, new) = (World::open_ldap(), World::open_ldap());
    let house = House::behind(old.target(), 0).await;
    let (out, used) = (house.out(3).await, house.out(120).await);
    let alice = old.hire("lent-alice").await;
    let lent = house.lift("lift-ops", 3, "lent-alice").await.unwrap();

    let beside = house.anew(Arc::clone(&house.store), new.target());
    let longer = beside.jit.extend(None, &tenant(), used.lease, TimeDelta::hours(4), beside.by()).await;
    assert_eq!(longer.unwrap_err().code().as_str(), "target.elsewhere");
    house.clock.advance(TimeDelta::minutes(4));
    for _ in 0..3 {
        beside.work().await;
        for id in [out.lease, lent.lease] {
            assert_eq!(lease(&house, id).await.phase.word(), "ending");
        }
        house.clock.advance(TimeDelta::minutes(5));
    }
    assert_eq!(lease(&house, used.lease).await.phase.word(), "active");
    assert!(old.exists(&old.dn(&out.name)).await && old.is_member("ops", &alice).await);

    house.clock.advance(TimeDelta::minutes(15));
    house.work().await;
    for id in [out.lease, lent.lease] {
        assert_eq!(lease(&house, id).await.phase.word(), "gone");
    }
    assert!(!old.exists(&old.dn(&out.name)).await && !old.is_member("ops", &alice).await);
}

#[tokio::test]
async fn a_process_of_another_tenant_leaves_what_is_lent_in_a_directory_of_the_same_name() {
    let (ours, theirs) = (World::open_ldap(), World::open_ldap());
    let house = House::behind(ours.target(), 0).await;
    let out = house.out(3).await;
    let setup = TargetSetup::new(target_id(), theirs.target(), house.key.clone());
    let beta = Jit::builder(Arc::clone(&house.store) as _)
        .clock(Arc::clone(&house.clock) as _)
        .target(setup.for_tenants([TenantId::new("beta").unwrap()]))
        .build()
        .unwrap();
    house.clock.advance(TimeDelta::minutes(4));
    let (worker, limit) = (WorkerId::new("w2").unwrap(), NonZeroUsize::new(100).unwrap());
    let done = beta.work_target(&worker, &target_id(), limit).await.unwrap();
    assert_eq!(done, WorkReport::default());
    assert_eq!(lease(&house, out.lease).await.phase.word(), "active");
    house.work().await;
    assert_eq!(lease(&house, out.lease).await.phase.word(), "gone");
    assert!(!ours.exists(&ours.dn(&out.name)).await);
}

#[tokio::test]
async fn a_base_that_the_settings_moved_is_in_the_same_directory() {
    let world = World::open_ldap();
    let house = House::behind(world.target(), 0).await;
    let out = house.out(3).await;
    let mut settings = open_ldap(world.peer());
    settings.base = world.peer().base().to_string();
    let moved = OpenLdapTarget::new(world.peer().directory(), &settings).unwrap();
    let name = EntryName::from(&world.dn(&out.name));
    world.peer().as_service().await.delete(&name, &[]).await.unwrap();
    let house = house.anew(Arc::clone(&house.store), Arc::new(moved));
    house.clock.advance(TimeDelta::minutes(4));
    house.work().await;
    assert_eq!(lease(&house, out.lease).await.phase.word(), "gone");
}
