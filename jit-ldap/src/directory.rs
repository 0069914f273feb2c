//! The servers of one directory, all of which hold the same entries.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use tokio::time::Instant;

use crate::circuit::Circuit;
use crate::connection::Connection;
use crate::dn::Dn;
use crate::error::LdapError;
use crate::hash::fnv1a;
use crate::limits::Limits;
use crate::pool::{Loan, Pool, PoolSettings, Purpose, ServiceAccount};
use crate::pools::{Pools, first_of};
use crate::reason::Reason;
use crate::server::{Server, ServerId};
use crate::silence::Silence;
use crate::writers::{Role, takes_changes};

/// A directory: one server or several, in the order in which they are asked.
#[derive(Clone)]
pub struct Directory {
    servers: Vec<Pools>,
    limits: Limits,
    system: Arc<str>,
}

impl Directory {
    /// Names the servers of a directory, the account to work with there, and how. Nothing is connected yet.
    #[must_use]
    pub fn new(
        servers: impl IntoIterator<Item = Server>,
        account: &ServiceAccount,
        settings: PoolSettings,
    ) -> Self {
        let circuit = Circuit::default();
        let pool = |server: Server, purpose| Pool::for_purpose(server, purpose, settings, circuit.clone());
        let pools = |server: Server| Pools {
            work: pool(server.clone(), Purpose::Work(account.clone())),
            binding: pool(server, Purpose::Binding),
            role: Role::default(),
            silence: Silence::default(),
        };
        Self::of(servers.into_iter().map(pools).collect(), settings.limits)
    }

    fn of(servers: Vec<Pools>, limits: Limits) -> Self {
        let names: BTreeSet<_> = servers.iter().map(|pools| pools.work.system()).collect();
        let system = names.into_iter().next().unwrap_or_default().into();
        Self { servers, limits, system }
    }

    /// Guards our password together with another one, for the same account at the same servers, which count refusals together
    /// as well. While one of the two tries it, the other waits for what comes of that; once it was refused, neither asks for a
    /// while. Connections stay apart. [`Systems::named`](crate::Systems::named) does so by itself.
    #[must_use]
    pub fn guarded_with(&self, other: &Self) -> Self {
        other.circuit().map_or_else(|| self.clone(), |circuit| self.guarded_by(circuit))
    }

    pub(crate) fn guarded_by(&self, circuit: &Circuit) -> Self {
        let pools = |own: &Pools| Pools {
            work: own.work.guarded_by(circuit.clone()),
            binding: own.binding.guarded_by(circuit.clone()),
            role: own.role.clone(),
            silence: own.silence.clone(),
        };
        Self { servers: self.servers.iter().map(pools).collect(), ..self.clone() }
    }

    pub(crate) fn circuit(&self) -> Option<&Circuit> {
        self.servers.first().map(|pools| pools.work.circuit())
    }

    /// As whom we work there.
    pub(crate) fn account(&self) -> Option<&ServiceAccount> {
        self.servers.first().and_then(|pools| pools.work.account())
    }

    /// Makes a directory of one connection that is open and bound as this account, such as a tunnel. When it is lost there
    /// is no other.
    #[must_use]
    pub fn dangerously_over(
        connection: Connection,
        account: &ServiceAccount,
        settings: PoolSettings,
    ) -> Self {
        // Nothing answers there, and no password would be sent.
        let nowhere = Server::dangerous_plain("127.0.0.1").port(0);
        let directory = Self::new([nowhere], account, settings);
        if let Some(pools) = directory.servers.first() {
            pools.work.take_back(connection);
        }
        directory
    }

    /// Names what counts failures together: by that host of its servers which is the first by the alphabet, in whatever order
    /// and with whatever protection they are asked. A port belongs to it only where it is none of the usual ones (389, 636,
    /// 3268, 3269). Lists that overlap and begin with another host have one name where [`Systems`](crate::Systems) gave it to
    /// them; two names of one host are two.
    #[must_use]
    pub fn system(&self) -> &str {
        &self.system
    }

    /// The same with another name for what counts failures together.
    pub(crate) fn called(&self, system: &str) -> Self {
        Self { system: system.into(), ..self.clone() }
    }

