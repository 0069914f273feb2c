//! A server that accepts connections and says nothing, beside one that answers: what it costs is paid once, and not by each
//! call. Time passes only when a test says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jit_core::*;
use jit_ldap::pool::Loan;
use jit_ldap::{
    Directory, LdapError, OpenLdapTarget, PoolSettings, Search, Server, ServerId, ServiceAccount,
};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::peer::Peer;
use crate::scripted::{Script, Scripted};
use crate::target::{absent, made, open_ldap, secret};

/// How long it takes until nobody waits any longer for a connection, and for an answer.
const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(6);
/// How long it counts that a server kept silent.
const COUNTS_FOR: Duration = Duration::from_secs(30);

/// A way to a real server. While it is shut, connections are accepted and nobody says anything.
struct Way {
    server: Server,
    is_open: watch::Sender<bool>,
    connections: Arc<AtomicUsize>,
    came: Arc<Notify>,
}

impl Way {
    async fn shut(peer: &Peer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Server::ldaps(peer.text("host"), peer.tls()).port(listener.local_addr().unwrap().port());
        let way = Self {
            server,
            is_open: watch::channel(false).0,
            connections: Arc::default(),
            came: Arc::default(),
        };
        let (is_open, port) = (way.is_open.clone(), peer.port("ldaps"));
        let (connections, came) = (Arc::clone(&way.connections), Arc::clone(&way.came));
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let mut is_open = is_open.subscribe();
                tokio::spawn(async move {
                    let _ = is_open.wait_for(|is_open| *is_open).await;
                    let mut server = TcpStream::connect(("127.0.0.1", port)).await?;
                    copy_bidirectional(&mut client, &mut server).await
                });
                connections.fetch_add(1, Ordering::SeqCst);
                came.notify_one();
            }
        });
        way
    }

    fn id(&self) -> ServerId {
        self.server.id()
    }

    fn open(&self) {
        self.is_open.send_replace(true);
    }

    /// How many connections were made.
    fn count(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Waits until so many connections were made, and nobody waits for their answer any longer.
    async fn keeps_silent_to(&self, connections: usize) {
        self.is_asked(connections).await;
        pass(CONNECT).await;
    }

    async fn is_asked(&self, connections: usize) {
        let asked = async {
            while self.count() < connections {
                self.came.notified().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), asked).await.expect("somebody asks");
    }
}

/// Lets time pass, for what is under way as well.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

fn directory(servers: [&Server; 2], peer: &Peer) -> Directory {
    Directory::new(servers.map(Clone::clone), &peer.account(), PoolSettings::default())
}

/// A server that answers, one before it that keeps silent, and the directory of both.
async fn beside_a_silent_one() -> (Peer, Way, Directory) {
    let peer = Peer::start("slapd");
    let way = Way::shut(&peer).await;
    let directory = directory([&way.server, &peer.ldaps()], &peer);
    (peer, way, directory)
}

/// What comes of the first call, which finds out that a server keeps silent.
async fn found_out(directory: &Directory, way: &Way) -> Result<Loan, LdapError> {
    let asked = directory.clone();
    let before = way.count();
    let lending = tokio::spawn(async move { asked.lend().await });
    way.keeps_silent_to(before + 1).await;
    lending.await.unwrap()
}

fn code<T: std::fmt::Debug>(outcome: Result<T, LdapError>) -> String {
    outcome.unwrap_err().code().to_string()
}

#[tokio::test]
async fn a_server_that_kept_silent_is_asked_by_one_call_and_not_by_each() {
    let (peer, way, directory) = beside_a_silent_one().await;
    assert_eq!(found_out(&directory, &way).await.unwrap().server(), peer.ldaps().id());
    for number in 0..40 {
        assert_eq!(directory.lend().await.unwrap().server(), peer.ldaps().id());
        let loan = directory.lend_for(&format!("work-{number}")).await.unwrap();
        assert_eq!(loan.server(), peer.ldaps().id());
        assert_eq!(way.count(), 1, "{number}");
    }
}

