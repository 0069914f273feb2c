use std::path::PathBuf;
use std::sync::{PoisonError, RwLock};

use async_trait::async_trait;
use jit_core::config::Problems;
use jit_scim::client::{AccessToken, Credentials, TransportError};

use super::files::read_secret;
use crate::say::complain;

/// The token of a file, which is read again where the target accepts the token no longer: whoever exchanges it there writes
/// the new one into the file, and need not start anything anew.
#[derive(Debug)]
pub(super) struct TokenOfFile {
    file: PathBuf,
    held: RwLock<AccessToken>,
}

impl TokenOfFile {
    /// Takes what was read from a file.
    pub(super) fn new(file: PathBuf, held: &str) -> Self {
        Self { file, held: RwLock::new(AccessToken::new(held)) }
    }

    fn held(&self) -> AccessToken {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the file again; a file that cannot be read, or that others may read, changes nothing.
    async fn read_again(&self) {
        let file = self.file.clone();
        let read = move || read_secret(&file, "token_file", &mut Problems::default());
        let bytes = tokio::task::spawn_blocking(read).await.ok().flatten();
        match bytes.as_ref().map(|bytes| std::str::from_utf8(bytes)) {
            Some(Ok(text)) => {
                *self.held.write().unwrap_or_else(PoisonError::into_inner) = AccessToken::new(text);
            }
            _ => complain(format_args!("a token is refused, and `{}` gives no other", self.file.display())),
        }
    }
}

#[async_trait]
impl Credentials for TokenOfFile {
    async fn token(&self, refused: Option<&AccessToken>) -> Result<AccessToken, TransportError> {
        // another request may have read it meanwhile
        if refused == Some(&self.held()) {
            self.read_again().await;
        }
        Ok(self.held())
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[tokio::test]
    async fn a_token_that_is_accepted_no_longer_is_read_again() {
        let file = std::env::temp_dir().join(format!("jit-token-of-file-{}", std::process::id()));
        let write = |text: &str, mode| {
            fs::write(&file, text).unwrap();
            fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        };
        let old = AccessToken::new("old");
        let token = TokenOfFile::new(file.clone(), "old");
        write("new\n", 0o600);
        assert_eq!(token.token(None).await.unwrap(), old, "it is not read for each request");
        write("new\n", 0o644);
        assert_eq!(token.token(Some(&old)).await.unwrap(), old, "others may read it");
        write("new\n", 0o600);
        assert_eq!(token.token(Some(&old)).await.unwrap(), AccessToken::new("new"));
        fs::remove_file(&file).unwrap();
        assert_eq!(token.token(Some(&old)).await.unwrap(), AccessToken::new("new"));
        let new = AccessToken::new("new");
        assert_eq!(token.token(Some(&new)).await.unwrap(), new, "nothing is lost with the file");
    }
}
