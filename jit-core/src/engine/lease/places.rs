//! What the leases of one round share: places at the target, and the writes that follow.

use std::{
    collections::VecDeque,
    future::poll_fn,
    num::NonZeroUsize,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use super::record::Next;

/// Keeps the places at a target for one round of work. Not made of the parts of a runtime: those make whoever asks often
/// wait for no reason.
pub(super) struct Places {
    at_once: usize,
    company: Mutex<Company>,
}

/// Who is at the target, who waits for a place there, and who has come from there and waits for others.
#[derive(Default)]
struct Company {
    at_target: usize,
    /// The first of them first, each with its number.
    queue: VecDeque<(u64, Waker)>,
    numbers: u64,
    left: usize,
    /// How often those who had left went on together.
    departures: u64,
    wakers: Vec<Waker>,
}

/// Says what a call to the target waits for: people wait for nobody, a round of work has its places.
#[derive(Clone, Copy)]
pub(super) struct Turn<'a>(Option<&'a Places>);

/// A place at the target, until it is dropped.
pub(super) struct Place<'a>(Option<&'a Places>);

/// Who waits for a place, until they have it or go away.
struct Asking<'a> {
    places: &'a Places,
    number: Option<u64>,
}

impl Places {
    pub(super) fn new(at_once: NonZeroUsize) -> Self {
        Self { at_once: at_once.get(), company: Mutex::default() }
    }

    pub(super) fn turn(&self) -> Turn<'_> {
        Turn(Some(self))
    }

    fn company(&self) -> MutexGuard<'_, Company> {
        self.company.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Company {
    fn leave(&mut self) {
        self.at_target = self.at_target.saturating_sub(1);
        self.wake_next();
        self.depart();
    }

    fn wake_next(&self) {
        if let Some((_, waker)) = self.queue.front() {
            waker.wake_by_ref();
        }
    }

    /// As many as are still at the target: the last one waits for nobody, and one that hangs keeps nobody.
    fn depart(&mut self) {
        if self.left >= self.at_target {
            self.left = 0;
            self.departures = self.departures.wrapping_add(1);
            self.wakers.drain(..).for_each(Waker::wake);
        }
    }
}

impl<'a> Turn<'a> {
    /// The turn of a person, who waits for their answer.
    pub(super) const AT_ONCE: Self = Self(None);

    /// Who takes the next step: a round of work holds the task of what it looks after.
    pub(super) fn next(self) -> Next {
        if self.0.is_some() { Next::WithItsTask } else { Next::AtOnce }
    }

    /// Waits for a place; whoever asked first has the next one.
    pub(super) async fn place(self) -> Place<'a> {
        let Some(places) = self.0 else { return Place(None) };
        let mut asking = Asking { places, number: None };
        poll_fn(|context| asking.poll(context)).await;
        Place(Some(places))
    }
}

impl Asking<'_> {
    fn poll(&mut self, context: &Context<'_>) -> Poll<()> {
        let mut company = self.places.company();
        let first = company.queue.front().map(|(number, _)| *number);
        if first == self.number && company.at_target < self.places.at_once {
            company.at_target += 1;
            if self.number.take().is_some() {
                company.queue.pop_front();
                company.wake_next();
            }
            return Poll::Ready(());
        }
        let waker = context.waker().clone();
        let place = company.queue.iter().position(|(number, _)| Some(*number) == self.number);
        if let Some(asked) = place.and_then(|place| company.queue.get_mut(place)) {
            asked.1 = waker;
        } else {
            company.numbers += 1;
            let number = company.numbers;
            self.number = Some(number);
            company.queue.push_back((number, waker));
        }
        Poll::Pending
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if let Some(gone) = self.number {
            let mut company = self.places.company();
            company.queue.retain(|(number, _)| *number != gone);
            company.wake_next();
        }
    }
}

impl Place<'_> {
    /// Leaves the place to the next one, and waits until as many have left as are still at the target: what all of them
    /// write down is then written together, and the disk is not asked for each by itself.
    pub(super) async fn leave_together(mut self) {
        let Some(places) = self.0.take() else { return };
        let before = {
            let mut company = places.company();
            let before = company.departures;
            company.left += 1;
            company.leave();
            before
        };
        poll_fn(|context| {
            let mut company = places.company();
            if company.departures != before {
                return Poll::Ready(());
            }
            company.wakers.push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Some(places) = self.0.take() {
            places.company().leave();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

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
