//! Whatever stops in between, nothing is left: futures are dropped at every point at which they wait.

use std::pin::Pin;
use std::task::Poll;

use chrono::TimeDelta;
use jit_core::*;
use jit_ldap::Search;

use super::house::{House, World};

/// Runs a future and drops it when it has waited so often; `None` when that came first.
pub(crate) async fn killed_at<T>(
    waits: usize,
    mut future: Pin<Box<dyn Future<Output = T> + '_>>,
) -> Option<T> {
    let mut left = waits;
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

/// What was sent before a kill is done when a later request on a new connection is answered.
pub(crate) async fn let_it_land(world: &World) {
    for _ in 0..2 {
        world.peer().as_service().await.read(&Search::entry(world.base())).await.unwrap();
    }
}

/// How many times as many rounds there are at most: on a busy machine requests wait more often, and it takes more of them
/// until one came through, one was killed and something was left.
pub(crate) const PATIENCE: usize = 10;

/// Within how many waits the deaths of this round are.
pub(crate) fn waits(usual: usize, round: usize, rounds: usize) -> usize {
    usual * (1 + round / rounds)
}

async fn kill(world: &World, rounds: usize) {
    let target = world.target();
    let house = House::behind(target.clone(), 0).await;
    let (mut whole, mut killed, mut remained) = (0, 0, 0);
    for round in 0..rounds * PATIENCE {
        if round >= rounds && whole > 0 && killed > 0 && remained > 0 {
            break;
        }
        let request = house.request("admin", 30);
        match killed_at(round % waits(12, round, rounds), Box::pin(house.jit.check_out(&request))).await {
            Some(out) => {
                whole += 1;
                let lease = out.unwrap().lease;
                killed_at(round % waits(7, round, rounds), Box::pin(house.check_in(lease))).await;
            }
            None => killed += 1,
        }
        let_it_land(world).await;
        remained += usize::from(!house.left(target.as_ref()).await.is_empty());
        house.clock.advance(TimeDelta::minutes(1));
        killed_at(round % waits(7, round, rounds), Box::pin(house.work())).await;
    }
    let_it_land(world).await;
    for _ in 0..60 {
        house.clock.advance(TimeDelta::minutes(5));
        house.work().await;
    }
    println!(
        "{whole} made, {killed} killed while they were made; something was left in between {remained} times"
    );
    assert!(whole > 0 && killed > 0 && remained > 0);
    let left = house.left(target.as_ref()).await;
    assert!(left.is_empty(), "orphans: {left:?}");
    assert_eq!(house.an_hour_later().await, WorkReport::default(), "nothing is left to do");
}

#[tokio::test]
async fn no_kill_leaves_an_orphan_in_open_ldap() {
    Box::pin(kill(&World::open_ldap(), 120)).await;
}

#[tokio::test]
async fn no_kill_leaves_an_orphan_in_active_directory() {
    Box::pin(kill(&World::windows().await, 60)).await;
}
