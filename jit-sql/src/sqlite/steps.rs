//! What changes cost, counted in the steps that SQLite takes for them: other work on the machine does not change
//! them.

use std::{num::NonZeroUsize, sync::Arc};

use chrono::DateTime;
use jit_core::{
    Account, AccountState, AccountWrite, Code, Collection, Commit, ConnectionId, Document,
    DocumentStore as _, DocumentWrite, EndReason, Filter, Forgotten, Lease, MarkerKey, MemberChange, Mint,
    Phase, Query, RemoteRef, RuleName, TargetId, TenantId, UserStore as _,
};

use super::{SqliteStore, commit, documents, kept, users};

fn now() -> DateTime<chrono::Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn document(mint: &mut Mint, kind: &str) -> Document {
    let (tenant, connection) = (TenantId::new("acme").unwrap(), ConnectionId::new("scim").unwrap());
    let collection = Collection { tenant, connection, kind: kind.parse().unwrap() };
    Document {
        key: collection.key(mint.document()),
        version: 1,
        created_at: now(),
        changed_at: now(),
        account: None,
        body: "{}".into(),
        names: Arc::default(),
    }
}

fn add(user: &Document, body: &str) -> MemberChange {
    let kind = user.key.collection.kind.clone();
    MemberChange::Add { member: user.key.id, kind, body: body.into() }
}

/// A group of so many members, and somebody who is in no group.
struct House {
    store: SqliteStore,
    group: Document,
    members: Vec<Document>,
    late: Document,
}

impl House {
    async fn of(count: usize) -> Self {
        let store = SqliteStore::in_memory().unwrap();
        let mut mint = Mint::new(now(), [1; 16]);
        let members: Vec<_> = (0..count).map(|_| document(&mut mint, "User")).collect();
        let (late, group) = (document(&mut mint, "User"), document(&mut mint, "Group"));
        let house = Self { store, group, members, late };
        let people = house.members.iter().chain([&house.late]);
        let mut writes: Vec<_> = people.map(|person| DocumentWrite::create(person.clone())).collect();
        let all = house.members.iter().map(|member| add(member, "{}")).collect();
        writes.push(DocumentWrite::create(house.group.clone()).with_members(all));
        house.write(writes).await;
        house
    }

    async fn write(&self, documents: Vec<DocumentWrite>) {
        let tenant = self.group.key.collection.tenant.clone();
        self.store.commit(&Commit { documents, ..Commit::new(tenant) }).await.unwrap();
    }

    async fn change(&mut self, change: MemberChange) {
        let write = DocumentWrite::update(&self.group, self.group.clone()).with_members(vec![change]);
        self.write(vec![write]).await;
        self.group.version += 1;
    }

    fn steps(&self) -> i64 {
        let all = [commit::STATEMENTS, kept::STATEMENTS, documents::STATEMENTS];
        self.store.readers.steps(&all.concat())
    }
}

/// The steps of each change and look, in turn.
async fn costs(count: usize) -> Vec<(&'static str, i64)> {
    let mut house = House::of(count).await;
    let (middle, late) = (house.members[count / 2].clone(), house.late.clone());
    let mut costs = vec![("", house.steps())];
    house.change(add(&late, "{}")).await;
    costs.push(("join", house.steps()));
    house.change(add(&late, "{}")).await;
    costs.push(("join again", house.steps()));
    house.store.member(&house.group.key, middle.key.id).await.unwrap().unwrap();
    costs.push(("look at a member", house.steps()));
    assert_eq!(house.store.memberships(&middle.key).await.unwrap().groups.len(), 1);
    costs.push(("look at the groups of a member", house.steps()));
    let two = NonZeroUsize::new(2).unwrap();
    house.store.members(&house.group.key, Some(middle.key.id), two).await.unwrap();
    costs.push(("look at a page", house.steps()));
    house.change(MemberChange::Remove { member: late.key.id }).await;
    costs.push(("leave", house.steps()));
    house.write(vec![DocumentWrite::remove(&middle, now())]).await;
    costs.push(("a member is removed", house.steps()));
    assert!(house.store.member(&house.group.key, middle.key.id).await.unwrap().is_none());
    costs.windows(2).map(|pair| (pair[1].0, pair[1].1 - pair[0].1)).collect()
}

#[tokio::test]
async fn what_changes_of_members_cost_does_not_depend_on_how_many_there_are() {
    let (small, large) = (costs(10).await, costs(5_000).await);
    assert!(small.iter().all(|(_, steps)| *steps > 0), "{small:?}");
    assert_eq!(small, large);
}

/// An account whose lease ended so many seconds after the beginning.
fn over(mint: &mut Mint, seconds: i64) -> Account {
    let (tenant, at) = (TenantId::new("acme").unwrap(), now() + chrono::TimeDelta::seconds(seconds));
    let state = AccountState::Ended { reason: Code::new("lease.over"), since: at };
    let mut account = Account::begin(mint.account(), tenant.clone(), state, at);
    let marker = MarkerKey::new("test", &[5; 32]).unwrap().mark(&tenant, account.id);
    let native = Some(format!("id-{seconds}"));
    let remote = RemoteRef { name: "jit-1".into(), place: None, marker, native, home: None };
    let (target, role) = (TargetId::new("ad").unwrap(), RuleName::new("admin").unwrap());
    account.lease = Some(Box::new(Lease {
        phase: Phase::Gone { since: at, why: EndReason::Expired },
        ..Lease::intended(target, mint.account(), role, remote, at)
    }));
    account
}

