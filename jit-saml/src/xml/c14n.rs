//! Canonical XML: exclusive (the profile of SAML) and, for one legacy switch, inclusive; both 1.0 without comments.
//!
//! Prefixes and namespaces have numbers in the arena, so "which namespace was last written for this prefix" is one
//! access to a table. The walk is a loop over the nodes in document order.

use super::Element;
use super::arena::{AttributeRecord, Declaration, Document, ElementRecord, Kind, Node, XML};
use super::bindings::{Bindings, Mark, NOTHING};

/// Which canonical form is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Canonicalization {
    /// Exclusive XML Canonicalization 1.0 without comments.
    Exclusive(PrefixList),
    /// Canonical XML 1.0 without comments: namespaces and `xml:` attributes of the surroundings are written as well.
    Inclusive,
}

/// The prefixes that exclusive canonicalisation treats as the inclusive one does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrefixList(Vec<String>);

impl PrefixList {
    /// Reads the value of the attribute `PrefixList`, where `#default` stands for the default namespace (Exclusive XML
    /// Canonicalization 1.0 §2.1 and §3).
    #[must_use]
    pub fn parse(value: &str) -> Self {
        let prefixes = value.split_ascii_whitespace();
        Self(prefixes.map(|prefix| if prefix == "#default" { "" } else { prefix }.to_owned()).collect())
    }
}

/// Writes the canonical form of an element and all inside it, `omit` excepted (the enveloped-signature transform).
#[must_use]
pub fn canonicalize(apex: Element<'_>, omit: Option<Element<'_>>, form: &Canonicalization) -> Vec<u8> {
    canonical_text(apex, omit, form, usize::MAX).unwrap_or_default().into_bytes()
}

/// Does what [`canonicalize`] does and keeps the knowledge that the octets are UTF-8. `None` when the form would be longer
/// than `most` octets: one long name of a namespace is written again for each neighbour that uses it, so that a document of
/// a megabyte can have a form of gigabytes.
pub(crate) fn canonical_text(
    apex: Element<'_>,
    omit: Option<Element<'_>>,
    form: &Canonicalization,
    most: usize,
) -> Option<String> {
    let mut writer = Canonicalizer::new(apex, form);
    writer.walk(apex, omit, most).then_some(writer.out)
}

/// An element that is written and not yet closed.
struct Open<'d> {
    after: u32,
    name: &'d str,
    rendered: Mark,
    scope: Mark,
}

struct Canonicalizer<'d> {
    document: &'d Document<'d>,
    out: String,
    /// The namespace last written for each prefix.
    rendered: Bindings,
    /// The namespace in scope for each prefix; kept only where some prefix is treated as inclusive.
    scope: Bindings,
    inclusive: Vec<u32>,
    inherited: Vec<&'d AttributeRecord>,
    open: Vec<Open<'d>>,
    declarations: Vec<Declaration>,
    attributes: Vec<&'d AttributeRecord>,
    written: [Option<Written>; 8],
}

/// A start tag in the output.
///
/// The tags of neighbours often are the same. Where nothing inside can depend on what the tag declares, the next one is
/// copied.
#[derive(Debug, Clone, Copy)]
struct Written {
    tag: u32,
    rendered: u32,
    start: usize,
    end: usize,
}

impl<'d> Canonicalizer<'d> {
    fn new(apex: Element<'d>, form: &Canonicalization) -> Self {
        let document = apex.document();
        let count = document.arena.prefixes.len();
        let inclusive: Vec<u32> = (0..)
            .take(count)
            .filter(|number| *number != XML)
            .filter(|number| match form {
                Canonicalization::Inclusive => true,
                Canonicalization::Exclusive(list) => {
                    list.0.iter().any(|prefix| prefix == document.prefix(*number))
                }
            })
            .collect();
        let mut scope = Bindings::new(count);
        if !inclusive.is_empty() {
            bind_surroundings(apex, &mut scope);
        }
        let inherited = match form {
            Canonicalization::Inclusive => inherited_attributes(apex),
            Canonicalization::Exclusive(_) => Vec::new(),
        };
        // The form has about the length of the source; declarations that move inwards make it longer.
        let length = (apex.record().end - apex.node().span.start) as usize;
        Self {
            document,
            out: String::with_capacity(length + length / 4),
            rendered: Bindings::new(count),
            scope,
            inclusive,
            inherited,
            open: Vec::with_capacity(16),
            declarations: Vec::new(),
            attributes: Vec::new(),
            written: [None; 8],
        }
    }