    /// The bounds of its connections.
    pub(crate) const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Lends a connection to the first server that can be reached and that takes us: whatever one answers but that our
    /// password is wrong, the next one is asked. One that kept silent is asked after all others for half a minute, and by one
    /// caller at a time after that, until it answers.
    ///
    /// # Errors
    /// As [`Pool::lend`], of the last server that was tried; `ldap.server_unknown` when there is none.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn lend(&self) -> Result<Loan, LdapError> {
        first_of(self.servers.iter(), None).await
    }

    /// Lends a connection to the server that this piece of work belongs to, which is always the same while the servers are;
    /// different pieces of work are spread over all of them. Where that server cannot be reached, another one stands in, and
    /// the loan says so.
    ///
    /// # Errors
    /// As [`Directory::lend`].
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn lend_for(&self, work: &str) -> Result<Loan, LdapError> {
        if let [only] = self.servers.as_slice() {
            return only.work.lend().await;
        }
        let servers = self.in_order(work);
        let own = servers.first().map(|pools| pools.work.server());
        let loan = first_of(servers.into_iter(), None).await?;
        Ok(if own == Some(loan.server()) { loan } else { loan.standing_in() })
    }

    /// The same among the servers that take changes: what takes none owns no work. Whether one does is asked where there are
    /// several, and counts for a while. `base` is where changes are made.
    ///
    /// # Errors
    /// As [`Directory::lend`]; `ldap.read_only` when all that answer take none.
    pub(crate) async fn lend_for_changes(&self, work: &str, base: &Dn) -> Result<Loan, LdapError> {
        if let [only] = self.servers.as_slice() {
            return only.work.lend().await;
        }
        let loan = first_of(self.in_order(work).into_iter(), Some(base)).await?;
        let own = self.own_server(work);
        Ok(if own == Some(loan.server()) { loan } else { loan.standing_in() })
    }

    /// Names the server that this piece of work belongs to.
    pub(crate) fn own_server(&self, work: &str) -> Option<ServerId> {
        self.own(work).map(|pools| pools.work.server())
    }

    /// The server that this piece of work belongs to. What took no changes when it was asked last is not thought to take some
    /// because it is away.
    fn own(&self, work: &str) -> Option<&Pools> {
        self.in_order(work).into_iter().find(|pools| pools.role.known().0 != Some(false))
    }

    /// Tells whether the server that this piece of work belongs to answers, where a call that began then passed it over because
    /// it had kept silent before: what one that stands in does not have proves nothing, and nobody is to be told so who would
    /// have been told more otherwise. Many who ask at once ask it once.
    pub(crate) async fn own_answers_by_now(&self, work: &str, begun: Instant) -> bool {
        let Some(own) = self.own(work) else { return false };
        if let Some(answers) = own.silence.told_since(begun) {
            return answers;
        }
        let _alone = own.silence.turn_to_try().await;
        match own.silence.told_since(begun) {
            Some(answers) => answers,
            None => own.answers().await,
        }
    }

    /// Asks the server that made something of this piece of work's changes whether it takes any, after it sent one elsewhere.
    pub(crate) async fn is_read_only_for(&self, work: &str, base: &Dn) -> Result<bool, LdapError> {
        let mut loan = self.lend_for_changes(work, base).await?;
        let takes = takes_changes(&mut loan, base).await?;
        self.at(&loan.server())?.role.learn(takes);
        Ok(!takes)
    }

    /// Lends a connection to this server, or to the first one where none is named. Where that cannot be reached, another one
    /// stands in, and the loan says so.
    ///
    /// # Errors
    /// As [`Directory::lend`]; `ldap.server_unknown` when there is none of this name.
    pub(crate) async fn lend_first_at(&self, own: Option<&ServerId>) -> Result<Loan, LdapError> {
        let first =
            own.map_or_else(|| self.servers.first().ok_or(Reason::ServerUnknown.into()), |own| self.at(own));
        let own = first?.work.server();
        let error = match self.lend_at(&own).await {
            Ok(loan) => return Ok(loan),
            Err(error) => error,
        };
        let others = self.servers.iter().filter(|pools| pools.work.server() != own);
        let others = Self { servers: others.cloned().collect(), ..self.clone() };
        match others.lend().await {
            Ok(loan) => Ok(loan.standing_in()),
            // nobody else was asked
            Err(other) if matches!(other.reason(), Reason::ServerUnknown | Reason::CircuitOpen) => Err(error),
            Err(other) => Err(other),
        }
    }

    /// The servers, the one first that a piece of work is nearest to.
    fn in_order(&self, work: &str) -> Vec<&Pools> {
        let mut servers: Vec<&Pools> = self.servers.iter().collect();
        servers.sort_by_cached_key(|pools| std::cmp::Reverse(weight(work, pools.work.server().as_str())));
        servers
    }

    /// Tells whether there is more than one server.
    pub(crate) const fn is_replicated(&self) -> bool {
        self.servers.len() > 1
    }

    /// Lends a connection to this server and no other: what was written there may not have reached the others.
    ///
    /// # Errors
    /// `ldap.server_unknown`; as [`Pool::lend`].
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn lend_at(&self, server: &ServerId) -> Result<Loan, LdapError> {
        self.at(server)?.lend().await
    }

    /// Lends a connection on which other people are bound, and nothing else is done.
    pub(crate) async fn lend_for_binding(&self, server: &ServerId) -> Result<Loan, LdapError> {
        self.at(server)?.lend_for_binding().await
    }

    fn at(&self, server: &ServerId) -> Result<&Pools, LdapError> {
        let found = self.servers.iter().find(|pools| pools.work.server() == *server);
        found.ok_or_else(|| Reason::ServerUnknown.into())
    }
}

