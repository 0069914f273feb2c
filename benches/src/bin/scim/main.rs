//! The SCIM server as its clients see it: beside a trivial echo of JSON, and beside two other servers.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a program for people who measure: whatever goes wrong ends the measurement"
)]

mod alone;
mod echo;
mod fill;
mod load;
mod measure;
mod requests;
mod server;
mod stores;

use std::path::PathBuf;

/// The echo's as well as that of `scim-server`, so that neither has a better one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What the command line asks for.
pub(crate) struct Wanted {
    pub(crate) folder: PathBuf,
    /// The program `scim-server`.
    pub(crate) program: PathBuf,
    pub(crate) is_quick: bool,
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let usage = || -> ! {
        panic!(
            "scim DIRECTORY PROGRAM [--quick] [--peers], or scim stores DIRECTORY [--quick] [--postgres URL]"
        )
    };
    let folder = match arguments.next() {
        None => usage(),
        Some(word) if word == "echo" => return echo::serve(),
        Some(folder) => PathBuf::from(folder),
    };
    if folder.as_os_str() == "alone" {
        let (what, operation) = (arguments.next().unwrap(), arguments.next().unwrap());
        return alone::run(&what, &operation, arguments.next().unwrap().parse().unwrap());
    }
    if folder.as_os_str() == "stores" {
        return stores::measure(&stores::Wanted::of(arguments).unwrap_or_else(|| usage()));
    }
    let program = arguments.next().map_or_else(|| usage(), PathBuf::from);
    let mut wanted = Wanted { folder, program, is_quick: false };
    let mut with_peers = false;
    for option in arguments {
        match option.as_str() {
            "--quick" => wanted.is_quick = true,
            "--peers" => with_peers = true,
            _ => usage(),
        }
    }
    std::fs::create_dir_all(&wanted.folder).unwrap();
    alone::measure();
    measure::beside_echo(&wanted);
    measure::on_sqlite(&wanted);
    if with_peers {
        measure::beside_peers(&wanted);
    }
}
