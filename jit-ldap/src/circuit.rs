//! What keeps our own password from locking our own account: one bind at a time, until it is accepted, and none for a while
//! after it was refused.
//!
//! Directories shut an account after a few failures. Whoever needs a connection at the same moment as others therefore waits
//! for the outcome of one bind. Refused, that is the answer of all; accepted, all others are let in side by side. A bind that
//! nobody waits for any longer is not thrown away: its failure was counted, and whoever comes next hears of it first.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex as AsyncMutex;
use tokio::time::{Instant, timeout_at};

use crate::connection::{Connection, SentBind};
use crate::error::LdapError;
use crate::pool::{PoolSettings, ServiceAccount};
use crate::reason::Reason;
use crate::server::ServerId;

/// The most that the first pause takes: whoever asks through the pool waits five minutes by itself, and is to get an answer.
const FIRST_REST: Duration = Duration::from_secs(240);
/// How long the answer to a bind is waited for that nobody waited for any longer: it may have come long ago.
const GRACE: Duration = Duration::from_secs(1);

/// Guards our password at all servers of a directory, which count failures together.
#[derive(Clone, Default)]
pub(crate) struct Circuit {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// Whoever holds it tries the password. Holds the bind that is under way, also when its caller stopped waiting.
    turn: AsyncMutex<Option<Trial>>,
    known: Mutex<Known>,
}

/// A bind under way.
struct Trial {
    connection: Connection,
    account: ServiceAccount,
    server: ServerId,
    rest: Duration,
    /// Missing until it was sent as a whole, which is at once on a connection that nothing was said on yet.
    sent: Option<SentBind>,
    until: Instant,
    is_taken_over: bool,
    /// Its time was over before anybody asked for it again: its silence says nothing of now.
    is_old: bool,
}

/// What the binds so far have told.
#[derive(Default)]
struct Known {
    /// How many have told something.
    outcomes: u64,
    /// Who was accepted last, and at which of them.
    accepted: Option<(u64, ServiceAccount)>,
    /// Which servers kept silent last, and at which of them.
    silent: BTreeMap<ServerId, u64>,
    /// How often we were refused one time after the other, and when the directory is asked again.
    refused: u32,
    open_until: Option<Instant>,
}

/// Who asks for a connection.
struct Asking<'a> {
    account: &'a ServiceAccount,
    server: &'a ServerId,
    settings: &'a PoolSettings,
    /// How many outcomes there were before.
    since: u64,
    until: Instant,
}

/// What somebody whose turn it is may do.
enum Admission {
    /// Nobody knows whether the password is right.
    Alone,
    /// It was accepted while we waited.
    BesideOthers,
}

impl Circuit {
    /// Makes sure that the directory may be asked.
    ///
    /// # Errors
    /// `ldap.circuit_open`.
    pub(crate) fn check(&self) -> Result<(), LdapError> {
        if self.known().is_open(Instant::now()) { Err(Reason::CircuitOpen.into()) } else { Ok(()) }
    }

    /// Binds a connection that nothing was said on yet.
    ///
    /// # Errors
    /// `ldap.service_refused`; `ldap.circuit_open` where the directory refused us already; `ldap.pool_exhausted` when the
    /// turn did not come in time; `ldap.timeout` when the server kept silent to the one before, and would to this one; as
    /// [`Connection::bind`].
    ///
    /// # Cancel safety
    /// The next caller hears what became of the bind before another one is sent.
    pub(crate) async fn bind(
        &self,
        connection: Connection,
        account: &ServiceAccount,
        server: &ServerId,
        settings: &PoolSettings,
    ) -> Result<Connection, LdapError> {
        let (since, until) = (self.known().outcomes, Instant::now() + settings.patience);
        let asking = Asking { account, server, settings, since, until };
        let turn = async {
            let mut turn = self.shared.turn.lock().await;
            self.hear_of_another(&mut turn).await;
            turn
        };
        let mut turn = timeout_at(until, turn).await.map_err(|_| Reason::PoolExhausted)?;
        let admission = self.known().admit(&asking, Instant::now())?;
        match admission {
            Admission::Alone => self.try_alone(&mut turn, connection, &asking).await,
            Admission::BesideOthers => {
                drop(turn);
                self.bind_beside_others(connection, &asking).await
            }
        }
    }

    /// Waits for the answer to a bind whose caller stopped waiting: the directory counted it.
    async fn hear_of_another(&self, turn: &mut Option<Trial>) {
        let Some(trial) = turn.as_mut() else { return };
        trial.take_over(Instant::now());
        let outcome = trial.answer().await;
        self.known().learn(trial, outcome.as_ref().err());
        *turn = None;
    }

