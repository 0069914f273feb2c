//! The canonical form of a canonical form is itself.
#![no_main]

use jit_saml::xml::{Canonicalization, Document, Limits, PrefixList, canonicalize};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let limits = Limits { bytes: usize::MAX, ..Limits::default() };
    let Ok(document) = Document::parse(octets, &limits) else { return };
    let forms = [
        Canonicalization::Exclusive(PrefixList::default()),
        Canonicalization::Exclusive(PrefixList::parse("#default a xs")),
        Canonicalization::Inclusive,
    ];
    for form in forms {
        let once = canonicalize(document.root(), None, &form);
        let again = Document::parse(&once, &limits).unwrap();
        assert_eq!(canonicalize(again.root(), None, &form), once);
    }
});
