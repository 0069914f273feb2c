//! What the leases of one round share: places at the target, and the writes that follow.

use std::{
    num::NonZeroUsize,
    sync::{Mutex, PoisonError},
};

use tokio::sync::{Semaphore, SemaphorePermit, oneshot};

/// Keeps the places at a target for one round of work.
pub(super) struct Places {
    free: Semaphore,
    company: Mutex<Company>,
}

/// Who is at the target, and who waits for others to come from there.
#[derive(Default)]
struct Company {
    at_target: usize,
    waiting: Vec<oneshot::Sender<()>>,
}

/// Says what a call to the target waits for: people wait for nobody, a round of work has its places.
#[derive(Clone, Copy)]
pub(super) struct Turn<'a>(Option<&'a Places>);

/// A place at the target, until it is dropped.
pub(super) struct Place<'a> {
    held: Option<(&'a Places, SemaphorePermit<'a>)>,
}

impl Places {
    pub(super) fn new(at_once: NonZeroUsize) -> Self {
        Self { free: Semaphore::new(at_once.get()), company: Mutex::default() }
    }

    pub(super) fn turn(&self) -> Turn<'_> {
        Turn(Some(self))
    }

    fn change(&self, change: impl FnOnce(&mut Company)) {
        let mut company = self.company.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut company);
        // As many as are still at the target: the last one waits for nobody, and one that hangs keeps nobody.
        if company.waiting.len() >= company.at_target {
            for waiting in company.waiting.drain(..) {
                // Whoever has gone waits no more.
                let _ = waiting.send(());
            }
        }
    }
}

impl<'a> Turn<'a> {
    /// The turn of a person, who waits for their answer.
    pub(super) const AT_ONCE: Self = Self(None);

    /// Waits for a place.
    pub(super) async fn place(self) -> Place<'a> {
        let Some(places) = self.0 else { return Place { held: None } };
        // A semaphore of ours is never closed.
        let Ok(permit) = places.free.acquire().await else { return Place { held: None } };
        places.change(|company| company.at_target += 1);
        Place { held: Some((places, permit)) }
    }
}

impl Place<'_> {
    /// Leaves the place to the next one, and waits until as many have left as are still at the target: what all of them
    /// write down is then written together, and the disk is not asked for each by itself.
    pub(super) async fn leave_together(mut self) {
        let Some((places, permit)) = self.held.take() else { return };
        drop(permit);
        let (go, gone) = oneshot::channel();
        places.change(|company| {
            company.at_target = company.at_target.saturating_sub(1);
            company.waiting.push(go);
        });
        // Nobody is left who could tell: then there is no company to wait for.
        let _ = gone.await;
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Some((places, permit)) = self.held.take() {
            drop(permit);
            places.change(|company| company.at_target = company.at_target.saturating_sub(1));
        }
    }
}
