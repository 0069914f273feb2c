//! Whatever call of the store fails, and whether it was done all the same: nothing is lost, and nothing is half done.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use jit_core::*;
use serde_json::{Value, json};

use crate::support::{self, *};

/// Fails at one call: before it is done, or after.
pub(crate) struct Faulty {
    pub(crate) inner: MemoryStore,
    /// How many calls it is until one fails.
    left: AtomicUsize,
    after: std::sync::atomic::AtomicBool,
    pub(crate) calls: AtomicUsize,
    /// How many documents and members were handed out in lists.
    pub(crate) rows: AtomicUsize,
    /// How much the largest commit wrote: documents, members, tasks.
    pub(crate) largest: AtomicUsize,
    /// How many looks by name are too early to find what is written meanwhile.
    early: AtomicUsize,
    /// How many groups of one member are named at most.
    pub(crate) named: AtomicUsize,
    /// What the next look at a document finds, which is changed right after.
    pub(crate) old: Mutex<Option<Document>>,
}

pub(crate) const NEVER: usize = usize::MAX;

impl Faulty {
    pub(crate) fn new() -> Self {
        Self {
            inner: MemoryStore::new(),
            left: NEVER.into(),
            after: false.into(),
            calls: 0.into(),
            rows: 0.into(),
            largest: 0.into(),
            early: 0.into(),
            named: NEVER.into(),
            old: Mutex::default(),
        }
    }

    pub(crate) fn arm(&self, calls: usize, after: bool) {
        self.left.store(calls, Ordering::SeqCst);
        self.after.store(after, Ordering::SeqCst);
    }

    fn fault(&self) -> bool {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let left = self.left.load(Ordering::SeqCst);
        if left == NEVER {
            return false;
        }
        self.left.store(if left == 0 { NEVER } else { left - 1 }, Ordering::SeqCst);
        left == 0
    }

    async fn call<T>(
        &self,
        call: impl Future<Output = Result<T, BackendError>> + Send,
    ) -> Result<T, BackendError> {
        let failed = || BackendError::new(ErrorKind::Unavailable, "test");
        let (fault, after) = (self.fault(), self.after.load(Ordering::SeqCst));
        if fault && !after {
            return Err(failed());
        }
        let done = call.await;
        if fault { Err(failed()) } else { done }
    }

    fn counted<T>(&self, page: Page<T>) -> Page<T> {
        self.rows.fetch_add(page.items.len(), Ordering::SeqCst);
        page
    }
}

jit_core::pass_on!(TaskQueue, OneTime, AuditLog for Faulty => inner);

jit_core::pass_on! { UserStore(list, bearers, long_over, touch) for Faulty => inner;
    async fn find(&self, key: &ExternalKey) -> Result<Option<Account>, BackendError> {
        self.call(self.inner.find(key)).await
    }

    async fn get(&self, tenant: &TenantId, id: AccountId) -> Result<Option<Account>, BackendError> {
        self.call(self.inner.get(tenant, id)).await
    }

    async fn matching(&self, tenant: &TenantId, key: &LookupKey) -> Result<Matches, BackendError> {
        self.call(self.inner.matching(tenant, key)).await
    }

    async fn named(&self, tenant: &TenantId, key: &str) -> Result<Option<Account>, BackendError> {
        self.call(self.inner.named(tenant, key)).await
    }

    async fn commit(&self, commit: &Commit) -> Result<(), BackendError> {
        let members: usize = commit.documents.iter().map(|write| write.members().len()).sum();
        let size = commit.documents.len() + members + commit.tasks.len() + commit.withdrawn.len();
        self.largest.fetch_max(size, Ordering::SeqCst);
        self.call(self.inner.commit(commit)).await
    }
}

