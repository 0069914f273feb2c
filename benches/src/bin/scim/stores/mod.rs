//! The service on databases, without HTTP, beside the same rows read and written by prepared statements.

mod postgres;
mod rows;
mod sqlite;

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use jit_benches::bare;
use jit_benches::cost::{Cost, Figures};
use jit_benches::report::{Goal, line};
use jit_benches::tasks::on_64_tasks;
use jit_core::Store;
use jit_scim::server::{ScimContext, ScimService};
use jit_sql::{PostgresOptions, PostgresStore, SqliteStore};
use tokio_postgres::{Client, Config, NoTls};
use uuid::Uuid;

use self::rows::{Person, people};
use crate::alone::{request, serve};
use crate::requests::{Operation, Said, say};

const OPERATIONS: [Operation; 5] =
    [Operation::Get, Operation::Filter, Operation::List, Operation::Rename, Operation::Post];

/// How much is made ready at a time.
const CHUNK: u64 = 4_000;

/// What the command line asks for.
pub(crate) struct Wanted {
    pub(crate) folder: PathBuf,
    pub(crate) is_quick: bool,
    pub(crate) postgres: Option<String>,
}

impl Wanted {
    /// Reads what comes after the name of this part; `None` where that makes no sense.
    pub(crate) fn of(mut arguments: impl Iterator<Item = String>) -> Option<Self> {
        let mut wanted = Self { folder: arguments.next()?.into(), is_quick: false, postgres: None };
        while let Some(option) = arguments.next() {
            match option.as_str() {
                "--quick" => wanted.is_quick = true,
                "--postgres" => wanted.postgres = Some(arguments.next()?),
                _ => return None,
            }
        }
        std::fs::create_dir_all(&wanted.folder).unwrap();
        Some(wanted)
    }
}

/// The statements by hand, each answer as the bytes that a server would send.
pub(crate) trait Bare: Send + Sync + 'static {
    fn get(&self, id: Uuid) -> impl Future<Output = Vec<u8>> + Send;
    fn named(&self, user_name: &str) -> impl Future<Output = Vec<u8>> + Send;
    /// The first hundred, and how many there are.
    fn list(&self) -> impl Future<Output = Vec<u8>> + Send;
    /// Reads a person and their account, and writes both and an audit event, unless somebody else was quicker.
    fn rename(&self, id: Uuid, name: &str) -> impl Future<Output = ()> + Send;
    fn post(&self, person: Person) -> impl Future<Output = ()> + Send;
}

/// Measures on both databases.
pub(crate) fn measure(wanted: &Wanted) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for people in [1_000, if wanted.is_quick { 10_000 } else { 100_000 }] {
            on_sqlite(wanted, people).await;
            if let Some(url) = &wanted.postgres {
                on_postgres(wanted, url, people).await;
            }
        }
    });
}

async fn on_sqlite(wanted: &Wanted, people: u64) {
    let file = |name: &str| wanted.folder.join(format!("scim-{name}-{people}.db"));
    drop(SqliteStore::open(file("bare")).unwrap());
    let ids = fill(&Arc::new(sqlite::ByHand::open(&file("bare"))), people).await;
    // What is in the log goes over into the file.
    let carry = "PRAGMA wal_checkpoint(TRUNCATE)";
    bare::sqlite(&file("bare"), 1_024).query_row(carry, (), |_| Ok(())).unwrap();
    std::fs::copy(file("bare"), file("ours")).unwrap();
    let by_hand = Arc::new(sqlite::ByHand::open(&file("bare")));
    let ours = House::on(Arc::new(SqliteStore::open(file("ours")).unwrap()));
    Both { on: "SQLite FULL", ours, bare: by_hand, ids, admin: None }.measure(wanted).await;
}

