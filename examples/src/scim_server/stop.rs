//! Why nothing is served (any more).

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::path::Path;

use jit_core::{BackendError, BuildError};
use jit_scim::server::{ServiceError, TokenError};

#[derive(Debug)]
pub(super) enum Stop {
    /// What is wrong with the command line or a file that it names, a line for each problem.
    Settings(String),
    CannotServe(Box<dyn Error>),
}

/// Says which address is taken.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen at {0}")]
struct Taken(SocketAddr, #[source] io::Error);

impl Stop {
    pub(super) fn cannot_serve(error: impl Error + 'static) -> Self {
        Self::CannotServe(Box::new(error))
    }

    pub(super) fn unreadable(file: &Path, error: &io::Error) -> Self {
        Self::Settings(format!("{}: cannot be read: {}", file.display(), error.kind()))
    }

    pub(super) fn cannot_listen(address: SocketAddr, error: io::Error) -> Self {
        Self::cannot_serve(Taken(address, error))
    }
}

impl From<BackendError> for Stop {
    fn from(error: BackendError) -> Self {
        Self::cannot_serve(error)
    }
}

impl From<BuildError> for Stop {
    fn from(error: BuildError) -> Self {
        Self::Settings(error.to_string())
    }
}

impl From<ServiceError> for Stop {
    fn from(error: ServiceError) -> Self {
        Self::Settings(error.to_string())
    }
}

impl From<TokenError> for Stop {
    fn from(error: TokenError) -> Self {
        Self::Settings(error.to_string())
    }
}
