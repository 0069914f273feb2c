//! Handling a record of a provisioning connection: the same way through the house as a sign-in, with nobody to ask.

use std::{num::NonZeroUsize, sync::Arc};

use chrono::{DateTime, Utc};

use super::{
    Connection, Denied, Explanation, Jit, JitError, Outcome, Provisioned, Verdict,
    compose::Record,
    evaluate::{Attempt, note_changes, note_checks, note_profile},
    flight::Boarded,
    keep::check_own,
    kin::known_by,
    leavers::{counted_leave, waits_anew},
    matching::{Found, is_elsewhere, search},
    sign_in::{Written, actor},
};
use crate::{
    AccountId, Answers, Ask, AuditEvent, AuditOutcome, Code, Commit, Context, Cursor, Decision, Denial,
    DocumentWrite, EmailEvidence, ErrorKind, Extent, Filter, Finding, LinkProof, LookupKey, Page, Permit,
    Plan, Present, Profile, Provisioning, Query, RecordEffect, RecordFacts, RecordPlan, Request, SameSource,
    SignInFacts, Stage, Step, StoreId, TenantId, Trace, VerifiedRecord, plan_record,
};

/// How often a record is planned anew when the account changes under it.
const ATTEMPTS: usize = 64;

/// Holds what a record comes to.
struct Evaluated {
    found: Found,
    plan: RecordPlan,
    permit: Permit,
    profile: Option<Profile>,
    steps: Vec<Step>,
}

/// Holds what mapping and policy make of a record.
struct Judged {
    found: Found,
    profile: Option<Profile>,
    email: Option<EmailEvidence>,
    email_is_elsewhere: bool,
    permit: Permit,
    asks: std::collections::BTreeSet<Ask>,
    refusal: Option<Denial>,
}

/// Holds what a record changes, and what is kept along with it.
struct Resolved<'a> {
    plan: &'a Plan,
    permit: &'a Permit,
    effect: RecordEffect,
    /// What is taken for an attempt comes back for another.
    documents: &'a mut Vec<DocumentWrite>,
}

/// Remembers what earlier attempts of one record taught.
struct Trial {
    attempt: Attempt,
    ends_by: DateTime<Utc>,
    crowded: bool,
}

impl Jit {
    /// Handles a record.
    pub(super) async fn provision(&self, record: &mut VerifiedRecord) -> Result<Outcome, JitError> {
        let mut documents = record.take_documents();
        let record = &*record;
        let (connection, provisioning) = self.provisioning_of(record)?;
        check_own(connection, documents.iter().map(DocumentWrite::key))?;
        let reading = self.parts.clock.read();
        let attempt = Attempt::new(reading.now, self.parts.explaining);
        let mut trial = Trial { attempt, ends_by: reading.work, crowded: false };
        let (store, key) = (self.store_of(connection), record.key());
        let mut linked = store.find(key).await?;
        let mut turn = None;
        if linked.is_none() {
            // Of those that tell of somebody new at once, one goes ahead.
            match self.parts.flights.enter(key).board().await {
                Boarded::Ahead(mine) if !mine.waited() => turn = Some(mine),
                Boarded::Ahead(mine) => {
                    turn = Some(mine);
                    linked = store.find(key).await?;
                }
                // A sign-in went ahead and is done.
                Boarded::Landed(_) => linked = store.find(key).await?,
            }
        }
        for _ in 0..ATTEMPTS {
            let found = linked.map_or(Found::Nobody, |account| Found::Linked(account.into()));
            let evaluated = self.weigh_record(connection, provisioning, record, found, &mut trial).await?;
            if let Some(outcome) =
                self.conclude_record(connection, &mut documents, evaluated, &mut trial).await?
            {
                drop(turn);
                return Ok(outcome);
            }
            linked = store.find(key).await?;
        }
        Err(JitError::refused("engine.contended"))
    }

