//! Readings of servers that cut, invent, repeat and forget.

use jit_ldap::import::{ImportCookie, ImportWay, Record, Step};
use jit_ldap::{Connection, IdAttribute, ImportSettings, LdapError};

use crate::ber::{attribute, controlled, done, entry, message, tlv};
use crate::server::{Act, Asked, code, connection};

const DIR_SYNC: &str = "1.2.840.113556.1.4.841";
const PAGED: &str = "1.2.840.113556.1.4.319";
const SYNC_STATE: &str = "1.3.6.1.4.1.4203.1.9.1.2";
const SYNC_DONE: &str = "1.3.6.1.4.1.4203.1.9.1.3";

fn settings(way: ImportWay) -> ImportSettings {
    let id = if way == ImportWay::DirSync { IdAttribute::ObjectGuid } else { IdAttribute::EntryUuid };
    let mut settings = ImportSettings::new("ou=people,dc=x", "(uid=*)", id);
    (settings.way, settings.attributes) = (way, vec!["member".to_owned()]);
    settings
}

/// Reads to the end and counts the records.
async fn read(
    way: ImportWay,
    connection: Connection,
    since: Option<&ImportCookie>,
) -> Result<usize, LdapError> {
    let config = settings(way).check().unwrap();
    let mut reading = config.read_over(connection, since)?;
    let mut records = 0;
    loop {
        match reading.next().await? {
            Step::Records(more) => records += more.len(),
            Step::Complete(_) => return Ok(records),
        }
    }
}

fn uuid(number: u8) -> String {
    format!("00000000-0000-0000-0000-0000000000{number:02x}")
}

fn person(number: u8, place: &str) -> Vec<u8> {
    let id = attribute("entryUUID", &[uuid(number).into_bytes()]);
    entry(&format!("uid=a{number},{place}"), &[id])
}

fn state(id: i32, number: u8, place: &str) -> Act {
    let octets = [&[0; 15][..], &[number]].concat();
    let value = tlv(0x30, &[tlv(10, &[1]), tlv(4, &octets)].concat());
    Act::Say(controlled(id, &person(number, place), &[(SYNC_STATE, &value)]))
}

