//! The flat memory of one document.

use std::borrow::Cow;

use super::{Element, Limits, XmlError, build, scan};

/// Where a piece of text stands: in the document, or among the values that differ from their source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) length: u32,
    pub(super) resolved: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Element,
    Text,
    /// A CDATA section.
    Section,
    Comment,
    Instruction,
}

/// A node in document order. The nodes inside it are those up to `after`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// The canonical form of a text is the text itself.
    pub(super) plain: bool,
    /// The qualified name of an element or the content of another node.
    pub(super) span: Span,
    pub(super) parent: u32,
    pub(super) after: u32,
    /// An index of `Document::elements`, for elements.
    pub(super) element: u32,
}

/// What elements have beyond other nodes.
#[derive(Debug, Clone, Copy)]
pub(super) struct ElementRecord {
    /// An index of `Arena::tags`. Elements with the same one have the same start tag, with the same meaning.
    pub(super) tag: u32,
    /// The octet after the start tag, and that after the end tag; the same for an element without an end tag.
    pub(super) content: u32,
    pub(super) end: u32,
}

/// What a start tag says. Names of namespaces and prefixes are numbers, see [`super::scope`].
#[derive(Debug, Clone, Copy)]
pub(super) struct TagRecord {
    pub(super) name_length: u32,
    pub(super) prefix_length: u32,
    pub(super) prefix: u32,
    pub(super) namespace: u32,
    pub(super) attributes: (u32, u32),
    pub(super) declarations: (u32, u32),
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct AttributeRecord {
    pub(super) name: Span,
    pub(super) prefix_length: u32,
    pub(super) prefix: u32,
    pub(super) namespace: u32,
    pub(super) value: Span,
    /// The canonical form of the value is the value itself.
    pub(super) plain: bool,
}

/// A declaration of a namespace, by the numbers of prefix and name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Declaration {
    pub(super) prefix: u32,
    pub(super) namespace: u32,
}

/// A document that was read strictly.
///
/// Its memory is bounded by the [`Limits`] it was read under and lies in a few vectors.
#[derive(Debug)]
pub struct Document<'a> {
    pub(super) source: Cow<'a, str>,
    pub(super) arena: Arena,
}

/// All that is known of a text beside the text itself.
#[derive(Debug, Default)]
pub(super) struct Arena {
    /// Values with references or white space, as they are after normalisation.
    pub(super) resolved: String,
    pub(super) nodes: Vec<Node>,
    pub(super) elements: Vec<ElementRecord>,
    pub(super) tags: Vec<TagRecord>,
    pub(super) attributes: Vec<AttributeRecord>,
    pub(super) declarations: Vec<Declaration>,
    /// Each different prefix once; number 0 is the empty one and [`XML`] is `xml`.
    pub(super) prefixes: Vec<Span>,
    /// Each different namespace name once; number 0 is the empty one and [`XML`] that of `xml`.
    pub(super) namespaces: Vec<Span>,
    /// The values of all attributes that could be identifiers.
    pub(super) identifiers: Vec<Span>,
    /// The nodes of the elements `ds:Signature`.
    pub(super) signatures: Vec<u32>,
    pub(super) root: u32,
}

static NO_NODE: Node = Node {
    kind: Kind::Comment,
    plain: true,
    span: Span { start: 0, length: 0, resolved: false },
    parent: 0,
    after: u32::MAX,
    element: u32::MAX,
};
static NO_ELEMENT: ElementRecord = ElementRecord { tag: u32::MAX, content: 0, end: 0 };
static NO_TAG: TagRecord = TagRecord {
    name_length: 0,
    prefix_length: 0,
    prefix: 0,
    namespace: 0,
    attributes: (0, 0),
    declarations: (0, 0),
};

impl<'a> Document<'a> {
    /// Reads a document.
    ///
    /// # Errors
    /// The first rule that the text breaks: every [`XmlError`] is possible.
    pub fn parse(octets: &'a [u8], limits: &Limits) -> Result<Self, XmlError> {
        // Places are kept in 32 bits.
        if octets.len() > limits.bytes.min(1 << 30) {
            return Err(XmlError::TooLarge);
        }
        build::document(scan::text(octets)?, limits)
    }

    /// Reads a canonical form that this crate wrote. It is UTF-8, has no forbidden characters and no carriage returns, so
    /// that one pass is left out; the rest is read as strictly as any other text.
    pub(crate) fn parse_canonical(text: &'a str, limits: &Limits) -> Result<Self, XmlError> {
        if text.len() > limits.bytes.min(1 << 30) {
            return Err(XmlError::TooLarge);
        }
        build::document(Cow::Borrowed(text), limits)
    }

    /// Answers the root element.
    #[must_use]
    pub fn root(&self) -> Element<'_> {
        Element::new(self, self.arena.root)
    }

    /// Lists the elements `ds:Signature` in document order.
    pub fn signatures(&self) -> impl Iterator<Item = Element<'_>> {
        self.arena.signatures.iter().map(|index| Element::new(self, *index))
    }

    /// Answers how many octets the text has.
    pub(crate) fn size(&self) -> usize {
        self.source.len()
    }

    /// Counts the attributes `ID`, `Id`, `id` and `AssertionID`, with any prefix, that have this value.
    ///
    /// Without a DTD nothing says which attribute is an identifier, so each that somebody could take for one counts.
    #[must_use]
    pub fn bearers_of(&self, identifier: &str) -> usize {
        self.arena.identifiers.iter().filter(|span| self.text(**span) == identifier).count()
    }

    pub(super) fn text(&self, span: Span) -> &str {
        let text: &str = if span.resolved { &self.arena.resolved } else { &self.source };
        let start = span.start as usize;
        text.get(start..start + span.length as usize).unwrap_or_default()
    }

    pub(super) fn node(&self, index: u32) -> &Node {
        self.arena.nodes.get(index as usize).unwrap_or(&NO_NODE)
    }

    pub(super) fn element(&self, node: &Node) -> &ElementRecord {
        self.arena.elements.get(node.element as usize).unwrap_or(&NO_ELEMENT)
    }

    pub(super) fn tag(&self, element: &ElementRecord) -> &TagRecord {
        self.arena.tags.get(element.tag as usize).unwrap_or(&NO_TAG)
    }

    pub(super) fn attributes_of(&self, tag: &TagRecord) -> &[AttributeRecord] {
        let (start, end) = tag.attributes;
        self.arena.attributes.get(start as usize..end as usize).unwrap_or_default()
    }

    pub(super) fn declarations_of(&self, tag: &TagRecord) -> &[Declaration] {
        let (start, end) = tag.declarations;
        self.arena.declarations.get(start as usize..end as usize).unwrap_or_default()
    }

    pub(super) fn prefix(&self, number: u32) -> &str {
        match number {
            XML => "xml",
            _ => self.arena.prefixes.get(number as usize).map_or("", |span| self.text(*span)),
        }
    }

    pub(super) fn namespace(&self, number: u32) -> &str {
        match number {
            XML => super::XML_NAMESPACE,
            _ => self.arena.namespaces.get(number as usize).map_or("", |span| self.text(*span)),
        }
    }
}

/// The number of the prefix `xml`, and of its namespace.
pub(super) const XML: u32 = 1;
