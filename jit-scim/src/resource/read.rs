//! Reads what came in against the schema.

use crate::error::ScimError;
use crate::json::Json;
use crate::reason::Reason;
use crate::resource::elements;
use crate::resource::value::{Instant, Object, Value};
use crate::schema::{Attribute, Attributes, Kind, Mutability};
use crate::tolerance::Tolerance;

/// Says what is read, and so what becomes of attributes that a client may not write.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A whole resource of a client: what is read-only is overlooked (RFC 7644 §3.3, §3.5.1).
    Whole,
    /// A value of a PATCH: as above, and one value may stand for a list of one.
    Part,
    /// What a store kept: everything is taken.
    Stored,
}

/// Reads values against attributes.
#[derive(Clone, Copy)]
pub(crate) struct Reader {
    pub(crate) purpose: Purpose,
    pub(crate) tolerance: Tolerance,
}

impl Reader {
    /// Reads the value of an attribute. `null`, an empty list and an empty object are no value (RFC 7643 §2.5).
    pub(crate) fn value(self, attribute: &Attribute, json: &Json) -> Result<Option<Value>, ScimError> {
        if matches!(json, Json::Null) {
            return Ok(None);
        }
        if !attribute.is_multi_valued() {
            return self.single(attribute, json).map_err(|error| error.within(attribute.name()));
        }
        let list = match json {
            Json::List(list) => list.as_slice(),
            one if self.purpose == Purpose::Part => std::slice::from_ref(one),
            _ => return Err(ScimError::at_attribute(Reason::ValueType, attribute.name())),
        };
        self.several(attribute, list).map_err(|error| error.within(attribute.name()))
    }

    /// Reads one value of an attribute that may have several; `null` is none.
    pub(crate) fn element(self, attribute: &Attribute, json: &Json) -> Result<Option<Value>, ScimError> {
        if matches!(json, Json::Null) {
            return Ok(None);
        }
        self.one_of_several(attribute, json).map_err(|error| error.within(attribute.name()))
    }

    /// Reads the members of a complex value.
    pub(crate) fn object(self, attributes: &Attributes, json: &Json) -> Result<Object, ScimError> {
        let mut object = Object::begin(attributes);
        for (name, json) in json.as_object().map_err(|error| self.as_value(error))? {
            let Some((position, attribute)) = attributes.find(name) else {
                return Err(ScimError::at_attribute(Reason::AttributeUnknown, name));
            };
            if self.takes(attribute) {
                object.put(position, self.value(attribute, json)?);
            }
        }
        Ok(object)
    }

    pub(crate) fn takes(self, attribute: &Attribute) -> bool {
        attribute.mutability() != Mutability::ReadOnly || self.purpose == Purpose::Stored
    }

    /// That a value is no object is a matter of the value, and not of the message.
    #[expect(clippy::unused_self, reason = "reads as a step of the reader")]
    fn as_value(self, error: ScimError) -> ScimError {
        if error.reason() == Reason::NotAnObject { error.with_reason(Reason::ValueType) } else { error }
    }

    fn several(self, attribute: &Attribute, list: &[Json]) -> Result<Option<Value>, ScimError> {
        let mut values = Vec::with_capacity(list.len());
        for (number, json) in list.iter().enumerate() {
            let value = self.one_of_several(attribute, json);
            values.extend(value.map_err(|error| error.within(&format!("[{number}]")))?);
        }
        if self.purpose != Purpose::Stored {
            elements::drop_repeated(attribute, &mut values);
            elements::one_primary(attribute, &values)?;
        }
        Ok((!values.is_empty()).then_some(Value::Many(values)))
    }

    /// A reference to nobody that says something else is a mistake: overlooked, it would empty a group.
    fn one_of_several(self, attribute: &Attribute, json: &Json) -> Result<Option<Value>, ScimError> {
        let value = self.single(attribute, json)?;
        if value.is_none()
            && self.purpose != Purpose::Stored
            && says_something(json)
            && elements::is_reference(attribute)
        {
            return Err(ScimError::at_attribute(Reason::ValueRequired, "value"));
        }
        Ok(value)
    }

