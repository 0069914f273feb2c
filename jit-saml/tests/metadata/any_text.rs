//! Texts that nobody wrote on purpose.

use jit_saml::metadata::MetadataPolicy;
use jit_saml::signature::SigningKey;
use proptest::prelude::*;

use crate::document::{ENTITY, Idp, ends_in, now, read, signed};
use crate::keys;
use crate::public::public;

thread_local! {
    static KEY: SigningKey = keys::elliptic();
    static SIGNED: String = KEY.with(|key| {
        let idp = Idp { attributes: format!("ID=\"_root\" {}", ends_in(24)), ..Idp::new(&[key]) };
        signed(&idp.xml(), key)
    });
}

proptest! {
    #[test]
    fn a_changed_text_is_refused_or_says_what_was_signed(place in any::<prop::sample::Index>(), octet in any::<u8>(), cut in 0..3) {
        let mut octets = SIGNED.with(|text| text.clone().into_bytes());
        let place = place.index(octets.len());
        match cut {
            0 => octets[place] = octet,
            1 => { octets.remove(place); }
            _ => octets.insert(place, octet),
        }
        let policy = MetadataPolicy::signed_by(vec![KEY.with(public)]);
        let read = jit_saml::metadata::VerifiedMetadata::read(&octets, &policy, now(), &jit_saml::crypto::AwsLc);
        if let Ok(metadata) = read {
            let descriptor = metadata.descriptor(ENTITY, now()).unwrap();
            prop_assert_eq!(descriptor.signing_keys, vec![KEY.with(public)]);
            prop_assert_eq!(descriptor.single_sign_on[0].location.as_str(), "https://idp.example.org/sso");
        }
    }

    #[test]
    fn pinned_texts_of_any_kind_are_answered(extension in "\\PC{0,60}", attribute in "[^\"&<]{0,20}") {
        let role_attributes = format!("errorURL=\"{attribute}\" WantAuthnRequestsSigned=\"{attribute}\"");
        let idp = Idp { role_extensions: extension, role_attributes, ..Idp::new(&[]) };
        if let Ok(metadata) = read(&idp.xml(), &MetadataPolicy::pinned()) {
            prop_assert!(metadata.descriptor(ENTITY, now()).is_err());
        }
    }
}
