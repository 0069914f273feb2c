//! The audit trail.

use crate::conformance::{
    Failure, Nodes,
    failure::{ensure, same},
    sample::{World, count},
};
use crate::{About, AccountId, AuditEvent, AuditQuery, Commit, EventId, PAGE_ITEMS, Store};

/// Records events of two accounts and of none in turn, not in the order of their ids.
async fn history(store: &dyn Store, world: &mut World) -> Result<(Vec<AuditEvent>, [AccountId; 2]), Failure> {
    let accounts = [world.account().id, world.account().id];
    let [one, two] = accounts.map(Some);
    let turns = [one, two, one, None, two, one, one, None, two];
    let mut events: Vec<_> = turns.into_iter().map(|account| world.event(account)).collect();
    events.rotate_left(4);
    for pair in events.chunks(2) {
        store.commit(&Commit { events: pair.to_vec(), ..world.commit() }).await?;
    }
    events.sort_by_key(|event| event.id);
    Ok((events, accounts))
}

fn ids<'a>(events: impl IntoIterator<Item = &'a AuditEvent>) -> Vec<EventId> {
    events.into_iter().map(|event| event.id).collect()
}

async fn read_all(store: &dyn Store, query: AuditQuery) -> Result<Vec<EventId>, Failure> {
    let (mut all, mut query) = (Vec::new(), query);
    for _ in 0..50 {
        let page = store.events(&query).await?;
        ensure(page.items.len() <= query.limit.get(), "a page is longer than its limit")?;
        all.extend(ids(&page.items));
        if page.next.is_none() {
            return Ok(all);
        }
        query.after = page.next;
    }
    Err(Failure::new("the trail does not come to an end"))
}

/// Checks that the trail is read in the order of ids, whatever the order of writing, page by page.
pub async fn the_trail_is_in_order(nodes: &Nodes) -> Result<(), Failure> {
    let mut world = World::new("a")?;
    let (events, _) = history(nodes.one(), &mut world).await?;
    same(&nodes.two().events(&world.trail()).await?.items, &events, "the events")?;
    for limit in [1, 2, 3, 8, 9, 10, PAGE_ITEMS * 2] {
        let query = AuditQuery { limit: count(limit), ..world.trail() };
        same(&read_all(nodes.two(), query).await?, &ids(&events), &format!("pages of {limit}"))?;
    }
    Ok(())
}

/// Checks that the trail can be read latest first, page by page.
pub async fn the_trail_is_read_backwards(nodes: &Nodes) -> Result<(), Failure> {
    let mut world = World::new("a")?;
    let (events, _) = history(nodes.one(), &mut world).await?;
    for limit in [1, 2, 3, 8, 9, 10] {
        let query = AuditQuery { limit: count(limit), latest_first: true, ..world.trail() };
        same(&read_all(nodes.one(), query).await?, &ids(events.iter().rev()), &format!("pages of {limit}"))?;
    }
    Ok(())
}

/// Checks that the trail of one account holds its events and no others, in both directions.
pub async fn the_trail_of_one_account_is_its_own(nodes: &Nodes) -> Result<(), Failure> {
    let mut world = World::new("a")?;
    let (events, accounts) = history(nodes.one(), &mut world).await?;
    for account in accounts {
        let mut want = ids(events.iter().filter(|event| event.account == Some(account)));
        for latest_first in [false, true] {
            let query = AuditQuery { account: Some(account), latest_first, limit: count(2), ..world.trail() };
            same(&read_all(nodes.one(), query).await?, &want, &format!("latest first: {latest_first}"))?;
            want.reverse();
        }
    }
    let nobody = AuditQuery { account: Some(world.account().id), ..world.trail() };
    ensure(nodes.one().events(&nobody).await?.items.is_empty(), "an account without events has some")
}

/// Checks that the last page of the trail says that nothing follows.
pub async fn the_last_page_of_the_trail_says_so(nodes: &Nodes) -> Result<(), Failure> {
    let mut world = World::new("a")?;
    let (events, _) = history(nodes.one(), &mut world).await?;
    for latest_first in [false, true] {
        let exact = AuditQuery { limit: count(events.len()), latest_first, ..world.trail() };
        same(&nodes.one().events(&exact).await?.next, &None, "a page that holds everything")?;
        let short = AuditQuery { limit: count(events.len() - 1), ..exact };
        ensure(
            nodes.one().events(&short).await?.next.is_some(),
            "a page that leaves one out ends the trail",
        )?;
    }
    Ok(())
}

/// Checks that the trail names its events and whom they are about as it is read, page by page, and those of its tenant alone.
pub async fn the_trail_names_whom_it_is_about(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, mut other) = (World::new("a")?, World::new("b")?);
    history(nodes.one(), &mut other).await?;
    let (events, _) = history(nodes.one(), &mut world).await?;
    let want: Vec<_> = events.iter().map(|event| About { event: event.id, account: event.account }).collect();
    for limit in [1, 2, 3, 8, 9, 10, PAGE_ITEMS * 2] {
        let (mut all, mut after) = (Vec::new(), None);
        for _ in 0..50 {
            let page = nodes.two().about(&world.tenant, after, count(limit)).await?;
            ensure(page.items.len() <= limit, "a page is longer than its limit")?;
            all.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        same(&all, &want, &format!("pages of {limit}"))?;
    }
    Ok(())
}
