use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use jit_core::Code;
use jit_core::config::{MAX_BYTES, Problems};
use zeroize::Zeroizing;

/// More than any key, password or list of certificates needs.
const LONGEST: u64 = 1024 * 1024;

/// By what we prove ourselves, part by part, and to what.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Credentials {
    /// What counts failures together, such as the servers of a directory.
    pub(super) system: String,
    pub(super) parts: Vec<Zeroizing<Vec<u8>>>,
}

/// Reads a file that a setting names; what prevents it is a problem of that setting.
pub(super) fn read(path: &Path, field: &str, found: &mut Problems) -> Option<Zeroizing<Vec<u8>>> {
    match attempt(path) {
        Ok((_, bytes)) => Some(bytes),
        Err(error) => unreadable(&error, field, found),
    }
}

/// Reads a secret without the line break at its end. A file that others than its owner may read is refused.
pub(super) fn read_secret(path: &Path, field: &str, found: &mut Problems) -> Option<Zeroizing<Vec<u8>>> {
    let (file, mut bytes) = match attempt(path) {
        Ok(opened) => opened,
        Err(error) => return unreadable(&error, field, found),
    };
    if is_exposed(&file) {
        let message = "others than the owner of the file may read it: it holds a secret";
        found.report_in(field, Code::new("config.file_exposed"), message);
        return None;
    }
    while bytes.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        bytes.pop();
    }
    Some(bytes)
}

/// Reads a text, and tells whether others than its owner may read it.
pub(crate) fn read_text(path: &Path) -> io::Result<(String, bool)> {
    let file = File::open(path)?;
    let mut text = String::new();
    // One byte more than is taken: what is too long is refused by whoever reads it, and never read whole.
    let most = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    (&file).take(most).read_to_string(&mut text)?;
    Ok((text, is_exposed(&file)))
}

fn attempt(path: &Path) -> io::Result<(File, Zeroizing<Vec<u8>>)> {
    let file = File::open(path)?;
    let mut bytes = Zeroizing::new(Vec::new());
    (&file).take(LONGEST + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|read| read > LONGEST) {
        return Err(io::Error::from(io::ErrorKind::FileTooLarge));
    }
    Ok((file, bytes))
}

fn unreadable<T>(error: &io::Error, field: &str, found: &mut Problems) -> Option<T> {
    found.report_in(
        field,
        Code::new("config.file_unreadable"),
        format!("the file cannot be read: {}", error.kind()),
    );
    None
}

#[cfg(unix)]
fn is_exposed(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    file.metadata().map_or(true, |about| about.mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_exposed(_: &File) -> bool {
    false
}
