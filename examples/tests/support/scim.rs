//! Starts `scim-server` as a program and asks it as any client does.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::program::Program;

pub(crate) const TOKEN: &str = "a-token-for-tests-only-0123456789";
/// SHA-256 of it.
pub(crate) const DIGEST: &str = "b4d6ac378401d4a62966e077b47d792093d8c0bee332aae382a02183982f51c3";
pub(crate) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub(crate) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// A server that answers; it is killed (SIGKILL) with its value.
pub(crate) struct Server {
    pub(crate) program: Program,
    pub(crate) address: SocketAddr,
    /// What paths begin with.
    pub(crate) base: String,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Value,
}

impl Answer {
    /// The value of a header; its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub(crate) fn id(&self) -> String {
        assert!(self.status < 300, "{self:?}");
        self.body["id"].as_str().unwrap().to_owned()
    }

    /// Whether it is an error of SCIM with this status and `scimType`.
    pub(crate) fn refuses(&self, status: u16, scim_type: Option<&str>) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/scim+json"), "{self:?}");
        assert_eq!(self.body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]), "{self:?}");
        assert_eq!(self.body["status"], json!(status.to_string()), "{self:?}");
        assert_eq!(self.body["scimType"].as_str(), scim_type, "{self:?}");
    }
}

impl Server {
    /// Starts one on a store. `options` are further ones.
    pub(crate) fn start(folder: &Path, store: &str, options: &[&str]) -> Self {
        fs::write(folder.join("tokens"), format!("sha256:{DIGEST} tests\n")).unwrap();
        Self::start_for(folder, store, "tokens", options)
    }

    /// Starts one for those whom a file of the folder names.
    pub(crate) fn start_for(folder: &Path, store: &str, tokens: &str, options: &[&str]) -> Self {
        let program = Program::start(
            Command::new(env!("CARGO_BIN_EXE_scim-server"))
                .args(["--addr", "127.0.0.1:0", "--store", store, "--token-file"])
                .arg(tokens)
                .args(options)
                .current_dir(folder)
                .stderr(fs::File::create(folder.join("complaints")).unwrap()),
        )
        .unwrap();
        let (authority, path) = program.address.split_once('/').unwrap();
        let (address, base) = (authority.parse().unwrap(), format!("/{path}"));
        Self { program, address, base }
    }

    /// Sends bytes as they are, and reads until the server has no more to say.
    pub(crate) fn raw(&self, request: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        // Never reached by a server that works, however slow the machine is.
        stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
        // A server that refuses early closes before all is sent.
        let _ = stream.write_all(request);
        let mut text = Vec::new();
        let _ = stream.read_to_end(&mut text);
        let text = String::from_utf8(text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let body = if body.is_empty() { Value::Null } else { serde_json::from_str(body).unwrap_or_default() };
        Answer { status, head: head.to_owned(), body }
    }

    /// Asks with these headers, each `name: value`, and a body as it is.
    pub(crate) fn ask_with(&self, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Answer {
        let (base, address, length) = (&self.base, self.address, body.len());
        let mut request = format!(
            "{method} {base}{path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n"
        );
        for header in headers {
            request.push_str(header);
            request.push_str("\r\n");
        }
        request.push_str("\r\n");
        let mut request = request.into_bytes();
        request.extend_from_slice(body);
        self.raw(&request)
    }

    /// Asks as the client does whose token it is.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.ask_if(method, path, None, body)
    }

    /// Does so on a condition.
    pub(crate) fn ask_if(&self, method: &str, path: &str, version: Option<&str>, body: &Value) -> Answer {
        let token = format!("authorization: Bearer {TOKEN}");
        let condition = version.map(|version| format!("if-match: {version}"));
        let mut headers = vec![token.as_str(), "content-type: application/scim+json"];
        headers.extend(condition.as_deref());
        let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(body).unwrap() };
        self.ask_with(method, path, &headers, &body)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &Value::Null)
    }

    /// How many resources there are at an endpoint.
    pub(crate) fn count(&self, endpoint: &str) -> u64 {
        self.get(endpoint).body["totalResults"].as_u64().unwrap()
    }

    /// Makes a user of this name.
    pub(crate) fn join(&self, name: &str) -> Answer {
        self.ask("POST", "/Users", &person(name))
    }

    /// Asks it to end, and tells with which code it did.
    pub(crate) fn end(self, signal: &str) -> Option<i32> {
        self.program.end(signal)
    }
}

pub(crate) fn person(name: &str) -> Value {
    json!({
        "schemas": [USER],
        "userName": name,
        "name": { "givenName": "Ada", "familyName": "Example" },
        "emails": [{ "value": format!("{name}@example.com"), "type": "work", "primary": true }],
        "active": true,
    })
}

pub(crate) fn patch(operations: &Value) -> Value {
    json!({ "schemas": [PATCH], "Operations": operations })
}
