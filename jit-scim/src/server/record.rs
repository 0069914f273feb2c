//! Telling the engine what is with a person: the one way from a user's resource to an account.

use jit_core::{
    Account, AccountState, Check, Checks, Document, DocumentWrite, Event, Expected, Extent, HeldPresence,
    Outcome, Presence, Provisioned, RecordStatement, Subject,
};

use super::body::Besides;
use super::served::{Role, Served};
use super::service::Turn;
use super::write::subject_or;
use super::{claims, fault};
use crate::error::ScimError;
use crate::reason::Reason;
use crate::resource::{Resource, Value};

/// What became of a write.
pub(super) enum Written<T> {
    /// It was done.
    Done(T),
    /// Something else was written meanwhile.
    Stale,
}

/// A record to be told.
#[derive(Clone)]
pub(super) struct Told<'a> {
    pub(super) served: &'a Served,
    pub(super) subject: &'a str,
    pub(super) resource: &'a Resource,
    pub(super) besides: &'a Besides,
    pub(super) presence: Presence,
    pub(super) expected: Expected,
    pub(super) documents: Vec<DocumentWrite>,
}

/// Tells whether the source has the person in use. Not to say it means that they are, unless it was taken away from
/// somebody who is stopped.
pub(super) fn presence(resource: &Resource, besides: &Besides) -> Presence {
    match resource.value("active").and_then(Value::as_boolean) {
        Some(false) => Presence::INACTIVE,
        None if besides.is_stopped => Presence::INACTIVE,
        Some(true) | None => Presence::ACTIVE,
    }
}

impl Turn<'_> {
    /// Hands a record to the engine: mapping, policy, plan, and one commit with its documents and the audit event.
    pub(super) async fn tell(&self, told: Told<'_>) -> Result<Written<Box<Account>>, ScimError> {
        let subject = Subject::new(told.subject)
            .map_err(|_| ScimError::at_attribute(Reason::ExternalIdInvalid, "externalId"))?;
        let statement = RecordStatement {
            issuer: self.realm.issuer.clone(),
            subject,
            claims: claims::of(told.resource, told.besides, &told.served.unsaid),
            extent: Extent::Whole,
            presence: told.presence,
            version: None,
            request: None,
            expected: told.expected,
            checks: self.checks(),
        };
        let record = self.realm.connection.attestor.attest_record(statement);
        let record = record.map_err(|error| ScimError::from(Reason::Broken).caused_by(error.code()))?;
        let record = record.keeping(told.documents);
        match self.service.jit.handle(Event::record(record)).await {
            Ok(Outcome::Provisioned(provisioned)) => {
                self.note_refused_parts(&provisioned);
                Ok(Written::Done(Box::new(provisioned.account)))
            }
            Ok(Outcome::Denied(denied)) => Err(fault::of_denial(&denied.denial.code)),
            Ok(_) => Err(Reason::Broken.into()),
            Err(error) if fault::is_stale(&error) => Ok(Written::Stale),
            Err(error) => Err(fault::of_engine(&error)),
        }
    }

    /// Tells whether somebody is in use of whom it is said once more that they are not: their leave was dismissed, or an
    /// administrator brought them back. Their source insists, although its document says so already.
    pub(super) async fn leaves_again(
        &self,
        served: &Served,
        before: &Document,
        said: Presence,
    ) -> Result<bool, ScimError> {
        let Some(id) = before.account.filter(|_| served.role == Role::Person && said == Presence::INACTIVE)
        else {
            return Ok(false);
        };
        let account = self.service.store.get(&before.key.collection.tenant, id).await;
        let Some(account) = account.map_err(|error| fault::of_store(&error))? else { return Ok(false) };
        let (connection, own) = (&before.key.collection.connection, before.key.id.to_string());
        let mut ours = account.records.iter().filter(|held| held.key.connection == *connection);
        let held = ours.find(|held| held.key.subject.as_str() == subject_or(before, &own));
        Ok(held.is_some_and(|held| match account.state {
            AccountState::Ended { .. } => false,
            AccountState::Disabled { .. } => held.presence == HeldPresence::Active,
            _ => held.presence == HeldPresence::Active || held.parked.is_none(),
        }))
    }

    /// Tells whoever runs the service what of a record was not followed: its source hears that it was.
    fn note_refused_parts(&self, provisioned: &Provisioned) {
        let Provisioned { account, plan, .. } = provisioned;
        for refusal in &plan.refusals {
            let attestor = &self.realm.connection.attestor;
            let rule = refusal.rule.as_ref().map(tracing::field::display);
            tracing::info!(
                tenant = %attestor.tenant(), connection = %attestor.connection(), account = %account.id,
                code = %refusal.code, rule, "not followed in part"
            );
        }
    }

    /// What was checked before a request came here.
    fn checks(&self) -> Checks {
        Checks {
            origin: Check::Made(format!("bearer token {}", self.principal)),
            audience: Check::Made("token of one tenant and connection".to_owned()),
            freshness: Check::NotApplicable("a request says what is now".to_owned()),
            replay: Check::NotApplicable("what is said twice changes nothing".to_owned()),
        }
    }
}
