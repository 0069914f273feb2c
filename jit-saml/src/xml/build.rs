//! Builds the arena: from plain text and tags by itself, from the events of quick-xml where there is anything else, refusing
//! what quick-xml lets through.

use std::borrow::Cow;

use quick_xml::errors::{Error, IllFormedError};
use quick_xml::{Reader, events::Event};

use super::arena::{Arena, Document, Kind, Node, Span};
use super::bindings::Mark;
use super::scope::{Scope, narrow, span};
use super::start_tag::Remembered;
use super::tag::{RawAttribute, RawAttributes, is_space};
use super::{Limits, XmlError, names, reference};

pub(super) const NOBODY: u32 = u32::MAX;

pub(super) fn document<'a>(source: Cow<'a, str>, limits: &Limits) -> Result<Document<'a>, XmlError> {
    let arena = Builder::new(&source, limits).read()?;
    Ok(Document { source, arena })
}

/// The places that the numbers of nothing and of `xml` have.
fn first_two() -> Vec<Span> {
    let mut spans = Vec::with_capacity(8);
    spans.resize(2, Span::default());
    spans
}

pub(super) struct Open {
    pub(super) node: u32,
    /// The state of the scope outside of the element.
    pub(super) mark: Mark,
    /// The octets of the name in the source.
    pub(super) name: (usize, usize),
}

/// A run of text and references that is not yet a node.
struct Run {
    start: usize,
    end: usize,
    references: bool,
}

pub(super) struct Builder<'t> {
    pub(super) source: &'t str,
    pub(super) limits: &'t Limits,
    pub(super) scope: Scope<'t>,
    pub(super) arena: Arena,
    pub(super) open: Vec<Open>,
    run: Option<Run>,
    references: usize,
    pub(super) rooted: bool,
    pub(super) remembered: Remembered<'t>,
    /// The number of the namespace of XML signatures, once it is declared.
    pub(super) signature_namespace: u32,
}

impl<'t> Builder<'t> {
    fn new(source: &'t str, limits: &'t Limits) -> Self {
        // What messages of identity providers have; a guess too low costs a copy, one too high nothing.
        let elements = (source.len() / 96 + 8).min(limits.elements);
        let arena = Arena {
            nodes: Vec::with_capacity((source.len() / 48 + 8).min(limits.nodes)),
            elements: Vec::with_capacity(elements),
            tags: Vec::with_capacity(elements / 2),
            attributes: Vec::with_capacity(elements),
            declarations: Vec::with_capacity(8),
            prefixes: first_two(),
            namespaces: first_two(),
            identifiers: Vec::with_capacity(4),
            ..Arena::default()
        };
        let scope = Scope::new(limits.namespaces);
        let (open, run) = (Vec::with_capacity(16), None);
        Self {
            source,
            limits,
            scope,
            arena,
            open,
            run,
            references: 0,
            rooted: false,
            remembered: Remembered::default(),
            signature_namespace: NOBODY,
        }
    }

