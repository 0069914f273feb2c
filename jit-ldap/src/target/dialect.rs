//! What differs between directories.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use jit_core::{BackendError, Marker, UnattendedEnd};

use super::find::Remote;
use super::table::Group;
use crate::attribute::AttributeName;
use crate::connection::Connection;
use crate::control::Control;
use crate::dn::{Dn, Rdn};
use crate::entry::Entry;
use crate::filter::Filter;
use crate::identifier::{EntryId, EntryName, IdAttribute};
use crate::password::Password;
use crate::reason::Reason;
use crate::request::{Modification, Search};

/// What a new account is made of: this and nothing else.
pub(super) struct NewAccount<'a> {
    pub(super) name: &'a str,
    pub(super) dn: &'a Dn,
    pub(super) marker: &'a Marker,
    pub(super) password: &'a Password,
    pub(super) ends_at: DateTime<Utc>,
}

/// Speaks to one kind of directory.
#[async_trait]
pub(super) trait Dialect: Send + Sync {
    /// The attribute that names an entry for good.
    const ID: IdAttribute;
    /// The attribute that an account logs in by.
    const LOGIN: AttributeName;
    /// The class of the accounts.
    const CLASS: &'static str;
    /// The longest name.
    const NAME_BYTES: usize;

    /// Whether a request can hold by itself that it reaches our account and no other. Then it may be sent to where the
    /// account was made, without looking before.
    const ASSERTS: bool;

    /// Who ends an account when we do not.
    fn unattended_end(&self) -> UnattendedEnd;

    /// The first part of an account's name.
    fn rdn(&self, name: &str) -> Result<Rdn, Reason>;

    /// The attributes by which an account is judged, beside its identifier and marker.
    fn judged_by(&self) -> Vec<AttributeName>;

    /// Tells whether an account can be used.
    fn is_enabled(&self, entry: &Entry) -> bool;

    /// Searches for one entry by its identifier, wherever it lies.
    fn by_id(&self, base: &Dn, id: EntryId) -> Search;

    /// Below which entry, and by which filter, whoever bears a name is found.
    fn by_login(&self, base: &Dn, name: &str) -> Result<(Dn, Filter), Reason>;

    /// Names an account so that a request reaches it and no other.
    fn address(&self, remote: &Remote, marker: &Filter) -> Result<(EntryName, Vec<Control>), Reason>;

    /// Makes an account; `None` when somebody bears its name.
    async fn add(
        &self,
        connection: &mut Connection,
        account: &NewAccount<'_>,
    ) -> Result<Option<Remote>, BackendError>;

    /// What is to be changed before a new password is set, so that the old one is void.
    fn before_renewal(&self, password: &Password) -> Result<Vec<Modification>, Reason>;

    /// The changes that set a new password, with which the account is in use again, and an end.
    fn renewal(
        &self,
        account: &Remote,
        password: Option<&Password>,
        ends_at: DateTime<Utc>,
    ) -> Result<Vec<Modification>, Reason>;

    /// The changes that put an account out of use.
    fn closure(&self) -> Vec<Modification>;

    /// Refuses groups that must not be given. One that is not there is found out when it is to be joined.
    async fn check_groups(&self, connection: &mut Connection, groups: &[&Group]) -> Result<(), BackendError>;

    /// Tells whether the directory takes an account out of its groups when it removes it.
    fn groups_follow(&self) -> bool;
}
