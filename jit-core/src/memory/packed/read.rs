//! Reads what was written of an account, in the same order.

use chrono::{DateTime, Utc};
use smol_str::SmolStr;

use super::{Packed, Place, Tables, bytes::Reader, table::Table, write::STATES};
use crate::{
    Account, AccountEmail, AccountState, AttributeValue, Code, EmailAddress, Grant, GrantId, HeldRecord,
    LinkedIdentity, Provenance, RequestId, Subject, TaskId, UserName,
};

/// Reads an account.
pub(super) fn read(of: &Packed, bytes: &[u8], tables: &Tables) -> Option<Account> {
    let (bytes, created_at) = Reader::new(bytes)?;
    let mut eye = Eye { bytes, tables };
    let state = eye.state()?;
    let user_name = eye.bytes.option(user_name)?;
    let tenant = eye.known(&tables.tenants)?;
    let mut account = Account::begin(of.id, tenant, state, created_at);
    account.version = of.version;
    account.last_seen = of.last_seen;
    account.user_name = user_name;
    account.email = eye.email()?;
    account.attributes =
        eye.list(|eye| Some((eye.known(&tables.names)?, eye.list(Eye::attribute)?)))?.into_iter().collect();
    account.identities = eye.list(Eye::identity)?;
    account.grants = eye.list(Eye::grant)?;
    account.records = eye.list(Eye::record)?;
    account.credential_epoch = eye.bytes.number()?;
    account.updated_at = eye.bytes.instant()??;
    account.activated_at = eye.bytes.instant()?;
    account.ends_at = eye.bytes.instant()?;
    account.admin_end = eye.bytes.instant()?;
    account.begins_at = eye.bytes.instant()?;
    account.end_set_by = eye.optional(&tables.sources)?;
    account.idle_limit = eye.optional(&tables.spans)?;
    account.end_review = eye.bytes.option(Reader::id)?.map(TaskId::from_uuid);
    Some(account)
}

/// Reads what stands first.
pub(super) fn state_and_name(bytes: &[u8]) -> Option<(&'static str, Option<SmolStr>)> {
    let (mut bytes, _) = Reader::new(bytes)?;
    let word = state_word(&mut bytes)?;
    if !matches!(word, "invited" | "active") {
        let (_since, _reason) = (bytes.instant()?, bytes.number()?);
    }
    let name = bytes.option(user_name)?;
    Some((word, name.map(|name| name.key().into())))
}

fn state_word(bytes: &mut Reader<'_>) -> Option<&'static str> {
    STATES.get(usize::try_from(bytes.number()?).ok()?).copied()
}

fn user_name(bytes: &mut Reader<'_>) -> Option<UserName> {
    let key = bytes.text()?;
    let text = bytes.option(Reader::text)?;
    Some(UserName::kept(text.unwrap_or(key), key))
}

struct Eye<'a> {
    bytes: Reader<'a>,
    tables: &'a Tables,
}

impl<'a> Eye<'a> {
    fn known<T: Clone + Eq + std::hash::Hash>(&mut self, table: &Table<T>) -> Option<T> {
        table.value(self.bytes.number()?).cloned()
    }

    #[expect(clippy::option_option, reason = "whether it can be read, and whether it was there")]
    fn optional<T: Clone + Eq + std::hash::Hash>(&mut self, table: &Table<T>) -> Option<Option<T>> {
        match self.bytes.number()?.checked_sub(1) {
            Some(number) => table.value(number).cloned().map(Some),
            None => Some(None),
        }
    }

    fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.bytes.count()?;
        let mut list = Vec::with_capacity(count);
        for _ in 0..count {
            list.push(read(self)?);
        }
        Some(list)
    }

    fn provenance(&mut self) -> Option<Provenance> {
        self.known(&self.tables.provenances)
    }

    fn subject_at(&mut self) -> Option<crate::ExternalKey> {
        let place: &'a Place = self.tables.places.value(self.bytes.number()?)?;
        Some(place.key(Subject::new(self.bytes.text()?).ok()?))
    }

    fn state(&mut self) -> Option<AccountState> {
        let word = state_word(&mut self.bytes)?;
        match word {
            "invited" => return Some(AccountState::Invited),
            "active" => return Some(AccountState::Active),
            _ => {}
        }
        let since: DateTime<Utc> = self.bytes.instant()??;
        let reason: Option<Code> = self.optional(&self.tables.reasons)?;
        Some(match (word, reason) {
            ("suspended", Some(reason)) => AccountState::Suspended { reason, since },
            ("disabled", Some(reason)) => AccountState::Disabled { reason, since },
            ("ended", Some(reason)) => AccountState::Ended { reason, since },
            ("pending", None) => AccountState::Pending { since },
            _ => return None,
        })
    }

    #[expect(clippy::option_option, reason = "whether it can be read, and whether it was there")]
    fn email(&mut self) -> Option<Option<AccountEmail>> {
        if !self.bytes.flag()? {
            return Some(None);
        }
        let address = EmailAddress::new(self.bytes.text()?).ok()?;
        let trust = self.known(&self.tables.trusts)?;
        Some(Some(AccountEmail { address, trust, provenance: self.provenance()? }))
    }

    fn attribute(&mut self) -> Option<AttributeValue> {
        let text = self.bytes.text()?.to_owned();
        Some(AttributeValue { text, provenance: self.provenance()?, searchable: self.bytes.flag()? })
    }

    fn identity(&mut self) -> Option<LinkedIdentity> {
        let (key, linked_at) = (self.subject_at()?, self.bytes.instant()??);
        Some(LinkedIdentity { key, linked_at, proof: self.known(&self.tables.proofs)? })
    }

    fn grant(&mut self) -> Option<Grant> {
        let id = GrantId::from_uuid(self.bytes.id()?);
        let entitlement = self.known(&self.tables.entitlements)?;
        let grant = Grant::new(id, entitlement, self.provenance()?, self.bytes.instant()??);
        let mut grant = grant.until(self.bytes.instant()?);
        grant.end_task = self.bytes.option(Reader::id)?.map(TaskId::from_uuid);
        Some(grant)
    }

    fn record(&mut self) -> Option<HeldRecord> {
        let (key, presence) = (self.subject_at()?, self.known(&self.tables.presences)?);
        let version = self.bytes.option(Reader::number)?;
        let request = self.bytes.option(|bytes| RequestId::new(bytes.text()?).ok())?;
        let parked = self.bytes.instant()?;
        let before_parked = if parked.is_some() && self.bytes.flag()? {
            Some(self.known(&self.tables.presences)?)
        } else {
            None
        };
        Some(HeldRecord { key, presence, version, request, claims: None, parked, before_parked })
    }
}