    fn single(self, attribute: &Attribute, json: &Json) -> Result<Option<Value>, ScimError> {
        let value = match (attribute.kind(), json) {
            (Kind::Complex, json) => return self.complex(attribute, json),
            (Kind::Boolean, Json::Boolean(value)) => Some(Value::Boolean(*value)),
            (Kind::Boolean, Json::Text(text)) if self.tolerance.booleans_as_text => {
                boolean(text).map(Value::Boolean)
            }
            (_, Json::Text(text)) => of_text(attribute, text),
            (_, Json::Integer(value)) => of_integer(attribute, *value),
            (_, Json::Decimal(value)) => of_decimal(attribute, *value),
            _ => None,
        };
        value.map(Some).ok_or_else(|| Reason::ValueType.into())
    }

    fn complex(self, attribute: &Attribute, json: &Json) -> Result<Option<Value>, ScimError> {
        if let (Json::Text(text), true, Some(position), false) =
            (json, self.tolerance.text_for_complex, attribute.value_position(), attribute.is_multi_valued())
        {
            if text.is_empty() {
                return Ok(None);
            }
            let mut object = Object::default();
            object.set(position, Value::text(text));
            return Ok(Some(Value::Complex(object)));
        }
        let object = self.object(attribute.sub_attributes(), json)?;
        Ok((!object.is_empty()).then_some(Value::Complex(object)))
    }
}

/// Tells whether there is anything but `null`, empty lists and empty objects.
fn says_something(json: &Json) -> bool {
    match json {
        Json::Null => false,
        Json::List(list) => list.iter().any(says_something),
        Json::Object(members) => members.iter().any(|(_, json)| says_something(json)),
        _ => true,
    }
}

/// Reads a text, where the attribute is one that texts say.
pub(super) fn of_text(attribute: &Attribute, text: &str) -> Option<Value> {
    match attribute.kind() {
        Kind::String | Kind::Reference => Some(Value::text(text)),
        Kind::Binary => is_base64(text).then(|| Value::text(text)),
        Kind::DateTime => Instant::parse(text).map(Value::DateTime),
        Kind::Boolean | Kind::Integer | Kind::Decimal | Kind::Complex => None,
    }
}

/// Reads a whole number.
pub(super) fn of_integer(attribute: &Attribute, value: i64) -> Option<Value> {
    match attribute.kind() {
        Kind::Integer => Some(Value::Integer(value)),
        #[expect(clippy::cast_precision_loss, reason = "a decimal is what a double can say")]
        Kind::Decimal => Some(Value::Decimal(value as f64)),
        _ => None,
    }
}

/// Reads any other number.
pub(super) fn of_decimal(attribute: &Attribute, value: f64) -> Option<Value> {
    (attribute.kind() == Kind::Decimal).then_some(Value::Decimal(value))
}

/// Checks that everything required is there. What is read-only is for us to give.
pub(crate) fn complete(attributes: &Attributes, object: &Object) -> Result<(), ScimError> {
    for (position, attribute) in attributes.positions() {
        let Some(value) = object.get(position) else {
            if attribute.is_required() && attribute.mutability() != Mutability::ReadOnly {
                return Err(ScimError::at_attribute(Reason::ValueRequired, attribute.name()));
            }
            continue;
        };
        let empty = value.as_text().is_some_and(str::is_empty);
        if attribute.is_required() && empty {
            return Err(ScimError::at_attribute(Reason::ValueRequired, attribute.name()));
        }
        for complex in value.each().iter().filter_map(Value::as_complex) {
            complete(attribute.sub_attributes(), complex).map_err(|error| error.within(attribute.name()))?;
        }
    }
    Ok(())
}

/// Reads a text that stands for a boolean.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    let named = [("true", true), ("false", false)];
    named.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, value)| value)
}

/// RFC 4648 §4 and §5; padding may be left out (RFC 7643 §2.3.6).
fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    let known =
        |alphabet: &[u8]| digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || alphabet.contains(&byte));
    (known(b"+/") || known(b"-_"))
        && digits.len() % 4 != 1
        && (padding == 0 || (padding < 3 && text.len().is_multiple_of(4)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_is_base64() {
        for good in ["", "QQ==", "QQ", "QUI=", "QUJD", "-_-_", "+/+/"] {
            assert!(is_base64(good), "{good}");
        }
        for bad in ["***", "A", "QQ=", "QQ===", "Q=Q=", "+_+_", "QUJDR", "=", "ä"] {
            assert!(!is_base64(bad), "{bad}");
        }
    }
}
