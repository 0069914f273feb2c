//! The faults of writing accounts.

use std::{collections::BTreeSet, num::NonZeroUsize};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use jit_core::{
    Account, AccountId, AccountWrite, BackendError, Commit, Cursor, ErrorKind, ExternalKey, LookupKey,
    Matches, Over, Page, Query, Seen, Taken, TenantId, UserStore,
};

use crate::{faulty::Faulty, table::Fault};

#[async_trait]
impl UserStore for Faulty {
    async fn find(&self, key: &ExternalKey) -> Result<Option<Account>, BackendError> {
        Ok(self.faulty_find(key).await?.map(|account| self.seen_as(account)))
    }

    async fn get(&self, tenant: &TenantId, id: AccountId) -> Result<Option<Account>, BackendError> {
        Ok(self.faulty_get(tenant, id).await?.map(|account| self.seen_as(account)))
    }

    async fn matching(&self, tenant: &TenantId, key: &LookupKey) -> Result<Matches, BackendError> {
        self.faulty_matching(tenant, key).await
    }

    async fn named(&self, tenant: &TenantId, user_name_key: &str) -> Result<Option<Account>, BackendError> {
        Ok(self.faulty_named(tenant, user_name_key).await?.map(|account| self.seen_as(account)))
    }

    async fn list(&self, query: &Query) -> Result<Page<Account>, BackendError> {
        self.faulty_list(query).await
    }

    async fn bearers(
        &self,
        tenant: &TenantId,
        key: &LookupKey,
        after: Option<Cursor>,
        limit: NonZeroUsize,
    ) -> Result<Page<AccountId>, BackendError> {
        self.faulty_bearers(tenant, key, after, limit).await
    }

    async fn long_over(
        &self,
        tenant: &TenantId,
        until: DateTime<Utc>,
        after: Option<Over>,
        limit: NonZeroUsize,
    ) -> Result<Vec<Over>, BackendError> {
        self.faulty_long_over(tenant, until, after, limit).await
    }

    async fn commit(&self, commit: &Commit) -> Result<(), BackendError> {
        self.memo().tenants.insert(commit.tenant.clone());
        let answer = self.write(commit).await;
        self.part();
        if answer.is_ok() {
            self.remember(commit);
            self.remember_members(commit);
        }
        answer
    }

    async fn touch(&self, seen: &[Seen]) -> Result<(), BackendError> {
        for seen in seen {
            let account = self.inner.get(&seen.tenant, seen.account).await?;
            match (self.fault, account) {
                (Fault::TouchWantsAccount, None) => return Err(conflict()),
                (Fault::TouchForgetsTenant, _) => {
                    for tenant in self.tenants() {
                        self.inner.touch(&[Seen { tenant, ..seen.clone() }]).await?;
                    }
                }
                (Fault::TouchRaisesVersion, Some(account)) => {
                    let after = Account { last_seen: Some(seen.at), ..account.clone() };
                    self.inner.commit(&over(&account, after)).await?;
                }
                (Fault::TouchSets, Some(account)) => drop(self.memo().seen.insert(account.id, Some(seen.at))),
                (Fault::CommitSetsSeen, Some(account)) => {
                    let latest = account.last_seen.max(Some(seen.at));
                    self.memo().seen.insert(account.id, latest);
                    self.inner.touch(std::slice::from_ref(seen)).await?;
                }
                _ => self.inner.touch(std::slice::from_ref(seen)).await?,
            }
        }
        Ok(())
    }
}

pub(crate) fn conflict() -> BackendError {
    BackendError::new(ErrorKind::Conflict, "faulty")
}

fn over(before: &Account, after: Account) -> Commit {
    Commit { account: Some(AccountWrite::update(before, after)), ..Commit::new(before.tenant.clone()) }
}

/// The same write with the account changed.
pub(crate) fn rewrite(commit: &Commit, change: impl FnOnce(&mut Account)) -> Commit {
    let account = commit.account.as_ref().map(|write| {
        let mut after = write.after().clone();
        change(&mut after);
        match write.expected() {
            None => AccountWrite::create(after),
            // The keys that the model derives by itself do not matter here.
            Some(version) => AccountWrite::update(&Account { version, ..after.clone() }, after),
        }
    });
    Commit { account, ..commit.clone() }
}

/// The same write on the version that is stored.
pub(crate) fn on_top_of(commit: &Commit, stored: &Account) -> Commit {
    let after = commit.account.as_ref().map(|write| write.after().clone());
    Commit { account: after.map(|after| AccountWrite::update(stored, after)), ..commit.clone() }
}

fn is(answer: &Result<(), BackendError>, kind: &ErrorKind) -> bool {
    answer.as_ref().is_err_and(|error| error.kind() == kind)
}

