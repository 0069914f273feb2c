//! The default transport against servers that mean no good. Each says what it does on a real socket.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use jit_scim::client::{GuardedTransport, TargetReason, Transport as _, TransportError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const LIMIT: usize = 4096;

/// Answers each connection with these bytes, then goes on as told.
async fn server(head: &'static str, after: After) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/scim/v2/Users", listener.local_addr().unwrap());
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

async fn ask(address: &str, limit: Duration) -> Result<Response<Bytes>, TransportError> {
    let transport =
        GuardedTransport::builder().total_timeout(limit).dangerous().allow_loopback_http().build().unwrap();
    transport.send(Request::get(address).body(Bytes::new()).unwrap(), LIMIT).await
}

const PATIENT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_body_without_end_is_read_up_to_its_limit() {
    let address = server("HTTP/1.1 200 OK\r\n\r\n", After::Pour).await;
    assert_eq!(ask(&address, PATIENT).await.unwrap_err().reason(), TargetReason::AnswerTooLarge);
    let address = server("HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n", After::Pour).await;
    assert_eq!(ask(&address, PATIENT).await.unwrap_err().reason(), TargetReason::AnswerTooLarge);
}

#[tokio::test]
async fn a_server_that_does_not_come_to_an_end_is_left() {
    for head in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab"] {
        let address = server(head, After::Hang).await;
        let error = ask(&address, Duration::from_millis(300)).await.unwrap_err();
        assert_eq!(error.reason(), TargetReason::Timeout, "{head:?}");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_none() {
    for head in ["", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab", "not http at all\r\n\r\n"] {
        let address = server(head, After::Close).await;
        assert_eq!(ask(&address, PATIENT).await.unwrap_err().reason(), TargetReason::Unreachable, "{head:?}");
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
    let transport = GuardedTransport::builder().dangerous().allow_loopback_http().build().unwrap();
    let reason = async |address: &str| {
        let request = Request::get(address).body(Bytes::new()).unwrap();
        transport.send(request, LIMIT).await.unwrap_err().reason()
    };
    assert_eq!(reason("http://example.com/scim/v2/Users").await, TargetReason::SchemeRefused);
    assert_eq!(reason("https://169.254.169.254/latest").await, TargetReason::AddressRefused);
    assert_eq!(reason("https://[::ffff:10.0.0.1]/scim").await, TargetReason::AddressRefused);
}
