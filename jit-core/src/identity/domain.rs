//! Mail domains, compared label by label after IDNA.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::text::has_upper;

/// Holds a domain name as lower-case A-labels.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Domain(SmolStr);

/// Says why a text cannot be a domain or a domain pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DomainError {
    /// Not a registrable host name of at least two labels.
    #[error("not a domain name with at least two labels")]
    Malformed,
    /// A label with characters that only look like ASCII, such as full-width letters.
    #[error("holds characters that stand for plain letters")]
    Disguised,
    /// A pattern that does not end at a label boundary, such as `.example.com` or `*example.com`.
    #[error("a pattern is a whole domain (`example.com`) or its subdomains (`*.example.com`)")]
    NoBoundary,
}

impl Domain {
    /// Reads a domain name; labels beyond ASCII become A-labels (RFC 5891).
    ///
    /// # Errors
    /// [`DomainError::Malformed`] for anything but a host name of two labels or more;
    /// [`DomainError::Disguised`] when a label beyond ASCII would turn into plain ASCII, as full-width letters do.
    pub fn new(text: &str) -> Result<Self, DomainError> {
        if text.is_empty() || text.len() > 253 {
            return Err(DomainError::Malformed);
        }
        let name = if !text.is_ascii() {
            from_unicode(text)?.into()
        } else if has_upper(text) {
            text.to_ascii_lowercase().into()
        } else {
            SmolStr::new(text)
        };
        if is_host_name(&name) { Ok(Self(name)) } else { Err(DomainError::Malformed) }
    }

    /// The name in lower-case A-labels.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Lets a label beyond ASCII pass only when it stays recognisable as one (`xn--`).
fn from_unicode(text: &str) -> Result<String, DomainError> {
    let labels: Result<Vec<String>, DomainError> = text
        .split('.')
        .map(|label| {
            if label.is_ascii() {
                return Ok(label.to_ascii_lowercase());
            }
            let ascii = idna::domain_to_ascii_strict(label).map_err(|_| DomainError::Malformed)?;
            if ascii.starts_with("xn--") { Ok(ascii) } else { Err(DomainError::Disguised) }
        })
        .collect();
    Ok(labels?.join("."))
}

/// Tells whether a text is at least two labels of letters, digits and inner hyphens, each of 1 to 63 bytes.
fn is_host_name(name: &str) -> bool {
    let (mut length, mut labels, mut before) = (0_usize, 1_usize, b'.');
    for byte in name.bytes() {
        match byte {
            b'.' if (1..=63).contains(&length) && before != b'-' => {
                length = 0;
                labels = labels.saturating_add(1);
            }
            b'-' if before != b'.' => length = length.saturating_add(1),
            byte if byte.is_ascii_alphanumeric() => length = length.saturating_add(1),
            _ => return false,
        }
        before = byte;
    }
    labels > 1 && (1..=63).contains(&length) && before != b'-'
}

impl TryFrom<String> for Domain {
    type Error = DomainError;
    fn try_from(text: String) -> Result<Self, DomainError> {
        Self::new(&text)
    }
}

impl From<Domain> for String {
    fn from(domain: Domain) -> Self {
        domain.0.into()
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Domain({})", self.0)
    }
}

/// Matches a domain exactly (`example.com`) or every domain below it (`*.example.com`), never a mere suffix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[expect(clippy::exhaustive_enums, reason = "there are these two ways to bound a domain and no third")]
pub enum DomainPattern {
    /// This domain and no other.
    Exactly(Domain),
    /// Every domain below this one, not the domain itself.
    Below(Domain),
}

impl DomainPattern {
    /// Tells whether the domain falls under the pattern.
    #[must_use]
    pub fn matches(&self, domain: &Domain) -> bool {
        match self {
            Self::Exactly(own) => own == domain,
            Self::Below(parent) => domain
                .0
                .strip_suffix(parent.as_str())
                .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
        }
    }
}

impl FromStr for DomainPattern {
    type Err = DomainError;
    fn from_str(text: &str) -> Result<Self, DomainError> {
        match text.strip_prefix("*.") {
            Some(parent) => Domain::new(parent).map(Self::Below),
            None if text.starts_with(['.', '*', '@']) => Err(DomainError::NoBoundary),
            None => Domain::new(text).map(Self::Exactly),
        }
    }
}

impl TryFrom<String> for DomainPattern {
    type Error = DomainError;
    fn try_from(text: String) -> Result<Self, DomainError> {
        text.parse()
    }
}

impl From<DomainPattern> for String {
    fn from(pattern: DomainPattern) -> Self {
        pattern.to_string()
    }
}

impl fmt::Display for DomainPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(domain) => domain.fmt(f),
            Self::Below(parent) => write!(f, "*.{parent}"),
        }
    }
}

/// Holds the domains that a connection may speak for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DomainSet(Vec<DomainPattern>);

impl DomainSet {
    /// Takes the patterns.
    #[must_use]
    pub fn new(patterns: Vec<DomainPattern>) -> Self {
        Self(patterns)
    }

    /// Tells whether any pattern covers the domain.
    #[must_use]
    pub fn contains(&self, domain: &Domain) -> bool {
        self.0.iter().any(|pattern| pattern.matches(domain))
    }

    /// The patterns.
    #[must_use]
    pub fn patterns(&self) -> &[DomainPattern] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, domain: &str) -> bool {
        pattern.parse::<DomainPattern>().unwrap().matches(&Domain::new(domain).unwrap())
    }

    #[test]
    fn domains_match_by_label_and_never_by_suffix() {
        assert!(matches("example.com", "EXAMPLE.com"));
        assert!(!matches("example.com", "evilexample.com"));
        assert!(!matches("example.com", "a.example.com"));
        assert!(matches("*.example.com", "a.example.com") && matches("*.example.com", "b.a.example.com"));
        assert!(!matches("*.example.com", "example.com") && !matches("*.example.com", "evilexample.com"));
    }

    #[test]
    fn a_suffix_without_a_boundary_is_refused() {
        for pattern in [".example.com", "*example.com", "@example.com"] {
            assert_eq!(pattern.parse::<DomainPattern>(), Err(DomainError::NoBoundary), "{pattern}");
        }
        assert_eq!("*.com".parse::<DomainPattern>(), Err(DomainError::Malformed));
    }

    #[test]
    fn a_domain_in_disguise_is_refused_and_a_real_international_one_is_not() {
        assert_eq!(Domain::new("ｅxample.com"), Err(DomainError::Disguised));
        assert_eq!(
            Domain::new("exampl\u{2100}.com").map(|_| ()),
            Err(DomainError::Malformed).or(Err(DomainError::Malformed))
        );
        assert_eq!(Domain::new("bücher.example").unwrap().as_str(), "xn--bcher-kva.example");
        for bad in
            ["", "com", "a..b", ".a.b", "-a.com", "a-.com", "a.-b", "a.b-", "a.com.", "a b.com", "a@b.com"]
        {
            assert!(Domain::new(bad).is_err(), "{bad}");
        }
        let (long, longer) = ("a".repeat(63), "a".repeat(64));
        for (label, is_right) in [("a-b", true), (&*long, true), (&*longer, false)] {
            assert_eq!(Domain::new(&format!("{label}.com")).is_ok(), is_right);
            assert_eq!(Domain::new(&format!("com.{label}")).is_ok(), is_right);
        }
    }
}
