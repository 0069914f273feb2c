//! Compiled rules for roles and groups: by table or by pattern, and never because two names happen to be equal.

mod pattern;
mod reader;
mod shape;
mod wishes;

use std::{borrow::Cow, collections::BTreeMap};

use self::{
    pattern::{Beginnings, Pattern, Room},
    reader::{Reader, Reading},
    shape::check_shape,
    wishes::Wishes,
};
use super::{CaseRule, EntitlementRule, EntitlementWish, MapError, NameForm, Notes, attribute::cased, dn};
use crate::{ClaimPath, Claims, Code, Entitlement, RuleName, config::Problems, literals::Literals};

/// The most lines of a table.
const LINES: usize = 10_000;

/// Holds all rules for roles and groups, ready to run: those that read the same claim in the same way are one.
#[derive(Debug)]
pub(super) struct CompiledEntitlements {
    always: Vec<EntitlementWish>,
    readers: Vec<Reader>,
}

impl CompiledEntitlements {
    /// Makes the wishes; `room` is there to write names in.
    pub(super) fn map(
        &self,
        claims: &Claims,
        notes: &mut Notes,
        room: String,
    ) -> Result<Vec<EntitlementWish>, MapError> {
        let (mut wishes, mut room) = (Wishes::new(&self.always), Room::new(room));
        for reader in &self.readers {
            reader.map(claims, &mut wishes, &mut room, notes)?;
        }
        Ok(wishes.into_list())
    }
}

/// Collects rules for roles and groups.
#[derive(Debug, Default)]
pub(super) struct EntitlementRules {
    always: Vec<EntitlementWish>,
    drafts: Vec<Draft>,
}

/// Collects the rules that read one claim in one way.
#[derive(Debug)]
struct Draft {
    path: ClaimPath,
    reading: Reading,
    rule: RuleName,
    table: BTreeMap<String, Vec<(RuleName, Entitlement)>>,
    patterns: Vec<Pattern>,
}

impl EntitlementRules {
    /// Adds a rule; what is wrong with it is reported.
    pub(super) fn add(&mut self, rule: &EntitlementRule, found: &mut Problems) {
        let name = match (&rule.name, &rule.claim) {
            (Some(name), _) => Ok(name.clone()),
            (None, Some(claim)) => RuleName::new(format!("entitlement.{}", claim.as_str())),
            (None, None) => RuleName::new("entitlement.always"),
        };
        let Ok(name) = name else {
            found
                .report(Code::new("config.missing_field"), "give the rule a `name`: its claim's is too long");
            return;
        };
        if !check_shape(rule, found) {
            return;
        }
        for entitlement in &rule.always {
            let wish = EntitlementWish { entitlement: entitlement.clone(), rule: name.clone(), claim: None };
            self.always.push(wish);
        }
        let Some(path) = &rule.claim else { return };
        let pattern = match &rule.pattern {
            Some(pattern) => match Pattern::new(rule, pattern, &name, found) {
                Some(pattern) => Some(pattern),
                None => return,
            },
            None => None,
        };
        let draft = self.draft(path, rule, &name);
        draft.patterns.extend(pattern);
        for (text, entitlements) in rule.table.iter().flatten() {
            let text = cased(Cow::Borrowed(text), rule.case).into_owned();
            let line = draft.table.entry(text).or_default();
            line.extend(entitlements.iter().map(|entitlement| (name.clone(), entitlement.clone())));
        }
    }

    fn draft(&mut self, path: &ClaimPath, rule: &EntitlementRule, name: &RuleName) -> &mut Draft {
        let reading =
            Reading { form: rule.form, under: rule.under.clone(), split: rule.split, case: rule.case };
        let same = |draft: &Draft| draft.path == *path && draft.reading == reading;
        let at = self.drafts.iter().position(same).unwrap_or(self.drafts.len());
        if at == self.drafts.len() {
            self.drafts.push(Draft {
                path: path.clone(),
                reading,
                rule: name.clone(),
                table: BTreeMap::new(),
                patterns: Vec::new(),
            });
        }
        // The index was just found or made.
        #[expect(clippy::indexing_slicing, reason = "`at` is the index of a draft that exists")]
        &mut self.drafts[at]
    }

    /// Makes the rules ready to run.
    pub(super) fn compile(self) -> CompiledEntitlements {
        CompiledEntitlements {
            always: self.always,
            readers: self.drafts.into_iter().map(Draft::compile).collect(),
        }
    }
}

impl Draft {
    fn compile(mut self) -> Reader {
        self.patterns.iter_mut().fold(1, |number, pattern| pattern.count_frames(number));
        let numbers = self.table.keys().enumerate().map(|(line, name)| (name.clone(), line)).collect();
        Reader {
            claim: self.path.as_str().into(),
            path: self.path,
            reading: self.reading,
            rule: self.rule,
            names: Literals::new(&numbers),
            lines: self.table.into_values().collect(),
            beginnings: Beginnings::of(&self.patterns),
            patterns: self.patterns,
        }
    }
}
