//! What is wrong with settings, and where.

use std::{
    error::Error,
    fmt::{self, Write as _},
    sync::Arc,
};

use crate::Code;

/// The most problems that one load lists.
const LISTED: usize = 100;
/// The longest name of a field that is repeated in a message or path, in characters.
const NAME_CHARS: usize = 64;

/// Points into a text, counted from one; the column counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a place in a text is a line and a column")]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Place {
    /// Finds the place of a byte in a text.
    pub(super) fn of(text: &str, offset: usize) -> Self {
        let mut end = offset.min(text.len());
        while !text.is_char_boundary(end) {
            end = end.saturating_sub(1);
        }
        let before = text.get(..end).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at.saturating_add(1));
        let line = before.bytes().filter(|byte| *byte == b'\n').count().saturating_add(1);
        let column = before.get(line_start..).unwrap_or("").chars().count().saturating_add(1);
        Self { line, column }
    }
}

/// One step of a path through settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    Field(String),
    Item(usize),
}

/// Describes one thing that is wrong. `Display` writes `FILE:LINE:COLUMN: path: message (code)`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The stable code, such as `config.unknown_field`.
    pub code: Code,
    /// The field, such as `connection[1].mapping.attribute[2].claim`; empty for the whole text.
    pub path: String,
    /// What is wrong, without the value.
    pub message: String,
    /// Where it stands, for settings that were read from a text.
    pub place: Option<Place>,
    pub(super) file: Option<Arc<str>>,
    pub(super) segments: Vec<Segment>,
}

impl Problem {
    pub(super) fn new(code: Code, segments: Vec<Segment>, message: String) -> Self {
        Self { code, path: written(&segments), message, place: None, file: None, segments }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.place) {
            (Some(file), Some(place)) => write!(f, "{file}:{}:{}: ", place.line, place.column)?,
            (Some(file), None) => write!(f, "{file}: ")?,
            (None, _) => {}
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{} ({})", self.message, self.code)
    }
}

/// Collects what is wrong with settings, so that one load lists everything at once.
///
/// A [`Check`](super::Check) walks its settings and keeps the path with it:
/// `found.within("attribute", |found| found.item(2, |found| found.report(code, "…")))`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    path: Vec<Segment>,
    list: Vec<Problem>,
    unlisted: usize,
}

impl Problems {
    /// Begins with nothing wrong.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Steps into a field for as long as `check` runs.
    pub fn within<R>(&mut self, field: &str, check: impl FnOnce(&mut Self) -> R) -> R {
        self.inside(Segment::Field(field.to_owned()), check)
    }

    /// Steps into an item of a list, counted from zero, for as long as `check` runs.
    pub fn item<R>(&mut self, index: usize, check: impl FnOnce(&mut Self) -> R) -> R {
        self.inside(Segment::Item(index), check)
    }

    /// Steps into each item of the list in `field`.
    pub fn each<'i, T>(&mut self, field: &str, items: &'i [T], mut check: impl FnMut(&'i T, &mut Self)) {
        self.within(field, |found| {
            for (index, item) in items.iter().enumerate() {
                found.item(index, |found| check(item, found));
            }
        });
    }

    fn inside<R>(&mut self, segment: Segment, check: impl FnOnce(&mut Self) -> R) -> R {
        self.path.push(segment);
        let result = check(self);
        self.path.pop();
        result
    }

    /// Notes something wrong here. The message is lower case, ends without a full stop and never holds a value.
    pub fn report(&mut self, code: Code, message: impl Into<String>) {
        self.push(Problem::new(code, self.path.clone(), message.into()));
    }

    /// Notes something wrong with a field of what is here.
    pub fn report_in(&mut self, field: &str, code: Code, message: impl Into<String>) {
        self.within(field, |found| found.report(code, message));
    }

    pub(super) fn push(&mut self, problem: Problem) {
        if self.list.len() < LISTED {
            self.list.push(problem);
        } else {
            self.unlisted = self.unlisted.saturating_add(1);
        }
    }

    /// Tells whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Everything that is wrong, in the order in which it was found; at most a hundred are listed.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.list.iter()
    }

    /// Gives the value if nothing is wrong.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.list.is_empty() { Ok(value) } else { Err(self) }
    }

    pub(super) fn each_mut(&mut self, place: impl FnMut(&mut Problem)) {
        self.list.iter_mut().for_each(place);
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self { list: vec![problem], ..Self::default() }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.list.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        if self.unlisted > 0 {
            write!(f, "\nand {} more", self.unlisted)?;
        }
        Ok(())
    }
}

impl Error for Problems {}

/// Writes a path as people read it.
fn written(segments: &[Segment]) -> String {
    let mut path = String::new();
    for segment in segments {
        match segment {
            Segment::Item(index) => {
                let _ = write!(path, "[{index}]");
            }
            Segment::Field(name) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(&shown(name));
            }
        }
    }
    path
}

/// Shortens a name and quotes it where it is not plain.
pub(super) fn shown(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let cut: String = name.chars().take(NAME_CHARS).collect();
    let dots = if cut.len() < name.len() { "…" } else { "" };
    if !cut.is_empty() && cut.chars().all(plain) { cut + dots } else { format!("{cut:?}{dots}") }
}
