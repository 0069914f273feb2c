//! Runs `checkout` where it needs no directory: what is wrong is told to programs as well.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod tenants;

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use chrono::TimeDelta;
use jit_core::{
    AdminAct, AdminRequest, Clock as _, Entitlement, Jit, ManualClock, Protection, SystemClock, TenantId,
    TimeGuard,
};
use jit_examples::checkout;
use jit_sql::SqliteStore;
use serde_json::Value;

const TARGETS: &str = include_str!("../data/target.toml");

fn write(path: &Path, text: &str, mode: u32) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A folder with a configuration that anybody may read, and the files that it names.
fn folder(name: &str, configuration: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("checkout").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    write(&folder.join("key"), "a key for tests that is longer than 32 bytes", 0o600);
    write(&folder.join("password"), "a password for tests", 0o600);
    write(&folder.join("checkout.toml"), configuration, 0o644);
    if configuration.contains("sqlite:accounts.db") {
        SqliteStore::open(folder.join("accounts.db")).unwrap();
    }
    folder
}

fn run(folder: &Path, line: &str) -> (i32, Vec<Value>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_checkout"));
    let Output { status, stdout, stderr } =
        command.current_dir(folder).args(line.split_whitespace()).output().unwrap();
    let lines = String::from_utf8(stdout).unwrap();
    let lines = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (status.code().unwrap(), lines, String::from_utf8(stderr).unwrap())
}

#[test]
fn whoever_asks_for_json_gets_it_for_a_wrong_command_line_too() {
    let folder = folder("usage", "");
    for line in ["--json", "--json dance", "--verbose --json", "sweep --config c --json --json"] {
        let (code, lines, complaint) = run(&folder, line);
        assert_eq!((code, lines[0]["error"].as_str()), (2, Some("checkout.usage")), "{line}");
        assert!(lines[0]["message"].is_string() && !complaint.is_empty(), "{line}");
    }
    let (code, lines, complaint) = run(&folder, "dance");
    assert!(code == 2 && lines.is_empty() && complaint.contains("usage:"), "{complaint}");
}

#[test]
fn a_store_that_is_not_there_is_made_by_who_adds_somebody_and_else_told() {
    let configuration = format!("[checkout]\nstore = \"sqlite:elsewhere.db\"\ntenant = \"acme\"\n{TARGETS}");
    let folder = folder("no-store", &configuration);
    let lease = "6f1c2a34-0000-7000-8000-000000000000";
    for order in [
        "sweep",
        "exposure",
        "list",
        "reconcile",
        "alarms",
        "confirm-time",
        "person end ada",
        "person leaving",
        "mirror parked",
        "out --for ada --target one --role operator --ttl 30m",
        &format!("in {lease}"),
        &format!("extend {lease} --ttl 30m"),
    ] {
        let (code, lines, complaint) = run(&folder, &format!("--config checkout.toml --json {order}"));
        assert_eq!((code, lines[0]["error"].as_str()), (2, Some("checkout.no_store")), "{order}: {lines:?}");
        assert!(complaint.contains("elsewhere.db"), "{complaint}");
        assert!(!folder.join("elsewhere.db").exists(), "{order}");
    }
    let say = |line: &str| run(&folder, &format!("--config checkout.toml --json {line}")).0;
    assert_eq!((say("person add ada"), say("exposure"), say("sweep")), (0, 0, 0));
}

#[test]
fn a_target_that_fails_keeps_no_other_from_being_compared() {
    let store = "[checkout]\nstore = \"sqlite:accounts.db\"\ntenant = \"acme\"\n";
    let another = TARGETS.split_once("[[target]]").unwrap().1.replace("\"one\"", "\"two\"");
    let folder = folder("reconcile", &format!("{store}{TARGETS}[[target]]{another}"));
    for line in ["reconcile", "reconcile --apply"] {
        let (code, lines, complaint) = run(&folder, &format!("--config checkout.toml --json {line}"));
        assert_eq!(code, 3, "{lines:?} {complaint}");
        let told: Vec<_> =
            lines.iter().map(|line| (line["target"].as_str(), line["error"].as_str())).collect();
        let failed = Some("target.unreachable");
        assert_eq!(told, [(Some("one"), failed), (Some("two"), failed)]);
    }
}

