//! What look-ups that wait must do. Who is under way is in the hands of each test, so that nothing depends on threads.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    pin::Pin,
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Wake},
};

use jit_core::ErrorKind;

use super::*;
use crate::sqlite::{SqliteOptions, open, readers::row};

type Ask = Box<dyn Fn(&Connection) -> Result<i64, Refused> + Send + Sync>;
type Asking = Pin<Box<dyn Future<Output = Result<i64, BackendError>> + Send>>;

/// A file with one number, connections that read it, and one that writes it.
struct House {
    readers: Readers,
    writer: Mutex<Connection>,
    folder: PathBuf,
}

impl House {
    fn new(readers: usize) -> Arc<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("jit-lookups-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let (file, options) = (folder.join("numbers.db"), SqliteOptions::new());
        let writer = open::writer(&file, &options).unwrap();
        writer.execute_batch("CREATE TABLE kept (number INTEGER); INSERT INTO kept VALUES (1)").unwrap();
        let readers = (0..readers).map(|_| open::reader(&file, &options).unwrap()).collect();
        Arc::new(Self { readers: Readers::new(readers), writer: Mutex::new(writer), folder })
    }

    fn write(&self, number: i64) {
        self.writer.lock().unwrap().execute("UPDATE kept SET number = ?1", (number,)).unwrap();
    }

    fn ask(
        self: &Arc<Self>,
        ask: impl Fn(&Connection) -> Result<i64, Refused> + Send + Sync + 'static,
    ) -> Asking {
        let (house, ask): (_, Ask) = (Arc::clone(self), Box::new(ask));
        Box::pin(async move { house.readers.look_up("look", &(), ask, |on, (), ask| ask(on)).await })
    }

    /// Makes somebody be under way, as it was often of late.
    fn somebody(&self) -> Place<'_> {
        let place = self.readers.lookups.go_ahead(1).unwrap();
        self.readers.lookups.line().met = OFTEN;
        place
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Counts how often it is woken while no connection is in use.
struct Looks(Arc<House>, Arc<AtomicUsize>);

impl Wake for Looks {
    fn wake(self: Arc<Self>) {
        assert!(self.0.readers.is_free(), "a connection is still in use");
        self.1.fetch_add(1, Ordering::SeqCst);
    }
}

fn number(on: &Connection) -> Result<i64, Refused> {
    Ok(row(on, "SELECT number FROM kept", (), |row| Ok(row.get(0)?))?.unwrap())
}

fn is_shared(on: &Connection) -> i64 {
    i64::from(!on.is_autocommit())
}

#[track_caller]
fn answered(asking: &mut Asking) -> Result<i64, ErrorKind> {
    let Some(answer) = polled(asking) else { panic!("there is no answer") };
    answer
}

fn polled(asking: &mut Asking) -> Option<Result<i64, ErrorKind>> {
    match asking.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Some(answer.map_err(|error| error.kind().clone())),
        Poll::Pending => None,
    }
}

#[test]
fn whoever_is_alone_goes_ahead_and_those_who_wait_share_a_transaction() {
    let house = House::new(2);
    assert_eq!(answered(&mut house.ask(|on| Ok(is_shared(on)))), Ok(0));

    let somebody = house.somebody();
    let mut three = [(); 3].map(|()| house.ask(|on| Ok(is_shared(on))));
    assert!(three.iter_mut().all(|asking| polled(asking).is_none()));
    drop(somebody);
    assert_eq!(three.each_mut().map(answered), [Ok(1), Ok(1), Ok(1)]);
    assert_eq!(answered(&mut house.ask(|on| Ok(is_shared(on)))), Ok(0), "again");
}

#[test]
fn whoever_seldom_meets_somebody_waits_for_nobody_while_a_connection_is_free() {
    let house = House::new(2);
    for _ in 0..10 {
        let somebody = house.readers.lookups.go_ahead(2).unwrap();
        assert_eq!(answered(&mut house.ask(number)), Ok(1));
        drop(somebody);
    }
    let _somebody = house.readers.lookups.go_ahead(2).unwrap();
    let mut asked = (0..OFTEN).map(|_| house.ask(number)).map(|mut asking| polled(&mut asking));
    assert!(asked.by_ref().take(OFTEN - 1).all(|answer| answer == Some(Ok(1))));
    assert_eq!(asked.next(), Some(None), "now it is often");

    let house = House::new(1);
    let _somebody = house.readers.lookups.go_ahead(1).unwrap();
    assert_eq!(polled(&mut house.ask(number)), None, "no connection is free");
}

#[test]
fn nobody_is_told_what_was_there_before_they_asked() {
    let house = House::new(2);
    let late = Arc::new(Mutex::new(None));
    let (writes, comes) = (Arc::clone(&house), Arc::clone(&late));
    let mut first = house.ask(move |on| {
        let before = number(on)?;
        writes.write(2);
        let mut after = writes.ask(number);
        assert!(polled(&mut after).is_none());
        *comes.lock().unwrap() = Some(after);
        Ok(before)
    });
    let mut second = house.ask(number);

    let somebody = house.somebody();
    assert!(polled(&mut first).is_none() && polled(&mut second).is_none());
    drop(somebody);
    assert_eq!((answered(&mut first), answered(&mut second)), (Ok(1), Ok(1)), "one state for both");
    let mut late = late.lock().unwrap().take().unwrap();
    assert_eq!(answered(&mut late), Ok(2), "who came when the transaction was under way");
}

