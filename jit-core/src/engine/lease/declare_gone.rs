//! Ending the leases of a target that is gone for good: nobody can be asked any longer, and a person gives their word.

use std::collections::BTreeMap;

use super::{
    ATTEMPTS, LentWrong, admit::check_reason, bearing::is_corrupt, check_out::Errand, differ::plainly, kept,
    reconcile::Reconciliation, record::DECLARED_GONE,
};
use crate::{
    AccountId, Actor, EndReason, ErrorKind, Jit, JitError, Lease, Phase, Proof, Seeing, Store, StoreId,
    TenantId,
};

impl Jit {
    /// Takes a person's word that a lease is gone, because its target is gone for good. Nobody asks the target: the lease keeps
    /// what was proved last, gives back its place among those of its holder, and nobody looks after it any longer. The
    /// trail and an alarm say who said so, and why. Saying it twice is no error.
    ///
    /// Should the target come back, [`Jit::reconcile`] finds what is still there, and ends it when asked to.
    ///
    /// # Errors
    /// `lease.target_configured` where this engine has the target for the tenant: check the lease in; `lease.unknown`; `lease.invalid`
    /// (a reason that is empty or too long, or has control characters), `engine.contended`; `engine.unknown_store`;
    /// `store.…` as [`JitError::Backend`].
    ///
    /// # Cancel safety
    /// It is written down whole, or nothing was changed.
    pub async fn declare_gone(
        &self,
        store: Option<&StoreId>,
        tenant: &TenantId,
        id: AccountId,
        by: Actor,
        reason: &str,
    ) -> Result<Lease, JitError> {
        check_reason(reason)?;
        let store = self.store_named(store)?;
        // A person's word counts whatever the clock says.
        if let Some(error) = self.watch_time().await.unwrap_or_else(Some) {
            tracing::warn!(code = %error.code(), "the clock was not compared");
        }
        for _ in 0..ATTEMPTS {
            let (account, lease) = kept(store, tenant, id).await?;
            if self.setup_tending(tenant, &lease.target).is_ok() {
                return Err(JitError::refused("lease.target_configured"));
            }
            let details = vec![last_proof(lease.proof), format!("because {reason}")];
            let Ok(gone) = lease.clone().declared_gone(self.parts.clock.work()) else { return Ok(lease) };
            match self.note_with(store, &account, gone, (DECLARED_GONE, &by), details).await {
                Err(error) if *error.kind() == ErrorKind::Conflict => {}
                noted => return noted?.lease.map(|lease| *lease).ok_or(JitError::refused("lease.unknown")),
            }
        }
        Err(JitError::refused("engine.contended"))
    }
}

/// What is known of it, for whoever reads the trail: nobody confirmed that it is gone.
fn last_proof(proof: Option<Proof>) -> String {
    let Some(Proof { seen, at }) = proof else { return "never proved".to_owned() };
    let seen = match seen {
        Seeing::Present => "in use",
        Seeing::Disabled => "out of use",
        Seeing::Absent => "not there",
    };
    format!("last proved {seen} at {}", at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
}

/// The leases that somebody declared gone, of what is still lent to accounts that existed before: nobody takes that.
pub(super) async fn declared_gone(
    store: &dyn Store,
    tenant: &TenantId,
    leftover: &[LentWrong],
) -> Result<BTreeMap<AccountId, String>, JitError> {
    let mut declared = BTreeMap::new();
    for wrong in leftover {
        for id in &wrong.leases {
            let kept = match store.get(tenant, *id).await {
                // Nobody can tell whether it was.
                Err(error) if is_corrupt(&error) => continue,
                kept => kept?,
            };
            let lease = kept.and_then(|account| account.lease);
            if lease.is_some_and(|lease| is_declared_gone(&lease)) {
                declared.insert(*id, wrong.native.clone());
            }
        }
    }
    Ok(declared)
}

fn is_declared_gone(lease: &Lease) -> bool {
    matches!(lease.phase, Phase::Gone { why: EndReason::DeclaredGone, .. })
}

impl Jit {
    /// Lets leases that were declared gone end after all, each with the native id of the account that still holds something.
    /// One of which that fails keeps no other from it.
    pub(super) async fn end_declared(
        &self,
        errand: Errand<'_>,
        tenant: &TenantId,
        declared: BTreeMap<AccountId, String>,
        result: &mut Reconciliation,
    ) {
        for (id, native) in declared {
            let ended = match kept(errand.store, tenant, id).await {
                Ok((account, lease)) if is_declared_gone(&lease) => {
                    let details = vec![format!("end what is still lent to {}", plainly(&native))];
                    self.end_again(errand, &account, (lease, native), details).await
                }
                found => found.map(|_| false),
            };
            result.learn_end(id, ended);
        }
    }
}
