//! Lists, page by page.

use crate::conformance::{
    Failure, Nodes,
    failure::{ensure, same},
    sample::{Dressed, World, at},
};
use crate::{Account, AccountId, Cursor, Filter, LookupKey, PAGE_ITEMS, Query, Store};

/// Creates accounts, not in the order of their ids.
async fn crowd(store: &dyn Store, world: &mut World, size: usize) -> Result<Vec<Account>, Failure> {
    let mut accounts: Vec<Account> = (0..size).map(|_| world.account()).collect();
    let half = size / 2;
    accounts.rotate_left(half);
    for account in &accounts {
        world.create(store, account.clone()).await?;
    }
    accounts.rotate_right(half);
    Ok(accounts)
}

fn ids(accounts: &[Account]) -> Vec<AccountId> {
    accounts.iter().map(|account| account.id).collect()
}

/// Reads all pages; a list that does not come to an end is cut.
async fn read_all(
    store: &dyn Store,
    world: &World,
    filter: Filter,
    limit: usize,
) -> Result<Vec<Account>, Failure> {
    let (mut all, mut after) = (Vec::new(), None);
    for _ in 0..100 {
        let page = store.list(&world.query(filter.clone(), after, limit)).await?;
        ensure(page.items.len() <= limit, "a page is longer than its limit")?;
        all.extend(page.items);
        let Some(next) = page.next else { return Ok(all) };
        after = Some(next);
    }
    Err(Failure::new("the list does not come to an end"))
}

/// Checks that pages in the order of ids hold every account once, whatever the limit.
pub async fn pages_hold_every_account_once(nodes: &Nodes) -> Result<(), Failure> {
    let mut world = World::new("a")?;
    let accounts = crowd(nodes.one(), &mut world, 11).await?;
    for limit in [1, 2, 5, 10, 11, 12, PAGE_ITEMS * 2] {
        let read = read_all(nodes.two(), &world, Filter::All, limit).await?;
        same(&ids(&read), &ids(&accounts), &format!("pages of {limit}"))?;
    }
    Ok(())
}

/// Checks that a page tells the cursor of its last account where more follows, and none where nothing follows.
pub async fn the_last_page_says_that_it_is_the_last(nodes: &Nodes) -> Result<(), Failure> {
    let mut world = World::new("a")?;
    let accounts = crowd(nodes.one(), &mut world, 4).await?;
    let mut after = None;
    for (pair, more) in accounts.chunks(2).zip([true, false]) {
        let page = nodes.one().list(&world.query(Filter::All, after, 2)).await?;
        same(&ids(&page.items), &ids(pair), "the items")?;
        let last = pair.last().map(|account| Cursor::after(account.id.as_uuid()));
        same(&page.next, &last.filter(|_| more), "the cursor")?;
        after = last;
    }
    let beyond = nodes.one().list(&world.query(Filter::All, after, 2)).await?;
    ensure(beyond.items.is_empty() && beyond.next.is_none(), "something follows the last account")
}

/// Checks that accounts that are there all the time are listed once while others come and change.
pub async fn pages_stay_complete_while_accounts_are_written(nodes: &Nodes) -> Result<(), Failure> {
    let mut world = World::new("a")?;
    let accounts = crowd(nodes.one(), &mut world, 12).await?;
    let (mut met, mut after) = (Vec::new(), None);
    for turn in 0.. {
        let page = nodes.one().list(&world.query(Filter::All, after, 2)).await?;
        met.extend(ids(&page.items));
        // One that was listed just now, and one that is still to come.
        for changed in [turn * 2, turn * 2 + 3].into_iter().filter_map(|index| accounts.get(index)) {
            let after = Account { updated_at: at(7), ..changed.clone() };
            world.update(nodes.two(), changed, after).await?;
        }
        let newcomer = world.account();
        world.create(nodes.two(), newcomer).await?;
        after = page.next;
        if after.is_none() || met.len() >= 12 {
            break;
        }
    }
    met.truncate(12);
    same(&met, &ids(&accounts), "the accounts that were there all the time")
}

