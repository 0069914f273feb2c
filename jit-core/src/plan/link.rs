//! Whether an identity may be linked to an account that was found, and what must end when it is.

use super::{Change, Plan, Reason};
use crate::{Account, Code, EmailEvidence, EmailTrust, ExternalKey, LinkProof, LinkedIdentity, Source};

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
    if !by_owner && account.identities.iter().any(same_issuer) {
        return Some(Code::new("link.subject_changed"));
    }
    None
}

/// Plans a link, and the end of whatever somebody who never proved the address may hold.
pub(super) fn plan_link(plan: &mut Plan, account: &Account, key: &ExternalKey, proof: LinkProof) {
    let owner_unproved = account.email.as_ref().is_none_or(|email| email.trust < EmailTrust::Authoritative);
    let by_address = matches!(proof, LinkProof::AuthoritativeEmail | LinkProof::Mail);
    if by_address && owner_unproved {
        end_earlier_ways_in(plan, account);
    }
    plan.push(Change::Link { key: key.clone(), proof }, Reason::code("link.proved"));
}

/// The first proved owner of an address ends every earlier way in: identities, sessions, tokens, local credentials,
/// pending address changes, and what the connections of those identities had given (pre-hijacking).
fn end_earlier_ways_in(plan: &mut Plan, account: &Account) {
    let reason = || Reason::code("link.first_proved_owner");
    for identity in &account.identities {
        plan.push(Change::Unlink(identity.key.clone()), reason());
    }
    let came_in_by = |source: &Source| match source {
        Source::Connection(id) => account.identities.iter().any(|identity| identity.key.connection == *id),
        _ => false,
    };
    for grant in account.grants.iter().filter(|grant| came_in_by(&grant.provenance.source)) {
        plan.push(Change::Withdraw { grant: grant.id, entitlement: grant.entitlement.clone() }, reason());
    }
    plan.push(Change::EndCredentials, reason());
}
