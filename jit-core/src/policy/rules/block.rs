//! Tells of many rules at once that they fail: most of them need something that a sign-in does not have.

use std::collections::BTreeMap;

use super::{
    facts::{Facts, KEPT},
    found::LITERALS,
    weigh::{AddressRange, Key, Test, Verdict},
};
use crate::{DomainPattern, EmailEvidence, EmailTrust, literals::Literals};

/// How many rules make a block.
pub(super) const BLOCK: usize = 64;
/// The most networks of a rule that are looked at together with those of others.
const NETWORKS: usize = 8;

/// Holds rules of a block, one bit each.
type Rules = u64;
/// Holds places to look at, one bit each: what is cheap comes first.
type Places = u32;

const CONTEXT: usize = 0;
const NETWORK: usize = 1;
const DOMAIN: usize = 2;
const SOURCES: usize = 3;

/// Knows what each of up to 64 rules needs, so that a look at one place tells all rules that fail there.
#[derive(Clone, Debug)]
pub(super) struct Block {
    /// The places where each rule needs something.
    needs: Box<[Places]>,
    contexts: (Rules, Literals<Rules>),
    networks: (Rules, Box<[(AddressRange, Rules)]>),
    domains: Domains,
    sources: [Rules; KEPT],
    /// The rules that a text satisfies, by its number.
    texts: Box<[Rules]>,
}

/// Knows the domains that rules need, by the grade from which on an address counts for them.
#[derive(Clone, Debug)]
struct Domains {
    rules: [Rules; GRADES],
    exact: Literals<Rules>,
    parents: Literals<Rules>,
}

const GRADES: usize = EmailTrust::Authoritative as usize + 1;

/// Steps through the rules of a block that are not known to fail.
pub(super) struct Open<'b> {
    block: &'b Block,
    left: Rules,
    /// The places that were looked at.
    known: Places,
}

impl Block {
    /// Takes the tests of each rule.
    pub(super) fn new<'t>(rules: impl Iterator<Item = &'t [Test]>) -> Self {
        let mut draft = Draft::default();
        for (tests, rule) in rules.zip(0_u32..) {
            draft.needs.push(0);
            for test in tests {
                draft.add(test, 1 << rule);
            }
        }
        draft.compile()
    }

    /// Steps through all rules, or only through those that are not known to fail.
    pub(super) fn open(&self, all: bool) -> Open<'_> {
        let beyond = u32::try_from(BLOCK.saturating_sub(self.needs.len())).unwrap_or(0);
        let left = Rules::MAX.checked_shr(beyond).unwrap_or(0);
        Open { block: self, left, known: if all { Places::MAX } else { 0 } }
    }

    /// Looks at one place; tells which rules do not fail there.
    fn kept(&self, place: usize, facts: &mut Facts<'_>) -> Rules {
        let (asks, met) = match place {
            CONTEXT => match &facts.request.identity.assurance().context {
                None => return Rules::MAX,
                Some(context) => (self.contexts.0, self.contexts.1.number(context).unwrap_or(0)),
            },
            NETWORK => match facts.client {
                None => return Rules::MAX,
                Some(client) => {
                    let around = self.networks.1.iter().filter(|(range, _)| range.holds(client));
                    (self.networks.0, around.fold(0, |met, (_, rules)| met | rules))
                }
            },
            DOMAIN => match facts.request.email {
                None => return Rules::MAX,
                Some(email) => (self.domains.asks(email.trust), self.domains.met(email)),
            },
            source => {
                let source = source.saturating_sub(SOURCES);
                if facts.hear(source) != Verdict::Fails {
                    return Rules::MAX;
                }
                (self.sources.get(source).copied().unwrap_or(0), facts.found.join(&self.texts))
            }
        };
        !asks | met
    }
}

impl Domains {
    /// The rules for which an address of this grade counts.
    fn asks(&self, trust: EmailTrust) -> Rules {
        self.rules.iter().take(trust as usize + 1).fold(0, |asks, rules| asks | rules)
    }

