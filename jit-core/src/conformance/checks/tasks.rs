//! Tasks: when they are handed out, to whom, and how a claim ends.

use chrono::{DateTime, TimeDelta, Utc};

use crate::conformance::{
    Failure, Nodes,
    failure::{ensure, refused, same},
    race::race,
    sample::{World, at, count, put_tasks, withdraw},
};
use crate::{
    BackendError, Claimed, Code, ErrorKind, Lane, Settlement, Store, Taken, Task, TaskId, TaskKind, Tenants,
};

const HOLD: TimeDelta = TimeDelta::seconds(60);

async fn claim(
    store: &dyn Store,
    lane: &Lane,
    now: DateTime<Utc>,
    limit: usize,
) -> Result<Vec<Claimed>, Failure> {
    Ok(store.claim(&"worker".parse()?, lane, &Tenants::All, now, HOLD, count(limit)).await?)
}

/// Claims exactly one task.
async fn claim_one(store: &dyn Store, lane: &Lane, now: DateTime<Utc>) -> Result<Claimed, Failure> {
    let claimed: [Claimed; 1] = claim(store, lane, now, 10)
        .await?
        .try_into()
        .map_err(|claimed: Vec<_>| Failure::new(format!("{} tasks were claimed, want one", claimed.len())))?;
    let [claimed] = claimed;
    Ok(claimed)
}

fn ids(claimed: &[Claimed]) -> Vec<TaskId> {
    claimed.iter().map(|claimed| claimed.task.id).collect()
}

/// Checks that a task is handed out from the instant on at which it is due, not before.
pub async fn only_due_tasks_are_claimed(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let (now, later) =
        (world.task("lane", at(10))?, world.task("lane", at(10) + TimeDelta::microseconds(1))?);
    put_tasks(store, &world, &[&later, &now]).await?;
    let early = claim(store, &now.lane, at(10) - TimeDelta::microseconds(1), 10).await?;
    ensure(early.is_empty(), "a task was claimed before it was due")?;
    same(&ids(&claim(store, &now.lane, at(10), 10).await?), &vec![now.id], "at the instant")?;
    same(&ids(&claim(store, &now.lane, at(11), 10).await?), &vec![later.id], "afterwards")
}

/// Checks that the longest due comes first, also over several claims.
pub async fn the_oldest_task_comes_first(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let mut tasks = Vec::new();
    for due in [7, 3, 9, 1, 3] {
        tasks.push(world.task("lane", at(due))?);
    }
    put_tasks(store, &world, &tasks.iter().collect::<Vec<_>>()).await?;
    tasks.sort_by_key(|task| (task.due, task.id));
    let want: Vec<TaskId> = tasks.iter().map(|task| task.id).collect();
    let mut got = Vec::new();
    for _ in 0..3 {
        got.extend(ids(&claim(store, &Lane::new("lane")?, at(20), 2).await?));
    }
    same(&got, &want, "the order")
}

/// Checks that a claim looks into its own lane only.
pub async fn lanes_are_kept_apart(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let tasks = [world.task("lane", at(0))?, world.task("Lane", at(0))?, world.task("lane2", at(0))?];
    put_tasks(store, &world, &tasks.iter().collect::<Vec<_>>()).await?;
    for task in &tasks {
        same(&ids(&claim(store, &task.lane, at(1), 10).await?), &vec![task.id], task.lane.as_str())?;
    }
    ensure(claim(store, &Lane::new("lan")?, at(1), 10).await?.is_empty(), "an empty lane has a task")
}

/// Checks that no more tasks are claimed than asked for, and the others stay free.
pub async fn a_claim_keeps_to_its_limit(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store, lane) = (World::new("a")?, nodes.one(), Lane::new("lane")?);
    let tasks = [world.task("lane", at(0))?, world.task("lane", at(0))?, world.task("lane", at(0))?];
    put_tasks(store, &world, &tasks.iter().collect::<Vec<_>>()).await?;
    same(&claim(store, &lane, at(1), 2).await?.len(), &2, "the first claim")?;
    same(&claim(store, &lane, at(1), 2).await?.len(), &1, "the second claim")?;
    same(&claim(store, &lane, at(1), 2).await?.len(), &0, "the third claim")
}

/// Checks that a claim tells the task, its worker, its end, and that it is the first.
pub async fn a_claim_tells_everything(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let about = Code::new("account.linked");
    let grant = world.grant("role:editor")?.id;
    for kind in [
        TaskKind::EndGrant { grant },
        TaskKind::ReviewEnd,
        TaskKind::EndSessions { epoch: u64::from(u32::MAX) + 1 },
        TaskKind::Notify { about },
    ] {
        let task = Task { kind, ..world.task("lane", at(0) + TimeDelta::microseconds(7))? };
        put_tasks(store, &world, &[&task]).await?;
        let worker = "worker".parse()?;
        let want = Claimed { task: task.clone(), worker, epoch: 1, attempts: 0, until: at(5) + HOLD };
        same(&claim_one(nodes.two(), &task.lane, at(5)).await?, &want, task.kind.word())?;
    }
    Ok(())
}

