//! Names and filters that people write are read or refused, and what was read is written so that it is read again.
#![no_main]

use jit_ldap::{Dn, Filter};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _read_or_refused = Filter::parse(text);
    let Ok(dn) = Dn::parse(text) else { return };
    let written = dn.to_string();
    assert_eq!(Dn::parse(&written).unwrap(), dn);
    assert!(dn.is_within(&dn));
    if let Some(parent) = dn.parent() {
        assert!(dn.is_within(&parent));
    }
});
