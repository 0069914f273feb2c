//! Changes of an attribute with several values.

use std::collections::{HashMap, HashSet};

use super::read::listed;
use super::{Verb, assign};
use crate::error::ScimError;
use crate::filter::Filter;
use crate::reason::Reason;
use crate::resource::elements::{self, alike, identity, is_primary, one_primary, primary_position};
use crate::resource::{Object, Value, replace};
use crate::schema::{Attribute, Kind, Mutability, Position};
use crate::text::comparable;

/// Which values are meant, and what of them.
pub(super) struct Selection<'a> {
    pub(super) filter: Option<&'a Filter>,
    pub(super) sub: Option<(Position, &'a Attribute)>,
    /// An addition that selects nothing makes a value of what the filter asks for.
    pub(super) creates: bool,
}

/// Changes the values and puts them back, in their order.
pub(super) fn change(
    object: &mut Object,
    (position, attribute): (Position, &Attribute),
    verb: Verb,
    selection: &Selection<'_>,
    value: Option<&Value>,
) -> Result<(), ScimError> {
    let fixed = object.get(position).filter(|_| attribute.mutability() == Mutability::Immutable).cloned();
    let mut values = match object.remove(position) {
        Some(Value::Many(values)) => values,
        Some(one) => vec![one],
        None => Vec::new(),
    };
    let there = !values.is_empty();
    if selection.filter.is_none() && selection.sub.is_none() {
        whole(attribute, &mut values, verb, value)?;
    } else {
        some(attribute, &mut values, verb, selection, value)?;
        values.retain(|value| value.as_complex().is_none_or(|object| !object.is_empty()));
        elements::drop_repeated(attribute, &mut values);
    }
    let after = (!values.is_empty()).then_some(Value::Many(values));
    if fixed.is_some() && fixed != after {
        return Err(Reason::ImmutableChanged.into());
    }
    let lost = there && after.is_none();
    object.put(position, after);
    if lost { assign::still_there(object, position, attribute) } else { Ok(()) }
}

fn whole(
    attribute: &Attribute,
    values: &mut Vec<Value>,
    verb: Verb,
    value: Option<&Value>,
) -> Result<(), ScimError> {
    match (verb, value) {
        (Verb::Add, value) => add(attribute, values, listed(value))?,
        (Verb::Replace, Some(value)) if !value.each().is_empty() => {
            let new = replace::several(attribute, values, value.each().to_vec());
            *values = new.map_err(|error| error.within(attribute.name()))?;
        }
        (Verb::Replace, _) | (Verb::Remove, None) => values.clear(),
        (Verb::Remove, Some(value)) => {
            let gone: HashSet<_> = value.each().iter().filter_map(|value| key(attribute, value)).collect();
            values.retain(|value| key(attribute, value).is_none_or(|key| !gone.contains(&key)));
        }
    }
    Ok(())
}

/// The value itself, whatever it is for, where it may be read.
fn key(attribute: &Attribute, value: &Value) -> Option<String> {
    let (text, exact) = match value.as_complex() {
        Some(object) => {
            let (position, sub) =
                attribute.sub_attributes().find("value").filter(|(_, sub)| !sub.is_hidden())?;
            (object.text(position)?, sub.is_case_exact())
        }
        None => (value.as_text()?, attribute.is_case_exact()),
    };
    Some(comparable(text, exact).into_owned())
}

/// Adds what is not there yet. A value that is there already takes on what else was said of it.
fn add(attribute: &Attribute, values: &mut Vec<Value>, new: &[Value]) -> Result<(), ScimError> {
    let mut places: HashMap<_, _> = values
        .iter()
        .enumerate()
        .filter_map(|(place, value)| Some((identity(attribute, value)?, place)))
        .collect();
    let mut touched = Vec::new();
    for value in new {
        let identity = identity(attribute, value);
        let there = match &identity {
            Some(identity) => places.get(identity).copied(),
            None => values.iter().position(alike(attribute, value)),
        };
        let place = there.unwrap_or(values.len());
        match (values.get_mut(place), value) {
            (Some(Value::Complex(old)), Value::Complex(new)) => refresh(attribute, old, new)?,
            (Some(_), _) => {}
            (None, value) => {
                values.push(value.clone());
                places.extend(identity.map(|identity| (identity, place)));
            }
        }
        touched.push(place);
    }
    keep_one_primary(attribute, values, &touched)
}

/// A reference that never changes is as it is; everything else is as it was said last.
fn refresh(attribute: &Attribute, old: &mut Object, new: &Object) -> Result<(), ScimError> {
    if elements::is_reference(attribute) {
        return Ok(());
    }
    assign::members(attribute, old, Verb::Add, new)
}

