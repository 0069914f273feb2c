//! Turns rules into a policy: everything is read, sorted and numbered once, so that a decision allocates nothing on its way.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use async_trait::async_trait;
use ipnet::IpNet;

use super::{
    answer::Answer,
    block::{BLOCK, Block},
    facts::{Facts, KEPT, Reading, Source},
    format::{ClaimTest, Conditions, Day, Hours, PolicyRule, PolicyRules},
    found::{Found, LITERALS},
    text::Network,
    weigh::{AddressRange, ClaimValuesTest, EntitlementTest, Test, Verdict, Wanted, Window, all},
};
use crate::{
    ClaimPath, Code, Decision, Denial, EmailTrust, EntitlementPattern, Finding, Hold, Policy, Request,
    RuleName, Stage, Step, Trace,
    config::{Check as _, Problems},
    literals::Literals,
    mapping::expression::Expression,
};

/// Decides by rules: the first that applies, and no where none does.
///
/// A rule that permits or holds applies only when each of its conditions is proved. A rule that denies applies in the
/// same case; and where it cannot be told whether it applies, because a claim is cut or the client's address is unknown,
/// the answer is no as well (`policy.undecided`).
#[derive(Clone, Debug)]
pub struct RulePolicy {
    rules: Box<[Rule]>,
    blocks: Box<[Block]>,
    readings: Box<[Reading]>,
}

#[derive(Clone, Debug)]
struct Rule {
    name: RuleName,
    tests: Box<[Test]>,
    answer: Answer,
}

impl Rule {
    /// Decides where the rule applies, or where a rule that denies may apply; `None` leaves it to the next rule.
    fn conclude(
        &self,
        verdict: Verdict,
        request: &Request<'_>,
        undecided: &mut Vec<RuleName>,
    ) -> Option<Decision> {
        match verdict {
            Verdict::Holds => {
                let mut decision = self.answer.give(request);
                add_undecided(&mut decision, undecided);
                Some(decision)
            }
            Verdict::Open if self.answer.denies() => {
                Some(Decision::Deny(Denial::new(Code::new("policy.undecided")).by(self.name.clone())))
            }
            Verdict::Open | Verdict::Silent => {
                undecided.push(self.name.clone());
                None
            }
            Verdict::Fails => None,
        }
    }
}

impl RulePolicy {
    /// Checks rules and takes them.
    ///
    /// # Errors
    /// [`Problems`] with the codes that the check of [`PolicyRules`] reports.
    pub fn new(rules: &PolicyRules) -> Result<Self, Problems> {
        let mut found = Problems::none();
        rules.check(&mut found);
        found.or(())?;
        let mut sources = Sources::default();
        let rules: Box<[Rule]> = rules.rules.iter().map(|rule| sources.rule(rule)).collect();
        let tests = |block: &[Rule]| Block::new(block.iter().map(|rule| &*rule.tests));
        let blocks = rules.chunks(BLOCK).map(tests).collect();
        let readings = sources.readings()?;
        Ok(Self { rules, blocks, readings })
    }

    /// Decides without waiting for anything, and notes in `trace` how each rule that was weighed came out.
    #[must_use]
    pub fn weigh(&self, request: &Request<'_>, trace: &mut Trace) -> Decision {
        let mut facts = Facts::new(request, &self.readings);
        let mut undecided = Vec::new();
        for (block, rules) in self.blocks.iter().zip(self.rules.chunks(BLOCK)) {
            // Of a rule that fails only an explanation says which test did.
            let mut open = block.open(trace.is_on());
            while let Some(rule) = open.next(&mut facts).and_then(|place| rules.get(place)) {
                let (verdict, worst) = all(&rule.tests, &mut facts);
                if !trace.is_on() && verdict == Verdict::Fails {
                    continue;
                }
                let decided = rule.conclude(verdict, request, &mut undecided);
                trace.note(|| step(rule, verdict, worst, decided.as_ref(), &facts));
                if let Some(decision) = decided {
                    return decision;
                }
            }
        }
        trace.note(|| Step {
            stage: Stage::Decide,
            rule: None,
            finding: Finding::Refused,
            detail: "no rule applies".to_owned(),
        });
        Decision::Deny(Denial::new(Code::new("policy.no_rule")))
    }
}

/// What a rule gave earlier stays while what it goes by is missing or cut.
fn add_undecided(decision: &mut Decision, undecided: &mut Vec<RuleName>) {
    if let Decision::Permit(permit) | Decision::Hold(Hold { permit, .. }) = decision {
        permit.undecided = std::mem::take(undecided);
    }
}

#[async_trait]
impl Policy for RulePolicy {
    fn is_pure(&self) -> bool {
        true
    }

