//! Entries as claims: what is missing, empty and cut are told apart.

use jit_core::Claims;
use serde_json::{Map, Value};

use crate::attribute::AttributeName;
use crate::entry::Entry;
use crate::identifier::{EntryId, Sid};
use crate::sign_in::SettingsError;

/// The attributes that become claims.
#[derive(Debug, Clone)]
pub(crate) struct ClaimNames {
    names: Vec<AttributeName>,
    /// Those of them that our account can read on every entry.
    readable: Vec<AttributeName>,
}

impl ClaimNames {
    /// Reads what the settings name, in fields of these names.
    pub(crate) fn check(
        names: &[String],
        readable: &[String],
        field: &'static str,
    ) -> Result<Self, SettingsError> {
        let (names, readable) = (attributes(names, field)?, attributes(readable, "readable")?);
        if !readable.iter().all(|name| names.contains(name)) {
            return Err(SettingsError::new("readable", "must name claims"));
        }
        if names.iter().any(AttributeName::is_of_passwords) {
            return Err(SettingsError::new(field, "must not name a password"));
        }
        Ok(Self { names, readable })
    }

    pub(crate) fn names(&self) -> &[AttributeName] {
        &self.names
    }
}

/// Reads names of attributes.
pub(crate) fn attributes(names: &[String], field: &'static str) -> Result<Vec<AttributeName>, SettingsError> {
    let names: Result<Vec<_>, _> = names.iter().map(|name| AttributeName::new(name)).collect();
    names.map_err(|_| SettingsError::new(field, "must hold names of attributes"))
}

/// Claims that are being put together.
#[derive(Default)]
pub(crate) struct ClaimsOf {
    members: Map<String, Value>,
    cut: Vec<String>,
}

impl ClaimsOf {
    /// Takes these attributes of an entry, under the names given here. A missing one that is `readable` is empty; of all
    /// others nothing is said.
    pub(crate) fn entry(entry: &Entry, wanted: &ClaimNames) -> Self {
        let mut claims = Self::default();
        for name in &wanted.names {
            claims.take(entry, name, wanted.readable.contains(name));
        }
        claims
    }

    fn take(&mut self, entry: &Entry, name: &AttributeName, is_readable: bool) {
        let is_held_back =
            entry.attributes().iter().any(|part| part.name() != name && is_range_of(part.name(), name));
        let values = entry.values(name).unwrap_or_default();
        let texts: Vec<_> = values.iter().filter_map(|value| text(name, value)).map(Value::String).collect();
        // a value that cannot be read is one that is missing
        let is_cut = is_held_back || texts.len() < values.len();
        let value = match <[Value; 1]>::try_from(texts) {
            Ok([text]) => Some(text),
            Err(texts) if !texts.is_empty() || is_readable => Some(Value::Array(texts)),
            Err(_) => None,
        };
        if is_cut {
            self.cut.push(name.as_str().to_owned());
        }
        self.members.extend(value.map(|value| (name.as_str().to_owned(), value)));
    }

    /// Adds a claim that comes from elsewhere.
    pub(crate) fn list(&mut self, name: &str, values: Vec<String>, is_whole: bool) {
        if !is_whole {
            self.cut.push(name.to_owned());
        }
        self.members.insert(name.to_owned(), Value::Array(values.into_iter().map(Value::String).collect()));
    }

    pub(crate) fn into_claims(self) -> Claims {
        self.cut.into_iter().fold(Claims::new(self.members), Claims::truncated)
    }
}

fn is_range_of(part: &AttributeName, name: &AttributeName) -> bool {
    part.kind().eq_ignore_ascii_case(name.kind()) && part.options().any(|option| option.starts_with("range="))
}

fn text(name: &AttributeName, value: &[u8]) -> Option<String> {
    if *name == AttributeName::OBJECT_GUID {
        return EntryId::from_object_guid(value).ok().map(|id| id.to_string());
    }
    if *name == AttributeName::OBJECT_SID {
        return Sid::from_object_sid(value).ok().map(|sid| sid.to_string());
    }
    String::from_utf8(value.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An entry whose attributes have one value each.
    fn entry(attributes: &[(&str, &[u8])]) -> Entry {
        let mut writer = crate::ber::Writer::default();
        writer.octets(b"uid=alice");
        let list = writer.begin(0x30);
        for (name, value) in attributes {
            let attribute = writer.begin(0x30);
            writer.octets(name.as_bytes());
            let set = writer.begin(0x31);
            writer.octets(value);
            writer.end(set);
            writer.end(attribute);
        }
        writer.end(list);
        Entry::read(&writer.into_bytes()).unwrap()
    }

    #[test]
    fn missing_empty_and_cut_are_told_apart() {
        let names = ["mail", "memberOf", "title", "photo", "member"].map(str::to_owned);
        let wanted = ClaimNames::check(&names, &["memberOf".to_owned()], "claims").unwrap();
        let entry = entry(&[("MAIL", b"a@example.com"), ("photo", &[0xff]), ("member;range=0-0", b"cn=a")]);
        let mut claims = ClaimsOf::entry(&entry, &wanted);
        claims.list("groups", vec!["cn=a".to_owned()], false);
        let claims = claims.into_claims();
        let state = |name: &str| claims.get(name).state();
        assert_eq!(claims.get("mail").values().unwrap().text().unwrap(), "a@example.com");
        assert_eq!(
            ["memberOf", "title", "photo", "member", "groups"].map(state),
            ["empty", "absent", "truncated", "truncated", "truncated"]
        );
    }
}
