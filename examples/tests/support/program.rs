//! A program that serves, and ends with its test.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// A program that is ready; it is killed (SIGKILL) with its value.
pub(crate) struct Program {
    pub(crate) child: Child,
    /// Where it is ready, behind `http://`.
    pub(crate) address: String,
}

impl Program {
    /// Starts a program, and waits until it says where it is ready. Tells what it said where that is something else.
    pub(crate) fn start(command: &mut Command) -> Result<Self, String> {
        let child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut program = Self { child, address: String::new() };
        let mut line = String::new();
        BufReader::new(program.child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Some((_, address)) = line.trim().split_once(": ready at http://") else { return Err(line) };
        program.address = address.into();
        Ok(program)
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Asks it to end, and tells with which code it did.
    pub(crate) fn end(mut self, signal: &str) -> Option<i32> {
        self.signal(signal);
        self.child.wait().unwrap().code()
    }

    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}
