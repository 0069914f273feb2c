//! The command line.

mod both;
mod oidc;
mod saml;

use std::ffi::{OsStr, OsString};

use chrono::TimeDelta;

use crate::command_line::{Given, UsageError};

pub(super) use both::ForBoth;
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

/// What the command line asks for.
#[derive(Debug)]
pub(super) enum Command {
    Help,
    Oidc(Box<OidcInquiry>),
    Saml(Box<SamlInquiry>),
}

/// Reads the command line, the program's name left out.
pub(super) fn parse(arguments: impl IntoIterator<Item: Into<OsString>>) -> Result<Command, UsageError> {
    let mut rest = arguments.into_iter().map(Into::into);
    let subject: Option<OsString> = rest.next();
    match subject.as_deref().and_then(OsStr::to_str) {
        Some("--help" | "-h" | "help") => Ok(Command::Help),
        Some("oidc") => {
            let inquiry = taken(ForBoth::read(rest, &oidc::OPTIONS)?, OidcInquiry::take)?;
            Ok(inquiry.map_or(Command::Help, |inquiry| Command::Oidc(Box::new(inquiry))))
        }
        Some("saml") => {
            let inquiry = taken(ForBoth::read(rest, &saml::OPTIONS)?, SamlInquiry::take)?;
            Ok(inquiry.map_or(Command::Help, |inquiry| Command::Saml(Box::new(inquiry))))
        }
        _ => Err(UsageError::Unclear("name what to inspect: `oidc` or `saml`".to_owned())),
    }
}

/// Takes what an inquiry needs, unless all that is asked for is how to call the program.
fn taken<T>(
    mut given: Given,
    take: impl FnOnce(&mut Given) -> Result<T, UsageError>,
) -> Result<Option<T>, UsageError> {
    if given.help {
        return Ok(None);
    }
    let inquiry = take(&mut given)?;
    given.rest()?;
    Ok(Some(inquiry))
}

fn seconds(given: &mut Given, name: &'static str) -> Result<Option<TimeDelta>, UsageError> {
    let Some(text) = given.one(name)? else { return Ok(None) };
    let count = text.parse::<u32>().map_err(|_| UsageError::invalid(name, &"not a number of seconds"))?;
    Ok(Some(TimeDelta::seconds(i64::from(count))))
}
