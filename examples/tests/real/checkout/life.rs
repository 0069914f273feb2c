//! From check-out to the end.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::num::NonZeroUsize;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::sync::{Arc, mpsc};
use std::thread;

use jit_core::{Actor, AuditEvent, AuditLog as _, AuditQuery, TenantId};
use jit_ldap::{Attribute, AttributeName, Search};
use jit_sql::SqliteStore;
use serde_json::Value;

use super::house::{House, read};
use crate::peer::{BOTH, Kind, wait};

const OUT: &str = "out --for ada --target directory --role admin --ttl 30m";

#[test]
fn what_is_lent_works_and_is_gone_after_check_in() {
    for kind in BOTH {
        let house = House::new(kind, "life");
        let out = house.run(&format!("{OUT} --reason because")).fine();
        let (lease, name) = (out["lease"].as_str().unwrap(), out["name"].as_str().unwrap());
        let secret = out["secret"].as_str().unwrap();
        assert!(house.admits(name, secret));
        assert_eq!(out["ended_by"], "server_refuses_login");
        let listed = &house.leases()[0];
        assert_eq!((listed["lease"].as_str(), listed["phase"].as_str()), (Some(lease), Some("active")));
        assert_eq!((listed["user"].as_str(), listed["reason"].as_str()), (Some("ada"), Some("because")));
        assert_eq!(listed["proof"]["seen"], "present");

        let exposed = house.run("exposure");
        assert_eq!(exposed.lines[0]["worst_case"], out["until"]);
        let sum = &exposed.lines[1]["sum"];
        assert_eq!((sum["usable_now"].as_u64(), sum["never"].as_u64()), (Some(1), Some(0)));

        let longer = house.run(&format!("extend {lease} --ttl 2h")).fine();
        assert!(longer["until"].as_str().unwrap() > out["until"].as_str().unwrap());
        assert_eq!(house.run(&format!("in {lease}")).fine()["phase"], "gone");
        assert!(!house.admits(name, secret) && !house.exists(name));
        assert_eq!(house.run(&format!("in {lease}")).fine()["phase"], "gone");
        assert!(house.leases().is_empty());
        house.run(&format!("extend {lease} --ttl 2h")).refused("lease.over");
    }
}

#[test]
fn what_runs_out_is_ended_by_a_sweep_and_refused_by_the_server_before_that() {
    for kind in BOTH {
        let house = House::new(kind, "expiry");
        let out = house.run_at(-60, OUT).fine();
        let (name, secret) = (out["name"].as_str().unwrap(), out["secret"].as_str().unwrap());
        assert!(house.exists(name) && !house.admits(name, secret));
        let swept = house.run("sweep");
        assert_eq!((swept.code, swept.lines[1]["done"].as_u64()), (0, Some(1)), "{}", swept.complaint);
        assert!(!house.exists(name) && house.leases().is_empty());
        assert_eq!(house.run("sweep").lines[1]["done"], 0);
    }
}

#[test]
fn a_repeated_request_gives_the_same_account_a_new_secret() {
    for kind in BOTH {
        let house = House::new(kind, "twice");
        let (one, other) = (house.run(&format!("{OUT} --key k1")), house.run(&format!("{OUT} --key k1")));
        let (one, other) = (one.fine(), other.fine());
        assert_eq!((&one["lease"], &one["name"]), (&other["lease"], &other["name"]));
        let name = one["name"].as_str().unwrap();
        assert!(house.admits(name, other["secret"].as_str().unwrap()));
        assert!(!house.admits(name, one["secret"].as_str().unwrap()));
        house.run(&format!("in {}", one["lease"].as_str().unwrap())).fine();
    }
}

#[test]
fn whoever_leaves_loses_what_was_lent() {
    let house = House::new(Kind::OpenLdap, "leaver");
    let out = house.run(OUT).fine();
    assert_eq!(house.run("person end ada").fine()["state"], "ended");
    assert_eq!(house.run("sweep").code, 0);
    assert!(!house.exists(out["name"].as_str().unwrap()));
    house.run(OUT).refused("lease.holder_inactive");
    house.run("person add ada").refused("account.ended");
}

#[test]
fn an_account_that_existed_before_holds_more_for_a_time() {
    BOTH.into_iter().for_each(elevate);
}