    /// Tells what a record would come to.
    pub(super) async fn explain_record(&self, record: &VerifiedRecord) -> Result<Explanation, JitError> {
        let (connection, provisioning) = self.provisioning_of(record)?;
        let reading = self.parts.clock.read();
        let attempt = Attempt::explaining(reading.now);
        let mut trial = Trial { attempt, ends_by: reading.work, crowded: false };
        let linked = self.store_of(connection).find(record.key()).await?;
        let found = linked.map_or(Found::Nobody, |account| Found::Linked(account.into()));
        let evaluated = self.weigh_record(connection, provisioning, record, found, &mut trial).await?;
        let verdict = match evaluated.plan {
            RecordPlan::Go(plan, effect) => Verdict::Provisioned(plan, effect),
            RecordPlan::Deny(denial) => Verdict::Denied(denial),
        };
        let present = evaluated.found.into_account().map(Arc::unwrap_or_clone);
        Ok(Explanation { verdict, profile: evaluated.profile, present, steps: evaluated.steps, shadow: None })
    }

    /// Lists the accounts whose leave waits for an administrator, in pages, those of one connection or of all: see
    /// [`AdminAct::ConfirmLeave`] and [`AdminAct::DismissLeave`].
    ///
    /// # Errors
    /// [`JitError::Backend`]; `engine.unknown_store`.
    ///
    /// [`AdminAct::ConfirmLeave`]: crate::AdminAct::ConfirmLeave
    /// [`AdminAct::DismissLeave`]: crate::AdminAct::DismissLeave
    pub async fn parked_leaves(
        &self,
        store: Option<&StoreId>,
        tenant: &TenantId,
        connection: Option<&crate::ConnectionId>,
        after: Option<Cursor>,
        limit: NonZeroUsize,
    ) -> Result<Page<crate::Account>, JitError> {
        let key = connection.map_or_else(LookupKey::parked_leaves, LookupKey::parked_leave);
        let filter = Filter::Bearing(key);
        let query = Query { tenant: tenant.clone(), filter, after, limit };
        Ok(self.store_named(store)?.list(&query).await?)
    }

    fn provisioning_of(&self, record: &VerifiedRecord) -> Result<(&Connection, &Provisioning), JitError> {
        let connection = self.connection_of_identity(record.identity())?;
        let provisioning = connection.provisioning.as_deref();
        Ok((connection, provisioning.ok_or(JitError::refused("engine.not_provisioning"))?))
    }

    /// Evaluates a record on the account that it is linked to, or on whatever is found. Reads, and writes nothing.
    async fn weigh_record(
        &self,
        connection: &Connection,
        provisioning: &Provisioning,
        record: &VerifiedRecord,
        linked: Found,
        trial: &mut Trial,
    ) -> Result<Box<Evaluated>, JitError> {
        let mut trace = trial.attempt.trace();
        note_checks(&mut trace, record.identity().checks());
        let held = linked.as_present().account().and_then(|account| account.record(record.key()));
        let whole = held.and_then(|held| held.claims.as_ref()).filter(|_| record.extent() == Extent::Part);
        let read = whole.map(|claims| Box::new(record.on_top_of(claims)));
        let record = read.as_deref().unwrap_or(record);
        let judged = self.judge_record(connection, record, linked, trial, &mut trace).await?;
        let nothing = Profile::default();
        let base = SignInFacts {
            identity: record.identity(),
            profile: judged.profile.as_ref().unwrap_or(&nothing),
            email: judged.email.as_ref(),
            email_is_elsewhere: judged.email_is_elsewhere,
            present: judged.found.as_present(),
            permit: &judged.permit,
            asks: &judged.asks,
            answers: &Answers::default(),
            settings: &connection.settings,
            source: SameSource::default(),
            protection: &self.parts.protection,
            taken: &trial.attempt.taken,
            keep: &trial.attempt.keep,
            now: trial.attempt.now,
        };
        let refusal = judged.refusal.as_ref();
        let facts = RecordFacts {
            record,
            provisioning,
            refusal,
            crowded: trial.crowded,
            ends_by: trial.ends_by,
            base,
        };
        let plan = plan_record(&facts, &mut self.mint(trial.attempt.now));
        note_record_plan(&mut trace, &plan);
        let Judged { found, permit, profile, .. } = judged;
        Ok(Box::new(Evaluated { found, plan, permit, profile, steps: trace.into_steps() }))
    }

