//! Responses of real producers (`SimpleSAMLphp`, pysaml2, samlify, auth0's `saml`, xml-crypto, signxml, libxmlsec1), and
//! libxmlsec1 as a second opinion on signatures, ours and theirs; and whole sign-ins at a running `SimpleSAMLphp`. The
//! programs are in `tests/peers`.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    reason = "helpers of tests"
)]

mod ability;
mod browser;
mod context;
mod federation;
mod live;
mod peer;
mod responses;
mod xmlsec;
