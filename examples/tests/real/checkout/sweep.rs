//! Many targets: none waits for another.

use std::fs;
use std::io::{ErrorKind, Read as _};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::time::Duration;

use super::house::{House, read};
use crate::peer::Kind;

/// Whether whoever connected gave up.
fn has_gone(caller: &mut TcpStream) -> bool {
    caller.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    match caller.read(&mut [0; 4096]) {
        Ok(read) => read == 0,
        Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
    }
}

#[test]
fn a_target_that_says_nothing_keeps_no_other_from_being_swept() {
    let house = House::new(Kind::OpenLdap, "silent");
    house.also_at(&["first"]);
    let url = house.peer().url();
    let lend =
        |target: &str| house.run(&format!("out --for ada --target {target} --role admin --ttl 1h")).fine();
    let (stuck, ends) = (lend("first"), lend("directory"));

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("ldaps://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let text = read(&house.folder, "checkout.toml").replacen(&url, &silent, 1);
    fs::write(house.folder.join("checkout.toml"), text).unwrap();
    // Both are on their way out, and the holder's end is what brings them there.
    house.run("person end ada").fine();
    let swept = house.program("sweep").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let (mut caller, _) = listener.accept().unwrap();
    while house.exists(ends["name"].as_str().unwrap()) {
        assert!(!has_gone(&mut caller), "the other target waits until the first one is given up");
    }
    assert!(house.exists(stuck["name"].as_str().unwrap()));
    drop((caller, listener));
    assert_eq!(swept.wait_with_output().unwrap().status.code(), Some(3), "the first comes again");

    house.configure(&silent, &url);
    assert_eq!(house.run_at(60, "sweep").code, 0);
    assert!(house.leases().is_empty() && !house.exists(stuck["name"].as_str().unwrap()));
}
