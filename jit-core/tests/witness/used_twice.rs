use jit_core::{Context, Event, VerifiedIdentity};

fn sign_in_twice(identity: VerifiedIdentity) -> [Event; 2] {
    [Event::sign_in(identity, Context::default()), Event::sign_in(identity, Context::default())]
}

fn main() {}
