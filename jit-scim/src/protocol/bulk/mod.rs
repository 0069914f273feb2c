//! Bulk requests (RFC 7644 §3.7): in which order operations run, and what they say of each other.
//!
//! Whoever runs them takes one step after the other with [`Bulk::next`] and says with [`Bulk::done`] what became of it.
//! An operation waits for those whose `bulkId` it names. Where operations wait for each other in a circle, one of them is
//! run without what is not known yet. Once everything is, a PATCH adds what was left out, and only that: whatever else
//! became of the resource meanwhile stays. Operations that name it in their path come after that.

mod answer;
mod read;
mod reference;

use std::collections::{BTreeSet, HashMap};

use crate::error::ScimError;
use crate::json::Json;
use crate::limits::Limits;
use crate::patch::PATCH_OP;
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
    /// Whether this is a PATCH that adds what a creation had to leave out. Read it with
    /// [`Tolerance::overlooking_read_only`](crate::Tolerance::overlooking_read_only), as the creation was read.
    pub completes: bool,
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
    /// What was created without a part, and can have it now.
    completable: BTreeSet<usize>,
    failures_left: Option<usize>,
}

#[derive(Debug)]
struct Operation {
    /// Why it cannot be run, where it cannot be read.
    unread: Option<Unread>,
    method: BulkMethod,
    path: String,
    bulk_id: Option<String>,
    version: Option<Version>,
    data: Option<Json>,
    /// The operations that this one names, each once.
    needs: BTreeSet<usize>,
    /// The operation that creates what this one changes.
    changes: Option<usize>,
    /// The operations that name this one.
    needed_by: Vec<usize>,
    /// The operations that change what this one creates.
    changed_by: Vec<usize>,
    /// What it was created without.
    left_out: Option<Json>,
    outcome: Option<BulkOutcome>,
}

/// What is wrong with an operation that cannot be read. It is refused when its turn comes, and the others are run.
#[derive(Debug)]
struct Unread {
    /// What it calls its method.
    method: String,
    error: ScimError,
}

