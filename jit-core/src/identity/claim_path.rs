//! Where a claim stands.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::text::head;

/// Points to a claim: an exact top-level name (`groups`, `https://example.com/roles`), or a JSON pointer
/// (RFC 6901) when it begins with a slash (`/resource_access/app/roles`).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClaimPath {
    text: std::sync::Arc<str>,
    pub(super) segments: Vec<String>,
    /// The first bytes of the first segment.
    pub(super) head: u64,
}

/// The longest path, in bytes.
const PATH_BYTES: usize = 512;
/// The deepest path, in segments.
const PATH_DEPTH: usize = 16;

/// Says why a text cannot be a claim path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimPathError {
    /// Empty, or an empty pointer.
    #[error("a claim path must name a claim")]
    Empty,
    /// Too long or too deep.
    #[error("a claim path must not exceed {PATH_BYTES} bytes and {PATH_DEPTH} segments")]
    TooLong,
    /// A tilde that is not `~0` or `~1` (RFC 6901 section 3).
    #[error("a claim path holds `~` other than `~0` or `~1`")]
    Escape,
}

impl ClaimPath {
    /// Reads a path.
    ///
    /// # Errors
    /// [`ClaimPathError`] when the path is empty, too long or badly escaped.
    pub fn new(text: &str) -> Result<Self, ClaimPathError> {
        if text.is_empty() || text == "/" {
            return Err(ClaimPathError::Empty);
        }
        if text.len() > PATH_BYTES {
            return Err(ClaimPathError::TooLong);
        }
        let segments = match text.strip_prefix('/') {
            None => vec![text.to_owned()],
            Some(pointer) => pointer.split('/').map(unescape).collect::<Result<Vec<_>, _>>()?,
        };
        if segments.len() > PATH_DEPTH {
            return Err(ClaimPathError::TooLong);
        }
        let head = segments.first().map_or(0, |first| head(first));
        Ok(Self { text: text.into(), segments, head })
    }

    /// The path as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The top-level claim that the path starts from.
    #[must_use]
    pub fn root(&self) -> &str {
        self.segments.first().map_or("", String::as_str)
    }
}

fn unescape(segment: &str) -> Result<String, ClaimPathError> {
    let mut out = String::with_capacity(segment.len());
    let mut chars = segment.chars();
    while let Some(c) = chars.next() {
        match c {
            '~' => match chars.next() {
                Some('0') => out.push('~'),
                Some('1') => out.push('/'),
                _ => return Err(ClaimPathError::Escape),
            },
            c => out.push(c),
        }
    }
    Ok(out)
}

impl FromStr for ClaimPath {
    type Err = ClaimPathError;
    fn from_str(text: &str) -> Result<Self, ClaimPathError> {
        Self::new(text)
    }
}

impl TryFrom<String> for ClaimPath {
    type Error = ClaimPathError;
    fn try_from(text: String) -> Result<Self, ClaimPathError> {
        Self::new(&text)
    }
}

impl From<ClaimPath> for String {
    fn from(path: ClaimPath) -> Self {
        path.text.as_ref().to_owned()
    }
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClaimPath({})", self.text)
    }
}
