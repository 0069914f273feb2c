//! Views of elements and attributes.

use std::borrow::Cow;

use super::arena::{AttributeRecord, Document, ElementRecord, Kind, Node, TagRecord};

/// An element of a [`Document`]. Two are equal when they are the same element of the same document.
#[derive(Debug, Clone, Copy)]
pub struct Element<'d> {
    document: &'d Document<'d>,
    index: u32,
}

impl PartialEq for Element<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(
            std::ptr::from_ref(self.document).cast::<()>(),
            std::ptr::from_ref(other.document).cast(),
        ) && self.index == other.index
    }
}

impl Eq for Element<'_> {}

impl<'d> Element<'d> {
    pub(super) fn new(document: &'d Document<'_>, index: u32) -> Self {
        Self { document, index }
    }

    pub(super) fn index(self) -> u32 {
        self.index
    }

    pub(super) fn node(self) -> &'d Node {
        self.document.node(self.index)
    }

    pub(super) fn record(self) -> &'d ElementRecord {
        self.document.element(self.node())
    }

    pub(super) fn tag(self) -> &'d TagRecord {
        self.document.tag(self.record())
    }

    /// Answers the document that the element stands in.
    #[must_use]
    pub fn document(self) -> &'d Document<'d> {
        self.document
    }

    /// Answers the name of the element's namespace, empty where it has none.
    #[must_use]
    pub fn namespace(self) -> &'d str {
        self.document.namespace(self.tag().namespace)
    }

    /// Answers the name of the element without its prefix.
    #[must_use]
    pub fn local(self) -> &'d str {
        local(self.document.text(self.node().span), self.tag().prefix_length)
    }

    /// Compares namespace and local name.
    #[must_use]
    pub fn is(self, namespace: &str, local: &str) -> bool {
        self.local() == local && self.namespace() == namespace
    }

    /// Tells whether this is known to have the same start tag as another element of the document, with the same meaning:
    /// the same name, and the same attributes. Many neighbours have.
    #[must_use]
    pub(crate) fn repeats(self, other: Self) -> bool {
        self.record().tag == other.record().tag && std::ptr::eq(self.document, other.document)
    }

    /// Answers the normalised value of an attribute in no namespace.
    #[must_use]
    pub fn attribute(self, local: &str) -> Option<&'d str> {
        self.attributes_named(local).find(|attribute| attribute.record.namespace == 0).map(Attribute::value)
    }

    /// Answers the normalised value of an attribute.
    #[must_use]
    pub fn attribute_in(self, namespace: &str, local: &str) -> Option<&'d str> {
        self.attributes_named(local)
            .find(|attribute| attribute.namespace() == namespace)
            .map(Attribute::value)
    }

    fn attributes_named(self, local: &str) -> impl Iterator<Item = Attribute<'d>> {
        // Lengths differ nearly always, and cost less to compare than names.
        self.attributes()
            .filter(move |attribute| attribute.local_length() == local.len() && attribute.local() == local)
    }

    /// Lists the attributes in document order, without the declarations of namespaces.
    pub fn attributes(self) -> impl Iterator<Item = Attribute<'d>> {
        let document = self.document;
        document.attributes_of(self.tag()).iter().map(move |record| Attribute { document, record })
    }

    /// Answers the element around this one.
    #[must_use]
    pub fn parent(self) -> Option<Self> {
        let parent = self.node().parent;
        (parent != u32::MAX).then(|| Self::new(self.document, parent))
    }

    /// Tells whether an element stands inside this one, at any depth.
    pub(crate) fn holds(self, inner: Element<'_>) -> bool {
        let same = std::ptr::eq(
            std::ptr::from_ref(self.document).cast::<()>(),
            std::ptr::from_ref(inner.document).cast(),
        );
        same && (self.index + 1..self.node().after).contains(&inner.index)
    }

    /// Lists the child elements in document order.
    pub fn children(self) -> impl Iterator<Item = Element<'d>> {
        let document = self.document;
        self.child_nodes()
            .filter(|(_, node)| node.kind == Kind::Element)
            .map(move |(index, _)| Self::new(document, index))
    }

    /// Lists the elements inside this one at any depth, in document order, without itself.
    pub fn descendants(self) -> impl Iterator<Item = Element<'d>> {
        let document = self.document;
        (self.index + 1..self.node().after)
            .filter(move |index| document.node(*index).kind == Kind::Element)
            .map(move |index| Self::new(document, index))
    }

    /// Says whether anything but white space, comments and instructions stands between the child elements.
    #[must_use]
    pub fn has_text(self) -> bool {
        self.child_nodes()
            .filter(|(_, node)| matches!(node.kind, Kind::Text | Kind::Section))
            .any(|(_, node)| !self.document.text(node.span).bytes().all(super::tag::is_space))
    }

    /// Answers the text of an element that holds nothing else: no element, comment or instruction. References and CDATA
    /// sections are resolved.
    ///
    /// Text around a comment would be read as two texts by one program and as one by another, which is how a person
    /// became another one in several products; so such an element has no text.
    #[must_use]
    pub fn only_text(self) -> Option<Cow<'d, str>> {
        let mut nodes = self.child_nodes();
        let Some((_, first)) = nodes.next() else { return Some(Cow::Borrowed("")) };
        let mut text = Cow::Borrowed(self.textual(first)?);
        for (_, node) in nodes {
            text.to_mut().push_str(self.textual(node)?);
        }
        Some(text)
    }

    /// Answers the text of an element that is written as plain text only: unlike [`Self::only_text`] not in CDATA
    /// sections.
    #[must_use]
    pub(crate) fn plain_text(self) -> Option<&'d str> {
        let mut nodes = self.child_nodes();
        match (nodes.next(), nodes.next()) {
            (None, _) => Some(""),
            (Some((_, node)), None) if node.kind == Kind::Text => self.textual(node),
            _ => None,
        }
    }

    fn textual(self, node: &Node) -> Option<&'d str> {
        matches!(node.kind, Kind::Text | Kind::Section).then(|| self.document.text(node.span))
    }

    /// Answers the namespace that a prefix means here, for qualified names in values; the empty prefix is the default
    /// namespace.
    #[must_use]
    pub fn prefix_namespace(self, prefix: &str) -> Option<&'d str> {
        if prefix == "xml" {
            return Some(super::XML_NAMESPACE);
        }
        let mut element = Some(self);
        while let Some(here) = element {
            let declarations = here.document.declarations_of(here.tag());
            if let Some(found) = declarations.iter().find(|it| here.document.prefix(it.prefix) == prefix) {
                return Some(here.document.namespace(found.namespace)).filter(|name| !name.is_empty());
            }
            element = here.parent();
        }
        None
    }

    /// Answers the octet of the text after the start tag, where there is an end tag as well.
    pub(crate) fn content_place(self) -> Option<usize> {
        let record = self.record();
        (record.content != record.end).then_some(record.content as usize)
    }

    /// Answers the octet of the text after the element.
    pub(crate) fn end_place(self) -> usize {
        self.record().end as usize
    }

    fn child_nodes(self) -> impl Iterator<Item = (u32, &'d Node)> {
        let (document, end) = (self.document, self.node().after);
        let mut next = self.index + 1;
        std::iter::from_fn(move || {
            (next < end).then(|| {
                let (index, node) = (next, document.node(next));
                next = node.after;
                (index, node)
            })
        })
    }
}

/// An attribute of an element.
#[derive(Debug, Clone, Copy)]
pub struct Attribute<'d> {
    document: &'d Document<'d>,
    record: &'d AttributeRecord,
}

impl<'d> Attribute<'d> {
    /// Answers the name of the attribute's namespace, empty where it has no prefix.
    #[must_use]
    pub fn namespace(self) -> &'d str {
        self.document.namespace(self.record.namespace)
    }

    /// Answers the name of the attribute without its prefix.
    #[must_use]
    pub fn local(self) -> &'d str {
        local(self.document.text(self.record.name), self.record.prefix_length)
    }

    fn local_length(self) -> usize {
        let AttributeRecord { name, prefix_length, .. } = self.record;
        (name.length - prefix_length - u32::from(*prefix_length > 0)) as usize
    }

    /// Answers the value after normalisation (XML 1.0 §3.3.3).
    #[must_use]
    pub fn value(self) -> &'d str {
        self.document.text(self.record.value)
    }
}

fn local(name: &str, prefix_length: u32) -> &str {
    match prefix_length {
        0 => name,
        length => name.get(length as usize + 1..).unwrap_or_default(),
    }
}
