//! Connections to one server, each lent to one caller at a time.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use crate::circuit::Circuit;
use crate::connection::{Connection, Identity};
use crate::error::LdapError;
use crate::limits::Limits;
use crate::password::Password;
use crate::reason::Reason;
use crate::server::{Server, ServerId};

/// As whom we work in a directory. Clones share one copy of the password.
#[derive(Clone)]
pub struct ServiceAccount(Arc<Names>);

struct Names {
    name: String,
    password: Password,
}

impl ServiceAccount {
    /// Takes the name to bind with (a distinguished name; Active Directory takes `user@domain` too) and the password.
    ///
    /// # Errors
    /// `ldap.name_empty`, `ldap.password_empty`, `ldap.password_malformed`.
    pub fn new(name: impl Into<String>, password: impl Into<String>) -> Result<Self, Reason> {
        let name = name.into();
        if name.is_empty() || name.contains('\0') {
            return Err(Reason::NameEmpty);
        }
        Ok(Self(Arc::new(Names { name, password: Password::new(password)? })))
    }

    pub(crate) fn name(&self) -> &str {
        &self.0.name
    }

    pub(crate) fn password(&self) -> &Password {
        &self.0.password
    }

    /// Tells whether a directory accepts both or none.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.name() == other.name() && self.password().expose() == other.password().expose())
    }
}

impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServiceAccount(…)")
    }
}

/// How a pool behaves.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct PoolSettings {
    /// How many connections there are at most. A directory gains nothing from more than eight.
    pub size: u8,
    /// The bounds of each connection.
    pub limits: Limits,
    /// How long a caller waits for a connection.
    pub patience: Duration,
    /// How long a connection may lie idle: what stands in between forgets it at some time and tells nobody.
    pub idle: Duration,
    /// How long the directory is left alone after it refused our own password, the first time at most four minutes: otherwise
    /// we would lock ourselves out. Active Directory forgets failures when its window has passed since the last one; shorter
    /// than that, they add up.
    pub rest: Duration,
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self {
            size: 4,
            limits: Limits::default(),
            patience: Duration::from_secs(6),
            idle: Duration::from_secs(120),
            // longer than the usual half hour, so that no two attempts are counted together
            rest: Duration::from_secs(2100),
        }
    }
}

/// What the connections of a pool are for.
#[derive(Clone)]
pub(crate) enum Purpose {
    /// Bound as this account, which they stay.
    Work(ServiceAccount),
    /// Binding other people, and nothing else: nobody works with what the last one left.
    Binding,
}

/// Keeps connections to one server.
#[derive(Clone)]
pub struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    server: Server,
    id: ServerId,
    purpose: Purpose,
    settings: PoolSettings,
    seats: Arc<Semaphore>,
    /// With the instant at which each came back.
    idle: Mutex<Vec<(Connection, Instant)>>,
    circuit: Circuit,
}

/// A connection that is lent. It goes back to the pool if the next caller can use it, and is closed otherwise.
pub struct Loan {
    connection: Connection,
    pool: Pool,
    is_new: bool,
    is_substitute: bool,
    _seat: OwnedSemaphorePermit,
}

/// The right to one connection of a pool.
pub(crate) struct Seat(OwnedSemaphorePermit);

impl Pool {
    /// Makes a pool of connections that work as this account. Nothing is connected yet.
    #[must_use]
    pub fn new(server: Server, account: ServiceAccount, settings: PoolSettings) -> Self {
        Self::for_purpose(server, Purpose::Work(account), settings, Circuit::default())
    }

    pub(crate) fn for_purpose(
        server: Server,
        purpose: Purpose,
        settings: PoolSettings,
        circuit: Circuit,
    ) -> Self {
        let seats = Arc::new(Semaphore::new(usize::from(settings.size.max(1))));
        let idle = Mutex::new(Vec::new());
        let id = server.id();
        Self { shared: Arc::new(Shared { server, id, purpose, settings, seats, idle, circuit }) }
    }

    /// The same with connections of its own, and a circuit that it shares with others.
    pub(crate) fn guarded_by(&self, circuit: Circuit) -> Self {
        let Shared { server, purpose, settings, .. } = &*self.shared;
        Self::for_purpose(server.clone(), purpose.clone(), *settings, circuit)
    }

