//! Passwords on their way to a directory.

use std::fmt;

use zeroize::Zeroizing;

use crate::reason::Reason;

/// The longest password, in bytes.
const BYTES: usize = 1024;

/// A password. It is wiped from memory when it is dropped; `Debug` shows nothing of it.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes a password.
    ///
    /// # Errors
    /// `ldap.password_empty`: a bind with a name and an empty password succeeds for anybody (RFC 4513 §5.1.2).
    /// `ldap.password_malformed` when it holds NUL, at which some directories end it, or is longer than 1 KiB.
    pub fn new(text: impl Into<String>) -> Result<Self, Reason> {
        let text = Zeroizing::new(text.into());
        if text.is_empty() {
            Err(Reason::PasswordEmpty)
        } else if text.contains('\0') || text.len() > BYTES {
            Err(Reason::PasswordMalformed)
        } else {
            Ok(Self(text))
        }
    }

    /// Hands the password out, to where it is used.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The same backwards. It never grows, which would leave copies behind.
    pub(crate) fn reversed(&self) -> Self {
        let mut text = Zeroizing::new(String::with_capacity(self.0.len()));
        text.extend(self.0.chars().rev());
        Self(text)
    }

    /// Writes the value of `unicodePwd`: in quotes, UTF-16, little-endian ([MS-ADTS] §3.1.1.3.1.5).
    #[must_use]
    pub fn to_unicode_password(&self) -> Zeroizing<Vec<u8>> {
        let quoted = std::iter::once('"').chain(self.0.chars()).chain(std::iter::once('"'));
        let mut octets = Zeroizing::new(Vec::with_capacity(2 * self.0.len() + 4));
        for c in quoted {
            for unit in c.encode_utf16(&mut [0; 2]) {
                octets.extend_from_slice(&unit.to_le_bytes());
            }
        }
        octets
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_directory_would_misread_is_refused() {
        assert_eq!(Password::new("").unwrap_err(), Reason::PasswordEmpty);
        assert_eq!(Password::new("secret\0junk").unwrap_err(), Reason::PasswordMalformed);
        assert_eq!(Password::new("x".repeat(1025)).unwrap_err(), Reason::PasswordMalformed);
        assert_eq!(format!("{:?}", Password::new("secret").unwrap()), "Password(…)");
    }

    #[test]
    fn active_directory_gets_quotes_and_utf_16() {
        let octets = Password::new("aé🦀").unwrap().to_unicode_password();
        assert_eq!(octets.as_slice(), [b'"', 0, b'a', 0, 0xe9, 0, 0x3e, 0xd8, 0x80, 0xdd, b'"', 0]);
    }
}
