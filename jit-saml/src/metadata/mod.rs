//! Metadata in both directions: what identity providers publish, verified and kept fresh; and what we publish.
//!
//! | type | does |
//! |---|---|
//! | [`MetadataPolicy`] | says which metadata is believed: by whose signature, for how long |
//! | [`VerifiedMetadata`] | a document that was believed, of one entity or a hundred thousand |
//! | [`MetadataSource`] | keeps a document fresh, and is an [`IdpSource`](crate::idp::IdpSource) |
//! | [`IdpDescriptor`] | everything that a document says about one identity provider |
//! | [`SpMetadata`] | writes our own document |
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use jit_saml::metadata::*;
//! # async fn compose(client: Arc<dyn Fetch>, key: &str) -> Result<(), Box<dyn std::error::Error>> {
//! use jit_core::SystemClock;
//! use jit_saml::{IdpSource as _, crypto::AwsLc, signature::VerificationKey};
//!
//! // the key of the federation came by another way than its metadata
//! let policy = MetadataPolicy::signed_by(vec![VerificationKey::from_pem(key)?]).limits(aggregate_limits());
//! let address = "https://federation.example.org/metadata.xml";
//! let source = MetadataSource::from_url(address, policy, client, Arc::new(SystemClock), Arc::new(AwsLc))?;
//! let _idp = source.idp("https://idp.example.org/metadata").await?;
//! # Ok(())
//! # }
//! ```
//!
//! SAML Metadata is meant wherever a section is cited without a document; IIP and SDP are the requirements of the Kantara
//! implementation and deployment profiles.

mod descriptor;
mod endpoint;
mod error;
mod extensions;
mod fetch;
#[cfg(feature = "http-reqwest")]
mod guarded;
mod index;
mod key_value;
mod names;
mod pinned;
mod policy;
mod rejection;
mod role_keys;
mod shelf;
mod source;
mod sp;
mod sp_parts;
mod sp_xml;
mod span;
mod verified;

pub use descriptor::IdpDescriptor;
pub use error::MetadataError;
pub use extensions::{EntityAttribute, Localized, Logo, UserInterface};
pub use fetch::{Fetch, FetchFailure, FetchRequest, Fetched};
pub(crate) use pinned::pinned_idp;
pub use policy::{DangerousMetadataPolicy, MetadataPolicy, aggregate_limits};
pub use rejection::{MetadataRejection, MetadataWarning};
pub use source::{MetadataSource, SourceStatus};
pub use sp::{SpMetadata, SpMetadataError};
pub use sp_parts::{AttributeService, Contact, ContactKind, Organization, RequestedAttribute, SubjectId};
pub use verified::VerifiedMetadata;