    /// Tells whether all was written.
    fn walk(&mut self, apex: Element<'d>, omit: Option<Element<'d>>, most: usize) -> bool {
        let omitted = omit.map_or(NOTHING, Element::index);
        let (mut index, end) = (apex.index(), apex.node().after);
        while index < end {
            self.close_until(index);
            let node = self.document.node(index);
            if index == omitted {
                index = node.after;
            } else {
                self.write_node(node, index);
                index += 1;
            }
            if self.out.len() > most {
                return false;
            }
        }
        self.close_until(NOTHING);
        self.out.len() <= most
    }

    fn write_node(&mut self, node: &'d Node, index: u32) {
        match node.kind {
            Kind::Element => self.element(node, index),
            Kind::Text | Kind::Section if node.plain => self.out.push_str(self.document.text(node.span)),
            Kind::Text | Kind::Section => escape_text(self.document.text(node.span), &mut self.out),
            Kind::Comment => {}
            Kind::Instruction => self.instruction(self.document.text(node.span)),
        }
    }

    fn close_until(&mut self, index: u32) {
        while self.open.last().is_some_and(|open| open.after <= index) {
            let Some(open) = self.open.pop() else { return };
            self.out.push_str("</");
            self.out.push_str(open.name);
            self.out.push('>');
            self.rendered.restore(open.rendered);
            self.scope.restore(open.scope);
        }
    }

    fn element(&mut self, node: &'d Node, index: u32) {
        let record = self.document.element(node);
        let name = self.document.text(node.span);
        let (rendered, scope) = (self.rendered.mark(), self.scope.mark());
        // With at most one node inside, which is no element, nothing depends on the declarations of this one.
        let inside = node.after - index - 1;
        let leaf = inside == 0 || (inside == 1 && self.document.node(index + 1).kind != Kind::Element);
        if leaf && self.inclusive.is_empty() && !self.open.is_empty() {
            self.leaf_tag(record, name);
        } else {
            self.start_tag(record, name);
        }
        self.open.push(Open { after: node.after, name, rendered, scope });
    }

    fn leaf_tag(&mut self, record: &'d ElementRecord, name: &str) {
        let (tag, rendered, start) = (record.tag, self.rendered.state(), self.out.len());
        let place = tag as usize % self.written.len();
        let last = self.written.get(place).copied().flatten();
        if let Some(last) = last.filter(|last| last.tag == tag && last.rendered == rendered) {
            self.out.extend_from_within(last.start..last.end);
            return;
        }
        self.start_tag(record, name);
        if let Some(written) = self.written.get_mut(place) {
            *written = Some(Written { tag, rendered, start, end: self.out.len() });
        }
    }

    fn start_tag(&mut self, record: &'d ElementRecord, name: &str) {
        self.out.push('<');
        self.out.push_str(name);
        self.collect(record);
        self.write_declarations();
        self.write_attributes();
        self.out.push('>');
    }

    /// Finds the declarations to write: those visibly utilized (Exclusive XML Canonicalization 1.0 §2.2) and those
    /// treated as inclusive, unless the nearest written ancestor says the same.
    fn collect(&mut self, record: &'d ElementRecord) {
        self.declarations.clear();
        self.attributes.clear();
        self.need(record.prefix, record.namespace);
        for attribute in self.document.attributes_of(record) {
            if attribute.prefix_length > 0 {
                self.need(attribute.prefix, attribute.namespace);
            }
            self.attributes.push(attribute);
        }
        if self.open.is_empty() {
            self.inherit();
        }
        if self.inclusive.is_empty() {
            return;
        }
        for declaration in self.document.declarations_of(record) {
            self.scope.bind(*declaration);
        }
        for number in 0..self.inclusive.len() {
            let Some(&prefix) = self.inclusive.get(number) else { return };
            let namespace = self.scope.of(prefix);
            if namespace != NOTHING {
                self.need(prefix, namespace);
            }
        }
    }

    /// Canonical XML 1.0 §2.4: the apex takes over `xml:` attributes of its surroundings that it does not have.
    fn inherit(&mut self) {
        for inherited in std::mem::take(&mut self.inherited) {
            let local = local_name(self.document, inherited);
            let has = self
                .attributes
                .iter()
                .any(|it| it.namespace == XML && local_name(self.document, it) == local);
            if !has {
                self.attributes.push(inherited);
            }
        }
    }

    fn need(&mut self, prefix: u32, namespace: u32) {
        if prefix != XML && self.rendered.of(prefix) != namespace {
            let declaration = Declaration { prefix, namespace };
            self.rendered.bind(declaration);
            self.declarations.push(declaration);
        }
    }

