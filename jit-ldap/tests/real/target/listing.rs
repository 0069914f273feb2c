//! What bears a marker of ours, by pages.

use jit_core::*;
use jit_ldap::{
    ActiveDirectoryTarget, Attribute, AttributeName, Directory, EntryName, Modification, OpenLdapTarget,
    PoolSettings, Rdn,
};

use super::house::{House, World, made, open_ldap, secret, target_id, tenant, windows};

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
    assert!(all.iter().all(|one| one.remote.place.as_deref() == Some("jit") && one.remote.native.is_some()));
    let held = |one: &Listed| one.entitlements.as_ref().unwrap().len();
    assert!(all.iter().all(|one| held(one) == if one.remote.name == out.name { 2 } else { 0 }));
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

/// What differs of the one account that does, by the words for it.
fn words(found: &Reconciliation) -> Vec<&'static str> {
    assert!(found.partial.is_none() && found.differing.len() < 2, "{found:?}");
    found.differing.iter().flat_map(|one| &one.found).map(Difference::word).collect()
}

#[tokio::test]
async fn where_two_names_stand_for_one_place_nothing_in_it_has_moved() {
    let world = World::open_ldap();
    let mut settings = open_ldap(world.peer());
    for name in ["aside", "nearby"] {
        settings.places.insert(name.to_owned(), world.base().to_string().to_uppercase());
    }
    let target = OpenLdapTarget::new(world.peer().directory(), &settings).unwrap();
    let house = House::behind(std::sync::Arc::new(target), 0).await;
    let out = house.out(30).await;
    house.clock.advance(chrono::TimeDelta::seconds(1));
    let (tenant, id) = (tenant(), target_id());
    let compare = async || house.jit.reconcile(None, &tenant, &id, ReconcileMode::Report).await.unwrap();
    assert!(words(&compare().await).is_empty());
    let dn = world.dn(&out.name);
    let rdn = Rdn::new("uid", &out.name).unwrap();
    let below = Attribute::new(AttributeName::OBJECT_CLASS, ["organizationalUnit"]);
    let inner = world.base().child(Rdn::new("ou", "inner").unwrap());
    let mut administrator = world.peer().as_administrator().await;
    administrator.add(&inner, &[below], &[]).await.unwrap();
    administrator.rename(&EntryName::from(&dn), &rdn, true, Some(&inner), &[]).await.unwrap();
    assert_eq!(words(&compare().await), ["moved"]);
}

#[tokio::test]
async fn what_somebody_changed_is_told_and_what_was_added_is_taken_back() {
    for world in World::both().await {
        let house = House::behind(world.target(), 0).await;
        let out = house.jit.check_out(&house.request("ops", 30)).await.unwrap();
        house.clock.advance(chrono::TimeDelta::seconds(1));
        let (tenant, id) = (tenant(), target_id());
        let compare = async |mode| house.jit.reconcile(None, &tenant, &id, mode).await.unwrap();
        assert!(words(&compare(ReconcileMode::Report).await).is_empty());

        let (account, mut administrator) = (world.dn(&out.name), world.administrator().await);
        let endless = match &world {
            World::OpenLdap(_) => {
                let none = std::iter::empty::<Vec<u8>>();
                Attribute::new(AttributeName::PASSWORD_END_TIME, none)
            }
            World::Windows(_) => Attribute::new(AttributeName::ACCOUNT_EXPIRES, ["0"]),
        };
        let (ops, staff) = (world.group("ops"), world.group("staff"));
        let member = Attribute::new(AttributeName::MEMBER, [account.to_string()]);
        for (entry, change) in [
            (EntryName::from(&account), Modification::Replace(endless)),
            (ops, Modification::Delete(member.clone())),
            (staff, Modification::Add(member)),
        ] {
            administrator.modify(&entry, &[change], &[]).await.unwrap();
        }
        let found = words(&compare(ReconcileMode::Report).await);
        assert_eq!(found, ["ends_never", "holds_more", "holds_less"]);
        let found = compare(ReconcileMode::Apply { at_most: 1, by: house.by() }).await;
        assert!(found.differing.iter().all(|one| one.brought_back), "{found:?}");
        house.clock.advance(chrono::TimeDelta::seconds(1));
        assert!(!world.is_member("staff", &account).await && !world.is_member("ops", &account).await);
        assert_eq!(
            words(&compare(ReconcileMode::Report).await),
            ["holds_less"],
            "what was taken stays taken"
        );
        assert_eq!(world.peer().bind(&account.to_string(), out.secret.reveal()).await, "fine");

        let shut = match &world {
            World::OpenLdap(_) => Attribute::new(AttributeName::PASSWORD_LOCKED_TIME, ["000001010000Z"]),
            World::Windows(_) => Attribute::new(AttributeName::USER_ACCOUNT_CONTROL, ["514"]),
        };
        let change = [Modification::Replace(shut)];
        administrator.modify(&EntryName::from(&account), &change, &[]).await.unwrap();
        assert_eq!(words(&compare(ReconcileMode::Report).await), ["shut", "holds_less"]);
        house.check_in(out.lease).await.unwrap();
        assert!(words(&compare(ReconcileMode::Report).await).is_empty());
    }
}
