#![deny(unused_must_use)]

use jit_core::{AttestError, Attestation, Attestor};

fn forget(attestor: &Attestor, attestation: Attestation) -> Result<(), AttestError> {
    attestor.attest(attestation)?;
    Ok(())
}

fn main() {}
