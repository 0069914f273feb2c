//! Callers that come at once, at servers that answer as a test tells them.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::*;
use crate::limits::Limits;

const ACCEPTED: u8 = 0;
const REFUSED: u8 = 49;

/// A directory: every bind comes to the test, which answers it, or does not.
struct Directory {
    circuit: Circuit,
    settings: PoolSettings,
    binds: mpsc::UnboundedSender<Bind>,
    /// How many binds were sent.
    count: Arc<AtomicUsize>,
}

/// A bind that a server received.
struct Bind {
    server: &'static str,
    answer: oneshot::Sender<u8>,
}

type Outcome = JoinHandle<Result<Connection, LdapError>>;

impl Directory {
    fn open() -> (Self, mpsc::UnboundedReceiver<Bind>) {
        let (binds, received) = mpsc::unbounded_channel();
        let (circuit, count) = (Circuit::default(), Arc::default());
        (Self { circuit, settings: PoolSettings::default(), binds, count }, received)
    }

    fn ask_as(&self, server: &'static str, password: &str) -> Outcome {
        let (ours, theirs) = duplex(4096);
        tokio::spawn(serve(theirs, server, self.binds.clone(), Arc::clone(&self.count)));
        let connection = Connection::dangerously_over(ours, Limits::default(), true);
        let account = ServiceAccount::new("cn=jit", password).unwrap();
        let (circuit, settings) = (self.circuit.clone(), self.settings);
        tokio::spawn(async move {
            circuit.check()?;
            circuit.bind(connection, &account, &ServerId::new(server), &settings).await
        })
    }

    fn ask(&self) -> Outcome {
        self.ask_as("dc1:636", "password")
    }

    fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}

/// Answers one bind after the other; one that is not answered keeps silent for good.
async fn serve(
    mut stream: DuplexStream,
    server: &'static str,
    binds: mpsc::UnboundedSender<Bind>,
    count: Arc<AtomicUsize>,
) {
    let mut request = [0; 256];
    while let Ok(1..) = stream.read(&mut request).await {
        count.fetch_add(1, Ordering::SeqCst);
        let (answer, code) = oneshot::channel();
        if binds.send(Bind { server, answer }).is_err() {
            return;
        }
        let Ok(code) = code.await else { return std::future::pending().await };
        let _ = stream.write_all(&[0x30, 12, 2, 1, 1, 0x61, 7, 10, 1, code, 4, 0, 4, 0]).await;
    }
}

/// How it came out.
async fn code(outcome: Outcome) -> String {
    outcome.await.unwrap().map_or_else(|error| error.code().to_string(), |_| "fine".to_owned())
}

async fn codes(outcomes: Vec<Outcome>) -> Vec<String> {
    let mut codes = Vec::new();
    for outcome in outcomes {
        codes.push(code(outcome).await);
    }
    codes
}