impl Bulk {
    /// Reads a bulk request. An operation that cannot be read is answered in its place, as long as it says its method.
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
            let is_stopped = self.failures_left == Some(0);
            let (number, step) = if let Some(number) = self.completable.pop_first() {
                // also where too much failed: what is half made would be taken for whole
                (number, self.completion(number))
            } else if is_stopped {
                self.refuse_unfinished();
                return None;
            } else {
                let number = self.ready.pop_first().or_else(|| self.out_of_circle())?;
                (number, self.step(number))
            };
            match step {
                Ok(step) => return Some(step),
                Err(error) => {
                    let location = self.operations.get(number).and_then(Operation::location);
                    self.done(number, BulkOutcome::Refused { error, location });
                }
            }
        }
    }

    /// Says what became of a step.
    pub fn done(&mut self, operation: usize, outcome: BulkOutcome) {
        if let (BulkOutcome::Refused { .. }, Some(left)) = (&outcome, &mut self.failures_left) {
            *left = left.saturating_sub(1);
        }
        let Some(done) = self.operations.get_mut(operation) else { return };
        let was_refused = matches!(outcome, BulkOutcome::Refused { .. });
        let is_complete = done.outcome.is_some() || done.left_out.is_none() || was_refused;
        // what was created keeps its answer when it is completed
        done.outcome = Some(match (done.outcome.take(), outcome) {
            (Some(BulkOutcome::Done { status, .. }), BulkOutcome::Done { id, location, version, .. }) => {
                BulkOutcome::Done { status, id, location, version }
            }
            (_, outcome) => outcome,
        });
        let named = std::mem::take(&mut done.needed_by);
        let changed = if is_complete { std::mem::take(&mut done.changed_by) } else { Vec::new() };
        if is_complete {
            done.left_out = None;
        }
        for waiting in named {
            self.release(waiting, |waiting| {
                waiting.needs.remove(&operation);
            });
        }
        for waiting in changed {
            self.release(waiting, |waiting| waiting.changes = None);
        }
    }

    fn release(&mut self, waiting: usize, release: impl FnOnce(&mut Operation)) {
        let Some(operation) = self.operations.get_mut(waiting) else { return };
        release(operation);
        if !operation.waits() {
            if self.waiting.remove(&waiting) {
                self.ready.insert(waiting);
            } else if operation.is_unfinished() {
                self.completable.insert(waiting);
            }
        }
    }

    /// Everything that is left waits for something that waits: the first of a circle goes ahead.
    fn out_of_circle(&mut self) -> Option<usize> {
        let number = self.first_of_circle()?;
        self.waiting.remove(&number);
        let operations = &self.operations;
        let is_known = |name: &str| {
            let operation = self.names.get(name).and_then(|number| operations.get(*number));
            operation.is_none_or(|operation| operation.outcome.is_some())
        };
        let data = operations.get(number)?.data.as_ref()?;
        let (known, left_out) = reference::apart(data, &is_known);
        let operation = self.operations.get_mut(number)?;
        operation.data = Some(known);
        operation.left_out = Some(left_out);
        Some(number)
    }

    /// The first of a circle that waits for nothing else: whoever waits for its members is created whole after them.
    fn first_of_circle(&self) -> Option<usize> {
        let mut seen = BTreeSet::new();
        let mut innermost = None;
        for number in self.waiting.iter().rev().copied().filter(|number| self.creates(*number)) {
            if seen.contains(&number) {
                continue;
            }
            // Whoever waits for it is in here. Of the last one that nobody before led to, none needs anything beyond its circle.
            innermost = Some(number);
            self.reach(number, &mut seen, |operation| operation.needed_by.iter());
        }
        let mut circle = BTreeSet::new();
        self.reach(innermost?, &mut circle, |operation| operation.needs.iter());
        circle.pop_first()
    }

    /// Adds everything created that waits and is reached from this one.
    fn reach<'a, I: Iterator<Item = &'a usize>>(
        &'a self,
        from: usize,
        seen: &mut BTreeSet<usize>,
        next: impl Fn(&'a Operation) -> I,
    ) {
        let mut left = vec![from];
        while let Some(number) = left.pop() {
            if seen.insert(number) {
                let next = self.operations.get(number).into_iter().flat_map(&next).copied();
                left.extend(next.filter(|number| self.waiting.contains(number) && self.creates(*number)));
            }
        }
    }

    fn creates(&self, number: usize) -> bool {
        self.operations.get(number).is_some_and(|one| one.method == BulkMethod::Post)
    }

    /// Adds what was left out, now that everything that it names is known.
    fn completion(&self, number: usize) -> Result<BulkStep, ScimError> {
        let operation = self.operations.get(number).ok_or(Reason::BulkMalformed)?;
        let (Some(BulkOutcome::Done { id, .. }), Some(left_out)) = (&operation.outcome, &operation.left_out)
        else {
            return Err(Reason::BulkMalformed.into());
        };
        let value = self.replaced(operation.method, left_out)?;
        let addition = Json::object([("op", Json::text("add")), ("value", value)]);
        let message = Json::object([
            ("schemas", Json::List(vec![Json::text(PATCH_OP)])),
            ("Operations", Json::List(vec![addition])),
        ]);
        Ok(BulkStep {
            operation: number,
            method: BulkMethod::Patch,
            path: format!("{}/{id}", operation.path),
            version: None,
            data: Some(message),
            completes: true,
        })
    }

    /// Takes back the answer of what will not be completed any more.
    fn refuse_unfinished(&mut self) {
        for operation in self.operations.iter_mut().filter(|operation| operation.is_unfinished()) {
            let location = operation.location();
            operation.left_out = None;
            operation.outcome = Some(BulkOutcome::Refused { error: Reason::BulkIdFailed.into(), location });
        }
    }

    fn step(&self, number: usize) -> Result<BulkStep, ScimError> {
        let operation = self.operations.get(number).ok_or(Reason::BulkMalformed)?;
        if let Some(unread) = &operation.unread {
            return Err(unread.error.clone());
        }
        let path = self.resolved_path(operation)?;
        let data = operation.data.as_ref().map(|data| self.replaced(operation.method, data)).transpose()?;
        Ok(BulkStep {
            operation: number,
            method: operation.method,
            path,
            version: operation.version.clone(),
            data,
            completes: false,
        })
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

    fn identifier(&self, name: &str) -> Result<String, ScimError> {
        let number = self.names.get(name).ok_or(Reason::BulkIdUnknown)?;
        match self.operations.get(*number).and_then(|operation| operation.outcome.as_ref()) {
            Some(BulkOutcome::Done { id, .. }) => Ok(id.clone()),
            _ => Err(Reason::BulkIdFailed.into()),
        }
    }
}

impl Operation {
    fn waits(&self) -> bool {
        !self.needs.is_empty() || self.changes.is_some()
    }

    /// Tells whether it was created without a part of it.
    const fn is_unfinished(&self) -> bool {
        self.left_out.is_some() && matches!(self.outcome, Some(BulkOutcome::Done { .. }))
    }

    fn location(&self) -> Option<String> {
        match &self.outcome {
            Some(BulkOutcome::Done { location, .. }) => Some(location.clone()),
            Some(BulkOutcome::Refused { location, .. }) => location.clone(),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests;
