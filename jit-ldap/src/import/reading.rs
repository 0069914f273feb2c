//! A reading, step by step.

use std::collections::HashSet;
use std::fmt;

use jit_core::LentAccounts;

use super::cookie::{ImportCookie, Opened};
use super::differences::{Rounds, Stream};
use super::lent::Lent;
use super::settings::{ImportConfig, ImportWay};
use super::whole::{Depth, Whole};
use super::{Complete, Extent, Record, Step};
use crate::connection::Connection;
use crate::error::LdapError;
use crate::pool::Loan;
use crate::reason::Reason;
use crate::server::ServerId;

/// A reading that was begun. It holds one connection until it is dropped.
pub struct Reading<'i> {
    source: Box<dyn Source>,
    origin: Origin,
    config: &'i ImportConfig,
    lent: Option<LentAccounts>,
    phase: Phase,
}

/// Which server a reading is of.
pub(super) enum Origin {
    /// The one that it belongs to, where that is known.
    Own(Option<ServerId>),
    /// Another one, and the cookie of the one that it belongs to.
    Substitute(Option<ImportCookie>),
}

impl Origin {
    const fn is_substitute(&self) -> bool {
        matches!(self, Self::Substitute(_))
    }

    /// What a reading says at its end. What one that stands in does not show may be there, so its cookie would pass over it.
    fn complete(&self, config: &ImportConfig, extent: Extent, cookie: Option<&[u8]>) -> Complete {
        match self {
            Self::Own(server) => {
                Complete { extent, cookie: cookie.map(|cookie| config.seal(server.as_ref(), cookie)) }
            }
            Self::Substitute(since) => Complete { extent: Extent::Changes, cookie: since.clone() },
        }
    }

    /// One that stands in and cannot go on from the cookie of another one says nothing about that cookie.
    fn failed(&self, error: LdapError) -> LdapError {
        match self {
            Self::Substitute(Some(_)) if error.reason() == Reason::SyncRestart => {
                LdapError::new(Reason::ConnectFailed).caused_by(error)
            }
            _ => error,
        }
    }
}

/// Where the connection of a reading comes from.
pub(super) trait Source: Send + Sync {
    fn connection(&mut self) -> &mut Connection;
}

impl Source for Loan {
    fn connection(&mut self) -> &mut Connection {
        self
    }
}

impl Source for Connection {
    fn connection(&mut self) -> &mut Connection {
        self
    }
}

enum Phase {
    Whole(Whole, Option<Vec<u8>>),
    /// What was made for a time is learnt before the server names whoever is there.
    Lent(Lent, Vec<u8>),
    Stream(Stream),
    /// Everything is new: where changes begin is learnt before it is read, so that none falls in between.
    FromNow(Rounds),
    Rounds(Rounds),
    /// The last step was handed out, or one failed: nothing else is to be had.
    Over,
}

impl<'i> Reading<'i> {
    pub(super) fn new(
        source: Box<dyn Source>,
        origin: Origin,
        config: &'i ImportConfig,
        since: Option<Opened>,
    ) -> Result<Self, LdapError> {
        let phase = match (config.way, since.map(|since| since.inner)) {
            (ImportWay::Pages, _) => Phase::Whole(Whole::new(config, Depth::Attributes), None),
            (ImportWay::Sync, None) => Phase::Stream(Stream::new(None, HashSet::new())),
            (ImportWay::Sync, Some(since)) => Phase::Lent(Lent::new(config)?, since),
            (ImportWay::DirSync, None) => Phase::FromNow(Rounds::new(Vec::new())),
            (ImportWay::DirSync, Some(since)) => Phase::Rounds(Rounds::new(since)),
        };
        Ok(Self { source, origin, config, lent: None, phase })
    }

    /// Tells whether another server stands in for the one that the reading belongs to: it may not have heard yet of what that
    /// one was told. Whoever rather waits drops the reading.
    #[must_use]
    pub const fn is_substitute(&self) -> bool {
        self.origin.is_substitute()
    }

    /// Takes what leases lend for no person, whatever it bears, as [`Import::leaving_out`](super::Import::leaving_out).
    #[must_use]
    pub fn leaving_out(mut self, lent: LentAccounts) -> Self {
        self.lent = Some(lent);
        self
    }

