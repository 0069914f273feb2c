//! A record of what was checked, so that "accepted" never hides "not looked at".

use std::fmt;

macro_rules! checks {
    ($( $question:ident { $( $variant:ident = $code:literal, $meaning:literal; )+ } )+) => {
        /// One check that was made and passed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Check {
            $( $( #[doc = $meaning] $variant, )+ )+
        }

        impl Check {
            const ALL: &'static [Self] = &[$( $( Self::$variant, )+ )+];

            /// Names the check; stable across releases.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $( $( Self::$variant => $code, )+ )+ }
            }

            /// Tells which question the check answers.
            #[must_use]
            pub const fn question(self) -> Question {
                match self { $( $( Self::$variant )|+ => Question::$question, )+ }
            }
        }
    };
}

checks! {
    Origin {
        ResponseSignature = "response_signature", "The signature of the response matches a key of the identity provider.";
        AssertionSignature = "assertion_signature", "The signature of the assertion matches a key of the identity provider.";
        Issuer = "issuer", "The issuer of the assertion is the identity provider that was asked.";
        ResponseIssuer = "response_issuer", "The issuer of the response is the identity provider that was asked.";
        Encryption = "encryption", "The assertion was encrypted for this service provider.";
    }
    Audience {
        Destination = "destination", "`Destination` is the address that the response came to.";
        Recipient = "recipient", "`Recipient` is the address that the response came to.";
        Audience = "audience", "Every audience restriction names this service provider.";
        AuthnContext = "authn_context", "The person signed in in one of the demanded ways.";
    }
    Freshness {
        NotBefore = "not_before", "`NotBefore` of the conditions lies behind.";
        NotOnOrAfter = "not_on_or_after", "`NotOnOrAfter` of the conditions lies ahead.";
        Confirmation = "confirmation", "`NotOnOrAfter` of the bearer confirmation lies ahead.";
        Session = "session", "`SessionNotOnOrAfter` lies ahead.";
        AuthnInstant = "authn_instant", "The person signed in as recently as was demanded.";
    }
    Replay {
        InResponseTo = "in_response_to", "The response and its confirmation answer the request of this sign-in.";
        Unsolicited = "unsolicited", "Nobody asked, and the response says so.";
        State = "state", "The sign-in was pending, belonged to this browser and was used up.";
        AssertionId = "assertion_id", "The assertion was not used before.";
    }
}

/// The question that a check answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the questions are those of the engine's own list")]
pub enum Question {
    /// Does it come from the issuer?
    Origin,
    /// Is it meant for us?
    Audience,
    /// Is it recent?
    Freshness,
    /// Is it used for the first time?
    Replay,
}

/// The checks that were made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CheckList(u32);

impl CheckList {
    pub(crate) const NONE: Self = Self(0);

    pub(crate) fn add(&mut self, check: Check) {
        self.0 |= 1 << check as u32;
    }

    /// Tells whether a check was made.
    #[must_use]
    pub const fn made(self, check: Check) -> bool {
        self.0 & (1 << check as u32) != 0
    }

    /// Names the checks that answer one question.
    pub fn codes(self, question: Question) -> impl Iterator<Item = &'static str> {
        self.iter().filter(move |check| check.question() == question).map(Check::code)
    }

    /// Walks through the checks that were made.
    pub fn iter(self) -> impl Iterator<Item = Check> {
        Check::ALL.iter().copied().filter(move |check| self.made(*check))
    }
}

impl fmt::Debug for CheckList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_holds_what_was_added() {
        let mut list = CheckList::NONE;
        list.add(Check::Issuer);
        list.add(Check::AssertionId);
        assert!(list.made(Check::Issuer) && !list.made(Check::Audience));
        assert_eq!(list.codes(Question::Replay).collect::<Vec<_>>(), ["assertion_id"]);
        assert_eq!(format!("{list:?}"), "{Issuer, AssertionId}");
        assert!(Check::ALL.len() <= 32);
    }
}
