//! One first sign-in at a time for each identity, within this process; between processes the store decides.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use chrono::{DateTime, Utc};
use tokio::sync::Semaphore;

use super::{SignIn, landing::Landing};
use crate::{Account, ExternalKey};

type UnderWay = HashMap<ExternalKey, Arc<Flight>>;

/// Keeps a flight for each identity that is signing in for the first time.
#[derive(Default)]
pub(super) struct Flights {
    under_way: Mutex<UnderWay>,
    /// How many there are, so that all others need not ask for theirs.
    count: AtomicUsize,
}

/// Lets one ahead and tells the others what came of it.
struct Flight {
    key: ExternalKey,
    /// One place; closed once the account is there, which wakes everybody at once.
    turn: Semaphore,
    /// What was said of the first who told.
    said: OnceLock<Arc<SignIn>>,
    landing: OnceLock<Arc<Landing>>,
}

/// Says what a sign-in finds when it need not wait any longer.
pub(super) enum Boarded<'a> {
    /// Its turn.
    Ahead(Turn<'a>),
    /// What the one before left: there is nothing to go ahead for any more.
    Landed(Arc<Landing>),
}

/// Holds the turn of one identity until dropped, or a place among those who wait for it.
pub(super) struct Turn<'a> {
    flights: &'a Flights,
    flight: Option<Arc<Flight>>,
    holds: bool,
    waited: bool,
}

impl Flights {
    /// Takes a place among those whose identity is signing in for the first time; `None` where it is not.
    pub(super) fn join(&self, key: &ExternalKey) -> Option<Turn<'_>> {
        if self.count.load(Ordering::Acquire) == 0 {
            return None;
        }
        let flight = Arc::clone(self.lock().get(key)?);
        Some(self.place(flight))
    }

    /// Takes a place among those of an identity.
    pub(super) fn enter(&self, key: &ExternalKey) -> Turn<'_> {
        let mut under_way = self.lock();
        let fresh = || Flight {
            key: key.clone(),
            turn: Semaphore::new(1),
            said: OnceLock::new(),
            landing: OnceLock::new(),
        };
        let flight = Arc::clone(under_way.entry(key.clone()).or_insert_with(|| Arc::new(fresh())));
        self.count.store(under_way.len(), Ordering::Release);
        self.place(flight)
    }

    fn place(&self, flight: Arc<Flight>) -> Turn<'_> {
        Turn { flights: self, flight: Some(flight), holds: false, waited: false }
    }

    fn lock(&self) -> MutexGuard<'_, UnderWay> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> Turn<'a> {
    /// Keeps what was said together with the first of whom the same was said, while there is time: those who wait compare
    /// it, and give back what came twice, before they are woken all at once.
    pub(super) fn share(&self, sign_in: Box<SignIn>) -> Arc<SignIn> {
        let Some(flight) = &self.flight else { return Arc::from(sign_in) };
        match flight.said.get() {
            Some(first) if first.is_alike(&sign_in) => Arc::clone(first),
            Some(_) => Arc::from(sign_in),
            None => {
                let said = Arc::from(sign_in);
                // Somebody else may have been as quick.
                let _ = flight.said.set(Arc::clone(&said));
                said
            }
        }
    }

    /// Waits until it is this one's turn, or nobody's any more. Whoever gives up while waiting leaves nothing behind.
    pub(super) async fn board(mut self) -> Boarded<'a> {
        // Gone before the turn is, which counts who is left.
        let Some(flight) = self.flight.clone() else { return Boarded::Ahead(self) };
        let permit = if let Ok(permit) = flight.turn.try_acquire() {
            Ok(permit)
        } else {
            self.waited = true;
            flight.turn.acquire().await
        };
        if let Ok(permit) = permit {
            permit.forget();
            self.holds = true;
        } else if let Some(landing) = flight.landing.get() {
            // A flight that has landed is under way no more: there is nothing to clean up.
            self.flight = None;
            return Boarded::Landed(Arc::clone(landing));
        }
        Boarded::Ahead(self)
    }

    /// Tells whether somebody else had the turn when this one came.
    pub(super) fn waited(&self) -> bool {
        self.waited
    }

    /// Leaves the account to all who wait. Whoever waits began before `now` is read, so that its sign-in counts as one
    /// at that instant.
    pub(super) fn land(mut self, account: &Arc<Account>, now: impl FnOnce() -> DateTime<Utc>) {
        let Some(flight) = self.flight.take() else { return };
        {
            let mut under_way = self.flights.lock();
            under_way.remove(&flight.key);
            self.flights.count.store(under_way.len(), Ordering::Release);
        }
        // Nobody comes to this flight any more.
        if Arc::strong_count(&flight) > 1 {
            let landing = Landing::new(Arc::clone(account), now());
            // Only the one who is ahead lands, and once.
            let _ = flight.landing.set(Arc::new(landing));
        }
        flight.turn.close();
    }
}

