//! Values that no two resources may have.

use std::borrow::Cow;
use std::fmt;

use crate::resource::Resource;
use crate::resource::value::{Object, Value};
use crate::schema::{Attributes, Mutability, Uniqueness};
use crate::text::comparable;

/// A value that is held once, in the form in which it is compared. `Debug` shows the attribute only.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UniqueKey {
    attribute: String,
    value: String,
}

impl UniqueKey {
    /// Returns the name of the attribute.
    #[must_use]
    pub fn attribute(&self) -> &str {
        &self.attribute
    }

    /// Returns the value as it is compared: folded unless its case counts.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }
}

impl fmt::Debug for UniqueKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UniqueKey({})", self.attribute)
    }
}

impl Resource {
    /// Lists the values that no other resource of the type may have; the identifier, which a server gives, is not
    /// among them.
    #[must_use]
    pub fn unique_keys(&self) -> Vec<UniqueKey> {
        let mut keys = Vec::new();
        self.each_unique(&mut |attribute, value| {
            keys.push(UniqueKey { attribute: attribute.to_owned(), value: value.into_owned() });
        });
        keys
    }

    /// Shows each of them, with the name of its attribute.
    pub(crate) fn each_unique(&self, show: &mut Show<'_>) {
        each(self.kind.attributes(), &self.root, "", show);
    }
}

type Show<'s> = dyn FnMut(&str, Cow<'_, str>) + 's;

fn each(attributes: &Attributes, object: &Object, prefix: &str, show: &mut Show<'_>) {
    for (position, value) in object.iter() {
        let Some(attribute) = attributes.at(position) else { continue };
        if let Value::Complex(inner) = value {
            let sign = if attribute.is_extension() { ":" } else { "." };
            each(attribute.sub_attributes(), inner, &[prefix, attribute.name(), sign].concat(), show);
        } else if attribute.uniqueness() != Uniqueness::None && attribute.mutability() != Mutability::ReadOnly
        {
            let text = match value {
                Value::Text(text) => comparable(text, attribute.is_case_exact()),
                Value::DateTime(instant) => instant.at().to_rfc3339().into(),
                Value::Integer(value) => value.to_string().into(),
                Value::Decimal(value) => value.to_string().into(),
                Value::Boolean(_) | Value::Complex(_) | Value::Many(_) => continue,
            };
            match prefix {
                "" => show(attribute.name(), text),
                prefix => show(&[prefix, attribute.name()].concat(), text),
            }
        }
    }
}
