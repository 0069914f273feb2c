//! The suite of [`Target`]: what the engine relies on when it makes and removes what is not its own system.

pub mod checks;

use std::{any::Any, fmt, future::Future, sync::Arc};

use chrono::TimeDelta;

use super::{Failure, Running, run_on};
use crate::{
    BackendError, Clock as _, Desired, DesiredState, Effect, Entropy as _, Listed, Listing, MarkerKey, Mint,
    Observed, RemoteRef, Secret, SecretRules, SystemClock, SystemEntropy, Target, TenantId,
    lease::remote_name,
};

/// Holds a target with what the checks need to know of it. Servers may be shared: names are random, and what a check makes
/// it removes.
pub struct Rig {
    target: Arc<dyn Target>,
    place: Option<String>,
    entitlements: Vec<String>,
    elsewhere: Option<Arc<dyn Target>>,
    kept: Vec<Box<dyn Any + Send + Sync>>,
}

impl Rig {
    /// Takes a target.
    #[must_use]
    pub fn new(target: Arc<dyn Target>) -> Self {
        Self { target, place: None, entitlements: Vec::new(), elsewhere: None, kept: Vec::new() }
    }

    /// Names the place to make accounts in.
    #[must_use]
    pub fn in_place(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// Names entitlements that exist there: two or more, where the target lends them to accounts that existed before.
    #[must_use]
    pub fn with(mut self, entitlements: Vec<String>) -> Self {
        self.entitlements = entitlements;
        self
    }

    /// Adds the same system with other settings: the name of the first entitlement stands for the second one, and the name of
    /// the second for nothing. Every target needs it that lends to accounts that existed before.
    #[must_use]
    pub fn pointed_elsewhere(mut self, target: Arc<dyn Target>) -> Self {
        self.elsewhere = Some(target);
        self
    }

    /// Keeps something, such as a server that stops when dropped, for as long as the target.
    #[must_use]
    pub fn keeping(mut self, guard: impl Any + Send + Sync) -> Self {
        self.kept.push(Box::new(guard));
        self
    }

    /// A remote account of nobody so far.
    pub(super) fn fresh(&self) -> Result<RemoteRef, Failure> {
        let tenant = TenantId::new("conformance")?;
        let (mut seed, mut key) = ([0; 16], [0; 32]);
        SystemEntropy.fill(&mut seed)?;
        SystemEntropy.fill(&mut key)?;
        let lease = Mint::new(SystemClock.now(), seed).account();
        let marker = MarkerKey::new("conformance", &key)?.mark(&tenant, lease);
        let name = remote_name("jit-", &tenant, lease, 0);
        Ok(RemoteRef { name, place: self.place.clone(), marker, native: None, home: None })
    }

    /// Another one, whose name is the same.
    pub(super) fn rival(&self, of: &RemoteRef) -> Result<RemoteRef, Failure> {
        Ok(RemoteRef { name: of.name.clone(), ..self.fresh()? })
    }

    pub(super) fn secret() -> Result<Secret, Failure> {
        Ok(SecretRules::default().draw(&SystemEntropy)?)
    }

    pub(super) fn desired(&self, remote: &RemoteRef, secret: Option<Secret>) -> Desired {
        let ends_at = SystemClock.now() + TimeDelta::hours(1);
        let state = DesiredState::Present { entitlements: self.entitlements.clone(), secret, ends_at };
        Desired { remote: remote.clone(), state }
    }

    /// Makes one, and returns it with its id.
    pub(super) async fn made(&self) -> Result<RemoteRef, Failure> {
        let remote = self.fresh()?;
        let native = native_of(self.make(&remote).await?)?;
        Ok(RemoteRef { native: Some(native), ..remote })
    }

    pub(super) async fn make(&self, remote: &RemoteRef) -> Result<Effect, Failure> {
        Ok(self.target.ensure(&self.desired(remote, Some(Self::secret()?))).await?)
    }

    pub(super) async fn ensure(
        &self,
        remote: &RemoteRef,
        state: DesiredState,
    ) -> Result<Effect, BackendError> {
        self.target.ensure(&Desired { remote: remote.clone(), state }).await
    }

    pub(super) async fn observe(&self, remote: &RemoteRef) -> Result<Observed, BackendError> {
        self.target.observe(remote).await
    }

    /// What a whole listing names.
    pub(super) async fn listed(&self) -> Result<Vec<Listed>, Failure> {
        let (mut all, mut cursor) = (Vec::new(), None);
        for _ in 0..PAGES {
            match self.target.list(cursor.take()).await? {
                Listing::More(page, next) => {
                    all.extend(page);
                    cursor = Some(next);
                }
                Listing::Complete(page) => {
                    all.extend(page);
                    return Ok(all);
                }
                Listing::Partial(_, why) => {
                    return Err(Failure::new(format!("the listing is partial: {why}")));
                }
            }
        }
        Err(Failure::new("the listing does not come to an end"))
    }
}

const PAGES: usize = 10_000;

impl fmt::Debug for Rig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rig").field("place", &self.place).finish_non_exhaustive()
    }
}

