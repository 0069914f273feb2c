//! Tokens: what they let in, what they may do, and how they come and go.

use std::fs;
use std::path::Path;

use jit_scim::server::Tokens;

use crate::scim::{DIGEST, Server, TOKEN, person};
use crate::{folder, on_memory, run};

#[test]
fn a_token_that_it_makes_lets_in_by_its_hash_alone() {
    let folder = folder("made-token");
    let said = String::from_utf8(run(&folder, "token").stdout).unwrap();
    let (token, line) = said.trim().split_once('\n').unwrap();
    assert!(!line.contains(token));
    let server = Server::start(&folder, "memory", &[]);
    let bearer = format!("authorization: Bearer {token}");
    server.ask_with("GET", "/Users", &[&bearer], b"").refuses(401, None);
    drop(server);
    fs::write(
        folder.join("made"),
        format!(
            "# two, of which one is over\n{line} hr\nsha256:{} old until=2026-01-01T00:00:00Z\n",
            "0".repeat(64)
        ),
    )
    .unwrap();
    let server = Server::start_for(&folder, "memory", "made", &[]);
    assert_eq!(server.ask_with("GET", "/Users", &[&bearer], b"").status, 200);
    server.get("/Users").refuses(401, None);
}

#[test]
fn a_token_that_only_reads_changes_nothing() {
    let folder = folder("reads-only");
    fs::write(folder.join("reader"), format!("{TOKEN} reader reads-only\n")).unwrap();
    let server = Server::start_for(&folder, "memory", "reader", &[]);
    server.join("ada").refuses(403, None);
    assert_eq!(server.count("/Users"), 0);
}

#[test]
fn nobody_gets_in_without_a_token() {
    let server = on_memory("tokens");
    let bearer = format!("authorization: bearer {TOKEN}");
    assert_eq!(
        server.ask_with("GET", "/Users", &[&bearer], b"").status,
        200,
        "the scheme's case does not count"
    );
    for headers in [
        &[][..],
        &["authorization: Bearer wrong-token-0123456789"],
        &["authorization: Bearer"],
        &["authorization: Basic dXNlcjpwYXNzd29yZA=="],
        &["authorization: Bearer \u{7f}"],
    ] {
        for (method, path) in [("GET", "/Users"), ("POST", "/Users"), ("GET", "/Nowhere"), ("POST", "/Bulk")]
        {
            let answer = server.ask_with(method, path, headers, b"");
            assert!(matches!(answer.status, 400 | 401), "{headers:?} {path}: {answer:?}");
            if answer.status == 401 {
                answer.refuses(401, None);
                assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer"), "{answer:?}");
            }
        }
    }
}

#[test]
fn what_a_token_that_only_reads_was_refused_is_told_as_well() {
    let folder = folder("readers");
    fs::write(folder.join("tokens"), format!("sha256:{DIGEST} reader reads-only\n")).unwrap();
    let server = Server::start_for(&folder, "memory", "tokens", &[]);
    assert_eq!(server.get("/Users").status, 200);
    server.ask("POST", "/Users", &person("ada")).refuses(403, None);
    assert_eq!(server.end("-TERM"), Some(0));
    let told = fs::read_to_string(folder.join("complaints")).unwrap();
    assert_eq!(told.lines().count(), 1, "{told}");
    for part in ["INFO jit_scim", "token=\"reader\"", "method=\"POST\"", "at=/Users", "status=403"] {
        assert!(told.contains(part), "{told}");
    }
}

/// What the server complained of since it began.
fn told(folder: &Path) -> String {
    fs::read_to_string(folder.join("complaints")).unwrap()
}

/// Asks for the tokens to be read again, and waits until the server tells of it.
fn read_again(server: &Server, folder: &Path) -> String {
    let before = told(folder);
    server.program.signal("-HUP");
    loop {
        // The answer does not matter: it takes a moment, and ends the test where the server has gone.
        server.ask_with("GET", "/Users", &[], b"");
        let now = told(folder);
        if let Some(new) = now.strip_prefix(&before).filter(|new| new.ends_with('\n')) {
            return new.to_owned();
        }
    }
}

#[test]
fn tokens_come_and_go_while_it_runs() {
    let folder = folder("sighup");
    let server = Server::start(&folder, "memory", &[]);
    server.join("ada");
    let asks = |token: &str| {
        let bearer = format!("authorization: Bearer {token}");
        server.ask_with("GET", "/Users", &[&bearer], b"").status
    };
    let line = |token: &str, name: &str| format!("sha256:{} {name}\n", Tokens::digest(token));
    assert_eq!((asks(TOKEN), asks("the-next-one")), (200, 401));
    fs::write(folder.join("tokens"), line(TOKEN, "tests") + &line("the-next-one", "next")).unwrap();
    assert_eq!(read_again(&server, &folder), "scim-server: tokens: came `next`\n");
    assert_eq!((asks(TOKEN), asks("the-next-one")), (200, 200));
    fs::write(folder.join("tokens"), "sha256:1f3b half a line").unwrap();
    assert_eq!(
        read_again(&server, &folder),
        "scim-server: tokens:1: a digest has 64 hexadecimal digits: its tokens stay as they were\n"
    );
    assert_eq!((asks(TOKEN), asks("the-next-one")), (200, 200));
    fs::write(folder.join("tokens"), line("the-next-one", "next")).unwrap();
    assert_eq!(read_again(&server, &folder), "scim-server: tokens: went `tests`\n");
    assert_eq!((asks(TOKEN), asks("the-next-one")), (401, 200));
    assert_eq!(server.end("-TERM"), Some(0));
}
