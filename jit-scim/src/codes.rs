//! Every code that this crate answers with, in one table.

use crate::reason::Reason;

/// Lists each code with its meaning.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    Reason::ALL.iter().map(|reason| (reason.code(), reason.meaning()))
}
