//! A folder with a configuration, a key and a password, and the program that reads them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use chrono::TimeDelta;
use jit_core::{Clock as _, ManualClock, SystemClock};
use jit_examples::checkout;
use jit_ldap::{Attribute, AttributeName, Dn, EntryName, Modification, Rdn, Search};
use serde_json::Value;

use crate::peer::{Kind, Peer, folder, peer, wait};

pub(crate) struct House {
    pub(crate) kind: Kind,
    pub(crate) folder: PathBuf,
}

/// What a run of the program came to.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) lines: Vec<Value>,
    pub(crate) complaint: String,
}

impl Ran {
    fn of(code: i32, out: &[u8], err: &[u8]) -> Self {
        let lines = String::from_utf8(out.to_vec()).unwrap();
        let lines = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        Self { code, lines, complaint: String::from_utf8(err.to_vec()).unwrap() }
    }

    /// The one line of a run that went well.
    pub(crate) fn fine(self) -> Value {
        assert_eq!(self.code, 0, "{:?} {}", self.lines, self.complaint);
        self.lines.into_iter().next().unwrap()
    }

    pub(crate) fn refused(self, code: &str) {
        assert_eq!((self.code, self.lines[0]["error"].as_str().unwrap()), (1, code), "{}", self.complaint);
    }

    pub(crate) fn failed(self, code: &str) {
        assert_eq!((self.code, self.lines[0]["error"].as_str().unwrap()), (3, code), "{}", self.complaint);
    }
}

impl House {
    /// A house with somebody called ada, who may check out, and bob, who may not.
    pub(crate) fn new(kind: Kind, name: &str) -> Self {
        let house = Self { kind, folder: folder(&format!("{name}-{kind:?}")) };
        let peer = house.peer();
        house.secret("password", peer.text("service_password"));
        house.secret("key", &format!("{name} {kind:?} 0123456789abcdef0123456789abcdef"));
        fs::copy(peer.text("ca"), house.folder.join("ca.pem")).unwrap();
        fs::write(house.folder.join("checkout.toml"), configuration(kind, peer, name)).unwrap();
        house.run("person add ada --role role:operator").fine();
        house.run("person add bob").fine();
        house
    }