/// Checks that a claimed task is not handed out again until the claim is over, and then it is.
pub async fn a_claim_holds_until_it_is_over(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let task = world.task("lane", at(0))?;
    put_tasks(store, &world, &[&task]).await?;
    claim_one(store, &task.lane, at(10)).await?;
    let held = claim(nodes.two(), &task.lane, at(70) - TimeDelta::microseconds(1), 10).await?;
    ensure(held.is_empty(), "a claimed task was handed out again")?;
    same(&claim_one(nodes.two(), &task.lane, at(70)).await?.task, &task, "when the claim is over")
}

/// Checks that each claim raises the epoch and the count of attempts.
pub async fn each_claim_raises_the_epoch(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let task = world.task("lane", at(0))?;
    put_tasks(store, &world, &[&task]).await?;
    for (epoch, attempts) in [(1, 0), (2, 1), (3, 2)] {
        let claimed = claim_one(store, &task.lane, at(i64::from(attempts) * 60)).await?;
        same(&(claimed.epoch, claimed.attempts), &(epoch, attempts), "epoch and attempts")?;
    }
    Ok(())
}

/// Checks that a worker whose task was claimed anew cannot settle it, and the new one can.
pub async fn a_stale_claim_cannot_settle(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let task = world.task("lane", at(0))?;
    put_tasks(store, &world, &[&task]).await?;
    let stale = claim_one(store, &task.lane, at(0)).await?;
    let fresh = claim_one(nodes.two(), &task.lane, at(60)).await?;
    for outcome in [Settlement::Done, Settlement::Again(at(61))] {
        refused(store.settle(&stale, outcome).await, &ErrorKind::Conflict, "the stale claim")?;
    }
    same(&store.next_due(&task.lane).await?, &Some(at(120)), "the new claim holds")?;
    nodes.two().settle(&fresh, Settlement::Done).await?;
    same(&store.next_due(&task.lane).await?, &None, "the task is done")
}

/// Checks that claims live by the caller's time, long ago or far ahead: no clock of the backend takes part.
pub async fn a_claim_lives_by_the_callers_time(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    for now in [-1_500_000_000, 5_000_000_000] {
        let (due, later) = (world.task("lane", at(now))?, world.task("lane", at(now + 1))?);
        put_tasks(store, &world, &[&due, &later]).await?;
        let claimed = claim_one(store, &due.lane, at(now)).await?;
        same(&claimed.task.id, &due.id, "what is due by then")?;
        store.settle(&claimed, Settlement::Done).await?;
        withdraw(store, &world, later.id).await?;
    }
    Ok(())
}

/// Checks that a claim is settled once, whatever the outcome was.
pub async fn a_claim_is_settled_once(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    for outcome in [Settlement::Done, Settlement::Again(at(500))] {
        let task = world.task("lane", at(0))?;
        put_tasks(store, &world, &[&task]).await?;
        let claimed = claim_one(store, &task.lane, at(0)).await?;
        store.settle(&claimed, outcome).await?;
        for second in [Settlement::Done, Settlement::Again(at(0))] {
            refused(
                nodes.two().settle(&claimed, second).await,
                &ErrorKind::Conflict,
                "the second settlement",
            )?;
        }
    }
    same(&store.next_due(&Lane::new("lane")?).await?, &Some(at(500)), "the task that comes again")
}

/// Checks that a task that is put off comes back then, with a new epoch.
pub async fn a_task_put_off_comes_back(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let task = world.task("lane", at(0))?;
    put_tasks(store, &world, &[&task]).await?;
    let first = claim_one(store, &task.lane, at(0)).await?;
    store.settle(&first, Settlement::Again(at(30))).await?;
    same(&store.next_due(&task.lane).await?, &Some(at(30)), "when it comes back")?;
    ensure(claim(store, &task.lane, at(29), 10).await?.is_empty(), "it came back too early")?;
    let second = claim_one(nodes.two(), &task.lane, at(30)).await?;
    same(&second.task, &Task { due: at(30), ..task }, "the task")?;
    same(&(second.epoch, second.attempts), &(2, 1), "epoch and attempts")
}

/// Checks that a withdrawn task is gone, claimed or not, and that what is gone already is passed over.
pub async fn a_withdrawn_task_is_gone(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let (waiting, claimed) = (world.task("lane", at(50))?, world.task("lane", at(0))?);
    put_tasks(store, &world, &[&waiting, &claimed]).await?;
    let claim_on = claim_one(store, &claimed.lane, at(0)).await?;
    for id in [waiting.id, claimed.id, claimed.id] {
        withdraw(nodes.two(), &world, id).await?;
    }
    same(&store.next_due(&claimed.lane).await?, &None, "the lane")?;
    ensure(claim(store, &claimed.lane, at(1_000), 10).await?.is_empty(), "a withdrawn task was handed out")?;
    for outcome in [Settlement::Done, Settlement::Again(at(0))] {
        refused(store.settle(&claim_on, outcome).await, &ErrorKind::Conflict, "a withdrawn task")?;
    }
    same(&store.next_due(&claimed.lane).await?, &None, "the lane after settling")
}

