//! Every reason for which something fails, each with a stable code.

use std::fmt;

use jit_core::{ErrorClass, ErrorKind, Retry, Taken};

/// What a reason says about trying again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nature {
    /// The directory is not there now.
    Outage,
    /// Settings or code must be mended.
    Setup,
    /// The input is not sound, or the directory says no to it.
    Refusal,
    /// Somebody else has the name.
    Taken,
    /// The entry is not as it was.
    Changed,
    /// The other side breaks the protocol.
    Violation,
}

macro_rules! reasons {
    ($( $(#[doc = $section:literal])? $variant:ident = $code:literal, $nature:ident, $meaning:literal; )+) => {
        /// Says why something failed. Carries no value of the directory.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Reason {
            $(
                #[doc = concat!("`", $code, "`: ", $meaning, ".")]
                $(#[doc = ""] #[doc = $section])?
                $variant,
            )+
        }

        impl Reason {
            /// Lists every reason.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Names the reason for logs, alerts and tests; stable across releases.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// Explains the code in one phrase.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning),+ }
            }

            const fn nature(self) -> Nature {
                match self { $(Self::$variant => Nature::$nature),+ }
            }
        }
    };
}

reasons! {
    // what the caller gives
    SettingsInvalid = "ldap.settings_invalid", Setup, "a setting is not sound";
    #[doc = "RFC 4514 §3."]
    DnMalformed = "ldap.dn_malformed", Refusal, "the text is not a distinguished name";
    DnOutside = "ldap.dn_outside", Refusal, "the entry does not lie below the place it has to lie in";
    #[doc = "RFC 4515 §3."]
    FilterMalformed = "ldap.filter_malformed", Refusal, "the text is not a filter";
    FilterTooDeep = "ldap.filter_too_deep", Refusal, "the filter is nested deeper than 32 levels or longer than 64 KiB";
    #[doc = "RFC 4512 §2.5."]
    AttributeMalformed = "ldap.attribute_malformed", Refusal, "the text is not the name of an attribute";
    ValueMalformed = "ldap.value_malformed", Refusal, "the value is not of the form that its attribute has";
    RequestTooLarge = "ldap.request_too_large", Refusal, "the request is longer than a message may be";
    #[doc = "RFC 4513 §5.1.2: a server answers it with success for anybody."]
    PasswordEmpty = "ldap.password_empty", Refusal, "the password is empty";
    PasswordMalformed = "ldap.password_malformed", Refusal, "the password holds NUL or is longer than 1 KiB";
    #[doc = "RFC 4513 §5.1.1."]
    NameEmpty = "ldap.name_empty", Refusal, "the name to bind with is empty or holds NUL";
    PasswordInClear = "ldap.password_in_clear", Setup, "a password would travel over a connection without TLS";

    // the way to the server
    ConnectFailed = "ldap.connect_failed", Outage, "the server cannot be reached";
    TlsFailed = "ldap.tls_failed", Outage, "the TLS handshake failed";
    TlsCertificate = "ldap.tls_certificate", Setup, "the certificate of the server is not trusted or is for another name";
    #[doc = "RFC 4511 §4.14.2."]
    StartTlsRefused = "ldap.start_tls_refused", Setup, "the server refused StartTLS";
    StartTlsInjected = "ldap.start_tls_injected", Violation, "plain bytes followed the answer to StartTLS";
    Timeout = "ldap.timeout", Outage, "the server did not answer in time";
    ConnectionLost = "ldap.connection_lost", Outage, "the connection ended";
    #[doc = "RFC 4511 §4.4.1."]
    Disconnected = "ldap.disconnected", Outage, "the server announced the end of the connection";
    ConnectionUnusable = "ldap.connection_unusable", Outage, "an earlier operation on the connection was not finished";
    PoolExhausted = "ldap.pool_exhausted", Outage, "no connection became free in time";
    CircuitOpen = "ldap.circuit_open", Setup, "the directory refused our own credentials a moment ago and is not asked again yet";
    ServiceRefused = "ldap.service_refused", Setup, "the directory refused our own credentials";
    ServerUnknown = "ldap.server_unknown", Setup, "no server of this name is configured";

    // what a broken or hostile server says
    MessageTooLarge = "ldap.message_too_large", Violation, "a message is longer or has more parts than allowed";
    MessageMalformed = "ldap.message_malformed", Violation, "a message is not LDAP";
    TextMalformed = "ldap.text_malformed", Violation, "a name in a message is not UTF-8";
    #[doc = "RFC 4511 §4.1.1.1."]
    MessageIdUnexpected = "ldap.message_id_unexpected", Violation, "a message answers a request that was not made";
    ResponseUnexpected = "ldap.response_unexpected", Violation, "a message is of another kind than the request asks for";
    TooManyNotices = "ldap.too_many_notices", Violation, "the server sends notices without end";
    TooManyEntries = "ldap.too_many_entries", Refusal, "the search found more than the caller takes";
    PagingStuck = "ldap.paging_stuck", Violation, "the server hands out pages without end";
    RangeStuck = "ldap.range_stuck", Violation, "the server hands out values of an attribute without end or order";
    ControlMissing = "ldap.control_missing", Setup, "the server ignored a control that the operation needs";
    EntryForeign = "ldap.entry_foreign", Violation, "the server returned an entry that was not asked for";

    // what the server answers: RFC 4511 appendix A
    Referral = "ldap.referral", Refusal, "the server names another server; referrals are not followed";
    TimeLimit = "ldap.time_limit", Refusal, "the server gave up over its limit of time";
    SizeLimit = "ldap.size_limit", Refusal, "the server found more than its or our limit";
    AdminLimit = "ldap.admin_limit", Refusal, "the server gave up over a limit of its administrator";
    AuthenticationMethod = "ldap.authentication_method", Setup, "the server wants another way of authentication or TLS";
    ControlUnsupported = "ldap.control_unsupported", Setup, "the server does not know a control or an operation that is needed";
    ValueMissing = "ldap.value_missing", Refusal, "the attribute or value is not there";
    ValueExists = "ldap.value_exists", Refusal, "the attribute or value is there already";
    SchemaViolation = "ldap.schema_violation", Refusal, "the schema of the directory does not allow this";
    #[doc = "A weak password or a value that must be unique: the text of the answer tells, if anything does."]
    ConstraintViolation = "ldap.constraint_violation", Refusal, "a rule of the directory on values does not allow this";
    EntryMissing = "ldap.entry_missing", Refusal, "the entry is not there";
    DnRefused = "ldap.dn_refused", Refusal, "the server does not take the name of the entry";
    CredentialsInvalid = "ldap.credentials_invalid", Refusal, "the directory refuses the name or the password";
    AccessDenied = "ldap.access_denied", Setup, "our account may not do this";
    Busy = "ldap.busy", Outage, "the server is busy or not available";
    Unwilling = "ldap.unwilling", Refusal, "the server is not willing to do this";
    HasChildren = "ldap.has_children", Refusal, "the entry has entries below it";
    EntryExists = "ldap.entry_exists", Taken, "an entry of this name exists";
    #[doc = "RFC 4528 §4."]
    AssertionFailed = "ldap.assertion_failed", Changed, "the entry is not as the request asserts";
    SyncRestart = "ldap.sync_restart", Refusal, "the server no longer knows where the last synchronisation ended";
    ServerFailed = "ldap.server_failed", Refusal, "the server answered with another error";
    // sign-in by bind
    UserNameMalformed = "ldap.user_name_malformed", Refusal, "the user name is empty, too long, or holds control characters or blanks at an end";
    #[doc = "The same whether the name is unknown, the password wrong or the account closed; the cause is the source."]
    SignInRefused = "ldap.sign_in_refused", Refusal, "the directory does not know a person with this name and password";
    SignInThrottled = "ldap.sign_in_throttled", Outage, "too many sign-ins with this name failed; the directory is not asked, so that it does not lock the account";
    PasswordMustChange = "ldap.password_must_change", Refusal, "the password is right and has to be changed first";
    NotUnique = "ldap.not_unique", Refusal, "more than one entry was found where there must be one";
}

impl Reason {
    /// Tells what a caller should do about it.
    #[must_use]
    pub const fn class(self) -> ErrorClass {
        match self.nature() {
            Nature::Outage | Nature::Changed => ErrorClass::Transient,
            Nature::Setup | Nature::Violation => ErrorClass::Permanent,
            Nature::Refusal => ErrorClass::Rejected,
            Nature::Taken => ErrorClass::Denied,
        }
    }

    /// Returns the kind that ports report it as.
    #[must_use]
    pub const fn kind(self) -> ErrorKind {
        match self.nature() {
            Nature::Outage => ErrorKind::Unavailable,
            Nature::Setup | Nature::Refusal => ErrorKind::Invalid,
            Nature::Taken => ErrorKind::AlreadyExists(Taken::UserName),
            Nature::Changed => ErrorKind::Conflict,
            Nature::Violation => ErrorKind::Corrupt,
        }
    }

    /// Tells whether the same call may succeed later, provided that this one had no effect.
    #[must_use]
    pub const fn retry(self) -> Retry {
        match self.nature() {
            Nature::Outage => Retry::Backoff,
            _ => Retry::Never,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.meaning())
    }
}

impl std::error::Error for Reason {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_code_is_unique_and_well_formed() {
        let codes: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        assert_eq!(codes.len(), Reason::ALL.len());
        for code in codes {
            let name = code.strip_prefix("ldap.").unwrap();
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{code}");
        }
    }

    #[test]
    fn messages_follow_the_house_rules() {
        for reason in Reason::ALL {
            let message = reason.to_string();
            assert!(!message.ends_with('.'), "{message}");
        }
    }

    #[test]
    fn only_outages_are_worth_another_try() {
        for reason in Reason::ALL {
            assert_eq!(
                reason.retry() == Retry::Backoff,
                reason.kind() == ErrorKind::Unavailable,
                "{reason:?}"
            );
        }
    }
}
