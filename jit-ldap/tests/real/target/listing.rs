//! What bears a marker of ours, by pages.

use jit_core::*;
use jit_ldap::{ActiveDirectoryTarget, Directory, PoolSettings};

use super::house::{House, World, made, secret, target_id, tenant, windows};

#[tokio::test]
async fn every_account_is_listed_over_more_than_one_page_and_what_nobody_knows_is_reported() {
    let world = World::open_ldap();
    let target = world.target();
    let house = House::behind(target.clone(), 0).await;
    let secret = secret();
    for number in 0..503 {
        made(target.as_ref(), &format!("jit-{number}"), &[], &secret).await;
    }
    let out = house.out(30).await;
    let Listing::Complete(all) = target.list(None).await.unwrap() else { panic!("whole") };
    assert_eq!(all.len(), 504);
    assert!(all.iter().all(|remote| remote.place.as_deref() == Some("jit") && remote.native.is_some()));
    let (tenant, id) = (tenant(), target_id());
    let report = || house.jit.reconcile(None, &tenant, &id, ReconcileMode::Report);
    let seen = report().await.unwrap();
    assert_eq!((seen.seen, seen.partial), (1, None), "others are of another deployment");
    assert!(seen.missing.is_empty() && seen.suspects.is_empty());
    house.clock.advance(chrono::TimeDelta::seconds(1));
    let dn = world.dn(&out.name);
    world.administrator().await.delete(&jit_ldap::EntryName::Dn(dn), &[]).await.unwrap();
    assert_eq!(report().await.unwrap().missing, [out.lease]);
}

#[tokio::test]
async fn a_listing_that_is_cut_says_so() {
    let World::Windows(peer) = World::windows().await else { panic!("Windows") };
    let mut settings = windows(peer);
    // at the root of a domain the server names others
    settings.base = peer.base().to_string();
    let target = ActiveDirectoryTarget::new(peer.directory(), &settings).unwrap();
    let Listing::Partial(_, code) = target.list(None).await.unwrap() else { panic!("not whole") };
    assert_eq!(code.as_str(), "ldap.referral");

    let world = World::open_ldap();
    let target = world.target();
    for name in ["jit-a", "jit-b"] {
        made(target.as_ref(), name, &[], &secret()).await;
    }
    let mut few = PoolSettings::default();
    few.limits.entries = 1;
    let peer = world.peer();
    let target = world.target_at(Directory::new([peer.ldaps()], &peer.account(), few));
    let Listing::Partial(_, code) = target.list(None).await.unwrap() else { panic!("not whole") };
    assert_eq!(code.as_str(), "ldap.too_many_entries");
}
