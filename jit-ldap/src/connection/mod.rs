//! One connection to one server, used by one caller at a time.

mod changes;
mod extended;
mod open;
mod pages;
mod range;
mod search;
mod together;
mod wire;

use std::fmt;

use tokio::time::Instant;

use crate::attribute::Attribute;
use crate::control::{Control, Controls};
use crate::dn::{Dn, Rdn};
use crate::error::{Fate, LdapError};
use crate::identifier::EntryName;
use crate::limits::Limits;
use crate::outcome::ResultCode;
use crate::password::Password;
use crate::reason::Reason;
use crate::request::{Modification, Request};
use crate::response::{Body, Kind, Message};

pub(crate) use changes::ChangesPlace;
pub use changes::{Changes, SyncMode};
pub use extended::ServerFeatures;
pub(crate) use pages::PagePlace;
pub use pages::Pages;
pub(crate) use search::Step as SearchStep;
pub use search::{Found, SearchRun};
use wire::{Stream, Wire};

/// An open connection. An operation whose caller stopped waiting leaves it unusable: what was asked may still be done, and
/// nobody reads the answer.
pub struct Connection {
    wire: Wire<Box<dyn Stream>>,
    limits: Limits,
    is_confidential: bool,
    identity: Identity,
}

/// As whom a connection acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Identity {
    Anonymous,
    Bound(String),
}

/// A bind that was sent; its answer is still to be read.
pub(crate) struct SentBind {
    id: i32,
    name: String,
}

/// What an operation that succeeded brought back.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) controls: Controls,
    pub(crate) value: Option<Vec<u8>>,
}

impl Connection {
    /// Binds with a name and a password (RFC 4513 §5.1.3). Whatever comes of it, the connection acts as nobody else
    /// afterwards: a bind that fails leaves it anonymous.
    ///
    /// # Errors
    /// `ldap.name_empty` and `ldap.password_in_clear` before anything is sent; `ldap.credentials_invalid`; every code of
    /// the way and of broken answers.
    ///
    /// # Cancel safety
    /// The connection is unusable afterwards; the server may have counted a failure.
    pub async fn bind(
        &mut self,
        name: &str,
        password: &Password,
        controls: &[Control],
    ) -> Result<Controls, LdapError> {
        let deadline = self.operation_deadline();
        let sent = self.send_bind(name, password, controls, deadline).await?;
        self.finish_bind(&sent, deadline).await
    }

    /// Sends the request of [`Connection::bind`].
    pub(crate) async fn send_bind(
        &mut self,
        name: &str,
        password: &Password,
        controls: &[Control],
        deadline: Instant,
    ) -> Result<SentBind, LdapError> {
        if name.is_empty() || name.contains('\0') {
            return Err(Reason::NameEmpty.into());
        }
        self.demand_confidential()?;
        self.identity = Identity::Anonymous;
        let request = Request::bind(name, password).with(controls);
        let id = self.wire.send(&request, deadline).await?;
        Ok(SentBind { id, name: name.to_owned() })
    }