    /// Reads on. A page or a part of one, some hundred changes or the end: memory holds no more than that, and no more is asked
    /// for. So there may be no record in a step that is not the last one. Where one entry cannot be read,
    /// [`LdapError::entry`] names it.
    ///
    /// # Errors
    /// After an error the reading is not complete and cannot be gone on with; what it named so far is true, and what it did
    /// not name is unknown. `ldap.control_missing` and `ldap.control_unsupported` when the server does not know this way;
    /// `ldap.sync_restart` when it no longer knows the cookie, knows less than it, or cannot read it: begin without one;
    /// `ldap.referral` when it names another server; `ldap.too_many_entries` when more than 250 000 were made for a time;
    /// `ldap.value_missing` when an entry has no identifier that we may see; `ldap.leases_untold` when the store does not tell
    /// what is lent; `ldap.connect_failed` when a server that stands in cannot go on from the cookie, which is as good as before;
    /// as [`Connection::search`].
    ///
    /// # Cancel safety
    /// The reading cannot be gone on with; the cookie that it began with is as good as before.
    pub async fn next(&mut self) -> Result<Step, LdapError> {
        self.step().await.map_err(|error| self.origin.failed(error))
    }

    async fn step(&mut self) -> Result<Step, LdapError> {
        let mut phase = std::mem::replace(&mut self.phase, Phase::Over);
        let connection = self.source.connection();
        let config = self.config;
        loop {
            let records = match &mut phase {
                Phase::Whole(whole, _) => whole.next(connection, config).await?,
                Phase::Lent(lent, _) => lent.next(connection, config).await?,
                Phase::Stream(stream) => stream.next(connection, config).await?,
                Phase::Rounds(rounds) => rounds.next(connection, config).await?,
                Phase::FromNow(rounds) => rounds.pass_over(connection, config).await?,
                Phase::Over => return Err(Reason::ConnectionUnusable.into()),
            };
            if let Some(mut records) = records {
                if self.origin.is_substitute() {
                    // by what it knows, which may be less than what was told before
                    records.retain(|record| record.there().is_some());
                }
                if let Some(lent) = &self.lent {
                    take_out(lent, &mut records).await?;
                }
                self.phase = phase;
                return Ok(Step::Records(records));
            }
            match phase.after(config, &self.origin)? {
                Next::Phase(next) => phase = *next,
                Next::Complete(complete) => return Ok(Step::Complete(complete)),
            }
        }
    }
}

/// Tells of what a lease made that it is no longer among those who are read: its marker may have been taken away.
async fn take_out(lent: &LentAccounts, records: &mut [Record]) -> Result<(), LdapError> {
    let ids: Vec<_> = records.iter().filter_map(Record::there).map(|id| id.to_string()).collect();
    let told = lent.among(&ids).await;
    let lent = told.map_err(|error| LdapError::new(Reason::LeasesUntold).caused_by(error))?;
    for record in records {
        if let Some(id) = record.there().filter(|id| lent.contains(&id.to_string())) {
            *record = Record::Gone(id);
        }
    }
    Ok(())
}

enum Next {
    Phase(Box<Phase>),
    Complete(Complete),
}

impl Phase {
    /// What comes after a phase that has named all it can.
    fn after(self, config: &ImportConfig, origin: &Origin) -> Result<Next, LdapError> {
        let complete =
            |extent, cookie: Option<&[u8]>| Ok(Next::Complete(origin.complete(config, extent, cookie)));
        match self {
            Self::Whole(_, cookie) => complete(Extent::Everything, cookie.as_deref()),
            Self::Lent(lent, since) => {
                Ok(Next::Phase(Box::new(Self::Stream(Stream::new(Some(since), lent.into_ids())))))
            }
            Self::Stream(stream) => {
                let (extent, cookie) = stream.end()?;
                complete(extent, Some(cookie))
            }
            Self::Rounds(rounds) if config.sees_deleted || origin.is_substitute() => {
                complete(Extent::Changes, Some(rounds.cookie()))
            }
            // what is gone is what is not among those that are there
            Self::Rounds(rounds) => {
                let cookie = rounds.cookie().to_vec();
                Ok(Next::Phase(Box::new(Self::Whole(Whole::new(config, Depth::Identifiers), Some(cookie)))))
            }
            Self::FromNow(rounds) => {
                let cookie = rounds.cookie().to_vec();
                Ok(Next::Phase(Box::new(Self::Whole(Whole::new(config, Depth::Attributes), Some(cookie)))))
            }
            Self::Over => Err(Reason::ConnectionUnusable.into()),
        }
    }
}

impl fmt::Debug for Reading<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading").field("is_over", &matches!(self.phase, Phase::Over)).finish_non_exhaustive()
    }
}