/// Checks that the filter by state follows the accounts from state to state.
pub async fn the_filter_by_state_follows_updates(nodes: &Nodes) -> Result<(), Failure> {
    let mut world = World::new("a")?;
    let accounts = crowd(nodes.one(), &mut world, 5).await?;
    let (ending, staying): (Vec<_>, Vec<_>) = (0..).zip(accounts).partition(|(number, _)| number % 2 == 0);
    for (_, account) in &ending {
        world.update(nodes.one(), account, account.clone().ended()).await?;
    }
    for (state, want) in [("ended", ending), ("active", staying), ("pending", Vec::new())] {
        let want: Vec<_> = want.into_iter().map(|(_, account)| account.id).collect();
        let read = read_all(nodes.two(), &world, Filter::State(state), 2).await?;
        same(&ids(&read), &want, state)?;
    }
    Ok(())
}

/// Checks that the filter by entitlement lists each holder once, of exactly that entitlement, in force or not.
pub async fn the_filter_by_entitlement_follows_updates(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let (first, second) = (world.grant("role:admin")?, world.grant("role:admin")?);
    let over = crate::Grant { ends_at: Some(at(-5)), ..second };
    let twice = world.account().holding(first).holding(over.clone());
    let ended_only = world.account().holding(over);
    let others = ["group:admin", "role:Admin", "role:admin2", "role:admi"].map(|name| world.grant(name));
    let twice = world.create(store, twice).await?;
    let ended_only = world.create(store, ended_only).await?;
    for other in others {
        let account = world.account().holding(other?);
        world.create(store, account).await?;
    }
    let admins = || Ok::<_, Failure>(Filter::Holding("role:admin".parse()?));
    let read = read_all(store, &world, admins()?, 1).await?;
    same(&read, &vec![twice.clone(), ended_only.clone()], "the holders")?;
    let mut bare = twice.clone();
    bare.grants.clear();
    world.update(store, &twice, bare).await?;
    same(&read_all(store, &world, admins()?, 1).await?, &vec![ended_only], "after one lost it")
}

/// Checks that the filter by lookup key lists everybody who carries exactly that key, and nobody who no longer does.
pub async fn the_filter_by_lookup_key_follows_updates(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let one = world.account().tagged("badge", "7")?;
    let two = world.account().tagged("badge", "7")?;
    let one = world.create(store, one).await?;
    let two = world.create(store, two).await?;
    for (name, value) in [("badge", "70"), ("badge", ""), ("Badge", "7"), ("other", "7")] {
        let account = world.account().tagged(name, value)?;
        world.create(store, account).await?;
    }
    let key = one.lookup_keys().into_iter().next().ok_or(Failure::new("no key"))?;
    let badge = || Filter::Bearing(key.clone());
    let read = read_all(nodes.two(), &world, badge(), 1).await?;
    same(&read, &vec![one.clone(), two.clone()], "those who carry it")?;
    let mut bare = one.clone();
    bare.attributes.clear();
    world.update(store, &one, bare).await?;
    same(&read_all(store, &world, badge(), 1).await?, &vec![two], "after one lost it")
}

/// Checks that those who carry a key are named page by page, in the order of their ids, within the tenant, and as they are
/// listed.
pub async fn bearers_are_named_as_they_are_listed(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let mut want = Vec::new();
    for value in ["7", "8", "7", "7"] {
        let account = world.account().tagged("badge", value)?;
        want.push(world.create(store, account).await?);
    }
    let key = want.first().and_then(|one| one.lookup_keys().into_iter().next());
    let key = key.ok_or(Failure::new("no key"))?;
    want.retain(|account| account.lookup_keys().contains(&key));
    let mut elsewhere = World::new("b")?;
    let stranger = elsewhere.account().tagged("badge", "7")?;
    elsewhere.create(store, stranger).await?;
    for limit in [1, 2, 3, PAGE_ITEMS * 2] {
        let named = read_bearers(nodes.two(), &world, &key, limit).await?;
        same(&named, &ids(&want), &format!("those who carry it, in pages of {limit}"))?;
    }
    Ok(())
}

async fn read_bearers(
    store: &dyn Store,
    world: &World,
    key: &LookupKey,
    limit: usize,
) -> Result<Vec<AccountId>, Failure> {
    let (mut all, mut after) = (Vec::new(), None);
    for _ in 0..100 {
        let Query { tenant, limit, .. } = world.query(Filter::All, after, limit);
        let page = store.bearers(&tenant, key, after, limit).await?;
        ensure(page.items.len() <= limit.get(), "a page is longer than its limit")?;
        all.extend(page.items);
        let Some(next) = page.next else { return Ok(all) };
        after = Some(next);
    }
    Err(Failure::new("the list does not come to an end"))
}
