//! What a source said, kept along with what it means for people.

use std::{num::NonZeroUsize, sync::Arc};

use async_trait::async_trait;
use chrono::TimeDelta;
use jit_core::*;
use serde_json::json;

use crate::{
    facts::*,
    support::{hooked::Hooked, *},
};

fn collection(kind: &str) -> Collection {
    let connection = ConnectionId::new("scim").unwrap();
    Collection { tenant: tenant(), connection, kind: kind.parse().unwrap() }
}

fn document(house: &House, kind: &str, name: &str) -> Document {
    let now = house.clock.now();
    Document {
        key: collection(kind).key(house.jit.new_document_id()),
        version: 1,
        created_at: now,
        changed_at: now,
        account: None,
        body: json!({ "name": name }).to_string().into(),
        names: [DocumentName::unique(IndexName::new("name").unwrap(), name)].into(),
    }
}

fn kept(action: &'static str, documents: Vec<DocumentWrite>) -> Kept {
    let connection = ConnectionId::new("scim").unwrap();
    Kept {
        tenant: tenant(),
        connection,
        action: Code::new(action),
        documents,
        retell: Vec::new(),
        retell_members: None,
        about: None,
    }
}

impl House {
    async fn stored(&self, document: &Document) -> Option<Document> {
        self.store.document(&document.key).await.unwrap()
    }

    async fn hear_keeping(&self, said: Said, documents: Vec<DocumentWrite>) -> Result<Outcome, JitError> {
        self.jit.handle(Event::record(said.by(&self.attestors[0]).keeping(documents))).await
    }

    async fn actions(&self) -> Vec<String> {
        self.trail().await.iter().map(|event| event.action.to_string()).collect()
    }
}

fn alice() -> serde_json::Value {
    json!({ "preferred_username": "alice", "groups": ["editor"] })
}

#[tokio::test]
async fn a_document_comes_with_the_account_and_changes_without_it() {
    let house = house_of_scim(Provisioning::default());
    let new = document(&house, "User", "alice");
    let outcome = house.hear_keeping(said("e1", alice()), vec![DocumentWrite::create(new.clone())]).await;
    let Outcome::Provisioned(joined) = outcome.unwrap() else { panic!("not taken") };
    let stored = house.stored(&new).await.unwrap();
    assert_eq!((stored.account, stored.version), (Some(joined.account.id), 1), "it tells whom it is about");
    let longer = Document { body: "{\"nick\":\"al\"}".into(), ..stored.clone() };
    let update = DocumentWrite::update(&stored, longer);
    let outcome = house.hear_keeping(said("e1", alice()), vec![update.clone()]).await;
    let Outcome::Provisioned(same) = outcome.unwrap() else { panic!("not taken") };
    assert_eq!((same.effect, same.account.version), (RecordEffect::Unchanged, joined.account.version));
    assert_eq!(house.stored(&new).await.unwrap().version, 2);
    assert_eq!(house.actions().await, ["record.joined", "record.kept"]);
    let late = house.hear_keeping(said("e1", alice()), vec![update]).await.unwrap_err();
    assert_eq!(late.code().as_str(), "store.document_changed", "nothing is tried again on its behalf");
    house.hear_keeping(said("e1", alice()), Vec::new()).await.unwrap();
    assert_eq!(house.actions().await.len(), 2, "nothing to keep is nothing to record");
}

#[tokio::test]
async fn a_name_that_is_taken_keeps_the_account_from_being_made() {
    let house = house_of_scim(Provisioning::default());
    let first = document(&house, "User", "alice");
    house.hear_keeping(said("e1", alice()), vec![DocumentWrite::create(first)]).await.unwrap();
    let twin = DocumentWrite::create(document(&house, "User", "alice"));
    let error = house.hear_keeping(said("e2", json!({})), vec![twin]).await.unwrap_err();
    assert_eq!(error.code().as_str(), "store.document_name_taken");
    assert_eq!(house.all().await.len(), 1);
}

#[tokio::test]
async fn nothing_is_kept_of_what_is_refused_or_outdated() {
    let house = house_of_scim(Provisioning::default());
    let new = document(&house, "User", "alice");
    let unknown = said("e1", alice()).expecting(Expected::Known);
    let outcome = house.hear_keeping(unknown, vec![DocumentWrite::create(new.clone())]).await.unwrap();
    assert!(matches!(outcome, Outcome::Denied(_)));
    assert_eq!(house.stored(&new).await, None);
    house.taken(said("e1", alice()).version(5)).await;
    let outdated = said("e1", json!({})).version(4);
    house.hear_keeping(outdated, vec![DocumentWrite::create(new.clone())]).await.unwrap();
    assert_eq!(house.stored(&new).await, None);
}

#[tokio::test]
async fn a_source_keeps_documents_of_its_own_connection_only() {
    let house = house_of_scim(Provisioning::default());
    let mut foreign = document(&house, "User", "alice");
    foreign.key.collection.connection = ConnectionId::new("other").unwrap();
    let write = || vec![DocumentWrite::create(foreign.clone())];
    let error = house.hear_keeping(said("e1", alice()), write()).await.unwrap_err();
    assert_eq!(error.code().as_str(), "engine.foreign_document");
    assert!(house.all().await.is_empty());
    let error = house.jit.keep(kept("scim.kept", write())).await.unwrap_err();
    assert_eq!(error.code().as_str(), "engine.foreign_document");
    let elsewhere = Kept { connection: ConnectionId::new("none").unwrap(), ..kept("scim.kept", write()) };
    let error = house.jit.keep(elsewhere).await.unwrap_err();
    assert_eq!(error.code().as_str(), "engine.unknown_connection");
    assert_eq!(house.stored(&foreign).await, None);
}

