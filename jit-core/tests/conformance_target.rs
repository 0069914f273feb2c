//! The memory target passes the suite, and every check is proved able to fail: for each there is a target with one fault
//! that it catches.
#![cfg(feature = "conformance")]
#![expect(clippy::unwrap_used, reason = "helpers of tests: what is wrong there must stop the test")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use jit_core::{
    conformance::target::{Rig, all_checks, run},
    *,
};

fn open() -> Rig {
    rig(|inner| Arc::new(inner))
}

/// The same accounts behind two settings.
fn rig(open: impl Fn(MemoryTarget) -> Arc<dyn Target>) -> Rig {
    let (target, elsewhere) = pointed_elsewhere();
    Rig::new(open(target)).with(vec!["ops".into(), "staff".into()]).pointed_elsewhere(open(elsewhere))
}

fn pointed_elsewhere() -> (MemoryTarget, MemoryTarget) {
    let target = MemoryTarget::new();
    let elsewhere = target.beside();
    elsewhere.point("ops", Some("staff"));
    elsewhere.point("staff", None);
    (target, elsewhere)
}

jit_core::conformance::target!(async { open() });

/// What is wrong with a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Nothing,
    GivesANewId,
    MakesWithoutASecret,
    ForgetsWithoutASecret,
    OpensWithoutASecret,
    Adopts,
    RemovesByNameAlone,
    RemovesByIdAlone,
    DisablesByIdAlone,
    ChangesByIdAlone,
    SaysEverythingIsOurs,
    LiesAboutRemovals,
    FailsWhereNothingIs,
    SeesWhatIsNotThere,
    LeavesTheDisabledInUse,
    MakesWhatItDisables,
    KeepsTheDisabled,
    ReusesIds,
    LeavesItNamed,
    FindsNothingByName,
    PromisesAnotherEnd,
    ListsNothing,
    TellsAnotherState,
    ShowsAnotherState,
    ElevatesWhatItMade,
    TakesByName,
    LooksByName,
    TellsNoIds,
    KeepsToItselfWhatMoved,
}

/// Each with the checks that catch it.
const FAULTS: &[(Fault, &[&str])] = &[
    (Fault::GivesANewId, &["what_is_made_twice_is_one", "many_who_make_it_at_once_make_one"]),
    (Fault::MakesWithoutASecret, &["without_a_secret_nothing_is_made"]),
    (Fault::ForgetsWithoutASecret, &["without_a_secret_what_is_there_is_kept"]),
    (Fault::OpensWithoutASecret, &["without_a_secret_what_is_shut_stays_shut"]),
    (Fault::Adopts, &["a_name_that_another_bears_is_left_to_them"]),
    (Fault::RemovesByNameAlone, &["removing_by_name_leaves_another_alone"]),
    (Fault::RemovesByIdAlone, &["removing_by_id_needs_our_marker"]),
    (Fault::DisablesByIdAlone, &["disabling_by_id_needs_our_marker"]),
    (Fault::ChangesByIdAlone, &["changing_by_id_needs_our_marker"]),
    (Fault::SaysEverythingIsOurs, &["what_another_made_is_foreign"]),
    (Fault::LiesAboutRemovals, &["what_is_removed_is_gone"]),
    (Fault::FailsWhereNothingIs, &["removing_what_is_not_there_is_no_error"]),
    (Fault::SeesWhatIsNotThere, &["what_was_never_made_is_missing"]),
    (Fault::LeavesTheDisabledInUse, &["what_is_disabled_is_there_and_out_of_use"]),
    (Fault::MakesWhatItDisables, &["disabling_what_is_not_there_is_no_error"]),
    (Fault::KeepsTheDisabled, &["what_is_disabled_can_be_removed"]),
    (Fault::ReusesIds, &["an_id_is_not_given_again"]),
    (Fault::LeavesItNamed, &["what_is_removed_leaves_its_name_nothing"]),
    (Fault::FindsNothingByName, &["what_came_late_is_found_by_its_name"]),
    (Fault::PromisesAnotherEnd, &["who_ends_what_is_made_is_told_with_it"]),
    (Fault::ListsNothing, &["a_listing_names_what_is_there_with_its_marker_and_id"]),
    (Fault::TellsAnotherState, &["a_listing_tells_nothing_that_is_not_so"]),
    (Fault::ShowsAnotherState, &["a_listing_tells_nothing_that_is_not_so"]),
    (Fault::ElevatesWhatItMade, &["what_was_made_for_a_time_is_not_elevated"]),
    (Fault::TakesByName, &["what_was_given_is_taken_where_it_was_given"]),
    (Fault::LooksByName, &["what_was_given_is_taken_where_it_was_given"]),
    (Fault::TellsNoIds, &["what_was_given_is_taken_where_it_was_given"]),
    (Fault::KeepsToItselfWhatMoved, &["what_was_given_is_taken_where_it_was_given"]),
];

