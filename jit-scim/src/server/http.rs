//! The service behind HTTP, as `tower` knows it.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, IF_MATCH,
    IF_NONE_MATCH,
};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};

use super::auth::{Authenticator, bearer};
use super::message::{JSON, SCIM_JSON, ScimRequest, ScimResponse};
use super::service::ScimService;
use crate::error::ScimError;
use crate::reason::Reason;

/// Answers HTTP requests: checks the bearer token, reads the body within its limit, and asks the service.
///
/// Mount it where the service's address is, such as `Router::nest_service("/scim/v2", scim)`: it looks at the path below. Where
/// nothing else is served, `Router::fallback_service(scim.below("/scim/v2"))` spares taking each address apart.
///
/// It knows no timers: how long heads and bodies may take is up to the server in front of it. A body that fails, for whatever
/// reason, is answered with 408. It answers as soon as it can tell, whether the body is there or not: the server reads what is
/// left of it, or the answer may be lost to clients that are still writing (RFC 9112 §9.6).
#[derive(Clone)]
pub struct ScimHttp(Arc<Parts>);

/// Shared by all requests as one, so that they count references to it once.
#[derive(Clone)]
struct Parts {
    service: Arc<ScimService>,
    authenticator: Arc<dyn Authenticator>,
    body_bytes: usize,
    /// What paths begin with.
    below: Arc<str>,
}

type Answer = Pin<Box<dyn Future<Output = Result<Response<Full<Bytes>>, Infallible>> + Send>>;

impl ScimHttp {
    /// Serves whoever the authenticator knows.
    #[must_use]
    pub fn new(service: Arc<ScimService>, authenticator: Arc<dyn Authenticator>) -> Self {
        let body_bytes = service.body_bytes();
        Self(Arc::new(Parts { service, authenticator, body_bytes, below: "".into() }))
    }

    /// Looks at the path below this one, such as `/scim/v2`; elsewhere nothing is found.
    #[must_use]
    pub fn below(mut self, path: &str) -> Self {
        Arc::make_mut(&mut self.0).below = path.trim_end_matches('/').into();
        self
    }

    /// Makes a router of it, below this path, such as `/scim/v2`.
    #[cfg(feature = "axum")]
    pub fn router(self, path: &str) -> axum::Router {
        axum::Router::new().nest_service(path, self)
    }
}

impl Parts {
    async fn answer<B>(&self, request: Request<B>) -> ScimResponse
    where
        B: http_body::Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (parts, body) = request.into_parts();
        let said = Said::of(&parts.headers);
        let response = match self.answered(&parts, &said, body).await {
            Ok(response) => response,
            Err(error) => ScimResponse::refusal(&error),
        };
        if said.accept.as_deref().is_some_and(takes_plain_json_alone) {
            response.called_plain_json()
        } else {
            response
        }
    }

    async fn answered<B>(
        &self,
        parts: &http::request::Parts,
        said: &Said<'_>,
        body: B,
    ) -> Result<ScimResponse, ScimError>
    where
        B: http_body::Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let path = parts.uri.path().strip_prefix(&*self.below);
        let path = path.filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let path = path.ok_or(Reason::PathUnserved)?;
        let token = said.authorization.ok_or(Reason::TokenMissing)?;
        let token = bearer(token.to_str().map_err(|_| Reason::Unauthenticated)?)?;
        let context = self.authenticator.authenticate(token).await?;
        let is_coded = |coding: &str| !coding.trim().eq_ignore_ascii_case("identity");
        if text(said.encoding).is_some_and(is_coded) {
            return Err(Reason::MediaType.into());
        }
        let length = text(said.length).and_then(|length| length.parse::<usize>().ok());
        let too_large = || ScimError::beyond(Reason::BodyTooLarge, self.body_bytes);
        if length.is_some_and(|length| length > self.body_bytes) {
            return Err(too_large());
        }
        let body = Limited::new(body, self.body_bytes).collect().await;
        let unread = |error: Box<dyn std::error::Error + Send + Sync>| {
            if error.is::<LengthLimitError>() { too_large() } else { Reason::BodyIncomplete.into() }
        };
        let body = body.map_err(unread)?.to_bytes();
        let request = ScimRequest {
            method: parts.method.as_str(),
            path,
            query: parts.uri.query(),
            content_type: text(said.content_type),
            if_match: said.if_match.as_deref(),
            if_none_match: said.if_none_match.as_deref(),
            body: &body,
        };
        Ok(self.service.handle(&context, request).await)
    }
}

