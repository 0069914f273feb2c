//! The target itself: an address, a profile, and the port.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;
use jit_core::{
    BackendError, Capabilities, Clock, Desired, DesiredState, Differences, Drift, Effect, Holdings,
    ListCursor, Listed, Listing, Mirrored, Observed, RemoteEntitlement, RemoteRef, Target, UnattendedEnd,
};

use super::credentials::Credentials;
use super::failure::Failure;
use super::groups::Groups;
use super::learned::Learned;
use super::listing;
use super::memberships::Memberships;
use super::people::{People, Seen, Taken, known};
use super::person::{Difference, Wish};
use super::planned::{Planned, PlannedStep};
use super::profile::{ProfileError, TargetProfile, WhenLost};
use super::reason::TargetReason;
use super::transport::Transport;
use super::wire::Wire;

/// Keeps accounts of a system that speaks SCIM 2.0 (RFC 7643, RFC 7644) as they are here.
///
/// An account there is ours if it bears our marker, by default as `externalId`. Nothing else is changed, put out of use or
/// removed. Every call may be repeated after any failure: what a lost answer left behind is found by its marker.
#[derive(Debug)]
pub struct ScimTarget {
    people: People,
}

impl ScimTarget {
    /// Describes a target by the address that its endpoints lie below, such as `https://app.example.com/scim/v2`. Nothing is
    /// asked yet.
    ///
    /// # Errors
    /// [`ProfileError`] that names the first unsound setting; its code is `scim.profile_invalid`.
    pub fn new(
        base: &str,
        credentials: Arc<dyn Credentials>,
        profile: TargetProfile,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ProfileError> {
        if let Some(error) = profile.problems().next() {
            return Err(error);
        }
        let wire = Wire::new(base, &profile, credentials, transport, clock)?;
        let people = People { wire, profile, groups: Groups::default(), lacks_patch: Learned::default() };
        Ok(Self { people })
    }

    /// Tells what [`Target::ensure`] would do now. The target is asked, and nothing is written.
    ///
    /// # Errors
    /// `target.…`.
    pub async fn plan(&self, desired: &Desired) -> Result<Planned, BackendError> {
        let planned = match &desired.state {
            DesiredState::Mirrored(wanted) => self.plan_mirror(&desired.remote, wanted).await,
            DesiredState::Disabled => self.plan_end(&desired.remote, PlannedStep::Disable).await,
            DesiredState::Absent { .. } => self.plan_end(&desired.remote, PlannedStep::Remove).await,
            DesiredState::Present { .. } | DesiredState::Holding { .. } => {
                Err(TargetReason::NotAMirror.into())
            }
        };
        planned.map_err(|failure| failure.during("application.plan"))
    }

    async fn plan_mirror(&self, remote: &RemoteRef, wanted: &Mirrored) -> Result<Planned, Failure> {
        let people = &self.people;
        let (mut call, wish) = (people.wire.call(), Wish::of(wanted, &remote.marker, &people.profile)?);
        let (step, person) = match people.look(&mut call, remote).await? {
            Seen::Ours(person) => (PlannedStep::Change, person),
            Seen::NotOurs => return Ok(Planned::step(PlannedStep::NotOurs)),
            Seen::Nothing { lost: true } if people.profile.hides_inactive && !wanted.active => {
                return Ok(Planned::step(PlannedStep::Nothing));
            }
            Seen::Nothing { .. } if !wanted.active => return Ok(Planned::step(PlannedStep::Nothing)),
            Seen::Nothing { lost: true } if people.profile.when_lost == WhenLost::Hold => {
                return Ok(Planned::step(PlannedStep::Lost));
            }
            Seen::Nothing { .. } => match people.taken(&mut call, remote).await? {
                Taken::Ours(person) => (PlannedStep::Change, person),
                Taken::Adoptable(person) => (PlannedStep::Adopt, person),
                Taken::Stranger => return Ok(Planned::step(PlannedStep::Stranger)),
                Taken::Unseen => {
                    wish.check_required(&people.profile)?;
                    let joins = wanted.entitlements.clone();
                    return Ok(Planned { joins, ..Planned::step(PlannedStep::Make) });
                }
            },
        };
        let wanted = known(&person, remote, wanted);
        let difference = wish.open(&person, &wanted);
        let Memberships { joins, leaves, .. } = people.memberships(&person, &wanted);
        let leaves: BTreeSet<_> = leaves.into_iter().map(|leave| leave.name).collect();
        let is_nothing = difference.is_empty() && joins.is_empty() && leaves.is_empty();
        let step = if is_nothing { PlannedStep::Nothing } else { step };
        Ok(Planned { step, writes: writes(&difference), joins, leaves })
    }

    /// What a look shows of an account, whatever was confirmed: what others changed since is no less changed.
    async fn drift(&self, remote: &RemoteRef, wanted: &Mirrored) -> Result<Drift, Failure> {
        let people = &self.people;
        let (mut call, wish) = (people.wire.call(), Wish::of(wanted, &remote.marker, &people.profile)?);
        let person = match people.look(&mut call, remote).await? {
            Seen::Ours(person) => person,
            Seen::NotOurs => return Ok(Drift::Foreign),
            Seen::Nothing { .. } if !wanted.active => return Ok(Drift::Nothing),
            Seen::Nothing { .. } => return Ok(Drift::Missing),
        };
        let wanted = known(&person, remote, wanted);
        let in_use = person.active && !wanted.active;
        let mut writes = writes(&wish.differences(&person));
        if in_use {
            writes.remove("active");
        }
        // where the application does not show them, they are as they were confirmed
        let shows = people.profile.shows_groups && wanted.confirmed.is_some();
        let Memberships { joins, leaves, .. } = people.memberships(&person, &wanted);
        let holds = leaves.into_iter().filter(|_| shows).map(|leave| leave.name).collect();
        let lacks = if shows { joins } else { BTreeSet::new() };
        let differences = Differences { writes, lacks, holds, in_use };
        Ok(if differences == Differences::default() { Drift::Nothing } else { Drift::Differs(differences) })
    }

    async fn plan_end(&self, remote: &RemoteRef, step: PlannedStep) -> Result<Planned, Failure> {
        let people = &self.people;
        let person = match people.find_ours(&mut people.wire.call(), remote).await? {
            Ok(person) => person,
            Err(Effect::NotOurs) => return Ok(Planned::step(PlannedStep::NotOurs)),
            Err(_) => return Ok(Planned::step(PlannedStep::Nothing)),
        };
        if step == PlannedStep::Remove {
            let is_gone = people.is_as_good_as_gone(&person);
            return Ok(Planned::step(if is_gone { PlannedStep::Nothing } else { step }));
        }
        let groups = if people.profile.shows_groups { person.groups() } else { Vec::new() };
        let leaves: BTreeSet<_> = groups.into_iter().map(|(id, name)| name.unwrap_or(id)).collect();
        let difference = Difference::of_use(false, &person);
        let is_nothing = difference.is_empty() && leaves.is_empty();
        let step = if is_nothing { PlannedStep::Nothing } else { step };
        Ok(Planned { leaves, writes: writes(&difference), ..Planned::step(step) })
    }
}

fn writes(difference: &Difference) -> BTreeSet<String> {
    let active = difference.active.map(|_| "active");
    difference.paths().chain(active).map(str::to_owned).collect()
}

#[async_trait]
impl Target for ScimTarget {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            // an end is nothing that SCIM knows
            end: UnattendedEnd::LibraryOnly,
            elevation: None,
            settles_after: TimeDelta::zero(),
            sessions_survive: true,
            mirrors: true,
        }
    }

    async fn home(&self, _: &RemoteRef) -> Result<Option<String>, BackendError> {
        Ok(None)
    }

    async fn ensure(&self, desired: &Desired) -> Result<Effect, BackendError> {
        let people = &self.people;
        match &desired.state {
            DesiredState::Mirrored(wanted) => people
                .mirror(&desired.remote, wanted)
                .await
                .map_err(|failure| failure.during("application.mirror")),
            DesiredState::Disabled => {
                people.disable(&desired.remote).await.map_err(|failure| failure.during("application.disable"))
            }
            DesiredState::Absent { .. } => {
                people.remove(&desired.remote).await.map_err(|failure| failure.during("application.remove"))
            }
            DesiredState::Present { .. } | DesiredState::Holding { .. } => {
                Err(Failure::from(TargetReason::NotAMirror).during("application.ensure"))
            }
        }
    }

    async fn observe(&self, remote: &RemoteRef) -> Result<Observed, BackendError> {
        self.people.observe(remote).await.map_err(|failure| failure.during("application.observe"))
    }

    async fn holdings(
        &self,
        _: &RemoteRef,
        _: &BTreeSet<RemoteEntitlement>,
    ) -> Result<Holdings, BackendError> {
        Err(Failure::from(TargetReason::NotAMirror).during("application.holdings"))
    }

    async fn show(&self, remote: &RemoteRef) -> Result<Option<Listed>, BackendError> {
        Ok(match self.observe(remote).await? {
            Observed::Missing | Observed::Foreign => None,
            Observed::Ours { native, enabled } => {
                let remote = RemoteRef { native: Some(native), ..remote.clone() };
                Some(Listed { enabled: Some(enabled), ..Listed::named(remote) })
            }
        })
    }

    async fn differs(&self, remote: &RemoteRef, wanted: &Mirrored) -> Result<Drift, BackendError> {
        self.drift(remote, wanted).await.map_err(|failure| failure.during("application.differs"))
    }

    async fn list(&self, cursor: Option<ListCursor>) -> Result<Listing, BackendError> {
        listing::list(self.people.finder(), cursor)
            .await
            .map_err(|failure| failure.during("application.list"))
    }
}
