//! Writes resources as JSON, straight into bytes.

use crate::resource::projection::Projection;
use crate::resource::value::{Object, Value};
use crate::schema::{Attributes, META, Position};

/// Writes the attributes that are to be seen.
pub(super) struct Writer<'a> {
    pub(super) out: Vec<u8>,
    /// Without one everything is written, what nobody may read included.
    pub(super) projection: Option<&'a Projection>,
    /// The address of the resource, which becomes `meta.location`.
    pub(super) location: Option<(&'a str, Position)>,
    pub(super) steps: Vec<Position>,
    /// Whether nothing was left out so far.
    pub(super) is_all: bool,
}

impl Writer<'_> {
    /// Writes the object, or nothing where nothing of it is to be seen. Tells which.
    pub(super) fn object(&mut self, attributes: &Attributes, object: &Object) -> bool {
        let begin = self.out.len();
        self.out.push(b'{');
        let mut any = false;
        for (position, value) in object.iter() {
            let Some(attribute) = attributes.at(position) else { continue };
            self.steps.push(position);
            if self.projection.is_none_or(|projection| projection.shows(attribute, &self.steps)) {
                let before = self.out.len();
                if any {
                    self.out.push(b',');
                }
                text(&mut self.out, attribute.name());
                self.out.push(b':');
                if self.value(attribute.sub_attributes(), value) {
                    any = true;
                } else {
                    self.out.truncate(before);
                }
            } else {
                self.is_all = false;
            }
            self.steps.pop();
        }
        any |= self.place(attributes, any);
        if any {
            self.out.push(b'}');
        } else {
            self.out.truncate(begin);
        }
        any
    }

    /// Adds the address to `meta`, which no store keeps.
    fn place(&mut self, attributes: &Attributes, after_others: bool) -> bool {
        let Some((location, position)) = self.location.filter(|_| self.steps == [META]) else { return false };
        let Some(attribute) = attributes.at(position) else { return false };
        self.steps.push(position);
        let shown = self.projection.is_none_or(|projection| projection.shows(attribute, &self.steps));
        self.steps.pop();
        if shown {
            if after_others {
                self.out.push(b',');
            }
            text(&mut self.out, attribute.name());
            self.out.push(b':');
            text(&mut self.out, location);
        }
        shown
    }

    fn value(&mut self, attributes: &Attributes, value: &Value) -> bool {
        match value {
            Value::Text(value) => text(&mut self.out, value),
            Value::DateTime(instant) => text(&mut self.out, instant.as_str()),
            Value::Boolean(value) => self.plain(value.to_string()),
            Value::Integer(value) => self.plain(value.to_string()),
            Value::Decimal(value) => self.plain(format!("{value:?}")),
            Value::Complex(object) => return self.object(attributes, object),
            Value::Many(values) => return self.many(attributes, values),
        }
        true
    }

    fn many(&mut self, attributes: &Attributes, values: &[Value]) -> bool {
        let begin = self.out.len();
        self.out.push(b'[');
        let mut any = false;
        for value in values {
            let before = self.out.len();
            if any {
                self.out.push(b',');
            }
            if self.value(attributes, value) {
                any = true;
            } else {
                self.out.truncate(before);
            }
        }
        if any {
            self.out.push(b']');
        } else {
            self.out.truncate(begin);
        }
        any
    }

    #[expect(clippy::needless_pass_by_value, reason = "it was made for this")]
    fn plain(&mut self, number: String) {
        self.out.extend_from_slice(number.as_bytes());
    }
}

/// Writes what is seen of a complex value by default; nothing where that is nothing.
pub(super) fn seen(attributes: &Attributes, object: &Object) -> Vec<u8> {
    let projection = Projection::default();
    let mut writer = Writer {
        out: Vec::new(),
        projection: Some(&projection),
        location: None,
        steps: Vec::new(),
        is_all: true,
    };
    writer.object(attributes, object);
    writer.out
}

/// Writes a JSON string.
pub(crate) fn text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    if is_plain(text) {
        out.extend_from_slice(text.as_bytes());
    } else {
        escaped(out, text.as_bytes());
    }
    out.push(b'"');
}

/// Tells whether a text stands in a JSON string as it is. Most do: to look at every byte of them is quicker than to stop at
/// the first that does not.
fn is_plain(text: &str) -> bool {
    text.bytes().fold(true, |plain, byte| plain & !is_special(byte))
}

/// Writes a number.
pub(crate) fn number(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [b'0'; 20];
    let mut count = 0;
    for digit in digits.iter_mut().rev() {
        *digit += u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
        count += 1;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(digits.len() - count..).unwrap_or_default());
}

/// Tells whether JSON writes a byte of a text as an escape.
pub(crate) const fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

fn escaped(out: &mut Vec<u8>, mut rest: &[u8]) {
    while let Some(place) = rest.iter().position(|byte| is_special(*byte)) {
        let (plain, special) = rest.split_at(place);
        out.extend_from_slice(plain);
        let Some((byte, after)) = special.split_first() else { break };
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            _ => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
        }
        rest = after;
    }
    out.extend_from_slice(rest);
}
