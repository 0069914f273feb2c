//! Two processes follow the trail to a mirror at once, on one database, and one of them is stopped in the middle, again and
//! again: nobody is missed, and nothing is done twice there.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::poll_fn,
    num::NonZeroUsize,
    pin::pin,
    sync::{Arc, Mutex},
    task::Poll,
};

use chrono::TimeDelta;
use jit_core::*;

use crate::support::{first_sign_in, now, tenant};

/// How many join before a round, and as many again while it goes on.
const JOINERS: u64 = 12;
/// So many calls of one process are under way at a time.
const AT_ONCE: usize = 4;
/// After so many steps the first process is stopped.
const STOPS: [usize; 10] = [1, 2, 4, 7, 11, 16, 24, 40, 70, 120];

/// Who was asked for, and by which processes.
type Asked = Mutex<BTreeMap<String, Vec<usize>>>;

/// The way of one process to the application: there others have a turn before a call and behind it.
struct Way {
    inner: MemoryTarget,
    process: usize,
    asked: Arc<Asked>,
}

jit_core::pass_on! { Target(capabilities, home, observe, holdings, show, differs, list) for Way => inner;
    async fn ensure(&self, desired: &Desired) -> Result<Effect, BackendError> {
        let name = desired.remote.name.clone();
        self.asked.lock().unwrap().entry(name).or_default().push(self.process);
        tokio::task::yield_now().await;
        let effect = self.inner.ensure(desired).await;
        tokio::task::yield_now().await;
        effect
    }
}

fn chat() -> TargetId {
    TargetId::new("chat").unwrap()
}

struct World {
    clock: Arc<ManualClock>,
    there: MemoryTarget,
    asked: Arc<Asked>,
    joined: Mutex<u64>,
    /// The process beside, which knows no target.
    beside: Arc<dyn Store>,
}

impl World {
    fn new(beside: Arc<dyn Store>) -> Self {
        let clock = Arc::new(ManualClock::at(now()));
        Self { clock, there: MemoryTarget::new(), asked: Arc::default(), joined: Mutex::default(), beside }
    }

    fn process(&self, number: usize, store: Arc<dyn Store>) -> Jit {
        let way = Way { inner: self.there.beside(), process: number, asked: Arc::clone(&self.asked) };
        let markers = MarkerKey::new("test", &[5; 32]).unwrap();
        let mirroring = Mirroring::of_holders([Entitlement::role("editor").unwrap()]);
        let setup = TargetSetup::new(chat(), Arc::new(way), markers).for_tenants([tenant()]);
        let entropy = SeededEntropy::new(u64::try_from(number).unwrap());
        let builder = Jit::builder(store).clock(Arc::clone(&self.clock) as _).entropy(Arc::new(entropy));
        builder
            .target(setup.mirroring(mirroring).at_once(NonZeroUsize::new(AT_ONCE).unwrap()))
            .build()
            .unwrap()
    }

    async fn join(&self) {
        for _ in 0..JOINERS {
            let number = {
                let mut joined = self.joined.lock().unwrap();
                *joined += 1;
                *joined
            };
            // ids begin with the instant at which they are made
            let at = u64::try_from((self.clock.now() - now()).num_milliseconds()).unwrap() + number;
            let name = format!("person{number}");
            self.beside.commit(&first_sign_in(at, &name, &name)).await.unwrap();
        }
    }

    /// Who should be there and is not.
    fn missing(&self) -> Vec<String> {
        let (there, joined) = (self.there.accounts(), *self.joined.lock().unwrap());
        let names = (1..=joined).map(|number| format!("person{number}"));
        names.filter(|name| !there.get(name).is_some_and(|account| account.enabled)).collect()
    }

    /// How often anybody was asked for.
    fn asked(&self) -> usize {
        self.asked.lock().unwrap().values().map(Vec::len).sum()
    }

