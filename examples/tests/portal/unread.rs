//! A request that cannot be read is told on a page as any other refusal is, with its code, and does nothing.

use crate::browser::Page;
use crate::demo::Demo;

const FORM: &str = "application/x-www-form-urlencoded";

fn told(page: &Page, status: u16, code: &str) {
    assert_eq!(page.status, status, "{}", page.body);
    assert!(page.header("content-type").is_some_and(|kind| kind.starts_with("text/html")), "{}", page.body);
    for words in ["<h1>Not understood</h1>", &format!("<code>{code}</code>"), "role=\"alert\"", "Back to"] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
}

#[test]
fn what_is_no_form_is_told_in_the_frame_of_whoever_sent_it_and_nothing_is_done() {
    let demo = Demo::start("no-form");
    let mut alice = demo.visitor();
    alice.sign_in("acme", "alice");
    for (path, kind, body, status, code) in [
        ("/access/out", "application/json", &b"{\"target\":\"workshop\"}"[..], 415, "portal.media_type"),
        ("/access/out", "", b"target=workshop", 415, "portal.media_type"),
        ("/logout", "text/plain", b"csrf=x", 415, "portal.media_type"),
        ("/access/out", FORM, b"csrf=\xff\xfe", 400, "portal.form"),
        ("/admin/decide", FORM, b"csrf=a&csrf=b", 400, "portal.form"),
        ("/access/in", FORM, &vec![b'a'; 50 * 1024], 400, "portal.form"),
        ("/access/in", FORM, &vec![b'a'; 70 * 1024], 413, "portal.too_large"),
        ("/callback/acme", FORM, &vec![b'a'; 70 * 1024], 413, "portal.too_large"),
    ] {
        let page = alice.post_as(path, kind, body);
        told(&page, status, code);
        for words in ["aria-label=\"Main\"", "Alice Example", "action=\"/logout\""] {
            assert!(page.body.contains(words), "{path}: {words}: {}", page.body);
        }
    }
    assert!(alice.get("/access").body.contains("Nothing is lent to you."));
    told(&alice.get("/admin?name=a&name=b"), 400, "portal.form");
    let other_method = alice.get("/access/out");
    told(&other_method, 405, "portal.method");
    assert_eq!(other_method.header("allow"), Some("POST"));
}

#[test]
fn a_stranger_is_told_the_same_and_led_to_the_start() {
    let demo = Demo::start("no-form-stranger");
    let page = demo.visitor().post_as("/hold/consent", "application/json", b"{}");
    told(&page, 415, "portal.media_type");
    assert!(page.body.contains("Back to the start") && !page.body.contains("aria-label=\"Main\""));
    let unreadable = demo.visitor().get("/login/%ff");
    assert!(unreadable.status == 404 && unreadable.body.contains("no such page"), "{}", unreadable.body);
}
