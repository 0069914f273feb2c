//! Compiled attribute rules.

use std::{borrow::Cow, sync::Arc};

use super::{
    AttributeRule, AttributeWish, CaseRule, ImportRule, MapError, Wished, WishedValues,
    expression::Expression,
    template::{Rendered, Template, lower, upper},
    view::{Bound, Roots, View},
};
use crate::{Claim, ClaimPath, ClaimValues, Claims, Code, RuleName, config::Problems};

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

/// Holds an attribute rule, ready to run.
#[derive(Debug)]
pub(super) struct CompiledAttribute {
    /// What the wish begins with: everything but its value.
    wish: AttributeWish,
    origin: Origin,
    limits: Limits,
}

#[derive(Clone, Copy, Debug)]
struct Limits {
    case: CaseRule,
    list: bool,
    values: usize,
    bytes: usize,
}

#[derive(Debug)]
enum Origin {
    Claim(Bound),
    Constant(WishedValues),
    Template(Template),
    Join(Vec<Bound>, String),
    Expression(Box<Expression>),
}

impl CompiledAttribute {
    /// Compiles a rule; `None` when something is wrong with it, which is reported.
    pub(super) fn new(rule: &AttributeRule, found: &mut Problems) -> Option<Self> {
        let limits = limits(rule, found)?;
        let origin = origin(rule, found)?;
        let name = match &rule.name {
            Some(name) => name.clone(),
            None => RuleName::new(format!("attribute.{}", rule.attribute)).ok()?,
        };
        let claim = origin.paths().next().map(|path| Arc::from(path.as_str()));
        let wish = AttributeWish {
            name: rule.attribute.clone(),
            value: Wished::Unknown,
            import: rule.import,
            conflict: rule.conflict,
            searchable: rule.searchable,
            rule: name,
            claim,
        };
        Some(Self { wish, origin, limits })
    }

    /// Tells whether the rule is there only to switch another one off.
    pub(super) fn is_ignored(&self) -> bool {
        self.wish.import == ImportRule::Ignore
    }

    /// Takes slots for the claims that the rule reads.
    pub(super) fn bind(&mut self, roots: &mut Roots) {
        match &mut self.origin {
            Origin::Claim(bound) => bound.bind(roots),
            Origin::Template(template) => template.bind(roots),
            Origin::Join(bounds, _) => bounds.iter_mut().for_each(|bound| bound.bind(roots)),
            Origin::Constant(_) | Origin::Expression(_) => {}
        }
    }

    /// Makes the wish.
    pub(super) fn map(&self, claims: &View<'_>) -> Result<AttributeWish, MapError> {
        let value = match &self.origin {
            Origin::Claim(bound) => self.of_claim(bound.path(), claims.at(bound))?,
            Origin::Constant(texts) => Wished::Values(texts.clone()),
            Origin::Template(template) => self.of_template(template.render(claims))?,
            Origin::Join(paths, separator) => self.of_join(paths, separator, claims)?,
            Origin::Expression(expression) => self.of_expression(expression, claims.claims())?,
        };
        Ok(AttributeWish { value, ..self.wish.clone() })
    }

    fn of_claim(&self, path: &ClaimPath, claim: Claim<'_>) -> Result<Wished, MapError> {
        match claim {
            Claim::Absent | Claim::Truncated => self.missing(path, claim.state(), Wished::Unknown),
            Claim::Empty => self.missing(path, claim.state(), Wished::Empty),
            Claim::Values(values) if self.limits.list => match self.of_list(values)? {
                texts if texts.is_empty() => self.missing(path, "empty", Wished::Empty),
                texts => Ok(Wished::Values(texts.into())),
            },
            Claim::Values(values) => {
                let text = values.text().ok_or_else(|| self.malformed("one text is needed"))?;
                match self.finish(text)? {
                    text if text.is_empty() => self.missing(path, "empty", Wished::Empty),
                    text => Ok(Wished::Values(text.into())),
                }
            }
        }
    }

    fn of_list(&self, values: ClaimValues<'_>) -> Result<Vec<String>, MapError> {
        let mut texts: Vec<String> = Vec::with_capacity(values.iter().count().min(self.limits.values));
        let mut readable = 0_usize;
        for text in values.texts() {
            readable = readable.saturating_add(1);
            if texts.len() >= self.limits.values {
                return Err(self.over("the number of values"));
            }
            let text = self.finish(text)?;
            if !text.is_empty() && !texts.contains(&text) {
                texts.push(text);
            }
        }
        if values.iter().count() == readable { Ok(texts) } else { Err(self.malformed("texts are needed")) }
    }

    fn of_template(&self, rendered: Rendered<'_>) -> Result<Wished, MapError> {
        match rendered {
            Rendered::Text(text) => Ok(Wished::Values(self.finish(Cow::Owned(text))?.into())),
            Rendered::Empty(path) => self.missing(path, "empty", Wished::Empty),
            Rendered::Unknown(path, state) => self.missing(path, state, Wished::Unknown),
            Rendered::Malformed => Err(self.malformed("one text is needed for each claim of a template")),
        }
    }

    fn of_join(&self, bounds: &[Bound], separator: &str, claims: &View<'_>) -> Result<Wished, MapError> {
        let mut joined = String::new();
        for bound in bounds {
            match claims.at(bound) {
                claim @ (Claim::Absent | Claim::Truncated) => {
                    return self.missing(bound.path(), claim.state(), Wished::Unknown);
                }
                Claim::Empty => {}
                Claim::Values(values) => {
                    for text in values.texts() {
                        if !joined.is_empty() {
                            joined.push_str(separator);
                        }
                        joined.push_str(&text);
                        if joined.len() > self.limits.bytes {
                            return Err(self.over("the length of a value"));
                        }
                    }
                }
            }
        }
        match (joined.is_empty(), bounds.first()) {
            (true, Some(bound)) => self.missing(bound.path(), "empty", Wished::Empty),
            _ => Ok(Wished::Values(self.finish(Cow::Owned(joined))?.into())),
        }
    }

