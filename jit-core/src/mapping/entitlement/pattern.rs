//! Patterns: names with one `*`, and what such a name gives.

use std::borrow::Cow;

use super::{EntitlementRule, NameForm, cased};
use crate::{Code, Entitlement, EntitlementKind, EntitlementPattern, RuleName, config::Problems, text::head};

#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) rule: RuleName,
    before: Beginning,
    after: String,
    pub(super) give: Vec<Give>,
    allow: Vec<EntitlementPattern>,
}

#[derive(Debug)]
pub(super) enum Give {
    Fixed(Entitlement),
    Around(Frame),
}

/// Keeps what names begin with, and its first bytes as a number.
#[derive(Debug)]
struct Beginning {
    text: String,
    head: u64,
    /// The bits of a head that count.
    mask: u64,
}

/// Tells most names that no pattern matches by one byte: names mostly begin alike, and differ where beginnings end.
#[derive(Debug)]
pub(super) struct Beginnings {
    place: usize,
    bytes: [bool; 256],
}

/// Holds a name that is being put together, and the number of the frame that it begins with.
#[derive(Debug, Default)]
pub(super) struct Room {
    text: String,
    frame: usize,
}

impl Room {
    pub(super) fn new(text: String) -> Self {
        Self { text, frame: 0 }
    }

    /// Forgets which frame was written.
    pub(super) fn clear(&mut self) {
        self.frame = 0;
    }
}

/// What stands around the part that the source chooses.
#[derive(Debug)]
pub(super) struct Frame {
    /// Tells the frames of one reader apart, from 1 on.
    number: usize,
    pub(super) kind: EntitlementKind,
    before: String,
    after: String,
    /// Whether everything that begins so is allowed, whatever the source chooses.
    is_allowed: bool,
}

impl Pattern {
    /// Compiles the pattern of a rule; `None` when something is wrong with it, which is reported.
    pub(super) fn new(
        rule: &EntitlementRule,
        pattern: &str,
        name: &RuleName,
        found: &mut Problems,
    ) -> Option<Self> {
        let parts = pattern.split_once('*').filter(|(_, after)| !after.contains('*'));
        let Some((before, after)) = parts else {
            let message = "needs exactly one `*`; use a `table` for fixed names";
            found.report_in("pattern", Code::new("config.pattern"), message);
            return None;
        };
        if rule.allow.is_empty() {
            let message = "a pattern needs `allow`: the roles and groups that it may give at all";
            found.report(Code::new("config.missing_field"), message);
            return None;
        }
        check_allow(&rule.allow, found);
        let texts = rule.give.as_ref().map_or(&[][..], |texts| &texts.0);
        let give: Vec<_> = found.within("give", |found| gives(texts, &rule.allow, found))?;
        let case = |text: &str| cased(Cow::Borrowed(text), rule.case).into_owned();
        let (before, after) = (case(before), case(after));
        let before = Beginning::new(before);
        Some(Self { rule: name.clone(), before, after, give, allow: rule.allow.clone() })
    }

    /// Numbers what stands around stars, from `number` on; tells the next free one.
    pub(super) fn count_frames(&mut self, mut number: usize) -> usize {
        for give in &mut self.give {
            if let Give::Around(frame) = give {
                frame.number = number;
                number = number.saturating_add(1);
            }
        }
        number
    }

    /// What the `*` stands for in a name.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "names that it matches follow each other")]
    pub(super) fn star<'n>(&self, name: &'n str, form: NameForm) -> Option<&'n str> {
        let star = self.before.strip(name)?;
        let star = if self.after.is_empty() { star } else { star.strip_suffix(self.after.as_str())? };
        let is_step = form != NameForm::Path || is_one_step(star);
        (!star.is_empty() && is_step).then_some(star)
    }

    /// Puts a name together around a star; `None` where it would be none, or one that the pattern may not give.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "names that it matches follow each other")]
    pub(super) fn around<'r>(&self, frame: &Frame, star: &str, room: &'r mut Room) -> Option<&'r str> {
        let text = frame.around(star, room);
        let is_allowed = frame.is_allowed || self.allow.iter().any(|allow| allow.covers(text));
        (is_allowed && Entitlement::may_be(text, star)).then_some(text)
    }
}

impl Beginning {
    fn new(text: String) -> Self {
        let missing = 8_usize.saturating_sub(text.len());
        let mask = if missing == 8 { 0 } else { u64::MAX << (missing * 8) };
        Self { head: head(&text), mask, text }
    }

