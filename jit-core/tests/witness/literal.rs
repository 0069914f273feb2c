use jit_core::VerifiedIdentity;

fn forge(other: VerifiedIdentity) -> VerifiedIdentity {
    VerifiedIdentity { ..other }
}

fn main() {}