impl fmt::Debug for Turn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn").field("waited", &self.waited).finish_non_exhaustive()
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let Some(flight) = self.flight.take() else { return };
        if self.holds {
            flight.turn.add_permits(1);
        }
        let mut under_way = self.flights.lock();
        // Whoever waits holds the flight too, besides us and the list; the last one to leave removes it.
        let is_listed = under_way.get(&flight.key).is_some_and(|listed| Arc::ptr_eq(listed, &flight));
        if is_listed && Arc::strong_count(&flight) == 2 {
            under_way.remove(&flight.key);
        }
        // Gone before the next one counts.
        drop(flight);
        self.flights.count.store(under_way.len(), Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::{AccountState, ConnectionId, Issuer, Mint, Subject, TenantId};

    fn key() -> ExternalKey {
        ExternalKey {
            tenant: TenantId::new("acme").unwrap(),
            connection: ConnectionId::new("corp").unwrap(),
            issuer: Issuer::new("https://corp.example").unwrap(),
            subject: Subject::new("alice").unwrap(),
        }
    }

    fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    fn is_clean(flights: &Flights) -> bool {
        flights.lock().is_empty() && flights.count.load(Ordering::Acquire) == 0
    }

    #[test]
    fn nothing_is_left_of_a_flight_whoever_gives_up_and_in_whatever_order() {
        let (flights, key) = (Flights::default(), key());
        let mut waiting = Box::pin(flights.enter(&key).board());
        {
            let Poll::Ready(Boarded::Ahead(first)) = poll(Box::pin(flights.enter(&key).board()).as_mut())
            else {
                panic!("nobody was ahead")
            };
            assert!(poll(waiting.as_mut()).is_pending());
            assert!(
                poll(Box::pin(flights.join(&key).unwrap().board()).as_mut()).is_pending(),
                "gives up at once"
            );
            drop(first);
        }
        let Poll::Ready(Boarded::Ahead(second)) = poll(waiting.as_mut()) else { panic!("the turn was free") };
        assert!(second.waited());
        drop(second);
        drop(waiting);
        assert!(is_clean(&flights));
        assert!(flights.join(&key).is_none());
    }

    #[test]
    fn all_who_wait_are_handed_the_account_and_nobody_who_comes_later() {
        let (flights, key) = (Flights::default(), key());
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let id = Mint::new(now, [7; 16]).account();
        let account = Arc::new(Account::begin(id, key.tenant.clone(), AccountState::Active, now));
        let Poll::Ready(Boarded::Ahead(first)) = poll(Box::pin(flights.enter(&key).board()).as_mut()) else {
            panic!("nobody was ahead")
        };
        let (mut one, mut other) =
            (Box::pin(flights.enter(&key).board()), Box::pin(flights.join(&key).unwrap().board()));
        assert!(poll(one.as_mut()).is_pending() && poll(other.as_mut()).is_pending());
        first.land(&account, || now);
        assert!(flights.join(&key).is_none());
        let is_it = |landing: &Landing| landing.account().id == id && landing.at() == now;
        assert!(matches!(poll(one.as_mut()), Poll::Ready(Boarded::Landed(landing)) if is_it(&landing)));
        assert!(matches!(poll(other.as_mut()), Poll::Ready(Boarded::Landed(landing)) if is_it(&landing)));
        drop((one, other));
        assert!(is_clean(&flights));
    }
}