fn elevate(kind: Kind) {
    let house = House::new(kind, "lift");
    let lift = "out --for ada --target directory --role lift --ttl 30m";
    house.run(lift).refused("lease.unnamed");
    house.run(&format!("{lift} --account nobody")).refused("lease.unknown_account");
    house.run(&format!("{OUT} --account alice")).refused("lease.other_kind");
    assert_eq!(house.run(&format!("{lift} --account alice --secret-file none")).code, 2);
    let lent = house.run(&format!("{lift} --account alice")).fine();
    assert!(house.is_member("alice") && lent.get("secret").is_none());
    assert_eq!((lent["name"].as_str(), lent["ended_by"].as_str()), (Some("alice"), Some("library_only")));
    assert_eq!(house.leases()[0]["elevated"], true);
    let exposed = house.run("exposure");
    assert_eq!(
        (&exposed.lines[0]["worst_case"], &exposed.lines[1]["sum"]["never"]),
        (&Value::Null, &1.into())
    );
    assert_eq!(house.run(&format!("in {}", lent["lease"].as_str().unwrap())).fine()["phase"], "gone");
    assert!(!house.is_member("alice") && house.leases().is_empty());
}

#[test]
fn what_was_lent_before_the_server_was_to_end_it_is_not_said_to_be_ended_by_it() {
    let house = House::new(Kind::OpenLdap, "promised");
    house.configure("password_policy = true", "password_policy = false");
    let out = house.run(OUT).fine();
    assert_eq!((&out["ended_by"], &out["worst_case"]), (&"library_only".into(), &Value::Null));
    house.configure("password_policy = false", "password_policy = true");
    let exposed = |line: &str| {
        let told = house.run(line).lines.swap_remove(0);
        (told["ended_by"].clone(), told["worst_case"].clone())
    };
    for line in ["exposure", "list"] {
        assert_eq!(exposed(line), ("library_only".into(), Value::Null), "the server was not told of it");
    }
    let longer = house.run(&format!("extend {} --ttl 2h", out["lease"].as_str().unwrap())).fine();
    let told = ("server_refuses_login".into(), longer["until"].clone());
    assert_eq!((&longer["ended_by"], &longer["worst_case"]), (&told.0, &told.1));
    for line in ["exposure", "list"] {
        assert_eq!(exposed(line), told);
    }
    let other = house.run(OUT).fine();
    assert_eq!((&other["ended_by"], &other["worst_case"]), (&told.0, &other["until"]));
    for lent in [&out, &other] {
        house.run(&format!("in {}", lent["lease"].as_str().unwrap())).fine();
    }
}

#[test]
fn a_target_that_is_no_longer_configured_is_not_forgotten() {
    let house = House::new(Kind::OpenLdap, "struck");
    let out = house.run(OUT).fine();
    let lease = out["lease"].as_str().unwrap();
    house.configure("id = \"directory\"", "id = \"another\"");
    for line in ["list", "list --target directory"] {
        assert_eq!(house.run(line).fine()["lease"], lease, "{line}");
    }
    assert!(house.run("list --target another").lines.is_empty());
    let exposed = house.run("exposure");
    let (line, sum) = (&exposed.lines[0], &exposed.lines[1]["sum"]);
    let told = (&"server_refuses_login".into(), &out["until"]);
    assert_eq!(
        (&line["ended_by"], &line["worst_case"]),
        told,
        "the server was told, whoever knows of it by now"
    );
    assert_eq!((sum["unknown"].as_u64(), sum["never"].as_u64()), (Some(0), Some(0)));
    house.configure("id = \"another\"", "id = \"directory\"");
    house.run(&format!("in {lease}")).fine();
}

#[test]
fn what_is_lent_at_a_target_that_is_gone_for_good_is_declared_gone_and_found_if_that_comes_back() {
    let house = House::new(Kind::OpenLdap, "dissolved");
    let out = house.run(OUT).fine();
    let (lease, name) = (out["lease"].as_str().unwrap(), out["name"].as_str().unwrap());
    let declare = format!("in {lease} --gone-for-good --reason dissolved --by root@desk");
    house.run(&declare).refused("lease.target_configured");
    house.configure("id = \"directory\"", "id = \"another\"");
    assert_eq!(house.run(&declare).fine()["phase"], "gone");
    assert_eq!(house.run(&declare).fine()["phase"], "gone");
    assert!(house.run("list").lines.is_empty());
    assert_eq!(house.run("sweep").code, 0, "nothing is owed to anybody");
    let told = house.run("alarms").fine();
    assert_eq!(
        (&told["alarm"], &told["about"][2]),
        (&"lease.declared_gone".into(), &"because dissolved".into())
    );
    assert!(house.exists(name));
    house.configure("id = \"another\"", "id = \"directory\"");
    assert_eq!(house.run("reconcile").lines[0]["returned"][0]["name"], name);
    assert_eq!(house.run("reconcile --apply").fine()["ended"], 1);
    assert!(!house.exists(name));
}