struct Faulty {
    inner: MemoryTarget,
    fault: Fault,
    calls: AtomicU64,
    /// Whom entitlements name though they are gone.
    named: Mutex<BTreeMap<String, Vec<String>>>,
}

impl Faulty {
    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    /// The reference as the account that is there has it, whosever it is.
    fn as_theirs(&self, remote: &RemoteRef) -> RemoteRef {
        let accounts = self.inner.accounts();
        let found = accounts.into_iter().find(|(name, account)| match &remote.native {
            Some(native) => account.native == *native,
            None => *name == remote.name,
        });
        let theirs = found.and_then(|(name, account)| Some((name, account.marker?)));
        theirs.map_or(remote.clone(), |(name, marker)| RemoteRef { name, marker, ..remote.clone() })
    }

    fn is_there(&self, remote: &RemoteRef) -> bool {
        self.inner.accounts().contains_key(&remote.name)
    }

    /// Lets a call through that ought to be refused, as far as the fault goes.
    fn bent(&self, desired: &Desired) -> Desired {
        let by_id = desired.remote.native.is_some();
        let overlooks = match &desired.state {
            DesiredState::Present { .. } if by_id => self.has(Fault::ChangesByIdAlone),
            DesiredState::Present { .. } => self.has(Fault::Adopts),
            DesiredState::Disabled => by_id && self.has(Fault::DisablesByIdAlone),
            DesiredState::Absent { .. } if by_id => self.has(Fault::RemovesByIdAlone),
            DesiredState::Absent { .. } => self.has(Fault::RemovesByNameAlone),
            DesiredState::Holding { .. } | DesiredState::Mirrored(_) => false,
        };
        let remote = if overlooks { self.as_theirs(&desired.remote) } else { desired.remote.clone() };
        Desired { remote, state: desired.state.clone() }
    }

    async fn make(&self, remote: &RemoteRef, ends_at: chrono::DateTime<chrono::Utc>) -> Effect {
        let secret = SecretRules::default().draw(&SystemEntropy).unwrap();
        let state = DesiredState::Present { entitlements: Vec::new(), secret: Some(secret), ends_at };
        self.inner.ensure(&Desired { remote: remote.clone(), state }).await.unwrap()
    }

    /// Forgets nobody who is removed, as groups do that do not follow their members.
    fn name_still(&self, desired: &Desired) {
        if self.has(Fault::LeavesItNamed) && matches!(desired.state, DesiredState::Absent { .. }) {
            let held = self.inner.accounts().remove(&desired.remote.name).map(|account| account.entitlements);
            self.named.lock().unwrap().extend(held.map(|held| (desired.remote.name.clone(), held)));
        }
    }

