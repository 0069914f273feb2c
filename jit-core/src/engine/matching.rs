//! The search for the account that an identity may belong to.

use std::sync::Arc;

use super::{Connection, LinkBy, MailLink};
use crate::{
    Account, AttributeName, BackendError, ConnectionId, EmailEvidence, EmailTrust, Finding, LinkProof,
    LookupKey, Matches, Present, Source, Stage, Step, Store, Trace, VerifiedIdentity,
};

/// Holds what was found.
#[derive(Debug)]
pub(super) enum Found {
    Nobody,
    Linked(Arc<Account>),
    Candidate { account: Arc<Account>, proof: Option<LinkProof> },
    Ambiguous,
}

impl Found {
    pub(super) fn as_present(&self) -> Present<'_> {
        match self {
            Self::Nobody => Present::Nobody,
            Self::Linked(account) => Present::Linked(account),
            Self::Candidate { account, proof } => Present::Candidate { account, proof: *proof },
            Self::Ambiguous => Present::Ambiguous,
        }
    }

    pub(super) fn into_account(self) -> Option<Arc<Account>> {
        match self {
            Self::Linked(account) | Self::Candidate { account, .. } => Some(account),
            Self::Nobody | Self::Ambiguous => None,
        }
    }
}

/// Says what finding an account by a key can prove.
enum Proof<'a> {
    /// An address: proved, or not.
    Address(bool),
    /// An attribute, if somebody who is believed gave the value.
    Attribute { own: &'a ConnectionId, attribute: &'a AttributeName, given_by: &'a [ConnectionId] },
}

impl Proof<'_> {
    fn by(&self, account: &Account, value: &str) -> Option<LinkProof> {
        match self {
            Self::Address(proved) => proved.then_some(LinkProof::AuthoritativeEmail),
            Self::Attribute { own, attribute, given_by } => {
                let is_believed = |source: &Source| match source {
                    Source::Connection(id) => id == *own || given_by.contains(id),
                    Source::Administrator | Source::PreExisting => true,
                    Source::Person => false,
                };
                let mut values = account.attributes.get(*attribute).into_iter().flatten();
                let matched = values.any(|held| held.text == value && is_believed(&held.provenance.source));
                matched.then_some(LinkProof::MatchedAttribute)
            }
        }
    }
}

/// Finds the account that an identity without one may belong to.
///
/// The identity may get its account while it is being looked for, on another node or just before its turn: then that
/// account is found by what it says of itself, and the identity is no candidate for it but signs in to it.
pub(super) async fn search(
    store: &dyn Store,
    connection: &Connection,
    identity: &VerifiedIdentity,
    email: Option<&EmailEvidence>,
    trace: &mut Trace,
) -> Result<Found, BackendError> {
    let key = identity.key();
    Ok(match find_candidate(store, connection, identity, email, trace).await? {
        Found::Candidate { account, .. } if account.identities.iter().any(|linked| linked.key == *key) => {
            Found::Linked(account)
        }
        Found::Ambiguous => {
            store.find(key).await?.map_or(Found::Ambiguous, |found| Found::Linked(found.into()))
        }
        found => found,
    })
}

/// Looks for an account by the connection's link rules, first rule first. An address that some account carries is
/// found even without a rule for addresses: it is then a candidate without proof.
async fn find_candidate(
    store: &dyn Store,
    connection: &Connection,
    identity: &VerifiedIdentity,
    email: Option<&EmailEvidence>,
    trace: &mut Trace,
) -> Result<Found, BackendError> {
    let mut by_email = false;
    for rule in &connection.settings.link {
        let (key, proof) = match &rule.by {
            LinkBy::Email(how) => {
                by_email = true;
                let Some(email) = email else { continue };
                let proves = *how == MailLink::WhenAuthoritative && email.trust == EmailTrust::Authoritative;
                (LookupKey::email(&email.address), Proof::Address(proves))
            }
            LinkBy::Attribute { claim, attribute, given_by } => {
                let value = identity.claims().at(claim).values().and_then(crate::ClaimValues::text);
                let Some(value) = value.filter(|value| !value.is_empty()) else { continue };
                let key = LookupKey::attribute(attribute, &value);
                (key, Proof::Attribute { own: &connection.settings.id, attribute, given_by })
            }
        };
        if let Some(found) = look_up(store, identity, &key, &proof, trace).await? {
            return Ok(found);
        }
    }
    if let (false, Some(email)) = (by_email, email) {
        let key = LookupKey::email(&email.address);
        if let Some(found) = look_up(store, identity, &key, &Proof::Address(false), trace).await? {
            return Ok(found);
        }
    }
    Ok(Found::Nobody)
}

async fn look_up(
    store: &dyn Store,
    identity: &VerifiedIdentity,
    key: &LookupKey,
    proof: &Proof<'_>,
    trace: &mut Trace,
) -> Result<Option<Found>, BackendError> {
    let matches = store.matching(&identity.key().tenant, key).await?;
    let proof = match &matches {
        Matches::One(account) => proof.by(account, &key.value),
        Matches::None | Matches::Several => None,
    };
    trace.note(|| Step {
        stage: Stage::Match,
        rule: None,
        finding: if matches!(matches, Matches::None) { Finding::Skipped } else { Finding::Decided },
        detail: match (&matches, proof) {
            (Matches::None, _) => format!("no account is found by {}", key.kind),
            (Matches::One(_), Some(_)) => {
                format!("one account is found by {}, and that proves it is the same person", key.kind)
            }
            (Matches::One(_), None) => format!("one account is found by {}, which proves nothing", key.kind),
            (Matches::Several, _) => format!("several accounts are found by {}", key.kind),
        },
    });
    Ok(match matches {
        Matches::None => None,
        Matches::One(account) => Some(Found::Candidate { account: account.into(), proof }),
        Matches::Several => Some(Found::Ambiguous),
    })
}

/// The address that a linked account is about to get, if it is another one than it has.
pub(super) fn other_address<'a>(
    own: &Account,
    email: Option<&'a EmailEvidence>,
) -> Option<&'a EmailEvidence> {
    let is_own = |email: &EmailEvidence| {
        own.email.as_ref().is_some_and(|present| present.address.key() == email.address.key())
    };
    email.filter(|email| email.trust > EmailTrust::Refuted && !is_own(email))
}

/// Tells whether an account other than `own` carries the address that a linked account is about to get.
pub(super) async fn is_elsewhere(
    store: &dyn Store,
    own: &Account,
    email: Option<&EmailEvidence>,
) -> Result<bool, BackendError> {
    let Some(email) = other_address(own, email) else { return Ok(false) };
    Ok(match store.matching(&own.tenant, &LookupKey::email(&email.address)).await? {
        Matches::None => false,
        Matches::One(other) => other.id != own.id,
        Matches::Several => true,
    })
}
