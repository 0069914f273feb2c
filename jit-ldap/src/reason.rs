//! Every reason for which something fails, each with a stable code.

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

jit_core::reasons! {
    /// Says why something failed. Carries no value of the directory.
    pub enum Reason: fn nature -> Nature {
        // what the caller gives
        SettingsInvalid = "ldap.settings_invalid", "a setting is not sound", Nature::Setup;
        #[doc = "RFC 4514 §3."]
        DnMalformed = "ldap.dn_malformed", "the text is not a distinguished name", Nature::Refusal;
        DnOutside = "ldap.dn_outside", "the entry does not lie below the place it has to lie in", Nature::Refusal;
        #[doc = "RFC 4515 §3."]
        FilterMalformed = "ldap.filter_malformed", "the text is not a filter", Nature::Refusal;
        FilterTooDeep = "ldap.filter_too_deep", "the filter is nested deeper than 32 levels or longer than 64 KiB", Nature::Refusal;
        #[doc = "RFC 4512 §2.5."]
        AttributeMalformed = "ldap.attribute_malformed", "the text is not the name of an attribute", Nature::Refusal;
        ValueMalformed = "ldap.value_malformed", "the value is not of the form that its attribute has", Nature::Refusal;
        RequestTooLarge = "ldap.request_too_large", "the request is longer than a message may be", Nature::Refusal;
        #[doc = "RFC 4513 §5.1.2: a server answers it with success for anybody."]
        PasswordEmpty = "ldap.password_empty", "the password is empty", Nature::Refusal;
        PasswordMalformed = "ldap.password_malformed", "the password holds NUL or is longer than 1 KiB", Nature::Refusal;
        #[doc = "RFC 4513 §5.1.1."]
        NameEmpty = "ldap.name_empty", "the name to bind with is empty or holds NUL", Nature::Refusal;
        PasswordInClear = "ldap.password_in_clear", "a password would travel over a connection without TLS", Nature::Setup;

        // the way to the server
        ConnectFailed = "ldap.connect_failed", "the server cannot be reached", Nature::Outage;
        TlsFailed = "ldap.tls_failed", "the TLS handshake failed", Nature::Outage;
        TlsCertificate = "ldap.tls_certificate", "the certificate of the server is not trusted or is for another name", Nature::Setup;
        #[doc = "RFC 4511 §4.14.2."]
        StartTlsRefused = "ldap.start_tls_refused", "the server refused StartTLS", Nature::Setup;
        StartTlsInjected = "ldap.start_tls_injected", "plain bytes followed the answer to StartTLS", Nature::Violation;
        Timeout = "ldap.timeout", "the server did not answer in time", Nature::Outage;
        ConnectionLost = "ldap.connection_lost", "the connection ended", Nature::Outage;
        #[doc = "RFC 4511 §4.4.1."]
        Disconnected = "ldap.disconnected", "the server announced the end of the connection", Nature::Outage;
        ConnectionUnusable = "ldap.connection_unusable", "an earlier operation on the connection was not finished", Nature::Outage;
        PoolExhausted = "ldap.pool_exhausted", "no connection became free in time", Nature::Outage;
        CircuitOpen = "ldap.circuit_open", "the directory refused our own credentials a moment ago and is not asked again yet", Nature::Setup;
        ServiceRefused = "ldap.service_refused", "the directory refused our own credentials", Nature::Setup;
        ReadOnly = "ldap.read_only", "no server that answers takes changes", Nature::Setup;
        ServerUnknown = "ldap.server_unknown", "no server of this name is configured", Nature::Setup;

        // what a broken or hostile server says
        MessageTooLarge = "ldap.message_too_large", "a message is longer or has more parts than allowed", Nature::Violation;
        MessageMalformed = "ldap.message_malformed", "a message is not LDAP", Nature::Violation;
        TextMalformed = "ldap.text_malformed", "a name in a message is not UTF-8", Nature::Violation;
        #[doc = "RFC 4511 §4.1.1.1."]
        MessageIdUnexpected = "ldap.message_id_unexpected", "a message answers a request that was not made", Nature::Violation;
        ResponseUnexpected = "ldap.response_unexpected", "a message is of another kind than the request asks for", Nature::Violation;
        TooManyNotices = "ldap.too_many_notices", "the server sends notices without end", Nature::Violation;
        TooManyEntries = "ldap.too_many_entries", "the search found more than the caller takes", Nature::Refusal;
        PagingStuck = "ldap.paging_stuck", "the server hands out pages without end", Nature::Violation;
        RangeStuck = "ldap.range_stuck", "the server hands out values of an attribute without end or order", Nature::Violation;
        ControlMissing = "ldap.control_missing", "the server ignored a control that the operation needs", Nature::Setup;
        EntryForeign = "ldap.entry_foreign", "the server returned an entry that was not asked for", Nature::Violation;

        // what the server answers: RFC 4511 appendix A
        Referral = "ldap.referral", "the server names another server; referrals are not followed", Nature::Refusal;
        TimeLimit = "ldap.time_limit", "the server gave up over its limit of time", Nature::Refusal;
        SizeLimit = "ldap.size_limit", "the server found more than its or our limit", Nature::Refusal;
        AdminLimit = "ldap.admin_limit", "the server gave up over a limit of its administrator", Nature::Refusal;
        AuthenticationMethod = "ldap.authentication_method", "the server wants another way of authentication or TLS", Nature::Setup;
        ControlUnsupported = "ldap.control_unsupported", "the server does not know a control or an operation that is needed", Nature::Setup;
        ValueMissing = "ldap.value_missing", "the attribute or value is not there", Nature::Refusal;
        ValueExists = "ldap.value_exists", "the attribute or value is there already", Nature::Refusal;
        SchemaViolation = "ldap.schema_violation", "the schema of the directory does not allow this", Nature::Refusal;
        #[doc = "A weak password or a value that must be unique: the text of the answer tells, if anything does."]
        ConstraintViolation = "ldap.constraint_violation", "a rule of the directory on values does not allow this", Nature::Refusal;
        EntryMissing = "ldap.entry_missing", "the entry is not there", Nature::Refusal;
        OtherDirectory = "ldap.other_directory", "it is not the directory that the account was made in, and proves nothing of it", Nature::Setup;
        #[doc = "A directory says of what our account may not see that it is not there."]
        AbsenceUnproved = "ldap.absence_unproved", "our account does not see the entry, nor what would prove that it is gone", Nature::Setup;
        DnRefused = "ldap.dn_refused", "the server does not take the name of the entry", Nature::Refusal;
        CredentialsInvalid = "ldap.credentials_invalid", "the directory refuses the name or the password", Nature::Refusal;
        AccessDenied = "ldap.access_denied", "our account may not do this", Nature::Setup;
        Busy = "ldap.busy", "the server is busy or not available", Nature::Outage;
        Unwilling = "ldap.unwilling", "the server is not willing to do this", Nature::Refusal;
        HasChildren = "ldap.has_children", "the entry has entries below it", Nature::Refusal;
        EntryExists = "ldap.entry_exists", "an entry of this name exists", Nature::Taken;
        #[doc = "RFC 4528 §4."]
        AssertionFailed = "ldap.assertion_failed", "the entry is not as the request asserts", Nature::Changed;
        SyncRestart = "ldap.sync_restart", "the server no longer knows where the last synchronisation ended", Nature::Refusal;
        ServerFailed = "ldap.server_failed", "the server answered with another error", Nature::Refusal;
        // sign-in by bind
        UserNameMalformed = "ldap.user_name_malformed", "the user name is empty, too long, or holds control characters or blanks at an end", Nature::Refusal;
        #[doc = "The same whether the name is unknown, the password wrong or the account closed; the cause is the source."]
        SignInRefused = "ldap.sign_in_refused", "the directory does not know a person with this name and password", Nature::Refusal;
        SignInThrottled = "ldap.sign_in_throttled", "too many sign-ins with this name failed; the directory is not asked, so that it does not lock the account", Nature::Outage;
        #[doc = "The cause of `ldap.sign_in_refused`: such an account is nobody of those who sign in."]
        EntryLent = "ldap.entry_lent", "the entry was made for a time", Nature::Refusal;
        LeasesUntold = "ldap.leases_untold", "the store did not tell which accounts are lent", Nature::Outage;
        PasswordMustChange = "ldap.password_must_change", "the password is right and has to be changed first", Nature::Refusal;
        NotUnique = "ldap.not_unique", "more than one entry was found where there must be one", Nature::Refusal;
    }
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

#[cfg(test)]
mod tests {
    use super::*;

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
