//! Starts children, waits for what they say, kills and stops them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use super::child::{Came, JOB, Job, NAME};

/// A process that does a job.
pub(crate) struct Worker {
    child: Child,
    said: BufReader<ChildStdout>,
}

/// What a child said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// It begins.
    Ready,
    /// It stands still at a step.
    At(String),
    /// It came to its end.
    Done(Came),
    /// It is gone.
    Nothing,
}

impl Worker {
    pub(crate) fn start(job: &Job) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", NAME, "--nocapture", "--test-threads=1"])
            .env(JOB, serde_json::to_string(job).unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        let mut worker = Self { child, said };
        assert_eq!(worker.next(), Said::Ready);
        worker
    }

    /// Waits for what it says next.
    pub(crate) fn next(&mut self) -> Said {
        let mut line = String::new();
        loop {
            line.clear();
            if self.said.read_line(&mut line).unwrap() == 0 {
                return Said::Nothing;
            }
            let Some(said) = line.trim_end().strip_prefix("child: ") else { continue };
            return match said.split_once(' ') {
                None => Said::Ready,
                Some(("at", step)) => Said::At(step.to_owned()),
                Some((_, came)) => Said::Done(serde_json::from_str(came).unwrap()),
            };
        }
    }

    /// Waits until it has come to its end.
    pub(crate) fn end(mut self) -> Came {
        match self.next() {
            Said::Done(came) => came,
            other => panic!("{other:?} in the place of an end"),
        }
    }

    /// Kills it (SIGKILL) where it stands still, or as soon as `patience` is over; tells whether that came in time.
    pub(crate) fn kill(mut self, patience: Option<Duration>) -> bool {
        match patience {
            // This is the fault, not a wait for anything: whenever it comes, it has to be borne.
            Some(patience) => thread::sleep(patience),
            None => {
                self.next();
            }
        }
        self.child.kill().unwrap();
        self.child.wait().unwrap().signal() == Some(9)
    }

    /// Stops it (SIGSTOP), and waits until the system says so; one that ended before stays as it is.
    pub(crate) fn stop(&self) {
        self.signal("-STOP");
        let status = format!("/proc/{}/stat", self.child.id());
        let stands_still = || {
            let stat = std::fs::read_to_string(&status).unwrap();
            stat.contains(") T ") || stat.contains(") Z ")
        };
        while !stands_still() {
            thread::yield_now();
        }
    }

    /// Continues it (SIGCONT); where it stands still it goes on, so many minutes later.
    pub(crate) fn go_on(&mut self, minutes: i64) {
        self.signal("-CONT");
        // One that was not standing still does not read it.
        let _ = writeln!(self.child.stdin.as_mut().unwrap(), "go {minutes}");
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Draws numbers that are the same again for the same seed (xorshift).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }
}
