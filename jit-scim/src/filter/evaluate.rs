//! Evaluates filters as they stand.

use std::cmp::Ordering;

use super::{Comparison, Literal, Node, Operator};
use crate::resource::{Object, Value};
use crate::schema::Position;
use crate::text::comparable;

/// Tells whether the object fulfils the filter. Goes no deeper than reading allowed.
pub(crate) fn holds(node: &Node, object: &Object) -> bool {
    match node {
        Node::All(nodes) => nodes.iter().all(|node| holds(node, object)),
        Node::Any(nodes) => nodes.iter().any(|node| holds(node, object)),
        Node::Not(node) => !holds(node, object),
        Node::Present(path) => is_present(object, path.steps()),
        Node::Compare(comparison) => compare(comparison, object),
        Node::Where(path, node) => any_value(object, path.steps(), &mut |value| {
            value.as_complex().is_some_and(|inner| holds(node, inner))
        }),
    }
}

/// An attribute is present where it has a value that is not empty.
fn is_present(object: &Object, steps: &[Position]) -> bool {
    any_value(object, steps, &mut |value| match value {
        Value::Text(text) => !text.is_empty(),
        Value::Complex(object) => !object.is_empty(),
        Value::Boolean(_) | Value::Integer(_) | Value::Decimal(_) | Value::DateTime(_) => true,
        Value::Many(values) => !values.is_empty(),
    })
}

/// Of several values one has to fulfil the comparison. What is not there differs from everything.
fn compare(comparison: &Comparison, object: &Object) -> bool {
    let steps = comparison.path.steps();
    if comparison.literal == Literal::Null {
        return is_present(object, steps) == (comparison.operator == Operator::NotEqual);
    }
    let mut there = false;
    let found = any_value(object, steps, &mut |value| {
        there = true;
        test(comparison, value)
    });
    found || (!there && comparison.operator == Operator::NotEqual)
}

/// Looks at the values at the end of the steps until one is found.
fn any_value(object: &Object, steps: &[Position], found: &mut dyn FnMut(&Value) -> bool) -> bool {
    let Some((first, rest)) = steps.split_first() else { return false };
    let Some(value) = object.get(*first) else { return false };
    value.each().iter().any(|value| {
        if rest.is_empty() {
            return found(value);
        }
        value.as_complex().is_some_and(|inner| any_value(inner, rest, found))
    })
}

fn test(comparison: &Comparison, value: &Value) -> bool {
    let operator = comparison.operator;
    match (value, &comparison.literal) {
        (Value::Text(text), Literal::Text { written, compared }) => {
            let alike = matches!(operator, Operator::Equal | Operator::NotEqual);
            if alike && text.is_ascii() && written.is_ascii() && !comparison.case_exact {
                return text.eq_ignore_ascii_case(written) == (operator == Operator::Equal);
            }
            texts(operator, &comparable(text, comparison.case_exact), compared)
        }
        (Value::DateTime(instant), Literal::Text { written, .. }) => {
            texts(operator, instant.as_str(), written)
        }
        (value, literal) => ordered(operator, order_literal(value, literal)),
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

/// Orders two values of one attribute.
pub(crate) fn order(a: &Value, b: &Value, case_exact: bool) -> Ordering {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => comparable(a, case_exact).cmp(&comparable(b, case_exact)),
        (Value::Boolean(a), Value::Boolean(b)) => a.cmp(b),
        (Value::Integer(a), Value::Integer(b)) => a.cmp(b),
        (Value::Decimal(a), Value::Decimal(b)) => a.total_cmp(b),
        (Value::DateTime(a), Value::DateTime(b)) => a.at().cmp(&b.at()),
        _ => Ordering::Equal,
    }
}
