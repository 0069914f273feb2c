//! The algorithms that are known, by the names that XML gives them.

macro_rules! algorithms {
    ($(#[doc = $doc:literal])+ $name:ident { $( $variant:ident = $uri:literal, )+ }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $( #[doc = concat!("`", $uri, "`")] $variant, )+
        }

        impl $name {
            /// Lists all of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Answers the identifier in XML.
            #[must_use]
            pub const fn uri(self) -> &'static str {
                match self { $(Self::$variant => $uri),+ }
            }

            /// Finds the algorithm with this identifier.
            #[must_use]
            pub fn from_uri(uri: &str) -> Option<Self> {
                match uri { $($uri => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

algorithms! {
    /// Signs (RFC 9231 §2.3).
    SignatureAlgorithm {
        RsaSha256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
        RsaSha384 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
        RsaSha512 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
        EcdsaSha256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
        EcdsaSha384 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
        EcdsaSha512 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
        RsaSha1 = "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
        EcdsaSha1 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1",
    }
}

algorithms! {
    /// Digests (RFC 9231 §2.1).
    DigestAlgorithm {
        Sha256 = "http://www.w3.org/2001/04/xmlenc#sha256",
        Sha384 = "http://www.w3.org/2001/04/xmldsig-more#sha384",
        Sha512 = "http://www.w3.org/2001/04/xmlenc#sha512",
        Sha1 = "http://www.w3.org/2000/09/xmldsig#sha1",
    }
}

algorithms! {
    /// Encrypts content (XML Encryption 1.1 §5.2).
    ContentCipher {
        Aes128Gcm = "http://www.w3.org/2009/xmlenc11#aes128-gcm",
        Aes256Gcm = "http://www.w3.org/2009/xmlenc11#aes256-gcm",
        Aes128Cbc = "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
        Aes256Cbc = "http://www.w3.org/2001/04/xmlenc#aes256-cbc",
    }
}

impl SignatureAlgorithm {
    /// Answers the digest that is signed.
    #[must_use]
    pub const fn digest(self) -> DigestAlgorithm {
        match self {
            Self::RsaSha1 | Self::EcdsaSha1 => DigestAlgorithm::Sha1,
            Self::RsaSha256 | Self::EcdsaSha256 => DigestAlgorithm::Sha256,
            Self::RsaSha384 | Self::EcdsaSha384 => DigestAlgorithm::Sha384,
            Self::RsaSha512 | Self::EcdsaSha512 => DigestAlgorithm::Sha512,
        }
    }

    /// Says whether RSA keys make these signatures; otherwise elliptic curves do.
    #[must_use]
    pub const fn is_rsa(self) -> bool {
        matches!(self, Self::RsaSha1 | Self::RsaSha256 | Self::RsaSha384 | Self::RsaSha512)
    }
}

impl ContentCipher {
    /// Answers how many octets a key has.
    #[must_use]
    pub const fn key_length(self) -> usize {
        match self {
            Self::Aes128Gcm | Self::Aes128Cbc => 16,
            Self::Aes256Gcm | Self::Aes256Cbc => 32,
        }
    }

    /// Says whether the cipher notices changes. Those that do not are a legacy allowance.
    #[must_use]
    pub const fn is_authenticated(self) -> bool {
        matches!(self, Self::Aes128Gcm | Self::Aes256Gcm)
    }
}

/// Transports the content key: RSA-OAEP, with one digest for the label and for MGF1 (RFC 8017 §7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyTransport {
    /// SHA-1 for both, which is what `rsa-oaep-mgf1p` says where it names no digest.
    OaepSha1,
    /// SHA-256 for both.
    OaepSha256,
}
