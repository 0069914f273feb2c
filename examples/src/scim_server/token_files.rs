//! Tokens while a program runs: their files are read again on SIGHUP.

use std::collections::BTreeMap;
use std::future::{Future, pending};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use jit_core::{ConnectionId, TenantId};
use jit_scim::server::{Token, Tokens};

use super::tokens;
use crate::say::complain;
use crate::signals::asked_to_read;

/// The files that hold the tokens of a program.
pub(crate) struct TokenFiles {
    /// What the program is called.
    program: &'static str,
    files: Vec<TokenFile>,
    tokens: Arc<Tokens>,
}

/// A file of tokens that are good for one connection.
pub(crate) struct TokenFile {
    pub(crate) path: PathBuf,
    pub(crate) tenant: TenantId,
    pub(crate) connection: ConnectionId,
}

impl TokenFile {
    /// Reads the tokens. Complains of each that stands there itself.
    pub(crate) fn read(&self, program: &str) -> Result<Vec<Token>, String> {
        let mut warn = |text: String| complain(format_args!("{program}: {text}"));
        tokens::read(&self.path, (&self.tenant, &self.connection), &mut warn)
    }

    /// Reads the tokens once more. A pipe was read to its end already: to open it again would wait for ever.
    fn read_again(&self, program: &str) -> Result<Vec<Token>, String> {
        if self.path.metadata().is_ok_and(|file| !file.is_file()) {
            return Err(format!("{} is no file that can be read again", self.path.display()));
        }
        self.read(program)
    }

    fn is_of(&self, token: &Token) -> bool {
        token.tenant == self.tenant && token.connection == self.connection
    }
}

impl TokenFiles {
    /// Keeps watch over tokens that were read from these files.
    pub(crate) fn new(program: &'static str, files: Vec<TokenFile>, tokens: Arc<Tokens>) -> Self {
        Self { program, files, tokens }
    }

    pub(crate) fn tokens(&self) -> Arc<Tokens> {
        Arc::clone(&self.tokens)
    }

    /// Reads the files again whenever SIGHUP asks for it, from now on and without end. What changed is told by name.
    pub(crate) fn keep_fresh(&self) -> io::Result<impl Future<Output = ()>> {
        let mut asked = asked_to_read()?;
        Ok(async move {
            while asked.recv().await.is_some() {
                for line in self.read_again() {
                    complain(format_args!("{}: {line}", self.program));
                }
            }
            pending::<()>().await;
        })
    }

    /// Reads the files again, and tells what came of each. Where something is wrong with one, its tokens stay as they were.
    fn read_again(&self) -> Vec<String> {
        let before = self.tokens.list();
        let (mut after, mut told) = (Vec::new(), Vec::new());
        for file in &self.files {
            let known: Vec<_> = before.iter().filter(|token| file.is_of(token)).cloned().collect();
            match file.read_again(self.program) {
                Ok(tokens) => {
                    told.push(format!("{}: {}", file.path.display(), changes(&known, &tokens)));
                    after.extend(tokens);
                }
                Err(wrong) => {
                    told.push(format!("{wrong}: its tokens stay as they were"));
                    after.extend(known);
                }
            }
        }
        match self.tokens.replace(after) {
            Ok(()) => told,
            Err(wrong) => vec![format!("{wrong}: all tokens stay as they were")],
        }
    }
}