    async fn decide<'a>(&self, request: &Request<'a>, trace: &mut Trace) -> Decision {
        self.weigh(request, trace)
    }
}

/// Says in words how a rule came out: the condition and the claim by name, never a value.
fn step(
    rule: &Rule,
    verdict: Verdict,
    worst: Option<&Test>,
    decided: Option<&Decision>,
    facts: &Facts<'_>,
) -> Step {
    let condition = worst.map_or_else(String::new, |test| described(test, facts));
    let detail = match (decided, verdict) {
        (Some(Decision::Permit(_)), _) => "permits".to_owned(),
        (Some(Decision::Hold(_)), _) => "permits once its asks are answered".to_owned(),
        (Some(Decision::Deny(_)), Verdict::Open) => {
            format!("denies, as it cannot be told whether {condition} holds")
        }
        (Some(Decision::Deny(denial)), _) => format!("denies with `{}`", denial.code),
        (None, Verdict::Silent) => format!("{condition} has nothing to go by"),
        (None, Verdict::Open) => format!("it cannot be told whether {condition} holds"),
        (None, Verdict::Fails | Verdict::Holds) => format!("{condition} does not hold"),
    };
    let finding = if decided.is_some() { Finding::Decided } else { Finding::Skipped };
    Step { stage: Stage::Decide, rule: Some(rule.name.clone()), finding, detail }
}

fn described(test: &Test, facts: &Facts<'_>) -> String {
    let claim = test.source().and_then(|source| facts.claim(source));
    match claim {
        Some(claim) => format!("`claim` on `{claim}`"),
        None => format!("`{}`", test.name()),
    }
}

/// Numbers of the texts that rules look for in one source: whole, and as beginnings.
type Numbers = [BTreeMap<String, u8>; 2];

/// Says how much of a text must be as a rule writes it.
#[derive(Clone, Copy)]
enum Extent {
    Whole,
    Begin,
}

/// Numbers sources and the texts that rules look for in them.
#[derive(Default)]
struct Sources {
    list: Vec<(Source, Numbers)>,
    literals: usize,
    found: Problems,
}

impl Sources {
    fn rule(&mut self, rule: &PolicyRule) -> Rule {
        let answer = Answer::of(rule);
        // In a rule that denies, an address counts at any grade: a doubtful one must not slip past.
        let least = if answer.denies() { EmailTrust::Refuted } else { EmailTrust::Authoritative };
        let tests = self.conditions(&rule.when, least);
        Rule { name: rule.name.clone(), tests, answer }
    }

    fn conditions(&mut self, when: &Conditions, least: EmailTrust) -> Box<[Test]> {
        let mut tests = Vec::new();
        tests.extend(when.connection.as_deref().map(|any| Test::Connection(any.into())));
        tests.extend(when.tenant.as_deref().map(|any| Test::Tenant(any.into())));
        tests.extend(when.account.as_deref().map(|any| Test::Account(any.into())));
        tests.extend(when.email_trust.map(Test::EmailTrust));
        tests.extend(when.email_domain.as_deref().map(|patterns| Test::EmailDomain {
            patterns: patterns.into(),
            least: when.email_trust.unwrap_or(least),
        }));
        tests.extend(when.network.as_deref().map(|any| Test::Network(any.iter().map(range).collect())));
        tests.extend(when.hours.as_ref().map(|any| Test::Hours(any.iter().map(window).collect())));
        tests.extend(when.not_before.map(|start| Test::NotBefore(start.0)));
        tests.extend(when.not_after.map(|end| Test::NotAfter(end.0)));
        tests.extend(when.acr.as_deref().map(|any| Test::Acr(texts(any))));
        tests.extend(when.amr.as_ref().map(|amr| Test::Amr {
            any: amr.any.as_deref().map(texts),
            all: amr.all.as_deref().map(texts).unwrap_or_default(),
        }));
        tests.extend(when.max_auth_age.map(|age| Test::MaxAuthAge(age.delta())));
        self.texts_of_sources(when, &mut tests);
        if let Some(not) = &when.not {
            tests.push(Test::Not(self.conditions(not, EmailTrust::Authoritative)));
        }
        let expression = when.expression.as_ref().and_then(|text| Expression::new_in(text, &mut self.found));
        tests.extend(expression.map(|expression| Test::Expression(Arc::new(expression))));
        tests.into()
    }

