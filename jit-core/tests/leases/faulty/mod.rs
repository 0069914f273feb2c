//! Doors to the store and the target where a chosen step is killed, fails, loses its answer, comes late or comes twice.

mod script;
mod store;
mod target;

use std::{future::Future, pin::Pin};

use jit_core::*;

pub(crate) use script::Script;
pub(crate) use store::FaultyStore;
pub(crate) use target::FaultyTarget;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The process dies before the step takes effect.
    KillBefore,
    /// The process dies after it took effect, before it knows.
    KillAfter,
    /// The step fails without effect.
    FailBefore,
    /// The step takes effect, and its answer is lost.
    FailAfter,
    /// The step fails, and takes effect this many seconds later: a call to the target, or a commit.
    Late(i64),
    /// The process dies, and the step takes effect this many seconds later at a server of the target that stands in for ours,
    /// which learns of it as late as it may.
    Elsewhere(i64),
    /// The step happens twice.
    Twice,
}

type Step<'a, T> = Pin<Box<dyn Future<Output = Result<T, BackendError>> + Send + 'a>>;

async fn through<'a, T>(
    script: &Script,
    broken: ErrorKind,
    step: impl Fn() -> Step<'a, T>,
) -> Result<T, BackendError> {
    let fail = || BackendError::new(broken.clone(), "injected");
    script.turn().await;
    match script.next(&broken) {
        None => {
            let answer = step().await;
            script.turn().await;
            answer
        }
        Some(Fault::KillBefore | Fault::Elsewhere(_)) => std::future::pending().await,
        Some(Fault::KillAfter) => {
            let _ = step().await;
            std::future::pending().await
        }
        Some(Fault::FailBefore | Fault::Late(_)) => Err(fail()),
        Some(Fault::FailAfter) => {
            step().await?;
            Err(fail())
        }
        Some(Fault::Twice) => {
            let first = step().await;
            let _ = step().await;
            first
        }
    }
}
