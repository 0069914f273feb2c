//! An assertion, read from octets that were signed and from nothing else.

mod attributes;
mod name_id;
mod signed;

pub use attributes::{Attribute, AttributeValue, Attributes};
pub use name_id::NameId;

pub(crate) use attributes::read_attributes;
pub(crate) use name_id::{IdElement, read_name_id};
pub(crate) use signed::{Signed, SignedDocument};

use crate::names::SAML;
use crate::rejection::Rejection;
use crate::xml::Element;

/// The parts of an assertion, found in their order (SAML Core §2.3.3).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Assertion<'d> {
    pub(crate) element: Element<'d>,
    pub(crate) issuer: Element<'d>,
    pub(crate) subject: Option<Element<'d>>,
    pub(crate) conditions: Option<Element<'d>>,
}

/// Places of the children in the schema's sequence; those below [`STATEMENT`] occur once.
const ISSUER: u8 = 1;
const SUBJECT: u8 = 2;
const CONDITIONS: u8 = 3;
const ADVICE: u8 = 4;
const STATEMENT: u8 = 5;

impl<'d> Assertion<'d> {
    /// Finds the parts. The signature is not among them: it was taken out of the octets when it was verified.
    pub(crate) fn read(signed: Signed<'d>) -> Result<Self, Rejection> {
        let element = signed.element();
        if !element.is(SAML, "Assertion") || element.has_text() {
            return Err(Rejection::AssertionMalformed);
        }
        let (mut issuer, mut subject, mut conditions) = (None, None, None);
        let mut last = 0;
        for child in element.children() {
            let place = place(child).ok_or(Rejection::AssertionMalformed)?;
            if place < last || (place == last && place < STATEMENT) {
                return Err(Rejection::AssertionMalformed);
            }
            last = place;
            match place {
                ISSUER => issuer = Some(child),
                SUBJECT => subject = Some(child),
                CONDITIONS => conditions = Some(child),
                _ => {}
            }
        }
        let issuer = issuer.ok_or(Rejection::IssuerMissing)?;
        Ok(Self { element, issuer, subject, conditions })
    }

    /// Walks through the statements of one kind.
    pub(crate) fn statements(self, local: &'static str) -> impl Iterator<Item = Element<'d>> {
        self.element.children().filter(move |child| child.is(SAML, local))
    }
}

fn place(child: Element<'_>) -> Option<u8> {
    if child.namespace() != SAML {
        return None;
    }
    Some(match child.local() {
        "Issuer" => ISSUER,
        "Subject" => SUBJECT,
        "Conditions" => CONDITIONS,
        "Advice" => ADVICE,
        "AuthnStatement" | "AttributeStatement" | "AuthzDecisionStatement" | "Statement" => STATEMENT,
        _ => return None,
    })
}