fn sync_done(id: i32, cookie: &[u8]) -> Act {
    Act::Say(controlled(id, &done(0), &[(SYNC_DONE, &tlv(0x30, &tlv(4, cookie)))]))
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_changes_is_whole_or_an_error() {
    const HOME: &str = "ou=people,dc=x";
    let ask = |connection| read(ImportWay::Sync, connection, None);
    let good = |id| vec![state(id, 1, HOME), state(id, 2, HOME), sync_done(id, b"c")];
    assert_eq!(ask(connection(move |asked| good(asked.id))).await.unwrap(), 2);
    let ignored = |id| vec![Act::Say(message(id, &person(1, HOME))), Act::Say(message(id, &done(0)))];
    assert_eq!(code(ignored, ask).await, "ldap.control_missing");
    let empty_and_ignored = |id| vec![Act::Say(message(id, &done(0)))];
    assert_eq!(code(empty_and_ignored, ask).await, "ldap.control_missing");
    let cut = |id| vec![state(id, 1, HOME), Act::Say(message(id, &done(4)))];
    assert_eq!(code(cut, ask).await, "ldap.size_limit");
    let lost = |id| vec![state(id, 1, HOME), Act::Close];
    assert_eq!(code(lost, ask).await, "ldap.connection_lost");
    let foreign = |id| vec![state(id, 1, "ou=admins,dc=x"), sync_done(id, b"c")];
    assert_eq!(code(foreign, ask).await, "ldap.entry_foreign");
    let no_cookie = |id| vec![state(id, 1, HOME), sync_done(id, b"")];
    assert_eq!(code(no_cookie, ask).await, "ldap.control_missing");
    let forgotten =
        |id| vec![Act::Say(message(id, &tlv(0x65, &[tlv(10, &[16, 0]), tlv(4, b""), tlv(4, b"")].concat())))];
    assert_eq!(code(forgotten, ask).await, "ldap.sync_restart");
}

/// A page of entries that bear what may be a mark of ours, before others.
fn page_of_lent(id: i32) -> Vec<Act> {
    let attributes =
        [attribute("entryUUID", &[uuid(7).into_bytes()]), attribute("description", &[b"jit1:x".to_vec()])];
    let lent = message(id, &entry("uid=jit-1,ou=people,dc=x", &attributes));
    let value = tlv(0x30, &[tlv(2, &[0]), tlv(4, b"more")].concat());
    vec![Act::Say(lent), Act::Say(controlled(id, &done(0), &[(PAGED, &value)]))]
}

#[tokio::test(start_paused = true)]
async fn pages_of_which_nothing_is_read_are_handed_out_one_by_one() {
    let endless = |asked: Asked| if asked.id < 100 { page_of_lent(asked.id) } else { vec![Act::Close] };
    let config = settings(ImportWay::Pages).check().unwrap();
    let mut reading = config.read_over(connection(endless), None).unwrap();
    for _ in 0..20 {
        let Step::Records(records) = reading.next().await.unwrap() else { panic!("it has no end") };
        assert!(records.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_who_takes_their_time_reads_a_stream_to_its_end() {
    let many = |asked: Asked| {
        let people = (0..2000).map(|_| state(asked.id, 1, "ou=people,dc=x"));
        people.chain([sync_done(asked.id, b"c")]).collect()
    };
    let config = settings(ImportWay::Sync).check().unwrap();
    let mut reading = config.read_over(connection(many), None).unwrap();
    let mut records = 0;
    loop {
        match reading.next().await.unwrap() {
            Step::Records(more) => records += more.len(),
            Step::Complete(_) => break,
        }
        // the caller's own work
        tokio::time::sleep(std::time::Duration::from_secs(300)).await;
    }
    assert_eq!(records, 2000);
}

#[tokio::test(start_paused = true)]
async fn large_entries_of_one_page_are_handed_out_in_parts() {
    let group = |asked: Asked| {
        let part = if has(&asked, PAGED) { "member;range=0-0" } else { "member;range=1-*" };
        let member = attribute(part, &[vec![b'x'; 1 << 20]]);
        let one = |number| {
            let id = attribute("entryUUID", &[uuid(number).into_bytes()]);
            let dn = format!("uid=a{number},ou=people,dc=x");
            Act::Say(message(asked.id, &entry(&dn, &[id, member.clone()])))
        };
        if has(&asked, PAGED) {
            (0..10).map(one).chain([page_end(asked.id)]).collect()
        } else {
            let number = (0..10).find(|number| has(&asked, &format!("uid=a{number},"))).unwrap();
            vec![one(number), Act::Say(message(asked.id, &done(0)))]
        }
    };
    let config = settings(ImportWay::Pages).check().unwrap();
    let mut reading = config.read_over(connection(group), None).unwrap();
    let mut parts = Vec::new();
    while let Step::Records(records) = reading.next().await.unwrap() {
        parts.push(records.len());
    }
    assert!(parts.len() > 2 && parts.iter().sum::<usize>() == 10, "{parts:?}");
}

/// A group of a mebibyte and one more value, of which the server returns the first alone.
fn large_group(id: i32, number: u8, part: &str) -> Act {
    let member = attribute(part, &[vec![b'x'; 1 << 20]]);
    let attributes = [attribute("entryUUID", &[uuid(number).into_bytes()]), member];
    Act::Say(message(id, &entry(&format!("uid=a{number},ou=people,dc=x"), &attributes)))
}

#[tokio::test(start_paused = true)]
async fn a_page_that_nobody_has_room_for_is_read_whole_all_the_same() {
    const GROUPS: u8 = 40;
    let server = |asked: Asked| {
        let group = |number| large_group(asked.id, number, "member;range=0-0");
        if asked.op != 0x63 {
            // the server is asked to stop: it has said all by then
            return Vec::new();
        }
        if has(&asked, PAGED) {
            return (0..GROUPS).map(group).chain([page_end(asked.id)]).collect();
        }
        let end = Act::Say(message(asked.id, &done(0)));
        if let Some(number) = (0..GROUPS).find(|number| has(&asked, &format!("uid=a{number},"))) {
            return vec![large_group(asked.id, number, "member;range=1-*"), end];
        }
        (0..GROUPS).filter(|number| has(&asked, &uuid(*number))).map(group).chain([end]).collect()
    };
    let config = settings(ImportWay::Pages).check().unwrap();
    let mut reading = config.read_over(connection(server), None).unwrap();
    let mut groups = std::collections::BTreeSet::new();
    while let Step::Records(records) = reading.next().await.unwrap() {
        for record in records {
            let Record::Changed(group) = record else { panic!("a group: {record:?}") };
            assert_eq!(group.entry().values(&jit_ldap::AttributeName::MEMBER).unwrap().len(), 2);
            assert!(groups.insert(group.id()), "each once");
        }
    }
    assert_eq!(groups.len(), usize::from(GROUPS));
}

#[tokio::test(start_paused = true)]
async fn a_stream_without_end_is_handed_out_in_steps() {
    let endless = |asked: Asked| {
        let Act::Say(one) = state(asked.id, 1, "ou=people,dc=x") else { return Vec::new() };
        vec![Act::Repeat(one)]
    };
    let config = settings(ImportWay::Sync).check().unwrap();
    let mut reading = config.read_over(connection(endless), None).unwrap();
    for _ in 0..20 {
        let Step::Records(records) = reading.next().await.unwrap() else { panic!("it has no end") };
        assert_eq!(records.len(), 500);
    }
}

fn guid(number: u8) -> Vec<u8> {
    vec![number; 16]
}

fn changed(id: i32, number: u8) -> Act {
    let attributes = [attribute("objectGUID", &[guid(number)])];
    Act::Say(message(id, &entry(&format!("cn=a{number},ou=people,dc=x"), &attributes)))
}

fn round_end(id: i32, has_more: u8, cookie: &[u8]) -> Act {
    let value = tlv(0x30, &[tlv(2, &[has_more]), tlv(2, &[0]), tlv(4, cookie)].concat());
    Act::Say(controlled(id, &done(0), &[(DIR_SYNC, &value)]))
}

fn page_end(id: i32) -> Act {
    let value = tlv(0x30, &[tlv(2, &[0]), tlv(4, b"")].concat());
    Act::Say(controlled(id, &done(0), &[(PAGED, &value)]))
}

fn has(asked: &Asked, text: &str) -> bool {
    asked.bytes.windows(text.len()).any(|part| part == text.as_bytes())
}

/// A cookie as a reading of nobody leaves it.
async fn cookie() -> ImportCookie {
    let config = settings(ImportWay::DirSync).check().unwrap();
    let nobody = connection(|asked| match asked.id {
        1 => vec![round_end(1, 0, b"begin")],
        id => vec![page_end(id)],
    });
    let mut reading = config.read_over(nobody, None).unwrap();
    loop {
        match reading.next().await.unwrap() {
            Step::Records(records) => assert!(records.is_empty(), "nobody is there"),
            Step::Complete(complete) => return complete.cookie.unwrap(),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn changes_of_active_directory_are_read_anew_and_whole() {
    let cookie = cookie().await;
    let script = |asked: Asked| {
        let id = asked.id;
        if has(&asked, DIR_SYNC) {
            // two rounds, of which each names somebody who has left
            return match id {
                1 => vec![changed(id, 1), changed(id, 2), round_end(id, 1, b"second")],
                _ => vec![changed(id, 3), round_end(id, 0, b"third")],
            };
        }
        if has(&asked, PAGED) {
            return vec![changed(id, 1), page_end(id)];
        }
        if has(&asked, "range=2-*") {
            let rest = attribute("member;range=2-*", &[b"cn=c".to_vec()]);
            let whole = entry("cn=a1,ou=people,dc=x", &[rest]);
            return vec![Act::Say(message(id, &whole)), Act::Say(message(id, &done(0)))];
        }
        if id > 3 {
            return vec![Act::Say(message(id, &done(0)))];
        }
        let first = attribute("member;range=0-1", &[b"cn=a".to_vec(), b"cn=b".to_vec()]);
        let one = entry("cn=a1,ou=people,dc=x", &[attribute("objectGUID", &[guid(1)]), first]);
        vec![Act::Say(message(id, &one)), Act::Say(message(id, &done(0)))]
    };
    let config = settings(ImportWay::DirSync).check().unwrap();
    let mut reading = config.read_over(connection(script), Some(&cookie)).unwrap();
    let Step::Records(records) = reading.next().await.unwrap() else { panic!("changes") };
    let [Record::Changed(one), Record::Gone(two)] = &records[..] else { panic!("{records:?}") };
    assert_eq!(one.entry().values(&jit_ldap::AttributeName::MEMBER).unwrap().len(), 3);
    assert_eq!(two.to_object_guid().to_vec(), guid(2));
    let Step::Records(records) = reading.next().await.unwrap() else { panic!("the second round") };
    assert!(matches!(&records[..], [Record::Gone(three)] if three.to_object_guid().to_vec() == guid(3)));
    let Step::Records(records) = reading.next().await.unwrap() else { panic!("those that are there") };
    assert!(matches!(&records[..], [Record::Unchanged(_)]));
    assert!(matches!(reading.next().await.unwrap(), Step::Complete(_)));
}

#[tokio::test(start_paused = true)]
async fn rounds_end_or_are_an_error() {
    let cookie = cookie().await;
    let (ask, ask_again) = (
        |connection| read(ImportWay::DirSync, connection, None),
        |connection| read(ImportWay::DirSync, connection, Some(&cookie)),
    );
    let stuck = |id| vec![round_end(id, 1, b"same")];
    assert_eq!(code(stuck, ask).await, "ldap.paging_stuck");
    assert_eq!(code(stuck, ask_again).await, "ldap.paging_stuck");
    assert_eq!(code(|id| vec![round_end(id, 0, b"")], ask_again).await, "ldap.paging_stuck");
    assert_eq!(code(|id| vec![Act::Say(message(id, &done(0)))], ask_again).await, "ldap.control_missing");
    // somebody who was not asked for
    let invented = |asked: Asked| match asked.id {
        1 => vec![changed(1, 1), round_end(1, 0, b"next")],
        id => vec![changed(id, 9), Act::Say(message(id, &done(0)))],
    };
    assert_eq!(ask_again(connection(invented)).await.unwrap_err().code().as_str(), "ldap.entry_foreign");
}
