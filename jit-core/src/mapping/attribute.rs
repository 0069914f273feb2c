//! Compiled attribute rules.

use std::{borrow::Cow, sync::Arc};

use serde_json::Value;
use smol_str::SmolStr;

use super::{
    AttributeRule, AttributeWish, CaseRule, ImportRule, MapError, Notes, Wished, WishedValues,
    expression::Expression,
    origin::{Limits, Origin},
    template::{Rendered, lower, upper},
};
use crate::{Claim, ClaimPath, ClaimValues, Claims, Finding, RuleName, config::Problems};

/// Holds an attribute rule, ready to run.
#[derive(Debug)]
pub(super) struct CompiledAttribute {
    /// What the wish begins with: everything but its value.
    wish: AttributeWish,
    origin: Origin,
    limits: Limits,
}

impl CompiledAttribute {
    /// Compiles a rule; `None` when something is wrong with it, which is reported.
    pub(super) fn new(rule: &AttributeRule, found: &mut Problems) -> Option<Self> {
        let limits = Limits::new(rule, found)?;
        let origin = Origin::new(rule, found)?;
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

    /// Tells what is wished for; `room` is there to write texts in that must be put together. Of a value that cannot be
    /// taken nothing is known, and only a rule that requires one refuses the sign-in for it.
    pub(super) fn value(
        &self,
        claims: &Claims,
        notes: &mut Notes,
        room: &mut String,
    ) -> Result<Wished, MapError> {
        match self.read(claims, room) {
            Err(error) if self.wish.import != ImportRule::Require => {
                notes.add(&self.wish.rule, Finding::Refused, &error.problem());
                Ok(Wished::Unknown)
            }
            answer => answer,
        }
    }

    fn read(&self, claims: &Claims, room: &mut String) -> Result<Wished, MapError> {
        match &self.origin {
            Origin::Claim(path) => {
                let claim = claims.at(path);
                match self.plain(claim) {
                    Some(text) => Ok(Wished::Values(WishedValues::one(SmolStr::new(text)))),
                    None => self.of_claim(path, claim),
                }
            }
            Origin::Constant(texts) => Ok(Wished::Values(texts.clone())),
            Origin::Template(template) => self.of_template(template.render(claims, room)),
            Origin::Join(paths, separator) => self.of_join(paths, separator, claims, room),
            Origin::Expression(expression) => self.of_expression(expression, claims),
        }
    }

    /// Wishes for a value.
    pub(super) fn wish(&self, value: Wished) -> AttributeWish {
        let AttributeWish { name, import, conflict, searchable, rule, claim, .. } = &self.wish;
        AttributeWish {
            name: name.clone(),
            value,
            import: *import,
            conflict: *conflict,
            searchable: *searchable,
            rule: rule.clone(),
            claim: claim.clone(),
        }
    }

    /// The text of a claim that is taken as it stands, as most are.
    #[inline]
    fn plain<'c>(&self, claim: Claim<'c>) -> Option<&'c str> {
        let Limits { case: CaseRule::AsGiven, list: false, bytes, .. } = self.limits else { return None };
        match claim.values()?.json() {
            Value::String(text) if text.len() <= bytes => Some(text),
            _ => None,
        }
    }

    #[inline(never)]
    fn of_claim(&self, path: &ClaimPath, claim: Claim<'_>) -> Result<Wished, MapError> {
        match claim {
            Claim::Absent | Claim::Truncated => self.missing(path, claim.state(), Wished::Unknown),
            Claim::Empty => self.missing(path, claim.state(), Wished::Empty),
            Claim::Values(values) if self.limits.list => match self.of_list(values)? {
                texts if texts.is_empty() => self.missing(path, "empty", Wished::Empty),
                texts => Ok(Wished::Values(WishedValues::list(texts))),
            },
            Claim::Values(values) => {
                let text = values.text().ok_or_else(|| self.malformed("one text is needed"))?;
                match self.finish(&text)? {
                    text if text.is_empty() => self.missing(path, "empty", Wished::Empty),
                    text => Ok(Wished::Values(WishedValues::one(text))),
                }
            }
        }
    }

    fn of_list(&self, values: ClaimValues<'_>) -> Result<Vec<SmolStr>, MapError> {
        let mut texts: Vec<SmolStr> = Vec::with_capacity(values.iter().count().min(self.limits.values));
        let mut readable = 0_usize;
        for text in values.texts() {
            readable = readable.saturating_add(1);
            if texts.len() >= self.limits.values {
                return Err(self.over("the number of values"));
            }
            let text = self.finish(&text)?;
            if !text.is_empty() && !texts.contains(&text) {
                texts.push(text);
            }
        }
        if values.iter().count() == readable { Ok(texts) } else { Err(self.malformed("texts are needed")) }
    }

    fn of_template(&self, rendered: Rendered<'_, '_>) -> Result<Wished, MapError> {
        match rendered {
            Rendered::Text(text) => Ok(Wished::Values(WishedValues::one(self.finish(text)?))),
            Rendered::Empty(path) => self.missing(path, "empty", Wished::Empty),
            Rendered::Unknown(path, state) => self.missing(path, state, Wished::Unknown),
            Rendered::Malformed => Err(self.malformed("one text is needed for each claim of a template")),
        }
    }

    fn of_join(
        &self,
        paths: &[ClaimPath],
        separator: &str,
        claims: &Claims,
        joined: &mut String,
    ) -> Result<Wished, MapError> {
        joined.clear();
        for path in paths {
            match claims.at(path) {
                claim @ (Claim::Absent | Claim::Truncated) => {
                    return self.missing(path, claim.state(), Wished::Unknown);
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
        match (joined.is_empty(), paths.first()) {
            (true, Some(path)) => self.missing(path, "empty", Wished::Empty),
            _ => Ok(Wished::Values(WishedValues::one(self.finish(joined)?))),
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
        let finished = texts.iter().map(|text| self.finish(text));
        let mut values = finished.collect::<Result<Vec<_>, _>>()?;
        values.retain(|text| !text.is_empty());
        match values.is_empty() {
            true if is_required => Err(fault("gives nothing")),
            true => Ok(Wished::Empty),
            false => Ok(Wished::Values(WishedValues::list(values))),
        }
    }

    fn finish(&self, text: &str) -> Result<SmolStr, MapError> {
        if text.len() > self.limits.bytes {
            return Err(self.over("the length of a value"));
        }
        Ok(match self.limits.case {
            CaseRule::AsGiven => SmolStr::new(text),
            case => SmolStr::new(cased(Cow::Borrowed(text), case)),
        })
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
