//! Removing accounts for good.

use crate::conformance::{
    Failure, Nodes,
    failure::{is_account, is_nobody, refused, same},
    sample::{Dressed, World, at},
};
use crate::{Account, Commit, ErrorKind, Filter};

/// Checks that a forgotten account is found by nobody, that its trail stays, and that its id is free.
pub async fn a_forgotten_account_is_gone_and_its_trail_stays(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let (over, stays) = (world.account().ended(), world.account().ended());
    let (over, stays) = (world.create(store, over).await?, world.create(store, stays).await?);
    let event = world.event(Some(over.id));
    store.commit(&Commit { events: vec![event.clone()], ..world.commit() }).await?;
    nodes.two().forget(&over).await?;
    is_nobody(store.get(&world.tenant, over.id).await?.as_ref(), "get")?;
    for filter in [Filter::All, Filter::State(over.state.word())] {
        let listed = store.list(&world.query(filter, None, 10)).await?.items;
        same(&listed.len(), &1, "the accounts that are listed")?;
        is_account(listed.first(), &stays, "the one that is listed")?;
    }
    same(&world.recorded(store).await?, &vec![event.id], "the trail")?;
    let next = Account { id: over.id, ..world.account() };
    let next = world.create(nodes.two(), next).await?;
    is_account(store.get(&world.tenant, next.id).await?.as_ref(), &next, "the next one of the id")
}

/// Checks that an account is forgotten only as it was read.
pub async fn what_changed_is_not_forgotten(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let first = world.account().ended();
    let first = world.create(store, first).await?;
    let second = world.update(store, &first, Account { updated_at: at(1), ..first.clone() }).await?;
    refused(nodes.two().forget(&first).await, &ErrorKind::Conflict, "an account as it was before")?;
    is_account(store.get(&world.tenant, first.id).await?.as_ref(), &second, "afterwards")?;
    store.forget(&second).await?;
    refused(nodes.two().forget(&second).await, &ErrorKind::Conflict, "an account that is not there")?;
    let ghost = World::new("b")?.account().ended();
    refused(store.forget(&ghost).await, &ErrorKind::Conflict, "an account that never was")
}

/// Checks that nothing is forgotten that is in use or that something leads to.
pub async fn what_can_be_found_is_not_forgotten(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let grant = world.grant("role:reader")?;
    let kept = [
        world.account(),
        world.person("anna")?.ended(),
        world.account().called("anna")?.ended(),
        world.account().mailed("anna@example.com")?.ended(),
        world.account().holding(grant).ended(),
    ];
    for account in kept {
        let account = world.create(store, account).await?;
        refused(store.forget(&account).await, &ErrorKind::Invalid, "an account that can be found")?;
        is_account(store.get(&world.tenant, account.id).await?.as_ref(), &account, "afterwards")?;
    }
    let listed = store.list(&world.query(Filter::All, None, 10)).await?.items.len();
    same(&listed, &5, "the accounts that are there")
}

/// Checks that forgetting an account touches no account of another tenant.
pub async fn forgetting_stops_at_the_tenant(nodes: &Nodes) -> Result<(), Failure> {
    let (mut one, mut two, store) = (World::new("a")?, World::new("b")?, nodes.one());
    let here = one.account().ended();
    let there = Account { id: here.id, ..two.account().ended() };
    let (here, there) = (one.create(store, here).await?, two.create(store, there).await?);
    store.forget(&here).await?;
    is_nobody(store.get(&one.tenant, here.id).await?.as_ref(), "here")?;
    is_account(store.get(&two.tenant, there.id).await?.as_ref(), &there, "there")
}
