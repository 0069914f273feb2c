//! Sign-ins that wait for an answer. A ticket continues one of them, once.

use std::{collections::BTreeSet, fmt, fmt::Write as _};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Connection, Jit, Outcome, SignIn, matching::find_candidate, outcome::JitError};
use crate::{
    Account, AccountId, Answers, BackendError, ConnectionId, Context, EmailAddress, EmailEvidence,
    ErrorClass, ErrorKind, LinkProof, OneTimeKey, Standing, TenantId, Trace, UserName, VerifiedIdentity,
    identity::Parked,
};

/// Continues a held sign-in. Whoever has it can answer: keep it in the browser session it was made for.
#[derive(Clone, PartialEq, Eq)]
pub struct Ticket {
    tenant: TenantId,
    connection: ConnectionId,
    secret: String,
}

impl Ticket {
    /// The secret part, to be put into a form.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// Takes up a ticket from its connection and its secret part.
    #[must_use]
    pub fn from_parts(tenant: TenantId, connection: ConnectionId, secret: String) -> Self {
        Self { tenant, connection, secret }
    }

    /// The tenant and connection that the sign-in came over.
    #[must_use]
    pub fn connection(&self) -> (&TenantId, &ConnectionId) {
        (&self.tenant, &self.connection)
    }

    fn key(&self) -> OneTimeKey {
        let connection = self.connection.as_str().as_bytes();
        OneTimeKey::new(self.tenant.clone(), "jit.held", &[connection, self.secret.as_bytes()])
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ticket({}/{} …)", self.tenant, self.connection)
    }
}

/// Answers asks of a held sign-in; what is not answered stays open.
#[derive(Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "the application builds it from its forms")]
pub struct Reply {
    /// The terms consented to.
    pub consents: BTreeSet<String>,
    /// The chosen user name.
    pub user_name: Option<UserName>,
    /// Whether the application has taken a local password.
    pub password_taken: bool,
    /// What proves that the account found is the person's.
    pub link: Option<LinkAnswer>,
}

/// Proves that an account belongs to whoever signs in.
#[derive(Debug)]
#[non_exhaustive]
pub enum LinkAnswer {
    /// The person signed in with an identity that the account is linked to.
    OtherIdentity(Box<VerifiedIdentity>),
    /// The person received this token at the account's address (see [`Jit::offer_mail_proof`]).
    Mail(String),
    /// The application itself checked a local credential of this account, just now.
    DangerouslyReauthenticated(AccountId),
}

/// Carries a token to be sent to the account's address, and nowhere else.
pub struct MailProof {
    /// Where to.
    pub to: EmailAddress,
    /// What.
    pub token: String,
}

impl fmt::Debug for MailProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailProof").field("to", &self.to).finish_non_exhaustive()
    }
}

/// Keeps a held sign-in in the one-time store.
#[derive(Serialize, Deserialize)]
struct Waiting {
    identity: Parked,
    context: Context,
    consents: BTreeSet<String>,
    user_name: Option<UserName>,
    password_taken: bool,
    link_proof: Option<LinkProof>,
    /// The account that a link proof must be for.
    candidate: Option<AccountId>,
    until: DateTime<Utc>,
}

/// Binds a mailed token to one sign-in, one account and the identities that it had then.
#[derive(Serialize, Deserialize, PartialEq)]
struct MailBinding {
    ticket: [u8; 32],
    account: AccountId,
    identities: [u8; 32],
}

impl Jit {
    pub(super) async fn park(
        &self,
        connection: &Connection,
        sign_in: &SignIn,
        answers: &Answers,
        candidate: Option<&Account>,
        now: DateTime<Utc>,
    ) -> Result<Ticket, JitError> {
        let waiting = Waiting {
            identity: sign_in.identity.park(),
            context: sign_in.context.clone(),
            consents: answers.consents.clone(),
            user_name: answers.user_name.clone(),
            password_taken: answers.password_taken,
            link_proof: answers.link_proof,
            candidate: candidate.map(|account| account.id),
            until: now.checked_add_signed(self.parts.hold_for).unwrap_or(now),
        };
        let settings = &connection.settings;
        let ticket = Ticket::from_parts(settings.tenant.clone(), settings.id.clone(), self.secret()?);
        self.put_waiting(connection, &ticket, &waiting, now).await?;
        Ok(ticket)
    }

