//! From check-out to check-in.

use chrono::TimeDelta;
use jit_core::*;
use jit_ldap::target::GroupSettings;
use jit_ldap::{
    ActiveDirectoryTarget, Attribute, AttributeName, EntryName, Modification, OpenLdapTarget, Rdn, Search,
};

use super::house::{
    House, World, absent, administrator_of, made, open_ldap, present, remote, secret, stranger, tenant,
    windows,
};
use crate::peer::Peer;

#[tokio::test]
async fn an_account_works_until_its_end_and_is_gone_after_check_in() {
    for world in World::both().await {
        let (peer, target) = (world.peer(), world.target());
        // what has ended by the server's clock has not by ours: it is the server that refuses
        let house = House::behind(target.clone(), 10).await;
        let out = house.out(5).await;
        assert_eq!(out.unattended, UnattendedEnd::ServerRefusesLogin);
        assert!(out.sessions_survive);
        let dn = world.dn(&out.name);
        assert_eq!(peer.bind(&dn.to_string(), out.secret.reveal()).await, "ldap.credentials_invalid");
        house.jit.extend(None, &tenant(), out.lease, TimeDelta::minutes(60), house.by()).await.unwrap();
        assert_eq!(peer.bind(&dn.to_string(), out.secret.reveal()).await, "fine");
        assert!(world.is_member("ops", &dn).await && world.is_member("staff", &dn).await);

        let lease = house.check_in(out.lease).await.unwrap();
        assert!(matches!(lease.phase, Phase::Gone { .. } | Phase::Unconfirmed { .. }), "{:?}", lease.phase);
        assert_eq!(peer.bind(&dn.to_string(), out.secret.reveal()).await, "ldap.credentials_invalid");
        assert!(!world.exists(&dn).await && !world.is_member("ops", &dn).await);
        assert!(house.left(target.as_ref()).await.is_empty());
    }
}

#[tokio::test]
async fn what_is_not_checked_in_is_removed_at_its_end() {
    for world in World::both().await {
        let target = world.target();
        let house = House::behind(target.clone(), 0).await;
        let out = house.out(30).await;
        house.clock.advance(TimeDelta::minutes(31));
        house.work().await;
        assert!(!world.exists(&world.dn(&out.name)).await);
        assert!(house.left(target.as_ref()).await.is_empty());
    }
}

#[tokio::test]
async fn an_account_that_was_moved_is_found_by_its_identifier() {
    for world in World::both().await {
        let target = world.target();
        let house = House::behind(target.clone(), 0).await;
        let out = house.out(30).await;
        let mut administrator = world.administrator().await;
        let (name, moved) = (format!("moved-{}", out.name), format!("moved-account-{}", out.name));
        let unit = world.base().child(Rdn::new("OU", &name).unwrap());
        let attributes = [
            Attribute::new(AttributeName::OBJECT_CLASS, ["organizationalUnit"]),
            Attribute::new(AttributeName::new("ou").unwrap(), [name.as_str()]),
        ];
        administrator.add(&unit, &attributes, &[]).await.unwrap();
        let before = world.dn(&out.name);
        let kind = before.rdn().unwrap().single().unwrap().0.to_owned();
        let rdn = Rdn::new(&kind, &moved).unwrap();
        let after = unit.child(rdn.clone());
        administrator.rename(&EntryName::from(&before), &rdn, false, Some(&unit), &[]).await.unwrap();
        house.jit.extend(None, &tenant(), out.lease, TimeDelta::minutes(60), house.by()).await.unwrap();
        assert!(world.is_member("ops", &after).await);
        // somebody else has its old place by now
        administrator.add(&before, &stranger(&world, &out.name), &[]).await.unwrap();
        house.check_in(out.lease).await.unwrap();
        assert!(!world.exists(&after).await && world.exists(&before).await);
        administrator.delete(&EntryName::Dn(before), &[]).await.unwrap();
        administrator.delete(&EntryName::Dn(unit), &[]).await.unwrap();
    }
}