const MIRROR: &str = r#"
[deployment]
name = "tests"
marker_key = "key"

[[target]]
id = "chat"

[target.scim]
url = "http://localhost:1"
token_file = "password"
dangerously_on_loopback = true

[target.mirror]
holders = ["role:member"]
"#;

#[test]
fn a_person_looks_at_what_a_mirror_would_do_and_says_what_it_may() {
    let store = "[checkout]\nstore = \"sqlite:accounts.db\"\ntenant = \"acme\"\n";
    let folder = folder("mirror", &format!("{store}{MIRROR}"));
    let say = |line: &str| run(&folder, &format!("--config checkout.toml --json --by root {line}"));
    assert_eq!(say("person add ada --role role:member").0, 0);
    assert_eq!(say("person add bob").0, 0);
    let (code, lines, _) = say("mirror forecast --target chat");
    assert_eq!((code, lines.len()), (0, 1), "{lines:?}");
    assert_eq!((lines[0]["user"].as_str(), lines[0]["wanted"].as_str()), (Some("ada"), Some("in use")));
    let (code, lines, _) = say("mirror anew --target chat");
    assert_eq!((code, lines[0]["marked"].as_u64()), (0, Some(1)));
    let (code, lines, _) = say("mirror allow --target chat --count 40");
    assert_eq!((code, lines[0]["allowed"].as_u64()), (0, Some(40)));
    let (code, lines, _) = say("mirror parked");
    assert_eq!((code, lines.len()), (0, 0), "{lines:?}");
    for (line, error) in [
        ("mirror let-go --target chat --for ada", "mirror.not_refused"),
        ("mirror let-go --target chat --for eve", "account.unknown"),
        ("mirror anew --target mail", "mirror.unknown_target"),
    ] {
        let (code, lines, _) = say(line);
        assert_eq!((code, lines[0]["error"].as_str()), (1, Some(error)), "{line}");
    }
}

#[test]
fn whoever_mistypes_a_target_or_a_role_is_told_which_also_where_an_account_is_named() {
    let store = "[checkout]\nstore = \"sqlite:accounts.db\"\ntenant = \"acme\"\n";
    let folder = folder("mistyped", &format!("{store}{TARGETS}"));
    let say = |line: &str| run(&folder, &format!("--config checkout.toml --json {line}"));
    assert_eq!(say("person add ada --role role:operator").0, 0);
    for (place, error) in [
        ("--target nope --role operator", "lease.unknown_target"),
        ("--target one --role nope", "lease.unknown_role"),
        ("--target one --role operator", "lease.other_kind"),
    ] {
        let (code, lines, _) = say(&format!("out --for ada {place} --ttl 30m --account alice"));
        assert_eq!((code, lines[0]["error"].as_str()), (1, Some(error)), "{place}");
    }
}

/// Runs the program within this process, so many minutes away from now, with a guard as the program itself has.
fn run_guarded_at(folder: &Path, minutes: i64, order: &str) -> (u8, Vec<Value>) {
    run_guarded_with(folder, minutes, order, &mut Vec::new())
}

