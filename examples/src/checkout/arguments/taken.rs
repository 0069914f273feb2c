//! What commands take off a command line.

use chrono::TimeDelta;
use jit_core::{AccountId, Entitlement, Span, UserName};

use crate::command_line::{Given, UsageError};

pub(super) fn span(given: &mut Given) -> Result<TimeDelta, UsageError> {
    let span: Span = given.parsed("--ttl")?.ok_or(UsageError::Missing("--ttl"))?;
    Ok(span.delta())
}

pub(super) fn since(given: &mut Given) -> Result<TimeDelta, UsageError> {
    let span: Option<Span> = given.parsed("--since")?;
    Ok(span.map_or(TimeDelta::days(7), Span::delta))
}

pub(super) fn holder(given: &mut Given) -> Result<Option<UserName>, UsageError> {
    let name = given.one("--for")?.map(|text| UserName::new(&text));
    name.transpose().map_err(|error| UsageError::invalid("--for", &error))
}

pub(super) fn name(given: &mut Given) -> Result<UserName, UsageError> {
    let text = given.word()?.ok_or(UsageError::MissingWord("NAME"))?;
    UserName::new(&text).map_err(|error| UsageError::invalid("NAME", &error))
}

pub(super) fn roles(given: &mut Given) -> Result<Vec<Entitlement>, UsageError> {
    let named = given.all("--role")?;
    let roles = named.iter().map(|text| text.parse().map_err(|error| UsageError::invalid("--role", &error)));
    roles.collect()
}

pub(super) fn seen(given: &mut Given) -> Result<Vec<String>, UsageError> {
    let named = given.all("--seen")?;
    let is_digest = |text: &String| text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if named.iter().all(is_digest) {
        Ok(named.iter().map(|text| text.to_ascii_lowercase()).collect())
    } else {
        Err(UsageError::Invalid("--seen", "must be what `person leaving` shows under SEEN".to_owned()))
    }
}

pub(super) fn lease(given: &mut Given) -> Result<AccountId, UsageError> {
    let text = given.word()?.ok_or(UsageError::MissingWord("LEASE"))?;
    text.parse().map_err(|_| UsageError::Invalid("LEASE", "is no id of a lease".to_owned()))
}
