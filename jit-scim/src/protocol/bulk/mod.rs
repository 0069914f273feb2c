//! Bulk requests (RFC 7644 §3.7): in which order operations run, and what they say of each other.
//!
//! Whoever runs them takes one step after the other with [`Bulk::next`] and says with [`Bulk::done`] what became of it.
//! An operation waits for those whose `bulkId` it names. Where operations wait for each other in a circle, one of them is
//! run without what is not known yet, and once more, as a PUT, when everything is.

mod answer;
mod read;
mod reference;

use std::collections::{BTreeSet, HashMap};

use crate::error::ScimError;
use crate::json::Json;
use crate::limits::Limits;
use crate::reason::Reason;
use crate::resource::Version;

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 7644 §3.7 knows no others")]
pub enum BulkMethod {
    /// Creates.
    Post,
    /// Replaces.
    Put,
    /// Changes.
    Patch,
    /// Removes.
    Delete,
}

/// A request to be run now. `Debug` shows no values.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct BulkStep {
    /// The number of the operation, counted from zero.
    pub operation: usize,
    /// What is to be done.
    pub method: BulkMethod,
    /// The path below the address of the service, such as `/Users` or `/Users/42`.
    pub path: String,
    /// The version that the resource must have.
    pub version: Option<Version>,
    /// The body.
    pub data: Option<Json>,
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a step was done or was not")]
pub enum BulkOutcome {
    /// It was done.
    Done {
        /// The status: 200, 201 or 204.
        status: u16,
        /// The identifier of the resource.
        id: String,
        /// The address of the resource.
        location: String,
        /// The version of the resource, where there still is one.
        version: Option<Version>,
    },
    /// It was refused.
    Refused {
        /// Why.
        error: ScimError,
        /// The address of the resource, where there is one.
        location: Option<String>,
    },
}

/// A bulk request on its way.
#[derive(Debug)]
pub struct Bulk {
    operations: Vec<Operation>,
    names: HashMap<String, usize>,
    ready: BTreeSet<usize>,
    waiting: BTreeSet<usize>,
    unfinished: Vec<usize>,
    failures_left: Option<usize>,
}

#[derive(Debug)]
struct Operation {
    method: BulkMethod,
    path: String,
    bulk_id: Option<String>,
    version: Option<Version>,
    data: Option<Json>,
    /// The operations that this one names, each once.
    needs: BTreeSet<usize>,
    /// The operations that name this one.
    needed_by: Vec<usize>,
    outcome: Option<BulkOutcome>,
}

impl Bulk {
    /// Reads a bulk request.
    ///
    /// # Errors
    /// `scim.not_an_object`, `scim.schemas_missing`, `scim.bulk_malformed`, `scim.bulk_too_many_operations`,
    /// `scim.bulk_id_twice`.
    pub fn parse(json: &Json, limits: &Limits) -> Result<Self, ScimError> {
        read::request(json, limits)
    }

    /// Returns what is to be run now, or nothing where everything was, or where too much failed. Every step is told what
    /// became of it before the next one is asked for.
    #[expect(clippy::should_implement_trait, reason = "the next step depends on what became of the last one")]
    pub fn next(&mut self) -> Option<BulkStep> {
        loop {
            if self.failures_left == Some(0) {
                return None;
            }
            let Some(number) = self.ready.pop_first().or_else(|| self.out_of_circle()) else {
                return self.finish();
            };
            match self.step(number) {
                Ok(step) => return Some(step),
                Err(error) => self.done(number, BulkOutcome::Refused { error, location: None }),
            }
        }
    }

