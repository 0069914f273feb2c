//! Who signs in: what was claimed, what was verified, and how far an e-mail address can be trusted.

mod claims;
mod domain;
mod email;
mod verified;

pub(crate) use claims::text_of;
pub use claims::{Claim, ClaimPath, ClaimPathError, ClaimValues, Claims};
pub use domain::{Domain, DomainError, DomainPattern, DomainSet};
pub use email::{EmailAddress, EmailClaim, EmailError, EmailEvidence, EmailTrust};
pub use verified::{
    Assurance, AttestError, Attestation, Attestor, Check, Checks, IssuerSet, SessionHint, Stability,
    VerifiedIdentity,
};
pub(crate) use verified::{Parked, Seal};
