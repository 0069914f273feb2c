//! The groups of an account: left by what was given, and joined by name.

use std::collections::{BTreeMap, BTreeSet};

use jit_core::{Effect, Mirrored};

use super::failure::Failure;
use super::memberships::{Leave, Memberships};
use super::people::People;
use super::person::{Person, digest};
use super::wire::Call;

/// What was at fault with single groups while others were changed.
#[derive(Default)]
struct AtFault(Option<Failure>);

impl AtFault {
    /// Keeps what stands in the way of no other group; `None` where it was.
    fn pass<T>(&mut self, result: Result<T, Failure>) -> Result<Option<T>, Failure> {
        match result {
            Err(failure) if failure.reason.is_of_one_group() => {
                self.0 = Some(failure.after(self.0.take()));
                Ok(None)
            }
            other => other.map(Some),
        }
    }

    /// What is told at the end, or where the call could not go on.
    fn end(self, result: Result<(), Failure>) -> Result<(), Failure> {
        match result {
            Err(last) => Err(last.unless(self.0)),
            Ok(()) => self.0.map_or(Ok(()), Err),
        }
    }
}

/// The ids of the groups of an account, by name.
struct Ids<'a> {
    /// As the ledger had them.
    before: &'a BTreeMap<String, String>,
    /// What may have been joined since.
    asked: BTreeMap<String, String>,
    /// What the account holds.
    now: BTreeMap<String, String>,
    /// The names under which the ledger has what was left since.
    left: BTreeSet<String>,
}

impl<'a> Ids<'a> {
    const fn after(before: &'a BTreeMap<String, String>) -> Self {
        Self { before, asked: BTreeMap::new(), now: BTreeMap::new(), left: BTreeSet::new() }
    }

    /// What is to be known after a failure. A name has one id: what was not left yet comes first.
    fn in_doubt(mut self) -> BTreeMap<String, String> {
        self.asked.append(&mut self.now);
        self.asked.retain(|name, _| self.left.contains(name) || !self.before.contains_key(name));
        self.asked
    }
}

impl People {
    /// Which groups to join and to leave. What the account holds is what it shows, where the target shows that with names;
    /// else what was confirmed last.
    pub(super) fn memberships(&self, person: &Person, wanted: &Mirrored) -> Memberships {
        let shown: Option<Vec<_>> = if self.profile.shows_groups {
            person.groups().into_iter().map(|(id, name)| Some((id, name?))).collect()
        } else {
            None
        };
        Memberships::of(wanted, shown.as_deref())
    }

    /// Groups come after people, and those to leave before those to join. A failure tells the ids of what may have been joined.
    pub(super) async fn furnish(
        &self,
        call: &mut Call,
        person: &Person,
        wanted: &Mirrored,
        adopted: bool,
    ) -> Result<Effect, Failure> {
        let memberships = self.memberships(person, wanted);
        let mut ids = Ids::after(&wanted.ids);
        if let Err(failure) = self.change_groups(call, person, &memberships, &mut ids).await {
            return Err(failure.knowing(ids.in_doubt()));
        }
        let (native, held, ids) = (person.id.clone(), wanted.entitlements.clone(), ids.now);
        Ok(Effect::Mirrored { native, held, ids, confirmed: digest(wanted), adopted })
    }

    async fn change_groups(
        &self,
        call: &mut Call,
        person: &Person,
        memberships: &Memberships,
        ids: &mut Ids<'_>,
    ) -> Result<(), Failure> {
        let mut stays = memberships.stays();
        if memberships.leaves.iter().any(|leave| leave.id.is_some()) {
            // what is to be joined under a new name is not left before; what fails here fails again below
            let joins: Vec<_> = memberships.joins.iter().collect();
            stays.extend(self.find_all(call, &joins).await.into_iter().map(|(_, id)| id));
        }
        let mut at_fault = AtFault::default();
        let changed = self.change_in_order(call, person, memberships, (&stays, ids), &mut at_fault).await;
        at_fault.end(changed)
    }

    async fn change_in_order(
        &self,
        call: &mut Call,
        person: &Person,
        memberships: &Memberships,
        (stays, ids): (&BTreeSet<String>, &mut Ids<'_>),
        at_fault: &mut AtFault,
    ) -> Result<(), Failure> {
        self.leave_all(call, person, &memberships.leaves, stays, at_fault).await?;
        self.join_all(call, person, memberships, ids, at_fault).await?;
        self.leave_former(call, person, ids, at_fault).await
    }

    /// Takes an account that failed out of the groups that it is to leave: what is refused of it keeps no access alive.
    /// Whatever comes of that, what was said of the account itself is what is told.
    pub(super) async fn shut_out(
        &self,
        call: &mut Call,
        person: &Person,
        wanted: &Mirrored,
        failure: Failure,
    ) -> Failure {
        let memberships = self.memberships(person, wanted);
        let (stays, mut at_fault) = (memberships.stays(), AtFault::default());
        // a group that is left later is left with the next attempt
        let _left = self.leave_all(call, person, &memberships.leaves, &stays, &mut at_fault).await;
        failure
    }

    /// Goes through all, beginning with another one each minute: where the first ones take all the time of a call, the next
    /// attempt does not begin with them again.
    fn in_turn<'a, T>(&self, all: &'a [T]) -> impl Iterator<Item = &'a T> + use<'a, T> {
        let minute = usize::try_from(self.finder().wire.now().timestamp() / 60).unwrap_or(0);
        let (behind, first) = all.split_at(minute.checked_rem(all.len()).unwrap_or(0));
        first.iter().chain(behind)
    }

