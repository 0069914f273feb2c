//! What is wrong is told by a code, and nothing is left of it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::house::House;
use crate::peer::{BOTH, Kind};

fn out(user: &str, target: &str, role: &str, span: &str) -> String {
    format!("out --for {user} --target {target} --role {role} --ttl {span}")
}

#[test]
fn the_rules_say_no_with_1() {
    let house = House::new(Kind::OpenLdap, "rules");
    for (line, code) in [
        (out("bob", "directory", "admin", "1h"), "lease.not_entitled"),
        (out("eve", "directory", "admin", "1h"), "lease.unknown_holder"),
        (out("ada", "elsewhere", "admin", "1h"), "lease.unknown_target"),
        (out("ada", "directory", "other", "1h"), "lease.unknown_role"),
        (out("ada", "directory", "admin", "9h"), "lease.too_long"),
        ("in 01932c1e-0000-7000-8000-000000000001".to_owned(), "lease.unknown"),
        ("list --for eve".to_owned(), "lease.unknown_holder"),
        ("list --target elsewhere".to_owned(), "lease.unknown_target"),
        ("person end eve".to_owned(), "account.unknown"),
    ] {
        house.run(&line).refused(code);
    }
    house.run("person add bob --role role:operator").fine();
    let lent = house.run(&out("bob", "directory", "admin", "1h")).fine();
    house.run(&format!("in {}", lent["lease"].as_str().unwrap())).fine();
}

#[test]
fn a_target_that_fails_ends_with_3_and_leaves_nothing() {
    for kind in BOTH {
        let house = House::new(kind, "failing");
        let url = house.peer().url();
        let other = if kind == Kind::OpenLdap { Kind::Windows } else { Kind::OpenLdap };
        let ca = fs::read(house.folder.join("ca.pem")).unwrap();
        let request = out("ada", "directory", "admin", "1h");

        house.configure(&url, "ldaps://localhost:1");
        house.run(&request).failed("target.unreachable");
        house.configure("ldaps://localhost:1", &url);

        fs::copy(crate::peer::peer(other).text("ca"), house.folder.join("ca.pem")).unwrap();
        house.run(&request).failed("target.untrusted");
        fs::write(house.folder.join("ca.pem"), ca).unwrap();

        house.secret("password", "another password");
        house.run(&request).failed("target.credentials");
        house.secret("password", house.peer().text("service_password"));

        house.configure("places = { jit = \"", "places = { jit = \"OU=nowhere,");
        house.run(&request).failed("target.place");
        house.configure("OU=nowhere,", "");

        assert_eq!(house.run_at(10, "sweep").code, 0);
        assert_eq!(house.run_at(20, "sweep").code, 0);
        assert!(house.leases().is_empty());
        assert_eq!(house.run("reconcile").fine()["seen"], 0);
    }
}

/// How often a directory locks an account that proves itself wrongly, in the tests.
const LOCKS_AT: usize = 5;

#[test]
fn many_calls_with_a_wrong_password_lock_nobody_out() {
    for kind in BOTH {
        let house = House::new(kind, "guessing");
        let request = out("ada", "directory", "admin", "1h");
        house.secret("password", "another password");
        for _ in 0..LOCKS_AT * 2 {
            house.run(&request).failed("target.credentials");
        }
        assert!(house.leases().is_empty(), "nothing was written");
        let swept = house.run("sweep");
        assert!(
            swept.complaint.contains("alarm `target.credentials_refused` at `directory`"),
            "{}",
            swept.complaint
        );
        let told = |lines: &[serde_json::Value]| {
            let alarms = lines.iter().filter(|line| line["alarm"] == "target.credentials_refused");
            alarms.count()
        };
        assert_eq!(told(&swept.lines), 1);
        assert_eq!(told(&house.run("sweep").lines), 0, "told once");
        assert_eq!(told(&house.run("alarms").lines), 1);

        house.secret("password", house.peer().text("service_password"));
        let lent = house.run(&request).fine();
        house.run(&format!("in {}", lent["lease"].as_str().unwrap())).fine();
    }
}

