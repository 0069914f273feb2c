//! What a server owes to the others on its store.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jit_core::{
    Account, AdminAct, AdminRequest, BackendError, Jit, JitBuilder, Notices, Protection, Task, TenantId,
    UserName, UserStore as _, WorkerId,
};
use jit_sql::SqliteStore;
use serde_json::json;

use crate::folder;
use crate::scim::{Server, patch, person};

const SHARED: &str = r#"
tenant = "acme"
id = "hr"
issuers = ["urn:acme:hr"]
ceiling = ["role:admin"]
policy = { rule = [{ name = "everybody", permit = {} }] }
provisioning = { reactivates = true }

[mapping]
user_name = { template = ["{userName}"] }
entitlement = [{ claim = "userType", table = { admin = ["role:admin"] } }]

[protocol]
leave_notices = true
protection = { never_without = ["role:admin"] }
"#;

/// Another program on the same store.
struct Beside {
    store: Arc<SqliteStore>,
    jit: Jit,
}

impl Beside {
    fn on(folder: &Path, with: impl FnOnce(JitBuilder) -> JitBuilder) -> Self {
        let store = Arc::new(SqliteStore::open(folder.join("people.db")).unwrap());
        let jit = with(Jit::builder(Arc::clone(&store) as _)).build().unwrap();
        Self { store, jit }
    }

    async fn account(&self, name: &str) -> Account {
        let name = UserName::new(name).unwrap();
        self.store.named(&tenant(), name.key()).await.unwrap().unwrap()
    }

    /// Suspends somebody; tells the code where that is refused.
    async fn suspend(&self, name: &str) -> Result<(), String> {
        self.administer(name, AdminAct::Suspend).await
    }

    async fn administer(&self, name: &str, act: AdminAct) -> Result<(), String> {
        let account = self.account(name).await.id;
        let request = AdminRequest { tenant: tenant(), store: None, account, act, by: "root".to_owned() };
        let done = self.jit.administer(&request).await.unwrap();
        done.map(drop).map_err(|denial| denial.code.to_string())
    }
}

fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

fn start(folder: &Path) -> Server {
    fs::write(folder.join("connection.toml"), SHARED).unwrap();
    Server::start(folder, "sqlite:people.db", &["--config", "connection.toml"])
}

/// Tells of an administrator, and returns where they are.
fn admin(server: &Server, name: &str) -> String {
    let mut person = person(name);
    person["userType"] = json!("admin");
    let made = server.ask("POST", "/Users", &person);
    assert_eq!(made.status, 201, "{made:?}");
    format!("/Users/{}", made.id())
}

#[tokio::test]
async fn the_last_holder_of_a_role_is_the_same_for_a_directory_and_a_portal() {
    let folder = folder("last-holder");
    let server = start(&folder);
    let [ada, bob] = ["ada", "bob"].map(|name| admin(&server, name));
    let admin = "role:admin".parse().unwrap();
    let portal = Beside::on(&folder, |builder| builder.protection(Protection::new().never_without(admin)));
    portal.suspend("bob").await.unwrap();
    portal.administer("bob", AdminAct::Reactivate).await.unwrap();

    let off = patch(&json!([{ "op": "replace", "path": "active", "value": false }]));
    assert_eq!(server.ask("PATCH", &ada, &off).body["active"], false, "whoever leaves leaves");
    assert_eq!(portal.suspend("bob").await, Err("access.last_holder".to_owned()));
    let demoted = patch(&json!([{ "op": "remove", "path": "userType" }]));
    assert_eq!(server.ask("PATCH", &bob, &demoted).status, 200);
    assert_eq!(portal.account("bob").await.grants.len(), 1, "the last one keeps it");
}

#[derive(Default)]
struct Heard(Mutex<usize>);

#[async_trait]
impl Notices for Heard {
    async fn deliver(&self, _: &Task) -> Result<(), BackendError> {
        *self.0.lock().unwrap() += 1;
        Ok(())
    }
}

#[tokio::test]
async fn whoever_keeps_the_sessions_hears_of_an_end_that_a_directory_made() {
    let folder = folder("notices");
    let server = start(&folder);
    let [ada, _] = ["ada", "bob"].map(|name| admin(&server, name));
    let heard = Arc::new(Heard::default());
    let application = Beside::on(&folder, |builder| builder.notices(Arc::clone(&heard) as _));
    let off = patch(&json!([{ "op": "replace", "path": "active", "value": false }]));
    assert_eq!(server.ask("PATCH", &ada, &off).status, 200);
    let worker = WorkerId::new("application").unwrap();
    application.jit.work(&worker, 16.try_into().unwrap()).await.unwrap();
    assert_eq!(*heard.0.lock().unwrap(), 1);
}
