//! The command line.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;

use jit_core::TenantId;
use jit_scim::Tolerance;
use url::Url;

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

/// Says what is wrong with a command line.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum UsageError {
    #[error("unknown option `{0}`")]
    Unknown(String),
    #[error("option `{0}` needs a value")]
    MissingValue(&'static str),
    #[error("option `{0}` takes no value")]
    Valued(&'static str),
    #[error("option `{0}` is given twice")]
    Repeated(&'static str),
    #[error("option `{0}` is missing")]
    Missing(&'static str),
    #[error("option `{0}` cannot be `{1}`: {2}")]
    Invalid(&'static str, String, String),
    #[error("`--config` names the tenant, so `--tenant` has no place beside it")]
    TwoTenants,
    #[error("`token` takes no options")]
    OptionsOfToken,
}

/// The options, each with a value.
const OPTIONS: [&str; 9] = [
    "--addr",
    "--store",
    "--token-file",
    "--tolerance",
    "--tenant",
    "--config",
    "--schemas",
    "--resource-types",
    "--base",
];

/// The options without a value.
const SWITCHES: [&str; 2] = [FEED, INDEX_ANEW];
const FEED: &str = "--feed";
const INDEX_ANEW: &str = "--index-anew";

/// Reads the command line, the program's name left out.
pub(super) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Command, UsageError> {
    let mut given = BTreeMap::<&'static str, Vec<String>>::new();
    let mut rest = arguments.into_iter();
    let (mut token, mut switches) = (false, BTreeSet::new());
    while let Some(argument) = rest.next() {
        let (name, attached) = match argument.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (argument.as_str(), None),
        };
        match name {
            "--help" | "-h" => return Ok(Command::Help),
            "token" if attached.is_none() && !token => token = true,
            _ => {
                if let Some(switch) = SWITCHES.into_iter().find(|known| *known == name) {
                    turn_on(&mut switches, switch, attached.as_ref())?;
                    continue;
                }
                let known = OPTIONS.into_iter().find(|known| *known == name);
                let name = known.ok_or_else(|| UsageError::Unknown(name.to_owned()))?;
                let value = attached.or_else(|| rest.next()).ok_or(UsageError::MissingValue(name))?;
                given.entry(name).or_default().push(value);
            }
        }
    }
    match (token, given.is_empty() && switches.is_empty()) {
        (true, true) => Ok(Command::Token),
        (true, false) => Err(UsageError::OptionsOfToken),
        (false, _) => {
            let [feed, index_anew] = SWITCHES.map(|switch| switches.contains(switch));
            Ok(Command::Serve(Box::new(Order { feed, index_anew, ..order(&mut given)? })))
        }
    }
}

fn turn_on(
    switches: &mut BTreeSet<&'static str>,
    switch: &'static str,
    value: Option<&String>,
) -> Result<(), UsageError> {
    match (value, switches.insert(switch)) {
        (Some(_), _) => Err(UsageError::Valued(switch)),
        (None, false) => Err(UsageError::Repeated(switch)),
        (None, true) => Ok(()),
    }
}

fn order(given: &mut BTreeMap<&'static str, Vec<String>>) -> Result<Order, UsageError> {
    let mut files = |name| given.remove(name).unwrap_or_default().into_iter().map(PathBuf::from).collect();
    let (schemas, resource_types) = (files("--schemas"), files("--resource-types"));
    let address = needed(given, "--addr")?;
    let store = needed(given, "--store")?;
    let token_file = needed(given, "--token-file")?;
    let who = match (one(given, "--tenant")?, one(given, "--config")?) {
        (Some(_), Some(_)) => return Err(UsageError::TwoTenants),
        (None, Some(file)) => Who::Config(file.into()),
        (tenant, None) => {
            Who::Tenant(parsed("--tenant", tenant.unwrap_or_else(|| "default".into()), TenantId::new)?)
        }
    };
    Ok(Order {
        address: parsed("--addr", address, |text| text.parse::<SocketAddr>())?,
        keeping: parsed("--store", store, Keeping::try_from)?,
        token_file: token_file.into(),
        tolerance: match one(given, "--tolerance")? {
            None => Tolerance::strict(),
            Some(name) => parsed("--tolerance", name, |name| {
                Tolerance::named(&name).ok_or("none of strict, entra, okta")
            })?,
        },
        who,
        schemas,
        resource_types,
        base: one(given, "--base")?.map(checked_base).transpose()?,
        feed: false,
        index_anew: false,
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
    Err(UsageError::Invalid("--base", "…".to_owned(), needed.to_owned()))
}

fn one(
    given: &mut BTreeMap<&'static str, Vec<String>>,
    name: &'static str,
) -> Result<Option<String>, UsageError> {
    let mut values = given.remove(name).unwrap_or_default().into_iter();
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(UsageError::Repeated(name)),
        (value, None) => Ok(value),
    }
}

fn needed(given: &mut BTreeMap<&'static str, Vec<String>>, name: &'static str) -> Result<String, UsageError> {
    one(given, name)?.ok_or(UsageError::Missing(name))
}

/// Reads a value. What is wrong with it may be said aloud unless it is the address of a store, which can hold a password.
fn parsed<T, E: std::fmt::Display>(
    name: &'static str,
    value: String,
    read: impl FnOnce(String) -> Result<T, E>,
) -> Result<T, UsageError> {
    let shown = if name == "--store" { "…".to_owned() } else { value.clone() };
    read(value).map_err(|error| UsageError::Invalid(name, shown, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "--addr 127.0.0.1:0 --store memory --token-file tokens";

    fn parsed(line: &str) -> Result<Command, UsageError> {
        parse(line.split_whitespace().map(str::to_owned))
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
            (&format!("{WHOLE} --tolerance lax"), "option `--tolerance` cannot be `lax`"),
            ("token --addr 127.0.0.1:0", "`token` takes no options"),
            ("token --feed", "`token` takes no options"),
            ("--feed=yes", "option `--feed` takes no value"),
            ("--index-anew --index-anew", "option `--index-anew` is given twice"),
            ("--addr 127.0.0.1 --store memory --token-file f", "option `--addr` cannot be `127.0.0.1`"),
        ] {
            let said = parsed(line).unwrap_err().to_string();
            assert!(said.starts_with(says), "{line}: {said}");
        }
    }

    #[test]
    fn locations_begin_with_what_clients_can_follow() {
        let with = |base: &str| {
            parse(WHOLE.split(' ').chain(["--base", base]).map(str::to_owned)).map(|_| base.to_owned())
        };
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
            assert!(said.starts_with("option `--base` cannot be") && !said.contains("hush"), "{bad}: {said}");
        }
    }

    #[test]
    fn the_address_of_a_store_is_never_repeated() {
        let said =
            parsed("--addr 127.0.0.1:0 --token-file f --store mysql://u:secret@h").unwrap_err().to_string();
        assert!(!said.contains("secret"), "{said}");
    }
}
