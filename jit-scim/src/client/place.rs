//! Where in a user a value stands: `title`, `name.givenName`, `phoneNumbers[type eq "work"].value`,
//! `urn:…:User:department`.

use crate::json::Json;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// Attributes of RFC 7643 §4.1.2 that have several values.
const SEVERAL: [&str; 9] = [
    "emails",
    "phoneNumbers",
    "ims",
    "photos",
    "addresses",
    "groups",
    "entitlements",
    "roles",
    "x509Certificates",
];

/// A place in a user.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    schema: Option<String>,
    name: String,
    kind: Option<String>,
    part: Option<String>,
}

impl Place {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (schema, rest) = match text.get(..4) {
            Some(head) if head.eq_ignore_ascii_case("urn:") => {
                let end = text.find('[').unwrap_or(text.len());
                let colon = text.get(..end)?.rfind(':').filter(|colon| *colon > 3)?;
                (Some(text.get(..colon)?), text.get(colon + 1..)?)
            }
            _ => (None, text),
        };
        let (name, kind, part) = match rest.split_once('[') {
            Some((name, rest)) => {
                let (condition, rest) = rest.split_once(']')?;
                let kind = condition.strip_prefix("type eq \"")?.strip_suffix('"')?;
                (name, Some(kind), if rest.is_empty() { None } else { Some(rest.strip_prefix('.')?) })
            }
            None => rest.split_once('.').map_or((rest, None, None), |(name, part)| (name, None, Some(part))),
        };
        let is_name = |text: &str| {
            text.bytes().all(|b| b.is_ascii_alphanumeric() || b"$-_".contains(&b))
                && text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'$')
        };
        let is_sound = [Some(name), kind, part].into_iter().flatten().all(is_name);
        let schema = schema.filter(|schema| !schema.eq_ignore_ascii_case(USER)).map(str::to_owned);
        let [kind, part] = [kind, part].map(|text| text.map(str::to_owned));
        is_sound.then(|| Self { schema, name: name.to_owned(), kind, part })
    }

    /// An attribute of RFC 7643 by its name alone.
    pub(super) fn of(name: &str) -> Self {
        Self { schema: None, name: name.to_owned(), kind: None, part: None }
    }

    /// The value of the element of one kind.
    pub(super) fn typed(name: &str, kind: &str) -> Self {
        Self { kind: Some(kind.to_owned()), part: Some("value".to_owned()), ..Self::of(name) }
    }

    /// Whether it is one text, and no element among several.
    pub(super) fn is_plain(&self) -> bool {
        self.kind.is_none() && !self.has_several()
    }

    pub(super) fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    fn has_several(&self) -> bool {
        self.kind.is_some() || SEVERAL.iter().any(|name| name.eq_ignore_ascii_case(&self.name))
    }

    /// The path of what is sent when it changes: the attribute whole where it has several values.
    pub(super) fn path(&self) -> String {
        let part = self.part.as_ref().filter(|_| !self.has_several());
        let schema = self.schema.as_ref().map(|schema| format!("{schema}:")).unwrap_or_default();
        let part = part.map(|part| format!(".{part}")).unwrap_or_default();
        format!("{schema}{}{part}", self.name)
    }

    /// Whether it is this place, or one within it.
    pub(super) fn lies_in(&self, other: &Self) -> bool {
        let same = |a: Option<&str>, b: Option<&str>| match (a, b) {
            (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
            (a, b) => a == b,
        };
        let is_within = |own: &Option<String>, other: &Option<String>| {
            other.is_none() || same(own.as_deref(), other.as_deref())
        };
        same(self.schema.as_deref(), other.schema.as_deref())
            && self.name.eq_ignore_ascii_case(&other.name)
            && is_within(&self.kind, &other.kind)
            && is_within(&self.part, &other.part)
    }

    /// What stands at [`Place::path`].
    pub(super) fn whole<'a>(&self, user: &'a Json) -> Option<&'a Json> {
        let attribute = self.attribute(user)?;
        match &self.part {
            Some(part) if !self.has_several() => attribute.member(part),
            _ => Some(attribute),
        }
    }

    /// The texts that stand there.
    pub(super) fn texts<'a>(&self, user: &'a Json) -> Vec<&'a str> {
        let Some(attribute) = self.attribute(user) else { return Vec::new() };
        let part = self.part.as_deref();
        match attribute {
            Json::List(elements) => elements
                .iter()
                .filter(|element| self.is_of_kind(element))
                .filter_map(|element| {
                    element.as_text().or_else(|| element.member(part.unwrap_or("value"))?.as_text())
                })
                .collect(),
            Json::Object(_) => part.and_then(|part| attribute.member(part)?.as_text()).into_iter().collect(),
            other => other.as_text().into_iter().collect(),
        }
    }

    /// Puts texts there; none takes away what is there.
    pub(super) fn set(&self, user: &mut Json, texts: &[String], single: bool) {
        let Some(schema) = &self.schema else { return self.set_within(user, texts, single) };
        change(user, schema, |old| {
            let mut holder = object(old);
            self.set_within(&mut holder, texts, single);
            filled(holder)
        });
    }

    fn set_within(&self, holder: &mut Json, texts: &[String], single: bool) {
        change(holder, &self.name, |old| match &self.part {
            _ if self.has_several() => {
                let mut elements = if let Some(Json::List(elements)) = old { elements } else { Vec::new() };
                self.set_elements(&mut elements, texts, single);
                filled(Json::List(elements))
            }
            Some(part) => {
                let mut complex = object(old);
                change(&mut complex, part, |_| text_of(texts));
                filled(complex)
            }
            None => text_of(texts),
        });
    }

    fn set_elements(&self, elements: &mut Vec<Json>, texts: &[String], single: bool) {
        let part = self.part.as_deref().unwrap_or("value");
        if part != "value" && self.kind.is_some() {
            // one part of an element, whose other parts stay
            if !elements.iter().any(|element| self.is_of_kind(element)) {
                elements.extend(self.kind.as_ref().map(|kind| Json::object([("type", Json::text(kind))])));
            }
            for element in elements.iter_mut().filter(|element| self.is_of_kind(element)) {
                change(element, part, |_| text_of(texts));
            }
            return;
        }
        let is_primary = |json: &Json| json.member("primary") == Some(&Json::Boolean(true));
        let was_primary = elements.iter().filter(|element| self.is_of_kind(element)).any(is_primary);
        elements.retain(|element| !(single || self.is_of_kind(element)));
        let is_free = !elements.iter().any(is_primary);
        let most = if single { 1 } else { texts.len() };
        for (index, text) in texts.iter().take(most).enumerate() {
            let mut element = vec![("value", Json::text(text))];
            element.extend(self.kind.as_ref().map(|kind| ("type", Json::text(kind))));
            let is_first = index == 0 && self.kind.is_some();
            element
                .extend((is_first && (was_primary || is_free)).then_some(("primary", Json::Boolean(true))));
            elements.push(Json::object(element));
        }
    }

    fn attribute<'a>(&self, user: &'a Json) -> Option<&'a Json> {
        let holder = match &self.schema {
            Some(schema) => user.member(schema)?,
            None => user,
        };
        holder.member(&self.name)
    }

    fn is_of_kind(&self, element: &Json) -> bool {
        self.kind.as_ref().is_none_or(|kind| {
            let own = element.member("type").and_then(Json::as_text);
            own.is_some_and(|own| own.eq_ignore_ascii_case(kind))
        })
    }
}

