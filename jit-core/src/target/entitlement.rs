//! What can be given in a target, by what it is there and not by its name alone.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Names one entitlement of a target: by the word for it in its settings, and by what it is there.
///
/// The settings may point the word at something else one day. What was given is found again by its id, wherever the word
/// points by then, and also when nothing is called so any longer.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
#[expect(clippy::exhaustive_structs, reason = "an implementation reads each")]
pub struct RemoteEntitlement {
    /// The target's own name for it, which is what roles call it.
    pub name: String,
    /// The id that the system gave it and never changes; `None` where that may not be read, before the target was asked, and in
    /// records that were written before ids were kept.
    pub native: Option<String>,
    /// Where it was when the target was asked, for whoever has to find it: one place is one text, however settings write it.
    /// It may be elsewhere by now. Without an id it is what is there, and without either whatever the name stands for.
    pub at: Option<String>,
}

impl RemoteEntitlement {
    /// Names what a target has not been asked about: whatever the name stands for.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), native: None, at: None }
    }

    /// The same of several.
    pub(crate) fn all_named<'a>(names: impl IntoIterator<Item = &'a String>) -> BTreeSet<Self> {
        names.into_iter().map(Self::named).collect()
    }

    /// Tells whether both are the same thing in the target, by whatever name. Where the id of one is not known, the places
    /// decide; and the names, where one of those is not known either.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        match (&self.native, &other.native, &self.at, &other.at) {
            (Some(one), Some(two), ..) => one == two,
            // Earlier builds kept the place for the id as well, where that could not be read.
            (_, _, Some(one), Some(two)) => {
                one == two || self.native.as_ref() == Some(two) || other.native.as_ref() == Some(one)
            }
            _ => self.name == other.name,
        }
    }

    /// Tells whether it is among others.
    #[must_use]
    pub fn is_among<'a>(&self, others: impl IntoIterator<Item = &'a Self>) -> bool {
        others.into_iter().any(|other| self.is(other))
    }
}

/// How one is written down; earlier builds kept the name alone.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Name(String),
    Known {
        name: String,
        native: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<String>,
    },
    Placed {
        name: String,
        at: String,
    },
}

impl From<Written> for RemoteEntitlement {
    fn from(written: Written) -> Self {
        match written {
            Written::Name(name) => Self::named(name),
            // Earlier builds kept the place for the id, where that could not be read.
            Written::Known { name, native, at: Some(at) } if at.to_lowercase() == native => {
                Self { name, native: None, at: Some(native) }
            }
            Written::Known { name, native, at } => Self { name, native: Some(native), at },
            Written::Placed { name, at } => Self { name, native: None, at: Some(at) },
        }
    }
}

impl From<RemoteEntitlement> for Written {
    fn from(RemoteEntitlement { name, native, at }: RemoteEntitlement) -> Self {
        match (native, at) {
            (None, None) => Self::Name(name),
            (None, Some(at)) => Self::Placed { name, at },
            (Some(native), at) => Self::Known { name, native, at },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(name: &str, native: &str) -> RemoteEntitlement {
        RemoteEntitlement { native: Some(native.to_owned()), ..RemoteEntitlement::named(name) }
    }

    #[test]
    fn what_it_is_decides_and_the_name_only_where_that_is_not_known() {
        assert!(known("ops", "1").is(&known("operators", "1")));
        assert!(!known("ops", "1").is(&known("ops", "2")));
        assert!(known("ops", "1").is(&RemoteEntitlement::named("ops")));
        assert!(!known("ops", "1").is(&RemoteEntitlement::named("staff")));
        let at = |place: &str, entitlement| RemoteEntitlement { at: Some(place.to_owned()), ..entitlement };
        let hidden = at("cn=ops", RemoteEntitlement::named("ops"));
        assert!(hidden.is(&at("cn=ops", known("operators", "1"))), "it is what is there");
        assert!(!hidden.is(&at("cn=staff", RemoteEntitlement::named("ops"))));
        let of_before = at("commonName = Ops", known("ops", "cn=ops"));
        assert!(of_before.is(&hidden) && hidden.is(&of_before), "an earlier build kept its place for an id");
        assert!(!at("cn=ops", known("ops", "1")).is(&at("cn=ops", known("ops", "2"))), "made anew there");
    }

    #[test]
    fn a_place_that_an_earlier_build_kept_for_an_id_is_a_place() {
        let read = |text: &str| serde_json::from_str::<RemoteEntitlement>(text).unwrap();
        let before = r#"{"name":"ops","native":"cn=ops,dc=x","at":"CN=Ops,dc=x"}"#;
        let now = r#"{"name":"ops","at":"cn=ops,dc=x"}"#;
        assert_eq!(read(before), read(now));
        assert_eq!(serde_json::to_string(&read(before)).unwrap(), now);
    }

    #[test]
    fn a_name_alone_is_written_as_it_always_was() {
        let name = RemoteEntitlement::named("ops");
        let text = serde_json::to_string(&name).unwrap();
        assert_eq!((text.as_str(), serde_json::from_str(&text).unwrap()), ("\"ops\"", name));
        for at in [None, Some("cn=ops".to_owned())] {
            let known = RemoteEntitlement { at, ..known("ops", "1") };
            let text = serde_json::to_string(&known).unwrap();
            assert_eq!(serde_json::from_str::<RemoteEntitlement>(&text).unwrap(), known, "{text}");
        }
    }
}
