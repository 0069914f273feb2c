//! The servers of one directory, all of which hold the same entries.

use std::fmt;

use crate::error::{Fate, LdapError};
use crate::pool::{Circuit, Loan, Pool, PoolSettings, Purpose, ServiceAccount};
use crate::reason::Reason;
use crate::server::{Server, ServerId};

/// A directory: one server or several, in the order in which they are asked.
#[derive(Clone)]
pub struct Directory {
    servers: Vec<Pools>,
}

#[derive(Clone)]
struct Pools {
    work: Pool,
    binding: Pool,
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
        };
        Self { servers: servers.into_iter().map(pools).collect() }
    }

    /// Lends a connection to the first server that can be reached.
    ///
    /// # Errors
    /// As [`Pool::lend`], of the last server that was tried; `ldap.server_unknown` when there is none.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn lend(&self) -> Result<Loan, LdapError> {
        let mut last = LdapError::new(Reason::ServerUnknown);
        for pools in &self.servers {
            match pools.work.lend().await {
                Ok(loan) => return Ok(loan),
                // the next server would refuse the same password, and count it too
                Err(error) if error.fate() == Fate::Answered || error.reason() == Reason::CircuitOpen => {
                    return Err(error);
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Lends a connection to this server and no other: what was written there may not have reached the others.
    ///
    /// # Errors
    /// `ldap.server_unknown`; as [`Pool::lend`].
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn lend_at(&self, server: &ServerId) -> Result<Loan, LdapError> {
        self.at(server)?.work.lend().await
    }

    /// Lends a connection on which other people are bound, and nothing else is done.
    pub(crate) async fn lend_for_binding(&self, server: &ServerId) -> Result<Loan, LdapError> {
        self.at(server)?.binding.lend().await
    }

    fn at(&self, server: &ServerId) -> Result<&Pools, LdapError> {
        let found = self.servers.iter().find(|pools| pools.work.server() == *server);
        found.ok_or_else(|| Reason::ServerUnknown.into())
    }
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.servers.iter().map(|pools| pools.work.server())).finish()
    }
}