#[async_trait]
impl DocumentStore for Faulty {
    async fn document(&self, key: &DocumentKey) -> Result<Option<Document>, BackendError> {
        let old = self.old.lock().unwrap().take();
        if old.is_some() {
            return Ok(old);
        }
        self.call(self.inner.document(key)).await
    }
    async fn document_text(
        &self,
        of: &Collection,
        id: DocumentId,
    ) -> Result<Option<DocumentText>, BackendError> {
        self.call(self.inner.document_text(of, id)).await
    }
    async fn documents_named(
        &self,
        of: &Collection,
        index: &IndexName,
        value: &str,
    ) -> Result<Vec<DocumentText>, BackendError> {
        let is_early = self.early.try_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if is_early.is_ok() {
            return Ok(Vec::new());
        }
        self.call(self.inner.documents_named(of, index, value)).await
    }
    async fn documents(&self, query: &DocumentQuery) -> Result<Page<DocumentText>, BackendError> {
        Ok(self.counted(self.call(self.inner.documents(query)).await?))
    }
    async fn count_documents(&self, of: &Collection) -> Result<u64, BackendError> {
        self.call(self.inner.count_documents(of)).await
    }
    async fn members(
        &self,
        group: &DocumentKey,
        after: Option<DocumentId>,
        limit: NonZeroUsize,
    ) -> Result<Page<Member>, BackendError> {
        Ok(self.counted(self.call(self.inner.members(group, after, limit)).await?))
    }
    async fn member(&self, group: &DocumentKey, id: DocumentId) -> Result<Option<Member>, BackendError> {
        self.call(self.inner.member(group, id)).await
    }
    async fn memberships(&self, member: &DocumentKey) -> Result<Memberships, BackendError> {
        let mut found = self.call(self.inner.memberships(member)).await?;
        let most = self.named.load(Ordering::SeqCst);
        found.is_cut |= found.groups.len() > most;
        found.groups.truncate(most);
        Ok(found)
    }
}

fn faulty_house() -> (House, Arc<Faulty>) {
    let store = Arc::new(Faulty::new());
    (house_on(Arc::clone(&store) as Arc<dyn Store>, SETTINGS, |connection| connection), store)
}

/// Sends until it is taken, as a client does.
async fn insist(house: &House, method: &str, path: &str, body: &Value) -> Answer {
    for _ in 0..3 {
        let answer = house.send(method, path, &[], Some(body)).await;
        if answer.status != 503 {
            return answer;
        }
        assert!(answer.header("retry-after").is_some());
    }
    panic!("it is never taken");
}

#[tokio::test]
async fn whatever_call_fails_access_follows_groups_in_the_end() {
    for (calls, after) in (0..24).flat_map(|calls| [(calls, false), (calls, true)]) {
        let (house, store) = faulty_house();
        let mut ids = Vec::new();
        for name in ["anna", "bert"] {
            ids.push(house.post("/Users", person(name, name)).await.is(201).id());
        }
        let path = format!("/Groups/{}", house.post("/Groups", support::group("team-a", &[])).await.id());
        let members = json!([{"value": ids[0]}, {"value": ids[1]}]);
        let join = patch(json!([{"op": "add", "path": "members", "value": members}]));
        let leave = patch(json!([{"op": "remove", "path": format!("members[value eq \"{}\"]", ids[0])}]));
        let rename = patch(json!([{"op": "replace", "path": "displayName", "value": "team-b"}]));
        for (change, held) in [
            (join, [vec!["group:team-a"], vec!["group:team-a"]]),
            (leave, [vec![], vec!["group:team-a"]]),
            (rename, [vec![], vec!["group:team-b"]]),
        ] {
            store.arm(calls, after);
            insist(&house, "PATCH", &path, &change).await.is(204);
            store.arm(NEVER, false);
            assert_eq!(house.work().await.failed, 0);
            for (name, held) in ["anna", "bert"].into_iter().zip(held) {
                assert_eq!(house.grants(name).await, held, "{name}, call {calls}, {after}");
            }
        }
    }
}

