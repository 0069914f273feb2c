//! Texts with claims in braces: `{given_name} {family_name}`, `{email|local|lower}`, `{nickname|default:someone}`.

use std::{borrow::Cow, fmt::Write as _};

use serde_json::Value;

use crate::{Claim, ClaimPath, Claims, text::has_upper};

/// The longest template, in bytes.
const TEMPLATE_BYTES: usize = 1024;
/// The most claims in a template.
const SLOTS: usize = 16;
/// The most filters behind a claim.
const FILTERS: usize = 8;

/// Holds a template, read once when the mapping is loaded.
#[derive(Clone, Debug)]
pub(super) struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Slot(Slot),
}

#[derive(Clone, Debug)]
struct Slot {
    claim: ClaimPath,
    filters: Vec<Filter>,
    default: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Filter {
    Lower,
    Upper,
    Trim,
    First,
    Local,
    Domain,
}

const FILTER_NAMES: &[(&str, Filter)] = &[
    ("lower", Filter::Lower),
    ("upper", Filter::Upper),
    ("trim", Filter::Trim),
    ("first", Filter::First),
    ("local", Filter::Local),
    ("domain", Filter::Domain),
];

/// Says what a template came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Rendered<'t, 'r> {
    /// This text.
    Text(&'r str),
    /// Nothing: what it reads is empty.
    Empty(&'t ClaimPath),
    /// Nothing can be said: this claim is absent or cut, as the word says.
    Unknown(&'t ClaimPath, &'static str),
    /// A claim has a form that a text cannot be made of.
    Malformed,
}

impl Template {
    /// Reads a template.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        if text.len() > TEMPLATE_BYTES {
            return Err(format!("a template must not be longer than {TEMPLATE_BYTES} bytes"));
        }
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, brace) = rest.split_at(at);
            literal.push_str(before);
            if let Some(after) = brace.strip_prefix("{{").or_else(|| brace.strip_prefix("}}")) {
                literal.push_str(if brace.starts_with('{') { "{" } else { "}" });
                rest = after;
            } else if let Some(slot) = brace.strip_prefix('{') {
                let (slot, after) = slot.split_once('}').ok_or("a brace is opened and not closed")?;
                if !literal.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut literal)));
                }
                parts.push(Part::Slot(Slot::new(slot)?));
                rest = after;
            } else {
                return Err("a brace is closed and was not opened; write `}}` for the character".to_owned());
            }
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        match parts.iter().filter(|part| matches!(part, Part::Slot(_))).count() {
            _ if parts.is_empty() => Err("a template must not be empty".to_owned()),
            slots if slots > SLOTS => Err(format!("a template must not read more than {SLOTS} claims")),
            _ => Ok(Self { parts }),
        }
    }

    /// The claims that the template reads.
    pub(super) fn paths(&self) -> impl Iterator<Item = &ClaimPath> {
        self.slots().map(|slot| &slot.claim)
    }

    /// Tells whether the template always gives a text, whatever the claims are.
    pub(super) fn is_certain(&self) -> bool {
        self.slots().next().is_none()
    }

    fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Slot(slot) => Some(slot),
        })
    }

    /// Renders the template; blanks at both ends go. What must be put together is written to `room`.
    pub(super) fn render<'t: 'r, 'r>(&'t self, claims: &'r Claims, room: &'r mut String) -> Rendered<'t, 'r> {
        self.render_with(claims, room, false)
    }

    /// Renders the template where every claim that it reads must hold something.
    pub(super) fn render_complete<'t: 'r, 'r>(
        &'t self,
        claims: &'r Claims,
        room: &'r mut String,
    ) -> Rendered<'t, 'r> {
        self.render_with(claims, room, true)
    }

    fn render_with<'t: 'r, 'r>(
        &'t self,
        claims: &'r Claims,
        room: &'r mut String,
        is_complete: bool,
    ) -> Rendered<'t, 'r> {
        if let [Part::Slot(slot)] = self.parts.as_slice() {
            match slot.read(claims) {
                Read::Text(Cow::Borrowed(text)) => return Rendered::Text(trimmed(text)),
                Read::Unknown(state) => return Rendered::Unknown(&slot.claim, state),
                Read::Malformed => return Rendered::Malformed,
                Read::Empty => return Rendered::Empty(&slot.claim),
                Read::Text(Cow::Owned(_)) => {}
            }
        }
        room.clear();
        let (mut empty, mut is_filled) = (None, false);
        for part in &self.parts {
            match part {
                Part::Text(text) => room.push_str(text),
                Part::Slot(slot) => match slot.read(claims) {
                    Read::Text(text) => {
                        room.push_str(&text);
                        is_filled = true;
                    }
                    Read::Empty if is_complete => return Rendered::Empty(&slot.claim),
                    Read::Empty => empty = Some(&slot.claim),
                    Read::Unknown(state) => return Rendered::Unknown(&slot.claim, state),
                    Read::Malformed => return Rendered::Malformed,
                },
            }
        }
        match (trimmed(room), empty) {
            // What stands between claims says nothing without them.
            (text, Some(path)) if text.is_empty() || !is_filled => Rendered::Empty(path),
            (text, _) => Rendered::Text(text),
        }
    }
}

