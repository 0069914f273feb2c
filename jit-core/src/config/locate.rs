//! Finds where a field stands in a text. The text was parsed before, so only its shape is followed here.

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Format, problem::Segment};

/// Finds the byte where the deepest part of `path` begins that the text has.
pub(super) fn offset(text: &str, format: Format, path: &[Segment]) -> Option<usize> {
    match format {
        Format::Toml => in_toml(text, path),
        Format::Json => Some(in_json(text, path)),
    }
}

fn in_toml(text: &str, path: &[Segment]) -> Option<usize> {
    let root = DeTable::parse(text).ok()?;
    let mut offset = 0;
    let mut value: Option<&Spanned<DeValue<'_>>> = None;
    for segment in path {
        let next = match (segment, value.map(AsRef::as_ref)) {
            (Segment::Field(name), None) => in_table(root.get_ref(), name),
            (Segment::Field(name), Some(DeValue::Table(table))) => in_table(table, name),
            (Segment::Item(index), Some(DeValue::Array(items))) => {
                items.get(*index).map(|item| (item.span().start, item))
            }
            _ => None,
        };
        let Some((start, found)) = next else { break };
        offset = start;
        value = Some(found);
    }
    Some(offset)
}

fn in_table<'t, 'i>(table: &'t DeTable<'i>, name: &str) -> Option<(usize, &'t Spanned<DeValue<'i>>)> {
    table.iter().find(|(key, _)| key.get_ref() == name).map(|(key, value)| (key.span().start, value))
}

/// Follows the shape of a JSON text without building anything. Never recurses.
struct Scan<'t> {
    text: &'t str,
    at: usize,
}

fn in_json(text: &str, path: &[Segment]) -> usize {
    let mut scan = Scan { text, at: 0 };
    scan.blanks();
    let mut offset = scan.at;
    for segment in path {
        let found = match segment {
            Segment::Field(name) => scan.enter_field(name),
            Segment::Item(index) => scan.enter_item(*index),
        };
        let Some(start) = found else { break };
        offset = start;
    }
    offset
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.step();
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        self.blanks();
        let there = self.peek() == Some(byte);
        if there {
            self.step();
            self.blanks();
        }
        there
    }

    /// Stands on the value of a field of the object here; gives where its name begins.
    fn enter_field(&mut self, name: &str) -> Option<usize> {
        if !self.take(b'{') {
            return None;
        }
        loop {
            let start = self.at;
            self.skip();
            let key = self.text.get(start..self.at)?;
            let is_it = matches!(serde_json::from_str(key), Ok(Value::String(key)) if key == name);
            if !self.take(b':') {
                return None;
            }
            if is_it {
                return Some(start);
            }
            self.skip();
            if !self.take(b',') {
                return None;
            }
        }
    }

    /// Stands on an item of the list here; gives where it begins.
    fn enter_item(&mut self, index: usize) -> Option<usize> {
        if !self.take(b'[') {
            return None;
        }
        for _ in 0..index {
            self.skip();
            if !self.take(b',') {
                return None;
            }
        }
        Some(self.at)
    }

    /// Skips one value of any depth; moves by one byte at least while there is one.
    fn skip(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => self.skip_text(),
                b'{' | b'[' => {
                    depth = depth.saturating_add(1);
                    self.step();
                }
                b'}' | b']' => {
                    depth = depth.saturating_sub(1);
                    self.step();
                }
                _ => self.step(),
            }
            let ends =
                matches!(self.peek(), None | Some(b',' | b':' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t'));
            if depth == 0 && ends {
                return;
            }
        }
    }

    fn skip_text(&mut self) {
        self.step();
        while let Some(byte) = self.peek() {
            self.step();
            match byte {
                b'\\' => self.step(),
                b'"' => return,
                _ => {}
            }
        }
    }
}
