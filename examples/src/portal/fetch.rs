//! Fetches the metadata of providers with the same guarded client that OpenID providers are asked with.

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{ACCEPT, ETAG, IF_NONE_MATCH};
use http::{Request, StatusCode};
use jit_oidc::{GuardedHttp, Http};
use jit_saml::metadata::{Fetch, FetchFailure, FetchRequest, Fetched};

/// Hands the guarded client over to `jit-saml`.
#[derive(Debug)]
pub(super) struct GuardedFetch(pub(super) GuardedHttp);

#[async_trait]
impl Fetch for GuardedFetch {
    async fn fetch(&self, request: FetchRequest<'_>) -> Result<Fetched, FetchFailure> {
        let mut asked =
            Request::get(request.url).header(ACCEPT, "application/samlmetadata+xml, application/xml");
        if let Some(validator) = request.validator {
            asked = asked.header(IF_NONE_MATCH, validator);
        }
        let asked = asked.body(Bytes::new()).map_err(FetchFailure::new)?;
        let answer = self.0.send(asked, request.limit).await.map_err(FetchFailure::new)?;
        match answer.status() {
            StatusCode::OK => {
                let tag = answer.headers().get(ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
                Ok(Fetched::Document { octets: answer.into_body().to_vec(), validator: tag })
            }
            StatusCode::NOT_MODIFIED if request.validator.is_some() => Ok(Fetched::Unchanged),
            status => Err(FetchFailure::new(format!("the address answered with status {}", status.as_u16()))),
        }
    }
}
