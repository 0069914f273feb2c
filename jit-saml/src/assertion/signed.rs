//! The witness that octets were signed.

use crate::encryption::Plaintext;
use crate::rejection::Rejection;
use crate::signature::SignedOctets;
use crate::xml::{Document, Element, Limits};

/// A document that was read from signed octets, or from what was encrypted inside of them.
pub(crate) struct SignedDocument<'o>(Document<'o>);

/// An element of such a document.
#[derive(Clone, Copy)]
pub(crate) struct Signed<'d>(Element<'d>);

impl<'o> SignedDocument<'o> {
    /// Reads the very octets that were digested.
    pub(crate) fn of(signed: &'o SignedOctets, limits: &Limits) -> Result<Self, Rejection> {
        Ok(Self(signed.document(limits)?))
    }

    /// Reads what was encrypted inside a signed element: whoever signed the ciphertext vouches for it.
    pub(crate) fn decrypted(
        plaintext: &'o Plaintext,
        _under: Signed<'_>,
        limits: &Limits,
    ) -> Result<Self, Rejection> {
        let document = Document::parse(&plaintext.octets, limits);
        Ok(Self(document.map_err(|error| plaintext.refusal(error))?))
    }

    /// Returns the root.
    pub(crate) fn root(&self) -> Signed<'_> {
        Signed(self.0.root())
    }
}

impl<'d> Signed<'d> {
    /// Returns the element.
    pub(crate) fn element(self) -> Element<'d> {
        self.0
    }

    /// Vouches for a child as well.
    pub(crate) fn child(self, child: Element<'d>) -> Option<Self> {
        self.0.children().any(|known| known == child).then_some(Self(child))
    }
}
