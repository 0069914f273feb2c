//! A server that answers and cannot be worked with, beside one that can: another one is asked, unless it was our password that
//! was refused.

use jit_core::*;
use jit_ldap::{
    Directory, IdAttribute, Import, ImportSettings, OpenLdapTarget, PoolSettings, Server, ServiceAccount,
};

use crate::lockout::{alice, trigger};
use crate::peer::Peer;
use crate::scripted::{Script, Scripted};
use crate::target::{House, World, absent, made, open_ldap, secret};

fn directory(peer: &Peer, servers: [&Server; 2]) -> Directory {
    Directory::new(servers.map(Clone::clone), &peer.account(), PoolSettings::default())
}

fn target(peer: &Peer, directory: Directory) -> OpenLdapTarget {
    let mut settings = open_ldap(peer);
    settings.settles_seconds = 60;
    OpenLdapTarget::new(directory, &settings).unwrap()
}

#[tokio::test]
async fn a_server_that_answers_a_bind_with_anything_but_a_refusal_of_our_password_is_passed_over() {
    let peer = Peer::start("slapd");
    // failed itself, busy, unavailable, unwilling, wants another way, knows nobody of this name, sends elsewhere
    for code in [1, 51, 52, 80, 53, 8, 32, 10] {
        let unfit = Scripted::beside(&peer, Script::binds(code)).await;
        let directory = directory(&peer, [&unfit.server, &peer.ldaps()]);
        let loan = directory.lend().await.unwrap_or_else(|error| panic!("{code}: {error:?}"));
        assert_eq!((loan.server(), unfit.binds()), (peer.ldaps().id(), 1), "{code}");
        // whatever is asked for, whichever server it belongs to
        for number in 0..8 {
            let loan = directory.lend_for(&format!("work-{number}")).await.unwrap();
            assert_eq!(loan.server(), peer.ldaps().id(), "{code}");
        }
    }
}

#[tokio::test]
async fn where_nobody_can_be_worked_with_the_answer_of_the_last_one_is_told() {
    let peer = Peer::start("slapd");
    let busy = Scripted::beside(&peer, Script::binds(51)).await;
    let unwilling = Scripted::beside(&peer, Script::binds(53)).await;
    let directory = directory(&peer, [&busy.server, &unwilling.server]);
    assert_eq!(directory.lend().await.unwrap_err().code().as_str(), "ldap.unwilling");
    assert_eq!((busy.binds(), unwilling.binds()), (1, 1));
}

#[tokio::test]
async fn everything_goes_on_at_the_other_server() {
    let world = World::open_ldap();
    let peer = world.peer();
    let unfit = Scripted::beside(peer, Script::binds(52)).await;
    let directory = directory(peer, [&unfit.server, &peer.ldaps()]);
    let target = target(peer, directory.clone());
    for number in 0..8 {
        let account = made(&target, &format!("jit-{number}"), &["ops"], &secret()).await;
        assert!(matches!(target.observe(&account).await.unwrap(), Observed::Ours { .. }), "{number}");
        assert_eq!(target.ensure(&absent(&account)).await.unwrap(), Effect::Absent { was_there: true });
    }
    assert!(matches!(target.list(None).await.unwrap(), Listing::Complete(_)));

    let house = House::behind(world.target(), 0).await;
    trigger(directory.clone(), &house).verify(alice()).await.unwrap();
    let people = peer.below("ou=people").to_string();
    let settings = ImportSettings::new(&people, "(objectClass=inetOrgPerson)", IdAttribute::EntryUuid);
    Import::new(directory, &settings).unwrap().begin(None).await.unwrap();
    assert!(unfit.binds() > 0);
}

#[tokio::test]
async fn a_wrong_password_of_ours_is_asked_of_one_server_only() {
    let peer = Peer::start("slapd");
    // one that would take it, and one that is real and refuses it
    let other = Scripted::beside(&peer, Script::binds(0)).await;
    let wrong = ServiceAccount::new(peer.text("service"), "wrong-password").unwrap();
    let directory = || Directory::new([peer.ldaps(), other.server.clone()], &wrong, PoolSettings::default());
    let asked = directory();
    assert_eq!(asked.lend().await.unwrap_err().code().as_str(), "ldap.service_refused");
    assert_eq!(asked.lend().await.unwrap_err().code().as_str(), "ldap.circuit_open");
    assert_eq!(other.connections(), 0, "it would refuse, and count, the same");

    // so where one that cannot be worked with was passed over before
    let unfit = Scripted::beside(&peer, Script::binds(52)).await;
    let servers = [unfit.server.clone(), peer.ldaps(), other.server.clone()];
    let asked = Directory::new(servers, &wrong, PoolSettings::default());
    assert_eq!(asked.lend().await.unwrap_err().code().as_str(), "ldap.service_refused");
    assert_eq!((unfit.binds(), other.connections()), (1, 0));
}

#[tokio::test]
async fn a_server_that_is_too_busy_to_say_whether_it_takes_changes_owns_nothing_that_is_done_now() {
    let peer = Peer::start("slapd");
    for code in [51, 52] {
        let busy = Scripted::beside(&peer, Script { bind: Some(0), other: Some(code) }).await;
        let target = target(&peer, directory(&peer, [&busy.server, &peer.ldaps()]));
        for number in 0..8 {
            let account = made(&target, &format!("jit-{code}-{number}"), &["ops"], &secret()).await;
            let removed = target.ensure(&absent(&account)).await;
            assert_eq!(removed.unwrap(), Effect::Absent { was_there: true }, "{code}");
        }
        assert!(busy.binds() > 0, "some of it belongs there");
    }
}
