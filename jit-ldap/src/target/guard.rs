//! Changes and removals that reach an account only while it is ours.

use jit_core::Marker;

use crate::attribute::{Attribute, AttributeName};
use crate::connection::Connection;
use crate::control::Control;
use crate::error::LdapError;
use crate::filter::Filter;
use crate::identifier::EntryName;
use crate::reason::Reason;
use crate::request::Modification;

/// Names one account, and holds what makes a request fail when it is no longer ours.
pub(super) struct Guard {
    name: EntryName,
    controls: Vec<Control>,
    exchange: Vec<Modification>,
}

impl Guard {
    /// Lets the server compare before each request (RFC 4528), removals included.
    pub(super) fn by_assertion(name: EntryName, ours: &Filter) -> Self {
        Self { name, controls: vec![Control::assertion(ours)], exchange: Vec::new() }
    }

    /// Takes the marker away and puts it back within each change, which is made as a whole or not at all: where the marker
    /// is gone there is nothing to take, and nothing is changed.
    pub(super) fn by_exchange(name: EntryName, attribute: &AttributeName, marker: &Marker) -> Self {
        let value = || Attribute::new(attribute.clone(), [marker.as_str()]);
        let exchange = vec![Modification::Delete(value()), Modification::Add(value())];
        Self { name, controls: Vec::new(), exchange }
    }

    /// Changes the account.
    pub(super) async fn modify(
        &self,
        connection: &mut Connection,
        changes: Vec<Modification>,
    ) -> Result<(), LdapError> {
        let changes = [self.exchange.clone(), changes].concat();
        if changes.is_empty() {
            return Ok(());
        }
        connection.modify(&self.name, &changes, &self.controls).await.map(drop)
    }

    /// Removes the account. Where no request can hold a condition for that, it is put out of use first, by a change that
    /// holds one.
    pub(super) async fn remove(
        &self,
        connection: &mut Connection,
        closure: impl FnOnce() -> Vec<Modification>,
    ) -> Result<(), LdapError> {
        if self.controls.is_empty() {
            self.modify(connection, closure()).await?;
        }
        connection.delete(&self.name, &self.controls).await.map(drop)
    }

    /// Tells whether an error says that the account is not as it was found: who looks again sees how.
    pub(super) fn has_tripped(error: &LdapError) -> bool {
        matches!(error.reason(), Reason::EntryMissing | Reason::AssertionFailed | Reason::ValueMissing)
    }
}
