//! E-mail addresses as evidence: how much an address proves, and for whom.

use std::fmt;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{Domain, DomainError, DomainSet};
use crate::text::{Characters, has_upper};

/// Holds an address of the strict form that linking may rely on: a dot-atom of ASCII and a domain name.
///
/// Quoted local parts, comments, address literals and characters beyond ASCII before the `@` are refused: what looks
/// alike after normalisation must not become the same person. `Debug` prints the domain only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress {
    text: SmolStr,
    key: SmolStr,
    domain: Domain,
}

/// Says why a text is not an address that linking may rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EmailError {
    /// Not exactly one `@` with something on both sides, or longer than 254 bytes.
    #[error("not an e-mail address")]
    Malformed,
    /// A local part that is quoted, commented or beyond ASCII.
    #[error("the part before the `@` is not a plain dot-atom of ASCII")]
    LocalPart,
    /// A domain that is not a plain host name.
    #[error("the domain of the address: {0}")]
    Domain(#[from] DomainError),
}

impl EmailAddress {
    /// Reads an address (the dot-atom form of RFC 5322 section 3.4.1).
    ///
    /// # Errors
    /// [`EmailError`] when the text is not of that form.
    pub fn new(text: &str) -> Result<Self, EmailError> {
        if text.len() > 254 {
            return Err(EmailError::Malformed);
        }
        let at = text.bytes().position(|byte| byte == b'@').ok_or(EmailError::Malformed)?;
        let (local, rest) = text.split_at_checked(at).ok_or(EmailError::Malformed)?;
        let domain = rest.strip_prefix('@').ok_or(EmailError::Malformed)?;
        if local.is_empty() || domain.as_bytes().contains(&b'@') {
            return Err(EmailError::Malformed);
        }
        if local.len() > 64 || !is_dot_atom(local) {
            return Err(EmailError::LocalPart);
        }
        let given = domain;
        let domain = Domain::new(given)?;
        let is_key = domain.as_str() == given && !has_upper(local);
        let text = SmolStr::new(text);
        let key = if is_key { text.clone() } else { key_of(local, &domain) };
        Ok(Self { text, key, domain })
    }

    /// The address as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The key that comparisons use: lower case, domain in A-labels.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The domain.
    #[must_use]
    pub fn domain(&self) -> &Domain {
        &self.domain
    }
}

fn key_of(local: &str, domain: &Domain) -> SmolStr {
    let mut key = local.to_ascii_lowercase();
    key.push('@');
    key.push_str(domain.as_str());
    key.into()
}

/// What atoms are made of (RFC 5322 section 3.2.3).
static ATOM: Characters = Characters::letters_digits_and(b"!#$%&'*+-/=?^_`{|}~");

/// Tells whether a text is atoms with one dot between them.
fn is_dot_atom(text: &str) -> bool {
    let mut previous = b'.';
    let holds = text.bytes().all(|byte| {
        let fits = match byte {
            b'.' => previous != b'.',
            byte => ATOM.hold(byte),
        };
        previous = byte;
        fits
    });
    holds && previous != b'.'
}

impl TryFrom<String> for EmailAddress {
    type Error = EmailError;
    fn try_from(text: String) -> Result<Self, EmailError> {
        Self::new(&text)
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> Self {
        address.text.into()
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EmailAddress(…@{})", self.domain)
    }
}

/// Carries what a source claimed about an address; `None` means that it said nothing about verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailClaim {
    /// The address.
    pub address: EmailAddress,
    /// What the source asserted about verification. `None` is not `true`.
    pub verified: Option<bool>,
    /// Whether the source serves people of many organisations and did not say that this one belongs to an organisation
    /// of the connection: then it speaks for the domain of the address no more than anybody else.
    pub is_outsider: bool,
}

/// Grades how much an address proves, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "whoever grades evidence decides every grade")]
pub enum EmailTrust {
    /// The source says that the address is not verified.
    Refuted,
    /// The source says nothing about verification.
    Unstated,
    /// The source says it is verified, but the domain is not the source's to speak for.
    Asserted,
    /// The source says it is verified and speaks for the domain.
    Authoritative,
}

