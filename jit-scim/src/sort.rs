//! The order of a list (RFC 7644 §3.4.2.3).

use std::cmp::Ordering;

use crate::error::ScimError;
use crate::filter::order;
use crate::json::Json;
use crate::reason::Reason;
use crate::resource::elements::{is_primary, primary_position};
use crate::resource::read::{Purpose, Reader};
use crate::resource::{Resource, Value};
use crate::schema::{AttributePath, Kind, ResourceType};
use crate::text::comparable;
use crate::tolerance::Tolerance;

/// How much of a text puts it in its place, in bytes: a cursor has to hold it.
const ORDERING_BYTES: usize = 256;

/// An order of resources by one attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sort {
    path: AttributePath,
    case_exact: bool,
    descending: bool,
}

impl Sort {
    /// Reads the parameters `sortBy` and `sortOrder`. A complex attribute stands for its `value`.
    ///
    /// # Errors
    /// `scim.sort_attribute`, `scim.sort_order`.
    pub fn parse(kind: &ResourceType, by: &str, order: Option<&str>) -> Result<Self, ScimError> {
        let refused = || ScimError::at_attribute(Reason::SortAttribute, by);
        let mut path = kind.resolve(by.trim()).ok_or_else(refused)?;
        let mut attribute = kind.attribute(&path).ok_or_else(refused)?;
        if attribute.kind() == Kind::Complex {
            let position = attribute.value_position().ok_or_else(refused)?;
            attribute = attribute.sub_attributes().at(position).ok_or_else(refused)?;
            path = path.join(attribute.name(), position);
        }
        if kind.hides(&path) {
            return Err(refused());
        }
        let descending = match order {
            None => false,
            Some(order) if order.eq_ignore_ascii_case("ascending") => false,
            Some(order) if order.eq_ignore_ascii_case("descending") => true,
            Some(_) => return Err(Reason::SortOrder.into()),
        };
        Ok(Self { path, case_exact: attribute.is_case_exact(), descending })
    }

    /// Returns the attribute.
    #[must_use]
    pub const fn attribute(&self) -> &AttributePath {
        &self.path
    }

    /// Tells whether the greatest comes first.
    #[must_use]
    pub const fn is_descending(&self) -> bool {
        self.descending
    }

    /// Orders two resources. What has no value comes last, or first where the order is descending.
    #[must_use]
    pub fn compare(&self, a: &Resource, b: &Resource) -> Ordering {
        self.order(self.key(a), self.key(b))
    }

    fn order(&self, a: Option<&Value>, b: Option<&Value>) -> Ordering {
        self.order_as((a, b), self.case_exact)
    }

    fn order_as(&self, values: (Option<&Value>, Option<&Value>), case_exact: bool) -> Ordering {
        let order = match values {
            (Some(a), Some(b)) => order(a, b, case_exact),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        if self.descending { order.reverse() } else { order }
    }

    /// Orders two values that [`Self::place`] returned.
    pub(crate) fn compare_places(&self, a: Option<&Value>, b: Option<&Value>) -> Ordering {
        self.order_as((a, b), true)
    }

    /// Returns what the resource is sorted by, in the form in which it is compared. Of long texts the beginning counts.
    pub(crate) fn place(&self, resource: &Resource) -> Option<Value> {
        Some(match self.key(resource)? {
            Value::Text(text) => {
                let long = text.char_indices().find(|(place, sign)| place + sign.len_utf8() > ORDERING_BYTES);
                let beginning = text.get(..long.map_or(text.len(), |(place, _)| place)).unwrap_or_default();
                Value::text(&comparable(beginning, self.case_exact))
            }
            value => value.clone(),
        })
    }

    /// Writes a value that resources are sorted by as JSON.
    pub(crate) fn written(key: Option<&Value>) -> Json {
        match key {
            Some(Value::Boolean(value)) => Json::Boolean(*value),
            Some(Value::Integer(value)) => Json::Integer(*value),
            Some(Value::Decimal(value)) => Json::Decimal(*value),
            Some(value) => value.as_text().map_or(Json::Null, Json::text),
            None => Json::Null,
        }
    }

    /// Reads a value that [`Self::written`] wrote.
    ///
    /// # Errors
    /// `scim.cursor_invalid` where it is none of this order.
    pub(crate) fn read(&self, kind: &ResourceType, key: &Json) -> Result<Option<Value>, ScimError> {
        if *key == Json::Null {
            return Ok(None);
        }
        let reader = Reader { purpose: Purpose::Stored, tolerance: Tolerance::strict() };
        let attribute = kind.attribute(&self.path).ok_or(Reason::CursorInvalid)?;
        reader.element(attribute, key).map_err(|_| Reason::CursorInvalid.into())
    }

    /// Returns the value that the resource is sorted by. Of several values the primary one counts, or else the first.
    fn key<'a>(&self, resource: &'a Resource) -> Option<&'a Value> {
        let mut object = resource.root();
        let mut attributes = resource.kind().attributes();
        let (last, outer) = self.path.steps().split_last()?;
        for step in outer {
            let attribute = attributes.at(*step)?;
            let values = object.get(*step)?.each();
            let primary = primary_position(attribute)
                .and_then(|position| values.iter().find(|value| is_primary(value, position)));
            object = primary.or_else(|| values.first())?.as_complex()?;
            attributes = attribute.sub_attributes();
        }
        object.get(*last)?.each().first()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, Schemas};

    fn users(bodies: &[&str]) -> Vec<Resource> {
        let schemas = Schemas::standard();
        let kind = schemas.endpoint("/Users").unwrap();
        let read = |body: &&str| {
            let text = format!(r#"{{"schemas":["{}"],{body}}}"#, kind.schema().id());
            let json = Json::parse(text.as_bytes(), &Limits::default()).unwrap();
            Resource::create(kind, &json, Tolerance::strict()).unwrap()
        };
        bodies.iter().map(read).collect()
    }

    fn sorted(by: &str, order: Option<&str>, bodies: &[&str]) -> String {
        let mut users = users(bodies);
        let sort = Sort::parse(users[0].kind(), by, order).unwrap();
        users.sort_by(|a, b| sort.compare(a, b));
        users.iter().map(|user| user.text("userName").unwrap()).collect()
    }

    #[test]
    fn case_does_not_count_and_what_is_missing_comes_last() {
        let people = [r#""userName":"c","title":"b""#, r#""userName":"a""#, r#""userName":"B","title":"A""#];
        assert_eq!(sorted("userName", None, &people), "aBc");
        assert_eq!(sorted("userName", Some("descending"), &people), "cBa");
        assert_eq!(sorted("title", Some("ascending"), &people), "Bca");
        assert_eq!(sorted("title", Some("DESCENDING"), &people), "acB");
    }

    #[test]
    fn the_primary_value_counts() {
        let people = [
            r#""userName":"1","emails":[{"value":"a@x"},{"value":"z@x","primary":true}]"#,
            r#""userName":"2","emails":[{"value":"m@x"},{"value":"a@x"}]"#,
        ];
        assert_eq!(sorted("emails", None, &people), "21");
        assert_eq!(sorted("emails.value", None, &people), "21");
    }

    #[test]
    fn nothing_secret_or_unknown_sorts() {
        let kind = Schemas::standard().endpoint("/Users").unwrap().clone();
        for by in ["password", "nothing", "name", ""] {
            assert_eq!(Sort::parse(&kind, by, None).unwrap_err().reason(), Reason::SortAttribute, "{by}");
        }
        assert_eq!(Sort::parse(&kind, "userName", Some("up")).unwrap_err().reason(), Reason::SortOrder);
    }
}
