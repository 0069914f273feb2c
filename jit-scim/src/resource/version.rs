//! Versions of resources as entity tags (RFC 7644 §3.14).

use std::fmt;

/// The version of a resource: a weak entity tag.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Version(String);

impl Version {
    /// Names a version by the number that its store counts.
    #[must_use]
    pub fn numbered(number: u64) -> Self {
        Self(number.to_string())
    }

    /// Reads an entity tag, weak or strong: versions are compared weakly (RFC 9110 §8.8.3.2).
    #[must_use]
    pub fn parse(tag: &str) -> Option<Self> {
        let tag = tag.trim();
        let opaque = tag.strip_prefix("W/").unwrap_or(tag).strip_prefix('"')?.strip_suffix('"')?;
        let allowed = |byte: u8| byte == 0x21 || (0x23..=0x7e).contains(&byte) || byte >= 0x80;
        opaque.bytes().all(allowed).then(|| Self(opaque.to_owned()))
    }

    /// Writes the entity tag.
    pub(crate) fn to_tag(&self) -> String {
        ["W/\"", &self.0, "\""].concat()
    }

    /// Returns the number, where [`Self::numbered`] made it.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        self.0.parse().ok().filter(|number: &u64| number.to_string() == self.0)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_tag())
    }
}

/// The versions of `If-Match` or `If-None-Match`.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_enums, reason = "RFC 9110 knows no other form")]
pub enum VersionMatch {
    /// `*`: whatever version there is.
    Any,
    /// One of these.
    OneOf(Vec<Version>),
}

impl VersionMatch {
    /// Reads the header. Without a tag in it that can be read, nothing matches.
    #[must_use]
    pub fn parse(header: &str) -> Self {
        if header.trim() == "*" {
            return Self::Any;
        }
        Self::OneOf(header.split(',').filter_map(Version::parse).collect())
    }

    /// Tells whether the version is among them.
    #[must_use]
    pub fn includes(&self, version: &Version) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(versions) => versions.contains(version),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_compared_weakly() {
        let version = Version::numbered(7);
        assert_eq!(version.to_string(), "W/\"7\"");
        assert_eq!(Version::parse("\"7\""), Some(version.clone()));
        assert_eq!(version.number(), Some(7));
        assert_eq!(Version::parse("W/\"07\"").unwrap().number(), None);
        for bad in ["7", "W/7", "\"", "\"a\"b\"", "w/\"7\"", ""] {
            assert_eq!(Version::parse(bad), None, "{bad}");
        }
        assert!(VersionMatch::parse("*").includes(&version));
        assert!(VersionMatch::parse("\"1\", W/\"7\"").includes(&version));
        assert!(!VersionMatch::parse("7").includes(&version));
        assert!(!VersionMatch::parse("").includes(&version));
    }
}
