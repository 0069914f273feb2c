//! What is lent is an account of nobody: lists say what it is, and offer nothing that would be refused.

use crate::browser::{Page, Visitor};
use crate::demo::Demo;

/// A demo in which its administrator holds two leases, one of them of their own account.
fn lending(name: &str) -> (Demo, Visitor) {
    let demo = Demo::start(name);
    let mut alice = demo.visitor();
    alice.sign_in("acme", "alice");
    let csrf = alice.get("/me").hidden("csrf");
    for role in ["operator", "caretaker"] {
        let sent = [("target", "workshop"), ("role", role), ("span", "30m"), ("key", role), ("csrf", &csrf)];
        assert_eq!(alice.post("/access/out", &sent).status, 200);
    }
    (demo, alice)
}

/// The name of the account that was made.
fn made(page: &Page) -> String {
    let (_, rest) = page.body.split_once("<code>jit-").unwrap();
    format!("jit-{}", rest.split('<').next().unwrap())
}

/// When what is lent ends, as people read it, by its countdown.
fn ends(page: &Page) -> String {
    let (_, until) = page.body.split_once("<time datetime=\"").unwrap();
    format!("{} {} UTC", until.get(..10).unwrap(), until.get(11..16).unwrap())
}

#[test]
fn the_administration_lists_people_and_finds_what_is_lent_without_offering_an_act() {
    let (_demo, mut alice) = lending("people");
    let page = alice.get("/admin");
    assert_eq!(page.body.matches("scope=\"row\"").count(), 1, "alice alone: {}", page.body);
    assert_eq!(page.body.matches(" value=\"suspend\"").count(), 1, "{}", page.body);
    assert!(!page.body.contains("value=\"reactivate\""), "{}", page.body);

    let access = alice.get("/access");
    let name = made(&access);
    for (lease, shown) in
        access.body.split("name=\"lease\" value=\"").skip(1).step_by(2).zip(["alice", name.as_str()])
    {
        let lease = lease.split('"').next().unwrap();
        let found = alice.get(&format!("/admin?name={lease}")).body;
        assert!(found.contains(&format!("{shown} at workshop")), "{shown}: {found}");
        assert!(!found.contains("name=\"act\""), "{found}");
    }
}

#[test]
fn the_audit_trail_names_what_is_lent_and_its_times_have_a_zone() {
    let (_demo, mut alice) = lending("trail");
    let name = made(&alice.get("/access"));
    let trail = alice.get("/audit").body;
    assert!(trail.contains(&format!("<td>{name} at workshop</td>")), "{trail}");
    assert!(trail.contains("<td>alice at workshop</td>"), "{trail}");
    for said in ["<code>operator</code>; intended", "<code>operator</code>; active"] {
        assert!(trail.contains(&format!("rule {said} {name} at workshop")), "{said}: {trail}");
    }
    let times: Vec<_> =
        trail.split("datetime=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(!times.is_empty());
    for time in times {
        assert!(chrono::DateTime::parse_from_rfc3339(time).is_ok(), "{time}");
    }
}

#[test]
fn the_own_trail_tells_what_was_checked_out_where_and_until_when_and_nothing_of_others() {
    let demo = Demo::start("own-trail");
    let (mut casey, mut bob) = (demo.visitor(), demo.visitor());
    casey.sign_in("acme", "casey");
    bob.sign_in("acme", "bob");
    let csrf = casey.get("/me").hidden("csrf");
    let out = [("target", "workshop"), ("role", "operator"), ("span", "30m"), ("key", "k"), ("csrf", &csrf)];
    assert_eq!(casey.post("/access/out", &out).status, 200);
    let access = casey.get("/access");
    let (name, lease) = (made(&access), access.hidden("lease"));
    let longer = [("lease", lease.as_str()), ("span", "2h"), ("csrf", &csrf)];
    assert_eq!(casey.post("/access/extend", &longer).status, 303);
    let until = format!(" until {}", ends(&casey.get("/access")));
    assert_eq!(casey.post("/access/in", &[("lease", lease.as_str()), ("csrf", &csrf)]).status, 303);

    let trail = casey.get("/audit").body;
    let what = "<code>operator</code> at <code>workshop</code>";
    let told = ["Gone: ", "Checked in, and began to end: ", "Extended ", "Checked out "];
    let told = told.map(|did| trail.find(&format!("{did}{what}")));
    assert!(told.iter().all(Option::is_some) && told.is_sorted(), "the newest first, {told:?}: {trail}");
    assert!(trail.contains(&until) && trail.contains(&format!("<td>{name} at workshop</td>")), "{trail}");
    assert_eq!(trail.matches("<td>you</td>").count(), 3, "{trail}");
    assert!(trail.contains("Account made") && !trail.contains("Asked for"), "{trail}");
    assert!(!trail.contains(&format!("active {name}")), "steps are for administrators: {trail}");
    assert!(!bob.get("/audit").body.contains("workshop"));
}

#[test]
fn administrators_see_when_a_lease_ends_and_every_visitor_which_page_is_open() {
    let (_demo, mut alice) = lending("until");
    let leases = alice.get("/leases");
    let (until, leases) = (ends(&leases), leases.body);
    assert!(leases.contains(&until), "{leases}");
    assert!(leases.contains("<a href=\"/leases\" aria-current=\"page\">Leases</a>"), "{leases}");
    for (path, label) in [
        ("/me", "My account"),
        ("/access", "Access"),
        ("/audit", "Audit trail"),
        ("/admin", "Administration"),
    ] {
        let page = alice.get(path).body;
        assert!(page.contains(&format!("<a href=\"{path}\" aria-current=\"page\">{label}</a>")), "{page}");
        assert_eq!(page.matches("aria-current").count(), 1, "{page}");
    }
}
