use std::net::SocketAddr;
use std::path::PathBuf;

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

/// Says what is wrong with a command line.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum UsageError {
    #[error("choose one of `--demo` and `--config FILE`")]
    NoMode,
    #[error("unknown option `{0}`")]
    Unknown(String),
    #[error("option `{0}` needs a value")]
    MissingValue(String),
    #[error("option `{0}` is given twice")]
    Repeated(String),
    #[error("option `{0}` belongs to `--demo`")]
    DemoOnly(&'static str),
    #[error("`--addr` must be a loopback address with a port, as in 127.0.0.1:8080")]
    Address,
}

/// Reads the command line, the program's name left out.
pub(super) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Command, UsageError> {
    let (mut demo, mut config, mut address, mut data) = (false, None, None, None);
    let mut rest = arguments.into_iter();
    while let Some(argument) = rest.next() {
        let (name, attached) = match argument.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (argument, None),
        };
        let place = match name.as_str() {
            "--help" | "-h" => return Ok(Command::Help),
            "--demo" if attached.is_none() => {
                demo = true;
                continue;
            }
            "--config" => &mut config,
            "--addr" => &mut address,
            "--data" => &mut data,
            _ => return Err(UsageError::Unknown(name)),
        };
        let Some(value) = attached.or_else(|| rest.next()) else {
            return Err(UsageError::MissingValue(name));
        };
        if place.replace(value).is_some() {
            return Err(UsageError::Repeated(name));
        }
    }
    choose(demo, config, address, data)
}

fn choose(
    demo: bool,
    config: Option<String>,
    address: Option<String>,
    data: Option<String>,
) -> Result<Command, UsageError> {
    match (demo, config) {
        (true, None) => {
            let address = address.unwrap_or_else(|| "127.0.0.1:8080".into());
            let data = data.unwrap_or_else(|| "portal-data".into());
            Ok(Command::Demo { address: loopback(&address)?, data: data.into() })
        }
        (false, Some(_)) if address.is_some() => Err(UsageError::DemoOnly("--addr")),
        (false, Some(_)) if data.is_some() => Err(UsageError::DemoOnly("--data")),
        (false, Some(file)) => Ok(Command::Configured { file: file.into() }),
        _ => Err(UsageError::NoMode),
    }
}

/// The demo asks nobody for a password, so nobody else may reach it.
fn loopback(text: &str) -> Result<SocketAddr, UsageError> {
    text.parse().ok().filter(|address: &SocketAddr| address.ip().is_loopback()).ok_or(UsageError::Address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, UsageError> {
        parse(line.split_whitespace().map(str::to_owned))
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
        assert_eq!(parsed(""), Err(UsageError::NoMode));
        assert_eq!(parsed("--demo --config f"), Err(UsageError::NoMode));
        assert_eq!(parsed("--config"), Err(UsageError::MissingValue("--config".into())));
        assert_eq!(parsed("--config a --config b"), Err(UsageError::Repeated("--config".into())));
        assert_eq!(parsed("--config f --data d"), Err(UsageError::DemoOnly("--data")));
        assert_eq!(parsed("--verbose"), Err(UsageError::Unknown("--verbose".into())));
        for address in ["0.0.0.0:80", "192.0.2.1:80", "localhost:80", "8080"] {
            assert_eq!(parsed(&format!("--demo --addr {address}")), Err(UsageError::Address), "{address}");
        }
    }
}
