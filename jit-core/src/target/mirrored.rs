//! What a target is told of an account that lives here and is mirrored there.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// Says how the account of a person is to stand in a target. `Debug` prints no personal data.
///
/// No password is ever part of it: people sign in there over the same identity provider as here.
#[derive(Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "an implementation reads each")]
pub struct Mirrored {
    /// Whether it may be used. One that may not is never made: where it is not there, the answer is
    /// [`Effect::Absent`](super::Effect::Absent).
    pub active: bool,
    /// The user name.
    pub user_name: String,
    /// The name that people are shown; `None` leaves it as it is.
    pub display_name: Option<String>,
    /// The address; `None` leaves it as it is.
    pub email: Option<String>,
    /// Further attributes by the names that the target knows them by; one without values is to be empty there, and what is
    /// not named stays as it is.
    pub attributes: BTreeMap<String, Vec<String>>,
    /// What it holds, by the target's own names: all of what we give there, and nothing that others gave.
    pub entitlements: BTreeSet<String>,
    /// What the target confirmed that we gave: whatever of it is no longer in `entitlements` is to be taken. What others gave
    /// is left alone.
    pub held: BTreeSet<String>,
    /// What we may have given, and may have taken since, by calls that had no answer: nobody knows whether it holds this. To
    /// be given or taken like the rest.
    pub doubtful: BTreeSet<String>,
    /// The ids that the target has for what is in `held` and `doubtful`, by name, as far as it told them. A name may be that
    /// of something else by now: what was given is taken by its id, and by its name only where no id is known, or where it is
    /// in doubt what the name stood for.
    pub ids: BTreeMap<String, String>,
    /// What the target confirmed last, as [`Effect::Mirrored`](super::Effect::Mirrored) told it; `None` where nothing is
    /// known, or everything is to be looked at anew.
    pub confirmed: Option<String>,
}

impl fmt::Debug for Mirrored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mirrored")
            .field("active", &self.active)
            .field("entitlements", &self.entitlements)
            .field("held", &self.held)
            .finish_non_exhaustive()
    }
}
