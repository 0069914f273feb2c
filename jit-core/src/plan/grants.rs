//! Planning of roles and groups: within the ceiling, by provenance, and never by a claim that is missing or cut.

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, Utc};

use super::{Change, Plan, Protection, Reason, Refusal};
use crate::{
    Account, Claim, ClaimPath, Claims, Code, ConnectionSettings, Entitlement, Grant, GrantEnd, Mint, Permit,
    Profile, Provenance, RuleName, Source,
};

/// Carries what the planning of grants depends on.
pub(super) struct GrantFacts<'a> {
    pub(super) claims: &'a Claims,
    pub(super) profile: &'a Profile,
    pub(super) permit: &'a Permit,
    pub(super) settings: &'a ConnectionSettings,
    pub(super) protection: &'a Protection,
    /// Entitlements that must stay, since nobody else would hold them.
    pub(super) keep: &'a BTreeSet<Entitlement>,
    pub(super) now: DateTime<Utc>,
}

/// Plans what the profile and the permit give, and takes away what this connection gave and no longer gives.
///
/// Each claim that gives an entitlement has a grant of its own: the entitlement stays until the last of them goes.
pub(super) fn plan_grants(
    plan: &mut Plan,
    account: Option<&Account>,
    facts: &GrantFacts<'_>,
    mint: &mut Mint,
) {
    let grants = account.map_or(&[][..], |account| &account.grants);
    let mut held: Vec<&Grant> = grants.iter().filter(|grant| facts.is_ours(grant)).collect();
    // Both lists are sorted by what a grant is for, so that each finds its counterpart without a search through all.
    held.sort_by(|a, b| key_of(a).cmp(&key_of(b)));
    let wished = facts.wished(plan);
    for wish in &wished {
        let first = held.partition_point(|grant| key_of(grant) < wish.key());
        match held.get(first).filter(|grant| key_of(grant) == wish.key()) {
            Some(grant) => facts.renew(plan, grant),
            None => facts.give(plan, wish, mint),
        }
    }
    let mut before = None;
    for grant in held {
        let is_twin = before.replace(key_of(grant)) == Some(key_of(grant));
        let still_wished = wished.binary_search_by(|wish| wish.key().cmp(&key_of(grant))).is_ok();
        if is_twin || (!still_wished && facts.may_withdraw(grant)) {
            facts.withdraw(plan, grant);
        }
    }
}

/// Plans that what the profile and the permit no longer give goes, and changes nothing else about what the account holds.
pub(super) fn plan_no_longer_given(
    plan: &mut Plan,
    account: &Account,
    facts: &GrantFacts<'_>,
    mint: &mut Mint,
) {
    let mut all = Plan::new(account.id);
    plan_grants(&mut all, Some(account), facts, mint);
    // What another claim gives by now is given all the same.
    let is_given = |wanted: &Entitlement| {
        let gives = |change: &Change| matches!(change, Change::Give(grant) if grant.entitlement == *wanted);
        all.changes.iter().any(|planned| gives(&planned.change))
    };
    let goes =
        |change: &Change| matches!(change, Change::Withdraw { entitlement, .. } if !is_given(entitlement));
    plan.changes.extend(all.changes.iter().filter(|planned| goes(&planned.change)).cloned());
    plan.refusals.append(&mut all.refusals);
}

/// Says what a grant is for: the entitlement, by the claim that gives it.
type Key<'a> = (&'a Entitlement, Option<&'a str>);

fn key_of(grant: &Grant) -> Key<'_> {
    (&grant.entitlement, grant.provenance.claim.as_deref())
}

/// Holds one thing that is wished for, by which rule, from which claim.
struct Wish<'a> {
    entitlement: &'a Entitlement,
    rule: Option<&'a RuleName>,
    claim: Option<&'a Arc<str>>,
}

impl<'a> Wish<'a> {
    fn key(&self) -> Key<'a> {
        (self.entitlement, self.claim.map(AsRef::as_ref))
    }
}

impl<'a> GrantFacts<'a> {
    fn is_ours(&self, grant: &Grant) -> bool {
        matches!(&grant.provenance.source, Source::Connection(id) if *id == self.settings.id)
    }