    /// Who was asked for more than once since the last time, and how often.
    fn asked_again(&self) -> BTreeMap<String, Vec<usize>> {
        let asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.into_iter().filter(|(_, asked)| asked.len() > 1).collect()
    }

    /// The ids that the application gave, which nobody has twice.
    fn natives(&self) -> BTreeSet<String> {
        self.there.accounts().into_values().map(|account| account.native).collect()
    }
}

async fn work(engine: &Jit) {
    let (worker, limit) = (WorkerId::new("worker").unwrap(), NonZeroUsize::new(100).unwrap());
    engine.work_target(&worker, &chat(), limit).await.unwrap();
}

/// Goes on for so many steps, and then no more.
async fn stopped_after(steps: usize, call: impl Future<Output = ()>) {
    let (mut call, mut left) = (pin!(call), steps);
    poll_fn(move |context| match left.checked_sub(1) {
        Some(less) => {
            left = less;
            call.as_mut().poll(context)
        }
        None => Poll::Ready(()),
    })
    .await;
}

async fn nobody_is_missed(open: impl AsyncFn() -> Arc<dyn Store>) {
    let world = World::new(open().await);
    let lasting = world.process(0, open().await);
    work(&lasting).await;
    let mut before = BTreeSet::new();
    for (number, steps) in (1..).zip(STOPS) {
        let stopped = world.process(number, open().await);
        world.join().await;
        tokio::join!(stopped_after(steps, work(&stopped)), work(&lasting), world.join());
        drop(stopped);
        // What the stopped one had claimed comes back, and so does what it had begun to ask for.
        for _ in 0..10 {
            world.clock.advance(TimeDelta::seconds(30));
            work(&lasting).await;
        }
        assert_eq!(world.missing(), [""; 0], "stopped after {steps} steps");
        // What it had written down that it asks for may still happen: it is asked for, and once more when it no longer may.
        let again = world.asked_again();
        let few = again.len() <= AT_ONCE && again.values().all(|asked| asked.len() <= 3);
        assert!(few, "stopped after {steps} steps: {again:?}");
        let natives = world.natives();
        assert!(natives.is_superset(&before), "nobody is made anew");
        before = natives;
    }
    assert_eq!(u64::try_from(before.len()).unwrap(), *world.joined.lock().unwrap());
    let others = [world.process(98, open().await), world.process(99, open().await)];
    tokio::join!(work(&others[0]), work(&others[1]));
    assert_eq!(world.asked(), 0, "nothing is left to do");
}

/// Both live: whatever they find at the same moment, one of them brings it.
async fn nobody_is_brought_twice(open: impl AsyncFn() -> Arc<dyn Store>) {
    let world = World::new(open().await);
    let both = [world.process(0, open().await), world.process(1, open().await)];
    for _ in 0..8 {
        world.join().await;
        tokio::join!(work(&both[0]), work(&both[1]), world.join());
        world.clock.advance(TimeDelta::seconds(30));
        tokio::join!(work(&both[0]), work(&both[1]));
        assert_eq!(world.missing(), [""; 0]);
    }
    assert_eq!(world.asked(), usize::try_from(*world.joined.lock().unwrap()).unwrap());
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn on_one_file() {
    let folder = crate::support::folder::Folder::new("followers");
    let open = async |name: &str| {
        Arc::new(jit_sql::SqliteStore::open(folder.path().join(name)).unwrap()) as Arc<dyn Store>
    };
    nobody_is_missed(async || open("stopped.db").await).await;
    nobody_is_brought_twice(async || open("both.db").await).await;
}

#[cfg(feature = "real-postgres")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_one_server() {
    let schemas = [crate::support::server::Schema::new().await, crate::support::server::Schema::new().await];
    let open = async |number: usize| Arc::new(schemas[number].store().await) as Arc<dyn Store>;
    nobody_is_missed(async || open(0).await).await;
    nobody_is_brought_twice(async || open(1).await).await;
}
