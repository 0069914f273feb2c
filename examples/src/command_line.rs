//! Command lines, as every program here reads them: words and options in any order, what is text in UTF-8, and paths as they are.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::{self, Display};
use std::path::PathBuf;
use std::str::FromStr;

use lexopt::{Arg, Parser};

/// Says what is wrong with a command line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UsageError {
    /// No command.
    #[error("name a command")]
    NoCommand,
    /// A command that does not exist.
    #[error("unknown command `{0}`")]
    UnknownCommand(String),
    /// An option that does not exist.
    #[error("unknown option `{0}`")]
    UnknownOption(String),
    /// An option of other commands.
    #[error("option `{0}` does not belong to this command")]
    Misplaced(&'static str),
    /// An option without its value.
    #[error("option `{0}` needs a value")]
    MissingValue(&'static str),
    /// An option with a value that takes none.
    #[error("option `{0}` takes no value")]
    UnexpectedValue(&'static str),
    /// An option that was given twice.
    #[error("option `{0}` is given twice")]
    Repeated(&'static str),
    /// A required option that is missing.
    #[error("option `{0}` is missing")]
    Missing(&'static str),
    /// A required word that is missing.
    #[error("`{0}` is missing")]
    MissingWord(&'static str),
    /// A word that nothing asks for. It is not repeated: it may be a secret whose option was forgotten.
    #[error("one word too many")]
    TooMany,
    /// Text that is none.
    #[error("an argument is not UTF-8: only a path may be none")]
    NotUtf8,
    /// Options that exclude each other.
    #[error("options `{0}` and `{1}` exclude each other")]
    Conflicting(&'static str, &'static str),
    /// A value that cannot be.
    #[error("`{0}`: {1}")]
    Invalid(&'static str, String),
    /// What does not fit together, in a sentence.
    #[error("{0}")]
    Unclear(String),
}

impl UsageError {
    /// A value that cannot be, and why.
    pub(crate) fn invalid(name: &'static str, why: &dyn Display) -> Self {
        Self::Invalid(name, why.to_string())
    }
}

/// An option that a program knows, and whether it has a value.
pub(crate) type Known = (&'static str, bool);

/// What was given on a command line, taken piece by piece.
pub(crate) struct Given {
    words: std::vec::IntoIter<OsString>,
    options: BTreeMap<&'static str, Vec<OsString>>,
    /// Whether all that is asked for is how to call the program.
    pub(crate) help: bool,
}

impl Given {
    /// Reads a command line, the program's name left out, up to a `--help` or `-h`. Behind `--` all are words.
    pub(crate) fn read<I>(arguments: I, known: &[Known]) -> Result<Self, UsageError>
    where
        I: IntoIterator<Item: Into<OsString>>,
    {
        let (mut words, mut options) = (Vec::new(), BTreeMap::<_, Vec<OsString>>::new());
        let mut parser = Parser::from_args(arguments);
        let mut help = false;
        while let Some(argument) = next(&mut parser)? {
            let name = match argument {
                Argument::Word(word) => {
                    words.push(word);
                    continue;
                }
                Argument::Help => {
                    help = true;
                    break;
                }
                Argument::Option(name) => name,
            };
            let Some(&(name, has_value)) = known.iter().find(|(known, _)| *known == name) else {
                return Err(UsageError::UnknownOption(name));
            };
            let value = match (has_value, parser.optional_value()) {
                (true, Some(attached)) => attached,
                (true, None) => parser.value().map_err(|_| UsageError::MissingValue(name))?,
                (false, None) => OsString::new(),
                (false, Some(_)) => return Err(UsageError::UnexpectedValue(name)),
            };
            options.entry(name).or_default().push(value);
        }
        Ok(Self { words: words.into_iter(), options, help })
    }

    /// The next word.
    pub(crate) fn word(&mut self) -> Result<Option<String>, UsageError> {
        self.words.next().map(text).transpose()
    }

    /// Every word that is left.
    pub(crate) fn words(&mut self) -> Result<Vec<String>, UsageError> {
        self.words.by_ref().map(text).collect()
    }

    /// Whether an option without a value is there.
    pub(crate) fn flag(&mut self, name: &'static str) -> Result<bool, UsageError> {
        Ok(self.raw(name)?.is_some())
    }

    pub(crate) fn one(&mut self, name: &'static str) -> Result<Option<String>, UsageError> {
        self.raw(name)?.map(text).transpose()
    }

    pub(crate) fn need(&mut self, name: &'static str) -> Result<String, UsageError> {
        self.one(name)?.ok_or(UsageError::Missing(name))
    }

    pub(crate) fn all(&mut self, name: &'static str) -> Result<Vec<String>, UsageError> {
        self.options.remove(name).unwrap_or_default().into_iter().map(text).collect()
    }

    /// A path is what it is: it need not be text.
    pub(crate) fn path(&mut self, name: &'static str) -> Result<Option<PathBuf>, UsageError> {
        Ok(self.raw(name)?.map(PathBuf::from))
    }

    pub(crate) fn paths(&mut self, name: &'static str) -> Vec<PathBuf> {
        self.options.remove(name).unwrap_or_default().into_iter().map(PathBuf::from).collect()
    }

    pub(crate) fn parsed<T: FromStr<Err: Display>>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<T>, UsageError> {
        let value = self.one(name)?.map(|text| text.parse());
        value.transpose().map_err(|error: T::Err| UsageError::invalid(name, &error))
    }

    pub(crate) fn number<T: FromStr>(&mut self, name: &'static str) -> Result<Option<T>, UsageError> {
        let number = self.one(name)?.map(|text| text.parse());
        let wrong = |_| UsageError::Invalid(name, "must be a whole number, as in 10".to_owned());
        number.transpose().map_err(wrong)
    }

    /// Whether any option is left that nothing asked for.
    pub(crate) fn has_options(&self) -> bool {
        !self.options.is_empty()
    }

    /// Refuses what nothing asked for.
    pub(crate) fn rest(&mut self) -> Result<(), UsageError> {
        if self.words.next().is_some() {
            return Err(UsageError::TooMany);
        }
        let left = self.options.keys().next();
        left.map_or(Ok(()), |name| Err(UsageError::Misplaced(name)))
    }

    fn raw(&mut self, name: &'static str) -> Result<Option<OsString>, UsageError> {
        let mut values = self.options.remove(name).unwrap_or_default().into_iter();
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(UsageError::Repeated(name)),
            (value, None) => Ok(value),
        }
    }
}

/// What stands on a command line may be a token, a code or the password in the URL of a store.
impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options: Vec<_> = self.options.keys().collect();
        let words = self.words.as_slice().len();
        let mut shown = f.debug_struct("Given");
        shown.field("words", &words).field("options", &options).field("help", &self.help).finish()
    }
}

enum Argument {
    Word(OsString),
    Option(String),
    Help,
}

fn next(parser: &mut Parser) -> Result<Option<Argument>, UsageError> {
    // What it can complain of is asked for before: a value that is left.
    let argument = parser.next().map_err(|_| UsageError::NotUtf8)?;
    Ok(argument.map(|argument| match argument {
        Arg::Value(word) => Argument::Word(word),
        Arg::Short('h') | Arg::Long("help") => Argument::Help,
        Arg::Short(letter) => Argument::Option(format!("-{letter}")),
        Arg::Long(name) => Argument::Option(format!("--{name}")),
    }))
}

/// What is changed to fit would be another key, another person or another reason.
fn text(argument: OsString) -> Result<String, UsageError> {
    argument.into_string().map_err(|_| UsageError::NotUtf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [Known; 4] = [("--key", true), ("--file", true), ("--all", false), ("--help", false)];

    fn given(line: &str) -> Result<Given, UsageError> {
        Given::read(line.split_whitespace(), &KNOWN)
    }

    #[test]
    fn words_and_options_stand_in_any_order_and_a_value_may_begin_with_a_dash() {
        let mut given = given("out --key=a=b --all one --file -x - -- --key").unwrap();
        assert_eq!(given.words().unwrap(), ["out", "one", "-", "--key"]);
        assert_eq!(given.one("--key").unwrap().as_deref(), Some("a=b"));
        assert_eq!(given.path("--file").unwrap(), Some(PathBuf::from("-x")));
        assert!(given.flag("--all").unwrap() && !given.help);
        assert_eq!(given.rest(), Ok(()));
    }

    #[test]
    fn what_nobody_asked_for_is_refused() {
        let refused = |line: &str| given(line).and_then(|mut given| given.rest()).unwrap_err();
        assert_eq!(refused("--wrong=secret"), UsageError::UnknownOption("--wrong".into()));
        assert_eq!(refused("-x"), UsageError::UnknownOption("-x".into()));
        assert_eq!(refused("--key"), UsageError::MissingValue("--key"));
        assert_eq!(refused("--all=no"), UsageError::UnexpectedValue("--all"));
        assert_eq!(refused("--key k"), UsageError::Misplaced("--key"));
        assert_eq!(refused("word"), UsageError::TooMany);
        let twice = given("--all --key a --key b --all");
        let mut twice = twice.unwrap();
        assert_eq!(twice.one("--key"), Err(UsageError::Repeated("--key")));
        assert_eq!(twice.flag("--all"), Err(UsageError::Repeated("--all")));
    }

    #[test]
    fn what_was_given_is_named_and_not_shown() {
        let given = given("out hush-1 --key=hush-2 --file hush-3").unwrap();
        let shown = format!("{given:?}");
        assert!(shown.contains("--key") && shown.contains("--file") && !shown.contains("hush"), "{shown}");
    }

    #[test]
    fn help_ends_the_reading() {
        assert!(given("out --help --wrong").unwrap().help && given("-h").unwrap().help);
        assert!(!given("--key --help").unwrap().help, "a value is a value");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_text_is_refused_but_for_paths_attached_or_not() {
        use std::os::unix::ffi::OsStringExt as _;
        let odd = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
        let line = [odd(b"--file=f\xe9"), odd(b"--key"), odd(b"k\xff"), odd(b"w\xff")];
        let mut given = Given::read(line, &KNOWN).unwrap();
        assert_eq!(given.path("--file"), Ok(Some(PathBuf::from(odd(b"f\xe9")))));
        assert_eq!(given.one("--key"), Err(UsageError::NotUtf8));
        assert_eq!(given.word(), Err(UsageError::NotUtf8));
        assert!(Given::read([odd(b"--\xff")], &KNOWN).is_err());
    }
}
