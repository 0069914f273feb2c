//! A verified identity cannot be made, copied, changed or used twice by whoever does not hold the attestor.

use jit_core::{Attestation, Attestor, Checks, VerifiedIdentity};

/// Compiles only where the type lacks the trait: otherwise the call could mean either of two methods.
macro_rules! assert_lacks {
    ($($type:ty: $($bound:path),+;)+) => {$($(
        const _: fn() = || {
            trait Lacks<Marker> {
                fn proof() {}
            }
            struct Has;
            impl<T: ?Sized> Lacks<()> for T {}
            impl<T: ?Sized + $bound> Lacks<Has> for T {}
            <$type as Lacks<_>>::proof();
        };
    )+)+};
}

assert_lacks! {
    VerifiedIdentity: Clone, Default, serde::de::DeserializeOwned, serde::Serialize;
    Attestor: Clone, Default, serde::de::DeserializeOwned, serde::Serialize;
    Attestation: Clone, Default, serde::de::DeserializeOwned;
    Checks: Default;
}

#[test]
fn what_must_not_compile_does_not() {
    trybuild::TestCases::new().compile_fail("tests/witness/*.rs");
}
