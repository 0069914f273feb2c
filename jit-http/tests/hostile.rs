//! The client against servers that mean no good, and against addresses that it must not reach.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use jit_http::{GuardedHttp, HttpFailure, HttpFailureKind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const LIMIT: usize = 4096;

/// Answers each connection with these bytes, then goes on as told.
async fn server(head: &'static str, after: After) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/a", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut asked = [0; 4096];
                let _count = stream.read(&mut asked).await?;
                stream.write_all(head.as_bytes()).await?;
                match after {
                    After::Close => std::io::Result::Ok(()),
                    After::Hang => std::future::pending().await,
                    After::Pour => loop {
                        stream.write_all(&[b'x'; 1024]).await?;
                    },
                }
            });
        }
    });
    address
}

#[derive(Clone, Copy)]
enum After {
    Close,
    Hang,
    Pour,
}

async fn ask(address: &str, limit: Duration) -> Result<Response<Bytes>, HttpFailure> {
    let transport =
        GuardedHttp::builder().total_timeout(limit).dangerous().allow_loopback_http().build().unwrap();
    transport.exchange(Request::get(address).body(Bytes::new()).unwrap(), LIMIT).await
}

const PATIENT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_body_without_end_is_read_up_to_its_limit() {
    let address = server("HTTP/1.1 200 OK\r\n\r\n", After::Pour).await;
    assert_eq!(ask(&address, PATIENT).await.unwrap_err().kind(), HttpFailureKind::TooLarge);
    let address = server("HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n", After::Pour).await;
    assert_eq!(ask(&address, PATIENT).await.unwrap_err().kind(), HttpFailureKind::TooLarge);
}

#[tokio::test]
async fn a_server_that_does_not_come_to_an_end_is_left() {
    for head in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab"] {
        let address = server(head, After::Hang).await;
        let error = ask(&address, Duration::from_millis(300)).await.unwrap_err();
        assert_eq!(error.kind(), HttpFailureKind::Timeout, "{head:?}");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_none() {
    for head in ["", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab", "not http at all\r\n\r\n"] {
        let address = server(head, After::Close).await;
        assert_eq!(
            ask(&address, PATIENT).await.unwrap_err().kind(),
            HttpFailureKind::Unreachable,
            "{head:?}"
        );
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let head = "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n";
    let address = server(head, After::Close).await;
    assert_eq!(ask(&address, PATIENT).await.unwrap().status(), 302);
}

#[tokio::test]
async fn addresses_within_are_refused_unless_they_are_opened() {
    let transport = GuardedHttp::builder().dangerous().allow_loopback_http().build().unwrap();
    let reason = async |address: &str| {
        let request = Request::get(address).body(Bytes::new()).unwrap();
        transport.exchange(request, LIMIT).await.unwrap_err().kind()
    };
    assert_eq!(reason("http://example.com/a").await, HttpFailureKind::SchemeRefused);
    assert_eq!(reason("https://169.254.169.254/latest").await, HttpFailureKind::AddressRefused);
    assert_eq!(reason("https://[::ffff:10.0.0.1]/scim").await, HttpFailureKind::AddressRefused);
}

#[tokio::test]
async fn without_the_switch_this_machine_is_out_of_reach() {
    let closed = GuardedHttp::new().unwrap();
    for uri in ["http://127.0.0.1:1/", "http://localhost:1/"] {
        assert_eq!(kind(&closed, uri).await, Err(HttpFailureKind::SchemeRefused), "{uri}");
    }
    for uri in [
        "https://127.0.0.1:1/",
        "https://[::1]:1/",
        "https://localhost:1/",
        "https://[::ffff:169.254.169.254]/",
        "https://2130706433/",
        "https://0x7f.1/",
    ] {
        assert_eq!(kind(&closed, uri).await, Err(HttpFailureKind::AddressRefused), "{uri}");
    }
    assert_eq!(kind(&closed, "https://user:secret@example.com/").await, Err(HttpFailureKind::Invalid));
}

async fn kind(http: &GuardedHttp, uri: &str) -> Result<u16, HttpFailureKind> {
    let request = Request::get(uri).body(Bytes::new()).unwrap();
    http.exchange(request, LIMIT)
        .await
        .map(|answer| answer.status().as_u16())
        .map_err(|failure| failure.kind())
}

#[tokio::test]
async fn whoever_is_asked_learns_by_what() {
    let ask = async |request: http::request::Builder| {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let request = request.uri(format!("http://{}/a", listener.local_addr().unwrap()));
        let asked = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = vec![0; 4096];
            let count = stream.read(&mut asked).await.unwrap();
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
            String::from_utf8(asked[..count].to_vec()).unwrap()
        });
        let transport = GuardedHttp::builder().dangerous().allow_loopback_http().build().unwrap();
        transport.exchange(request.body(Bytes::new()).unwrap(), LIMIT).await.unwrap();
        let asked = asked.await.unwrap();
        let names = asked.lines().filter_map(|line| line.strip_prefix("user-agent: ").map(str::to_owned));
        names.collect::<Vec<_>>()
    };
    let own = ask(Request::get("/")).await;
    assert!(matches!(own.as_slice(), [name] if name.starts_with("jit-http/")), "{own:?}");
    assert_eq!(ask(Request::get("/").header("user-agent", "payroll/1")).await, ["payroll/1"]);
}