/// Checks that the id of a waiting or claimed task is taken.
pub async fn a_task_id_is_taken_once(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let task = world.task("lane", at(0))?;
    put_tasks(store, &world, &[&task]).await?;
    let again = crate::Commit { tasks: vec![Task { due: at(9), ..task.clone() }], ..world.commit() };
    let taken = ErrorKind::AlreadyExists(Taken::Task);
    refused(nodes.two().commit(&again).await, &taken, "while it waits")?;
    claim_one(store, &task.lane, at(0)).await?;
    refused(nodes.two().commit(&again).await, &taken, "while it is claimed")
}

/// Checks that the next instant is that of the lane's earliest task, a claimed one from the end of its claim on.
pub async fn the_next_instant_is_told(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let (early, late) = (world.task("lane", at(10))?, world.task("lane", at(500))?);
    same(&store.next_due(&early.lane).await?, &None, "an empty lane")?;
    put_tasks(store, &world, &[&late, &early]).await?;
    same(&nodes.two().next_due(&early.lane).await?, &Some(at(10)), "the earliest")?;
    claim_one(store, &early.lane, at(20)).await?;
    same(&nodes.two().next_due(&early.lane).await?, &Some(at(80)), "the end of the claim")?;
    same(&store.next_due(&Lane::new("other")?).await?, &None, "another lane")
}

/// Checks that whoever asks on from each answer is told every lane that holds a task, claimed or not, and each once.
pub async fn every_lane_is_named_once(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let names = ["target:ad", "accounts", "target:AD:first", "Zeta", "target:ad:first"];
    let mut tasks = Vec::new();
    for (number, name) in names.into_iter().enumerate() {
        for _ in 0..=number {
            tasks.push(world.task(name, at(i64::try_from(number).unwrap_or_default()))?);
        }
    }
    put_tasks(store, &world, &tasks.iter().collect::<Vec<_>>()).await?;
    claim_one(store, &Lane::new("target:ad")?, at(0)).await?;
    let (mut found, mut after) = (Vec::new(), None);
    while let Some(lane) = nodes.two().next_lane(after).await? {
        ensure(found.len() < names.len(), "a lane was named twice")?;
        found.push(lane.to_string());
        after = Some(lane);
    }
    found.sort();
    let mut expected = names.map(str::to_owned);
    expected.sort();
    same(&found.as_slice(), &expected.as_slice(), "the lanes")
}

/// Checks that a hold that is not positive is invalid and claims nothing.
pub async fn a_hold_must_be_positive(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let task = world.task("lane", at(0))?;
    put_tasks(store, &world, &[&task]).await?;
    for hold in [TimeDelta::zero(), TimeDelta::seconds(-1)] {
        let answer = store.claim(&"worker".parse()?, &task.lane, &Tenants::All, at(0), hold, count(1)).await;
        refused(answer, &ErrorKind::Invalid, "the claim")?;
    }
    same(&claim_one(store, &task.lane, at(0)).await?.epoch, &1, "the epoch")
}

/// Checks that many workers on two nodes never share a task, and none is left behind.
pub async fn workers_never_share_a_task(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, mut tasks) = (World::new("a")?, Vec::new());
    for number in 0..100 {
        tasks.push(world.task("lane", at(number % 7))?);
    }
    put_tasks(nodes.one(), &world, &tasks.iter().collect::<Vec<_>>()).await?;
    let lane = Lane::new("lane")?;
    let answers = race(8, |number| {
        let (store, lane) = (nodes.of(number), lane.clone());
        let worker = format!("worker-{number}").parse();
        async move {
            let worker = worker.map_err(Failure::from)?;
            let mut mine = Vec::new();
            // A worker that meets locked tasks may come away with nothing once; it is not to give up.
            for _ in 0..200 {
                mine.extend(store.claim(&worker, &lane, &Tenants::All, at(100), HOLD, count(3)).await?);
            }
            Ok::<_, Failure>(mine)
        }
    });
    let mut claimed = Vec::new();
    for answer in answers.await? {
        claimed.extend(ids(&answer?));
    }
    claimed.sort();
    same(&claimed, &tasks.iter().map(|task| task.id).collect(), "the tasks that were claimed")
}

/// Checks that of many who settle one claim, one succeeds.
pub async fn one_settlement_of_many_counts(nodes: &Nodes) -> Result<(), Failure> {
    let mut world = World::new("a")?;
    let task = world.task("lane", at(0))?;
    put_tasks(nodes.one(), &world, &[&task]).await?;
    let claimed = claim_one(nodes.one(), &task.lane, at(0)).await?;
    let answers: Vec<Result<(), BackendError>> = race(16, |number| {
        let (store, claimed) = (nodes.of(number), claimed.clone());
        async move { store.settle(&claimed, Settlement::Again(at(900))).await }
    })
    .await?;
    same(&answers.iter().filter(|answer| answer.is_ok()).count(), &1, "settlements that were accepted")
}
