//! What programs say on their streams: nobody needs to be there to hear it.

use std::error::Error;
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

/// Says on standard error what went wrong in a program.
pub(crate) fn complain_of(program: &str, error: &(dyn Error + 'static)) {
    complain(format_args!("{program}: {}", chain(error)));
}

/// An error and its causes in one line. Messages of the libraries hold codes and names, never values of people.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    causes(error).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// An error and its causes, the innermost last.
pub(crate) fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}