#[tokio::test]
async fn everybody_who_comes_at_once_waits_once() {
    let (peer, way, directory) = beside_a_silent_one().await;
    let mut all = JoinSet::new();
    for _ in 0..40 {
        let directory = directory.clone();
        all.spawn(async move { directory.lend().await.map(|loan| loan.server()) });
    }
    // as many as there may be connections
    way.keeps_silent_to(4).await;
    while let Some(server) = all.join_next().await {
        assert_eq!(server.unwrap().unwrap(), peer.ldaps().id());
    }
    assert_eq!(way.count(), 4, "who waits for one of them waits for nothing else");
}

#[tokio::test]
async fn a_server_that_takes_us_and_never_answers_our_bind_is_one_that_keeps_silent() {
    let peer = Peer::start("slapd");
    let mute = Scripted::beside(&peer, Script { bind: None, other: None }).await;
    let directory = directory([&mute.server, &peer.ldaps()], &peer);
    let asked = directory.clone();
    let lending = tokio::spawn(async move { asked.lend().await });
    mute.bind_came().await;
    pass(ANSWER).await;
    assert_eq!(lending.await.unwrap().unwrap().server(), peer.ldaps().id());
    for _ in 0..8 {
        assert_eq!(directory.lend().await.unwrap().server(), peer.ldaps().id());
    }
    assert_eq!(mute.connections(), 1);
}

#[tokio::test]
async fn after_a_while_one_caller_at_a_time_finds_out_whether_it_answers() {
    let (peer, way, directory) = beside_a_silent_one().await;
    found_out(&directory, &way).await.unwrap();
    for asked_before in [1, 2] {
        pass(COUNTS_FOR).await;
        let mut all = JoinSet::new();
        for _ in 0..8 {
            let directory = directory.clone();
            all.spawn(async move { directory.lend().await.map(|loan| loan.server()) });
        }
        for _ in 0..7 {
            assert_eq!(all.join_next().await.unwrap().unwrap().unwrap(), peer.ldaps().id());
        }
        way.keeps_silent_to(asked_before + 1).await;
        assert_eq!(all.join_next().await.unwrap().unwrap().unwrap(), peer.ldaps().id());
        assert_eq!(way.count(), asked_before + 1);
    }
    // whoever stops asking leaves it to the next one
    pass(COUNTS_FOR).await;
    let asked = directory.clone();
    let gone = tokio::spawn(async move { asked.lend().await });
    way.is_asked(4).await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    way.open();
    assert_eq!(directory.lend().await.unwrap().server(), way.id(), "it is asked first as before");
    let _held = directory.lend().await.unwrap();
    assert_eq!(directory.lend().await.unwrap().server(), way.id(), "by everybody");
}

#[tokio::test]
async fn where_nobody_else_answers_a_silent_server_is_asked_all_the_same() {
    let peer = Peer::start("slapd");
    let way = Way::shut(&peer).await;
    let down = Server::ldaps("localhost", peer.tls()).port(1);
    let directory = directory([&way.server, &down], &peer);
    assert_eq!(code(found_out(&directory, &way).await), "ldap.connect_failed");
    assert_eq!(code(found_out(&directory, &way).await), "ldap.timeout", "the one that was asked last");
    way.open();
    assert_eq!(directory.lend().await.unwrap().server(), way.id());
    assert_eq!(directory.lend_for("work").await.unwrap().server(), way.id());
}

#[tokio::test]
async fn work_that_has_to_be_done_at_a_silent_server_is_done_there() {
    let (_peer, way, directory) = beside_a_silent_one().await;
    found_out(&directory, &way).await.unwrap();
    let (asked, id) = (directory.clone(), way.id());
    let lending = tokio::spawn(async move { asked.lend_at(&id).await });
    way.keeps_silent_to(2).await;
    assert_eq!(code(lending.await.unwrap()), "ldap.timeout");
    way.open();
    assert_eq!(directory.lend_at(&way.id()).await.unwrap().server(), way.id());
    assert_eq!(directory.lend().await.unwrap().server(), way.id(), "it was heard");
}

