//! Markers that stand elsewhere than where the settings look.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;
use jit_core::*;
use jit_ldap::{ActiveDirectoryTarget, OpenLdapTarget};

use super::house::{House, World, absent, made, open_ldap, present, secret, seed, tenant, windows};

/// The target as it was set up when markers stood elsewhere, or with what is said of those days.
fn marking(world: &World, marker: &str, former: &[&str]) -> Arc<dyn Target> {
    let former_markers: Vec<_> = former.iter().map(|name| (*name).to_owned()).collect();
    match world {
        World::OpenLdap(peer) => {
            let mut settings = open_ldap(peer);
            (settings.marker, settings.former_markers) = (marker.to_owned(), former_markers);
            Arc::new(OpenLdapTarget::new(peer.directory(), &settings).unwrap())
        }
        World::Windows(peer) => {
            let mut settings = windows(peer);
            (settings.marker, settings.former_markers) = (marker.to_owned(), former_markers);
            Arc::new(ActiveDirectoryTarget::new(peer.directory(), &settings).unwrap())
        }
    }
}

#[tokio::test]
async fn what_was_marked_in_another_attribute_is_ours_while_the_settings_name_it() {
    for world in World::both().await {
        let usual = world.marker().to_string();
        // there is no room for one in each attribute of each directory
        let elsewhere = if matches!(world, World::OpenLdap(_)) { "title" } else { "info" };
        let before = marking(&world, elsewhere, &[]);
        let after = marking(&world, &usual, &["employeeType", elsewhere]);
        let forgetful = marking(&world, &usual, &[]);
        let account = made(&*before, &format!("jit-{}", seed()), &["ops"], &secret()).await;
        assert_eq!(forgetful.observe(&account).await.unwrap(), Observed::Foreign);
        assert!(matches!(after.observe(&account).await.unwrap(), Observed::Ours { enabled: true, .. }));
        let by_name = RemoteRef { native: None, ..account.clone() };
        assert!(matches!(after.observe(&by_name).await.unwrap(), Observed::Ours { .. }));
        // of what a call without an answer made, only the name is known: that it is not there would be a lie
        assert_eq!(forgetful.ensure(&absent(&by_name)).await.unwrap(), Effect::Stranger);
        assert!(world.exists(&world.dn(&account.name)).await, "and it is not touched");
        let Listing::Complete(all) = after.list(None).await.unwrap() else { panic!("a whole listing") };
        assert!(all.iter().any(|listed| listed.remote.marker == account.marker), "it is listed");
        let renewed = after.ensure(&present(&account, &["staff"], Some(&secret()))).await.unwrap();
        assert!(matches!(renewed, Effect::Present { .. }));
        let disabled = Desired { remote: account.clone(), state: DesiredState::Disabled };
        assert_eq!(after.ensure(&disabled).await.unwrap(), Effect::Disabled);
        assert_eq!(forgetful.ensure(&absent(&account)).await.unwrap(), Effect::NotOurs);
        assert_eq!(after.ensure(&absent(&account)).await.unwrap(), Effect::Absent { was_there: true });
        assert!(!world.exists(&world.dn(&account.name)).await);
        // what is made from now on bears the marker where it stands today
        let account = made(&*after, &format!("jit-{}", seed()), &[], &secret()).await;
        assert!(matches!(forgetful.observe(&account).await.unwrap(), Observed::Ours { .. }));
        assert_eq!(after.ensure(&absent(&account)).await.unwrap(), Effect::Absent { was_there: true });
    }
}

#[tokio::test]
async fn of_the_leases_of_a_marker_that_was_changed_few_are_quarantined_and_all_end_once_it_is_named() {
    let world = World::open_ldap();
    let usual = world.marker().to_string();
    let before = marking(&world, "title", &[]);
    let house = House::behind(Arc::clone(&before), 0).await;
    let mut leases = Vec::new();
    for _ in 0..12 {
        leases.push(house.out(30).await);
    }
    house.clock.advance(TimeDelta::minutes(31));
    let forgetful = house.anew(house.store.clone(), marking(&world, &usual, &[]));
    forgetful.work().await;
    assert_eq!(phases(&forgetful, &leases).await, BTreeMap::from([("ending", 2), ("quarantined", 10)]));
    for lease in &leases {
        assert!(world.exists(&world.dn(&lease.name)).await, "none is touched");
    }

    let mended = house.anew(house.store.clone(), marking(&world, &usual, &["title"]));
    house.clock.advance(TimeDelta::hours(1));
    mended.work().await;
    assert_eq!(phases(&mended, &leases).await, BTreeMap::from([("gone", 12)]));
    for lease in &leases {
        assert!(!world.exists(&world.dn(&lease.name)).await);
    }
}

/// How many of these leases stand in each phase.
async fn phases(house: &House, leases: &[CheckedOut]) -> BTreeMap<&'static str, usize> {
    let mut phases = BTreeMap::new();
    for lease in leases {
        let kept = house.store.get(&tenant(), lease.lease).await.unwrap().unwrap();
        *phases.entry(kept.lease.unwrap().phase.word()).or_default() += 1;
    }
    phases
}
