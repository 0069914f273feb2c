//! The atomic write: first everything that speaks against it, then all of it.

use super::{State, Tenant, documents::Documents};
use crate::{Collection, Commit, CounterChange, ErrorKind, Taken};

impl State {
    /// Lists what speaks against a commit, the account first.
    pub(super) fn refusals(&self, commit: &Commit) -> Vec<ErrorKind> {
        let nothing;
        let tenant = if let Some(tenant) = self.tenants.get(&commit.tenant) {
            tenant
        } else {
            nothing = Tenant::default();
            &nothing
        };
        let mut refusals = match &commit.account {
            Some(write) => tenant.accounts.refusals(write),
            None => Vec::new(),
        };
        refusals.extend(tenant.accounts.keeps(&commit.forgotten).then_some(ErrorKind::Conflict));
        refusals.extend(tenant.documents.refusals(&commit.documents));
        if commit.tasks.iter().any(|task| self.tasks.contains(&commit.tenant, task.id)) {
            refusals.push(ErrorKind::AlreadyExists(Taken::Task));
        }
        if commit.events.iter().any(|event| tenant.trail.contains(event.id)) {
            refusals.push(ErrorKind::Conflict);
        }
        let beyond = commit.counters.iter().filter(|change| tenant.arrival(change).is_none());
        refusals.extend(beyond.map(|change| ErrorKind::LimitReached(change.name.clone())));
        refusals
    }

    /// The documents of the tenant that a collection belongs to.
    pub(super) fn documents(&self, of: &Collection) -> Option<&Documents> {
        self.tenants.get(&of.tenant).map(|tenant| &tenant.documents)
    }

    /// Writes a commit that nothing speaks against.
    pub(super) fn apply(&mut self, commit: &Commit) {
        let tenant = self.tenants.entry(commit.tenant.clone()).or_default();
        if let Some(write) = &commit.account {
            tenant.accounts.write(write);
        }
        tenant.accounts.forget(&commit.forgotten);
        tenant.documents.write(&commit.documents);
        for event in &commit.events {
            tenant.trail.record(event);
        }
        for change in &commit.counters {
            if let Some(value) = tenant.arrival(change) {
                tenant.counters.insert(change.name.clone(), value);
            }
        }
        for id in &commit.withdrawn {
            self.tasks.withdraw(&commit.tenant, *id);
        }
        for task in &commit.tasks {
            self.tasks.add(task);
        }
    }
}

impl Tenant {
    /// Where a change brings its counter; `None` where that is beyond its bounds.
    fn arrival(&self, change: &CounterChange) -> Option<i64> {
        let value = self.counters.get(&change.name).copied().unwrap_or(0).checked_add(change.by)?;
        let high_enough = change.at_least.is_none_or(|least| value >= least);
        let low_enough = change.at_most.is_none_or(|most| value <= most);
        (high_enough && low_enough).then_some(value)
    }
}
