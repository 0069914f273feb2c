//! What stands in the source just as the canonical form has it.
//!
//! Most producers sign what they have written in its canonical form already, so that nearly all of it is copied in runs
//! instead of put together name by name.

use super::arena::{AttributeRecord, Document, ElementRecord, Node, Span};

/// The canonical form while it is written.
#[derive(Debug)]
pub(super) struct Output<'d> {
    text: String,
    source: &'d str,
    /// The run of the source that comes next and has not been copied yet.
    from: usize,
    to: usize,
}

impl<'d> Output<'d> {
    pub(super) fn new(source: &'d str, capacity: usize) -> Self {
        Self { text: String::with_capacity(capacity), source, from: 0, to: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.text.len() + (self.to - self.from)
    }

    /// Takes over a piece of the source.
    pub(super) fn copy(&mut self, from: usize, to: usize) {
        if from != self.to {
            self.flush();
            self.from = from;
        }
        self.to = to;
    }

    /// Answers what is written so far, to write behind it.
    pub(super) fn text(&mut self) -> &mut String {
        self.flush();
        &mut self.text
    }

    /// Writes an end tag. `end` is the octet of the source after the one that stands there.
    pub(super) fn end_tag(&mut self, name: &str, end: Option<usize>) {
        // No name holds a less-than sign, so that one here is the first octet of an end tag without white space.
        let exact = end.map(|end| (end.saturating_sub(name.len() + "</>".len()), end));
        let exact = exact.filter(|(start, _)| self.source.as_bytes().get(*start) == Some(&b'<'));
        if let Some((start, end)) = exact {
            self.copy(start, end);
        } else {
            let text = self.text();
            text.push_str("</");
            text.push_str(name);
            text.push('>');
        }
    }

    pub(super) fn finish(mut self) -> String {
        self.flush();
        self.text
    }

    fn flush(&mut self) {
        if self.from != self.to {
            self.text.push_str(self.source.get(self.from..self.to).unwrap_or_default());
            self.from = self.to;
        }
    }
}

/// Tells whether a start tag that declares nothing stands in the source as its canonical form is: the attributes in this
/// order, one space before each, values as they are between quotation marks, and not closed by itself.
pub(super) fn is_canonical_tag(
    document: &Document<'_>,
    record: &ElementRecord,
    node: &Node,
    attributes: &[&AttributeRecord],
) -> bool {
    let source = document.source.as_bytes();
    let is = |place: u32, octet: u8| source.get(place as usize) == Some(&octet);
    let mut at = after(node.span);
    for attribute in attributes {
        let (name, value) = (attribute.name, attribute.value);
        let quote = after(name) + 1;
        let exact = attribute.plain
            && !value.resolved
            && name.start == at + 1
            && value.start == quote + 1
            && is(at, b' ')
            && is(quote, b'"');
        if !exact {
            return false;
        }
        at = after(value) + 1;
    }
    record.content == at + 1 && is(at, b'>')
}

fn after(span: Span) -> u32 {
    span.start + span.length
}
