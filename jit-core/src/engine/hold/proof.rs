//! Proofs that an account belongs to whoever signs in: what they are bound to, and how each is checked.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{LinkAnswer, MailProof, Waiting};
use crate::{
    Account, AccountId, Answers, AuditEvent, AuditOutcome, Code, Commit, Connection, Context, Jit, JitError,
    LinkProof, SignIn, SignInPlan, VerifiedIdentity,
    engine::{evaluate::Attempt, sign_in::actor},
};

/// How many proofs may be mailed for one held sign-in.
const MAILS: u8 = 3;

/// Says by what an account was proved; it counts while the account is what it was then.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Proof {
    by: LinkProof,
    bound: Binding,
}

impl Proof {
    fn of(by: LinkProof, account: &Account) -> Self {
        Self { by, bound: Binding::of(account) }
    }
}

/// Remembers the proof that was mailed last, without its token.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Mailed {
    token: [u8; 32],
    bound: Binding,
}

impl Mailed {
    fn of(token: &str, account: &Account) -> Self {
        Self { token: Sha256::digest(token).into(), bound: Binding::of(account) }
    }

    fn is_proved_by(&self, token: &str, account: &Account) -> bool {
        let digest: [u8; 32] = Sha256::digest(token).into();
        digest == self.token && self.bound == Binding::of(account)
    }
}

/// Binds a proof to an account and to its ways in at that time: address, identities and credential epoch.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Binding {
    account: AccountId,
    ways_in: [u8; 32],
}

impl Binding {
    fn of(account: &Account) -> Self {
        let mut hash = Sha256::new();
        let mut add = |part: &str| {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        };
        add(&account.credential_epoch.to_string());
        add(account.email.as_ref().map_or("", |email| email.address.key()));
        for identity in &account.identities {
            let key = &identity.key;
            for part in [key.connection.as_str(), key.issuer.as_str(), key.subject.as_str()] {
                add(part);
            }
        }
        Self { account: account.id, ways_in: hash.finalize().into() }
    }
}

impl Jit {
    /// Checks a proof for the account that was found, and puts on record that one was refused.
    pub(super) async fn prove(
        &self,
        connection: &Connection,
        waiting: &Waiting,
        link: LinkAnswer,
        context: &Context,
    ) -> Result<Proof, JitError> {
        let proof = match waiting.candidate {
            Some(candidate) => self.check(connection, waiting, candidate, link, context).await?,
            None => None,
        };
        if let Some(proof) = proof {
            return Ok(proof);
        }
        let code = Code::new("hold.proof_refused");
        let outcome = AuditOutcome::Refused { code: code.clone() };
        self.record(connection, Code::new("sign_in.proof_refused"), waiting.candidate, outcome).await?;
        Err(JitError::Refused(code))
    }

    async fn check(
        &self,
        connection: &Connection,
        waiting: &Waiting,
        candidate: AccountId,
        link: LinkAnswer,
        context: &Context,
    ) -> Result<Option<Proof>, JitError> {
        let (store, tenant) = (self.store_of(connection), &connection.settings.tenant);
        Ok(match link {
            LinkAnswer::OtherIdentity(identity) => {
                let account = self.lets_in(connection, *identity, context).await?;
                let account = account.filter(|account| account.id == candidate);
                account.map(|account| Proof::of(LinkProof::OtherIdentity, &account))
            }
            LinkAnswer::Mail(token) => {
                let Some(mail) = &waiting.progress.mail else { return Ok(None) };
                let account = store.get(tenant, candidate).await?;
                let account = account.filter(|account| mail.is_proved_by(&token, account));
                account.map(|account| Proof::of(LinkProof::Mail, &account))
            }
            LinkAnswer::DangerouslyReauthenticated(account) if account == candidate => {
                let account = store.get(tenant, candidate).await?;
                account.map(|account| Proof::of(LinkProof::Reauthentication, &account))
            }
            LinkAnswer::DangerouslyReauthenticated(_) => None,
        })
    }

    /// Finds the account that an identity would be let into right now, by the mapping and policy of its own connection.
    async fn lets_in(
        &self,
        connection: &Connection,
        identity: VerifiedIdentity,
        context: &Context,
    ) -> Result<Option<Account>, JitError> {
        let key = identity.key();
        let Some(own) = self.connection(&key.tenant, &key.connection) else { return Ok(None) };
        let same_walls =
            key.tenant == connection.settings.tenant && own.settings.store == connection.settings.store;
        if !same_walls || !identity.bears(&own.seal) {
            return Ok(None);
        }
        let Some(account) = self.store_of(own).find(key).await? else { return Ok(None) };
        let sign_in = SignIn { identity, context: context.clone() };
        let mut attempt = Attempt::new(self.parts.clock.now(), false);
        let evaluated =
            self.evaluate(own, &sign_in, Some(account.into()), &Answers::default(), &mut attempt).await?;
        let goes = matches!(evaluated.plan, SignInPlan::Go(_));
        Ok(evaluated.found.into_account().filter(|_| goes).map(Arc::unwrap_or_clone))
    }

    /// Tells what was proved of which account, and forgets a proof that died with a change of that account.
    pub(super) async fn proof_that_stands(
        &self,
        connection: &Connection,
        waiting: &mut Waiting,
    ) -> Result<Option<(AccountId, LinkProof)>, JitError> {
        let Some(proof) = &waiting.progress.proof else { return Ok(None) };
        let (account, by) = (proof.bound.account, proof.by);
        let now = self.store_of(connection).get(&connection.settings.tenant, account).await?;
        if now.is_some_and(|now| Binding::of(&now) == proof.bound) {
            return Ok(Some((account, by)));
        }
        waiting.progress.proof = None;
        Ok(None)
    }

    /// Makes a proof to be mailed; it takes the place of the one before.
    pub(super) async fn offer(
        &self,
        connection: &Connection,
        waiting: &mut Waiting,
    ) -> Result<MailProof, JitError> {
        let no_address = || JitError::refused("hold.no_address");
        if waiting.progress.mails >= MAILS {
            return Err(JitError::refused("hold.too_many_mails"));
        }
        let candidate = waiting.candidate.ok_or_else(no_address)?;
        let account = self.store_of(connection).get(&connection.settings.tenant, candidate).await?;
        let account = account.ok_or_else(no_address)?;
        let to = account.email.as_ref().ok_or_else(no_address)?.address.clone();
        let token = self.secret()?;
        let action = Code::new("sign_in.proof_offered");
        self.record(connection, action, Some(candidate), AuditOutcome::Done).await?;
        waiting.progress.mails = waiting.progress.mails.saturating_add(1);
        waiting.progress.mail = Some(Mailed::of(&token, &account));
        Ok(MailProof { to, token })
    }

    async fn record(
        &self,
        connection: &Connection,
        action: Code,
        account: Option<AccountId>,
        outcome: AuditOutcome,
    ) -> Result<(), JitError> {
        let (tenant, now) = (&connection.settings.tenant, self.parts.clock.now());
        let mut commit = Commit::new(tenant.clone());
        commit.events.push(AuditEvent {
            id: self.mint(now).event(),
            at: now,
            tenant: tenant.clone(),
            actor: actor(connection),
            action,
            account,
            outcome,
            rule: None,
            changes: Vec::new(),
        });
        Ok(self.store_of(connection).commit(&commit).await?)
    }
}
