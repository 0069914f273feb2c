//! Bringing an account to a target: written down before, asked, written down after.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Pass, desired,
    learned::{Entry, learned, with_ids},
    mark::{Next, mark, next, takes},
    stops::is_counted,
};
use crate::{
    Account, AccountId, AccountWrite, Actor, AuditEvent, AuditOutcome, BackendError, Code, Commit, Effect,
    ErrorKind, EventId, Jit, JitError, Mirror, MirrorState, Retry, Store, TargetSetup, TaskId, TaskKind,
    TenantId, Wanted, wanted,
};

/// How often a change is brought anew when the account changes meanwhile.
const ATTEMPTS: usize = 16;
/// When those that wait for somebody to allow their stop are looked at again.
const PARKED_FOR: TimeDelta = TimeDelta::minutes(15);
/// When what nobody here was asked to claim comes again.
const LEFT_FOR: TimeDelta = TimeDelta::seconds(5);

/// Says how bringing a change came out.
pub(in crate::engine) enum Brought {
    /// The task was about nothing any longer.
    Done,
    /// What came of it is written down, and the task went with it.
    Moved,
    /// Not before this instant.
    Later(DateTime<Utc>),
    /// Not while the target fails nearly everybody.
    Held,
}

/// A call that was written down and has no answer yet.
struct Asking {
    account: Account,
    mirror: Mirror,
    /// Until when it may take effect, as it was written down.
    ours: Option<DateTime<Utc>>,
    /// Until when an earlier one may.
    earlier: Option<DateTime<Utc>>,
}

impl Jit {
    /// Brings what its task is about; several may do so at once, and the target is asked for the same.
    pub(in crate::engine) async fn bring(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
        (tenant, id): (&TenantId, AccountId),
        task: TaskId,
        mut pass: Pass,
    ) -> Result<Brought, JitError> {
        for _ in 0..ATTEMPTS {
            let Some(account) = store.get(tenant, id).await? else { return Ok(Brought::Done) };
            let mirror = account.mirror(&setup.id).filter(|mirror| mirror.task == Some(task)).cloned();
            let Some(mirror) = mirror else { return Ok(Brought::Done) };
            match self.bring_once(store, setup, account, mirror, &mut pass).await {
                Err(JitError::Backend(error)) if *error.kind() == ErrorKind::Conflict => {}
                other => return other,
            }
        }
        Ok(Brought::Later(self.parts.clock.work()))
    }

    async fn bring_once(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
        account: Account,
        mirror: Mirror,
        pass: &mut Pass,
    ) -> Result<Brought, JitError> {
        let now = self.parts.clock.work();
        let Some(mirroring) = setup.mirrored_for(&account.tenant) else {
            // To settle it would take the change for good from whoever mirrors this tenant.
            return Ok(Brought::Later(now.checked_add_signed(LEFT_FOR).unwrap_or(now)));
        };
        let next = wanted(&account, mirroring, Some(&mirror), now);
        if next == Wanted::Nothing || mirror.asked.as_deref() == Some(next.digest().as_str()) {
            return self.rest(store, setup, &account, mirror, &next).await;
        }
        if matches!(next, Wanted::Stopped | Wanted::Gone)
            && mirror.native.is_none()
            && let Some(until) = mirror.unanswered.filter(|until| now < *until)
        {
            // What a call may still make can only be found once it is made.
            return Ok(Brought::Later(until));
        }
        // What takes access never waits for the target to be well.
        let takes_access = takes(&next, Some(&mirror));
        if !takes_access && !self.may_push(setup, account.id, pass).await {
            return Ok(Brought::Held);
        }
        let Some(asking) = self.write_ahead(store, setup, account, mirror, &next).await? else {
            return Ok(Brought::Later(now.checked_add_signed(PARKED_FOR).unwrap_or(now)));
        };
        let asked = desired(setup, &asking.account, &asking.mirror, &next);
        let Some(asked) = asked else { return Ok(Brought::Done) };
        let effect = setup.target.ensure(&asked).await;
        if !takes_access {
            self.learn_health(setup, asking.account.id, &effect, *pass).await;
        }
        if let Err(error) = &effect
            && let Err(error) = self.keep_ids(store, setup, &asking, error).await
        {
            // They are told again with the next attempt.
            tracing::warn!(target = %setup.id, code = %error.code(), "ids that a target told were not kept");
        }
        self.record_effect(store, setup, asking, &next, effect?).await
    }

    /// Writes down that there is nothing to bring.
    async fn rest(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
        account: &Account,
        mirror: Mirror,
        next: &Wanted,
    ) -> Result<Brought, JitError> {
        let is_nothing = *next == Wanted::Nothing && !mirror.may_be_there();
        let entry = Entry::of(mirror).settling();
        let entry = if is_nothing { Entry { mirror: None, ..entry } } else { entry };
        self.write_mirror(store, setup, account, entry).await?;
        Ok(Brought::Moved)
    }