    /// Continues a held sign-in with an answer.
    ///
    /// # Errors
    /// `hold.unknown_ticket` when the ticket was used, is over or never was; `hold.proof_refused` when a link proof is
    /// not for the account that was found; else as [`Jit::handle`].
    ///
    /// # Cancel safety
    /// The ticket is spent; the commit is made whole or not at all.
    pub async fn answer(&self, ticket: &Ticket, reply: Reply) -> Result<Outcome, JitError> {
        let now = self.parts.clock.now();
        let connection = self.connection_of_ticket(ticket)?;
        let waiting = self.take_waiting(connection, ticket, now).await?;
        let (bytes, until) = (encode(&waiting)?, waiting.until);
        let result = self.continue_with(connection, ticket, waiting, reply).await;
        if result.as_ref().is_err_and(|error| error.class() == ErrorClass::Transient) {
            // Nothing is lost: the same ticket may be answered once more.
            let _ = self.store_of(connection).put(&ticket.key(), &bytes, until, now).await;
        }
        result
    }

    async fn continue_with(
        &self,
        connection: &Connection,
        ticket: &Ticket,
        waiting: Waiting,
        reply: Reply,
    ) -> Result<Outcome, JitError> {
        let mut answers = Answers {
            consents: waiting.consents.into_iter().chain(reply.consents).collect(),
            user_name: reply.user_name.or(waiting.user_name),
            password_taken: waiting.password_taken || reply.password_taken,
            link_proof: waiting.link_proof,
        };
        if let Some(link) = reply.link {
            let candidate = waiting.candidate.ok_or(JitError::refused("hold.proof_refused"))?;
            answers.link_proof = Some(self.prove(connection, ticket, candidate, link).await?);
        }
        let identity =
            waiting.identity.wake(&connection.seal).ok_or(JitError::refused("hold.unknown_ticket"))?;
        let sign_in = SignIn { identity, context: waiting.context };
        if answers.link_proof.is_some()
            && self.candidate_now(connection, &sign_in).await? != waiting.candidate
        {
            return Err(JitError::refused("hold.proof_refused"));
        }
        self.sign_in(connection, &sign_in, answers).await
    }

    /// Offers a proof by mail for a held sign-in: the token counts for this sign-in and this account only, once, and
    /// dies when the account's identities change. The ticket stays good.
    ///
    /// # Errors
    /// `hold.unknown_ticket`; `hold.no_address` when no account was found or it has no address.
    ///
    /// # Cancel safety
    /// The ticket may be lost.
    pub async fn offer_mail_proof(&self, ticket: &Ticket) -> Result<MailProof, JitError> {
        let now = self.parts.clock.now();
        let connection = self.connection_of_ticket(ticket)?;
        let waiting = self.take_waiting(connection, ticket, now).await?;
        let until = waiting.until;
        self.put_waiting(connection, ticket, &waiting, now).await?;
        let store = self.store_of(connection);
        let candidate = waiting.candidate.ok_or(JitError::refused("hold.no_address"))?;
        let account =
            store.get(&ticket.tenant, candidate).await?.ok_or(JitError::refused("hold.no_address"))?;
        let to = account.email.as_ref().ok_or(JitError::refused("hold.no_address"))?.address.clone();
        let token = self.secret()?;
        let binding = encode(&binding(ticket, &account))?;
        store.put(&mail_key(&ticket.tenant, &token), &binding, until, now).await?;
        Ok(MailProof { to, token })
    }

