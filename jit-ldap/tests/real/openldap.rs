//! OpenLDAP with its overlays.

use std::time::Duration;

use chrono::{DateTime, Utc};
use jit_core::{Clock as _, SystemClock};
use jit_ldap::connection::SyncMode;
use jit_ldap::control::oid;
use jit_ldap::time::write_generalized;
use jit_ldap::{
    Attribute, AttributeName, Connection, Control, Dn, EntryName, Filter, IdAttribute, Modification,
    Password, Rdn, Scope, Search,
};

use crate::peer::Peer;

fn name(text: &str) -> AttributeName {
    AttributeName::new(text).unwrap()
}

fn account(uid: &str, password: &str) -> Vec<Attribute> {
    vec![
        Attribute::new(AttributeName::OBJECT_CLASS, ["inetOrgPerson"]),
        Attribute::new(name("uid"), [uid]),
        Attribute::new(AttributeName::COMMON_NAME, [uid]),
        Attribute::new(name("sn"), [uid]),
        Attribute::new(AttributeName::USER_PASSWORD, [password]),
    ]
}

fn at(peer: &Peer, uid: &str) -> Dn {
    peer.below("ou=jit").child(Rdn::new("uid", uid).unwrap())
}

fn code<T>(outcome: Result<T, jit_ldap::LdapError>) -> String {
    outcome.map_or_else(|error| error.code().to_string(), |_| "fine".to_owned())
}

fn now() -> DateTime<Utc> {
    SystemClock.now()
}

#[tokio::test]
async fn an_account_lives_and_ends_by_its_identifier() {
    let peer = Peer::start("slapd");
    let mut service = peer.as_service().await;
    let dn = at(&peer, "jit-1");
    let post_read = Control::post_read(&[AttributeName::ENTRY_UUID]);
    let added = service.add(&dn, &account("jit-1", "a-long-password-1"), &[post_read]).await.unwrap();
    let id = added.read_entry(oid::POST_READ).unwrap().id(IdAttribute::EntryUuid).unwrap();
    assert_eq!(peer.bind(&dn.to_string(), "a-long-password-1").await, "fine");

    let group = EntryName::Dn(peer.below("cn=ops,ou=groups"));
    let member = Attribute::new(AttributeName::MEMBER, [dn.to_string()]);
    service.modify(&group, &[Modification::Add(member.clone())], &[]).await.unwrap();
    let again = service.modify(&group, &[Modification::Add(member)], &[]).await;
    assert_eq!(code(again), "ldap.value_exists");

    let same = |id: &str| Control::assertion(&Filter::equals(&AttributeName::ENTRY_UUID, id));
    let entry = EntryName::Dn(dn.clone());
    let other = service.delete(&entry, &[same("00000000-0000-0000-0000-000000000000")]).await;
    assert_eq!(code(other), "ldap.assertion_failed", "an entry of the same name is another one");
    service.delete(&entry, &[same(&id.to_string())]).await.unwrap();
    assert_eq!(code(service.delete(&entry, &[]).await), "ldap.entry_missing");
    let ops = service.read(&Search::entry(group).attributes([AttributeName::MEMBER])).await.unwrap().unwrap();
    assert_eq!(ops.values(&AttributeName::MEMBER).unwrap().len(), 1, "the membership went with the account");
}

#[tokio::test]
async fn any_name_goes_there_and_back() {
    let peer = Peer::start("slapd");
    let mut service = peer.as_service().await;
    let values = [
        "plain",
        " edges ",
        "#hash",
        "a,ou=services",
        "a+b=c",
        "back\\slash",
        "\"quoted\"",
        "<x>;y",
        "star*",
        "(paren)",
        "new\nline",
        "ümläut",
        "🦀",
        "a=b",
        "x)(uid=*",
        "\\2a",
    ];
    for value in values {
        let dn = peer.below("ou=jit").child(Rdn::new("cn", value).unwrap());
        let attributes = [
            Attribute::new(AttributeName::OBJECT_CLASS, ["device"]),
            Attribute::new(AttributeName::COMMON_NAME, [value]),
        ];
        service.add(&dn, &attributes, &[]).await.unwrap();
        let exactly = Filter::all([
            Filter::equals(&AttributeName::OBJECT_CLASS, "device"),
            Filter::equals(&AttributeName::COMMON_NAME, value),
        ]);
        let search = Search::new(peer.below("ou=jit"), Scope::Children, exactly.unwrap());
        let found =
            service.find_one(&search.attributes([AttributeName::COMMON_NAME])).await.unwrap().unwrap();
        assert_eq!(found.text(&AttributeName::COMMON_NAME), Some(value));
        assert_eq!(found.dn().unwrap(), dn, "{value}");
        assert!(found.dn().unwrap().is_below(&peer.below("ou=jit")));
        service.delete(&EntryName::Dn(dn), &[]).await.unwrap();
    }
}

