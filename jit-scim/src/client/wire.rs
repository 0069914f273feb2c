//! Requests and answers: paced, proved, bounded, and an answer that is none told apart from one.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use http::{Method, Request, Response, Uri, header};
use jit_core::Clock;

use super::credentials::{AccessToken, Credentials};
use super::failure::Failure;
use super::profile::{ProfileError, TargetProfile};
use super::rate::{Governor, Kind};
use super::reason::TargetReason;
use super::retry_after;
use super::transport::Transport;
use crate::json::Json;
use crate::limits::Limits;
use crate::reason::ScimType;

/// The longest answers that are read: of one resource, and of a page or a group with all its members.
const ONE: usize = 1 << 20;
const MANY: usize = 16 << 20;
/// The most values of an answer.
const VALUES: usize = 2_000_000;
/// How often a request that was not taken is made within one call.
const TRIES: u32 = 4;

/// Speaks to one target.
pub(super) struct Wire {
    base: String,
    credentials: Arc<dyn Credentials>,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    governor: Governor,
    media_type: String,
    patience: TimeDelta,
    longest: TimeDelta,
}

/// Counts what one call of the port has used up.
#[derive(Debug)]
pub(super) struct Call {
    began: DateTime<Utc>,
    waited: TimeDelta,
    /// How many requests that change something were handed to the transport.
    writes: u32,
}

impl Call {
    pub(super) const fn writes(&self) -> u32 {
        self.writes
    }
}

/// A request.
pub(super) struct Ask {
    method: Method,
    /// Relative to the base, escaped.
    path: String,
    if_match: Option<String>,
    body: Option<Json>,
    longest: usize,
}

impl Ask {
    pub(super) const fn new(method: Method, path: String) -> Self {
        Self { method, path, if_match: None, body: None, longest: ONE }
    }

    pub(super) fn body(self, body: Json) -> Self {
        Self { body: Some(body), ..self }
    }

    /// Holds only while the resource is of this version, where the target has versions.
    pub(super) fn only_if(self, version: Option<&str>) -> Self {
        Self { if_match: version.map(str::to_owned), ..self }
    }

    pub(super) fn for_many(self) -> Self {
        Self { longest: MANY, ..self }
    }

    fn kind(&self) -> Kind {
        if self.method == Method::GET { Kind::Reads } else { Kind::Writes }
    }
}

/// An answer that is neither a failure of the target nor a page of somebody else.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// The resource or message, where one came.
    pub(super) json: Option<Json>,
}