    /// What is told of what was done.
    fn told(&self, effect: Effect) -> Effect {
        let turn = self.calls.fetch_add(1, Ordering::SeqCst);
        match effect {
            Effect::Present { end, .. } if self.has(Fault::GivesANewId) => {
                Effect::Present { native: format!("id-{turn}x"), end }
            }
            Effect::Present { end, .. } if self.has(Fault::ReusesIds) => {
                Effect::Present { native: "id-1".into(), end }
            }
            Effect::Present { native, .. } if self.has(Fault::PromisesAnotherEnd) => {
                Effect::Present { native, end: UnattendedEnd::ServerDeletes }
            }
            Effect::Holding { given, taken, ends, .. } if self.has(Fault::KeepsToItselfWhatMoved) => {
                Effect::Holding { given, taken, ends, repointed: BTreeSet::new() }
            }
            effect => effect,
        }
    }
}

#[async_trait]
impl Target for Faulty {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn home(&self, remote: &RemoteRef) -> Result<Option<String>, BackendError> {
        self.inner.home(remote).await
    }

    async fn ensure(&self, desired: &Desired) -> Result<Effect, BackendError> {
        let desired = self.bent(desired);
        self.name_still(&desired);
        let (remote, there) = (&desired.remote, self.is_there(&desired.remote));
        match &desired.state {
            DesiredState::Present { secret: None, ends_at, .. } => {
                if self.has(Fault::MakesWithoutASecret) && !there {
                    return Ok(self.make(remote, *ends_at).await);
                }
                if self.has(Fault::OpensWithoutASecret) && there {
                    return Ok(self.make(remote, *ends_at).await);
                }
                if self.has(Fault::ForgetsWithoutASecret) {
                    self.inner.take_out(&remote.name);
                }
            }
            DesiredState::Disabled => {
                if self.has(Fault::LeavesTheDisabledInUse) && there {
                    return Ok(Effect::Disabled);
                }
                if self.has(Fault::MakesWhatItDisables) && !there {
                    self.make(remote, SystemClock.now()).await;
                }
            }
            DesiredState::Absent { .. } => {
                if self.has(Fault::LiesAboutRemovals) {
                    return Ok(Effect::Absent { was_there: true });
                }
                if self.has(Fault::FailsWhereNothingIs) && !there {
                    return Err(BackendError::new(ErrorKind::Target(TargetFault::Protocol), "faulty"));
                }
                let is_disabled = self.inner.accounts().get(&remote.name).is_some_and(|it| !it.enabled);
                if self.has(Fault::KeepsTheDisabled) && is_disabled {
                    return Ok(Effect::Stuck(Code::new("target.faulty")));
                }
            }
            DesiredState::Holding { .. } if self.has(Fault::ElevatesWhatItMade) => {
                return Ok(Effect::Holding {
                    given: BTreeSet::new(),
                    taken: BTreeSet::new(),
                    ends: BTreeMap::new(),
                    repointed: BTreeSet::new(),
                });
            }
            DesiredState::Holding { give, take } if self.has(Fault::TakesByName) => {
                let state = DesiredState::Holding { give: give.clone(), take: by_name(take) };
                let effect = self.inner.ensure(&Desired { remote: remote.clone(), state }).await?;
                return Ok(match effect {
                    Effect::Holding { given, ends, .. } => {
                        Effect::Holding { given, taken: take.clone(), ends, repointed: take.clone() }
                    }
                    other => other,
                });
            }
            _ => {}
        }
        let effect = self.inner.ensure(&desired).await?;
        for entitlement in self.named.lock().unwrap().get(&remote.name).into_iter().flatten() {
            self.inner.join(&remote.name, entitlement);
        }
        Ok(self.told(effect))
    }

    async fn observe(&self, remote: &RemoteRef) -> Result<Observed, BackendError> {
        let native = || remote.native.clone().unwrap_or_default();
        if self.has(Fault::SeesWhatIsNotThere) && !self.is_there(remote) {
            return Ok(Observed::Ours { native: native(), enabled: true });
        }
        if self.has(Fault::SaysEverythingIsOurs) && self.is_there(remote) {
            return Ok(Observed::Ours { native: native(), enabled: true });
        }
        if self.has(Fault::FindsNothingByName) && remote.native.is_none() {
            return Ok(Observed::Missing);
        }
        self.inner.observe(remote).await
    }

