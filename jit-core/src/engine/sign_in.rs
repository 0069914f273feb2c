//! Handling a sign-in: evaluate, commit, and again when somebody else was faster.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{
    Connection, Denied, Held, Jit, Outcome, Session, SignIn, SignedIn,
    compose::{Record, sign_in_action},
    evaluate::{Attempt, Evaluated},
    flight::{Boarded, Turn},
    hold::{Pause, Progress},
    landing::Landing,
    matching::Found,
    outcome::JitError,
};
use crate::{
    Account, Actor, Answers, Ask, AuditEvent, AuditOutcome, BackendError, Change, Code, Commit, Denial,
    ErrorKind, Permit, Plan, SignInPlan, Standing, Step, Taken, Ticket,
};

/// How often a sign-in is planned anew before it gives up: user names that are taken and accounts that change under it.
const ATTEMPTS: usize = 64;

/// Says how a sign-in ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// The person is in.
    SignedIn,
    /// The account waits for an approval.
    Waits,
    /// The account ends now.
    Now,
}

/// Says what came of trying to commit a plan.
pub(super) enum Written {
    /// The account as it is now.
    Done(Arc<Account>),
    /// The account is as it should be.
    Unchanged,
    /// Somebody was faster, or a name is taken: plan anew.
    Again,
    /// A bound stands in the way.
    Denied(Denial),
}

/// Says what a sign-in begins with.
enum Boarding<'a> {
    /// The account of the identity.
    Linked(Arc<Account>),
    /// The turn to make one: nobody has.
    Ahead(Turn<'a>),
    /// What somebody left who made it meanwhile, and what was said of this one.
    Landed(Arc<Landing>, Arc<SignIn>),
}

impl Jit {
    /// Handles a sign-in with what has been answered so far.
    pub(super) async fn sign_in(
        &self,
        connection: &Connection,
        sign_in: Box<SignIn>,
        answers: Answers,
        progress: Option<&Progress>,
    ) -> Result<Outcome, JitError> {
        let mut attempt = Attempt::new(self.parts.clock.now(), self.parts.explaining);
        let (store, key) = (self.store_of(connection), sign_in.identity.key());
        let (turn, looked) = match self.parts.flights.join(key) {
            Some(turn) => (turn, false),
            None => match store.find(key).await? {
                Some(account) => {
                    let linked = Boarding::Linked(Arc::new(account));
                    return Box::pin(self.proceed(connection, &sign_in, answers, progress, attempt, linked))
                        .await;
                }
                None => (self.parts.flights.enter(key), true),
            },
        };
        let sign_in = turn.share(sign_in);
        let boarding = self.board(connection, &sign_in, turn, looked).await?;
        if let Boarding::Landed(landing, _) = &boarding {
            attempt.now = landing.at();
            if let Some(done) = landing.answer(&sign_in, &answers) {
                self.note_use(connection, &done.account, attempt.now).await;
                return Ok(Outcome::SignedIn(done));
            }
        }
        // Whoever waits needs room for no more than that.
        Box::pin(self.proceed(connection, &sign_in, answers, progress, attempt, boarding)).await
    }

    /// Evaluates and commits, and again when somebody else was faster.
    async fn proceed(
        &self,
        connection: &Connection,
        sign_in: &SignIn,
        answers: Answers,
        progress: Option<&Progress>,
        mut attempt: Attempt,
        boarding: Boarding<'_>,
    ) -> Result<Outcome, JitError> {
        let (mut linked, turn, mut landing) = match boarding {
            Boarding::Linked(account) => (Some(account), None, None),
            Boarding::Ahead(turn) => (None, Some(turn), None),
            Boarding::Landed(landing, said) => {
                (Some(Arc::clone(landing.account())), None, Some((landing, said)))
            }
        };
        for _ in 0..ATTEMPTS {
            let evaluated = self.evaluate(connection, sign_in, linked, &answers, &mut attempt).await?;
            let stands_alone = evaluated.stands_alone && connection.policy.is_pure();
            match self.conclude(connection, sign_in, &answers, progress, evaluated, &mut attempt).await? {
                Some(outcome) => {
                    if let Outcome::SignedIn(done) = &outcome {
                        if let Some(turn) = turn.filter(|_| !done.plan.is_empty()) {
                            turn.land(&done.account, || self.parts.clock.now());
                        }
                        if let Some((landing, said)) = landing.filter(|_| stands_alone) {
                            landing.keep(&said, &answers, done);
                        }
                    }
                    return Ok(outcome);
                }
                None => linked = self.store_of(connection).find(sign_in.identity.key()).await?.map(Arc::new),
            }
            landing = None;
        }
        Err(JitError::refused("engine.contended"))
    }

