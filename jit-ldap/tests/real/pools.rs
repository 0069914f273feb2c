//! Connections that are lent: nobody works as somebody else, and nobody is locked out by us.

use std::time::{Duration, Instant};

use jit_ldap::{Directory, EntryName, Password, PoolSettings, Search, Server, ServerId, ServiceAccount};

use crate::peer::Peer;

fn one() -> PoolSettings {
    let mut settings = PoolSettings::default();
    settings.size = 1;
    settings.patience = Duration::from_millis(200);
    settings
}

#[tokio::test]
async fn the_next_caller_is_who_we_are_whatever_the_last_one_did() {
    let peer = Peer::start("slapd");
    let pool = peer.pool(one());
    let ours = format!("dn:{}", peer.text("service"));
    assert_eq!(pool.lend().await.unwrap().who_am_i().await.unwrap(), ours);

    let alice = peer.below("uid=alice,ou=people").to_string();
    let right = Password::new("alice-password-1").unwrap();
    let mut loan = pool.lend().await.unwrap();
    loan.bind(&alice, &right, &[]).await.unwrap();
    drop(loan);
    assert_eq!(pool.lend().await.unwrap().who_am_i().await.unwrap(), ours, "bound as somebody else");

    let mut loan = pool.lend().await.unwrap();
    loan.bind(&alice, &Password::new("wrong").unwrap(), &[]).await.unwrap_err();
    drop(loan);
    assert_eq!(pool.lend().await.unwrap().who_am_i().await.unwrap(), ours, "anonymous after a refusal");

    let mut loan = pool.lend().await.unwrap();
    tokio::select! {
        biased;
        _ = loan.who_am_i() => panic!("nobody answers that fast"),
        () = std::future::ready(()) => {}
    }
    assert!(!loan.is_usable());
    drop(loan);
    assert_eq!(pool.lend().await.unwrap().who_am_i().await.unwrap(), ours, "an answer is under way");
}

#[tokio::test]
async fn all_lent_means_wait_and_then_an_answer() {
    let peer = Peer::start("slapd");
    let pool = peer.pool(one());
    let _lent = pool.lend().await.unwrap();
    assert_eq!(pool.lend().await.unwrap_err().code().as_str(), "ldap.pool_exhausted");
}

#[tokio::test]
async fn our_own_wrong_password_is_told_once_and_never_locks_us_out() {
    let peer = Peer::start("slapd");
    let wrong = ServiceAccount::new(peer.text("service"), "wrong-password").unwrap();
    let directory = Directory::new([peer.ldaps()], &wrong, PoolSettings::default());
    let mut codes = Vec::new();
    let all: Vec<_> = (0..8)
        .map(|_| {
            let directory = directory.clone();
            tokio::spawn(async move { directory.lend().await })
        })
        .collect();
    for task in all {
        codes.push(task.await.unwrap().unwrap_err().code().to_string());
    }
    codes.sort();
    assert_eq!(codes.pop().unwrap(), "ldap.service_refused");
    assert!(codes.iter().all(|code| code == "ldap.circuit_open"), "{codes:?}");
    assert_eq!(
        peer.bind(peer.text("service"), peer.text("service_password")).await,
        "fine",
        "five would lock it"
    );
}

#[tokio::test]
async fn a_server_that_is_down_is_passed_over_and_a_pinned_one_is_not() {
    let peer = Peer::start("slapd");
    let down = Server::ldaps("localhost", peer.tls()).port(1);
    let down_id = down.id();
    let directory = Directory::new([down, peer.ldaps()], &peer.account(), PoolSettings::default());
    let loan = directory.lend().await.unwrap();
    assert_eq!(loan.server(), peer.ldaps().id());
    directory.lend_at(&loan.server()).await.unwrap();
    assert_eq!(directory.lend_at(&down_id).await.unwrap_err().code().as_str(), "ldap.connect_failed");
    let gone = directory.lend_at(&ServerId::new("dc9:636")).await.unwrap_err();
    assert_eq!(gone.code().as_str(), "ldap.server_unknown");
}

#[tokio::test]
async fn a_connection_that_the_server_closed_is_not_lent() {
    let peer = Peer::start("slapd");
    let pool = peer.pool(one());
    drop(pool.lend().await.unwrap());
    drop(peer);
    let error = pool.lend().await.unwrap_err();
    assert_eq!(error.code().as_str(), "ldap.connect_failed", "the dead connection was noticed");
}

#[tokio::test]
async fn a_request_on_a_new_connection_does_not_wait_for_the_one_before() {
    let peer = Peer::start("slapd");
    let mut times = Vec::new();
    // on a busy machine some take longer; with Nagle's algorithm each takes 40 ms for the delayed acknowledgement alone
    while times.iter().all(|time| *time > Duration::from_millis(35)) {
        assert!(times.len() < 20, "{times:?}");
        let begun = Instant::now();
        let mut connection = peer.as_service().await;
        connection.read(&Search::entry(EntryName::Dn(peer.base()))).await.unwrap().unwrap();
        times.push(begun.elapsed());
    }
}
