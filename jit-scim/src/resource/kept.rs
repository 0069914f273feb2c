//! Reads what a store kept, straight into values: it was checked when it came in, and no tree of JSON lies in between.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::error::ScimError;
use crate::reason::Reason;
use crate::resource::read::{of_decimal, of_integer, of_text};
use crate::resource::value::{Object, Value};
use crate::schema::{Attribute, Attributes, Kind};

/// Reads the attributes of a resource.
pub(super) fn read(attributes: &Attributes, text: &str) -> Result<Object, ScimError> {
    let fault = RefCell::new(None);
    let mut reader = serde_json::Deserializer::from_str(text);
    let object = Members { attributes, fault: &fault }.deserialize(&mut reader);
    let object = object.and_then(|object| reader.end().map(|()| object));
    object.map_err(|_| fault.take().unwrap_or_else(|| Reason::JsonMalformed.into()))
}

/// What is wrong beyond the form of JSON.
type Fault = RefCell<Option<ScimError>>;

fn refused<E: Error>(fault: &Fault, error: ScimError) -> E {
    let code = error.code();
    fault.replace(Some(error));
    E::custom(code)
}

/// Reads the members of an object.
#[derive(Clone, Copy)]
struct Members<'a> {
    attributes: &'a Attributes,
    fault: &'a Fault,
}

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = Object;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Object, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Object, A::Error> {
        let mut object = Object::begin(self.attributes);
        while let Some(Name(name)) = access.next_key()? {
            let Some((position, attribute)) = self.attributes.find(&name) else {
                return Err(refused(self.fault, ScimError::at_attribute(Reason::AttributeUnknown, &name)));
            };
            let is_one = !attribute.is_multi_valued();
            let value = access.next_value_seed(Said { attribute, is_one, fault: self.fault });
            let value = value.inspect_err(|_| {
                self.fault.replace_with(|fault| fault.take().map(|error| error.within(attribute.name())));
            })?;
            if object.get(position).is_some() {
                return Err(refused(self.fault, ScimError::at_attribute(Reason::AttributeTwice, &name)));
            }
            object.put(position, value);
        }
        Ok(object)
    }
}

/// The name of a member, copied only where it is written with escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] std::borrow::Cow<'a, str>);

/// Reads what is said of an attribute: one value, or all.
#[derive(Clone, Copy)]
struct Said<'a> {
    attribute: &'a Attribute,
    is_one: bool,
    fault: &'a Fault,
}

impl Said<'_> {
    fn fits<E: Error>(self, value: Option<Value>) -> Result<Option<Value>, E> {
        match value.filter(|_| self.is_one) {
            Some(value) => Ok(Some(value)),
            None => Err(refused(self.fault, Reason::ValueType.into())),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Said<'_> {
    type Value = Option<Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Value>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Said<'_> {
    type Value = Option<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Option<Value>, E> {
        Ok(None)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Option<Value>, E> {
        self.fits((self.attribute.kind() == Kind::Boolean).then_some(Value::Boolean(value)))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Option<Value>, E> {
        self.fits(of_integer(self.attribute, value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Option<Value>, E> {
        #[expect(clippy::cast_precision_loss, reason = "beyond 64 bits signed a number is a decimal")]
        self.fits(match i64::try_from(value) {
            Ok(value) => of_integer(self.attribute, value),
            Err(_) => of_decimal(self.attribute, value as f64),
        })
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Option<Value>, E> {
        self.fits(of_decimal(self.attribute, value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Option<Value>, E> {
        self.fits(of_text(self.attribute, value))
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<Option<Value>, A::Error> {
        if self.attribute.kind() != Kind::Complex || !self.is_one {
            return Err(refused(self.fault, Reason::ValueType.into()));
        }
        let members = Members { attributes: self.attribute.sub_attributes(), fault: self.fault };
        let object = members.visit_map(access)?;
        Ok((!object.is_empty()).then_some(Value::Complex(object)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Option<Value>, A::Error> {
        if self.is_one {
            return Err(refused(self.fault, Reason::ValueType.into()));
        }
        let mut values = Vec::new();
        while let Some(value) = access.next_element_seed(Self { is_one: true, ..self })? {
            values.extend(value);
        }
        Ok((!values.is_empty()).then_some(Value::Many(values)))
    }
}