    /// The rules that need the domain of this address, or one above it.
    fn met(&self, email: &EmailEvidence) -> Rules {
        let domain = email.address.domain().as_str();
        let mut met = self.exact.number(domain).unwrap_or(0);
        for (at, byte) in domain.bytes().enumerate() {
            if byte == b'.'
                && let Some(parent) = domain.get(at + 1..)
            {
                met |= self.parents.number(parent).unwrap_or(0);
            }
        }
        met
    }
}

impl Open<'_> {
    /// The next rule that is not known to fail; what it needs is looked for first.
    #[inline]
    pub(super) fn next(&mut self, facts: &mut Facts<'_>) -> Option<usize> {
        while self.left != 0 {
            let rule = usize::try_from(self.left.trailing_zeros()).ok()?;
            let unknown = self.block.needs.get(rule)? & !self.known;
            if unknown == 0 {
                self.left &= self.left - 1;
                return Some(rule);
            }
            self.known |= unknown & unknown.wrapping_neg();
            let place = usize::try_from(unknown.trailing_zeros()).ok()?;
            self.left &= self.block.kept(place, facts);
        }
        None
    }
}

/// Collects what rules need.
#[derive(Default)]
struct Draft {
    needs: Vec<Places>,
    contexts: BTreeMap<String, Rules>,
    networks: Vec<(AddressRange, Rules)>,
    domains: [Rules; GRADES],
    exact: BTreeMap<String, Rules>,
    parents: BTreeMap<String, Rules>,
    sources: [Rules; KEPT],
    texts: Vec<Rules>,
    /// The rules that need something, by place.
    at: BTreeMap<usize, Rules>,
}

impl Draft {
    /// Adds what the last rule needs for a test not to fail.
    fn add(&mut self, test: &Test, rule: Rules) {
        match test {
            Test::Acr(any) => {
                any.iter().for_each(|context| *self.contexts.entry(context.to_string()).or_default() |= rule);
                self.need(CONTEXT, rule);
            }
            Test::Network(any) if any.len() <= NETWORKS => {
                self.networks.extend(any.iter().map(|range| (*range, rule)));
                self.need(NETWORK, rule);
            }
            Test::EmailDomain { patterns, least } => {
                for pattern in patterns {
                    let (domains, domain) = match pattern {
                        DomainPattern::Exactly(domain) => (&mut self.exact, domain),
                        DomainPattern::Below(parent) => (&mut self.parents, parent),
                    };
                    *domains.entry(domain.as_str().to_owned()).or_default() |= rule;
                }
                if let Some(rules) = self.domains.get_mut(*least as usize) {
                    *rules |= rule;
                }
                self.need(DOMAIN, rule);
            }
            test => {
                if let Some(key) = test.key() {
                    self.add_key(&key, rule);
                }
            }
        }
    }

    fn add_key(&mut self, key: &Key, rule: Rules) {
        let Some(rules) = self.sources.get_mut(key.source) else { return };
        *rules |= rule;
        self.texts.resize(LITERALS, 0);
        for number in key.texts.numbers() {
            if let Some(rules) = self.texts.get_mut(usize::from(number)) {
                *rules |= rule;
            }
        }
        self.need(SOURCES + key.source, rule);
    }

    fn need(&mut self, place: usize, rule: Rules) {
        if let Some(needs) = self.needs.last_mut() {
            *needs |= 1 << place;
        }
        *self.at.entry(place).or_default() |= rule;
    }

    fn compile(self) -> Block {
        let at = |place| self.at.get(&place).copied().unwrap_or(0);
        Block {
            contexts: (at(CONTEXT), Literals::new(&self.contexts)),
            networks: (at(NETWORK), self.networks.into()),
            domains: Domains {
                rules: self.domains,
                exact: Literals::new(&self.exact),
                parents: Literals::new(&self.parents),
            },
            sources: self.sources,
            texts: self.texts.into(),
            needs: self.needs.into(),
        }
    }
}
