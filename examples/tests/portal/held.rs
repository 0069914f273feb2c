//! Somebody whose sign-in waits is told as whom they come, finds back to the question, and can give it up.

use crate::browser::Page;
use crate::demo::Demo;

/// Checks that a page says as whom somebody comes, and that they are not in yet.
fn names(page: &Page, person: &str) {
    let frame = ["aria-label=\"Main\"", person, "not signed in yet", "href=\"/\""];
    for words in frame {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    for place in ["/me", "/access", "/audit", "/admin", "/leases", "/logout"] {
        assert!(!page.body.contains(&format!("\"{place}\"")), "{place}: {}", page.body);
    }
}

#[test]
fn whoever_is_asked_something_reads_as_whom_they_come_and_finds_back_to_the_question() {
    let demo = Demo::start("asked");
    let mut ned = demo.visitor();
    assert_eq!(ned.arrive("acme", "ned").header("location"), Some("/hold"));
    let asked = ned.get("/hold");
    names(&asked, "Ned Newcomer");
    assert!(
        asked.body.contains("<a href=\"/hold\" aria-current=\"page\">Your sign-in</a>"),
        "{}",
        asked.body
    );
    for elsewhere in [ned.get("/"), ned.get("/none")] {
        names(&elsewhere, "Ned Newcomer");
        assert!(elsewhere.body.contains("<a href=\"/hold\">Your sign-in</a>"), "{}", elsewhere.body);
    }
}

#[test]
fn whoever_gives_a_sign_in_up_is_asked_nothing_any_longer() {
    let demo = Demo::start("given-up");
    let mut ned = demo.visitor();
    ned.arrive("acme", "ned");
    let csrf = ned.get("/hold").hidden("csrf");
    assert_eq!(ned.post("/hold/leave", &[("csrf", "guessed")]).status, 403);
    assert_eq!(ned.get("/hold").status, 200);
    let left = ned.post("/hold/leave", &[("csrf", csrf.as_str())]);
    assert_eq!((left.status, left.header("location")), (303, Some("/")));
    assert_eq!(ned.get("/hold").header("location"), Some("/"));
    assert!(!ned.get("/").body.contains("Ned Newcomer"));
    let agreed = [("csrf", csrf.as_str()), ("terms", "guest-terms"), ("answer", "agree")];
    assert_eq!(ned.post("/hold/consent", &agreed).status, 403, "nothing comes of it");
    assert_eq!(ned.post("/hold/leave", &[("csrf", csrf.as_str())]).status, 303, "twice is no mistake");
}

#[test]
fn whoever_waits_for_an_administrator_reads_as_whom_and_has_nothing_to_answer() {
    let demo = Demo::start("waits");
    let mut pat = demo.visitor();
    let waits = pat.arrive("acme", "pat");
    assert!(waits.body.contains("<h1>Waiting for approval</h1>"), "{}", waits.body);
    names(&waits, "Pat Pending");
    assert!(!waits.body.contains("/hold"), "{}", waits.body);
}
