//! Reading accounts.

use crate::conformance::{
    Failure, Nodes,
    failure::{ensure, is_account, is_nobody, same},
    sample::{Dressed, World},
};
use crate::{Filter, LookupKey, Matches};

/// Checks that an empty backend answers every question with nothing.
pub async fn an_empty_backend_knows_nobody(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let stranger = world.person("stranger")?.called("stranger")?.mailed("stranger@example.com")?;
    is_nobody(store.find(&world.key("stranger")?).await?.as_ref(), "find")?;
    is_nobody(store.get(&world.tenant, stranger.id).await?.as_ref(), "get")?;
    is_nobody(store.named(&world.tenant, "stranger").await?.as_ref(), "named")?;
    for key in stranger.lookup_keys() {
        same(&store.matching(&world.tenant, &key).await?, &Matches::None, "matching")?;
    }
    let page = store.list(&world.query(Filter::All, None, 10)).await?;
    ensure(page.items.is_empty() && page.next.is_none(), "an empty backend lists accounts")
}

/// Checks that each identity of an account leads to it, and to no other.
pub async fn each_identity_leads_to_its_account(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let both = world.person("first")?.linked(world.key("second")?);
    let both = world.create(store, both).await?;
    let other = world.person("third")?;
    let other = world.create(store, other).await?;
    for (subject, account) in [("first", &both), ("second", &both), ("third", &other)] {
        is_account(store.find(&world.key(subject)?).await?.as_ref(), account, subject)?;
    }
    is_nobody(store.find(&world.key("fourth")?).await?.as_ref(), "an unknown subject")
}

/// Checks that an account is read by its id.
pub async fn an_id_leads_to_its_account(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let (one, two) = (world.person("one")?, world.person("two")?);
    let (one, two) = (world.create(store, one).await?, world.create(store, two).await?);
    for account in [&one, &two] {
        is_account(store.get(&world.tenant, account.id).await?.as_ref(), account, "get")?;
    }
    let unknown = world.account();
    is_nobody(store.get(&world.tenant, unknown.id).await?.as_ref(), "an unknown id")
}

/// Checks that a user name's key leads to the account.
pub async fn a_user_name_leads_to_its_account(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let (one, two) = (world.account().called("Alice")?, world.account().called("alicia")?);
    let (one, two) = (world.create(store, one).await?, world.create(store, two).await?);
    for (key, account) in [("alice", &one), ("alicia", &two)] {
        is_account(store.named(&world.tenant, key).await?.as_ref(), account, key)?;
    }
    is_nobody(store.named(&world.tenant, "ali").await?.as_ref(), "the beginning of a name")
}

/// Checks that what one node wrote, the other reads at once, by every way of reading.
pub async fn what_one_node_writes_the_other_reads(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, two) = (World::new("a")?, nodes.two());
    let account = world.person("anna")?.called("anna")?.mailed("anna@example.com")?;
    is_nobody(two.find(&world.key("anna")?).await?.as_ref(), "before")?;
    let account = world.create(nodes.one(), account).await?;
    is_account(two.find(&world.key("anna")?).await?.as_ref(), &account, "find")?;
    is_account(two.get(&world.tenant, account.id).await?.as_ref(), &account, "get")?;
    is_account(two.named(&world.tenant, "anna").await?.as_ref(), &account, "named")?;
    for key in account.lookup_keys() {
        let found = two.matching(&world.tenant, &key).await?;
        ensure(matches!(found, Matches::One(found) if *found == account), "matching")?;
    }
    let renamed = world.update(nodes.one(), &account, account.clone().called("berta")?).await?;
    is_account(two.get(&world.tenant, account.id).await?.as_ref(), &renamed, "get after an update")
}

/// Checks that a lookup key leads to none, to one, and to "several" rather than to one of them.
pub async fn a_lookup_key_tells_none_one_and_several(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let one = world.account().mailed("shared@example.com")?;
    let [key] = one.lookup_keys().try_into().map_err(|_| Failure::new("an address is one key"))?;
    same(&store.matching(&world.tenant, &key).await?, &Matches::None, "nobody has it")?;
    let one = world.create(store, one).await?;
    same(&store.matching(&world.tenant, &key).await?, &Matches::One(Box::new(one)), "one has it")?;
    for _ in 0..2 {
        let another = world.account().mailed("Shared@Example.com")?;
        world.create(store, another).await?;
        same(&store.matching(&world.tenant, &key).await?, &Matches::Several, "several have it")?;
    }
    Ok(())
}

/// Checks that an account with the same value twice counts once, and that kinds of lookup keys are kept apart.
pub async fn a_lookup_key_counts_accounts_of_its_kind(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let value = "twice@example.com";
    let twice = world.account().tagged("alias", value)?.tagged("alias", value)?;
    let twice = world.create(store, twice).await?;
    let mailed = world.account().mailed(value)?;
    let mailed = world.create(store, mailed).await?;
    let badge = world.account().tagged("badge", value)?;
    world.create(store, badge).await?;
    for account in [twice, mailed] {
        for key in account.lookup_keys() {
            let found = store.matching(&world.tenant, &key).await?;
            same(&found, &Matches::One(Box::new(account.clone())), &key.kind)?;
        }
    }
    Ok(())
}

/// Checks that updates move lookup keys: a removed one leads nowhere, an added one leads here.
pub async fn an_update_moves_lookup_keys(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let before = world.account().mailed("old@example.com")?.tagged("badge", "7")?;
    let (old, badge) = (world.account().mailed("old@example.com")?, world.account().tagged("badge", "7")?);
    let before = world.create(store, before).await?;
    let after = world.update(store, &before, before.clone().mailed("new@example.com")?).await?;
    let new = after.clone();
    for (key, leads) in [(old, false), (badge, true), (new, true)]
        .into_iter()
        .flat_map(|(account, leads)| account.lookup_keys().into_iter().map(move |key| (key, leads)))
    {
        let want = if leads { Matches::One(Box::new(after.clone())) } else { Matches::None };
        same(&store.matching(&world.tenant, &key).await?, &want, &key.kind)?;
    }
    Ok(())
}

/// Checks that an ended account still counts as a match: a tombstone stands in the way of linking.
pub async fn an_ended_account_is_still_found(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let live = world.person("eve")?.mailed("eve@example.com")?.called("eve")?;
    let live = world.create(store, live).await?;
    let ended = world.update(store, &live, live.clone().ended()).await?;
    is_account(store.find(&world.key("eve")?).await?.as_ref(), &ended, "find")?;
    is_account(store.named(&world.tenant, "eve").await?.as_ref(), &ended, "named")?;
    for key in ended.lookup_keys() {
        let found = store.matching(&world.tenant, &key).await?;
        same(&found, &Matches::One(Box::new(ended.clone())), "matching")?;
    }
    Ok(())
}

/// Checks that a long attribute value leads to its account, and one that differs at its end does not.
pub async fn a_long_lookup_value_is_compared_whole(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    // Numbers in a row: a text that does not shrink much when compressed.
    let long: String = (0..2_000).map(|number: u32| number.wrapping_mul(2_654_435_761).to_string()).collect();
    let account = world.account().tagged("blob", &long)?;
    let account = world.create(store, account).await?;
    let [key] = account.lookup_keys().try_into().map_err(|_| Failure::new("one value is one key"))?;
    let other = LookupKey { kind: key.kind.clone(), value: format!("{long}!") };
    same(&store.matching(&world.tenant, &key).await?, &Matches::One(Box::new(account)), "the value")?;
    same(&store.matching(&world.tenant, &other).await?, &Matches::None, "a longer value")
}
