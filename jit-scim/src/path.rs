//! Paths of changes (RFC 7644 §3.5.2): an attribute, some of its values, or a sub-attribute of those.

use std::fmt;

use crate::error::ScimError;
use crate::filter::{Filter, value_filter};
use crate::reason::Reason;
use crate::schema::{Attribute, AttributePath, Position, ResourceType};
use crate::tolerance::Tolerance;

/// What a change operates on. `Display` writes it as RFC 7644 does; `Debug` shows no values.
#[derive(Clone, PartialEq, Debug)]
pub struct Path {
    attribute: AttributePath,
    filter: Option<Filter>,
    sub: Option<AttributePath>,
}

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// `scim.path_malformed`, `scim.path_unknown`, `scim.path_filter_on_one`, and those of [`Filter::parse`].
    pub fn parse(kind: &ResourceType, text: &str) -> Result<Self, ScimError> {
        Self::parse_with(kind, text, Tolerance::strict())
    }

    /// Reads a path and bears the quirks of a provider.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_with(kind: &ResourceType, text: &str, tolerance: Tolerance) -> Result<Self, ScimError> {
        let unknown = || ScimError::at_attribute(Reason::PathUnknown, text);
        let head = text.find('[').map_or(text, |at| text.get(..at).unwrap_or_default());
        if head.is_empty() || !head.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ScimError::at_offset(Reason::PathMalformed, 0));
        }
        let whole = kind.resolve(head).ok_or_else(unknown)?;
        let (attribute, sub) = split(kind, whole);
        if head.len() == text.len() {
            return Ok(Self { attribute, filter: None, sub });
        }
        let found = kind.attribute(&attribute).filter(|_| sub.is_none()).ok_or_else(unknown)?;
        if !found.is_multi_valued() {
            return Err(ScimError::at_offset(Reason::PathFilterOnOne, head.len()));
        }
        if kind.hides(&attribute) {
            // whether one is selected would tell
            return Err(ScimError::at_offset(Reason::FilterAttributeHidden, 0));
        }
        let (filter, end) = value_filter(found, (text, head.len() + 1), tolerance)?;
        let sub = selected(found, text.get(end..).unwrap_or_default(), end)?;
        Ok(Self { attribute, filter: Some(filter), sub })
    }

    /// Names a whole attribute, or a sub-attribute.
    pub(crate) fn of(kind: &ResourceType, path: AttributePath) -> Self {
        let (attribute, sub) = split(kind, path);
        Self { attribute, filter: None, sub }
    }

    /// Returns the attribute, without filter and sub-attribute.
    #[must_use]
    pub const fn attribute(&self) -> &AttributePath {
        &self.attribute
    }

    /// Returns what selects some of its values.
    #[must_use]
    pub const fn filter(&self) -> Option<&Filter> {
        self.filter.as_ref()
    }

    /// Returns the sub-attribute, as seen from the attribute.
    #[must_use]
    pub const fn sub_attribute(&self) -> Option<&AttributePath> {
        self.sub.as_ref()
    }

    pub(crate) fn sub_position(&self) -> Option<Position> {
        self.sub.as_ref().and_then(|sub| sub.steps().first().copied())
    }
}

/// Parts a sub-attribute from the attribute that it belongs to. What an extension contains is an attribute.
fn split(kind: &ResourceType, path: AttributePath) -> (AttributePath, Option<AttributePath>) {
    let along: Vec<&Attribute> = kind.along(&path).collect();
    let (Some(last), [.., outer, inner]) = (path.steps().last(), along.as_slice()) else {
        return (path, None);
    };
    if outer.is_extension() {
        return (path, None);
    }
    let sub = AttributePath::new(inner.name(), [*last]);
    let outer = path.as_str().strip_suffix(inner.name()).and_then(|name| name.strip_suffix('.'));
    let steps = path.steps().split_last().map_or(&[][..], |(_, steps)| steps);
    (AttributePath::new(outer.unwrap_or_default(), steps), Some(sub))
}

fn selected(attribute: &Attribute, rest: &str, at: usize) -> Result<Option<AttributePath>, ScimError> {
    if rest.is_empty() {
        return Ok(None);
    }
    let name = rest.strip_prefix('.').ok_or_else(|| ScimError::at_offset(Reason::PathMalformed, at))?;
    let found = attribute.sub_attributes().find(name);
    let (position, found) = found.ok_or_else(|| ScimError::at_offset(Reason::PathUnknown, at + 1))?;
    Ok(Some(AttributePath::new(found.name(), [position])))
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.attribute)?;
        if let Some(filter) = &self.filter {
            write!(f, "[{filter}]")?;
        }
        self.sub.as_ref().map_or(Ok(()), |sub| write!(f, ".{sub}"))
    }
}
