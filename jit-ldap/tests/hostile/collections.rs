//! Results that are too large, without end, or in pieces that do not fit.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jit_ldap::connection::SyncMode;
use jit_ldap::{AttributeName, Connection, Dn, Entry, EntryName, Filter, LdapError, Scope, Search};

use crate::ber::{attribute, controlled, done, entry, message, tlv};
use crate::server::{Act, Asked, code, connection};

const PAGED: &str = "1.2.840.113556.1.4.319";

fn dn(text: &str) -> Dn {
    Dn::parse(text).unwrap()
}

fn people() -> Search {
    Search::new(dn("ou=people,dc=x"), Scope::Children, Filter::present(&AttributeName::OBJECT_CLASS))
}

fn person(id: i32) -> Vec<u8> {
    message(id, &entry("uid=a,ou=people,dc=x", &[]))
}

fn page_end(id: i32, cookie: &[u8]) -> Act {
    Act::Say(end_of_page(id, cookie))
}

pub(crate) fn end_of_page(id: i32, cookie: &[u8]) -> Vec<u8> {
    let value = tlv(0x30, &[tlv(2, &[0]), tlv(4, cookie)].concat());
    controlled(id, &done(0), &[(PAGED, &value)])
}

async fn search(mut connection: Connection) -> Result<(), LdapError> {
    connection.search(&people()).await.map(|_| ())
}

async fn all_pages(mut connection: Connection) -> Result<usize, LdapError> {
    let mut pages = connection.pages(people(), 500);
    let mut count = 0;
    while let Some(page) = pages.next_page().await? {
        count += page.len();
    }
    Ok(count)
}

#[tokio::test(start_paused = true)]
async fn a_flood_ends_at_our_limit() {
    assert_eq!(code(|id| vec![Act::Repeat(person(id))], search).await, "ldap.too_many_entries");
    let reference = tlv(0x73, &tlv(4, b"ldap://x"));
    let references = move |id| vec![Act::Repeat(message(id, &reference))];
    assert_eq!(code(references, search).await, "ldap.too_many_entries");
    let info = |id| vec![Act::Repeat(message(id, &tlv(0x79, &[])))];
    assert_eq!(code(info, search).await, "ldap.too_many_entries");
    let large = entry("uid=a,ou=people,dc=x", &[attribute("photo", &[vec![0; 1 << 20]])]);
    let large = move |id| vec![Act::Repeat(message(id, &large))];
    assert_eq!(code(large, search).await, "ldap.too_many_entries");
}

