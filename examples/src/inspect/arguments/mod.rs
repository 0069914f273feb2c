//! The command line.

mod oidc;
mod saml;

use chrono::{DateTime, TimeDelta, Utc};

pub(super) use oidc::Inquiry as OidcInquiry;
pub(super) use saml::{Encoding, Inquiry as SamlInquiry};

/// How to call the program.
pub(super) const USAGE: &str = "\
usage: inspect oidc (--issuer I --client-id C | --config FILE --connection C)
               --jwks FILE [options] TOKEN_FILE...
       inspect saml (--sp-entity-id E --acs-url U (--idp-metadata F | --idp-entity-id E --idp-cert PEM...)
               | --config FILE --connection C) [options] RESPONSE_FILE...

Verifies ID tokens or SAML responses and prints one JSON object a line and file.

For both:
  --config FILE       take the expectations from a connection of this portal configuration
  --connection C      the connection in that configuration
  --now TIME          the time of the inspection, in seconds since 1970 or as RFC 3339; else the present
  --explain           add mapping, decision and plan; needs --config
  --store S           explain against this store (sqlite:FILE or a postgres:// URL) instead of an empty one
  --help              show this text

For tokens:
  --issuer I          the issuer that the token must name
  --client-id C       the client that the token must be meant for
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

For responses:
  --sp-entity-id E    the service provider that the response must be meant for
  --acs-url U         where the response was posted to
  --idp-metadata F    the metadata of the identity provider
  --idp-entity-id E   the identity provider; with metadata of several, the one that is meant
  --idp-cert PEM      a certificate of the identity provider; may be repeated
  --decryption-key K  a private key in PEM that assertions may be encrypted for; may be repeated
  --request-id ID     the request that the response must answer
  --unsolicited       accept responses that answer no request
  --skew S            by how many seconds clocks may differ
  --encoding E        how the files are written, `xml` or `base64`; else as they look

FILE `-` is standard input. Exit status: 0 all were accepted, 1 some were not, 2 bad usage.
";

/// Says what is wrong with a command line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UsageError {
    /// No kind of evidence was named, or an unknown one.
    #[error("name what to inspect: `oidc` or `saml`")]
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
    #[error("name at least one file")]
    NoFiles,
    /// The configuration cannot serve; the text names file, line and field.
    #[error("{0}")]
    Configuration(String),
}

/// What the command line asks for.
#[derive(Debug)]
pub(super) enum Command {
    Help,
    Oidc(Box<OidcInquiry>),
    Saml(Box<SamlInquiry>),
}

/// Takes the options of one kind of evidence.
trait Options {
    /// Takes an option and, where it has one, its value.
    fn take(&mut self, option: &mut Given<'_>) -> Result<(), UsageError>;

    /// Takes a file.
    fn file(&mut self, name: String);
}

/// An option as it stands on the command line.
struct Given<'a> {
    name: &'a str,
    /// What stands behind `=`.
    attached: Option<&'a str>,
    rest: &'a mut dyn Iterator<Item = String>,
}

impl Given<'_> {
    fn value(&mut self, name: &'static str) -> Result<String, UsageError> {
        let attached = self.attached.map(str::to_owned);
        attached.or_else(|| self.rest.next()).ok_or(UsageError::MissingValue(name))
    }

    fn once(&mut self, place: &mut Option<String>, name: &'static str) -> Result<(), UsageError> {
        let value = self.value(name)?;
        once(place, name, value)
    }

    fn each(&mut self, list: &mut Vec<String>, name: &'static str) -> Result<(), UsageError> {
        list.push(self.value(name)?);
        Ok(())
    }

    fn flag(&self, place: &mut bool, name: &'static str) -> Result<(), UsageError> {
        if self.attached.is_some() {
            return Err(UsageError::UnexpectedValue(name));
        }
        *place = true;
        Ok(())
    }

    fn unknown(&self) -> UsageError {
        UsageError::UnknownOption(self.name.to_owned())
    }
}

/// Reads the command line, the program's name left out.
pub(super) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Command, UsageError> {
    let mut rest = arguments.into_iter();
    match rest.next().as_deref() {
        Some("--help" | "-h" | "help") => Ok(Command::Help),
        Some("oidc") => {
            let mut inquiry = OidcInquiry::default();
            match read(&mut inquiry, &mut rest)? {
                Read::Help => Ok(Command::Help),
                Read::Options => inquiry.checked().map(|inquiry| Command::Oidc(Box::new(inquiry))),
            }
        }
        Some("saml") => {
            let mut inquiry = SamlInquiry::default();
            match read(&mut inquiry, &mut rest)? {
                Read::Help => Ok(Command::Help),
                Read::Options => inquiry.checked().map(|inquiry| Command::Saml(Box::new(inquiry))),
            }
        }
        _ => Err(UsageError::NoSubject),
    }
}

enum Read {
    Help,
    Options,
}

fn read(options: &mut dyn Options, rest: &mut dyn Iterator<Item = String>) -> Result<Read, UsageError> {
    let mut options_ended = false;
    while let Some(argument) = rest.next() {
        if options_ended || argument == "-" || !argument.starts_with('-') {
            options.file(argument);
            continue;
        }
        let (name, attached) = match argument.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (argument.as_str(), None),
        };
        match name {
            "--" => options_ended = true,
            "--help" | "-h" => return Ok(Read::Help),
            _ => options.take(&mut Given { name, attached, rest })?,
        }
    }
    Ok(Read::Options)
}

fn once<T>(place: &mut Option<T>, name: &'static str, value: T) -> Result<(), UsageError> {
    if place.is_some() {
        return Err(UsageError::Repeated(name));
    }
    *place = Some(value);
    Ok(())
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
