//! Finds what a step operates on.

use super::values::Selection;
use super::{Act, Patch, Verb, assign, values};
use crate::error::ScimError;
use crate::path::Path;
use crate::reason::Reason;
use crate::resource::{Object, Resource, Value};
use crate::schema::{Attribute, Mutability, Position};

impl Patch {
    pub(super) fn step(&self, resource: &Resource, root: &mut Object, act: &Act) -> Result<(), ScimError> {
        match act {
            Act::KeepId(id) if resource.id() == Some(id) => Ok(()),
            Act::KeepId(_) => Err(ScimError::at_attribute(Reason::ReadOnly, "id")),
            Act::Change(verb, path, value) => {
                let name = path.attribute().as_str();
                self.change(root, *verb, path, value.as_ref()).map_err(|error| {
                    if error.place().is_none() {
                        ScimError::at_attribute(error.reason(), name)
                    } else {
                        error
                    }
                })
            }
        }
    }

    fn change(
        &self,
        root: &mut Object,
        verb: Verb,
        path: &Path,
        value: Option<&Value>,
    ) -> Result<(), ScimError> {
        let unknown = || ScimError::from(Reason::PathUnknown);
        let attribute = self.kind.attribute(path.attribute()).ok_or_else(unknown)?;
        match path.attribute().steps() {
            [position] => self.at(root, (*position, attribute), verb, path, value),
            [container, position] => {
                let outer = self.kind.attributes().at(*container).ok_or_else(unknown)?;
                within(root, *container, |object| {
                    self.at(object, (*position, attribute), verb, path, value)
                })?;
                if root.get(*container).is_none() && outer.is_required() {
                    return Err(Reason::RequiredRemoved.into());
                }
                Ok(())
            }
            _ => Err(unknown()),
        }
    }

    fn at(
        &self,
        object: &mut Object,
        (position, attribute): (Position, &Attribute),
        verb: Verb,
        path: &Path,
        value: Option<&Value>,
    ) -> Result<(), ScimError> {
        let sub = path
            .sub_position()
            .and_then(|position| Some((position, attribute.sub_attributes().at(position)?)));
        if attribute.is_multi_valued() {
            let selection = Selection { filter: path.filter(), sub, creates: self.tolerance.add_creates };
            return values::change(object, (position, attribute), verb, &selection, value);
        }
        match sub {
            None => assign::one(object, (position, attribute), verb, value),
            Some(_) if verb == Verb::Remove && object.get(position).is_none() => Ok(()),
            Some(sub) => {
                let is_fixed = attribute.mutability() == Mutability::Immutable;
                let fixed = object.get(position).filter(|_| is_fixed).cloned();
                within(object, position, |inner| assign::part(attribute, inner, sub, verb, value))?;
                if fixed.is_some() && fixed.as_ref() != object.get(position) {
                    return Err(ScimError::at_attribute(Reason::ImmutableChanged, attribute.name()));
                }
                assign::still_there(object, position, attribute)
            }
        }
    }
}

/// Works within a complex value, which is made for it and goes again where nothing is in it.
fn within<T>(
    object: &mut Object,
    position: Position,
    work: impl FnOnce(&mut Object) -> Result<T, ScimError>,
) -> Result<T, ScimError> {
    let mut inner = match object.remove(position) {
        Some(Value::Complex(inner)) => inner,
        _ => Object::default(),
    };
    let done = work(&mut inner);
    if !inner.is_empty() {
        object.set(position, Value::Complex(inner));
    }
    done
}
