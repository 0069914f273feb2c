//! Many at once.

use crate::cost::{Cost, Stopwatch};

/// How many tasks sign in at once.
pub const TASKS: usize = 64;

/// Runs one job for each item on 64 tasks and tells what all of them took together.
pub async fn on_64_tasks<T, F, J>(items: Vec<T>, job: J) -> Cost
where
    T: Send + 'static,
    F: Future<Output = ()> + Send + 'static,
    J: Fn(T) -> F + Clone + Send + Sync + 'static,
{
    let mut shares: Vec<Vec<T>> = (0..TASKS).map(|_| Vec::new()).collect();
    for (number, item) in items.into_iter().enumerate() {
        if let Some(share) = shares.get_mut(number % TASKS) {
            share.push(item);
        }
    }
    let run = move |share: Vec<T>| {
        let job = job.clone();
        async move {
            for item in share {
                job(item).await;
            }
        }
    };
    all_at_once(shares, run).await
}

/// Starts one task for each item, all at once, and tells what all of them took together.
pub async fn all_at_once<T, F, J>(items: Vec<T>, job: J) -> Cost
where
    T: Send + 'static,
    F: Future<Output = ()> + Send + 'static,
    J: Fn(T) -> F,
{
    let start = Stopwatch::start();
    let tasks: Vec<_> = items.into_iter().map(|item| tokio::spawn(job(item))).collect();
    for task in tasks {
        task.await.unwrap();
    }
    start.stop()
}
