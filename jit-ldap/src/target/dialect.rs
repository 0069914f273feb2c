//! What differs between directories.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use jit_core::{BackendError, Marker, ShownEnd, UnattendedEnd};

use super::find::Remote;
use super::guard::Guard;
use super::members::GroupName;
use super::table::Group;
use crate::attribute::AttributeName;
use crate::connection::Connection;
use crate::dn::{Dn, Rdn};
use crate::entry::Entry;
use crate::error::LdapError;
use crate::filter::Filter;
use crate::identifier::{EntryId, IdAttribute};
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

/// What becomes of an account that is there.
pub(super) struct Renewal<'a> {
    pub(super) account: &'a Remote,
    /// With which it is in use again; `None` leaves it as it is.
    pub(super) password: Option<&'a Password>,
    pub(super) ends_at: DateTime<Utc>,
}

/// Speaks to one kind of directory.
#[async_trait]
pub(super) trait Dialect: Send + Sync {
    /// The longest name.
    const NAME_BYTES: usize;

    /// Whether a request reaches our account and no other though nobody looked before.
    fn reaches_blindly(&self) -> bool;

    /// The attribute that names an entry for good.
    fn id(&self) -> IdAttribute;

    /// The attribute that an account logs in by.
    fn login(&self) -> &AttributeName;

    /// The class of the accounts.
    fn class(&self) -> &str;

    /// Who ends an account that is made now when we do not.
    fn unattended_end(&self) -> UnattendedEnd;

    /// The same of one that was made or renewed a moment ago, which may have been made under other settings.
    fn end_of(&self, account: &Remote) -> UnattendedEnd;

    /// The first part of an account's name.
    fn rdn(&self, name: &str) -> Result<Rdn, Reason>;

    /// The attributes by which an account is judged, beside its identifier and marker.
    fn judged_by(&self) -> Vec<AttributeName>;

    /// Tells whether an account can be used.
    fn is_enabled(&self, entry: &Entry) -> bool;

    /// Tells whether accounts show that at all.
    fn shows_use(&self) -> bool;

    /// The server's own time when it returned an account, where the account's life needs that.
    fn server_time(&self, entry: &Entry) -> Option<DateTime<Utc>>;

    /// The attributes that tell from when on the server itself ends an account.
    fn ended_by(&self) -> Vec<AttributeName>;

    /// Tells from when on that is.
    fn end(&self, entry: &Entry) -> ShownEnd;

    /// Tells whether groups can be told a member by its identifier, so that no rename comes in between.
    fn names_members_for_good(&self) -> bool;

    /// Tells whether the server shall end memberships by itself.
    fn ends_memberships(&self) -> bool;

    /// Tells whether an account is found by its identifier and its name wherever it lies.
    fn looks_everywhere(&self) -> bool;

    /// Searches for one entry by its identifier: below the base, where the directory needs one.
    fn by_id(&self, base: &Dn, id: EntryId) -> Search;

    /// Below which entry, and by which filter, whoever bears a name is found.
    fn by_login(&self, base: &Dn, name: &str) -> Result<(Dn, Filter), Reason>;

    /// Names an account so that a request reaches it and no other.
    fn guard(&self, remote: &Remote, marker: &Marker) -> Result<Guard, Reason>;

    /// Names a group so that a change of who is in it reaches the one of this identifier and no other, where the directory can
    /// do that.
    fn group(&self, dn: &Dn, id: EntryId) -> Result<GroupName, Reason>;

    /// Makes an account; `None` when somebody bears its name.
    async fn add(
        &self,
        connection: &mut Connection,
        account: &NewAccount<'_>,
    ) -> Result<Option<Remote>, BackendError>;

    /// Sets an end, and a new password where there is one; the one before is void then.
    async fn renew(
        &self,
        connection: &mut Connection,
        guard: &Guard,
        renewal: &Renewal<'_>,
    ) -> Result<(), LdapError>;

    /// The changes that put an account out of use.
    fn closure(&self) -> Vec<Modification>;

    /// Refuses a server that cannot do what the settings say, and groups that must not be given. A group that is not there
    /// is found out when it is to be joined.
    async fn check(
        &self,
        connection: &mut Connection,
        base: &Dn,
        groups: &[&Group],
    ) -> Result<(), BackendError>;

    /// Tells who takes an account that is removed out of its groups.
    fn following(&self) -> Following;
}

/// Says who takes an account that is removed out of its groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Following {
    /// The directory, by what it is.
    Sure,
    /// The directory, as the settings say: that it did is looked at.
    Promised,
    /// We, before.
    Ours,
}

impl Following {
    /// Tells whether it is left to the directory.
    pub(super) fn is_left_to_it(self) -> bool {
        self != Self::Ours
    }
}
