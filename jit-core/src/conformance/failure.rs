//! What a check found, and the questions that checks ask.

use std::{error::Error, fmt, fmt::Write as _, panic::Location};

use crate::{Account, BackendError, ErrorKind};

/// Says what a check found wrong, and where in the suite.
pub struct Failure {
    what: String,
    at: &'static Location<'static>,
}

impl Failure {
    /// Says what is wrong.
    #[must_use]
    #[track_caller]
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), at: Location::caller() }
    }
}

impl<E: Error> From<E> for Failure {
    #[track_caller]
    fn from(error: E) -> Self {
        let mut what = format!("unexpected error: {error}");
        let mut source = error.source();
        while let Some(cause) = source {
            // Writing to a text cannot fail.
            let _ = write!(what, ": {cause}");
            source = cause.source();
        }
        Self::new(what)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}:{})", self.what, self.at.file(), self.at.line())
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Asks whether something holds.
#[track_caller]
pub(super) fn ensure(holds: bool, what: &str) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(Failure::new(what)) }
}

/// Asks whether two values are the same.
#[track_caller]
pub(super) fn same<T: PartialEq + fmt::Debug>(got: &T, want: &T, what: &str) -> Result<(), Failure> {
    if got == want { Ok(()) } else { Err(Failure::new(format!("{what}: got {got:?}, want {want:?}"))) }
}

/// Asks whether a call was refused for this reason.
#[track_caller]
pub(super) fn refused<T>(
    answer: Result<T, BackendError>,
    want: &ErrorKind,
    what: &str,
) -> Result<(), Failure> {
    match answer {
        Ok(_) => Err(Failure::new(format!("{what}: accepted, want {want:?}"))),
        Err(error) => same(error.kind(), want, what),
    }
}

/// Asks whether there is exactly this account.
#[track_caller]
pub(super) fn is_account(got: Option<&Account>, want: &Account, what: &str) -> Result<(), Failure> {
    let Some(got) = got else { return Err(Failure::new(format!("{what}: there is no account"))) };
    if got == want {
        return Ok(());
    }
    let (got, want) = (serde_json::to_value(got)?, serde_json::to_value(want)?);
    let fields = want.as_object().into_iter().flatten();
    let differ: Vec<_> =
        fields.filter(|(name, value)| got.get(name) != Some(value)).map(|(name, _)| name).collect();
    Err(Failure::new(format!("{what}: the account differs in {differ:?}: got {got}, want {want}")))
}

/// Asks whether there is no account.
#[track_caller]
pub(super) fn is_nobody(got: Option<&Account>, what: &str) -> Result<(), Failure> {
    same(&got.map(|account| account.id), &None, what)
}
