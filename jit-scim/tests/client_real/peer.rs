//! Starts a server, looks into it, and cuts the line to it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::TimeDelta;
use http::{Method, Request, Response};
use jit_core::SystemClock;
use jit_scim::client::{
    FixedToken, ScimTarget, TargetProfile, TargetReason, Transport, TransportError, guarded_transport,
};
use serde_json::Value;

/// A server; it ends with its standard input, which ends with the test.
pub(crate) struct Peer {
    base: String,
    token: String,
    transport: Arc<dyn Transport>,
    child: Option<Child>,
}

impl Peer {
    /// Starts the server in the folder `name` of `tests/peers`; the one of this crate is here already.
    pub(crate) async fn start(name: &str) -> Self {
        if name == "ours" {
            let (base, token) = (crate::ours::BASE.to_owned(), "none".to_owned());
            return Self { base, token, transport: Arc::new(crate::ours::Ours::open()), child: None };
        }
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/peers").join(name).join("start");
        let mut child = Command::new(program)
            .args(["--port", "0", "--stdin-lifeline"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = child.stdout.take().unwrap();
        let line = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            BufReader::new(output).read_line(&mut line).map(|_| line)
        });
        let ready: Value = serde_json::from_str(&line.await.unwrap().unwrap()).unwrap();
        let text = |name: &str| ready[name].as_str().unwrap().to_owned();
        let transport = guarded_transport()
            // a busy machine is not a server that hangs
            .total_timeout(std::time::Duration::from_secs(60))
            .dangerous()
            .allow_loopback_http()
            .build()
            .unwrap();
        Self { base: text("base"), token: text("token"), transport: Arc::new(transport), child: Some(child) }
    }

    pub(crate) fn target(&self, profile: TargetProfile) -> ScimTarget {
        self.target_over(profile, Arc::clone(&self.transport))
    }

    /// A target whose line is cut once, at a request counted from one.
    pub(crate) fn target_that_loses(&self, profile: TargetProfile, at: usize, after: bool) -> ScimTarget {
        let line = Line { inner: Arc::clone(&self.transport), asked: AtomicUsize::new(0), at, after };
        self.target_over(profile, Arc::new(line))
    }

    fn target_over(&self, profile: TargetProfile, transport: Arc<dyn Transport>) -> ScimTarget {
        let token = Arc::new(FixedToken::new(self.token.clone()));
        ScimTarget::new(&self.base, token, profile, transport, Arc::new(SystemClock)).unwrap()
    }

    /// Asks the server for something past the client.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: &Value) -> Value {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}/{path}", self.base))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/scim+json")
            .body(if body.is_null() { Bytes::new() } else { body.to_string().into() })
            .unwrap();
        let answer = self.transport.send(request, 1 << 20).await.unwrap();
        let text = String::from_utf8_lossy(answer.body()).into_owned();
        assert!(answer.status().is_success(), "{path}: {} {text}", answer.status());
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    pub(crate) async fn all(&self, endpoint: &str) -> Vec<Value> {
        let list = self.ask(Method::GET, &format!("{endpoint}?count=200"), &Value::Null).await;
        list["Resources"].as_array().cloned().unwrap_or_default()
    }

    /// The values of members of a group.
    pub(crate) async fn members(&self, group: &str) -> Vec<String> {
        let groups = self.all("Groups").await;
        let Some(group) = groups.iter().find(|one| one["displayName"] == group) else { return Vec::new() };
        let members = group["members"].as_array().into_iter().flatten();
        members.map(|member| member["value"].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            drop(child.stdin.take());
            let _ended = child.wait();
        }
    }
}

/// A line that is cut once.
#[derive(Debug)]
struct Line {
    inner: Arc<dyn Transport>,
    asked: AtomicUsize,
    at: usize,
    after: bool,
}

#[async_trait]
impl Transport for Line {
    async fn send(
        &self,
        request: Request<Bytes>,
        max_body: usize,
    ) -> Result<Response<Bytes>, TransportError> {
        let is_cut = self.asked.fetch_add(1, Ordering::SeqCst) + 1 == self.at;
        if is_cut && !self.after {
            return Err(TransportError::new(TargetReason::Unreachable));
        }
        let answer = self.inner.send(request, max_body).await?;
        if is_cut { Err(TransportError::new(TargetReason::Timeout)) } else { Ok(answer) }
    }

    async fn wait(&self, span: TimeDelta) {
        self.inner.wait(span).await;
    }
}
