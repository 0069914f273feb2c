//! Texts that are read as if they stood in the place of an element.

use std::borrow::Cow;

use super::arena::Document;
use super::bindings::{Bindings, NOTHING};
use super::escape::escape_attribute;
use super::{Element, Limits, XML_NAMESPACE, XmlError, build, scan};

const WRAPPER: &str = "inside";
/// The most octets of declarations that a place may hand over: each text that is read there repeats them.
const MAX_DECLARATIONS: usize = 16 * 1024;

impl Document<'_> {
    /// Reads a text whose prefixes mean what they mean inside an element of another document, unless it declares them
    /// itself (XML Encryption 1.0 §4.3.4). The text is one element, as [`Document::parse`] has it.
    ///
    /// # Errors
    /// As [`Document::parse`].
    pub(crate) fn parse_inside(
        octets: &[u8],
        place: Element<'_>,
        limits: &Limits,
    ) -> Result<Document<'static>, XmlError> {
        let text = scan::text(octets)?;
        let start = start_of_wrapper(place)?;
        let wrapped = format!("{start}{text}</{WRAPPER}>");
        let limits = Limits {
            bytes: limits.bytes.saturating_add(start.len() + WRAPPER.len() + "</>".len()),
            depth: limits.depth.saturating_add(1),
            ..limits.clone()
        };
        if wrapped.len() > limits.bytes.min(1 << 30) {
            return Err(XmlError::TooLarge);
        }
        // A text that closes the wrapper has no way to open it again: what follows would be a second root.
        let mut document = build::document(Cow::Owned(wrapped), &limits)?;
        let only = only_child(document.root())?;
        document.arena.root = only;
        Ok(document)
    }
}

/// Finds the element that takes the place of the root.
fn only_child(wrapper: Element<'_>) -> Result<u32, XmlError> {
    if wrapper.has_text() {
        return Err(XmlError::TextOutsideRoot);
    }
    let mut children = wrapper.children();
    match (children.next(), children.next()) {
        (Some(only), None) => Ok(only.index()),
        (None, _) => Err(XmlError::RootMissing),
        _ => Err(XmlError::SecondRoot),
    }
}

/// Writes a start tag that declares what prefixes mean inside an element.
fn start_of_wrapper(place: Element<'_>) -> Result<String, XmlError> {
    let document = place.document();
    let mut bound = Bindings::new(document.arena.prefixes.len());
    let mut around: Vec<_> = std::iter::successors(Some(place), |element| element.parent()).collect();
    while let Some(element) = around.pop() {
        for declaration in document.declarations_of(element.tag()) {
            bound.bind(*declaration);
        }
    }
    let mut start = format!("<{WRAPPER}");
    for number in (0..).take(document.arena.prefixes.len()) {
        let (prefix, namespace) = (document.prefix(number), bound.of(number));
        if namespace == NOTHING || document.namespace(namespace) == XML_NAMESPACE {
            continue;
        }
        start.push_str(if prefix.is_empty() { " xmlns" } else { " xmlns:" });
        start.push_str(prefix);
        start.push_str("=\"");
        escape_attribute(document.namespace(namespace), &mut start);
        start.push('"');
        if start.len() > MAX_DECLARATIONS {
            return Err(XmlError::TooManyNamespaces);
        }
    }
    start.push('>');
    Ok(start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::{Canonicalization, PrefixList, canonicalize};

    const PLACE: &str =
        "<r xmlns=\"urn:d\" xmlns:a=\"urn:a\" xmlns:b=\"urn:&quot;b&quot;\"><p xmlns:a=\"urn:n\"/></r>";

    fn inside(text: &str) -> Result<Document<'static>, XmlError> {
        let limits = Limits::default();
        let document = Document::parse(PLACE.as_bytes(), &limits).unwrap();
        let place = document.root().children().next().unwrap();
        Document::parse_inside(text.as_bytes(), place, &limits)
    }

    #[test]
    fn prefixes_mean_what_they_mean_in_the_place() {
        let document = inside("<?x?><a:e b:c=\"1\"><d/></a:e> ").unwrap();
        let root = document.root();
        assert!(root.is("urn:n", "e"), "the nearest declaration counts");
        assert_eq!(root.attribute_in("urn:\"b\"", "c"), Some("1"));
        assert!(root.children().next().unwrap().is("urn:d", "d"));
        assert_eq!(root.prefix_namespace("b"), Some("urn:\"b\""));
        let form =
            |prefixes| canonicalize(root, None, &Canonicalization::Exclusive(PrefixList::parse(prefixes)));
        let written =
            "<a:e xmlns:a=\"urn:n\" xmlns:b=\"urn:&quot;b&quot;\" b:c=\"1\"><d xmlns=\"urn:d\"></d></a:e>";
        assert_eq!(String::from_utf8(form("")).unwrap(), written);
        let listed = written.replace("<a:e ", "<a:e xmlns=\"urn:d\" ").replace("<d xmlns=\"urn:d\">", "<d>");
        assert_eq!(String::from_utf8(form("#default")).unwrap(), listed);
        assert!(inside("<a:e xmlns:a=\"urn:own\"/>").unwrap().root().is("urn:own", "e"));
    }

    #[test]
    fn no_text_gets_out_of_its_place() {
        for (text, error) in [
            ("</inside><inside>", XmlError::SecondRoot),
            ("<a/></inside><inside><a/>", XmlError::SecondRoot),
            ("<a/></inside>", XmlError::EndTagMismatch),
            ("<a/></inside><!--", XmlError::MarkupMalformed),
            ("<a/></inside><?x ", XmlError::MarkupMalformed),
            ("<a/><![CDATA[", XmlError::MarkupMalformed),
            ("<a b=\"", XmlError::MarkupMalformed),
            ("<a>", XmlError::EndTagMismatch),
            ("<a/><b/>", XmlError::SecondRoot),
            ("x<a/>", XmlError::TextOutsideRoot),
            ("<a/>&#65;", XmlError::TextOutsideRoot),
            (" ", XmlError::RootMissing),
            ("<z:a/>", XmlError::PrefixUnbound),
            ("<!DOCTYPE a><a/>", XmlError::Doctype),
            ("\0", XmlError::ForbiddenCharacter),
        ] {
            assert_eq!(inside(text).unwrap_err(), error, "{text}");
        }
    }
}
