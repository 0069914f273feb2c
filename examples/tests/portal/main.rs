//! Runs the portal as a program: how it begins, how it complains, how it ends.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

mod demo;
mod held;
mod lists;
mod refusals;
mod spoilt;
mod unread;

#[path = "../support/browser.rs"]
mod browser;
#[path = "../support/program.rs"]
mod program;

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use demo::Demo;
use program::Program;

/// Where a portal of a test runs.
fn place(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("portal").join(name)
}

/// The same, with nothing in it.
fn folder(name: &str) -> PathBuf {
    let folder = place(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn portal(name: &str, arguments: &str) -> Command {
    let _emptied = folder(name);
    portal_again(name, arguments)
}

/// A portal that finds what another one left there.
fn portal_again(name: &str, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portal"));
    command.current_dir(place(name)).args(arguments.split_whitespace());
    command
}

fn complaint(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn bad_usage_ends_with_2() {
    for (arguments, says) in [
        ("", "choose one of"),
        ("--demo --addr 0.0.0.0:80", "loopback"),
        ("--config none.toml", "none.toml: cannot be read"),
    ] {
        let output = portal("usage", arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments}");
        assert!(complaint(&output).contains(says), "{}", complaint(&output));
    }
    assert_eq!(portal("usage", "--help").output().unwrap().status.code(), Some(0));
}

#[test]
fn an_address_that_is_taken_ends_with_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let output = portal("taken", &format!("--demo --addr {address} --data data")).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(complaint(&output).contains(&address.to_string()), "{}", complaint(&output));
}

#[test]
fn it_ends_in_good_order_on_both_signals() {
    for signal in ["-INT", "-TERM"] {
        assert_eq!(Demo::start(signal).end(signal), Some(0), "{signal}");
    }
}

/// It listens at any port, because nobody asks it anything.
const WITH_SOURCE: &str = r#"
[portal]
listen = "127.0.0.1:0"
base_url = "http://127.0.0.1:8080"
store = "sqlite:accounts.db"

[[connection]]
id = "hr"
tenant = "acme"
issuers = ["urn:acme:hr"]
policy = { rule = [{ name = "everybody", permit = {} }] }
mapping = { user_name = { template = ["{userName}"] } }
provisioning = {}
protocol = { label = "HR", scim = { token_file = "hr.tokens" } }
"#;

#[test]
fn the_tokens_of_a_source_are_read_again_while_it_runs() {
    let folder = folder("sighup");
    let tokens = |digit: &str, name: &str| {
        std::fs::write(folder.join("hr.tokens"), format!("sha256:{} {name}\n", digit.repeat(64))).unwrap();
    };
    std::fs::write(folder.join("portal.toml"), WITH_SOURCE).unwrap();
    tokens("0", "hr-2026");
    let mut command = Command::new(env!("CARGO_BIN_EXE_portal"));
    command.current_dir(&folder).args(["--config", "portal.toml"]);
    let mut portal = Program::start(command.stderr(Stdio::piped())).unwrap();
    let mut told = String::new();
    tokens("1", "hr-2027");
    portal.signal("-HUP");
    BufReader::new(portal.child.stderr.take().unwrap()).read_line(&mut told).unwrap();
    assert_eq!(told, "portal: hr.tokens: came `hr-2027`; went `hr-2026`\n");
    assert_eq!(portal.end("-TERM"), Some(0));
}

#[test]
fn a_password_of_a_directory_that_others_may_read_is_refused_at_its_line() {
    use std::os::unix::fs::PermissionsExt as _;
    const STAFF: &str = r#"
[portal]
listen = "127.0.0.1:0"
base_url = "http://127.0.0.1:8080"
store = "sqlite:accounts.db"

[[connection]]
id = "staff"
tenant = "acme"
issuers = ["ldap.acme.example"]
policy = { rule = [{ name = "everybody", permit = {} }] }

[connection.protocol]
label = "Staff"
ldap = { issuer = "ldap.acme.example", base = "dc=acme", names = ["uid"], id = "entry_uuid" }

[connection.protocol.directory]
servers = ["ldaps://ldap.acme.example"]
account = "cn=portal,dc=acme"
password_file = "ldap.password"
"#;
    let folder = folder("exposed");
    std::fs::write(folder.join("portal.toml"), STAFF).unwrap();
    let started = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portal"));
        command.current_dir(&folder).args(["--config", "portal.toml"]).output().unwrap()
    };
    let missing = started();
    let said = complaint(&missing);
    assert_eq!(missing.status.code(), Some(2), "{said}");
    let place = "portal.toml:20:1: connection[0].protocol.directory.password_file: ";
    assert!(said.contains(place) && said.contains("config.file_unreadable"), "{said}");
    let password = folder.join("ldap.password");
    std::fs::write(&password, "a-password-of-the-portal").unwrap();
    std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o640)).unwrap();
    let exposed = started();
    let said = complaint(&exposed);
    assert_eq!(exposed.status.code(), Some(2), "{said}");
    assert!(said.contains(place) && said.contains("config.file_exposed"), "{said}");
    assert!(!said.contains("a-password"), "{said}");
}

#[test]
fn every_answer_has_strict_headers_and_other_hosts_are_refused() {
    let demo = Demo::start("headers");
    let home = demo.get("/").to_lowercase();
    assert!(home.starts_with("http/1.1 200"), "{home}");
    for header in [
        "content-security-policy: default-src 'none'",
        "cache-control: no-store",
        "x-content-type-options: nosniff",
        "x-frame-options: deny",
        "referrer-policy: no-referrer",
    ] {
        assert!(home.contains(header), "{header}");
    }
    let rebound = demo.ask("GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
    assert!(rebound.starts_with("HTTP/1.1 421"), "{rebound}");
}

#[test]
fn what_is_not_there_or_not_meant_is_answered() {
    let demo = Demo::start("answers");
    for (path, status) in [
        ("/none", "404"),
        ("/login/nobody", "404"),
        ("/callback/nobody?code=c&state=s", "404"),
        ("/me", "303"),
        ("/admin", "303"),
        ("/audit", "303"),
        ("/hold", "303"),
        ("/callback/acme?code=c&state=s", "403"),
        ("/callback/acme?code=a&code=b", "403"),
        ("/callback/acme", "403"),
        ("/callback/foundry?code=c&state=s", "404"),
        ("/saml/foundry/metadata", "200"),
        ("/saml/foundry/acs", "404"),
        ("/saml/foundry/logout", "403"),
        ("/saml/foundry/logout?SAMLRequest=x", "403"),
        ("/saml/foundry/other", "404"),
        ("/saml/acme/metadata", "404"),
        ("/saml/nobody/metadata", "404"),
        ("/saml/foundry", "404"),
    ] {
        let answer = demo.get(path);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {answer}");
    }
    let posted = demo.ask(&format!(
        "POST /saml/foundry/acs HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: 17\r\nConnection: close\r\n\r\nSAMLResponse=aaaa",
        demo.address()
    ));
    assert!(posted.starts_with("HTTP/1.1 403") && posted.contains("saml.relay_state_missing"), "{posted}");
    assert!(demo.get("/callback/acme?code=a&code=b").contains("oidc.callback_duplicate_parameter"));
}
