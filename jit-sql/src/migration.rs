//! Numbered steps that bring the tables to the form that this version of the crate knows.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// Describes one step; steps are applied in order, each once, and never change once they are released.
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

    /// A step that changed: add its new checksum behind the others here, and the last one of before to its `former`.
    #[cfg(feature = "postgres")]
    #[test]
    fn no_database_is_refused_whose_postgres_steps_were_others_before() {
        check_history(
            crate::postgres::MIGRATIONS,
            &[
                &["d20fa24e1b547220cb1b61c7c9d0028f1fc47558df81eeae200ccb1edc3eddd5"],
                &["4fd0decd72b3eb86b3f75e82e38c60a22266283faaf09e3514bddfff9a4d544e"],
                &["1662e2b91cbafb62a0233a200f48d475a1aad20d3704497377577a827b6dfea9"],
                &[
                    "c45845561b7b17ad4bac7d2e9cde2eaf2db15dd8647439a0c0c775898af9676e",
                    "10a3c58b1bf6761eedf69fbf9f78ad361ebc4b04498d903c56a05b4836523a33",
                ],
                &[
                    "7ec95d9d9878bc49a909fe41fe0add612b895527c4dc8cead1805561d569778e",
                    "6828fc42153aa2c2d69e63475028e31fc843bd50d1c943c513bd123487a04c83",
                ],
                &[
                    "b9df3e41e0b928684e38218a40e04f4b8927c1bad0685b8dee3079d5a7c9082e",
                    "29082c53672a7a89cfba57412ae8b46cc08c2338c141a38f0206d940ec161481",
                ],
            ],
        );
    }

    /// See the one of PostgreSQL.
    #[cfg(feature = "sqlite")]
    #[test]
    fn no_file_is_refused_whose_sqlite_steps_were_others_before() {
        check_history(
            crate::sqlite::MIGRATIONS,
            &[
                &["7390cf643143bbf967dee5e80799d67bf06c8e963e9d491d5bc62c848dbfa32e"],
                &["2f0c443d66f9b80eb115d82a4297e63898289eac71c11d15909c64ea52241f1b"],
                &["06bb589cd5a98d6c977a92c98b2ea0725fa9872ad49f2714492cb69c867c5f92"],
                &["30bd0bab23d559eeeb596ea24f02c19798b14493310b0bf11059072ce5e9c393"],
                &[
                    "5c41b579d4d77fd053e70220fae66e410c8bb48f90779afa6958cd5429353294",
                    "378dbb13cee31568dac7c2e06a281e62148562c4440649a15e1fd9dc16736b9e",
                ],
            ],
        );
    }

    /// Checks each step against what it was, oldest first, and is.
    fn check_history(steps: &'static [Migration], history: &[&[&str]]) {
        assert_eq!(steps.len(), history.len(), "each step has its checksum here");
        for (step, known) in steps.iter().zip(history) {
            assert_eq!(known.last(), Some(&step.checksum().as_str()), "step {} changed", step.version);
            let former = known.split_last().map(|(_, former)| former);
            assert_eq!(former, Some(step.former), "what step {} was is former", step.version);
            for was in step.former {
                let applied = [(i64::from(step.version), (*was).to_owned())];
                let again = pending(steps, &applied).map(|again| again.contains(&step));
                assert_eq!(again, Ok(true), "step {} is gone through again", step.version);
            }
        }
    }
}
