//! Tenants are walls.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use crate::conformance::{
    Failure, Nodes,
    failure::{ensure, is_account, is_nobody, refused, same},
    sample::{Dressed, World, at, count, put_tasks, withdraw},
};
use crate::{
    Account, AuditQuery, Commit, CounterName, Cursor, ErrorKind, Filter, Lane, Matches, Seen, Store, Tenants,
};

/// The same person with the same keys at two tenants.
async fn twins(store: &dyn Store) -> Result<[(World, Account); 2], Failure> {
    let (mut a, mut b) = (World::new("a")?, World::new("b")?);
    let (at_a, at_b) = (twin(&mut a)?, twin(&mut b)?);
    let (at_a, at_b) = (a.create(store, at_a).await?, b.create(store, at_b).await?);
    Ok([(a, at_a), (b, at_b)])
}

fn twin(world: &mut World) -> Result<Account, Failure> {
    let account = world.person("twin")?.called("twin")?.mailed("twin@example.com")?.tagged("badge", "7")?;
    Ok(account.holding(world.grant("role:owner")?))
}

/// Checks that one identity may exist at two tenants, and each finds its own account.
pub async fn each_tenant_finds_its_own_identity(nodes: &Nodes) -> Result<(), Failure> {
    let store = nodes.one();
    for (world, account) in twins(store).await? {
        is_account(store.find(&world.key("twin")?).await?.as_ref(), &account, world.tenant.as_str())?;
    }
    is_nobody(store.find(&World::new("c")?.key("twin")?).await?.as_ref(), "a third tenant")
}

/// Checks that an account cannot be read by its id from another tenant.
pub async fn an_id_of_another_tenant_reads_nothing(nodes: &Nodes) -> Result<(), Failure> {
    let (store, [(a, at_a), (b, at_b)]) = (nodes.one(), twins(nodes.one()).await?);
    is_nobody(store.get(&a.tenant, at_b.id).await?.as_ref(), "b's account at a")?;
    is_nobody(store.get(&b.tenant, at_a.id).await?.as_ref(), "a's account at b")?;
    is_account(store.get(&b.tenant, at_b.id).await?.as_ref(), &at_b, "b's account at b")
}

/// Checks that one user name may exist at two tenants, and each finds its own account.
pub async fn each_tenant_has_its_own_names(nodes: &Nodes) -> Result<(), Failure> {
    let store = nodes.one();
    for (world, account) in twins(store).await? {
        is_account(store.named(&world.tenant, "twin").await?.as_ref(), &account, world.tenant.as_str())?;
    }
    is_nobody(store.named(&World::new("c")?.tenant, "twin").await?.as_ref(), "a third tenant")
}

/// Checks that lookup keys match within the tenant only.
pub async fn each_tenant_matches_its_own_accounts(nodes: &Nodes) -> Result<(), Failure> {
    let (store, twins) = (nodes.one(), twins(nodes.one()).await?);
    for (world, account) in &twins {
        for key in account.lookup_keys() {
            let found = store.matching(&world.tenant, &key).await?;
            same(&found, &Matches::One(Box::new(account.clone())), world.tenant.as_str())?;
            let elsewhere = store.matching(&World::new("c")?.tenant, &key).await?;
            same(&elsewhere, &Matches::None, "a third tenant")?;
        }
    }
    Ok(())
}

/// Checks that lists show the tenant's accounts only, whatever the filter.
pub async fn each_tenant_lists_its_own_accounts(nodes: &Nodes) -> Result<(), Failure> {
    let (store, twins) = (nodes.one(), twins(nodes.one()).await?);
    for (world, account) in &twins {
        for filter in [Filter::All, Filter::State("active"), Filter::Holding("role:owner".parse()?)] {
            let page = store.list(&world.query(filter, None, 10)).await?;
            same(&page.items, &vec![account.clone()], world.tenant.as_str())?;
            same(&page.next, &None, "nothing follows")?;
        }
    }
    Ok(())
}