    /// Whether half the time of a call is gone after something was at fault. What comes later in its order must not wait for
    /// good for what takes all the time: the call fails anyway, and comes again.
    fn is_late(&self, call: &Call, at_fault: &AtFault) -> bool {
        at_fault.0.is_some() && self.finder().wire.is_half_over(call)
    }

    /// Finds the ids of groups, as far as the target looks for them: where one look-up takes all the time of an answer, the
    /// next would as well.
    async fn find_all<'a>(&self, call: &mut Call, names: &[&'a String]) -> Vec<(&'a String, String)> {
        let mut found = Vec::new();
        for name in self.in_turn(names) {
            match self.groups.find(self.finder(), call, name).await {
                Ok(id) => found.extend(id.map(|id| (*name, id))),
                Err(failure) if failure.reason.is_said_of_one_group() => {}
                Err(_) => break,
            }
        }
        found
    }

    /// Leaves one group after the other, but for those that it stays in. A change by an id is quick where look-ups are not: what
    /// is left by its name comes behind, unless too much time goes by.
    async fn leave_all(
        &self,
        call: &mut Call,
        person: &Person,
        leaves: &[Leave],
        stays: &BTreeSet<String>,
        at_fault: &mut AtFault,
    ) -> Result<(), Failure> {
        let (mut turn, mut named) = (self.in_turn(leaves), Vec::new());
        loop {
            for leave in turn.by_ref() {
                named.extend(self.leave_by_id(call, person, leave, stays, at_fault).await?);
                if !named.is_empty() && self.is_late(call, at_fault) {
                    break;
                }
            }
            if named.is_empty() {
                return Ok(());
            }
            for (name, left) in named.drain(..) {
                let done = self.groups.leave_named(self.finder(), call, name, &person.id, &left).await;
                at_fault.pass(done)?;
            }
        }
    }

    /// Leaves a group by its id, where that is known. Tells its name where that is to be left as well, and the ids that are not.
    async fn leave_by_id<'a>(
        &self,
        call: &mut Call,
        person: &Person,
        leave: &'a Leave,
        stays: &BTreeSet<String>,
        at_fault: &mut AtFault,
    ) -> Result<Option<(&'a str, BTreeSet<String>)>, Failure> {
        let (mut left, mut by_name) = (None, leave.by_name);
        if let Some(id) = leave.id.as_ref().filter(|id| !stays.contains(*id)) {
            let done = self.groups.leave(self.finder(), call, id, &person.id).await;
            // one that is gone may have been made anew under the same name
            by_name |= at_fault.pass(done)? == Some(false);
            left = Some(id.clone());
        }
        Ok(by_name.then(|| (leave.name.as_str(), stays.iter().cloned().chain(left).collect())))
    }

    /// Joins what is missing, and notes the ids of all that the account holds from then on.
    async fn join_all(
        &self,
        call: &mut Call,
        person: &Person,
        memberships: &Memberships,
        ids: &mut Ids<'_>,
        at_fault: &mut AtFault,
    ) -> Result<(), Failure> {
        let kept = memberships.kept.iter();
        ids.now.extend(kept.clone().filter_map(|(name, id)| Some((name.clone(), id.clone()?))));
        let joins: Vec<_> = memberships.joins.iter().collect();
        for name in self.in_turn(&joins) {
            let joined = self.groups.join(self.finder(), call, name, &person.id, &mut ids.asked).await;
            ids.now.extend(at_fault.pass(joined)?.map(|id| ((*name).clone(), id)));
            if self.is_late(call, at_fault) {
                self.leave_former(call, person, ids, at_fault).await?;
            }
        }
        let unknown: Vec<_> = kept.filter(|(_, id)| id.is_none()).map(|(name, _)| name).collect();
        // nobody has to know them now
        let found = self.find_all(call, &unknown).await;
        ids.now.extend(found.into_iter().map(|(name, id)| (name.clone(), id)));
        Ok(())
    }

    /// Leaves the groups that bore these names before, and that others bear now.
    async fn leave_former(
        &self,
        call: &mut Call,
        person: &Person,
        ids: &mut Ids<'_>,
        at_fault: &mut AtFault,
    ) -> Result<(), Failure> {
        let Ids { before, now, left, .. } = ids;
        for (name, id) in *before {
            let is_another = now.get(name).is_some_and(|now| now != id) && !left.contains(name);
            if is_another && !now.values().any(|now| now == id) {
                let done = self.groups.leave(self.finder(), call, id, &person.id).await;
                left.extend(at_fault.pass(done)?.map(|_| name.clone()));
            }
        }
        Ok(())
    }

    /// Takes the account out of the groups that it shows.
    pub(super) async fn leave_shown(&self, call: &mut Call, person: &Person) -> Result<(), Failure> {
        let groups = if self.profile.shows_groups { person.groups() } else { Vec::new() };
        let (mut at_fault, mut result) = (AtFault::default(), Ok(()));
        for (group, _) in self.in_turn(&groups) {
            let left = self.groups.leave(self.finder(), call, group, &person.id).await;
            result = at_fault.pass(left).map(drop);
            if result.is_err() {
                break;
            }
        }
        at_fault.end(result)
    }
}