    /// Waits for the answer to a bind that was sent. Whoever stops waiting loses nothing: it can be waited for again.
    pub(crate) async fn finish_bind(
        &mut self,
        sent: &SentBind,
        deadline: Instant,
    ) -> Result<Controls, LdapError> {
        let message = self.wire.answer(sent.id, deadline).await?;
        let done = concluded(Some(Kind::Bind), message)?;
        self.wire.finish();
        let controls = done?.controls;
        self.identity = Identity::Bound(sent.name.clone());
        Ok(controls)
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// `ldap.entry_exists`, `ldap.access_denied`, `ldap.constraint_violation`, `ldap.schema_violation` and every other
    /// code of answers and of the way; `ldap.password_in_clear` when a password is among the attributes and would travel
    /// without TLS.
    ///
    /// # Cancel safety
    /// The entry may have been added; the connection is unusable afterwards.
    pub async fn add(
        &mut self,
        dn: &Dn,
        attributes: &[Attribute],
        controls: &[Control],
    ) -> Result<Controls, LdapError> {
        self.demand_confidential_for(attributes.iter())?;
        Ok(self.exchange(Request::add(dn, attributes).with(controls)).await?.controls)
    }

    /// Changes an entry: all of the changes or none.
    ///
    /// # Errors
    /// `ldap.entry_missing`, `ldap.value_missing`, `ldap.value_exists`, `ldap.assertion_failed` and every other code of
    /// answers and of the way; `ldap.password_in_clear` as for [`Connection::add`].
    ///
    /// # Cancel safety
    /// The changes may have been made; the connection is unusable afterwards.
    pub async fn modify(
        &mut self,
        entry: &EntryName,
        changes: &[Modification],
        controls: &[Control],
    ) -> Result<Controls, LdapError> {
        self.demand_confidential_for(changes.iter().map(Modification::attribute))?;
        Ok(self.exchange(Request::modify(entry, changes).with(controls)).await?.controls)
    }

    /// Deletes an entry. Name it by its identifier where the server knows that, or assert what it is by a control: its
    /// name may belong to another entry by now.
    ///
    /// # Errors
    /// `ldap.entry_missing`, `ldap.has_children`, `ldap.assertion_failed` and every other code of answers and of the way.
    ///
    /// # Cancel safety
    /// The entry may be gone; the connection is unusable afterwards.
    pub async fn delete(&mut self, entry: &EntryName, controls: &[Control]) -> Result<Controls, LdapError> {
        Ok(self.exchange(Request::delete(entry).with(controls)).await?.controls)
    }

    /// Renames an entry, and moves it below `parent` if one is given. Without `keep_old` the old value of the name goes.
    ///
    /// # Errors
    /// `ldap.entry_missing`, `ldap.entry_exists` and every other code of answers and of the way.
    ///
    /// # Cancel safety
    /// The entry may have its new name; the connection is unusable afterwards.
    pub async fn rename(
        &mut self,
        entry: &EntryName,
        rdn: &Rdn,
        keep_old: bool,
        parent: Option<&Dn>,
        controls: &[Control],
    ) -> Result<Controls, LdapError> {
        Ok(self.exchange(Request::rename(entry, rdn, keep_old, parent).with(controls)).await?.controls)
    }

    /// Ends the connection in the way of the protocol. Dropping it ends it as well.
    pub async fn close(mut self) {
        let deadline = self.operation_deadline();
        self.wire.unbind(deadline).await;
    }

    /// Tells whether another operation can be sent.
    #[must_use]
    pub const fn is_usable(&self) -> bool {
        self.wire.is_ready()
    }

    pub(crate) const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Tells whether an idle connection is still good, without waiting.
    pub(crate) async fn is_alive(&mut self) -> bool {
        self.wire.is_quiet().await
    }

    /// Sends a request and waits for the one message that ends it.
    async fn exchange(&mut self, request: Request) -> Result<Done, LdapError> {
        let deadline = self.operation_deadline();
        let id = self.wire.send(&request, deadline).await?;
        let message = self.wire.answer(id, deadline).await?;
        let done = concluded(request.ends_with, message)?;
        self.wire.finish();
        done
    }

    pub(crate) fn operation_deadline(&self) -> Instant {
        Instant::now() + self.limits.operation
    }

    fn demand_confidential(&self) -> Result<(), LdapError> {
        if self.is_confidential { Ok(()) } else { Err(Reason::PasswordInClear.into()) }
    }

    fn demand_confidential_for<'a>(
        &self,
        mut attributes: impl Iterator<Item = &'a Attribute>,
    ) -> Result<(), LdapError> {
        if attributes.any(|attribute| attribute.name().is_of_passwords()) {
            self.demand_confidential()
        } else {
            Ok(())
        }
    }
}

/// Reads the message that ends an operation: what the server did, or that it said no. Fails where it is no such message.
fn concluded(ends_with: Option<Kind>, message: Message) -> Result<Result<Done, LdapError>, LdapError> {
    let Body::Done { kind, answer, value, .. } = message.body else {
        return Err(LdapError::new(Reason::ResponseUnexpected).with_fate(Fate::Unknown));
    };
    let is_success = answer.code() == ResultCode::SUCCESS;
    // a server that does not understand a request at all may say so by an extended answer
    let is_refusal = kind == Kind::Extended && !is_success;
    if ends_with != Some(kind) && !is_refusal {
        return Err(LdapError::new(Reason::ResponseUnexpected).with_fate(Fate::Unknown));
    }
    let done = Done { controls: message.controls, value };
    Ok(if is_success { Ok(done) } else { Err(LdapError::refused(answer)) })
}

impl Modification {
    const fn attribute(&self) -> &Attribute {
        match self {
            Self::Add(attribute) | Self::Delete(attribute) | Self::Replace(attribute) => attribute,
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("is_usable", &self.is_usable())
            .field("is_confidential", &self.is_confidential)
            .finish_non_exhaustive()
    }
}
