//! The default client for metadata, and servers that send it elsewhere.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use jit_core::ManualClock;
use jit_http::GuardedHttp;
use jit_saml::crypto::AwsLc;
use jit_saml::metadata::{MetadataPolicy, MetadataSource};

use crate::document::{ENTITY, Idp, ends_in, now, signed};
use crate::keys;
use crate::public::public;

/// A slow machine is no failure.
const PATIENT: Duration = Duration::from_secs(60);

/// Answers each path with what `answer` says: a status line with headers, and a body.
fn serve(answer: impl Fn(&str) -> (String, String) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            reply(stream.unwrap(), &answer);
        }
    });
    origin
}

fn reply(mut stream: TcpStream, answer: impl Fn(&str) -> (String, String)) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let first = lines.next().unwrap_or_default();
    while lines.next().is_some_and(|line| !line.is_empty()) {}
    let (head, body) = answer(first.split(' ').nth(1).unwrap_or_default());
    let length = body.len();
    let _ = write!(stream, "HTTP/1.1 {head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
}

/// Fetches from a path of a server that redirects as the path says: `/STATUS/STEPS` so many times before the document.
async fn fetched(path: &str) -> String {
    let publisher = keys::elliptic();
    let idp = Idp { attributes: format!("ID=\"_root\" {}", ends_in(24)), ..Idp::new(&[&keys::elliptic()]) };
    let document = signed(&idp.xml(), &publisher);
    let origin = serve(move |path| match path.trim_start_matches('/').split_once('/') {
        Some((_, "0")) | None => ("200 OK".to_owned(), document.clone()),
        Some(("away", _)) => ("302 Found\r\nlocation: http://192.0.2.1/metadata".to_owned(), String::new()),
        Some(("nowhere", _)) => ("302 Found".to_owned(), String::new()),
        Some((status, steps)) => {
            let left = steps.parse::<usize>().unwrap() - 1;
            (format!("{status} Elsewhere\r\nlocation: /{status}/{left}"), String::new())
        }
    });
    let http =
        GuardedHttp::builder().total_timeout(PATIENT).dangerous().allow_loopback_http().build().unwrap();
    let policy = MetadataPolicy::signed_by(vec![public(&publisher)]).dangerous().accept_loopback();
    let clock = Arc::new(ManualClock::at(now()));
    let url = format!("{origin}{path}");
    let source = MetadataSource::from_url(url, policy, Arc::new(http), clock, Arc::new(AwsLc)).unwrap();
    source.trusted(ENTITY).await.map_or_else(|error| error.code().to_string(), |_| "fetched".to_owned())
}

#[tokio::test]
async fn redirects_are_followed_three_times() {
    assert_eq!(fetched("/metadata").await, "fetched");
    for status in [301, 302, 307, 308] {
        assert_eq!(fetched(&format!("/{status}/1")).await, "fetched", "{status}");
    }
    assert_eq!(fetched("/302/3").await, "fetched");
    assert_eq!(fetched("/302/4").await, "saml.metadata_fetch");
}

#[tokio::test]
async fn a_redirect_leads_nowhere_that_the_client_may_not_go() {
    for path in ["/away/1", "/nowhere/1", "/300/1", "/303/1", "/404/1"] {
        assert_eq!(fetched(path).await, "saml.metadata_fetch", "{path}");
    }
}
