use chrono::{DateTime, TimeDelta, Utc};
use jit_oidc::algorithm::{Algorithm, AlgorithmSet};

use super::{Given, Options, UsageError, once, seconds, time};

/// Asks about ID tokens.
#[derive(Default)]
pub(in crate::inspect) struct Inquiry {
    pub(in crate::inspect) issuer: Option<String>,
    pub(in crate::inspect) client_id: Option<String>,
    pub(in crate::inspect) config: Option<String>,
    pub(in crate::inspect) connection: Option<String>,
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
    pub(in crate::inspect) now: Option<DateTime<Utc>>,
    pub(in crate::inspect) explain: bool,
    pub(in crate::inspect) store: Option<String>,
    pub(in crate::inspect) files: Vec<String>,
}

impl std::fmt::Debug for Inquiry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inquiry").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Options for Inquiry {
    fn take(&mut self, option: &mut Given<'_>) -> Result<(), UsageError> {
        match option.name {
            "--issuer" => option.once(&mut self.issuer, "--issuer"),
            "--client-id" => option.once(&mut self.client_id, "--client-id"),
            "--config" => option.once(&mut self.config, "--config"),
            "--connection" => option.once(&mut self.connection, "--connection"),
            "--jwks" => option.once(&mut self.jwks, "--jwks"),
            "--nonce" => option.once(&mut self.nonce, "--nonce"),
            "--access-token" => option.once(&mut self.access_token, "--access-token"),
            "--code" => option.once(&mut self.code, "--code"),
            "--store" => option.once(&mut self.store, "--store"),
            "--audience" => option.each(&mut self.audiences, "--audience"),
            "--acr" => option.each(&mut self.acr, "--acr"),
            "--require-at-hash" => option.flag(&mut self.require_at_hash, "--require-at-hash"),
            "--explain" => option.flag(&mut self.explain, "--explain"),
            "--alg" => once(&mut self.algorithms, "--alg", algorithms(&option.value("--alg")?)?),
            "--max-age" => {
                once(&mut self.max_age, "--max-age", seconds("--max-age", &option.value("--max-age")?)?)
            }
            "--leeway" => {
                once(&mut self.leeway, "--leeway", seconds("--leeway", &option.value("--leeway")?)?)
            }
            "--now" => once(&mut self.now, "--now", time(&option.value("--now")?)?),
            _ => Err(option.unknown()),
        }
    }

    fn file(&mut self, name: String) {
        self.files.push(name);
    }
}

impl Inquiry {
    /// The inquiry, if its options go together.
    pub(super) fn checked(self) -> Result<Self, UsageError> {
        if self.jwks.is_none() {
            return Err(UsageError::Missing("--jwks"));
        }
        check(&self)?;
        Ok(self)
    }
}

fn check(inquiry: &Inquiry) -> Result<(), UsageError> {
    if inquiry.config.is_some() {
        if inquiry.issuer.is_some() {
            return Err(UsageError::Conflicting("--config", "--issuer"));
        }
        if inquiry.client_id.is_some() {
            return Err(UsageError::Conflicting("--config", "--client-id"));
        }
        if inquiry.connection.is_none() {
            return Err(UsageError::Missing("--connection"));
        }
    } else {
        if inquiry.issuer.is_none() {
            return Err(UsageError::Missing("--issuer"));
        }
        if inquiry.client_id.is_none() {
            return Err(UsageError::Missing("--client-id"));
        }
        if inquiry.connection.is_some() || inquiry.explain {
            return Err(UsageError::Missing("--config"));
        }
    }
    if inquiry.store.is_some() && !inquiry.explain {
        return Err(UsageError::Missing("--explain"));
    }
    if inquiry.files.is_empty() { Err(UsageError::NoFiles) } else { Ok(()) }
}

fn algorithms(text: &str) -> Result<AlgorithmSet, UsageError> {
    let unknown = || UsageError::Invalid("--alg", "not a list of asymmetric JOSE signature algorithms");
    let named: Option<Vec<_>> = text.split(',').map(|name| Algorithm::from_name(name.trim())).collect();
    Ok(AlgorithmSet::of(&named.ok_or_else(unknown)?))
}

#[cfg(test)]
mod tests {
    use super::super::{Command, parse};
    use super::*;

    fn inquiry(line: &str) -> Result<Inquiry, UsageError> {
        match parse(line.split_whitespace().map(str::to_owned))? {
            Command::Oidc(inquiry) => Ok(*inquiry),
            other => panic!("{other:?}"),
        }
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
        assert_eq!(asked.now.unwrap().timestamp(), 1_800_000_000);
        assert_eq!(asked.files, ["one.jwt", "--two.jwt"]);
        assert!(asked.require_at_hash);
    }

    #[test]
    fn a_wrong_command_line_says_what_is_wrong() {
        let cases = [
            ("", UsageError::NoSubject),
            ("ldap", UsageError::NoSubject),
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
            ("", UsageError::NoFiles),
            ("f --nonce", UsageError::MissingValue("--nonce")),
            ("f --nonce a --nonce b", UsageError::Repeated("--nonce")),
            ("f --wrong", UsageError::UnknownOption("--wrong".into())),
            ("f --explain", UsageError::Missing("--config")),
            ("f --require-at-hash=no", UsageError::UnexpectedValue("--require-at-hash")),
            ("f --leeway -1", UsageError::Invalid("--leeway", "not a number of seconds")),
        ] {
            assert_eq!(inquiry(&format!("{LEAST} {tail}")).unwrap_err(), error, "{tail}");
        }
        assert!(matches!(inquiry(&format!("{LEAST} f --alg HS256")), Err(UsageError::Invalid("--alg", _))));
        assert!(matches!(inquiry(&format!("{LEAST} f --now noon")), Err(UsageError::Invalid("--now", _))));
    }
}
