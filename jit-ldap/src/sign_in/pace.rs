//! The time after which a refusal is told. A directory that looks a password up takes longer for somebody than for nobody.

use std::future::Future;
use std::time::Duration;

use jit_core::VerifyError;
use tokio::time::{Instant, sleep_until};

use crate::reason::Reason;

/// Waits for an outcome, and tells no refusal sooner than `pause` after it was asked for.
pub(super) async fn refused_after<T>(
    pause: Duration,
    outcome: impl Future<Output = Result<T, VerifyError>>,
) -> Result<T, VerifyError> {
    let until = Instant::now() + pause;
    let outcome = outcome.await;
    if outcome.as_ref().is_err_and(may_tell_who_exists) {
        sleep_until(until).await;
    }
    outcome
}

fn may_tell_who_exists(error: &VerifyError) -> bool {
    [Reason::SignInRefused, Reason::SignInThrottled]
        .iter()
        .any(|reason| error.code().as_str() == reason.code())
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;
    use crate::error::LdapError;

    const PAUSE: Duration = Duration::from_millis(500);

    /// After how many milliseconds something is told that was known after some.
    async fn told_after(known: u64, outcome: Result<(), Reason>) -> u128 {
        let begun = Instant::now();
        let outcome = async {
            sleep(Duration::from_millis(known)).await;
            outcome.map_err(|reason| LdapError::from(reason).into())
        };
        drop(refused_after(PAUSE, outcome).await);
        begun.elapsed().as_millis()
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_come_at_one_time_and_nothing_else_waits() {
        for known in [0, 1, 90, 499, 500] {
            for refusal in [Reason::SignInRefused, Reason::SignInThrottled] {
                assert_eq!(told_after(known, Err(refusal)).await, 500, "{known}");
            }
        }
        assert_eq!(
            told_after(800, Err(Reason::SignInRefused)).await,
            800,
            "a slow directory is not made slower"
        );
        assert_eq!(told_after(7, Ok(())).await, 7);
        for other in [Reason::PasswordMustChange, Reason::ConnectFailed] {
            assert_eq!(told_after(7, Err(other)).await, 7, "it tells nothing of who exists");
        }
    }
}
