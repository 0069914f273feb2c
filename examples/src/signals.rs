//! What programs are asked by signals.

use std::future::Future;
use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Listens from now on for SIGHUP, which asks a program to read files again, and ends it no longer.
pub(crate) fn asked_to_read() -> io::Result<Signal> {
    signal(SignalKind::hangup())
}

/// Listens for signals from now on, and waits until one asks the program to end.
pub(crate) fn asked_to_end() -> io::Result<impl Future<Output = ()>> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
