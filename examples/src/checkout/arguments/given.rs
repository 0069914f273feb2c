//! What was given on a command line, taken piece by piece.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use chrono::TimeDelta;
use jit_core::{AccountId, Entitlement, Span, UserName};

use super::{OPTIONS, UsageError};

pub(super) fn invalid(name: &'static str, error: &dyn std::fmt::Display) -> UsageError {
    UsageError::Invalid(name, error.to_string())
}

/// What is changed to fit would be another key, another person or another reason.
fn text(argument: OsString) -> Result<String, UsageError> {
    argument.into_string().map_err(|_| UsageError::NotUtf8)
}

/// The words and options of a command line.
pub(super) struct Given {
    pub(super) words: std::vec::IntoIter<String>,
    options: BTreeMap<&'static str, Vec<OsString>>,
}

impl Given {
    pub(super) fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, UsageError> {
        let (mut words, mut options) = (Vec::new(), BTreeMap::<_, Vec<OsString>>::new());
        let mut rest = arguments.into_iter();
        while let Some(argument) = rest.next() {
            let argument = text(argument)?;
            if !argument.starts_with('-') {
                words.push(argument);
                continue;
            }
            let (name, attached) = match argument.split_once('=') {
                Some((name, value)) => (name, Some(OsString::from(value))),
                None => (argument.as_str(), None),
            };
            let name = if name == "-h" { "--help" } else { name };
            let known = OPTIONS.iter().find(|(known, _)| *known == name);
            let Some(&(name, has_value)) = known else {
                return Err(UsageError::UnknownOption(name.to_owned()));
            };
            let value = match (has_value, attached) {
                (true, attached) => attached.or_else(|| rest.next()).ok_or(UsageError::MissingValue(name))?,
                (false, None) => OsString::new(),
                (false, Some(_)) => return Err(UsageError::UnexpectedValue(name)),
            };
            options.entry(name).or_default().push(value);
        }
        Ok(Self { words: words.into_iter(), options })
    }

    pub(super) fn one(&mut self, name: &'static str) -> Result<Option<String>, UsageError> {
        self.raw(name)?.map(text).transpose()
    }

    /// A path is what it is: it need not be text.
    pub(super) fn path(&mut self, name: &'static str) -> Result<Option<PathBuf>, UsageError> {
        Ok(self.raw(name)?.map(PathBuf::from))
    }

    pub(super) fn all(&mut self, name: &'static str) -> Result<Vec<String>, UsageError> {
        self.options.remove(name).unwrap_or_default().into_iter().map(text).collect()
    }

    fn raw(&mut self, name: &'static str) -> Result<Option<OsString>, UsageError> {
        let mut values = self.options.remove(name).unwrap_or_default().into_iter();
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(UsageError::Repeated(name)),
            (value, None) => Ok(value),
        }
    }

    pub(super) fn flag(&mut self, name: &'static str) -> Result<bool, UsageError> {
        Ok(self.one(name)?.is_some())
    }

    pub(super) fn need(&mut self, name: &'static str) -> Result<String, UsageError> {
        self.one(name)?.ok_or(UsageError::Missing(name))
    }

    pub(super) fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<T>, UsageError> {
        let value = self.one(name)?.map(|text| text.parse());
        value.transpose().map_err(|error: T::Err| invalid(name, &error))
    }

    pub(super) fn number<T: std::str::FromStr>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<T>, UsageError> {
        let number = self.one(name)?.map(|text| text.parse());
        let wrong = |_| UsageError::Invalid(name, "must be a whole number, as in 10".to_owned());
        number.transpose().map_err(wrong)
    }

    pub(super) fn span(&mut self) -> Result<TimeDelta, UsageError> {
        let span: Span = self.parsed("--ttl")?.ok_or(UsageError::Missing("--ttl"))?;
        Ok(span.delta())
    }

    pub(super) fn since(&mut self) -> Result<TimeDelta, UsageError> {
        let span: Option<Span> = self.parsed("--since")?;
        Ok(span.map_or(TimeDelta::days(7), Span::delta))
    }

    pub(super) fn holder(&mut self) -> Result<Option<UserName>, UsageError> {
        let name = self.one("--for")?.map(|text| UserName::new(&text));
        name.transpose().map_err(|error| invalid("--for", &error))
    }

    pub(super) fn name(&mut self) -> Result<UserName, UsageError> {
        let text = self.words.next().ok_or(UsageError::MissingWord("NAME"))?;
        UserName::new(&text).map_err(|error| invalid("NAME", &error))
    }

    pub(super) fn roles(&mut self) -> Result<Vec<Entitlement>, UsageError> {
        let named = self.all("--role")?;
        let roles = named.iter().map(|text| text.parse().map_err(|error| invalid("--role", &error)));
        roles.collect()
    }

    pub(super) fn seen(&mut self) -> Result<Vec<String>, UsageError> {
        let named = self.all("--seen")?;
        let is_digest = |text: &String| text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if named.iter().all(is_digest) {
            Ok(named.iter().map(|text| text.to_ascii_lowercase()).collect())
        } else {
            Err(UsageError::Invalid("--seen", "must be what `person leaving` shows under SEEN".to_owned()))
        }
    }

    pub(super) fn lease(&mut self) -> Result<AccountId, UsageError> {
        let text = self.words.next().ok_or(UsageError::MissingWord("LEASE"))?;
        text.parse().map_err(|_| UsageError::Invalid("LEASE", "is no id of a lease".to_owned()))
    }

    pub(super) fn rest(&mut self) -> Result<(), UsageError> {
        if self.words.next().is_some() {
            return Err(UsageError::TooMany);
        }
        let left = self.options.keys().next();
        left.map_or(Ok(()), |name| Err(UsageError::Misplaced(name)))
    }
}
