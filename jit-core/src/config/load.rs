//! Reads settings from a text.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_path_to_error::Segment as Step;

use super::{
    Place, Problem, Problems,
    locate::offset,
    problem::Segment,
    wording::{of_data, of_syntax},
};
use crate::Code;

/// The longest text that is read, in bytes.
pub const MAX_BYTES: usize = 1 << 20;
/// The deepest nesting of brackets that is read.
pub const MAX_NESTING: usize = 16;

/// Says how settings are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// TOML 1.1.
    Toml,
    /// JSON (RFC 8259).
    Json,
}

/// Tells what is wrong with settings beyond their form.
pub trait Check {
    /// Reports everything that is wrong.
    fn check(&self, found: &mut Problems);
}

/// Reads settings and checks them. `file_name` is only repeated in problems; no file is opened.
///
/// # Errors
/// [`Problems`] with the codes `config.too_large`, `config.too_deep`, `config.syntax`, `config.unknown_field`,
/// `config.unknown_word`, `config.missing_field`, `config.duplicate_field`, `config.wrong_type`,
/// `config.invalid_value`, and those of the [`Check`] of the settings.
pub fn load<T: DeserializeOwned + Check>(text: &str, format: Format, file_name: &str) -> Result<T, Problems> {
    load_with(text, format, file_name, T::check)
}

/// Reads settings and checks them by what the caller knows beyond them, such as the files that they name.
///
/// # Errors
/// As [`load`], with what `check` reports in the place of the [`Check`] of the settings.
pub fn load_with<T: DeserializeOwned>(
    text: &str,
    format: Format,
    file_name: &str,
    check: impl FnOnce(&T, &mut Problems),
) -> Result<T, Problems> {
    let file: Arc<str> = file_name.into();
    let read = guard(text, format).and_then(|()| match format {
        Format::Toml => from_toml(text),
        Format::Json => from_json(text),
    });
    let checked = read.and_then(|settings: T| {
        let mut found = Problems::none();
        check(&settings, &mut found);
        found.or(settings)
    });
    checked.map_err(|mut problems| {
        problems.each_mut(|problem| {
            problem.file = Some(Arc::clone(&file));
            if problem.place.is_none() && text.len() <= MAX_BYTES {
                problem.place = offset(text, format, &problem.segments).map(|at| Place::of(text, at));
            }
        });
        problems
    })
}

/// Refuses what is too large or too deep to be parsed on a small stack.
fn guard(text: &str, format: Format) -> Result<(), Problems> {
    if text.len() > MAX_BYTES {
        let message = format!("the text is longer than {MAX_BYTES} bytes");
        return Err(Problem::new(Code::new("config.too_large"), Vec::new(), message).into());
    }
    match too_deep(text, format) {
        None => Ok(()),
        Some(at) => {
            let message = format!("brackets are nested more than {MAX_NESTING} deep");
            let mut problem = Problem::new(Code::new("config.too_deep"), Vec::new(), message);
            problem.place = Some(Place::of(text, at));
            Err(problem.into())
        }
    }
}

/// Finds the bracket that goes too deep; what stands in texts and comments is not counted.
fn too_deep(text: &str, format: Format) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0_usize;
    while let Some(rest) = text.as_bytes().get(at..).filter(|rest| !rest.is_empty()) {
        let length = match (rest.first(), format) {
            (Some(b'"'), Format::Json) => quoted(rest, b"\"", true),
            (Some(b'"'), Format::Toml) if rest.starts_with(b"\"\"\"") => quoted(rest, b"\"\"\"", true),
            (Some(b'\''), Format::Toml) if rest.starts_with(b"'''") => quoted(rest, b"'''", false),
            (Some(b'"'), Format::Toml) => one_line(rest, quoted(rest, b"\"", true)),
            (Some(b'\''), Format::Toml) => one_line(rest, quoted(rest, b"'", false)),
            (Some(b'#'), Format::Toml) => one_line(rest, rest.len()),
            (Some(b'[' | b'{'), _) => {
                depth = depth.saturating_add(1);
                1
            }
            (Some(b']' | b'}'), _) => {
                depth = depth.saturating_sub(1);
                1
            }
            _ => 1,
        };
        if depth > MAX_NESTING {
            return Some(at);
        }
        at = at.saturating_add(length);
    }
    None
}

/// The length of the quoted text that `rest` begins with.
fn quoted(rest: &[u8], mark: &[u8], escapes: bool) -> usize {
    let mut at = mark.len();
    while let Some(tail) = rest.get(at..).filter(|tail| !tail.is_empty()) {
        if tail.starts_with(mark) {
            return at.saturating_add(mark.len());
        }
        at = at.saturating_add(if escapes && tail.starts_with(b"\\") { 2 } else { 1 });
    }
    rest.len()
}

fn one_line(rest: &[u8], length: usize) -> usize {
    let line = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    length.min(line.max(1))
}

fn from_toml<T: DeserializeOwned>(text: &str) -> Result<T, Problems> {
    let placed = |error: &toml::de::Error, mut problem: Problem| {
        problem.place = error.span().map(|span| Place::of(text, span.start));
        Problems::from(problem)
    };
    let source = toml::Deserializer::parse(text).map_err(|error| {
        let (code, message) = of_syntax(error.message());
        placed(&error, Problem::new(code, Vec::new(), message))
    })?;
    serde_path_to_error::deserialize(source).map_err(|error| {
        let segments = steps(error.path());
        let (code, message) = of_data(error.inner().message());
        placed(error.inner(), Problem::new(code, segments, message))
    })
}

fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, Problems> {
    let mut source = serde_json::Deserializer::from_str(text);
    let settings = serde_path_to_error::deserialize(&mut source).map_err(|error| {
        let segments = steps(error.path());
        in_json(error.inner(), segments)
    })?;
    source.end().map_err(|error| in_json(&error, Vec::new()))?;
    Ok(settings)
}

/// Describes an error of the JSON parser; what is wrong in form is placed where the parser stood.
fn in_json(error: &serde_json::Error, segments: Vec<Segment>) -> Problems {
    let said = error.to_string();
    let said = said.rsplit_once(" at line ").map_or(said.as_str(), |(said, _)| said);
    let (code, message) = if error.is_data() { of_data(said) } else { of_syntax(said) };
    // A field that stands there twice has two places, and the parser stood at the second.
    let where_it_stood = !error.is_data() || code.as_str() == "config.duplicate_field";
    let mut problem = Problem::new(code, segments, message);
    if where_it_stood {
        problem.place = Some(Place { line: error.line().max(1), column: error.column().max(1) });
    }
    problem.into()
}

fn steps(path: &serde_path_to_error::Path) -> Vec<Segment> {
    path.iter()
        .filter_map(|step| match step {
            Step::Seq { index } => Some(Segment::Item(*index)),
            Step::Map { key } => Some(Segment::Field(key.clone())),
            // The variants of an enum are fields of the text too, but only where they are written as a table.
            Step::Enum { variant } => Some(Segment::Field(variant.clone())),
            Step::Unknown => None,
        })
        .collect()
}

#[cfg(test)]
mod tests;