    async fn try_alone(
        &self,
        turn: &mut Option<Trial>,
        connection: Connection,
        asking: &Asking<'_>,
    ) -> Result<Connection, LdapError> {
        let trial = turn.insert(Trial::of(connection, asking));
        let outcome = match trial.send().await {
            Ok(()) => trial.answer().await,
            Err(error) => Err(error),
        };
        self.known().learn(trial, outcome.as_ref().err());
        let trial = turn.take();
        outcome.map_err(refusal)?;
        trial.map(|trial| trial.connection).ok_or_else(|| Reason::ConnectionUnusable.into())
    }

    /// The password was right a moment ago. Where it is not any longer, the first who hears so tells the others.
    async fn bind_beside_others(
        &self,
        mut connection: Connection,
        asking: &Asking<'_>,
    ) -> Result<Connection, LdapError> {
        let bound = connection.bind(asking.account.name(), asking.account.password(), &[]).await;
        if let Err(error) = bound {
            if error.reason() == Reason::CredentialsInvalid {
                self.known().refuse(asking.settings.rest, Instant::now());
            }
            return Err(refusal(error));
        }
        Ok(connection)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.shared.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// Tells whether anybody else guards by it.
    pub(crate) fn is_in_use(&self) -> bool {
        Arc::strong_count(&self.shared) > 1
    }
}

impl Trial {
    fn of(connection: Connection, asking: &Asking<'_>) -> Self {
        Self {
            until: connection.operation_deadline(),
            connection,
            account: asking.account.clone(),
            server: asking.server.clone(),
            rest: asking.settings.rest,
            sent: None,
            is_taken_over: false,
            is_old: false,
        }
    }

    async fn send(&mut self) -> Result<(), LdapError> {
        let Self { connection, account, until, .. } = self;
        self.sent = Some(connection.send_bind(account.name(), account.password(), &[], *until).await?);
        Ok(())
    }

    async fn answer(&mut self) -> Result<(), LdapError> {
        let Some(sent) = &self.sent else { return Err(Reason::ConnectionUnusable.into()) };
        self.connection.finish_bind(sent, self.until).await.map(drop)
    }

    /// Once: whoever comes after the next one waits no longer than that one did.
    fn take_over(&mut self, now: Instant) {
        if !std::mem::replace(&mut self.is_taken_over, true) {
            self.is_old = self.until <= now;
            self.until = self.until.max(now + GRACE);
        }
    }
}

impl Known {
    fn admit(&self, asking: &Asking<'_>, now: Instant) -> Result<Admission, LdapError> {
        if self.is_open(now) {
            return Err(Reason::CircuitOpen.into());
        }
        let accepted = self.accepted.as_ref().filter(|(at, _)| *at > asking.since);
        if accepted.is_some_and(|(_, account)| account.is_same(asking.account)) {
            return Ok(Admission::BesideOthers);
        }
        let is_silent = self.silent.get(asking.server).is_some_and(|at| *at > asking.since);
        // another server may answer, for which there would be no time left
        if is_silent && now + asking.settings.limits.operation > asking.until {
            return Err(Reason::Timeout.into());
        }
        Ok(Admission::Alone)
    }

    fn learn(&mut self, trial: &Trial, error: Option<&LdapError>) {
        self.outcomes = self.outcomes.wrapping_add(1);
        match error {
            None => {
                self.accepted = Some((self.outcomes, trial.account.clone()));
                (self.refused, self.open_until) = (0, None);
            }
            Some(error) if error.reason() == Reason::CredentialsInvalid => {
                self.refuse(trial.rest, Instant::now());
            }
            Some(error) if error.reason() == Reason::Timeout && !trial.is_old => {
                self.silent.insert(trial.server.clone(), self.outcomes);
            }
            Some(_) => {}
        }
    }

    /// Several that were refused at once are refused once.
    fn refuse(&mut self, rest: Duration, now: Instant) {
        if self.is_open(now) {
            return;
        }
        let pause = if self.refused == 0 { rest.min(FIRST_REST) } else { rest };
        self.refused = self.refused.saturating_add(1);
        self.open_until = now.checked_add(pause);
    }

    fn is_open(&self, now: Instant) -> bool {
        self.open_until.is_some_and(|until| now < until)
    }
}

fn refusal(error: LdapError) -> LdapError {
    match error.reason() {
        Reason::CredentialsInvalid => error.with_reason(Reason::ServiceRefused),
        _ => error,
    }
}

#[cfg(test)]
mod tests;
