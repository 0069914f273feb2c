use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};
use tokio::time;

/// Times the heads of requests on one connection, of which there is one at a time.
///
/// A timer of tokio for each head would be written into the runtime's list and taken out of it again for each request. Here the
/// connection has one; when that rings too early, which is once in the time that a head may take, it is set to what is left.
pub(super) struct HeadTimer(Arc<Mutex<Pin<Box<time::Sleep>>>>);

struct Head {
    deadline: time::Instant,
    alarm: Arc<Mutex<Pin<Box<time::Sleep>>>>,
}

impl HeadTimer {
    /// Heads may take so long; the first begins now.
    pub(super) fn new(within: Duration) -> Self {
        Self(Arc::new(Mutex::new(Box::pin(time::sleep(within)))))
    }
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(Head { deadline: deadline.into(), alarm: Arc::clone(&self.0) })
    }

    fn now(&self) -> Instant {
        time::Instant::now().into()
    }
}

impl Future for Head {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut alarm = self.alarm.lock().unwrap_or_else(PoisonError::into_inner);
        if alarm.deadline() > self.deadline {
            alarm.as_mut().reset(self.deadline);
        }
        while alarm.as_mut().poll(context).is_ready() {
            if alarm.deadline() >= self.deadline {
                return Poll::Ready(());
            }
            alarm.as_mut().reset(self.deadline);
        }
        Poll::Pending
    }
}

impl Sleep for Head {}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    const WITHIN: Duration = Duration::from_secs(20);

    fn is_over(head: &mut Pin<Box<dyn Sleep>>) -> bool {
        head.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[tokio::test(start_paused = true)]
    async fn each_head_has_its_own_time_on_one_alarm() {
        let timer = HeadTimer::new(WITHIN);
        let mut first = timer.sleep(WITHIN);
        assert!(!is_over(&mut first));
        time::advance(Duration::from_secs(15)).await;
        assert!(!is_over(&mut first));
        drop(first);
        let mut second = timer.sleep(WITHIN);
        assert!(!is_over(&mut second));
        // the alarm of the first rings meanwhile
        time::advance(Duration::from_secs(10)).await;
        assert!(!is_over(&mut second));
        time::advance(Duration::from_secs(10)).await;
        assert!(is_over(&mut second));
        let mut hasty = timer.sleep(Duration::from_secs(5));
        let mut long = timer.sleep(Duration::from_secs(50));
        assert!(!is_over(&mut long) && !is_over(&mut hasty));
        time::advance(Duration::from_secs(6)).await;
        assert!(is_over(&mut hasty), "a shorter time is not waited out behind a longer one");
    }
}
