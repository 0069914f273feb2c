//! What was decrypted, and what its names mean.

use crate::rejection::Rejection;
use crate::xml::{Document, Element, Limits, XmlError};

/// Octets that were encrypted. Nothing is known of who wrote them.
pub(crate) struct Plaintext {
    octets: Vec<u8>,
    /// Whether the cipher would have noticed a change.
    authenticated: bool,
}

/// A plaintext that was read.
pub(crate) struct Opened<'p> {
    pub(crate) document: Document<'p>,
    /// It declares all that it uses, so that it means the same wherever it stands.
    pub(crate) alone: bool,
}

impl Plaintext {
    pub(super) fn new(octets: Vec<u8>, authenticated: bool) -> Self {
        Self { octets, authenticated }
    }

    /// Reads the text by itself, and where it does not declare what it uses, as if it stood in the place of the encrypted
    /// data, inside `holder` (XML Encryption 1.0 §4.3.4). Programs that encrypt an element of a larger document often leave
    /// the declarations of that document behind.
    ///
    /// Who can change what stands around `holder` can change what such a text means: it is for the caller to choose a place
    /// that was signed, or to verify a signature of the text itself.
    pub(crate) fn read(&self, holder: Element<'_>, limits: &Limits) -> Result<Opened<'_>, Rejection> {
        match Document::parse(&self.octets, limits) {
            Ok(document) if !document.root().namespace().is_empty() => Ok(Opened { document, alone: true }),
            Ok(_) | Err(XmlError::PrefixUnbound) => {
                let document = Document::parse_inside(&self.octets, holder, limits);
                let document = document.map_err(|error| self.refusal(unbound(error)))?;
                Ok(Opened { document, alone: false })
            }
            Err(error) => Err(self.refusal(error)),
        }
    }

    /// Chooses what is said when the plaintext cannot be read: where anybody can change it, one answer for everything.
    pub(crate) fn refusal(&self, rejection: impl Into<Rejection>) -> Rejection {
        if self.authenticated { rejection.into() } else { Rejection::DecryptionFailed }
    }
}

fn unbound(error: XmlError) -> Rejection {
    match error {
        XmlError::PrefixUnbound => Rejection::DecryptedPrefixUnbound,
        error => error.into(),
    }
}
