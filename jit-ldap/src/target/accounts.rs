//! The life of an account, the same in every directory.

use std::{sync::OnceLock, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use jit_core::{
    BackendError, Capabilities, Desired, DesiredState, Effect, ErrorKind, Observed, RemoteRef, Secret,
    TargetFault,
};
use tokio::time::Instant;
use tokio::time::error::Elapsed;

use super::dialect::{Dialect, Renewal};
use super::fault::Step;
use super::find::{Found, Remote};
use super::followed::Followed;
use super::guard::Guard;
use super::homes::Homes;
use super::making::{Begun, is_refused};
use super::table::{Group, Member, Table};
use crate::connection::Connection;
use crate::directory::Directory;
use crate::dn::Dn;
use crate::error::{Fate, LdapError};
use crate::pool::Loan;
use crate::reason::Reason;
use crate::writers::sends_elsewhere;

/// How often a removal looks again when the account was renamed in between.
const ATTEMPTS: usize = 3;

/// Temporary accounts in one directory.
#[derive(Debug)]
pub(super) struct Accounts<D> {
    pub(super) dialect: D,
    pub(super) directory: Directory,
    pub(super) table: Table,
    pub(super) settles_after: TimeDelta,
    /// Which groups let go of whoever was removed, as was seen a moment ago.
    pub(super) followed: Followed,
    /// What the base of each server was called a moment ago.
    pub(super) homes: Homes,
    /// Everything that the server keeps together with the base; nothing, where the base is that.
    pub(super) whole: OnceLock<Option<Dn>>,
}

impl<D: Dialect> Accounts<D> {
    pub(super) fn capabilities(&self) -> Capabilities {
        Capabilities {
            end: self.dialect.unattended_end(),
            elevation: self.elevation(),
            settles_after: self.settles_after,
            // a connection that is bound as the account goes on; so do its tickets
            sessions_survive: true,
            mirrors: false,
        }
    }

    /// How long a call may last altogether.
    pub(super) fn longest_call(&self) -> Duration {
        self.directory.limits().call
    }

    /// Does what is desired; again, by the own server, where another one stood in that does not know enough.
    pub(super) async fn ensure(&self, desired: &Desired) -> Result<Effect, BackendError> {
        let begun = Instant::now();
        match self.ensure_at_a_writer(desired).await {
            Err(error) if self.is_worth_another_look(&error, &work_of(desired), begun).await => {
                let again = self.ensure_at_a_writer(desired).await;
                again.map_err(
                    |again| if error.has_done_nothing() { again } else { again.possibly_having_acted() },
                )
            }
            outcome => outcome,
        }
    }

    /// The same; again, by another server, where one that took changes a while ago takes none any longer.
    async fn ensure_at_a_writer(&self, desired: &Desired) -> Result<Effect, BackendError> {
        let outcome = self.ensure_at_one(desired).await;
        let Err(error) = &outcome else { return outcome };
        let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<LdapError>());
        if !cause.is_some_and(sends_elsewhere) {
            return outcome;
        }
        let work = work_of(desired);
        match self.directory.is_read_only_for(&work, &self.table.base).await {
            Ok(true) if self.directory.is_replicated() => match self.ensure_at_one(desired).await {
                Err(again) if !error.has_done_nothing() => Err(again.possibly_having_acted()),
                again => again,
            },
            Ok(true) if error.has_done_nothing() => {
                Err(Step::Reach.failed(Reason::ReadOnly).having_done_nothing())
            }
            Ok(true) => Err(Step::Reach.failed(Reason::ReadOnly)),
            Ok(false) | Err(_) => outcome,
        }
    }

    async fn ensure_at_one(&self, desired: &Desired) -> Result<Effect, BackendError> {
        let remote = &desired.remote;
        match &desired.state {
            DesiredState::Present { entitlements, secret, ends_at } => {
                self.present(remote, entitlements, secret.as_ref(), *ends_at).await
            }
            DesiredState::Disabled => self.disabled(remote).await,
            DesiredState::Absent { given } => {
                let groups = self.table.given(given.as_deref());
                let mut loan = self.lend_for(remote.marker.as_str()).await?;
                match self.absent(&mut loan, remote, &groups).await? {
                    // ours may be on its way to a server that stands in, under the same name
                    Effect::Stranger if loan.is_substitute() => Err(unseen()),
                    effect => proved(&loan, effect),
                }
            }
            DesiredState::Holding { give, take } => self.hold(remote, give, take).await,
            DesiredState::Mirrored(_) => Err(Step::Look.refused(TargetFault::Forbidden)),
        }
    }

    pub(super) async fn observe(&self, remote: &RemoteRef) -> Result<Observed, BackendError> {
        let begun = Instant::now();
        match self.observe_at_one(remote).await {
            Err(error) if self.is_worth_another_look(&error, remote.marker.as_str(), begun).await => {
                self.observe_at_one(remote).await
            }
            outcome => outcome,
        }
    }

    /// Whether a server that stood in did not know enough, and the own one, which was not asked because it kept silent a moment
    /// before, answers by now.
    pub(super) async fn is_worth_another_look(
        &self,
        error: &BackendError,
        work: &str,
        begun: Instant,
    ) -> bool {
        *error.kind() == ErrorKind::Target(TargetFault::Unseen)
            && self.directory.own_answers_by_now(work, begun).await
    }

    async fn observe_at_one(&self, remote: &RemoteRef) -> Result<Observed, BackendError> {
        let mut loan = self.lend_for(remote.marker.as_str()).await?;
        Ok(match self.find(&mut loan, remote).await? {
            Found::Nothing if loan.is_substitute() => return Err(unseen()),
            Found::Nothing => Observed::Missing,
            Found::NotOurs | Found::Stranger => Observed::Foreign,
            Found::Ours(ours) => Observed::Ours { native: ours.id.to_string(), enabled: ours.is_enabled },
        })
    }

    /// The directory, by what it calls the entry that our accounts lie below, on the server that an account goes to.
    pub(super) async fn home_of(&self, remote: &RemoteRef) -> Result<Option<String>, BackendError> {
        // whoever is there already is a person, what is to be made has no identifier yet
        let is_person = remote.native.is_some();
        let work = if is_person { work_of_person(remote) } else { remote.marker.as_str().to_owned() };
        // no connection is waited for where the answer is known: among many callers that takes as long as a change
        if let Some(home) = self.directory.own_server(&work).and_then(|own| self.homes.of(&own)) {
            return Ok(Some(home));
        }
        let mut loan = self.lend_for(&work).await?;
        let home = self.home(&mut loan).await?.map(|id| id.to_string());
        if let Some(home) = &home {
            self.homes.learn(loan.server(), home);
        }
        Ok(home)
    }

    /// What was done for an account on one server may not have reached the others yet.
    pub(super) async fn lend_for(&self, account: &str) -> Result<Loan, BackendError> {
        let loan = self.directory.lend_for_changes(account, &self.table.base).await;
        loan.map_err(|error| Step::Reach.failed(error))
    }

    pub(super) async fn lend(&self) -> Result<Loan, BackendError> {
        self.directory.lend().await.map_err(|error| Step::Reach.failed(error))
    }

    /// The name of the entry that an account is made under.
    pub(super) fn dn_of(&self, remote: &RemoteRef) -> Result<Dn, BackendError> {
        let place = self.table.place(remote.place.as_deref())?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if !(1..=D::NAME_BYTES).contains(&remote.name.len()) || !remote.name.chars().all(is_plain) {
            return Err(Step::Make.refused(TargetFault::Name));
        }
        let rdn = self.dialect.rdn(&remote.name).map_err(|reason| Step::Make.failed(reason))?;
        Ok(place.child(rdn))
    }

    async fn present(
        &self,
        remote: &RemoteRef,
        entitlements: &[String],
        secret: Option<&Secret>,
        ends_at: DateTime<Utc>,
    ) -> Result<Effect, BackendError> {
        let ready = self.make_ready(remote, entitlements, secret).await;
        let (mut loan, groups, password) = ready.map_err(BackendError::having_done_nothing)?;
        let begun = self.begin(&mut loan, remote, password.as_ref(), ends_at).await?;
        let ours = match begun {
            // only a new secret opens what somebody put out of use
            Begun::There(ours) if !ours.is_enabled && password.is_none() => return Ok(Effect::Disabled),
            Begun::There(ours) => ours,
            Begun::Made(made) => return self.furnish(loan, remote, made, &groups).await,
            Begun::Neither(effect) => return proved(&loan, effect),
        };
        let renewal = Renewal { account: &ours, password: password.as_ref(), ends_at };
        if let Err(error) = self.dialect.renew(&mut loan, &self.guard(&ours, remote)?, &renewal).await {
            return match &password {
                // nobody has a secret of what nobody heard of
                Some(password) if remote.native.is_none() && is_refused(&error) => {
                    self.make_anew(loan, remote, &ours, (password, ends_at), &groups).await
                }
                _ if error.fate() == Fate::Unknown => Err(Step::Change.failed(error)),
                _ => Err(Step::Change.failed(error).having_done_nothing()),
            };
        }
        let member = self.member(&ours, remote);
        self.set_groups(&mut loan, &member, &groups).await.map_err(|error| Step::Groups.failed(error))?;
        Ok(self.is_present(&ours))
    }

    pub(super) fn is_present(&self, account: &Remote) -> Effect {
        Effect::Present { native: account.id.to_string(), end: self.dialect.end_of(account) }
    }

    async fn disabled(&self, remote: &RemoteRef) -> Result<Effect, BackendError> {
        let mut loan = self.lend_for(remote.marker.as_str()).await?;
        let ours = match self.find(&mut loan, remote).await? {
            Found::Ours(ours) => ours,
            Found::Nothing if loan.is_substitute() => return Err(unseen()),
            Found::Nothing => return Ok(Effect::Absent { was_there: false }),
            Found::NotOurs => return Ok(Effect::NotOurs),
            Found::Stranger => return Ok(Effect::Stranger),
        };
        let closed = self.guard(&ours, remote)?.modify(&mut loan, self.dialect.closure()).await;
        let closed = match closed {
            // moved out of our reach: it loses at least what it holds
            Err(error) if error.reason() == Reason::AccessDenied => Err(error),
            Err(error) => return Err(Step::Change.failed(error)),
            Ok(()) => Ok(()),
        };
        let left = self.set_groups(&mut loan, &self.member(&ours, remote), &[]).await;
        closed.map_err(|error| Step::Change.failed(error))?;
        match left {
            Ok(()) => Ok(Effect::Disabled),
            // the last member of a group that must have one
            Err(error) if error.reason() == Reason::SchemaViolation => Ok(Effect::Stuck(error.code())),
            Err(error) => Err(Step::Groups.failed(error)),
        }
    }

    /// Sees to it that an account is not there, and that none of these groups names it.
    pub(super) async fn absent(
        &self,
        loan: &mut Loan,
        remote: &RemoteRef,
        groups: &[&Group],
    ) -> Result<Effect, BackendError> {
        let named_before = self.named_before(loan, remote, groups).await;
        if self.is_removed_at_once(loan, remote).await? {
            return self.gone_at_once(loan, remote, groups, &named_before).await;
        }
        let is_substitute = loan.is_substitute();
        let connection: &mut Connection = loan;
        for _ in 0..ATTEMPTS {
            let ours = match self.search(connection, remote).await? {
                Found::Ours(ours) => ours,
                Found::Stranger => return Ok(Effect::Stranger),
                // what is on its way to here may come after its name was taken out
                Found::Nothing if is_substitute => return Err(unseen()),
                Found::Nothing => {
                    self.check_ended(connection, remote).await?;
                    return self.gone(connection, remote, groups, None).await;
                }
                Found::NotOurs => return Ok(Effect::NotOurs),
            };
            self.leave_all(connection, &self.member(&ours, remote)).await?;
            match self.guard(&ours, remote)?.remove(connection, || self.dialect.closure()).await {
                Ok(()) => return self.gone(connection, remote, groups, Some(&ours.dn)).await,
                // renamed, removed or marked anew since it was found
                Err(error) if Guard::has_tripped(&error) => {}
                Err(error) if error.reason() == Reason::HasChildren => {
                    return Ok(Effect::Stuck(error.code()));
                }
                Err(error) => return Err(Step::Remove.failed(error)),
            }
        }
        Err(Step::Remove.refused(TargetFault::Unreachable))
    }

    /// Takes an account that is about to go out of its groups, where the directory does not.
    async fn leave_all(&self, connection: &mut Connection, member: &Member) -> Result<(), BackendError> {
        if self.dialect.following().is_left_to_it() {
            return Ok(());
        }
        match self.set_groups(connection, member, &[]).await {
            Ok(()) => Ok(()),
            // better a member that is nobody, which is told once the account is gone, than an account that stays
            Err(error) if error.reason() == Reason::SchemaViolation => Ok(()),
            Err(error) => Err(Step::Groups.failed(error)),
        }
    }

    /// Tries to remove it where it was made, without looking before. Whatever else comes of that is found out by looking.
    async fn is_removed_at_once(
        &self,
        connection: &mut Connection,
        remote: &RemoteRef,
    ) -> Result<bool, BackendError> {
        let id = remote.native.as_ref().and_then(|native| native.parse().ok());
        let (Some(id), Ok(dn)) = (id, self.dn_of(remote)) else { return Ok(false) };
        if !self.dialect.reaches_blindly() || !self.dialect.following().is_left_to_it() {
            return Ok(false);
        }
        let marked_in = self.table.marker.clone();
        let made = Remote { id, dn, marked_in, is_enabled: true, server_time: None };
        let Ok(guard) = self.guard(&made, remote) else {
            return Ok(false);
        };
        match guard.remove(connection, || self.dialect.closure()).await {
            // what it shows may be old
            Err(error) if sends_elsewhere(&error) => Err(Step::Remove.failed(error)),
            outcome => Ok(outcome.is_ok()),
        }
    }

    fn guard(&self, ours: &Remote, remote: &RemoteRef) -> Result<Guard, BackendError> {
        self.dialect.guard(ours, &remote.marker).map_err(|reason| Step::Change.failed(reason))
    }

    pub(super) fn member(&self, ours: &Remote, remote: &RemoteRef) -> Member {
        self.table.membership.of(&ours.dn, &remote.name)
    }
}

/// Says that a call was given up which lasted too long. What it did, or still does, is found out by looking. It takes what
/// came of the call and not the call, whose room would be taken twice.
pub(super) fn in_time<T>(outcome: Result<Result<T, BackendError>, Elapsed>) -> Result<T, BackendError> {
    outcome.unwrap_or_else(|_| Err(Step::Reach.failed(Reason::Timeout)))
}

/// The piece of work that a request belongs to, by which a server is chosen for it.
fn work_of(desired: &Desired) -> String {
    match &desired.state {
        DesiredState::Holding { .. } => work_of_person(&desired.remote),
        _ => desired.remote.marker.as_str().to_owned(),
    }
}

/// The name is what every request about a person has, the first one included.
pub(super) fn work_of_person(remote: &RemoteRef) -> String {
    remote.name.to_lowercase()
}

/// What a server that stands in does not have may be on its way there.
pub(super) fn proved(loan: &Loan, effect: Effect) -> Result<Effect, BackendError> {
    let is_unseen = effect == Effect::Absent { was_there: false } && loan.is_substitute();
    if is_unseen { Err(unseen()) } else { Ok(effect) }
}

pub(super) fn unseen() -> BackendError {
    Step::Reach.refused(TargetFault::Unseen)
}
