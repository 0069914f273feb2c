use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};

const LARGEST_BODY: usize = 64 * 1024;
const LONGEST_ANSWER: Duration = Duration::from_secs(30);

/// Puts limits and safe headers around a router.
#[derive(Debug, Clone)]
pub struct Guard {
    authority: String,
}

impl Guard {
    /// Guards a site that is reached as `authority` (`127.0.0.1:8080`, `portal.example`).
    #[must_use]
    pub fn new(authority: impl Into<String>) -> Self {
        Self { authority: authority.into() }
    }

    /// Wraps the router: body and time limits, the right `Host` only, strict headers on every answer.
    pub fn around(self, router: Router) -> Router {
        self.around_beside(router, |router| router)
    }

    /// As [`Self::around`], with something beside the pages that has limits of its own: what it takes is its own affair. A
    /// bulk request of SCIM that was cut off would be repeated, and all that was done be refused.
    pub fn around_beside(self, pages: Router, add: impl FnOnce(Router) -> Router) -> Router {
        let pages = pages.layer(DefaultBodyLimit::max(LARGEST_BODY)).layer(middleware::from_fn(in_time));
        add(pages).layer(middleware::from_fn_with_state(self, guard)).layer(middleware::from_fn(set_headers))
    }
}

/// Writes the policy of a page whose forms may lead to `form_targets` besides its own origin.
///
/// Browsers apply `form-action` to the redirect that answers a form as well, hence the targets.
#[must_use]
pub fn content_security_policy(form_targets: &[&str]) -> String {
    let mut targets = String::from("'self'");
    for target in form_targets {
        targets.push(' ');
        targets.push_str(target);
    }
    format!(
        "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; form-action {targets}; \
         frame-ancestors 'none'; base-uri 'none'"
    )
}

async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    // A page of somebody else whose name resolves to loopback (DNS rebinding) sends its own name here.
    let host = request.headers().get(HOST).and_then(|value| value.to_str().ok());
    if host != Some(guard.authority.as_str()) {
        return (StatusCode::MISDIRECTED_REQUEST, "this host name is not served here").into_response();
    }
    next.run(request).await
}

async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(LONGEST_ANSWER, next.run(request)).await {
        Ok(response) => response,
        Err(_) => (StatusCode::GATEWAY_TIMEOUT, "the answer took too long").into_response(),
    }
}

async fn set_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let fixed: [(HeaderName, &str); 5] = [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if !headers.contains_key(CONTENT_SECURITY_POLICY)
        && let Ok(policy) = HeaderValue::from_str(&content_security_policy(&[]))
    {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_stands_beside_the_pages_takes_its_time_and_has_the_same_name() {
        let slow = || get(async || tokio::time::sleep(LONGEST_ANSWER * 4).await);
        let add = |pages: Router| pages.nest_service("/scim/v2", Router::new().route("/Bulk", slow()));
        let site = Guard::new("portal.example").around_beside(Router::new().route("/page", slow()), add);
        let ask = async |path: &str, host: &str| {
            let request = Request::get(path).header(HOST, host).body(Body::empty()).unwrap();
            site.clone().oneshot(request).await.unwrap()
        };
        assert_eq!(ask("/page", "portal.example").await.status(), StatusCode::GATEWAY_TIMEOUT);
        let done = ask("/scim/v2/Bulk", "portal.example").await;
        assert_eq!(done.status(), StatusCode::OK);
        assert_eq!(done.headers()[X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(ask("/scim/v2/Bulk", "evil.example").await.status(), StatusCode::MISDIRECTED_REQUEST);
    }
}
