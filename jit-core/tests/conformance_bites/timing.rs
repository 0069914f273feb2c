//! The faults of when something is written: in two steps, or some time after it was looked at.

use std::sync::atomic::Ordering;

use jit_core::{BackendError, Commit, CounterChange, ErrorKind, Taken, UserStore};

use crate::{
    faulty::Faulty,
    table::Fault,
    writing::{conflict, on_top_of, rewrite},
};

impl Faulty {
    /// The faults of writing one part before the others.
    pub(crate) async fn write_in_two(&self, commit: &Commit) -> Result<(), BackendError> {
        let nothing = Commit::new(commit.tenant.clone());
        let (mut first, mut rest) = (nothing, commit.clone());
        match self.fault {
            Fault::EventsFirst => first.events = std::mem::take(&mut rest.events),
            Fault::AccountFirst => first.account = rest.account.take(),
            Fault::TasksFirst => {
                (first.tasks, first.withdrawn) =
                    (std::mem::take(&mut rest.tasks), std::mem::take(&mut rest.withdrawn));
            }
            _ => first.counters = std::mem::take(&mut rest.counters),
        }
        self.inner.commit(&first).await?;
        self.inner.commit(&rest).await
    }

    /// The faults of looking first and writing later.
    pub(crate) async fn write_late(&self, commit: &Commit) -> Result<(), BackendError> {
        match (self.fault, &commit.account) {
            (Fault::FailsWhenBusy, _) => {
                let others = self.busy.fetch_add(1, Ordering::SeqCst);
                self.meet().await;
                let answer = self.inner.commit(commit).await;
                self.busy.fetch_sub(1, Ordering::SeqCst);
                if others > 0 { Err(BackendError::new(ErrorKind::Unavailable, "faulty")) } else { answer }
            }
            (Fault::ChecksBoundsEarly, _) if commit.counters.iter().any(|change| change.by != 0) => {
                let counters = commit.counters.iter().map(standing_still).collect();
                self.inner.commit(&Commit { counters, ..Commit::new(commit.tenant.clone()) }).await?;
                self.meet().await;
                let unbounded = |change: &CounterChange| CounterChange {
                    at_least: None,
                    at_most: None,
                    ..change.clone()
                };
                let counters = commit.counters.iter().map(unbounded).collect();
                self.inner.commit(&Commit { counters, ..commit.clone() }).await
            }
            (Fault::ChecksIdentityEarly, Some(write)) => {
                for identity in &write.after().identities {
                    if self.inner.find(&identity.key).await?.is_some() {
                        return Err(BackendError::new(ErrorKind::AlreadyExists(Taken::Identity), "faulty"));
                    }
                }
                self.meet().await;
                let answer = self.inner.commit(commit).await;
                let bare = rewrite(commit, |after| after.identities.clear());
                if answer.is_err() { self.inner.commit(&bare).await } else { answer }
            }
            (Fault::ChecksNameEarly, Some(write)) => {
                let name = write.after().user_name.as_ref().map(jit_core::UserName::key);
                let holder = self.inner.named(&commit.tenant, name.unwrap_or_default()).await?;
                if holder.is_some() {
                    return Err(BackendError::new(ErrorKind::AlreadyExists(Taken::UserName), "faulty"));
                }
                self.meet().await;
                let answer = self.inner.commit(commit).await;
                let bare = rewrite(commit, |after| after.user_name = None);
                if answer.is_err() { self.inner.commit(&bare).await } else { answer }
            }
            (Fault::ChecksVersionEarly, Some(write)) if write.expected().is_some() => {
                let read = || self.inner.get(&commit.tenant, write.after().id);
                if read().await?.map(|stored| stored.version) != write.expected() {
                    return Err(conflict());
                }
                self.meet().await;
                let stored = read().await?.ok_or_else(conflict)?;
                self.inner.commit(&on_top_of(commit, &stored)).await
            }
            _ => self.inner.commit(commit).await,
        }
    }
}

/// Asks whether a change would stay within its bounds, without moving the counter.
fn standing_still(change: &CounterChange) -> CounterChange {
    CounterChange {
        name: change.name.clone(),
        by: 0,
        at_least: change.at_least.map(|least| least - change.by),
        at_most: change.at_most.map(|most| most - change.by),
    }
}
