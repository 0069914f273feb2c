//! Removing what is over for good.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use crate::conformance::{
    Failure, Nodes,
    failure::{ensure, is_account, is_nobody, refused, same},
    race::{RACERS, part, race},
    sample::{Dressed, Made, World, at, count},
};
use crate::{
    Account, AccountState, AccountWrite, Code, Commit, CounterName, EndReason, ErrorKind, Filter, Forgotten,
    Lease, LookupKey, Matches, Over, Phase, Taken,
};

/// Names an account that must be over for good.
fn forgotten(account: &Account) -> Made<Forgotten> {
    Forgotten::of(account).ok_or_else(|| Failure::new("the sample is not over for good"))
}

fn forgetting(world: &World, accounts: &[&Account]) -> Made<Commit> {
    let forgotten = accounts.iter().map(|account| forgotten(account)).collect::<Made<_>>()?;
    Ok(Commit { forgotten, ..world.commit() })
}

fn over(account: &Account) -> Made<Over> {
    let since = account.over_since().ok_or_else(|| Failure::new("the sample is not over for good"))?;
    Ok(Over { since, account: account.id })
}

/// Checks that what is over for good is named by since when, up to an instant and including it, in parts that follow each other.
pub async fn what_is_over_is_named_in_order(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let mut expected = Vec::new();
    // The oldest were not written first, and two are equally old.
    for seconds in [40, 10, 30, 20, 30] {
        let lease = world.lease()?;
        let lease = world.create(store, lease).await?;
        let gone = world.update(store, &lease, lease.clone().gone(EndReason::Expired, seconds)).await?;
        expected.push(over(&gone)?);
    }
    expected.sort();
    let tenant = &world.tenant;
    for limit in [1, 2, 10] {
        let (mut named, mut after) = (Vec::new(), None);
        for _ in 0..10 {
            let part = nodes.two().long_over(tenant, at(100), after, count(limit)).await?;
            ensure(part.len() <= limit, "more are named than asked for")?;
            after = part.last().copied().or(after);
            named.extend(part);
        }
        same(&named, &expected, "those that are over")?;
    }
    let until = |instant| store.long_over(tenant, instant, None, count(10));
    let [early, late] = [until(at(30)).await?, until(at(30) - TimeDelta::microseconds(1)).await?];
    same(&(early.len(), late.len()), &(4, 2), "those until an instant, and until right before it")
}

/// Checks that a part begins where the last one ended, also when whoever it ended with is forgotten by now, or is over since
/// later.
pub async fn what_is_over_is_named_from_where_somebody_was(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store, mut accounts) = (World::new("a")?, nodes.one(), Vec::new());
    for seconds in [10, 20, 30, 40] {
        let lease = world.lease()?;
        let lease = world.create(store, lease).await?;
        accounts.push(world.update(store, &lease, lease.clone().gone(EndReason::Expired, seconds)).await?);
    }
    let [first, second, third, fourth] = accounts.as_slice() else { return Err(Failure::new("no sample")) };
    store.commit(&forgetting(&world, &[second])?).await?;
    let changed = world.update(store, third, third.clone().gone(EndReason::Expired, 50)).await?;
    let expected = vec![over(fourth)?, over(&changed)?];
    for gone in [second, third] {
        let named = nodes.two().long_over(&world.tenant, at(100), Some(over(gone)?), count(10)).await?;
        same(&named, &expected, "those that are over after that")?;
    }
    let named = nodes.two().long_over(&world.tenant, at(100), None, count(1)).await?;
    same(&named, &vec![over(first)?], "the first one")
}

/// Leases that are gone, of which something may still arrive, is to be done, told or given back, or which came back once.
fn unsettled(world: &mut World) -> Made<Vec<Account>> {
    let task = world.task("target:directory", at(5))?.id;
    let unsettle: [&dyn Fn(&mut Lease); 5] = [
        &|lease| lease.unanswered = Some(at(9)),
        &|lease| lease.task = Some(task),
        &|lease| lease.alarms = 1,
        &|lease| lease.counted = true,
        &|lease| lease.came_back = Some(at(0)),
    ];
    let unsettled = unsettle.into_iter().map(|unsettle| {
        let mut account = world.lease()?.gone(EndReason::Expired, 1);
        account.lease.as_deref_mut().into_iter().for_each(unsettle);
        Ok(account)
    });
    unsettled.collect()
}

