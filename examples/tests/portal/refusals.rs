//! What is told to somebody who is signed in and asked for what is not done: on a page of theirs, with words about it.

use crate::browser::{Page, Visitor};
use crate::demo::Demo;

const OPERATOR: [(&str, &str); 2] = [("target", "workshop"), ("role", "operator")];

/// A demo, and somebody of Acme who is signed in there.
struct Signed {
    _demo: Demo,
    who: Visitor,
    csrf: String,
}

impl Signed {
    fn in_as(person: &str, name: &str) -> Self {
        let demo = Demo::start(name);
        let mut who = demo.visitor();
        who.sign_in("acme", person);
        let csrf = who.get("/me").hidden("csrf");
        Self { _demo: demo, who, csrf }
    }

    fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let csrf = self.csrf.clone();
        self.who.post(path, &[&[("csrf", csrf.as_str())], fields].concat())
    }

    fn check_out(&mut self, span: &str, key: &str) -> Page {
        self.post("/access/out", &[&OPERATOR[..], &[("span", span), ("key", key)]].concat())
    }

    /// Checks a lease out, and gives its id.
    fn lease(&mut self, span: &str, key: &str) -> String {
        let lent = self.check_out(span, key);
        assert_eq!(lent.status, 200, "{}", lent.body);
        self.who.get("/access").hidden("lease")
    }

    /// The ends of what is lent, as the countdowns have them.
    fn ends(&mut self) -> Vec<String> {
        let page = self.who.get("/access").body;
        let ends = page.split("<time datetime=\"").skip(1);
        ends.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
    }
}

/// Checks that a page tells who is not signed out, what was not done, why, and where to go on.
fn told(page: &Page, status: u16, code: &str, words: &[&str], back: &str) {
    assert_eq!(page.status, status, "{}", page.body);
    let frame = ["aria-label=\"Main\"", "Alice Example", "action=\"/logout\"", "href=\"/leases\""];
    let told = format!("<code>{code}</code>");
    let leads = format!("href=\"{back}\"");
    for words in frame.iter().chain(words).chain([&told.as_str(), &leads.as_str(), &"role=\"alert\""]) {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    for wrong in ["sign-in anew", "No account came", "Back to sign-in", "Back to the start", "no such page"] {
        assert!(!page.body.contains(wrong), "{wrong}: {}", page.body);
    }
}

const BACK: &str = "/access\">Back to what is lent to you</a>";

#[test]
fn whoever_asks_for_too_long_a_time_learns_how_long_it_may_be_and_nothing_is_lent() {
    let mut alice = Signed::in_as("alice", "too-long");
    let page = alice.check_out("9h", "k");
    let words = ["<h1>Not checked out</h1>", "operator", "workshop", "for 9 hours", "8 hours at most"];
    told(&page, 400, "lease.too_long", &words, "/access");
    assert!(page.body.contains(BACK), "{}", page.body);
    assert!(alice.ends().is_empty());
}

#[test]
fn whoever_extends_beyond_the_latest_end_or_to_an_earlier_one_learns_when_it_ends() {
    let mut alice = Signed::in_as("alice", "extend");
    let lease = alice.lease("1h", "k");
    let mut extend = |span: &str| alice.post("/access/extend", &[("lease", lease.as_str()), ("span", span)]);
    assert_eq!(extend("8h").status, 303);
    let again = extend("8h");
    told(
        &again,
        409,
        "lease.too_long",
        &["<h1>Not extended</h1>", "8 hours from now", "at the latest"],
        "/access",
    );
    let shorter = extend("1h");
    told(
        &shorter,
        409,
        "lease.not_longer",
        &["<h1>Not extended</h1>", "1 hour from now", "already ends at"],
        "/access",
    );
    let end = alice.ends().pop().unwrap();
    let (day, time) = (end.get(..10).unwrap(), end.get(11..16).unwrap());
    assert!(shorter.body.contains(&format!("{day} {time} UTC")), "{end}: {}", shorter.body);
}

#[test]
fn a_form_that_was_used_before_says_so_and_lends_nothing_more() {
    let mut alice = Signed::in_as("alice", "repeated");
    let lease = alice.lease("1h", "k");
    let other = [("target", "workshop"), ("role", "administrator"), ("span", "30m"), ("key", "k")];
    let page = alice.post("/access/out", &other);
    told(&page, 409, "lease.other_request", &["<h1>Not checked out</h1>", "used"], "/access");
    assert_eq!(alice.ends().len(), 1);
    assert_eq!(alice.post("/access/in", &[("lease", lease.as_str())]).status, 303);
    let over = alice.check_out("1h", "k");
    told(&over, 409, "lease.over", &["<h1>Not checked out</h1>", "has ended", "anew"], "/access");
    let late = alice.post("/access/extend", &[("lease", lease.as_str()), ("span", "2h")]);
    told(&late, 409, "lease.over", &["<h1>Not extended</h1>"], "/access");
    assert!(alice.ends().is_empty());
}

#[test]
fn a_time_that_cannot_be_read_is_told_on_the_page_that_the_form_belongs_to() {
    let mut alice = Signed::in_as("alice", "span");
    let lease = alice.lease("1h", "k");
    let before = alice.ends();
    for span in ["soon", "", "1x", "0m", "-1h", "99999999999999999999h"] {
        let page = alice.check_out(span, "other");
        told(&page, 400, "portal.span", &["<h1>Not checked out</h1>", "cannot be read"], "/access");
        let sent = [("lease", lease.as_str()), ("span", span)];
        told(&alice.post("/access/extend", &sent), 400, "portal.span", &["<h1>Not extended</h1>"], "/access");
        let page = alice.post("/leases/extend", &sent);
        told(&page, 400, "portal.span", &["<h1>Not extended</h1>", "Back to the leases"], "/leases");
    }
    assert_eq!(alice.ends(), before);
}

#[test]
fn whoever_holds_nothing_that_admits_is_led_to_what_they_hold_and_why() {
    let demo = Demo::start("not-entitled");
    let mut bob = demo.visitor();
    bob.sign_in("acme", "bob");
    let csrf = bob.get("/me").hidden("csrf");
    let sent = [("csrf", csrf.as_str()), ("span", "1h"), ("key", "k")];
    let page = bob.post("/access/out", &[&OPERATOR[..], &sent].concat());
    assert_eq!(page.status, 403, "{}", page.body);
    for words in ["Bob Brown", "lease.not_entitled", "Nothing that you hold", "href=\"/me\"", BACK] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    assert_eq!(page.body.matches("href=\"/me\"").count(), 2, "in the navigation, and beside the reason");
    assert!(!page.body.contains("href=\"/leases\""), "{}", page.body);
}

#[test]
fn what_is_not_there_is_told_in_the_frame_as_well() {
    let mut alice = Signed::in_as("alice", "absent");
    let none = "0192f0c1-1111-7aaa-8bbb-123456789abc";
    for lease in [none, "7", ""] {
        let sent = [("lease", lease), ("span", "1h")];
        told(
            &alice.post("/access/extend", &sent),
            404,
            "lease.unknown",
            &["<h1>Not extended</h1>"],
            "/access",
        );
        told(&alice.post("/access/in", &sent), 404, "lease.unknown", &["<h1>Not checked in</h1>"], "/access");
        told(&alice.post("/leases/end", &sent), 404, "lease.unknown", &["<h1>Not ended</h1>"], "/leases");
    }
    for (role, code) in [
        ([("target", "elsewhere"), ("role", "operator")], "lease.unknown_target"),
        ([("target", "workshop"), ("role", "chief")], "lease.unknown_role"),
    ] {
        let page = alice.post("/access/out", &[&role[..], &[("span", "1h")]].concat());
        told(&page, 404, code, &["<h1>Not checked out</h1>", "no such role"], "/access");
    }
    let page = alice.post("/access/out", &[("span", "1h")]);
    told(&page, 400, "portal.form", &["<h1>Not checked out</h1>"], "/access");
}

#[test]
fn an_act_on_an_account_that_does_not_fit_leads_back_to_where_it_was_shown() {
    let mut alice = Signed::in_as("alice", "acts");
    let found = alice.who.get("/admin?name=alice");
    let account = found.hidden("account");
    let decide = |act: &'static str| [("account", account.clone()), ("act", act.to_owned())];
    let mut sent = |act: &'static str| {
        let fields = decide(act);
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        alice.post("/admin/decide?name=alice", &fields)
    };
    let words = ["<h1>Not done</h1>", "Back to the administration", "state"];
    told(&sent("approve"), 409, "account.wrong_state", &words, "/admin?name=alice");
    told(
        &sent("suspend"),
        409,
        "access.last_holder",
        &["<h1>Not done</h1>", "nobody else"],
        "/admin?name=alice",
    );
    told(&sent("promote"), 400, "portal.form", &["<h1>Not done</h1>"], "/admin?name=alice");
    let none = [("account", "0192f0c1-1111-7aaa-8bbb-123456789abc"), ("act", "approve")];
    told(&alice.post("/admin/decide", &none), 404, "account.unknown", &["<h1>Not done</h1>"], "/admin");
}

