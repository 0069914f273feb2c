//! A house full of live leases, none of which is due: what waiting for them costs, and starting anew.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use jit_benches::{
    cost::{Cost, Figures, Stopwatch},
    report::{Goal, line},
};
use jit_core::MemoryTarget;

use crate::{Wanted, fill::fill, house::House, time};

const FEW: usize = 10_000;
const SWEEPS: usize = 200;
const KIB: f64 = 1024.0;

/// What several starts took.
#[derive(Default)]
struct Lines {
    sweep: Figures,
    warm: Figures,
    cold: Figures,
    /// The most memory that any of the processes took, in bytes.
    memory: u64,
}

pub(crate) async fn measure(wanted: &Wanted) {
    let many = if wanted.is_quick { 100_000 } else { 1_000_000 };
    fill(&file(&wanted.folder, "few"), FEW).await;
    fill(&file(&wanted.folder, "many"), many).await;
    let [mut at_few, mut at_many]: [Lines; 2] = Default::default();
    for round in 0..=10 {
        for (name, lines) in [("few", &mut at_few), ("many", &mut at_many)] {
            forget(&file(&wanted.folder, name));
            let (cold, ..) = started(&wanted.folder, name);
            let (warm, sweep, memory) = started(&wanted.folder, name);
            if round > 0 {
                lines.cold.add(cold, 1);
                lines.warm.add(warm, 1);
                lines.sweep.add(sweep, 1);
                lines.memory = lines.memory.max(memory);
            }
        }
    }
    print(many, &at_few, &at_many);
}

#[expect(clippy::cast_precision_loss, reason = "counts of leases and bytes far below the bound")]
fn print(many: usize, at_few: &Lines, at_many: &Lines) {
    let thousands = many / 1_000;
    let what = |what: &str| format!("SQLite: {what} at {thousands} thousand live leases");
    let beside = "at 10 thousand";
    time(&what("a sweep with nothing due"), &at_many.sweep, (&at_few.sweep, beside), Goal::AtMost(1.5));
    let start = what("process start to the first check-out");
    time(&start, &at_many.warm, (&at_few.warm, beside), Goal::AtMost(1.5));
    let cold = format!("{start}, file not in memory");
    time(&cold, &at_many.cold, (&at_few.cold, beside), Goal::Shown);
    let more = at_many.memory.saturating_sub(at_few.memory) as f64 / (many - FEW) as f64;
    let memory = |lines: &Lines| format!("{:.1} MiB", lines.memory as f64 / KIB / KIB);
    let few = format!("{} {beside}; 64 bytes for each more", memory(at_few));
    line(&what("memory of that process"), memory(at_many), few, more / 64.0, Goal::AtMost(1.0));
}

fn file(folder: &Path, name: &str) -> std::path::PathBuf {
    folder.join(format!("{name}.db"))
}

/// Lets the system forget what it keeps of a file in memory.
fn forget(file: &Path) {
    let mut input = std::ffi::OsString::from("if=");
    input.push(file);
    let forgot = Command::new("dd").arg(input).args(["iflag=nocache", "count=0", "status=none"]).status();
    assert!(forgot.unwrap().success());
}

/// Starts a process that lends one account and then sweeps: how long the first took, and one sweep; its memory.
fn started(folder: &Path, name: &str) -> (Cost, Cost, u64) {
    let start = Instant::now();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([folder.as_os_str(), "start".as_ref(), name.as_ref()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "served");
    let wall = start.elapsed();
    let told = lines.next().unwrap().unwrap();
    assert!(child.wait().unwrap().success());
    let mut numbers = told.split(' ').map(|number| number.parse::<u64>().unwrap());
    let [cpu, sweep, sweep_cpu, memory] = std::array::from_fn(|_| numbers.next().unwrap());
    let cost = |wall, cpu| Cost { wall, cpu: Duration::from_nanos(cpu) };
    (cost(wall, cpu), cost(Duration::from_nanos(sweep), sweep_cpu), memory)
}

/// What that process does.
#[expect(clippy::print_stdout, reason = "it tells its parent")]
pub(crate) async fn start(folder: &Path, name: &str) {
    let start = Stopwatch::start();
    let house = House::on(&file(folder, name), Arc::new(MemoryTarget::new())).await;
    house.out("directory", "plain").await;
    let first = start.stop();
    println!("served");
    let start = Stopwatch::start();
    for _ in 0..SWEEPS {
        assert_eq!(house.work(100).await, 0, "nothing is due");
    }
    let swept = start.stop();
    let each = |span: Duration| span.as_nanos() / SWEEPS as u128;
    println!("{} {} {} {}", first.cpu.as_nanos(), each(swept.wall), each(swept.cpu), memory());
}

/// The most memory that this process ever had, as Linux tells it.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    most.and_then(|most| most.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
}
