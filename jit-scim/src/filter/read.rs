//! Reads filters. Nesting is bounded while it is read, so that nothing after it has to be afraid of depth.

use std::borrow::Cow;

use super::bind::{self, Scope};
use super::{BYTES, DEPTH, Filter, Node, Operator, TERMS};
use crate::error::ScimError;
use crate::json::Json;
use crate::limits::Limits;
use crate::reason::Reason;
use crate::resource::write::is_special;
use crate::schema::{Attribute, AttributePath, Kind, ResourceType};
use crate::text::strip_prefix_folded;
use crate::tolerance::Tolerance;

/// Reads a whole text as a filter over resources.
pub(super) fn filter(kind: &ResourceType, text: &str, tolerance: Tolerance) -> Result<Node, ScimError> {
    let mut reader = Reader::new(text, tolerance)?;
    let node = reader.any(Scope::Resource(kind), 0)?;
    reader.spaces();
    if reader.rest().is_empty() { Ok(node) } else { Err(reader.malformed()) }
}

/// Reads the filter within brackets that begins at `from`; returns it with the place behind the closing bracket.
pub(crate) fn value_filter(
    attribute: &Attribute,
    (text, from): (&str, usize),
    tolerance: Tolerance,
) -> Result<(Filter, usize), ScimError> {
    let mut reader = Reader::new(text, tolerance)?;
    reader.at = from;
    let node = reader.any(Scope::Value(attribute), 1)?;
    reader.spaces();
    reader.expect("]")?;
    Ok((Filter::of(node), reader.at))
}

/// What a literal says.
pub(super) enum Said<'a> {
    Text(Cow<'a, str>),
    /// No text.
    Other(Json),
}

