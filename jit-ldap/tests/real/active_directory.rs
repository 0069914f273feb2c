//! Samba as a domain controller of Active Directory. One server serves all tests of this file: it takes a second to start.

use jit_core::{Clock as _, SystemClock};
use jit_ldap::connection::SyncMode;
use jit_ldap::control::oid;
use jit_ldap::outcome::BindRefusal;
use jit_ldap::time::AccountExpires;
use jit_ldap::{
    Attribute, AttributeName, Control, Dn, EntryId, EntryName, Filter, IdAttribute, Modification, Password,
    Rdn, Scope, Search, Sid,
};
use tokio::sync::OnceCell;

use crate::peer::Peer;

/// Ends with the process: its standard input closes then.
static SAMBA: OnceCell<Peer> = OnceCell::const_new();

pub(crate) async fn samba() -> &'static Peer {
    SAMBA.get_or_init(|| async { tokio::task::spawn_blocking(|| Peer::start("samba")).await.unwrap() }).await
}

fn name(text: &str) -> AttributeName {
    AttributeName::new(text).unwrap()
}

fn at(peer: &Peer, account: &str) -> Dn {
    peer.below("OU=JIT").child(Rdn::new("CN", account).unwrap())
}

fn account(peer: &Peer, account: &str, password: &str, expires: AccountExpires) -> Vec<Attribute> {
    let principal = format!("{account}@{}", peer.text("service").split('@').nth(1).unwrap());
    let password = Password::new(password).unwrap().to_unicode_password();
    vec![
        Attribute::new(AttributeName::OBJECT_CLASS, ["user"]),
        Attribute::new(name("sAMAccountName"), [account]),
        Attribute::new(name("userPrincipalName"), [principal]),
        Attribute::new(name("userAccountControl"), ["512"]),
        Attribute::new(AttributeName::ACCOUNT_EXPIRES, [expires.write().unwrap()]),
        Attribute::new(AttributeName::UNICODE_PASSWORD, [password.to_vec()]),
    ]
}

async fn id_of(peer: &Peer, dn: &Dn) -> EntryId {
    let search = Search::entry(dn).attributes([AttributeName::OBJECT_GUID]);
    let entry = peer.as_service().await.read(&search).await.unwrap().unwrap();
    entry.id(IdAttribute::ObjectGuid).unwrap()
}

#[tokio::test]
async fn one_add_makes_an_account_that_can_be_used_at_once() {
    let peer = samba().await;
    let mut service = peer.as_service().await;
    let dn = at(peer, "jit-one");
    service.add(&dn, &account(peer, "jit-one", "Xy7-long-enough", AccountExpires::Never), &[]).await.unwrap();
    assert_eq!(peer.bind(&dn.to_string(), "Xy7-long-enough").await, "fine");
    assert_eq!(peer.bind("jit-one@jit.test", "Xy7-long-enough").await, "fine");
    let sid = Search::entry(&dn).attributes([AttributeName::OBJECT_SID]);
    let entry = service.read(&sid).await.unwrap().unwrap();
    let sid = Sid::from_object_sid(entry.value(&AttributeName::OBJECT_SID).unwrap()).unwrap();
    assert!(sid.to_string().starts_with("S-1-5-21-") && sid.relative_id().unwrap() >= 1000);
}

#[tokio::test]
async fn a_weak_password_leaves_nothing_behind() {
    let peer = samba().await;
    let mut service = peer.as_service().await;
    let dn = at(peer, "jit-weak");
    let error =
        service.add(&dn, &account(peer, "jit-weak", "short", AccountExpires::Never), &[]).await.unwrap_err();
    assert_eq!(error.code().as_str(), "ldap.constraint_violation");
    assert!(error.answer().unwrap().diagnostic().contains("0000052D"));
    assert!(service.read(&Search::entry(&dn)).await.unwrap().is_none());
}

#[tokio::test]
async fn the_server_itself_refuses_an_account_that_is_over_and_says_why() {
    let peer = samba().await;
    let mut service = peer.as_service().await;
    let dn = at(peer, "jit-past");
    let past = AccountExpires::At(SystemClock.now() - chrono::TimeDelta::seconds(5));
    service.add(&dn, &account(peer, "jit-past", "Xy7-long-enough", past), &[]).await.unwrap();
    let password = Password::new("Xy7-long-enough").unwrap();
    let error = peer.connect().await.bind(&dn.to_string(), &password, &[]).await.unwrap_err();
    assert_eq!(error.code().as_str(), "ldap.credentials_invalid");
    assert_eq!(error.answer().unwrap().bind_refusal(), Some(BindRefusal::AccountExpired));
}

#[tokio::test]
async fn a_delete_by_identifier_does_not_hit_whoever_has_the_name_now() {
    let peer = samba().await;
    let mut service = peer.as_service().await;
    let dn = at(peer, "jit-same");
    let attributes = account(peer, "jit-same", "Xy7-long-enough", AccountExpires::Never);
    service.add(&dn, &attributes, &[]).await.unwrap();
    let first = EntryName::Guid(id_of(peer, &dn).await);
    service.delete(&first, &[]).await.unwrap();
    service.add(&dn, &attributes, &[]).await.unwrap();
    assert_eq!(service.delete(&first, &[]).await.unwrap_err().code().as_str(), "ldap.entry_missing");
    assert!(service.read(&Search::entry(&dn)).await.unwrap().is_some());
    let second = EntryName::Guid(id_of(peer, &dn).await);
    let found = service
        .read(&Search::entry(second.clone()).attributes([name("sAMAccountName")]))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.text(&name("samaccountname")), Some("jit-same"));
    service.delete(&second, &[]).await.unwrap();
}

