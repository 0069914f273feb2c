//! The little of BER that LDAP needs (RFC 4511 §5.1): definite lengths, tags of one octet, octet strings in one piece.
//!
//! Nothing here calls itself: how deep an answer is nested is decided by the code that reads it, never by the answer.

mod reader;
mod writer;

pub(crate) use reader::{Element, Reader, entry_name, frame};
pub(crate) use writer::Writer;

/// Tags of ASN.1 itself.
pub(crate) mod tag {
    pub(crate) const BOOLEAN: u8 = 0x01;
    pub(crate) const INTEGER: u8 = 0x02;
    pub(crate) const OCTET_STRING: u8 = 0x04;
    pub(crate) const ENUMERATED: u8 = 0x0a;
    pub(crate) const SEQUENCE: u8 = 0x30;
    pub(crate) const SET: u8 = 0x31;
    /// `SearchResultEntry` (RFC 4511 §4.5.2).
    pub(crate) const ENTRY: u8 = 0x64;

    /// `[n]` of a primitive type.
    pub(crate) const fn primitive(number: u8) -> u8 {
        0x80 | number
    }

    /// `[n]` of a constructed type.
    pub(crate) const fn constructed(number: u8) -> u8 {
        0xa0 | number
    }
}
