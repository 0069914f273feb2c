use chrono::{DateTime, TimeDelta, Utc};
use jit_oidc::algorithm::{Algorithm, AlgorithmSet};

/// How to call the program.
pub(super) const USAGE: &str = "\
usage: inspect oidc (--issuer I --client-id C | --config FILE --connection C)
               --jwks FILE [options] TOKEN_FILE...

Verifies ID tokens and prints one JSON object a line and file.

  --issuer I          the issuer that the token must name
  --client-id C       the client that the token must be meant for
  --config FILE       take both, and everything else, from a connection of this portal configuration
  --connection C      the connection in that configuration
  --jwks FILE         the provider's key set
  --nonce N           the nonce of the sign-in
  --access-token T    the access token that `at_hash` must belong to
  --code C            the authorization code that `c_hash` must belong to
  --alg A,...         the algorithms to allow
  --audience A        another audience to trust; may be repeated
  --max-age S         the most seconds since the person authenticated
  --acr A             an accepted authentication context; may be repeated
  --require-at-hash   refuse tokens without `at_hash`
  --leeway S          by how many seconds clocks may differ
  --now TIME          the time of the inspection, in seconds since 1970 or as RFC 3339; else the present
  --explain           add mapping, decision and plan; needs --config
  --store S           explain against this store (sqlite:FILE or a postgres:// URL) instead of an empty one
  --help              show this text

TOKEN_FILE `-` is standard input. Exit status: 0 all were accepted, 1 some were not, 2 bad usage.
";

/// Says what is wrong with a command line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UsageError {
    /// No kind of evidence was named, or an unknown one.
    #[error("name what to inspect: `oidc`")]
    NoSubject,
    /// An option that does not exist.
    #[error("unknown option `{0}`")]
    UnknownOption(String),
    /// An option without its value.
    #[error("option `{0}` needs a value")]
    MissingValue(&'static str),
    /// An option with a value that takes none.
    #[error("option `{0}` takes no value")]
    UnexpectedValue(&'static str),
    /// An option that was given twice.
    #[error("option `{0}` is given twice")]
    Repeated(&'static str),
    /// A required option that is missing.
    #[error("option `{0}` is missing")]
    Missing(&'static str),
    /// Options that exclude each other.
    #[error("options `{0}` and `{1}` exclude each other")]
    Conflicting(&'static str, &'static str),
    /// A value that cannot be read.
    #[error("option `{0}`: {1}")]
    Invalid(&'static str, &'static str),
    /// No file to inspect.
    #[error("name at least one token file")]
    NoFiles,
    /// The configuration cannot serve; the text names file, line and field.
    #[error("{0}")]
    Configuration(String),
}

/// What the command line asks for.
#[derive(Debug)]
pub(super) enum Command {
    Help,
    Oidc(Box<Inquiry>),
}

/// Asks about ID tokens.
#[derive(Default)]
pub(super) struct Inquiry {
    pub(super) issuer: Option<String>,
    pub(super) client_id: Option<String>,
    pub(super) config: Option<String>,
    pub(super) connection: Option<String>,
    pub(super) jwks: String,
    pub(super) nonce: Option<String>,
    pub(super) access_token: Option<String>,
    pub(super) code: Option<String>,
    pub(super) algorithms: Option<AlgorithmSet>,
    pub(super) audiences: Vec<String>,
    pub(super) max_age: Option<TimeDelta>,
    pub(super) acr: Vec<String>,
    pub(super) require_at_hash: bool,
    pub(super) leeway: Option<TimeDelta>,
    pub(super) now: Option<DateTime<Utc>>,
    pub(super) explain: bool,
    pub(super) store: Option<String>,
    pub(super) files: Vec<String>,
}

impl std::fmt::Debug for Inquiry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inquiry").field("files", &self.files).finish_non_exhaustive()
    }
}

/// Reads the command line, the program's name left out.
pub(super) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Command, UsageError> {
    let mut rest = arguments.into_iter();
    match rest.next().as_deref() {
        Some("--help" | "-h" | "help") => return Ok(Command::Help),
        Some("oidc") => {}
        _ => return Err(UsageError::NoSubject),
    }
    let mut inquiry = Inquiry::default();
    let mut jwks = None;
    let mut options_ended = false;
    while let Some(argument) = rest.next() {
        if options_ended || argument == "-" || !argument.starts_with('-') {
            inquiry.files.push(argument);
            continue;
        }
        let (name, attached) = match argument.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (argument, None),
        };
        match name.as_str() {
            "--" => options_ended = true,
            "--help" | "-h" => return Ok(Command::Help),
            _ => take_option(&mut inquiry, &mut jwks, &name, attached.as_deref(), &mut rest)?,
        }
    }
    inquiry.jwks = jwks.ok_or(UsageError::Missing("--jwks"))?;
    check(&inquiry)?;
    Ok(Command::Oidc(Box::new(inquiry)))
}

fn take_option(
    inquiry: &mut Inquiry,
    jwks: &mut Option<String>,
    name: &str,
    attached: Option<&str>,
    rest: &mut dyn Iterator<Item = String>,
) -> Result<(), UsageError> {
    let mut value =
        |option| attached.map(str::to_owned).or_else(|| rest.next()).ok_or(UsageError::MissingValue(option));
    match name {
        "--issuer" => once(&mut inquiry.issuer, "--issuer", value("--issuer")?),
        "--client-id" => once(&mut inquiry.client_id, "--client-id", value("--client-id")?),
        "--config" => once(&mut inquiry.config, "--config", value("--config")?),
        "--connection" => once(&mut inquiry.connection, "--connection", value("--connection")?),
        "--jwks" => once(jwks, "--jwks", value("--jwks")?),
        "--nonce" => once(&mut inquiry.nonce, "--nonce", value("--nonce")?),
        "--access-token" => once(&mut inquiry.access_token, "--access-token", value("--access-token")?),
        "--code" => once(&mut inquiry.code, "--code", value("--code")?),
        "--alg" => once(&mut inquiry.algorithms, "--alg", algorithms(&value("--alg")?)?),
        "--max-age" => once(&mut inquiry.max_age, "--max-age", seconds("--max-age", &value("--max-age")?)?),
        "--leeway" => once(&mut inquiry.leeway, "--leeway", seconds("--leeway", &value("--leeway")?)?),
        "--now" => once(&mut inquiry.now, "--now", time(&value("--now")?)?),
        "--audience" => push(&mut inquiry.audiences, value("--audience")?),
        "--acr" => push(&mut inquiry.acr, value("--acr")?),
        "--require-at-hash" => flag(&mut inquiry.require_at_hash, "--require-at-hash", attached),
        "--store" => once(&mut inquiry.store, "--store", value("--store")?),
        "--explain" => flag(&mut inquiry.explain, "--explain", attached),
        _ => Err(UsageError::UnknownOption(name.to_owned())),
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

fn once<T>(place: &mut Option<T>, name: &'static str, value: T) -> Result<(), UsageError> {
    if place.is_some() {
        return Err(UsageError::Repeated(name));
    }
    *place = Some(value);
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "stands in a row with those that can fail")]
fn push(list: &mut Vec<String>, value: String) -> Result<(), UsageError> {
    list.push(value);
    Ok(())
}

fn flag(place: &mut bool, name: &'static str, attached: Option<&str>) -> Result<(), UsageError> {
    if attached.is_some() {
        return Err(UsageError::UnexpectedValue(name));
    }
    *place = true;
    Ok(())
}

fn algorithms(text: &str) -> Result<AlgorithmSet, UsageError> {
    let unknown = || UsageError::Invalid("--alg", "not a list of asymmetric JOSE signature algorithms");
    let named: Option<Vec<_>> = text.split(',').map(|name| Algorithm::from_name(name.trim())).collect();
    Ok(AlgorithmSet::of(&named.ok_or_else(unknown)?))
}

fn seconds(name: &'static str, text: &str) -> Result<TimeDelta, UsageError> {
    let count = text.parse::<u32>().map_err(|_| UsageError::Invalid(name, "not a number of seconds"))?;
    Ok(TimeDelta::seconds(i64::from(count)))
}

fn time(text: &str) -> Result<DateTime<Utc>, UsageError> {
    let from_epoch = text.parse::<i64>().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    from_epoch
        .or_else(|| DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc()))
        .ok_or(UsageError::Invalid("--now", "neither seconds since 1970 nor a time of RFC 3339"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inquiry(line: &str) -> Result<Inquiry, UsageError> {
        match parse(line.split_whitespace().map(str::to_owned))? {
            Command::Oidc(inquiry) => Ok(*inquiry),
            Command::Help => panic!("asked for help"),
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
            ("saml", UsageError::NoSubject),
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
