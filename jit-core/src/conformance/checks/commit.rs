//! Creating and updating accounts.

use crate::conformance::{
    Failure, Nodes,
    failure::{ensure, is_account, is_nobody, refused, same},
    sample::{Dressed, World, at, put_tasks},
};
use crate::{Account, Commit, CounterName, ErrorKind, Taken};

/// Checks that an update replaces the account and raises its version.
pub async fn an_update_replaces_the_account(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let first = world.person("anna")?.called("anna")?;
    let first = world.create(store, first).await?;
    let after = Account { credential_epoch: 4, ..first.clone() };
    let second = world.update(store, &first, after).await?;
    let third = world.update(store, &second, Account { updated_at: at(9), ..second.clone() }).await?;
    same(&third.version, &3, "the version after two updates")?;
    is_account(store.find(&world.key("anna")?).await?.as_ref(), &third, "find")?;
    is_account(store.named(&world.tenant, "anna").await?.as_ref(), &third, "named")
}

/// Checks that an update planned on an old version is refused and changes nothing.
pub async fn an_update_of_an_old_version_is_refused(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let first = world.account();
    let first = world.create(store, first).await?;
    let second = world.update(store, &first, Account { updated_at: at(1), ..first.clone() }).await?;
    let stale = world.revision(&first, &Account { updated_at: at(2), ..first.clone() });
    refused(nodes.two().commit(&stale).await, &ErrorKind::Conflict, "a stale update")?;
    let early = Account { version: 7, ..second.clone() };
    let early = world.revision(&early, &early);
    refused(store.commit(&early).await, &ErrorKind::Conflict, "an update of a version to come")?;
    is_account(store.get(&world.tenant, first.id).await?.as_ref(), &second, "afterwards")
}

/// Checks that an update of an account that is not there is refused and creates nothing.
pub async fn an_update_of_nobody_is_refused(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let nobody = world.person("ghost")?;
    refused(
        store.commit(&world.revision(&nobody, &nobody)).await,
        &ErrorKind::Conflict,
        "an update of nobody",
    )?;
    is_nobody(store.get(&world.tenant, nobody.id).await?.as_ref(), "get")?;
    is_nobody(store.find(&world.key("ghost")?).await?.as_ref(), "find")
}

/// Checks that a second account cannot take an id, and the first one stays as it is.
pub async fn an_account_id_is_taken_once(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let first = world.person("first")?;
    let first = world.create(store, first).await?;
    let second = Account { id: first.id, ..world.person("second")? };
    let taken = ErrorKind::AlreadyExists(Taken::Account);
    refused(nodes.two().commit(&world.creation(&second)).await, &taken, "the id of another account")?;
    is_account(store.get(&world.tenant, first.id).await?.as_ref(), &first, "afterwards")
}

/// Checks that a commit repeated word for word is refused, so that its author learns that it was written.
pub async fn a_repeated_commit_is_refused(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let account = world.person("once")?.called("once")?;
    let creation = world.creation(&account);
    store.commit(&creation).await?;
    let again = store.commit(&creation).await.err();
    let told = |kind: &ErrorKind| matches!(kind, ErrorKind::Conflict | ErrorKind::AlreadyExists(_));
    ensure(again.is_some_and(|error| told(error.kind())), "a repeated creation is not told")?;
    let update = world.revision(&account, &account);
    store.commit(&update).await?;
    refused(store.commit(&update).await, &ErrorKind::Conflict, "a repeated update")
}

/// Checks that an identity belongs to one account, whether it comes with a new account or is added to one.
pub async fn an_identity_is_taken_once(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let (owner, thief, other) = (world.person("anna")?, world.person("anna")?, world.person("other")?);
    let owner = world.create(store, owner).await?;
    let taken = ErrorKind::AlreadyExists(Taken::Identity);
    refused(nodes.two().commit(&world.creation(&thief)).await, &taken, "a new account")?;
    let other = world.create(store, other).await?;
    let linked = other.clone().linked(world.key("anna")?);
    refused(nodes.two().commit(&world.revision(&other, &linked)).await, &taken, "another account")?;
    is_account(store.find(&world.key("anna")?).await?.as_ref(), &owner, "afterwards")?;
    is_nobody(store.get(&world.tenant, thief.id).await?.as_ref(), "the thief")
}

/// Checks that an identity that was taken off an account leads nowhere and may be linked anew.
pub async fn a_removed_identity_is_free(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let before = world.person("stays")?.linked(world.key("goes")?);
    let before = world.create(store, before).await?;
    let mut after = before.clone();
    after.identities.truncate(1);
    let after = world.update(store, &before, after).await?;
    is_account(store.find(&world.key("stays")?).await?.as_ref(), &after, "the one that stays")?;
    is_nobody(store.find(&world.key("goes")?).await?.as_ref(), "the one that goes")?;
    let next = world.person("goes")?;
    let next = world.create(store, next).await?;
    is_account(store.find(&world.key("goes")?).await?.as_ref(), &next, "the next owner")
}

