//! What an application keeps of a sign-in, so that it can be ended at the provider.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::assertion::NameId;
use crate::response::VerifiedResponse;

/// Names a session at a provider. Keep it beside the application's own session.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionAtIdp {
    /// The provider.
    pub issuer: String,
    /// The person, exactly as the provider named it.
    pub name_id: NameId,
    /// The sessions; usually the one `SessionIndex` of the sign-in.
    pub session_indexes: Vec<String>,
}

impl SessionAtIdp {
    /// Takes from a sign-in what its sign-out needs; `None` when the provider named nobody, and so cannot be told whom to sign
    /// out.
    #[must_use]
    pub fn of(response: &VerifiedResponse) -> Option<Self> {
        Some(Self {
            issuer: response.issuer().to_owned(),
            name_id: response.name_id()?.clone(),
            session_indexes: response.session_index().map(str::to_owned).into_iter().collect(),
        })
    }
}

/// Shows nobody's name.
impl fmt::Debug for SessionAtIdp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionAtIdp")
            .field("issuer", &self.issuer)
            .field("session_indexes", &self.session_indexes.len())
            .finish_non_exhaustive()
    }
}
