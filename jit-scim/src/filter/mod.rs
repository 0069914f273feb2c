//! Filters (RFC 7644 §3.4.2.2), bound to the schema while they are read.
//!
//! A filter is kept as it was written and evaluated as it stands, with short circuit: it is never brought into a normal
//! form, which could be exponentially larger. Everything that walks over it is bounded by the depth that reading allows.

mod bind;
mod evaluate;
mod read;
mod write;

use std::collections::BTreeSet;
use std::fmt;

use smol_str::SmolStr;

use crate::effort::{Effort, Looks, Spent};
use crate::error::ScimError;
use crate::reason::Reason;
use crate::resource::{Instant, Resource, Value};
use crate::schema::{AttributePath, Position, ResourceType};
use crate::tolerance::Tolerance;

use evaluate::holds;
pub(crate) use evaluate::order;
pub(crate) use read::value_filter;

/// The deepest nesting of parentheses and brackets.
const DEPTH: usize = 64;
/// How many comparisons a filter may have.
const TERMS: usize = 1024;
/// The longest text of a filter, in bytes.
const BYTES: usize = 64 * 1024;

/// A filter over the resources of one type. `Display` writes it as RFC 7644 does; `Debug` shows no values.
#[derive(Clone, PartialEq)]
pub struct Filter {
    node: Node,
}

/// A part of a filter. Lists have two parts at least.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Present(AttributePath),
    Compare(Comparison),
    /// One and the same value fulfils all of it.
    Where(AttributePath, Box<Node>),
}

#[derive(Clone, PartialEq)]
pub(crate) struct Comparison {
    pub(crate) path: AttributePath,
    pub(crate) operator: Operator,
    pub(crate) literal: Literal,
    pub(crate) case_exact: bool,
}

impl Node {
    fn terms(&self) -> usize {
        match self {
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().map(Self::terms).sum(),
            Self::Not(node) | Self::Where(_, node) => node.terms(),
            Self::Present(_) | Self::Compare(_) => 1,
        }
    }
}

impl Node {
    fn keys(&self, name: &str) -> Option<BTreeSet<&str>> {
        match self {
            Self::All(nodes) => nodes.iter().find_map(|node| node.keys(name)),
            Self::Any(nodes) => {
                let keys: Option<Vec<_>> = nodes.iter().map(|node| node.keys(name)).collect();
                Some(keys?.into_iter().flatten().collect())
            }
            Self::Compare(one) if one.path.as_str() == name => equal(self).map(|key| BTreeSet::from([key])),
            Self::Compare(_) | Self::Not(_) | Self::Present(_) | Self::Where(..) => None,
        }
    }

    fn looks_at(&self, steps: &[Position]) -> bool {
        match self {
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().any(|node| node.looks_at(steps)),
            Self::Not(node) => node.looks_at(steps),
            Self::Where(path, _) | Self::Present(path) => path.steps().starts_with(steps),
            Self::Compare(comparison) => comparison.path.steps().starts_with(steps),
        }
    }
}

impl fmt::Debug for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} …", self.path, self.operator.as_str())
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Contains,
    Starts,
    Ends,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

