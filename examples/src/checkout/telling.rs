//! Alarms on their way to people: the engine takes one for told when it is written, and no sooner.

use std::future::Future;
use std::io;
use std::pin::pin;

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};

use crate::alarms::{Alarm, Tell};

/// An alarm, and where to say what became of it.
struct Telling {
    alarm: Alarm,
    written: oneshot::Sender<io::Result<()>>,
}

/// Hands alarms to whoever may write.
pub(super) struct Teller(mpsc::Sender<Telling>);

/// Gets the alarms that a [`Teller`] is handed.
pub(super) struct Told(mpsc::Receiver<Telling>);

/// Makes the two ends of the way.
pub(super) fn telling() -> (Teller, Told) {
    let (sender, receiver) = mpsc::channel(1);
    (Teller(sender), Told(receiver))
}

#[async_trait]
impl Tell for Teller {
    async fn tell(&self, alarm: Alarm) -> io::Result<()> {
        let nobody = || io::Error::from(io::ErrorKind::BrokenPipe);
        let (written, answer) = oneshot::channel();
        self.0.send(Telling { alarm, written }).await.map_err(|_| nobody())?;
        answer.await.map_err(|_| nobody())?
    }
}

impl Told {
    /// Does the work, and writes each alarm while the work goes on.
    ///
    /// # Cancel safety
    /// An alarm that is not written by then comes again.
    pub(super) async fn during<T>(
        mut self,
        work: impl Future<Output = T>,
        mut write: impl FnMut(&Alarm) -> io::Result<()>,
    ) -> T {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                Some(Telling { alarm, written }) = self.0.recv() => {
                    // Whoever no longer waits for the answer delivers the alarm anew.
                    let _ = written.send(write(&alarm));
                }
            }
        }
    }
}
