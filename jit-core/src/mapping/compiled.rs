//! The mapping that declarative rules are compiled to when they are loaded.

use std::borrow::Cow;

use super::{
    AttributeMapper, AttributeRule, MapError, MappingRules, Profile,
    attribute::CompiledAttribute,
    entitlement::{CompiledEntitlements, EntitlementRules},
    lint,
    mail::CompiledEmail,
    names::CompiledUserName,
};
use crate::{
    ClaimPath, Claims, Code, DomainSet, EmailClaim, Finding, RuleName, Stage, Step, VerifiedIdentity,
    config::{Check, Problems},
};

/// The most rules of each kind.
const RULES: usize = 500;
/// How long the texts are that a mapping puts together, as a rule.
const ROOM: usize = 128;
/// The most notes about one sign-in.
const NOTES: usize = 50;

/// Maps claims by declarative rules. Everything that can be decided beforehand was decided when it was made.
#[derive(Debug)]
pub struct Mapping {
    email: Option<CompiledEmail>,
    user_name: Option<CompiledUserName>,
    attributes: Vec<CompiledAttribute>,
    entitlements: CompiledEntitlements,
    /// Whether access follows from the address, which then has to be proved.
    is_access_by_address: bool,
}

impl MappingRules {
    /// Compiles the rules for a connection that speaks for no domain.
    ///
    /// # Errors
    /// Everything that is wrong with them, with the codes that `docs/mapping.md` lists.
    pub fn compile(&self) -> Result<Mapping, Problems> {
        self.compile_for(&DomainSet::default())
    }

    /// Compiles the rules for a connection that speaks for `domains`.
    ///
    /// # Errors
    /// As [`compile`](Self::compile).
    pub fn compile_for(&self, domains: &DomainSet) -> Result<Mapping, Problems> {
        let mut found = Problems::none();
        let mapping = build(self, domains, &mut found);
        found.or(mapping)
    }

    /// The rules together with those of their preset.
    #[must_use]
    pub fn with_preset(&self) -> Self {
        let Some(preset) = self.preset else { return self.clone() };
        let mut rules = preset.rules();
        let is_own = |rule: &AttributeRule| self.attribute.iter().any(|own| own.attribute == rule.attribute);
        rules.attribute.retain(|rule| !is_own(rule));
        rules.attribute.extend(self.attribute.iter().cloned());
        rules.entitlement.extend(self.entitlement.iter().cloned());
        Self {
            preset: None,
            user_name: self.user_name.clone().or(rules.user_name),
            email: self.email.clone().or(rules.email),
            attribute: rules.attribute,
            entitlement: rules.entitlement,
            ..self.clone()
        }
    }
}

impl Check for MappingRules {
    fn check(&self, found: &mut Problems) {
        build(self, &DomainSet::default(), found);
    }
}

/// Compiles rules; what is wrong is reported where it stands.
fn build(rules: &MappingRules, domains: &DomainSet, found: &mut Problems) -> Mapping {
    if rules.subject {
        let message = "the key of an identity is not a matter of mapping: it is the issuer's own subject";
        found.report_in("subject", Code::new("config.subject_is_no_setting"), message);
    }
    for (field, count) in [("attribute", rules.attribute.len()), ("entitlement", rules.entitlement.len())] {
        if count > RULES {
            let message = format!("has more than {RULES} rules");
            found.report_in(field, Code::new("config.out_of_range"), message);
        }
    }
    let whole = rules.with_preset();
    lint::duplicates(rules, found);
    lint::references(rules, &whole, found);
    let mut attributes = preset_attributes(rules, &whole);
    found.each("attribute", &rules.attribute, |rule, found| {
        attributes.extend(CompiledAttribute::new(rule, found).filter(|rule| !rule.is_ignored()));
    });
    let mut entitlements = EntitlementRules::default();
    found.each("entitlement", &rules.entitlement, |rule, found| entitlements.add(rule, found));
    let email = whole.email.as_ref();
    let user_name = whole.user_name.as_ref();
    let email =
        found.within("email", |found| email.and_then(|rule| CompiledEmail::new(rule, domains, found)));
    let user_name =
        found.within("user_name", |found| user_name.and_then(|rule| CompiledUserName::new(rule, found)));
    let is_access_by_address = !whole.dangerously_use_unverified_email
        && email.as_ref().is_some_and(|email| {
            let mut roots =
                whole.entitlement.iter().filter_map(|rule| rule.claim.as_ref()).map(ClaimPath::root);
            roots.any(|root| root == email.address().root())
        });
    Mapping { email, user_name, attributes, entitlements: entitlements.compile(), is_access_by_address }
}

