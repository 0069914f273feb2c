//! Secrets that are set anew where the password policy does not let them be changed so soon, or without the old one.

use chrono::TimeDelta;
use jit_core::*;
use jit_ldap::{Attribute, AttributeName, Dn, EntryName, Modification};

use super::house::{House, World, made, present, secret, tenant};
use crate::peer::Peer;

/// Each rule that refuses a change, and how that is told.
const RULES: [(&str, &str, &str); 2] =
    [("pwdMinAge", "86400", "target.secret"), ("pwdSafeModify", "TRUE", "target.forbidden")];

pub(super) async fn rule(peer: &Peer, name: &str, value: &str) {
    let rule = Attribute::new(AttributeName::new(name).unwrap(), [value]);
    let policy = EntryName::Dn(peer.below("cn=default,ou=policies"));
    peer.as_administrator().await.modify(&policy, &[Modification::Replace(rule)], &[]).await.unwrap();
}

#[tokio::test]
async fn a_live_account_stays_as_it_is_where_its_secret_may_not_be_set_anew() {
    for (name, value, code) in RULES {
        let world = World::open_ldap();
        rule(world.peer(), name, value).await;
        let house = House::behind(world.target(), 0).await;
        let mut request = house.request("admin", 30);
        request.key = Some("once".to_owned());
        let out = house.jit.check_out(&request).await.unwrap();
        let dn = world.dn(&out.name);
        for _ in 0..2 {
            let refused = house.jit.check_out(&request).await.unwrap_err();
            assert_eq!(refused.code().as_str(), code, "{name}: {refused:?}");
            assert_eq!(world.peer().bind(&dn.to_string(), out.secret.reveal()).await, "fine", "{name}");
        }
        house.jit.extend(None, &tenant(), out.lease, TimeDelta::hours(1), house.by()).await.unwrap();
        assert!(world.is_member("ops", &dn).await);
        assert_eq!(house.check_in(out.lease).await.unwrap().phase.word(), "gone");
        assert!(!world.exists(&dn).await);
    }
}

#[tokio::test]
async fn what_nobody_has_a_secret_of_is_made_anew_where_that_may_not_be_changed() {
    for (name, value, _) in RULES {
        let world = World::open_ldap();
        let (peer, target) = (world.peer(), world.target());
        rule(peer, name, value).await;
        let (first, second) = (secret(), secret());
        let known = made(target.as_ref(), "jit-unheard", &["ops"], &first).await;
        // the answer was lost: no identifier is known
        let unknown = RemoteRef { native: None, ..known.clone() };
        let effect = target.ensure(&present(&unknown, &["staff"], Some(&second))).await.unwrap();
        let Effect::Present { native, .. } = effect else { panic!("{name}: {effect:?}") };
        assert_ne!(Some(native), known.native);
        let dn = world.dn("jit-unheard");
        assert_eq!(peer.bind(&dn.to_string(), second.reveal()).await, "fine", "{name}");
        assert_eq!(peer.bind(&dn.to_string(), first.reveal()).await, "ldap.credentials_invalid");
        assert!(world.is_member("staff", &dn).await && !world.is_member("ops", &dn).await);
    }
}

async fn set_read_only(peer: &Peer, is_read_only: &str) {
    let database = EntryName::Dn(Dn::parse("olcDatabase={1}mdb,cn=config").unwrap());
    let value = Attribute::new(AttributeName::new("olcReadOnly").unwrap(), [is_read_only]);
    peer.as_configurator().await.modify(&database, &[Modification::Replace(value)], &[]).await.unwrap();
}

#[tokio::test]
async fn who_was_not_extended_by_a_server_that_took_no_changes_is_extended_as_soon_as_it_does() {
    let world = World::open_ldap();
    let house = House::behind(world.target(), 0).await;
    let account = house.out(30).await.lease;
    let lent = house.jit.elevate(&house.request("lift-ops", 30), Some("alice")).await.unwrap().lease;
    for lease in [account, lent] {
        let longer = async || house.jit.extend(None, &tenant(), lease, TimeDelta::hours(1), house.by()).await;
        set_read_only(world.peer(), "TRUE").await;
        let refused = longer().await.unwrap_err();
        assert_eq!(refused.code().as_str(), "target.forbidden", "{refused:?}");
        set_read_only(world.peer(), "FALSE").await;
        longer().await.unwrap();
    }
}
