//! What cannot be: each with its code, and nothing half done.

use jit_core::*;
use jit_ldap::{
    ActiveDirectoryTarget, Attribute, AttributeName, Directory, EntryName, Modification, PoolSettings,
    Search, ServiceAccount,
};

use super::house::{House, World, absent, administrator_of, present, remote, secret, stranger, windows};
use crate::peer::Peer;

#[tokio::test]
async fn what_is_not_allowed_or_not_there_is_refused_and_nothing_is_left() {
    for world in World::both().await {
        let target = world.target();
        let house = House::behind(target.clone(), 0).await;
        let mut roles = vec![
            ("lost", "target.place"),
            ("unplaced", "target.place"),
            ("unknown", "target.entitlement"),
            ("ghost", "target.entitlement"),
        ];
        if matches!(world, World::Windows(_)) {
            roles.extend([("rulers", "target.entitlement"), ("administrators", "target.entitlement")]);
        }
        for (role, code) in roles {
            let error = house.jit.check_out(&house.request(role, 30)).await.unwrap_err();
            assert_eq!(error.code().as_str(), code, "{role}: {error:?}");
        }
        assert!(house.left(target.as_ref()).await.is_empty());
        for _ in 0..3 {
            house.clock.advance(chrono::TimeDelta::minutes(3));
            assert_eq!(house.work().await.failed, 0, "nothing is left to be ended");
        }
    }
}

#[tokio::test]
async fn a_stranger_of_the_name_is_left_alone() {
    for world in World::both().await {
        let target = world.target();
        let name = "jit-stranger";
        let dn = world.dn(name);
        world.administrator().await.add(&dn, &stranger(&world, name), &[]).await.unwrap();
        let wanted = remote(name);
        let effect = target.ensure(&present(&wanted, &["ops"], Some(&secret()))).await.unwrap();
        assert_eq!(effect, Effect::Stranger);
        assert_eq!(target.observe(&wanted).await.unwrap(), Observed::Foreign);
        assert_eq!(target.ensure(&absent(&wanted)).await.unwrap(), Effect::Absent { was_there: false });
        assert!(world.exists(&dn).await && !world.is_member("ops", &dn).await);

        // a name that somebody bears elsewhere in the directory
        let effect =
            target.ensure(&present(&remote("alice"), &[], Some(&secret()))).await.unwrap_or_else(|error| {
                assert_eq!(error.code().as_str(), "target.name");
                Effect::Stranger
            });
        assert_eq!(effect, Effect::Stranger);
        world.administrator().await.delete(&EntryName::Dn(dn), &[]).await.unwrap();
    }
}

#[tokio::test]
async fn a_secret_that_the_rules_do_not_take_leaves_nothing() {
    // of its own: the rules are those of the whole domain
    let peer = tokio::task::spawn_blocking(|| Peer::start("samba")).await.unwrap();
    let length = Attribute::new(AttributeName::new("minPwdLength").unwrap(), ["60"]);
    let domain = EntryName::Dn(peer.base());
    administrator_of(&peer).await.modify(&domain, &[Modification::Replace(length)], &[]).await.unwrap();
    for disabled_first in [false, true] {
        let mut settings = windows(&peer);
        settings.disabled_first = disabled_first;
        let target = ActiveDirectoryTarget::new(peer.directory(), &settings).unwrap();
        let wanted = remote("jit-weak");
        let error = target.ensure(&present(&wanted, &["ops"], Some(&secret()))).await.unwrap_err();
        assert_eq!(error.code().as_str(), "target.secret", "{error:?}");
        let entry = Search::entry(peer.below("CN=jit-weak,OU=JIT"));
        assert!(peer.as_service().await.read(&entry).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn our_own_wrong_password_is_told_and_never_locks_us_out() {
    let world = World::open_ldap();
    let peer = world.peer();
    let wrong = ServiceAccount::new(peer.text("service"), "wrong-password").unwrap();
    let target = world.target_at(Directory::new([peer.ldaps()], &wrong, PoolSettings::default()));
    let house = House::behind(target, 0).await;
    for _ in 0..8 {
        let error = house.jit.check_out(&house.request("admin", 30)).await.unwrap_err();
        assert_eq!(error.code().as_str(), "target.credentials");
    }
    assert_eq!(peer.bind(peer.text("service"), peer.text("service_password")).await, "fine", "five lock it");
}

#[tokio::test]
async fn a_server_that_is_down_or_another_one_is_told_apart() {
    let world = World::open_ldap();
    let (peer, other) = (world.peer(), Peer::start("slapd"));
    let down = jit_ldap::Server::ldaps("localhost", peer.tls()).port(1);
    let false_one = jit_ldap::Server::ldaps(peer.text("host"), other.tls()).port(peer.port("ldaps"));
    for (server, code) in [(down, "target.unreachable"), (false_one, "target.untrusted")] {
        let target = world.target_at(Directory::new([server], &peer.account(), PoolSettings::default()));
        let error = target.ensure(&present(&remote("jit-x"), &[], Some(&secret()))).await.unwrap_err();
        assert_eq!(error.code().as_str(), code);
        assert_eq!(
            target.observe(&remote("jit-x")).await.unwrap_err().code().as_str(),
            code,
            "never missing"
        );
    }
}
