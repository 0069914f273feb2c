//! Tells whoever runs a program what the libraries tell: a line on standard error for each event.

use std::io::{self, Write};

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Lets appear on standard error which SCIM requests were refused, and of the other libraries what went wrong: failed tasks, and
/// alarms, which the portal tells by itself as well. Messages hold codes, names and ids, and never values of people.
pub(crate) fn to_standard_error() {
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(|| OneLine(io::stderr()));
    let ours =
        Targets::new().with_target("jit_scim", LevelFilter::INFO).with_target("jit_", LevelFilter::WARN);
    // Where somebody listens already, they go on doing so.
    let _ = tracing_subscriber::registry().with(lines).with(ours).try_init();
}

/// Makes one line of each event, whatever somebody was called: the only control character is the one at its end.
struct OneLine<W>(W);

impl<W: Write> Write for OneLine<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let mut line = String::from_utf8_lossy(event).replace(char::is_control, "");
        line.push('\n');
        self.0.write_all(line.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line() {
        let mut told = Vec::new();
        OneLine(&mut told)
            .write_all("INFO code=x name=\"a\r\nINFO code=y\u{1b}[2J\u{85}\"\n".as_bytes())
            .unwrap();
        assert_eq!(told, b"INFO code=x name=\"aINFO code=y[2J\"\n");
    }
}
