//! Replacing a resource by what a client sent (RFC 7644 §3.5.1).

use crate::error::ScimError;
use crate::json::Json;
use crate::reason::Reason;
use crate::resource::Resource;
use crate::resource::read::complete;
use crate::resource::value::{Object, Value};
use crate::schema::{Attribute, AttributePath, Attributes, Mutability};
use crate::tolerance::Tolerance;

impl Resource {
    /// Replaces what the client may write. What it leaves out is removed, unless it cannot be read or was written for
    /// good: a password stays, and so does what is immutable.
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
                if let (Some(Value::Complex(before)), Some(Value::Complex(after))) =
                    (before, new.get(position))
                {
                    let after =
                        inner(attribute, before, after).map_err(|error| error.within(attribute.name()))?;
                    new.set(position, Value::Complex(after));
                }
            }
        }
    }
    Ok(new)
}

/// What is read-only in a complex value is about the rest of it, and is stale as soon as the rest is another.
fn inner(attribute: &Attribute, before: &Object, after: &Object) -> Result<Object, ScimError> {
    let sub = attribute.sub_attributes();
    let merged = merged(sub, before, after.clone())?;
    if attribute.is_extension() || merged == *before {
        return Ok(merged);
    }
    let mut fresh = merged;
    for (position, _) in sub.positions().filter(|(_, own)| own.mutability() == Mutability::ReadOnly) {
        fresh.put(position, after.get(position).cloned());
    }
    Ok(fresh)
}