impl EmailTrust {
    /// The grade as a word, for explanations.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refuted => "refuted",
            Self::Unstated => "unstated",
            Self::Asserted => "asserted",
            Self::Authoritative => "authoritative",
        }
    }
}

/// Carries an address with the grade it has over one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailEvidence {
    /// The address.
    pub address: EmailAddress,
    /// How much it proves.
    pub trust: EmailTrust,
}

impl EmailEvidence {
    /// Grades a claim for a connection that speaks for `domains`.
    #[must_use]
    pub fn grade(claim: EmailClaim, domains: &DomainSet) -> Self {
        let trust = match claim.verified {
            Some(false) => EmailTrust::Refuted,
            None => EmailTrust::Unstated,
            Some(true) if !claim.is_outsider && domains.contains(claim.address.domain()) => {
                EmailTrust::Authoritative
            }
            Some(true) => EmailTrust::Asserted,
        };
        Self { address: claim.address, trust }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_about_verification_is_not_verification() {
        let domains = DomainSet::new(vec!["example.com".parse().unwrap()]);
        let claim = |address: &str, verified| EmailClaim {
            address: EmailAddress::new(address).unwrap(),
            verified,
            is_outsider: false,
        };
        let grade = |address: &str, verified| EmailEvidence::grade(claim(address, verified), &domains).trust;
        assert_eq!(grade("a@example.com", None), EmailTrust::Unstated);
        assert_eq!(grade("a@example.com", Some(false)), EmailTrust::Refuted);
        assert_eq!(grade("a@example.org", Some(true)), EmailTrust::Asserted);
        assert_eq!(grade("a@EXAMPLE.com", Some(true)), EmailTrust::Authoritative);
        for (verified, trust) in [(Some(true), EmailTrust::Asserted), (Some(false), EmailTrust::Refuted)] {
            let outsider = EmailClaim { is_outsider: true, ..claim("a@example.com", verified) };
            assert_eq!(EmailEvidence::grade(outsider, &domains).trust, trust);
        }
    }

    #[test]
    fn tricks_with_the_form_of_an_address_are_refused() {
        for bad in [
            "",
            "a",
            "@b.com",
            "a@",
            "a@b@c.com",
            "\"a b\"@example.com",
            "a(x)@example.com",
            "a@[127.0.0.1]",
            "a..b@example.com",
            ".a@example.com",
            "a\u{0}@example.com",
            "a@example.com\n",
            " a@example.com",
            "ａ@example.com",
            "a@ｅxample.com",
            "a\u{212a}@example.com",
        ] {
            assert!(EmailAddress::new(bad).is_err(), "{bad:?}");
        }
        assert_eq!(
            EmailAddress::new("Alice.O'Hara+x@Example.COM").unwrap().key(),
            "alice.o'hara+x@example.com"
        );
    }

    #[test]
    fn a_local_part_is_atoms_with_one_dot_between_them() {
        for local in ["a", "a.b", "a.b.c", "!", "`{|}~"] {
            assert!(EmailAddress::new(&format!("{local}@example.com")).is_ok(), "{local}");
        }
        for local in [".", "..", "a.", ".a", "a..b", "a,b", "a b", "a\\b"] {
            let address = EmailAddress::new(&format!("{local}@example.com"));
            assert_eq!(address, Err(EmailError::LocalPart), "{local}");
        }
    }

    #[test]
    fn no_character_beyond_ascii_can_take_part_in_a_local_part() {
        for c in ('\u{80}'..=char::MAX).filter(|c| !c.is_ascii()) {
            assert!(EmailAddress::new(&format!("a{c}b@example.com")).is_err(), "{c:?}");
            let domain = EmailAddress::new(&format!("a@ex{c}mple.com"));
            assert!(domain.is_err() || domain.is_ok_and(|a| a.domain().as_str().contains("xn--")), "{c:?}");
        }
    }
}
