use jit_core::{Check, Checks};

fn three(made: fn() -> Check) -> Checks {
    Checks { origin: made(), audience: made(), freshness: made() }
}

fn main() {}
