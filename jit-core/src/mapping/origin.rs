//! Where the values of an attribute come from, and how many and how long they may be.

use std::borrow::Cow;

use super::{
    AttributeRule, CaseRule, ImportRule, Join, WishedValues, attribute::cased, expression::Expression,
    template::Template,
};
use crate::{ClaimPath, Code, config::Problems};

/// The most values of an attribute, where the rule says nothing.
const VALUES: usize = 100;
/// The most values that a rule may allow.
const MOST_VALUES: usize = 1000;
/// The longest value, in bytes, where the rule says nothing.
const BYTES: usize = 1024;
/// The longest value that a rule may allow, in bytes.
const MOST_BYTES: usize = 65_536;
/// The most claims that are joined.
const JOINED: usize = 16;

/// Bounds what an attribute may hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) case: CaseRule,
    pub(super) list: bool,
    pub(super) values: usize,
    pub(super) bytes: usize,
}

/// Says what an attribute is made of.
#[derive(Debug)]
pub(super) enum Origin {
    Claim(ClaimPath),
    Constant(WishedValues),
    Template(Template),
    Join(Vec<ClaimPath>, String),
    Expression(Box<Expression>),
}

impl Origin {
    /// The claims that are read, but for those of an expression.
    pub(super) fn paths(&self) -> Box<dyn Iterator<Item = &ClaimPath> + '_> {
        match self {
            Self::Claim(path) => Box::new(std::iter::once(path)),
            Self::Template(template) => Box::new(template.paths()),
            Self::Join(paths, _) => Box::new(paths.iter()),
            Self::Constant(_) | Self::Expression(_) => Box::new(std::iter::empty()),
        }
    }
}

impl Limits {
    /// Takes the limits of a rule; what is wrong with them is reported.
    pub(super) fn new(rule: &AttributeRule, found: &mut Problems) -> Option<Self> {
        let code = || Code::new("config.out_of_range");
        let values = rule.max_values.unwrap_or(if rule.list { VALUES } else { 1 });
        let bytes = rule.max_bytes.unwrap_or(BYTES);
        let mut in_range = true;
        if rule.max_values.is_some() && !rule.list {
            in_range = false;
            found.report_in(
                "max_values",
                Code::new("config.contradiction"),
                "`max_values` needs `list = true`",
            );
        } else if !(1..=MOST_VALUES).contains(&values) {
            in_range = false;
            found.report_in("max_values", code(), format!("must be from 1 to {MOST_VALUES}"));
        }
        if !(1..=MOST_BYTES).contains(&bytes) {
            in_range = false;
            found.report_in("max_bytes", code(), format!("must be from 1 to {MOST_BYTES}"));
        }
        in_range.then_some(Self { case: rule.case, list: rule.list, values, bytes })
    }
}

impl Origin {
    /// Takes the one origin that a rule names; what is wrong with it is reported.
    pub(super) fn new(rule: &AttributeRule, found: &mut Problems) -> Option<Self> {
        let given = [
            rule.claim.is_some(),
            rule.constant.is_some(),
            rule.template.is_some(),
            rule.join.is_some(),
            rule.expression.is_some(),
        ];
        match given.into_iter().filter(|is_given| *is_given).count() {
            1 => Self::of_the_one(rule, found),
            0 if rule.import == ImportRule::Ignore => Some(Self::Constant(WishedValues::default())),
            count => {
                let how = if count == 0 { "one of" } else { "only one of" };
                let kinds = "`claim`, `constant`, `template`, `join` and `expression`";
                found.report(Code::new("config.one_of"), format!("needs {how} {kinds}"));
                None
            }
        }
    }

    fn of_the_one(rule: &AttributeRule, found: &mut Problems) -> Option<Self> {
        if let Some(path) = &rule.claim {
            Some(Self::Claim(path.clone()))
        } else if let Some(texts) = &rule.constant {
            constant(&texts.0, rule, found)
        } else if let Some(text) = &rule.template {
            Template::new(text)
                .map_err(|message| found.report_in("template", Code::new("config.template"), message))
                .map(Self::Template)
                .ok()
        } else if let Some(joined) = &rule.join {
            join(joined, found)
        } else {
            let source = rule.expression.as_deref()?;
            let expression = found.within("expression", |found| Expression::new_in(source, found))?;
            Some(Self::Expression(Box::new(expression)))
        }
    }
}

fn join(join: &Join, found: &mut Problems) -> Option<Origin> {
    if !(1..=JOINED).contains(&join.claims.len()) || join.separator.len() > 32 {
        let message = format!("joins 1 to {JOINED} claims with at most 32 bytes between them");
        found.report_in("join", Code::new("config.out_of_range"), message);
        return None;
    }
    Some(Origin::Join(join.claims.clone(), join.separator.clone()))
}

fn constant(texts: &[String], rule: &AttributeRule, found: &mut Problems) -> Option<Origin> {
    let values = rule.max_values.unwrap_or(if rule.list { VALUES } else { 1 });
    let bytes = rule.max_bytes.unwrap_or(BYTES);
    let fits = texts.iter().all(|text| !text.is_empty() && text.len() <= bytes);
    if texts.is_empty() || texts.len() > values || !fits {
        let message = "needs one text, or with `list = true` several, none of them empty or too long";
        found.report_in("constant", Code::new("config.invalid_value"), message);
        return None;
    }
    let texts = texts.iter().map(|text| cased(Cow::Borrowed(text), rule.case).into_owned()).collect();
    Some(Origin::Constant(texts))
}