#[test]
fn what_is_quarantined_ends_when_a_person_has_looked_after_it() {
    let house = House::new(Kind::OpenLdap, "settled");
    let out = house.run(&format!("{OUT} --reason ticket")).fine();
    let (lease, name) = (out["lease"].as_str().unwrap(), out["name"].as_str().unwrap());
    house.unmark(name);
    assert_eq!(house.run("reconcile").lines[0]["changed"][0], lease, "and not missing");
    let ended = house.run(&format!("in {lease}"));
    assert_eq!((ended.code, ended.lines[0]["phase"].as_str()), (1, Some("quarantined")));
    house.run(&format!("in {lease}")).refused("lease.quarantined");
    let exposed = house.run("exposure");
    assert_eq!(exposed.lines[0]["worst_case"], Value::Null, "nobody knows what is there");
    assert_eq!(house.run("reconcile").code, 1);
    house.remove(name);
    assert_eq!(house.run(&format!("in {lease}")).fine()["phase"], "gone");
    assert!(house.leases().is_empty());
}

#[test]
fn the_trail_says_who_acted() {
    let house = House::new(Kind::OpenLdap, "trail");
    let out = house.run(&format!("{OUT} --by root@desk")).fine();
    house.run(&format!("in {}", out["lease"].as_str().unwrap())).fine();
    let of_lease = trail(&house).into_iter().filter(|event| event.action.as_str().starts_with("lease."));
    let name = |actor| if let Actor::Administrator { name } = actor { Some(name) } else { None };
    let named: BTreeSet<String> = of_lease.filter_map(|event| name(event.actor)).collect();
    assert_eq!(named, ["checkout".to_owned(), "root@desk".to_owned()].into());
}

fn trail(house: &House) -> Vec<AuditEvent> {
    wait(async {
        let store = SqliteStore::open(house.folder.join("accounts.db")).unwrap();
        let (tenant, limit) = (TenantId::new("acme").unwrap(), NonZeroUsize::new(100).unwrap());
        let query = AuditQuery { tenant, account: None, after: None, latest_first: false, limit };
        store.events(&query).await.unwrap().items
    })
}

#[test]
fn what_somebody_took_from_an_elevated_account_is_a_difference() {
    let house = House::new(Kind::OpenLdap, "unheld");
    let lift = "out --for ada --target directory --role lift --ttl 30m --account alice";
    let lent = house.run(lift).fine();
    assert_eq!(house.run("reconcile").fine()["unheld"].as_array().unwrap().len(), 0);
    house.take_from_group("alice");
    let found = house.run("reconcile");
    let unheld = &found.lines[0]["unheld"][0];
    assert_eq!((found.code, &unheld["name"], &unheld["leases"][0]), (1, &"alice".into(), &lent["lease"]));
    house.run(&format!("in {}", lent["lease"].as_str().unwrap())).fine();
    assert_eq!(house.run("reconcile").code, 0);
}

#[test]
fn a_secret_goes_into_a_file_that_only_its_owner_reads() {
    let house = House::new(Kind::OpenLdap, "file");
    let out = house.run(&format!("{OUT} --secret-file secret")).fine();
    assert!(out.get("secret").is_none());
    let mode = fs::metadata(house.folder.join("secret")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let secret = read(&house.folder, "secret");
    assert!(house.admits(out["name"].as_str().unwrap(), secret.trim_end()));
    // A file that is there stays as it is, and nothing is made.
    assert_eq!(house.run(&format!("{OUT} --secret-file secret")).code, 2);
    assert_eq!((read(&house.folder, "secret"), house.leases().len()), (secret, 1));
    house.run("out --for bob --target directory --role admin --ttl 30m --secret-file none");
    assert!(!house.folder.join("none").exists());
    house.run(&format!("in {}", out["lease"].as_str().unwrap())).fine();
}

#[test]
fn an_answer_that_nobody_can_read_ends_the_lease() {
    let house = House::new(Kind::OpenLdap, "deaf");
    for line in [OUT, "out --for ada --target directory --role lift --ttl 30m --account alice"] {
        let mut child = house
            .program(line)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(3));
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert!(complaint.contains("what was lent ends now"), "{complaint}");
        assert!(house.leases().is_empty(), "{line}");
    }
}

