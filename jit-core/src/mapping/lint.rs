//! Checks that look at several rules at once.

use std::collections::BTreeSet;

use super::{AttributeRule, MappingRules, expression::Expression, template::Template};
use crate::{Code, config::Problems};

/// Reports rules that stand there twice.
pub(super) fn duplicates(rules: &MappingRules, found: &mut Problems) {
    let code = || Code::new("config.duplicate_rule");
    let mut seen = BTreeSet::new();
    found.each("attribute", &rules.attribute, |rule, found| {
        if !seen.insert(&rule.attribute) {
            found.report_in("attribute", code(), "another rule is about this attribute already");
        }
    });
    for (index, rule) in rules.entitlement.iter().enumerate() {
        if rules.entitlement.iter().take(index).any(|other| other == rule) {
            found.within("entitlement", |found| {
                found.item(index, |found| found.report(code(), "the same rule stands before"));
            });
        }
    }
}

/// Reports rules that read a claim without the claim that makes it mean something.
pub(super) fn references(own: &MappingRules, whole: &MappingRules, found: &mut Problems) {
    let lint = Lint::new(whole);
    found.each("attribute", &own.attribute, |rule, found| {
        let (field, roots) = roots_of(rule);
        found.within(field, |found| lint.check(&roots, found));
    });
    found.each("entitlement", &own.entitlement, |rule, found| {
        let roots: Vec<String> = rule.claim.iter().map(|path| path.root().to_owned()).collect();
        found.within("claim", |found| lint.check(&roots, found));
    });
    match &own.user_name {
        Some(rule) => found.within("user_name", |found| {
            found.each("template", &rule.template, |text, found| lint.check(&roots_in(text), found));
        }),
        None => lint.check_preset_names(whole, found),
    }
}

struct Lint {
    /// Claims that hold an address of which nothing says that it is verified.
    unverified: BTreeSet<String>,
}

impl Lint {
    fn new(whole: &MappingRules) -> Self {
        let is_verified = whole.email.as_ref().is_some_and(super::EmailRule::has_verification);
        let mut unverified = BTreeSet::new();
        if !is_verified && !whole.dangerously_use_unverified_email {
            unverified.insert("email".to_owned());
            unverified.extend(whole.email.iter().map(|rule| rule.claim.root().to_owned()));
        }
        Self { unverified }
    }

    fn check(&self, roots: &[String], found: &mut Problems) {
        if let Some(root) = roots.iter().find(|root| self.unverified.contains(*root)) {
            let message = format!(
                "reads `{root}`, which nothing verifies: give the mapping an `email` rule with `verified = {{ claim \
                 = … }}`, or say `dangerously_use_unverified_email = true`"
            );
            found.report(Code::new("config.email_unverified"), message);
        }
        let reads = |name: &str| roots.iter().any(|root| root == name);
        if reads("oid") && !reads("tid") {
            let message = "reads `oid`, which names a person only together with `tid`: use \"{tid}/{oid}\"";
            found.report(Code::new("config.oid_without_tid"), message);
        }
    }

    /// A preset whose user name is made of an address needs the preset's e-mail rule, or one's own user name.
    fn check_preset_names(&self, whole: &MappingRules, found: &mut Problems) {
        let mut inner = Problems::none();
        for text in whole.user_name.iter().flat_map(|rule| &rule.template) {
            self.check(&roots_in(text), &mut inner);
        }
        if !inner.is_empty() {
            let message =
                "makes the user name of the address, which nothing verifies here: give a `user_name`";
            found.report_in("preset", Code::new("config.email_unverified"), message);
        }
    }
}

fn roots_in(template: &str) -> Vec<String> {
    let read = Template::new(template);
    read.iter().flat_map(Template::paths).map(|path| path.root().to_owned()).collect()
}

/// The claims that a rule reads, and the field that names them.
fn roots_of(rule: &AttributeRule) -> (&'static str, Vec<String>) {
    let of = |path: &crate::ClaimPath| path.root().to_owned();
    if let Some(path) = &rule.claim {
        ("claim", vec![of(path)])
    } else if let Some(text) = &rule.template {
        ("template", roots_in(text))
    } else if let Some(join) = &rule.join {
        ("join", join.claims.iter().map(of).collect())
    } else if let Some(source) = &rule.expression {
        ("expression", Expression::roots(source))
    } else {
        ("constant", Vec::new())
    }
}