/// Checks that nothing is named as over that may still be needed, and nothing any longer that is needed again.
pub async fn only_what_is_over_for_good_is_named(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let kept = [
        world.lease()?,
        world.lease()?.gone(EndReason::DeclaredGone, 1),
        world.lease()?.gone(EndReason::Reappeared, 1),
        world.account().ended(),
        world.lease()?.gone(EndReason::Expired, 1).called("anna")?,
    ];
    for account in kept.into_iter().chain(unsettled(&mut world)?) {
        world.create(store, account).await?;
    }
    let lease = world.lease()?.gone(EndReason::CheckedIn, 1);
    let gone = world.create(store, lease).await?;
    let named = || nodes.two().long_over(&world.tenant, at(100), None, count(10));
    same(&named().await?, &vec![over(&gone)?], "the one that is over")?;
    let mut back = gone.clone();
    if let Some(lease) = &mut back.lease {
        lease.phase = Phase::Ending { since: at(2), why: EndReason::Reappeared, shut: false };
    }
    back.state = AccountState::Disabled { reason: Code::new("lease.ending"), since: at(2) };
    world.update(store, &gone, back).await?;
    same(&named().await?, &Vec::new(), "nobody is over any longer")
}

/// Checks that a forgotten account is found by nobody, in no list and by no key, and that its trail stays.
pub async fn a_forgotten_account_is_found_by_nobody(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let (gone, stays) =
        (world.lease()?.gone(EndReason::Expired, 1), world.lease()?.gone(EndReason::Expired, 1));
    let (gone, stays) = (world.create(store, gone).await?, world.create(store, stays).await?);
    let before = world.event(Some(gone.id));
    store.commit(&Commit { events: vec![before.clone()], ..world.commit() }).await?;
    let told = world.event(None);
    let counters = world.count(&CounterName::seats(), 1, (None, None)).counters;
    let commit = Commit { events: vec![told.clone()], counters, ..forgetting(&world, &[&gone])? };
    nodes.two().commit(&commit).await?;
    for node in [nodes.one(), nodes.two()] {
        is_nobody(node.get(&world.tenant, gone.id).await?.as_ref(), "by its id")?;
        for filter in [Filter::All, Filter::State(stays.state.word())] {
            let listed = node.list(&world.query(filter, None, 10)).await?;
            same(&listed.items, &vec![stays.clone()], "in a list")?;
            same(&listed.next, &None, "nothing follows")?;
        }
        for key in gone.lookup_keys() {
            // The other one is over since the same instant.
            let found = node.matching(&world.tenant, &key).await?;
            same(&found, &Matches::One(Box::new(stays.clone())), "by a key")?;
        }
        let over = vec![over(&stays)?];
        same(
            &node.long_over(&world.tenant, at(100), None, count(10)).await?,
            &over,
            "among those that are over",
        )?;
        let trail: BTreeSet<_> = world.recorded(node).await?.into_iter().collect();
        same(&trail, &[before.id, told.id].into(), "the trail")?;
        ensure(world.counter_is(node, &CounterName::seats(), 1).await, "the counter did not move")?;
    }
    Ok(())
}

/// Checks that the id of what a forgotten lease made is still known to be one that a lease made, at its tenant alone, and leads
/// nobody to an account.
pub async fn what_a_forgotten_lease_made_stays_known(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, other, store) = (World::new("a")?, World::new("b")?, nodes.one());
    let mut gone = Vec::new();
    for native in ["id-1", "id-2"] {
        let mut account = world.lease()?.gone(EndReason::Expired, 1);
        account.lease.as_deref_mut().into_iter().for_each(|lease| lease.remote.native = Some(native.into()));
        gone.push(world.create(store, account).await?);
    }
    let one = gone.first().ok_or(Failure::new("no sample"))?;
    store.commit(&forgetting(&world, &[one])?).await?;
    for (native, id) in ["id-1", "id-2"].iter().zip(&gone) {
        let key = LookupKey::leased_as(native);
        for node in [nodes.one(), nodes.two()] {
            let named = node.bearers(&world.tenant, &key, None, count(10)).await?;
            same(&named.items, &vec![id.id], native)?;
            same(&named.next, &None, "nothing follows")?;
            let elsewhere = node.bearers(&other.tenant, &key, None, count(10)).await?;
            same(&elsewhere.items, &Vec::new(), "at another tenant")?;
        }
    }
    let key = LookupKey::leased_as("id-1");
    same(&store.matching(&world.tenant, &key).await?, &Matches::None, "an account by it")?;
    let listed = nodes.two().list(&world.query(Filter::Bearing(key), None, 10)).await?;
    same(&listed.items, &Vec::new(), "accounts by it")
}