    pub(crate) fn peer(&self) -> &'static Peer {
        peer(self.kind)
    }

    /// Writes a file that only its owner reads.
    pub(crate) fn secret(&self, name: &str, text: &str) {
        let path = self.folder.join(name);
        fs::write(&path, format!("{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Changes the configuration.
    pub(crate) fn configure(&self, from: &str, to: &str) {
        let path = self.folder.join("checkout.toml");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from}");
        fs::write(path, text.replace(from, to)).unwrap();
    }

    /// Adds targets like the one that is there, before it: all are in one directory.
    pub(crate) fn also_at(&self, names: &[&str]) {
        let text = read(&self.folder, "checkout.toml");
        let (before, target) = text.split_once("[[target]]").unwrap();
        let one = |name: &&str| {
            let id = format!("id = \"{name}\"\nprefix = \"{name}-\"");
            format!("[[target]]{}", target.replace("id = \"directory\"", &id))
        };
        let more: String = names.iter().map(one).collect();
        fs::write(self.folder.join("checkout.toml"), format!("{before}{more}[[target]]{target}")).unwrap();
    }

    /// Names the servers of a target otherwise than those of all others: by another port of the usual ones, or by a list that
    /// only overlaps where the ports are none of these.
    pub(crate) fn spell_otherwise(&self, target: &str) {
        let peer = self.peer();
        let servers = match self.kind {
            Kind::Windows => vec![peer.other_url()],
            Kind::OpenLdap => vec![peer.other_url(), peer.url()],
        };
        let text = read(&self.folder, "checkout.toml");
        let (before, after) = text.split_once(&format!("id = \"{target}\"")).unwrap();
        let after = after.replacen(&format!("{:?}", [peer.url()]), &format!("{servers:?}"), 1);
        let after = after.replacen("[target.open_ldap]", "[target.open_ldap]\nsettles_seconds = 1", 1);
        fs::write(self.folder.join("checkout.toml"), format!("{before}id = \"{target}\"{after}")).unwrap();
    }

    pub(crate) fn program(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_checkout"));
        command.current_dir(&self.folder).args(["--config", "checkout.toml", "--json"]);
        command.args(line.split_whitespace());
        command
    }

    /// Runs the program.
    pub(crate) fn run(&self, line: &str) -> Ran {
        let Output { status, stdout, stderr } = self.program(line).output().unwrap();
        Ran::of(status.code().unwrap(), &stdout, &stderr)
    }

    /// Runs the program within this process, so many minutes away from now.
    pub(crate) fn run_at(&self, minutes: i64, line: &str) -> Ran {
        let clock = ManualClock::at(SystemClock.now() + TimeDelta::minutes(minutes));
        let config = self.folder.join("checkout.toml");
        let config = ["--config", config.to_str().unwrap(), "--json"].map(str::to_owned);
        let arguments = config.into_iter().chain(line.split_whitespace().map(str::to_owned));
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = checkout::run(arguments, Arc::new(clock), None, &mut out, &mut err);
        Ran::of(code.into(), &out, &err)
    }

    pub(crate) fn dn(&self, name: &str) -> Dn {
        let kind = if self.kind == Kind::OpenLdap { "uid" } else { "CN" };
        self.peer().below("OU=JIT").child(Rdn::new(kind, name).unwrap())
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        let search = Search::entry(self.dn(name));
        wait(async { self.peer().as_service().await.read(&search).await.unwrap().is_some() })
    }

    pub(crate) fn admits(&self, name: &str, secret: &str) -> bool {
        wait(self.peer().admits(&self.dn(name).to_string(), secret))
    }

    fn person(&self, name: &str) -> Dn {
        let kind = if self.kind == Kind::OpenLdap { "uid" } else { "CN" };
        self.peer().below("OU=People").child(Rdn::new(kind, name).unwrap())
    }

    /// Whether a group has somebody of `OU=People` as a member.
    pub(crate) fn is_member(&self, person: &str) -> bool {
        let group = Search::entry(self.peer().below("CN=ops,OU=groups")).attributes([AttributeName::MEMBER]);
        let group = wait(async { self.peer().as_service().await.read(&group).await.unwrap().unwrap() });
        let members = group.values(&AttributeName::MEMBER).unwrap_or_default();
        let person = self.person(person);
        members.iter().any(|member| Dn::parse(std::str::from_utf8(member).unwrap()).unwrap() == person)
    }

    /// Takes somebody of `OU=People` out of the group, past the program.
    pub(crate) fn take_from_group(&self, person: &str) {
        let person = self.person(person).to_string();
        let change = Modification::Delete(Attribute::new(AttributeName::MEMBER, [person]));
        let group = EntryName::from(&self.peer().below("CN=ops,OU=groups"));
        wait(async { self.peer().as_service().await.modify(&group, &[change], &[]).await.unwrap() });
    }

    /// Takes the mark of an account, past the program.
    pub(crate) fn unmark(&self, name: &str) {
        let marker = AttributeName::new("description").unwrap();
        let none = Modification::Replace(Attribute::new(marker, Vec::<Vec<u8>>::new()));
        let name = EntryName::from(&self.dn(name));
        wait(async { self.peer().as_service().await.modify(&name, &[none], &[]).await.unwrap() });
    }

    /// Takes the end of an account away, past the program.
    pub(crate) fn make_endless(&self, name: &str) {
        let none =
            Modification::Replace(Attribute::new(AttributeName::PASSWORD_END_TIME, Vec::<Vec<u8>>::new()));
        let name = EntryName::from(&self.dn(name));
        wait(async { self.peer().as_service().await.modify(&name, &[none], &[]).await.unwrap() });
    }

    /// Removes an account, past the program.
    pub(crate) fn remove(&self, name: &str) {
        let name = EntryName::from(&self.dn(name));
        wait(async { self.peer().as_service().await.delete(&name, &[]).await.unwrap() });
    }

    /// The leases that may still be in the target.
    pub(crate) fn leases(&self) -> Vec<Value> {
        let listed = self.run("list");
        assert_eq!(listed.code, 0, "{}", listed.complaint);
        listed.lines
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn configuration(kind: Kind, peer: &Peer, name: &str) -> String {
    let (place, groups) = (peer.below("OU=JIT").to_string(), peer.below("CN=ops,OU=groups").to_string());
    let deployment: String = name.chars().filter(char::is_ascii_alphanumeric).take(32).collect();
    let target = match kind {
        Kind::OpenLdap => "[target.open_ldap]\npassword_policy = true\ngroups_follow = true",
        Kind::Windows => "[target.active_directory]\nprincipal_suffix = \"jit.test\"\nsettles_seconds = 0",
    };
    format!(
        r#"
[checkout]
store = "sqlite:accounts.db"
tenant = "acme"

[deployment]
name = "{deployment}"
marker_key = "key"

[[target]]
id = "directory"

[target.directory]
servers = ["{}"]
ca_file = "ca.pem"
account = "{}"
password_file = "password"

{target}
base = "{place}"
people = "{people}"
places = {{ jit = "{place}" }}
groups = {{ ops = "{groups}" }}

[[target.role]]
name = "admin"
place = "jit"
entitlements = ["ops"]
longest = "8h"
holders = ["role:operator"]
privileged = true

[[target.role]]
name = "lift"
entitlements = ["ops"]
longest = "8h"
holders = ["role:operator"]
elevates = {{ named = true }}
"#,
        peer.url(),
        peer.text("service"),
        people = peer.below("OU=People"),
    )
}

/// A text of the folder.
pub(crate) fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}