#[test]
fn whoever_is_signed_in_stays_so_on_every_page_about_what_went_wrong() {
    let mut alice = Signed::in_as("alice", "frame");
    let signed_in = ["aria-label=\"Main\"", "Alice Example", "action=\"/logout\""];
    let forged = alice.who.post("/access/out", &[("csrf", "guessed")]);
    assert_eq!(forged.status, 403);
    let pages =
        [forged, alice.who.get("/none"), alice.who.get("/admin?after=7"), alice.who.get("/login/nobody")];
    for page in &pages {
        for words in signed_in {
            assert!(page.body.contains(words), "{words}: {}", page.body);
        }
    }
    let demo = Demo::start("stranger");
    let page = demo.get("/none");
    assert!(page.starts_with("HTTP/1.1 404") && page.contains("no such page"), "{page}");
    assert!(!page.contains("aria-label=\"Main\"") && !page.contains("csrf"), "{page}");
}

#[test]
fn whoever_is_refused_or_held_as_somebody_else_is_still_signed_in_as_before() {
    let mut alice = Signed::in_as("alice", "somebody-else");
    for (person, status, heading) in
        [("erin", 403, "<h1>No account came of this</h1>"), ("pat", 200, "<h1>Waiting for approval</h1>")]
    {
        let page = alice.who.arrive("acme", person);
        assert_eq!(page.status, status, "{}", page.body);
        for words in [heading, "aria-label=\"Main\"", "Alice Example", "action=\"/logout\""] {
            assert!(page.body.contains(words), "{words}: {}", page.body);
        }
        assert!(alice.who.get("/me").body.contains("<h1>Alice Example"));
    }
}
