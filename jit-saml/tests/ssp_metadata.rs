//! The metadata of a running `SimpleSAMLphp`, fetched as an application would, by the program in `tests/peers/saml-ssp`.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use async_trait::async_trait;
use jit_core::SystemClock;
use jit_saml::binding::Binding;
use jit_saml::crypto::AwsLc;
use jit_saml::idp::IdpSource as _;
use jit_saml::metadata::{Fetch, FetchFailure, FetchRequest, Fetched, MetadataPolicy, MetadataSource};

/// A server that ends with the test.
struct Server {
    child: Child,
    metadata: String,
    entity_id: String,
}

impl Server {
    fn start() -> Self {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/peers/saml-ssp/start");
        let mut command = Command::new(program);
        command.args(["--port", "0", "--stdin-lifeline"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
        let text = |name: &str| ready.get(name).unwrap().as_str().unwrap().to_owned();
        Self { child, metadata: text("metadata"), entity_id: text("entity_id") }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// The smallest client that there is.
struct PlainHttp;

#[async_trait]
impl Fetch for PlainHttp {
    async fn fetch(&self, request: FetchRequest<'_>) -> Result<Fetched, FetchFailure> {
        let octets = get(request.url, request.limit).map_err(FetchFailure::new)?;
        Ok(Fetched::Document { octets, validator: None })
    }
}

fn get(url: &str, limit: usize) -> std::io::Result<Vec<u8>> {
    let (host, path) = url.strip_prefix("http://").and_then(|rest| rest.split_once('/')).unwrap();
    let mut stream = TcpStream::connect(host)?;
    // In one piece: a server may answer and close as soon as it has read the first line.
    stream.write_all(format!("GET /{path} HTTP/1.0\r\nHost: {host}\r\n\r\n").as_bytes())?;
    let mut answer = Vec::new();
    stream.take(limit as u64).read_to_end(&mut answer)?;
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    Ok(answer.split_off(head + 4))
}

#[tokio::test]
async fn what_a_real_provider_publishes_is_read() {
    let server = Server::start();
    let policy = MetadataPolicy::signed_by(Vec::new()).dangerous().accept_unsigned();
    let policy = policy.dangerous().accept_endless().dangerous().accept_loopback();
    let (clock, crypto) = (Arc::new(SystemClock), Arc::new(AwsLc));
    let source =
        MetadataSource::from_url(&server.metadata, policy, Arc::new(PlainHttp), clock, crypto).unwrap();
    let idp = source.idp(&server.entity_id).await.unwrap().unwrap();
    assert_eq!(idp.keys().len(), 1);
    assert!(idp.sign_on_by(Some(Binding::Redirect)).is_some());
    assert!(idp.logout().iter().any(|endpoint| endpoint.binding == Binding::Redirect));
    let described = source.descriptor(&server.entity_id).await.unwrap();
    assert_eq!(described.warnings, []);
    assert!(source.idp("https://unknown.example.org").await.unwrap().is_none());
}
