//! Binds names and literals of a filter to the schema.

use std::borrow::Cow;

use smol_str::SmolStr;

use super::read::{Said, Written};
use super::{Comparison, Literal, Operator};
use crate::error::ScimError;
use crate::json::Json;
use crate::reason::Reason;
use crate::resource::Instant;
use crate::resource::read::boolean;
use crate::schema::{Attribute, AttributePath, Kind, ResourceType};
use crate::text::comparable;
use crate::tolerance::Tolerance;

/// Where the names of a filter are looked up.
#[derive(Clone, Copy)]
pub(super) enum Scope<'a> {
    Resource(&'a ResourceType),
    /// The sub-attributes of one complex attribute; one that is simple is its own `value`.
    Value(&'a Attribute),
}

impl<'a> Scope<'a> {
    pub(super) fn resolve(self, name: &str) -> Result<(AttributePath, &'a Attribute), Reason> {
        let plain = |byte: u8| byte.is_ascii_graphic();
        if name.is_empty() || !name.bytes().all(plain) {
            return Err(Reason::FilterMalformed);
        }
        let (path, attribute) = match self {
            Self::Resource(kind) => {
                let path = kind.resolve(name).ok_or(Reason::FilterAttributeUnknown)?;
                if kind.hides(&path) {
                    return Err(Reason::FilterAttributeHidden);
                }
                let attribute = kind.attribute(&path).ok_or(Reason::FilterAttributeUnknown)?;
                (path, attribute)
            }
            Self::Value(simple) if simple.kind() != Kind::Complex && name.eq_ignore_ascii_case("value") => {
                (AttributePath::new("value", []), simple)
            }
            Self::Value(outer) => {
                let (position, attribute) =
                    outer.sub_attributes().find(name).ok_or(Reason::FilterAttributeUnknown)?;
                (AttributePath::new(attribute.name(), [position]), attribute)
            }
        };
        if attribute.is_hidden() { Err(Reason::FilterAttributeHidden) } else { Ok((path, attribute)) }
    }
}

/// Checks that operator and literal fit the attribute. A complex one stands for its `value` (RFC 7643 §2.4).
pub(super) fn comparison(
    (path, attribute): (AttributePath, &Attribute),
    (operator, at): (Operator, usize),
    written: &Written<'_>,
    tolerance: Tolerance,
) -> Result<Comparison, ScimError> {
    let unfit = || ScimError::at_offset(Reason::FilterOperator, at);
    if attribute.kind() == Kind::Complex {
        let position = attribute.value_position().ok_or_else(unfit)?;
        let value = attribute.sub_attributes().at(position).ok_or_else(unfit)?;
        if value.is_hidden() {
            return Err(ScimError::at_offset(Reason::FilterAttributeHidden, at));
        }
        let path = path.join(value.name(), position);
        return comparison((path, value), (operator, at), written, tolerance);
    }
    let case_exact = attribute.is_case_exact();
    if matches!(written.said, Said::Other(Json::Null)) {
        let alike = matches!(operator, Operator::Equal | Operator::NotEqual);
        let null = Comparison { path, operator, literal: Literal::Null, case_exact };
        return if alike { Ok(null) } else { Err(unfit()) };
    }
    if !operator.fits(attribute.kind()) {
        return Err(unfit());
    }
    let literal = literal(attribute, operator, written, tolerance)
        .ok_or_else(|| ScimError::at_offset(Reason::FilterValue, written.at))?;
    Ok(Comparison { path, operator, literal, case_exact })
}

fn literal(
    attribute: &Attribute,
    operator: Operator,
    written: &Written<'_>,
    tolerance: Tolerance,
) -> Option<Literal> {
    let text = |text: &str| {
        let written = SmolStr::new(text);
        let compared = match comparable(text, attribute.is_case_exact()) {
            Cow::Borrowed(_) => written.clone(),
            Cow::Owned(folded) => folded.into(),
        };
        Some(Literal::Text { written, compared })
    };
    match (attribute.kind(), &written.said) {
        (Kind::DateTime, Said::Text(value)) if operator.is_partial() => {
            let value = SmolStr::new(value);
            Some(Literal::Text { written: value.clone(), compared: value })
        }
        (Kind::DateTime, Said::Text(value)) => Instant::parse(value).map(Literal::Instant),
        (Kind::String | Kind::Reference | Kind::Binary, Said::Text(value)) => text(value),
        (Kind::String | Kind::Reference, _) if tolerance.filters_without_quotes => text(written.text),
        (Kind::Boolean, Said::Other(Json::Boolean(value))) => Some(Literal::Boolean(*value)),
        (Kind::Boolean, Said::Text(text)) if tolerance.booleans_as_text => {
            boolean(text).map(Literal::Boolean)
        }
        (Kind::Integer | Kind::Decimal, Said::Other(Json::Integer(value))) => Some(Literal::Integer(*value)),
        (Kind::Integer | Kind::Decimal, Said::Other(Json::Decimal(value))) => Some(Literal::Decimal(*value)),
        _ => None,
    }
}

impl Operator {
    pub(super) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operator| operator.as_str().eq_ignore_ascii_case(word))
    }

    const ALL: [Self; 9] = [
        Self::Equal,
        Self::NotEqual,
        Self::Contains,
        Self::Starts,
        Self::Ends,
        Self::Greater,
        Self::GreaterOrEqual,
        Self::Less,
        Self::LessOrEqual,
    ];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "eq",
            Self::NotEqual => "ne",
            Self::Contains => "co",
            Self::Starts => "sw",
            Self::Ends => "ew",
            Self::Greater => "gt",
            Self::GreaterOrEqual => "ge",
            Self::Less => "lt",
            Self::LessOrEqual => "le",
        }
    }

    /// Looks at a part of a text.
    pub(super) const fn is_partial(self) -> bool {
        matches!(self, Self::Contains | Self::Starts | Self::Ends)
    }

    /// Booleans and binaries have no order (RFC 7644 §3.4.2.2), and only texts have parts.
    const fn fits(self, kind: Kind) -> bool {
        match self {
            Self::Equal | Self::NotEqual => true,
            Self::Contains | Self::Starts | Self::Ends => {
                matches!(kind, Kind::String | Kind::Reference | Kind::DateTime)
            }
            Self::Greater | Self::GreaterOrEqual | Self::Less | Self::LessOrEqual => {
                !matches!(kind, Kind::Boolean | Kind::Binary)
            }
        }
    }
}