#[test]
fn a_check_out_that_is_interrupted_while_it_finds_out_whether_it_is_accepted_leaves_nothing() {
    let house = House::new(Kind::OpenLdap, "unproved");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let way = format!("ldaps://localhost:{}", silent.local_addr().unwrap().port());
    for signal in SIGNALS {
        interrupt(&house, &way, signal, || silent.accept().unwrap());
        assert!(house.leases().is_empty(), "{signal}");
        assert_eq!(house.run_at(3, "sweep").code, 0);
    }
}

#[test]
fn an_interrupted_check_out_is_ended_by_a_sweep() {
    let house = Arc::new(House::new(Kind::OpenLdap, "signal"));
    for signal in SIGNALS {
        let (way, held) = relay_until_a_lease_is_written(Arc::clone(&house));
        interrupt(&house, &way, signal, || held.recv().unwrap());
        assert_eq!(house.leases()[0]["phase"], "intended");
        assert_eq!(house.run_at(3, "sweep").code, 0);
        assert_eq!(house.run_at(6, "sweep").code, 0);
        assert!(house.leases().is_empty(), "{signal}");
    }
}

const SIGNALS: [&str; 3] = ["-INT", "-TERM", "-KILL"];

/// Checks out over another way to the directory, and ends the program with a signal when it has come to a point.
fn interrupt<T>(house: &House, way: &str, signal: &str, comes_to_the_point: impl FnOnce() -> T) {
    let url = house.peer().url();
    house.configure(&url, way);
    let mut child = house.program(OUT).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let _stays_open = comes_to_the_point();
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
    let mut complaint = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut complaint).unwrap();
    let code = child.wait().unwrap().code();
    assert!(signal == "-KILL" || (code == Some(3) && complaint.contains("interrupted")), "{complaint}");
    house.configure(way, &url);
}

/// Opens a way to the directory that lets everything through until a lease is written, and then nothing that is asked.
fn relay_until_a_lease_is_written(house: Arc<House>) -> (String, mpsc::Receiver<()>) {
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let way = format!("ldaps://localhost:{}", door.local_addr().unwrap().port());
    let (tell, held) = mpsc::channel();
    thread::spawn(move || {
        for mut asking in door.incoming().map(Result::unwrap) {
            let server = house.peer().url();
            let mut server = TcpStream::connect(server.strip_prefix("ldaps://").unwrap()).unwrap();
            let (mut answers, mut back) = (server.try_clone().unwrap(), asking.try_clone().unwrap());
            let (house, tell) = (Arc::clone(&house), tell.clone());
            // Either side may hang up, and then there is nothing more to carry.
            thread::spawn(move || io::copy(&mut answers, &mut back));
            thread::spawn(move || {
                let mut piece = [0; 16 * 1024];
                while let Ok(length @ 1..) = asking.read(&mut piece) {
                    if house.leases().is_empty() {
                        server.write_all(&piece[..length]).unwrap();
                    } else {
                        // Whoever hears it kills the one who asks.
                        let _ = tell.send(());
                    }
                }
            });
        }
    });
    (way, held)
}

#[test]
fn what_returns_is_reported_and_ended_only_when_that_is_asked_for() {
    let house = House::new(Kind::OpenLdap, "returned");
    let out = house.run(OUT).fine();
    let (lease, name) = (out["lease"].as_str().unwrap(), out["name"].as_str().unwrap());
    assert_eq!(house.run("reconcile").fine()["seen"], 1);
    let backup = wait(async {
        let all = Search::entry(house.dn(name)).attributes([
            AttributeName::OBJECT_CLASS,
            AttributeName::USER_ID,
            AttributeName::COMMON_NAME,
            AttributeName::SURNAME,
            AttributeName::new("description").unwrap(),
        ]);
        house.peer().as_service().await.read(&all).await.unwrap().unwrap()
    });
    house.run(&format!("in {lease}")).fine();
    let attributes: Vec<Attribute> = backup.attributes().to_vec();
    wait(async { house.peer().as_service().await.add(&house.dn(name), &attributes, &[]).await.unwrap() });

    let found = house.run("reconcile");
    assert_eq!((found.code, &found.lines[0]["returned"][0]["name"]), (1, &name.into()));
    assert!(house.exists(name));
    let kept = house.run("reconcile --apply --at-most 0");
    let line = &kept.lines[0];
    assert_eq!((kept.code, &line["error"]), (1, &"reconcile.too_many".into()));
    assert_eq!(
        (&line["returned"][0]["name"], &line["ended"]),
        (&name.into(), &0.into()),
        "it is told all the same"
    );
    assert_eq!(house.run("reconcile --apply --by root@desk").fine()["ended"], 1);
    assert!(!house.exists(name));
    let told = trail(&house).into_iter().find(|event| event.action.as_str() == "lease.reappeared").unwrap();
    assert_eq!(told.actor, Actor::Administrator { name: "root@desk".to_owned() });
    assert!(told.changes[1].starts_with("end what returned as "), "{:?}", told.changes);
    assert_eq!(house.run("reconcile").fine()["seen"], 0);
}

