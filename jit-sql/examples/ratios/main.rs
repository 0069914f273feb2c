//! Measures the stores against the same rows written by hand, in one run: ratios of rates and times.
//!
//! `cargo run --release -p jit-sql --all-features --example ratios -- FOLDER [POSTGRES_URL]`
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a program for people who measure")]

mod on_postgres;
mod on_sqlite;
mod rows;

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

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

/// How long something took, by the clock on the wall and by the processor (of this process alone): on a busy machine
/// only the second says much.
#[derive(Clone, Copy)]
struct Cost {
    wall: Duration,
    cpu: Duration,
}

/// Begins a measurement.
struct Stopwatch(Instant, Duration);

impl Stopwatch {
    fn start() -> Self {
        Self(Instant::now(), cpu())
    }

    fn stop(&self) -> Cost {
        Cost { wall: self.0.elapsed(), cpu: cpu().saturating_sub(self.1) }
    }
}

/// The processor time of all threads that live, as Linux tells it; zero elsewhere.
fn cpu() -> Duration {
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let nanos = threads.filter_map(|thread| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanos.sum())
}

/// Runs one job for each item on 64 tasks and tells what all of them took together.
async fn on_64_tasks<T, F, J>(items: Vec<T>, job: J) -> Cost
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
    let start = Stopwatch::start();
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
    start.stop()
}

async fn first_sign_ins(store: Arc<dyn Store>, rows: Vec<Rows>) -> Cost {
    on_64_tasks(rows, move |row| {
        let store = Arc::clone(&store);
        async move { store.commit(&row.commit).await.unwrap() }
    })
    .await
}

/// What each of several runs took, in microseconds for each item.
#[derive(Default)]
struct Figures {
    wall: Vec<f64>,
    cpu: Vec<f64>,
}

impl Figures {
    #[expect(clippy::cast_precision_loss, reason = "a count of a few thousand")]
    fn add(&mut self, cost: Cost, count: usize) {
        self.wall.push(cost.wall.as_secs_f64() * 1e6 / count as f64);
        self.cpu.push(cost.cpu.as_secs_f64() * 1e6 / count as f64);
    }

    /// The middle of the ratios to another, run by run.
    fn to(&self, other: &Self) -> String {
        let ratios = |a: &[f64], b: &[f64]| median(a.iter().zip(b).map(|(a, b)| a / b).collect());
        format!("{:.2} (cpu {:.2})", ratios(&self.wall, &other.wall), ratios(&self.cpu, &other.cpu))
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.1} us (cpu {:.1})", median(self.wall.clone()), median(self.cpu.clone()))
    }
}

/// The middle of several measurements.
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
