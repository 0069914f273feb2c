//! What sign-ins of a source gave passes to the connection that provisions it, where that one decides alone.

use super::{RecordFacts, kin};
use crate::{
    Account, AccountEmail, AttributeValue, Authority, Change, Grant, Mint, Plan, Provenance, Reason, Refusal,
    Source,
};

fn reason() -> Reason {
    Reason::code("record.taken_over")
}

/// Plans that values and grants of the other connections of this source are the provisioning connection's own from now on:
/// nothing is lost before it has said what is right, and nothing stays behind after.
pub(super) fn take_over(plan: &mut Plan, facts: &RecordFacts<'_>, account: &Account, mint: &mut Mint) {
    if facts.provisioning.authority != Authority::Whole {
        return;
    }
    let is_kin = |provenance: &Provenance| matches!(&provenance.source, Source::Connection(id) if kin(facts).any(|other| other == id));
    let source = || Source::Connection(facts.record.key().connection.clone());
    if let Some(email) = account.email.as_ref().filter(|email| is_kin(&email.provenance)) {
        let provenance = Provenance { source: source(), ..email.provenance.clone() };
        plan.push(Change::SetEmail(AccountEmail { provenance, ..email.clone() }), reason());
    }
    for (name, values) in &account.attributes {
        if values.iter().any(|value| is_kin(&value.provenance)) {
            let own = |value: &AttributeValue| {
                let mut value = value.clone();
                if is_kin(&value.provenance) {
                    value.provenance.source = source();
                }
                value
            };
            let values = values.iter().map(own).collect();
            plan.push(Change::SetAttribute { name: name.clone(), values }, reason());
        }
    }
    for grant in account.grants.iter().filter(|grant| is_kin(&grant.provenance)) {
        pass_on(plan, facts, grant, source(), mint);
    }
}

/// Gives anew what a sign-in gave, within the ceiling of the connection that gives it now.
fn pass_on(plan: &mut Plan, facts: &RecordFacts<'_>, grant: &Grant, source: Source, mint: &mut Mint) {
    if facts.base.keep.contains(&grant.entitlement) {
        return;
    }
    let entitlement = grant.entitlement.clone();
    plan.push(Change::Withdraw { grant: grant.id, entitlement: entitlement.clone() }, reason());
    if !facts.base.protection.allows(&facts.base.settings.ceiling, &entitlement) {
        let code = crate::Code::new("access.ceiling");
        plan.refusals.push(Refusal { wish: entitlement.to_string(), code, rule: None });
        return;
    }
    let listed = facts.provisioning.memberships.as_ref().map(|path| path.as_str().into());
    let claim = listed.or_else(|| grant.provenance.claim.clone());
    let provenance = Provenance { source, rule: grant.provenance.rule.clone(), claim };
    let anew = Grant::new(mint.grant(), entitlement, provenance, grant.given_at).until(grant.ends_at);
    plan.push(Change::Give(anew), reason());
}
