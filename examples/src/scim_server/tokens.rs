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
/// How many hexadecimal digits it has.
const DIGITS: usize = 64;
/// The fewest characters of a token that stands there itself: whatever is shorter is a name, or can be guessed.
const TOKEN_CHARS: usize = 20;

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
    match digest {
        Some(digest) if !is_digits(digest) => return Err("a digest has 64 hexadecimal digits".to_owned()),
        Some(_) => {}
        None => check_plain(first)?,
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
            _ if is_like_digest(word) => return Err(ORDER.to_owned()),
            None if word == "reads-only" => token.reads_only = true,
            None if place == 0 => word.clone_into(&mut token.name),
            _ => {
                return Err(format!("`{word}` is neither a name, `until=INSTANT`, `reads-only` nor `me=ID`"));
            }
        }
    }
    Ok(token)
}

/// What is said where a line begins with something else than the token or its digest.
const ORDER: &str = "a line begins with the token or its digest, and a name comes behind it";

/// Refuses as a token what was meant as something else: a text that others know would let them in.
fn check_plain(word: &str) -> Result<(), String> {
    let wrong = if !word.bytes().all(|byte| byte.is_ascii_graphic()) {
        "a token is of visible ASCII characters, and no byte order mark stands before it"
    } else if is_like_digest(word) {
        "what looks like a digest is no token: a digest is written `sha256:` and 64 hexadecimal digits"
    } else if word.starts_with("until=") || word.starts_with("me=") {
        ORDER
    } else if word.len() < TOKEN_CHARS {
        return Err(format!(
            "a token has {TOKEN_CHARS} characters or more: make one with `scim-server token`"
        ));
    } else {
        return Ok(());
    };
    Err(wrong.to_owned())
}

/// Tells whether somebody may have meant a digest, as people and programs write it.
fn is_like_digest(word: &str) -> bool {
    let begins = |with: &str| word.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    is_digits(word) || begins("sha256") || begins("sha-256")
}

fn is_digits(text: &str) -> bool {
    text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HUSH: &str = "hush-hush-hush-hush-hush";

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
        let token = parsed(HUSH).unwrap();
        assert_eq!((token.sha256, token.name.as_str()), (Tokens::digest(HUSH), "token 7"));
    }

    #[test]
    fn a_line_that_is_mistyped_makes_nothing_that_others_know_a_token() {
        let digest = Tokens::digest(HUSH);
        for line in [
            format!("SHA256:{digest} entra"),
            format!("sha256={digest}"),
            format!("SHA-256:{digest}"),
            format!("{digest} entra"),
            format!("{}  -", digest.to_uppercase()),
            format!("\u{feff}sha256:{digest} entra"),
            format!("\u{feff}{HUSH} entra"),
            format!("entra-2026 sha256:{digest}"),
            format!("the-connection-of-entra-2026 sha256:{digest}"),
            format!("the-connection-of-entra-2026 {digest}"),
            format!("until=2027-01-31T00:00:00Z {HUSH}"),
            format!("{HUSH} SHA256:entra"),
            "x name".to_owned(),
        ] {
            let said = parsed(&line).map(|token| token.name).unwrap_err();
            assert!(!said.contains(HUSH) && !said.contains(&digest), "{line}: {said}");
        }
    }

    #[test]
    fn what_a_line_cannot_say_is_told_without_the_token() {
        for rest in ["entra until=tomorrow", "one two", "a=b", "me=ada"] {
            let said = parsed(&format!("{HUSH} {rest}")).unwrap_err();
            assert!(!said.contains(HUSH), "{said}");
        }
    }
}