/// Takes blanks off both ends; most texts have none there.
fn trimmed(text: &str) -> &str {
    match text.as_bytes() {
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => text,
        _ => text.trim(),
    }
}

enum Read<'c> {
    Text(Cow<'c, str>),
    Empty,
    Unknown(&'static str),
    Malformed,
}

impl Slot {
    fn new(text: &str) -> Result<Self, String> {
        let mut parts = text.split('|');
        let path = parts.next().unwrap_or_default().trim();
        let path = ClaimPath::new(path).map_err(|error| error.to_string())?;
        let mut slot = Self { claim: path, filters: Vec::new(), default: None };
        for filter in parts {
            if let Some(default) = filter.trim_start().strip_prefix("default:") {
                slot.default = Some(default.to_owned());
                continue;
            }
            if slot.default.is_some() {
                return Err("`default:` stands behind all other filters".to_owned());
            }
            let name = filter.trim();
            let known = FILTER_NAMES.iter().find(|(word, _)| *word == name).map(|(_, filter)| *filter);
            slot.filters.push(known.ok_or_else(|| unknown_filter(name))?);
        }
        if slot.filters.len() > FILTERS {
            return Err(format!("a claim must not have more than {FILTERS} filters"));
        }
        Ok(slot)
    }

    fn read<'c>(&'c self, claims: &'c Claims) -> Read<'c> {
        let read = match claims.at(&self.claim) {
            Claim::Truncated => return Read::Unknown("truncated"),
            Claim::Absent => Read::Unknown("absent"),
            Claim::Empty => Read::Empty,
            Claim::Values(values) => {
                if let (Value::String(text), []) = (values.json(), self.filters.as_slice()) {
                    return Read::Text(Cow::Borrowed(text));
                }
                let text =
                    if self.filters.contains(&Filter::First) { values.texts().next() } else { values.text() };
                let Some(text) = text else { return Read::Malformed };
                match self.filters.iter().fold(text, |text, filter| filter.apply(text)) {
                    text if text.is_empty() => Read::Empty,
                    text => Read::Text(text),
                }
            }
        };
        match (read, &self.default) {
            (Read::Unknown(_) | Read::Empty, Some(default)) => Read::Text(Cow::Borrowed(default)),
            (read, _) => read,
        }
    }
}

fn unknown_filter(name: &str) -> String {
    let words: Vec<&str> = FILTER_NAMES.iter().map(|(word, _)| *word).chain(["default:"]).collect();
    let mut message = format!("unknown filter {:?}", name.chars().take(32).collect::<String>());
    match crate::config::nearest(name, &words) {
        Some(near) => {
            let _ = write!(message, "; did you mean `{near}`?");
        }
        None => {
            let _ = write!(message, "; known are `{}`", words.join("`, `"));
        }
    }
    message
}

impl Filter {
    fn apply(self, text: Cow<'_, str>) -> Cow<'_, str> {
        match self {
            Self::First => text,
            Self::Lower => lower(text),
            Self::Upper => upper(text),
            Self::Trim => part(text, str::trim),
            Self::Local => part(text, |text| text.split_once('@').map_or(text, |(local, _)| local)),
            Self::Domain => part(text, |text| text.rsplit_once('@').map_or("", |(_, domain)| domain)),
        }
    }
}

fn part<'t>(text: Cow<'t, str>, take: impl for<'a> Fn(&'a str) -> &'a str) -> Cow<'t, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(take(text)),
        Cow::Owned(text) => Cow::Owned(take(&text).to_owned()),
    }
}

