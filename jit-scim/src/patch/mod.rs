//! Changes of a resource (RFC 7644 §3.5.2): all of a PATCH, or nothing of it.
//!
//! A message becomes a list of typed steps before anything is touched; steps work on a copy.

mod apart;
mod apply;
mod assign;
mod read;
mod values;
mod work;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::error::ScimError;
use crate::json::Json;
use crate::limits::Limits;
use crate::path::Path;
use crate::resource::read::complete;
use crate::resource::replace::says_hidden;
use crate::resource::{Object, Resource, Value};
use crate::schema::{Attribute, AttributePath, Position, ResourceType};
use crate::tolerance::Tolerance;

use work::Work;

pub(crate) use apart::element;
pub use apart::{Element, ElementChange};

/// The schema of the message.
pub const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// A PATCH, checked against the schema of what it changes.
#[derive(Clone, Debug)]
pub struct Patch {
    kind: Arc<ResourceType>,
    tolerance: Tolerance,
    steps: Vec<Step>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verb {
    Add,
    Replace,
    Remove,
}

/// One change of one attribute, and the operation of the message that it comes from.
#[derive(Clone, Debug)]
struct Step {
    operation: usize,
    act: Act,
}

#[derive(Clone, Debug)]
enum Act {
    /// Without a value, `Replace` removes (RFC 7643 §2.5).
    Change(Verb, Path, Option<Value>),
    /// The resource has to have this identifier already.
    KeepId(String),
}

impl Patch {
    /// Tells whether an operation takes the attribute with this name away by its path.
    pub(crate) fn removes(&self, name: &str) -> bool {
        let takes = |act: &Act| matches!(act, Act::Change(Verb::Remove, path, _) if path.attribute().as_str() == name);
        self.steps.iter().any(|step| takes(&step.act))
    }

    /// Tells whether an operation gives the attribute with this name a value.
    pub(crate) fn says(&self, name: &str) -> bool {
        self.steps.iter().any(|step| match &step.act {
            Act::Change(Verb::Add | Verb::Replace, path, Some(_)) => path.attribute().as_str() == name,
            _ => false,
        })
    }

    /// Reads a PATCH.
    ///
    /// # Errors
    /// `scim.patch_malformed`, `scim.patch_operation_unknown`, `scim.patch_too_many_operations`,
    /// `scim.patch_value_missing`, `scim.patch_value_unexpected`, `scim.read_only`, `scim.schemas_missing`, and those of
    /// [`Path::parse`] and of values, each with the number of its operation.
    pub fn parse(
        kind: &Arc<ResourceType>,
        json: &Json,
        tolerance: Tolerance,
        limits: &Limits,
    ) -> Result<Self, ScimError> {
        let steps = read::message(kind, json, tolerance, limits)?;
        Ok(Self { kind: kind.clone(), tolerance, steps })
    }

    /// Applies the changes and returns the resource that comes of them. Nothing happens to this one.
    ///
    /// # Errors
    /// `scim.patch_no_target`, `scim.immutable_changed`, `scim.read_only`, `scim.required_removed`,
    /// `scim.primary_twice`, `scim.value_required`; `scim.patch_too_much_work` where many operations are over many values.
    pub fn apply(&self, resource: &Resource) -> Result<Resource, ScimError> {
        let mut root = resource.root().clone();
        let mut work = Work::new();
        for step in &self.steps {
            let done = work
                .take(&self.kind, &step.act, &root)
                .and_then(|()| self.step(resource, &mut root, &step.act));
            done.map_err(|error| error.in_operation(step.operation))?;
        }
        complete(self.kind.attributes(), &root)?;
        Ok(Resource::of(self.kind.clone(), root))
    }

    /// Collects where something is changed, down to the parts of values that are said.
    pub(crate) fn written(&self, places: &mut BTreeSet<Box<[Position]>>) {
        for step in &self.steps {
            let Act::Change(_, path, value) = &step.act else { continue };
            let place: Vec<_> = path.attribute().steps().iter().copied().chain(path.sub_position()).collect();
            let said = value.iter().flat_map(Value::each).filter_map(Value::as_complex);
            let parts = said.flat_map(Object::iter).map(|(part, _)| [&*place, &[part]].concat());
            places.extend(parts.map(Into::into));
            places.insert(place.into());
        }
    }

    /// Tells whether something is written that nobody may read, but for what lies `apart`.
    pub(crate) fn writes_hidden(&self, apart: Option<&AttributePath>) -> bool {
        self.steps.iter().any(|step| match &step.act {
            Act::Change(_, path, _) if Some(path.attribute()) == apart => false,
            Act::Change(_, path, value) => {
                let attribute = self.kind.attribute(path.attribute());
                let sub = path.sub_position().and_then(|position| attribute?.sub_attributes().at(position));
                self.kind.hides(path.attribute())
                    || sub.is_some_and(Attribute::is_hidden)
                    || attribute
                        .zip(value.as_ref())
                        .is_some_and(|(attribute, value)| holds_hidden(attribute, value))
            }
            Act::KeepId(_) => false,
        })
    }
}

fn holds_hidden(attribute: &Attribute, value: &Value) -> bool {
    let mut parts = value.each().iter().filter_map(Value::as_complex);
    parts.any(|part| says_hidden(attribute.sub_attributes(), part))
}

#[cfg(test)]
mod tests;
