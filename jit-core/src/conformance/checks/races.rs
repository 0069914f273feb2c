//! Many commits at once, over two nodes.

use crate::conformance::{
    Failure, Nodes,
    failure::{ensure, same},
    race::{RACERS, commit_all, part, race},
    sample::{Dressed, World, at},
};
use crate::{Account, Commit, ErrorKind, Filter, Seen, Taken};

/// Checks that of many first sign-ins of one person, one makes the account and the others learn that it is there.
pub async fn one_identity_makes_one_account(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, mut commits) = (World::new("a")?, Vec::new());
    for _ in 0..RACERS {
        let account = world.person("anna")?;
        let events = vec![world.event(Some(account.id))];
        commits.push(Commit { events, ..world.creation(&account) });
    }
    let (accepted, errors) = commit_all(nodes, commits).await?;
    same(&accepted, &1, "commits that were accepted")?;
    for error in errors {
        same(error.kind(), &ErrorKind::AlreadyExists(Taken::Identity), "the others")?;
    }
    let there = nodes.one().list(&world.query(Filter::All, None, 100)).await?.items;
    let found = nodes.two().find(&world.key("anna")?).await?;
    ensure(there.len() == 1 && there.first() == found.as_ref(), "there is not exactly one account")?;
    same(&world.recorded(nodes.one()).await?.len(), &1, "events")
}

/// Checks that of many people who want one user name, one gets it and the others learn that it is taken.
pub async fn one_name_goes_to_one_account(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, mut commits) = (World::new("a")?, Vec::new());
    for number in 0..RACERS {
        let account = world.person(&format!("person {number}"))?.called("first")?;
        commits.push(world.creation(&account));
    }
    let (accepted, errors) = commit_all(nodes, commits).await?;
    same(&accepted, &1, "commits that were accepted")?;
    for error in errors {
        same(error.kind(), &ErrorKind::AlreadyExists(Taken::UserName), "the others")?;
    }
    let there = nodes.one().list(&world.query(Filter::All, None, 100)).await?;
    same(&there.items.len(), &1, "accounts")
}

/// Checks that of many updates of one version, one wins and the others learn of the conflict, round after round.
pub async fn one_version_is_updated_once(nodes: &Nodes) -> Result<(), Failure> {
    let mut world = World::new("a")?;
    let account = world.account();
    let mut account = world.create(nodes.one(), account).await?;
    for round in 2..6 {
        let after = |number: i64| Account { updated_at: at(number), ..account.clone() };
        let commits = (0..16).map(|number| world.revision(&account, &after(number))).collect();
        let (accepted, errors) = commit_all(nodes, commits).await?;
        same(&accepted, &1, "updates that were accepted")?;
        for error in errors {
            same(error.kind(), &ErrorKind::Conflict, "the others")?;
        }
        let stored = nodes.two().get(&world.tenant, account.id).await?;
        account = stored.ok_or_else(|| Failure::new("the account is gone"))?;
        same(&account.version, &round, "the version")?;
    }
    Ok(())
}

/// Checks that commits that have nothing to do with each other are all accepted.
pub async fn strangers_do_not_disturb_each_other(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, mut commits) = (World::new("a")?, Vec::new());
    for number in 0..RACERS {
        let account = world.person(&format!("person {number}"))?.called(&format!("person{number}"))?;
        let (tasks, events) = (vec![world.task("lane", at(0))?], vec![world.event(Some(account.id))]);
        commits.push(Commit { tasks, events, ..world.creation(&account) });
    }
    let (_, errors) = commit_all(nodes, commits).await?;
    if let Some(error) = errors.into_iter().next() {
        return Err(error.into());
    }
    let there = nodes.two().list(&world.query(Filter::All, None, 100)).await?;
    same(&there.items.len(), &RACERS, "accounts")?;
    same(&world.recorded(nodes.two()).await?.len(), &RACERS, "events")
}

/// Checks that touches and commits of one account at once lose neither.
pub async fn touches_and_commits_go_together(nodes: &Nodes) -> Result<(), Failure> {
    let mut world = World::new("a")?;
    let account = world.account();
    let account = world.create(nodes.one(), account).await?;
    let commit = world.revision(&account, &Account { credential_epoch: 9, ..account.clone() });
    let answers = race(16, |number| {
        let (store, commit, tenant) = (nodes.of(number), commit.clone(), world.tenant.clone());
        let seconds = i64::try_from(number).unwrap_or(0);
        let seen = Seen { tenant, account: account.id, at: at(seconds) };
        async move { if number == 8 { store.commit(&commit).await } else { store.touch(&[seen]).await } }
    });
    if let Some(error) = part(answers.await?).1.into_iter().next() {
        return Err(error.into());
    }
    let stored = nodes.one().get(&world.tenant, account.id).await?;
    let stored = stored.ok_or_else(|| Failure::new("the account is gone"))?;
    same(&(stored.version, stored.credential_epoch), &(2, 9), "the commit")?;
    same(&stored.last_seen, &Some(at(15)), "the latest touch")
}