/// Counts how often somebody is woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn whoever_goes_keeps_nobody_waiting_and_is_not_looked_up_for() {
    let house = House::new(2);
    let asked = Arc::new(AtomicUsize::new(0));
    let count = || {
        let asked = Arc::clone(&asked);
        house.ask(move |_| Ok(i64::try_from(asked.fetch_add(1, Ordering::Relaxed)).unwrap()))
    };
    let somebody = house.somebody();
    let (mut first, mut second, mut third) = (count(), count(), count());
    let woken = [(); 3].map(|()| Arc::new(Woken::default()));
    for (asking, woken) in [&mut first, &mut second, &mut third].into_iter().zip(&woken) {
        let waker = Waker::from(Arc::clone(woken));
        assert!(asking.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    drop(somebody);
    assert!(
        woken.iter().all(|woken| woken.0.load(Ordering::Relaxed) == 1),
        "each may be the one that goes on"
    );
    drop(first);
    assert_eq!(answered(&mut third), Ok(1));
    assert_eq!(woken[1].0.load(Ordering::Relaxed), 2);
    assert_eq!(answered(&mut second), Ok(0));
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[test]
fn an_error_reaches_the_one_whose_it_is() {
    let house = House::new(2);
    let somebody = house.somebody();
    let missing = |on: &Connection| Ok(row(on, "SELECT 1 FROM missing", (), |row| Ok(row.get(0)?))?.unwrap());
    let mut three = [house.ask(number), house.ask(missing), house.ask(number)];
    assert!(three.iter_mut().all(|asking| polled(asking).is_none()));
    drop(somebody);
    assert_eq!(three.each_mut().map(answered), [Ok(1), Err(ErrorKind::Invalid), Ok(1)]);
}

#[test]
fn a_full_line_waits_for_nobody_while_a_connection_is_free() {
    let house = House::new(2);
    let _somebody = house.somebody();
    let mut line: Vec<_> = (0..enough(2)).map(|_| house.ask(number)).collect();
    let (last, others) = line.split_last_mut().unwrap();
    assert!(others.iter_mut().all(|asking| polled(asking).is_none()));
    assert_eq!(answered(last), Ok(1));
    assert!(others.iter_mut().all(|asking| answered(asking) == Ok(1)));
    assert!(polled(&mut house.ask(number)).is_none(), "one alone waits");
}

#[test]
fn the_more_connections_the_sooner_one_goes_ahead() {
    assert_eq!([1, 2, 4, 8, 16].map(enough), [TOGETHER, 8, 4, 2, 2]);
}

#[test]
fn whoever_is_woken_finds_the_connection_free() {
    let house = House::new(1);
    let somebody = house.somebody();
    let mut two = [house.ask(number), house.ask(number)];
    assert!(polled(&mut two[0]).is_none());
    let (looks, found) = (Arc::clone(&house), Arc::new(AtomicUsize::new(0)));
    let waker = Waker::from(Arc::new(Looks(looks, Arc::clone(&found))));
    assert!(two[1].as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    found.store(0, Ordering::SeqCst);
    drop(somebody);
    assert_eq!(answered(&mut two[0]), Ok(1));
    assert!(found.load(Ordering::SeqCst) > 0, "woken when the connection is free");
    assert_eq!(answered(&mut two[1]), Ok(1));
}

#[test]
fn a_transaction_takes_so_many_and_the_next_takes_the_others() {
    let house = House::new(1);
    let somebody = house.somebody();
    let mut line: Vec<_> = (0..=TOGETHER).map(|_| house.ask(number)).collect();
    assert!(line.iter_mut().all(|asking| polled(asking).is_none()), "there is one connection");
    drop(somebody);
    assert_eq!(answered(&mut line[0]), Ok(1));
    house.write(2);
    assert_eq!(answered(&mut line[TOGETHER]), Ok(2));
    assert_eq!(answered(&mut line[TOGETHER - 1]), Ok(1));
}

#[test]
fn a_transaction_that_was_left_open_shows_nobody_its_state() {
    let house = House::new(1);
    let connection = house.readers.free().unwrap();
    connection.execute_batch("BEGIN").unwrap();
    assert_eq!(number(&connection).unwrap(), 1);
    drop(connection);
    house.write(2);
    assert_eq!(answered(&mut house.ask(number)), Ok(2));
}

#[test]
fn what_breaks_off_leaves_nobody_waiting() {
    let house = House::new(1);
    let somebody = house.somebody();
    let mut three = [house.ask(number), house.ask(|_| panic!("a fault of ours")), house.ask(number)];
    assert!(three.iter_mut().all(|asking| polled(asking).is_none()));
    drop(somebody);
    assert!(catch_unwind(AssertUnwindSafe(|| polled(&mut three[2]))).is_err());
    let [first, second, _] = &mut three;
    assert_eq!((answered(first), answered(second)), (Ok(1), Err(ErrorKind::Unavailable)));
    house.write(2);
    assert_eq!(answered(&mut house.ask(number)), Ok(2));
}
