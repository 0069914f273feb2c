//! The laws of the planner, each over thousands of random cases.

mod support;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use jit_core::*;
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Map, Value, json};
use support::*;

const ROLES: [&str; 4] = ["reader", "editor", "admin", "auditor"];

fn now() -> DateTime<Utc> {
    instant("2026-11-21T09:00:00Z")
}

fn instants() -> impl Strategy<Value = DateTime<Utc>> {
    (-40i64..40).prop_map(|days| now() + TimeDelta::days(days))
}

fn later() -> impl Strategy<Value = DateTime<Utc>> {
    (1i64..40).prop_map(|days| now() + TimeDelta::days(days))
}

fn connection_id(name: &str) -> ConnectionId {
    ConnectionId::new(name).unwrap()
}

fn sources() -> impl Strategy<Value = Source> {
    select(vec![
        Source::Connection(connection_id("corp")),
        Source::Connection(connection_id("other")),
        Source::Administrator,
        Source::Person,
    ])
}

fn provenances() -> impl Strategy<Value = Provenance> {
    let claims = select(vec![None, Some("groups"), Some("department"), Some("gone")]);
    (sources(), claims).prop_map(|(source, claim)| Provenance {
        source,
        rule: Some(rule("old")),
        claim: claim.map(Into::into),
    })
}

fn grants() -> impl Strategy<Value = Vec<Grant>> {
    let one = (select(ROLES.to_vec()), provenances(), option::of(instants()));
    vec(one, 0..5).prop_map(|grants| {
        let mut mint = Mint::new(instant("2026-01-01T00:00:00Z"), [3; 16]);
        let make = |(name, provenance, ends_at)| Grant {
            id: mint.grant(),
            entitlement: role(name),
            provenance,
            given_at: instant("2026-01-01T00:00:00Z"),
            ends_at,
        };
        grants.into_iter().map(make).collect()
    })
}

fn states() -> impl Strategy<Value = AccountState> {
    let since = instant("2026-01-01T00:00:00Z");
    let reason = || Code::new("test");
    prop_oneof![
        4 => Just(AccountState::Active),
        1 => Just(AccountState::Invited),
        1 => Just(AccountState::Pending { since }),
        1 => Just(AccountState::Suspended { reason: reason(), since }),
        1 => Just(AccountState::Disabled { reason: reason(), since }),
        1 => Just(AccountState::Ended { reason: reason(), since }),
    ]
}

fn emails() -> impl Strategy<Value = Option<AccountEmail>> {
    let trusts = select(vec![EmailTrust::Unstated, EmailTrust::Asserted, EmailTrust::Authoritative]);
    let one = (select(vec!["a@example.com", "b@example.com", "c@elsewhere.org"]), trusts, provenances());
    option::of(one.prop_map(|(address, trust, provenance)| AccountEmail {
        address: EmailAddress::new(address).unwrap(),
        trust,
        provenance,
    }))
}

fn attributes() -> impl Strategy<Value = BTreeMap<AttributeName, Vec<AttributeValue>>> {
    let value = (select(vec!["x", "y", "z"]), provenances()).prop_map(|(text, provenance)| AttributeValue {
        text: text.into(),
        provenance,
        searchable: false,
    });
    vec(value, 0..3).prop_map(|values| {
        let named = |values: Vec<_>| [(AttributeName::new("department").unwrap(), values)].into();
        if values.is_empty() { BTreeMap::new() } else { named(values) }
    })
}

fn accounts() -> impl Strategy<Value = Account> {
    (states(), grants(), emails(), attributes(), option::of(instants()), any::<bool>()).prop_map(
        |(state, grants, email, attributes, ends_at, named)| {
            let mut mint = Mint::new(instant("2026-01-01T00:00:00Z"), [1; 16]);
            let mut account =
                Account::begin(mint.account(), tenant(), state, instant("2026-01-01T00:00:00Z"));
            account.grants = grants;
            account.email = email;
            account.attributes = attributes;
            account.ends_at = ends_at;
            account.user_name = named.then(|| UserName::new("present").unwrap());
            account
        },
    )
}

