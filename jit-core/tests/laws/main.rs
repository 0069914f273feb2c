//! The laws of the planner, each over thousands of random cases.

#[cfg(test)]
mod cases;
#[cfg(test)]
#[path = "../support/mod.rs"]
mod support;

use cases::*;
use jit_core::*;
use proptest::{collection::vec, prelude::*};
use serde_json::json;
use support::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Law 2: what was planned and applied leaves nothing to plan.
    #[test]
    fn the_same_sign_in_twice_changes_nothing(case in cases()) {
        let bench = Bench::of(&case);
        let before = scene(&case, &bench);
        let (first, _) = bench.plan(&case, present(&case, &before));
        if let Some(plan) = changes(&first) {
            let held = !matches!(case.meets, Meets::Nobody);
            let after = plan.apply(held.then_some(&before), &tenant(), now());
            let (second, _) = bench.plan(&case, Present::Linked(&after));
            let again = changes(&second);
            prop_assert!(again.is_some_and(Plan::is_empty), "first {plan:?}, then {second:?}");
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Law 3: no mapping, policy or answer changes the key.
    #[test]
    fn a_plan_links_the_verified_key_and_no_other(case in cases()) {
        let bench = Bench::of(&case);
        let before = scene(&case, &bench);
        let (plan, identity) = bench.plan(&case, present(&case, &before));
        for planned in changes(&plan).into_iter().flat_map(|plan| &plan.changes) {
            if let Change::Link { key, .. } = &planned.change {
                prop_assert_eq!(key, identity.key());
            }
        }
    }

    /// Law 5: a claim that is absent or cut removes nothing, unless the ceiling does; and only what this source gave goes.
    #[test]
    fn only_what_this_source_gave_and_took_back_goes(case in cases()) {
        let bench = Bench::of(&case);
        let before = scene(&case, &bench);
        if matches!(case.meets, Meets::Candidate(_)) {
            return Ok(());
        }
        let (plan, _) = bench.plan(&case, present(&case, &before));
        let Some(plan) = changes(&plan) else { return Ok(()) };
        for planned in &plan.changes {
            if let Change::Withdraw { grant, entitlement } = &planned.change {
                let old = before.grants.iter().find(|held| held.id == *grant).unwrap();
                prop_assert!(is_ours(&old.provenance), "{old:?}");
                let silent = old.provenance.claim.as_deref().is_some_and(|claim| !case.claims.get(claim).is_settled());
                let allowed = |ceiling: &[EntitlementPattern]| bench.protection.allows(ceiling, entitlement);
                let within = allowed(&case.ceiling) && case.permit.ceiling.as_deref().is_none_or(allowed);
                let twin = before.grants.iter().filter(|held| is_ours(&held.provenance) && held.entitlement == *entitlement).count() > 1;
                let ended = matches!(case.permit.grant_end, Some(GrantEnd::At(end)) if end <= now());
                prop_assert!(!silent || !within || twin || ended, "{old:?} went though its claim said nothing");
            }
        }
        let after = plan.apply((!matches!(case.meets, Meets::Nobody)).then_some(&before), &tenant(), now());
        let none = Vec::new();
        let department = AttributeName::new("department").unwrap();
        let (old, new) = (before.attributes.get(&department).unwrap_or(&none), after.attributes.get(&department).unwrap_or(&none));
        if matches!(case.meets, Meets::Linked) && case.rules.1 != ConflictRule::Replace {
            prop_assert!(old.iter().filter(|value| !is_ours(&value.provenance)).all(|value| new.contains(value)));
        }
        if matches!(case.meets, Meets::Linked) && !case.claims.get("department").is_settled() {
            prop_assert_eq!(old, new);
        }
    }

    /// Law 10: no sign-in revives what was stopped, has ended or is past its end.
    #[test]
    fn a_stopped_account_stays_stopped(case in cases()) {
        let bench = Bench::of(&case);
        let before = scene(&case, &bench);
        let (plan, _) = bench.plan(&case, present(&case, &before));
        if !matches!(case.meets, Meets::Nobody) && before.standing(now()).denial().is_some() {
            prop_assert!(matches!(plan, SignInPlan::Deny(_) | SignInPlan::End(..)), "{plan:?}");
        }
        if matches!(case.meets, Meets::Linked) && matches!(before.state, AccountState::Pending { .. }) {
            prop_assert!(!matches!(plan, SignInPlan::Go(_)), "{plan:?}");
        }
    }

    /// Law 11: after any sign-in this connection's grants lie within its ceiling, composite and protected roles included.
    #[test]
    fn what_a_connection_gave_lies_within_its_ceiling(case in cases()) {
        let bench = Bench::of(&case);
        let before = scene(&case, &bench);
        let (plan, _) = bench.plan(&case, present(&case, &before));
        let Some(plan) = changes(&plan) else { return Ok(()) };
        if matches!(before.state, AccountState::Pending { .. }) {
            return Ok(());
        }
        let after = plan.apply((!matches!(case.meets, Meets::Nobody)).then_some(&before), &tenant(), now());
        for grant in after.grants.iter().filter(|grant| is_ours(&grant.provenance)) {
            let allowed = |ceiling: &[EntitlementPattern]| bench.protection.allows(ceiling, &grant.entitlement);
            let within = allowed(&case.ceiling) && case.permit.ceiling.as_deref().is_none_or(allowed);
            prop_assert!(within || bench.keep.contains(&grant.entitlement), "{grant:?}");
        }
    }

    /// Law 4: without proof nothing is linked, and an unproved owner's ways in end with a proof by address.
    #[test]
    fn a_link_needs_a_proof_and_ends_what_was_unproved(case in cases()) {
        let bench = Bench::of(&case);
        let before = scene(&case, &bench);
        let (plan, _) = bench.plan(&case, present(&case, &before));
        let (Meets::Candidate(found), Some(plan)) = (case.meets, changes(&plan)) else { return Ok(()) };
        let proof = case.answers.link_proof.or(found);
        prop_assert!(proof.is_some());
        let unproved = before.email.as_ref().is_none_or(|email| email.trust < EmailTrust::Authoritative);
        if unproved && matches!(proof, Some(LinkProof::AuthoritativeEmail | LinkProof::Mail)) {
            let after = plan.apply(Some(&before), &tenant(), now());
            prop_assert_eq!(after.credential_epoch, before.credential_epoch + 1);
            prop_assert_eq!(after.identities.len(), 1);
        }
    }

    /// Law 2 and 15: an end that lies ahead is kept exactly, and time alone never lengthens it.
    #[test]
    fn a_grant_with_a_fixed_end_has_that_end(case in cases(), end in later()) {
        let case = Case { permit: Permit { grant_end: Some(GrantEnd::At(end)), ..case.permit.clone() }, ..case };
        let bench = Bench::of(&case);
        let before = scene(&case, &bench);
        let (plan, _) = bench.plan(&case, present(&case, &before));
        for planned in changes(&plan).into_iter().flat_map(|plan| &plan.changes) {
            if let Change::Give(grant) = &planned.change {
                prop_assert_eq!(grant.ends_at, Some(end));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Law 11: once there was an administrator, there is one after any sequence of sign-ins and acts.
    #[test]
    fn there_is_always_an_administrator(steps in vec((0usize..4, any::<bool>(), 0u8..6), 1..25)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let protection = Protection::new().never_without(role("admin"));
            let store = std::sync::Arc::new(MemoryStore::new());
            let house = house_on(store, vec![wire("corp").ceiling(&["role:admin"])], |builder| builder.protection(protection));
            let mut was = false;
            for (person, admin, act) in steps {
                let groups = if admin { json!(["admin"]) } else { json!([]) };
                house.sign_in(0, &format!("p{person}"), json!({"groups": groups})).await;
                if let Some(account) = house.all().await.get(person) {
                    let act = match act {
                        0 => Some(AdminAct::Disable),
                        1 => Some(AdminAct::End),
                        2 => account.grants.first().map(|grant| AdminAct::Withdraw(grant.id)),
                        3 => Some(AdminAct::Reactivate),
                        _ => None,
                    };
                    if let Some(act) = act {
                        let _ = house.administer(account.id, act).await;
                    }
                }
                let admins = house.all().await.iter().filter(|account| account.state == AccountState::Active && account.holds(&role("admin"), now())).count();
                was |= admins > 0;
                assert!(!was || admins > 0, "no administrator is left");
            }
        });
    }
}
