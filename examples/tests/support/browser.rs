//! Somebody at a browser of their own, in front of a program.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// Somebody who keeps cookies, as a browser does for one host.
pub(crate) struct Visitor {
    /// Where the program is that they visit.
    pub(crate) address: String,
    cookies: Vec<(String, String)>,
}

/// What was answered.
pub(crate) struct Page {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Page {
    pub(crate) fn header<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.headers(name).next()
    }

    fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let pairs = self.head.lines().filter_map(|line| line.split_once(": "));
        pairs.filter(move |(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The value of the first hidden field of a name: in what the page is about, or else in the frame around it.
    pub(crate) fn hidden(&self, name: &str) -> String {
        let field = format!("name=\"{name}\" value=\"");
        let about = self.body.split_once("<main").map_or("", |(_, about)| about);
        let found = about.split_once(&field).or_else(|| self.body.split_once(&field));
        let (_, rest) = found.unwrap_or_else(|| panic!("no field `{name}`: {}", self.body));
        rest.split('"').next().unwrap().to_owned()
    }
}

impl Visitor {
    /// Somebody who was nowhere before.
    pub(crate) fn of(address: &str) -> Self {
        Self { address: address.to_owned(), cookies: Vec::new() }
    }

    pub(crate) fn get(&mut self, path: &str) -> Page {
        self.ask(&self.address.clone(), &format!("GET {path} HTTP/1.1\r\n"), b"")
    }

    pub(crate) fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        self.send(&self.address.clone(), path, fields)
    }

    /// Sends a form to some host.
    pub(crate) fn send(&mut self, host: &str, path: &str, fields: &[(&str, &str)]) -> Page {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send_as(host, path, "application/x-www-form-urlencoded", body.as_bytes())
    }

    /// Sends a body of some media type, or of none.
    pub(crate) fn send_as(&mut self, host: &str, path: &str, kind: &str, body: &[u8]) -> Page {
        let kind = if kind.is_empty() { String::new() } else { format!("Content-Type: {kind}\r\n") };
        let line = format!("POST {path} HTTP/1.1\r\n{kind}Content-Length: {}\r\n", body.len());
        self.ask(host, &line, body)
    }

    /// Asks some host with the beginning of a head, and a body.
    pub(crate) fn ask(&mut self, host: &str, line: &str, body: &[u8]) -> Page {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies =
            if cookies.is_empty() { String::new() } else { format!("Cookie: {}\r\n", cookies.join("; ")) };
        let mut stream = TcpStream::connect(host).unwrap();
        let head = format!("{line}Host: {host}\r\n{cookies}Connection: close\r\n\r\n");
        stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let page = Page { status, head: head.to_owned(), body: body.to_owned() };
        for cookie in page.headers("set-cookie") {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.retain(|(kept, _)| kept != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        page
    }
}
