//! The service behind HTTP.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt as _, Full};
use jit_core::SystemClock;
use jit_scim::server::{ScimHttp, Token, Tokens};
use serde_json::Value;
use tower_service::Service as _;

use crate::support::*;

fn scim() -> ScimHttp {
    let token = |text: &str| Token {
        sha256: Tokens::digest(text),
        tenant: "acme".parse().unwrap(),
        connection: "scim".parse().unwrap(),
        name: "test".to_owned(),
        until: None,
        reads_only: false,
        me: None,
    };
    let reader = Token { reads_only: true, ..token("reader") };
    let over = Token { until: Some(chrono::DateTime::UNIX_EPOCH), ..token("over") };
    let tokens = Tokens::new([token("good"), reader, over], Arc::new(SystemClock)).unwrap();
    ScimHttp::new(Arc::new(house().service), Arc::new(tokens))
}

async fn send(
    scim: &mut ScimHttp,
    token: &str,
    method: &str,
    path: &str,
    body: &str,
) -> (Response<()>, Value) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::AUTHORIZATION, token)
        .header(header::CONTENT_TYPE, "application/scim+json")
        .body(Full::new(Bytes::copy_from_slice(body.as_bytes())))
        .unwrap();
    let (parts, body) = scim.call(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (Response::from_parts(parts, ()), serde_json::from_slice(&body).unwrap_or(Value::Null))
}

#[tokio::test]
async fn requests_go_through_with_a_good_token_only() {
    let mut scim = scim();
    for bad in ["", "Bearer bad", "Basic good", "good"] {
        let (answer, body) = send(&mut scim, bad, "GET", "/Users", "").await;
        assert_eq!(answer.status(), 401, "{bad}");
        assert!(answer.headers()[header::WWW_AUTHENTICATE].to_str().unwrap().starts_with("Bearer"));
        assert_eq!(body["status"], "401");
    }
    let (made, body) = send(&mut scim, "Bearer good", "POST", "/Users", &user("anna").to_string()).await;
    assert_eq!((made.status().as_u16(), &body["userName"]), (201, &"anna".into()));
    let location = made.headers()[header::LOCATION].to_str().unwrap().to_owned();
    assert_eq!(made.headers()[header::ETAG], "W/\"1\"");
    let path = location.strip_prefix("https://scim.example/v2").unwrap();
    let (shown, body) = send(&mut scim, "bearer good", "GET", path, "").await;
    assert_eq!((shown.status().as_u16(), body["meta"]["location"].as_str()), (200, Some(location.as_str())));
    let (gone, _) = send(&mut scim, "Bearer good", "DELETE", path, "").await;
    assert_eq!(gone.status(), 204);
}