    fn texts_of_sources(&mut self, when: &Conditions, tests: &mut Vec<Test>) {
        let groups =
            when.groups.iter().filter_map(|test| Some((test, test.name.clone().or_else(groups_claim)?)));
        let claims = when.claim.iter().flatten().filter_map(|test| Some((test, test.name.clone()?)));
        for (test, claim) in groups.chain(claims) {
            tests.push(self.claim(test, claim));
        }
        for (name, negated, source, patterns) in [
            ("wished", false, Source::Wished, &when.wished),
            ("holds", false, Source::Held, &when.holds),
            ("not_holds", true, Source::Held, &when.not_holds),
        ] {
            if let Some(patterns) = patterns {
                tests.push(Test::Entitlement { name, negated, test: self.entitlements(patterns, source) });
            }
        }
    }

    fn claim(&mut self, test: &ClaimTest, claim: ClaimPath) -> Test {
        let source = self.source(Source::Claim(claim));
        let test = ClaimValuesTest {
            source,
            any: test.any.as_deref().map(|any| self.wanted(source, Extent::Whole, any)),
            contains: test.contains.as_deref().map(|all| self.wanted(source, Extent::Whole, all)),
            prefix: test.prefix.as_deref().map(|any| self.wanted(source, Extent::Begin, any)),
            is: test.is,
        };
        match test {
            ClaimValuesTest { any: Some(any), contains: None, prefix: None, is: None, .. }
                if any.beyond.is_empty() =>
            {
                Test::ClaimAny { source, wanted: any.numbered }
            }
            test => Test::Claim(test),
        }
    }

    fn entitlements(&mut self, patterns: &[EntitlementPattern], source: Source) -> EntitlementTest {
        let source = self.source(source);
        let (exact, begin): (Vec<_>, Vec<_>) = patterns.iter().partition(|pattern| pattern.is_exact());
        let exact: Vec<String> = exact.into_iter().cloned().map(String::from).collect();
        let begin = begin.into_iter().cloned().map(String::from);
        let begin: Vec<String> = begin.map(|text| text.trim_end_matches('*').to_owned()).collect();
        EntitlementTest {
            source,
            exact: self.wanted(source, Extent::Whole, &exact),
            begin: self.wanted(source, Extent::Begin, &begin),
        }
    }

    fn source(&mut self, source: Source) -> usize {
        self.list.iter().position(|(known, _)| *known == source).unwrap_or_else(|| {
            self.list.push((source, Numbers::default()));
            self.list.len() - 1
        })
    }

    fn wanted(&mut self, source: usize, extent: Extent, texts: &[String]) -> Wanted {
        let mut numbered = Found::default();
        let mut beyond = Vec::new();
        for text in texts {
            match self.number(source, extent, text) {
                Some(number) => numbered.add(number),
                None => beyond.push(text.as_str().into()),
            }
        }
        Wanted { numbered, beyond: beyond.into() }
    }

    /// The number of a text; `None` where there are too many sources or texts to number.
    fn number(&mut self, source: usize, extent: Extent, text: &str) -> Option<u8> {
        let (_, [whole, begin]) = self.list.get_mut(source).filter(|_| source < KEPT)?;
        let numbers = match extent {
            Extent::Whole => whole,
            Extent::Begin => begin,
        };
        if let Some(&number) = numbers.get(text) {
            return Some(number);
        }
        let number = u8::try_from(self.literals).ok().filter(|_| self.literals < LITERALS)?;
        self.literals += 1;
        numbers.insert(text.to_owned(), number);
        Some(number)
    }

    /// Everything that rules read; or what could not be compiled, so that no condition is ever left out.
    fn readings(self) -> Result<Box<[Reading]>, Problems> {
        let reading = |(source, [whole, begin]): (Source, Numbers)| Reading {
            source,
            literals: Literals::new(&whole),
            begins: Literals::new(&begin),
            lengths: begin.keys().map(String::len).collect::<BTreeSet<_>>().into_iter().collect(),
        };
        let readings = self.list.into_iter().map(reading).collect();
        self.found.or(readings)
    }
}

fn groups_claim() -> Option<ClaimPath> {
    ClaimPath::new("groups").ok()
}

fn texts(list: &[String]) -> Box<[Box<str>]> {
    list.iter().map(|text| text.as_str().into()).collect()
}

fn range(network: &Network) -> AddressRange {
    match network.net() {
        IpNet::V4(net) => AddressRange::V4(net.network().to_bits(), net.netmask().to_bits()),
        IpNet::V6(net) => AddressRange::V6(net.network().to_bits(), net.netmask().to_bits()),
    }
}

fn window(hours: &Hours) -> Window {
    let bit = |day: &Day| 1_u8 << (*day as u8);
    Window {
        days: hours.days.as_ref().map_or(0b111_1111, |days| days.iter().fold(0, |bits, day| bits | bit(day))),
        from: hours.from.minutes(),
        to: hours.to.minutes(),
        offset: hours.offset.minutes(),
    }
}
