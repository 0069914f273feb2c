//! The default client for metadata.

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{ACCEPT, ETAG, IF_NONE_MATCH};
use http::{Request, StatusCode};
use jit_http::GuardedHttp;

use super::fetch::{Fetch, FetchFailure, FetchRequest, Fetched};

/// Follows no redirect: the address of metadata is configured, and a new one is to be configured anew.
#[async_trait]
impl Fetch for GuardedHttp {
    async fn fetch(&self, request: FetchRequest<'_>) -> Result<Fetched, FetchFailure> {
        let mut asked =
            Request::get(request.url).header(ACCEPT, "application/samlmetadata+xml, application/xml");
        if let Some(validator) = request.validator {
            asked = asked.header(IF_NONE_MATCH, validator);
        }
        let asked = asked.body(Bytes::new()).map_err(FetchFailure::new)?;
        let answer = self.exchange(asked, request.limit).await.map_err(FetchFailure::new)?;
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
