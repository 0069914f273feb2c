//! Random accounts, claims, permits and answers.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::*;
use chrono::{DateTime, TimeDelta, Utc};
use jit_core::*;
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Map, Value, json};

pub(crate) const ROLES: [&str; 4] = ["reader", "editor", "admin", "auditor"];

pub(crate) fn now() -> DateTime<Utc> {
    instant("2026-11-21T09:00:00Z")
}

pub(crate) fn instants() -> impl Strategy<Value = DateTime<Utc>> {
    (-40i64..40).prop_map(|days| now() + TimeDelta::days(days))
}

pub(crate) fn later() -> impl Strategy<Value = DateTime<Utc>> {
    (1i64..40).prop_map(|days| now() + TimeDelta::days(days))
}

pub(crate) fn connection_id(name: &str) -> ConnectionId {
    ConnectionId::new(name).unwrap()
}

pub(crate) fn sources() -> impl Strategy<Value = Source> {
    select(vec![
        Source::Connection(connection_id("corp")),
        Source::Connection(connection_id("other")),
        Source::Administrator,
        Source::Person,
    ])
}

pub(crate) fn provenances() -> impl Strategy<Value = Provenance> {
    let claims = select(vec![None, Some("groups"), Some("department"), Some("gone")]);
    (sources(), claims).prop_map(|(source, claim)| Provenance {
        source,
        rule: Some(rule("old")),
        claim: claim.map(Into::into),
    })
}

pub(crate) fn grants() -> impl Strategy<Value = Vec<Grant>> {
    let one = (select(ROLES.to_vec()), provenances(), option::of(instants()));
    vec(one, 0..5).prop_map(|grants| {
        let mut mint = Mint::new(instant("2026-01-01T00:00:00Z"), [3; 16]);
        let given_at = instant("2026-01-01T00:00:00Z");
        let make = |(name, provenance, ends_at)| {
            Grant::new(mint.grant(), role(name), provenance, given_at).until(ends_at)
        };
        grants.into_iter().map(make).collect()
    })
}