    /// Maps, matches and decides. What refuses is kept as a reason: a leave goes ahead all the same.
    async fn judge_record(
        &self,
        connection: &Connection,
        record: &VerifiedRecord,
        linked: Found,
        trial: &Trial,
        trace: &mut Trace,
    ) -> Result<Judged, JitError> {
        let store = self.store_of(connection);
        let (profile, mut refusal) = match mapped(connection, record) {
            Ok(profile) => (Some(profile), None),
            Err(code) => (None, Some(Denial::new(code))),
        };
        let domains = &connection.settings.domains;
        let said = profile.as_ref().and_then(|profile| profile.email.clone());
        let email = said.map(|claim| EmailEvidence::grade(claim, domains));
        let found = match linked {
            Found::Nobody => match known_by(store, &self.names_of_record(connection, record.key())).await? {
                Some(account) => {
                    Found::Candidate { account: account.into(), proof: Some(LinkProof::SameSource) }
                }
                None if profile.is_none() => Found::Nobody,
                None => Box::pin(search(store, connection, record.identity(), email.as_ref(), trace)).await?,
            },
            linked => linked,
        };
        let email_is_elsewhere = match found.as_present().account() {
            Some(account) => is_elsewhere(store, account, email.as_ref()).await?,
            None => false,
        };
        let (mut permit, mut asks) = (Permit::default(), std::collections::BTreeSet::new());
        if let Some(profile) = &profile {
            note_profile(trace, profile);
            let request = Request {
                identity: record.identity(),
                profile,
                email: email.as_ref(),
                present: found.as_present(),
                context: &Context::default(),
                now: trial.attempt.now,
            };
            match connection.policy.decide(&request, trace).await {
                Decision::Permit(given) => permit = given,
                Decision::Hold(hold) => (permit, asks) = (hold.permit, hold.asks),
                Decision::Deny(denial) => refusal = Some(denial),
            }
        }
        Ok(Judged { found, profile, email, email_is_elsewhere, permit, asks, refusal })
    }

    /// Commits what was planned; `None` asks for another attempt.
    async fn conclude_record(
        &self,
        connection: &Connection,
        documents: &mut Vec<DocumentWrite>,
        evaluated: Box<Evaluated>,
        trial: &mut Trial,
    ) -> Result<Option<Outcome>, JitError> {
        let Evaluated { found, plan, permit, steps, .. } = *evaluated;
        let (plan, effect) = match plan {
            RecordPlan::Go(plan, effect) => (plan, effect),
            RecordPlan::Deny(denial) => {
                return self
                    .deny_record(connection, &found, denial, steps, trial.attempt.now)
                    .await
                    .map(Some);
            }
        };
        let resolved = Resolved { plan: &plan, permit: &permit, effect, documents };
        let account = match self.write_record(connection, found.as_present(), resolved, trial).await? {
            Written::Again => return Ok(None),
            Written::Denied(denial) => {
                return self
                    .deny_record(connection, &found, denial, steps, trial.attempt.now)
                    .await
                    .map(Some);
            }
            Written::Done(account) => Some(account),
            Written::Unchanged => found.into_account(),
        };
        let Some(account) = account else { return Ok(None) };
        // It is done, and its task is durable: no target that is down may undo the answer.
        let account = Arc::unwrap_or_clone(account);
        Ok(Some(Outcome::Provisioned(Box::new(Provisioned { account, effect, plan, steps }))))
    }