#[tokio::test]
async fn a_password_that_one_server_refused_is_not_tried_at_a_silent_one() {
    let peer = Peer::start("slapd");
    let way = Way::shut(&peer).await;
    let wrong = ServiceAccount::new(peer.text("service"), "wrong-password").unwrap();
    let servers = [way.server.clone(), peer.ldaps()];
    let directory = Directory::new(servers, &wrong, PoolSettings::default());
    assert_eq!(code(found_out(&directory, &way).await), "ldap.service_refused");
    way.open();
    assert_eq!(code(directory.lend().await), "ldap.circuit_open");
    assert_eq!(way.count(), 1);
}

fn target(servers: [&Server; 2], peer: &Peer) -> Arc<OpenLdapTarget> {
    let mut settings = open_ldap(peer);
    settings.settles_seconds = 60;
    Arc::new(OpenLdapTarget::new(directory(servers, peer), &settings).unwrap())
}

/// Makes an account that belongs to the first of two servers which never learn of each other; by another process, so that no
/// connection is open.
async fn made_at(way: &Way, other: &Server, peer: &Peer) -> RemoteRef {
    way.open();
    let before = target([&way.server, other], peer);
    let mut account = None;
    for number in 0..64 {
        let made = made(&*before, &format!("jit-{number}"), &["ops"], &secret()).await;
        let search = Search::entry(peer.below(&format!("uid={},ou=jit", made.name)));
        if peer.as_service().await.read(&search).await.unwrap().is_some() {
            account = Some(made);
            break;
        }
    }
    way.is_open.send_replace(false);
    account.unwrap()
}

/// A target whose own server keeps silent about an account, and one that stands in and never learned of it.
struct OutOfSight {
    way: Way,
    target: Arc<OpenLdapTarget>,
    account: RemoteRef,
    /// How many connections were made before it kept silent.
    before: usize,
    _servers: [Peer; 2],
}

impl OutOfSight {
    /// Looks for the account once, and finds out that nobody can tell.
    async fn new() -> Self {
        let (one, other) = (Peer::start("slapd"), Peer::start("slapd"));
        let way = Way::shut(&one).await;
        let account = made_at(&way, &other.ldaps(), &one).await;
        let target = target([&way.server, &other.ldaps()], &one);
        let before = way.count();
        let lost = Self { way, target, account, before, _servers: [one, other] };
        let first = tokio::spawn(lost.observe());
        lost.way.keeps_silent_to(before + 1).await;
        assert_eq!(first.await.unwrap().unwrap_err(), "target.unseen");
        lost
    }

    fn observe(&self) -> impl Future<Output = Result<Observed, String>> + Send + use<> {
        let (target, account) = (Arc::clone(&self.target), self.account.clone());
        async move { target.observe(&account).await.map_err(|error| error.code().to_string()) }
    }

    async fn is_removed(&self) {
        let removed = self.target.ensure(&absent(&self.account)).await;
        assert_eq!(removed.unwrap(), Effect::Absent { was_there: true });
    }
}

#[tokio::test]
async fn what_one_that_stands_in_does_not_have_is_asked_of_the_own_server_which_may_answer_by_now() {
    let lost = OutOfSight::new().await;
    // many who are told so ask together
    let mut all = JoinSet::new();
    for _ in 0..8 {
        all.spawn(lost.observe());
    }
    lost.way.keeps_silent_to(lost.before + 2).await;
    while let Some(outcome) = all.join_next().await {
        assert_eq!(outcome.unwrap().unwrap_err(), "target.unseen");
    }
    assert_eq!(lost.way.count(), lost.before + 2);

    // it answers again, long before the time is over
    lost.way.open();
    assert!(matches!(lost.observe().await.unwrap(), Observed::Ours { .. }));
    lost.is_removed().await;
}

#[tokio::test]
async fn a_call_that_writes_is_done_by_the_own_server_where_one_that_stands_in_does_not_know_enough() {
    let lost = OutOfSight::new().await;
    lost.way.open();
    lost.is_removed().await;
}
