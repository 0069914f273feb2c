use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use maud::Markup;
use serde_json::Value;

use super::guard::content_security_policy;

/// Where every site here serves the one stylesheet.
pub const STYLE_PATH: &str = "/style.css";

const STYLE: &str = include_str!("../portal/style.css");

/// Answers with the stylesheet.
pub async fn style() -> Response {
    let headers = [(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "public, max-age=300")];
    (headers, STYLE).into_response()
}

/// Answers with a page.
#[must_use]
pub fn html(status: StatusCode, page: Markup) -> Response {
    (status, page).into_response()
}

/// Answers with a page whose forms may lead to other origins as well.
#[must_use]
pub fn html_with_policy(status: StatusCode, page: Markup, form_targets: &[&str]) -> Response {
    let mut response = html(status, page);
    // A target that is no header text keeps the strict policy of every other page.
    if let Ok(policy) = HeaderValue::from_str(&content_security_policy(form_targets)) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// Answers with JSON.
#[must_use]
pub fn json(status: StatusCode, value: &Value) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

/// Sends the browser on with GET, whatever the method of this request was.
#[must_use]
pub fn see_other(location: &str) -> Response {
    match HeaderValue::from_str(location) {
        Ok(location) => (StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
