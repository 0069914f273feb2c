//! The life of an account of the target: looked for, made, adopted, changed, put out of use, removed.

use std::borrow::Cow;

use http::Method;
use jit_core::{Code, Effect, Marker, Mirrored, Observed, RemoteRef};

use super::change::Written;
use super::failure::Failure;
use super::find::Finder;
use super::groups::Groups;
use super::learned::Learned;
use super::person::{Difference, Person, Wish, id_of};
use super::profile::{Adoption, Removal, TargetProfile, WhenLost};
use super::reason::TargetReason;
use super::wire::{Ask, Call, Wire};

/// How often is looked again where an account changes between a look and a change.
const ATTEMPTS: usize = 4;

/// The accounts of one target.
#[derive(Debug)]
pub(super) struct People {
    pub(super) wire: Wire,
    pub(super) profile: TargetProfile,
    pub(super) groups: Groups,
    /// The target said that it has no PATCH.
    pub(super) lacks_patch: Learned,
}

/// What was found of an account.
pub(super) enum Seen {
    /// It bears our marker.
    Ours(Person),
    /// The known id is that of an account that bears another marker or none.
    NotOurs,
    /// Nothing. `lost`: though an id is known.
    Nothing { lost: bool },
}

/// What a name that is taken comes to.
pub(super) enum Taken {
    /// By ourselves: an answer was lost, or somebody asked for the same.
    Ours(Person),
    /// By somebody who may be adopted.
    Adoptable(Person),
    /// By somebody else.
    Stranger,
    /// By nobody who can be seen.
    Unseen,
}

