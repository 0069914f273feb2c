//! Canonical XML: exclusive (the profile of SAML) and, for one legacy switch, inclusive; both 1.0 without comments.
//!
//! Prefixes and namespaces have numbers in the arena, so "which namespace was last written for this prefix" is one
//! access to a table. The walk is a loop over the nodes in document order.

use std::cmp::Ordering;

use super::Element;
use super::arena::{AttributeRecord, Declaration, Document, ElementRecord, Kind, Node, TagRecord, XML};
use super::bindings::{Bindings, Mark, NOTHING};
use super::escape::{escape_attribute, escape_text};
use super::verbatim::{Output, is_canonical_tag};

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
    writer.walk(apex, omit, most).then(|| writer.out.finish())
}

/// An element that is written and not yet closed.
struct Open<'d> {
    after: u32,
    name: &'d str,
    /// The octet after the end tag in the source, where there is one.
    end: Option<usize>,
    rendered: Mark,
    scope: Mark,
}

struct Canonicalizer<'d> {
    document: &'d Document<'d>,
    out: Output<'d>,
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
    /// The tag stands in the source as it is written.
    verbatim: bool,
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
            out: Output::new(&document.source, length + length / 4),
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
            Kind::Text if node.plain && !node.span.resolved => {
                self.out.copy(node.span.start as usize, (node.span.start + node.span.length) as usize);
            }
            Kind::Text | Kind::Section => escape_text(self.document.text(node.span), self.out.text()),
            Kind::Comment => {}
            Kind::Instruction => self.instruction(self.document.text(node.span)),
        }
    }

    fn close_until(&mut self, index: u32) {
        while self.open.last().is_some_and(|open| open.after <= index) {
            let Some(open) = self.open.pop() else { return };
            self.out.end_tag(open.name, open.end);
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
            self.leaf_tag(record, node);
        } else {
            self.start_tag(record, node);
        }
        let end = (record.content != record.end).then_some(record.end as usize);
        self.open.push(Open { after: node.after, name, end, rendered, scope });
    }

    fn leaf_tag(&mut self, record: &'d ElementRecord, node: &Node) {
        let (tag, rendered) = (record.tag, self.rendered.state());
        let place = tag as usize % self.written.len();
        let last = self.written.get(place).copied().flatten();
        match last.filter(|last| last.tag == tag && last.rendered == rendered) {
            // one without an end tag has the same number and is written otherwise
            Some(last) if last.verbatim && record.content != record.end => {
                self.out.copy(tag_place(node), record.content as usize);
            }
            Some(last) => self.out.text().extend_from_within(last.start..last.end),
            None => {
                let start = self.out.text().len();
                let verbatim = self.start_tag(record, node);
                let end = self.out.text().len();
                if let Some(written) = self.written.get_mut(place) {
                    *written = Some(Written { tag, rendered, start, end, verbatim });
                }
            }
        }
    }

    /// Tells whether the tag stands in the source as it is written.
    fn start_tag(&mut self, record: &'d ElementRecord, node: &Node) -> bool {
        self.collect(self.document.tag(record));
        if self.attributes.len() > 1 {
            let document = self.document;
            self.attributes.sort_unstable_by(|one, other| {
                // the same number, the same name
                let namespaces = if one.namespace == other.namespace {
                    Ordering::Equal
                } else {
                    document.namespace(one.namespace).cmp(document.namespace(other.namespace))
                };
                namespaces.then_with(|| local_name(document, one).cmp(local_name(document, other)))
            });
        }
        if self.declarations.is_empty() && is_canonical_tag(self.document, record, node, &self.attributes) {
            self.out.copy(tag_place(node), record.content as usize);
            return true;
        }
        let out = self.out.text();
        out.push('<');
        out.push_str(self.document.text(node.span));
        self.write_declarations();
        self.write_attributes();
        self.out.text().push('>');
        false
    }

    /// Finds the declarations to write: those visibly utilized (Exclusive XML Canonicalization 1.0 §2.2) and those
    /// treated as inclusive, unless the nearest written ancestor says the same.
    fn collect(&mut self, tag: &'d TagRecord) {
        self.declarations.clear();
        self.attributes.clear();
        self.need(tag.prefix, tag.namespace);
        for attribute in self.document.attributes_of(tag) {
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
        for declaration in self.document.declarations_of(tag) {
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
        let out = self.out.text();
        for declaration in &self.declarations {
            out.push_str(" xmlns");
            if declaration.prefix != 0 {
                out.push(':');
                out.push_str(document.prefix(declaration.prefix));
            }
            out.push_str("=\"");
            escape_attribute(document.namespace(declaration.namespace), out);
            out.push('"');
        }
    }

    fn write_attributes(&mut self) {
        let (document, out) = (self.document, self.out.text());
        for attribute in &self.attributes {
            out.push(' ');
            out.push_str(document.text(attribute.name));
            out.push_str("=\"");
            let value = document.text(attribute.value);
            if attribute.plain {
                out.push_str(value);
            } else {
                escape_attribute(value, out);
            }
            out.push('"');
        }
    }

    fn instruction(&mut self, content: &str) {
        let (target, data) = content
            .split_once(|character: char| character.is_ascii_whitespace())
            .map_or((content, ""), |(target, data)| {
                (target, data.trim_start_matches([' ', '\t', '\n', '\r']))
            });
        let out = self.out.text();
        out.push_str("<?");
        out.push_str(target);
        if !data.is_empty() {
            out.push(' ');
            out.push_str(data);
        }
        out.push_str("?>");
    }
}

/// Answers the octet of the source at which the tag of an element begins.
fn tag_place(node: &Node) -> usize {
    (node.span.start as usize).saturating_sub(1)
}

fn bind_surroundings(apex: Element<'_>, scope: &mut Bindings) {
    let mut ancestors: Vec<_> = std::iter::successors(apex.parent(), |element| element.parent()).collect();
    while let Some(ancestor) = ancestors.pop() {
        for declaration in apex.document().declarations_of(ancestor.tag()) {
            scope.bind(*declaration);
        }
    }
}

/// Lists the nearest `xml:` attribute of each name around the apex.
fn inherited_attributes(apex: Element<'_>) -> Vec<&AttributeRecord> {
    let document = apex.document();
    let mut found: Vec<&AttributeRecord> = Vec::new();
    for ancestor in std::iter::successors(apex.parent(), |element| element.parent()) {
        for attribute in document.attributes_of(ancestor.tag()) {
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
