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

#[cfg(test)]
mod tests {
    use std::{
        pin::Pin,
        task::{Context, Poll, Waker},
    };

    use super::*;

    type Leaving<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

    fn come(places: &Places) -> Place<'_> {
        let place = std::pin::pin!(places.turn().place()).poll(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(place) = place else { panic!("there is a place") };
        place
    }

    fn is_through(leaving: &mut Leaving<'_>) -> bool {
        leaving.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn who_leaves_waits_until_as_many_have_left_as_are_there() {
        let places = Places::new(NonZeroUsize::new(4).unwrap());
        let mut leaving: Vec<Leaving<'_>> = Vec::new();
        for place in [come(&places), come(&places), come(&places)] {
            leaving.push(Box::pin(place.leave_together()));
        }
        let _stays = come(&places);
        assert!(!is_through(&mut leaving[0]), "three are there");
        assert!(is_through(&mut leaving[1]), "two are there, and two have left");
        assert!(is_through(&mut leaving[0]));
        assert!(is_through(&mut leaving[2]), "the one that stays keeps nobody");
    }

    #[test]
    fn the_last_one_waits_for_nobody_and_who_fails_is_not_waited_for() {
        let places = Places::new(NonZeroUsize::new(2).unwrap());
        let (one, two) = (come(&places), come(&places));
        assert!(
            std::pin::pin!(places.turn().place()).poll(&mut Context::from_waker(Waker::noop())).is_pending()
        );
        let mut first: Leaving<'_> = Box::pin(one.leave_together());
        assert!(is_through(&mut first), "one is there, and one has left");
        drop(two);
        let mut again: Leaving<'_> = Box::pin(come(&places).leave_together());
        assert!(is_through(&mut again));
        let (gone, failed) = (come(&places), come(&places));
        drop(gone);
        let mut last: Leaving<'_> = Box::pin(failed.leave_together());
        assert!(is_through(&mut last));
    }
}
