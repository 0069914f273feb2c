//! What a provider encrypts for us.

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PrivateDecryptingKey};

use crate::keys::base64;

/// Encrypts for the owner of a key in PKCS#8 with AES-128-GCM and RSA-OAEP, the key beside the text.
pub(crate) fn encrypted(holder: &str, plain: &str, pkcs8: &[u8]) -> String {
    let (content_key, iv) = ([7; 16], [9; 12]);
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &content_key).unwrap());
    let mut sealed = plain.as_bytes().to_vec();
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(iv), Aad::empty(), &mut sealed).unwrap();
    let public = PrivateDecryptingKey::from_pkcs8(pkcs8).unwrap().public_key();
    let public = OaepPublicEncryptingKey::new(public).unwrap();
    let mut wrapped = vec![0; public.ciphertext_size()];
    public.encrypt(&OAEP_SHA1_MGF1SHA1, &content_key, &mut wrapped, None).unwrap();
    let (xenc, ds) = ("http://www.w3.org/2001/04/xmlenc#", "http://www.w3.org/2000/09/xmldsig#");
    let (wrapped, sealed) = (base64(&wrapped), base64(&[&iv[..], &sealed].concat()));
    format!(
        "<{holder}><xenc:EncryptedData xmlns:xenc=\"{xenc}\" Type=\"{xenc}Element\">\
         <xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2009/xmlenc11#aes128-gcm\"/>\
         <ds:KeyInfo xmlns:ds=\"{ds}\"><xenc:EncryptedKey>\
         <xenc:EncryptionMethod Algorithm=\"{xenc}rsa-oaep-mgf1p\"/>\
         <xenc:CipherData><xenc:CipherValue>{wrapped}</xenc:CipherValue></xenc:CipherData>\
         </xenc:EncryptedKey></ds:KeyInfo>\
         <xenc:CipherData><xenc:CipherValue>{sealed}</xenc:CipherValue></xenc:CipherData>\
         </xenc:EncryptedData></{holder}>"
    )
}
