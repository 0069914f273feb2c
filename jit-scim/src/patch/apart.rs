//! Changes of values that lie apart from their resource, such as the members of a large group.

use super::read::listed;
use super::work::Work;
use super::{Act, Patch, Verb};
use crate::error::ScimError;
use crate::filter::Filter;
use crate::path::Path;
use crate::reason::Reason;
use crate::resource::read::complete;
use crate::resource::{Resource, Value};
use crate::schema::Attribute;

/// One of several values that lie apart, such as a member.
#[derive(Clone, PartialEq, Debug)]
pub struct Element {
    value: Value,
    key: String,
    kind: Option<String>,
}

impl Element {
    /// Returns its `value`: of a member, the identifier.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns its `type`, where the client said it.
    #[must_use]
    pub fn kind(&self) -> Option<&str> {
        self.kind.as_deref()
    }

    /// Returns the whole, against which [`Filter::matches_value`] is asked.
    #[must_use]
    pub const fn value(&self) -> &Value {
        &self.value
    }
}

/// What becomes of values that lie apart. To be done in order; each says all there is to do.
#[derive(Clone, PartialEq, Debug)]
#[expect(clippy::exhaustive_enums, reason = "whoever overlooked one would lose or keep members by mistake")]
pub enum ElementChange {
    /// The value is there afterwards. If it was there before, nothing happens.
    Add(Element),
    /// The value with this `value` is gone afterwards, in whatever case unless the attribute's case counts
    /// ([`jit_core::caseless`]). If there was none, nothing happens.
    Remove(String),
    /// The values that fulfil the filter are gone afterwards.
    RemoveWhere(Filter),
    /// No value is there afterwards.
    Clear,
}

impl Patch {
    /// Applies the changes to a resource that is kept without one of its attributes, and says what is to be done to the
    /// values of that attribute. The work is as large as the change, whatever the number of values is.
    ///
    /// # Errors
    /// As [`Self::apply`]; `scim.path_unknown` where the resource type has no such attribute, or where it has one value
    /// or no `value`; `scim.immutable_changed` where a part of one value is to change.
    pub fn apply_apart(
        &self,
        resource: &Resource,
        name: &str,
    ) -> Result<(Resource, Vec<ElementChange>), ScimError> {
        let unknown = || ScimError::at_attribute(Reason::PathUnknown, name);
        let apart = self.kind.resolve(name).ok_or_else(unknown)?;
        let attribute = self.kind.attribute(&apart).ok_or_else(unknown)?;
        if !attribute.is_multi_valued() || attribute.value_position().is_none() {
            return Err(unknown());
        }
        let mut root = resource.root().clone();
        let (mut changes, mut work) = (Vec::new(), Work::new());
        for step in &self.steps {
            let done = match &step.act {
                Act::Change(verb, path, value) if *path.attribute() == apart => {
                    elements(attribute, *verb, path, value.as_ref(), &mut changes)
                }
                act => work.take(&self.kind, act, &root).and_then(|()| self.step(resource, &mut root, act)),
            };
            done.map_err(|error| error.in_operation(step.operation))?;
        }
        complete(self.kind.attributes(), &root)?;
        Ok((Resource::of(self.kind.clone(), root), changes))
    }
}

fn elements(
    attribute: &Attribute,
    verb: Verb,
    path: &Path,
    value: Option<&Value>,
    changes: &mut Vec<ElementChange>,
) -> Result<(), ScimError> {
    match (verb, path.filter(), path.sub_attribute()) {
        (Verb::Add | Verb::Replace, None, None) => {
            if verb == Verb::Replace {
                changes.push(ElementChange::Clear);
            }
            for value in listed(value) {
                changes.push(ElementChange::Add(element(attribute, value)?));
            }
        }
        (Verb::Remove, None, None) => match value {
            None => changes.push(ElementChange::Clear),
            Some(value) => {
                for value in value.each() {
                    changes.push(ElementChange::Remove(element(attribute, value)?.key));
                }
            }
        },
        (Verb::Remove, Some(filter), None) => match filter.one_of("value") {
            Some(keys) => changes.extend(keys.into_iter().map(|key| ElementChange::Remove(key.to_owned()))),
            None => changes.push(ElementChange::RemoveWhere(filter.clone())),
        },
        _ => return Err(ScimError::at_attribute(Reason::ImmutableChanged, path.attribute().as_str())),
    }
    Ok(())
}

/// Reads one value that lies apart.
pub(crate) fn element(attribute: &Attribute, value: &Value) -> Result<Element, ScimError> {
    let text = |name: &str| {
        let (position, _) = attribute.sub_attributes().find(name)?;
        value.as_complex()?.text(position).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let missing = || ScimError::at_attribute(Reason::ValueRequired, "value").within(attribute.name());
    Ok(Element { key: text("value").ok_or_else(missing)?, kind: text("type"), value: value.clone() })
}