#[test]
fn several_targets_where_we_are_one_account_lock_it_out_no_sooner_than_one() {
    for kind in BOTH {
        let house = House::new(kind, "together");
        house.also_at(&["first", "second"]);
        house.spell_otherwise("first");
        house.secret("password", "another password");
        for minute in [0, 6] {
            let compared = house.run_at(minute, "reconcile");
            let told: Vec<_> = compared.lines.iter().filter_map(|line| line["error"].as_str()).collect();
            assert_eq!((compared.code, told), (3, vec!["target.credentials"; 3]));
        }
        let told = house.run_at(7, "sweep").lines.into_iter();
        assert_eq!(told.filter(|line| line["alarm"] == "target.credentials_refused").count(), 1);

        house.secret("password", house.peer().text("service_password"));
        let lent = house.run(&out("ada", "second", "admin", "1h")).fine();
        house.run(&format!("in {}", lent["lease"].as_str().unwrap())).fine();
    }
}

#[test]
fn a_check_in_that_a_target_delays_ends_with_3_and_is_made_good_by_a_sweep() {
    let house = House::new(Kind::OpenLdap, "delayed");
    let lent = house.run(&out("ada", "directory", "admin", "1h")).fine();
    let url = house.peer().url();
    house.configure(&url, "ldaps://localhost:1");
    let delayed = house.run(&format!("in {}", lent["lease"].as_str().unwrap()));
    assert_eq!((delayed.code, delayed.lines[0]["phase"].as_str()), (3, Some("ending")));
    assert_eq!(house.run_at(1, "sweep").code, 3);
    house.configure("ldaps://localhost:1", &url);
    assert_eq!(house.run_at(60, "sweep").code, 0);
    assert!(house.leases().is_empty() && !house.exists(lent["name"].as_str().unwrap()));
}

#[test]
fn a_wrong_configuration_ends_with_2_and_names_file_line_field_and_code() {
    let house = House::new(Kind::OpenLdap, "wrong");
    for (from, to, says) in [
        ("tenant =", "tenent =", "checkout.tenent: unknown field"),
        ("marker_key = \"key\"", "marker_key = \"none\"", "deployment.marker_key: the file cannot be read"),
        ("name = \"wrong\"", "name = \"a b\"", "deployment.name: the name of the deployment is not"),
        ("ca_file = \"ca.pem\"", "ca_file = \"key\"", "target[0].directory.ca_file: "),
        ("\"password\"", "\"none\"", "target[0].directory.password_file: the file cannot be read"),
        ("ldaps://", "http://", "target[0].directory: "),
        ("place = \"jit\"", "place = \"attic\"", "(config.unknown_place)"),
        ("entitlements = [\"ops\"]", "entitlements = [\"op\"]", "(config.unknown_group)"),
        ("[\"role:operator\"]", "[]", "target[0].role[0].holders: must name"),
        ("longest = \"8h\"", "longest = \"8\"", "target[0].role[0].longest: "),
        ("[target.open_ldap]", "[target.in_memory]\n[target.open_ldap]", "(config.one_of)"),
        ("base = \"", "base = \"ou=elsewhere,", "target[0].open_ldap.places: must name entries"),
    ] {
        house.configure(from, to);
        let ran = house.run("sweep");
        assert_eq!(ran.code, 2, "{to}");
        assert!(
            ran.complaint.starts_with("checkout.toml:") && ran.complaint.contains(says),
            "{}",
            ran.complaint
        );
        house.configure(to, from);
    }
    assert_eq!(house.run("sweep").code, 0);
}

#[test]
fn a_secret_that_others_may_read_is_refused() {
    let house = House::new(Kind::OpenLdap, "exposed");
    for file in ["password", "key"] {
        fs::set_permissions(house.folder.join(file), fs::Permissions::from_mode(0o644)).unwrap();
        let ran = house.run("sweep");
        assert_eq!(ran.code, 2);
        assert!(ran.complaint.contains("(config.file_exposed)"), "{}", ran.complaint);
        fs::set_permissions(house.folder.join(file), fs::Permissions::from_mode(0o600)).unwrap();
    }
}

#[test]
fn people_read_tables() {
    let house = House::new(Kind::OpenLdap, "tables");
    let lent = house.run(&out("ada", "directory", "admin", "1h")).fine();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_checkout"));
    command.current_dir(&house.folder).args(["list", "--config", "checkout.toml"]);
    let listed = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let row = listed.lines().nth(1).unwrap();
    assert!(listed.starts_with("LEASE ") && row.contains(lent["name"].as_str().unwrap()), "{listed}");
    assert!(row.contains("present, ") && row.ends_with(" ago"), "{listed}");
    house.run(&format!("in {}", lent["lease"].as_str().unwrap())).fine();
}
