//! The client, with limits on everything.

use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use ipnet::IpNet;
use rustls::pki_types::CertificateDer;
use rustls_platform_verifier::Verifier;
use url::{Host, Url};

use crate::addresses::{AddressRule, GuardedResolver, NoAllowedAddress};
use crate::failure::{HttpFailure, HttpFailureKind};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(5);
/// By what we ask: nothing of the deployment.
const USER_AGENT: &str = concat!("jit-http/", env!("CARGO_PKG_VERSION"));

/// A client that speaks https to public addresses only: no redirects, no proxies from the environment, no decompression, no
/// repeated requests, 3 seconds to connect, 5 seconds in total unless said otherwise, bodies read only up to their limit.
/// Each request says by what it is made (`User-Agent: jit-http/VERSION`), unless it says so itself. Certificates are checked as
/// the platform does; the TLS provider is its own and not the process-wide one. It waits on the
/// clock of tokio.
#[derive(Debug, Clone)]
pub struct GuardedHttp {
    client: reqwest::Client,
    rule: Arc<AddressRule>,
}

/// Builds a [`GuardedHttp`].
#[derive(Debug)]
pub struct GuardedHttpBuilder {
    rule: AddressRule,
    roots: Vec<CertificateDer<'static>>,
    total: Duration,
}

/// Switches that open a guard.
#[derive(Debug)]
pub struct DangerousOptions(GuardedHttpBuilder);

impl GuardedHttp {
    /// Builds the client with all its guards.
    ///
    /// # Errors
    /// `http.invalid` when the platform has no certificates to trust.
    pub fn new() -> Result<Self, HttpFailure> {
        Self::builder().build()
    }

    /// Begins a client with exceptions.
    #[must_use]
    pub fn builder() -> GuardedHttpBuilder {
        GuardedHttpBuilder { rule: AddressRule::default(), roots: Vec::new(), total: TOTAL_TIMEOUT }
    }

    /// Sends a request, once; an answer of any status is one.
    ///
    /// # Errors
    /// [`HttpFailure`] with an `http.…` code when there is no answer, or one of more than `max_body` octets.
    ///
    /// # Cancel safety
    /// The request may have reached the host.
    pub async fn exchange(
        &self,
        request: Request<Bytes>,
        max_body: usize,
    ) -> Result<Response<Bytes>, HttpFailure> {
        let (parts, body) = request.into_parts();
        let url = Url::parse(&parts.uri.to_string())
            .map_err(|error| HttpFailure::new(HttpFailureKind::Invalid).caused_by(error))?;
        self.check(&url)?;
        let sent = self.client.request(parts.method, url).headers(parts.headers).body(body).send().await;
        let mut response = sent.map_err(failure)?;
        let mut answer = Response::new(Bytes::new());
        *answer.status_mut() = response.status();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        *answer.body_mut() = read(response, max_body).await?;
        Ok(answer)
    }

    fn check(&self, url: &Url) -> Result<(), HttpFailure> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            // names are checked where they are resolved
            Some(Host::Domain(_)) => None,
            None => return Err(HttpFailure::new(HttpFailureKind::Invalid)),
        };
        if !(url.scheme() == "https" || self.rule.loopback && is_loopback_http(url)) {
            return Err(HttpFailure::new(HttpFailureKind::SchemeRefused));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(HttpFailure::new(HttpFailureKind::Invalid));
        }
        match address {
            Some(address) if !self.rule.allows(address) => {
                Err(HttpFailure::new(HttpFailureKind::AddressRefused))
            }
            _ => Ok(()),
        }
    }
}

/// Tells whether an address is plain http to this machine.
fn is_loopback_http(url: &Url) -> bool {
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

    /// Allows a private range, for what is inside one's own network.
    #[must_use]
    pub fn allow_range(mut self, range: IpNet) -> Self {
        self.rule.ranges.push(range);
        self
    }

    /// Waits so long for a whole answer.
    #[must_use]
    pub const fn total_timeout(mut self, span: Duration) -> Self {
        self.total = span;
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
    /// `http.invalid` when the platform has no certificates to trust.
    pub fn build(self) -> Result<GuardedHttp, HttpFailure> {
        let rule = Arc::new(self.rule);
        let tls = tls(self.roots, rule.loopback)?;
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .dns_resolver(GuardedResolver(Arc::clone(&rule)))
            .redirect(reqwest::redirect::Policy::none())
            // a request that was sent may have had its effect: who sends it again looks first
            .retry(reqwest::retry::never())
            .referer(false)
            // some applications refuse whoever does not say so (RFC 9110 §10.1.5)
            .user_agent(USER_AGENT)
            .no_proxy()
            // other crates may switch these features on; they must not change what is read here
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            .connect_timeout(CONNECT_TIMEOUT.min(self.total))
            .timeout(self.total)
            .build()
            .map_err(|error| HttpFailure::new(HttpFailureKind::Invalid).caused_by(error))?;
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

fn tls(
    roots: Vec<CertificateDer<'static>>,
    may_lack_roots: bool,
) -> Result<rustls::ClientConfig, HttpFailure> {
    let invalid = |error: rustls::Error| HttpFailure::new(HttpFailureKind::Invalid).caused_by(error);
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

async fn read(mut response: reqwest::Response, max_body: usize) -> Result<Bytes, HttpFailure> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(failure)? {
        if body.len() + chunk.len() > max_body {
            return Err(HttpFailure::new(HttpFailureKind::TooLarge));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn failure(error: reqwest::Error) -> HttpFailure {
    let kind = if is_caused_by::<NoAllowedAddress>(&error) {
        HttpFailureKind::AddressRefused
    } else if error.is_timeout() {
        HttpFailureKind::Timeout
    } else if error.is_builder() {
        HttpFailureKind::Invalid
    } else {
        HttpFailureKind::Unreachable
    };
    // the address may carry a secret in its query
    HttpFailure::new(kind).caused_by(error.without_url())
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