/// Lets everybody come as far as they can.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn one_tries_and_its_refusal_is_the_answer_of_all() {
    let (directory, mut received) = Directory::open();
    let all: Vec<_> = (0..32).map(|_| directory.ask()).collect();
    let bind = received.recv().await.unwrap();
    settle().await;
    assert_eq!(directory.count(), 1, "the others wait");
    bind.answer.send(REFUSED).unwrap();
    let mut codes = codes(all).await;
    assert_eq!(codes.remove(0), "ldap.service_refused");
    assert!(codes.iter().all(|code| code == "ldap.circuit_open"), "{codes:?}");
    assert_eq!(directory.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn once_one_was_accepted_all_others_are_bound_side_by_side() {
    let (directory, mut received) = Directory::open();
    let all: Vec<_> = (0..32).map(|_| directory.ask()).collect();
    received.recv().await.unwrap().answer.send(ACCEPTED).unwrap();
    settle().await;
    assert_eq!(directory.count(), 32, "none waits for another");
    while let Ok(bind) = received.try_recv() {
        bind.answer.send(ACCEPTED).unwrap();
    }
    assert!(codes(all).await.iter().all(|code| code == "fine"));

    // the password may be another one when the next connection is needed
    let later: Vec<_> = (0..8).map(|_| directory.ask()).collect();
    settle().await;
    assert_eq!(directory.count(), 33);
    received.recv().await.unwrap().answer.send(REFUSED).unwrap();
    assert!(!codes(later).await.contains(&"fine".to_owned()));
    assert_eq!(directory.count(), 33);
}

#[tokio::test(start_paused = true)]
async fn what_was_accepted_of_one_password_says_nothing_of_another() {
    let (directory, mut received) = Directory::open();
    let right = directory.ask_as("dc1:636", "right");
    let wrong: Vec<_> = (0..8).map(|_| directory.ask_as("dc1:636", "wrong")).collect();
    received.recv().await.unwrap().answer.send(ACCEPTED).unwrap();
    assert_eq!(code(right).await, "fine");
    settle().await;
    assert_eq!(directory.count(), 2);
    received.recv().await.unwrap().answer.send(REFUSED).unwrap();
    assert!(!codes(wrong).await.contains(&"fine".to_owned()));
    assert_eq!(directory.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_bind_whose_caller_went_away_is_heard_before_another_is_sent() {
    let (directory, mut received) = Directory::open();
    // each stops waiting as soon as its bind may have been sent
    let mut first = None;
    for _ in 0..32 {
        let caller = directory.ask();
        settle().await;
        first = first.or(received.try_recv().ok());
        caller.abort();
        assert!(caller.await.unwrap_err().is_cancelled());
    }
    assert_eq!(directory.count(), 1);
    let last = directory.ask();
    first.unwrap().answer.send(REFUSED).unwrap();
    assert_eq!(code(last).await, "ldap.circuit_open");
    assert_eq!(directory.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_came_while_nobody_waited_counts() {
    for (answer, expected) in [(REFUSED, "ldap.circuit_open"), (ACCEPTED, "fine")] {
        let (directory, mut received) = Directory::open();
        let caller = directory.ask();
        let bind = received.recv().await.unwrap();
        caller.abort();
        settle().await;
        bind.answer.send(answer).unwrap();
        tokio::time::advance(Duration::from_secs(600)).await;
        let later = directory.ask();
        settle().await;
        if let Ok(bind) = received.try_recv() {
            bind.answer.send(ACCEPTED).unwrap();
        }
        assert_eq!(code(later).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_bind_that_gets_no_answer_hands_the_turn_on() {
    let (mut directory, mut received) = Directory::open();
    directory.settings.patience = Duration::from_secs(60);
    let (silent, next) = (directory.ask(), directory.ask());
    let unanswered = received.recv().await.unwrap();
    let bind = received.recv().await.unwrap();
    assert_eq!(code(silent).await, "ldap.timeout");
    bind.answer.send(ACCEPTED).unwrap();
    assert_eq!(code(next).await, "fine");
    drop(unanswered);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_went_away_from_a_silent_server_keeps_nobody_for_longer_than_its_patience() {
    for (later, expected) in [(Duration::ZERO, "ldap.timeout"), (Duration::from_secs(600), "fine")] {
        let (directory, mut received) = Directory::open();
        let gone = directory.ask();
        let unanswered = received.recv().await.unwrap();
        gone.abort();
        tokio::time::advance(later).await;
        let begun = Instant::now();
        let next = directory.ask();
        // nobody knows what a server does now that kept silent long ago
        tokio::time::sleep(GRACE).await;
        settle().await;
        if let Ok(bind) = received.try_recv() {
            bind.answer.send(ACCEPTED).unwrap();
        }
        assert_eq!(code(next).await, expected);
        assert!(begun.elapsed() <= directory.settings.patience + Duration::from_millis(10));
        drop(unanswered);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_keeps_silent_keeps_another_one_from_nobody() {
    let (directory, mut received) = Directory::open();
    let silent: Vec<_> = (0..8).map(|_| directory.ask()).collect();
    let unanswered = received.recv().await.unwrap();
    tokio::time::advance(Duration::from_secs(1)).await;
    let other = directory.ask_as("dc2:636", "password");
    let bind = received.recv().await.unwrap();
    assert_eq!(bind.server, "dc2:636", "whoever would ask the first one has no time left for it");
    bind.answer.send(ACCEPTED).unwrap();
    assert_eq!(code(other).await, "fine");
    for code in codes(silent).await {
        assert!(["ldap.timeout", "ldap.pool_exhausted"].contains(&code.as_str()), "{code}");
    }
    drop(unanswered);
}

#[tokio::test(start_paused = true)]
async fn whoever_is_refused_is_asked_again_after_a_while_and_one_by_one() {
    let (directory, mut received) = Directory::open();
    for pause in [FIRST_REST, directory.settings.rest] {
        let all: Vec<_> = (0..8).map(|_| directory.ask()).collect();
        received.recv().await.unwrap().answer.send(REFUSED).unwrap();
        assert!(!codes(all).await.contains(&"fine".to_owned()));
        tokio::time::advance(pause.saturating_sub(Duration::from_millis(1))).await;
        assert_eq!(code(directory.ask()).await, "ldap.circuit_open");
        tokio::time::advance(Duration::from_millis(1)).await;
    }
    assert_eq!(directory.count(), 2);
}
