//! Gives an attribute a value, as far as it may change.

use super::Verb;
use crate::error::ScimError;
use crate::reason::Reason;
use crate::resource::{Object, Value, replace::says_hidden};
use crate::schema::{Attribute, Mutability, Position};

/// Changes an attribute that has one value. A complex value keeps what is not named (RFC 7644 §3.5.2.3).
pub(super) fn one(
    object: &mut Object,
    (position, attribute): (Position, &Attribute),
    verb: Verb,
    value: Option<&Value>,
) -> Result<(), ScimError> {
    let value = match (verb, value) {
        (Verb::Add, None) => return Ok(()),
        (Verb::Remove, _) | (Verb::Replace, None) => return unset(object, (position, attribute)),
        (Verb::Add | Verb::Replace, Some(value)) => value,
    };
    let refused = || ScimError::at_attribute(Reason::ImmutableChanged, attribute.name());
    match (object.get_mut(position), value) {
        (Some(old), _) if attribute.mutability() == Mutability::Immutable => {
            if old == value {
                Ok(())
            } else {
                Err(refused())
            }
        }
        (Some(Value::Complex(old)), Value::Complex(new)) => members(attribute, old, verb, new),
        _ => {
            object.set(position, value.clone());
            Ok(())
        }
    }
}

/// Changes the named members of a complex value.
pub(super) fn members(
    attribute: &Attribute,
    old: &mut Object,
    verb: Verb,
    new: &Object,
) -> Result<(), ScimError> {
    let before = old.clone();
    for (position, value) in new.iter() {
        let Some(sub) = attribute.sub_attributes().at(position) else { continue };
        one(old, (position, sub), verb, Some(value)).map_err(|error| error.within(attribute.name()))?;
    }
    if *old != before || says_hidden(attribute.sub_attributes(), new) {
        drop_stale(attribute, old);
    }
    Ok(())
}

/// Changes one member of a complex value.
pub(super) fn part(
    attribute: &Attribute,
    object: &mut Object,
    sub: (Position, &Attribute),
    verb: Verb,
    value: Option<&Value>,
) -> Result<(), ScimError> {
    let before = object.get(sub.0).cloned();
    one(object, sub, verb, value)?;
    if object.get(sub.0) != before.as_ref() || sub.1.is_hidden() {
        drop_stale(attribute, object);
    }
    Ok(())
}

/// What only the server writes was said about the value before. Of what nobody may read it does not tell whether it is another.
fn drop_stale(attribute: &Attribute, object: &mut Object) {
    for (position, sub) in attribute.sub_attributes().positions() {
        if sub.mutability() == Mutability::ReadOnly {
            object.remove(position);
        }
    }
}

/// Removes an attribute. What is required, or was written for good, stays (RFC 7644 §3.5.2.2).
pub(super) fn unset(
    object: &mut Object,
    (position, attribute): (Position, &Attribute),
) -> Result<(), ScimError> {
    if object.get(position).is_none() {
        return Ok(());
    }
    if attribute.mutability() == Mutability::Immutable {
        return Err(ScimError::at_attribute(Reason::ImmutableChanged, attribute.name()));
    }
    object.remove(position);
    still_there(object, position, attribute)
}

/// Refuses the removal of what is required.
pub(super) fn still_there(
    object: &Object,
    position: Position,
    attribute: &Attribute,
) -> Result<(), ScimError> {
    if attribute.is_required() && object.get(position).is_none() {
        return Err(ScimError::at_attribute(Reason::RequiredRemoved, attribute.name()));
    }
    Ok(())
}
