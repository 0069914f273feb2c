//! Every code that this crate answers with, in one table.

use crate::config::SettingsError;
use crate::error::LoginError;
use crate::http::{FetchError, HttpErrorKind};
use crate::rejection::Rejection;

/// Lists each code with its meaning, in the order in which a sign-in meets them.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    let others = [
        (SettingsError::CODE, "a setting of the connection is not sound"),
        (LoginError::CLIENT, "the client is not configured in a way that works"),
        (FetchError::STATUS, "the provider answered with another status than it should"),
    ];
    let http = HttpErrorKind::ALL.iter().map(|kind| (kind.code(), kind.meaning()));
    let rejections = Rejection::ALL.iter().map(|rejection| (rejection.code(), rejection.meaning()));
    others.into_iter().chain(http).chain(rejections)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_code_means_two_things() {
        let codes: BTreeSet<_> = all().map(|(code, _)| code).collect();
        assert_eq!(codes.len(), all().count());
        assert!(codes.iter().all(|code| code.starts_with("oidc.")));
    }
}
