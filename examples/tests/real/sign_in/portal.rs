//! A portal as a program, in front of a directory of its own, and somebody at a browser.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::peer::{Peer, folder};

pub(crate) struct Portal {
    pub(crate) folder: PathBuf,
    pub(crate) peer: Peer,
    address: String,
    child: Child,
}

impl Portal {
    /// Starts a portal whose one connection leads to the directory.
    pub(crate) fn start(name: &str) -> Self {
        Self::start_with(name, |_| String::new())
    }

    /// The same, with more in its configuration.
    pub(crate) fn start_with(name: &str, more: fn(&Peer) -> String) -> Self {
        let folder = folder(&format!("sign-in-{name}"));
        let peer = Peer::start_as("slapd", &format!("sign-in-{name}"));
        secret(&folder, "ldap.password", peer.text("service_password"));
        secret(&folder, "marker.key", &format!("{name} 0123456789abcdef0123456789abcdef"));
        fs::copy(peer.text("ca"), folder.join("ca.pem")).unwrap();
        // The port was free a moment ago: somebody else may have taken it since.
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            fs::write(folder.join("portal.toml"), configuration(port, &peer, &more(&peer))).unwrap();
            if let Some((child, address)) = serve(&folder) {
                return Self { folder, peer, address, child };
            }
        }
        panic!("{}", fs::read_to_string(folder.join("said")).unwrap());
    }

    /// What it has complained of, whole.
    pub(crate) fn complaints(&self) -> String {
        fs::read_to_string(self.folder.join("said")).unwrap()
    }

    /// Tells whether something that it wrote down anywhere holds these bytes.
    pub(crate) fn has_written(&self, text: &str) -> bool {
        let own = ["ldap.password", "portal.toml", "checkout.toml"];
        fs::read_dir(&self.folder).unwrap().map(|file| file.unwrap()).any(|file| {
            let is_own = own.iter().any(|name| file.file_name() == *name);
            let bytes = fs::read(file.path()).unwrap();
            !is_own && bytes.windows(text.len()).any(|part| part == text.as_bytes())
        })
    }

    /// Somebody with a browser of their own.
    pub(crate) fn visitor(&self) -> Visitor {
        Visitor { address: self.address.clone(), cookies: Vec::new() }
    }
}

impl Drop for Portal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Writes a file that only its owner reads.
fn secret(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::write(&path, format!("{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn serve(folder: &Path) -> Option<(Child, String)> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_portal"))
        .current_dir(folder)
        .args(["--config", "portal.toml"])
        .stdout(Stdio::piped())
        .stderr(File::create(folder.join("said")).unwrap())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let Some(address) = line.trim().strip_prefix("portal: ready at http://") else {
        child.wait().unwrap();
        return None;
    };
    Some((child, address.to_owned()))
}

/// The way to the directory by these of its servers, as settings have it.
pub(crate) fn way(peer: &Peer, servers: &[String]) -> String {
    let service = peer.text("service");
    format!(
        r#"servers = {servers:?}
ca_file = "ca.pem"
account = "{service}"
password_file = "ldap.password""#
    )
}

fn configuration(port: u16, peer: &Peer, more: &str) -> String {
    format!(
        r#"
[portal]
listen = "127.0.0.1:{port}"
base_url = "http://127.0.0.1:{port}"
store = "sqlite:accounts.db"
admin = "role:staff"

[[connection]]
id = "staff"
tenant = "acme"
issuers = ["ldap.jit.test"]
domains = ["jit.test"]
ceiling = ["role:staff"]

[connection.protocol]
label = "Staff"

[connection.protocol.directory]
{way}

[connection.protocol.ldap]
issuer = "ldap.jit.test"
base = "{base}"
names = ["uid", "mail"]
filter = "(objectClass=inetOrgPerson)"
id = "entry_uuid"
claims = ["uid", "cn", "mail"]
refused_after_ms = 0

[connection.mapping.user_name]
template = ["{{uid}}"]

[[connection.policy.rule]]
name = "everybody"
permit = {{}}
{more}
"#,
        way = way(peer, &[peer.url()]),
        base = peer.text("base"),
    )
}

pub(crate) struct Visitor {
    address: String,
    cookies: Vec<(String, String)>,
}

/// What the portal answered.
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

    /// The value of a hidden field.
    pub(crate) fn hidden(&self, name: &str) -> &str {
        let (_, rest) = self.body.split_once(&format!("name=\"{name}\" value=\"")).expect(&self.body);
        rest.split('"').next().unwrap()
    }
}

impl Visitor {
    pub(crate) fn get(&mut self, path: &str) -> Page {
        self.ask(&format!("GET {path} HTTP/1.1\r\n"), "")
    }

    pub(crate) fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let kind = "Content-Type: application/x-www-form-urlencoded";
        self.ask(&format!("POST {path} HTTP/1.1\r\n{kind}\r\nContent-Length: {}\r\n", body.len()), &body)
    }

    /// Opens the form and sends it.
    pub(crate) fn sign_in(&mut self, name: &str, password: &str) -> Page {
        let form = self.get("/login/staff");
        self.send(&form, name, password)
    }

    /// Sends a form that is open.
    pub(crate) fn send(&mut self, form: &Page, name: &str, password: &str) -> Page {
        let csrf = form.hidden("csrf").to_owned();
        self.post("/login/staff", &[("csrf", &csrf), ("user_name", name), ("password", password)])
    }

    /// Tells whether somebody is signed in here.
    pub(crate) fn is_in(&mut self) -> bool {
        self.get("/me").status == 200
    }

    fn ask(&mut self, line: &str, body: &str) -> Page {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies =
            if cookies.is_empty() { String::new() } else { format!("Cookie: {}\r\n", cookies.join("; ")) };
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let request = format!("{line}Host: {}\r\n{cookies}Connection: close\r\n\r\n{body}", self.address);
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").expect(&answer);
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