impl<B> tower_service::Service<Request<B>> for ScimHttp
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Answer {
        let own = Arc::clone(&self.0);
        Box::pin(async move { Ok(own.answer(request).await.into()) })
    }
}

impl From<ScimResponse> for Response<Full<Bytes>> {
    fn from(response: ScimResponse) -> Self {
        let (status, headers, body) = response.into_parts();
        let mut answer = Self::new(Full::new(body));
        *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        answer.headers_mut().reserve(headers.len());
        for (name, value) in headers {
            let value = match value {
                Cow::Borrowed(text) => Bytes::from_static(text.as_bytes()),
                Cow::Owned(text) => Bytes::from(text),
            };
            if let Ok(value) = HeaderValue::from_maybe_shared(value) {
                answer.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
        answer
    }
}

/// The headers that are looked at, found in one pass.
#[derive(Default)]
struct Said<'a> {
    authorization: Option<&'a HeaderValue>,
    encoding: Option<&'a HeaderValue>,
    length: Option<&'a HeaderValue>,
    content_type: Option<&'a HeaderValue>,
    accept: Option<Cow<'a, str>>,
    if_match: Option<Cow<'a, str>>,
    if_none_match: Option<Cow<'a, str>>,
}

impl<'a> Said<'a> {
    /// Several lines of a header that is a list are one list (RFC 9110 §5.3). Of those that have one value the first counts.
    fn of(headers: &'a HeaderMap) -> Self {
        let mut said = Self::default();
        for (name, value) in headers {
            let place = match *name {
                AUTHORIZATION => &mut said.authorization,
                CONTENT_ENCODING => &mut said.encoding,
                CONTENT_LENGTH => &mut said.length,
                CONTENT_TYPE => &mut said.content_type,
                ACCEPT => {
                    add_line(&mut said.accept, value);
                    continue;
                }
                IF_MATCH => {
                    add_line(&mut said.if_match, value);
                    continue;
                }
                IF_NONE_MATCH => {
                    add_line(&mut said.if_none_match, value);
                    continue;
                }
                _ => continue,
            };
            place.get_or_insert(value);
        }
        said
    }
}

fn add_line<'a>(list: &mut Option<Cow<'a, str>>, line: &'a HeaderValue) {
    let line = text(Some(line)).unwrap_or_default();
    *list = Some(match list.take() {
        None => Cow::Borrowed(line),
        Some(before) => Cow::Owned([&before, ", ", line].concat()),
    });
}

/// Tells whether a client takes plain JSON, and neither that of SCIM nor whatever there is (RFC 9110 §12.5.1).
fn takes_plain_json_alone(accept: &str) -> bool {
    let mut takes_plain = false;
    for range in accept.split(',') {
        let (kind, parameters) = range.split_once(';').unwrap_or((range, ""));
        let is = |name: &str| kind.trim_ascii().eq_ignore_ascii_case(name);
        let is_plain = is(JSON);
        if (is_plain || is(SCIM_JSON) || is("*/*") || is("application/*")) && !is_unwanted(parameters) {
            if !is_plain {
                return false;
            }
            takes_plain = true;
        }
    }
    takes_plain
}

/// Tells whether the weight is zero, which is how to say no (RFC 9110 §12.4.2).
fn is_unwanted(parameters: &str) -> bool {
    let weight = |parameter: &str| {
        let (name, value) = parameter.split_once('=')?;
        name.trim_ascii().eq_ignore_ascii_case("q").then(|| value.trim_ascii().parse::<f32>().ok())?
    };
    parameters.split(';').find_map(weight).is_some_and(|weight| weight <= 0.0)
}

fn text(value: Option<&HeaderValue>) -> Option<&str> {
    // what cannot be read is there all the same: no version is called so, and no media type
    value.map(|value| value.to_str().unwrap_or_default())
}

impl fmt::Debug for ScimHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScimHttp").field("service", &self.0.service).finish_non_exhaustive()
    }
}