#[tokio::test(start_paused = true)]
async fn a_server_sends_no_faster_than_the_caller_takes() {
    let sent = Arc::new(AtomicUsize::new(0));
    let (ours, mut theirs) = tokio::io::duplex(4096);
    let count = Arc::clone(&sent);
    tokio::spawn(async move {
        while tokio::io::AsyncWriteExt::write_all(&mut theirs, &person(1)).await.is_ok() {
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    let mut connection = Connection::dangerously_over(ours, crate::server::limits(), true);
    let mut run = connection.begin_search(&people()).await.unwrap();
    for _ in 0..10 {
        assert!(run.next().await.unwrap().is_some());
    }
    tokio::task::yield_now().await;
    assert!(sent.load(Ordering::SeqCst) < 2000, "{sent:?}");
}

#[tokio::test(start_paused = true)]
async fn pages_end_or_are_an_error() {
    let two = |asked: Asked| match asked.id {
        1 => vec![Act::Say(person(1)), page_end(1, b"more")],
        // a server may look for long without finding anything
        2 => vec![page_end(2, b"still")],
        id => vec![Act::Say(person(id)), page_end(id, b"")],
    };
    assert_eq!(all_pages(connection(two)).await.unwrap(), 2);
    assert_eq!(code(|id| vec![page_end(id, b"again")], all_pages).await, "ldap.paging_stuck");
    let ignored = |id| vec![Act::Say(person(id)), Act::Say(message(id, &done(0)))];
    assert_eq!(code(ignored, all_pages).await, "ldap.control_missing");
    let torn = |id| vec![Act::Say(controlled(id, &done(0), &[(PAGED, &[0x30, 9])]))];
    assert_eq!(code(torn, all_pages).await, "ldap.message_malformed");
    let cut = |id| vec![Act::Say(person(id)), Act::Say(message(id, &done(4)))];
    assert_eq!(code(cut, all_pages).await, "ldap.size_limit");
    let foreign = |id| vec![Act::Say(message(id, &entry("uid=a,ou=other,dc=x", &[]))), page_end(id, b"")];
    assert_eq!(code(foreign, all_pages).await, "ldap.entry_foreign");
}

/// Answers as Windows does: 1500 values at a time.
fn windows(asked: &Asked, total: usize) -> Vec<Act> {
    let text = String::from_utf8_lossy(&asked.bytes).into_owned();
    let first =
        text.split("range=").nth(1).and_then(|rest| rest.split('-').next()).map_or(0, |n| n.parse().unwrap());
    let last = (first + 1500).min(total);
    let values: Vec<_> = (first..last).map(|number| format!("cn={number}").into_bytes()).collect();
    let end = if last == total { "*".to_owned() } else { (last - 1).to_string() };
    let ranged = attribute(&format!("member;range={first}-{end}"), &values);
    let found = entry("cn=big,dc=x", &[attribute("member", &[]), ranged]);
    vec![Act::Say(message(asked.id, &found)), Act::Say(message(asked.id, &done(0)))]
}

async fn members(mut connection: Connection) -> Result<Entry, LdapError> {
    let group = dn("cn=big,dc=x");
    let search = Search::entry(&group).attributes([AttributeName::MEMBER]);
    let mut entry = connection.find_one(&search).await?.unwrap();
    connection.complete(&EntryName::Dn(group), &mut entry).await?;
    Ok(entry)
}

#[tokio::test(start_paused = true)]
async fn a_group_of_any_size_is_read_whole() {
    for total in [1, 1499, 1500, 1501, 4000] {
        let entry = members(connection(move |asked| windows(&asked, total))).await.unwrap();
        let values = entry.values(&AttributeName::MEMBER).unwrap();
        assert_eq!(values.len(), total);
        assert_eq!(values[total - 1], format!("cn={}", total - 1).into_bytes());
        assert_eq!(entry.attributes().len(), 1, "nothing is left under the name of a range");
    }
}

#[tokio::test(start_paused = true)]
async fn ranges_that_come_slowly_end_in_the_time_of_one_search() {
    let slow = |id: i32| {
        let part = attribute(&format!("member;range={0}-{0}", id - 1), &[b"cn=a".to_vec()]);
        let late = Act::Late(Duration::from_secs(5), message(id, &entry("cn=big,dc=x", &[part])));
        vec![late, Act::Say(message(id, &done(0)))]
    };
    assert_eq!(code(slow, members).await, "ldap.timeout");
}

#[tokio::test(start_paused = true)]
async fn ranges_that_do_not_follow_each_other_are_refused() {
    for (name, count) in [
        ("member;range=0-1499", 3),
        ("member;range=0-2", 3),
        ("member;range=5-*", 3),
        ("member;range=0-18446744073709551615", 3),
        ("member;range=9-2", 3),
        ("member;range=0-*", 0),
    ] {
        let values = vec![b"cn=a".to_vec(); count];
        let ranged = attribute(name, &values);
        let again = move |id| {
            vec![
                Act::Say(message(id, &entry("cn=big,dc=x", std::slice::from_ref(&ranged)))),
                Act::Say(message(id, &done(0))),
            ]
        };
        assert_eq!(code(again, members).await, "ldap.range_stuck", "{name}");
    }
    let endless = |asked: Asked| windows(&asked, usize::MAX / 2);
    assert_eq!(members(connection(endless)).await.unwrap_err().code().as_str(), "ldap.too_many_entries");
}

#[tokio::test(start_paused = true)]
async fn no_answer_about_changes_is_not_no_changes() {
    for mode in [SyncMode::Sync, SyncMode::DirSync] {
        let ask = |mut connection: Connection| async move { connection.changes(&people(), mode, None).await };
        let ignored = |id| vec![Act::Say(message(id, &done(0)))];
        assert_eq!(code(ignored, ask).await, "ldap.control_missing");
    }
    let ask =
        |mut connection: Connection| async move { connection.changes(&people(), SyncMode::Sync, None).await };
    let without_state = |id| vec![Act::Say(person(id)), Act::Say(message(id, &done(0)))];
    assert_eq!(code(without_state, ask).await, "ldap.control_missing");
}
