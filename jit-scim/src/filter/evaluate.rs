//! Evaluates filters as they stand.

use std::cmp::Ordering;

use super::{Comparison, Literal, Node, Operator};
use crate::effort::{Looks, Spent};
use crate::resource::{Object, Value};
use crate::schema::Position;
use crate::text::comparable;

/// Tells whether the object fulfils the filter. Goes no deeper than reading allowed.
pub(crate) fn holds(node: &Node, object: &Object, looks: &mut Looks<'_>) -> Result<bool, Spent> {
    match node {
        Node::All(nodes) => {
            for node in nodes {
                if !holds(node, object, looks)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Node::Any(nodes) => {
            for node in nodes {
                if holds(node, object, looks)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Node::Not(node) => Ok(!holds(node, object, looks)?),
        Node::Present(path) => is_present(object, path.steps(), looks),
        Node::Compare(comparison) => compare(comparison, object, looks),
        Node::Where(path, node) => {
            any_value(object, path.steps(), looks, &mut |value, looks| holds_for(node, value, looks))
        }
    }
}

/// Tells whether one of several values fulfils the filter. What is not complex has no parts, and is looked at itself.
pub(crate) fn holds_for(node: &Node, value: &Value, looks: &mut Looks<'_>) -> Result<bool, Spent> {
    match value {
        Value::Complex(inner) => holds(node, inner, looks),
        simple => is_so(node, simple, looks),
    }
}

fn is_so(node: &Node, simple: &Value, looks: &mut Looks<'_>) -> Result<bool, Spent> {
    looks.at_one()?;
    match node {
        Node::All(nodes) => {
            for node in nodes {
                if !is_so(node, simple, looks)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Node::Any(nodes) => {
            for node in nodes {
                if is_so(node, simple, looks)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Node::Not(node) => Ok(!is_so(node, simple, looks)?),
        Node::Present(_) => Ok(says_something(simple)),
        Node::Compare(comparison) if comparison.literal == Literal::Null => {
            Ok(says_something(simple) == (comparison.operator == Operator::NotEqual))
        }
        Node::Compare(comparison) => test(comparison, simple, looks),
        // such a filter reads no brackets within brackets
        Node::Where(..) => Ok(false),
    }
}

/// An attribute is present where it has a value that is not empty.
fn is_present(object: &Object, steps: &[Position], looks: &mut Looks<'_>) -> Result<bool, Spent> {
    any_value(object, steps, looks, &mut |value, _| Ok(says_something(value)))
}

fn says_something(value: &Value) -> bool {
    match value {
        Value::Text(text) => !text.is_empty(),
        Value::Complex(object) => !object.is_empty(),
        Value::Boolean(_) | Value::Integer(_) | Value::Decimal(_) | Value::DateTime(_) => true,
        Value::Many(values) => !values.is_empty(),
    }
}

/// Of several values one has to fulfil the comparison. What is not there differs from everything.
fn compare(comparison: &Comparison, object: &Object, looks: &mut Looks<'_>) -> Result<bool, Spent> {
    let steps = comparison.path.steps();
    if comparison.literal == Literal::Null {
        return Ok(is_present(object, steps, looks)? == (comparison.operator == Operator::NotEqual));
    }
    let mut there = false;
    let found = any_value(object, steps, looks, &mut |value, looks| {
        there = true;
        test(comparison, value, looks)
    })?;
    Ok(found || (!there && comparison.operator == Operator::NotEqual))
}

/// Tests a value at the end of the steps.
type Test<'t> = dyn FnMut(&Value, &mut Looks<'_>) -> Result<bool, Spent> + 't;

/// Looks at the values at the end of the steps until one is found.
fn any_value(
    object: &Object,
    steps: &[Position],
    looks: &mut Looks<'_>,
    found: &mut Test<'_>,
) -> Result<bool, Spent> {
    looks.at_one()?;
    let Some((first, rest)) = steps.split_first() else { return Ok(false) };
    let Some(value) = object.get(*first) else { return Ok(false) };
    for value in value.each() {
        looks.at_one()?;
        let is_found = match (rest, value.as_complex()) {
            ([], _) => found(value, looks)?,
            (_, Some(inner)) => any_value(inner, rest, looks, found)?,
            (_, None) => false,
        };
        if is_found {
            return Ok(true);
        }
    }
    Ok(false)
}

fn test(comparison: &Comparison, value: &Value, looks: &mut Looks<'_>) -> Result<bool, Spent> {
    let operator = comparison.operator;
    match (value, &comparison.literal) {
        (Value::Text(text), Literal::Text { written, compared }) => {
            looks.at_text(text)?;
            let alike = matches!(operator, Operator::Equal | Operator::NotEqual);
            if alike && text.is_ascii() && written.is_ascii() && !comparison.case_exact {
                return Ok(text.eq_ignore_ascii_case(written) == (operator == Operator::Equal));
            }
            Ok(texts(operator, looks.compared(value, text, comparison.case_exact)?, compared))
        }
        (Value::DateTime(instant), Literal::Text { written, .. }) => {
            Ok(texts(operator, instant.as_str(), written))
        }
        (value, literal) => Ok(ordered(operator, order_literal(value, literal))),
    }
}

fn texts(operator: Operator, value: &str, literal: &str) -> bool {
    match operator {
        Operator::Contains => value.contains(literal),
        Operator::Starts => value.starts_with(literal),
        Operator::Ends => value.ends_with(literal),
        _ => ordered(operator, Some(value.cmp(literal))),
    }
}

fn ordered(operator: Operator, order: Option<Ordering>) -> bool {
    match operator {
        Operator::Equal => order == Some(Ordering::Equal),
        Operator::NotEqual => order != Some(Ordering::Equal),
        Operator::Greater => order == Some(Ordering::Greater),
        Operator::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
        Operator::Less => order == Some(Ordering::Less),
        Operator::LessOrEqual => order.is_some_and(Ordering::is_le),
        Operator::Contains | Operator::Starts | Operator::Ends => false,
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a number with a fraction is compared as what a double can say"
)]
fn order_literal(value: &Value, literal: &Literal) -> Option<Ordering> {
    match (value, literal) {
        (Value::Boolean(value), Literal::Boolean(literal)) => Some(value.cmp(literal)),
        (Value::Integer(value), Literal::Integer(literal)) => Some(value.cmp(literal)),
        (Value::Integer(value), Literal::Decimal(literal)) => (*value as f64).partial_cmp(literal),
        (Value::Decimal(value), Literal::Integer(literal)) => value.partial_cmp(&(*literal as f64)),
        (Value::Decimal(value), Literal::Decimal(literal)) => value.partial_cmp(literal),
        (Value::DateTime(value), Literal::Instant(literal)) => Some(value.at().cmp(&literal.at())),
        _ => None,
    }
}

/// Orders two values of one attribute. Where types of resources are listed together, theirs may be of several kinds: those
/// come one kind after the other.
pub(crate) fn order(a: &Value, b: &Value, case_exact: bool) -> Ordering {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => comparable(a, case_exact).cmp(&comparable(b, case_exact)),
        (Value::Boolean(a), Value::Boolean(b)) => a.cmp(b),
        (Value::Integer(a), Value::Integer(b)) => a.cmp(b),
        (Value::Decimal(a), Value::Decimal(b)) => a.total_cmp(b),
        (Value::DateTime(a), Value::DateTime(b)) => a.at().cmp(&b.at()),
        _ => kind_of(a).cmp(&kind_of(b)),
    }
}

const fn kind_of(value: &Value) -> u8 {
    match value {
        Value::Text(_) => 0,
        Value::Boolean(_) => 1,
        Value::Integer(_) => 2,
        Value::Decimal(_) => 3,
        Value::DateTime(_) => 4,
        _ => 5,
    }
}