#[tokio::test]
async fn whatever_call_fails_a_user_is_there_once_or_not_at_all() {
    for (calls, after) in (0..12).flat_map(|calls| [(calls, false), (calls, true)]) {
        let (house, store) = faulty_house();
        store.arm(calls, after);
        let made = insist(&house, "POST", "/Users", &person("anna", "e1")).await;
        assert!([201, 409].contains(&made.status), "{made:?}");
        store.arm(NEVER, false);
        let found = house.get("/Users?filter=userName eq \"anna\"").await.body;
        assert_eq!((&found["totalResults"], house.accounts().await.len()), (&json!(1), 1));
        let path = format!("/Users/{}", found["Resources"][0]["id"].as_str().unwrap());
        store.arm(calls, after);
        let gone = insist(&house, "DELETE", &path, &Value::Null).await;
        assert!([204, 404].contains(&gone.status), "{gone:?}");
        store.arm(NEVER, false);
        house.get(&path).await.is(404);
        assert!(matches!(house.account().await.state, AccountState::Ended { .. }));
    }
}

/// A change of one among many asks the store as often as a change of one among few.
#[tokio::test]
async fn the_work_of_a_change_does_not_grow_with_the_group() {
    let mut counts = Vec::new();
    for size in [3_usize, 300] {
        let (house, store) = faulty_house();
        let mut ids = Vec::new();
        for number in 0..=size {
            ids.push(house.post("/Users", user(&format!("u{number}"))).await.id());
        }
        let all: Vec<_> = ids.iter().skip(1).map(String::as_str).collect();
        let path = format!("/Groups/{}", house.post("/Groups", support::group("team-a", &all)).await.id());
        let before = store.calls.load(Ordering::SeqCst);
        let join = json!([{"op": "add", "path": "members", "value": [{"value": ids[0]}]}]);
        house.patch(&path, join).await.is(204);
        let leave = json!([{"op": "remove", "path": format!("members[value eq \"{}\"]", ids[1])}]);
        house.patch(&path, leave).await.is(204);
        counts.push(store.calls.load(Ordering::SeqCst) - before);
    }
    assert_eq!(counts[0], counts[1]);
}

/// Puts so many people, of whom nobody was told, into a group.
pub(crate) async fn fill(store: &Faulty, group: &str, count: u64) {
    let tenant = TenantId::new("acme").unwrap();
    let of = |kind: &str| Collection {
        tenant: tenant.clone(),
        connection: "scim".parse().unwrap(),
        kind: DocumentKind::new(kind).unwrap(),
    };
    let now = "2026-11-21T09:00:00Z".parse().unwrap();
    let group = of("Group").key(group.parse().unwrap());
    let people: Vec<DocumentId> =
        (0..count).map(|number| format!("00000000-0000-7000-8000-{number:012x}").parse().unwrap()).collect();
    for some in people.chunks(1000) {
        let mut commit = Commit::new(tenant.clone());
        let before = store.inner.document(&group).await.unwrap().unwrap();
        let mut after = before.clone();
        after.version += 1;
        let joins = some.iter().map(|id| MemberChange::Add {
            member: *id,
            kind: DocumentKind::new("User").unwrap(),
            body: "null".into(),
        });
        commit.documents.push(DocumentWrite::update(&before, after).with_members(joins.collect()));
        commit.documents.extend(some.iter().map(|id| {
            DocumentWrite::create(Document {
                key: of("User").key(*id),
                version: 1,
                created_at: now,
                changed_at: now,
                account: None,
                body: "{}".into(),
                names: Arc::default(),
            })
        }));
        store.inner.commit(&commit).await.unwrap();
    }
}

