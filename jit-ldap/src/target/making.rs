//! Making accounts. Each step says whether it has done nothing, so that whoever asked knows what there is to undo.

use chrono::{DateTime, TimeDelta, Utc};
use jit_core::{BackendError, Effect, RemoteRef, Secret, TargetFault};

use super::accounts::{Accounts, unseen};
use super::dialect::{Dialect, NewAccount};
use super::fault::Step;
use super::find::{Found, Remote};
use super::guard::Guard;
use super::members;
use super::table::Group;
use crate::connection::Connection;
use crate::error::{Fate, LdapError};
use crate::password::Password;
use crate::pool::Loan;
use crate::reason::Reason;

/// What `adminDescription` holds at most; no directory has less room.
const MARKER_CHARS: usize = 256;

/// What an account is before it is furnished.
pub(super) enum Begun {
    There(Remote),
    Made(Remote),
    Neither(Effect),
}

impl<D: Dialect> Accounts<D> {
    /// Finds out where work is done, and whether that can be done at all. Nothing is changed.
    pub(super) async fn make_ready(
        &self,
        remote: &RemoteRef,
        entitlements: &[String],
        secret: Option<&Secret>,
    ) -> Result<(Loan, Vec<&Group>, Option<Password>), BackendError> {
        let groups = self.table.groups(entitlements)?;
        let password = secret.map(|secret| Password::new(secret.reveal())).transpose();
        let password = password.map_err(|reason| Step::Make.failed(reason))?;
        let mut loan = self.lend_for(remote.marker.as_str()).await?;
        self.dialect.check(&mut loan, &self.table.base, &groups).await?;
        Ok((loan, groups, password))
    }

    /// Finds the account or makes it.
    pub(super) async fn begin(
        &self,
        loan: &mut Loan,
        remote: &RemoteRef,
        password: Option<&Password>,
        ends_at: DateTime<Utc>,
    ) -> Result<Begun, BackendError> {
        // whoever makes a new one need not look first: the server says when the name is taken
        let is_new = remote.native.is_none() && password.is_some();
        let found = if is_new { Ok(Found::Nothing) } else { self.find(loan, remote).await };
        let found = found.map_err(BackendError::having_done_nothing)?;
        let password = match (found, password) {
            (Found::Ours(ours), _) => return Ok(Begun::There(ours)),
            (Found::NotOurs, _) => return Ok(Begun::Neither(Effect::NotOurs)),
            (Found::Stranger, _) => return Ok(Begun::Neither(Effect::Stranger)),
            (Found::Nothing, None) => return Ok(Begun::Neither(Effect::Absent { was_there: false })),
            // it was made where nobody answers now: not a second time
            (Found::Nothing, Some(_)) if remote.native.is_some() && loan.is_substitute() => {
                return Err(unseen().having_done_nothing());
            }
            (Found::Nothing, Some(password)) => password,
        };
        if let Some(made) = self.make(loan, remote, password, ends_at).await? {
            return Ok(Begun::Made(made));
        }
        // what had an identifier and is gone, and whose name somebody bears, is not made anew
        if remote.native.is_some() {
            return Ok(Begun::Neither(Effect::Stranger));
        }
        match self.find_by_name(loan, remote).await? {
            Found::Ours(ours) => Ok(Begun::There(ours)),
            Found::NotOurs | Found::Stranger => Ok(Begun::Neither(Effect::Stranger)),
            Found::Nothing => Err(Step::Make.refused(TargetFault::Name)),
        }
    }

    /// Removes an account of ours, and makes another one under its name.
    pub(super) async fn make_anew(
        &self,
        mut loan: Loan,
        remote: &RemoteRef,
        ours: &Remote,
        (password, ends_at): (&Password, DateTime<Utc>),
        groups: &[&Group],
    ) -> Result<Effect, BackendError> {
        let known = RemoteRef { native: Some(ours.id.to_string()), ..remote.clone() };
        match self.absent(&mut loan, &known, groups).await? {
            Effect::Absent { .. } => {}
            // whoever is made anew would hold what names the one before
            Effect::Named { .. } => {
                return Err(Step::Groups.refused(TargetFault::Forbidden).possibly_having_acted());
            }
            kept => return Ok(kept),
        }
        let made = self.make(&mut loan, remote, password, ends_at).await;
        match made.map_err(BackendError::possibly_having_acted)? {
            Some(made) => self.furnish(loan, remote, made, groups).await,
            None => Err(Step::Make.refused(TargetFault::Name)),
        }
    }

    pub(super) async fn make(
        &self,
        connection: &mut Connection,
        remote: &RemoteRef,
        password: &Password,
        ends_at: DateTime<Utc>,
    ) -> Result<Option<Remote>, BackendError> {
        if remote.marker.as_str().chars().count() > MARKER_CHARS {
            return Err(Step::Make.refused(TargetFault::Limit).having_done_nothing());
        }
        let dn = self.dn_of(remote).map_err(BackendError::having_done_nothing)?;
        let account = NewAccount { name: &remote.name, dn: &dn, marker: &remote.marker, password, ends_at };
        self.dialect.add(connection, &account).await
    }

    /// Puts a new account into its groups; where that fails, it is removed again.
    pub(super) async fn furnish(
        &self,
        mut loan: Loan,
        remote: &RemoteRef,
        made: Remote,
        groups: &[&Group],
    ) -> Result<Effect, BackendError> {
        let member = self.member(&made, remote);
        if let Err(error) = members::join_all(&mut loan, groups, &member).await {
            // the connection may be what failed, and no other server knows of the account yet
            let server = loan.server();
            drop(loan);
            let mut remote = remote.clone();
            remote.native = Some(made.id.to_string());
            let again = self.directory.lend_at(&server).await;
            let mut loan = again.map_err(|error| Step::Reach.failed(error))?;
            let left = self.absent(&mut loan, &remote, groups).await?;
            // no other server heard of what was there for a moment
            let is_as_before =
                matches!(left, Effect::Absent { .. }) && self.settles_after <= TimeDelta::zero();
            return Err(if is_as_before {
                Step::Groups.failed_whole(error)
            } else {
                Step::Groups.failed(error)
            });
        }
        Ok(self.is_present(&made))
    }
}

/// Whether a server answered that a rule of its own lets this secret not be set. A server that is busy, or that somebody else
/// changed the account at in this moment, says nothing of a rule.
pub(super) fn is_refused(error: &LdapError) -> bool {
    let is_rule =
        matches!(error.reason(), Reason::ConstraintViolation | Reason::Unwilling | Reason::AccessDenied);
    is_rule && error.fate() == Fate::Answered && !Guard::has_tripped(error)
}
