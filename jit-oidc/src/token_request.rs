//! Redeeming a code at the token endpoint (RFC 6749 §4.1.3, OpenID Connect Core §3.1.3).

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::client::Proof;
use crate::error::LoginError;
use crate::http::{FetchError, Http, HttpError, HttpErrorKind, is_json};
use crate::json;
use crate::rejection::Rejection;
use crate::secret::Secret;

const OPERATION: &str = "token";
const MAX_RESPONSE: usize = 1024 * 1024;
const MAX_VALUES: usize = 4 * 1024;

/// What the token endpoint answered.
pub(crate) struct TokenResponse {
    pub(crate) id_token: String,
    pub(crate) access_token: Secret,
}

/// The code and what proves that it is ours.
pub(crate) struct Grant<'a> {
    pub(crate) code: &'a str,
    pub(crate) redirect_uri: &'a str,
    pub(crate) verifier: &'a str,
}

/// Redeems a code.
pub(crate) async fn redeem(
    http: &dyn Http,
    token_endpoint: &str,
    grant: &Grant<'_>,
    proof: Proof,
) -> Result<TokenResponse, LoginError> {
    let request = request(token_endpoint, grant, proof)?;
    let sent = http.send(request, MAX_RESPONSE).await;
    let response = sent.map_err(|source| FetchError::Http { operation: OPERATION, source })?;
    match response.status() {
        StatusCode::OK => Ok(parse(&response)?),
        status if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS => {
            Err(refusal(&response).into())
        }
        status => Err(FetchError::Status { operation: OPERATION, status: status.as_u16() }.into()),
    }
}

fn request(token_endpoint: &str, grant: &Grant<'_>, proof: Proof) -> Result<Request<Bytes>, LoginError> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "authorization_code")
        .append_pair("code", grant.code)
        .append_pair("redirect_uri", grant.redirect_uri)
        .append_pair("code_verifier", grant.verifier)
        .extend_pairs(proof.parameters);
    let mut request = Request::post(token_endpoint)
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    if let Some(authorization) = proof.authorization {
        request = request.header(header::AUTHORIZATION, authorization);
    }
    request.body(Bytes::from(form.finish())).map_err(|error| {
        let source = HttpError::new(HttpErrorKind::Invalid).caused_by(error);
        FetchError::Http { operation: OPERATION, source }.into()
    })
}

/// OpenID Connect Core §3.1.3.3 and RFC 6749 §5.1.
fn parse(response: &Response<Bytes>) -> Result<TokenResponse, Rejection> {
    if !is_json(response) {
        return Err(Rejection::ContentType);
    }
    let members = json::object(response.body(), MAX_VALUES)?;
    let text = |name| match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Rejection::TokenResponseMalformed),
    };
    let kind = text("token_type")?.ok_or(Rejection::TokenResponseMalformed)?;
    if !kind.eq_ignore_ascii_case("bearer") {
        return Err(Rejection::TokenTypeUnsupported);
    }
    let access_token = text("access_token")?.filter(|token| is_header_text(token));
    let access_token = Secret::new(access_token.ok_or(Rejection::TokenResponseMalformed)?);
    let id_token = text("id_token")?.ok_or(Rejection::IdTokenMissing)?;
    Ok(TokenResponse { id_token, access_token })
}

/// RFC 6749 appendix A.12; what else is in it could break out of a header.
fn is_header_text(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// RFC 6749 §5.2.
fn refusal(response: &Response<Bytes>) -> Rejection {
    let body = json::object(response.body(), MAX_VALUES).unwrap_or_else(|_| Map::new());
    match body.get("error").and_then(Value::as_str) {
        Some("invalid_grant") => Rejection::CodeRefused,
        Some("invalid_client" | "unauthorized_client") => Rejection::ClientRefused,
        None if response.status() == StatusCode::UNAUTHORIZED => Rejection::ClientRefused,
        _ => Rejection::TokenRequestRefused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer(body: &Value) -> Result<TokenResponse, Rejection> {
        let response = Response::builder().header(header::CONTENT_TYPE, "application/json; charset=utf-8");
        parse(&response.body(Bytes::from(body.to_string())).unwrap())
    }

    #[test]
    fn reads_what_the_specification_demands() {
        let tokens = answer(&json!({"token_type": "bEARER", "access_token": "a", "id_token": "i"})).unwrap();
        assert_eq!((tokens.id_token.as_str(), tokens.access_token.expose()), ("i", "a"));
    }

    #[test]
    fn refuses_the_rest_with_its_reason() {
        for (body, rejection) in [
            (json!({"access_token": "a", "id_token": "i"}), Rejection::TokenResponseMalformed),
            (
                json!({"token_type": "DPoP", "access_token": "a", "id_token": "i"}),
                Rejection::TokenTypeUnsupported,
            ),
            (json!({"token_type": "Bearer", "access_token": "a"}), Rejection::IdTokenMissing),
            (
                json!({"token_type": "Bearer", "access_token": "a", "id_token": 1}),
                Rejection::TokenResponseMalformed,
            ),
            (json!({"token_type": "Bearer", "id_token": "i"}), Rejection::TokenResponseMalformed),
            (
                json!({"token_type": "Bearer", "access_token": "a\r\nX: y", "id_token": "i"}),
                Rejection::TokenResponseMalformed,
            ),
            (json!([]), Rejection::JsonNotAnObject),
        ] {
            assert_eq!(answer(&body).err(), Some(rejection), "{body}");
        }
    }
}