    async fn write_record(
        &self,
        connection: &Connection,
        present: Present<'_>,
        resolved: Resolved<'_>,
        trial: &mut Trial,
    ) -> Result<Written, JitError> {
        let Resolved { plan, permit, effect, documents } = resolved;
        let (before, now) = (present.account(), trial.attempt.now);
        if plan.is_empty() {
            if let Some(account) =
                before.filter(|_| effect != RecordEffect::Outdated && !documents.is_empty())
            {
                self.keep_along(connection, account.id, documents, now).await?;
            }
            return Ok(Written::Unchanged);
        }
        let record = Record {
            actor: actor(connection),
            action: effect.code(),
            rule: permit.rule.clone(),
            absolute: matches!(effect, RecordEffect::Left | RecordEffect::Ended),
            now,
        };
        let tenant = &connection.settings.tenant;
        let mut mint = self.mint(now);
        let (mut commit, after) = self.compose(tenant, before, plan, record, &mut mint);
        commit.documents = about(documents, after.id);
        commit.counters.extend(counted_leave(connection, (before, &after), plan, now));
        if waits_anew(before, plan) {
            self.tell_of_waiting(connection, &mut commit, &after, &mut mint);
        }
        match self.commit(self.store_of(connection), &commit).await {
            Ok(()) => {
                drop(commit);
                Ok(Written::Done(after))
            }
            Err(error) => {
                *documents = commit.documents;
                match error.kind() {
                    ErrorKind::LimitReached(counter) if counter.is_leavers() || counter.is_removals() => {
                        trial.crowded = true;
                        Ok(Written::Again)
                    }
                    _ => self.learn(error, plan, &mut trial.attempt),
                }
            }
        }
    }

    /// Keeps the documents of a record that changes nothing about the account.
    async fn keep_along(
        &self,
        connection: &Connection,
        account: AccountId,
        documents: &mut Vec<DocumentWrite>,
        now: DateTime<Utc>,
    ) -> Result<(), JitError> {
        let tenant = &connection.settings.tenant;
        let mut commit = Commit::new(tenant.clone());
        commit.documents = about(documents, account);
        commit.events.push(AuditEvent {
            id: self.mint(now).event(),
            at: now,
            tenant: tenant.clone(),
            actor: actor(connection),
            action: Code::new("record.kept"),
            account: Some(account),
            outcome: AuditOutcome::Done,
            rule: None,
            changes: commit.documents.iter().map(DocumentWrite::word).collect(),
        });
        Ok(self.store_of(connection).commit(&commit).await?)
    }

    async fn deny_record(
        &self,
        connection: &Connection,
        found: &Found,
        denial: Denial,
        steps: Vec<Step>,
        now: DateTime<Utc>,
    ) -> Result<Outcome, JitError> {
        let account = found.as_present().account();
        let (tenant, by) = (&connection.settings.tenant, actor(connection));
        let mut commit = Self::refusal(tenant, by, account, &denial, now, &mut self.mint(now));
        for event in &mut commit.events {
            event.action = Code::new("record.denied");
        }
        self.store_of(connection).commit(&commit).await?;
        let account = account.map(|account| account.id);
        Ok(Outcome::Denied(Box::new(Denied { denial, account, steps })))
    }
}

/// Maps what was said of somebody as a whole; what was said in part makes no profile.
fn mapped(connection: &Connection, record: &VerifiedRecord) -> Result<Profile, Code> {
    match record.extent() {
        Extent::Whole => connection.mapper.map(record.identity()).map_err(|error| error.code()),
        Extent::Part => Err(Code::new("record.in_part")),
    }
}

/// Takes the documents of a record, to be committed about its person.
fn about(documents: &mut Vec<DocumentWrite>, account: AccountId) -> Vec<DocumentWrite> {
    std::mem::take(documents).into_iter().map(|write| write.about(account)).collect()
}

fn note_record_plan(trace: &mut Trace, plan: &RecordPlan) {
    let (finding, detail) = match plan {
        RecordPlan::Go(_, effect) => (Finding::Decided, effect.code()),
        RecordPlan::Deny(denial) => (Finding::Refused, denial.code.clone()),
    };
    trace.note(|| Step { stage: Stage::Plan, rule: None, finding, detail: detail.to_string() });
    if let RecordPlan::Go(plan, _) = plan {
        note_changes(trace, plan);
    }
}