    /// Of those who sign in for the first time at once, one goes ahead and the others find what it left. `looked` tells that
    /// nobody had the identity a moment ago.
    async fn board<'a>(
        &self,
        connection: &Connection,
        sign_in: &Arc<SignIn>,
        turn: Turn<'a>,
        looked: bool,
    ) -> Result<Boarding<'a>, JitError> {
        Ok(match turn.board().await {
            Boarded::Landed(landing) => Boarding::Landed(landing, Arc::clone(sign_in)),
            Boarded::Ahead(turn) if looked && !turn.waited() => Boarding::Ahead(turn),
            // Whoever had the turn before may have made the account and left nothing. Where it is there, there is nothing to
            // go ahead for, and the next need not wait.
            Boarded::Ahead(turn) => match self.store_of(connection).find(sign_in.identity.key()).await? {
                Some(account) => Boarding::Linked(Arc::new(account)),
                None => Boarding::Ahead(turn),
            },
        })
    }

    /// Answers what was evaluated; `None` asks for another attempt.
    async fn conclude(
        &self,
        connection: &Connection,
        sign_in: &SignIn,
        answers: &Answers,
        progress: Option<&Progress>,
        evaluated: Evaluated,
        attempt: &mut Attempt,
    ) -> Result<Option<Outcome>, JitError> {
        let Evaluated { found, plan, permit, steps, shadow, .. } = evaluated;
        let mut end = None;
        let (plan, ending) = match plan {
            SignInPlan::Go(plan) => (plan, Ending::SignedIn),
            SignInPlan::Await(plan) => (plan, Ending::Waits),
            SignInPlan::End(plan, denial) => {
                end = Some(denial);
                (plan, Ending::Now)
            }
            SignInPlan::Deny(denial) => {
                return self.deny(connection, found, denial, steps, attempt).await.map(Some);
            }
            SignInPlan::Ask(asks) => {
                let account = found.into_account();
                let pause = Pause { asks: &asks, answers, candidate: account.as_deref(), progress };
                let ticket = self.hold(connection, sign_in, pause, attempt.now).await?;
                let held = Held { asks, ticket: Some(ticket), account: None, plan: None, steps };
                return Ok(Some(Outcome::Held(Box::new(held))));
            }
        };
        let account = match self.write(connection, &found, &plan, &permit, ending, attempt).await? {
            Written::Again => return Ok(None),
            Written::Denied(denial) => {
                return self.deny(connection, found, denial, steps, attempt).await.map(Some);
            }
            Written::Done(account) => Some(account),
            Written::Unchanged => found.into_account(),
        };
        let Some(account) = account else { return Ok(None) };
        if let Some(denial) = end {
            let found = Found::Linked(account);
            return self.deny(connection, found, denial, steps, attempt).await.map(Some);
        }
        if ending == Ending::Waits {
            let (asks, account) = (vec![Ask::Approval], Some(account.id));
            let held = Held { asks, ticket: None, account, plan: Some(plan), steps };
            return Ok(Some(Outcome::Held(Box::new(held))));
        }
        let (version, epoch) = (account.version, account.credential_epoch);
        let account = self.waited_for(connection, account).await?;
        let is_as_it_was = || account.credential_epoch == epoch && is_open(&account, sign_in, attempt.now);
        if account.version != version && !is_as_it_was() {
            // To wait took its time, and they were stopped or cut off meanwhile: how they stand is looked at anew.
            return Ok(None);
        }
        self.note_use(connection, &account, attempt.now).await;
        let session = session(&permit, sign_in, &account, attempt.now);
        Ok(Some(Outcome::SignedIn(Box::new(SignedIn { account, plan, session, steps, shadow }))))
    }

    async fn note_use(&self, connection: &Connection, account: &Account, now: DateTime<Utc>) {
        if self.parts.seen.note(connection.settings.store.as_ref(), account, now) {
            // A lost instant is made good by the next sign-in; this one must not fail for it.
            let _ = self.flush_seen().await;
        }
    }

    /// Writes a plan, unless it is empty.
    async fn write(
        &self,
        connection: &Connection,
        found: &Found,
        plan: &Plan,
        permit: &Permit,
        ending: Ending,
        attempt: &mut Attempt,
    ) -> Result<Written, JitError> {
        let before = found.as_present().account();
        if plan.is_empty() && before.is_some() {
            return Ok(Written::Unchanged);
        }
        let record = Record {
            actor: actor(connection),
            action: sign_in_action(plan, ending),
            rule: permit.rule.clone(),
            absolute: ending == Ending::Now,
            now: attempt.now,
        };
        let mut mint = self.mint(attempt.now);
        let tenant = &connection.settings.tenant;
        let (commit, after) = self.compose(tenant, before, plan, record, &mut mint);
        match self.commit(self.store_of(connection), &commit).await {
            Ok(()) => {
                drop(commit);
                Ok(Written::Done(after))
            }
            Err(error) => self.learn(error, plan, attempt),
        }
    }

    /// Learns from a refused commit what the next plan must do otherwise.
    pub(super) fn learn(
        &self,
        error: BackendError,
        plan: &Plan,
        attempt: &mut Attempt,
    ) -> Result<Written, JitError> {
        match error.kind() {
            ErrorKind::AlreadyExists(Taken::Identity | Taken::Account | Taken::Task)
            | ErrorKind::Conflict => Ok(Written::Again),
            ErrorKind::AlreadyExists(Taken::UserName) => {
                let name = plan.changes.iter().find_map(|planned| match &planned.change {
                    Change::SetUserName(name) => Some(name.key().to_owned()),
                    _ => None,
                });
                let is_new = name.is_some_and(|name| attempt.taken.insert(name));
                if is_new {
                    Ok(Written::Again)
                } else {
                    Ok(Written::Denied(Denial::new(Code::new("name.taken"))))
                }
            }
            ErrorKind::LimitReached(counter) => match self.parts.protection.last_held(counter) {
                Some(entitlement) if attempt.keep.insert(entitlement.clone()) => Ok(Written::Again),
                Some(_) => Ok(Written::Denied(Denial::new(Code::new("access.last_holder")))),
                // Somebody else came with the address at the same time: the next attempt finds that account.
                None if counter.is_address() && !std::mem::replace(&mut attempt.address_taken, true) => {
                    Ok(Written::Again)
                }
                None if counter.is_address() => {
                    Ok(Written::Denied(Denial::new(Code::new("link.email_taken"))))
                }
                // The seat may have gone to the same person, on another node.
                None if !std::mem::replace(&mut attempt.no_seat, true) => Ok(Written::Again),
                None => Ok(Written::Denied(Denial::new(Code::new("account.no_seat")))),
            },
            _ => Err(error.into()),
        }
    }

    /// Records a denial and answers with it.
    async fn deny(
        &self,
        connection: &Connection,
        found: Found,
        denial: Denial,
        steps: Vec<Step>,
        attempt: &Attempt,
    ) -> Result<Outcome, JitError> {
        let (account, now) = (found.into_account(), attempt.now);
        let (tenant, by) = (&connection.settings.tenant, actor(connection));
        let commit = Self::refusal(tenant, by, account.as_deref(), &denial, now, &mut self.mint(now));
        self.store_of(connection).commit(&commit).await?;
        let account = account.map(|account| account.id);
        Ok(Outcome::Denied(Box::new(Denied { denial, account, steps })))
    }

    /// Lays a sign-in aside until it is answered, and records that.
    async fn hold(
        &self,
        connection: &Connection,
        sign_in: &SignIn,
        pause: Pause<'_>,
        now: DateTime<Utc>,
    ) -> Result<Ticket, JitError> {
        let (candidate, asks) = (pause.candidate, pause.asks);
        let ticket = self.park(connection, sign_in, pause, now).await?;
        self.record_hold(connection, candidate, asks, now).await?;
        Ok(ticket)
    }

    async fn record_hold(
        &self,
        connection: &Connection,
        account: Option<&Account>,
        asks: &[Ask],
        now: DateTime<Utc>,
    ) -> Result<(), JitError> {
        let tenant = &connection.settings.tenant;
        let mut mint = self.mint(now);
        let mut commit = Commit::new(tenant.clone());
        commit.events.push(AuditEvent {
            id: mint.event(),
            at: now,
            tenant: tenant.clone(),
            actor: actor(connection),
            action: Code::new("sign_in.held"),
            account: account.map(|account| account.id),
            outcome: AuditOutcome::Held { asks: asks.iter().map(|ask| ask.word().to_owned()).collect() },
            rule: None,
            changes: Vec::new(),
        });
        Ok(self.store_of(connection).commit(&commit).await?)
    }
}

pub(super) fn actor(connection: &Connection) -> Actor {
    Actor::Connection { id: connection.settings.id.clone() }
}

/// Tells whether somebody may be let into an account as it is now.
fn is_open(account: &Account, sign_in: &SignIn, now: DateTime<Utc>) -> bool {
    let is_linked = account.identities.iter().any(|linked| linked.key == *sign_in.identity.key());
    is_linked && account.standing(now) == Standing::Active
}

/// Bounds the session by the policy, the source and the account's own end, whichever comes first.
fn session(permit: &Permit, sign_in: &SignIn, account: &Account, now: DateTime<Utc>) -> Session {
    let by_policy = permit.session_limit.and_then(|limit| now.checked_add_signed(limit));
    let by_source = sign_in.identity.session().ends_at;
    let ends_at = [by_policy, by_source, account.ends_at].into_iter().flatten().min();
    Session { ends_at, epoch: account.credential_epoch }
}
