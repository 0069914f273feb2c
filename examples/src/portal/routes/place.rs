//! Which accounts the administration shows: a page of all, or whoever was looked for. Its address says it.

use jit_core::{AccountId, StoreId};
use url::form_urlencoded::Serializer;

use crate::web::Parameters;

/// The longest text that is looked for: longer than any user name.
const TEXT_BYTES: usize = 512;

/// Says which accounts are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// Those of this store behind an account, and those of the stores that follow.
    Behind { store: Option<StoreId>, after: Option<AccountId> },
    /// Whoever has this user name or id.
    Named(String),
}

impl Place {
    /// Reads it from an address; `None` where it can be no place.
    pub(super) fn read(sent: &Parameters) -> Option<Self> {
        if let Some(name) = sent.value("name").map(str::trim).filter(|name| !name.is_empty()) {
            return (name.len() <= TEXT_BYTES).then(|| Self::Named(name.to_owned()));
        }
        let store = sent.value("store").map(StoreId::new).transpose().ok()?;
        let after = sent.value("after").map(str::parse).transpose().ok()?;
        Some(Self::Behind { store, after })
    }

    /// Tells whether it is where the administration begins.
    pub(super) fn is_first(&self) -> bool {
        matches!(self, Self::Behind { store: None, after: None })
    }

    /// What was looked for.
    pub(super) fn sought(&self) -> &str {
        match self {
            Self::Named(name) => name,
            Self::Behind { .. } => "",
        }
    }

    /// The part of an address that leads back here: with its question mark, or empty.
    pub(super) fn query(&self) -> String {
        let mut query = Serializer::new(String::new());
        match self {
            Self::Named(name) => drop(query.append_pair("name", name)),
            Self::Behind { store, after } => {
                if let Some(store) = store {
                    query.append_pair("store", store.as_str());
                }
                if let Some(after) = after {
                    query.append_pair("after", &after.to_string());
                }
            }
        }
        let query = query.finish();
        if query.is_empty() { query } else { format!("?{query}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Option<Place> {
        Place::read(&Parameters::parse(query).unwrap())
    }

    #[test]
    fn a_place_is_read_from_the_address_that_it_gives() {
        let after: AccountId = "01932c1e-0000-7000-8000-000000000001".parse().unwrap();
        for place in [
            Place::Behind { store: None, after: None },
            Place::Behind { store: None, after: Some(after) },
            Place::Behind { store: Some(StoreId::new("partners").unwrap()), after: Some(after) },
            Place::Behind { store: Some(StoreId::new("partners").unwrap()), after: None },
            Place::Named("zoë & <b>".into()),
        ] {
            assert_eq!(read(place.query().trim_start_matches('?')), Some(place.clone()), "{place:?}");
        }
        assert_eq!(read("").unwrap().query(), "");
        assert!(read("name=++").unwrap().is_first(), "nobody was looked for");
    }

    #[test]
    fn what_is_no_place_is_told() {
        let long = format!("name={}", "x".repeat(TEXT_BYTES + 1));
        for query in ["after=7", "store=%00", long.as_str()] {
            assert_eq!(read(query), None, "{query}");
        }
    }
}
