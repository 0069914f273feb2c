//! Whether an identity may be linked to an account that was found, and what must end when it is.

use std::collections::BTreeSet;

use super::{Change, Plan, Reason};
use crate::{
    Account, Code, EmailEvidence, EmailTrust, Entitlement, ExternalKey, HeldRecord, LinkProof,
    LinkedIdentity, Source,
};

/// Says why an account that was found cannot be linked by `proof`; `None` when it can.
///
/// A person who comes with another subject of the same issuer may be somebody who was given a used address: only a
/// proof by the owner counts then.
pub(super) fn refuses_link(
    account: &Account,
    key: &ExternalKey,
    proof: Option<LinkProof>,
    email: Option<&EmailEvidence>,
) -> Option<Code> {
    let Some(proof) = proof else {
        return Some(match email.map(|email| email.trust) {
            Some(EmailTrust::Refuted | EmailTrust::Unstated) => Code::new("link.email_unverified"),
            Some(EmailTrust::Asserted) => Code::new("link.not_authoritative"),
            Some(EmailTrust::Authoritative) | None => Code::new("link.proof_required"),
        });
    };
    let same_issuer =
        |other: &LinkedIdentity| other.key.connection == key.connection && other.key.issuer == key.issuer;
    let by_owner =
        matches!(proof, LinkProof::OtherIdentity | LinkProof::Reauthentication | LinkProof::Administrator);
    if !by_owner && account.is_cut_off(key) {
        return Some(Code::new("link.cut_off"));
    }
    if !by_owner && account.identities.iter().any(same_issuer) {
        return Some(Code::new("link.subject_changed"));
    }
    None
}

/// Tells whether a proof by address meets an account whose holder never proved that address.
pub(super) fn is_first_proved_owner(account: &Account, proof: LinkProof) -> bool {
    let unproved = account.email.as_ref().is_none_or(|email| email.trust < EmailTrust::Authoritative);
    unproved && matches!(proof, LinkProof::AuthoritativeEmail | LinkProof::Mail)
}

/// Plans a link, and the end of whatever somebody who never proved the address may hold.
pub(super) fn plan_link(
    plan: &mut Plan,
    account: &Account,
    key: &ExternalKey,
    proof: LinkProof,
    keep: &BTreeSet<Entitlement>,
) {
    if is_first_proved_owner(account, proof) {
        end_earlier_ways_in(plan, account, keep);
    }
    plan.push(Change::Link { key: key.clone(), proof }, Reason::code("link.proved"));
}

/// Cuts an identity off. A leave of its person waits no longer.
pub(super) fn cut_off(plan: &mut Plan, account: &Account, key: &ExternalKey, reason: &Reason) {
    plan.push(Change::Unlink(key.clone()), reason.clone());
    for record in account.records.iter().filter(|record| record.key == *key && record.parked.is_some()) {
        let record = HeldRecord { parked: None, before_parked: None, ..record.clone() };
        plan.push(Change::SetRecord(Box::new(record)), reason.clone());
    }
}

/// The first proved owner of an address ends every earlier way in: identities, sessions, tokens, local credentials,
/// pending address changes, and everything that those who came earlier brought along (pre-hijacking).
fn end_earlier_ways_in(plan: &mut Plan, account: &Account, keep: &BTreeSet<Entitlement>) {
    let reason = || Reason::code("link.first_proved_owner");
    for identity in &account.identities {
        cut_off(plan, account, &identity.key, &reason());
    }
    let brought = |source: &Source| matches!(source, Source::Connection(_) | Source::Person);
    for grant in account.grants.iter().filter(|grant| brought(&grant.provenance.source)) {
        if !keep.contains(&grant.entitlement) {
            let change = Change::Withdraw { grant: grant.id, entitlement: grant.entitlement.clone() };
            plan.push(change, reason());
        }
    }
    for (name, values) in &account.attributes {
        let left: Vec<_> =
            values.iter().filter(|value| !brought(&value.provenance.source)).cloned().collect();
        if left.len() < values.len() {
            plan.push(Change::SetAttribute { name: name.clone(), values: left }, reason());
        }
    }
    if !account.consents.is_empty() {
        plan.push(Change::ForgetConsents, reason());
    }
    plan.push(Change::EndCredentials, reason());
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::{AccountState, Mint};

    fn key(number: usize) -> ExternalKey {
        ExternalKey {
            tenant: "acme".parse().unwrap(),
            connection: "corp".parse().unwrap(),
            issuer: "https://idp.example".parse().unwrap(),
            subject: format!("s{number}").parse().unwrap(),
        }
    }

    #[test]
    fn what_was_cut_off_stays_out_however_many_there_are_and_takes_bounded_room() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let id = Mint::new(now, [1; 16]).account();
        let mut account = Account::begin(id, "acme".parse().unwrap(), AccountState::Active, now);
        let apply = |account: &Account, change: Change| {
            let mut plan = Plan::new(account.id);
            plan.push(change, Reason::code("test"));
            plan.apply(Some(account), &account.tenant, now)
        };
        for number in 0..Account::MOST_CUT_OFF * 2 {
            account = apply(&account, Change::Unlink(key(number)));
            assert!((0..=number).all(|earlier| account.is_cut_off(&key(earlier))));
        }
        assert_eq!(account.cut_off.len(), Account::MOST_CUT_OFF);
        // Who is let back in by a proof does not bring the others along.
        account = apply(&account, Change::Link { key: key(0), proof: LinkProof::Administrator });
        let last = key(Account::MOST_CUT_OFF * 2 - 1);
        let refused = refuses_link(&account, &last, Some(LinkProof::AuthoritativeEmail), None);
        assert_eq!(refused, Some(Code::new("link.cut_off")));
        assert_eq!(refuses_link(&account, &last, Some(LinkProof::Administrator), None), None);
    }
}
