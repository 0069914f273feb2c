//! An OpenLDAP of our own.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
};

use jit_benches::report::remark;
use jit_ldap::{
    Directory, OpenLdapSettings, OpenLdapTarget, PoolSettings, Roots, Server, ServiceAccount, Tls,
};
use serde_json::Value;

/// A directory that ends with this process.
pub(crate) struct Slapd {
    said: Value,
    child: Child,
}

impl Drop for Slapd {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

impl Slapd {
    /// Starts it; `None` where it is not installed.
    pub(crate) fn start(folder: &Path) -> Option<Self> {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/peers/slapd/start");
        let folder = folder.join("slapd");
        let mut command = Command::new(program);
        command.arg("--stdin-lifeline").arg(&folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
        if said.is_empty() {
            child.wait().unwrap();
            remark("OpenLDAP did not start, its lines are missing");
            return None;
        }
        Some(Self { said: serde_json::from_str(&said).unwrap(), child })
    }

    fn text(&self, name: &str) -> &str {
        self.said.get(name).and_then(Value::as_str).unwrap()
    }

    /// A target with a pool of its own.
    pub(crate) fn target(&self) -> Arc<OpenLdapTarget> {
        let pem = std::fs::read(self.text("ca")).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = Tls::new(provider, Roots::none().and_pem(&pem).unwrap()).unwrap();
        let port = self.said.get("ldaps").and_then(Value::as_u64).unwrap();
        let server = Server::ldaps(self.text("host"), tls).port(u16::try_from(port).unwrap());
        let account = ServiceAccount::new(self.text("service"), self.text("service_password")).unwrap();
        let directory = Directory::new([server], &account, PoolSettings::default());
        let base = self.text("base");
        let place = format!("ou=jit,{base}");
        let mut settings = OpenLdapSettings::new(&place, ("jit", &place));
        for group in ["ops", "staff"] {
            settings.groups.insert(group.into(), format!("cn={group},ou=groups,{base}"));
        }
        settings.password_policy = true;
        settings.groups_follow = true;
        Arc::new(OpenLdapTarget::new(directory, &settings).unwrap())
    }
}