#[tokio::test]
async fn what_is_wrong_with_a_token_is_told_to_whoever_sent_one() {
    let mut scim = scim();
    let (asked, invalid) = (r#"Bearer realm="scim""#, r#"Bearer realm="scim", error="invalid_token""#);
    for (header, challenge) in [
        ("", asked),
        ("Basic good", asked),
        ("Bearer", asked),
        ("Bearer bad", invalid),
        ("Bearer over", invalid),
        ("Bearer go od", invalid),
    ] {
        let (answer, body) = send(&mut scim, header, "GET", "/Users", "").await;
        assert_eq!((answer.status().as_u16(), body["status"].as_str()), (401, Some("401")), "{header}");
        assert_eq!(answer.headers()[header::WWW_AUTHENTICATE], challenge, "{header}");
    }
    let request = Request::get("/Users").body(Full::new(Bytes::new())).unwrap();
    assert_eq!(scim.call(request).await.unwrap().headers()[header::WWW_AUTHENTICATE], asked);
    let (answer, _) = send(&mut scim, "Bearer reader", "POST", "/Users", &user("anna").to_string()).await;
    let challenge = &answer.headers()[header::WWW_AUTHENTICATE];
    assert_eq!(
        (answer.status().as_u16(), challenge.to_str().unwrap()),
        (403, r#"Bearer realm="scim", error="insufficient_scope""#)
    );
    let robot = user("robot").to_string().replacen('{', r#"{"userType":"Robot","#, 1);
    let (answer, _) = send(&mut scim, "Bearer good", "POST", "/Users", &robot).await;
    assert_eq!(answer.status(), 403, "the token is not what is at fault");
    assert!(answer.headers().get(header::WWW_AUTHENTICATE).is_none());
}

#[tokio::test]
async fn where_it_looks_below_a_path_nothing_is_found_elsewhere() {
    let mut scim = scim().below("/scim/v2/");
    for (path, status) in [
        ("/scim/v2/Users", 200),
        ("/scim/v2/Users?count=1", 200),
        ("/scim/v2", 200),
        ("/scim/v2/", 200),
        ("/Users", 404),
        ("/scim/v2Users", 404),
        ("/", 404),
        ("/other/scim/v2/Users", 404),
    ] {
        let (answer, body) = send(&mut scim, "Bearer good", "GET", path, "").await;
        assert_eq!(answer.status(), status, "{path}: {body}");
    }
    let (answer, _) = send(&mut scim, "Bearer bad", "GET", "/scim/v2/Users", "").await;
    assert_eq!(answer.status(), 401);
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_not_read() {
    let mut scim = scim();
    let long = format!("\"{}\"", "x".repeat(2 << 20));
    let (answer, body) = send(&mut scim, "Bearer good", "POST", "/Users", &long).await;
    assert_eq!((answer.status().as_u16(), body["status"].as_str()), (413, Some("413")));
    assert!(body["detail"].as_str().unwrap().contains("1048576"), "which limit it was: {body}");
}

#[tokio::test]
async fn a_body_in_another_coding_is_refused_as_that() {
    let user = user("anna").to_string();
    for (coding, status) in [("gzip", 415), ("identity", 201)] {
        let request = Request::post("/Users")
            .header(header::AUTHORIZATION, "Bearer good")
            .header(header::CONTENT_ENCODING, coding)
            .body(Full::new(Bytes::copy_from_slice(user.as_bytes())))
            .unwrap();
        assert_eq!(scim().call(request).await.unwrap().status(), status, "{coding}");
    }
}

/// RFC 7644 §3.8.
#[tokio::test]
async fn whoever_takes_plain_json_alone_is_told_that_it_is_that() {
    let mut scim = scim();
    let (scim_json, plain) = ("application/scim+json", "application/json");
    for (accept, kind) in [
        (&[][..], scim_json),
        (&["application/json"], plain),
        (&["text/html, Application/JSON;charset=utf-8;q=0.9"], plain),
        (&["text/html", "application/json"], plain),
        (&["application/json, */*;q=0"], plain),
        (&["application/json, */*"], scim_json),
        (&["application/json", "application/scim+json;q=0.1"], scim_json),
        (&["application/*, application/json"], scim_json),
        (&["application/json;q=0.0"], scim_json),
        (&["text/html"], scim_json),
        (&["application/scim+json"], scim_json),
    ] {
        for (path, token) in
            [("/Users", "Bearer good"), ("/Nowhere", "Bearer good"), ("/Users", "Bearer bad")]
        {
            let mut request = Request::get(path).header(header::AUTHORIZATION, token);
            for line in accept {
                request = request.header(header::ACCEPT, *line);
            }
            let answer = scim.call(request.body(Full::new(Bytes::new())).unwrap()).await.unwrap();
            assert_eq!(answer.headers()[header::CONTENT_TYPE], kind, "{accept:?} {path} {token}");
        }
    }
}

#[tokio::test]
async fn head_says_what_get_says_without_saying_it() {
    let mut scim = scim();
    let user = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"a"}"#;
    let (_, made) = send(&mut scim, "Bearer good", "POST", "/Users", user).await;
    let one = format!("/Users/{}", made["id"].as_str().unwrap());
    for path in
        [one.as_str(), "/Users", "/Users?filter=id%20pr", "/ServiceProviderConfig", "/Users/none", "/Me"]
    {
        let (get, _) = send(&mut scim, "Bearer good", "GET", path, "").await;
        let (head, body) = send(&mut scim, "Bearer good", "HEAD", path, "").await;
        assert_eq!((head.status(), body), (get.status(), serde_json::Value::Null), "{path}");
        assert_eq!(head.headers().get(header::ETAG), get.headers().get(header::ETAG), "{path}");
        assert_eq!(head.headers()[header::CONTENT_TYPE], get.headers()[header::CONTENT_TYPE], "{path}");
        assert_ne!(head.headers()[header::CONTENT_LENGTH], "0", "{path}");
    }
    assert_eq!(send(&mut scim, "Bearer good", "HEAD", "/Bulk", "").await.0.status(), 405);
    let known = Request::head(&one)
        .header(header::AUTHORIZATION, "Bearer good")
        .header(header::IF_NONE_MATCH, "W/\"1\"")
        .body(Full::new(Bytes::new()))
        .unwrap();
    let known = scim.call(known).await.unwrap();
    assert_eq!((known.status().as_u16(), &known.headers()[header::ETAG]), (304, &"W/\"1\"".parse().unwrap()));
    assert_eq!(known.headers().get(header::CONTENT_LENGTH), None, "it is not how long what is known is");
}

/// A body that fails before it is whole.
struct Torn;

impl http_body::Body for Torn {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, std::io::Error>>> {
        std::task::Poll::Ready(Some(Err(std::io::ErrorKind::TimedOut.into())))
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_waited_for_no_longer_than_the_server_says() {
    let request = Request::post("/Users").header(header::AUTHORIZATION, "Bearer good").body(Torn).unwrap();
    let answer = scim().call(request).await.unwrap();
    assert_eq!(answer.status(), 408);
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(String::from_utf8_lossy(&body).contains("did not come"));
}

#[tokio::test]
async fn several_lines_of_a_condition_are_one_list() {
    let mut scim = scim();
    let (made, _) = send(&mut scim, "Bearer good", "POST", "/Users", &user("anna").to_string()).await;
    let location = made.headers()[header::LOCATION].to_str().unwrap();
    let path = location.strip_prefix("https://scim.example/v2").unwrap();
    let mut ask = async |method: &str, name: header::HeaderName, lines: &[&str], body: String| {
        let mut request = Request::builder().method(method).uri(path);
        request = request.header(header::AUTHORIZATION, "Bearer good");
        request = request.header(header::CONTENT_TYPE, "application/scim+json");
        for line in lines {
            request = request.header(&name, *line);
        }
        let request = request.body(Full::new(Bytes::from(body))).unwrap();
        scim.call(request).await.unwrap().status().as_u16()
    };
    let known = ["\"9\"", "W/\"8\", W/\"1\""];
    assert_eq!(ask("GET", header::IF_NONE_MATCH, &known, String::new()).await, 304);
    assert_eq!(ask("GET", header::IF_NONE_MATCH, &["\"9\"", "\"8\""], String::new()).await, 200);
    let change = || patch(serde_json::json!([{"op": "replace", "path": "title", "value": "x"}])).to_string();
    assert_eq!(ask("PATCH", header::IF_NONE_MATCH, &known, change()).await, 412);
    assert_eq!(ask("PATCH", header::IF_MATCH, &["\"9\"", "\"8\""], change()).await, 412);
    assert_eq!(ask("PATCH", header::IF_MATCH, &known, change()).await, 200);
}