/// Says by name which tokens came, which went, and which are good for something else.
fn changes(before: &[Token], after: &[Token]) -> String {
    let by_digest = |tokens: &[Token]| -> BTreeMap<String, Token> {
        tokens.iter().map(|token| (token.sha256.clone(), token.clone())).collect()
    };
    let (before, after) = (by_digest(before), by_digest(after));
    let names = |tokens: &BTreeMap<String, Token>, counts: &dyn Fn(&Token) -> bool| -> Vec<String> {
        tokens.values().filter(|token| counts(token)).map(|token| format!("`{}`", token.name)).collect()
    };
    let is_changed = |token: &Token| {
        let good_for = |token: &Token| (token.name.clone(), token.until, token.reads_only, token.me);
        before.get(&token.sha256).is_some_and(|known| good_for(known) != good_for(token))
    };
    let parts = [
        ("came", names(&after, &|token| !before.contains_key(&token.sha256))),
        ("changed", names(&after, &is_changed)),
        ("went", names(&before, &|token| !after.contains_key(&token.sha256))),
    ];
    let parts = parts.iter().filter(|(_, names)| !names.is_empty());
    let told: Vec<_> = parts.map(|(word, names)| format!("{word} {}", names.join(", "))).collect();
    if told.is_empty() { "nothing changed".to_owned() } else { told.join("; ") }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use jit_core::SystemClock;
    use jit_scim::server::Authenticator as _;

    use super::*;

    /// A line of a file for a token.
    fn line(token: &str, more: &str) -> String {
        format!("sha256:{} {more}\n", Tokens::digest(token))
    }

    /// Two connections, `a` and `b`, each with a file of its own.
    fn files(name: &str) -> (PathBuf, TokenFiles) {
        let folder = std::env::temp_dir().join(format!("jit-token-files-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let mut tokens = Vec::new();
        let files = ["a", "b"].map(|id| {
            fs::write(folder.join(id), line(&format!("{id}-old"), &format!("{id}-2026"))).unwrap();
            let (tenant, connection) = ("acme".parse().unwrap(), id.parse().unwrap());
            let file = TokenFile { path: folder.join(id), tenant, connection };
            tokens.extend(file.read("test").unwrap());
            file
        });
        let tokens = Tokens::new(tokens, Arc::new(SystemClock)).unwrap();
        (folder, TokenFiles::new("test", files.into(), Arc::new(tokens)))
    }

    async fn are_good(files: &TokenFiles, tokens: &[&str]) -> Vec<bool> {
        let mut good = Vec::new();
        for token in tokens {
            good.push(files.tokens.authenticate(token).await.is_ok());
        }
        good
    }

    #[tokio::test]
    async fn tokens_come_and_go_and_are_told_by_name() {
        let (folder, files) = files("change");
        assert!(files.read_again().iter().all(|line| line.ends_with(": nothing changed")));
        let both = line("a-old", "a-2026 reads-only") + &line("a-new", "a-2027");
        fs::write(folder.join("a"), both).unwrap();
        fs::write(folder.join("b"), line("b-new", "b-2026")).unwrap();
        let told = files.read_again();
        assert!(told[0].ends_with("/a: came `a-2027`; changed `a-2026`"), "{told:?}");
        assert!(told[1].ends_with("/b: came `b-2026`; went `b-2026`"), "{told:?}");
        assert!(!told.concat().contains(&Tokens::digest("a-new")));
        assert_eq!(are_good(&files, &["a-old", "a-new", "b-old", "b-new"]).await, [true, true, false, true]);
        assert!(files.tokens.authenticate("a-old").await.unwrap().reads_only);
        fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn a_broken_file_keeps_its_tokens_and_no_others() {
        let (folder, files) = files("broken");
        for broken in ["", "sha256:1f3b hr\n", "token with=nonsense\n"] {
            fs::write(folder.join("a"), broken).unwrap();
            let told = files.read_again();
            assert!(told[0].ends_with(": its tokens stay as they were"), "{told:?}");
        }
        fs::remove_file(folder.join("a")).unwrap();
        fs::write(folder.join("b"), line("b-new", "b-2027")).unwrap();
        assert!(files.read_again()[0].contains("cannot be read"));
        assert_eq!(are_good(&files, &["a-old", "b-old", "b-new"]).await, [true, false, true]);
        // A pipe that nobody writes to would keep the program from everything else, also from its end.
        assert!(Command::new("mkfifo").arg(folder.join("a")).status().unwrap().success());
        assert!(files.read_again()[0].contains("no file that can be read again"));
        fs::remove_file(folder.join("a")).unwrap();
        // One token cannot be good for two connections.
        fs::write(folder.join("a"), line("b-new", "a-2027")).unwrap();
        assert_eq!(files.read_again(), ["token `b-2027` is there twice: all tokens stay as they were"]);
        assert_eq!(are_good(&files, &["a-old", "b-new"]).await, [true, true]);
        fs::remove_dir_all(folder).unwrap();
    }
}