/// Lower-cases a text; one that is in lower case already is left where it is.
pub(super) fn lower(text: Cow<'_, str>) -> Cow<'_, str> {
    let is_lower = text.is_ascii() && !has_upper(&text);
    if is_lower { text } else { Cow::Owned(text.to_lowercase()) }
}

/// Upper-cases a text.
pub(super) fn upper(text: Cow<'_, str>) -> Cow<'_, str> {
    let is_upper = text.is_ascii() && !text.bytes().any(|byte| byte.is_ascii_lowercase());
    if is_upper { text } else { Cow::Owned(text.to_uppercase()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn render(template: &str, claims: Value) -> String {
        let Value::Object(members) = claims else { panic!("an object") };
        match Template::new(template)
            .unwrap()
            .render(&Claims::new(members).truncated("cut"), &mut String::new())
        {
            Rendered::Text(text) => text.to_owned(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn claims_and_filters_make_a_text() {
        let claims = json!({
            "given_name": "Ada", "family_name": " Lovelace ", "email": "Ada@Example.com", "empty": "",
            "address": {"locality": "London"}, "https://x/team": ["a", "b"], "n": 7,
        });
        for (template, text) in [
            ("{given_name} {family_name|trim}", "Ada Lovelace"),
            ("{/address/locality|upper}", "LONDON"),
            ("{email|local|lower}.{email|domain|lower}", "ada.example.com"),
            ("{nope|default:someone}", "someone"),
            ("{empty|default:}{given_name}", "Ada"),
            ("{https://x/team|first}-{n}", "a-7"),
            ("{{{given_name}}}", "{Ada}"),
            ("fixed", "fixed"),
            ("{given_name} {empty}", "Ada"),
        ] {
            assert_eq!(render(template, claims.clone()), text, "{template}");
        }
    }

    #[test]
    fn the_four_states_reach_the_result() {
        let claims = json!({"empty": "", "list": ["a", "b"], "object": {"a": 1}, "ok": "x"});
        assert!(render("{ok}{absent}", claims.clone()).starts_with("Unknown"));
        assert!(render("{cut|default:x}", claims.clone()).starts_with("Unknown"));
        assert!(render(" {empty} ", claims.clone()).starts_with("Empty"));
        assert!(render("({empty}, {empty})", claims.clone()).starts_with("Empty"));
        assert_eq!(render("({empty}, {ok})", claims.clone()), "(, x)");
        assert_eq!(render("{list}", claims.clone()), "Malformed");
        assert_eq!(render("{object}", claims), "Malformed");
    }

    #[test]
    fn a_broken_template_says_what_is_wrong() {
        for (template, part) in [
            ("", "empty"),
            ("{a", "not closed"),
            ("a}", "not opened"),
            ("{}", "name a claim"),
            ("{a|lowr}", "did you mean `lower`"),
            ("{a|default:x|lower}", "behind"),
            ("{/a~2}", "~0"),
        ] {
            let message = Template::new(template).unwrap_err();
            assert!(message.contains(part), "{template}: {message}");
        }
    }
}
