//! Programs of `tests/peers` that answer one line for each line, and the keys of this run.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use jit_core::{Clock as _, SystemClock};
use jit_saml::crypto::VerificationKey;
use serde_json::Value;

const KEYS_OF_PROCESS: &str = "producers-keys-";

/// Where this process' keys lie; made once for all its tests.
static KEYS: LazyLock<PathBuf> = LazyLock::new(|| {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR"));
    remove_leftovers(home);
    let folder = home.join(format!("{KEYS_OF_PROCESS}{}", std::process::id()));
    let made = Command::new(program("saml-keys", "make")).arg(&folder).status().unwrap();
    assert!(made.success(), "no keys: run ./test --setup");
    folder
});

/// Keys of a process that is over serve nobody.
fn remove_leftovers(home: &Path) {
    for entry in std::fs::read_dir(home).unwrap().flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(KEYS_OF_PROCESS));
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// Names a file with a key or a certificate, such as `rsa.key.pem`.
pub(crate) fn key_file(name: &str) -> String {
    KEYS.join(name).to_str().unwrap().to_owned()
}

pub(crate) fn pem(name: &str) -> String {
    std::fs::read_to_string(key_file(name)).unwrap()
}

pub(crate) fn verification_key(name: &str) -> VerificationKey {
    VerificationKey::from_pem(&pem(&format!("{name}.crt.pem"))).unwrap()
}

/// The time of this machine, by which producers go.
pub(crate) fn now() -> DateTime<Utc> {
    SystemClock.now()
}

/// A program that runs until it is dropped.
pub(crate) struct Peer {
    folder: String,
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    pub(crate) fn start(folder: &str, name: &str) -> Self {
        let mut command = Command::new(program(folder, name));
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let requests = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { folder: folder.to_owned(), child, requests, answers }
    }

    pub(crate) fn producer(name: &str) -> Self {
        Self::start(&format!("saml-{name}"), "produce")
    }

    /// The document that a producer makes.
    pub(crate) fn response(&mut self, request: &Value) -> Vec<u8> {
        let answer: Value = serde_json::from_str(&self.line(request)).unwrap();
        let Some(text) = answer["response"].as_str() else {
            panic!("{} cannot answer {request}: {}", self.folder, answer["error"]);
        };
        STANDARD.decode(text).unwrap()
    }

    pub(crate) fn line(&mut self, request: &Value) -> String {
        writeln!(self.requests.as_mut().unwrap(), "{request}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "{} ended: run ./test --setup", self.folder);
        line.trim_end().to_owned()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.requests = None;
        let _ = self.child.wait();
    }
}

pub(crate) fn program(folder: &str, name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/peers").join(folder).join(name)
}
