//! Start tags: attributes, declarations of namespaces, and what the names mean.

use std::borrow::Cow;

use super::arena::{AttributeRecord, ElementRecord, Kind, Span, TagRecord};
use super::build::{Builder, NOBODY, Open};
use super::names::{self, Extent};
use super::scope::{narrow, span};
use super::tag::{Closed, RawAttribute, RawAttributes, is_space};
use super::{XmlError, reference};

const SIGNATURES: &str = "http://www.w3.org/2000/09/xmldsig#";

/// Tags that were read not long ago.
///
/// Neighbours often have the very same tag, such as each value of an attribute. The same text with the same meaning of
/// all prefixes is the same tag, so what was found out about it is taken over instead of found out again.
#[derive(Debug, Default)]
pub(super) struct Remembered<'t>([Option<Tag<'t>>; 16]);

#[derive(Debug, Clone, Copy)]
struct Tag<'t> {
    content: &'t str,
    scope: u32,
    number: u32,
}

impl<'t> Remembered<'t> {
    fn find(&self, content: &str, scope: u32) -> Option<u32> {
        let tag = self.0.get(content.len() % 16)?.as_ref()?;
        (tag.scope == scope && tag.content == content).then_some(tag.number)
    }

    fn keep(&mut self, tag: Tag<'t>) {
        if let Some(place) = self.0.get_mut(tag.content.len() % 16) {
            *place = Some(tag);
        }
    }
}

impl<'t> Builder<'t> {
    /// Reads the start tag at `at` and answers the octet after it.
    pub(super) fn start_tag(&mut self, at: usize) -> Result<usize, XmlError> {
        self.flush_run()?;
        self.check_room()?;
        let (start, mark) = (at + 1, self.scope.mark());
        let rest = self.slice(start, self.source.len())?;
        // A value may hold this octet as well. Then no tag that is remembered ends here: all of those are whole.
        let first_end = memchr::memchr(b'>', rest.as_bytes()).ok_or(XmlError::MarkupMalformed)?;
        let content = rest.get(..first_end).unwrap_or_default();
        let (content, empty) = content.strip_suffix('/').map_or((content, false), |content| (content, true));
        let (number, closed) = match self.remembered.find(content, self.scope.state()) {
            Some(number) => (self.repeat(number), Closed { content, empty }),
            None => self.read_tag(start, rest, content.len())?,
        };
        let end = start + closed.content.len() + usize::from(closed.empty) + 1;
        let tag = self.arena.tags.get(number as usize);
        let (name_length, namespace) =
            tag.map_or((0, NOBODY), |tag| (tag.name_length as usize, tag.namespace));
        let node = self.push(Kind::Element, span(start, name_length), true)?;
        self.arena.elements.push(ElementRecord { tag: number, content: narrow(end), end: narrow(end) });
        self.note_root(node);
        if namespace == self.signature_namespace {
            self.note_signature(node, closed.content.get(..name_length).unwrap_or_default())?;
        }
        if closed.empty {
            self.scope.leave(mark);
        } else {
            self.open.push(Open { node, mark, name: (start, start + name_length) });
        }
        Ok(end)
    }

    fn repeat(&mut self, number: u32) -> u32 {
        let (first, last) = self.arena.tags.get(number as usize).map_or((0, 0), |tag| tag.declarations);
        let declarations = self.arena.declarations.get(first as usize..last as usize);
        for declaration in declarations.unwrap_or_default() {
            self.scope.repeat(*declaration);
        }
        number
    }

    /// Reads the tag at the beginning of `rest`, which has at least `length` octets.
    fn read_tag(
        &mut self,
        start: usize,
        rest: &'t str,
        length: usize,
    ) -> Result<(u32, Closed<'t>), XmlError> {
        let scope = self.scope.state();
        let Extent { length: name_length, prefix: prefix_length } = names::qualified(rest)?;
        match rest.as_bytes().get(name_length..) {
            Some([b'>', ..] | [b'/', b'>', ..]) => {}
            Some([octet, ..]) if is_space(*octet) => {}
            _ => return Err(XmlError::NameInvalid),
        }
        let (attributes, declarations) = (self.arena.attributes.len(), self.arena.declarations.len());
        let identifiers = self.arena.identifiers.len();
        let mut raw = RawAttributes::new(rest, name_length, length);
        self.read_attributes(start, &mut raw)?;
        self.resolve_attributes(attributes)?;
        let closed = raw.close()?;
        let (prefix, namespace) = match prefix_length {
            0 => (0, self.scope.default_namespace()),
            _ => self.scope.resolve(rest.get(..prefix_length).unwrap_or_default())?,
        };
        let number = narrow(self.arena.tags.len());
        self.arena.tags.push(TagRecord {
            name_length: narrow(name_length),
            prefix_length: narrow(prefix_length),
            prefix,
            namespace,
            attributes: (narrow(attributes), narrow(self.arena.attributes.len())),
            declarations: (narrow(declarations), narrow(self.arena.declarations.len())),
        });
        // Each bearer of an identifier is counted, so those are read one by one.
        if self.arena.identifiers.len() == identifiers {
            self.remembered.keep(Tag { content: closed.content, scope, number });
        }
        Ok((number, closed))
    }

    fn check_room(&self) -> Result<(), XmlError> {
        if self.open.is_empty() && self.rooted {
            return Err(XmlError::SecondRoot);
        }
        if self.open.len() >= self.limits.depth {
            return Err(XmlError::TooDeep);
        }
        if self.arena.elements.len() >= self.limits.elements {
            return Err(XmlError::TooManyElements);
        }
        Ok(())
    }

    fn note_root(&mut self, node: u32) {
        if !self.rooted {
            self.rooted = true;
            self.arena.root = node;
        }
    }