    /// Says what became of a step.
    pub fn done(&mut self, operation: usize, outcome: BulkOutcome) {
        if let (BulkOutcome::Refused { .. }, Some(left)) = (&outcome, &mut self.failures_left) {
            *left = left.saturating_sub(1);
        }
        let Some(done) = self.operations.get_mut(operation) else { return };
        let first = done.outcome.is_none();
        // what was created keeps its answer when it is finished
        done.outcome = Some(match (done.outcome.take(), outcome) {
            (Some(BulkOutcome::Done { status, .. }), BulkOutcome::Done { id, location, version, .. }) => {
                BulkOutcome::Done { status, id, location, version }
            }
            (_, outcome) => outcome,
        });
        if first {
            for waiting in std::mem::take(&mut done.needed_by) {
                self.release(waiting, operation);
            }
        }
    }

    fn release(&mut self, waiting: usize, done: usize) {
        let Some(operation) = self.operations.get_mut(waiting) else { return };
        operation.needs.remove(&done);
        if operation.needs.is_empty() && self.waiting.remove(&waiting) {
            self.ready.insert(waiting);
        }
    }

    /// Everything that is left waits for something that waits: the first that creates something goes ahead.
    fn out_of_circle(&mut self) -> Option<usize> {
        let creates =
            |number: &&usize| self.operations.get(**number).is_some_and(|one| one.method == BulkMethod::Post);
        let number = *self.waiting.iter().find(creates)?;
        self.waiting.remove(&number);
        self.unfinished.push(number);
        Some(number)
    }

    /// Runs what went ahead once more, now that everything it names is known.
    fn finish(&mut self) -> Option<BulkStep> {
        while let Some(number) = self.unfinished.pop() {
            let operation = self.operations.get(number)?;
            let Some(BulkOutcome::Done { id, .. }) = &operation.outcome else { continue };
            let path = format!("{}/{id}", operation.path);
            match self.resolved(operation) {
                Ok(data) => {
                    let method = BulkMethod::Put;
                    return Some(BulkStep { operation: number, method, path, version: None, data });
                }
                Err(error) => {
                    let Some(BulkOutcome::Done { location, .. }) = &operation.outcome else { continue };
                    let location = Some(location.clone());
                    self.done(number, BulkOutcome::Refused { error, location });
                }
            }
        }
        None
    }

    fn step(&self, number: usize) -> Result<BulkStep, ScimError> {
        let operation = self.operations.get(number).ok_or(Reason::BulkMalformed)?;
        let path = self.resolved_path(operation)?;
        let data = if operation.needs.is_empty() {
            self.resolved(operation)?
        } else {
            operation.data.as_ref().map(|data| reference::without(data, &|name| self.is_known(name)))
        };
        let data = match data {
            Some(data) if !operation.needs.is_empty() => Some(self.replaced(operation.method, &data)?),
            data => data,
        };
        Ok(BulkStep {
            operation: number,
            method: operation.method,
            path,
            version: operation.version.clone(),
            data,
        })
    }

    fn resolved(&self, operation: &Operation) -> Result<Option<Json>, ScimError> {
        operation.data.as_ref().map(|data| self.replaced(operation.method, data)).transpose()
    }

    fn replaced(&self, method: BulkMethod, data: &Json) -> Result<Json, ScimError> {
        reference::resolved(method, data, &|name| self.identifier(name))
    }

    fn resolved_path(&self, operation: &Operation) -> Result<String, ScimError> {
        let path = &operation.path;
        let Some((endpoint, name)) = path.rsplit_once('/') else { return Ok(path.clone()) };
        let Some(name) = reference::name(name) else { return Ok(path.clone()) };
        Ok(format!("{endpoint}/{}", self.identifier(name)?))
    }

    fn is_known(&self, name: &str) -> bool {
        let operation = self.names.get(name).and_then(|number| self.operations.get(*number));
        operation.is_none_or(|operation| operation.outcome.is_some())
    }

    fn identifier(&self, name: &str) -> Result<String, ScimError> {
        let number = self.names.get(name).ok_or(Reason::BulkIdUnknown)?;
        match self.operations.get(*number).and_then(|operation| operation.outcome.as_ref()) {
            Some(BulkOutcome::Done { id, .. }) => Ok(id.clone()),
            _ => Err(Reason::BulkIdFailed.into()),
        }
    }
}

#[cfg(test)]
mod tests;