#[tokio::test]
async fn the_server_itself_refuses_an_account_that_is_over() {
    let peer = Peer::start("slapd");
    let mut service = peer.as_service().await;
    for (uid, end, expected) in [
        ("jit-past", now() - chrono::TimeDelta::seconds(5), "ldap.credentials_invalid"),
        ("jit-future", now() + chrono::TimeDelta::hours(1), "fine"),
    ] {
        let dn = at(&peer, uid);
        let mut attributes = account(uid, "a-long-password-1");
        attributes.push(Attribute::new(name("pwdEndTime"), [write_generalized(end).unwrap()]));
        service.add(&dn, &attributes, &[]).await.unwrap();
        assert_eq!(peer.bind(&dn.to_string(), "a-long-password-1").await, expected, "{uid}");
    }
}

#[tokio::test]
async fn a_dynamic_entry_is_given_a_life() {
    let peer = Peer::start("slapd");
    let mut service = peer.as_service().await;
    let dn = at(&peer, "jit-dynamic");
    let mut attributes = account("jit-dynamic", "a-long-password-1");
    attributes[0] = Attribute::new(AttributeName::OBJECT_CLASS, ["inetOrgPerson", "dynamicObject"]);
    service.add(&dn, &attributes, &[]).await.unwrap();
    let life = Duration::from_secs(1200);
    assert_eq!(service.refresh(&dn, life).await.unwrap(), life);
    let alice = peer.below("uid=alice,ou=people");
    assert_ne!(code(service.refresh(&alice, life).await), "fine", "alice is no dynamic entry");
}

#[tokio::test]
async fn what_a_server_refuses_has_a_name() {
    let peer = Peer::start("slapd");
    let mut service = peer.as_service().await;
    let dn = at(&peer, "jit-1");
    service.add(&dn, &account("jit-1", "a-long-password-1"), &[]).await.unwrap();
    let alice = peer.below("uid=alice,ou=people");
    let mail = Attribute::new(AttributeName::MAIL, ["x@example.com"]);
    let unknown = Attribute::new(name("noSuchAttribute"), ["x"]);
    let entry = EntryName::Dn(dn.clone());
    let child = dn.child(Rdn::new("cn", "device").unwrap());
    let device = [
        Attribute::new(AttributeName::OBJECT_CLASS, ["device"]),
        Attribute::new(AttributeName::COMMON_NAME, ["device"]),
    ];
    service.add(&child, &device, &[]).await.unwrap();
    let cases = [
        ("ldap.entry_exists", code(service.add(&dn, &account("jit-2", "a-long-password-1"), &[]).await)),
        (
            "ldap.constraint_violation",
            code(service.add(&at(&peer, "jit-3"), &account("jit-1", "a-long-password-1"), &[]).await),
        ),
        (
            "ldap.constraint_violation",
            code(service.add(&at(&peer, "jit-4"), &account("jit-4", "short"), &[]).await),
        ),
        (
            "ldap.access_denied",
            code(service.modify(&alice.into(), &[Modification::Replace(mail.clone())], &[]).await),
        ),
        ("ldap.value_missing", code(service.modify(&entry, &[Modification::Delete(mail)], &[]).await)),
        ("ldap.schema_violation", code(service.modify(&entry, &[Modification::Add(unknown)], &[]).await)),
        (
            "ldap.entry_missing",
            code(
                service
                    .add(
                        &dn.child(Rdn::new("ou", "x").unwrap()).child(Rdn::new("uid", "a").unwrap()),
                        &account("a", "a-long-password-1"),
                        &[],
                    )
                    .await,
            ),
        ),
        ("ldap.has_children", code(service.delete(&entry, &[]).await)),
        ("ldap.control_unsupported", code(service.delete(&entry, &[Control::dangerous_tree_delete()]).await)),
        ("ldap.control_unsupported", code(service.delete(&entry, &[Control::show_deleted()]).await)),
    ];
    for (number, (expected, outcome)) in cases.iter().enumerate() {
        assert_eq!(expected, outcome, "case {number}");
    }
    assert!(service.is_usable(), "a refusal does not end a connection");
}

#[tokio::test]
async fn an_exchange_compares_first() {
    let peer = Peer::start("slapd");
    let mut service = peer.as_service().await;
    let dn = at(&peer, "jit-1");
    service.add(&dn, &account("jit-1", "a-long-password-1"), &[]).await.unwrap();
    let entry = EntryName::Dn(dn);
    let marker = |text: &str| Attribute::new(name("employeeNumber"), [text]);
    service.modify(&entry, &[Modification::Add(marker("lease-1"))], &[]).await.unwrap();
    let exchange = |old: &str, new: &str| [Modification::Delete(marker(old)), Modification::Add(marker(new))];
    let stale = service.modify(&entry, &exchange("lease-0", "lease-2"), &[]).await;
    assert_eq!(code(stale), "ldap.value_missing");
    service.modify(&entry, &exchange("lease-1", "lease-2"), &[]).await.unwrap();
}

