//! Writes an account, field by field: what is written here is read in the same order.

use chrono::{DateTime, Utc};

use super::{Tables, bytes::Writer};
use crate::{
    Account, AccountEmail, AccountState, AttributeValue, Grant, HeldRecord, LinkedIdentity, UserName,
};

/// How a state is told: by its place in this list.
pub(super) const STATES: [&str; 6] = ["invited", "pending", "active", "suspended", "disabled", "ended"];

/// Writes an account; `None` where it has something that is kept as it is.
pub(super) fn write(account: &Account, tables: &mut Tables) -> Option<Box<[u8]>> {
    let Account {
        // kept beside
        id: _,
        version: _,
        last_seen: _,
        tenant,
        state,
        user_name,
        email,
        attributes,
        identities,
        grants,
        consents,
        credential_epoch,
        created_at,
        updated_at,
        activated_at,
        cut_off,
        ends_at,
        end_set_by,
        admin_end,
        idle_limit,
        end_review,
        begins_at,
        records,
        lease,
        elevation,
        mirrors,
    } = account;
    let is_small = consents.is_empty()
        && cut_off.is_empty()
        && lease.is_none()
        && elevation.is_none()
        && mirrors.is_empty()
        && records.iter().all(|record| record.claims.is_none());
    if !is_small {
        return None;
    }
    let mut pen = Pen { out: Writer::new(*created_at), tables };
    pen.state(state)?;
    pen.out.option(user_name.as_ref(), user_name_of);
    pen.number(|tables| tables.tenants.number(tenant))?;
    pen.email(email.as_ref())?;
    pen.out.number(attributes.len() as u64);
    for (name, values) in attributes {
        pen.number(|tables| tables.names.number(name))?;
        pen.list(values, Pen::attribute)?;
    }
    pen.list(identities, Pen::identity)?;
    pen.list(grants, Pen::grant)?;
    pen.list(records, Pen::record)?;
    pen.out.number(*credential_epoch);
    for at in [&Some(*updated_at), activated_at, ends_at, admin_end, begins_at] {
        pen.out.instant(*at);
    }
    pen.optional(end_set_by.as_ref(), |tables, source| tables.sources.number(source))?;
    pen.optional(idle_limit.as_ref(), |tables, span| tables.spans.number(span))?;
    pen.out.option(*end_review, |out, task| out.id(task.as_uuid()));
    Some(pen.out.finish())
}

fn user_name_of(out: &mut Writer, name: &UserName) {
    out.text(name.key());
    out.option((name.as_str() != name.key()).then(|| name.as_str()), Writer::text);
}

struct Pen<'a> {
    out: Writer,
    tables: &'a mut Tables,
}

impl Pen<'_> {
    fn number(&mut self, number: impl FnOnce(&mut Tables) -> Option<u64>) -> Option<()> {
        self.out.number(number(self.tables)?);
        Some(())
    }

    /// Nothing is 0, and everything else one more than its number.
    fn optional<T>(
        &mut self,
        value: Option<&T>,
        number: impl FnOnce(&mut Tables, &T) -> Option<u64>,
    ) -> Option<()> {
        let number = match value {
            Some(value) => number(self.tables, value)?.saturating_add(1),
            None => 0,
        };
        self.out.number(number);
        Some(())
    }

    fn list<T>(&mut self, list: &[T], each: impl Fn(&mut Self, &T) -> Option<()>) -> Option<()> {
        self.out.number(list.len() as u64);
        list.iter().try_for_each(|item| each(self, item))
    }

    fn state(&mut self, state: &AccountState) -> Option<()> {
        let place = STATES.iter().position(|word| *word == state.word())?;
        self.out.number(place as u64);
        let (reason, since): (_, Option<DateTime<Utc>>) = match state {
            AccountState::Invited | AccountState::Active => return Some(()),
            AccountState::Pending { since } => (None, Some(*since)),
            AccountState::Suspended { reason, since }
            | AccountState::Disabled { reason, since }
            | AccountState::Ended { reason, since } => (Some(reason), Some(*since)),
        };
        self.out.instant(since);
        self.optional(reason, |tables, reason| tables.reasons.number(reason))
    }

    fn email(&mut self, email: Option<&AccountEmail>) -> Option<()> {
        self.out.flag(email.is_some());
        let Some(AccountEmail { address, trust, provenance }) = email else { return Some(()) };
        self.out.text(address.as_str());
        self.number(|tables| tables.trusts.number(trust))?;
        self.number(|tables| tables.provenances.number(provenance))
    }

    fn attribute(&mut self, value: &AttributeValue) -> Option<()> {
        let AttributeValue { text, provenance, searchable } = value;
        self.out.text(text);
        self.number(|tables| tables.provenances.number(provenance))?;
        self.out.flag(*searchable);
        Some(())
    }

    fn identity(&mut self, identity: &LinkedIdentity) -> Option<()> {
        let LinkedIdentity { key, linked_at, proof } = identity;
        self.number(|tables| tables.place(key))?;
        self.out.text(key.subject.as_str());
        self.out.instant(Some(*linked_at));
        self.number(|tables| tables.proofs.number(proof))
    }

    fn grant(&mut self, grant: &Grant) -> Option<()> {
        let Grant { id, entitlement, provenance, given_at, ends_at, end_task } = grant;
        self.out.id(id.as_uuid());
        self.number(|tables| tables.entitlements.number(entitlement))?;
        self.number(|tables| tables.provenances.number(provenance))?;
        self.out.instant(Some(*given_at));
        self.out.instant(*ends_at);
        self.out.option(*end_task, |out, task| out.id(task.as_uuid()));
        Some(())
    }

    fn record(&mut self, record: &HeldRecord) -> Option<()> {
        let HeldRecord { key, presence, version, request, claims: _, parked, before_parked } = record;
        self.number(|tables| tables.place(key))?;
        self.out.text(key.subject.as_str());
        self.number(|tables| tables.presences.number(presence))?;
        self.out.option(*version, Writer::number);
        self.out.option(request.as_ref(), |out, request| out.text(request.as_str()));
        self.out.instant(*parked);
        // Hardly any leave waits: of all others not even a flag is kept.
        if parked.is_none() {
            return before_parked.is_none().then_some(());
        }
        self.out.flag(before_parked.is_some());
        match before_parked {
            Some(before) => self.number(|tables| tables.presences.number(before)),
            None => Some(()),
        }
    }
}
