//! Builds the arena from the events of quick-xml, refusing what quick-xml lets through.

use std::borrow::Cow;

use quick_xml::{Reader, events::Event};

use super::arena::{Arena, AttributeRecord, Document, ElementRecord, Kind, Node, Span};
use super::scope::{Scope, narrow, span};
use super::tag::{RawAttribute, RawAttributes, is_space};
use super::{Limits, XmlError, names, reference, tag};

const SIGNATURES: &str = "http://www.w3.org/2000/09/xmldsig#";
const NOBODY: u32 = u32::MAX;

pub(super) fn document<'a>(source: Cow<'a, str>, limits: &Limits) -> Result<Document<'a>, XmlError> {
    let arena = Builder::new(&source, limits).read()?;
    Ok(Document { source, arena })
}

struct Open {
    node: u32,
    /// The state of the scope outside of the element.
    mark: usize,
    /// The octets of the name in the source.
    name: (usize, usize),
}

/// A run of text and references that is not yet a node.
struct Run {
    start: usize,
    end: usize,
    references: bool,
}

struct Builder<'t> {
    source: &'t str,
    limits: &'t Limits,
    scope: Scope<'t>,
    arena: Arena,
    open: Vec<Open>,
    run: Option<Run>,
    rooted: bool,
    signature_namespace: u32,
}

impl<'t> Builder<'t> {
    fn new(source: &'t str, limits: &'t Limits) -> Self {
        // Messages have about one element in 80 octets; a guess too low costs a copy, one too high nothing.
        let elements = (source.len() / 80).min(limits.elements);
        let arena = Arena {
            nodes: Vec::with_capacity(elements * 5 / 2),
            elements: Vec::with_capacity(elements),
            attributes: Vec::with_capacity(elements),
            prefixes: vec![Span::default(); 2],
            namespaces: vec![Span::default(); 2],
            ..Arena::default()
        };
        let scope = Scope::new(limits.namespaces);
        let (open, run) = (Vec::with_capacity(16), None);
        Self { source, limits, scope, arena, open, run, rooted: false, signature_namespace: NOBODY }
    }

    fn read(mut self) -> Result<Arena, XmlError> {
        let mut reader = Reader::from_reader(self.source.as_bytes());
        let config = reader.config_mut();
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        let mut at = 0;
        loop {
            let event = reader.read_event().map_err(|_| XmlError::MarkupMalformed)?;
            let end = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
            match event {
                Event::Text(_) => self.extend_run(at, end, false),
                Event::GeneralRef(_) => self.extend_run(at, end, true),
                Event::Start(tag) => self.start_tag(at, end, tag.name().as_ref().len(), false)?,
                Event::Empty(tag) => self.start_tag(at, end, tag.name().as_ref().len(), true)?,
                Event::End(_) => self.end_tag(at, end)?,
                Event::CData(_) => self.section(at + "<![CDATA[".len(), end - "]]>".len())?,
                Event::Comment(_) => self.comment(at + "<!--".len(), end - "-->".len())?,
                Event::PI(_) => self.instruction(at + "<?".len(), end - "?>".len())?,
                Event::Decl(_) => self.declaration(at, end)?,
                Event::DocType(_) => return Err(XmlError::Doctype),
                Event::Eof => return self.finish(),
            }
            at = end;
        }
    }

    fn finish(mut self) -> Result<Arena, XmlError> {
        self.flush_run()?;
        if !self.open.is_empty() {
            return Err(XmlError::Unclosed);
        }
        if !self.rooted {
            return Err(XmlError::RootMissing);
        }
        Ok(self.arena)
    }

