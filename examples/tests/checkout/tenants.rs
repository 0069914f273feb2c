//! Whose a target is, as a configuration says it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::TimeDelta;
use jit_core::{
    Actor, CheckOut, Entitlement, Jit, MarkerKey, MemoryTarget, RuleName, TargetId, TargetRole, TargetSetup,
    TenantId,
};
use jit_sql::SqliteStore;
use serde_json::Value;

use crate::{TARGETS, folder, refuses, run, write};

const STORE: &str = "[checkout]\nstore = \"sqlite:accounts.db\"\ntenant = \"acme\"\n";

fn acme() -> TenantId {
    TenantId::new("acme").unwrap()
}

/// The configuration, where this is said of the target.
fn saying(what: &str) -> String {
    format!("{STORE}{}", TARGETS.replace("id = \"one\"", &format!("id = \"one\"\n{what}")))
}

/// A folder whose store has a lease of ada at the target, that was made when it was open to acme; and the lease.
async fn with_a_lease(name: &str) -> (PathBuf, String) {
    let folder = folder(name, &saying("tenants = [\"acme\"]"));
    let (code, lines, complaint) = ask(&folder, "person add ada --role role:operator");
    assert_eq!(code, 0, "{complaint}");
    let holder = lines.first().and_then(|line| line.get("account")?.as_str());
    let role = TargetRole::new(TimeDelta::hours(8), vec![Entitlement::role("operator").unwrap()]);
    let key = fs::read(folder.join("key")).unwrap();
    let target = TargetId::new("one").unwrap();
    let role_name = RuleName::new("operator").unwrap();
    let key = MarkerKey::new("tests", &key).unwrap();
    let setup = TargetSetup::new(target.clone(), Arc::new(MemoryTarget::new()), key)
        .for_tenants([acme()])
        .role(role_name.clone(), role);
    let store = Arc::new(SqliteStore::open(folder.join("accounts.db")).unwrap());
    let request = CheckOut {
        tenant: acme(),
        store: None,
        holder: holder.unwrap().parse().unwrap(),
        by: Actor::Administrator { name: "root".to_owned() },
        target,
        role: role_name,
        span: TimeDelta::hours(1),
        key: None,
        purpose: None,
    };
    let lent = Jit::builder(store).target(setup).build().unwrap().check_out(&request).await.unwrap();
    (folder, lent.lease.to_string())
}

fn ask(folder: &Path, line: &str) -> (i32, Vec<Value>, String) {
    run(folder, &format!("--config checkout.toml --json {line}"))
}

#[tokio::test]
async fn a_target_that_is_closed_to_the_only_tenant_lends_nothing_and_ends_what_it_lent() {
    let (folder, lease) = with_a_lease("closed").await;
    write(&folder.join("checkout.toml"), &saying("former_tenants = [\"acme\"]"), 0o644);
    for refused in
        ["out --for ada --target one --role operator --ttl 30m", &format!("extend {lease} --ttl 2h")]
    {
        let (code, lines, complaint) = ask(&folder, refused);
        let error = lines[0]["error"].as_str();
        assert_eq!((code, error), (1, Some("lease.unknown_target")), "{refused}: {lines:?} {complaint}");
    }
    let (code, lines, complaint) = ask(&folder, &format!("in {lease}"));
    let phase = lines[0]["phase"].as_str();
    let expected = (3, Some("ending"));
    assert_eq!((code, phase), expected, "the target is asked, which is not there: {lines:?} {complaint}");
}

#[tokio::test]
async fn a_sweep_names_a_target_that_its_tenant_was_struck_from_and_a_list_shows_each_lease_once() {
    let (folder, lease) = with_a_lease("struck").await;
    assert_eq!(ask(&folder, "sweep").0, 0);
    write(&folder.join("checkout.toml"), &saying("former_tenants = [\"initech\"]"), 0o644);
    let (code, lines, complaint) = ask(&folder, "sweep");
    let told = lines.iter().filter(|line| line["target"] == "one" && line["error"] == "lease.unknown_target");
    assert_eq!((code, told.count()), (3, 1), "{lines:?} {complaint}");
    for list in ["list", "list --target one", "exposure"] {
        let (code, lines, complaint) = ask(&folder, list);
        let shown = lines.iter().filter(|line| line["lease"] == lease.as_str());
        assert_eq!((code, shown.count()), (0, 1), "{list}: {lines:?} {complaint}");
    }
}

#[test]
fn a_target_is_not_both_open_and_closed_to_a_tenant() {
    refuses(
        &folder("both", ""),
        "id = \"one\"",
        "id = \"one\"\ntenants = [\"acme\"]\nformer_tenants = [\"acme\"]",
        "target[0].former_tenants: names a tenant that `tenants` names as well: the target is open to them, or closed \
         (config.invalid_value)",
    );
}