    async fn holdings(
        &self,
        remote: &RemoteRef,
        asked: &BTreeSet<RemoteEntitlement>,
    ) -> Result<Holdings, BackendError> {
        if self.has(Fault::LooksByName) {
            return self.inner.holdings(remote, &by_name(asked)).await;
        }
        Ok(match self.inner.holdings(remote, asked).await? {
            Holdings::Found { native, held, lacks } if self.has(Fault::TellsNoIds) => {
                Holdings::Found { native, held: by_name(&held), lacks: by_name(&lacks) }
            }
            holdings => holdings,
        })
    }

    async fn show(&self, remote: &RemoteRef) -> Result<Option<Listed>, BackendError> {
        let shown = self.inner.show(remote).await?;
        let is_bent = self.has(Fault::ShowsAnotherState);
        Ok(shown.map(|one| if is_bent { Listed { end: ShownEnd::Never, ..one } } else { one }))
    }

    async fn differs(&self, remote: &RemoteRef, wanted: &Mirrored) -> Result<Drift, BackendError> {
        self.inner.differs(remote, wanted).await
    }

    async fn list(&self, cursor: Option<ListCursor>) -> Result<Listing, BackendError> {
        if self.has(Fault::ListsNothing) {
            return Ok(Listing::Complete(Vec::new()));
        }
        match self.inner.list(cursor).await? {
            Listing::Complete(all) if self.has(Fault::TellsAnotherState) => {
                let endless = all.into_iter().map(|one| Listed { end: ShownEnd::Never, ..one });
                Ok(Listing::Complete(endless.collect()))
            }
            listing => Ok(listing),
        }
    }
}

/// As if nobody knew what the names stood for.
fn by_name(entitlements: &BTreeSet<RemoteEntitlement>) -> BTreeSet<RemoteEntitlement> {
    entitlements.iter().map(|entitlement| RemoteEntitlement::named(&entitlement.name)).collect()
}

fn passes(fault: Fault, name: &str) -> bool {
    let check = all_checks().find(|check| check.name == name).unwrap();
    let rig =
        rig(|inner| Arc::new(Faulty { inner, fault, calls: AtomicU64::new(0), named: Mutex::default() }));
    run(async { rig }, check.run).is_ok()
}

#[test]
fn every_fault_is_caught_by_its_checks() {
    let all = FAULTS.iter().flat_map(|(fault, checks)| checks.iter().map(move |name| (*fault, *name)));
    let missed: Vec<_> = all.filter(|(fault, name)| passes(*fault, name)).collect();
    assert!(missed.is_empty(), "{missed:?}");
}

#[test]
fn every_check_catches_some_fault() {
    let proved: BTreeSet<&str> = FAULTS.iter().flat_map(|(_, checks)| *checks).copied().collect();
    let unproved: Vec<_> =
        all_checks().map(|check| check.name).filter(|name| !proved.contains(name)).collect();
    assert!(unproved.is_empty(), "{unproved:?}");
}

#[test]
fn without_a_fault_every_check_passes() {
    let failed: Vec<_> =
        all_checks().map(|check| check.name).filter(|name| !passes(Fault::Nothing, name)).collect();
    assert!(failed.is_empty(), "{failed:?}");
}

/// A target that takes by name would pass, if nobody pointed a name elsewhere.
#[test]
fn a_rig_that_does_not_let_a_check_look_fails_it() {
    let check =
        all_checks().find(|check| check.name == "what_was_given_is_taken_where_it_was_given").unwrap();
    let (target, elsewhere) = pointed_elsewhere();
    let (target, elsewhere) = (Arc::new(target), Arc::new(elsewhere));
    for rig in [
        Rig::new(target.clone()).with(vec!["ops".into(), "staff".into()]),
        Rig::new(target.clone()).with(vec!["ops".into()]).pointed_elsewhere(elsewhere.clone()),
        Rig::new(target).pointed_elsewhere(elsewhere),
    ] {
        assert!(run(async { rig }, check.run).is_err());
    }
}