/// One claim in one of its four states.
#[derive(Clone, Debug)]
enum Said {
    Nothing,
    Empty,
    Values(Vec<&'static str>),
    Cut(Vec<&'static str>),
}

fn said(words: &'static [&'static str]) -> impl Strategy<Value = Said> {
    let some = || proptest::sample::subsequence(words, 1..=words.len());
    prop_oneof![
        Just(Said::Nothing),
        Just(Said::Empty),
        some().prop_map(Said::Values),
        some().prop_map(Said::Cut)
    ]
}

fn spoken() -> impl Strategy<Value = Claims> {
    let address = select(vec![None, Some("a@example.com"), Some("b@example.com"), Some("d@elsewhere.org")]);
    (said(&ROLES), said(&["x", "y"]), address, option::of(any::<bool>()), any::<bool>()).prop_map(
        |(groups, department, address, verified, named)| {
            let mut members = Map::new();
            let mut cut = Vec::new();
            for (name, said) in [("groups", groups), ("department", department)] {
                match said {
                    Said::Nothing => {}
                    Said::Empty => drop(members.insert(name.into(), json!([]))),
                    Said::Values(values) => drop(members.insert(name.into(), json!(values))),
                    Said::Cut(values) => {
                        members.insert(name.into(), json!(values));
                        cut.push(name);
                    }
                }
            }
            members.extend(address.map(|address| ("email".to_owned(), Value::from(address))));
            members.extend(verified.map(|verified| ("email_verified".to_owned(), Value::from(verified))));
            members.extend(named.then(|| ("preferred_username".to_owned(), Value::from("wished"))));
            cut.into_iter().fold(Claims::new(members), Claims::truncated)
        },
    )
}

fn permits() -> impl Strategy<Value = Permit> {
    let ends = prop_oneof![
        Just(None),
        instants().prop_map(|end| Some(GrantEnd::At(end))),
        (1i64..60).prop_map(|days| Some(GrantEnd::Lease(TimeDelta::days(days)))),
    ];
    let account_ends = prop_oneof![
        Just(None),
        instants().prop_map(|end| Some(AccountEnd::At(end))),
        (1i64..600).prop_map(|days| Some(AccountEnd::AfterCreation(TimeDelta::days(days)))),
    ];
    let idle = option::of((1i64..400).prop_map(TimeDelta::days));
    (vec(select(ROLES.to_vec()), 0..3), option::of(ceilings()), ends, account_ends, idle).prop_map(
        |(entitlements, ceiling, grant_end, account_end, idle_limit)| Permit {
            rule: Some(rule("permitting")),
            entitlements: entitlements.into_iter().map(role).collect(),
            ceiling,
            grant_end,
            account_end,
            idle_limit,
            session_limit: None,
        },
    )
}

fn ceilings() -> impl Strategy<Value = Vec<EntitlementPattern>> {
    select(vec![vec!["role:*"], vec!["role:reader", "role:e*"], vec!["role:admin"], vec![]])
        .prop_map(|patterns| patterns.iter().map(|pattern| pattern.parse().unwrap()).collect())
}

fn answers() -> impl Strategy<Value = Answers> {
    let proofs = select(vec![
        None,
        Some(LinkProof::OtherIdentity),
        Some(LinkProof::Mail),
        Some(LinkProof::Reauthentication),
    ]);
    (any::<bool>(), any::<bool>(), any::<bool>(), proofs).prop_map(
        |(consents, named, password_taken, link_proof)| Answers {
            consents: if consents { ["terms".to_owned()].into() } else { BTreeSet::new() },
            user_name: named.then(|| UserName::new("chosen").unwrap()),
            password_taken,
            link_proof,
        },
    )
}

fn asks() -> impl Strategy<Value = BTreeSet<Ask>> {
    let all = vec![Ask::Consent("terms".into()), Ask::UserName, Ask::Password, Ask::LinkProof, Ask::Approval];
    prop_oneof![3 => Just(BTreeSet::new()), 1 => proptest::sample::subsequence(all, 0..=5).prop_map(|asks| asks.into_iter().collect())]
}

fn conflicts() -> impl Strategy<Value = (ImportRule, ConflictRule)> {
    (
        select(vec![ImportRule::Ignore, ImportRule::Suggest, ImportRule::Force, ImportRule::Require]),
        select(vec![ConflictRule::Fail, ConflictRule::Add, ConflictRule::Replace, ConflictRule::Set]),
    )
}

#[derive(Clone, Copy, Debug)]
enum Meets {
    Nobody,
    Linked,
    Candidate(Option<LinkProof>),
}

fn meets() -> impl Strategy<Value = Meets> {
    prop_oneof![
        1 => Just(Meets::Nobody),
        3 => Just(Meets::Linked),
        1 => select(vec![None, Some(LinkProof::AuthoritativeEmail), Some(LinkProof::MatchedAttribute)]).prop_map(Meets::Candidate),
    ]
}

#[derive(Clone, Debug)]
struct Case {
    account: Account,
    claims: Claims,
    permit: Permit,
    asks: BTreeSet<Ask>,
    answers: Answers,
    ceiling: Vec<EntitlementPattern>,
    rules: (ImportRule, ConflictRule),
    meets: Meets,
    elsewhere: bool,
    keep: bool,
}

fn cases() -> impl Strategy<Value = Case> {
    let world = (accounts(), spoken(), permits(), asks(), answers());
    (world, ceilings(), conflicts(), meets(), any::<bool>(), any::<bool>()).prop_map(
        |((account, claims, permit, asks, answers), ceiling, rules, meets, elsewhere, keep)| Case {
            account,
            claims,
            permit,
            asks,
            answers,
            ceiling,
            rules,
            meets,
            elsewhere,
            keep,
        },
    )
}

struct Bench {
    settings: ConnectionSettings,
    attestor: Attestor,
    mapper: PlainMapper,
    protection: Protection,
    keep: BTreeSet<Entitlement>,
}

impl Bench {
    fn of(case: &Case) -> Self {
        let mut wire = wire("corp").speaks_for("example.com");
        wire.settings.ceiling.clone_from(&case.ceiling);
        let mapper = PlainMapper { import: case.rules.0, conflict: case.rules.1, ..PlainMapper::default() };
        let settings = wire.settings.clone();
        let (_, attestor) = Connection::define(
            wire.settings,
            std::sync::Arc::new(mapper.clone()),
            std::sync::Arc::new(wire.policy),
        );
        let keep = if case.keep { [role("admin")].into() } else { BTreeSet::new() };
        let protection =
            Protection::new().protect(role("admin")).includes(role("editor"), vec![role("reader")]);
        Self { settings, attestor, mapper, protection, keep }
    }