#[tokio::test]
async fn whoever_is_gone_leaves_document_and_groups_with_the_account() {
    let house = house_of_scim(Provisioning::default());
    let new = document(&house, "User", "alice");
    house.hear_keeping(said("e1", alice()), vec![DocumentWrite::create(new.clone())]).await.unwrap();
    let group = document(&house, "Group", "staff");
    let kind = new.key.collection.kind.clone();
    let joins = vec![MemberChange::Add { member: new.key.id, kind, body: "{}".into() }];
    let write = DocumentWrite::create(group.clone()).with_members(joins);
    house.jit.keep(kept("group.made", vec![write])).await.unwrap();
    let stored = house.stored(&new).await.unwrap();
    let gone = DocumentWrite::remove(&stored, house.clock.now());
    let outcome = house.hear_keeping(said("e1", alice()).gone(), vec![gone]).await.unwrap();
    let Outcome::Provisioned(ended) = outcome else { panic!("not taken") };
    assert_eq!((ended.effect, ended.account.state.word()), (RecordEffect::Ended, "ended"));
    assert_eq!(house.stored(&new).await, None);
    assert_eq!(house.stored(&group).await.unwrap().version, 2, "the group has changed");
    assert_eq!(house.store.member(&group.key, new.key.id).await.unwrap(), None);
}

#[tokio::test]
async fn ids_of_documents_are_in_the_order_in_which_they_were_made() {
    let house = house_of_scim(Provisioning::default());
    let ids: Vec<_> = (0..200).map(|_| house.jit.new_document_id()).collect();
    assert!(ids.is_sorted());
}

/// Tells what the document says of its person; fails as often as it is told to.
struct Storyteller {
    issuer: Attestor,
    fails: std::sync::atomic::AtomicUsize,
}

#[async_trait]
impl Teller for Storyteller {
    async fn tell(&self, jit: &Jit, retold: &Retold) -> Result<(), JitError> {
        use std::sync::atomic::Ordering::SeqCst;
        if self.fails.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok() {
            return Err(BackendError::new(ErrorKind::Unavailable, "teller").into());
        }
        assert_eq!(retold.document.collection.kind.as_str(), "User");
        assert_eq!(retold.about.as_ref().map(|about| about.collection.kind.as_str()), Some("Group"));
        let told = json!({ "preferred_username": "alice", "groups": ["editor", "staff"] });
        jit.handle(Event::record(said("e1", told).by(&self.issuer))).await.map(drop)
    }

    fn person(&self, _group: &DocumentKey, _member: &Member) -> Option<(AccountId, DocumentKey)> {
        None
    }
}

#[tokio::test]
async fn whose_groups_changed_is_told_anew_whatever_fails_in_between() {
    let memory: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let hooked = Arc::new(Hooked::new(Arc::clone(&memory)));
    let mut house =
        house_on(hooked.clone(), vec![wire("scim").provisions(Provisioning::default())], |builder| builder);
    let user = document(&house, "User", "alice");
    let outcome = house.hear_keeping(said("e1", alice()), vec![DocumentWrite::create(user.clone())]).await;
    let Outcome::Provisioned(joined) = outcome.unwrap() else { panic!("not taken") };
    let group = document(&house, "Group", "staff");
    let (worker, many) = (WorkerId::new("w1").unwrap(), NonZeroUsize::new(50).unwrap());
    let scim = ConnectionId::new("scim").unwrap();
    let retell = vec![(joined.account.id, user.key.clone())];
    let change = || Kept {
        retell: retell.clone(),
        about: Some(group.key.clone()),
        ..kept("group.made", vec![DocumentWrite::create(group.clone())])
    };
    let teller = Storyteller { issuer: house.attestors.remove(0), fails: 1.into() };
    *hooked.failing.lock().unwrap() = Some("commit");
    house.jit.keep(change()).await.unwrap_err();
    *hooked.failing.lock().unwrap() = None;
    let report = house.jit.retell(&worker, &tenant(), &scim, many, &teller).await.unwrap();
    assert_eq!(report, WorkReport::default(), "nothing was written, so there is nothing to tell");
    house.jit.keep(change()).await.unwrap();
    // The process that wrote it ends here; another one takes the work up.
    let report = house.jit.retell(&worker, &tenant(), &scim, many, &teller).await.unwrap();
    assert_eq!((report.done, report.failed), (0, 1));
    assert_eq!(held_roles(&house.get(joined.account.id).await), ["role:editor"]);
    house.work().await;
    house.clock.advance(TimeDelta::minutes(1));
    let report = house.jit.retell(&worker, &tenant(), &scim, many, &teller).await.unwrap();
    assert_eq!((report.done, report.failed), (1, 0));
    assert_eq!(held_roles(&house.get(joined.account.id).await), ["role:editor", "role:staff"]);
    let report = house.jit.retell(&worker, &tenant(), &scim, many, &teller).await.unwrap();
    assert_eq!(report, WorkReport::default());
    let trail = house.trail().await;
    let made = trail.iter().find(|event| event.action.as_str() == "group.made").unwrap();
    assert_eq!(made.actor, Actor::Connection { id: scim });
    assert_eq!(made.changes, [format!("create document Group {}", group.key.id)]);
}