impl People {
    pub(super) const fn finder(&self) -> Finder<'_> {
        Finder { wire: &self.wire, profile: &self.profile }
    }

    /// Looks for an account: by its id where one is known; else, or where it is gone, by our marker.
    pub(super) async fn look(&self, call: &mut Call, remote: &RemoteRef) -> Result<Seen, Failure> {
        if let Some(id) = &remote.native
            && let Some(person) = self.finder().by_id(call, id).await?
        {
            return Ok(if person.is_marked(&remote.marker) { Seen::Ours(person) } else { Seen::NotOurs });
        }
        let found = match self.finder().by_marker(call, &remote.marker).await? {
            None if !self.profile.finds_marker => {
                let named = self.finder().by_name(call, &remote.name).await?;
                named.filter(|person| person.is_marked(&remote.marker))
            }
            found => found,
        };
        Ok(found.map_or(Seen::Nothing { lost: remote.native.is_some() }, Seen::Ours))
    }

    pub(super) async fn mirror(&self, remote: &RemoteRef, wanted: &Mirrored) -> Result<Effect, Failure> {
        let (mut call, wish) = (self.wire.call(), Wish::of(wanted, &remote.marker, &self.profile)?);
        for _ in 0..ATTEMPTS {
            let person = match self.look(&mut call, remote).await? {
                Seen::Ours(person) => person,
                Seen::NotOurs => return Ok(Effect::NotOurs),
                Seen::Nothing { lost: true } if self.profile.hides_inactive && !wanted.active => {
                    return Ok(hidden(remote, wanted));
                }
                Seen::Nothing { .. } if !wanted.active => return Ok(Effect::Absent { was_there: false }),
                Seen::Nothing { lost: true } if self.profile.when_lost == WhenLost::Hold => {
                    return Ok(Effect::Stuck(Code::new(TargetReason::AccountLost.code())));
                }
                Seen::Nothing { .. } => match self.make(&mut call, remote, &wish).await? {
                    Taken::Ours(person) => person,
                    Taken::Adoptable(person) => match self.adopt(&mut call, remote, &person, &wish).await? {
                        Some(person) => {
                            // what was confirmed was of another account, where one was lost
                            let wanted = known(&person, remote, wanted);
                            return self.furnish(&mut call, &person, &wanted, true).await;
                        }
                        None => continue,
                    },
                    Taken::Stranger => return Ok(Effect::Stranger),
                    Taken::Unseen => return Err(TargetReason::TakenUnseen.into()),
                },
            };
            let wanted = known(&person, remote, wanted);
            let difference = wish.open(&person, &wanted);
            if person.active && !wanted.active && !difference.is_of_use_only() {
                // Nothing else that the target may refuse stands in the way of an end.
                if let Err(failure) =
                    self.write(&mut call, &person, &Difference::of_use(false, &person)).await
                {
                    return Err(self.shut_out(&mut call, &person, &wanted, failure).await);
                }
                continue;
            }
            match self.write(&mut call, &person, &difference).await {
                Ok(Written::Done(_)) => return self.furnish(&mut call, &person, &wanted, false).await,
                Ok(Written::Changed) => {}
                Err(failure) => return Err(self.shut_out(&mut call, &person, &wanted, failure).await),
            }
        }
        Err(TargetReason::ChangedMeanwhile.into())
    }

    /// Makes an account ours by writing our marker; `None` where it changed meanwhile.
    async fn adopt(
        &self,
        call: &mut Call,
        remote: &RemoteRef,
        person: &Person,
        wish: &Wish,
    ) -> Result<Option<Person>, Failure> {
        match self.write(call, person, &wish.differences(person)).await? {
            Written::Done(after) => self.proved(call, &person.id, after, &remote.marker).await.map(Some),
            Written::Changed => Ok(None),
        }
    }

    /// Makes an account. It was looked for before: this may be the second time.
    async fn make(&self, call: &mut Call, remote: &RemoteRef, wish: &Wish) -> Result<Taken, Failure> {
        wish.check_required(&self.profile)?;
        let ask = Ask::new(Method::POST, "Users".to_owned()).body(wish.new_person());
        let answer = self.wire.send(call, &ask).await?;
        if answer.is_taken() {
            return self.taken(call, remote).await;
        }
        if !answer.is_done() {
            return Err(answer.refusal());
        }
        let made = match answer.json {
            Some(json) if id_of(&json).is_some() => Person::read(json, &self.profile)?,
            // some answer with nothing
            _ => match self.look(call, &RemoteRef { native: None, ..remote.clone() }).await? {
                Seen::Ours(person) => person,
                _ => return Err(TargetReason::MarkerDropped.into()),
            },
        };
        // some answer with whoever has the name already
        if made.marker.is_some() && !made.is_marked(&remote.marker) {
            return Ok(Taken::Stranger);
        }
        let id = made.id.clone();
        self.proved(call, &id, Some(made), &remote.marker).await.map(Taken::Ours)
    }

    /// Makes sure that the marker stands where it was written: without it nothing could ever be removed again.
    async fn proved(
        &self,
        call: &mut Call,
        id: &str,
        answered: Option<Person>,
        marker: &Marker,
    ) -> Result<Person, Failure> {
        if let Some(person) = answered.filter(|person| person.is_marked(marker) && person.id == id) {
            return Ok(person);
        }
        let seen = self.finder().by_id(call, id).await?;
        seen.filter(|person| person.is_marked(marker)).ok_or(TargetReason::MarkerDropped.into())
    }

    /// Finds out who has the name: by our marker first, then by exactly that name. An address is never looked for.
    pub(super) async fn taken(&self, call: &mut Call, remote: &RemoteRef) -> Result<Taken, Failure> {
        if let Some(person) = self.finder().by_marker(call, &remote.marker).await? {
            return Ok(Taken::Ours(person));
        }
        let Some(person) = self.finder().by_name(call, &remote.name).await? else { return Ok(Taken::Unseen) };
        if person.is_marked(&remote.marker) {
            return Ok(Taken::Ours(person));
        }
        let is_of_this_library =
            person.marker.as_deref().is_some_and(|marker| marker.starts_with(Marker::PREFIX));
        Ok(match self.profile.adoption {
            Adoption::Unmarked if person.marker.is_none() => Taken::Adoptable(person),
            Adoption::DangerouslyAny if !is_of_this_library => Taken::Adoptable(person),
            _ => Taken::Stranger,
        })
    }

    pub(super) async fn disable(&self, remote: &RemoteRef) -> Result<Effect, Failure> {
        let mut call = self.wire.call();
        for _ in 0..ATTEMPTS {
            let person = match self.find_ours(&mut call, remote).await? {
                Ok(person) => person,
                Err(effect) => return Ok(effect),
            };
            let difference = Difference::of_use(false, &person);
            let written = self.write(&mut call, &person, &difference).await;
            if matches!(written, Ok(Written::Changed)) {
                continue;
            }
            // What is refused of the account keeps no access alive.
            let left = self.leave_shown(&mut call, &person).await;
            return written.and(left).map(|()| Effect::Disabled);
        }
        Err(TargetReason::ChangedMeanwhile.into())
    }

    pub(super) async fn remove(&self, remote: &RemoteRef) -> Result<Effect, Failure> {
        let mut call = self.wire.call();
        for _ in 0..ATTEMPTS {
            let person = match self.find_ours(&mut call, remote).await? {
                Ok(person) => person,
                Err(effect) => return Ok(effect),
            };
            if self.is_as_good_as_gone(&person) {
                return Ok(Effect::Absent { was_there: false });
            }
            let written = if self.profile.removal == Removal::Deactivate {
                self.write(&mut call, &person, &Difference::of_use(false, &person)).await?
            } else {
                self.delete(&mut call, &person).await?
            };
            if matches!(written, Written::Done(_)) {
                return Ok(Effect::Absent { was_there: true });
            }
        }
        Err(TargetReason::ChangedMeanwhile.into())
    }

    pub(super) fn is_as_good_as_gone(&self, person: &Person) -> bool {
        self.profile.removal != Removal::Delete && !person.active
    }

    /// Finds what bears our marker: only under the id that is known, where one is.
    pub(super) async fn find_ours(
        &self,
        call: &mut Call,
        remote: &RemoteRef,
    ) -> Result<Result<Person, Effect>, Failure> {
        let Some(id) = &remote.native else {
            return Ok(match self.look(call, remote).await? {
                Seen::Ours(person) => Ok(person),
                Seen::NotOurs | Seen::Nothing { .. } => Err(Effect::Absent { was_there: false }),
            });
        };
        Ok(match self.finder().by_id(call, id).await? {
            Some(person) if person.is_marked(&remote.marker) => Ok(person),
            Some(_) => Err(Effect::NotOurs),
            None => Err(Effect::Absent { was_there: false }),
        })
    }

    pub(super) async fn observe(&self, remote: &RemoteRef) -> Result<Observed, Failure> {
        let mut call = self.wire.call();
        let seen = |person: Person| Observed::Ours { native: person.id, enabled: person.active };
        Ok(match self.find_ours(&mut call, remote).await? {
            Ok(person) => seen(person),
            Err(Effect::NotOurs) => Observed::Foreign,
            Err(_) if remote.native.is_some() => Observed::Missing,
            Err(_) => match self.finder().by_name(&mut call, &remote.name).await? {
                Some(person) if person.is_marked(&remote.marker) => seen(person),
                Some(_) => Observed::Foreign,
                None => Observed::Missing,
            },
        })
    }
}

/// What was confirmed, was of the account with the known id. Of another one nothing is known.
pub(super) fn known<'a>(person: &Person, remote: &RemoteRef, wanted: &'a Mirrored) -> Cow<'a, Mirrored> {
    let is_known = remote.native.as_ref() == Some(&person.id);
    if is_known { Cow::Borrowed(wanted) } else { Cow::Owned(anew(wanted)) }
}

fn anew(wanted: &Mirrored) -> Mirrored {
    // what it holds, it was given by a call without an answer
    let doubtful = wanted.held.union(&wanted.doubtful).cloned().collect();
    Mirrored { confirmed: None, doubtful, ..wanted.clone() }
}

/// Somebody who is out of use and so not shown is as they should be; what they hold is what it was.
fn hidden(remote: &RemoteRef, wanted: &Mirrored) -> Effect {
    Effect::Mirrored {
        native: remote.native.clone().unwrap_or_default(),
        held: wanted.held.clone(),
        ids: wanted.ids.clone(),
        // when they come back, everything is looked at anew
        confirmed: String::new(),
        adopted: false,
    }
}