    /// What stands behind it in a name that begins so.
    #[inline]
    fn strip<'n>(&self, name: &'n str) -> Option<&'n str> {
        if (head(name) ^ self.head) & self.mask != 0 {
            None
        } else if self.text.len() <= 8 {
            name.get(self.text.len()..)
        } else {
            name.strip_prefix(self.text.as_str())
        }
    }
}

impl Beginnings {
    pub(super) fn of(patterns: &[Pattern]) -> Self {
        let beginnings = || patterns.iter().map(|pattern| pattern.before.text.as_bytes());
        let shortest = beginnings().map(<[u8]>::len).min();
        let (place, mut bytes) = (shortest.unwrap_or(0).saturating_sub(1), [shortest == Some(0); 256]);
        for byte in beginnings().filter_map(|beginning| beginning.get(place)) {
            if let Some(mark) = bytes.get_mut(usize::from(*byte)) {
                *mark = true;
            }
        }
        Self { place, bytes }
    }

    /// Tells whether some pattern may match. None matches a name that ends before the first `*` could.
    #[inline]
    pub(super) fn may_have(&self, name: &str) -> bool {
        let byte = name.as_bytes().get(self.place);
        byte.and_then(|byte| self.bytes.get(usize::from(*byte))) == Some(&true)
    }
}

#[inline(never)]
fn is_one_step(star: &str) -> bool {
    !star.contains('/')
}

impl Frame {
    fn new(before: &str, after: &str, allow: &[EntitlementPattern]) -> Result<Self, String> {
        if after.contains("{*}") {
            return Err("`{*}` may stand there once".to_owned());
        }
        // Any letter in the place of the star shows whether kind and characters are right.
        let sample = format!("{before}x{after}").parse::<Entitlement>();
        let sample = sample
            .map_err(|error| format!("a role or group is written `role:NAME` or `group:NAME`: {error}"))?;
        let is_allowed =
            allow.iter().filter_map(EntitlementPattern::prefix).any(|prefix| before.starts_with(prefix));
        let (before, after) = (before.to_owned(), after.to_owned());
        Ok(Self { number: 0, kind: sample.kind(), before, after, is_allowed })
    }

    #[inline]
    fn around<'r>(&self, star: &str, room: &'r mut Room) -> &'r str {
        if room.frame == self.number {
            // Names that a pattern matches often follow each other: their beginning stands there already.
            room.text.truncate(self.before.len());
        } else {
            room.text.clear();
            room.text.push_str(&self.before);
            room.frame = self.number;
        }
        room.text.push_str(star);
        if !self.after.is_empty() {
            room.text.push_str(&self.after);
        }
        &room.text
    }
}

fn gives(texts: &[String], allow: &[EntitlementPattern], found: &mut Problems) -> Option<Vec<Give>> {
    if texts.is_empty() {
        found.report(Code::new("config.missing_field"), "a pattern needs `give`: what such a name gives");
        return None;
    }
    let mut gives = Vec::new();
    for text in texts {
        let give = match text.split_once("{*}") {
            None => text.parse().map(Give::Fixed).map_err(|error| error.to_string()),
            Some((before, after)) => Frame::new(before, after, allow).map(Give::Around),
        };
        match give {
            Ok(give) if give.stays_within(allow) => gives.push(give),
            Ok(_) => {
                let message = "could give what `allow` does not list";
                found.report(Code::new("config.outside_allow"), message);
            }
            Err(message) => found.report(Code::new("config.invalid_value"), message),
        }
    }
    (gives.len() == texts.len()).then_some(gives)
}

impl Give {
    /// Tells whether everything that this can give is listed: by a prefix, or name by name.
    fn stays_within(&self, allow: &[EntitlementPattern]) -> bool {
        match self {
            Self::Fixed(entitlement) => allow.iter().any(|allow| allow.matches(entitlement)),
            // What follows the literal part is the source's choice.
            Self::Around(frame) => frame.is_allowed || allow.iter().all(EntitlementPattern::is_exact),
        }
    }
}

fn check_allow(allow: &[EntitlementPattern], found: &mut Problems) {
    found.each("allow", allow, |pattern, found| {
        let text = String::from(pattern.clone());
        if matches!(text.as_str(), "role:*" | "group:*") {
            let message = "allows every name, so that the source could name itself an administrator";
            found.report(Code::new("config.allows_everything"), message);
        }
    });
}