#[tokio::test]
async fn what_lies_beside_the_base_is_found_and_never_called_gone() {
    let world = World::open_ldap();
    let peer = world.peer();
    let mut administrator = peer.as_administrator().await;
    let rdn = |name: &str| Rdn::new("uid", name).unwrap();
    let people = peer.below("ou=people");
    let house = House::behind(world.target(), 0).await;
    for is_known in [true, false] {
        let name = format!("jit-beside-{is_known}");
        let (target, secret) = (world.target(), secret());
        let mut account = made(target.as_ref(), &name, &["ops"], &secret).await;
        if !is_known {
            account.native = None;
        }
        let (before, after) = (EntryName::from(&world.dn(&name)), people.child(rdn(&name)));
        administrator.rename(&before, &rdn(&name), false, Some(&people), &[]).await.unwrap();
        assert!(matches!(target.observe(&account).await.unwrap(), Observed::Ours { .. }));
        // our account may not remove it there: it says so, and puts it out of use
        let error = target.ensure(&absent(&account)).await.unwrap_err();
        assert_eq!(error.code().as_str(), "target.forbidden", "{error:?}");
        assert!(world.is_member("ops", &after).await);
        let disabled = Desired { remote: account.clone(), state: DesiredState::Disabled };
        assert_eq!(target.ensure(&disabled).await.unwrap(), Effect::Disabled);
        assert!(!world.is_member("ops", &after).await);
        assert_ne!(peer.bind(&after.to_string(), secret.reveal()).await, "fine");
        administrator.delete(&EntryName::from(&after), &[]).await.unwrap();
        assert_eq!(target.ensure(&absent(&account)).await.unwrap(), Effect::Absent { was_there: false });
    }
    // where it may, the account is removed
    let settings = open_ldap(peer);
    let mut narrow = settings.clone();
    narrow.base = peer.below("ou=narrow,ou=jit").to_string();
    narrow.places = [("jit".to_owned(), narrow.base.clone())].into();
    let narrow = OpenLdapTarget::new(peer.directory(), &narrow).unwrap();
    let account =
        made(&OpenLdapTarget::new(peer.directory(), &settings).unwrap(), "jit-wide", &[], &secret()).await;
    assert_eq!(narrow.ensure(&absent(&account)).await.unwrap(), Effect::Absent { was_there: true });
    assert!(!world.exists(&world.dn("jit-wide")).await);
    assert!(house.left(world.target().as_ref()).await.is_empty());
}

#[tokio::test]
async fn what_was_moved_out_of_our_reach_loses_at_least_what_it_holds() {
    let world = World::windows().await;
    let (target, mut administrator) = (world.target(), world.administrator().await);
    let account = made(target.as_ref(), "jit-far", &["ops"], &secret()).await;
    let (rdn, people) = (Rdn::new("CN", "jit-far").unwrap(), world.peer().below("OU=People"));
    let (before, after) = (world.dn("jit-far"), people.child(rdn.clone()));
    administrator.rename(&EntryName::from(&before), &rdn, false, Some(&people), &[]).await.unwrap();
    assert!(world.is_member("ops", &after).await);
    let disabled = Desired { remote: account.clone(), state: DesiredState::Disabled };
    assert_eq!(target.ensure(&disabled).await.unwrap_err().code().as_str(), "target.forbidden");
    assert!(!world.is_member("ops", &after).await);
    administrator.delete(&EntryName::from(&after), &[]).await.unwrap();
}

#[tokio::test]
async fn what_somebody_put_out_of_use_is_not_extended() {
    for world in World::both().await {
        let target = world.target();
        let account = made(target.as_ref(), "jit-shut", &["ops"], &secret()).await;
        let (control, value) = match world {
            World::Windows(_) => ("userAccountControl", "514"),
            World::OpenLdap(_) => ("pwdAccountLockedTime", "000001010000Z"),
        };
        let shut = Attribute::new(AttributeName::new(control).unwrap(), [value]);
        let name = EntryName::from(&world.dn("jit-shut"));
        let mut administrator = world.administrator().await;
        administrator.modify(&name, &[Modification::Replace(shut)], &[]).await.unwrap();
        assert_eq!(target.ensure(&present(&account, &["ops"], None)).await.unwrap(), Effect::Disabled);
        assert_eq!(target.ensure(&absent(&account)).await.unwrap(), Effect::Absent { was_there: true });
    }
}

#[tokio::test]
async fn an_account_without_our_marker_is_left_alone() {
    for world in World::both().await {
        let house = House::behind(world.target(), 0).await;
        let out = house.out(30).await;
        let (dn, none) = (world.dn(&out.name), Attribute::new(world.marker(), Vec::<Vec<u8>>::new()));
        let name = EntryName::from(&dn);
        let mut administrator = world.administrator().await;
        administrator.modify(&name, &[Modification::Replace(none)], &[]).await.unwrap();
        let lease = house.check_in(out.lease).await.unwrap();
        assert!(matches!(lease.phase, Phase::Quarantined { .. }), "{:?}", lease.phase);
        assert!(world.exists(&dn).await);
        administrator.delete(&name, &[]).await.unwrap();
    }
}

