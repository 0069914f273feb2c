//! The command line.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use jit_core::TenantId;
use jit_scim::Tolerance;
use url::Url;

use crate::command_line::{Given, Known, UsageError};
use crate::portal::settings::StoreUrl;

/// How to call the program.
pub(super) const USAGE: &str = "\
usage: scim-server --addr IP:PORT --store STORE --token-file F [option]...
       scim-server token

  --addr A             where it listens; port 0 takes a free one
  --store S            sqlite:FILE, postgres://USER:PASSWORD@HOST/DATABASE (or postgres:URL) or memory
  --token-file F       who may ask: a token, or the hash of one, on each line
  --tolerance T        strict, entra or okta (default strict)
  --tenant T           whose people these are (default `default`)
  --config FILE        the connection: mapping, policy, ceiling; it names the tenant, too
  --schemas FILE       more schemas; may be given several times
  --resource-types FILE
                       more resource types, or others in the place of User and Group; may be given several times
  --base URL           what locations begin with, where clients reach it by another address
  --feed               a POST of somebody who is known says what is new about them, as HR feeds in bulk have it
  --index-anew         before it serves, look at every resource and let it be found by what is unique now: after other
                       schemas, or an update that compares texts in another way
  --help               show this text

  token                makes a token: prints it, and the line for the token file

Serves below /scim/v2, prints its address when it does, and ends in good order on SIGINT and SIGTERM.
Exit status: 0 ended in good order, 1 could not serve, 2 bad usage, configuration or file.
";

/// What the command line asks for.
#[derive(Debug)]
pub(super) enum Command {
    Help,
    Token,
    Serve(Box<Order>),
}

/// What is to be served.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) address: SocketAddr,
    pub(super) keeping: Keeping,
    pub(super) token_file: PathBuf,
    pub(super) tolerance: Tolerance,
    pub(super) who: Who,
    pub(super) schemas: Vec<PathBuf>,
    pub(super) resource_types: Vec<PathBuf>,
    /// What locations begin with, where that is said.
    pub(super) base: Option<String>,
    pub(super) feed: bool,
    pub(super) index_anew: bool,
}

/// Where everything is kept.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Keeping {
    /// Until the program ends.
    Memory,
    Store(StoreUrl),
}

impl TryFrom<String> for Keeping {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "memory" {
            return Ok(Self::Memory);
        }
        StoreUrl::try_from(text).map(Self::Store).map_err(|error| format!("{error}, nor `memory`"))
    }
}

/// Whose people come over which connection.
#[derive(Debug)]
pub(super) enum Who {
    /// Over the built-in connection, those of a tenant.
    Tenant(TenantId),
    /// Over the connection that a file describes.
    Config(PathBuf),
}

/// The options, and whether each has a value.
const OPTIONS: [Known; 11] = [
    ("--addr", true),
    (STORE, true),
    ("--token-file", true),
    ("--tolerance", true),
    ("--tenant", true),
    ("--config", true),
    ("--schemas", true),
    ("--resource-types", true),
    ("--base", true),
    ("--feed", false),
    ("--index-anew", false),
];
const STORE: &str = "--store";

/// Reads the command line, the program's name left out.
pub(super) fn parse(arguments: impl IntoIterator<Item: Into<OsString>>) -> Result<Command, UsageError> {
    let mut given = Given::read(arguments, &OPTIONS)?;
    if given.help {
        return Ok(Command::Help);
    }
    let command = match given.word()?.as_deref() {
        Some("token") if given.has_options() => {
            return Err(UsageError::Unclear("`token` takes no options".to_owned()));
        }
        Some("token") => Command::Token,
        Some(_) => return Err(UsageError::TooMany),
        None => Command::Serve(Box::new(order(&mut given)?)),
    };
    given.rest()?;
    Ok(command)
}

fn order(given: &mut Given) -> Result<Order, UsageError> {
    let address = parsed("--addr", given.need("--addr")?, |text| text.parse::<SocketAddr>())?;
    let keeping = parsed(STORE, given.need(STORE)?, Keeping::try_from)?;
    let token_file = given.path("--token-file")?.ok_or(UsageError::Missing("--token-file"))?;
    let who = match (given.one("--tenant")?, given.path("--config")?) {
        (Some(_), Some(_)) => {
            let why = "`--config` names the tenant, so `--tenant` has no place beside it";
            return Err(UsageError::Unclear(why.to_owned()));
        }
        (None, Some(file)) => Who::Config(file),
        (tenant, None) => {
            Who::Tenant(parsed("--tenant", tenant.unwrap_or_else(|| "default".into()), TenantId::new)?)
        }
    };
    Ok(Order {
        address,
        keeping,
        token_file,
        tolerance: match given.one("--tolerance")? {
            None => Tolerance::strict(),
            Some(name) => parsed("--tolerance", name, |name| {
                Tolerance::named(&name).ok_or("none of strict, entra, okta")
            })?,
        },
        who,
        schemas: given.paths("--schemas"),
        resource_types: given.paths("--resource-types"),
        base: given.one("--base")?.map(checked_base).transpose()?,
        feed: given.flag("--feed")?,
        index_anew: given.flag("--index-anew")?,
    })
}

