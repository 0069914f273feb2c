use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use maud::Markup;
use serde_json::Value;

use super::guard::content_security_policy;

/// Where every site here serves the one stylesheet.
pub const STYLE_PATH: &str = "/style.css";

/// The icon of every site here, so that no browser looks for one.
pub const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath \
                        d='M3 15V6a5 5 0 0 1 10 0v9z' fill='%232851c8'/%3E%3Ccircle cx='10.2' cy='9.5' r='1.1' \
                        fill='white'/%3E%3C/svg%3E";

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

/// Adds a header to an answer, beside those of the same name.
#[must_use]
pub fn with_header(mut response: Response, name: HeaderName, value: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().append(name, value);
    }
    response
}
