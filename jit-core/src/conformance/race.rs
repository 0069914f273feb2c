//! Many at once.

use std::{future::Future, sync::Arc};

use tokio::{sync::Barrier, task::JoinSet};

use super::{Failure, Nodes};
use crate::{BackendError, Commit};

/// How many take part in a race.
pub(super) const RACERS: usize = 64;

/// Lets `count` calls begin together and collects their answers.
pub(super) async fn race<T, F>(count: usize, call: impl Fn(usize) -> F) -> Result<Vec<T>, Failure>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let barrier = Arc::new(Barrier::new(count));
    let mut racers = JoinSet::new();
    for number in 0..count {
        let (call, barrier) = (call(number), Arc::clone(&barrier));
        racers.spawn(async move {
            barrier.wait().await;
            call.await
        });
    }
    let mut answers = Vec::with_capacity(count);
    while let Some(answer) = racers.join_next().await {
        answers.push(answer?);
    }
    Ok(answers)
}

/// Lets commits begin together, over both nodes; tells how many were accepted, and why the others were not.
pub(super) async fn commit_all(
    nodes: &Nodes,
    commits: Vec<Commit>,
) -> Result<(usize, Vec<BackendError>), Failure> {
    let answers = race(commits.len(), |number| {
        let (store, commit) = (nodes.of(number), commits.get(number).cloned());
        async move {
            match commit {
                Some(commit) => store.commit(&commit).await,
                None => Ok(()),
            }
        }
    });
    Ok(part(answers.await?))
}

/// Parts the answers into how many were accepted and why the others were not.
pub(super) fn part(answers: Vec<Result<(), BackendError>>) -> (usize, Vec<BackendError>) {
    let count = answers.len();
    let refused: Vec<_> = answers.into_iter().filter_map(Result::err).collect();
    (count - refused.len(), refused)
}
