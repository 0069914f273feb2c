use jit_core::VerifiedIdentity;

fn copy(identity: &VerifiedIdentity) -> VerifiedIdentity {
    identity.clone()
}

fn main() {}