/// Compiles what the preset adds. It stands before one's own rules and is right: a test loads every preset.
fn preset_attributes(own: &MappingRules, whole: &MappingRules) -> Vec<CompiledAttribute> {
    let added = whole.attribute.len().saturating_sub(own.attribute.len());
    let mut unheard = Problems::none();
    let added = whole.attribute.iter().take(added);
    added.filter_map(|rule| CompiledAttribute::new(rule, &mut unheard)).collect()
}

impl AttributeMapper for Mapping {
    fn map(&self, identity: &VerifiedIdentity) -> Result<Profile, MapError> {
        let said = identity.claims();
        let (mut notes, mut room) = (Notes::default(), String::with_capacity(ROOM));
        let email = match &self.email {
            Some(rule) => rule.map(said, &mut notes)?.map(|email| (email, rule.origin())),
            None => None,
        };
        let (email, email_origin) = email.unzip();
        let claims = &self.relied_on(said, email.as_ref());
        let user_name = match &self.user_name {
            Some(rule) => rule.map(claims, identity.key(), &mut notes, &mut room)?,
            None => None,
        };
        let mut attributes = Vec::with_capacity(self.attributes.len());
        for rule in &self.attributes {
            let value = rule.value(claims, &mut notes, &mut room)?;
            attributes.push(rule.wish(value));
        }
        let entitlements = self.entitlements.map(&self.trusted(claims, email.as_ref()), &mut notes, room)?;
        Ok(Profile { user_name, email, email_origin, attributes, entitlements, notes: notes.0 })
    }
}

impl Mapping {
    /// The claims that rules may read: an address that its source refutes is not among them.
    fn relied_on<'c>(&self, claims: &'c Claims, email: Option<&EmailClaim>) -> Cow<'c, Claims> {
        let Some(rule) = &self.email else { return Cow::Borrowed(claims) };
        let is_refuted = match email {
            Some(email) => email.verified == Some(false),
            None => rule.is_refuted(claims),
        };
        if is_refuted { Cow::Owned(claims.silenced(rule.address())) } else { Cow::Borrowed(claims) }
    }

    /// The claims that access may follow from: an address is among them only where its source verifies it and speaks for it.
    fn trusted<'c>(&self, claims: &'c Claims, email: Option<&EmailClaim>) -> Cow<'c, Claims> {
        let is_proved = email.is_some_and(|email| email.verified == Some(true) && !email.is_outsider);
        match &self.email {
            Some(rule) if self.is_access_by_address && !is_proved => {
                Cow::Owned(claims.silenced(rule.address()))
            }
            _ => Cow::Borrowed(claims),
        }
    }
}

/// Collects what a mapping leaves out, for explanations. Costs nothing while there is nothing to tell.
#[derive(Debug, Default)]
pub(super) struct Notes(Vec<Step>);

impl Notes {
    pub(super) fn add(&mut self, rule: &RuleName, finding: Finding, detail: &str) {
        let is_same = |step: &Step| step.rule.as_ref() == Some(rule) && step.detail == detail;
        if self.0.len() < NOTES && !self.0.iter().any(is_same) {
            let (rule, detail) = (Some(rule.clone()), detail.to_owned());
            self.0.push(Step { stage: Stage::Map, rule, finding, detail });
        }
    }
}
