//! Answers that are LDAP and wrong, and callers who do not wait for them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jit_ldap::{
    Attribute, AttributeName, Connection, Control, Dn, EntryName, Fate, Filter, Limits, Password, Scope,
    Search,
};

use crate::ber::{bound, done, entry, message, result, tlv};
use crate::server::{Act, connection};

fn dn(text: &str) -> Dn {
    Dn::parse(text).unwrap()
}

fn by_uid() -> Search {
    Search::new(
        dn("ou=people,dc=x"),
        Scope::Subtree,
        Filter::equals(&AttributeName::new("uid").unwrap(), "a"),
    )
}

fn found(id: i32, dn: &str) -> Act {
    Act::Say(message(id, &entry(dn, &[])))
}

#[tokio::test(start_paused = true)]
async fn a_refusal_in_another_form_is_a_refusal() {
    let samba = |id| vec![Act::Say(message(id, &result(0x78, 12, b"unsupported critical extension")))];
    let mut connection = connection(move |asked| samba(asked.id));
    let error = connection.search(&by_uid()).await.unwrap_err();
    assert_eq!((error.code().as_str(), error.fate()), ("ldap.control_unsupported", Fate::Answered));
    assert!(connection.is_usable());
    let error = connection.delete(&EntryName::from(dn("cn=a")), &[]).await.unwrap_err();
    assert_eq!(error.code().as_str(), "ldap.control_unsupported");
}

#[tokio::test(start_paused = true)]
async fn success_in_another_form_is_none() {
    let mut connection = connection(|asked| vec![Act::Say(message(asked.id, &result(0x78, 0, b"")))]);
    let error = connection.search(&by_uid()).await.unwrap_err();
    assert_eq!((error.code().as_str(), error.fate()), ("ldap.response_unexpected", Fate::Unknown));
    assert!(!connection.is_usable());
}

#[tokio::test(start_paused = true)]
async fn referrals_are_answers_and_never_followed() {
    let elsewhere = tlv(0xa3, &tlv(4, b"ldap://evil.example.com/"));
    let refer = tlv(0x65, &[tlv(10, &[10]), tlv(4, b""), tlv(4, b""), elsewhere].concat());
    let reference = tlv(0x73, &tlv(4, b"ldap://evil.example.com/"));
    let mut connection = connection(move |asked| match asked.id {
        1 => vec![Act::Say(message(asked.id, &refer))],
        _ => vec![Act::Say(message(asked.id, &reference)), Act::Say(message(asked.id, &done(0)))],
    });
    assert_eq!(connection.search(&by_uid()).await.unwrap_err().code().as_str(), "ldap.referral");
    let found = connection.search(&by_uid()).await.unwrap();
    assert_eq!(
        (found.entries.len(), found.references),
        (0, 1),
        "the caller learns that something is elsewhere"
    );
}

