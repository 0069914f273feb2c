//! What is told anew of somebody, without a word on whether they are there: that stays as it was heard last.

use super::{Planned, RecordEffect, RecordFacts, deny, leave, remember, remembered, stay};
use crate::{
    HeldPresence, HeldRecord, Mint, Plan, Present, Source,
    plan::{grants::plan_no_longer_given, sign_in::grant_facts},
};

/// Plans what the claims say of somebody who was heard of before. Whoever their source let go neither leaves again, be it that
/// an administrator dismissed the leave or brought them back, nor gets anything.
pub(super) fn plan_heard(facts: &RecordFacts<'_>, held: Option<&HeldRecord>, mint: &mut Mint) -> Planned {
    let (Present::Linked(account), Some(held)) = (facts.base.present, held) else {
        return Err(deny("record.unknown"));
    };
    if held.presence == HeldPresence::Active {
        return stay::plan_stay(facts, Some(held), mint);
    }
    let own = Source::Connection(facts.record.key().connection.clone());
    if account.grants.iter().any(|grant| grant.provenance.source == own) {
        // What may have to go is told again until mapping and policy let it go.
        stay::check_permitted(facts)?;
    }
    let mut plan = Plan::new(account.id);
    if held.parked.is_none() {
        leave::describe_leaver(&mut plan, facts, account);
    }
    plan_no_longer_given(&mut plan, account, &grant_facts(&facts.base), mint);
    let record = HeldRecord {
        parked: held.parked,
        before_parked: held.before_parked,
        ..remembered(facts, Some(held), held.presence)
    };
    remember(&mut plan, Some(held), record);
    let effect = if plan.is_empty() { RecordEffect::Unchanged } else { RecordEffect::Moved };
    Ok((plan, effect))
}
