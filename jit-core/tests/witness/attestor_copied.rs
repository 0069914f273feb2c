use jit_core::Attestor;

fn copy(attestor: &Attestor) -> Attestor {
    attestor.clone()
}

fn main() {}