/// Checks that pages stay whole where accounts between were forgotten, whatever state the others are in.
pub async fn pages_pass_over_what_was_forgotten(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let (mut stay, mut go) = (Vec::new(), Vec::new());
    let reason = || Code::new("account.sample");
    let states = [
        AccountState::Invited,
        AccountState::Pending { since: at(1) },
        AccountState::Active,
        AccountState::Suspended { reason: reason(), since: at(1) },
        AccountState::Disabled { reason: reason(), since: at(1) },
        AccountState::Ended { reason: reason(), since: at(1) },
    ];
    for state in states.into_iter().cycle().take(18) {
        let (account, lease) = (world.account(), world.lease()?.gone(EndReason::Expired, 1));
        stay.push(world.create(store, Account { state, ..account }).await?);
        go.push(world.create(store, lease).await?);
    }
    store.commit(&forgetting(&world, &go.iter().collect::<Vec<_>>())?).await?;
    for limit in [1, 2, 5, 18, 100] {
        let (mut listed, mut after, mut pages) = (Vec::new(), None, 0);
        loop {
            let page = nodes.two().list(&world.query(Filter::All, after, limit)).await?;
            ensure(page.items.len() == limit || page.next.is_none(), "a page is not full")?;
            listed.extend(page.items);
            pages += 1;
            after = page.next;
            if after.is_none() || pages > 50 {
                break;
            }
        }
        same(&listed, &stay, "the accounts")?;
    }
    Ok(())
}

/// Checks that no account comes into being under the id of one that was forgotten, and none is written over it.
pub async fn the_id_of_a_forgotten_account_stays_taken(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let gone = world.lease()?.gone(EndReason::Expired, 1);
    let gone = world.create(store, gone).await?;
    store.commit(&forgetting(&world, &[&gone])?).await?;
    let again = Account { id: gone.id, ..world.lease()? };
    for account in [gone.clone(), again] {
        let answer = nodes.two().commit(&world.creation(&account)).await;
        refused(answer, &ErrorKind::AlreadyExists(Taken::Account), "an account of the id")?;
    }
    for version in [1, 2, 3] {
        let before = Account { version, ..gone.clone() };
        refused(store.commit(&world.revision(&before, &gone)).await, &ErrorKind::Conflict, "an update")?;
    }
    refused(store.commit(&forgetting(&world, &[&gone])?).await, &ErrorKind::Conflict, "forgetting it twice")?;
    is_nobody(nodes.two().get(&world.tenant, gone.id).await?.as_ref(), "afterwards")
}

/// Checks that accounts are forgotten only as they were read, all of them with the rest of the commit or none.
pub async fn what_changed_is_not_forgotten(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let (one, two) = (world.lease()?.gone(EndReason::Expired, 1), world.lease()?.gone(EndReason::Expired, 1));
    let (one, two) = (world.create(store, one).await?, world.create(store, two).await?);
    let changed = Account { updated_at: at(2), ..two.clone() };
    let changed = world.update(store, &two, changed).await?;
    let counters = world.count(&CounterName::seats(), 1, (None, None)).counters;
    let events = vec![world.event(None)];
    let commit = Commit { events, counters, ..forgetting(&world, &[&one, &two])? };
    refused(nodes.two().commit(&commit).await, &ErrorKind::Conflict, "one that was written since")?;
    for (account, what) in [(&one, "the other one"), (&changed, "the one that was written")] {
        is_account(store.get(&world.tenant, account.id).await?.as_ref(), account, what)?;
    }
    let named = store.long_over(&world.tenant, at(100), None, count(10)).await?;
    same(&named, &vec![over(&one)?, over(&changed)?], "those that are over")?;
    ensure(world.recorded(store).await?.is_empty(), "an event was recorded")?;
    ensure(world.counter_is(store, &CounterName::seats(), 0).await, "the counter moved")?;
    let ghost = world.lease()?.gone(EndReason::Expired, 1);
    refused(store.commit(&forgetting(&world, &[&ghost])?).await, &ErrorKind::Conflict, "one that never was")?;
    let at_bound = world.count(&CounterName::seats(), 1, (None, Some(0))).counters;
    let commit = Commit { counters: at_bound, ..forgetting(&world, &[&one])? };
    let full = ErrorKind::LimitReached(CounterName::seats());
    refused(store.commit(&commit).await, &full, "a counter at its bound")?;
    is_account(store.get(&world.tenant, one.id).await?.as_ref(), &one, "after the counter refused")
}

