//! What cannot be: each with its code, and nothing half done.

use jit_core::*;
use jit_ldap::target::{GroupSettings, ProtectedGroup};
use jit_ldap::{
    ActiveDirectorySettings, ActiveDirectoryTarget, Attribute, AttributeName, Directory, EntryName,
    Modification, OpenLdapSettings, OpenLdapTarget, PoolSettings, Search, Server, ServiceAccount,
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
        assert_eq!(target.ensure(&absent(&wanted)).await.unwrap(), Effect::Stranger);
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

/// A way to the server of this world, to which somebody gave a wrong setting.
struct Astray {
    what: &'static str,
    directory: Directory,
    code: &'static str,
}

async fn astray(world: &World) -> Vec<Astray> {
    let peer = world.peer();
    let other = tokio::task::spawn_blocking(|| Peer::start("slapd")).await.unwrap();
    let account = peer.account();
    let to = |server| Directory::new([server], &account, PoolSettings::default());
    let nobody = ServiceAccount::new("uid=nobody,dc=nowhere", "wrong-password").unwrap();
    vec![
        Astray {
            what: "no server is there",
            directory: to(Server::ldaps("localhost", peer.tls()).port(1)),
            code: "target.unreachable",
        },
        Astray {
            what: "an authority of somebody else",
            directory: to(Server::ldaps(peer.text("host"), other.tls()).port(peer.port("ldaps"))),
            code: "target.untrusted",
        },
        Astray {
            what: "the port without TLS",
            directory: to(Server::ldaps(peer.text("host"), peer.tls()).port(peer.port("ldap"))),
            code: "target.unreachable",
        },
        Astray {
            what: "no TLS at all",
            directory: to(Server::dangerous_plain(peer.text("host")).port(peer.port("ldap"))),
            code: "target.untrusted",
        },
        Astray {
            what: "an account that the directory does not know",
            directory: Directory::new([peer.ldaps()], &nobody, PoolSettings::default()),
            code: "target.credentials",
        },
    ]
}

#[tokio::test]
async fn a_wrong_way_to_the_server_has_a_code_and_is_never_taken_for_an_answer() {
    for world in World::both().await {
        for Astray { what, directory, code } in astray(&world).await {
            let (target, nowhere) = (world.target_at(directory), remote("jit-astray"));
            for desired in [present(&nowhere, &["ops"], Some(&secret())), absent(&nowhere)] {
                let error = target.ensure(&desired).await.unwrap_err();
                assert_eq!(error.code().as_str(), code, "{what}: {error:?}");
            }
            assert_eq!(target.observe(&nowhere).await.unwrap_err().code().as_str(), code, "{what}");
            assert_eq!(target.list(None).await.unwrap_err().code().as_str(), code, "{what}");
        }
        assert!(!world.exists(&world.dn("jit-astray")).await);
    }
}

#[tokio::test]
async fn our_own_wrong_password_is_told_and_never_locks_us_out() {
    for world in World::both().await {
        let peer = world.peer();
        let wrong = ServiceAccount::new(peer.text("service"), "wrong-password").unwrap();
        let target = world.target_at(Directory::new([peer.ldaps()], &wrong, PoolSettings::default()));
        let house = House::behind(target, 0).await;
        for _ in 0..8 {
            let error = house.jit.check_out(&house.request("admin", 30)).await.unwrap_err();
            assert_eq!(error.code().as_str(), "target.credentials");
        }
        let right = peer.bind(peer.text("service"), peer.text("service_password")).await;
        assert_eq!(right, "fine", "five lock it");
    }
}

#[tokio::test]
async fn what_cannot_be_a_name_is_refused_before_anything_is_done() {
    for world in World::both().await {
        let target = world.target();
        let long = "x".repeat(if matches!(world, World::Windows(_)) { 21 } else { 65 });
        let names =
            ["", &long, "j\u{fc}rgen", "a b", "a,ou=services", "a\ncn=b", "a#", "a\0", "{{name}}", "dc1$"];
        for name in names {
            let error = target.ensure(&present(&remote(name), &[], Some(&secret()))).await.unwrap_err();
            assert_eq!(error.code().as_str(), "target.name", "{name:?}");
        }
        let mut marked = remote("jit-marked");
        marked.marker = Marker::found("jit1:".repeat(60));
        let error = target.ensure(&present(&marked, &[], Some(&secret()))).await.unwrap_err();
        assert_eq!(error.code().as_str(), "target.limit");
        assert!(!world.exists(&world.dn("jit-marked")).await);
    }
}

#[tokio::test]
async fn where_our_account_may_not_write_nothing_is_made() {
    for world in World::both().await {
        let peer = world.peer();
        let people = peer.below("ou=people").to_string();
        let target: Box<dyn Target> = if let World::Windows(_) = world {
            let settings = ActiveDirectorySettings::new(&people, ("jit", &people), "jit.test");
            Box::new(ActiveDirectoryTarget::new(peer.directory(), &settings).unwrap())
        } else {
            let settings = OpenLdapSettings::new(&people, ("jit", &people));
            Box::new(OpenLdapTarget::new(peer.directory(), &settings).unwrap())
        };
        let error = target.ensure(&present(&remote("jit-outside"), &[], Some(&secret()))).await.unwrap_err();
        assert_eq!(error.code().as_str(), "target.forbidden", "{error:?}");
        assert_eq!(target.observe(&remote("jit-outside")).await.unwrap(), Observed::Missing);
    }
}

#[tokio::test]
async fn what_open_ldap_does_not_take_as_a_secret_leaves_nothing() {
    let world = World::open_ldap();
    let peer = world.peer();
    let rule = Attribute::new(AttributeName::new("pwdMinLength").unwrap(), ["60"]);
    let policy = EntryName::Dn(peer.below("cn=default,ou=policies"));
    peer.as_administrator().await.modify(&policy, &[Modification::Replace(rule)], &[]).await.unwrap();
    let house = House::behind(world.target(), 0).await;
    let error = house.jit.check_out(&house.request("admin", 30)).await.unwrap_err();
    assert_eq!(error.code().as_str(), "target.secret", "{error:?}");
    assert!(house.left(world.target().as_ref()).await.is_empty());
}

#[tokio::test]
async fn a_group_that_leads_to_one_that_rules_the_domain_is_refused() {
    // of its own: who rules the domain is changed
    let peer = tokio::task::spawn_blocking(|| Peer::start("samba")).await.unwrap();
    let mut settings = windows(&peer);
    let target = ActiveDirectoryTarget::new(peer.directory(), &settings).unwrap();
    // `staff` is in `everybody`, which is an ordinary group
    let (wanted, groups) = (remote("jit-inner"), ["ops", "staff"]);
    let made = target.ensure(&present(&wanted, &groups, Some(&secret()))).await.unwrap();
    assert!(matches!(made, Effect::Present { .. }));
    target.ensure(&absent(&wanted)).await.unwrap();

    let everybody = peer.below("CN=everybody,OU=Groups").to_string();
    let member = Modification::Add(Attribute::new(AttributeName::MEMBER, [everybody]));
    let rulers = EntryName::from(&peer.below("CN=Domain Admins,CN=Users"));
    administrator_of(&peer).await.modify(&rulers, &[member], &[]).await.unwrap();
    let refused = target.ensure(&present(&wanted, &groups, Some(&secret()))).await.unwrap_err();
    assert_eq!(refused.code().as_str(), "target.entitlement", "{refused:?}");
    assert_eq!(target.observe(&wanted).await.unwrap(), Observed::Missing);
    let other = target.ensure(&present(&wanted, &["ops"], Some(&secret()))).await.unwrap();
    assert!(matches!(other, Effect::Present { .. }));
    target.ensure(&absent(&wanted)).await.unwrap();

    let dn = peer.below("CN=staff,OU=Groups").to_string();
    settings.groups.insert("staff".into(), GroupSettings::Protected(ProtectedGroup { dn, protected: true }));
    let allowing = ActiveDirectoryTarget::new(peer.directory(), &settings).unwrap();
    let given = allowing.ensure(&present(&wanted, &groups, Some(&secret()))).await.unwrap();
    assert!(matches!(given, Effect::Present { .. }));
    allowing.ensure(&absent(&wanted)).await.unwrap();
}
