//! Measures the stores against the same rows written by hand, in one run: ratios of rates and times.
//!
//! `cargo run --release -p jit-sql --all-features --example ratios -- FOLDER [POSTGRES_URL]`
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a program for people who measure")]

mod on_postgres;
mod on_sqlite;
mod rows;

use std::{path::PathBuf, sync::Arc, time::Duration};

use jit_core::Store;

use rows::Rows;

const TASKS: usize = 64;
const ROUNDS: usize = 5;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().unwrap_or_else(|| "target/ratios".into()));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        on_sqlite::measure(&folder).await;
        if let Some(url) = arguments.next() {
            on_postgres::measure(&url).await;
        }
    });
}

/// Runs one job for each item on 64 tasks and tells how long all of them took together.
async fn on_64_tasks<T, F, J>(items: Vec<T>, job: J) -> Duration
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
    let start = std::time::Instant::now();
    let tasks: Vec<_> = shares
        .into_iter()
        .map(|share| {
            let job = job.clone();
            tokio::spawn(async move {
                for item in share {
                    job(item).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    start.elapsed()
}

async fn first_sign_ins(store: Arc<dyn Store>, rows: Vec<Rows>) -> Duration {
    on_64_tasks(rows, move |row| {
        let store = Arc::clone(&store);
        async move { store.commit(&row.commit).await.unwrap() }
    })
    .await
}

/// The middle of several measurements.
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

#[expect(clippy::cast_precision_loss, reason = "a count of a few thousand")]
fn each(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e6 / count as f64
}