/// The same, with somewhere for complaints.
fn run_guarded_with(folder: &Path, minutes: i64, order: &str, err: &mut dyn Write) -> (u8, Vec<Value>) {
    let clock = Arc::new(ManualClock::at(SystemClock.now() + TimeDelta::minutes(minutes)));
    let guard = TimeGuard::new(Arc::clone(&clock) as _);
    let config = folder.join("checkout.toml");
    let arguments =
        ["--config", config.to_str().unwrap(), "--json"].into_iter().chain(order.split_whitespace());
    let mut out = Vec::new();
    let code = checkout::run(arguments.map(str::to_owned), clock, Some(guard), &mut out, err);
    let lines = String::from_utf8(out).unwrap();
    (code, lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[test]
fn a_sweep_with_a_clock_that_was_set_back_says_so_each_time_and_raises_one_alarm() {
    const DAY: i64 = 24 * 60;
    let store = "[checkout]\nstore = \"sqlite:accounts.db\"\ntenant = \"acme\"\n";
    let folder = folder("behind", &format!("{store}{TARGETS}"));
    assert_eq!(run_guarded_at(&folder, 0, "sweep").0, 0);
    for (minute, alarms) in [(1, 1), (2, 0), (3, 0)] {
        let (code, lines) = run_guarded_at(&folder, minute - DAY, "sweep");
        let swept = lines.iter().find(|line| line["done"].is_u64()).unwrap();
        assert_eq!((code, swept["error"].as_str()), (3, Some("clock.behind")), "{lines:?}");
        let told = lines.iter().filter(|line| line["alarm"] == "clock.behind").count();
        assert_eq!(told, alarms, "minute {minute}: {lines:?}");
    }
    assert_eq!(run_guarded_at(&folder, 4, "sweep").0, 0);
}

/// Standard error that takes nothing.
struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_alarm_that_could_not_be_told_is_told_by_a_later_sweep() {
    const DAY: i64 = 24 * 60;
    let store = "[checkout]\nstore = \"sqlite:accounts.db\"\ntenant = \"acme\"\n";
    let folder = folder("untold", &format!("{store}{TARGETS}"));
    assert_eq!(run_guarded_at(&folder, 0, "sweep").0, 0);
    for minute in [1, 2] {
        let (code, lines) = run_guarded_with(&folder, minute - DAY, "sweep", &mut Closed);
        assert_eq!((code, lines[0]["failed"].as_u64()), (3, Some(1)), "{lines:?}");
    }
    for (minute, told) in [(4, 1), (5, 0)] {
        let mut err = Vec::new();
        run_guarded_with(&folder, minute - DAY, "sweep", &mut err);
        let err = String::from_utf8(err).unwrap();
        assert_eq!(err.matches("alarm `clock.behind`").count(), told, "minute {minute}: {err}");
    }
}

#[test]
fn nothing_is_lent_while_the_clock_is_ahead_until_somebody_confirms_it() {
    const DAY: i64 = 24 * 60;
    let store = "[checkout]\nstore = \"sqlite:accounts.db\"\ntenant = \"acme\"\n";
    let folder = folder("ahead", &format!("{store}{TARGETS}"));
    let out = "out --for ada --target one --role operator --ttl 30m";
    let role =
        TARGETS.lines().find_map(|line| line.strip_prefix("holders = [\"")?.split('"').next()).unwrap();
    assert_eq!(run_guarded_at(&folder, 0, &format!("person add ada --role {role}")).0, 0);
    assert_eq!(run_guarded_at(&folder, 0, "sweep").0, 0);
    let (code, lines) = run_guarded_at(&folder, DAY, out);
    assert_eq!((code, lines[0]["error"].as_str()), (3, Some("clock.ahead")), "{lines:?}");
    assert!(run_guarded_at(&folder, DAY, "list").1.is_empty());
    let (_, alarms) = run_guarded_at(&folder, DAY, "alarms");
    assert_eq!(alarms[0]["alarm"], "clock.ahead", "{alarms:?}");
    assert_eq!(run_guarded_at(&folder, DAY, "confirm-time").0, 0);
    let (_, lines) = run_guarded_at(&folder, DAY, out);
    assert_eq!(lines[0]["error"], "target.unreachable", "the target is asked, which is not there");
}

#[test]
fn a_configuration_that_others_may_read_holds_no_password() {
    let configuration =
        |store: &str| format!("[checkout]\nstore = \"{store}\"\ntenant = \"acme\"\n{TARGETS}");
    let with_password = configuration("postgres://user:hidden@127.0.0.1:1/accounts");
    let folder = folder("exposed", &with_password);
    let (code, _, complaint) = run(&folder, "--config checkout.toml list");
    assert_eq!(code, 2, "{complaint}");
    assert!(
        complaint.contains("checkout.store: ") && complaint.contains("(config.file_exposed)"),
        "{complaint}"
    );
    assert!(!complaint.contains("hidden"), "{complaint}");

    let file = folder.join("checkout.toml");
    for (text, mode) in
        [(with_password, 0o600), (configuration("postgres://user@127.0.0.1:1/accounts"), 0o644)]
    {
        write(&file, &text, mode);
        let (code, _, complaint) = run(&folder, "--config checkout.toml list");
        assert!(code == 3 && complaint.contains("(store."), "{complaint}");
    }
}

#[test]
fn a_configuration_without_an_end_is_refused_before_it_fills_the_memory() {
    let folder = folder("endless", "");
    let mut child = Command::new(env!("CARGO_BIN_EXE_checkout"))
        .current_dir(&folder)
        .args(["--config", "/dev/zero", "list"])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut complaint = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut complaint).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2), "{complaint}");
    assert!(complaint.contains("(config.too_large)"), "{complaint}");
    let key = TARGETS.replace("marker_key = \"key\"", "marker_key = \"/dev/zero\"");
    let store = "[checkout]\nstore = \"sqlite:accounts.db\"\ntenant = \"acme\"\n";
    write(&folder.join("checkout.toml"), &format!("{store}{key}"), 0o644);
    let (code, _, complaint) = run(&folder, "--config checkout.toml list");
    assert!(code == 2 && complaint.contains("(config.file_unreadable)"), "{complaint}");
}