impl Faulty {
    /// Remembers what was accepted.
    fn remember(&self, commit: &Commit) {
        let mut memo = self.memo();
        memo.events.extend(commit.events.iter().cloned());
        memo.accepted.push(commit.clone());
        let Some(write) = &commit.account else { return };
        let (tenant, after) = (&commit.tenant, write.after());
        for identity in &after.identities {
            memo.identities.insert(identity.key.clone(), after.id);
        }
        if let Some(name) = &after.user_name {
            memo.names.entry((tenant.clone(), name.key().to_owned())).or_insert(after.id);
        }
        for key in after.lookup_keys() {
            memo.lookups.insert((tenant.clone(), key), after.id);
        }
        if self.has(Fault::CommitSetsSeen) {
            memo.seen.insert(after.id, after.last_seen);
        }
        memo.created.entry((tenant.clone(), after.id)).or_insert_with(|| after.clone());
    }

    async fn write(&self, commit: &Commit) -> Result<(), BackendError> {
        match self.fault {
            Fault::IgnoresUpdates
            | Fault::IgnoresVersions
            | Fault::Upserts
            | Fault::CreateOverwrites
            | Fault::UpdateForgetsTenant
            | Fault::IdsForgetTenant => self.write_account(commit).await,
            Fault::SkipsTakenIdentity
            | Fault::SkipsTakenName
            | Fault::SkipsTakenTask
            | Fault::AcceptsOverflow
            | Fault::AcceptsRepetition
            | Fault::NamesFirstCounter => self.write_and_forgive(commit).await,
            Fault::EventsFirst | Fault::AccountFirst | Fault::TasksFirst | Fault::CountersFirst => {
                self.write_in_two(commit).await
            }
            Fault::ChecksBoundsEarly
            | Fault::ChecksIdentityEarly
            | Fault::ChecksNameEarly
            | Fault::ChecksVersionEarly
            | Fault::FailsWhenBusy => self.write_late(commit).await,
            Fault::DocumentVersionsIgnored
            | Fault::RemovedDocumentsStay
            | Fault::EmptiesRemovedGroups
            | Fault::UniqueNamesAreShared
            | Fault::DocumentsFirst
            | Fault::DocumentsLast
            | Fault::AddingReplacesMembers
            | Fault::RemovingClears
            | Fault::ChecksDocumentVersionsEarly
            | Fault::ChecksDocumentNamesEarly
            | Fault::AcceptsAnyMember
            | Fault::SkipsForeignDocuments => self.write_documents(commit).await,
            Fault::ForgottenStay
            | Fault::ForgetsWhateverChanged
            | Fault::ForgetsOneByOne
            | Fault::ForgetsBesideWriting
            | Fault::ForgottenIdsAreFree
            | Fault::ForgettingForgetsTenant
            | Fault::NamesWhatWasOver => self.write_forgetting(commit).await,
            _ => self.write_changed(commit).await,
        }
    }

    /// The faults that change what is written.
    async fn write_changed(&self, commit: &Commit) -> Result<(), BackendError> {
        let mut changed = commit.clone();
        match self.fault {
            Fault::EndFreesKeys => {
                changed = rewrite(commit, |after| {
                    if after.state.word() == "ended" {
                        after.identities.clear();
                        after.user_name = None;
                    }
                });
            }
            // A write made anew says nothing of disuse.
            Fault::EndsWhatIsUsed => changed = rewrite(commit, |_| {}),
            Fault::CommitForgetsSeen => changed = rewrite(commit, |after| after.last_seen = None),
            Fault::KeepsOldNames | Fault::NoNameIsAName => self.refuse_more_names(commit).await?,
            Fault::WantsAnAccount if commit.account.is_none() => {
                return Err(BackendError::new(ErrorKind::Invalid, "faulty"));
            }
            Fault::MergesTwins => merge_twins(&mut changed),
            Fault::DropsTasks => changed.tasks.clear(),
            Fault::DropsEvents => changed.events.clear(),
            Fault::SkipsForeignParts => skip_foreign(&mut changed),
            Fault::IgnoresWithdrawal => changed.withdrawn.clear(),
            Fault::CountersStand => changed.counters.iter_mut().for_each(|change| change.by = 0),
            Fault::CountersHaveNoBounds => {
                // Whoever asks where a counter stands does not move it.
                for change in changed.counters.iter_mut().filter(|change| change.by != 0) {
                    (change.at_least, change.at_most) = (None, None);
                }
            }
            Fault::CountersForgetTenant => {
                let counters = std::mem::take(&mut changed.counters);
                self.inner.commit(&Commit { counters, ..Commit::new("all".parse().unwrap()) }).await?;
            }
            Fault::WithdrawalForgetsTenant => {
                for tenant in self.tenants() {
                    let withdrawn = commit.withdrawn.clone();
                    self.inner.commit(&Commit { withdrawn, ..Commit::new(tenant) }).await?;
                }
            }
            Fault::FoldsLanes => {
                for task in &mut changed.tasks {
                    task.lane = task.lane.as_str().to_lowercase().parse().unwrap();
                }
            }
            _ => {}
        }
        self.inner.commit(&changed).await
    }

