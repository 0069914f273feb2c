//! Every reason for which a target was not asked, or did not do what was asked, each with a stable code.

use std::error::Error;

use jit_core::TargetFault;

jit_core::reasons! {
    /// Says why a target did not do what was asked. Carries no value of the target.
    pub enum TargetReason: /** Returns the fault that the port reports it as. */ pub fn fault -> TargetFault {
        // settings
        ProfileInvalid = "scim.profile_invalid", "the profile of a target, or its address, is not sound", TargetFault::Forbidden;

        // the way to the target
        SchemeRefused = "scim.http_scheme_refused", "the address of the target is not https", TargetFault::Untrusted;
        AddressRefused = "scim.http_address_refused", "the host of the target has an address that must not be reached", TargetFault::Untrusted;
        AnswerTooLarge = "scim.http_too_large", "the answer of the target is too large", TargetFault::Protocol;
        Timeout = "scim.http_timeout", "the target did not answer in time", TargetFault::Unreachable;
        Unreachable = "scim.http_unreachable", "the target cannot be reached", TargetFault::Unreachable;
        RequestInvalid = "scim.http_invalid", "the request to the target cannot be sent", TargetFault::Protocol;

        // how often
        #[doc = "Statuses 429 and 503, and 403 with `Retry-After` or with nothing left of a limit."]
        Throttled = "scim.target_throttled", "the target asks for a pause", TargetFault::Limit;
        Paced = "scim.target_paced", "the target was asked as often as its profile allows", TargetFault::Limit;
        GroupPaced = "scim.group_paced", "as many members of a group changed as its profile allows", TargetFault::Limit;
        OutOfTime = "scim.target_slow", "one call took longer than the profile allows", TargetFault::Limit;

        // what it answers
        CredentialsRefused = "scim.target_credentials", "the target does not accept our token", TargetFault::Credentials;
        Refused = "scim.target_refused", "the target refused a request of ours", TargetFault::Forbidden;
        Redirected = "scim.target_redirected", "the target answered with a redirect, which is not followed", TargetFault::Protocol;
        ServerFailed = "scim.target_failed", "the target failed within itself", TargetFault::Unreachable;
        #[doc = "A page of a proxy or of maintenance must not pass for \"not there\"."]
        NotScim = "scim.answer_not_scim", "the answer is a web page and not one of the target", TargetFault::Unreachable;
        AnswerMalformed = "scim.answer_malformed", "the answer is not what SCIM has there", TargetFault::Protocol;
        AnswerForeign = "scim.answer_foreign", "the answer is about another resource than was asked for", TargetFault::Protocol;
        EndpointMissing = "scim.endpoint_missing", "the target has no such endpoint", TargetFault::Place;

        // accounts
        NotUnique = "scim.target_not_unique", "more than one account bears our marker or the name", TargetFault::Name;
        FilterIgnored = "scim.filter_ignored", "the target ignores filters and has more accounts than are looked through", TargetFault::Limit;
        TakenUnseen = "scim.taken_unseen", "the target says that the name is taken and shows nobody who has it", TargetFault::Name;
        TakenByAnother = "scim.taken_by_another", "somebody else in the target has this user name", TargetFault::Name;
        #[doc = "Without it nothing could be told apart from the accounts of others."]
        MarkerDropped = "scim.marker_dropped", "the target does not keep the marker that accounts are known by", TargetFault::Protocol;
        ChangedMeanwhile = "scim.changed_meanwhile", "the account changed each time between a look and a change", TargetFault::Unreachable;
        #[doc = "An end that is reported as done keeps nobody in."]
        UseUnchanged = "scim.use_unchanged", "the target took the change of whether the account is in use, and did not make it", TargetFault::Protocol;
        AccountLost = "scim.account_lost", "a known account is no longer there, and the profile wants a person to look", TargetFault::Place;
        #[doc = "What [`TargetProfile::requires`](super::TargetProfile) names: it would refuse the account in words of its own."]
        RequiredMissing = "scim.target_requires", "the account has no value for an attribute that the target requires", TargetFault::Forbidden;
        NotAMirror = "scim.not_a_mirror", "this target keeps accounts as ours are, and lends none", TargetFault::Forbidden;

        // groups
        GroupUnknown = "scim.group_unknown", "the target has no group of this name", TargetFault::Entitlement;
        GroupNotUnique = "scim.group_not_unique", "the target has several groups of this name", TargetFault::Entitlement;
        GroupMadeTwice = "scim.group_made_twice", "several nodes made a group of this name at once, and gave way to each other", TargetFault::Unreachable;
        #[doc = "To replace a group whose members are not shown would empty it."]
        MembersUnseen = "scim.members_unseen", "the target takes whole groups only and does not show who is in them", TargetFault::Entitlement;
        ListingUnstable = "scim.listing_unstable", "the pages of a listing repeat, or do not add up", TargetFault::Protocol;
    }
}

impl TargetReason {
    /// Whether it may be about one group, so that others can still be joined and left.
    pub(super) const fn is_of_one_group(self) -> bool {
        self.is_of_large_group() || self.is_said_of_one_group()
    }

    /// Whether it is said of one group by a target that answers.
    pub(super) const fn is_said_of_one_group(self) -> bool {
        matches!(
            self,
            Self::GroupUnknown
                | Self::GroupNotUnique
                | Self::GroupMadeTwice
                | Self::GroupPaced
                | Self::MembersUnseen
                | Self::Refused
        )
    }

    /// Whether it is what a group may fail with that is too large for the target, while the target is well.
    pub(super) const fn is_of_large_group(self) -> bool {
        matches!(self, Self::Timeout | Self::ServerFailed | Self::AnswerTooLarge | Self::AnswerMalformed)
    }
}

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
