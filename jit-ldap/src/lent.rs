//! What was made for a time in a directory is nobody who signs in there, or is read from there as a person.

use std::fmt;

use jit_core::Marker;
use serde::{Deserialize, Deserializer};

use crate::attribute::AttributeName;
use crate::entry::Entry;
use crate::error::LdapError;
use crate::filter::Filter;
use crate::identifier::IdAttribute;
use crate::sign_in::SettingsError;

/// How many attributes may be named: each is a term of a filter.
const NAMES: usize = 16;

/// The attributes that markers of temporary accounts stand in.
#[derive(Debug, Clone)]
pub(crate) struct Markers(Vec<AttributeName>);

impl Markers {
    /// Reads those that are set; where none is, the usual one of such a directory.
    pub(crate) fn check(set: &[String], id: IdAttribute) -> Result<Self, SettingsError> {
        if set.len() > NAMES {
            return Err(SettingsError::new("marker", "must name no more than 16 attributes"));
        }
        let mut names = Vec::new();
        for name in set {
            let name = AttributeName::new(name);
            let name = name.map_err(|_| SettingsError::new("marker", "must be the name of an attribute"))?;
            if !names.contains(&name) {
                names.push(name);
            }
        }
        if names.is_empty() {
            names.push(usual(id));
        }
        Ok(Self(names))
    }

    pub(crate) fn names(&self) -> &[AttributeName] {
        &self.0
    }

    /// Tells whether an entry bears, in any of them, what may be a marker of any deployment.
    pub(crate) fn are_on(&self, entry: &Entry) -> bool {
        let is_marker = |value: &Vec<u8>| value.starts_with(Marker::PREFIX.as_bytes());
        self.0.iter().any(|name| entry.values(name).unwrap_or_default().iter().any(is_marker))
    }

    /// Matches the entries that bear one.
    pub(crate) fn filter(&self) -> Result<Filter, LdapError> {
        Ok(Filter::any(self.0.iter().map(|name| Filter::begins_with(name, Marker::PREFIX)))?)
    }
}

/// The names, with a comma between them: one alone is written as itself.
impl fmt::Display for Markers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(place, name)| {
            let between = if place == 0 { "" } else { "," };
            write!(f, "{between}{name}")
        })
    }
}

fn usual(id: IdAttribute) -> AttributeName {
    if id == IdAttribute::ObjectGuid { AttributeName::ADMIN_DESCRIPTION } else { AttributeName::DESCRIPTION }
}

/// Adds the markers of targets to those that are set, or to the usual one.
pub(crate) fn add_markers<N: Into<String>>(
    set: &mut Vec<String>,
    id: IdAttribute,
    markers: impl IntoIterator<Item = N>,
) {
    if set.is_empty() {
        set.push(usual(id).to_string());
    }
    for marker in markers {
        let marker = marker.into();
        if !set.iter().any(|name| name.eq_ignore_ascii_case(&marker)) {
            set.push(marker);
        }
    }
}

/// Reads one name, or a list that is not empty: whoever writes an empty one means something else than the usual.
pub(crate) fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected the name of an attribute, or a list of names")]
    enum Written {
        One(String),
        Several(Vec<String>),
    }
    match Written::deserialize(deserializer)? {
        Written::One(name) => Ok(vec![name]),
        Written::Several(names) if names.is_empty() => {
            Err(serde::de::Error::custom("must name an attribute, or be left out"))
        }
        Written::Several(names) => Ok(names),
    }
}

#[cfg(test)]
mod tests {
    use crate::{IdAttribute, ImportSettings, SignInSettings};

    fn read(marker: &str) -> Result<Vec<String>, toml::de::Error> {
        let text = format!("base = \"dc=x\"\nfilter = \"(uid=*)\"\nid = \"entry_uuid\"\n{marker}");
        toml::from_str::<ImportSettings>(&text).map(|settings| settings.marker)
    }

    #[test]
    fn one_name_is_a_list_of_one_and_no_list_is_empty() {
        assert_eq!(read("").unwrap(), Vec::<String>::new());
        assert_eq!(read("marker = \"title\"").unwrap(), ["title"]);
        assert_eq!(read("marker = [\"title\", \"info\"]").unwrap(), ["title", "info"]);
        assert!(read("marker = []").is_err() && read("marker = 1").is_err());
        let mut many = ImportSettings::new("dc=x", "(uid=*)", IdAttribute::EntryUuid);
        many.marker = (0..17).map(|number| format!("a{number}")).collect();
        assert_eq!(many.check().unwrap_err().field, "marker");
    }

    #[test]
    fn the_markers_of_targets_come_beside_the_usual_one() {
        let settings = |id| SignInSettings::new("x", "dc=x", &["uid"], id);
        let windows = settings(IdAttribute::ObjectGuid).beside_targets(["info"]);
        assert_eq!(windows.marker, ["adminDescription", "info"]);
        let mut set = settings(IdAttribute::EntryUuid);
        set.marker = vec!["title".to_owned()];
        assert_eq!(set.beside_targets(["TITLE", "description"]).marker, ["title", "description"]);
    }
}
