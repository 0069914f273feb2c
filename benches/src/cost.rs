//! What something took: by the clock on the wall and by the processor.

use std::{
    fmt,
    time::{Duration, Instant},
};

/// Tells how long something took. On a machine with other work only the processor's time says much.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "there are these two clocks")]
pub struct Cost {
    /// By the clock on the wall.
    pub wall: Duration,
    /// By the processor, all threads of this process together.
    pub cpu: Duration,
}

/// Begins a measurement.
#[derive(Debug)]
pub struct Stopwatch(Instant, Duration);

impl Stopwatch {
    /// Begins.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now(), cpu())
    }

    /// Ends.
    #[must_use]
    pub fn stop(&self) -> Cost {
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

/// Collects what each of several rounds took, in microseconds for each item.
#[derive(Debug, Default)]
pub struct Figures {
    wall: Vec<f64>,
    cpu: Vec<f64>,
}

impl Figures {
    /// Adds a round.
    #[expect(clippy::cast_precision_loss, reason = "a count of some thousands")]
    pub fn add(&mut self, cost: Cost, count: usize) {
        self.wall.push(cost.wall.as_secs_f64() * 1e6 / count as f64);
        self.cpu.push(cost.cpu.as_secs_f64() * 1e6 / count as f64);
    }

    /// The middle of the ratios to another by the clock on the wall, round by round.
    #[must_use]
    pub fn to(&self, other: &Self) -> f64 {
        median(self.wall.iter().zip(&other.wall).map(|(a, b)| a / b).collect())
    }

    /// The middle of the ratios to another by the processor, round by round.
    #[must_use]
    pub fn cpu_to(&self, other: &Self) -> f64 {
        median(self.cpu.iter().zip(&other.cpu).map(|(a, b)| a / b).collect())
    }

    /// The middle of the processor times.
    #[must_use]
    pub fn cpu(&self) -> f64 {
        median(self.cpu.clone())
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} us (cpu {:.1})", median(self.wall.clone()), self.cpu())
    }
}

/// The middle of several figures.
#[must_use]
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
