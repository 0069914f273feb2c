//! Who signs in: what was claimed, what was verified, and how far an e-mail address can be trusted.

mod claim_path;
mod claims;
mod domain;
mod email;
mod members;
mod record;
mod verified;

pub use claim_path::{ClaimPath, ClaimPathError};
pub(crate) use claims::text_of;
pub use claims::{Claim, ClaimValues, Claims, SharedClaims};
pub use domain::{Domain, DomainError, DomainPattern, DomainSet};
pub use email::{EmailAddress, EmailClaim, EmailError, EmailEvidence, EmailTrust};
pub use record::{
    Bound, Expected, Extent, HeldPresence, HeldRecord, Presence, RecordStatement, VerifiedRecord,
    WaitingLeave,
};
pub use verified::{
    Assurance, AttestError, Attestation, Attestor, Check, Checks, IssuerSet, SessionHint, Stability,
    VerifiedIdentity,
};
pub(crate) use verified::{Parked, Seal};
