//! The strict reader answers whatever it is given.
#![no_main]

use jit_saml::xml::{Document, Limits};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let Ok(document) = Document::parse(octets, &Limits::default()) else { return };
    let root = document.root();
    let all: Vec<_> = std::iter::once(root).chain(root.descendants()).collect();
    let walked = all.iter().map(|element| element.children().count()).sum::<usize>() + 1;
    assert_eq!(walked, all.len());
    for element in all {
        if element.only_text().is_some() {
            assert_eq!(element.children().count(), 0);
        }
        for attribute in element.attributes() {
            assert_eq!(element.attribute_in(attribute.namespace(), attribute.local()), Some(attribute.value()));
        }
    }
});
