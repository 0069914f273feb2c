//! The servers under measure, each a process of its own.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

/// A server that answers; it is killed with its value.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// What paths begin with.
    pub(crate) base: String,
    pub(crate) token: String,
    /// Its people, or the first hundred of them.
    pub(crate) ids: Vec<String>,
    /// How many people there are, `person-0` and so on.
    pub(crate) people: u64,
    child: Child,
}

impl Server {
    /// Starts the echo, which is this program.
    pub(crate) fn echo() -> Self {
        Self::told(Command::new(std::env::current_exe().unwrap()).arg("echo"), 1000)
    }

    /// Starts a peer of `tests/peers` with so many people.
    pub(crate) fn peer(name: &str, people: u64) -> Self {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/peers").join(name).join("start");
        Self::told(Command::new(program).args(["--stdin-lifeline", "--people", &people.to_string()]), people)
    }

    /// Starts ours on a store. It has nobody yet.
    pub(crate) fn ours(program: &Path, store: &str, folder: &Path) -> Self {
        let token = "a-token-of-the-benchmarks-0123456789";
        let tokens: PathBuf = folder.join("tokens");
        std::fs::write(&tokens, token).unwrap();
        let mut child = Command::new(program)
            .args(["--addr", "127.0.0.1:0", "--store", store, "--token-file"])
            .arg(tokens)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let line = first_line(&mut child);
        let base = line.split_whitespace().last().unwrap().to_owned();
        Self::at(&base, token, Vec::new(), 0, child)
    }

    /// Starts what says where it is in a line of JSON.
    fn told(command: &mut Command, people: u64) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let said: Value = serde_json::from_str(&first_line(&mut child)).unwrap();
        let ids = said["ids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect();
        Self::at(said["base"].as_str().unwrap(), said["token"].as_str().unwrap(), ids, people, child)
    }

    fn at(base: &str, token: &str, ids: Vec<String>, people: u64, child: Child) -> Self {
        let rest = base.strip_prefix("http://").unwrap();
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let base = if path.is_empty() { String::new() } else { format!("/{path}") };
        Self { address: authority.parse().unwrap(), base, token: token.to_owned(), ids, people, child }
    }

    /// The processor time that the process took so far.
    pub(crate) fn cpu(&self) -> Duration {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let after_name = text.rsplit_once(')').unwrap().1;
        let ticks: u64 =
            after_name.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum();
        // Linux counts in hundredths of a second for whoever reads this file.
        Duration::from_millis(ticks * 10)
    }

    /// The memory that it holds, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(!line.is_empty(), "a server did not start");
    line
}
