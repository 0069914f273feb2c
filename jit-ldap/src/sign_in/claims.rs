//! What of an entry becomes claims.

use jit_core::Claims;
use serde_json::{Map, Value};

use super::groups::Groups;
use super::settings::SignInConfig;
use crate::attribute::AttributeName;
use crate::entry::Entry;
use crate::identifier::{EntryId, Sid};

/// Makes a claim of each configured attribute, under the name of the settings, and one of the groups.
pub(super) fn of(entry: &Entry, groups: Option<Groups>, config: &SignInConfig) -> Claims {
    let mut members = Map::new();
    let mut cut = Vec::new();
    for name in config.claims() {
        let is_held_back =
            entry.attributes().iter().any(|part| part.name() != name && is_range_of(part.name(), name));
        let values = entry.values(name).unwrap_or_default();
        let texts: Vec<_> = values.iter().filter_map(|value| text(name, value)).map(Value::String).collect();
        if is_held_back || texts.len() < values.len() {
            // a value that cannot be read is one that is missing
            cut.push(name.as_str());
        }
        let value = match <[Value; 1]>::try_from(texts) {
            Ok([text]) => text,
            Err(texts) if !texts.is_empty() || config.is_readable(name) => Value::Array(texts),
            Err(_) => continue,
        };
        members.insert(name.as_str().to_owned(), value);
    }
    if let (Some(groups), Some(settings)) = (groups, config.groups()) {
        if !groups.are_all {
            cut.push(&settings.claim);
        }
        let names = groups.names.into_iter().map(Value::String).collect();
        members.insert(settings.claim.clone(), Value::Array(names));
    }
    cut.into_iter().fold(Claims::new(members), Claims::truncated)
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
    use super::super::SignInSettings;
    use super::*;
    use crate::identifier::IdAttribute;

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
        let mut settings = SignInSettings::new("x", "dc=x", &["uid"], IdAttribute::EntryUuid);
        settings.claims = ["mail", "memberOf", "title", "photo", "member"].map(str::to_owned).to_vec();
        settings.readable = vec!["memberOf".to_owned()];
        settings.groups = Some(super::super::GroupSettings::below("ou=groups,dc=x"));
        let config = settings.check().unwrap();
        let entry = entry(&[("MAIL", b"a@example.com"), ("photo", &[0xff]), ("member;range=0-0", b"cn=a")]);
        let groups = Groups { names: vec!["cn=a".to_owned()], are_all: false };
        let claims = of(&entry, Some(groups), &config);
        let state = |name: &str| claims.get(name).state();
        assert_eq!(claims.get("mail").values().unwrap().text().unwrap(), "a@example.com");
        assert_eq!(
            ["memberOf", "title", "photo", "member", "groups"].map(state),
            ["empty", "absent", "truncated", "truncated", "truncated"]
        );
    }
}