#[tokio::test(start_paused = true)]
async fn one_is_found_or_it_is_said_why_not() {
    let cases: [(Vec<&str>, u8, &str); 5] = [
        (vec!["uid=a,ou=people,dc=x"], 0, "fine"),
        (vec!["uid=a,ou=people,dc=x", "uid=b,ou=people,dc=x"], 0, "ldap.not_unique"),
        (vec!["uid=a,ou=people,dc=x"], 4, "ldap.not_unique"),
        (vec!["uid=a,ou=admins,dc=x"], 0, "ldap.entry_foreign"),
        (vec!["uid=a\\,ou=people\\,dc=x"], 0, "ldap.entry_foreign"),
    ];
    for (entries, code, expected) in cases {
        let names: Vec<_> = entries.iter().map(ToString::to_string).collect();
        let mut connection = connection(move |asked| {
            let entries = names.iter().map(|name| found(asked.id, name));
            entries.chain([Act::Say(message(asked.id, &done(code)))]).collect()
        });
        let outcome = connection.find_one(&by_uid()).await;
        let outcome = outcome.map_or_else(|error| error.code().to_string(), |_| "fine".to_owned());
        assert_eq!(outcome, expected, "{entries:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_person_could_type_never_reaches_the_wire_as_a_bind_without_proof() {
    let asked = Arc::new(Mutex::new(0));
    let count = Arc::clone(&asked);
    let mut connection = connection(move |asked| {
        *count.lock().unwrap() += 1;
        vec![Act::Say(message(asked.id, &bound()))]
    });
    assert_eq!(Password::new("").unwrap_err().code(), "ldap.password_empty");
    assert_eq!(Password::new("a\0b").unwrap_err().code(), "ldap.password_malformed");
    let secret = Password::new("secret").unwrap();
    for name in ["", "cn=a\0"] {
        assert_eq!(connection.bind(name, &secret, &[]).await.unwrap_err().code().as_str(), "ldap.name_empty");
    }
    assert_eq!(*asked.lock().unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn no_password_travels_in_the_clear() {
    let (ours, _theirs) = tokio::io::duplex(1024);
    let mut connection = Connection::dangerously_over(ours, Limits::default(), false);
    let secret = Password::new("secret").unwrap();
    let refused = |error: jit_ldap::LdapError| assert_eq!(error.code().as_str(), "ldap.password_in_clear");
    refused(connection.bind("cn=a", &secret, &[]).await.unwrap_err());
    refused(connection.modify_password(None, None, Some(&secret)).await.unwrap_err());
    for name in ["userPassword", "USERPASSWORD;lang-de", "unicodePwd", "2.5.4.35"] {
        let attribute = Attribute::new(AttributeName::new(name).unwrap(), ["secret"]);
        refused(connection.add(&dn("cn=a"), std::slice::from_ref(&attribute), &[]).await.unwrap_err());
        let change = jit_ldap::Modification::Replace(attribute);
        refused(connection.modify(&EntryName::from(dn("cn=a")), &[change], &[]).await.unwrap_err());
    }
    assert!(connection.is_usable(), "nothing was sent");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_too_late_is_not_the_answer_to_the_next_question() {
    let mut connection = connection(|asked| vec![Act::Wait, Act::Say(message(asked.id, &bound()))]);
    let entry = EntryName::from(dn("cn=a"));
    let gave_up = tokio::time::timeout(Duration::from_millis(1), connection.delete(&entry, &[])).await;
    assert!(gave_up.is_err());
    assert!(!connection.is_usable());
    let error = connection.delete(&entry, &[]).await.unwrap_err();
    assert_eq!((error.code().as_str(), error.fate()), ("ldap.connection_unusable", Fate::NotSent));
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_neither_yes_nor_no() {
    let mut connection = connection(|_| vec![Act::Close]);
    let error = connection.delete(&EntryName::from(dn("cn=a")), &[]).await.unwrap_err();
    assert_eq!(error.fate(), Fate::Unknown);
    assert_eq!(error.class(), jit_core::ErrorClass::Permanent, "it may have had an effect");
    let reported = error.into_write_error("target.delete");
    assert_eq!(
        (reported.kind(), reported.retry()),
        (&jit_core::ErrorKind::Unavailable, jit_core::Retry::Never)
    );
}

#[tokio::test(start_paused = true)]
async fn an_abandoned_search_does_not_disturb_what_follows() {
    let mut connection = connection(|asked| match asked.op {
        0x63 => (0..20).map(|_| found(asked.id, "uid=a,ou=people,dc=x")).collect(),
        0x50 => (0..20).map(|_| found(asked.id - 1, "uid=a,ou=people,dc=x")).collect(),
        _ => vec![Act::Say(message(asked.id, &result(0x6b, 0, b"")))],
    });
    let mut run = connection.begin_search(&by_uid()).await.unwrap();
    assert!(run.next().await.unwrap().is_some());
    run.abandon().await.unwrap();
    assert!(connection.is_usable());
    connection.delete(&EntryName::from(dn("cn=a")), &[]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_request_beyond_the_size_of_a_message_is_not_sent() {
    let mut connection = connection(|_| vec![Act::Close]);
    let large = Attribute::new(AttributeName::new("description").unwrap(), [vec![b'x'; 3 << 20]]);
    let error = connection.add(&dn("cn=a"), &[large], &[]).await.unwrap_err();
    assert_eq!((error.code().as_str(), error.fate()), ("ldap.request_too_large", Fate::NotSent));
    assert!(connection.is_usable());
}

#[tokio::test(start_paused = true)]
async fn a_control_that_makes_a_request_safe_is_critical_on_the_wire() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&seen);
    let mut connection = connection(move |asked| {
        *keep.lock().unwrap() = asked.bytes.clone();
        vec![Act::Say(message(asked.id, &result(0x6b, 122, b"")))]
    });
    let ours = Control::assertion(&Filter::equals(&AttributeName::ENTRY_UUID, "1"));
    let error = connection.delete(&EntryName::from(dn("cn=a")), &[ours]).await.unwrap_err();
    assert_eq!(error.code().as_str(), "ldap.assertion_failed");
    assert_eq!(error.into_write_error("target.delete").kind(), &jit_core::ErrorKind::Conflict);
    let critical = [&b"\x04\x0c1.3.6.1.1.12"[..], &[1, 1, 0xff]].concat();
    assert!(seen.lock().unwrap().windows(critical.len()).any(|part| part == critical));
}
