//! User names: shown as given, compared by a key under which look-alikes of case and width are one.

use std::fmt;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use unicode_security::MixedScript;

use crate::caseless::caseless;
use crate::text::{Characters, has_upper};

/// Keeps a user name and the key by which it is unique in a tenant.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct UserName {
    text: SmolStr,
    key: SmolStr,
}

/// Says why a text cannot be a user name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// Empty, or nothing remains of it under normalisation.
    #[error("a user name must not be empty")]
    Empty,
    /// Longer than 128 bytes, as given or normalised.
    #[error("a user name must not be longer than 128 bytes")]
    TooLong,
    /// A blank, control, invisible or direction character, or one of `/ \ " ' < > : ; , @` outside an address.
    #[error("a user name holds a character that is not allowed there")]
    Character,
    /// Letters of several scripts that can pass for each other.
    #[error("a user name must not mix scripts")]
    MixedScript,
}

impl NameError {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> crate::Code {
        crate::Code::new(match self {
            Self::Empty => "name.empty",
            Self::TooLong => "name.too_long",
            Self::Character => "name.character",
            Self::MixedScript => "name.mixed_script",
        })
    }
}

const NAME_BYTES: usize = 128;
/// The characters of ASCII that a name may hold.
static PLAIN: Characters = Characters::letters_digits_and(b"._-+@~$#");

impl UserName {
    /// Checks a name and derives its key.
    ///
    /// An `@` is allowed, so that directories which use addresses as names can be served; planning refuses such a name
    /// unless it is the account's own proved address.
    ///
    /// # Errors
    /// `name.empty`, `name.too_long`, `name.character`, `name.mixed_script`.
    pub fn new(text: &str) -> Result<Self, NameError> {
        check(text)?;
        if text.is_ascii() {
            // Lower case changes neither the length nor which characters are allowed.
            let text = SmolStr::new(text);
            let is_folded = !has_upper(&text);
            let key = if is_folded { text.clone() } else { text.to_ascii_lowercase().into() };
            return Ok(Self { text, key });
        }
        let key = caseless(text);
        check(&key)?;
        Ok(Self { text: text.into(), key: SmolStr::new(key) })
    }

    /// Takes a name and its key as they were kept.
    pub(crate) fn kept(text: &str, key: &str) -> Self {
        let text = SmolStr::new(text);
        let key = if text == key { text.clone() } else { key.into() };
        Self { text, key }
    }

    /// The name as given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The comparison key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Tells whether the name has the form of an address.
    #[must_use]
    pub fn looks_like_address(&self) -> bool {
        self.key.contains('@')
    }
}

fn check(text: &str) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text.len() > NAME_BYTES {
        return Err(NameError::TooLong);
    }
    if text.bytes().all(|byte| PLAIN.hold(byte)) {
        return Ok(());
    }
    let allowed = |c: char| match u8::try_from(c) {
        Ok(byte) if byte.is_ascii() => PLAIN.hold(byte),
        _ => c.is_alphanumeric() || is_mark(c),
    };
    if !text.chars().all(allowed) {
        return Err(NameError::Character);
    }
    if !text.is_single_script() {
        return Err(NameError::MixedScript);
    }
    Ok(())
}

/// Lets combining marks pass that belong to letters of many scripts.
fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserName(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> String {
        UserName::new(text).unwrap().key().to_owned()
    }

    #[test]
    fn names_that_differ_in_case_or_width_only_share_a_key() {
        assert_eq!(key("Alice"), key("ALICE"));
        assert_eq!(key("straße"), key("STRASSE"));
        assert_eq!(key("σοφος"), key("ΣΟΦΟΣ"));
        assert_eq!(key("ａlice".trim()), "alice");
        assert_eq!(UserName::new("Bob").unwrap().as_str(), "Bob");
    }

    #[test]
    fn names_that_hide_or_confuse_are_refused() {
        for (bad, why) in [
            ("", NameError::Empty),
            ("a b", NameError::Character),
            ("a\u{200b}b", NameError::Character),
            ("a\u{202e}b", NameError::Character),
            ("a/b", NameError::Character),
            ("pаypal", NameError::MixedScript), // a Cyrillic а
        ] {
            assert_eq!(UserName::new(bad), Err(why), "{bad:?}");
        }
        assert!(
            UserName::new("jürgen").is_ok()
                && UserName::new("Дмитрий").is_ok()
                && UserName::new("山田太郎").is_ok()
        );
    }

    #[test]
    fn ascii_takes_no_other_characters_than_all_of_unicode_does() {
        for byte in 0..128_u8 {
            let c = char::from(byte);
            let is_allowed = c.is_alphanumeric() || "._-+@~$#".contains(c);
            assert_eq!(UserName::new(&format!("a{c}")).is_ok(), is_allowed, "{c:?}");
            assert_eq!(UserName::new(&format!("é{c}")).is_ok(), is_allowed, "{c:?}");
        }
        let name = UserName::new("Alice").unwrap();
        assert_eq!((name.as_str(), name.key()), ("Alice", "alice"));
    }

    #[test]
    fn every_key_is_its_own_key() {
        for c in ('\u{80}'..='\u{2ffff}').filter(|c| c.is_alphanumeric()) {
            if let Ok(name) = UserName::new(&c.to_string()) {
                assert_eq!(caseless(name.key()), name.key(), "{c:?}");
            }
        }
    }
}