async fn on_postgres(wanted: &Wanted, url: &str, people: u64) {
    let mut config: Config = url.parse().unwrap();
    config.options("-c search_path=scim");
    let (admin, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    admin.batch_execute("DROP SCHEMA IF EXISTS scim CASCADE; CREATE SCHEMA scim").await.unwrap();
    let options = PostgresOptions::new().connections(postgres::CONNECTIONS.try_into().unwrap());
    let store = Arc::new(PostgresStore::open_local(config.clone(), options).await.unwrap());
    let bare = Arc::new(postgres::ByHand::open(&config).await);
    let ids = fill(&bare, people).await;
    admin.batch_execute("VACUUM ANALYZE").await.unwrap();
    Both { on: "PostgreSQL", ours: House::on(store), bare, ids, admin: Some(admin) }.measure(wanted).await;
}

/// Makes people by hand, and tells their ids.
async fn fill<B: Bare>(bare: &Arc<B>, count: u64) -> Vec<Uuid> {
    let mut ids = Vec::new();
    for first in (0..count).step_by(usize::try_from(CHUNK).unwrap()) {
        let some = people(first..count.min(first + CHUNK));
        ids.extend(some.iter().map(|person| person.document));
        post_all(bare, some).await;
    }
    ids
}

async fn post_all<B: Bare>(bare: &Arc<B>, people: Vec<Person>) -> Cost {
    let bare = Arc::clone(bare);
    on_64_tasks(people, move |person| {
        let bare = Arc::clone(&bare);
        async move { bare.post(person).await }
    })
    .await
}

/// The service on a store.
struct House {
    service: ScimService,
    context: ScimContext,
}

impl House {
    fn on(store: Arc<dyn Store>) -> Arc<Self> {
        let (service, context) = serve(store);
        Arc::new(Self { service, context })
    }

    async fn ask_all(self: &Arc<Self>, said: Vec<Said>) -> Cost {
        let house = Arc::clone(self);
        on_64_tasks(said, move |said| {
            let house = Arc::clone(&house);
            async move {
                let response = house.service.handle(&house.context, request(&said)).await;
                assert!(response.status() < 300, "{}", String::from_utf8_lossy(response.body()));
            }
        })
        .await
    }
}

/// The service beside the statements.
struct Both<B> {
    on: &'static str,
    ours: Arc<House>,
    bare: Arc<B>,
    ids: Vec<Uuid>,
    /// Where there is a server, whose processor time is looked at.
    admin: Option<Client>,
}

impl<B: Bare> Both<B> {
    async fn measure(&self, wanted: &Wanted) {
        let mut next = self.ids.len() as u64;
        for operation in OPERATIONS {
            self.compare(operation, if wanted.is_quick { 3 } else { 7 }, &mut next).await;
        }
    }

    async fn compare(&self, operation: Operation, rounds: u64, next: &mut u64) {
        let count = match operation {
            Operation::Get | Operation::Filter => 10_000,
            Operation::List => 200,
            _ => CHUNK,
        };
        let (mut ours, mut bare, mut server) = (Figures::default(), Figures::default(), [0.0; 2]);
        // The first round warms up.
        for round in 0..=rounds {
            let first = if operation == Operation::Post { *next } else { round * 2 * count };
            let before = self.cpu().await;
            let by_hand = self.by_hand(operation, first..first + count).await;
            let middle = self.cpu().await;
            let own = self.ours.ask_all(self.said(operation, first + count..first + 2 * count)).await;
            let after = self.cpu().await;
            *next += if operation == Operation::Post { 2 * count } else { 0 };
            if round > 0 {
                let count = usize::try_from(count).unwrap();
                bare.add(by_hand, count);
                ours.add(own, count);
                server = [server[0] + middle[0] - before[0], server[1] + after[1] - middle[1]];
            }
        }
        let what = format!("SCIM on {}, {} people: {}", self.on, self.ids.len(), operation.words());
        line(&what, &ours, format!("{bare} bare statements"), bare.to(&ours), Goal::AtLeast(0.7));
        if self.admin.is_some() {
            #[expect(clippy::cast_precision_loss, reason = "some thousands")]
            let [bare, ours] = server.map(|seconds| seconds * 1e6 / (count * rounds) as f64);
            let beside = format!("{bare:.0} us bare statements");
            line("… of this: the server's cpu", format!("{ours:.0} us"), beside, bare / ours, Goal::Shown);
        }
    }

    /// What the server has spent on the statements by hand, and on the store.
    async fn cpu(&self) -> [f64; 2] {
        match &self.admin {
            None => [0.0; 2],
            Some(admin) => [bare::cpu_of_server(admin, "").await, bare::cpu_of_server(admin, "jit").await],
        }
    }

    /// Goes through all people in no order, each as often as the others.
    fn place(&self, number: u64) -> usize {
        usize::try_from(number.wrapping_mul(7_919) % self.ids.len() as u64).unwrap()
    }

    fn said(&self, operation: Operation, numbers: Range<u64>) -> Vec<Said> {
        let said = |number| {
            let id = self.ids[self.place(number)].to_string();
            say(operation, number, &id, self.ids.len() as u64, true)
        };
        numbers.map(said).collect()
    }

    async fn by_hand(&self, operation: Operation, numbers: Range<u64>) -> Cost {
        if operation == Operation::Post {
            return post_all(&self.bare, people(numbers)).await;
        }
        let asked: Vec<_> =
            numbers.map(|number| (self.place(number), self.ids[self.place(number)])).collect();
        let bare = Arc::clone(&self.bare);
        on_64_tasks(asked, move |(place, id)| {
            let bare = Arc::clone(&bare);
            async move {
                let answer = match operation {
                    Operation::Get => bare.get(id).await,
                    Operation::Filter => bare.named(&format!("person-{place}@example.com")).await,
                    Operation::List => bare.list().await,
                    _ => {
                        bare.rename(id, &format!("Person, time {place}")).await;
                        return;
                    }
                };
                assert!(answer.len() > 100);
            }
        })
        .await
    }
}
