//! Counters and their bounds.

use crate::conformance::{
    Failure, Nodes,
    failure::{ensure, refused, same},
    race::{RACERS, commit_all},
    sample::World,
};
use crate::{Commit, CounterChange, CounterName, ErrorKind};

/// Checks that counters start at zero, move by their change, and do not get in each other's way.
pub async fn counters_start_at_zero_and_move(nodes: &Nodes) -> Result<(), Failure> {
    let (world, store) = (World::new("a")?, nodes.one());
    let (seats, holders) = (CounterName::seats(), CounterName::holders(&"role:seats".parse()?));
    ensure(world.counter_is(store, &seats, 0).await, "a counter does not start at zero")?;
    for (by, value) in [(5, 5), (-2, 3), (0, 3), (-4, -1)] {
        store.commit(&world.count(&seats, by, (None, None))).await?;
        ensure(
            world.counter_is(nodes.two(), &seats, value).await,
            &format!("the counter is not at {value}"),
        )?;
    }
    ensure(world.counter_is(store, &holders, 0).await, "another counter moved")
}

/// Checks that a counter may arrive at its bounds and not beyond, and that the refusal names it.
pub async fn a_counter_stays_within_its_bounds(nodes: &Nodes) -> Result<(), Failure> {
    let (world, store, name) = (World::new("a")?, nodes.one(), CounterName::seats());
    let limit = ErrorKind::LimitReached(name.clone());
    store.commit(&world.count(&name, 3, (None, Some(3)))).await?;
    refused(store.commit(&world.count(&name, 1, (None, Some(3)))).await, &limit, "above the upper bound")?;
    store.commit(&world.count(&name, -2, (Some(1), None))).await?;
    refused(store.commit(&world.count(&name, -1, (Some(1), None))).await, &limit, "below the lower bound")?;
    refused(store.commit(&world.count(&name, 0, (Some(2), None))).await, &limit, "outside without moving")?;
    ensure(world.counter_is(store, &name, 1).await, "a refused change moved the counter")
}

/// Checks that of several counters the one beyond its bound is named, and none moves.
pub async fn the_counter_at_its_bound_is_named(nodes: &Nodes) -> Result<(), Failure> {
    let (world, store) = (World::new("a")?, nodes.one());
    let (seats, admins) = (CounterName::seats(), CounterName::holders(&"role:admin".parse()?));
    let change =
        |name: &CounterName, by, at_least| CounterChange { name: name.clone(), by, at_least, at_most: None };
    let counters = vec![change(&seats, 1, Some(0)), change(&admins, -1, Some(1))];
    let limit = ErrorKind::LimitReached(admins.clone());
    refused(store.commit(&Commit { counters, ..world.commit() }).await, &limit, "the commit")?;
    ensure(world.counter_is(store, &seats, 0).await, "the other counter moved")
}

/// Checks that a counter does not run over: the change is refused and the counter stays.
pub async fn a_counter_does_not_overflow(nodes: &Nodes) -> Result<(), Failure> {
    let (world, store) = (World::new("a")?, nodes.one());
    let (up, down) = (CounterName::seats(), CounterName::holders(&"role:x".parse()?));
    for (name, most, one) in [(up, i64::MAX, 1), (down, i64::MIN, -1)] {
        store.commit(&world.count(&name, most, (None, None))).await?;
        let limit = ErrorKind::LimitReached(name.clone());
        refused(store.commit(&world.count(&name, one, (None, None))).await, &limit, "one more")?;
        ensure(world.counter_is(store, &name, most).await, "the counter moved")?;
    }
    Ok(())
}

/// Checks that of many who want a seat at once, as many get one as there are.
pub async fn seats_are_never_oversold(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, seats) = (World::new("a")?, CounterName::seats());
    let mut commits = Vec::new();
    for number in 0..RACERS {
        let account = world.person(&format!("person {number}"))?;
        let counters = world.count(&seats, 1, (None, Some(10))).counters;
        commits.push(Commit { counters, ..world.creation(&account) });
    }
    let (accepted, errors) = commit_all(nodes, commits).await?;
    same(&accepted, &10, "accounts that got a seat")?;
    for error in errors {
        same(error.kind(), &ErrorKind::LimitReached(seats.clone()), "the others")?;
    }
    let there = nodes.one().list(&world.query(crate::Filter::All, None, 100)).await?;
    same(&there.items.len(), &10, "accounts that are there")?;
    ensure(world.counter_is(nodes.two(), &seats, 10).await, "the counter differs from the accounts")
}

/// Checks that two administrators who leave at once leave one behind.
pub async fn the_last_administrator_stays(nodes: &Nodes) -> Result<(), Failure> {
    let (world, admins) = (World::new("a")?, CounterName::holders(&"role:admin".parse()?));
    nodes.one().commit(&world.count(&admins, 2, (None, None))).await?;
    for round in 0..8 {
        let leave = world.count(&admins, -1, (Some(1), None));
        let (accepted, _) = commit_all(nodes, vec![leave; 2]).await?;
        same(&accepted, &1, &format!("administrators who could leave in round {round}"))?;
        nodes.two().commit(&world.count(&admins, 1, (Some(2), Some(2)))).await?;
    }
    Ok(())
}
