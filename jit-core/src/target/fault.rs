//! Why a target did not do what was asked.

/// Says why a target did not do what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TargetFault {
    /// It could not be reached, or did not answer in time; the outcome is unknown.
    Unreachable,
    /// A server that stands in for another one answered, and does not have it. It may be on its way there: that proves nothing.
    Unseen,
    /// It is not the system that the account was made in: what it does not have proves nothing.
    Elsewhere,
    /// Who it says to be could not be proved: a wrong certificate, or none.
    Untrusted,
    /// It does not accept our own credentials. Asking again could lock them.
    Credentials,
    /// It did not accept them a moment ago, and was not asked again: an answer of before, and none of now.
    Resting,
    /// We may not do this there.
    Forbidden,
    /// None of its servers that answer takes changes.
    ReadOnly,
    /// The place does not exist or is outside the allowed ones.
    Place,
    /// The name is taken by something that cannot be seen, or cannot be a name there.
    Name,
    /// The secret does not meet its rules.
    Secret,
    /// An entitlement does not exist there or must not be given.
    Entitlement,
    /// It has no room, or we ask too much of it.
    Limit,
    /// It answered what the protocol does not allow.
    Protocol,
    /// It failed nearly everybody, and is left alone for now: nobody was asked.
    Quarantined,
}

/// Says whom a failure of a target is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "an adapter names one of them")]
pub enum FaultScope {
    /// The target itself: it would fail others as well.
    Target,
    /// One account, or what was asked for it: a value, a name, a member of a group.
    Account,
    /// Neither: it is a matter of how often or how long was asked, or the target was not asked at all.
    Neither,
}

impl TargetFault {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Unreachable => "target.unreachable",
            Self::Unseen => "target.unseen",
            Self::Elsewhere => "target.elsewhere",
            Self::Untrusted => "target.untrusted",
            Self::Credentials | Self::Resting => "target.credentials",
            Self::Forbidden => "target.forbidden",
            Self::ReadOnly => "target.read_only",
            Self::Place => "target.place",
            Self::Name => "target.name",
            Self::Secret => "target.secret",
            Self::Entitlement => "target.entitlement",
            Self::Limit => "target.limit",
            Self::Protocol => "target.protocol",
            Self::Quarantined => "target.quarantined",
        }
    }

    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Unreachable => "the target did not answer",
            Self::Unseen => "a server that stands in does not have it, which proves nothing",
            Self::Elsewhere => "it is not the system that the account was made in, and proves nothing of it",
            Self::Untrusted => "the target could not prove who it is",
            Self::Credentials => "the target does not accept our credentials",
            Self::Resting => "the target did not accept our credentials, and is not asked again yet",
            Self::Forbidden => "the target does not allow this",
            Self::ReadOnly => "no server of the target that answers takes changes",
            Self::Place => "the place does not exist or is not allowed",
            Self::Name => "the name cannot be used",
            Self::Secret => "the secret does not meet the target's rules",
            Self::Entitlement => "an entitlement does not exist or must not be given",
            Self::Limit => "a limit of the target is reached",
            Self::Protocol => "the target's answer is not allowed by its protocol",
            Self::Quarantined => "the target failed nearly everybody and is left alone for now",
        }
    }

    /// Tells whether our credentials were refused, now or a moment ago.
    pub(crate) const fn refuses_us(self) -> bool {
        matches!(self, Self::Credentials | Self::Resting)
    }

    /// Tells whether nobody there looked at what was asked: none was reached, or let us in. A server that stands in for
    /// another one did.
    pub(crate) const fn keeps_us_out(self) -> bool {
        self.refuses_us() || matches!(self, Self::Unreachable | Self::Untrusted)
    }

    pub(crate) fn is_passing(self) -> bool {
        matches!(self, Self::Unreachable | Self::Unseen | Self::Limit | Self::Quarantined)
    }

    pub(crate) fn scope(self) -> FaultScope {
        match self {
            Self::Unreachable
            | Self::Untrusted
            | Self::Forbidden
            | Self::ReadOnly
            | Self::Place
            | Self::Protocol => FaultScope::Target,
            Self::Elsewhere | Self::Name | Self::Secret | Self::Entitlement => FaultScope::Account,
            // Credentials have a circuit of their own.
            Self::Unseen | Self::Credentials | Self::Resting | Self::Limit | Self::Quarantined => {
                FaultScope::Neither
            }
        }
    }
}
