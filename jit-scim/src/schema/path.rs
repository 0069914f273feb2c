//! The way from a resource to one of its attributes.

use std::fmt;

use smol_str::{SmolStr, format_smolstr};

use super::attributes::Position;

/// Names an attribute of a resource type, such as `emails.type` or `urn:…:2.0:User:employeeNumber`, and where it lies.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AttributePath {
    name: SmolStr,
    steps: Box<[Position]>,
}

impl AttributePath {
    pub(crate) fn new(name: impl Into<SmolStr>, steps: impl Into<Box<[Position]>>) -> Self {
        Self { name: name.into(), steps: steps.into() }
    }

    /// Returns the name as the schema writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }

    pub(crate) fn steps(&self) -> &[Position] {
        &self.steps
    }

    /// Goes one attribute deeper.
    pub(crate) fn join(&self, name: &str, position: Position) -> Self {
        let steps: Vec<_> = self.steps.iter().copied().chain([position]).collect();
        // what follows the URN of an extension follows a colon
        let sign = if self.steps.len() == 1 && self.name.contains(':') { ':' } else { '.' };
        let name =
            if self.name.is_empty() { name.into() } else { format_smolstr!("{}{sign}{name}", self.name) };
        Self { name, steps: steps.into() }
    }
}

impl fmt::Display for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Debug for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AttributePath({})", self.name)
    }
}