pub(crate) fn states() -> impl Strategy<Value = AccountState> {
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

pub(crate) fn emails() -> impl Strategy<Value = Option<AccountEmail>> {
    let trusts = select(vec![EmailTrust::Unstated, EmailTrust::Asserted, EmailTrust::Authoritative]);
    let one = (select(vec!["a@example.com", "b@example.com", "c@elsewhere.org"]), trusts, provenances());
    option::of(one.prop_map(|(address, trust, provenance)| AccountEmail {
        address: EmailAddress::new(address).unwrap(),
        trust,
        provenance,
    }))
}

pub(crate) fn attributes() -> impl Strategy<Value = BTreeMap<AttributeName, Vec<AttributeValue>>> {
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

fn account_id() -> AccountId {
    Mint::new(instant("2026-01-01T00:00:00Z"), [1; 16]).account()
}

fn other_account_id() -> AccountId {
    Mint::new(instant("2026-01-01T00:00:00Z"), [2; 16]).account()
}

pub(crate) fn accounts() -> impl Strategy<Value = Account> {
    (states(), grants(), emails(), attributes(), option::of(instants()), any::<bool>()).prop_map(
        |(state, grants, email, attributes, ends_at, named)| {
            let mut account = Account::begin(account_id(), tenant(), state, instant("2026-01-01T00:00:00Z"));
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
pub(crate) enum Said {
    Nothing,
    Empty,
    Values(Vec<&'static str>),
    Cut(Vec<&'static str>),
}

pub(crate) fn said(words: &'static [&'static str]) -> impl Strategy<Value = Said> {
    let some = || proptest::sample::subsequence(words, 1..=words.len());
    prop_oneof![
        Just(Said::Nothing),
        Just(Said::Empty),
        some().prop_map(Said::Values),
        some().prop_map(Said::Cut)
    ]
}

pub(crate) fn spoken() -> impl Strategy<Value = Claims> {
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

pub(crate) fn permits() -> impl Strategy<Value = Permit> {
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
            undecided: Vec::new(),
        },
    )
}

pub(crate) fn ceilings() -> impl Strategy<Value = Vec<EntitlementPattern>> {
    select(vec![vec!["role:*"], vec!["role:reader", "role:e*"], vec!["role:admin"], vec![]])
        .prop_map(|patterns| patterns.iter().map(|pattern| pattern.parse().unwrap()).collect())
}

pub(crate) fn answers() -> impl Strategy<Value = Answers> {
    let proofs = select(vec![
        None,
        Some(LinkProof::OtherIdentity),
        Some(LinkProof::Mail),
        Some(LinkProof::Reauthentication),
    ]);
    let proofs = (proofs, select(vec![account_id(), other_account_id()]));
    (any::<bool>(), any::<bool>(), any::<bool>(), proofs).prop_map(
        |(consents, named, password_taken, (proof, account))| Answers {
            consents: if consents { ["terms".to_owned()].into() } else { BTreeSet::new() },
            user_name: named.then(|| UserName::new("chosen").unwrap()),
            password_taken,
            link_proof: proof.map(|proof| (account, proof)),
        },
    )
}

pub(crate) fn asks() -> impl Strategy<Value = BTreeSet<Ask>> {
    let all = vec![Ask::Consent("terms".into()), Ask::UserName, Ask::Password, Ask::LinkProof, Ask::Approval];
    prop_oneof![3 => Just(BTreeSet::new()), 1 => proptest::sample::subsequence(all, 0..=5).prop_map(|asks| asks.into_iter().collect())]
}

pub(crate) fn conflicts() -> impl Strategy<Value = (ImportRule, ConflictRule)> {
    (
        select(vec![ImportRule::Ignore, ImportRule::Suggest, ImportRule::Force, ImportRule::Require]),
        select(vec![ConflictRule::Fail, ConflictRule::Add, ConflictRule::Replace, ConflictRule::Set]),
    )
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Meets {
    Nobody,
    Linked,
    Candidate(Option<LinkProof>),
}

pub(crate) fn meets() -> impl Strategy<Value = Meets> {
    prop_oneof![
        1 => Just(Meets::Nobody),
        3 => Just(Meets::Linked),
        1 => select(vec![None, Some(LinkProof::AuthoritativeEmail), Some(LinkProof::MatchedAttribute)]).prop_map(Meets::Candidate),
    ]
}

#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) account: Account,
    pub(crate) claims: Claims,
    pub(crate) permit: Permit,
    pub(crate) asks: BTreeSet<Ask>,
    pub(crate) answers: Answers,
    pub(crate) ceiling: Vec<EntitlementPattern>,
    pub(crate) rules: (ImportRule, ConflictRule),
    pub(crate) meets: Meets,
    pub(crate) elsewhere: bool,
    pub(crate) keep: bool,
}

pub(crate) fn cases() -> impl Strategy<Value = Case> {
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

pub(crate) struct Bench {
    pub(crate) settings: ConnectionSettings,
    pub(crate) attestor: Attestor,
    pub(crate) mapper: PlainMapper,
    pub(crate) protection: Protection,
    pub(crate) keep: BTreeSet<Entitlement>,
}

impl Bench {
    pub(crate) fn of(case: &Case) -> Self {
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

    pub(crate) fn identity(&self, case: &Case) -> VerifiedIdentity {
        attest(&self.attestor, "s1", case.claims.clone())
    }

    pub(crate) fn plan(&self, case: &Case, present: Present<'_>) -> (SignInPlan, VerifiedIdentity) {
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
                source: SameSource::default(),
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
pub(crate) fn scene(case: &Case, bench: &Bench) -> Account {
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

pub(crate) fn present<'a>(case: &Case, account: &'a Account) -> Present<'a> {
    match case.meets {
        Meets::Nobody => Present::Nobody,
        Meets::Linked => Present::Linked(account),
        Meets::Candidate(proof) => Present::Candidate { account, proof },
    }
}

pub(crate) fn changes(plan: &SignInPlan) -> Option<&Plan> {
    match plan {
        SignInPlan::Go(plan) | SignInPlan::Await(plan) => Some(plan),
        SignInPlan::Ask(_) | SignInPlan::Deny(_) | SignInPlan::End(..) => None,
    }
}

pub(crate) fn is_ours(provenance: &Provenance) -> bool {
    provenance.source == Source::Connection(connection_id("corp"))
}
