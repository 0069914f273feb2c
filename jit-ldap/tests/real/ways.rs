//! The way to a server: TLS, authorities, names.

use jit_ldap::{Connection, Limits, Roots, Server, Tls};

use crate::peer::{Peer, provider};

async fn code(server: &Server) -> String {
    match Connection::open(server, Limits::default()).await {
        Ok(_) => "fine".to_owned(),
        Err(error) => error.code().to_string(),
    }
}

#[tokio::test]
async fn only_a_server_that_an_authority_of_ours_vouches_for_is_spoken_to() {
    let (peer, other) = (Peer::start("slapd"), Peer::start("slapd"));
    let host = peer.text("host");
    assert_eq!(code(&peer.ldaps()).await, "fine");
    assert_eq!(code(&Server::start_tls(host, peer.tls()).port(peer.port("ldap"))).await, "fine");
    assert_eq!(
        code(&Server::ldaps(host, other.tls()).port(peer.port("ldaps"))).await,
        "ldap.tls_certificate"
    );
    assert_eq!(
        code(&Server::start_tls(host, other.tls()).port(peer.port("ldap"))).await,
        "ldap.tls_certificate"
    );
    let platform = Tls::new(provider(), Roots::platform()).unwrap();
    assert_eq!(code(&Server::ldaps(host, platform).port(peer.port("ldaps"))).await, "ldap.tls_certificate");
    let pem = std::fs::read(peer.text("ca")).unwrap();
    let both = Tls::new(provider(), Roots::platform().and_pem(&pem).unwrap()).unwrap();
    assert_eq!(code(&Server::ldaps(host, both).port(peer.port("ldaps"))).await, "fine");
    // the certificate is for `localhost` and 127.0.0.1, and this is neither
    let elsewhere = Server::ldaps("127.0.0.2", peer.tls()).port(peer.port("ldaps"));
    assert_ne!(code(&elsewhere).await, "fine");
    let wrong_port = Server::ldaps(host, peer.tls()).port(peer.port("ldap"));
    assert_eq!(code(&wrong_port).await, "ldap.tls_failed");
}

#[tokio::test]
async fn start_tls_protects_a_password_and_nothing_else_lets_one_pass() {
    let peer = Peer::start("slapd");
    let password = jit_ldap::Password::new(peer.text("service_password")).unwrap();
    let started = Server::start_tls(peer.text("host"), peer.tls()).port(peer.port("ldap"));
    let mut connection = Connection::open(&started, Limits::default()).await.unwrap();
    connection.bind(peer.text("service"), &password, &[]).await.unwrap();
    let plain = Server::dangerous_plain(peer.text("host")).port(peer.port("ldap"));
    let mut connection = Connection::open(&plain, Limits::default()).await.unwrap();
    let error = connection.bind(peer.text("service"), &password, &[]).await.unwrap_err();
    assert_eq!(error.code().as_str(), "ldap.password_in_clear");
}