/// Changes the member of this name where it stands; `None` is no member.
pub(super) fn change(holder: &mut Json, name: &str, with: impl FnOnce(Option<Json>) -> Option<Json>) {
    let Json::Object(members) = holder else { return };
    let position = members.iter().position(|(own, _)| own.eq_ignore_ascii_case(name));
    let old = position.map(|position| members.remove(position).1);
    if let Some(new) = with(old) {
        let position = position.unwrap_or(members.len());
        members.insert(position, (name.to_owned(), new));
    }
}

fn object(old: Option<Json>) -> Json {
    old.filter(|old| matches!(old, Json::Object(_))).unwrap_or_else(|| Json::Object(Vec::new()))
}

fn filled(json: Json) -> Option<Json> {
    let is_empty = match &json {
        Json::Object(members) => members.is_empty(),
        Json::List(elements) => elements.is_empty(),
        _ => false,
    };
    (!is_empty).then_some(json)
}

fn text_of(texts: &[String]) -> Option<Json> {
    match texts {
        [] => None,
        [text] => Some(Json::text(text)),
        several => Some(Json::List(several.iter().map(Json::text).collect())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    fn json(text: &str) -> Json {
        Json::parse(text.as_bytes(), &Limits::default()).unwrap()
    }

    fn set(path: &str, user: &str, texts: &[&str]) -> Json {
        let (place, mut user) = (Place::parse(path).unwrap(), json(user));
        let texts: Vec<_> = texts.iter().map(|text| (*text).to_owned()).collect();
        place.set(&mut user, &texts, false);
        if texts.len() == 1 {
            assert_eq!(place.texts(&user), texts, "{path}");
        }
        user
    }

    #[test]
    fn each_form_of_a_place_is_written_and_read() {
        for (path, sent, whole) in [
            ("title", "title", r#"{"title":"x"}"#),
            ("name.givenName", "name.givenName", r#"{"name":{"givenName":"x"}}"#),
            (
                "urn:a:2.0:User:department",
                "urn:a:2.0:User:department",
                r#"{"urn:a:2.0:User":{"department":"x"}}"#,
            ),
            (
                "urn:a:2.0:User:manager.value",
                "urn:a:2.0:User:manager.value",
                r#"{"urn:a:2.0:User":{"manager":{"value":"x"}}}"#,
            ),
            ("urn:ietf:params:scim:schemas:core:2.0:User:title", "title", r#"{"title":"x"}"#),
            ("roles", "roles", r#"{"roles":[{"value":"x"}]}"#),
            (
                r#"emails[type eq "work"].value"#,
                "emails",
                r#"{"emails":[{"value":"x","type":"work","primary":true}]}"#,
            ),
            (
                r#"addresses[type eq "home"].country"#,
                "addresses",
                r#"{"addresses":[{"type":"home","country":"x"}]}"#,
            ),
        ] {
            assert_eq!(set(path, "{}", &["x"]), json(whole), "{path}");
            assert_eq!(Place::parse(path).unwrap().path(), sent);
            assert_eq!(set(path, whole, &[]).member("roles"), None);
        }
    }

    #[test]
    fn what_others_wrote_stays() {
        let user = r#"{"name":{"familyName":"y"},"emails":[{"value":"h","type":"home","primary":true},{"value":"w","type":"work"}]}"#;
        let named = set("name.givenName", user, &["x"]);
        assert_eq!(named.member("name"), Some(&json(r#"{"familyName":"y","givenName":"x"}"#)));
        let mailed = set(r#"emails[type eq "work"].value"#, user, &["n"]);
        let emails = r#"[{"value":"h","type":"home","primary":true},{"value":"n","type":"work"}]"#;
        assert_eq!(mailed.member("emails"), Some(&json(emails)));
        let none = set(r#"emails[type eq "work"].value"#, user, &[]);
        assert_eq!(none.member("emails"), Some(&json(r#"[{"value":"h","type":"home","primary":true}]"#)));
    }

    #[test]
    fn what_is_taken_away_leaves_nothing_empty() {
        assert_eq!(set("urn:a:User:department", r#"{"urn:a:User":{"department":"x"}}"#, &[]), json("{}"));
        assert_eq!(set("name.givenName", r#"{"name":{"givenName":"x"}}"#, &[]), json("{}"));
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for text in [
            "",
            "a b",
            "name.",
            ".x",
            "emails[type eq work].value",
            "emails[value eq \"x\"]",
            "a.b.c",
            "urn:x",
            "a/b",
        ] {
            assert_eq!(Place::parse(text), None, "{text}");
        }
    }
}
