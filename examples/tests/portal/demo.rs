//! A demo portal as a program, and somebody at a browser.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;

use crate::browser::{Page, Visitor};
use crate::program::Program;
use crate::{portal, portal_again};

const ARGUMENTS: &str = "--demo --addr 127.0.0.1:0 --data data";

/// A demo that is ready; it is killed with the test if the test did not end it.
pub(crate) struct Demo(Program);

impl Demo {
    pub(crate) fn start(name: &str) -> Self {
        Self::run(portal(name, ARGUMENTS))
    }

    /// Begins once more where one of this name ended.
    pub(crate) fn again(name: &str) -> Self {
        Self::run(portal_again(name, ARGUMENTS))
    }

    fn run(mut program: Command) -> Self {
        Self(Program::start(&mut program).unwrap())
    }

    pub(crate) fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    pub(crate) fn get(&self, path: &str) -> String {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address()))
    }

    /// Somebody with a browser of their own.
    pub(crate) fn visitor(&self) -> Visitor {
        Visitor::of(self.address())
    }

    pub(crate) fn address(&self) -> &str {
        &self.0.address
    }

    pub(crate) fn end(self, signal: &str) -> Option<i32> {
        self.0.end(signal)
    }
}

impl Visitor {
    /// Signs in at a provider of the demo that answers by redirect.
    pub(crate) fn sign_in(&mut self, connection: &str, person: &str) {
        let arrived = self.arrive(connection, person);
        assert_eq!(arrived.header("location"), Some("/me"), "{}", arrived.body);
    }

    /// Comes back from such a provider as one of its people, and gives what the portal answers.
    pub(crate) fn arrive(&mut self, connection: &str, person: &str) -> Page {
        let asked = self.get(&format!("/login/{connection}"));
        let (provider, place) = address(asked.header("location").unwrap());
        let form = self.ask(&provider, &format!("GET {place} HTTP/1.1\r\n"), b"");
        let request = form.hidden("request");
        let chosen = self.send(&provider, "/sign-in", &[("request", request.as_str()), ("person", person)]);
        let (portal, place) = address(chosen.header("location").unwrap());
        self.ask(&portal, &format!("GET {place} HTTP/1.1\r\n"), b"")
    }

    /// Sends a body of some media type, or of none.
    pub(crate) fn post_as(&mut self, path: &str, kind: &str, body: &[u8]) -> Page {
        self.send_as(&self.address.clone(), path, kind, body)
    }
}

/// Takes an address apart: host with port, and what is asked for there.
fn address(url: &str) -> (String, String) {
    let (host, place) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    (host.to_owned(), format!("/{place}"))
}
