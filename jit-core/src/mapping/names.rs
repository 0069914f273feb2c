//! The compiled user-name rule: which names are tried, in which order.

use std::borrow::Cow;

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::{
    CaseRule, InvalidRule, MapError, Notes, OnNameTaken, OnTaken, UserNameRule, UserNameWish,
    attribute::cased,
    candidates::{Candidates, Variants},
    template::{Rendered, Template},
};
use crate::{Claims, Code, ExternalKey, Finding, RuleName, UserName, config::Problems};

/// The most templates.
const TEMPLATES: usize = 8;
/// The highest number that is put behind a name.
const NUMBERS: u8 = 20;

/// Holds the user-name rule, ready to run.
#[derive(Debug)]
pub(super) struct CompiledUserName {
    templates: Vec<Template>,
    case: CaseRule,
    invalid: InvalidRule,
    strip_accents: bool,
    on_taken: OnTaken,
    is_required: bool,
    rule: RuleName,
}

impl CompiledUserName {
    /// Compiles the rule; `None` when something is wrong with it, which is reported.
    pub(super) fn new(rule: &UserNameRule, found: &mut Problems) -> Option<Self> {
        if !(1..=TEMPLATES).contains(&rule.template.len()) {
            let message = format!("needs 1 to {TEMPLATES} templates");
            found.report_in("template", Code::new("config.out_of_range"), message);
            return None;
        }
        if let OnTaken::Number { max } = rule.on_taken
            && !(2..=NUMBERS).contains(&max)
        {
            let message = format!("`max` must be from 2 to {NUMBERS}");
            found.report_in("on_taken", Code::new("config.out_of_range"), message);
            return None;
        }
        let templates = found.within("template", |found| templates(&rule.template, found))?;
        Some(Self {
            templates,
            case: rule.case,
            invalid: rule.invalid,
            strip_accents: rule.strip_accents,
            on_taken: rule.on_taken,
            is_required: rule.required,
            rule: RuleName::new("user_name").ok()?,
        })
    }

    /// Makes the wish; `None` where no template gives a name.
    pub(super) fn map(
        &self,
        claims: &Claims,
        key: &ExternalKey,
        notes: &mut Notes,
        room: &mut String,
    ) -> Result<Option<UserNameWish>, MapError> {
        let mut candidates = Candidates::default();
        let mut last = None;
        for template in &self.templates {
            match template.render_complete(claims, room) {
                Rendered::Text(text) => match self.name(text) {
                    Some(name) => candidates.add(name),
                    None => notes.add(&self.rule, Finding::Refused, "a template gives no valid user name"),
                },
                Rendered::Empty(path) => last = Some((path, "empty")),
                Rendered::Unknown(path, state) => last = Some((path, state)),
                Rendered::Malformed => {
                    notes.add(&self.rule, Finding::Refused, "a claim of a template does not hold one text");
                }
            }
        }
        if candidates.is_empty() {
            return self.without(last);
        }
        let (on_taken, variants) = match self.on_taken {
            OnTaken::Ask => (OnNameTaken::Ask, Variants::Nothing),
            OnTaken::Fail => (OnNameTaken::Fail, Variants::Nothing),
            OnTaken::Number { max } => (OnNameTaken::Fail, Variants::Numbers(max)),
            OnTaken::SubjectHash => (OnNameTaken::Fail, Variants::SubjectOf(key.clone())),
        };
        let candidates = candidates.or_else(variants);
        Ok(Some(UserNameWish { candidates, on_taken, rule: self.rule.clone() }))
    }

    fn without(
        &self,
        last: Option<(&crate::ClaimPath, &'static str)>,
    ) -> Result<Option<UserNameWish>, MapError> {
        let rule = self.rule.clone();
        match (self.is_required, last) {
            (false, _) => Ok(None),
            (true, Some((claim, state))) => Err(MapError::Required { rule, claim: claim.clone(), state }),
            (true, None) => Err(MapError::Malformed { rule, problem: "no template gives a valid user name" }),
        }
    }

    /// Makes a user name of a text by the rules for case, accents and characters.
    fn name(&self, text: &str) -> Option<UserName> {
        let mut text = cased(Cow::Borrowed(text), self.case);
        if self.strip_accents && !text.is_ascii() {
            text = Cow::Owned(without_accents(&text));
        }
        match (UserName::new(&text), self.invalid) {
            (Ok(name), _) => Some(name),
            (Err(_), InvalidRule::Refuse) => None,
            (Err(_), rule) => UserName::new(&cleaned(&text, rule)).ok(),
        }
    }
}

fn templates(texts: &[String], found: &mut Problems) -> Option<Vec<Template>> {
    let mut all = Vec::new();
    let mut certain = false;
    for (index, text) in texts.iter().enumerate() {
        found.item(index, |found| {
            if certain {
                let message = "is never reached: the template before always gives a name";
                found.report(Code::new("config.unreachable_rule"), message);
            }
            if texts.iter().take(index).any(|other| other == text) {
                found.report(Code::new("config.duplicate_rule"), "the same template stands before");
            }
            match Template::new(text) {
                Ok(template) => {
                    certain |= template.is_certain();
                    all.push(template);
                }
                Err(message) => found.report(Code::new("config.template"), message),
            }
        });
    }
    (all.len() == texts.len()).then_some(all)
}

fn without_accents(text: &str) -> String {
    text.nfd().filter(|c| !is_combining_mark(*c)).nfc().collect()
}

fn cleaned(text: &str, rule: InvalidRule) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || UserName::new(c.encode_utf8(&mut [0; 4])).is_ok() {
            out.push(c);
        } else if rule == InvalidRule::Replace {
            out.push('_');
        }
    }
    out
}
