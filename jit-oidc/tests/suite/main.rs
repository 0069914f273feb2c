//! What callers of the crate rely on, tested through its public interface.
#![expect(clippy::expect_used, reason = "helpers of tests")]

mod signer;

#[test]
fn x() {
    let s = signer::Signer::generate("ES256", "a");
    let _ = (
        s.sign_der(b""),
        s.algorithm(),
        s.public_key(),
        s.jwk(),
        s.token(&serde_json::json!({})),
        s.sign_as("RS384", b"a"),
    );
}
