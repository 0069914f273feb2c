//! The witness that octets were signed.

use crate::encryption::{Opened, Plaintext};
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

    /// Reads what was encrypted inside a signed element: whoever signed the ciphertext vouches for it. What its prefixes
    /// mean is said by itself and by what was signed, and by nothing else.
    pub(crate) fn decrypted(
        plaintext: &'o Plaintext,
        holder: Signed<'_>,
        limits: &Limits,
    ) -> Result<Self, Rejection> {
        Ok(Self(plaintext.read(holder.0, limits)?.document))
    }

    /// Does what [`Self::decrypted`] does with a plaintext that was read where nobody signed anything: once more, unless it
    /// means the same everywhere.
    pub(crate) fn opened(
        opened: Opened<'o>,
        plaintext: &'o Plaintext,
        holder: Signed<'_>,
        limits: &Limits,
    ) -> Result<Self, Rejection> {
        if opened.alone { Ok(Self(opened.document)) } else { Self::decrypted(plaintext, holder, limits) }
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

    /// Vouches for an element inside this one as well.
    pub(crate) fn inside(self, inner: Element<'d>) -> Option<Self> {
        self.0.holds(inner).then_some(Self(inner))
    }
}