/// The steps of naming and removing five of so many, of which all but ten are too young, and of what is asked of those that
/// were removed.
async fn costs_of_forgetting(count: i64) -> Vec<i64> {
    let (store, tenant, mut mint) =
        (SqliteStore::in_memory().unwrap(), TenantId::new("acme").unwrap(), Mint::new(now(), [1; 16]));
    for seconds in 0..count {
        let account = Some(AccountWrite::create(over(&mut mint, seconds)));
        store.commit(&Commit { account, ..Commit::new(tenant.clone()) }).await.unwrap();
    }
    let steps = || store.readers.steps(&[commit::STATEMENTS, &users::READS].concat());
    let (five, two) = (NonZeroUsize::new(5).unwrap(), NonZeroUsize::new(2).unwrap());
    let mut costs = vec![steps()];
    let named = store.long_over(&tenant, now() + chrono::TimeDelta::seconds(9), None, five).await.unwrap();
    costs.push(steps());
    let mut forgotten = Vec::new();
    for over in &named {
        let account = store.get(&tenant, over.account).await.unwrap().unwrap();
        forgotten.push(Forgotten::of(&account).unwrap());
    }
    costs.push(steps());
    store.commit(&Commit { forgotten, ..Commit::new(tenant.clone()) }).await.unwrap();
    costs.push(steps());
    assert!(store.get(&tenant, named[0].account).await.unwrap().is_none());
    // The first page lies beyond those that were removed.
    let query = Query { tenant: tenant.clone(), filter: Filter::All, after: None, limit: two };
    assert_eq!(store.list(&query).await.unwrap().items.len(), 2);
    costs.push(steps());
    costs.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

#[tokio::test]
async fn what_forgetting_costs_depends_on_what_is_forgotten_alone() {
    let (few, many) = (costs_of_forgetting(20).await, costs_of_forgetting(2_000).await);
    assert!(few.iter().all(|steps| *steps > 0), "{few:?}");
    assert_eq!(few, many);
}

/// The steps of reading a page behind so many that were removed.
async fn cost_of_a_page_behind(count: i64) -> i64 {
    let (store, tenant, mut mint) =
        (SqliteStore::in_memory().unwrap(), TenantId::new("acme").unwrap(), Mint::new(now(), [1; 16]));
    let mut accounts: Vec<_> = (0..count).map(|seconds| over(&mut mint, seconds)).collect();
    accounts
        .extend((0..2).map(|_| Account::begin(mint.account(), tenant.clone(), AccountState::Active, now())));
    for account in &accounts {
        let account = Some(AccountWrite::create(account.clone()));
        store.commit(&Commit { account, ..Commit::new(tenant.clone()) }).await.unwrap();
    }
    let forgotten: Vec<_> = accounts.iter().filter_map(Forgotten::of).collect();
    assert_eq!(forgotten.len(), accounts.len() - 2);
    for part in forgotten.chunks(500) {
        let forgotten = part.to_vec();
        store.commit(&Commit { forgotten, ..Commit::new(tenant.clone()) }).await.unwrap();
    }
    let before = store.readers.steps(&users::READS);
    let query = Query { tenant, filter: Filter::All, after: None, limit: NonZeroUsize::new(9).unwrap() };
    assert_eq!(store.list(&query).await.unwrap().items.len(), 2);
    store.readers.steps(&users::READS) - before
}

#[tokio::test]
async fn nobody_reads_over_what_was_forgotten() {
    assert_eq!(cost_of_a_page_behind(10).await, cost_of_a_page_behind(2_000).await);
}

#[test]
fn an_account_that_keeps_its_state_and_name_leaves_their_indexes_alone() {
    let mut connection = super::open::memory().unwrap();
    super::schema::bring_up_to_date(&mut connection).unwrap();
    let mut program = connection.prepare(&format!("EXPLAIN {}", commit::UPDATE_ROW)).unwrap();
    let none = vec![rusqlite::types::Null; program.parameter_count()];
    let steps = program.query_map(rusqlite::params_from_iter(none), |row| row.get::<_, String>(1)).unwrap();
    let steps: Vec<_> = steps.map(Result::unwrap).collect();
    assert!(steps.iter().any(|step| step == "Insert"));
    assert!(!steps.iter().any(|step| step == "IdxInsert" || step == "IdxDelete"), "{steps:?}");
}

#[tokio::test]
async fn a_change_of_an_account_is_one_statement_whether_its_state_moves_or_not() {
    let (store, tenant) = (SqliteStore::in_memory().unwrap(), TenantId::new("acme").unwrap());
    let write = async |account| {
        let commit = Commit { account: Some(account), ..Commit::new(tenant.clone()) };
        let steps = || [commit::UPDATE_ROW, commit::UPDATE].map(|sql| store.readers.steps(&[sql]));
        let before = steps();
        store.commit(&commit).await.unwrap();
        let after = steps();
        [before[0] < after[0], before[1] < after[1]]
    };
    let id = Mint::new(now(), [1; 16]).account();
    let pending = Account::begin(id, tenant.clone(), AccountState::Pending { since: now() }, now());
    assert_eq!(write(AccountWrite::create(pending.clone())).await, [false, false]);
    let mut active = Account { state: AccountState::Active, ..pending.clone() };
    assert_eq!(write(AccountWrite::update(&pending, active.clone())).await, [false, true], "its state moved");
    active.version += 1;
    let again = AccountWrite::update(&active, active.clone());
    assert_eq!(write(again).await, [true, false], "it kept its state");
}
