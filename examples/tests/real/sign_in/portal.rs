//! A portal as a program, in front of a directory of its own, and somebody at a browser.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::browser::{Page, Visitor};
use crate::peer::{Peer, folder};
use crate::program::Program;

pub(crate) struct Portal {
    pub(crate) folder: PathBuf,
    pub(crate) peer: Peer,
    program: Program,
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
            if let Ok(program) = serve(&folder) {
                return Self { folder, peer, program };
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
        Visitor::of(&self.program.address)
    }
}

impl Drop for Portal {
    fn drop(&mut self) {
        self.program.kill();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Writes a file that only its owner reads.
fn secret(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::write(&path, format!("{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn serve(folder: &Path) -> Result<Program, String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portal"));
    command.current_dir(folder).args(["--config", "portal.toml"]);
    Program::start(command.stderr(File::create(folder.join("said")).unwrap()))
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

impl Visitor {
    /// Opens the form and sends it.
    pub(crate) fn sign_in(&mut self, name: &str, password: &str) -> Page {
        let form = self.get("/login/staff");
        self.answer(&form, name, password)
    }

    /// Sends a form that is open.
    pub(crate) fn answer(&mut self, form: &Page, name: &str, password: &str) -> Page {
        let csrf = form.hidden("csrf");
        self.post("/login/staff", &[("csrf", &csrf), ("user_name", name), ("password", password)])
    }

    /// Tells whether somebody is signed in here.
    pub(crate) fn is_in(&mut self) -> bool {
        self.get("/me").status == 200
    }
}