    pub(crate) fn circuit(&self) -> &Circuit {
        &self.shared.circuit
    }

    /// As whom its connections work; nobody's, where they bind other people.
    pub(crate) fn account(&self) -> Option<&ServiceAccount> {
        match &self.shared.purpose {
            Purpose::Work(account) => Some(account),
            Purpose::Binding => None,
        }
    }

    pub(crate) fn system(&self) -> String {
        self.shared.server.system()
    }

    /// Returns the server of this pool.
    #[must_use]
    pub fn server(&self) -> ServerId {
        self.shared.id.clone()
    }

    /// Lends a connection; waits while all are lent.
    ///
    /// # Errors
    /// `ldap.pool_exhausted`; `ldap.service_refused` when the directory refuses our own password, and
    /// `ldap.circuit_open` for a while after that, without asking it; as [`Connection::open`] and [`Connection::bind`].
    ///
    /// # Cancel safety
    /// Nothing is lost. A bind that was sent is kept: whoever asks next hears its answer first, before another one is sent.
    pub async fn lend(&self) -> Result<Loan, LdapError> {
        let seat = self.seat().await?;
        self.lend_on(seat).await
    }

    /// Waits for the right to one connection.
    pub(crate) async fn seat(&self) -> Result<Seat, LdapError> {
        let seat =
            timeout(self.shared.settings.patience, Arc::clone(&self.shared.seats).acquire_owned()).await;
        // a semaphore of ours is never closed
        Ok(Seat(seat.map_err(|_| Reason::PoolExhausted)?.map_err(|_| Reason::PoolExhausted)?))
    }

    /// Lends a connection to whoever has the right to one.
    pub(crate) async fn lend_on(&self, Seat(seat): Seat) -> Result<Loan, LdapError> {
        let (connection, is_new) = match self.idle_connection().await {
            Some(connection) => (connection, false),
            // seldom, and the rest of every call would carry the room that a handshake takes
            None => (Box::pin(self.connect()).await?, true),
        };
        Ok(Loan { connection, pool: self.clone(), is_new, is_substitute: false, _seat: seat })
    }

    /// The connection that was used last and is still good: the others may grow old and be closed by the server.
    async fn idle_connection(&self) -> Option<Connection> {
        loop {
            let (mut connection, since) = lock(&self.shared.idle).pop()?;
            if since.elapsed() < self.shared.settings.idle && connection.is_alive().await {
                return Some(connection);
            }
        }
    }

    async fn connect(&self) -> Result<Connection, LdapError> {
        let Purpose::Work(account) = &self.shared.purpose else {
            return Connection::open(&self.shared.server, self.shared.settings.limits).await;
        };
        let Shared { server, id, settings, circuit, .. } = &*self.shared;
        // what would not be tried needs no connection
        circuit.check()?;
        let connection = Connection::open(server, settings.limits).await?;
        circuit.bind(connection, account, id, settings).await
    }

    pub(crate) fn take_back(&self, connection: Connection) {
        let is_ours = match (&self.shared.purpose, connection.identity()) {
            (Purpose::Work(account), Identity::Bound(name)) => name == account.name(),
            (Purpose::Work(_), Identity::Anonymous) => false,
            (Purpose::Binding, _) => true,
        };
        if is_ours && connection.is_usable() {
            lock(&self.shared.idle).push((connection, Instant::now()));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Loan {
    /// Returns the server at the other end, to pin later work to it.
    #[must_use]
    pub fn server(&self) -> ServerId {
        self.pool.server()
    }

    /// Tells whether this is another server than the one that the work belongs to ([`crate::Directory::lend_for`]): what it
    /// does not show may be there nevertheless.
    #[must_use]
    pub const fn is_substitute(&self) -> bool {
        self.is_substitute
    }

    /// Tells whether the server took us just now: of a connection that lay idle nobody knows whether somebody still answers.
    pub(crate) const fn is_new(&self) -> bool {
        self.is_new
    }

    pub(crate) const fn standing_in(mut self) -> Self {
        self.is_substitute = true;
        self
    }
}

impl Deref for Loan {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Loan {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        self.pool.take_back(std::mem::replace(&mut self.connection, Connection::closed()));
    }
}

impl fmt::Debug for Loan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loan").field("server", &self.server()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("server", &self.server()).finish_non_exhaustive()
    }
}
