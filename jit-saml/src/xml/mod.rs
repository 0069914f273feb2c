//! Reads XML strictly and writes its canonical form.
//!
//! Tags, and text as it usually is, are read here; quick-xml cuts the rest into events: references, sections, comments,
//! instructions. Everything that XML 1.0, Namespaces in XML 1.0 or SAML do not allow is refused here, also where quick-xml
//! lets it through. There is one reader in this crate, so no two parsers can disagree about a document.
//!
//! A [`Document`] is a flat arena: no recursion, one allocation for each kind of record, names and values borrowed from
//! the text wherever they stand there as they are read.

mod arena;
mod bindings;
mod build;
mod c14n;
mod element;
mod error;
mod escape;
mod inside;
mod limits;
mod names;
mod numbered;
mod reference;
mod scan;
mod scope;
mod start_tag;
mod tag;
mod verbatim;
pub mod writer;

pub use arena::Document;
pub(crate) use c14n::canonical_text;
pub use c14n::{Canonicalization, PrefixList, canonicalize};
pub use element::{Attribute, Element};
pub use error::XmlError;
pub use limits::Limits;

/// The namespace that is bound to the prefix `xml` without a declaration.
pub const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";
/// The namespace that is bound to `xmlns` and may be declared by nobody.
pub const XMLNS_NAMESPACE: &str = "http://www.w3.org/2000/xmlns/";
