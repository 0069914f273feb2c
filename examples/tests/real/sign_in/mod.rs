//! People of a real directory sign in at the portal with a name and a password.

mod portal;

use std::fs;
use std::process::Command;

use jit_ldap::Rdn;
use portal::{Portal, way};
use serde_json::Value;

use crate::browser::Visitor;
use crate::peer::{Peer, wait};

const ALICE: &str = "alice-password-1";

#[test]
fn somebody_of_the_directory_comes_in_by_name_and_password_and_leaves() {
    let portal = Portal::start("in");
    let mut alice = portal.visitor();
    let home = alice.get("/").body;
    assert!(home.contains("Sign in with Staff") && home.contains("ldap.jit.test"), "{home}");
    let form = alice.get("/login/staff");
    for part in [
        "method=\"post\" action=\"/login/staff\"",
        "autocomplete=\"username\"",
        "type=\"password\"",
        "autocomplete=\"current-password\"",
    ] {
        assert!(form.body.contains(part), "{part}: {}", form.body);
    }
    // A keyboard adds a blank behind a word.
    let entered = alice.answer(&form, "alice ", ALICE);
    assert_eq!((entered.status, entered.header("location")), (303, Some("/me")), "{}", entered.body);
    let me = alice.get("/me");
    assert!(me.body.contains("alice") && me.body.contains("ldap.jit.test") && me.body.contains("everybody"));
    assert!(alice.get("/audit").body.contains("account.created"));
    let out = alice.post("/logout", &[("csrf", &me.hidden("csrf"))]);
    assert_eq!((out.status, out.header("location")), (303, Some("/")), "there is no other place to leave");
    assert!(!alice.is_in());
    assert_eq!(alice.sign_in("alice@jit.test", ALICE).status, 303, "another of her names");
    assert!(alice.get("/me").body.contains("Nothing to change"), "and the same account");
    assert!(!portal.has_written(ALICE) && portal.complaints().is_empty(), "{}", portal.complaints());
}

#[test]
fn a_wrong_name_and_a_wrong_password_are_answered_alike_and_written_nowhere() {
    let portal = Portal::start("wrong");
    let guess = "no-password-of-hers<\">";
    let mut visitor = portal.visitor();
    let form = visitor.get("/login/staff");
    let answers = ["alice", "alyce", "nob*(y", "bob"].map(|name| {
        let page = visitor.answer(&form, name, guess);
        assert_eq!(page.status, 403, "{}", page.body);
        assert!(page.body.contains("ldap.sign_in_refused"), "{}", page.body);
        assert!(!page.body.contains("no-password-of-hers"), "a password is never shown again");
        page.body.replace(&format!("value=\"{name}\""), "")
    });
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert!(!visitor.is_in());
    for (name, password, code) in [
        ("alice", "", "ldap.password_empty"),
        ("", ALICE, "ldap.user_name_malformed"),
        ("alice\0", ALICE, "ldap.user_name_malformed"),
        ("alice", "alice-password-1\0", "ldap.password_malformed"),
    ] {
        let page = visitor.answer(&form, name, password);
        assert!(page.status == 403 && page.body.contains(code), "{code}: {} {}", page.status, page.body);
    }
    assert!(!portal.has_written("no-password-of-hers") && !portal.has_written(ALICE));
    assert!(portal.complaints().contains("does not know a person"), "{}", portal.complaints());
}

#[test]
fn a_form_that_was_not_shown_here_signs_nobody_in() {
    let portal = Portal::start("forged");
    let (mut attacker, mut alice) = (portal.visitor(), portal.visitor());
    let foreign = attacker.get("/login/staff");
    let fields = [("user_name", "alice"), ("password", ALICE)];
    assert_eq!(alice.post("/login/staff", &fields).status, 403, "no token and no cookie");
    assert_eq!(alice.answer(&foreign, "alice", ALICE).status, 403, "no cookie");
    let own = alice.get("/login/staff");
    assert_eq!(alice.post("/login/staff", &fields).status, 403, "no token");
    assert_eq!(alice.answer(&foreign, "alice", ALICE).status, 403, "the token of another browser");
    assert!(!alice.is_in());
    let again = alice.get("/login/staff");
    assert_eq!(own.hidden("csrf"), again.hidden("csrf"), "a form that is open in another tab stays good");
    let csrf = own.hidden("csrf");
    let twice = [("csrf", csrf.as_str()), ("user_name", "bob"), ("user_name", "alice"), ("password", ALICE)];
    assert_eq!(alice.post("/login/staff", &twice).status, 400);
    assert_eq!(alice.answer(&own, "alice", &"x".repeat(9000)).status, 413, "a body that is too large");
    assert_eq!(alice.post("/login/nobody", &fields).status, 404);
    assert_eq!(alice.answer(&own, "alice", ALICE).status, 303);
    assert_eq!(alice.answer(&own, "alice", ALICE).status, 403, "the token ends with the sign-in");
}

