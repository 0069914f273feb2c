//! Every reason for which a target was not asked, or did not do what was asked, each with a stable code.

use std::error::Error;
use std::fmt;

use jit_core::TargetFault;

macro_rules! reasons {
    ($( $(#[doc = $section:literal])? $variant:ident = $code:literal, $fault:ident, $meaning:literal; )+) => {
        /// Says why a target did not do what was asked. Carries no value of the target.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum TargetReason {
            $(
                #[doc = concat!("`", $code, "`: ", $meaning, ".")]
                $(#[doc = ""] #[doc = $section])?
                $variant,
            )+
        }

        impl TargetReason {
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

            /// Returns the fault that the port reports it as.
            #[must_use]
            pub const fn fault(self) -> TargetFault {
                match self { $(Self::$variant => TargetFault::$fault),+ }
            }
        }
    };
}

reasons! {
    // settings
    ProfileInvalid = "scim.profile_invalid", Forbidden, "the profile of a target, or its address, is not sound";

    // the way to the target
    SchemeRefused = "scim.http_scheme_refused", Untrusted, "the address of the target is not https";
    AddressRefused = "scim.http_address_refused", Untrusted, "the host of the target has an address that must not be reached";
    AnswerTooLarge = "scim.http_too_large", Protocol, "the answer of the target is too large";
    Timeout = "scim.http_timeout", Unreachable, "the target did not answer in time";
    Unreachable = "scim.http_unreachable", Unreachable, "the target cannot be reached";
    RequestInvalid = "scim.http_invalid", Protocol, "the request to the target cannot be sent";

    // how often
    #[doc = "Statuses 429 and 503, and 403 with `Retry-After`."]
    Throttled = "scim.target_throttled", Limit, "the target asks for a pause";
    Paced = "scim.target_paced", Limit, "the target was asked as often as its profile allows";
    OutOfTime = "scim.target_slow", Limit, "one call took longer than the profile allows";

    // what it answers
    CredentialsRefused = "scim.target_credentials", Credentials, "the target does not accept our token";
    Refused = "scim.target_refused", Forbidden, "the target refused a request of ours";
    Redirected = "scim.target_redirected", Protocol, "the target answered with a redirect, which is not followed";
    ServerFailed = "scim.target_failed", Unreachable, "the target failed within itself";
    #[doc = "A page of a proxy or of maintenance must not pass for \"not there\"."]
    NotScim = "scim.answer_not_scim", Unreachable, "the answer is a web page and not one of the target";
    AnswerMalformed = "scim.answer_malformed", Protocol, "the answer is not what SCIM has there";
    AnswerForeign = "scim.answer_foreign", Protocol, "the answer is about another resource than was asked for";
    EndpointMissing = "scim.endpoint_missing", Place, "the target has no such endpoint";

    // accounts
    NotUnique = "scim.target_not_unique", Name, "more than one account bears our marker or the name";
    FilterIgnored = "scim.filter_ignored", Limit, "the target ignores filters and has more accounts than are looked through";
    TakenUnseen = "scim.taken_unseen", Name, "the target says that the name is taken and shows nobody who has it";
    TakenByAnother = "scim.taken_by_another", Name, "somebody else in the target has this user name";
    #[doc = "Without it nothing could be told apart from the accounts of others."]
    MarkerDropped = "scim.marker_dropped", Protocol, "the target does not keep the marker that accounts are known by";
    ChangedMeanwhile = "scim.changed_meanwhile", Unreachable, "the account changed each time between a look and a change";
    AccountLost = "scim.account_lost", Place, "a known account is no longer there, and the profile wants a person to look";
    NotAMirror = "scim.not_a_mirror", Forbidden, "this target keeps accounts as ours are, and lends none";

    // groups
    GroupUnknown = "scim.group_unknown", Entitlement, "the target has no group of this name";
    GroupNotUnique = "scim.group_not_unique", Entitlement, "the target has several groups of this name";
    #[doc = "To replace a group whose members are not shown would empty it."]
    MembersUnseen = "scim.members_unseen", Entitlement, "the target takes whole groups only and does not show who is in them";
    ListingUnstable = "scim.listing_unstable", Protocol, "the pages of a listing repeat, or do not add up";
}

impl TargetReason {
    /// Whether it is about one group, so that others can still be joined and left.
    pub(super) const fn is_of_one_group(self) -> bool {
        matches!(self, Self::GroupUnknown | Self::GroupNotUnique | Self::MembersUnseen | Self::Refused)
    }
}

impl fmt::Display for TargetReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.meaning())
    }
}

impl Error for TargetReason {}

/// Says why there is no answer: what a [`Transport`](super::Transport) fails with.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct TransportError {
    reason: TargetReason,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl TransportError {
    /// Describes a failure; one of `scim.http_…`.
    #[must_use]
    pub const fn new(reason: TargetReason) -> Self {
        Self { reason, source: None }
    }

    /// Adds the cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns the reason.
    #[must_use]
    pub const fn reason(&self) -> TargetReason {
        self.reason
    }

    pub(super) fn into_parts(self) -> (TargetReason, Option<Box<dyn Error + Send + Sync>>) {
        (self.reason, self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_code_is_unique_and_well_formed() {
        let codes: BTreeSet<_> = TargetReason::ALL.iter().map(|reason| reason.code()).collect();
        assert_eq!(codes.len(), TargetReason::ALL.len());
        for reason in TargetReason::ALL {
            let name = reason.code().strip_prefix("scim.").unwrap();
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{name}");
            assert!(!reason.to_string().ends_with('.'), "{reason}");
        }
    }
}