/// Checks that an update names its tenant: the account of another tenant with the same id is not touched.
pub async fn an_update_stops_at_the_tenant(nodes: &Nodes) -> Result<(), Failure> {
    let (store, [(a, at_a), (b, at_b)]) = (nodes.one(), twins(nodes.one()).await?);
    let mut stolen = Account { tenant: b.tenant.clone(), ..at_a.clone() };
    stolen.identities.clear();
    stolen.user_name = None;
    refused(store.commit(&b.revision(&stolen, &stolen)).await, &ErrorKind::Conflict, "a's account as b's")?;
    is_account(store.get(&a.tenant, at_a.id).await?.as_ref(), &at_a, "a's account")?;
    is_account(store.get(&b.tenant, at_b.id).await?.as_ref(), &at_b, "b's account")
}

/// Checks that ids of another tenant cannot be felt out: accounts of two tenants may share one, and stay apart.
pub async fn two_tenants_may_use_one_id(nodes: &Nodes) -> Result<(), Failure> {
    let (store, mut a, mut b) = (nodes.one(), World::new("a")?, World::new("b")?);
    let at_a = a.person("x")?;
    let at_b = Account { id: at_a.id, ..b.person("y")? };
    let (at_a, at_b) = (a.create(store, at_a).await?, b.create(store, at_b).await?);
    let at_b = b.update(store, &at_b, Account { updated_at: at(3), ..at_b.clone() }).await?;
    is_account(store.get(&a.tenant, at_a.id).await?.as_ref(), &at_a, "a's account")?;
    is_account(store.find(&b.key("y")?).await?.as_ref(), &at_b, "b's account")
}

/// Checks that each tenant counts for itself.
pub async fn each_tenant_counts_for_itself(nodes: &Nodes) -> Result<(), Failure> {
    let (store, a, b, seats) = (nodes.one(), World::new("a")?, World::new("b")?, CounterName::seats());
    store.commit(&a.count(&seats, 3, (None, Some(3)))).await?;
    store.commit(&b.count(&seats, 2, (None, Some(3)))).await?;
    ensure(
        a.counter_is(store, &seats, 3).await && b.counter_is(store, &seats, 2).await,
        "tenants count together",
    )
}

/// Checks that the last-seen instant of another tenant's account is not moved.
pub async fn a_touch_stops_at_the_tenant(nodes: &Nodes) -> Result<(), Failure> {
    let (store, [(a, at_a), (b, _)]) = (nodes.one(), twins(nodes.one()).await?);
    store.touch(&[Seen { tenant: b.tenant.clone(), account: at_a.id, at: at(50) }]).await?;
    is_account(store.get(&a.tenant, at_a.id).await?.as_ref(), &at_a, "a's account")
}

/// Checks that a tenant withdraws its own tasks only, and tasks of two tenants may share an id.
pub async fn a_withdrawal_stops_at_the_tenant(nodes: &Nodes) -> Result<(), Failure> {
    let (store, mut a, b) = (nodes.one(), World::new("a")?, World::new("b")?);
    let task = a.task("lane", at(0))?;
    put_tasks(store, &a, &[&task]).await?;
    withdraw(store, &b, task.id).await?;
    same(&store.next_due(&task.lane).await?, &Some(at(0)), "a's task is gone")?;
    let twin = crate::Task { tenant: b.tenant.clone(), ..task.clone() };
    put_tasks(store, &b, &[&twin]).await?;
    let claimed =
        store.claim(&"w".parse()?, &task.lane, &Tenants::All, at(0), TimeDelta::hours(1), count(9)).await?;
    let mut tenants: Vec<_> = claimed.into_iter().map(|claimed| claimed.task.tenant).collect();
    tenants.sort();
    same(&tenants, &vec![a.tenant, b.tenant], "the tasks that are claimed")
}

