use std::fs::File;
use std::io::{self, Read, Write};

use jit_saml::metadata::aggregate_limits;

use super::Failure;
use super::report::Line;

/// Longer than any limit of the verification, so that each limit is still the verification's to name.
const LONGEST_FILE: u64 = 2 * 1024 * 1024;

/// Reads a file, `-` being standard input, as far as any verification would.
pub(super) fn read(name: &str) -> Result<Vec<u8>, Failure> {
    read_up_to(LONGEST_FILE, name)
}

/// Reads metadata, which a federation publishes for all of its members in one file.
pub(super) fn read_metadata(name: &str) -> Result<Vec<u8>, Failure> {
    read_up_to(aggregate_limits().bytes.saturating_add(1) as u64, name)
}

fn read_up_to(longest: u64, name: &str) -> Result<Vec<u8>, Failure> {
    let attempt = || {
        let mut bytes = Vec::new();
        if name == "-" {
            io::stdin().lock().take(longest).read_to_end(&mut bytes)?;
        } else {
            File::open(name)?.take(longest).read_to_end(&mut bytes)?;
        }
        Ok(bytes)
    };
    attempt().map_err(|error| Failure::File(name.to_owned(), error))
}

/// Writes one line of JSON.
pub(super) fn write_line(out: &mut dyn Write, line: &Line<'_>) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}
