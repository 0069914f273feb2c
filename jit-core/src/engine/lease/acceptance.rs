//! Whether a target accepts us: found out before anything is written down that it would have to undo.

use super::super::Jit;
use crate::{
    Actor, BackendError, ErrorKind, RemoteRef, TargetFault, TargetSetup, TenantId,
    lease::remote_name,
    target::{CircuitNews, refused_until},
};

impl Jit {
    /// Refuses what the target would not be asked for, before anything is written down.
    pub(super) async fn check_circuit(&self, setup: &TargetSetup) -> Result<(), BackendError> {
        let now = self.parts.clock.now();
        setup.circuit.look(now).await?;
        let Some(until) = setup.circuit.open_until(now) else { return Ok(()) };
        Err(refused_until(until, now))
    }

    /// Finds out whether the target accepts us before anything is written down that it would have to undo, where that is
    /// not known and others may have found out that it does not.
    pub(super) async fn check_accepted(
        &self,
        setup: &TargetSetup,
        remote: &RemoteRef,
    ) -> Result<(), BackendError> {
        if !setup.circuit.is_unproved() {
            return Ok(());
        }
        match setup.target.observe(remote).await {
            Err(error) if is_out_of_reach(&error) => Err(error),
            _ => Ok(()),
        }
    }

    /// Finds out by a short call whether the target accepts us, where that is not known, before one that takes minutes.
    pub(super) async fn greet(&self, setup: &TargetSetup, tenant: &TenantId) -> Result<(), BackendError> {
        if !setup.circuit.would_prove() {
            return Ok(());
        }
        let nobody = self.mint(self.parts.clock.now()).account();
        let remote = RemoteRef {
            name: remote_name(&setup.prefix, tenant, nobody, 0),
            place: None,
            marker: setup.markers.mark(tenant, nobody),
            native: None,
            home: None,
        };
        match setup.target.observe(&remote).await {
            // Whether anybody answers at all, the long call finds out by itself.
            Err(error) if is_out_of_reach(&error) && !is_unreachable(&error) => Err(error),
            _ => Ok(()),
        }
    }

    /// Tells once that the target refuses our credentials, and once that it accepts them again.
    pub(super) async fn tell_of_circuit(&self, setup: &TargetSetup) -> Result<(), BackendError> {
        let Some(news) = setup.circuit.news() else { return Ok(()) };
        let action = match news {
            CircuitNews::Opened => "target.credentials_refused",
            CircuitNews::Closed => "target.credentials_accepted",
        };
        self.tell(action, Some(&setup.id), Actor::Clock, vec![setup.id.to_string()]).await?;
        setup.circuit.told(news);
        Ok(())
    }
}

fn is_unreachable(error: &BackendError) -> bool {
    *error.kind() == ErrorKind::Target(TargetFault::Unreachable)
}

fn is_out_of_reach(error: &BackendError) -> bool {
    matches!(error.kind(), ErrorKind::Target(fault) if fault.keeps_us_out())
}
