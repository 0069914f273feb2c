//! What programs say on their streams: nobody needs to be there to hear it.

use std::fmt::Display;
use std::io::{self, Write as _};

/// Standard output takes nothing, as where a pipe is closed.
#[derive(Debug, thiserror::Error)]
#[error("standard output cannot be written")]
pub(crate) struct Unheard(#[from] io::Error);

/// Says something on standard output, at once.
pub(crate) fn say(text: impl Display) -> Result<(), Unheard> {
    let mut out = io::stdout().lock();
    out.write_all(text.to_string().as_bytes())?;
    Ok(out.flush()?)
}

/// Writes a line on standard error.
pub(crate) fn complain(text: impl Display) {
    // There is nowhere left to complain about a closed standard error.
    let _ = io::stderr().write_all(format!("{text}\n").as_bytes());
}
