use chrono::TimeDelta;
use jit_oidc::algorithm::{Algorithm, AlgorithmSet};

use super::{ForBoth, seconds};
use crate::command_line::{Given, Known, UsageError};

/// Asks about ID tokens.
pub(in crate::inspect) struct Inquiry {
    pub(in crate::inspect) both: ForBoth,
    pub(in crate::inspect) issuer: Option<String>,
    pub(in crate::inspect) client_id: Option<String>,
    pub(in crate::inspect) jwks: Option<String>,
    pub(in crate::inspect) nonce: Option<String>,
    pub(in crate::inspect) access_token: Option<String>,
    pub(in crate::inspect) code: Option<String>,
    pub(in crate::inspect) algorithms: Option<AlgorithmSet>,
    pub(in crate::inspect) audiences: Vec<String>,
    pub(in crate::inspect) max_age: Option<TimeDelta>,
    pub(in crate::inspect) acr: Vec<String>,
    pub(in crate::inspect) require_at_hash: bool,
    pub(in crate::inspect) leeway: Option<TimeDelta>,
}

impl std::fmt::Debug for Inquiry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inquiry").field("files", &self.both.files).finish_non_exhaustive()
    }
}

/// The options that no other inquiry has, and whether each has a value.
pub(super) const OPTIONS: [Known; 12] = [
    ("--issuer", true),
    ("--client-id", true),
    ("--jwks", true),
    ("--nonce", true),
    ("--access-token", true),
    ("--code", true),
    ("--alg", true),
    ("--audience", true),
    ("--max-age", true),
    ("--acr", true),
    ("--require-at-hash", false),
    ("--leeway", true),
];

impl Inquiry {
    /// Takes what was given, if its options go together.
    pub(super) fn take(given: &mut Given) -> Result<Self, UsageError> {
        let inquiry = Self {
            both: ForBoth::take(given)?,
            issuer: given.one("--issuer")?,
            client_id: given.one("--client-id")?,
            jwks: given.one("--jwks")?,
            nonce: given.one("--nonce")?,
            access_token: given.one("--access-token")?,
            code: given.one("--code")?,
            algorithms: given.one("--alg")?.map(|names| algorithms(&names)).transpose()?,
            audiences: given.all("--audience")?,
            max_age: seconds(given, "--max-age")?,
            acr: given.all("--acr")?,
            require_at_hash: given.flag("--require-at-hash")?,
            leeway: seconds(given, "--leeway")?,
        };
        inquiry.checked()
    }

    fn checked(self) -> Result<Self, UsageError> {
        if self.jwks.is_none() {
            return Err(UsageError::Missing("--jwks"));
        }
        if self.both.has_config() {
            self.check_configured()?;
        } else {
            self.check_described()?;
        }
        self.both.check_rest()?;
        Ok(self)
    }

    fn check_configured(&self) -> Result<(), UsageError> {
        if self.issuer.is_some() {
            return Err(UsageError::Conflicting("--config", "--issuer"));
        }
        if self.client_id.is_some() {
            return Err(UsageError::Conflicting("--config", "--client-id"));
        }
        self.both.check_configured()
    }

    fn check_described(&self) -> Result<(), UsageError> {
        if self.issuer.is_none() {
            return Err(UsageError::Missing("--issuer"));
        }
        if self.client_id.is_none() {
            return Err(UsageError::Missing("--client-id"));
        }
        self.both.check_described()
    }
}

fn algorithms(text: &str) -> Result<AlgorithmSet, UsageError> {
    let unknown = || UsageError::invalid("--alg", &"not a list of asymmetric JOSE signature algorithms");
    let named: Option<Vec<_>> = text.split(',').map(|name| Algorithm::from_name(name.trim())).collect();
    Ok(AlgorithmSet::of(&named.ok_or_else(unknown)?))
}

#[cfg(test)]
mod tests {
    use super::super::both::no_files;
    use super::super::{Command, parse};
    use super::*;

    fn inquiry(line: &str) -> Result<Inquiry, UsageError> {
        match parse(line.split_whitespace())? {
            Command::Oidc(inquiry) => Ok(*inquiry),
            other => panic!("{other:?}"),
        }
    }

    fn no_subject() -> UsageError {
        UsageError::Unclear("name what to inspect: `oidc` or `saml`".into())
    }

    const LEAST: &str = "oidc --issuer https://op.example --client-id rp --jwks keys.json";

    #[test]
    fn every_option_is_read() {
        let asked = inquiry(&format!(
            "{LEAST} --nonce n --access-token -t --code=c --alg RS256,EdDSA --audience a --audience b \
             --max-age 60 --acr x --require-at-hash --leeway 5 --now 2027-01-15T08:00:00Z one.jwt -- --two.jwt"
        ))
        .unwrap();
        assert_eq!(asked.access_token.as_deref(), Some("-t"));
        assert_eq!(asked.code.as_deref(), Some("c"));
        assert_eq!(asked.audiences, ["a", "b"]);
        assert_eq!(asked.algorithms, Some(AlgorithmSet::of(&[Algorithm::Rs256, Algorithm::EdDsa])));
        assert_eq!(asked.both.now(&jit_core::SystemClock).timestamp(), 1_800_000_000);
        assert_eq!(asked.both.files, ["one.jwt", "--two.jwt"]);
        assert!(asked.require_at_hash);
    }

    #[test]
    fn a_wrong_command_line_says_what_is_wrong() {
        let cases = [
            ("", no_subject()),
            ("ldap", no_subject()),
            ("oidc --issuer i --client-id c f", UsageError::Missing("--jwks")),
            ("oidc --client-id c --jwks k f", UsageError::Missing("--issuer")),
            ("oidc --issuer i --jwks k f", UsageError::Missing("--client-id")),
            ("oidc --config c --jwks k f", UsageError::Missing("--connection")),
            (
                "oidc --config c --connection c --issuer i --jwks k f",
                UsageError::Conflicting("--config", "--issuer"),
            ),
        ];
        for (line, error) in cases {
            assert_eq!(inquiry(line).unwrap_err(), error, "{line}");
        }
        for (tail, error) in [
            ("", no_files()),
            ("f --nonce", UsageError::MissingValue("--nonce")),
            ("f --nonce a --nonce b", UsageError::Repeated("--nonce")),
            ("f --wrong", UsageError::UnknownOption("--wrong".into())),
            ("f --explain", UsageError::Missing("--config")),
            ("f --require-at-hash=no", UsageError::UnexpectedValue("--require-at-hash")),
            ("f --leeway -1", UsageError::invalid("--leeway", &"not a number of seconds")),
        ] {
            assert_eq!(inquiry(&format!("{LEAST} {tail}")).unwrap_err(), error, "{tail}");
        }
        assert!(matches!(inquiry(&format!("{LEAST} f --alg HS256")), Err(UsageError::Invalid("--alg", _))));
        assert!(matches!(inquiry(&format!("{LEAST} f --now noon")), Err(UsageError::Invalid("--now", _))));
    }
}
