//! User names to try. What is tried last is made only when somebody gets that far: most accounts have a name already.

use std::{fmt, fmt::Write as _};

use sha2::{Digest, Sha256};

use crate::{ExternalKey, UserName};

/// Yields the user names to try, best first. `Debug` prints none of them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Candidates {
    first: Option<UserName>,
    others: Vec<UserName>,
    variants: Variants,
}

/// Says what is tried when all names are taken; it is built on the first of them that is no address.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) enum Variants {
    #[default]
    Nothing,
    /// The digits from 2 up to this number.
    Numbers(u8),
    /// Digits that stand for who it is.
    SubjectOf(ExternalKey),
}

impl Candidates {
    /// Tells whether there is nothing to try.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// The names in the order in which they are tried.
    pub fn iter(&self) -> impl Iterator<Item = UserName> {
        // Variants differ from each other by their digits, but one may be a name that was tried before.
        let is_new = |name: &UserName| !self.named().any(|other| other.key() == name.key());
        self.named().cloned().chain(self.variants().filter(is_new))
    }

    /// Adds a name, unless it is there already.
    pub(super) fn add(&mut self, name: UserName) {
        if self.named().any(|other| other.key() == name.key()) {
            return;
        }
        match self.first {
            None => self.first = Some(name),
            Some(_) => self.others.push(name),
        }
    }

    pub(super) fn or_else(self, variants: Variants) -> Self {
        Self { variants, ..self }
    }

    fn named(&self) -> impl Iterator<Item = &UserName> {
        self.first.iter().chain(&self.others)
    }

    fn variants(&self) -> impl Iterator<Item = UserName> {
        let base = self.named().find(|name| !name.looks_like_address()).or(self.first.as_ref());
        // Nothing of this is made before it is asked for, the hash neither.
        base.into_iter()
            .flat_map(|base| self.variants.suffixes().map(|suffix| suffixed(base.as_str(), &suffix)))
            .filter_map(|text| UserName::new(&text).ok())
    }
}

impl Variants {
    fn suffixes(&self) -> impl Iterator<Item = String> {
        let (highest, key) = match self {
            Self::Nothing => (0, None),
            Self::Numbers(highest) => (*highest, None),
            Self::SubjectOf(key) => (0, Some(key)),
        };
        let numbers = (2..=highest).map(|number| number.to_string());
        let digits = key.into_iter().flat_map(|key| {
            let digits = subject_digits(key);
            [4, 12].map(|length| format!("-{}", digits.chars().take(length).collect::<String>()))
        });
        numbers.chain(digits)
    }
}

impl FromIterator<UserName> for Candidates {
    fn from_iter<I: IntoIterator<Item = UserName>>(names: I) -> Self {
        let mut candidates = Self::default();
        names.into_iter().for_each(|name| candidates.add(name));
        candidates
    }
}

impl fmt::Debug for Candidates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Candidates(…)")
    }
}

/// Puts a suffix behind a name, for an address behind the part before the `@`.
fn suffixed(base: &str, suffix: &str) -> String {
    match base.split_once('@') {
        Some((local, domain)) => format!("{local}{suffix}@{domain}"),
        None => format!("{base}{suffix}"),
    }
}

/// Digits that are the same whenever the same issuer names the same subject.
fn subject_digits(key: &ExternalKey) -> String {
    let mut hash = Sha256::new();
    for part in ["user name", key.issuer.as_str(), key.subject.as_str()] {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut digits = String::with_capacity(12);
    for byte in hash.finalize().iter().take(6) {
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(names: &[&str], variants: Variants) -> Vec<String> {
        let first: Candidates = names.iter().map(|name| UserName::new(name).unwrap()).collect();
        first.or_else(variants).iter().map(|name| name.as_str().to_owned()).collect()
    }

    #[test]
    fn numbers_stand_behind_the_first_name_that_is_no_address_and_no_name_is_tried_twice() {
        assert_eq!(
            tried(&["a@b.example", "Ada", "ada3", "ADA"], Variants::Numbers(4)),
            ["a@b.example", "Ada", "ada3", "Ada2", "Ada4"]
        );
        assert_eq!(tried(&["a@b.example"], Variants::Numbers(2)), ["a@b.example", "a2@b.example"]);
        assert!(tried(&[], Variants::Numbers(4)).is_empty());
    }
}