    fn slice(&self, from: usize, to: usize) -> Result<&'t str, XmlError> {
        self.source.get(from..to).ok_or(XmlError::MarkupMalformed)
    }

    fn push(&mut self, kind: Kind, span: Span, plain: bool) -> Result<u32, XmlError> {
        let index = narrow(self.arena.nodes.len());
        if self.arena.nodes.len() >= self.limits.nodes {
            return Err(XmlError::TooManyNodes);
        }
        let parent = self.open.last().map_or(NOBODY, |open| open.node);
        self.arena.nodes.push(Node { kind, plain, span, parent, after: index + 1, element: NOBODY });
        Ok(index)
    }

    fn extend_run(&mut self, start: usize, end: usize, reference: bool) {
        match &mut self.run {
            Some(run) => {
                run.end = end;
                run.references |= reference;
            }
            None => self.run = Some(Run { start, end, references: reference }),
        }
    }

    fn flush_run(&mut self) -> Result<(), XmlError> {
        let Some(run) = self.run.take() else { return Ok(()) };
        let text = self.slice(run.start, run.end)?;
        if self.open.is_empty() {
            let only_space = text.bytes().all(is_space);
            return if only_space { Ok(()) } else { Err(XmlError::TextOutsideRoot) };
        }
        let plain = memchr::memchr(b'>', text.as_bytes()).is_none();
        if !plain && text.contains("]]>") {
            return Err(XmlError::SectionEndInText);
        }
        let (span, plain) = if run.references {
            let start = self.arena.resolved.len();
            reference::resolve(text, &mut self.arena.resolved)?;
            (self.resolved_since(start), false)
        } else {
            (span(run.start, text.len()), plain)
        };
        self.push(Kind::Text, span, plain).map(drop)
    }

    fn resolved_since(&self, start: usize) -> Span {
        Span { resolved: true, ..span(start, self.arena.resolved.len() - start) }
    }

    fn section(&mut self, start: usize, end: usize) -> Result<(), XmlError> {
        self.flush_run()?;
        if self.open.is_empty() {
            return Err(XmlError::TextOutsideRoot);
        }
        let length = self.slice(start, end)?.len();
        self.push(Kind::Section, span(start, length), false).map(drop)
    }

    fn comment(&mut self, start: usize, end: usize) -> Result<(), XmlError> {
        self.flush_run()?;
        let text = self.slice(start, end).map_err(|_| XmlError::CommentMalformed)?;
        if text.contains("--") || text.ends_with('-') {
            return Err(XmlError::CommentMalformed);
        }
        self.push(Kind::Comment, span(start, text.len()), true).map(drop)
    }

    fn instruction(&mut self, start: usize, end: usize) -> Result<(), XmlError> {
        self.flush_run()?;
        let text = self.slice(start, end)?;
        let target = text.split(|character: char| character.is_ascii_whitespace()).next().unwrap_or_default();
        if target.eq_ignore_ascii_case("xml") {
            return Err(XmlError::DeclarationMisplaced);
        }
        if !names::is_plain_name(target) {
            return Err(XmlError::InstructionMalformed);
        }
        self.push(Kind::Instruction, span(start, text.len()), true).map(drop)
    }

    /// XML 1.0 §2.8, `XMLDecl`.
    fn declaration(&mut self, start: usize, end: usize) -> Result<(), XmlError> {
        if start != 0 {
            return Err(XmlError::DeclarationMisplaced);
        }
        let content = self.slice(start + "<?".len(), end - "?>".len())?;
        let mut attributes = RawAttributes::new(content, "xml".len());
        let mut next = || attributes.next().map_err(|_| XmlError::DeclarationMalformed);
        match next()? {
            Some(RawAttribute { name: "version", value: "1.0", .. }) => {}
            Some(RawAttribute { name: "version", .. }) => return Err(XmlError::VersionUnsupported),
            _ => return Err(XmlError::DeclarationMalformed),
        }
        let mut attribute = next()?;
        if let Some(RawAttribute { name: "encoding", value, .. }) = attribute {
            if !value.eq_ignore_ascii_case("UTF-8") {
                return Err(XmlError::EncodingUnsupported);
            }
            attribute = next()?;
        }
        if let Some(RawAttribute { name: "standalone", value: "yes" | "no", .. }) = attribute {
            attribute = next()?;
        }
        if attribute.is_some() { Err(XmlError::DeclarationMalformed) } else { Ok(()) }
    }

    fn start_tag(&mut self, at: usize, end: usize, name: usize, empty: bool) -> Result<(), XmlError> {
        self.flush_run()?;
        if self.open.is_empty() && self.rooted {
            return Err(XmlError::SecondRoot);
        }
        if self.open.len() >= self.limits.depth {
            return Err(XmlError::TooDeep);
        }
        if self.arena.elements.len() >= self.limits.elements {
            return Err(XmlError::TooManyElements);
        }
        let mark = self.scope.mark();
        let start = at + 1;
        let content = self.slice(start, end - 1 - usize::from(empty))?;
        let name = content.get(..name).ok_or(XmlError::MarkupMalformed)?;
        let prefix_length = names::prefix_length(name)?;
        let first_declaration = narrow(self.arena.declarations.len());
        let first_attribute = self.arena.attributes.len();
        self.read_attributes(start, content, name.len())?;
        self.resolve_attributes(first_attribute)?;
        let (prefix, namespace) = match prefix_length {
            0 => (0, self.scope.default_namespace()),
            _ => self.scope.resolve(name.get(..prefix_length).unwrap_or_default())?,
        };
        let node = self.push(Kind::Element, span(start, name.len()), true)?;
        if let Some(pushed) = self.arena.nodes.last_mut() {
            pushed.element = narrow(self.arena.elements.len());
        }
        self.arena.elements.push(ElementRecord {
            prefix_length: narrow(prefix_length),
            prefix,
            namespace,
            attributes: (narrow(first_attribute), narrow(self.arena.attributes.len())),
            declarations: (first_declaration, narrow(self.arena.declarations.len())),
            content: narrow(end),
            end: narrow(end),
        });
        self.note(node, name, namespace, prefix_length)?;
        if empty {
            self.scope.leave(mark);
        } else {
            self.open.push(Open { node, mark, name: (start, start + name.len()) });
        }
        Ok(())
    }

    /// Keeps the root and the signatures.
    fn note(&mut self, node: u32, name: &str, namespace: u32, prefix: usize) -> Result<(), XmlError> {
        if !self.rooted {
            self.rooted = true;
            self.arena.root = node;
        }
        let local = prefix + usize::from(prefix > 0);
        if namespace == self.signature_namespace && name.get(local..) == Some("Signature") {
            if self.arena.signatures.len() >= self.limits.signatures {
                return Err(XmlError::TooManySignatures);
            }
            self.arena.signatures.push(node);
        }
        Ok(())
    }

    fn read_attributes(&mut self, start: usize, content: &'t str, name: usize) -> Result<(), XmlError> {
        let mut raw = RawAttributes::new(content, name);
        let mut count = 0;
        while let Some(attribute) = raw.next()? {
            count += 1;
            if count > self.limits.attributes {
                return Err(XmlError::TooManyAttributes);
            }
            let prefix_length = names::prefix_length(attribute.name)?;
            let (value, plain) = self.read_value(start, &attribute)?;
            match attribute.name.strip_prefix("xmlns") {
                Some("") => self.declare(Span::default(), "", value)?,
                Some(declared) if prefix_length == "xmlns".len() => {
                    let prefix = declared.get(1..).unwrap_or_default();
                    let place = span(start + attribute.name_at + "xmlns:".len(), prefix.len());
                    self.declare(place, prefix, value)?;
                }
                _ => self.arena.attributes.push(AttributeRecord {
                    name: span(start + attribute.name_at, attribute.name.len()),
                    prefix_length: narrow(prefix_length),
                    prefix: 0,
                    namespace: 0,
                    value,
                    plain,
                }),
            }
        }
        Ok(())
    }

    /// Normalises a value (XML 1.0 §3.3.3).
    fn read_value(&mut self, start: usize, raw: &RawAttribute<'t>) -> Result<(Span, bool), XmlError> {
        let seen = tag::look(raw.value);
        if seen.less_than {
            return Err(XmlError::LessThanInAttribute);
        }
        if !seen.changes {
            return Ok((span(start + raw.value_at, raw.value.len()), !seen.quote));
        }
        let from = self.arena.resolved.len();
        let spaced = raw.value.replace(['\t', '\n', '\r'], " ");
        reference::resolve(&spaced, &mut self.arena.resolved)?;
        Ok((self.resolved_since(from), false))
    }

    fn declare(&mut self, place: Span, prefix: &'t str, value: Span) -> Result<(), XmlError> {
        let text = if value.resolved { self.arena.resolved.as_str() } else { self.source };
        let from = value.start as usize;
        let name = text.get(from..from + value.length as usize).unwrap_or_default();
        let declared = self.scope.declare(prefix, name)?;
        if declared.new_prefix {
            self.arena.prefixes.push(place);
        }
        if declared.new_name {
            self.arena.namespaces.push(value);
            if name == SIGNATURES {
                self.signature_namespace = declared.declaration.namespace;
            }
        }
        self.arena.declarations.push(declared.declaration);
        Ok(())
    }

    fn resolve_attributes(&mut self, first: usize) -> Result<(), XmlError> {
        let (source, scope, arena) = (self.source, &self.scope, &mut self.arena);
        let attributes = arena.attributes.get_mut(first..).unwrap_or_default();
        for attribute in attributes.iter_mut() {
            let name = full_name(source, attribute);
            let local = if attribute.prefix_length == 0 {
                name
            } else {
                let (prefix, local) = name.split_once(':').unwrap_or_default();
                (attribute.prefix, attribute.namespace) = scope.resolve(prefix)?;
                local
            };
            if matches!(local, "ID" | "Id" | "id" | "AssertionID") {
                arena.identifiers.push(attribute.value);
            }
        }
        let mut rest = &*attributes;
        while let Some((last, before)) = rest.split_last() {
            if before.iter().any(|other| same_attribute(source, last, other)) {
                return Err(XmlError::DuplicateAttribute);
            }
            rest = before;
        }
        Ok(())
    }

    fn end_tag(&mut self, at: usize, end: usize) -> Result<(), XmlError> {
        self.flush_run()?;
        let Some(open) = self.open.pop() else { return Err(XmlError::EndTagMismatch) };
        let found = self.slice(at + "</".len(), end - 1)?.trim_end_matches([' ', '\t', '\n', '\r']);
        if self.slice(open.name.0, open.name.1)? != found {
            return Err(XmlError::EndTagMismatch);
        }
        self.scope.leave(open.mark);
        let after = narrow(self.arena.nodes.len());
        if let Some(node) = self.arena.nodes.get_mut(open.node as usize) {
            node.after = after;
            if let Some(element) = self.arena.elements.get_mut(node.element as usize) {
                element.end = narrow(end);
            }
        }
        Ok(())
    }
}

fn full_name<'t>(source: &'t str, attribute: &AttributeRecord) -> &'t str {
    let start = attribute.name.start as usize;
    source.get(start..start + attribute.name.length as usize).unwrap_or_default()
}

fn same_attribute(source: &str, one: &AttributeRecord, other: &AttributeRecord) -> bool {
    let local_length = |a: &AttributeRecord| a.name.length - a.prefix_length - u32::from(a.prefix_length > 0);
    one.namespace == other.namespace
        && local_length(one) == local_length(other)
        && local_of(full_name(source, one)) == local_of(full_name(source, other))
}

fn local_of(name: &str) -> &str {
    name.split_once(':').map_or(name, |(_, local)| local)
}