    fn read(mut self) -> Result<Arena, XmlError> {
        let mut reader = Reader::from_reader(self.source.as_bytes());
        let config = reader.config_mut();
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        config.trim_markup_names_in_closing_tags = false;
        let (mut at, mut skipped) = (0, 0);
        loop {
            let event = reader.read_event().map_err(|error| refused(&error))?;
            let end = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX).saturating_add(skipped);
            at = match event {
                Event::Start(_) | Event::Empty(_) => {
                    self.start_tag(at).and_then(|end| self.read_plain(end))?
                }
                Event::End(_) => self.end_tag(at, end).and_then(|()| self.read_plain(end))?,
                Event::Eof => return self.finish(),
                other => self.other_event(&other, at, end).map(|()| end)?,
            };
            if at > end {
                skipped += at - end;
                *reader.get_mut() = self.source.as_bytes().get(at..).unwrap_or_default();
            }
        }
    }

    fn other_event(&mut self, event: &Event<'_>, at: usize, end: usize) -> Result<(), XmlError> {
        match event {
            Event::GeneralRef(_) => {
                self.references += 1;
                if self.references > self.limits.nodes {
                    return Err(XmlError::TooManyNodes);
                }
                self.extend_run(at, end, true);
            }
            Event::CData(_) => self.section(at + "<![CDATA[".len(), end - "]]>".len())?,
            Event::Comment(_) => self.comment(at + "<!--".len(), end - "-->".len())?,
            Event::PI(_) => self.instruction(at + "<?".len(), end - "?>".len())?,
            Event::Decl(_) => self.declaration(at, end)?,
            Event::DocType(_) => return Err(XmlError::Doctype),
            _ => self.extend_run(at, end, false),
        }
        Ok(())
    }

    /// Reads what follows a tag for as long as it is tags, and text written in the plainest way, as nearly all is: no
    /// reference, no `>`, no white space in an end tag. Anything else is left to quick-xml, which looks at each octet
    /// several times.
    fn read_plain(&mut self, from: usize) -> Result<usize, XmlError> {
        let octets = self.source.as_bytes();
        let mut at = from;
        while let Some(open) = self.open.last() {
            let rest = octets.get(at..).unwrap_or_default();
            // most often there is no text at all
            let is_markup = rest.first() == Some(&b'<');
            let text = if is_markup { Some(0) } else { memchr::memchr3(b'<', b'&', b'>', rest) };
            let Some((markup, text)) = text.and_then(|text| Some((rest.get(text..)?, text))) else { break };
            match markup {
                [b'<', b'/', tag @ ..] => {
                    let name = octets.get(open.name.0..open.name.1).unwrap_or_default();
                    if tag.strip_prefix(name).and_then(<[u8]>::first) != Some(&b'>') {
                        break;
                    }
                    let end = at + text + "</>".len() + name.len();
                    self.plain_text(at, text)?;
                    self.close(end)?;
                    at = end;
                }
                [b'<', next, ..] if !matches!(next, b'!' | b'?') => {
                    self.plain_text(at, text)?;
                    at = self.start_tag(at + text)?;
                }
                _ => break,
            }
        }
        Ok(at)
    }

    /// Keeps a text behind a tag that is its own canonical form.
    fn plain_text(&mut self, start: usize, length: usize) -> Result<(), XmlError> {
        if length > 0 { self.push(Kind::Text, span(start, length), true).map(drop) } else { Ok(()) }
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

    pub(super) fn slice(&self, from: usize, to: usize) -> Result<&'t str, XmlError> {
        self.source.get(from..to).ok_or(XmlError::MarkupMalformed)
    }

    pub(super) fn push(&mut self, kind: Kind, span: Span, plain: bool) -> Result<u32, XmlError> {
        let index = narrow(self.arena.nodes.len());
        if self.arena.nodes.len() >= self.limits.nodes {
            return Err(XmlError::TooManyNodes);
        }
        let parent = self.open.last().map_or(NOBODY, |open| open.node);
        // the record of an element is kept next
        let element = if kind == Kind::Element { narrow(self.arena.elements.len()) } else { NOBODY };
        self.arena.nodes.push(Node { kind, plain, span, parent, after: index + 1, element });
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

    #[inline]
    pub(super) fn flush_run(&mut self) -> Result<(), XmlError> {
        self.run.take().map_or(Ok(()), |run| self.push_run(&run))
    }

    fn push_run(&mut self, run: &Run) -> Result<(), XmlError> {
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

    pub(super) fn resolved_since(&self, start: usize) -> Span {
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
        let mut attributes = RawAttributes::new(content, "xml".len(), content.len());
        let mut next = || attributes.next(self.limits).map_err(|_| XmlError::DeclarationMalformed);
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
        if attribute.is_some() || !attributes.is_over() {
            return Err(XmlError::DeclarationMalformed);
        }
        Ok(())
    }

    fn end_tag(&mut self, at: usize, end: usize) -> Result<(), XmlError> {
        self.flush_run()?;
        let Some(open) = self.open.last() else { return Err(XmlError::EndTagMismatch) };
        let octets = self.source.as_bytes();
        let (found, name) = (octets.get(at + "</".len()..end - 1), octets.get(open.name.0..open.name.1));
        if found != name && found.map(without_end_space) != name {
            return Err(XmlError::EndTagMismatch);
        }
        self.close(end)
    }

    /// Closes the innermost element, whose end tag was read.
    fn close(&mut self, end: usize) -> Result<(), XmlError> {
        self.flush_run()?;
        let Some(open) = self.open.pop() else { return Err(XmlError::EndTagMismatch) };
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

fn without_end_space(octets: &[u8]) -> &[u8] {
    let length = octets.iter().rposition(|octet| !is_space(*octet)).map_or(0, |last| last + 1);
    octets.get(..length).unwrap_or_default()
}

fn refused(error: &Error) -> XmlError {
    match error {
        Error::IllFormed(IllFormedError::UnclosedReference) => XmlError::ReferenceInvalid,
        Error::IllFormed(IllFormedError::MissingDoctypeName) => XmlError::Doctype,
        _ => XmlError::MarkupMalformed,
    }
}