#[tokio::test]
async fn asking_again_gives_the_same_account_a_new_secret_and_exactly_its_groups() {
    for world in World::both().await {
        let (peer, target) = (world.peer(), world.target());
        let (first, second) = (secret(), secret());
        let name = "jit-again";
        let known = made(target.as_ref(), name, &["ops"], &first).await;
        let mut unknown = known.clone();
        unknown.native = None;
        // the first answer was lost: no identifier is known
        let effect = target.ensure(&present(&unknown, &["staff"], Some(&second))).await.unwrap();
        assert_eq!(
            effect,
            Effect::Present { native: known.native.clone().unwrap(), end: target.capabilities().end }
        );
        let dn = world.dn(name);
        assert_eq!(peer.bind(&dn.to_string(), first.reveal()).await, "ldap.credentials_invalid");
        assert_eq!(peer.bind(&dn.to_string(), second.reveal()).await, "fine");
        assert!(!world.is_member("ops", &dn).await && world.is_member("staff", &dn).await);

        let disabled = Desired { remote: known.clone(), state: DesiredState::Disabled };
        for _ in 0..2 {
            assert_eq!(target.ensure(&disabled).await.unwrap(), Effect::Disabled);
        }
        assert_eq!(peer.bind(&dn.to_string(), second.reveal()).await, "ldap.credentials_invalid");
        assert!(!world.is_member("staff", &dn).await);
        let Observed::Ours { enabled, .. } = target.observe(&known).await.unwrap() else { panic!("ours") };
        assert!(!enabled);
        let third = secret();
        target.ensure(&present(&known, &["staff"], Some(&third))).await.unwrap();
        assert_eq!(peer.bind(&dn.to_string(), third.reveal()).await, "fine", "a new secret opens it again");
        for was_there in [true, false] {
            assert_eq!(target.ensure(&absent(&known)).await.unwrap(), Effect::Absent { was_there });
        }
        assert_eq!(target.observe(&known).await.unwrap(), Observed::Missing);
        let extended = target.ensure(&present(&known, &["staff"], None)).await.unwrap();
        assert_eq!(extended, Effect::Absent { was_there: false }, "nothing is made without a secret");
    }
}

#[tokio::test]
async fn a_new_secret_opens_an_account_that_somebody_locked_by_guessing() {
    let world = World::windows().await;
    let (peer, target) = (world.peer(), world.target());
    let (first, second) = (secret(), secret());
    let known = made(target.as_ref(), "jit-locked", &[], &first).await;
    let dn = world.dn("jit-locked").to_string();
    for _ in 0..5 {
        assert_eq!(peer.bind(&dn, "a guess").await, "ldap.credentials_invalid");
    }
    assert_eq!(peer.bind(&dn, first.reveal()).await, "ldap.credentials_invalid", "it is locked");
    target.ensure(&present(&known, &[], Some(&second))).await.unwrap();
    assert_eq!(peer.bind(&dn, second.reveal()).await, "fine");
    target.ensure(&absent(&known)).await.unwrap();
}

// Samba takes a lock off by itself when `userAccountControl` is written, which a new secret does as well: so what is written is
// looked at, and what it does where nothing else is written.
#[tokio::test]
async fn a_new_secret_takes_off_a_lock_that_lasts_until_an_administrator_does() {
    // of its own: the rules are those of the whole domain
    let peer = tokio::task::spawn_blocking(|| Peer::start("samba")).await.unwrap();
    let without_end = Attribute::new(AttributeName::new("lockoutDuration").unwrap(), ["0"]);
    let domain = EntryName::Dn(peer.base());
    let mut administrator = administrator_of(&peer).await;
    administrator.modify(&domain, &[Modification::Replace(without_end)], &[]).await.unwrap();
    let target = ActiveDirectoryTarget::new(peer.directory(), &windows(&peer)).unwrap();
    let lockout_time = AttributeName::new("lockoutTime").unwrap();
    let off = Modification::Replace(Attribute::new(lockout_time.clone(), ["0"]));
    for is_by_secret in [false, true] {
        let (name, mut secret_now) = (format!("jit-barred-{is_by_secret}"), secret());
        let known = made(&target, &name, &[], &secret_now).await;
        let dn = peer.below(&format!("CN={name},OU=JIT"));
        for _ in 0..5 {
            assert_eq!(peer.bind(&dn.to_string(), "a guess").await, "ldap.credentials_invalid");
        }
        assert_eq!(peer.bind(&dn.to_string(), secret_now.reveal()).await, "ldap.credentials_invalid");
        if is_by_secret {
            secret_now = secret();
            target.ensure(&present(&known, &[], Some(&secret_now))).await.unwrap();
        } else {
            let mut service = peer.as_service().await;
            service.modify(&EntryName::from(&dn), std::slice::from_ref(&off), &[]).await.unwrap();
        }
        assert_eq!(peer.bind(&dn.to_string(), secret_now.reveal()).await, "fine", "{is_by_secret}");
    }

    let known = made(&target, "jit-calm", &[], &secret()).await;
    let entry = Search::entry(peer.below("CN=jit-calm,OU=JIT")).attributes([lockout_time.clone()]);
    let before = administrator.read(&entry).await.unwrap().unwrap();
    assert_eq!(before.text(&lockout_time), None, "nobody guessed");
    target.ensure(&present(&known, &[], Some(&secret()))).await.unwrap();
    let after = administrator.read(&entry).await.unwrap().unwrap();
    assert_eq!(after.text(&lockout_time), Some("0"), "it is we who write it");
}