/// Checks that a commit that forgets writes no account, names each once, and names those of its tenant.
pub async fn what_is_forgotten_goes_by_itself(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, other, store) = (World::new("a")?, World::new("b")?, nodes.one());
    let gone = world.lease()?.gone(EndReason::Expired, 1);
    let gone = world.create(store, gone).await?;
    let beside = AccountWrite::create(world.account());
    let commits = [
        Commit { account: Some(beside), ..forgetting(&world, &[&gone])? },
        forgetting(&world, &[&gone, &gone])?,
        forgetting(&other, &[&gone])?,
    ];
    for commit in commits {
        refused(store.commit(&commit).await, &ErrorKind::Invalid, "a commit that is wrong in itself")?;
    }
    let listed = nodes.two().list(&world.query(Filter::All, None, 10)).await?.items;
    same(&listed, &vec![gone], "the accounts")
}

/// Checks that each tenant names and forgets its own accounts, also where another has one of the same id.
pub async fn forgetting_stops_at_the_tenant(nodes: &Nodes) -> Result<(), Failure> {
    let (mut one, mut two, store) = (World::new("a")?, World::new("b")?, nodes.one());
    let here = one.lease()?.gone(EndReason::Expired, 1);
    let there = Account { id: here.id, ..two.lease()?.gone(EndReason::Expired, 1) };
    let (here, there) = (one.create(store, here).await?, two.create(store, there).await?);
    for (world, account) in [(&one, &here), (&two, &there)] {
        let named = store.long_over(&world.tenant, at(100), None, count(10)).await?;
        same(&named, &vec![over(account)?], world.tenant.as_str())?;
    }
    store.commit(&forgetting(&one, &[&here])?).await?;
    is_nobody(nodes.two().get(&one.tenant, here.id).await?.as_ref(), "here")?;
    is_account(nodes.two().get(&two.tenant, there.id).await?.as_ref(), &there, "there")?;
    let named = store.long_over(&two.tenant, at(100), None, count(10)).await?;
    same(&named, &vec![over(&there)?], "the other tenant")
}

/// Checks that an id is never free in between: while an account is forgotten, everybody who wants its id is turned away, and
/// of many who forget it one does.
pub async fn a_forgotten_id_is_free_at_no_moment(nodes: &Nodes) -> Result<(), Failure> {
    let mut world = World::new("a")?;
    for _ in 0..8 {
        let gone = world.lease()?.gone(EndReason::Expired, 1);
        let gone = world.create(nodes.one(), gone).await?;
        let (creates, forgets) = (world.creation(&gone), forgetting(&world, &[&gone])?);
        let answers = race(RACERS, |number| {
            let is_forgetting = number.is_multiple_of(4);
            let (store, commit) =
                (nodes.of(number / 2), if is_forgetting { &forgets } else { &creates }.clone());
            async move { store.commit(&commit).await }
        });
        let (accepted, errors) = part(answers.await?);
        same(&accepted, &1, "commits that were accepted")?;
        let is_known =
            |kind: &ErrorKind| matches!(kind, ErrorKind::Conflict | ErrorKind::AlreadyExists(Taken::Account));
        ensure(errors.iter().all(|error| is_known(error.kind())), "another reason was named")?;
        is_nobody(nodes.two().get(&world.tenant, gone.id).await?.as_ref(), "afterwards")?;
    }
    Ok(())
}