#[test]
fn a_target_that_was_struck_from_the_configuration_is_named_by_each_sweep() {
    let house = House::new(Kind::OpenLdap, "struck-named");
    let out = house.run(OUT).fine();
    house.configure("id = \"directory\"", "id = \"elsewhere\"");
    let swept = house.run_at(60, "sweep");
    let unknown = |line: &&Value| line["error"] == "lease.unknown_target";
    let line = swept.lines.iter().find(unknown).expect("it is named");
    assert_eq!((swept.code, &line["target"]), (3, &"directory".into()), "{}", swept.complaint);
    assert!(house.exists(out["name"].as_str().unwrap()));
    house.configure("id = \"elsewhere\"", "id = \"directory\"");
    assert_eq!(house.run_at(61, "sweep").code, 0);
    assert!(!house.exists(out["name"].as_str().unwrap()) && house.leases().is_empty());
}

#[test]
fn what_is_quarantined_is_shown_where_its_target_was_struck_from_the_configuration() {
    let house = House::new(Kind::OpenLdap, "struck-quarantined");
    let out = house.run(OUT).fine();
    house.unmark(out["name"].as_str().unwrap());
    assert_eq!(house.run(&format!("in {}", out["lease"].as_str().unwrap())).code, 1);
    house.configure("id = \"directory\"", "id = \"elsewhere\"");
    assert_eq!(house.leases()[0]["phase"], "quarantined");
    let exposed = house.run("exposure").lines;
    assert_eq!((&exposed[0]["lease"], &exposed[0]["worst_case"]), (&out["lease"], &Value::Null));
    let swept = house.run_at(90, "sweep");
    assert!(swept.lines.iter().any(|line| line["alarm"] == "lease.quarantined"), "{:?}", swept.lines);
    house.configure("id = \"elsewhere\"", "id = \"directory\"");
    house.remove(out["name"].as_str().unwrap());
    assert_eq!(house.run_at(300, "sweep").code, 0);
    assert!(house.leases().is_empty(), "nobody had to check it in");
}

#[test]
fn an_end_that_somebody_took_away_is_told_and_brought_back() {
    let house = House::new(Kind::OpenLdap, "endless");
    let out = house.run(OUT).fine();
    house.make_endless(out["name"].as_str().unwrap());
    let found = house.run("reconcile");
    let differing = &found.lines[0]["differing"][0];
    assert_eq!(
        (found.code, &differing["lease"], &differing["what"][0]),
        (1, &out["lease"], &"ends_never".into())
    );
    assert_eq!(house.run("reconcile --apply").fine()["differing"][0]["brought_back"], true);
    assert_eq!(house.run("reconcile").fine()["differing"].as_array().unwrap().len(), 0);
}

#[test]
fn nobody_has_more_leases_at_once_than_the_configuration_allows() {
    let house = House::new(Kind::OpenLdap, "many");
    house.configure("privileged = true", "privileged = true\nper_holder = 1");
    let out = house.run(OUT).fine();
    house.run(OUT).refused("lease.too_many");
    house.run(&format!("in {}", out["lease"].as_str().unwrap())).fine();
    house.run(OUT).fine();
    house.configure("per_holder = 1", "");
    house.configure("marker_key", "leases_per_holder = 1\nmarker_key");
    house.run(OUT).refused("lease.too_many");
    house.configure("leases_per_holder = 1", "leases_per_holder = 0");
    let refused = house.run(OUT);
    assert_eq!(refused.code, 2);
    assert!(refused.complaint.contains("leases_per_holder"), "{}", refused.complaint);
}