#[tokio::test]
async fn elevation_adds_and_removes_one_value() {
    let peer = samba().await;
    let mut service = peer.as_service().await;
    let bob = Attribute::new(AttributeName::MEMBER, [peer.below("CN=bob,OU=People").to_string()]);
    let ops = EntryName::Dn(peer.below("CN=ops,OU=Groups"));
    let add = [Modification::Add(bob.clone())];
    let remove = [Modification::Delete(bob)];
    service.modify(&ops, &add, &[]).await.unwrap();
    assert_eq!(service.modify(&ops, &add, &[]).await.unwrap_err().code().as_str(), "ldap.entry_exists");
    service.modify(&ops, &remove, &[]).await.unwrap();
    assert_eq!(service.modify(&ops, &remove, &[]).await.unwrap_err().code().as_str(), "ldap.unwilling");
}

#[tokio::test]
async fn what_our_account_may_not_do_it_cannot() {
    let peer = samba().await;
    let mut service = peer.as_service().await;
    let outside = peer.below("CN=jit-outside,OU=People");
    let attributes = account(peer, "jit-outside", "Xy7-long-enough", AccountExpires::Never);
    let error = service.add(&outside, &attributes, &[]).await.unwrap_err();
    assert_eq!(error.code().as_str(), "ldap.access_denied");
    let taken = service
        .add(&at(peer, "jit-taken"), &account(peer, "alice", "Xy7-long-enough", AccountExpires::Never), &[])
        .await;
    assert_eq!(taken.unwrap_err().code().as_str(), "ldap.entry_exists");
}

#[tokio::test]
async fn a_control_that_the_server_does_not_know_is_a_refusal() {
    let peer = samba().await;
    let mut service = peer.as_service().await;
    let everything =
        Search::new(peer.below("OU=JIT"), Scope::Subtree, Filter::present(&AttributeName::OBJECT_CLASS));
    let error = service.search(&everything.control(Control::sync(None))).await.unwrap_err();
    assert_eq!(error.code().as_str(), "ldap.control_unsupported", "{error:?}");
    assert!(service.is_usable());
}

#[tokio::test]
async fn references_to_other_servers_are_counted_and_not_followed() {
    let peer = samba().await;
    let mut service = peer.as_service().await;
    let people = Search::new(peer.base(), Scope::Subtree, Filter::equals(&name("sAMAccountName"), "alice"));
    let found = service.search(&people).await.unwrap();
    assert_eq!(found.entries.len(), 1);
    assert!(found.references > 0);
}

#[tokio::test]
async fn changes_are_told_without_a_right_to_replicate_and_deletions_to_those_who_may_see_them() {
    let peer = samba().await;
    let mut service = peer.as_service().await;
    let mut admin = peer.connect().await;
    let password = Password::new("Adm1nistrator-Passw0rd").unwrap();
    admin.bind("Administrator@jit.test", &password, &[]).await.unwrap();
    let all = Search::new(peer.base(), Scope::Subtree, Filter::present(&AttributeName::OBJECT_CLASS))
        .attributes([name("sAMAccountName"), AttributeName::OBJECT_GUID, name("isDeleted")]);
    let begin = service.changes(&all, SyncMode::DirSync, None).await.unwrap().cookie;
    let dn = at(peer, "jit-sync");
    service
        .add(&dn, &account(peer, "jit-sync", "Xy7-long-enough", AccountExpires::Never), &[])
        .await
        .unwrap();
    let id = id_of(peer, &dn).await;
    let is_this = |entry: &jit_ldap::Entry| entry.id(IdAttribute::ObjectGuid) == Ok(id);
    let seen = service.changes(&all, SyncMode::DirSync, Some(&begin)).await.unwrap();
    assert!(seen.changed.iter().any(is_this));
    service.delete(&EntryName::Guid(id), &[]).await.unwrap();
    let told = admin.changes(&all, SyncMode::DirSync, Some(&seen.cookie)).await.unwrap();
    assert!(told.deleted.contains(&id) && !told.changed.iter().any(is_this));
    let kept = service.changes(&all, SyncMode::DirSync, Some(&seen.cookie)).await.unwrap();
    assert!(!kept.deleted.contains(&id) && !kept.changed.iter().any(is_this));
}

#[tokio::test]
async fn a_server_says_what_it_can() {
    let peer = samba().await;
    let features = peer.as_service().await.features().await.unwrap();
    assert!(features.is_active_directory() && features.has_control(oid::DIR_SYNC));
    assert!(!features.has_extension("1.3.6.1.4.1.4203.1.11.3"));
    assert!(features.naming_contexts().any(|dn| dn == peer.base()));
}
