//! The way to a server, over real sockets.

use std::sync::Arc;

use jit_ldap::{Connection, Limits, Roots, Server, Tls};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::ber::{message, result};

/// Connects to a server that says this after the first bytes of the client, and returns the code of the failure.
async fn code(answer: Vec<u8>, server: impl FnOnce(Tls) -> Server) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _read = stream.read(&mut [0; 512]).await;
        let _sent = stream.write_all(&answer).await;
        if !answer.is_empty() {
            let _rest = stream.read(&mut [0; 512]).await;
        }
    });
    let tls = Tls::new(Arc::new(rustls::crypto::aws_lc_rs::default_provider()), own_root()).unwrap();
    let connected = Connection::open(&server(tls).port(port), Limits::default()).await;
    connected.unwrap_err().code().to_string()
}

/// Any authority at all: none of these servers gets as far as a certificate.
fn own_root() -> Roots {
    Roots::platform()
}

#[tokio::test]
async fn start_tls_is_done_or_the_connection_is_not() {
    let start_tls = |tls| Server::start_tls("127.0.0.1", tls);
    let refused = message(1, &result(0x78, 52, b"TLS not configured"));
    assert_eq!(code(refused, start_tls).await, "ldap.start_tls_refused");
    let injected = [message(1, &result(0x78, 0, b"")), message(2, &result(0x61, 0, b""))].concat();
    assert_eq!(code(injected, start_tls).await, "ldap.start_tls_injected");
    assert_eq!(code(message(1, &result(0x61, 0, b"")), start_tls).await, "ldap.response_unexpected");
    assert_eq!(code(b"220 smtp ready\r\n".to_vec(), start_tls).await, "ldap.message_malformed");
    assert_eq!(code(Vec::new(), start_tls).await, "ldap.connection_lost");
}

#[tokio::test]
async fn a_server_without_tls_is_no_server() {
    let ldaps = |tls| Server::ldaps("127.0.0.1", tls);
    assert_eq!(code(message(1, &result(0x61, 0, b"")), ldaps).await, "ldap.tls_failed");
}

#[tokio::test]
async fn a_port_without_a_server_is_an_outage() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = Connection::open(&Server::dangerous_plain("127.0.0.1").port(port), Limits::default())
        .await
        .unwrap_err();
    assert_eq!(
        (error.code().as_str(), error.class()),
        ("ldap.connect_failed", jit_core::ErrorClass::Transient)
    );
}

#[tokio::test]
async fn roots_that_are_none_are_refused() {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    for pem in ["", "no certificate", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----"] {
        assert_eq!(
            Roots::none().and_pem(pem.as_bytes()).unwrap_err().code().as_str(),
            "ldap.settings_invalid"
        );
    }
    assert_eq!(Tls::new(provider, Roots::none()).unwrap_err().code().as_str(), "ldap.settings_invalid");
}
