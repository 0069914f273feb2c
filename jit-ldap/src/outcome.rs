//! What a server answers at the end of an operation: result codes and what they mean for us.

use std::fmt;

use crate::ber::{Reader, tag};
use crate::reason::Reason;

/// The longest diagnostic text that is kept, in characters.
const DIAGNOSTIC: usize = 512;

/// A result code (RFC 4511 §4.1.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ResultCode(u32);

impl ResultCode {
    /// The operation was carried out.
    pub const SUCCESS: Self = Self(0);

    /// Returns the number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }

    const fn reason(self) -> Reason {
        match self.0 {
            3 => Reason::TimeLimit,
            4 => Reason::SizeLimit,
            7 | 8 | 13 | 48 => Reason::AuthenticationMethod,
            9 | 10 => Reason::Referral,
            11 => Reason::AdminLimit,
            2 | 12 => Reason::ControlUnsupported,
            16 => Reason::ValueMissing,
            17 | 18 | 21 | 64 | 65 | 67 | 69 => Reason::SchemaViolation,
            19 => Reason::ConstraintViolation,
            20 => Reason::ValueExists,
            32 => Reason::EntryMissing,
            34 => Reason::DnRefused,
            49 => Reason::CredentialsInvalid,
            50 => Reason::AccessDenied,
            51 | 52 => Reason::Busy,
            53 => Reason::Unwilling,
            66 => Reason::HasChildren,
            68 => Reason::EntryExists,
            122 => Reason::AssertionFailed,
            // RFC 4533 §3.7
            4096 => Reason::SyncRestart,
            _ => Reason::ServerFailed,
        }
    }
}

/// What a server answered. `Debug` shows the number only: the text may quote values of the directory.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    code: ResultCode,
    diagnostic: String,
}

impl Answer {
    /// Reads `LDAPResult`; the caller goes on with what follows it in the same element.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Reason> {
        let code = u32::try_from(reader.enumerated()?).map_err(|_| Reason::MessageMalformed)?;
        // neither is used: the name may be of any form, and texts of servers are not always UTF-8
        let _matched = reader.expect(tag::OCTET_STRING)?;
        let diagnostic = reader.expect(tag::OCTET_STRING)?;
        let _referral = reader.optional(tag::constructed(3))?;
        let diagnostic: String = String::from_utf8_lossy(diagnostic)
            .chars()
            .take(DIAGNOSTIC)
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        Ok(Self { code: ResultCode(code), diagnostic })
    }

    /// Returns the result code.
    #[must_use]
    pub const fn code(&self) -> ResultCode {
        self.code
    }

    /// Returns the text that the server added, shortened and without control characters. It may quote values of the
    /// directory: it belongs in front of administrators, not of people who sign in.
    #[must_use]
    pub fn diagnostic(&self) -> &str {
        &self.diagnostic
    }

    /// Says what the code means for us.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.code.reason()
    }

    /// Returns why Active Directory refused a bind, where it says so.
    #[must_use]
    pub fn bind_refusal(&self) -> Option<BindRefusal> {
        let (_, after) = self.diagnostic.split_once("data ")?;
        let number: String = after.chars().take_while(char::is_ascii_hexdigit).collect();
        BindRefusal::of(u32::from_str_radix(&number, 16).ok()?)
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({})", self.code.0)
    }
}

/// Why Active Directory refused a bind ([MS-ERREF] §2.2): the number after `data` in the diagnostic text. Only whoever
/// knows the password is told more than the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BindRefusal {
    /// 52e: wrong name or password.
    Credentials,
    /// 530, 531: not at this time or from this place.
    Restricted,
    /// 532: the password is too old.
    PasswordExpired,
    /// 533: the account is disabled.
    Disabled,
    /// 701: `accountExpires` has passed.
    AccountExpired,
    /// 773: the password has to be changed first.
    MustChangePassword,
    /// 775: the account is locked out.
    LockedOut,
}

impl BindRefusal {
    const fn of(number: u32) -> Option<Self> {
        Some(match number {
            0x525 | 0x52e => Self::Credentials,
            0x530 | 0x531 => Self::Restricted,
            0x532 => Self::PasswordExpired,
            0x533 => Self::Disabled,
            0x701 => Self::AccountExpired,
            0x773 => Self::MustChangePassword,
            0x775 => Self::LockedOut,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(diagnostic: &[u8]) -> Answer {
        let mut bytes = vec![tag::ENUMERATED, 1, 49, 4, 0, 4, u8::try_from(diagnostic.len()).unwrap()];
        bytes.extend_from_slice(diagnostic);
        Answer::read(&mut Reader::new(&bytes)).unwrap()
    }

    #[test]
    fn active_directory_says_why_it_refused() {
        let text = b"80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data 701, v1db1";
        assert_eq!(answer(text).bind_refusal(), Some(BindRefusal::AccountExpired));
        assert_eq!(answer(b"data 775, v893").bind_refusal(), Some(BindRefusal::LockedOut));
        assert_eq!(answer(b"Invalid credentials").bind_refusal(), None);
        assert_eq!(answer(b"data ffffffffffffffffff").bind_refusal(), None);
    }

    #[test]
    fn a_text_that_is_no_text_does_not_hide_the_answer() {
        let answer = answer(&[0xff, 0xfe, b'\n', b'x']);
        assert_eq!(answer.reason(), Reason::CredentialsInvalid);
        assert_eq!(answer.diagnostic(), "\u{fffd}\u{fffd} x");
    }
}