/// Refuses what clients cannot follow: it stands in each location. What is refused is not repeated, for it may hold a password.
fn checked_base(text: String) -> Result<String, UsageError> {
    let is_of_addresses = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%/[]".contains(&byte);
    let is_whole = |url: Url| url.has_host() && url.username().is_empty() && url.password().is_none();
    let is_path = text.starts_with('/') && !text.starts_with("//");
    let begins = |with: &str| text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    let is_url = || (begins("http://") || begins("https://")) && Url::parse(&text).is_ok_and(is_whole);
    if text.bytes().all(is_of_addresses) && (is_path || is_url()) {
        return Ok(text);
    }
    let needed =
        "neither an address with http(s) and a host, without user, query and fragment, nor an absolute path";
    Err(UsageError::invalid("--base", &needed))
}

/// Reads a value. What is wrong with it may be said aloud unless it is the address of a store, which can hold a password.
fn parsed<T, E: std::fmt::Display>(
    name: &'static str,
    value: String,
    read: impl FnOnce(String) -> Result<T, E>,
) -> Result<T, UsageError> {
    let shown = if name == STORE { "…".to_owned() } else { value.clone() };
    read(value).map_err(|error| UsageError::invalid(name, &format_args!("cannot be `{shown}`: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "--addr 127.0.0.1:0 --store memory --token-file tokens";

    fn parsed(line: &str) -> Result<Command, UsageError> {
        parse(line.split_whitespace())
    }

    fn order(line: &str) -> Order {
        match parsed(line).unwrap() {
            Command::Serve(order) => *order,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        let order = order(WHOLE);
        assert_eq!(order.address, "127.0.0.1:0".parse().unwrap());
        assert_eq!(order.keeping, Keeping::Memory);
        assert_eq!(order.tolerance, Tolerance::strict());
        assert_eq!((order.base, order.feed, order.index_anew), (None, false, false));
        assert!(matches!(order.who, Who::Tenant(tenant) if tenant.as_str() == "default"));
    }

    #[test]
    fn stores_are_named_as_people_write_them() {
        let store = |text: &str| order(&WHOLE.replace("memory", text)).keeping;
        assert_eq!(store("sqlite:a.db"), Keeping::Store(StoreUrl::Sqlite("a.db".into())));
        let postgres = |url: &str| Keeping::Store(StoreUrl::Postgres(url.into()));
        assert_eq!(store("postgres:postgresql://h/d"), postgres("postgresql://h/d"));
        assert_eq!(store("postgres:host=/run"), postgres("host=/run"));
        assert_eq!(store("postgres://h/d"), postgres("postgres://h/d"));
    }

    #[test]
    fn files_can_be_several() {
        let order = order(&format!("{WHOLE} --schemas a --schemas=b --resource-types c"));
        assert_eq!(order.schemas, [PathBuf::from("a"), PathBuf::from("b")]);
        assert_eq!(order.resource_types, [PathBuf::from("c")]);
    }

    #[test]
    fn a_wrong_command_line_says_what_is_wrong() {
        for (line, says) in [
            ("", "option `--addr` is missing"),
            ("--addr 127.0.0.1:0 --store memory", "option `--token-file` is missing"),
            ("--verbose", "unknown option `--verbose`"),
            ("--addr", "option `--addr` needs a value"),
            (&format!("{WHOLE} --tenant a --config b"), "`--config` names the tenant"),
            (&format!("{WHOLE} --store memory"), "option `--store` is given twice"),
            (&format!("{WHOLE} --tolerance lax"), "`--tolerance`: cannot be `lax`"),
            ("token --addr 127.0.0.1:0", "`token` takes no options"),
            ("token --feed", "`token` takes no options"),
            ("--feed=yes", "option `--feed` takes no value"),
            (&format!("{WHOLE} --index-anew --index-anew"), "option `--index-anew` is given twice"),
            ("--addr 127.0.0.1 --store memory --token-file f", "`--addr`: cannot be `127.0.0.1`"),
        ] {
            let said = parsed(line).unwrap_err().to_string();
            assert!(said.starts_with(says), "{line}: {said}");
        }
    }

    #[test]
    fn locations_begin_with_what_clients_can_follow() {
        let with = |base: &str| parse(WHOLE.split(' ').chain(["--base", base])).map(|_| base.to_owned());
        for good in ["https://h/scim/v2", "http://[::1]:8090/scim/v2/", "HTTPS://h", "/scim/v2", "/"] {
            assert_eq!(with(good).as_deref(), Ok(good));
        }
        for bad in [
            "",
            "x",
            "scim/v2",
            "//h/scim",
            "ftp://x",
            "http:/h",
            "https://",
            "https://h:99999/",
            "https://ada:hush@h/scim",
            "https://h/scim/v2?a=1",
            "https://h/scim/v2#a",
            "https://h/s p\"a<",
            "https://h/a\r\nb",
            "/a\nb",
            "/scim?a",
            "/ä",
            "https:\\\\h\\scim",
        ] {
            let said = with(bad).map_err(|error| error.to_string()).unwrap_err();
            assert!(said.starts_with("`--base`: neither") && !said.contains("hush"), "{bad}: {said}");
        }
    }

    #[test]
    fn the_address_of_a_store_is_never_repeated() {
        let said =
            parsed("--addr 127.0.0.1:0 --token-file f --store mysql://u:secret@h").unwrap_err().to_string();
        assert!(!said.contains("secret"), "{said}");
    }
}
