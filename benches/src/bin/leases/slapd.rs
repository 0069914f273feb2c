//! An OpenLDAP of our own.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use jit_benches::report::remark;
use jit_ldap::{
    Directory, OpenLdapSettings, OpenLdapTarget, PoolSettings, Roots, Server, ServiceAccount, Tls,
};
use rustls::{
    ClientConfig, RootCertStore,
    client::Resumption,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use serde_json::Value;

use crate::far::away;

const PORT: &str = "ldaps";

/// A directory that ends with this process.
pub(crate) struct Slapd {
    said: Value,
    /// `None` where it is another one, seen from far away.
    child: Option<Child>,
}

/// Says when it answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answers {
    /// When a change is on the disk, as OpenLDAP does unless it is told otherwise.
    Synced,
    /// When it is in memory.
    Unsynced,
}

/// Says what its certificate is made with. Who connects anew each time pays for that with each operation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Certificate {
    /// ECDSA P-256: the cheapest for a server to prove.
    P256,
    /// RSA-2048, the default of most internal authorities.
    Rsa,
}

impl Drop for Slapd {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }
}

impl Slapd {
    /// Starts it; `None` where it is not installed.
    pub(crate) fn start(folder: &Path, answers: Answers, certificate: Certificate) -> Option<Self> {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/peers/slapd/start");
        let (name, durable) = match answers {
            Answers::Synced => ("slapd-synced", Some("--durable")),
            Answers::Unsynced => ("slapd-unsynced", None),
        };
        let (suffix, rsa) = match certificate {
            Certificate::P256 => ("", None),
            Certificate::Rsa => ("-rsa", Some("--rsa")),
        };
        let mut command = Command::new(program);
        command.arg("--stdin-lifeline").args(durable).args(rsa).arg(folder.join(format!("{name}{suffix}")));
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
        if said.is_empty() {
            child.wait().unwrap();
            remark("OpenLDAP did not start, its lines are missing");
            return None;
        }
        Some(Self { said: serde_json::from_str(&said).unwrap(), child: Some(child) })
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        self.said.get(name).and_then(Value::as_str).unwrap()
    }

    fn pem(&self) -> Vec<u8> {
        std::fs::read(self.text("ca")).unwrap()
    }

    /// The same one, from so far away.
    pub(crate) async fn seen_from_afar(&self, way: Duration) -> Self {
        let mut said = self.said.clone();
        *said.get_mut(PORT).unwrap() = away(self.port(), way).await.into();
        Self { said, child: None }
    }

    fn port(&self) -> u16 {
        let port = self.said.get(PORT).and_then(Value::as_u64).unwrap();
        u16::try_from(port).unwrap()
    }

    fn ldaps(&self, tls: Tls) -> Server {
        // The address itself: threads that look up a name come and go, and their time with them.
        Server::ldaps("127.0.0.1", tls).port(self.port())
    }

    pub(crate) fn server(&self) -> Server {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        self.ldaps(Tls::new(provider, Roots::none().and_pem(&self.pem()).unwrap()).unwrap())
    }

    /// As a client that begins each session anew, which that of Vault does.
    pub(crate) fn server_without_memory(&self) -> Server {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&self.pem()).unwrap()).unwrap();
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let mut config = builder.unwrap().with_root_certificates(roots).with_no_client_auth();
        config.resumption = Resumption::disabled();
        self.ldaps(Tls::with_config(Arc::new(config)))
    }

    /// A target with a pool of its own.
    pub(crate) fn target(&self, size: u8) -> Arc<OpenLdapTarget> {
        let account = ServiceAccount::new(self.text("service"), self.text("service_password")).unwrap();
        let mut settings = PoolSettings::default();
        settings.size = size;
        let directory = Directory::new([self.server()], &account, settings);
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