/// Checks that one user name is held once in a tenant, by its key.
pub async fn a_user_name_is_taken_once(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let (owner, late) = (world.account().called("Alice")?, world.account().called("ALICE")?);
    let owner = world.create(store, owner).await?;
    let taken = ErrorKind::AlreadyExists(Taken::UserName);
    refused(nodes.two().commit(&world.creation(&late)).await, &taken, "a new account")?;
    let other = world.account().called("bob")?;
    let other = world.create(store, other).await?;
    let renamed = other.clone().called("aLiCe")?;
    refused(nodes.two().commit(&world.revision(&other, &renamed)).await, &taken, "a renamed account")?;
    is_account(store.named(&world.tenant, "alice").await?.as_ref(), &owner, "afterwards")
}

/// Checks that an ended account keeps its user name and its identity, so that nobody inherits them by accident.
pub async fn an_ended_account_keeps_its_name_and_identity(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let live = world.person("eve")?.called("eve")?;
    let live = world.create(store, live).await?;
    world.update(store, &live, live.clone().ended()).await?;
    let (name, identity) = (world.account().called("eve")?, world.person("eve")?);
    let taken = ErrorKind::AlreadyExists(Taken::UserName);
    refused(store.commit(&world.creation(&name)).await, &taken, "the name")?;
    let taken = ErrorKind::AlreadyExists(Taken::Identity);
    refused(store.commit(&world.creation(&identity)).await, &taken, "the identity")
}

/// Checks that a renamed account frees its old name, and that an account may be updated under the name it has.
pub async fn a_renamed_account_frees_its_name(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let first = world.account().called("old")?;
    let first = world.create(store, first).await?;
    let renamed = world.update(store, &first, first.clone().called("new")?).await?;
    is_nobody(store.named(&world.tenant, "old").await?.as_ref(), "the old name")?;
    is_account(store.named(&world.tenant, "new").await?.as_ref(), &renamed, "the new name")?;
    let next = world.account().called("old")?;
    let next = world.create(store, next).await?;
    is_account(store.named(&world.tenant, "old").await?.as_ref(), &next, "the next owner")
}

/// Checks that accounts without a user name do not stand in each other's way.
pub async fn accounts_without_a_name_live_together(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    for _ in 0..3 {
        let account = world.account();
        let account = world.create(store, account).await?;
        is_account(store.get(&world.tenant, account.id).await?.as_ref(), &account, "get")?;
    }
    is_nobody(store.named(&world.tenant, "").await?.as_ref(), "the empty name")
}

/// Checks that a commit without an account writes its other parts, and an empty one is fine.
pub async fn a_commit_needs_no_account(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    store.commit(&world.commit()).await?;
    let (task, event) = (world.task("lane", at(0))?, world.event(None));
    put_tasks(store, &world, &[&task]).await?;
    store.commit(&Commit { events: vec![event.clone()], ..world.commit() }).await?;
    store.commit(&world.count(&CounterName::seats(), 2, (None, None))).await?;
    same(&store.next_due(&task.lane).await?, &Some(at(0)), "the task")?;
    same(&world.recorded(store).await?, &vec![event.id], "the event")?;
    ensure(world.counter_is(store, &CounterName::seats(), 2).await, "the counter did not move")
}

/// Checks that a commit that names a task, an event, a counter or an identity twice is invalid.
pub async fn a_part_named_twice_is_invalid(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let (task, event) = (world.task("lane", at(0))?, world.event(None));
    let counters = world.count(&CounterName::seats(), 1, (None, None)).counters;
    let doubled = world.person("twin")?.linked(world.key("twin")?);
    for (commit, what) in [
        (Commit { tasks: vec![task.clone(), task.clone()], ..world.commit() }, "a task"),
        (
            Commit { withdrawn: vec![task.id], tasks: vec![task.clone()], ..world.commit() },
            "put and withdrawn",
        ),
        (Commit { events: vec![event.clone(), event], ..world.commit() }, "an event"),
        (Commit { counters: [counters.clone(), counters].concat(), ..world.commit() }, "a counter"),
        (world.creation(&doubled), "an identity"),
    ] {
        refused(store.commit(&commit).await, &ErrorKind::Invalid, what)?;
    }
    ensure(store.next_due(&task.lane).await?.is_none(), "a task was written")?;
    ensure(world.recorded(store).await?.is_empty(), "an event was written")?;
    ensure(world.counter_is(store, &CounterName::seats(), 0).await, "the counter moved")
}
