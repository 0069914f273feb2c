//! Last-seen instants.
//!
//! `last_seen` only ever moves forward, whoever writes it: `touch`, or a commit made from an older read.

use crate::conformance::{
    Failure, Nodes,
    failure::{ensure, is_account, is_nobody, refused, same},
    sample::{Dressed as _, World, at},
};
use crate::{Account, Commit, ErrorKind, Seen, Store};

fn seen(account: &Account, seconds: i64) -> Seen {
    Seen { tenant: account.tenant.clone(), account: account.id, at: at(seconds) }
}

async fn newcomer(store: &dyn Store) -> Result<(World, Account), Failure> {
    let mut world = World::new("a")?;
    let account = world.person("anna")?;
    let account = world.create(store, account).await?;
    Ok((world, account))
}

/// Checks that a touch moves the instant forward and nothing else, the version least of all.
pub async fn a_touch_moves_last_seen_and_nothing_else(nodes: &Nodes) -> Result<(), Failure> {
    let (world, account) = newcomer(nodes.one()).await?;
    for seconds in [10, 20] {
        nodes.one().touch(&[seen(&account, seconds)]).await?;
        let touched = Account { last_seen: Some(at(seconds)), ..account.clone() };
        is_account(nodes.two().get(&world.tenant, account.id).await?.as_ref(), &touched, "get")?;
        is_account(nodes.two().find(&world.key("anna")?).await?.as_ref(), &touched, "find")?;
    }
    Ok(())
}

/// Checks that a touch never moves the instant backward, within one call either.
pub async fn a_touch_never_moves_backward(nodes: &Nodes) -> Result<(), Failure> {
    let (world, account) = newcomer(nodes.one()).await?;
    for seconds in [30, 10] {
        nodes.one().touch(&[seen(&account, seconds), seen(&account, 20), seen(&account, 5)]).await?;
        let touched = Account { last_seen: Some(at(30)), ..account.clone() };
        is_account(nodes.one().get(&world.tenant, account.id).await?.as_ref(), &touched, "get")?;
    }
    Ok(())
}

/// Checks that unknown accounts are passed over and the others are touched.
pub async fn a_touch_passes_over_the_unknown(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, account) = newcomer(nodes.one()).await?;
    let unknown = world.account();
    nodes.one().touch(&[]).await?;
    nodes.one().touch(&[seen(&unknown, 10), seen(&account, 10), seen(&unknown, 20)]).await?;
    is_nobody(nodes.one().get(&world.tenant, unknown.id).await?.as_ref(), "the unknown account")?;
    let touched = Account { last_seen: Some(at(10)), ..account };
    is_account(nodes.one().get(&world.tenant, touched.id).await?.as_ref(), &touched, "the known account")
}

/// Checks that a touch does not stand in the way of a commit that was planned before it, and is not undone by it.
pub async fn a_commit_from_an_older_read_keeps_the_touch(nodes: &Nodes) -> Result<(), Failure> {
    let (world, account) = newcomer(nodes.one()).await?;
    nodes.one().touch(&[seen(&account, 60)]).await?;
    let never_seen =
        world.update(nodes.two(), &account, Account { updated_at: at(61), ..account.clone() }).await?;
    let stored = Account { last_seen: Some(at(60)), ..never_seen };
    is_account(
        nodes.one().get(&world.tenant, account.id).await?.as_ref(),
        &stored,
        "after a commit without",
    )?;
    let seen_before = Account { last_seen: Some(at(30)), ..stored.clone() };
    let second = world.update(nodes.two(), &stored, seen_before).await?;
    let stored = Account { last_seen: Some(at(60)), ..second };
    is_account(
        nodes.one().get(&world.tenant, account.id).await?.as_ref(),
        &stored,
        "after a commit with an older one",
    )
}

/// Checks that a commit moves the instant forward, and a later touch goes on from there.
pub async fn a_commit_moves_last_seen_forward(nodes: &Nodes) -> Result<(), Failure> {
    let (world, account) = newcomer(nodes.one()).await?;
    let signed_in = Account { last_seen: Some(at(40)), ..account.clone() };
    let signed_in = world.update(nodes.one(), &account, signed_in).await?;
    nodes.one().touch(&[seen(&account, 20)]).await?;
    is_account(nodes.one().get(&world.tenant, account.id).await?.as_ref(), &signed_in, "an older touch")?;
    nodes.one().touch(&[seen(&account, 50)]).await?;
    let stored = nodes.two().get(&world.tenant, account.id).await?;
    same(&stored.and_then(|account| account.last_seen), &Some(at(50)), "a later touch")
}

/// Checks that a write for disuse is refused, whole, once a later use is stored, and goes ahead while none is.
pub async fn a_use_stands_in_the_way_of_disuse(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, account) = newcomer(nodes.one()).await?;
    let ended = account.clone().ended();
    let disuse = |world: &World, since: i64| {
        let commit = world.revision(&account, &ended);
        Commit { account: commit.account.map(|write| write.if_unused_since(at(since))), ..commit }
    };
    nodes.one().touch(&[seen(&account, 50)]).await?;
    let event = world.event(Some(account.id));
    let early = Commit { events: vec![event], ..disuse(&world, 49) };
    refused(nodes.two().commit(&early).await, &ErrorKind::Conflict, "an end by disuse of what was used")?;
    let touched = Account { last_seen: Some(at(50)), ..account.clone() };
    is_account(nodes.one().get(&world.tenant, account.id).await?.as_ref(), &touched, "afterwards")?;
    ensure(world.recorded(nodes.one()).await?.is_empty(), "an event of a refused commit is recorded")?;
    nodes.two().commit(&disuse(&world, 50)).await?;
    let state = nodes.one().get(&world.tenant, account.id).await?.map(|account| account.state.word());
    same(&state, &Some("ended"), "the state after an end by disuse")?;
    let unused = world.person("berta")?;
    let unused = world.create(nodes.one(), unused).await?;
    let commit = world.revision(&unused, &unused.clone().ended());
    let commit = Commit { account: commit.account.map(|write| write.if_unused_since(at(0))), ..commit };
    Ok(nodes.two().commit(&commit).await?)
}
