mod answers;
mod conditions;
mod load;
mod order;

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::{
    Account, AccountId, AccountState, Assurance, Attestation, Attestor, Check, Checks, Claims, Context,
    Decision, EmailAddress, EmailEvidence, EmailTrust, Entitlement, EntitlementWish, Grant, GrantId,
    IssuerSet, LinkProof, PolicyRules, Present, Profile, Provenance, Request, RuleName, RulePolicy,
    SessionHint, Source, Stability, Step, Trace, VerifiedIdentity,
    config::{Format, Problems, load},
    identity::Seal,
};

/// A Wednesday, ten o'clock in UTC.
const NOW: &str = "2026-07-01T10:00:00Z";

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
}

/// Says which account a sign-in meets.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Meets {
    Nobody,
    Linked,
    Candidate,
    Proved,
    Several,
}

/// Describes a sign-in.
#[derive(Clone, Debug)]
struct Case {
    claims: Value,
    truncated: Vec<&'static str>,
    email: Option<(&'static str, EmailTrust)>,
    meets: Meets,
    state: AccountState,
    holds: Vec<(&'static str, Option<&'static str>)>,
    wished: Vec<&'static str>,
    client: Option<&'static str>,
    now: &'static str,
    acr: Option<&'static str>,
    amr: Vec<&'static str>,
    authenticated_at: Option<&'static str>,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            claims: json!({}),
            truncated: Vec::new(),
            email: None,
            meets: Meets::Nobody,
            state: AccountState::Active,
            holds: Vec::new(),
            wished: Vec::new(),
            client: None,
            now: NOW,
            acr: None,
            amr: Vec::new(),
            authenticated_at: None,
        }
    }
}

fn policy(rules: &str) -> RulePolicy {
    RulePolicy::new(&read(rules).unwrap_or_else(|problems| panic!("{problems}"))).unwrap()
}

fn read(rules: &str) -> Result<PolicyRules, Problems> {
    load(rules, Format::Toml, "rules.toml")
}

impl Case {
    fn identity(&self) -> VerifiedIdentity {
        let seal = Seal {
            tenant: "acme".parse().unwrap(),
            connection: "entra".parse().unwrap(),
            issuers: IssuerSet::one("https://idp.example".parse().unwrap()),
        };
        let Value::Object(members) = self.claims.clone() else { panic!("an object") };
        let made = || Check::Made("test".into());
        Attestor::new(Arc::new(seal))
            .attest(Attestation {
                issuer: "https://idp.example".parse().unwrap(),
                subject: "s-1".parse().unwrap(),
                stability: Stability::Persistent,
                claims: self
                    .truncated
                    .iter()
                    .fold(Claims::new(members), |claims, name| claims.truncated(*name)),
                assurance: Assurance {
                    context: self.acr.map(Into::into),
                    methods: self.amr.iter().map(|&method| method.into()).collect(),
                    authenticated_at: self.authenticated_at.map(at),
                },
                session: SessionHint::default(),
                checks: Checks { origin: made(), audience: made(), freshness: made(), replay: made() },
            })
            .unwrap()
    }

    fn account(&self) -> Account {
        let id = AccountId::from_uuid(uuid::Uuid::from_u128(7));
        let mut account = Account::begin(id, "acme".parse().unwrap(), self.state.clone(), at(NOW));
        account.grants = self
            .holds
            .iter()
            .map(|(entitlement, ends_at)| {
                Grant::new(
                    GrantId::from_uuid(uuid::Uuid::from_u128(8)),
                    entitlement.parse().unwrap(),
                    Provenance::of(Source::Person),
                    at(NOW),
                )
                .until(ends_at.map(at))
            })
            .collect();
        account
    }

    fn decide(&self, policy: &RulePolicy) -> Decision {
        self.explain(policy).0
    }

    fn explain(&self, policy: &RulePolicy) -> (Decision, Vec<Step>) {
        let (identity, account) = (self.identity(), self.account());
        let rule: RuleName = "mapping".parse().unwrap();
        let wish = |text: &&str| EntitlementWish {
            entitlement: text.parse::<Entitlement>().unwrap(),
            rule: rule.clone(),
            claim: None,
        };
        let profile = Profile { entitlements: self.wished.iter().map(wish).collect(), ..Profile::default() };
        let email = self
            .email
            .map(|(address, trust)| EmailEvidence { address: EmailAddress::new(address).unwrap(), trust });
        let context = Context { client: self.client.map(|text| text.parse::<IpAddr>().unwrap()) };
        let candidate = |proof| Present::Candidate { account: &account, proof };
        let request = Request {
            identity: &identity,
            profile: &profile,
            email: email.as_ref(),
            present: match self.meets {
                Meets::Nobody => Present::Nobody,
                Meets::Linked => Present::Linked(&account),
                Meets::Candidate => candidate(None),
                Meets::Proved => candidate(Some(LinkProof::AuthoritativeEmail)),
                Meets::Several => Present::Ambiguous,
            },
            context: &context,
            now: at(self.now),
        };
        let quiet = policy.weigh(&request, &mut Trace::off());
        let mut trace = Trace::on();
        let decision = policy.weigh(&request, &mut trace);
        assert_eq!(quiet, decision, "a trace must not change a decision");
        (decision, trace.into_steps())
    }
}

fn with_claims(claims: Value) -> Case {
    Case { claims, ..Case::default() }
}

/// A word for a decision: `permit`, `hold` or the code of the denial, with the rule where one decided.
fn word(decision: &Decision) -> String {
    let by = |rule: Option<&RuleName>| rule.map_or(String::new(), |rule| format!(" by {rule}"));
    match decision {
        Decision::Permit(permit) => format!("permit{}", by(permit.rule.as_ref())),
        Decision::Hold(hold) => format!("hold{}", by(hold.permit.rule.as_ref())),
        Decision::Deny(denial) => format!("{}{}", denial.code, by(denial.rule.as_ref())),
    }
}

/// How a condition comes out, seen from outside only: by what rules that permit and deny on it do.
fn outcome(when: &str, case: &Case) -> &'static str {
    let permits = |when: &str| {
        let rules = format!("[[rule]]\nname = 'r'\npermit = {{}}\n[rule.when]\n{when}");
        matches!(case.decide(&policy(&rules)), Decision::Permit(_))
    };
    let denies = format!(
        "[[rule]]\nname = 'd'\ndeny = {{ message = 'no' }}\n[rule.when]\n{when}\n[[rule]]\nname = 'p'\npermit = {{}}"
    );
    let inner = when.lines().map(|line| format!("not.{}", line.trim())).collect::<Vec<_>>().join("\n");
    match (permits(when), permits(&inner), word(&case.decide(&policy(&denies))).as_str()) {
        (true, false, "policy.denied by d") => "holds",
        (false, true, "permit by p") => "fails",
        (false, false, "permit by p") => "silent",
        (false, false, "policy.undecided by d") => "open",
        other => panic!("{when}: contradiction {other:?}"),
    }
}

/// Fills a claim with many values.
fn many(count: usize) -> Map<String, Value> {
    (0..count).map(|n| (format!("claim-{n}"), json!([format!("a-{n}"), format!("b-{n}")]))).collect()
}

fn states() -> BTreeMap<&'static str, AccountState> {
    let since = at(NOW);
    BTreeMap::from([
        ("invited", AccountState::Invited),
        ("pending", AccountState::Pending { since }),
        ("active", AccountState::Active),
    ])
}