#[tokio::test]
async fn renaming_and_passwords() {
    let peer = Peer::start("slapd");
    let mut service = peer.as_service().await;
    let dn = at(&peer, "jit-1");
    service.add(&dn, &account("jit-1", "a-long-password-1"), &[]).await.unwrap();
    let new = Rdn::new("uid", "jit-9").unwrap();
    service.rename(&EntryName::Dn(dn), &new, false, None, &[]).await.unwrap();
    let renamed = at(&peer, "jit-9");
    let wanted = Password::new("another-password-2").unwrap();
    assert!(service.modify_password(Some(&renamed), None, Some(&wanted)).await.unwrap().is_none());
    assert_eq!(peer.bind(&renamed.to_string(), "another-password-2").await, "fine");
    assert_eq!(peer.bind(&renamed.to_string(), "a-long-password-1").await, "ldap.credentials_invalid");
    // the server makes eight characters and its own policy wants twelve
    let made = service.modify_password(Some(&renamed), None, None).await;
    assert!(matches!(code(made).as_str(), "fine" | "ldap.constraint_violation"));
}

#[tokio::test]
async fn pages_hold_everything_and_a_limit_is_an_error() {
    let peer = Peer::start("slapd");
    let mut service = peer.as_service().await;
    for number in 0..620 {
        let uid = format!("jit-{number}");
        let attributes = [
            Attribute::new(AttributeName::OBJECT_CLASS, ["account"]),
            Attribute::new(name("uid"), [uid.as_str()]),
        ];
        service.add(&at(&peer, &uid), &attributes, &[]).await.unwrap();
    }
    let all =
        Search::new(peer.below("ou=jit"), Scope::Children, Filter::present(&AttributeName::OBJECT_CLASS));
    let mut found = 0;
    let mut pages = service.pages(all.clone(), 100);
    while let Some(page) = pages.next_page().await.unwrap() {
        found += page.len();
    }
    assert_eq!((found, pages.references()), (620, 0));
    let mut person = peer.connect().await;
    let alice = peer.below("uid=alice,ou=people").to_string();
    person.bind(&alice, &Password::new("alice-password-1").unwrap(), &[]).await.unwrap();
    assert_eq!(code(person.search(&all).await), "ldap.size_limit", "500 of 620 are not all");
}

async fn changes(
    service: &mut Connection,
    peer: &Peer,
    cookie: Option<&[u8]>,
) -> jit_ldap::connection::Changes {
    let all = Search::new(peer.below("ou=jit"), Scope::Subtree, Filter::present(&name("uid")))
        .attributes([name("uid")]);
    service.changes(&all, SyncMode::Sync, cookie).await.unwrap()
}

#[tokio::test]
async fn changes_are_told_since_the_last_time() {
    let peer = Peer::start("slapd");
    let mut service = peer.as_service().await;
    for uid in ["jit-1", "jit-2"] {
        service.add(&at(&peer, uid), &account(uid, "a-long-password-1"), &[]).await.unwrap();
    }
    let first = changes(&mut service, &peer, None).await;
    assert_eq!(first.changed.len(), 2);
    let two = EntryName::Dn(at(&peer, "jit-2"));
    let id = Search::entry(two.clone()).attributes([AttributeName::ENTRY_UUID]);
    let id = service.read(&id).await.unwrap().unwrap().id(IdAttribute::EntryUuid).unwrap();
    service.delete(&two, &[]).await.unwrap();
    service.add(&at(&peer, "jit-3"), &account("jit-3", "a-long-password-1"), &[]).await.unwrap();
    let second = changes(&mut service, &peer, Some(&first.cookie)).await;
    let changed: Vec<_> = second.changed.iter().map(|entry| entry.text(&name("uid")).unwrap()).collect();
    assert_eq!(changed, ["jit-3"]);
    assert!(second.deleted.contains(&id) || (second.is_refresh && !second.present.contains(&id)));
    let third = changes(&mut service, &peer, Some(&second.cookie)).await;
    assert!(third.changed.is_empty() && third.deleted.is_empty());
}

#[tokio::test]
async fn a_server_says_what_it_can() {
    let peer = Peer::start("slapd");
    let features = peer.as_service().await.features().await.unwrap();
    assert!(features.has_control(oid::ASSERTION) && features.has_control(oid::PAGED_RESULTS));
    assert!(!features.has_control(oid::DIR_SYNC) && !features.is_active_directory());
    assert!(features.has_extension("1.3.6.1.4.1.4203.1.11.3"));
    assert_eq!(features.naming_contexts().collect::<Vec<_>>(), [peer.base()]);
}