#[test]
fn what_is_wrong_with_a_target_is_said() {
    let folder = folder("said", "");
    for (from, to, says) in [
        (
            "id = \"one\"",
            "id = \"one\"\nprefix = \"jit,ou=x\"",
            "target[0].prefix: must be up to seven letters",
        ),
        (
            "id = \"one\"",
            "id = \"one\"\nprefix = \"jit-long\"",
            "target[0].prefix: must be up to seven letters",
        ),
        (
            "marker_key = \"key\"",
            "marker_key = \"key\"\nformer_keys = [\"gone\"]",
            "deployment.former_keys: the file cannot be read",
        ),
        (
            "marker_key = \"key\"",
            "marker_key = \"key\"\nformer_keys = [\"key\", \"password\"]",
            "deployment.former_keys: the key is shorter than 32 bytes",
        ),
        ("id = \"one\"", "id = \"one\"\nat_once = 65", "target[0].at_once: must be 1 to 64"),
        (
            "id = \"one\"",
            "id = \"one\"\nno_more_than = { leases = 10, each = \"0s\" }",
            "target[0].no_more_than.each: a span of time must be longer than nothing",
        ),
        (
            "id = \"one\"",
            "id = \"one\"\nin_flight_for = \"90s\"",
            "target[0].in_flight_for: must be `2m` to `1h`",
        ),
        (
            "id = \"one\"",
            "id = \"one\"\nquarantined_at_most = 129",
            "target[0].quarantined_at_most: must be 1 to 128",
        ),
        (
            "id = \"one\"",
            "id = \"one\"\noverdue_after = \"30s\"",
            "target[0].overdue_after: must be `1m` to `7d`",
        ),
        ("ldaps://", "http://", "target[0].directory: needs `servers` written `ldaps://HOST`"),
    ] {
        refuses(&folder, from, to, says);
    }
}

#[test]
fn a_target_that_could_not_lend_what_its_roles_say_is_refused() {
    let folder = folder("unsound", "");
    for (from, to, says) in [
        (
            "places = { jit = \"ou=jit,dc=example,dc=com\" }",
            "places = { jit = \"ou=jit,dc=example,dc=com\", ops = \"ou=ops,ou=jit,dc=example,dc=com\" }",
            "target[0].role[0].place: must name one of the places of the target, which has several \
             (config.missing_field)",
        ),
        (
            "longest = \"8h\"",
            "longest = \"8h\"\nelevates = { named = true }",
            "target[0].role[0].elevates: needs `people` of the target: below which entry the accounts lie \
             (config.missing_field)",
        ),
        (
            "places = {",
            "groups = { ops = \"cn=ops,dc=example,dc=com\", wheel = \"CN=Ops,dc=example,dc=com\" }\nplaces = {",
            "target[0].open_ldap.groups: must name each group once (ldap.settings_invalid)",
        ),
    ] {
        refuses(&folder, from, to, says);
    }
}

/// Whether a configuration in which this stands instead is refused, and why.
fn refuses(folder: &Path, from: &str, to: &str, says: &str) {
    let store = "[checkout]\nstore = \"sqlite:accounts.db\"\ntenant = \"acme\"\n";
    assert!(TARGETS.contains(from), "{from}");
    write(&folder.join("checkout.toml"), &format!("{store}{}", TARGETS.replace(from, to)), 0o644);
    let (code, _, complaint) = run(folder, "--config checkout.toml list");
    assert!(code == 2 && complaint.contains(says), "{complaint}");
}

