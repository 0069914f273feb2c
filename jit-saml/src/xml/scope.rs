//! Which prefix means which namespace, while a document is read.
//!
//! Each different prefix and each different namespace name gets a number. Looking up a prefix is then an access to a
//! table, and so is every question of canonicalisation.

use std::borrow::Cow;

use super::arena::{Declaration, Span, XML};
use super::bindings::{Bindings, Mark, NOTHING};
use super::numbered::Numbered;
use super::{XML_NAMESPACE, XMLNS_NAMESPACE, XmlError};

#[derive(Debug)]
pub(super) struct Scope<'t> {
    prefixes: Numbered<'t>,
    bound: Bindings,
    names: Numbered<'t>,
    limit: usize,
}

impl<'t> Scope<'t> {
    pub(super) fn new(limit: usize) -> Self {
        let mut bound = Bindings::new(2);
        bound.bind(Declaration { prefix: XML, namespace: XML });
        let mut scope =
            Self { prefixes: Numbered::new(), bound, names: Numbered::new(), limit: limit.saturating_add(2) };
        for (prefix, name) in [("", ""), ("xml", XML_NAMESPACE)] {
            scope.prefixes.add(Cow::Borrowed(prefix));
            scope.names.add(Cow::Borrowed(name));
        }
        scope
    }

    /// Marks the state to which [`Self::leave`] returns.
    pub(super) fn mark(&self) -> Mark {
        self.bound.mark()
    }

    pub(super) fn leave(&mut self, mark: Mark) {
        self.bound.restore(mark);
    }

    /// Answers a number for what all prefixes mean here.
    pub(super) fn state(&self) -> u32 {
        self.bound.state()
    }

    /// Declares once more what was declared before.
    pub(super) fn repeat(&mut self, declaration: Declaration) {
        self.bound.bind(declaration);
    }

    /// Answers number and namespace of a prefix.
    pub(super) fn resolve(&self, prefix: &str) -> Result<(u32, u32), XmlError> {
        let number = self.prefixes.find(prefix).ok_or(XmlError::PrefixUnbound)?;
        let number = narrow(number);
        match self.bound.of(number) {
            NOTHING => Err(XmlError::PrefixUnbound),
            namespace => Ok((number, namespace)),
        }
    }

    /// Answers the namespace of elements without a prefix.
    pub(super) fn default_namespace(&self) -> u32 {
        self.bound.of(0)
    }

    /// Declares a namespace for the element that is read (Namespaces in XML 1.0 §2.2, §3). `new` tells whether
    /// prefix and name have not been seen before, so that the caller keeps their places.
    pub(super) fn declare(&mut self, prefix: &'t str, name: Cow<'t, str>) -> Result<Declared, XmlError> {
        if prefix == "xmlns" || name == XMLNS_NAMESPACE || (prefix == "xml") != (name == XML_NAMESPACE) {
            return Err(XmlError::PrefixReserved);
        }
        if name.is_empty() && !prefix.is_empty() {
            return Err(XmlError::PrefixEmptied);
        }
        if !name.is_empty() && !is_absolute(&name) {
            return Err(XmlError::NamespaceRelative);
        }
        let (prefixes, names) = (self.prefixes.len(), self.names.len());
        let prefix = self.prefixes.find(prefix).unwrap_or_else(|| {
            self.bound.add_prefix();
            self.prefixes.add(Cow::Borrowed(prefix))
        });
        let namespace = self.names.find(&name).unwrap_or_else(|| self.names.add(name));
        if self.prefixes.len() > self.limit || self.names.len() > self.limit {
            return Err(XmlError::TooManyNamespaces);
        }
        let declaration = Declaration { prefix: narrow(prefix), namespace: narrow(namespace) };
        self.bound.bind(declaration);
        Ok(Declared { declaration, new_prefix: prefix == prefixes, new_name: namespace == names })
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Declared {
    pub(super) declaration: Declaration,
    pub(super) new_prefix: bool,
    pub(super) new_name: bool,
}

/// RFC 3986 §3.1: an absolute name begins with a scheme.
fn is_absolute(name: &str) -> bool {
    name.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'-' | b'.'))
    })
}

/// Narrows a place or a count: neither is larger than the document, which has at most 2^30 octets.
#[expect(clippy::cast_possible_truncation, reason = "no document is as large as that")]
pub(super) fn narrow(number: usize) -> u32 {
    number as u32
}

pub(super) fn span(start: usize, length: usize) -> Span {
    Span { start: narrow(start), length: narrow(length), resolved: false }
}
