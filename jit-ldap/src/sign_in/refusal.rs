//! What a bind that did not succeed means: for the failures that the directory counts, and for the person.

use crate::error::{Fate, LdapError};
use crate::outcome::BindRefusal;
use crate::reason::Reason;

/// What a bind did to the failures that the directory counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    /// There are none any longer.
    Forgotten,
    /// They are as before: nothing was tried, or the password was right and something else keeps the person out.
    Kept,
    /// There is one more, or may be.
    Raised,
}

impl Count {
    /// What a bind did that failed so.
    pub(super) fn of(error: &LdapError) -> Self {
        // the directory let the person in, to change the password and for nothing else
        if error.reason() == Reason::PasswordMustChange {
            return Self::Forgotten;
        }
        let is_guess = is_about_the_person(error) && !was_password_right(error);
        if is_guess || error.fate() == Fate::Unknown { Self::Raised } else { Self::Kept }
    }
}

/// Gives every refusal of a bind the same code, except that the password is right and has to be changed first; the cause
/// stays for whoever reads the log.
pub(super) fn tell(error: LdapError) -> LdapError {
    let has_to_change = matches!(
        said_by_active_directory(&error),
        Some(BindRefusal::PasswordExpired | BindRefusal::MustChangePassword)
    );
    if has_to_change {
        answered(Reason::PasswordMustChange).caused_by(error)
    } else if is_about_the_person(&error) {
        answered(Reason::SignInRefused).caused_by(error)
    } else {
        error
    }
}

pub(super) fn answered(reason: Reason) -> LdapError {
    LdapError::new(reason).with_fate(Fate::Answered)
}

fn is_about_the_person(error: &LdapError) -> bool {
    /// RFC 4511 §4.2.2: the entry has no password.
    const INAPPROPRIATE_AUTHENTICATION: u32 = 48;
    let has_no_password =
        error.answer().is_some_and(|answer| answer.code().number() == INAPPROPRIATE_AUTHENTICATION);
    let is_refusal = matches!(
        error.reason(),
        Reason::CredentialsInvalid
            | Reason::EntryMissing
            | Reason::DnRefused
            | Reason::Unwilling
            | Reason::ConstraintViolation
            | Reason::AccessDenied
    );
    is_refusal || has_no_password
}

/// Active Directory says these to nobody but whoever knows the password, and counts no failure. That an account is locked
/// out it says to everybody.
fn was_password_right(error: &LdapError) -> bool {
    matches!(
        said_by_active_directory(error),
        Some(
            BindRefusal::Restricted
                | BindRefusal::PasswordExpired
                | BindRefusal::Disabled
                | BindRefusal::AccountExpired
                | BindRefusal::MustChangePassword
        )
    )
}

fn said_by_active_directory(error: &LdapError) -> Option<BindRefusal> {
    error.answer().filter(|_| error.reason() == Reason::CredentialsInvalid)?.bind_refusal()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ber::{Reader, tag};
    use crate::outcome::Answer;

    fn refused(code: u8, text: &str) -> LdapError {
        let mut bytes = vec![tag::ENUMERATED, 1, code, 4, 0, 4, u8::try_from(text.len()).unwrap()];
        bytes.extend_from_slice(text.as_bytes());
        LdapError::refused(Answer::read(&mut Reader::new(&bytes)).unwrap())
    }

    #[test]
    fn active_directory_counts_no_guess_where_the_password_was_right() {
        for (data, told, count) in [
            ("52e", Reason::SignInRefused, Count::Raised),
            ("525", Reason::SignInRefused, Count::Raised),
            ("775", Reason::SignInRefused, Count::Raised),
            ("530", Reason::SignInRefused, Count::Kept),
            ("531", Reason::SignInRefused, Count::Kept),
            ("533", Reason::SignInRefused, Count::Kept),
            ("701", Reason::SignInRefused, Count::Kept),
            ("532", Reason::PasswordMustChange, Count::Kept),
            ("773", Reason::PasswordMustChange, Count::Kept),
        ] {
            let text = format!(
                "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data {data}, v1db1"
            );
            let error = refused(49, &text);
            assert_eq!(Count::of(&error), count, "{data}");
            let told_as = tell(error);
            assert_eq!((told_as.reason(), told_as.fate()), (told, Fate::Answered), "{data}");
            assert!(std::error::Error::source(&told_as).is_some(), "the log can say more: {data}");
        }
    }

    #[test]
    fn an_outage_is_no_guess_and_forgets_none_unless_nobody_knows_what_became_of_the_bind() {
        for code in [51, 52] {
            let error = refused(code, "data 773");
            assert_eq!(Count::of(&error), Count::Kept);
            assert_eq!(tell(error).reason(), Reason::Busy, "no text makes it a refusal");
        }
        assert_eq!(Count::of(&LdapError::new(Reason::ConnectFailed)), Count::Kept);
        let lost = LdapError::new(Reason::Timeout).with_fate(Fate::Unknown);
        assert_eq!(Count::of(&lost), Count::Raised);
        assert_eq!(Count::of(&answered(Reason::PasswordMustChange)), Count::Forgotten);
    }
}
