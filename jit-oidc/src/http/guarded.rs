//! The default client, with limits on everything.

use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use ipnet::IpNet;
use rustls::pki_types::CertificateDer;
use rustls_platform_verifier::Verifier;
use url::{Host, Url};

use super::addresses::{AddressRule, GuardedResolver, NoAllowedAddress};
use super::{Http, HttpError, HttpErrorKind};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(5);

/// A client that speaks https to public addresses only: no redirects, no proxies from the environment, no
/// decompression, 3 seconds to connect, 5 seconds in total, bodies read only up to their limit. Certificates are
/// checked as the platform does; the TLS provider is its own and not the process-wide one.
#[derive(Debug, Clone)]
pub struct GuardedHttp {
    client: reqwest::Client,
    rule: Arc<AddressRule>,
}

/// Builds a [`GuardedHttp`].
#[derive(Debug, Default)]
pub struct GuardedHttpBuilder {
    rule: AddressRule,
    roots: Vec<CertificateDer<'static>>,
}

/// Switches that open a guard.
#[derive(Debug)]
pub struct DangerousOptions(GuardedHttpBuilder);

impl GuardedHttp {
    /// Builds the client with all its guards.
    ///
    /// # Errors
    /// `oidc.http_invalid` when the platform has no certificates to trust.
    pub fn new() -> Result<Self, HttpError> {
        Self::builder().build()
    }

    /// Begins a client with exceptions.
    #[must_use]
    pub fn builder() -> GuardedHttpBuilder {
        GuardedHttpBuilder::default()
    }

    fn check(&self, url: &Url) -> Result<(), HttpError> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            // names are checked where they are resolved
            Some(Host::Domain(_)) => None,
            None => return Err(HttpError::new(HttpErrorKind::Invalid)),
        };
        if !(url.scheme() == "https" || self.rule.loopback && is_loopback_http(url)) {
            return Err(HttpError::new(HttpErrorKind::SchemeRefused));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(HttpError::new(HttpErrorKind::Invalid));
        }
        match address {
            Some(address) if !self.rule.allows(address) => Err(HttpError::new(HttpErrorKind::AddressRefused)),
            _ => Ok(()),
        }
    }
}

/// Tells whether an address is plain http to this machine.
pub(crate) fn is_loopback_http(url: &Url) -> bool {
    url.scheme() == "http"
        && match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        }
}

impl GuardedHttpBuilder {
    /// Trusts one more root certificate (DER), beside those of the platform.
    #[must_use]
    pub fn extra_root(mut self, certificate: Vec<u8>) -> Self {
        self.roots.push(CertificateDer::from(certificate));
        self
    }

    /// Allows a private range, for a provider inside one's own network.
    #[must_use]
    pub fn allow_range(mut self, range: IpNet) -> Self {
        self.rule.ranges.push(range);
        self
    }

    /// Shows the switches that open a guard.
    #[must_use]
    pub const fn dangerous(self) -> DangerousOptions {
        DangerousOptions(self)
    }

    /// Builds the client.
    ///
    /// # Errors
    /// `oidc.http_invalid` when the platform has no certificates to trust.
    pub fn build(self) -> Result<GuardedHttp, HttpError> {
        let rule = Arc::new(self.rule);
        let tls = tls(self.roots, rule.loopback)?;
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .dns_resolver(GuardedResolver(Arc::clone(&rule)))
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            // other crates may switch these features on; they must not change what is read here
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TOTAL_TIMEOUT)
            .build()
            .map_err(|error| HttpError::new(HttpErrorKind::Invalid).caused_by(error))?;
        Ok(GuardedHttp { client, rule })
    }
}

impl DangerousOptions {
    /// Allows plain http to loopback addresses, and loopback addresses at all: for tests and demonstrations.
    #[must_use]
    pub fn allow_loopback_http(mut self) -> GuardedHttpBuilder {
        self.0.rule.loopback = true;
        self.0
    }
}

fn tls(roots: Vec<CertificateDer<'static>>, may_lack_roots: bool) -> Result<rustls::ClientConfig, HttpError> {
    let invalid = |error: rustls::Error| HttpError::new(HttpErrorKind::Invalid).caused_by(error);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(invalid)?;
    match Verifier::new_with_extra_roots(roots, provider) {
        Ok(verifier) => {
            Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
        }
        // a demonstration on a bare machine speaks http to itself; with no roots, https fails closed
        Err(_) if may_lack_roots => {
            Ok(builder.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth())
        }
        Err(error) => Err(invalid(error)),
    }
}

#[async_trait]
impl Http for GuardedHttp {
    async fn send(&self, request: Request<Bytes>, max_body: usize) -> Result<Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        let url = Url::parse(&parts.uri.to_string())
            .map_err(|error| HttpError::new(HttpErrorKind::Invalid).caused_by(error))?;
        self.check(&url)?;
        let sent = self.client.request(parts.method, url).headers(parts.headers).body(body).send().await;
        let mut response = sent.map_err(failure)?;
        let mut answer = Response::new(Bytes::new());
        *answer.status_mut() = response.status();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        *answer.body_mut() = read(response, max_body).await?;
        Ok(answer)
    }
}

async fn read(mut response: reqwest::Response, max_body: usize) -> Result<Bytes, HttpError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(failure)? {
        if body.len() + chunk.len() > max_body {
            return Err(HttpError::new(HttpErrorKind::TooLarge));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn failure(error: reqwest::Error) -> HttpError {
    let kind = if is_caused_by::<NoAllowedAddress>(&error) {
        HttpErrorKind::AddressRefused
    } else if error.is_timeout() {
        HttpErrorKind::Timeout
    } else if error.is_builder() {
        HttpErrorKind::Invalid
    } else {
        HttpErrorKind::Unreachable
    };
    // the address may carry a secret in its query
    HttpError::new(kind).caused_by(error.without_url())
}

fn is_caused_by<E: Error + 'static>(error: &dyn Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.is::<E>() {
            return true;
        }
        cause = error.source();
    }
    false
}
