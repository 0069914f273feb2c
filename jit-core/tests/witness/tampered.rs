use jit_core::{Subject, VerifiedIdentity};

fn tamper(mut identity: VerifiedIdentity, subject: Subject) {
    identity.key.subject = subject;
}

fn main() {}
