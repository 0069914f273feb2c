//! Accounts in a few hundred bytes: what many have in common is kept once, and what few have takes no room.
//!
//! The store keeps people by the hundred thousand. As [`Account`] has it, one takes some three thousand bytes, most of them
//! for names of rules and connections, and for what could be there and is not.

mod bytes;
mod read;
mod table;
mod write;

use chrono::{DateTime, TimeDelta, Utc};
use smol_str::SmolStr;

use self::table::Table;
use super::rows::Row;
use crate::{
    Account, AccountId, AttributeName, Code, ConnectionId, EmailTrust, Entitlement, ExternalKey,
    HeldPresence, Issuer, LinkProof, Provenance, Source, Subject, TenantId,
};

/// An account as it is kept.
pub(super) struct Packed {
    pub(super) id: AccountId,
    pub(super) version: u64,
    pub(super) last_seen: Option<DateTime<Utc>>,
    form: Form,
}

enum Form {
    /// A person as most are.
    Small(Box<[u8]>),
    /// One with something that few have, such as a lease, a mirror or a record that is kept.
    Whole(Box<Account>),
}

/// What accounts of a tenant have in common.
#[derive(Default)]
pub(super) struct Tables {
    tenants: Table<TenantId>,
    places: Table<Place>,
    names: Table<AttributeName>,
    provenances: Table<Provenance>,
    entitlements: Table<Entitlement>,
    sources: Table<Source>,
    reasons: Table<Code>,
    proofs: Table<LinkProof>,
    trusts: Table<EmailTrust>,
    presences: Table<HeldPresence>,
    spans: Table<TimeDelta>,
}

/// An identity without its subject.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Place {
    tenant: TenantId,
    connection: ConnectionId,
    issuer: Issuer,
}

impl Tables {
    /// The number of the place of an identity.
    fn place(&mut self, key: &ExternalKey) -> Option<u64> {
        self.places.among_few(|place| place.is_of(key)).or_else(|| self.places.number(&Place::of(key)))
    }
}

impl Place {
    fn is_of(&self, key: &ExternalKey) -> bool {
        let Self { tenant, connection, issuer } = self;
        *tenant == key.tenant && *connection == key.connection && *issuer == key.issuer
    }

    fn of(key: &ExternalKey) -> Self {
        let ExternalKey { tenant, connection, issuer, subject: _ } = key;
        Self { tenant: tenant.clone(), connection: connection.clone(), issuer: issuer.clone() }
    }

    fn key(&self, subject: Subject) -> ExternalKey {
        let Self { tenant, connection, issuer } = self.clone();
        ExternalKey { tenant, connection, issuer, subject }
    }
}

impl Row for Packed {
    type Id = AccountId;

    fn id(&self) -> AccountId {
        self.id
    }
}

impl Packed {
    pub(super) fn of(account: &Account, tables: &mut Tables) -> Self {
        let form = match write::write(account, tables) {
            Some(bytes) => Form::Small(bytes),
            None => Form::Whole(Box::new(account.clone())),
        };
        let packed = Self { id: account.id, version: account.version, last_seen: account.last_seen, form };
        debug_assert!(packed.account(tables).as_ref() == Some(account), "an account comes back as it was");
        packed
    }

    /// The account; `None` only if it were broken.
    pub(super) fn account(&self, tables: &Tables) -> Option<Account> {
        match &self.form {
            Form::Small(bytes) => read::read(self, bytes, tables),
            Form::Whole(account) => Some(Account { last_seen: self.last_seen, ..account.as_ref().clone() }),
        }
    }

    /// The word of its state and the key of its user name, which indexes need before it is written anew.
    pub(super) fn state_and_name(&self) -> Option<(&'static str, Option<SmolStr>)> {
        match &self.form {
            Form::Small(bytes) => read::state_and_name(bytes),
            Form::Whole(account) => {
                let name = account.user_name.as_ref().map(|name| name.key().into());
                Some((account.state.word(), name))
            }
        }
    }
}

#[cfg(test)]
mod tests;
