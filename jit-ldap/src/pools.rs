//! One server of a directory, and how one of several is found that does what is asked.

use std::collections::VecDeque;

use tokio::time::Instant;

use crate::dn::Dn;
use crate::error::{Fate, LdapError};
use crate::pool::{Loan, Pool, Seat};
use crate::reason::Reason;
use crate::silence::{Silence, Turn};
use crate::writers::{Role, takes_changes};

/// One server, its connections, and what is known of it.
#[derive(Clone)]
pub(crate) struct Pools {
    pub(crate) work: Pool,
    pub(crate) binding: Pool,
    pub(crate) role: Role,
    pub(crate) silence: Silence,
}

/// Why one server lends no connection.
enum Kept {
    /// It takes no changes.
    ReadOnly,
    /// It kept silent a moment ago, and was not asked.
    Silent,
    Failed(LdapError),
}

/// Lends a connection to the first of these servers that can be reached, and that takes changes below this entry where there
/// is one. Those that kept silent a moment ago are asked when nobody else is left.
pub(crate) async fn first_of(
    servers: impl Iterator<Item = &Pools>,
    base: Option<&Dn>,
) -> Result<Loan, LdapError> {
    let mut servers: VecDeque<_> = servers.map(|pools| (pools, false)).collect();
    let nobody = if base.is_none() || servers.is_empty() { Reason::ServerUnknown } else { Reason::ReadOnly };
    let mut last = LdapError::new(nobody);
    while let Some((pools, is_last)) = servers.pop_front() {
        match pools.ask(base, is_last).await {
            Ok(loan) => return Ok(loan),
            Err(Kept::Silent) => servers.push_back((pools, true)),
            Err(Kept::ReadOnly) => {}
            Err(Kept::Failed(error)) if is_final(&error) => return Err(error),
            // what took no changes when it was asked last is not missed
            Err(Kept::Failed(_)) if base.is_some() && pools.role.known().0 == Some(false) => {}
            Err(Kept::Failed(error)) => last = error,
        }
    }
    Err(last)
}

/// Whether no other server may be asked: it would refuse the same password, and count it too. Whatever else a server answers
/// to a bind (it is busy, starts, has nobody behind it) is so there, and nowhere else.
fn is_final(error: &LdapError) -> bool {
    matches!(error.reason(), Reason::ServiceRefused | Reason::CircuitOpen)
}

impl Pools {
    /// A connection, unless this server takes no changes below this entry, or kept silent and is not the last one.
    async fn ask(&self, base: Option<&Dn>, is_last: bool) -> Result<Loan, Kept> {
        let (takes, is_fresh) = self.role.known();
        if base.is_some() && is_fresh && takes == Some(false) {
            return Err(Kept::ReadOnly);
        }
        let turn = if is_last { None } else { Some(self.silence.turn()) };
        let mut loan = match &turn {
            Some(Turn::Last) => return Err(Kept::Silent),
            Some(Turn::Usual) => self.lend_unless_silent().await?.ok_or(Kept::Silent)?,
            Some(Turn::Trying { .. }) | None => self.lend().await?,
        };
        match base {
            Some(base) if !is_fresh && !self.takes_changes(&mut loan, base).await? => Err(Kept::ReadOnly),
            _ => Ok(loan),
        }
    }

    async fn takes_changes(&self, loan: &mut Loan, base: &Dn) -> Result<bool, LdapError> {
        let begun = Instant::now();
        let takes = takes_changes(loan, base).await.map_err(|error| {
            self.silence.learn(&error, begun.elapsed());
            // a server that breaks off, or does not look, is as good as one that cannot be reached
            error.with_fate(Fate::NotSent)
        })?;
        self.role.learn(takes);
        Ok(takes)
    }

    /// A connection at any rate.
    pub(crate) async fn lend(&self) -> Result<Loan, LdapError> {
        let seat = self.work.seat().await?;
        self.lend_on(seat).await
    }

    /// The same, where nobody finds out that the server keeps silent while we wait for our turn.
    async fn lend_unless_silent(&self) -> Result<Option<Loan>, LdapError> {
        let seat = self.work.seat().await?;
        if self.silence.since().is_some() {
            return Ok(None);
        }
        self.lend_on(seat).await.map(Some)
    }

    async fn lend_on(&self, seat: Seat) -> Result<Loan, LdapError> {
        let begun = Instant::now();
        let lent = self.work.lend_on(seat).await;
        match &lent {
            Ok(loan) if loan.is_new() => self.silence.end(),
            Ok(_) => {}
            Err(error) => self.silence.learn(error, begun.elapsed()),
        }
        lent
    }

    /// A connection on which other people are bound.
    pub(crate) async fn lend_for_binding(&self) -> Result<Loan, LdapError> {
        let seat = self.binding.seat().await?;
        let begun = Instant::now();
        let lent = self.binding.lend_on(seat).await;
        if let Err(error) = &lent {
            self.silence.learn(error, begun.elapsed());
        }
        lent
    }

    /// Finds out whether the server answers, as one of which nothing else is known.
    pub(crate) async fn answers(&self) -> bool {
        let Ok(mut loan) = self.lend().await else { return false };
        if loan.is_new() {
            return true;
        }
        let begun = Instant::now();
        match loan.features().await {
            Ok(_) => self.silence.end(),
            Err(error) => self.silence.learn(&error, begun.elapsed()),
        }
        self.silence.since().is_none()
    }
}

impl From<LdapError> for Kept {
    fn from(error: LdapError) -> Self {
        Self::Failed(error)
    }
}
