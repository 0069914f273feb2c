//! The faults of removing what is over for good.

use std::num::NonZeroUsize;

use chrono::{DateTime, Utc};
use jit_core::{
    BackendError, Commit, ErrorKind, Filter, Forgotten, Over, Query, Taken, TenantId, UserStore as _,
};

use crate::{faulty::Faulty, table::Fault};

impl Faulty {
    pub(crate) async fn faulty_long_over(
        &self,
        tenant: &TenantId,
        until: DateTime<Utc>,
        after: Option<Over>,
        limit: NonZeroUsize,
    ) -> Result<Vec<Over>, BackendError> {
        let never = DateTime::<Utc>::MAX_UTC;
        let mut over = match self.fault {
            Fault::NamesTheYoung => self.inner.long_over(tenant, never, after, limit).await?,
            Fault::NamesTheOldFromTheStart => self.inner.long_over(tenant, until, None, limit).await?,
            Fault::NamesFromWhoIsThere => {
                let all =
                    self.inner.long_over(tenant, never, None, NonZeroUsize::new(1_000).unwrap()).await?;
                let after = after.filter(|after| all.contains(after));
                self.inner.long_over(tenant, until, after, limit).await?
            }
            Fault::LongOverForgetsTenant => {
                let mut all = Vec::new();
                for tenant in self.tenants() {
                    all.extend(self.inner.long_over(&tenant, until, after, limit).await?);
                }
                all
            }
            Fault::NamesEveryGoneLease => return self.gone(tenant, until).await,
            Fault::NamesWhatWasOver => {
                self.memo().over.iter().filter(|(of, _)| of == tenant).map(|(_, over)| *over).collect()
            }
            _ => self.inner.long_over(tenant, until, after, limit).await?,
        };
        if self.has(Fault::NamesInOrderOfIds) {
            over.sort_by_key(|over| over.account);
        }
        Ok(over)
    }

    /// Whoever keeps a lease that is gone, also where a person decided that or it came back.
    async fn gone(&self, tenant: &TenantId, until: DateTime<Utc>) -> Result<Vec<Over>, BackendError> {
        let limit = NonZeroUsize::new(1_000).unwrap();
        let query = Query { tenant: tenant.clone(), filter: Filter::All, after: None, limit };
        let accounts = self.inner.list(&query).await?.items;
        let gone = accounts.into_iter().filter(|account| {
            account.lease.as_ref().is_some_and(|lease| !lease.is_live()) && account.updated_at <= until
        });
        Ok(gone.map(|account| Over { since: account.updated_at, account: account.id }).collect())
    }

    /// The faults of forgetting.
    pub(crate) async fn write_forgetting(&self, commit: &Commit) -> Result<(), BackendError> {
        if let Some(account) = commit.account.as_ref().and_then(|write| {
            write.after().over_since().map(|since| Over { since, account: write.after().id })
        }) {
            self.memo().over.push((commit.tenant.clone(), account));
        }
        match self.fault {
            Fault::ForgottenStay => {
                self.inner.commit(&Commit { forgotten: Vec::new(), ..commit.clone() }).await
            }
            Fault::ForgetsWhateverChanged => self.forget_what_is_there(commit).await,
            Fault::ForgetsOneByOne => {
                for forgotten in &commit.forgotten {
                    let one =
                        Commit { forgotten: vec![forgotten.clone()], ..Commit::new(commit.tenant.clone()) };
                    self.inner.commit(&one).await?;
                }
                self.inner.commit(&Commit { forgotten: Vec::new(), ..commit.clone() }).await
            }
            Fault::ForgetsBesideWriting => {
                let rest = Commit { forgotten: Vec::new(), ..commit.clone() };
                self.inner.commit(&Commit { account: None, ..commit.clone() }).await?;
                self.inner.commit(&rest).await
            }
            Fault::ForgottenIdsAreFree => self.create_anew(commit).await,
            Fault::ForgettingForgetsTenant => {
                self.inner.commit(commit).await?;
                self.forget_elsewhere(commit).await
            }
            _ => self.inner.commit(commit).await,
        }
    }

    async fn forget_what_is_there(&self, commit: &Commit) -> Result<(), BackendError> {
        let mut forgotten = Vec::new();
        for each in &commit.forgotten {
            let account = self.inner.get(&commit.tenant, each.account()).await?;
            forgotten.push(account.as_ref().and_then(Forgotten::of).unwrap_or_else(|| each.clone()));
        }
        self.inner.commit(&Commit { forgotten, ..commit.clone() }).await
    }

    async fn create_anew(&self, commit: &Commit) -> Result<(), BackendError> {
        let answer = self.inner.commit(commit).await;
        let taken = ErrorKind::AlreadyExists(Taken::Account);
        let is_taken = answer.as_ref().is_err_and(|error| *error.kind() == taken);
        let Some(write) = commit.account.as_ref().filter(|_| is_taken) else { return answer };
        match self.inner.get(&commit.tenant, write.after().id).await? {
            Some(_) => answer,
            None => Ok(()),
        }
    }

    async fn forget_elsewhere(&self, commit: &Commit) -> Result<(), BackendError> {
        for tenant in self.tenants() {
            for each in &commit.forgotten {
                let account = self.inner.get(&tenant, each.account()).await?;
                let forgotten = account.as_ref().and_then(Forgotten::of).into_iter().collect();
                self.inner.commit(&Commit { forgotten, ..Commit::new(tenant.clone()) }).await?;
            }
        }
        Ok(())
    }
}