    fn of_expression(&self, expression: &Expression, claims: &Claims) -> Result<Wished, MapError> {
        let is_required = self.wish.import == ImportRule::Require;
        let fault = |problem| MapError::Expression { rule: self.wish.rule.clone(), problem };
        let Some(texts) = expression.texts(claims).map_err(|error| fault(error.problem()))? else {
            return if is_required {
                Err(fault("reads a claim that is missing"))
            } else {
                Ok(Wished::Unknown)
            };
        };
        let most = if self.limits.list { self.limits.values } else { 1 };
        if texts.len() > most {
            return Err(self.over("the number of values"));
        }
        let finished = texts.into_iter().map(|text| self.finish(Cow::Owned(text)));
        let mut values = finished.collect::<Result<Vec<_>, _>>()?;
        values.retain(|text| !text.is_empty());
        match values.is_empty() {
            true if is_required => Err(fault("gives nothing")),
            true => Ok(Wished::Empty),
            false => Ok(Wished::Values(values.into())),
        }
    }

    fn finish(&self, text: Cow<'_, str>) -> Result<String, MapError> {
        if text.len() > self.limits.bytes {
            return Err(self.over("the length of a value"));
        }
        Ok(cased(text, self.limits.case).into_owned())
    }

    fn missing(&self, path: &ClaimPath, state: &'static str, wished: Wished) -> Result<Wished, MapError> {
        if self.wish.import == ImportRule::Require {
            return Err(MapError::Required { rule: self.wish.rule.clone(), claim: path.clone(), state });
        }
        Ok(wished)
    }

    fn malformed(&self, problem: &'static str) -> MapError {
        MapError::Malformed { rule: self.wish.rule.clone(), problem }
    }

    fn over(&self, what: &'static str) -> MapError {
        MapError::Limit { rule: self.wish.rule.clone(), what }
    }
}

/// Changes the case of a text by its rule.
pub(super) fn cased(text: Cow<'_, str>, case: CaseRule) -> Cow<'_, str> {
    match case {
        CaseRule::AsGiven => text,
        CaseRule::Lower => lower(text),
        CaseRule::Upper => upper(text),
    }
}

impl Origin {
    fn paths(&self) -> Box<dyn Iterator<Item = &ClaimPath> + '_> {
        match self {
            Self::Claim(bound) => Box::new(std::iter::once(bound.path())),
            Self::Template(template) => Box::new(template.paths()),
            Self::Join(bounds, _) => Box::new(bounds.iter().map(Bound::path)),
            Self::Constant(_) | Self::Expression(_) => Box::new(std::iter::empty()),
        }
    }
}

fn limits(rule: &AttributeRule, found: &mut Problems) -> Option<Limits> {
    let code = || Code::new("config.out_of_range");
    let values = rule.max_values.unwrap_or(if rule.list { VALUES } else { 1 });
    let bytes = rule.max_bytes.unwrap_or(BYTES);
    let mut in_range = true;
    if rule.max_values.is_some() && !rule.list {
        in_range = false;
        found.report_in("max_values", Code::new("config.contradiction"), "`max_values` needs `list = true`");
    } else if !(1..=MOST_VALUES).contains(&values) {
        in_range = false;
        found.report_in("max_values", code(), format!("must be from 1 to {MOST_VALUES}"));
    }
    if !(1..=MOST_BYTES).contains(&bytes) {
        in_range = false;
        found.report_in("max_bytes", code(), format!("must be from 1 to {MOST_BYTES}"));
    }
    in_range.then_some(Limits { case: rule.case, list: rule.list, values, bytes })
}

fn origin(rule: &AttributeRule, found: &mut Problems) -> Option<Origin> {
    let given = [
        rule.claim.is_some(),
        rule.constant.is_some(),
        rule.template.is_some(),
        rule.join.is_some(),
        rule.expression.is_some(),
    ];
    match given.into_iter().filter(|is_given| *is_given).count() {
        1 => {}
        0 if rule.import == ImportRule::Ignore => return Some(Origin::Constant(Vec::new().into())),
        count => {
            let how = if count == 0 { "one of" } else { "only one of" };
            let kinds = "`claim`, `constant`, `template`, `join` and `expression`";
            found.report(Code::new("config.one_of"), format!("needs {how} {kinds}"));
            return None;
        }
    }
    if let Some(path) = &rule.claim {
        return Some(Origin::Claim(Bound::new(path.clone())));
    }
    if let Some(texts) = &rule.constant {
        return constant(&texts.0, rule, found);
    }
    if let Some(text) = &rule.template {
        return reported("template", Template::new(text), found).map(Origin::Template);
    }
    if let Some(join) = &rule.join {
        if !(1..=JOINED).contains(&join.claims.len()) || join.separator.len() > 32 {
            let message = format!("joins 1 to {JOINED} claims with at most 32 bytes between them");
            found.report_in("join", Code::new("config.out_of_range"), message);
            return None;
        }
        let bounds = join.claims.iter().cloned().map(Bound::new).collect();
        return Some(Origin::Join(bounds, join.separator.clone()));
    }
    let source = rule.expression.as_deref()?;
    found
        .within("expression", |found| Expression::new_in(source, found))
        .map(Box::new)
        .map(Origin::Expression)
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

/// Gives the template, or reports what is wrong with it.
pub(super) fn reported(
    field: &str,
    template: Result<Template, String>,
    found: &mut Problems,
) -> Option<Template> {
    template.map_err(|message| found.report_in(field, Code::new("config.template"), message)).ok()
}