    /// Lists what is wished for and allowed, in order, each entitlement once for each claim; notes what is refused.
    fn wished(&self, plan: &mut Plan) -> Vec<Wish<'a>> {
        let mapped = self.profile.entitlements.iter().map(|wish| Wish {
            entitlement: &wish.entitlement,
            rule: Some(&wish.rule),
            claim: wish.claim.as_ref(),
        });
        let rule = self.permit.rule.as_ref();
        let given =
            self.permit.entitlements.iter().map(|entitlement| Wish { entitlement, rule, claim: None });
        let mut wished: Vec<_> = mapped.chain(given).collect();
        wished.sort_by(|a, b| a.key().cmp(&b.key()));
        wished.dedup_by(|a, b| a.key() == b.key());
        wished.retain(|wish| {
            let is_allowed = self.is_allowed(wish.entitlement);
            if !is_allowed {
                let (code, rule) = (Code::new("access.ceiling"), wish.rule.cloned());
                plan.refusals.push(Refusal { wish: wish.entitlement.to_string(), code, rule });
            }
            is_allowed
        });
        wished
    }

    fn is_allowed(&self, entitlement: &Entitlement) -> bool {
        let within = |ceiling: &[_]| self.protection.allows(ceiling, entitlement);
        within(&self.settings.ceiling) && self.permit.ceiling.as_deref().is_none_or(within)
    }

    /// What is above the ceiling goes whatever the claims say; otherwise the claim must have spoken completely.
    fn may_withdraw(&self, grant: &Grant) -> bool {
        if !self.is_allowed(&grant.entitlement) {
            return true;
        }
        match &grant.provenance.claim {
            None => !grant.provenance.rule.as_ref().is_some_and(|rule| self.permit.undecided.contains(rule)),
            Some(claim) => {
                ClaimPath::new(claim).map_or(Claim::Absent, |path| self.claims.at(&path)).is_settled()
            }
        }
    }

    fn give(&self, plan: &mut Plan, wish: &Wish<'_>, mint: &mut Mint) {
        let ends_at = self.end();
        if ends_at.is_some_and(|end| end <= self.now) {
            return;
        }
        let (rule, claim) = (wish.rule.cloned(), wish.claim.cloned());
        let reason = Reason::code("access.given").by(rule.clone(), claim.clone());
        let provenance = Provenance { source: Source::Connection(self.settings.id.clone()), rule, claim };
        let grant = Grant::new(mint.grant(), wish.entitlement.clone(), provenance, self.now).until(ends_at);
        plan.push(Change::Give(grant), reason);
    }

    fn end(&self) -> Option<DateTime<Utc>> {
        match self.permit.grant_end? {
            GrantEnd::At(end) => Some(end),
            GrantEnd::Lease(lease) => {
                Some(self.now.checked_add_signed(lease).unwrap_or(DateTime::<Utc>::MAX_UTC))
            }
        }
    }

    /// Moves the end of a grant that is still wished for. A lease is renewed when less than half of it is left, so that
    /// frequent sign-ins write seldom; a clock that jumped back never lengthens it.
    fn renew(&self, plan: &mut Plan, grant: &Grant) {
        let wanted = self.end();
        if wanted.is_some_and(|end| end <= self.now) {
            self.withdraw(plan, grant);
            return;
        }
        let moves = match self.permit.grant_end {
            Some(GrantEnd::Lease(lease)) => {
                grant.ends_at.is_none_or(|end| end - self.now < lease / 2 || end - self.now > lease)
            }
            Some(GrantEnd::At(_)) | None => true,
        };
        if moves && grant.ends_at != wanted && !self.must_last(plan, grant, wanted) {
            let change =
                Change::MoveEnd { grant: grant.id, entitlement: grant.entitlement.clone(), ends_at: wanted };
            plan.push(change, Reason::code("access.end_moved").by(self.permit.rule.clone(), None));
        }
    }

    /// Tells, and notes, that a grant which must stay cannot be given an end either.
    fn must_last(&self, plan: &mut Plan, grant: &Grant, wanted: Option<DateTime<Utc>>) -> bool {
        let must = wanted.is_some() && self.keep.contains(&grant.entitlement);
        if must {
            let wish = format!("end of {}", grant.entitlement);
            plan.refusals.push(Refusal { wish, code: Code::new("access.last_holder"), rule: None });
        }
        must
    }

    fn withdraw(&self, plan: &mut Plan, grant: &Grant) {
        if self.keep.contains(&grant.entitlement) {
            let wish = format!("withdraw {}", grant.entitlement);
            plan.refusals.push(Refusal { wish, code: Code::new("access.last_holder"), rule: None });
            return;
        }
        let provenance = &grant.provenance;
        let reason =
            Reason::code("access.no_longer_given").by(provenance.rule.clone(), provenance.claim.clone());
        plan.push(Change::Withdraw { grant: grant.id, entitlement: grant.entitlement.clone() }, reason);
    }
}
