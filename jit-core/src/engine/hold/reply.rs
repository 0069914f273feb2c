//! What goes to and fro while a sign-in is held: the ticket, the reply, the mailed proof.

use std::{collections::BTreeSet, fmt};

use crate::{
    AccountId, ConnectionId, Context, EmailAddress, OneTimeKey, TenantId, UserName, VerifiedIdentity,
};

/// Continues a held sign-in. Whoever has it can answer: keep it in the browser session it was made for.
#[derive(Clone, PartialEq, Eq)]
pub struct Ticket {
    tenant: TenantId,
    connection: ConnectionId,
    secret: String,
}

impl Ticket {
    /// The secret part, to be put into a form.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// Takes up a ticket from its connection and its secret part.
    #[must_use]
    pub fn from_parts(tenant: TenantId, connection: ConnectionId, secret: String) -> Self {
        Self { tenant, connection, secret }
    }

    /// The tenant and connection that the sign-in came over.
    #[must_use]
    pub fn connection(&self) -> (&TenantId, &ConnectionId) {
        (&self.tenant, &self.connection)
    }

    pub(super) fn key(&self) -> OneTimeKey {
        let connection = self.connection.as_str().as_bytes();
        OneTimeKey::new(self.tenant.clone(), "jit.held", &[connection, self.secret.as_bytes()])
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ticket({}/{} …)", self.tenant, self.connection)
    }
}

/// Answers asks of a held sign-in; what is not answered stays open. `Debug` prints neither names nor proofs.
#[derive(Default)]
#[expect(clippy::exhaustive_structs, reason = "the application builds it from its forms")]
pub struct Reply {
    /// The terms consented to.
    pub consents: BTreeSet<String>,
    /// The chosen user name. It counts only where a name was asked for.
    pub user_name: Option<UserName>,
    /// Whether the application has taken a local password.
    pub password_taken: bool,
    /// What proves that the account found is the person's.
    pub link: Option<LinkAnswer>,
    /// From where the answer came; `None` where the application does not know better than at the beginning.
    pub context: Option<Context>,
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("consents", &self.consents)
            .field("has_user_name", &self.user_name.is_some())
            .field("password_taken", &self.password_taken)
            .field("link", &self.link)
            .finish_non_exhaustive()
    }
}

/// Proves that an account belongs to whoever signs in. `Debug` prints no token.
#[non_exhaustive]
pub enum LinkAnswer {
    /// The person signed in with an identity that the account is linked to, and that would be let in right now.
    OtherIdentity(Box<VerifiedIdentity>),
    /// The person received this token at the account's address (see [`Jit::offer_mail_proof`]).
    ///
    /// [`Jit::offer_mail_proof`]: crate::Jit::offer_mail_proof
    Mail(String),
    /// The application itself checked a local credential of this account, just now.
    DangerouslyReauthenticated(AccountId),
}

impl fmt::Debug for LinkAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherIdentity(identity) => write!(f, "OtherIdentity({:?})", identity.key()),
            Self::Mail(_) => f.write_str("Mail(…)"),
            Self::DangerouslyReauthenticated(account) => write!(f, "DangerouslyReauthenticated({account})"),
        }
    }
}

/// Carries a token to be sent to the account's address, and nowhere else.
pub struct MailProof {
    /// Where to.
    pub to: EmailAddress,
    /// What.
    pub token: String,
}

impl fmt::Debug for MailProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailProof").field("to", &self.to).finish_non_exhaustive()
    }
}