pub(super) fn native_of(effect: Effect) -> Result<String, Failure> {
    match effect {
        Effect::Present { native, .. } => Ok(native),
        other => Err(Failure::new(format!("not made: {other:?}"))),
    }
}

/// Describes one check of a target.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// What must hold, as a sentence with underscores.
    pub name: &'static str,
    /// Runs the check.
    pub run: for<'a> fn(&'a Rig) -> Running<'a>,
}

/// Runs a check against a target on a runtime of its own. The macro calls it.
///
/// # Errors
/// [`Failure`] when the check fails, or hangs.
pub fn run(
    rig: impl Future<Output = Rig>,
    check: impl for<'a> FnOnce(&'a Rig) -> Running<'a>,
) -> Result<(), Failure> {
    run_on(async {
        let rig = rig.await;
        check(&rig).await
    })
}

/// Names the checks of `target!`.
#[doc(hidden)]
#[macro_export]
macro_rules! __jit_target_checks {
    ($with:ident $($rest:tt)*) => {
        $crate::$with! {
            { $($rest)* }
            what_is_made_twice_is_one
            many_who_make_it_at_once_make_one
            without_a_secret_nothing_is_made
            without_a_secret_what_is_there_is_kept
            a_name_that_another_bears_is_left_to_them
            removing_by_name_leaves_another_alone
            removing_by_id_needs_our_marker
            disabling_by_id_needs_our_marker
            changing_by_id_needs_our_marker
            what_another_made_is_foreign
            what_is_removed_is_gone
            removing_what_is_not_there_is_no_error
            what_was_never_made_is_missing
            what_is_disabled_is_there_and_out_of_use
            without_a_secret_what_is_shut_stays_shut
            disabling_what_is_not_there_is_no_error
            what_is_disabled_can_be_removed
            an_id_is_not_given_again
            what_is_removed_leaves_its_name_nothing
            what_came_late_is_found_by_its_name
            who_ends_what_is_made_is_told_with_it
            a_listing_names_what_is_there_with_its_marker_and_id
            a_listing_tells_nothing_that_is_not_so
            what_was_made_for_a_time_is_not_elevated
            what_was_given_is_taken_where_it_was_given
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __jit_target_tests {
    ({ $rig:expr } $($check:ident)*) => {
        $(
            #[test]
            fn $check() -> ::core::result::Result<(), $crate::conformance::Failure> {
                $crate::conformance::target::run($rig, |rig| {
                    ::std::boxed::Box::pin($crate::conformance::target::checks::$check(rig))
                })
            }
        )*
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __jit_target_slice {
    ({} $($check:ident)*) => {
        &[$(
            $crate::conformance::target::Check {
                name: stringify!($check),
                run: |rig| ::std::boxed::Box::pin($crate::conformance::target::checks::$check(rig)),
            },
        )*]
    };
}

/// Tests that a target does as [`Target`](crate::Target) says: `target!(open())`, where `open()` makes a
/// [`Rig`](crate::conformance::target::Rig).
#[doc(hidden)]
#[macro_export]
macro_rules! __jit_target {
    ($rig:expr $(,)?) => {
        $crate::__jit_target_checks! { __jit_target_tests $rig }
    };
}

const CHECKS: &[Check] = crate::__jit_target_checks! { __jit_target_slice };

/// Lists every check.
pub fn all_checks() -> impl Iterator<Item = Check> {
    CHECKS.iter().copied()
}
