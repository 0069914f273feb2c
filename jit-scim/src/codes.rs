//! Every code that this crate answers with, in one table.

#[cfg(feature = "client")]
use crate::client::TargetReason;
use crate::reason::Reason;

/// Lists each code with its meaning.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    let codes = Reason::ALL.iter().map(|reason| (reason.code(), reason.meaning()));
    #[cfg(feature = "client")]
    let codes = codes.chain(TargetReason::ALL.iter().map(|reason| (reason.code(), reason.meaning())));
    codes
}
