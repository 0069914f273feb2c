//! Numbered steps that bring the tables to the form that this version of the crate knows.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// Describes one step; steps are applied in order, each once, and never change afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migration {
    /// Its number, from 1 on without gaps.
    pub version: u32,
    /// What it is about.
    pub name: &'static str,
    /// Its statements.
    pub sql: &'static str,
    /// Checksums of what it was before it was released. A database that went through one of these goes through it again, so
    /// that its statements may be applied twice.
    pub former: &'static [&'static str],
}

impl Migration {
    /// The SHA-256 of the statements in hexadecimal; it is kept in the database, so that a changed step is noticed.
    #[must_use]
    pub fn checksum(&self) -> String {
        hexadecimal(&Sha256::digest(self.sql.as_bytes()))
    }
}

/// Says why the steps that a database went through do not lead to ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) enum Mismatch {
    /// The database went through a step that this version does not know.
    Newer(i64),
    /// The database went through another step of this number.
    Changed(u32),
}

#[cfg(any(feature = "sqlite", feature = "postgres"))]
impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Newer(version) => {
                write!(f, "the database went through migration {version}, which is newer")
            }
            Self::Changed(version) => {
                write!(f, "migration {version} is not the one that the database went through")
            }
        }
    }
}

/// Lists the steps that are still to be applied.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) fn pending(
    known: &'static [Migration],
    applied: &[(i64, String)],
) -> Result<Vec<&'static Migration>, Mismatch> {
    let is_known = |version: i64| known.iter().any(|step| i64::from(step.version) == version);
    if let Some((version, _)) = applied.iter().find(|(version, _)| !is_known(*version)) {
        return Err(Mismatch::Newer(*version));
    }
    let mut pending = Vec::new();
    for step in known {
        match applied.iter().find(|(version, _)| *version == i64::from(step.version)) {
            None => pending.push(step),
            Some((_, checksum)) if *checksum == step.checksum() => {}
            Some((_, checksum)) if step.former.contains(&checksum.as_str()) => pending.push(step),
            Some(_) => return Err(Mismatch::Changed(step.version)),
        }
    }
    Ok(pending)
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(all(test, any(feature = "sqlite", feature = "postgres")))]
mod tests {
    use super::*;

    static KNOWN: [Migration; 2] = [
        Migration { version: 1, name: "begin", sql: "CREATE TABLE a (b)", former: &[] },
        Migration { version: 2, name: "more", sql: "CREATE TABLE c (d)", former: &["0f"] },
    ];

    fn applied(upto: usize) -> Vec<(i64, String)> {
        KNOWN.iter().take(upto).map(|step| (i64::from(step.version), step.checksum())).collect()
    }

    #[test]
    fn only_what_is_missing_is_applied() {
        let versions = |upto| {
            pending(&KNOWN, &applied(upto)).unwrap().iter().map(|step| step.version).collect::<Vec<_>>()
        };
        assert_eq!(versions(0), [1, 2]);
        assert_eq!(versions(1), [2]);
        assert!(versions(2).is_empty());
    }

    #[test]
    fn what_a_step_was_before_it_was_released_is_followed_by_what_it_is() {
        let mut before = applied(1);
        before.push((2, "0f".into()));
        let again = pending(&KNOWN, &before).unwrap();
        assert_eq!(again.iter().map(|step| step.version).collect::<Vec<_>>(), [2]);
        assert_eq!(pending(&KNOWN, &[(1, "0f".into())]), Err(Mismatch::Changed(1)));
    }

    #[test]
    fn a_changed_and_a_newer_step_are_refused() {
        assert_eq!(pending(&KNOWN, &[(1, "00".into())]), Err(Mismatch::Changed(1)));
        let mut newer = applied(2);
        newer.push((3, "00".into()));
        assert_eq!(pending(&KNOWN, &newer), Err(Mismatch::Newer(3)));
    }
}