#[test]
fn guesses_are_stopped_before_the_directory_shuts_the_account() {
    let portal = Portal::start("guesses");
    let mut visitor = portal.visitor();
    let form = visitor.get("/login/staff");
    for number in 0..3 {
        assert_eq!(visitor.answer(&form, "alice", &format!("guess-{number}")).status, 403);
    }
    for password in ["guess-4", "guess-5", "guess-6", ALICE] {
        let page = visitor.answer(&form, "alice", password);
        assert_eq!((page.status, page.header("retry-after")), (429, Some("1860")), "{}", page.body);
        assert!(
            page.body.contains("ldap.sign_in_throttled") && page.body.contains("31 minutes"),
            "{}",
            page.body
        );
    }
    let alice = portal.peer.below("uid=alice,ou=people").to_string();
    assert!(wait(portal.peer.admits(&alice, ALICE)), "five failures would shut her out of everything");
    assert_eq!(visitor.answer(&form, "bob", "bob-password-1").status, 303, "nobody else is kept out");
}

#[test]
fn guesses_by_every_door_to_a_directory_count_together() {
    let portal = Portal::start_with("doors", guests);
    let mut visitor = portal.visitor();
    for (number, status) in [403, 403, 403, 429, 429, 429].into_iter().enumerate() {
        let door = ["/login/staff", "/login/guests"][number % 2];
        let csrf = visitor.get(door).hidden("csrf");
        let fields = [("csrf", csrf.as_str()), ("user_name", "alice"), ("password", "guess")];
        let page = visitor.post(door, &fields);
        assert_eq!(page.status, status, "{number}: {}", page.body);
    }
    let alice = portal.peer.below("uid=alice,ou=people").to_string();
    assert!(wait(portal.peer.admits(&alice, ALICE)), "five failures would shut her out of everything");
}

#[test]
fn a_directory_that_is_down_is_no_refusal() {
    let mut portal = Portal::start("down");
    let mut alice = portal.visitor();
    assert_eq!(alice.sign_in("alice", ALICE).status, 303);
    portal.peer.end();
    assert!(alice.is_in(), "sessions go on");
    let mut bob = portal.visitor();
    for _ in 0..4 {
        let page = bob.sign_in("bob", "bob-password-1");
        assert_eq!((page.status, page.header("retry-after")), (503, Some("5")), "{}", page.body);
        assert!(page.body.contains("ldap.connect"), "{}", page.body);
        assert!(page.body.contains("value=\"bob\"") && !page.body.contains("bob-password-1"));
    }
}

/// A target whose accounts lie below the base of the sign-in, with a marker in an attribute of its own.
fn target(peer: &Peer) -> String {
    format!(
        r#"
[deployment]
name = "lent"
marker_key = "marker.key"

[[target]]
id = "linux"

[target.directory]
{way}

[target.open_ldap]
base = "ou=jit,{base}"
places = {{ jit = "ou=jit,{base}" }}
marker = "title"
password_policy = true
groups_follow = true

[[target.role]]
name = "operator"
longest = "8h"
holders = ["role:operator"]
"#,
        way = way(peer, &[peer.url()]),
        base = peer.text("base"),
    )
}

/// Runs `checkout` beside a portal, and returns its answer.
fn checkout(portal: &Portal, line: &str) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_checkout"));
    command.current_dir(&portal.folder).args(["--config", "checkout.toml", "--json"]);
    let ran = command.args(line.split_whitespace()).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let answer = String::from_utf8(ran.stdout).unwrap();
    serde_json::from_str(answer.lines().next().unwrap_or("null")).unwrap()
}

