//! The default client for metadata.

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{ACCEPT, ETAG, HeaderName, IF_NONE_MATCH, LOCATION};
use http::{Request, Response, StatusCode};
use jit_http::GuardedHttp;
use url::Url;

use super::fetch::{Fetch, FetchFailure, FetchRequest, Fetched};

/// How often we let ourselves be sent elsewhere.
const MAX_REDIRECTS: usize = 3;

/// Follows up to three redirects (IIP-MD02). Every address on the way passes all guards of the client, as the first one does.
#[async_trait]
impl Fetch for GuardedHttp {
    async fn fetch(&self, request: FetchRequest<'_>) -> Result<Fetched, FetchFailure> {
        let mut address = Url::parse(request.url).map_err(FetchFailure::new)?;
        for _ in 0..=MAX_REDIRECTS {
            let asked = ask(&address, request.validator)?;
            let answer = self.exchange(asked, request.limit).await.map_err(FetchFailure::new)?;
            match answer.status() {
                StatusCode::OK => {
                    let validator = header(&answer, ETAG).map(str::to_owned);
                    return Ok(Fetched::Document { octets: answer.into_body().to_vec(), validator });
                }
                StatusCode::NOT_MODIFIED if request.validator.is_some() => return Ok(Fetched::Unchanged),
                StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT => address = onward(&address, &answer)?,
                status => {
                    let status = status.as_u16();
                    return Err(FetchFailure::new(format!("the address answered with status {status}")));
                }
            }
        }
        Err(FetchFailure::new("the address redirects more than three times"))
    }
}

fn ask(address: &Url, validator: Option<&str>) -> Result<Request<Bytes>, FetchFailure> {
    let mut asked =
        Request::get(address.as_str()).header(ACCEPT, "application/samlmetadata+xml, application/xml");
    if let Some(validator) = validator {
        asked = asked.header(IF_NONE_MATCH, validator);
    }
    asked.body(Bytes::new()).map_err(FetchFailure::new)
}

/// Reads where a redirect leads. Nobody is led from https to anything less, even where a guard is open for this machine.
fn onward(from: &Url, answer: &Response<Bytes>) -> Result<Url, FetchFailure> {
    let location =
        header(answer, LOCATION).ok_or_else(|| FetchFailure::new("a redirect names no address"))?;
    let onward = from.join(location).map_err(FetchFailure::new)?;
    if from.scheme() == "https" && onward.scheme() != "https" {
        return Err(FetchFailure::new("a redirect leads away from https"));
    }
    Ok(onward)
}

fn header(answer: &Response<Bytes>, name: HeaderName) -> Option<&str> {
    answer.headers().get(name).and_then(|value| value.to_str().ok())
}