#[tokio::test]
async fn a_change_of_one_member_asks_as_little_of_a_large_group_as_of_a_small_one() {
    let mut asked = Vec::new();
    for count in [100, 100_000] {
        let (house, store) = faulty_house();
        let group = house.post("/Groups", group("team-red", &[])).await.is(201).id();
        let anna = house.post("/Users", user("anna")).await.is(201).id();
        fill(&store, &group, count).await;
        store.calls.store(0, Ordering::SeqCst);
        store.rows.store(0, Ordering::SeqCst);
        let path = format!("/Groups/{group}");
        let first = "00000000-0000-7000-8000-000000000000";
        for operation in [
            json!({"op": "add", "path": "members", "value": [{"value": anna}]}),
            json!({"op": "remove", "path": format!("members[value eq \"{anna}\"]")}),
            json!({"op": "remove", "path": format!("members[value eq \"{first}\"]")}),
        ] {
            house.patch(&path, json!([operation])).await.is(204);
        }
        asked.push((store.calls.load(Ordering::SeqCst), store.rows.load(Ordering::SeqCst)));
        let group = Collection {
            tenant: TenantId::new("acme").unwrap(),
            connection: "scim".parse().unwrap(),
            kind: DocumentKind::new("Group").unwrap(),
        };
        let group = group.key(path.rsplit('/').next().unwrap().parse().unwrap());
        assert_eq!(store.inner.member(&group, first.parse().unwrap()).await.unwrap(), None);
    }
    assert_eq!(asked[0], asked[1], "calls of the store, and rows of its lists");
    assert_eq!(asked[1].1, 0, "nobody else is read");
}

#[tokio::test]
async fn a_page_of_the_groups_of_one_member_reads_no_others() {
    let mut asked = Vec::new();
    for count in [3, 60] {
        let (house, store) = faulty_house();
        let anna = house.post("/Users", user("anna")).await.is(201).id();
        for number in 0..count {
            house.post("/Groups", group(&format!("team-{number}"), &[&anna])).await.is(201);
        }
        store.calls.store(0, Ordering::SeqCst);
        let filter = format!("filter=members.value eq \"{anna}\"&excludedAttributes=members");
        let page = house.get(&format!("/Groups?{filter}&startIndex=2&count=2")).await.is(200).body;
        let shown = page["Resources"].as_array().map(Vec::len);
        assert_eq!((&page["totalResults"], shown), (&json!(count), Some(2)));
        asked.push(store.calls.load(Ordering::SeqCst));
    }
    assert_eq!(asked[0], asked[1], "calls of the store");
}

#[tokio::test]
async fn two_requests_of_a_feed_for_one_new_person_are_both_followed() {
    let store = Arc::new(Faulty::new());
    let house =
        house_on(Arc::clone(&store) as Arc<dyn Store>, SETTINGS, jit_scim::server::ScimConnection::feed);
    let id = house.post("/Users", person("anna", "e1")).await.is(201).id();
    let mut second = person("anna", "e1");
    second["title"] = json!("Baker");
    // the second looked for the person under both names before the first had written them
    store.early.store(2, Ordering::SeqCst);
    let changed = house.post("/Users", second).await.is(200);
    assert_eq!((changed.id(), &changed.body["title"]), (id, &json!("Baker")));
}

/// A removal that comes between the look at somebody and their change is none that forbids it.
#[tokio::test]
async fn a_change_beside_a_removal_finds_nobody() {
    for condition in [&[][..], &[("if-match", "W/\"1\"")]] {
        let (house, store) = faulty_house();
        let id = house.post("/Users", person("anna", "e1")).await.is(201).id();
        let of = Collection {
            tenant: TenantId::new("acme").unwrap(),
            connection: "scim".parse().unwrap(),
            kind: DocumentKind::new("User").unwrap(),
        };
        let before = store.inner.document(&of.key(id.parse().unwrap())).await.unwrap();
        let path = format!("/Users/{id}");
        house.delete(&path).await.is(204);
        *store.old.lock().unwrap() = before;
        let change = patch(json!([{"op": "replace", "path": "title", "value": "x"}]));
        house.send("PATCH", &path, condition, Some(&change)).await.refuses(404, None);
    }
}