#[test]
fn the_key_is_not_changed_under_a_mirror() {
    let store = "[checkout]\nstore = \"sqlite:accounts.db\"\ntenant = \"acme\"\n";
    let changed = TARGETS.replace("marker_key = \"key\"", "marker_key = \"key\"\nformer_keys = [\"key\"]");
    let mirror = "[[target]]\nid = \"two\"\nmirror = { everybody = true }\n\
                  scim = { url = \"https://localhost:1/scim\", token_file = \"key\" }";
    let folder = folder("changed", store);
    for (text, expected) in [
        (format!("{store}{changed}"), 0),
        (format!("{store}{TARGETS}{mirror}"), 0),
        (format!("{store}{changed}{mirror}"), 2),
    ] {
        write(&folder.join("checkout.toml"), &text, 0o644);
        let (code, _, complaint) = run(&folder, "--config checkout.toml --json list");
        assert_eq!(code, expected, "{complaint}");
        let says = "deployment.former_keys: goes with no `mirror`";
        assert_eq!(complaint.contains(says) && complaint.contains("(config.invalid_value)"), code == 2);
    }
}

#[test]
fn what_is_demanded_of_secrets_has_bounds() {
    let store = "[checkout]\nstore = \"sqlite:accounts.db\"\ntenant = \"acme\"\n";
    let demanding = |what: &str| {
        let targets = TARGETS.replace("id = \"one\"", &format!("id = \"one\"\nsecret = {what}"));
        format!("{store}{targets}")
    };
    let folder = folder("secrets", &demanding("{ length = 64, signs = false }"));
    let (code, _, complaint) = run(&folder, "--config checkout.toml --json list");
    assert_eq!(code, 0, "{complaint}");
    for what in ["{ length = 15 }", "{ length = 129 }"] {
        write(&folder.join("checkout.toml"), &demanding(what), 0o644);
        let (code, _, complaint) = run(&folder, "--config checkout.toml --json list");
        assert!(code == 2 && complaint.contains("target[0].secret.length: must be 16 to 128"), "{complaint}");
    }
}

#[test]
fn work_at_a_target_is_paced_as_the_configuration_says() {
    let store = "[checkout]\nstore = \"sqlite:accounts.db\"\ntenant = \"acme\"\n";
    let paced = "id = \"one\"\nat_once = 64\nno_more_than = { leases = 600, each = \"1m\" }\n\
                 in_flight_for = \"5m\"\nquarantined_at_most = 20\noverdue_after = \"1h\"";
    let folder = folder("paced", &format!("{store}{}", TARGETS.replace("id = \"one\"", paced)));
    let (code, _, complaint) = run(&folder, "--config checkout.toml --json list");
    assert_eq!(code, 0, "{complaint}");
}

#[tokio::test]
async fn whoever_ends_here_counts_no_more_among_the_last_holders_of_a_portal() {
    let store = "[checkout]\nstore = \"sqlite:accounts.db\"\ntenant = \"acme\"\n";
    let protection = "[protection]\nnever_without = [\"role:admin\"]\n";
    let folder = folder("last", &format!("{store}{protection}{TARGETS}"));
    let order = |line: &str| {
        let (code, lines, complaint) = run(&folder, &format!("--config checkout.toml --json {line}"));
        assert_eq!(code, 0, "{complaint}");
        lines.into_iter().next().unwrap()
    };
    let ada = order("person add ada --role role:admin");
    let bob = order("person add bob --role role:admin");

    let admin: Entitlement = "role:admin".parse().unwrap();
    let store = Arc::new(SqliteStore::open(folder.join("accounts.db")).unwrap());
    let protection = Protection::new().never_without(admin);
    let portal = Jit::builder(store).protection(protection).build().unwrap();
    let administer = async |of: &Value, act: AdminAct| {
        let account = of["account"].as_str().unwrap().parse().unwrap();
        let tenant = TenantId::new("acme").unwrap();
        let request = AdminRequest { tenant, store: None, account, act, by: "root".to_owned() };
        portal.administer(&request).await.unwrap()
    };
    administer(&bob, AdminAct::Suspend).await.unwrap();
    administer(&bob, AdminAct::Reactivate).await.unwrap();
    assert_eq!(order("person end ada")["account"], ada["account"]);
    let refused = administer(&bob, AdminAct::Suspend).await.unwrap_err();
    assert_eq!(refused.code.as_str(), "access.last_holder");
}
