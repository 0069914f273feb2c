//! The figures.

use std::rc::Rc;
use std::time::Duration;

use jit_benches::cost::median;
use jit_benches::report::{Goal, line};

use crate::Wanted;
use crate::fill::fill;
use crate::load::{Requests, round};
use crate::requests::{ALL, Asked, Operation};
use crate::server::Server;

/// What several rounds of one operation came to.
#[derive(Default)]
struct Rounds {
    per_second: Vec<f64>,
    cpu_micros: Vec<f64>,
    slow_micros: Vec<f64>,
}

impl std::fmt::Display for Rounds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let middle = |figures: &Vec<f64>| median(figures.clone());
        let slow = middle(&self.slow_micros) / 1000.0;
        write!(f, "{:.0}/s (cpu {:.0} us, {slow:.1} ms)", middle(&self.per_second), middle(&self.cpu_micros))
    }
}

impl Rounds {
    #[expect(clippy::cast_precision_loss, reason = "a count of some millions")]
    fn add(&mut self, subject: &mut Subject<'_>, span: Duration) {
        let before = subject.server.cpu();
        let round = round(subject.server.address, &subject.requests, subject.next, span);
        let cpu = subject.server.cpu().saturating_sub(before);
        subject.next += round.count;
        self.per_second.push(round.per_second());
        self.cpu_micros.push(cpu.as_secs_f64() * 1e6 / round.count as f64);
        self.slow_micros.push(round.slowest_but_one_percent().as_secs_f64() * 1e6);
    }

    /// The middle of the ratios to another, round by round.
    fn to(&self, other: &Self) -> f64 {
        median(self.per_second.iter().zip(&other.per_second).map(|(a, b)| a / b).collect())
    }

    /// How many times the processor time of this the other took.
    fn cpu_of(&self, other: &Self) -> f64 {
        median(other.cpu_micros.iter().zip(&self.cpu_micros).map(|(a, b)| a / b).collect())
    }
}

/// One operation at one server.
struct Subject<'a> {
    server: &'a Server,
    requests: Rc<dyn Requests>,
    next: u64,
}

impl<'a> Subject<'a> {
    /// `next` is the number of the first request: of a POST that of the first person who is not there yet.
    fn new(operation: Operation, server: &'a Server, next: u64) -> Self {
        Self { server, requests: Rc::new(Asked::new(operation, server)), next }
    }
}

/// Lets two servers do the same in turn.
fn in_turn(wanted: &Wanted, one: &mut Subject<'_>, other: &mut Subject<'_>) -> (Rounds, Rounds) {
    let (rounds, span) =
        if wanted.is_quick { (3, Duration::from_secs(1)) } else { (5, Duration::from_secs(2)) };
    let (mut first, mut second) = (Rounds::default(), Rounds::default());
    for _ in 0..rounds {
        first.add(one, span);
        second.add(other, span);
    }
    (first, second)
}

/// What an operation shall be of the echo.
fn share(operation: Operation) -> Goal {
    Goal::AtLeast(match operation {
        Operation::Get => 0.9,
        Operation::Filter => 0.8,
        Operation::List => 1.0,
        Operation::Rename | Operation::Switch | Operation::Post => 0.3,
    })
}

/// On the memory store, with few and with many people.
pub(crate) fn beside_echo(wanted: &Wanted) {
    let echo = Server::echo();
    let most = if wanted.is_quick { 10_000 } else { 100_000 };
    for people in [1000, most] {
        let mut ours = Server::ours(&wanted.program, "memory", &wanted.folder);
        let empty = ours.memory();
        fill(&mut ours, people);
        memory(&ours, empty);
        let mut next = people;
        for operation in ALL {
            let first = if operation == Operation::Post { next } else { 0 };
            let mut subject = Subject::new(operation, &ours, first);
            let mut beside = Subject::new(operation, &echo, 0);
            let (own, other) = in_turn(wanted, &mut subject, &mut beside);
            next = next.max(subject.next);
            let what = format!("SCIM in memory, {people} people: {}", operation.words());
            line(&what, &own, format!("{other} echo"), own.to(&other), share(operation));
            line(
                &format!("… by the processor: {}", operation.words()),
                "",
                "",
                own.cpu_of(&other),
                Goal::Shown,
            );
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "some hundred megabytes")]
fn memory(server: &Server, empty: u64) {
    if server.people < 10_000 {
        return;
    }
    let each = server.memory().saturating_sub(empty) as f64 / server.people as f64;
    let what = format!("SCIM in memory, {} people: memory for each", server.people);
    line(&what, format!("{each:.0} bytes"), "3072 bytes", each / 3072.0, Goal::AtMost(1.0));
}

/// On a database, for comparison: what the statements themselves cost is measured where the stores are.
pub(crate) fn on_sqlite(wanted: &Wanted) {
    let store = format!("sqlite:{}", wanted.folder.join("scim.db").display());
    let (echo, mut ours) = (Server::echo(), Server::ours(&wanted.program, &store, &wanted.folder));
    fill(&mut ours, 1000);
    for operation in ALL {
        let first = if operation == Operation::Post { 1000 } else { 0 };
        let mut subject = Subject::new(operation, &ours, first);
        let mut beside = Subject::new(operation, &echo, 0);
        let (own, other) = in_turn(wanted, &mut subject, &mut beside);
        let what = format!("SCIM on SQLite, 1000 people: {}", operation.words());
        line(&what, &own, format!("{other} echo"), own.to(&other), Goal::Shown);
    }
}

/// Beside servers that others made, in memory as well.
pub(crate) fn beside_peers(wanted: &Wanted) {
    let counts: &[u64] = if wanted.is_quick { &[1000] } else { &[1000, 100_000] };
    for &people in counts {
        let mut ours = Server::ours(&wanted.program, "memory", &wanted.folder);
        fill(&mut ours, people);
        let mut next = people;
        for name in ["scim2-server", "scimmy"] {
            let peer = Server::peer(name, people);
            for operation in ALL {
                // It makes objects of all people for each page, which takes minutes.
                if people > 1000 && operation == Operation::List && name == "scimmy" {
                    continue;
                }
                let is_post = operation == Operation::Post;
                let mut subject = Subject::new(operation, &ours, if is_post { next } else { 0 });
                let mut beside = Subject::new(operation, &peer, if is_post { people } else { 0 });
                let (own, other) = in_turn(wanted, &mut subject, &mut beside);
                next = next.max(subject.next);
                let what = format!("SCIM in memory, {people} people: {}", operation.words());
                line(&what, &own, format!("{other} {name}"), own.to(&other), Goal::AtLeast(20.0));
            }
        }
    }
}