    fn identity(&self, case: &Case) -> VerifiedIdentity {
        attest(&self.attestor, "s1", case.claims.clone())
    }

    fn plan(&self, case: &Case, present: Present<'_>) -> (SignInPlan, VerifiedIdentity) {
        let identity = self.identity(case);
        let profile = self.mapper.map(&identity).unwrap();
        let email = profile.email.clone().map(|claim| EmailEvidence::grade(claim, &self.settings.domains));
        let taken = BTreeSet::new();
        let plan = plan_sign_in(
            &SignInFacts {
                identity: &identity,
                profile: &profile,
                email: email.as_ref(),
                email_is_elsewhere: case.elsewhere,
                present,
                permit: &case.permit,
                asks: &case.asks,
                answers: &case.answers,
                settings: &self.settings,
                protection: &self.protection,
                taken: &taken,
                keep: &self.keep,
                now: now(),
            },
            &mut Mint::new(now(), [5; 16]),
        );
        (plan, identity)
    }
}

/// Brings the account into the shape in which the case meets it.
fn scene(case: &Case, bench: &Bench) -> Account {
    let mut account = case.account.clone();
    if matches!(case.meets, Meets::Linked) {
        let key = bench.identity(case).key().clone();
        account.identities.push(LinkedIdentity {
            key,
            linked_at: account.created_at,
            proof: LinkProof::FirstSignIn,
        });
    }
    account
}

fn present<'a>(case: &Case, account: &'a Account) -> Present<'a> {
    match case.meets {
        Meets::Nobody => Present::Nobody,
        Meets::Linked => Present::Linked(account),
        Meets::Candidate(proof) => Present::Candidate { account, proof },
    }
}

fn changes(plan: &SignInPlan) -> Option<&Plan> {
    match plan {
        SignInPlan::Go(plan) | SignInPlan::Await(plan) => Some(plan),
        SignInPlan::Ask(_) | SignInPlan::Deny(_) => None,
    }
}

fn is_ours(provenance: &Provenance) -> bool {
    provenance.source == Source::Connection(connection_id("corp"))
}

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
            prop_assert!(matches!(plan, SignInPlan::Deny(_)), "{plan:?}");
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