/// A literal with the text that it was written as.
pub(super) struct Written<'a> {
    pub(super) said: Said<'a>,
    pub(super) text: &'a str,
    pub(super) at: usize,
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    terms: usize,
    tolerance: Tolerance,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, tolerance: Tolerance) -> Result<Self, ScimError> {
        if text.len() > BYTES {
            return Err(ScimError::at_offset(Reason::FilterTooLong, BYTES));
        }
        Ok(Self { text, at: 0, terms: 0, tolerance })
    }

    /// `and` binds closer than `or`, and `not` closer than both.
    fn any(&mut self, scope: Scope<'_>, depth: usize) -> Result<Node, ScimError> {
        let first = self.all(scope, depth)?;
        if !self.connective("or") {
            return Ok(first);
        }
        let mut nodes = vec![first, self.all(scope, depth)?];
        while self.connective("or") {
            nodes.push(self.all(scope, depth)?);
        }
        Ok(Node::Any(nodes))
    }

    fn all(&mut self, scope: Scope<'_>, depth: usize) -> Result<Node, ScimError> {
        let first = self.factor(scope, depth)?;
        if !self.connective("and") {
            return Ok(first);
        }
        let mut nodes = vec![first, self.factor(scope, depth)?];
        while self.connective("and") {
            nodes.push(self.factor(scope, depth)?);
        }
        Ok(Node::All(nodes))
    }

    fn factor(&mut self, scope: Scope<'_>, depth: usize) -> Result<Node, ScimError> {
        self.spaces();
        if self.take("(") {
            return self.group(scope, depth);
        }
        if let Some(after) = strip_prefix_folded(self.rest(), "not")
            && after.trim_start_matches(' ').starts_with('(')
        {
            self.at = self.text.len() - after.trim_start_matches(' ').len() + 1;
            return Ok(Node::Not(Box::new(self.group(scope, depth)?)));
        }
        self.term(scope, depth)
    }

    /// The rest of a group whose parenthesis was read.
    fn group(&mut self, scope: Scope<'_>, depth: usize) -> Result<Node, ScimError> {
        let depth = self.deeper(depth)?;
        let node = self.any(scope, depth)?;
        self.spaces();
        self.expect(")")?;
        Ok(node)
    }

    fn term(&mut self, scope: Scope<'_>, depth: usize) -> Result<Node, ScimError> {
        self.terms += 1;
        if self.terms > TERMS {
            return Err(self.error(Reason::FilterTooLong));
        }
        let at = self.at;
        let name = self.word(belongs_to_a_name);
        let place = |error: Reason| ScimError::at_offset(error, at);
        let (path, attribute) = scope.resolve(name).map_err(place)?;
        if self.take("[") {
            return self.selected(scope, (path, attribute), depth);
        }
        self.test((path, attribute))
    }

    /// `tags[value eq "a"]`, `emails[type eq "work"]`, and `emails[type eq "work"].value eq "a"`: the same value fulfils both.
    fn selected(
        &mut self,
        scope: Scope<'_>,
        (path, attribute): (AttributePath, &Attribute),
        depth: usize,
    ) -> Result<Node, ScimError> {
        let complex = attribute.kind() == Kind::Complex && !attribute.is_extension();
        if !(complex || attribute.is_multi_valued()) || matches!(scope, Scope::Value(_)) {
            return Err(self.malformed());
        }
        let scope = Scope::Value(attribute);
        let depth = self.deeper(depth)?;
        let mut node = self.any(scope, depth)?;
        self.spaces();
        self.expect("]")?;
        if complex && self.take(".") {
            let at = self.at;
            let name = self.word(belongs_to_a_name);
            let sub = scope.resolve(name).map_err(|reason| ScimError::at_offset(reason, at))?;
            let test = self.test(sub)?;
            node = match node {
                Node::All(mut nodes) => {
                    nodes.push(test);
                    Node::All(nodes)
                }
                node => Node::All(vec![node, test]),
            };
        }
        Ok(Node::Where(path, Box::new(node)))
    }

    fn test(&mut self, (path, attribute): (AttributePath, &Attribute)) -> Result<Node, ScimError> {
        self.one_space()?;
        let at = self.at;
        let word = self.word(|byte| byte.is_ascii_alphabetic());
        if word.eq_ignore_ascii_case("pr") {
            self.boundary()?;
            return Ok(Node::Present(path));
        }
        let operator =
            Operator::parse(word).ok_or_else(|| ScimError::at_offset(Reason::FilterMalformed, at))?;
        self.one_space()?;
        let literal = self.literal()?;
        self.boundary()?;
        bind::comparison((path, attribute), (operator, at), &literal, self.tolerance).map(Node::Compare)
    }

    fn literal(&mut self) -> Result<Written<'a>, ScimError> {
        let at = self.at;
        if let Some(plain) = self.plain() {
            let text = self.advance(plain.len() + 2);
            return Ok(Written { said: Said::Text(plain.into()), text, at });
        }
        let text = if self.rest().starts_with('"') {
            self.string()?
        } else {
            self.word(|byte| !matches!(byte, b' ' | b'(' | b')' | b'[' | b']'))
        };
        let written = |json| {
            let said = if let Json::Text(text) = json { Said::Text(text.into()) } else { Said::Other(json) };
            Ok(Written { said, text, at })
        };
        let number = text.bytes().next().is_some_and(|byte| byte == b'-' || byte.is_ascii_digit());
        match Json::parse(text.as_bytes(), &Limits::default()) {
            Ok(json) if number || matches!(text, "true" | "false" | "null") || text.starts_with('"') => {
                written(json)
            }
            _ if self.tolerance.filters_without_quotes && !text.is_empty() && !text.contains('"') => {
                written(Json::text(text))
            }
            _ => Err(ScimError::at_offset(Reason::FilterMalformed, at)),
        }
    }

    /// What stands between the quotes of a JSON string in which nothing is escaped.
    fn plain(&self) -> Option<&'a str> {
        let inner = self.rest().strip_prefix('"')?;
        let end = inner.bytes().position(is_special)?;
        let (plain, after) = inner.split_at_checked(end)?;
        after.starts_with('"').then_some(plain)
    }

    /// A JSON string with its quotes; what is in it is read by the reader of JSON.
    fn string(&mut self) -> Result<&'a str, ScimError> {
        let mut escaped = false;
        for (place, byte) in self.rest().bytes().enumerate().skip(1) {
            match byte {
                b'"' if !escaped => return Ok(self.advance(place + 1)),
                _ => escaped = byte == b'\\' && !escaped,
            }
        }
        Err(self.malformed())
    }

    /// Takes `and` or `or` between blanks.
    fn connective(&mut self, word: &str) -> bool {
        if !self.rest().starts_with(' ') {
            return false;
        }
        let trimmed = self.rest().trim_start_matches(' ');
        let after = strip_prefix_folded(trimmed, word).filter(|after| after.starts_with(' '));
        match after {
            Some(after) => {
                self.at = self.text.len() - after.len();
                true
            }
            None => false,
        }
    }

    fn deeper(&self, depth: usize) -> Result<usize, ScimError> {
        if depth < DEPTH { Ok(depth + 1) } else { Err(self.error(Reason::FilterTooDeep)) }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn advance(&mut self, bytes: usize) -> &'a str {
        let taken = self.rest().get(..bytes).unwrap_or_default();
        self.at += taken.len();
        taken
    }

    fn word(&mut self, belongs: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        self.advance(rest.bytes().position(|byte| !belongs(byte)).unwrap_or(rest.len()))
    }

    fn take(&mut self, sign: &str) -> bool {
        let there = self.rest().starts_with(sign);
        if there {
            self.at += sign.len();
        }
        there
    }

    fn expect(&mut self, sign: &str) -> Result<(), ScimError> {
        if self.take(sign) { Ok(()) } else { Err(self.malformed()) }
    }

    fn spaces(&mut self) {
        self.word(|byte| byte == b' ');
    }

    fn one_space(&mut self) -> Result<(), ScimError> {
        if self.word(|byte| byte == b' ').is_empty() { Err(self.malformed()) } else { Ok(()) }
    }

    /// A term ends with the text, a blank or a closing sign.
    fn boundary(&self) -> Result<(), ScimError> {
        match self.rest().bytes().next() {
            None | Some(b' ' | b')' | b']') => Ok(()),
            Some(_) => Err(self.malformed()),
        }
    }

    fn malformed(&self) -> ScimError {
        self.error(Reason::FilterMalformed)
    }

    const fn error(&self, reason: Reason) -> ScimError {
        ScimError::at_offset(reason, self.at)
    }
}

const fn belongs_to_a_name(byte: u8) -> bool {
    !matches!(byte, b' ' | b'(' | b')' | b'[' | b']' | b'"')
}
