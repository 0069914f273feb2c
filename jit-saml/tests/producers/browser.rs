//! As much of a browser as a scripted sign-in needs: cookies, redirects, and the form at the end.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use url::{Url, form_urlencoded};

const MAX_STEPS: usize = 8;

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// A person's browser, with cookies of its own.
#[derive(Default)]
pub(crate) struct Browser(BTreeMap<String, String>);

impl Browser {
    /// Follows redirects until a page comes, or until one leaves the server.
    pub(crate) fn open(&mut self, address: &str) -> Answer {
        self.follow(Url::parse(address).unwrap(), "GET", "")
    }

    /// Sends a form.
    pub(crate) fn post<'f>(
        &mut self,
        address: &str,
        fields: impl Iterator<Item = (&'static str, &'f str)>,
    ) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.follow(Url::parse(address).unwrap(), "POST", &body)
    }

    fn follow(&mut self, mut address: Url, method: &str, body: &str) -> Answer {
        let mut answer = self.send(&address, method, body);
        for _ in 0..MAX_STEPS {
            let Some(location) = answer.header("location") else { return answer };
            let next = address.join(location).unwrap();
            if next.origin() != address.origin() {
                return answer;
            }
            address = next;
            answer = self.send(&address, "GET", "");
        }
        panic!("too many redirects");
    }

    fn send(&mut self, address: &Url, method: &str, body: &str) -> Answer {
        let cookies: Vec<_> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let headers = [
            ("Cookie", cookies.join("; ")),
            ("Content-Type", "application/x-www-form-urlencoded".to_owned()),
        ];
        let answer = exchange(address, method, &headers, body);
        for (_, cookie) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.0.insert(name.to_owned(), value.to_owned());
        }
        answer
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Reads the form that the page would post by itself.
    pub(crate) fn form(&self) -> Vec<u8> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        for input in self.body.split("<input").skip(1) {
            let attribute = |name: &str| {
                let text = input.split_once(&format!("{name}=\""))?.1;
                text.split('"').next().map(|text| text.replace("&amp;", "&"))
            };
            if let (Some(name), Some(value)) = (attribute(" name"), attribute(" value")) {
                form.append_pair(&name, &value);
            }
        }
        form.finish().into_bytes()
    }
}

/// One request to a server on this machine.
pub(crate) fn exchange(address: &Url, method: &str, headers: &[(&str, String)], body: &str) -> Answer {
    let host = format!("{}:{}", address.host_str().unwrap(), address.port().unwrap());
    let target = &address[url::Position::BeforePath..url::Position::AfterQuery];
    let mut request = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for (name, value) in headers {
        write!(request, "{name}: {value}\r\n").unwrap();
    }
    write!(request, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.map(|line| line.split_once(": ").unwrap());
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    Answer { status, headers, body: body.to_owned() }
}
