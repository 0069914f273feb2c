//! The values of a multi-valued attribute, and when two of them are the same (RFC 7643 §2.4).

use std::collections::HashSet;

use crate::error::ScimError;
use crate::reason::Reason;
use crate::resource::value::Value;
use crate::schema::{Attribute, Mutability, Position};
use crate::text::comparable;

/// What tells one value from another: its `value` and its `type`, as they are compared.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Identity(String);

/// Returns what tells the value from others. Without a `value` only the whole tells.
///
/// A reference that never changes, as to a member, is told by its `value` alone. What nobody may read tells nothing: whoever
/// guesses it right would find that the value was there.
pub(crate) fn identity(attribute: &Attribute, value: &Value) -> Option<Identity> {
    let Value::Complex(object) = value else {
        return value
            .as_text()
            .map(|text| Identity(comparable(text, attribute.is_case_exact()).into_owned()));
    };
    let sub = attribute.sub_attributes();
    let (position, own) = sub.find("value").filter(|(_, own)| !own.is_hidden())?;
    let mut key = comparable(object.text(position)?, own.is_case_exact()).into_owned();
    if own.mutability() != Mutability::Immutable
        && let Some((position, kind)) = sub.find("type").filter(|(_, kind)| !kind.is_hidden())
    {
        key.push('\0');
        key.push_str(&comparable(object.text(position).unwrap_or_default(), kind.is_case_exact()));
    }
    Some(Identity(key))
}

/// Tells whether the values refer to others for good, as members do.
pub(crate) fn is_reference(attribute: &Attribute) -> bool {
    let value = attribute.sub_attributes().named("value");
    value.is_some_and(|value| value.mutability() == Mutability::Immutable)
}

/// Compares with a value that has no identity: the whole of it tells, or what may be read of it. A value of which nothing may
/// be read is like no other.
pub(crate) fn alike<'a>(attribute: &'a Attribute, value: &'a Value) -> impl Fn(&Value) -> bool + 'a {
    let sub = attribute.sub_attributes();
    let hides = sub.iter().any(Attribute::is_hidden);
    let is_read =
        move |(position, _): &(Position, &Value)| sub.at(*position).is_some_and(|own| !own.is_hidden());
    move |other| match (value, other) {
        (Value::Complex(one), Value::Complex(other)) if hides => {
            let mut read = one.iter().filter(is_read).peekable();
            read.peek().is_some() && read.eq(other.iter().filter(is_read))
        }
        _ => value == other,
    }
}

/// Keeps one of values that are the same: the primary one, or else the first.
pub(crate) fn drop_repeated(attribute: &Attribute, values: &mut Vec<Value>) {
    if values.len() < 2 {
        return;
    }
    let position = primary_position(attribute);
    let is_chosen = |value: &Value| position.is_some_and(|position| is_primary(value, position));
    let chosen = values.iter().filter(|value| is_chosen(value));
    let chosen: HashSet<_> = chosen.filter_map(|value| identity(attribute, value)).collect();
    let mut seen = HashSet::new();
    values.retain(|value| {
        let Some(identity) = identity(attribute, value) else { return true };
        (is_chosen(value) || !chosen.contains(&identity)) && seen.insert(identity)
    });
}

/// Finds where `primary` lies.
pub(crate) fn primary_position(attribute: &Attribute) -> Option<Position> {
    attribute.sub_attributes().find("primary").map(|(position, _)| position)
}

pub(crate) fn is_primary(value: &Value, position: Position) -> bool {
    value.as_complex().and_then(|object| object.get(position)) == Some(&Value::Boolean(true))
}

/// Checks that no more than one value is the primary one.
pub(crate) fn one_primary(attribute: &Attribute, values: &[Value]) -> Result<(), ScimError> {
    let Some(position) = primary_position(attribute) else { return Ok(()) };
    match values.iter().filter(|value| is_primary(value, position)).count() {
        0 | 1 => Ok(()),
        _ => Err(ScimError::at_attribute(Reason::PrimaryTwice, "primary")),
    }
}
