//! What of a resource is part of an answer (RFC 7643 §7 `returned`, RFC 7644 §3.9).

use std::collections::BTreeSet;

use crate::error::ScimError;
use crate::json::Json;
use crate::patch::Patch;
use crate::reason::Reason;
use crate::schema::{Attribute, Attributes, Position, ResourceType, Returned};

/// Chooses attributes for an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Projection {
    choice: Choice,
    /// What the client wrote.
    written: BTreeSet<Box<[Position]>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Choice {
    #[default]
    Default,
    Only(Vec<Box<[Position]>>),
    Except(Vec<Box<[Position]>>),
}

impl Projection {
    /// Chooses by the parameters `attributes` and `excludedAttributes`, each a list of names. Unknown names choose
    /// nothing.
    ///
    /// # Errors
    /// `scim.projection_twice` where both are given.
    pub fn new<'a>(
        kind: &ResourceType,
        attributes: Option<impl IntoIterator<Item = &'a str>>,
        excluded: Option<impl IntoIterator<Item = &'a str>>,
    ) -> Result<Self, ScimError> {
        let choice = match (attributes, excluded) {
            (Some(_), Some(_)) => return Err(Reason::ProjectionTwice.into()),
            (Some(names), None) => Choice::Only(paths(kind, names)),
            (None, Some(names)) => Choice::Except(paths(kind, names)),
            (None, None) => Choice::Default,
        };
        Ok(Self { choice, written: BTreeSet::new() })
    }

    /// Reads the parameters as a query has them: names parted by commas.
    ///
    /// # Errors
    /// `scim.projection_twice` where both are given.
    pub fn of_query(
        kind: &ResourceType,
        attributes: Option<&str>,
        excluded: Option<&str>,
    ) -> Result<Self, ScimError> {
        Self::new(kind, attributes.map(|names| names.split(',')), excluded.map(|names| names.split(',')))
    }

    /// Adds what the body of a POST or a PUT says: what is returned on request is part of the answer to that request
    /// (RFC 7643 §7).
    #[must_use]
    pub fn and_written(mut self, kind: &ResourceType, body: &Json) -> Self {
        said(kind.attributes(), body, &mut Vec::new(), &mut self.written);
        self
    }

    /// Adds what a PATCH changes, as [`Self::and_written`] does.
    #[must_use]
    pub fn and_patched(mut self, patch: &Patch) -> Self {
        patch.written(&mut self.written);
        self
    }

    /// Tells whether everything is shown that is shown by default, so that a text kept for that can be used.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.choice == Choice::Default && self.written.is_empty()
    }

    /// Tells whether the attribute of this name, or some of it, is part of the answer.
    pub(crate) fn shows_named(&self, kind: &ResourceType, name: &str) -> bool {
        let Some(path) = kind.resolve(name) else { return false };
        kind.attribute(&path).is_some_and(|attribute| self.shows(attribute, path.steps()))
    }

    /// Tells whether everything is shown that is shown by default, but for this attribute.
    pub(crate) fn is_default_without(&self, kind: &ResourceType, name: &str) -> bool {
        let Some(path) = kind.resolve(name) else { return false };
        self.written.is_empty()
            && matches!(&self.choice, Choice::Except(list) if matches!(list.as_slice(), [one] if **one == *path.steps()))
    }

    /// Tells whether the attribute, or some of it, is part of the answer.
    pub(crate) fn shows(&self, attribute: &Attribute, steps: &[Position]) -> bool {
        if attribute.is_hidden() {
            return false;
        }
        let named = |list: &[Box<[Position]>]| list.iter().any(|path| **path == *steps);
        let covered = |list: &[Box<[Position]>]| list.iter().any(|path| steps.starts_with(path));
        let partly = |list: &[Box<[Position]>]| list.iter().any(|path| path.starts_with(steps));
        let written = || self.written.iter().any(|path| path.starts_with(steps));
        // the container of an extension is none of its attributes
        if attribute.is_extension() && attribute.sub_attributes().iter().any(is_always_shown) {
            return true;
        }
        match (attribute.returned(), &self.choice) {
            (Returned::Never, _) => false,
            (Returned::Always, _) | (Returned::Default, Choice::Default) => true,
            (Returned::Default, Choice::Only(list)) => covered(list) || partly(list),
            (Returned::Default, Choice::Except(list)) => !covered(list),
            (Returned::Request, Choice::Only(list)) => named(list) || partly(list),
            (Returned::Request, Choice::Default) => written(),
            (Returned::Request, Choice::Except(list)) => written() && !covered(list),
        }
    }
}

fn is_always_shown(attribute: &Attribute) -> bool {
    attribute.returned() == Returned::Always
}

/// Collects what a body names, down to the parts of values.
fn said(
    attributes: &Attributes,
    json: &Json,
    steps: &mut Vec<Position>,
    written: &mut BTreeSet<Box<[Position]>>,
) {
    match json {
        Json::List(values) => values.iter().for_each(|value| said(attributes, value, steps, written)),
        Json::Object(members) => {
            for (name, value) in members {
                let Some((position, attribute)) = attributes.find(name) else { continue };
                steps.push(position);
                if !written.contains(steps.as_slice()) {
                    written.insert(steps.as_slice().into());
                }
                said(attribute.sub_attributes(), value, steps, written);
                steps.pop();
            }
        }
        _ => {}
    }
}

fn paths<'a>(kind: &ResourceType, names: impl IntoIterator<Item = &'a str>) -> Vec<Box<[Position]>> {
    let resolved = names.into_iter().filter_map(|name| kind.resolve(name.trim()));
    // each once: however many are named, there are no more than the schema has
    let paths: BTreeSet<Box<[Position]>> = resolved.map(|path| path.steps().into()).collect();
    paths.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Schemas;

    #[test]
    fn a_name_that_is_given_often_is_looked_at_once() {
        let schemas = Schemas::standard();
        let kind = schemas.endpoint("/Users").unwrap();
        let often = ["emails.value", "EMAILS.VALUE", " emails.value", "nothing", "title"];
        let names = std::iter::repeat_n(often, 1000).flatten();
        assert_eq!(paths(kind, names), paths(kind, ["title", "emails.value"]));
    }
}