    /// Writes down what is about to be asked: until it is answered it may have happened, and may still happen. `None` where
    /// too many are stopped already.
    async fn write_ahead(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
        account: Account,
        mut mirror: Mirror,
        next: &Wanted,
    ) -> Result<Option<Asking>, JitError> {
        let now = self.parts.clock.work();
        if mirror.unanswered.is_some() {
            // What the target confirmed was before a call that nobody knows the outcome of.
            mirror.confirmed = None;
        }
        let (known, earlier) = (mirror.unanswered, mirror.unanswered.filter(|until| now < *until));
        let answer_by = now.checked_add_signed(setup.in_flight).unwrap_or(now);
        mirror.unanswered = earlier.max(Some(answer_by));
        if let Wanted::There(mirrored) = next {
            // Whatever may have been given can be taken again: what is held may be given once more, and by its name, which
            // something else may bear by now.
            mirror.doubtful.extend(mirrored.entitlements.iter().cloned());
            if mirror.native.is_none() {
                mirror.name.clone_from(&mirrored.user_name);
            }
        }
        let (mut counters, before, ours) = (vec![None], mirror.state.clone(), mirror.unanswered);
        if !is_counted(&before, next) {
            counters = self.count_stop(store, &account.tenant, setup, now).await?;
            mirror.state = MirrorState::Stopping;
        }
        for counter in counters {
            let entry = Entry { counter, ..Entry::of(mirror.clone()) };
            match self.write_mirror(store, setup, &account, entry).await {
                Ok(account) => return Ok(Some(Asking { account, mirror, ours, earlier })),
                Err(error) if matches!(error.kind(), ErrorKind::LimitReached(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if !matches!(before, MirrorState::Parked { .. }) {
            let state = MirrorState::Parked { since: now, inactive: before.is_out_of_use() };
            // What was made by a call without an answer may be there, and is to be stopped yet.
            let parked = Entry::of(Mirror { state, unanswered: known, ..mirror });
            let parked = Entry { alarm: Some("mirror.parked"), ..parked.noting("mirror.parked") };
            self.write_mirror(store, setup, &account, parked).await?;
        }
        Ok(None)
    }

    /// Writes down what came of it, on whatever the account is by now: it happened in any case.
    async fn record_effect(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
        asking: Asking,
        done: &Wanted,
        effect: Effect,
    ) -> Result<Brought, JitError> {
        let Asking { mut account, ours, earlier, .. } = asking;
        let (tenant, id) = (account.tenant.clone(), account.id);
        for _ in 0..ATTEMPTS {
            let Some(mirror) = account.mirror(&setup.id).cloned() else { return Ok(Brought::Done) };
            // Somebody else who asks at the same time has no answer yet.
            let others = if mirror.unanswered == ours { earlier } else { mirror.unanswered };
            let others = others.filter(|until| self.parts.clock.work() < *until);
            let entry = learned(mirror, done, &effect, others)?;
            match self.write_mirror(store, setup, &account, entry).await {
                Ok(_) => return Ok(Brought::Moved),
                Err(error) if *error.kind() == ErrorKind::Conflict => {}
                Err(error) => return Err(error.into()),
            }
            let Some(now) = store.get(&tenant, id).await? else { return Ok(Brought::Done) };
            account = now;
        }
        Err(JitError::refused("engine.contended"))
    }

    /// Keeps the ids that a target told before it failed: what it gave by then has to be found whatever it is called once it is
    /// to be taken.
    async fn keep_ids(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
        asking: &Asking,
        error: &BackendError,
    ) -> Result<(), BackendError> {
        if error.ids().is_empty() {
            return Ok(());
        }
        let mut found = Some(asking.account.clone());
        for _ in 0..ATTEMPTS {
            let Some(account) = found else { return Ok(()) };
            let mirror = account.mirror(&setup.id).cloned();
            let mirror = mirror.and_then(|mirror| with_ids(mirror, &asking.mirror.ids, error.ids()));
            let Some(mirror) = mirror else { return Ok(()) };
            match self.write_mirror(store, setup, &account, Entry::of(mirror)).await {
                Err(error) if *error.kind() == ErrorKind::Conflict => {}
                done => return done.map(drop),
            }
            found = store.get(&account.tenant, account.id).await?;
        }
        Err(BackendError::new(ErrorKind::Conflict, "mirror.keep_ids"))
    }

    /// Commits what is known of a mirror. Where the task goes and the account changed meanwhile, another one comes.
    async fn write_mirror(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
        before: &Account,
        entry: Entry,
    ) -> Result<Account, BackendError> {
        let now = self.parts.clock.now();
        let (mut mint, mut after) = (self.mint(now), before.clone());
        let mut commit = Commit::new(after.tenant.clone());
        after.mirrors.retain(|mirror| mirror.target != setup.id);
        if let Some(mut mirror) = entry.mirror {
            if entry.settles {
                commit.withdrawn.extend(mirror.task.take());
                mirror.due = None;
            }
            after.mirrors.push(mirror);
        } else {
            commit.withdrawn.extend(before.mirror(&setup.id).and_then(|mirror| mirror.task));
        }
        if entry.settles {
            self.mark_again(&mut commit, &mut after, setup, &mut mint);
        }
        commit.events.extend(entry.action.map(|action| event(mint.event(), now, &after, setup, action)));
        // Whoever reads of the alarm reads of its end; what was brought has a name of its own.
        let over = entry.alarm.filter(|about| *about == "mirror.overdue_over");
        commit.events.extend(over.map(|about| event(mint.event(), now, &after, setup, about)));
        if let Some(about) = entry.alarm {
            let kind = TaskKind::Alarm { about: Code::new(about), target: Some(setup.id.clone()) };
            let work = self.parts.clock.work();
            commit.tasks.extend(self.notice(mint.task(), &after.tenant, after.id, kind, work));
        }
        commit.counters.extend(entry.counter);
        after.updated_at = now;
        let write = AccountWrite::update(before, after);
        let after = write.after().clone();
        commit.account = Some(write);
        store.commit(&commit).await.map(|()| after)
    }

    /// What changed while the target was asked is brought by a task of its own.
    fn mark_again(
        &self,
        commit: &mut Commit,
        after: &mut Account,
        setup: &TargetSetup,
        mint: &mut crate::Mint,
    ) {
        let Some(mirroring) = setup.mirrored_for(&after.tenant) else { return };
        // By the time that it was brought by: else a clock in doubt would have it brought without end.
        let work = self.parts.clock.work();
        if let Some(next) = next(after, mirroring, setup, work, work) {
            mark(commit, after, setup, next, mint);
        }
        // A call of before may undo what was just done: once it no longer can, the target is asked again.
        let there = after.mirror(&setup.id);
        if let Some((there, due)) = there.and_then(|there| Some((there, there.unanswered?))) {
            let takes = takes(&wanted(after, mirroring, Some(there), work), Some(there));
            mark(commit, after, setup, Next { due, is_change: true, takes }, mint);
        }
    }

    /// Raises an alarm about a change that could not be brought for too long. While the target fails nearly everybody, one
    /// alarm tells of all but those who are to lose access.
    pub(in crate::engine) async fn raise_unbrought(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
        tenant: &TenantId,
        id: AccountId,
    ) -> Result<(), BackendError> {
        let Some(account) = store.get(tenant, id).await? else { return Ok(()) };
        let now = self.parts.clock.work();
        let Some(mirror) = account.mirror(&setup.id).filter(|mirror| !mirror.alarmed) else { return Ok(()) };
        let overdue = mirror.due.map(|due| now.signed_duration_since(due));
        if overdue.is_none_or(|overdue| overdue <= setup.overdue_after) {
            return Ok(());
        }
        let mirroring = setup.mirrored_for(tenant).filter(|_| setup.health.is_on());
        let next = mirroring.map(|mirroring| wanted(&account, mirroring, Some(mirror), now));
        if next.is_some_and(|next| !takes(&next, Some(mirror))) {
            return Ok(());
        }
        let entry = Entry::of(Mirror { alarmed: true, ..mirror.clone() }).noting("mirror.overdue");
        let entry = Entry { alarm: Some("mirror.overdue"), ..entry };
        self.write_mirror(store, setup, &account, entry).await.map(drop)
    }
}

/// What is recorded of a mirror.
fn event(
    id: EventId,
    at: DateTime<Utc>,
    account: &Account,
    setup: &TargetSetup,
    action: &'static str,
) -> AuditEvent {
    AuditEvent {
        id,
        at,
        tenant: account.tenant.clone(),
        actor: Actor::Clock,
        action: Code::new(action),
        account: Some(account.id),
        outcome: AuditOutcome::Done,
        rule: None,
        changes: vec![format!("at {}", setup.id)],
    }
}

/// When a change that failed comes again: later and later, and not before the target said.
pub(in crate::engine) fn not_before(
    error: &JitError,
    pause: DateTime<Utc>,
    now: DateTime<Utc>,
) -> DateTime<Utc> {
    let JitError::Backend(error) = error else { return pause };
    match error.retry() {
        Retry::After(span) => now.checked_add_signed(span).map_or(pause, |then| then.max(pause)),
        Retry::Never | Retry::Backoff => pause,
    }
}
