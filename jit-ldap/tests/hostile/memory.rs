//! How much memory a hostile server can make us take.
#![cfg(target_os = "linux")]

use std::process::Command;

use jit_ldap::connection::SyncMode;
use jit_ldap::import::Step;
use jit_ldap::{
    AttributeName, Connection, Dn, EntryName, Filter, IdAttribute, ImportSettings, LdapError, Password,
    Scope, Search,
};

use crate::ber::{attribute, controlled, done, entry, message, nested, tlv};
use crate::server::{Act, code};

/// What the limits of the tests allow one result to hold is half of this.
const MOST_KIB: u64 = 32 * 1024;

/// The most memory that this process ever had, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap()
}

#[test]
fn no_mode_takes_more_than_some_megabytes() {
    // what was freed is not always used again: values that are put together are measured by themselves
    for modes in ["memory::each_mode_in_turn", "memory::large_values_one_by_one"] {
        let out = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", modes, "--ignored", "--nocapture"])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&out.stdout).into_owned();
        assert!(out.status.success() && said.contains("1 passed"), "{said}");
    }
}

fn everything() -> Search {
    let base = Dn::parse("ou=people,dc=x").unwrap();
    Search::new(base, Scope::Subtree, Filter::present(&AttributeName::OBJECT_CLASS))
}

async fn ask(mut connection: Connection) -> Result<(), LdapError> {
    connection.search(&everything()).await.map(drop)
}

async fn bind(mut connection: Connection) -> Result<(), LdapError> {
    connection.bind("cn=us", &Password::new("secret").unwrap(), &[]).await.map(drop)
}

async fn pages(mut connection: Connection) -> Result<(), LdapError> {
    let mut pages = connection.pages(everything(), 500);
    // whoever goes on reads on, and keeps nothing
    for _ in 0..200 {
        pages.next_page().await?;
    }
    Ok(())
}

async fn values(mut connection: Connection) -> Result<(), LdapError> {
    let group = Dn::parse("cn=big,dc=x").unwrap();
    let search = Search::entry(&group).attributes([AttributeName::MEMBER]);
    let mut found = connection.find_one(&search).await?.unwrap();
    connection.complete(&EntryName::Dn(group), &mut found).await
}

async fn import(connection: Connection) -> Result<(), LdapError> {
    let mut settings = ImportSettings::new("ou=people,dc=x", "(uid=*)", IdAttribute::EntryUuid);
    settings.attributes = vec!["photo".to_owned()];
    let config = settings.check().unwrap();
    let mut reading = config.read_over(connection, None)?;
    // whoever goes on reads on, and keeps nothing
    while let Step::Records(_) = reading.next().await? {}
    Ok(())
}

async fn changes(mut connection: Connection) -> Result<(), LdapError> {
    connection.changes(&everything(), SyncMode::Sync, None).await.map(drop)
}

fn person(octets: usize) -> Vec<u8> {
    entry("uid=a,ou=people,dc=x", &[attribute("photo", &[vec![0; octets]])])
}

#[tokio::test(start_paused = true)]
#[ignore = "measures its whole process: the test above runs it in one of its own"]
async fn each_mode_in_turn() {
    let long = [vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff], vec![0; 64 * 1024]].concat();
    let just_right = [vec![0x30, 0x83, 0x1f, 0xff, 0xf0], vec![0; 64 * 1024]].concat();
    let deep = nested(0x30, 100_000);
    let many = entry("uid=a,ou=people,dc=x", &[attribute("photo", &vec![Vec::new(); 60_000])]);
    let page = tlv(0x30, &[tlv(2, &[0]), tlv(4, b"more")].concat());
    let set = tlv(0xa3, &tlv(0x31, &tlv(4, &[7; 16]).repeat(20_000)));
    let set = tlv(0x79, &[tlv(0x80, b"1.3.6.1.4.1.4203.1.9.1.4"), tlv(0x81, &set)].concat());
    let before = peak();
    let mut modes: Vec<(&str, String)> = Vec::new();
    modes.push(("a length of 4 GiB", code(move |_| vec![Act::Repeat(long.clone())], bind).await));
    modes.push(("a length that is never reached", {
        let bytes = just_right.clone();
        code(move |_| vec![Act::Drip(bytes.clone())], bind).await
    }));
    modes.push(("nothing but nesting", code(move |id| vec![Act::Say(message(id, &deep))], bind).await));
    let small = |id| vec![Act::Repeat(message(id, &person(10)))];
    modes.push(("small entries without end", code(small, ask).await));
    let large = |id| vec![Act::Repeat(message(id, &person(1 << 20)))];
    modes.push(("large entries without end", code(large, ask).await));
    let crowded = move |id| vec![Act::Repeat(message(id, &many))];
    modes.push(("entries of many small parts", code(crowded, ask).await));
    let id = attribute("entryUUID", &[b"00000000-0000-0000-0000-000000000001".to_vec()]);
    let photographed = entry("uid=a,ou=people,dc=x", &[id, attribute("photo", &[vec![0; 100_000]])]);
    let photographed = move |id| vec![Act::Repeat(message(id, &photographed))];
    modes.push(("an import of a page without end", code(photographed, import).await));
    let reference = |id| vec![Act::Repeat(message(id, &tlv(0x73, &tlv(4, &[b'x'; 60_000]))))];
    modes.push(("references without end", code(reference, ask).await));
    let sets = move |id| vec![Act::Repeat(message(id, &set))];
    modes.push(("identifiers without end", code(sets, changes).await));
    let full = move |id| {
        let mut acts: Vec<_> = (0..400).map(|_| Act::Say(message(id, &person(1000)))).collect();
        acts.push(Act::Say(controlled(id, &done(0), &[("1.2.840.113556.1.4.319", &page)])));
        acts
    };
    modes.push(("pages without end", code(full, pages).await));
    let ranges = |id: i32| {
        let first = usize::try_from(id - 1).unwrap() * 1500;
        let values: Vec<_> =
            (first..first + 1500).map(|number| format!("cn={number}").into_bytes()).collect();
        let part = attribute(&format!("member;range={first}-{}", first + 1499), &values);
        vec![Act::Say(message(id, &entry("cn=big,dc=x", &[part]))), Act::Say(message(id, &done(0)))]
    };
    modes.push(("values without end", code(ranges, values).await));
    let grown = peak() - before;
    for (mode, code) in &modes {
        assert!(code.starts_with("ldap.") || *mode == "pages without end", "{mode}: {code}");
    }
    assert!(grown < MOST_KIB, "{grown} KiB: {modes:?}");
}

#[tokio::test(start_paused = true)]
#[ignore = "measures its whole process: the test above runs it in one of its own"]
async fn large_values_one_by_one() {
    let one_by_one = |id: i32| {
        let value = attribute(&format!("member;range={0}-{0}", id - 1), &[vec![b'x'; 128 << 10]]);
        let part = message(id, &entry("cn=big,dc=x", &[value]));
        if id < 1000 { vec![Act::Say(part), Act::Say(message(id, &done(0)))] } else { vec![Act::Close] }
    };
    let before = peak();
    assert_eq!(code(one_by_one, values).await, "ldap.too_many_entries");
    let grown = peak() - before;
    assert!(grown < MOST_KIB, "{grown} KiB");
}