    fn write_declarations(&mut self) {
        let document = self.document;
        if self.declarations.len() > 1 {
            self.declarations.sort_unstable_by_key(|declaration| document.prefix(declaration.prefix));
        }
        for declaration in &self.declarations {
            self.out.push_str(" xmlns");
            if declaration.prefix != 0 {
                self.out.push(':');
                self.out.push_str(document.prefix(declaration.prefix));
            }
            self.out.push_str("=\"");
            escape_attribute(document.namespace(declaration.namespace), &mut self.out);
            self.out.push('"');
        }
    }

    fn write_attributes(&mut self) {
        let document = self.document;
        if self.attributes.len() > 1 {
            self.attributes.sort_unstable_by_key(|attribute| {
                (document.namespace(attribute.namespace), local_name(document, attribute))
            });
        }
        for attribute in &self.attributes {
            self.out.push(' ');
            self.out.push_str(document.text(attribute.name));
            self.out.push_str("=\"");
            let value = document.text(attribute.value);
            if attribute.plain {
                self.out.push_str(value);
            } else {
                escape_attribute(value, &mut self.out);
            }
            self.out.push('"');
        }
    }

    fn instruction(&mut self, content: &str) {
        let (target, data) = content
            .split_once(|character: char| character.is_ascii_whitespace())
            .map_or((content, ""), |(target, data)| {
                (target, data.trim_start_matches([' ', '\t', '\n', '\r']))
            });
        self.out.push_str("<?");
        self.out.push_str(target);
        if !data.is_empty() {
            self.out.push(' ');
            self.out.push_str(data);
        }
        self.out.push_str("?>");
    }
}

fn bind_surroundings(apex: Element<'_>, scope: &mut Bindings) {
    let mut ancestors: Vec<_> = std::iter::successors(apex.parent(), |element| element.parent()).collect();
    while let Some(ancestor) = ancestors.pop() {
        for declaration in apex.document().declarations_of(ancestor.record()) {
            scope.bind(*declaration);
        }
    }
}

/// Lists the nearest `xml:` attribute of each name around the apex.
fn inherited_attributes(apex: Element<'_>) -> Vec<&AttributeRecord> {
    let document = apex.document();
    let mut found: Vec<&AttributeRecord> = Vec::new();
    for ancestor in std::iter::successors(apex.parent(), |element| element.parent()) {
        for attribute in document.attributes_of(ancestor.record()) {
            let local = local_name(document, attribute);
            if attribute.namespace == XML && !found.iter().any(|it| local_name(document, it) == local) {
                found.push(attribute);
            }
        }
    }
    found
}

fn local_name<'d>(document: &'d Document<'_>, attribute: &AttributeRecord) -> &'d str {
    let name = document.text(attribute.name);
    match attribute.prefix_length {
        0 => name,
        length => name.get(length as usize + 1..).unwrap_or_default(),
    }
}

const TEXT: u8 = 1;
const ATTRIBUTE: u8 = 2;

/// In which places each octet is written otherwise.
static ESCAPED: [u8; 256] = escaped();

const fn escaped() -> [u8; 256] {
    let mut table = [0; 256];
    #[expect(clippy::indexing_slicing, reason = "each is an index of a table of 256")]
    {
        table[b'&' as usize] = TEXT | ATTRIBUTE;
        table[b'<' as usize] = TEXT | ATTRIBUTE;
        table[b'\r' as usize] = TEXT | ATTRIBUTE;
        table[b'>' as usize] = TEXT;
        table[b'"' as usize] = ATTRIBUTE;
        table[b'\t' as usize] = ATTRIBUTE;
        table[b'\n' as usize] = ATTRIBUTE;
    }
    table
}

/// Canonical XML 1.0 §2.3, text nodes.
pub(super) fn escape_text(text: &str, out: &mut String) {
    escape(text, out, TEXT);
}

/// Canonical XML 1.0 §2.3, attribute nodes.
pub(super) fn escape_attribute(text: &str, out: &mut String) {
    escape(text, out, ATTRIBUTE);
}

fn escape(text: &str, out: &mut String, place: u8) {
    let is_escaped = |octet: u8| ESCAPED.get(usize::from(octet)).is_some_and(|places| places & place != 0);
    let mut rest = text;
    while let Some(at) = rest.bytes().position(is_escaped) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        out.push_str(match from.as_bytes().first() {
            Some(b'&') => "&amp;",
            Some(b'<') => "&lt;",
            Some(b'>') => "&gt;",
            Some(b'"') => "&quot;",
            Some(b'\t') => "&#x9;",
            Some(b'\n') => "&#xA;",
            _ => "&#xD;",
        });
        rest = from.get(1..).unwrap_or_default();
    }
    out.push_str(rest);
}
