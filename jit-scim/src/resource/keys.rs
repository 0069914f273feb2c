//! Values that no two resources may have.

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
        collect(self.kind.attributes(), &self.root, "", &mut keys);
        keys
    }
}

fn collect(attributes: &Attributes, object: &Object, prefix: &str, keys: &mut Vec<UniqueKey>) {
    for (position, value) in object.iter() {
        let Some(attribute) = attributes.at(position) else { continue };
        if let Value::Complex(inner) = value {
            let sign = if attribute.is_extension() { ":" } else { "." };
            collect(attribute.sub_attributes(), inner, &[prefix, attribute.name(), sign].concat(), keys);
        } else if attribute.uniqueness() != Uniqueness::None && attribute.mutability() != Mutability::ReadOnly
        {
            let text = match value {
                Value::Text(text) => comparable(text, attribute.is_case_exact()).into_owned(),
                Value::DateTime(instant) => instant.at().to_rfc3339(),
                Value::Integer(value) => value.to_string(),
                Value::Decimal(value) => value.to_string(),
                Value::Boolean(_) | Value::Complex(_) | Value::Many(_) => continue,
            };
            keys.push(UniqueKey { attribute: [prefix, attribute.name()].concat(), value: text });
        }
    }
}
