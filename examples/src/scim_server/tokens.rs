//! Who may ask: a file with the digests of tokens.

use std::fs;
use std::path::Path;

use chrono::{DateTime, Utc};
use jit_core::{ConnectionId, TenantId};
use jit_scim::server::{Token, Tokens};

use super::stop::Stop;
use crate::say::say;
use crate::web::random_token;

/// What a digest begins with.
const DIGEST: &str = "sha256:";

/// Makes a token, and prints it with its line for the file.
pub(super) fn make() -> Result<(), Stop> {
    let token = random_token().map_err(Stop::cannot_serve)?;
    let digest = Tokens::digest(&token);
    say(format_args!("{token}\n{DIGEST}{digest}\n")).map_err(Stop::cannot_serve)
}

/// Reads a file of tokens that are good for one connection. Complains of each that stands there itself.
pub(crate) fn read(
    file: &Path,
    (tenant, connection): (&TenantId, &ConnectionId),
    warn: &mut dyn FnMut(String),
) -> Result<Vec<Token>, String> {
    let place = file.display();
    let text =
        fs::read_to_string(file).map_err(|error| format!("{place}: cannot be read: {}", error.kind()))?;
    let mut tokens = Vec::new();
    for (number, line) in text.lines().enumerate().map(|(number, line)| (number + 1, line.trim())) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut token = token(line, number, (tenant, connection))
            .map_err(|wrong| format!("{place}:{number}: {wrong}"))?;
        if !line.starts_with(DIGEST) {
            warn(format!(
                "{place}:{number}: the token itself stands here: keep its digest instead (`scim-server token`)"
            ));
        }
        token.sha256.make_ascii_lowercase();
        tokens.push(token);
    }
    if tokens.is_empty() {
        return Err(format!("{place}: holds no token"));
    }
    Ok(tokens)
}

/// Reads a line: a token or its digest, and behind it a name, how long it is good, and what for.
fn token(
    line: &str,
    number: usize,
    (tenant, connection): (&TenantId, &ConnectionId),
) -> Result<Token, String> {
    let mut words = line.split_whitespace();
    let first = words.next().unwrap_or_default();
    let digest = first.strip_prefix(DIGEST);
    let is_whole = |digest: &str| digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    if digest.is_some_and(|digest| !is_whole(digest)) {
        return Err("a digest has 64 hexadecimal digits".to_owned());
    }
    let mut token = Token {
        sha256: digest.map_or_else(|| Tokens::digest(first), str::to_owned),
        tenant: tenant.clone(),
        connection: connection.clone(),
        name: format!("token {number}"),
        until: None,
        reads_only: false,
        me: None,
    };
    for (place, word) in words.enumerate() {
        match word.split_once('=') {
            Some(("until", instant)) => {
                let until = DateTime::parse_from_rfc3339(instant);
                token.until = Some(
                    until
                        .map_err(|_| "`until` needs an instant, as in 2027-01-31T00:00:00Z")?
                        .with_timezone(&Utc),
                );
            }
            Some(("me", id)) => {
                token.me = Some(id.parse().map_err(|_| "`me` needs the `id` of a user")?);
            }
            None if word == "reads-only" => token.reads_only = true,
            None if place == 0 => word.clone_into(&mut token.name),
            _ => {
                return Err(format!("`{word}` is neither a name, `until=INSTANT`, `reads-only` nor `me=ID`"));
            }
        }
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Token, String> {
        token(line, 7, (&TenantId::new("acme").unwrap(), &ConnectionId::new("hr").unwrap()))
    }

    #[test]
    fn a_line_says_what_a_token_is_good_for() {
        let digest = Tokens::digest("a token");
        let id = "0192f0c1-2345-7890-abcd-ef0123456789";
        let line = format!("sha256:{digest} entra until=2027-01-31T00:00:00Z reads-only me={id}");
        let token = parsed(&line).unwrap();
        assert_eq!(token.me.map(|id| id.to_string()).as_deref(), Some(id));
        assert_eq!((token.sha256.as_str(), token.name.as_str()), (digest.as_str(), "entra"));
        assert_eq!(token.until.unwrap().to_rfc3339(), "2027-01-31T00:00:00+00:00");
        assert!(token.reads_only);
        let token = parsed("hush").unwrap();
        assert_eq!((token.sha256, token.name.as_str()), (Tokens::digest("hush"), "token 7"));
    }

    #[test]
    fn what_a_line_cannot_say_is_told_without_the_token() {
        for line in ["hush entra until=tomorrow", "hush one two", "hush a=b", "hush me=ada"] {
            let said = parsed(line).unwrap_err();
            assert!(!said.contains("hush"), "{said}");
        }
    }
}
