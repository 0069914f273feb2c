//! All of a commit, or nothing of it.

use chrono::TimeDelta;

use crate::conformance::{
    Failure, Nodes,
    failure::{ensure, is_account, is_nobody, refused, same},
    sample::{Dressed, Made, World, at, count},
};
use crate::{
    Account, Commit, CounterChange, CounterName, ErrorKind, LookupKey, Matches, Store, Taken, Task, Tenants,
};

/// A commit with every part, written over an account and a task that are there.
struct Whole {
    world: World,
    before: Account,
    waiting: Task,
    commit: Commit,
}

impl Whole {
    async fn prepare(store: &dyn Store) -> Made<Self> {
        let mut world = World::new("a")?;
        let before = world.person("old")?.called("old")?.mailed("old@example.com")?;
        let before = world.create(store, before).await?;
        let (waiting, task) = (world.task("lane", at(5))?, world.task("lane", at(1))?);
        store.commit(&Commit { tasks: vec![waiting.clone()], ..world.commit() }).await?;
        let after = before.clone().linked(world.key("new")?).called("new")?.mailed("new@example.com")?;
        let after = after.holding(world.grant("role:editor")?);
        let commit = Commit {
            tasks: vec![task],
            withdrawn: vec![waiting.id],
            events: vec![world.event(Some(before.id))],
            counters: world.count(&CounterName::seats(), 1, (None, Some(10))).counters,
            ..world.revision(&before, &after)
        };
        Ok(Self { world, before, waiting, commit })
    }

    /// Asks whether nothing of the commit can be seen, on either node.
    async fn left_no_trace(&self, nodes: &Nodes) -> Result<(), Failure> {
        let (world, before) = (&self.world, &self.before);
        for store in [nodes.one(), nodes.two()] {
            is_account(store.get(&world.tenant, before.id).await?.as_ref(), before, "the account changed")?;
            is_nobody(store.find(&world.key("new")?).await?.as_ref(), "the identity was added")?;
            is_account(store.find(&world.key("old")?).await?.as_ref(), before, "the identity was removed")?;
            is_nobody(store.named(&world.tenant, "new").await?.as_ref(), "the name was changed")?;
            let old = before.lookup_keys();
            let mut new: Vec<_> =
                self.commit.account.iter().flat_map(|write| write.after().lookup_keys()).collect();
            new.retain(|key| !old.contains(key));
            self.keys_are(store, &old, &new).await?;
            same(&store.next_due(&self.waiting.lane).await?, &Some(at(5)), "the tasks changed")?;
            ensure(world.recorded(store).await?.is_empty(), "an event was recorded")?;
            ensure(world.counter_is(store, &CounterName::seats(), 0).await, "the counter moved")?;
        }
        Ok(())
    }

    async fn keys_are(
        &self,
        store: &dyn Store,
        lead: &[LookupKey],
        dangle: &[LookupKey],
    ) -> Result<(), Failure> {
        for key in lead {
            let found = store.matching(&self.world.tenant, key).await?;
            ensure(matches!(found, Matches::One(_)), "a lookup key was removed")?;
        }
        for key in dangle {
            same(&store.matching(&self.world.tenant, key).await?, &Matches::None, "a lookup key was added")?;
        }
        Ok(())
    }
}

/// Checks that an accepted commit writes every part of it.
pub async fn an_accepted_commit_writes_every_part(nodes: &Nodes) -> Result<(), Failure> {
    let whole = Whole::prepare(nodes.one()).await?;
    nodes.one().commit(&whole.commit).await?;
    let (world, store) = (&whole.world, nodes.two());
    let found = store.find(&world.key("new")?).await?;
    ensure(found.is_some_and(|account| account.grants.len() == 1), "the account was not written")?;
    is_nobody(store.named(&world.tenant, "old").await?.as_ref(), "the old name")?;
    same(&store.next_due(&whole.waiting.lane).await?, &Some(at(1)), "the new task")?;
    let claimed = nodes
        .one()
        .claim(&"w".parse()?, &whole.waiting.lane, &Tenants::All, at(9), TimeDelta::hours(1), count(9))
        .await?;
    same(&claimed.len(), &1, "the old task is withdrawn and the new one is there")?;
    same(&world.recorded(store).await?.len(), &1, "the events")?;
    ensure(world.counter_is(store, &CounterName::seats(), 1).await, "the counter did not move")
}

/// Checks that nothing is written when an identity is taken.
pub async fn nothing_is_written_when_an_identity_is_taken(nodes: &Nodes) -> Result<(), Failure> {
    let mut whole = Whole::prepare(nodes.one()).await?;
    let owner = whole.world.person("taken")?;
    whole.world.create(nodes.one(), owner).await?;
    let after = whole.before.clone().linked(whole.world.key("new")?).linked(whole.world.key("taken")?);
    whole.commit.account = whole.world.revision(&whole.before, &after.mailed("new@example.com")?).account;
    let taken = ErrorKind::AlreadyExists(Taken::Identity);
    refused(nodes.one().commit(&whole.commit).await, &taken, "the commit")?;
    whole.left_no_trace(nodes).await
}

