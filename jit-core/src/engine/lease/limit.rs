//! How many leases one holder has.
//!
//! They are counted in the commit that writes a lease down and in the one that writes down that it is not there any longer, so
//! that no two nodes lend together what each alone would refuse. Each lease keeps whether it is counted: what was lent before
//! anything was counted, or comes back, moves no counter by more than it was moved for it.

use crate::{BackendError, CounterChange, CounterName, ErrorKind, Jit, JitError, Lease};

impl Jit {
    /// Moves the counters of the holder, where a lease comes or goes. Only one that is new can be one too many.
    pub(super) fn count_lent(&self, before: Option<&Lease>, lease: &mut Lease) -> Vec<CounterChange> {
        let was_counted = before.is_some_and(|before| before.counted);
        let comes = before.is_none_or(|before| !before.takes_place());
        lease.counted = lease.takes_place() && (was_counted || comes);
        let by = i64::from(lease.counted) - i64::from(was_counted);
        if by == 0 {
            return Vec::new();
        }
        let setup = self.parts.targets.get(&lease.target).filter(|_| before.is_none());
        let role = setup.and_then(|setup| setup.roles.get(&lease.role));
        let bounds = role.map(|role| (self.parts.leases_per_holder, role.per_holder));
        let (in_all, by_role) = bounds.unzip();
        let change = |name, most: Option<std::num::NonZeroU32>| {
            let at_most = most.map(|most| i64::from(most.get()));
            CounterChange { name, by, at_least: None, at_most }
        };
        vec![
            change(CounterName::lent(lease.holder), in_all),
            change(CounterName::lent_as(lease.holder, &lease.target, &lease.role), by_role),
        ]
    }
}

/// Says that the holder has as many leases as they may have, where that is why one could not be written down.
pub(super) fn or_too_many(error: BackendError) -> JitError {
    match error.kind() {
        ErrorKind::LimitReached(_) => JitError::refused("lease.too_many"),
        _ => error.into(),
    }
}