    /// Keeps an element of the namespace of XML signatures where it is a signature.
    fn note_signature(&mut self, node: u32, name: &str) -> Result<(), XmlError> {
        if name.rsplit(':').next() == Some("Signature") {
            if self.arena.signatures.len() >= self.limits.signatures {
                return Err(XmlError::TooManySignatures);
            }
            self.arena.signatures.push(node);
        }
        Ok(())
    }

    fn read_attributes(&mut self, start: usize, raw: &mut RawAttributes<'t>) -> Result<(), XmlError> {
        let first = self.arena.declarations.len();
        while let Some(attribute) = raw.next(self.limits)? {
            // each costs more than a node: declarations are looked up and sorted wherever they are used
            if self.arena.attributes.len() + self.arena.declarations.len() >= self.limits.nodes / 2 {
                return Err(XmlError::TooManyNodes);
            }
            let (value, plain) = self.read_value(start, &attribute)?;
            if attribute.name == "xmlns" {
                self.declare(first, Span::default(), "", value)?;
            } else if attribute.prefix == "xmlns".len() && attribute.name.starts_with("xmlns:") {
                let prefix = attribute.name.get("xmlns:".len()..).unwrap_or_default();
                let place = span(start + attribute.name_at + "xmlns:".len(), prefix.len());
                self.declare(first, place, prefix, value)?;
            } else {
                self.arena.attributes.push(AttributeRecord {
                    name: span(start + attribute.name_at, attribute.name.len()),
                    prefix_length: narrow(attribute.prefix),
                    prefix: 0,
                    namespace: 0,
                    value,
                    plain,
                });
            }
        }
        Ok(())
    }

    /// Normalises a value (XML 1.0 §3.3.3).
    fn read_value(&mut self, start: usize, raw: &RawAttribute<'t>) -> Result<(Span, bool), XmlError> {
        if !raw.changes {
            let plain = !raw.quotes || !raw.value.contains('"');
            return Ok((span(start + raw.value_at, raw.value.len()), plain));
        }
        let from = self.arena.resolved.len();
        let spaced = raw.value.replace(['\t', '\n', '\r'], " ");
        reference::resolve(&spaced, &mut self.arena.resolved)?;
        Ok((self.resolved_since(from), false))
    }

    fn declare(&mut self, first: usize, place: Span, prefix: &'t str, value: Span) -> Result<(), XmlError> {
        let range = value.start as usize..(value.start + value.length) as usize;
        let name = if value.resolved {
            Cow::Owned(self.arena.resolved.get(range).unwrap_or_default().to_owned())
        } else {
            Cow::Borrowed(self.source.get(range).unwrap_or_default())
        };
        let is_signatures = name == SIGNATURES;
        let declared = self.scope.declare(prefix, name)?;
        if declared.new_prefix {
            self.arena.prefixes.push(place);
        }
        if declared.new_name {
            self.arena.namespaces.push(value);
        }
        let declaration = declared.declaration;
        if is_signatures {
            self.signature_namespace = declaration.namespace;
        }
        let own = self.arena.declarations.get(first..).unwrap_or_default();
        if own.iter().any(|other| other.prefix == declaration.prefix) {
            return Err(XmlError::DuplicateAttribute);
        }
        self.arena.declarations.push(declaration);
        Ok(())
    }

    /// Finds what the prefixes mean, now that all declarations of the tag are known, and that no two attributes are the
    /// same (Namespaces in XML 1.0 §6.3).
    fn resolve_attributes(&mut self, first: usize) -> Result<(), XmlError> {
        let (source, scope, arena) = (self.source, &self.scope, &mut self.arena);
        let attributes = arena.attributes.get_mut(first..).unwrap_or_default();
        for attribute in attributes.iter_mut() {
            if attribute.prefix_length > 0 {
                let prefix = Span { length: attribute.prefix_length, ..attribute.name };
                (attribute.prefix, attribute.namespace) = scope.resolve(piece(source, prefix))?;
            }
            if matches!(local(source, attribute), "ID" | "Id" | "id" | "AssertionID") {
                arena.identifiers.push(attribute.value);
            }
        }
        if has_twins(source, attributes) { Err(XmlError::DuplicateAttribute) } else { Ok(()) }
    }
}

/// Says whether two attributes are the same. A few are compared with each other, many are sorted first: comparing all with
/// all would make a document of wide tags slow.
fn has_twins(source: &str, attributes: &[AttributeRecord]) -> bool {
    if attributes.len() <= 8 {
        let after = |place: usize| attributes.get(place + 1..).unwrap_or_default();
        return attributes
            .iter()
            .enumerate()
            .any(|(place, one)| after(place).iter().any(|other| is_same(source, one, other)));
    }
    let mut names: Vec<_> = attributes.iter().map(|it| (it.namespace, local(source, it))).collect();
    names.sort_unstable();
    names.windows(2).any(|pair| pair.first() == pair.last())
}

fn piece(source: &str, span: Span) -> &str {
    let start = span.start as usize;
    source.get(start..start + span.length as usize).unwrap_or_default()
}

fn local<'t>(source: &'t str, attribute: &AttributeRecord) -> &'t str {
    let length = local_length(attribute);
    let start = attribute.name.start + attribute.name.length - length;
    piece(source, Span { start, length, resolved: false })
}

fn local_length(attribute: &AttributeRecord) -> u32 {
    attribute.name.length - attribute.prefix_length - u32::from(attribute.prefix_length > 0)
}

/// Looks at the lengths first: nearly all pairs differ there.
fn is_same(source: &str, one: &AttributeRecord, other: &AttributeRecord) -> bool {
    local_length(one) == local_length(other)
        && one.namespace == other.namespace
        && local(source, one) == local(source, other)
}
