//! LDAP and Active Directory: a client that no server can crash, exhaust or fool.
//!
//! | module | does |
//! |---|---|
//! | [`server`], [`tls`], [`limits`] | where a directory is, how the way there is protected, and how much is taken from it |
//! | [`connection`] | one connection: bind, search, add, modify, delete, rename, pages, ranges, changes |
//! | [`pool`], [`directory`], [`settings`] | connections lent to one caller at a time, of one server or of several |
//! | [`dn`], [`filter`], [`attribute`], [`identifier`], [`time`], [`password`] | typed names, filters and values: no text is put together |
//! | [`request`], [`control`], [`entry`], [`outcome`], [`response`] | what is asked and what is answered |
//! | [`import`] | people and groups read whole, and what has changed since |
//! | [`sign_in`] | the trigger: a name and a password become a sign-in event |
//! | [`target`] | temporary accounts in Active Directory, OpenLDAP and other directories, for leases |
//! | [`reason`], [`error`], [`codes`] | every reason for a failure, with its stable code and what became of the request |
//!
//! What it never does: follow a referral or an alias, send a password without TLS, bind with an empty one, take part of a
//! result for the whole, repeat a request whose answer was lost.
//!
//! ```no_run
//! # async fn compose(provider: std::sync::Arc<rustls::crypto::CryptoProvider>, pem: &[u8], secret: String)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! use jit_ldap::{AttributeName, Directory, Dn, Filter, PoolSettings, Roots, Scope, Search, Server, ServiceAccount, Tls};
//!
//! let tls = Tls::new(provider, Roots::none().and_pem(pem)?)?;
//! let account = ServiceAccount::new("uid=jit,ou=services,dc=example,dc=com", secret)?;
//! let directory = Directory::new([Server::ldaps("ldap.example.com", tls)], &account, PoolSettings::default());
//!
//! let people = Dn::parse("ou=people,dc=example,dc=com")?;
//! let by_mail = Filter::equals(&AttributeName::MAIL, "alice@example.com");
//! let search = Search::new(&people, Scope::Subtree, by_mail).attributes([AttributeName::ENTRY_UUID]);
//! let _alice = directory.lend().await?.find_one(&search).await?;
//! # Ok(())
//! # }
//! ```

mod ber;
mod circuit;
mod claims;
mod hash;
mod lent;
mod pools;
mod silence;
mod writers;

pub mod attribute;
pub mod codes;
pub mod connection;
pub mod control;
pub mod directory;
pub mod dn;
pub mod entry;
pub mod error;
pub mod filter;
pub mod identifier;
pub mod import;
pub mod limits;
pub mod outcome;
pub mod password;
pub mod pool;
pub mod reason;
pub mod request;
pub mod response;
pub mod server;
pub mod settings;
pub mod sign_in;
pub mod systems;
pub mod target;
pub mod time;
pub mod tls;

pub use attribute::{Attribute, AttributeName};
pub use connection::Connection;
pub use control::Control;
pub use directory::Directory;
pub use dn::{Dn, Rdn};
pub use entry::Entry;
pub use error::{Fate, LdapError};
pub use filter::Filter;
pub use identifier::{EntryId, EntryName, IdAttribute, Sid};
pub use import::{Import, ImportSettings};
pub use limits::Limits;
pub use password::Password;
pub use pool::{Pool, PoolSettings, ServiceAccount};
pub use reason::Reason;
pub use request::{Modification, Scope, Search};
pub use server::{Server, ServerId};
pub use settings::DirectorySettings;
pub use sign_in::{BindEvidence, LdapTrigger, SignInSettings};
pub use systems::Systems;
pub use target::{
    ActiveDirectorySettings, ActiveDirectoryTarget, CustomSettings, CustomTarget, OpenLdapSettings,
    OpenLdapTarget,
};
pub use tls::{Roots, Tls};
