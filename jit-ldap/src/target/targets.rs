//! The targets themselves: a directory, settings, and the dialect that they choose.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use async_trait::async_trait;
use jit_core::{
    BackendError, Capabilities, Desired, Drift, Effect, ErrorKind, Holdings, ListCursor, Listed, Listing,
    Mirrored, Observed, RemoteEntitlement, RemoteRef, Target, TargetFault,
};
use tokio::time::timeout;

use super::accounts::{Accounts, in_time};
use super::active_directory::ActiveDirectory;
use super::followed::Followed;
use super::homes::Homes;
use super::plain::Plain;
use super::settings::{ActiveDirectorySettings, CustomSettings, OpenLdapSettings};
use crate::attribute::AttributeName;
use crate::directory::Directory;
use crate::sign_in::SettingsError;

macro_rules! targets {
    ($($(#[$meta:meta])* $name:ident of $settings:ty, in $dialect:ty;)+) => { $(
        $(#[$meta])*
        #[derive(Debug)]
        pub struct $name {
            accounts: Accounts<$dialect>,
        }

        impl $name {
            /// Describes the target. Nothing is connected yet.
            ///
            /// # Errors
            /// [`SettingsError`] that names the first unsound field; its code is `ldap.settings_invalid`.
            pub fn new(directory: Directory, settings: &$settings) -> Result<Self, SettingsError> {
                let (table, dialect, settles_after) = settings.check()?.into_parts();
                if directory.is_replicated() && settles_after.is_zero() {
                    let problem = "must say how long several servers take to learn of a change";
                    return Err(SettingsError::new("settles_seconds", problem));
                }
                let (whole, followed, homes) = (OnceLock::new(), Followed::default(), Homes::default());
                let accounts = Accounts { dialect, directory, table, settles_after, followed, homes, whole };
                Ok(Self { accounts })
            }

            /// The attribute that markers stand in.
            #[must_use]
            pub const fn marker(&self) -> &AttributeName {
                &self.accounts.table.marker
            }

            /// The attributes that markers stand in, today's first: a sign-in and an import at the same directory have to look
            /// in all of them.
            pub fn markers(&self) -> impl Iterator<Item = &AttributeName> {
                self.accounts.table.markers()
            }
        }

        #[async_trait]
        impl Target for $name {
            fn capabilities(&self) -> Capabilities {
                self.accounts.capabilities()
            }

            async fn home(&self, remote: &RemoteRef) -> Result<Option<String>, BackendError> {
                in_time(timeout(self.accounts.longest_call(), self.accounts.home_of(remote)).await)
            }

            async fn ensure(&self, desired: &Desired) -> Result<Effect, BackendError> {
                in_time(timeout(self.accounts.longest_call(), self.accounts.ensure(desired)).await)
            }

            async fn observe(&self, remote: &RemoteRef) -> Result<Observed, BackendError> {
                in_time(timeout(self.accounts.longest_call(), self.accounts.observe(remote)).await)
            }

            async fn holdings(
                &self,
                remote: &RemoteRef,
                asked: &BTreeSet<RemoteEntitlement>,
            ) -> Result<Holdings, BackendError> {
                in_time(timeout(self.accounts.longest_call(), self.accounts.holdings(remote, asked)).await)
            }

            async fn show(&self, remote: &RemoteRef) -> Result<Option<Listed>, BackendError> {
                in_time(timeout(self.accounts.longest_call(), self.accounts.show(remote)).await)
            }

            async fn differs(&self, _: &RemoteRef, _: &Mirrored) -> Result<Drift, BackendError> {
                Err(BackendError::new(ErrorKind::Target(TargetFault::Forbidden), "directory.differs"))
            }

            async fn list(&self, _: Option<ListCursor>) -> Result<Listing, BackendError> {
                self.accounts.list_all().await
            }
        }
    )+ };
}

targets! {
    /// Makes temporary accounts in Active Directory: one request with password and end, from whose end on the domain
    /// controller itself refuses the account; then its groups; removal by `objectGUID`.
    ActiveDirectoryTarget of ActiveDirectorySettings, in ActiveDirectory;

    /// Makes temporary accounts in OpenLDAP: one request that answers with the `entryUUID`; changes and removal only under
    /// the assertion that the entry is that one and bears our marker (RFC 4528).
    OpenLdapTarget of OpenLdapSettings, in Plain;

    /// Makes temporary accounts in another directory, of the classes and attributes that the settings name.
    CustomTarget of CustomSettings, in Plain;
}
