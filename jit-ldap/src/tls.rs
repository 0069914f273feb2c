//! TLS with a provider that is handed over. Nothing is looked up process-wide, and nothing switches verification off.

use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::error::LdapError;
use crate::reason::Reason;

/// How servers prove who they are.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ClientConfig>,
}

/// The authorities that may vouch for a server.
#[derive(Debug, Clone, Default)]
pub struct Roots {
    own: Vec<CertificateDer<'static>>,
    #[cfg(feature = "platform-roots")]
    with_platform: bool,
}

impl Roots {
    /// Trusts what the machine trusts.
    #[cfg(feature = "platform-roots")]
    #[must_use]
    pub const fn platform() -> Self {
        Self { own: Vec::new(), with_platform: true }
    }

    /// Trusts nobody yet.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Trusts the authorities of a PEM text too, such as the one of a company.
    ///
    /// # Errors
    /// `ldap.settings_invalid` when the text holds no certificate, or something that is none.
    pub fn and_pem(mut self, pem: &[u8]) -> Result<Self, LdapError> {
        let found = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
        let found = found.map_err(|error| LdapError::new(Reason::SettingsInvalid).caused_by(error))?;
        if found.is_empty() {
            return Err(LdapError::new(Reason::SettingsInvalid));
        }
        self.own.extend(found);
        Ok(self)
    }

    fn verifier(self, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, LdapError> {
        #[cfg(feature = "platform-roots")]
        if self.with_platform {
            let verifier =
                rustls_platform_verifier::Verifier::new_with_extra_roots(self.own, Arc::clone(provider));
            let verifier =
                verifier.map_err(|error| LdapError::new(Reason::SettingsInvalid).caused_by(error))?;
            return Ok(Arc::new(verifier));
        }
        let mut store = RootCertStore::empty();
        for root in self.own {
            store.add(root).map_err(|error| LdapError::new(Reason::SettingsInvalid).caused_by(error))?;
        }
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider)).build();
        let verifier = verifier.map_err(|error| LdapError::new(Reason::SettingsInvalid).caused_by(error))?;
        Ok(verifier)
    }
}

impl Tls {
    /// Trusts these authorities, with the algorithms of this provider.
    ///
    /// # Errors
    /// `ldap.settings_invalid` when there is no authority to trust or the provider knows no usable protocol.
    pub fn new(provider: Arc<CryptoProvider>, roots: Roots) -> Result<Self, LdapError> {
        let verifier = roots.verifier(&provider)?;
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.map_err(|error| LdapError::new(Reason::SettingsInvalid).caused_by(error))?;
        // "dangerous" is rustls' word for any verifier that is handed over; ours is rustls' own or the platform's
        let config = builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
        Ok(Self { config: Arc::new(config) })
    }

    /// Takes a whole configuration: client certificates, other protocols. What it verifies is the caller's affair.
    #[must_use]
    pub const fn with_config(config: Arc<ClientConfig>) -> Self {
        Self { config }
    }

    pub(crate) async fn connect<S>(&self, host: &str, stream: S) -> Result<TlsStream<S>, LdapError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let name = ServerName::try_from(host.to_owned());
        let name = name.map_err(|error| LdapError::new(Reason::SettingsInvalid).caused_by(error))?;
        let connector = TlsConnector::from(Arc::clone(&self.config));
        connector.connect(name, stream).await.map_err(failure)
    }
}

fn failure(error: io::Error) -> LdapError {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let reason = match inner {
        Some(rustls::Error::InvalidCertificate(_)) => Reason::TlsCertificate,
        _ => Reason::TlsFailed,
    };
    LdapError::new(reason).caused_by(error)
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls(…)")
    }
}