/// Checks that a claim takes tasks of the tenants that it names alone, or of all but those: what it does not take counts for
/// nothing, and stays as it is.
pub async fn a_claim_takes_tasks_of_the_tenants_that_it_names(nodes: &Nodes) -> Result<(), Failure> {
    let (store, mut a, mut b, mut c) = (nodes.one(), World::new("a")?, World::new("b")?, World::new("c")?);
    let lane = Lane::new("lane")?;
    let mut tasks = Vec::new();
    for (place, due) in [0, 0, 0, 1, 2, 1, 1].into_iter().zip(0..) {
        let world = [&mut a, &mut b, &mut c].into_iter().nth(place).ok_or(Failure::new("no sample"))?;
        let task = world.task("lane", at(due))?;
        put_tasks(store, world, &[&task]).await?;
        tasks.push(task.id);
    }
    let claim = async |node: &dyn Store, tenants: &Tenants, limit| -> Result<Vec<_>, Failure> {
        let claimed =
            node.claim(&"w".parse()?, &lane, tenants, at(10), TimeDelta::hours(1), count(limit)).await?;
        Ok(claimed.into_iter().map(|claimed| (claimed.task.id, claimed.attempts)).collect())
    };
    let first = |places: &[usize]| -> Vec<_> {
        places.iter().filter_map(|place| tasks.get(*place)).map(|id| (*id, 0)).collect()
    };
    same(&claim(store, &Tenants::These(BTreeSet::new()), 9).await?, &Vec::new(), "of nobody")?;
    let b_and_c = Tenants::These([b.tenant, c.tenant].into());
    let all_but_a = Tenants::AllBut([a.tenant].into());
    let claimed = claim(store, &b_and_c, 3).await?;
    same(&claimed, &first(&[3, 4, 5]), "of two tenants, though another's came before")?;
    same(&claim(nodes.two(), &all_but_a, 9).await?, &first(&[6]), "of all but one, the rest")?;
    same(&store.next_due(&lane).await?, &Some(at(0)), "that one's")?;
    same(&claim(store, &b_and_c, 9).await?, &Vec::new(), "of two tenants, when all of theirs are taken")?;
    same(&claim(store, &Tenants::AllBut(BTreeSet::new()), 1).await?, &first(&[0]), "of all but nobody")?;
    same(&claim(nodes.two(), &Tenants::All, 9).await?, &first(&[1, 2]), "of everybody")
}

/// Checks that a settlement ends the claim of its own tenant's task.
pub async fn a_settlement_stops_at_the_tenant(nodes: &Nodes) -> Result<(), Failure> {
    let (store, mut a, b) = (nodes.one(), World::new("a")?, World::new("b")?);
    let task = a.task("lane", at(0))?;
    put_tasks(store, &a, &[&task]).await?;
    let claimed =
        store.claim(&"w".parse()?, &task.lane, &Tenants::All, at(0), TimeDelta::hours(1), count(1)).await?;
    for mut claimed in claimed {
        claimed.task.tenant = b.tenant.clone();
        refused(store.settle(&claimed, crate::Settlement::Done).await, &ErrorKind::Conflict, "a claim of b")?;
    }
    same(&store.next_due(&task.lane).await?, &Some(at(3_600)), "a's task")
}

/// Checks that each tenant reads its own trail, for an account of another one as well.
pub async fn each_tenant_reads_its_own_trail(nodes: &Nodes) -> Result<(), Failure> {
    let (store, [(mut a, at_a), (b, _)]) = (nodes.one(), twins(nodes.one()).await?);
    let event = a.event(Some(at_a.id));
    store.commit(&Commit { events: vec![event.clone()], ..a.commit() }).await?;
    let elsewhere = crate::AuditEvent { tenant: b.tenant.clone(), ..event.clone() };
    ensure(b.recorded(store).await?.is_empty(), "b reads a's trail")?;
    let of_account = AuditQuery { account: Some(at_a.id), ..b.trail() };
    ensure(store.events(&of_account).await?.items.is_empty(), "b reads a's trail by account")?;
    let latest =
        AuditQuery { latest_first: true, after: Some(Cursor::after(uuid::Uuid::max())), ..b.trail() };
    ensure(store.events(&latest).await?.items.is_empty(), "b reads a's trail backwards")?;
    store.commit(&Commit { events: vec![elsewhere.clone()], ..b.commit() }).await?;
    same(&store.events(&b.trail()).await?.items, &vec![elsewhere], "b's trail")?;
    same(&store.events(&a.trail()).await?.items, &vec![event], "a's trail")
}
