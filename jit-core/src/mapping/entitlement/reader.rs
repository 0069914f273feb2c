//! Reads the names in one claim, for all rules about it.

use std::{borrow::Cow, slice, sync::Arc};

use serde_json::Value;

use super::{
    CaseRule, MapError, NameForm, Notes, cased, dn,
    pattern::{Beginnings, Give, Pattern, Room},
    wishes::Wishes,
};
use crate::{
    Claim, ClaimPath, ClaimValues, Claims, Entitlement, Finding, RuleName, identity::text_of,
    literals::Literals,
};

/// The most names that are read from one claim.
const NAMES: usize = 10_000;

/// Reads the names in one claim once, for all rules about it.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) path: ClaimPath,
    pub(super) claim: Arc<str>,
    pub(super) reading: Reading,
    /// Stands for all its rules in notes.
    pub(super) rule: RuleName,
    /// The names in the tables, by the number of their line.
    pub(super) names: Literals<usize>,
    pub(super) lines: Vec<Vec<(RuleName, Entitlement)>>,
    pub(super) patterns: Vec<Pattern>,
    pub(super) beginnings: Beginnings,
}

/// Says how names are written in a claim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) form: NameForm,
    pub(super) under: Option<String>,
    pub(super) split: Option<char>,
    pub(super) case: CaseRule,
}

impl Reader {
    /// Adds what the names in the claim give; `room` is there to write names in.
    #[inline(never)]
    pub(super) fn map(
        &self,
        claims: &Claims,
        wishes: &mut Wishes,
        room: &mut Room,
        notes: &mut Notes,
    ) -> Result<(), MapError> {
        let values = match claims.at(&self.path) {
            Claim::Values(values) => values,
            Claim::Truncated => {
                notes.add(&self.rule, Finding::Skipped, "the claim is cut: nothing follows from it");
                return Ok(());
            }
            Claim::Absent | Claim::Empty => return Ok(()),
        };
        room.clear();
        if self.reading != Reading::default() {
            return self.read(values, wishes, room, notes);
        }
        let all = values.as_slice();
        let mut rest = all.get(..NAMES).unwrap_or(all).iter();
        while let Some(value) = self.next(&mut rest) {
            if let Value::String(name) = value {
                self.give(name, wishes, room, notes)?;
            } else if let Some(name) = text_of(value) {
                self.look(&name, wishes, room, notes)?;
            }
        }
        if all.len() > NAMES { Err(self.too_many()) } else { Ok(()) }
    }

    /// Finds the next value that may give something. Most end here, so that nothing else is done before it.
    #[inline(never)]
    fn next<'v>(&self, values: &mut slice::Iter<'v, Value>) -> Option<&'v Value> {
        values.find(|value| match value {
            Value::String(name) => self.names.may_have(name) || self.beginnings.may_have(name),
            _ => true,
        })
    }

    /// Reads names in the form that the rules say.
    fn read(
        &self,
        values: ClaimValues<'_>,
        wishes: &mut Wishes,
        room: &mut Room,
        notes: &mut Notes,
    ) -> Result<(), MapError> {
        let mut count = 0_usize;
        for text in values.texts() {
            for name in self.reading.names(&text) {
                if count >= NAMES {
                    return Err(self.too_many());
                }
                count = count.saturating_add(1);
                match name {
                    Some(name) => self.look(&cased(name, self.reading.case), wishes, room, notes)?,
                    None => notes.add(&self.rule, Finding::Refused, "a name has another form or place"),
                }
            }
        }
        Ok(())
    }

    fn too_many(&self) -> MapError {
        MapError::Limit { rule: self.rule.clone(), what: "the number of names in a claim" }
    }

    #[inline(never)]
    fn look(
        &self,
        name: &str,
        wishes: &mut Wishes,
        room: &mut Room,
        notes: &mut Notes,
    ) -> Result<(), MapError> {
        self.give(name, wishes, room, notes)
    }

    /// Gives what a name gives.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "names that give something follow each other")]
    fn give(
        &self,
        name: &str,
        wishes: &mut Wishes,
        room: &mut Room,
        notes: &mut Notes,
    ) -> Result<(), MapError> {
        if self.names.may_have(name) {
            self.give_line(name, wishes)?;
        }
        for pattern in &self.patterns {
            let Some(star) = pattern.star(name, self.reading.form) else { continue };
            for give in &pattern.give {
                let (rule, claim) = (&pattern.rule, &self.claim);
                match give {
                    Give::Fixed(given) => wishes.add(given.as_str(), || given.clone(), rule, claim)?,
                    Give::Around(frame) => match pattern.around(frame, star, room) {
                        Some(text) => {
                            wishes.add(text, || Entitlement::composed(frame.kind, text), rule, claim)?;
                        }
                        None => notes.add(rule, Finding::Refused, "the pattern gives what it may not give"),
                    },
                }
            }
        }
        Ok(())
    }

    #[inline(never)]
    fn give_line(&self, name: &str, wishes: &mut Wishes) -> Result<(), MapError> {
        let line = self.names.number(name).and_then(|line| self.lines.get(line));
        for (rule, given) in line.into_iter().flatten() {
            wishes.add(given.as_str(), || given.clone(), rule, &self.claim)?;
        }
        Ok(())
    }
}

impl Reading {
    /// The names in one text; `None` for one that has another form.
    pub(super) fn names<'t>(&'t self, text: &'t str) -> impl Iterator<Item = Option<Cow<'t, str>>> {
        let (whole, parts) = match self.split {
            None => (Some(text), None),
            Some(at) => (None, Some(text.split(at).map(str::trim).filter(|part| !part.is_empty()))),
        };
        whole.into_iter().chain(parts.into_iter().flatten()).map(|name| match self.form {
            NameForm::Plain => Some(Cow::Borrowed(name)),
            NameForm::Path => Some(Cow::Borrowed(name.strip_prefix('/').unwrap_or(name))),
            NameForm::DnFirstValue => dn::first_value(name, self.under.as_deref()).map(Cow::Owned),
        })
    }
}