#[tokio::test]
async fn without_overlays_an_account_is_shut_and_leaves_its_groups_all_the_same() {
    let world = World::open_ldap();
    let peer = world.peer();
    let mut settings = open_ldap(peer);
    (settings.password_policy, settings.groups_follow, settings.people) = (false, false, None);
    let target = OpenLdapTarget::new(peer.directory(), &settings).unwrap();
    assert_eq!(target.capabilities().end, UnattendedEnd::LibraryOnly);
    let (secret, dn) = (secret(), world.dn("jit-plain"));
    let plain = made(&target, "jit-plain", &["ops"], &secret).await;
    assert_eq!(peer.bind(&dn.to_string(), secret.reveal()).await, "fine");
    let longer = target.ensure(&present(&plain, &["ops", "staff"], None)).await.unwrap();
    assert!(matches!(longer, Effect::Present { .. }) && world.is_member("staff", &dn).await);
    let disabled = Desired { remote: plain.clone(), state: DesiredState::Disabled };
    assert_eq!(target.ensure(&disabled).await.unwrap(), Effect::Disabled);
    assert_ne!(peer.bind(&dn.to_string(), secret.reveal()).await, "fine");
    assert!(!world.is_member("ops", &dn).await);
    assert_eq!(target.ensure(&absent(&plain)).await.unwrap(), Effect::Absent { was_there: true });
}

#[tokio::test]
async fn what_has_entries_below_it_is_stuck_and_out_of_use() {
    let world = World::open_ldap();
    let (peer, target, secret) = (world.peer(), world.target(), secret());
    let parent = made(target.as_ref(), "jit-parent", &["ops"], &secret).await;
    let dn = world.dn("jit-parent");
    let child = dn.child(Rdn::new("cn", "device").unwrap());
    let attributes = [
        Attribute::new(AttributeName::OBJECT_CLASS, ["device"]),
        Attribute::new(AttributeName::COMMON_NAME, ["device"]),
    ];
    peer.as_service().await.add(&child, &attributes, &[]).await.unwrap();
    let stuck = target.ensure(&absent(&parent)).await.unwrap();
    assert_eq!(stuck, Effect::Stuck(Code::new("ldap.has_children")));
    let disabled = Desired { remote: parent.clone(), state: DesiredState::Disabled };
    assert_eq!(target.ensure(&disabled).await.unwrap(), Effect::Disabled);
    assert_ne!(peer.bind(&dn.to_string(), secret.reveal()).await, "fine");
    assert!(!world.is_member("ops", &dn).await);
}

#[tokio::test]
async fn an_account_that_is_made_out_of_use_first_comes_to_the_same() {
    let World::Windows(peer) = World::windows().await else { panic!("Windows") };
    let mut settings = windows(peer);
    settings.disabled_first = true;
    let dn = peer.below("CN=Domain Admins,CN=Users").to_string();
    let allowed = GroupSettings::Protected(jit_ldap::target::ProtectedGroup { dn, protected: true });
    settings.groups.insert("rulers".into(), allowed);
    let target = ActiveDirectoryTarget::new(peer.directory(), &settings).unwrap();
    let secret = secret();
    let made = made(&target, "jit-first", &["ops"], &secret).await;
    assert_eq!(peer.bind("jit-first@jit.test", secret.reveal()).await, "fine");
    assert_eq!(target.ensure(&absent(&made)).await.unwrap(), Effect::Absent { was_there: true });
    // the table allows the group; the rights of our account do not, and nothing is left
    let ruler = remote("jit-ruler");
    let error = target.ensure(&present(&ruler, &["rulers"], Some(&secret))).await.unwrap_err();
    assert_eq!(error.code().as_str(), "target.forbidden");
    let entry = Search::entry(peer.below("CN=jit-ruler,OU=JIT"));
    assert!(peer.as_service().await.read(&entry).await.unwrap().is_none());
}
