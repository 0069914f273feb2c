//! How an account that is mirrored differs in a target from how it was brought there.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};

/// Tells how an account that is mirrored differs in a target from how it is to stand there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the engine decides each")]
pub enum Drift {
    /// In nothing that the target shows.
    Nothing,
    /// It is to be there, and is not.
    Missing,
    /// Its name, or the id that it had, is that of an account without our marker.
    Foreign,
    /// It is there and differs.
    Differs(Differences),
}

/// Says in what an account differs: names, and never values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "an implementation answers for each")]
pub struct Differences {
    /// What of it has another value, by the target's own names.
    pub writes: BTreeSet<String>,
    /// What it is to hold, and does not.
    pub lacks: BTreeSet<String>,
    /// What it holds of what we gave, and is to hold no longer.
    pub holds: BTreeSet<String>,
    /// Whether it is in use, though it is not to be.
    pub in_use: bool,
}

impl Drift {
    /// Tells whether somebody has access by it that they are not to have.
    #[must_use]
    pub fn gives_access(&self) -> bool {
        matches!(self, Self::Differs(differences) if differences.in_use || !differences.holds.is_empty())
    }

    /// What the audit trail says of it.
    pub(crate) fn words(&self) -> Vec<String> {
        let Self::Differs(Differences { writes, lacks, holds, in_use }) = self else {
            return vec![self.word().to_owned()];
        };
        let in_use = in_use.then(|| "is in use".to_owned());
        let writes = writes.iter().map(|name| format!("differs in {name}"));
        let lacks = lacks.iter().map(|name| format!("lacks {name}"));
        let holds = holds.iter().map(|name| format!("holds {name}"));
        in_use.into_iter().chain(writes).chain(lacks).chain(holds).collect()
    }

    /// Compares in few bytes what was found before with what is found now; `None` where nothing was.
    pub(crate) fn digest(&self) -> Option<String> {
        if *self == Self::Nothing {
            return None;
        }
        let mut hash = Sha256::new();
        for word in self.words() {
            hash.update((word.len() as u64).to_be_bytes());
            hash.update(word);
        }
        let digest = hash.finalize();
        Some(digest.iter().take(8).fold(String::new(), |text, byte| format!("{text}{byte:02x}")))
    }

    const fn word(&self) -> &'static str {
        match self {
            Self::Nothing => "as it should be",
            Self::Missing => "is missing",
            Self::Foreign => "is somebody else's",
            Self::Differs(_) => "differs",
        }
    }
}
