use jit_core::Attestor;

fn forge(other: Attestor) -> Attestor {
    Attestor { ..other }
}

fn main() {}
