//! A record in the database that cannot be read keeps nobody from what can.

use std::fs;

use crate::demo::Demo;
use crate::place;

/// Changes each of these texts in the database of a portal that ended. They are of one length, so that it stays a database.
fn spoil(name: &str, text: &str, wrong: &str) {
    assert_eq!(text.len(), wrong.len());
    let file = place(name).join("data/portal.db");
    let mut bytes = fs::read(&file).unwrap();
    let found: Vec<_> = (0..bytes.len())
        .filter(|at| bytes.get(*at..).is_some_and(|rest| rest.starts_with(text.as_bytes())))
        .collect();
    assert!(!found.is_empty(), "{text}");
    for at in found {
        bytes.get_mut(at..at + wrong.len()).unwrap().copy_from_slice(wrong.as_bytes());
    }
    fs::write(file, bytes).unwrap();
}

#[test]
fn one_lease_that_cannot_be_read_is_named_and_takes_no_other_from_the_page() {
    let name = "spoilt";
    let demo = Demo::start(name);
    let mut alice = demo.visitor();
    alice.sign_in("acme", "alice");
    let csrf = alice.get("/me").hidden("csrf");
    let mut leases: Vec<String> = Vec::new();
    for role in ["operator", "caretaker"] {
        let sent = [("target", "workshop"), ("role", role), ("span", "30m"), ("key", role), ("csrf", &csrf)];
        assert_eq!(alice.post("/access/out", &sent).status, 200);
        leases.push(alice.get("/access").hidden("lease"));
    }
    let [unreadable, other] = leases.try_into().unwrap();
    assert_eq!(demo.end("-TERM"), Some(0));
    spoil(name, "\"role\":\"operator\",\"remote\":", "\"rule\":\"operator\",\"remote\":");

    let demo = Demo::again(name);
    let mut alice = demo.visitor();
    alice.sign_in("acme", "alice");
    let page = alice.get("/access");
    assert_eq!(page.status, 200, "{}", page.body);
    let named = format!("The record of lease <code>{unreadable}</code> cannot be read");
    assert!(page.body.contains(&named), "{}", page.body);
    assert!(page.body.contains("caretaker at workshop") && page.body.contains(&other), "{}", page.body);
    assert!(page.body.contains("Check out"), "and whoever has it can ask for more: {}", page.body);
    let trail = alice.get("/audit");
    assert_eq!(trail.status, 200, "{}", trail.body);
}

#[test]
fn a_holder_whose_record_cannot_be_read_is_told_beside_their_lease_and_takes_no_other_from_administrators() {
    let name = "spoilt-holder";
    let demo = Demo::start(name);
    let (mut alice, mut casey) = (demo.visitor(), demo.visitor());
    for (visitor, person) in [(&mut alice, "alice"), (&mut casey, "casey")] {
        visitor.sign_in("acme", person);
        let csrf = visitor.get("/me").hidden("csrf");
        let sent =
            [("target", "workshop"), ("role", "operator"), ("span", "30m"), ("key", "k"), ("csrf", &csrf)];
        assert_eq!(visitor.post("/access/out", &sent).status, 200);
    }
    let lease = casey.get("/access").hidden("lease");
    assert_eq!(demo.end("-TERM"), Some(0));
    spoil(name, "{\"text\":\"casey\",\"key\":", "{\"test\":\"casey\",\"key\":");

    let demo = Demo::again(name);
    let mut alice = demo.visitor();
    alice.sign_in("acme", "alice");
    let page = alice.get("/leases");
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains("<td>Alice Example</td>") && page.body.contains(&lease), "{}", page.body);
    assert_eq!(page.body.matches(", whose record cannot be read</td>").count(), 1, "{}", page.body);
    let csrf = page.hidden("csrf");
    let ended = alice.post("/leases/end", &[("lease", &lease), ("csrf", &csrf)]);
    assert_eq!(ended.status, 303, "and it can be ended: {}", ended.body);
}