#[derive(Clone, PartialEq)]
pub(crate) enum Literal {
    Null,
    Boolean(bool),
    Integer(i64),
    Decimal(f64),
    /// The text as it was written, and as it is compared.
    Text {
        written: SmolStr,
        compared: SmolStr,
    },
    Instant(Instant),
}

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// `scim.filter_malformed`, `scim.filter_too_deep`, `scim.filter_too_long`, `scim.filter_attribute_unknown`,
    /// `scim.filter_attribute_hidden`, `scim.filter_operator`, `scim.filter_value`, each with the offset.
    pub fn parse(kind: &ResourceType, text: &str) -> Result<Self, ScimError> {
        Self::parse_with(kind, text, Tolerance::strict())
    }

    /// Reads a filter and bears the quirks of a provider.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_with(kind: &ResourceType, text: &str, tolerance: Tolerance) -> Result<Self, ScimError> {
        Ok(Self { node: read::filter(kind, text, tolerance)? })
    }

    pub(crate) const fn of(node: Node) -> Self {
        Self { node }
    }

    /// Tells whether the resource fulfils the filter, however much work that is: as much as all terms over all texts of the
    /// resource. What strangers ask of what strangers wrote is better asked with [`Self::matches_within`].
    #[must_use]
    pub fn matches(&self, resource: &Resource) -> bool {
        self.matches_within(resource, &mut Effort::new(usize::MAX)).unwrap_or_default()
    }

    /// Tells whether the resource fulfils the filter, with no more work than is left.
    ///
    /// # Errors
    /// `scim.too_many` where that is not enough.
    pub fn matches_within(&self, resource: &Resource, effort: &mut Effort) -> Result<bool, ScimError> {
        let holds = holds(&self.node, resource.root(), &mut Looks::new(effort));
        holds.map_err(|Spent| Reason::TooManyFound.into())
    }

    /// Tells whether one value of a multi-valued attribute fulfils the filter, which was read for that attribute.
    #[must_use]
    pub fn matches_value(&self, value: &Value) -> bool {
        self.holds_for(value, &mut Effort::new(usize::MAX)).unwrap_or_default()
    }

    /// As [`Self::matches_value`], with no more work than is left.
    pub(crate) fn holds_for(&self, value: &Value, effort: &mut Effort) -> Result<bool, Spent> {
        evaluate::holds_for(&self.node, value, &mut Looks::new(effort))
    }

    /// Lists what must be equal in every resource that fulfils the filter: the name of the attribute, and the text as it
    /// is compared, as in [`crate::UniqueKey`]. A store looks one of them up in an index and filters what it finds.
    pub fn equalities(&self) -> impl Iterator<Item = (&str, &str)> {
        self.conjuncts().iter().filter_map(|node| match node {
            Node::Compare(Comparison { path, operator: Operator::Equal, literal, .. }) => {
                let Literal::Text { compared, .. } = literal else { return None };
                Some((path.as_str(), compared.as_str()))
            }
            _ => None,
        })
    }

    /// Lists attributes with several values one of which must be a value, whatever else must be true of that one:
    /// `emails[type eq "work" and value eq "x"]`. The text is as it is compared.
    pub(crate) fn values_within(&self) -> impl Iterator<Item = (&str, &str)> {
        self.conjuncts().iter().filter_map(|node| {
            let Node::Where(path, within) = node else { return None };
            let nodes =
                if let Node::All(nodes) = &**within { nodes } else { std::slice::from_ref(&**within) };
            Some((path.as_str(), nodes.iter().find_map(equal_value)?))
        })
    }

    /// Lists the values that the attribute must have, where the filter says nothing else about it.
    pub(crate) fn only_values_of(&self, attribute: &AttributePath) -> Option<Vec<&str>> {
        let about = self.conjuncts().iter().filter(|node| node.looks_at(attribute.steps()));
        about
            .map(|node| match node {
                Node::Where(path, within) if path == attribute => equal_value(within),
                Node::Compare(one)
                    if one.path.as_str().strip_prefix(attribute.as_str()) == Some(".value") =>
                {
                    equal(node)
                }
                _ => None,
            })
            .collect()
    }

    /// Returns what must all be true.
    fn conjuncts(&self) -> &[Node] {
        if let Node::All(nodes) = &self.node { nodes } else { std::slice::from_ref(&self.node) }
    }

    /// Returns what must be equal, where the filter says nothing else: what an index finds fulfils it.
    pub(crate) fn only_equality(&self) -> Option<(&str, &str)> {
        match &self.node {
            Node::Compare(_) => self.equalities().next(),
            Node::Where(path, within) => Some((path.as_str(), equal_value(within)?)),
            _ => None,
        }
    }

    /// Tells whether the filter looks at this attribute, or at a part of it.
    pub(crate) fn looks_at(&self, steps: &[Position]) -> bool {
        self.node.looks_at(steps)
    }

    /// Lists texts one of which the attribute with this name must equal in every value that fulfils the filter, where
    /// the filter says nothing else: `value eq "a"`, or several of those with `or`.
    pub(crate) fn one_of(&self, name: &str) -> Option<Vec<&str>> {
        let nodes = if let Node::Any(nodes) = &self.node { nodes } else { std::slice::from_ref(&self.node) };
        nodes.iter().map(|node| equal_text(node, name)).collect()
    }

    /// Lists texts one of which the attribute with this name must equal in every value that fulfils the filter, as they are
    /// compared, whatever else must be true of that value. `None` where it may have others.
    pub(crate) fn keys(&self, name: &str) -> Option<BTreeSet<&str>> {
        self.node.keys(name)
    }

    /// Counts the comparisons; many texts for one `value` are looked up at once.
    pub(crate) fn cost(&self) -> usize {
        if self.one_of("value").is_some() { 1 } else { self.node.terms() }
    }

    /// Iterates over attributes that must equal a value, where the filter is of nothing but those.
    pub(crate) fn fixed(&self) -> Option<Vec<(&AttributePath, Value)>> {
        let nodes = if let Node::All(nodes) = &self.node { nodes } else { std::slice::from_ref(&self.node) };
        let value = |literal: &Literal| match literal {
            Literal::Null => None,
            Literal::Boolean(value) => Some(Value::Boolean(*value)),
            Literal::Integer(value) => Some(Value::Integer(*value)),
            Literal::Decimal(value) => Some(Value::Decimal(*value)),
            Literal::Text { written, .. } => Some(Value::text(written)),
            Literal::Instant(instant) => Some(Value::DateTime(instant.clone())),
        };
        let fixed = nodes.iter().map(|node| match node {
            Node::Compare(term) if term.operator == Operator::Equal => {
                Some((&term.path, value(&term.literal)?))
            }
            _ => None,
        });
        fixed.collect()
    }
}

/// Returns the text that must be equal, as it is compared.
fn equal(node: &Node) -> Option<&str> {
    match node {
        Node::Compare(Comparison {
            operator: Operator::Equal,
            literal: Literal::Text { compared, .. },
            ..
        }) => Some(compared),
        _ => None,
    }
}

/// Returns the text that the `value` within must equal.
fn equal_value(node: &Node) -> Option<&str> {
    match node {
        Node::Compare(one) if one.path.as_str() == "value" => equal(node),
        _ => None,
    }
}

fn equal_text<'a>(node: &'a Node, name: &str) -> Option<&'a str> {
    match node {
        Node::Compare(Comparison {
            path,
            operator: Operator::Equal,
            literal: Literal::Text { written, .. },
            ..
        }) if path.as_str() == name => Some(written),
        _ => None,
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.node.fmt(f)
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Filter({:?})", self.node)
    }
}

#[cfg(test)]
mod order_tests;
#[cfg(test)]
mod tests;