fn some(
    attribute: &Attribute,
    values: &mut Vec<Value>,
    verb: Verb,
    selection: &Selection<'_>,
    value: Option<&Value>,
) -> Result<(), ScimError> {
    let meant = meant(attribute, values, selection.filter);
    if meant.is_empty() {
        return match verb {
            Verb::Remove => Ok(()),
            Verb::Add if selection.creates => create(attribute, values, selection, value),
            Verb::Add | Verb::Replace => Err(Reason::PatchNoTarget.into()),
        };
    }
    if verb == Verb::Add && value.is_none() {
        // nothing is said, and so nothing is added
        return Ok(());
    }
    if selection.sub.is_none() && (verb == Verb::Remove || value.is_none()) {
        let gone: HashSet<_> = meant.into_iter().collect();
        let mut place = 0..;
        values.retain(|_| place.next().is_none_or(|place| !gone.contains(&place)));
        return Ok(());
    }
    for place in &meant {
        let Some(old) = values.get_mut(*place) else { continue };
        let Value::Complex(object) = old else {
            // without parts it is its value
            if let Some(new) = value {
                old.clone_from(new);
            }
            continue;
        };
        match (selection.sub, value) {
            (Some(sub), value) => assign::part(attribute, object, sub, verb, value)?,
            (None, Some(Value::Complex(new))) if verb == Verb::Add => {
                assign::members(attribute, object, verb, new)?;
            }
            (None, Some(Value::Complex(new))) => {
                let new = replace::inner(attribute, object, new);
                *object = new.map_err(|error| error.within(attribute.name()))?;
            }
            (None, _) => {}
        }
    }
    keep_one_primary(attribute, values, &meant)
}

/// Finds the values that are meant. Members are mostly named by their `value`, which needs no evaluation.
fn meant(attribute: &Attribute, values: &[Value], filter: Option<&Filter>) -> Vec<usize> {
    let Some(filter) = filter else { return (0..values.len()).collect() };
    let exact = attribute.sub_attributes().named("value").unwrap_or(attribute).is_case_exact();
    let named = filter.one_of("value").filter(|names| names.len() > 1);
    let named: Option<HashSet<_>> =
        named.map(|names| names.into_iter().map(|name| comparable(name, exact).into_owned()).collect());
    let fits = |value: &Value| match &named {
        Some(named) => key(attribute, value).is_some_and(|key| named.contains(&key)),
        None => filter.matches_value(value),
    };
    values.iter().enumerate().filter(|(_, value)| fits(value)).map(|(place, _)| place).collect()
}

fn create(
    attribute: &Attribute,
    values: &mut Vec<Value>,
    selection: &Selection<'_>,
    value: Option<&Value>,
) -> Result<(), ScimError> {
    let fixed = selection.filter.and_then(Filter::fixed).ok_or(Reason::PatchNoTarget)?;
    if attribute.kind() != Kind::Complex {
        values.extend(value.cloned());
        return Ok(());
    }
    let mut object = Object::default();
    for (path, value) in fixed {
        if let [position] = path.steps() {
            object.set(*position, value);
        }
    }
    match (selection.sub, value) {
        (Some(sub), value) => assign::one(&mut object, sub, Verb::Add, value)?,
        (None, Some(Value::Complex(new))) => assign::members(attribute, &mut object, Verb::Add, new)?,
        (None, _) => {}
    }
    let place = values.len();
    values.push(Value::Complex(object));
    keep_one_primary(attribute, values, &[place])
}

/// Where an operation makes one value the primary one, the others no longer are (RFC 7644 §3.5.2).
fn keep_one_primary(attribute: &Attribute, values: &mut [Value], touched: &[usize]) -> Result<(), ScimError> {
    let Some(position) = primary_position(attribute) else { return Ok(()) };
    let primary = |place: &&usize| values.get(**place).is_some_and(|value| is_primary(value, position));
    let chosen: HashSet<_> = touched.iter().filter(primary).copied().collect();
    if chosen.len() > 1 {
        return Err(ScimError::at_attribute(Reason::PrimaryTwice, "primary"));
    }
    if chosen.is_empty() {
        return one_primary(attribute, values);
    }
    for (place, value) in values.iter_mut().enumerate() {
        if let (Value::Complex(object), false) = (value, chosen.contains(&place))
            && object.get(position) == Some(&Value::Boolean(true))
        {
            object.set(position, Value::Boolean(false));
        }
    }
    Ok(())
}