/// Checks that nothing is written when the user name is taken.
pub async fn nothing_is_written_when_the_user_name_is_taken(nodes: &Nodes) -> Result<(), Failure> {
    let mut whole = Whole::prepare(nodes.one()).await?;
    let owner = whole.world.account().called("Taken")?;
    whole.world.create(nodes.one(), owner).await?;
    let after = whole.before.clone().linked(whole.world.key("new")?).called("taken")?;
    whole.commit.account = whole.world.revision(&whole.before, &after.mailed("new@example.com")?).account;
    let taken = ErrorKind::AlreadyExists(Taken::UserName);
    refused(nodes.one().commit(&whole.commit).await, &taken, "the commit")?;
    whole.left_no_trace(nodes).await
}

/// Checks that nothing is written when the account is at another version.
pub async fn nothing_is_written_when_the_version_is_old(nodes: &Nodes) -> Result<(), Failure> {
    let mut whole = Whole::prepare(nodes.one()).await?;
    let (before, touched) = (whole.before.clone(), Account { updated_at: at(1), ..whole.before.clone() });
    whole.before = whole.world.update(nodes.one(), &before, touched).await?;
    refused(nodes.one().commit(&whole.commit).await, &ErrorKind::Conflict, "the commit")?;
    whole.left_no_trace(nodes).await
}

/// Checks that nothing is written when the id of a task is taken.
pub async fn nothing_is_written_when_a_task_is_taken(nodes: &Nodes) -> Result<(), Failure> {
    let mut whole = Whole::prepare(nodes.one()).await?;
    let twin = Task { due: at(2), ..whole.waiting.clone() };
    whole.commit.withdrawn.clear();
    whole.commit.tasks.push(twin);
    refused(nodes.one().commit(&whole.commit).await, &ErrorKind::AlreadyExists(Taken::Task), "the commit")?;
    whole.left_no_trace(nodes).await
}

/// Checks that nothing is written when a counter would leave its bounds, though another would not.
pub async fn nothing_is_written_when_a_counter_is_at_its_bound(nodes: &Nodes) -> Result<(), Failure> {
    let mut whole = Whole::prepare(nodes.one()).await?;
    let holders = CounterName::holders(&"role:owner".parse()?);
    whole.commit.counters.push(CounterChange {
        name: holders.clone(),
        by: -1,
        at_least: Some(1),
        at_most: None,
    });
    refused(nodes.one().commit(&whole.commit).await, &ErrorKind::LimitReached(holders), "the commit")?;
    whole.left_no_trace(nodes).await
}

/// Checks that nothing is written when an event was recorded before.
pub async fn nothing_is_written_when_an_event_is_recorded(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let event = world.event(None);
    store.commit(&Commit { events: vec![event.clone()], ..world.commit() }).await?;
    let account = world.person("x")?;
    let events = vec![world.event(None), event.clone()];
    let again = Commit { events, ..world.creation(&account) };
    refused(nodes.two().commit(&again).await, &ErrorKind::Conflict, "the commit")?;
    same(&world.recorded(store).await?, &vec![event.id], "the events")?;
    is_nobody(store.get(&world.tenant, account.id).await?.as_ref(), "the account")
}

/// Checks that a commit with any part of another tenant is invalid and nothing of it is written.
pub async fn nothing_is_written_across_tenants(nodes: &Nodes) -> Result<(), Failure> {
    let mut whole = Whole::prepare(nodes.one()).await?;
    let mut other = World::new("b")?;
    let (task, event, person) = (other.task("lane", at(0))?, other.event(None), other.person("new")?);
    let foreign_key = whole.before.clone().linked(other.key("new")?);
    let good = whole.commit.clone();
    for (commit, what) in [
        (Commit { tasks: vec![task], ..good.clone() }, "a task"),
        (Commit { events: vec![event], ..good.clone() }, "an event"),
        (Commit { account: other.creation(&person).account, ..good.clone() }, "an account"),
        (
            Commit { account: whole.world.revision(&whole.before, &foreign_key).account, ..good },
            "an identity",
        ),
    ] {
        whole.commit = commit;
        refused(nodes.one().commit(&whole.commit).await, &ErrorKind::Invalid, what)?;
        whole.left_no_trace(nodes).await?;
    }
    is_nobody(nodes.one().find(&other.key("new")?).await?.as_ref(), "an account of the other tenant")?;
    ensure(other.recorded(nodes.one()).await?.is_empty(), "an event of the other tenant")
}