    async fn refuse_more_names(&self, commit: &Commit) -> Result<(), BackendError> {
        let Some(write) = &commit.account else { return Ok(()) };
        let after = write.after();
        let taken = match &after.user_name {
            Some(name) if self.has(Fault::KeepsOldNames) => {
                let holder = self.memo().names.get(&(commit.tenant.clone(), name.key().to_owned())).copied();
                holder.is_some_and(|id| id != after.id)
            }
            None if self.has(Fault::NoNameIsAName) => {
                let all = self.all(&commit.tenant).await?;
                all.iter().any(|other| other.user_name.is_none() && other.id != after.id)
            }
            _ => false,
        };
        if taken {
            Err(BackendError::new(ErrorKind::AlreadyExists(Taken::UserName), "faulty"))
        } else {
            Ok(())
        }
    }

    /// The faults of what an account is written over.
    async fn write_account(&self, commit: &Commit) -> Result<(), BackendError> {
        let Some(write) = &commit.account else { return self.inner.commit(commit).await };
        let after = write.after();
        let stored = self.inner.get(&commit.tenant, after.id).await?;
        let elsewhere = self.everybody().await?.into_iter().find(|other| other.id == after.id);
        let elsewhere = elsewhere.filter(|other| other.tenant != commit.tenant);
        match (self.fault, write.expected(), stored) {
            (Fault::IgnoresUpdates, Some(_), Some(_)) => Ok(()),
            (Fault::IgnoresVersions, Some(_), Some(stored))
            | (Fault::CreateOverwrites, None, Some(stored)) => {
                self.inner.commit(&on_top_of(commit, &stored)).await
            }
            (Fault::Upserts, Some(_), None) => {
                let account = Some(AccountWrite::create(after.clone()));
                self.inner.commit(&Commit { account, ..commit.clone() }).await
            }
            (Fault::UpdateForgetsTenant, Some(_), None) => match elsewhere {
                Some(other) => {
                    let stolen = Account { tenant: other.tenant.clone(), ..after.clone() };
                    self.inner.commit(&over(&other, stolen)).await
                }
                None => self.inner.commit(commit).await,
            },
            (Fault::IdsForgetTenant, None, _) if elsewhere.is_some() => {
                Err(BackendError::new(ErrorKind::AlreadyExists(Taken::Account), "faulty"))
            }
            _ => self.inner.commit(commit).await,
        }
    }

    /// The faults of accepting what must be refused.
    async fn write_and_forgive(&self, commit: &Commit) -> Result<(), BackendError> {
        let answer = self.inner.commit(commit).await;
        match self.fault {
            Fault::SkipsTakenIdentity if is(&answer, &ErrorKind::AlreadyExists(Taken::Identity)) => {
                self.inner.commit(&rewrite(commit, |after| after.identities.clear())).await
            }
            Fault::SkipsTakenName if is(&answer, &ErrorKind::AlreadyExists(Taken::UserName)) => {
                self.inner.commit(&rewrite(commit, |after| after.user_name = None)).await
            }
            Fault::SkipsTakenTask if is(&answer, &ErrorKind::AlreadyExists(Taken::Task)) => {
                self.inner.commit(&Commit { tasks: Vec::new(), ..commit.clone() }).await
            }
            Fault::AcceptsOverflow
                if commit
                    .counters
                    .iter()
                    .all(|change| change.at_least.is_none() && change.at_most.is_none()) =>
            {
                Ok(())
            }
            Fault::AcceptsRepetition if self.memo().accepted.contains(commit) => Ok(()),
            Fault::NamesFirstCounter => {
                answer.map_err(|error| match (error.kind(), commit.counters.first()) {
                    (ErrorKind::LimitReached(_), Some(first)) => {
                        BackendError::new(ErrorKind::LimitReached(first.name.clone()), "faulty")
                    }
                    _ => error,
                })
            }
            _ => answer,
        }
    }
}

fn merge_twins(commit: &mut Commit) {
    let withdrawn: BTreeSet<_> = commit.withdrawn.drain(..).collect();
    let mut met = BTreeSet::new();
    commit.tasks.retain(|task| !withdrawn.contains(&task.id) && met.insert(task.id.as_uuid()));
    commit.events.retain(|event| met.insert(event.id.as_uuid()));
    commit.counters.dedup_by(|a, b| a.name == b.name);
    commit.withdrawn.extend(withdrawn);
    *commit = rewrite(commit, |after| after.identities.dedup_by(|a, b| a.key == b.key));
}

fn skip_foreign(commit: &mut Commit) {
    let tenant = commit.tenant.clone();
    commit.tasks.retain(|task| task.tenant == tenant);
    commit.events.retain(|event| event.tenant == tenant);
    if commit.account.as_ref().is_some_and(|write| write.after().tenant != tenant) {
        commit.account = None;
    }
    *commit = rewrite(commit, |after| after.identities.retain(|identity| identity.key.tenant == tenant));
}