#[test]
fn what_is_lent_signs_in_nobody_wherever_its_target_marks_it() {
    let portal = Portal::start_with("lent", target);
    let own =
        format!("[checkout]\nstore = \"sqlite:accounts.db\"\ntenant = \"acme\"\n{}", target(&portal.peer));
    fs::write(portal.folder.join("checkout.toml"), own).unwrap();
    checkout(&portal, "person add ada --role role:operator");
    let out = checkout(&portal, "out --for ada --target linux --role operator --ttl 30m");
    let (name, secret) = (out["name"].as_str().unwrap(), out["secret"].as_str().unwrap());
    let dn = portal.peer.below("ou=jit").child(Rdn::new("uid", name).unwrap());
    assert!(wait(portal.peer.admits(&dn.to_string(), secret)), "the directory itself lets it in");
    let mut visitor = portal.visitor();
    let page = visitor.sign_in(name, secret);
    assert!(page.status == 403 && page.body.contains("ldap.sign_in_refused"), "{}", page.body);
    assert!(!page.body.contains("for a time"), "nobody is told why");
    assert!(portal.complaints().contains("made for a time"), "but the log is: {}", portal.complaints());
    assert!(!visitor.is_in());
    assert_eq!(visitor.sign_in("alice", ALICE).status, 303, "it is the marker that is refused");
}

/// Another way to the same people, by a list of servers that only overlaps, over which nobody is believed who they are to accounts that exist.
fn guests(peer: &Peer) -> String {
    format!(
        r#"
[connection.mapping.email]
claim = "mail"
verified = "own_domains"

[[connection]]
id = "guests"
tenant = "acme"
issuers = ["guests.jit.test"]
link = [{{ by = {{ email = "after_proof" }} }}]
mapping = {{ email = {{ claim = "mail", verified = "never" }} }}
policy = {{ rule = [{{ name = "proof", when = {{ account = "candidate" }}, hold = {{ asks = ["link_proof"], permit = {{}} }} }}] }}

[connection.protocol]
label = "Guests"

[connection.protocol.directory]
{way}

[connection.protocol.ldap]
issuer = "guests.jit.test"
base = "{base}"
names = ["uid"]
id = "entry_uuid"
claims = ["mail"]
"#,
        way = way(peer, &[peer.other_url(), peer.url()]),
        base = peer.text("base"),
    )
}

#[test]
fn a_password_proves_a_link_for_the_sign_in_that_its_form_was_shown_for_and_no_other() {
    let portal = Portal::start_with("proof", guests);
    assert_eq!(portal.visitor().sign_in("alice", ALICE).status, 303, "her account comes into being");
    let mut alice = portal.visitor();
    let held = |alice: &mut Visitor| {
        let form = alice.get("/login/guests");
        let csrf = form.hidden("csrf");
        let fields = [("csrf", csrf.as_str()), ("user_name", "alice"), ("password", ALICE)];
        let answer = alice.post("/login/guests", &fields);
        assert_eq!((answer.status, answer.header("location")), (303, Some("/hold")), "{}", answer.body);
        alice.get("/login/staff?prove=link")
    };
    let former = held(&mut alice);
    let present = held(&mut alice);
    assert_ne!(former.hidden("prove"), present.hidden("prove"));
    let prove = |alice: &mut Visitor, token: &str, password: &str| {
        let csrf = present.hidden("csrf");
        let fields =
            [("csrf", csrf.as_str()), ("user_name", "alice"), ("password", password), ("prove", token)];
        alice.post("/login/staff", &fields)
    };
    for token in [former.hidden("prove").as_str(), "guessed"] {
        let page = prove(&mut alice, token, ALICE);
        assert!(page.status == 403 && page.body.contains("hold.unknown_ticket"), "{}", page.body);
    }
    let again = prove(&mut alice, &present.hidden("prove"), "no-password-of-hers");
    assert_eq!(again.status, 403);
    assert_eq!(again.hidden("prove"), present.hidden("prove"), "the next attempt is for the same");
    assert!(!alice.is_in());
    let proved = prove(&mut alice, &present.hidden("prove"), ALICE);
    assert_eq!((proved.status, proved.header("location")), (303, Some("/me")), "{}", proved.body);
    let me = alice.get("/me").body;
    assert!(me.contains("ldap.jit.test") && me.contains("guests.jit.test"), "one account, two ways: {me}");
}
