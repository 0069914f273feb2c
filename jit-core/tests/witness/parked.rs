use jit_core::identity::Parked;

fn wake(text: &str) -> Parked {
    serde_json::from_str(text).unwrap()
}

fn main() {}