impl Answer {
    pub(super) const fn is_done(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// Whether the method is not there at all.
    pub(super) const fn is_unsupported(&self) -> bool {
        matches!(self.status, 405 | 501)
    }

    /// Whether a value that must be unique is taken: 409, or 400 with the detail type for it.
    pub(super) fn is_taken(&self) -> bool {
        self.status == 409 || self.status == 400 && self.says("uniqueness")
    }

    /// Whether the detail type of an error is this one (RFC 7644 §3.12).
    pub(super) fn says(&self, scim_type: &str) -> bool {
        let own = self.json.as_ref().and_then(|json| json.member("scimType")).and_then(Json::as_text);
        own.is_some_and(|own| own.eq_ignore_ascii_case(scim_type))
    }

    /// The failure that any other status of an endpoint is.
    pub(super) fn refusal(&self) -> Failure {
        self.failure(if self.status == 404 { TargetReason::EndpointMissing } else { TargetReason::Refused })
    }

    pub(super) fn refused(&self) -> Failure {
        self.failure(TargetReason::Refused)
    }

    fn failure(&self, reason: TargetReason) -> Failure {
        let detail = ScimType::ALL.iter().copied().find(|detail| self.says(detail.as_str()));
        Failure::answered(reason, self.status, detail)
    }
}

impl Wire {
    /// Takes the address that all endpoints lie below.
    ///
    /// # Errors
    /// The base is not an address with a host, or has a query.
    pub(super) fn new(
        base: &str,
        profile: &TargetProfile,
        credentials: Arc<dyn Credentials>,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ProfileError> {
        let uri: Uri = base.parse().map_err(|_| ProfileError::BASE)?;
        let is_http = matches!(uri.scheme_str(), Some("https" | "http"));
        if !is_http || uri.host().is_none() || uri.query().is_some() {
            return Err(ProfileError::BASE);
        }
        let seconds = |count: u32| TimeDelta::seconds(i64::from(count));
        Ok(Self {
            base: base.trim_end_matches('/').to_owned(),
            credentials,
            transport,
            clock,
            governor: Governor::new(profile.reads, profile.writes),
            media_type: profile.media_type.clone(),
            patience: seconds(profile.patience_seconds),
            longest: seconds(profile.call_seconds),
        })
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(super) fn call(&self) -> Call {
        Call { began: self.now(), waited: TimeDelta::zero(), writes: 0 }
    }

    /// Makes a request, as soon as it is its turn. What may have had its effect is not made again.
    pub(super) async fn send(&self, call: &mut Call, ask: &Ask) -> Result<Answer, Failure> {
        let mut refused = None;
        let mut throttled: Option<Failure> = None;
        for _ in 0..TRIES {
            if let Err(failure) = self.turn(call, ask.kind()).await {
                return Err(match throttled {
                    Some(throttled) => throttled.no_sooner_than(&failure),
                    None => failure,
                });
            }
            let token = self.credentials.token(refused.as_ref()).await?;
            if refused.as_ref() == Some(&token) {
                return Err(TargetReason::CredentialsRefused.into());
            }
            let request = self.request(ask, &token)?;
            call.writes += u32::from(ask.kind() == Kind::Writes);
            let response = self.transport.send(request, ask.longest).await?;
            match self.judge(ask, &response)? {
                Judged::Answer(answer) => return Ok(answer),
                Judged::TokenRefused if refused.is_some() => {
                    return Err(TargetReason::CredentialsRefused.into());
                }
                Judged::TokenRefused => refused = Some(token),
                Judged::Throttled(failure) => throttled = Some(failure),
            }
        }
        Err(throttled.unwrap_or_else(|| TargetReason::Throttled.into()))
    }

    async fn turn(&self, call: &mut Call, kind: Kind) -> Result<(), Failure> {
        let now = self.now();
        if now.signed_duration_since(call.began) > self.longest {
            return Err(TargetReason::OutOfTime.into());
        }
        let paced =
            |wait| Failure::from(TargetReason::Paced).again_after(wait).while_out(self.governor.is_out(now));
        let mut wait = self.governor.enter(kind, now, self.patience_left(call)).map_err(paced)?;
        while wait > TimeDelta::zero() {
            self.transport.wait(wait).await;
            call.waited += wait;
            wait = self.governor.reenter(self.now(), self.patience_left(call)).map_err(paced)?;
        }
        Ok(())
    }

    /// Waits for what other calls of ours hold, such as the turn at a group: that counts as waiting, too.
    pub(super) async fn wait_for<T>(&self, call: &mut Call, what: impl Future<Output = T>) -> T {
        let before = self.now();
        let came = what.await;
        call.waited += self.now().signed_duration_since(before).max(TimeDelta::zero());
        came
    }

    /// Whether a call has no time left that it would have without its waiting.
    pub(super) fn has_waited_out(&self, call: &Call) -> bool {
        let took = self.now().signed_duration_since(call.began);
        took > self.longest && took - call.waited <= self.longest
    }

    /// Whether a call has no more than half of its time left.
    pub(super) fn is_half_over(&self, call: &Call) -> bool {
        self.now().signed_duration_since(call.began) > self.longest / 2
    }

    fn patience_left(&self, call: &Call) -> TimeDelta {
        (self.patience - call.waited).max(TimeDelta::zero())
    }

    /// Waits for as long as something else than the wire asks for, where the call has that long.
    pub(super) async fn pause(
        &self,
        call: &mut Call,
        wait: TimeDelta,
        reason: TargetReason,
    ) -> Result<(), Failure> {
        if wait > self.patience_left(call) {
            return Err(Failure::from(reason).again_after(wait));
        }
        self.transport.wait(wait).await;
        call.waited += wait;
        Ok(())
    }

    fn request(&self, ask: &Ask, token: &AccessToken) -> Result<Request<Bytes>, Failure> {
        let uri = format!("{}/{}", self.base, ask.path);
        let mut request = Request::builder()
            .method(ask.method.clone())
            .uri(uri)
            .header(header::AUTHORIZATION, format!("Bearer {}", token.expose()))
            .header(header::ACCEPT, "application/scim+json, application/json");
        if ask.body.is_some() {
            request = request.header(header::CONTENT_TYPE, &self.media_type);
        }
        if let Some(version) = &ask.if_match {
            request = request.header(header::IF_MATCH, version);
        }
        let body = ask.body.as_ref().map(Json::to_bytes).unwrap_or_default();
        request.body(body.into()).map_err(|_| TargetReason::RequestInvalid.into())
    }

    fn judge(&self, ask: &Ask, response: &Response<Bytes>) -> Result<Judged, Failure> {
        let status = response.status().as_u16();
        match status {
            429 | 503 => return self.throttled(ask, response),
            403 if retry_after::is_limit(response.headers()) => return self.throttled(ask, response),
            401 => return Ok(Judged::TokenRefused),
            300..=399 => return Err(TargetReason::Redirected.into()),
            // 501 says that there is no such method; 408 and 425 that the request did not come in time, or too early
            408 | 425 | 500 | 502..=599 => return Err(TargetReason::ServerFailed.into()),
            _ => self.governor.answered(),
        }
        // also where it says that there is no such method: a gateway says so, and not the target
        if is_page(response) {
            return Err(TargetReason::NotScim.into());
        }
        let body = response.body();
        let limits =
            Limits { body_bytes: ask.longest, text_bytes: ask.longest, values: VALUES, ..Limits::default() };
        let json = Json::parse(body, &limits).ok().filter(|json| matches!(json, Json::Object(_)));
        if json.is_none() && !body.is_empty() && matches!(status, 200..=299) {
            return Err(TargetReason::AnswerMalformed.into());
        }
        Ok(Judged::Answer(Answer { status, json }))
    }

    /// A target that had enough did nothing, if it says 429. Of 503 that is not so sure: a creation is not repeated blindly.
    fn throttled(&self, ask: &Ask, response: &Response<Bytes>) -> Result<Judged, Failure> {
        let now = self.now();
        let pause = self.governor.close(retry_after::pause(response.headers(), now), now);
        let is_out = response.status().as_u16() == 503;
        self.governor.said_out(is_out, now);
        let failure = Failure::from(TargetReason::Throttled).again_after(pause).while_out(is_out);
        let is_repeatable = ask.method != Method::POST || !is_out;
        if is_repeatable { Ok(Judged::Throttled(failure)) } else { Err(failure) }
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire")
            .field("base", &self.base)
            .field("transport", &self.transport)
            .finish_non_exhaustive()
    }
}

/// What an answer is.
enum Judged {
    Answer(Answer),
    TokenRefused,
    Throttled(Failure),
}

fn is_page(response: &Response<Bytes>) -> bool {
    let media = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_html = media.is_some_and(|media| media.trim_start().to_ascii_lowercase().starts_with("text/html"));
    is_html || response.body().trim_ascii_start().starts_with(b"<")
}

/// Escapes what becomes part of a path or a query (RFC 3986 §2.3).
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or_default();
            escaped.extend([
                '%',
                digit(byte >> 4).to_ascii_uppercase(),
                digit(byte & 15).to_ascii_uppercase(),
            ]);
        }
    }
    escaped
}

/// The address of one resource. An id of dots alone would be taken for a way up.
pub(super) fn resource(endpoint: &str, id: &str) -> Result<String, Failure> {
    let is_way = id.is_empty() || id.bytes().all(|byte| byte == b'.');
    if is_way { Err(TargetReason::AnswerForeign.into()) } else { Ok(format!("{endpoint}/{}", escape(id))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_id_leads_elsewhere() {
        assert_eq!(resource("Users", "a/../b?c#d e").unwrap(), "Users/a%2F..%2Fb%3Fc%23d%20e");
        assert!(resource("Users", "..").is_err() && resource("Users", "").is_err());
    }
}
