//! Encrypts as providers do, in each of their layouts.

use std::sync::OnceLock;

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_128, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PrivateDecryptingKey,
};
use jit_saml::base64_text;
use jit_saml::crypto::DecryptionKey;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cipher {
    Aes128Gcm,
    Aes256Gcm,
    Aes128Cbc,
}

/// Where the encrypted key stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    Inside,
    Beside,
}

/// How something is encrypted.
#[derive(Clone, Copy)]
pub(crate) struct Recipe {
    pub(crate) cipher: Cipher,
    pub(crate) sha256: bool,
    pub(crate) layout: Layout,
    /// How many keys of strangers come before ours.
    pub(crate) strangers: usize,
}

impl Default for Recipe {
    fn default() -> Self {
        Self { cipher: Cipher::Aes256Gcm, sha256: false, layout: Layout::Inside, strangers: 0 }
    }
}

fn pair(index: usize) -> &'static PrivateDecryptingKey {
    static PAIRS: OnceLock<[PrivateDecryptingKey; 3]> = OnceLock::new();
    &PAIRS.get_or_init(|| [(); 3].map(|()| PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap()))[index]
}

/// Our key; number 1 is the next one, and nothing is ever encrypted for number 2.
pub(crate) fn decryption_key(index: usize) -> DecryptionKey {
    DecryptionKey::from_pkcs8(AsDer::<Pkcs8V1Der<'_>>::as_der(pair(index)).unwrap().as_ref()).unwrap()
}

impl Recipe {
    /// Encrypts a text into an element such as `EncryptedAssertion`, for our key with this number.
    pub(crate) fn seal(&self, element: &str, text: &str, index: usize) -> String {
        let content_key = match self.cipher {
            Cipher::Aes256Gcm => vec![7_u8; 32],
            Cipher::Aes128Gcm | Cipher::Aes128Cbc => vec![7_u8; 16],
        };
        let uri = match self.cipher {
            Cipher::Aes128Gcm => "http://www.w3.org/2009/xmlenc11#aes128-gcm",
            Cipher::Aes256Gcm => "http://www.w3.org/2009/xmlenc11#aes256-gcm",
            Cipher::Aes128Cbc => "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
        };
        let value = base64_text::encode(&self.content(&content_key, text.as_bytes()));
        let keys: String = (0..self.strangers)
            .map(|_| self.encrypted_key(&content_key, 1 - index))
            .chain([self.encrypted_key(&content_key, index)])
            .collect();
        let (inside, beside) = match self.layout {
            Layout::Inside => (format!("<ds:KeyInfo>{keys}</ds:KeyInfo>"), String::new()),
            Layout::Beside => (
                "<ds:KeyInfo><ds:RetrievalMethod URI=\"#_key\" \
                 Type=\"http://www.w3.org/2001/04/xmlenc#EncryptedKey\"/></ds:KeyInfo>"
                    .to_owned(),
                keys,
            ),
        };
        format!(
            "<saml:{element} xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" \
             xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\" xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">\
             <xenc:EncryptedData Type=\"http://www.w3.org/2001/04/xmlenc#Element\">\
             <xenc:EncryptionMethod Algorithm=\"{uri}\"/>{inside}\
             <xenc:CipherData><xenc:CipherValue>{value}</xenc:CipherValue></xenc:CipherData>\
             </xenc:EncryptedData>{beside}</saml:{element}>"
        )
    }

    fn content(&self, key: &[u8], text: &[u8]) -> Vec<u8> {
        let mut content = text.to_vec();
        if self.cipher == Cipher::Aes128Cbc {
            let key = UnboundCipherKey::new(&AES_128, key).unwrap();
            let iv = [3_u8; 16];
            let mode = EncryptionContext::Iv128(FixedLength::from(iv));
            PaddedBlockEncryptingKey::cbc_pkcs7(key).unwrap().less_safe_encrypt(&mut content, mode).unwrap();
            return [&iv[..], &content].concat();
        }
        let algorithm = if key.len() == 16 { &AES_128_GCM } else { &AES_256_GCM };
        let key = LessSafeKey::new(UnboundKey::new(algorithm, key).unwrap());
        let nonce = [5_u8; 12];
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut content)
            .unwrap();
        [&nonce[..], &content].concat()
    }

    fn encrypted_key(&self, content_key: &[u8], index: usize) -> String {
        let public = OaepPublicEncryptingKey::new(pair(index).public_key()).unwrap();
        let algorithm = if self.sha256 { &OAEP_SHA256_MGF1SHA256 } else { &OAEP_SHA1_MGF1SHA1 };
        let mut wrapped = vec![0; public.ciphertext_size()];
        let wrapped = public.encrypt(algorithm, content_key, &mut wrapped, None).unwrap();
        let method = if self.sha256 {
            "<xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2009/xmlenc11#rsa-oaep\">\
             <ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/>\
             <xenc11:MGF xmlns:xenc11=\"http://www.w3.org/2009/xmlenc11#\" \
             Algorithm=\"http://www.w3.org/2009/xmlenc11#mgf1sha256\"/></xenc:EncryptionMethod>"
        } else {
            "<xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p\"/>"
        };
        format!(
            "<xenc:EncryptedKey Id=\"_key\">{method}<xenc:CipherData><xenc:CipherValue>{}</xenc:CipherValue>\
             </xenc:CipherData></xenc:EncryptedKey>",
            base64_text::encode(wrapped)
        )
    }
}
