use jit_core::{Subject, VerifiedIdentity};

fn tamper(identity: VerifiedIdentity, subject: Subject) {
    identity.key().subject = subject;
}

fn main() {}
