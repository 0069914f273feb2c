//! Sign-ins that wait for an answer. A ticket continues one of them, once.

mod proof;
mod reply;

use std::{collections::BTreeSet, fmt::Write as _};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use reply::{LinkAnswer, MailProof, Reply, Ticket};

use self::proof::{Mailed, Proof};
use super::{Connection, Jit, Outcome, SignIn, outcome::JitError};
use crate::{
    Account, AccountId, Answers, Ask, BackendError, Context, ErrorClass, ErrorKind, UserName,
    identity::Parked,
};

/// Carries what a sign-in is to be held with.
pub(super) struct Pause<'a> {
    /// What is asked.
    pub(super) asks: &'a [Ask],
    /// What was answered.
    pub(super) answers: &'a Answers,
    /// The account that was found.
    pub(super) candidate: Option<&'a Account>,
    /// How far it got before, where it was held before.
    pub(super) progress: Option<&'a Progress>,
}

/// Keeps a held sign-in in the one-time store.
#[derive(Serialize, Deserialize)]
struct Waiting {
    identity: Parked,
    context: Context,
    consents: BTreeSet<String>,
    user_name: Option<UserName>,
    password_taken: bool,
    /// Whether a user name is asked for.
    asks_name: bool,
    /// The account that a link proof must be for.
    candidate: Option<AccountId>,
    progress: Progress,
}

/// Goes with a held sign-in from ticket to ticket.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Progress {
    /// When the sign-in is over, however often it is answered.
    until: DateTime<Utc>,
    /// How many proofs were mailed.
    mails: u8,
    mail: Option<Mailed>,
    proof: Option<Proof>,
}

impl Jit {
    pub(super) async fn park(
        &self,
        connection: &Connection,
        sign_in: &SignIn,
        pause: Pause<'_>,
        now: DateTime<Utc>,
    ) -> Result<Ticket, JitError> {
        let asks_name = pause.asks.contains(&Ask::UserName);
        let waiting = Waiting {
            identity: sign_in.identity.park(),
            context: sign_in.context.clone(),
            consents: pause.answers.consents.clone(),
            // A name that is asked for again was no good.
            user_name: pause.answers.user_name.clone().filter(|_| !asks_name),
            password_taken: pause.answers.password_taken,
            asks_name,
            candidate: pause.candidate.map(|account| account.id),
            progress: pause.progress.cloned().unwrap_or_else(|| self.begin_to_wait(sign_in, now)),
        };
        let settings = &connection.settings;
        let ticket = Ticket::from_parts(settings.tenant.clone(), settings.id.clone(), self.secret()?);
        self.put_waiting(connection, &ticket, &waiting, now).await?;
        Ok(ticket)
    }

    /// A sign-in waits no longer than the source's own session lasts: what it says is true until then.
    fn begin_to_wait(&self, sign_in: &SignIn, now: DateTime<Utc>) -> Progress {
        let until = now.checked_add_signed(self.parts.hold_for).unwrap_or(now);
        let until = sign_in.identity.session().ends_at.map_or(until, |end| end.min(until));
        Progress { until, mails: 0, mail: None, proof: None }
    }

    /// Continues a held sign-in with an answer. It is over when the first ticket would have been, however often it is
    /// answered.
    ///
    /// # Errors
    /// `hold.unknown_ticket` when the ticket was used, is over or never was; `hold.proof_refused` when a link proof is
    /// not for the account that was found or comes from an identity that would not be let in itself; else as
    /// [`Jit::handle`].
    ///
    /// # Cancel safety
    /// The ticket is spent; the commit is made whole or not at all.
    pub async fn answer(&self, ticket: &Ticket, reply: Reply) -> Result<Outcome, JitError> {
        let now = self.parts.clock.now();
        let connection = self.connection_of_ticket(ticket)?;
        let mut waiting = self.take_waiting(connection, ticket, now).await?;
        let result = self.continue_with(connection, &mut waiting, reply).await;
        if result.as_ref().is_err_and(|error| error.class() == ErrorClass::Transient) {
            // Nothing is lost: the same ticket may be answered once more, and what was proved stays proved.
            let _ = self.put_waiting(connection, ticket, &waiting, now).await;
        }
        result
    }

    async fn continue_with(
        &self,
        connection: &Connection,
        waiting: &mut Waiting,
        reply: Reply,
    ) -> Result<Outcome, JitError> {
        let identity =
            waiting.identity.wake(&connection.seal).ok_or(JitError::refused("hold.unknown_ticket"))?;
        let sign_in = SignIn { identity, context: reply.context.unwrap_or_else(|| waiting.context.clone()) };
        if let Some(link) = reply.link {
            waiting.progress.proof = Some(self.prove(connection, waiting, link, &sign_in.context).await?);
        }
        let chosen = reply.user_name.filter(|_| waiting.asks_name);
        let answers = Answers {
            consents: waiting.consents.iter().cloned().chain(reply.consents).collect(),
            user_name: chosen.or_else(|| waiting.user_name.clone()),
            password_taken: waiting.password_taken || reply.password_taken,
            link_proof: self.proof_that_stands(connection, waiting).await?,
        };
        self.sign_in(connection, Box::new(sign_in), answers, Some(&waiting.progress)).await
    }

    /// Offers a proof by mail for a held sign-in: the token counts for this sign-in and this account only, and dies when
    /// the account's address, identities or credential epoch change, or when another is offered. The ticket stays good.
    ///
    /// # Errors
    /// `hold.unknown_ticket`; `hold.no_address` when no account was found or it has no address; `hold.too_many_mails`
    /// when three were offered for this sign-in.
    ///
    /// # Cancel safety
    /// The ticket may be lost.
    pub async fn offer_mail_proof(&self, ticket: &Ticket) -> Result<MailProof, JitError> {
        let now = self.parts.clock.now();
        let connection = self.connection_of_ticket(ticket)?;
        let mut waiting = self.take_waiting(connection, ticket, now).await?;
        let offer = self.offer(connection, &mut waiting).await;
        self.put_waiting(connection, ticket, &waiting, now).await?;
        offer
    }

    fn connection_of_ticket(&self, ticket: &Ticket) -> Result<&Connection, JitError> {
        let (tenant, id) = ticket.connection();
        self.connection(tenant, id).ok_or(JitError::refused("hold.unknown_ticket"))
    }

    async fn take_waiting(
        &self,
        connection: &Connection,
        ticket: &Ticket,
        now: DateTime<Utc>,
    ) -> Result<Waiting, JitError> {
        let bytes = self.store_of(connection).take(&ticket.key(), now).await?;
        let bytes = bytes.ok_or(JitError::refused("hold.unknown_ticket"))?;
        serde_json::from_slice(&bytes)
            .map_err(|error| BackendError::new(ErrorKind::Corrupt, "hold.decode").caused_by(error).into())
    }

    async fn put_waiting(
        &self,
        connection: &Connection,
        ticket: &Ticket,
        waiting: &Waiting,
        now: DateTime<Utc>,
    ) -> Result<(), JitError> {
        let bytes = serde_json::to_vec(waiting)
            .map_err(|error| BackendError::new(ErrorKind::Invalid, "hold.encode").caused_by(error))?;
        Ok(self.store_of(connection).put(&ticket.key(), &bytes, waiting.progress.until, now).await?)
    }

    /// Draws 256 bits, written as hexadecimal digits.
    fn secret(&self) -> Result<String, JitError> {
        let mut bytes = [0; 32];
        self.parts.entropy.fill(&mut bytes)?;
        Ok(bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        }))
    }
}
