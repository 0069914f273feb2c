//! jit-oidc