/// How near a piece of work is to a server (rendezvous hashing, by FNV-1a): when a server comes or goes, only its own work
/// moves.
fn weight(work: &str, server: &str) -> u64 {
    let hash = fnv1a(server.bytes().chain([0]).chain(work.bytes()));
    // the last octets have to count as much as the first
    let mixed = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed ^ (mixed >> 33)
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.servers.iter().map(|pools| pools.work.server())).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "platform-roots")]
    #[test]
    fn a_directory_has_one_name_however_its_servers_are_written() {
        let system = |servers: &[&str]| {
            let servers = servers.iter().map(|server| (*server).to_owned()).collect();
            let settings = crate::DirectorySettings::new(servers, "cn=jit", "a-password");
            let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
            settings.open(provider, crate::Roots::platform()).unwrap().system().to_owned()
        };
        let both = system(&["ldaps://dc1", "ldaps://dc2"]);
        for same in [
            &["ldaps://dc2:636", "ldaps://dc1:636"],
            &["ldap://DC1", "ldap://dc2:389/"],
            &["ldaps://dc1:3269", "ldap://dc2.:3268"],
            &["ldaps://dc3", "ldaps://dc1"],
        ] {
            assert_eq!(system(same), both, "{same:?}");
        }
        assert_eq!(system(&["ldaps://[::1]"]), system(&["ldap://[0:0::1]:389"]));
        let others = [
            system(&["ldaps://dc3"]),
            system(&["ldaps://dc1:1636"]),
            system(&["ldaps://dc1:2636"]),
            system(&["ldaps://[::1]:1636"]),
            system(&["ldaps://[::1:1636]"]),
            both,
        ];
        assert_eq!(others.iter().collect::<BTreeSet<_>>().len(), others.len(), "{others:?}");
    }

    #[test]
    fn work_is_spread_evenly_and_only_the_work_of_a_server_that_goes_moves() {
        let servers = ["dc1:636", "dc2:636", "dc3:636"];
        let nearest = |work: &str, servers: &[&'static str]| {
            servers.iter().copied().max_by_key(|server| weight(work, server)).unwrap()
        };
        let work: Vec<_> = (0..3000).map(|number| format!("jit1:prod:acme:{number}")).collect();
        for server in servers {
            let share = work.iter().filter(|work| nearest(work, &servers) == server).count();
            assert!((900..1100).contains(&share), "{server}: {share}");
        }
        for work in &work {
            let before = nearest(work, &servers);
            assert!(before == "dc3:636" || nearest(work, &servers[..2]) == before);
        }
    }
}
