//! What a person answered while a sign-in was held.

use std::collections::BTreeSet;

use crate::{AccountId, LinkProof, UserName};

/// Carries what a person answered to a hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// The terms consented to.
    pub consents: BTreeSet<String>,
    /// The chosen user name.
    pub user_name: Option<UserName>,
    /// Whether the application has taken a local password.
    pub password_taken: bool,
    /// Which account was proved to be the person's, and by what: it counts for no other.
    pub link_proof: Option<(AccountId, LinkProof)>,
}

impl Answers {
    /// What proved that this account is the person's.
    #[must_use]
    pub fn proof_of(&self, account: AccountId) -> Option<LinkProof> {
        self.link_proof.filter(|(proved, _)| *proved == account).map(|(_, by)| by)
    }
}