    async fn prove(
        &self,
        connection: &Connection,
        ticket: &Ticket,
        candidate: AccountId,
        link: LinkAnswer,
    ) -> Result<LinkProof, JitError> {
        let refused = || JitError::refused("hold.proof_refused");
        let (store, now) = (self.store_of(connection), self.parts.clock.now());
        match link {
            LinkAnswer::OtherIdentity(identity) => {
                let key = identity.key();
                let known = self.connection(&key.tenant, &key.connection).ok_or_else(refused)?;
                let account = store.find(key).await?.ok_or_else(refused)?;
                let good = identity.bears(&known.seal)
                    && key.tenant == ticket.tenant
                    && account.id == candidate
                    && account.standing(now) == Standing::Active;
                good.then_some(LinkProof::OtherIdentity).ok_or_else(refused)
            }
            LinkAnswer::Mail(token) => {
                let bytes = store.take(&mail_key(&ticket.tenant, &token), now).await?.ok_or_else(refused)?;
                let account = store.get(&ticket.tenant, candidate).await?.ok_or_else(refused)?;
                let bound: MailBinding = decode(&bytes)?;
                (bound == binding(ticket, &account)).then_some(LinkProof::Mail).ok_or_else(refused)
            }
            LinkAnswer::DangerouslyReauthenticated(account) => {
                (account == candidate).then_some(LinkProof::Reauthentication).ok_or_else(refused)
            }
        }
    }

    async fn candidate_now(
        &self,
        connection: &Connection,
        sign_in: &SignIn,
    ) -> Result<Option<AccountId>, JitError> {
        let Ok(profile) = connection.mapper.map(&sign_in.identity) else { return Ok(None) };
        let email = profile.email.map(|claim| EmailEvidence::grade(claim, &connection.settings.domains));
        let store = self.store_of(connection);
        let found =
            find_candidate(store, connection, &sign_in.identity, email.as_ref(), &mut Trace::off()).await?;
        Ok(found.into_account().map(|account| account.id))
    }

    fn connection_of_ticket(&self, ticket: &Ticket) -> Result<&Connection, JitError> {
        self.connection(&ticket.tenant, &ticket.connection).ok_or(JitError::refused("hold.unknown_ticket"))
    }

    async fn take_waiting(
        &self,
        connection: &Connection,
        ticket: &Ticket,
        now: DateTime<Utc>,
    ) -> Result<Waiting, JitError> {
        let bytes = self.store_of(connection).take(&ticket.key(), now).await?;
        decode(&bytes.ok_or(JitError::refused("hold.unknown_ticket"))?)
    }

    async fn put_waiting(
        &self,
        connection: &Connection,
        ticket: &Ticket,
        waiting: &Waiting,
        now: DateTime<Utc>,
    ) -> Result<(), JitError> {
        let bytes = encode(waiting)?;
        Ok(self.store_of(connection).put(&ticket.key(), &bytes, waiting.until, now).await?)
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

fn mail_key(tenant: &TenantId, token: &str) -> OneTimeKey {
    OneTimeKey::new(tenant.clone(), "jit.link_mail", &[token.as_bytes()])
}

fn binding(ticket: &Ticket, account: &Account) -> MailBinding {
    let mut identities = Sha256::new();
    for identity in &account.identities {
        for part in
            [identity.key.connection.as_str(), identity.key.issuer.as_str(), identity.key.subject.as_str()]
        {
            identities.update((part.len() as u64).to_be_bytes());
            identities.update(part);
        }
    }
    MailBinding {
        ticket: *ticket.key().digest(),
        account: account.id,
        identities: identities.finalize().into(),
    }
}

fn encode(value: &impl Serialize) -> Result<Vec<u8>, JitError> {
    serde_json::to_vec(value)
        .map_err(|error| BackendError::new(ErrorKind::Invalid, "hold.encode").caused_by(error).into())
}

fn decode<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<T, JitError> {
    serde_json::from_slice(bytes)
        .map_err(|error| BackendError::new(ErrorKind::Corrupt, "hold.decode").caused_by(error).into())
}
