use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::command_line::{Given, Known, UsageError};

/// How to call the program.
pub(super) const USAGE: &str = "\
usage: portal --demo [--addr 127.0.0.1:PORT] [--data DIR]
       portal --config FILE

  --demo         serve a demo with made-up people and an identity provider of its own, on loopback only
  --addr A       where the demo listens; port 0 takes a free one (default 127.0.0.1:8080)
  --data DIR     where the demo keeps its database (default ./portal-data)
  --config FILE  serve the connections of this configuration
  --help         show this text

Ends in good order on SIGINT and SIGTERM. Exit status: 0 ended in good order, 1 could not serve,
2 bad usage or configuration.
";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    Help,
    Demo { address: SocketAddr, data: PathBuf },
    Configured { file: PathBuf },
}

const OPTIONS: [Known; 4] = [("--demo", false), (CONFIG, true), (ADDRESS, true), (DATA, true)];
const CONFIG: &str = "--config";
const ADDRESS: &str = "--addr";
const DATA: &str = "--data";

/// Reads the command line, the program's name left out.
pub(super) fn parse(arguments: impl IntoIterator<Item: Into<OsString>>) -> Result<Command, UsageError> {
    let mut given = Given::read(arguments, &OPTIONS)?;
    if given.help {
        return Ok(Command::Help);
    }
    let (demo, config) = (given.flag("--demo")?, given.path(CONFIG)?);
    let (address, data) = (given.one(ADDRESS)?, given.path(DATA)?);
    given.rest()?;
    let of_the_demo = |name| Err(UsageError::invalid(name, &"belongs to `--demo`"));
    match (demo, config) {
        (true, None) => {
            let address = loopback(address.as_deref().unwrap_or("127.0.0.1:8080"))?;
            Ok(Command::Demo { address, data: data.unwrap_or_else(|| "portal-data".into()) })
        }
        (false, Some(_)) if address.is_some() => of_the_demo(ADDRESS),
        (false, Some(_)) if data.is_some() => of_the_demo(DATA),
        (false, Some(file)) => Ok(Command::Configured { file }),
        _ => Err(UsageError::Unclear("choose one of `--demo` and `--config FILE`".to_owned())),
    }
}

/// The demo asks nobody for a password, so nobody else may reach it.
fn loopback(text: &str) -> Result<SocketAddr, UsageError> {
    let address = text.parse().ok().filter(|address: &SocketAddr| address.ip().is_loopback());
    address.ok_or_else(|| {
        UsageError::invalid(ADDRESS, &"must be a loopback address with a port, as in 127.0.0.1:8080")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, UsageError> {
        parse(line.split_whitespace())
    }

    #[test]
    fn the_demo_has_defaults() {
        let command = parsed("--demo").unwrap();
        assert_eq!(
            command,
            Command::Demo { address: "127.0.0.1:8080".parse().unwrap(), data: "portal-data".into() }
        );
        let command = parsed("--demo --addr=127.0.0.1:0 --data d").unwrap();
        assert_eq!(command, Command::Demo { address: "127.0.0.1:0".parse().unwrap(), data: "d".into() });
    }

    #[test]
    fn a_wrong_command_line_says_what_is_wrong() {
        for (line, says) in [
            ("", "choose one of `--demo` and `--config FILE`"),
            ("--demo --config f", "choose one of `--demo` and `--config FILE`"),
            ("--config", "option `--config` needs a value"),
            ("--config a --config b", "option `--config` is given twice"),
            ("--config f --data d", "`--data`: belongs to `--demo`"),
            ("--demo=yes", "option `--demo` takes no value"),
            ("--verbose", "unknown option `--verbose`"),
            ("--demo now", "one word too many"),
        ] {
            assert_eq!(parsed(line).unwrap_err().to_string(), says, "{line}");
        }
        for address in ["0.0.0.0:80", "192.0.2.1:80", "localhost:80", "8080"] {
            let error = parsed(&format!("--demo --addr {address}")).unwrap_err();
            assert!(error.to_string().contains("must be a loopback address"), "{address}: {error}");
        }
    }
}
