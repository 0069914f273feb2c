//! Puts what deserialisers say into our words: a stable code, no type names, no values.

use crate::{Code, DomainError};

use super::problem::shown;

/// The most known words that a message lists.
const LISTED: usize = 24;

/// Makes code and message of what a deserialiser said.
pub(super) fn of_data(said: &str) -> (Code, String) {
    if let Some(rest) = said.strip_prefix("unknown field ") {
        return (Code::new("config.unknown_field"), unknown("field", rest));
    }
    if let Some(rest) = said.strip_prefix("unknown variant ") {
        return (Code::new("config.unknown_word"), unknown("word", rest));
    }
    if let Some(rest) = said.strip_prefix("missing field ") {
        let name = ticked(rest).next().unwrap_or_default();
        return (Code::new("config.missing_field"), format!("field `{name}` is missing"));
    }
    if let Some(rest) = said.strip_prefix("duplicate field ") {
        let name = ticked(rest).next().unwrap_or_default();
        return (Code::new("config.duplicate_field"), format!("field `{name}` stands here twice"));
    }
    if said.starts_with("data did not match any variant") {
        return (Code::new("config.wrong_type"), "has none of the forms that are allowed here".to_owned());
    }
    for (prefix, code) in [
        ("invalid type: ", Code::new("config.wrong_type")),
        ("invalid length ", Code::new("config.wrong_type")),
        ("invalid value: ", Code::new("config.invalid_value")),
    ] {
        if let Some(rest) = said.strip_prefix(prefix) {
            return (code, mismatch(rest));
        }
    }
    let code = if said.trim_end() == DomainError::NoBoundary.to_string() {
        "config.domain_boundary"
    } else {
        "config.invalid_value"
    };
    (Code::new(code), one_line(said))
}

/// Puts what a parser said on one line.
pub(super) fn of_syntax(said: &str) -> (Code, String) {
    let code = match said {
        "duplicate key" => "config.duplicate_field",
        said if said.contains("recurs") => "config.too_deep",
        _ => "config.syntax",
    };
    (Code::new(code), one_line(said))
}

fn one_line(said: &str) -> String {
    said.lines().map(str::trim).collect::<Vec<_>>().join("; ")
}

/// Says what was expected and what kind of thing stands there, never the thing itself.
fn mismatch(rest: &str) -> String {
    let (found, expected) = rest.rsplit_once(", expected ").unwrap_or((rest, ""));
    let kinds = ["string", "integer", "floating point", "boolean", "map", "sequence", "null", "unit value"];
    let found = kinds.into_iter().find(|kind| found.starts_with(kind)).map(plain);
    match (plain(expected), found) {
        ("", _) => "has a form that is not allowed here".to_owned(),
        (expected, Some(found)) => format!("expected {expected}, found {found}"),
        (expected, None) => format!("expected {expected}"),
    }
}

/// Says kinds of values in words of the formats.
fn plain(kind: &str) -> &str {
    match kind {
        "map" | "a map" => "a table",
        "sequence" | "a sequence" => "a list",
        "string" | "a string" => "a text",
        "integer" => "a number",
        "floating point" => "a decimal number",
        "boolean" | "a boolean" => "`true` or `false`",
        "null" | "unit value" => "nothing",
        kind if kind.starts_with("struct ") || kind.contains("tagged enum ") => "a table",
        kind if kind.starts_with("enum ") => "a word or a table",
        kind => kind,
    }
}

fn unknown(what: &str, rest: &str) -> String {
    let mut words = ticked(rest);
    let name = words.next().unwrap_or_default();
    let known: Vec<&str> = words.collect();
    let shown = shown(name);
    match (nearest(name, &known), known.as_slice()) {
        (Some(near), _) => format!("unknown {what} {shown}; did you mean `{near}`?"),
        (None, []) => format!("unknown {what} {shown}"),
        (None, known) => {
            let more = if known.len() > LISTED { ", …" } else { "" };
            let list: Vec<&str> = known.iter().take(LISTED).copied().collect();
            format!("unknown {what} {shown}; known are `{}`{more}", list.join("`, `"))
        }
    }
}

/// The parts of a text that stand between back-ticks.
fn ticked(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Finds the known word that a typing mistake or two lead away from.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    if name.chars().count() > 40 {
        return None;
    }
    let allowed = if name.chars().count() <= 4 { 1 } else { 2 };
    known
        .iter()
        .map(|word| (distance(name, word), *word))
        .filter(|(steps, word)| *steps <= allowed || (name.len() >= 4 && word.starts_with(name)))
        .min()
        .map(|(_, word)| word)
}

/// Counts insertions, deletions, replacements and swaps of neighbours between two short words.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut last_char = None;
    for (row, x) in a.chars().enumerate() {
        let mut line = vec![row.saturating_add(1)];
        for (column, y) in b.iter().enumerate() {
            let cell = |line: &[usize], at: usize| line.get(at).copied().unwrap_or(usize::MAX - 1);
            let left = cell(&line, column).saturating_add(1);
            let above = cell(&last, column.saturating_add(1)).saturating_add(1);
            let mut best = left.min(above).min(cell(&last, column).saturating_add(usize::from(x != *y)));
            let swapped = column > 0 && last_char == Some(*y) && b.get(column.saturating_sub(1)) == Some(&x);
            if swapped {
                best = best.min(cell(&before, column.saturating_sub(1)).saturating_add(1));
            }
            line.push(best);
        }
        before = std::mem::replace(&mut last, line);
        last_char = Some(x);
    }
    last.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_word_finds_the_word_that_was_meant() {
        let known = ["claim", "constant", "template", "attribute"];
        for (typed, meant) in [
            ("clam", Some("claim")),
            ("cliam", Some("claim")),
            ("attr", Some("attribute")),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, &known), meant, "{typed}");
        }
    }

    #[test]
    fn a_value_never_reaches_the_message() {
        let said = "invalid type: string \"hunter2, expected of me\", expected struct Secret";
        assert_eq!(of_data(said).1, "expected a table, found a text");
    }
}
