//! Replacing a resource by what a client sent (RFC 7644 §3.5.1).

use std::collections::{HashMap, VecDeque};

use crate::error::ScimError;
use crate::json::Json;
use crate::reason::Reason;
use crate::resource::Resource;
use crate::resource::elements::{Identity, identity, is_reference};
use crate::resource::read::complete;
use crate::resource::value::{Object, Value};
use crate::resource::write::seen;
use crate::schema::{Attribute, AttributePath, Attributes, Mutability};
use crate::tolerance::Tolerance;

impl Resource {
    /// Replaces what the client may write. What it leaves out is removed, unless it cannot be read or was written for
    /// good: a password stays, and so does what is immutable, also within complex values. Of several values, those are the
    /// same that [`Patch`](crate::Patch) takes for the same, or that look the same; one of which nothing is seen stays.
    ///
    /// # Errors
    /// As [`Self::create`], and `scim.immutable_changed`.
    pub fn replaced_by(&self, json: &Json, tolerance: Tolerance) -> Result<Self, ScimError> {
        let new = Self::whole(&self.kind, json, tolerance)?;
        let root = merged(self.kind.attributes(), &self.root, new.root)?;
        complete(self.kind.attributes(), &root)?;
        Ok(Self::of(self.kind.clone(), root))
    }

    /// Lists the attributes whose values differ; those of an extension one by one.
    #[must_use]
    pub fn changed_from(&self, old: &Self) -> Vec<AttributePath> {
        let mut changed = Vec::new();
        for (position, attribute) in self.kind.attributes().positions() {
            let (before, after) = (old.root.get(position), self.root.get(position));
            if before == after {
                continue;
            }
            let path = AttributePath::new(attribute.name(), [position]);
            if !attribute.is_extension() {
                changed.push(path);
                continue;
            }
            let (before, after) = (before.and_then(Value::as_complex), after.and_then(Value::as_complex));
            for (inner, attribute) in attribute.sub_attributes().positions() {
                let value = |object: Option<&Object>| object.and_then(|object| object.get(inner).cloned());
                if value(before) != value(after) {
                    changed.push(path.join(attribute.name(), inner));
                }
            }
        }
        changed
    }
}

/// Puts the new values over the old ones, each as its mutability allows.
fn merged(attributes: &Attributes, old: &Object, mut new: Object) -> Result<Object, ScimError> {
    for (position, attribute) in attributes.positions() {
        let before = old.get(position);
        match attribute.mutability() {
            Mutability::ReadOnly => new.put(position, before.cloned()),
            Mutability::WriteOnly if new.get(position).is_none() => new.put(position, before.cloned()),
            Mutability::Immutable => match (before, new.get(position)) {
                (Some(before), Some(after)) if before != after => {
                    return Err(ScimError::at_attribute(Reason::ImmutableChanged, attribute.name()));
                }
                (before, None) => new.put(position, before.cloned()),
                _ => {}
            },
            Mutability::ReadWrite | Mutability::WriteOnly => {
                if let Some(before) = before {
                    let after = new.remove(position);
                    let after =
                        value(attribute, before, after).map_err(|error| error.within(attribute.name()))?;
                    new.put(position, after);
                }
            }
        }
    }
    Ok(new)
}

/// What becomes of a value that there was before.
fn value(attribute: &Attribute, before: &Value, after: Option<Value>) -> Result<Option<Value>, ScimError> {
    Ok(match (before, after) {
        (Value::Complex(before), Some(Value::Complex(after))) => {
            Some(Value::Complex(inner(attribute, before, &after)?))
        }
        (Value::Complex(before), None) => {
            let left = inner(attribute, before, &Object::default())?;
            let is_whole = !left.is_empty() && complete(attribute.sub_attributes(), &left).is_ok();
            is_whole.then_some(Value::Complex(left))
        }
        (Value::Many(before), after) => {
            let after = if let Some(Value::Many(after)) = after { after } else { Vec::new() };
            let values = several(attribute, before, after)?;
            (!values.is_empty()).then_some(Value::Many(values))
        }
        (_, after) => after,
    })
}

/// Tells whether something in a value of several stays though it is not said again. A reference is as it is said.
fn keeps_parts(attribute: &Attribute) -> bool {
    attribute.sub_attributes().iter().any(|own| match own.mutability() {
        Mutability::WriteOnly => true,
        Mutability::Immutable => !is_reference(attribute),
        Mutability::ReadOnly | Mutability::ReadWrite => false,
    })
}

/// What tells which of several values one is: its identity, or else what is seen of it.
#[derive(PartialEq, Eq, Hash)]
enum Told {
    As(Identity),
    Seen(Vec<u8>),
}

fn told(attribute: &Attribute, value: &Value) -> Told {
    let seen = || value.as_complex().map(|object| seen(attribute.sub_attributes(), object));
    identity(attribute, value).map_or_else(|| Told::Seen(seen().unwrap_or_default()), Told::As)
}

/// Puts each value over the one that it was before. One of which nothing is seen cannot be left out: it stays.
pub(crate) fn several(
    attribute: &Attribute,
    before: &[Value],
    after: Vec<Value>,
) -> Result<Vec<Value>, ScimError> {
    if !keeps_parts(attribute) {
        return Ok(after);
    }
    let mut there = HashMap::<_, VecDeque<_>>::new();
    for value in before {
        there.entry(told(attribute, value)).or_default().push_back(value);
    }
    let mut values = Vec::with_capacity(after.len());
    for value in after {
        let before = there.get_mut(&told(attribute, &value)).and_then(VecDeque::pop_front);
        values.push(match (before, value) {
            (Some(Value::Complex(before)), Value::Complex(after)) => {
                Value::Complex(inner(attribute, before, &after)?)
            }
            (_, value) => value,
        });
    }
    let unseen = there.remove(&Told::Seen(Vec::new())).unwrap_or_default();
    values.extend(unseen.into_iter().cloned());
    Ok(values)
}

/// Puts a complex value over the one that there was before. What is read-only in it is about the rest of it, and is stale as
/// soon as the rest is another, or says what nobody may read: whoever guesses that right must not find out.
pub(crate) fn inner(attribute: &Attribute, before: &Object, after: &Object) -> Result<Object, ScimError> {
    let sub = attribute.sub_attributes();
    let merged = merged(sub, before, after.clone())?;
    if attribute.is_extension() || merged == *before && !says_hidden(sub, after) {
        return Ok(merged);
    }
    let mut fresh = merged;
    for (position, _) in sub.positions().filter(|(_, own)| own.mutability() == Mutability::ReadOnly) {
        fresh.put(position, after.get(position).cloned());
    }
    Ok(fresh)
}

/// Tells whether something is said that nobody may read.
pub(crate) fn says_hidden(sub: &Attributes, said: &Object) -> bool {
    said.iter().any(|(position, _)| sub.at(position).is_some_and(Attribute::is_hidden))
}
