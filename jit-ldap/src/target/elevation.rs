//! Groups of people whose accounts existed before. Nothing of such an account itself is ever changed.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use jit_core::{
    BackendError, Effect, ErrorKind, Holdings, Marker, RemoteEntitlement, RemoteRef, TargetFault,
    UnattendedEnd,
};
use tokio::time::Instant;

use super::accounts::{Accounts, unseen, work_of_person};
use super::dialect::Dialect;
use super::fault::Step;
use super::lent::{Place, missing};
use super::members;
use super::table::Member;
use super::timed::{self, Given, Joined, ServerClock};
use crate::attribute::AttributeName;
use crate::connection::Connection;
use crate::dn::Dn;
use crate::entry::Entry;
use crate::error::LdapError;
use crate::identifier::EntryId;
use crate::pool::Loan;
use crate::reason::Reason;
use crate::request::{Scope, Search};

/// An account that somebody else made.
pub(super) struct Person {
    pub(super) id: EntryId,
    pub(super) dn: Dn,
}

/// What was found under a reference.
pub(super) enum Found {
    Nothing,
    /// It bears what may be a marker of ours; some directories let people write that themselves.
    Made(Person),
    Person(Person),
}

/// What putting somebody into a group came to.
struct Put {
    /// Whether they were not in it.
    is_new: bool,
    /// For how long the server said that they are; who was put in without an end, or was in it then, may be there for good.
    for_a_time: Option<Given>,
}

impl Put {
    const fn of(is_new: bool) -> Self {
        Self { is_new, for_a_time: None }
    }
}

impl<D: Dialect> Accounts<D> {
    pub(super) fn elevation(&self) -> Option<UnattendedEnd> {
        let is_timed = self.dialect.ends_memberships();
        let end = if is_timed { UnattendedEnd::ServerDropsMembership } else { UnattendedEnd::LibraryOnly };
        self.table.people.is_some().then_some(end)
    }

    pub(super) async fn holdings(
        &self,
        remote: &RemoteRef,
        asked: &BTreeSet<RemoteEntitlement>,
    ) -> Result<Holdings, BackendError> {
        let begun = Instant::now();
        match self.holdings_at_one(remote, asked).await {
            Err(error) if self.is_worth_another_look(&error, &work_of_person(remote), begun).await => {
                self.holdings_at_one(remote, asked).await
            }
            outcome => outcome,
        }
    }

    async fn holdings_at_one(
        &self,
        remote: &RemoteRef,
        asked: &BTreeSet<RemoteEntitlement>,
    ) -> Result<Holdings, BackendError> {
        for entitlement in asked.iter().filter(|asked| is_by_name(asked)) {
            self.group_of(entitlement)?;
        }
        let mut loan = self.lend_for_person(remote).await?;
        let person = match self.find_person(&mut loan, remote).await? {
            Found::Nothing if loan.is_substitute() => return Err(unseen()),
            Found::Nothing if remote.native.is_none() => return Ok(Holdings::Missing),
            Found::Nothing => {
                self.check_person_gone(&mut loan, remote, asked.iter()).await?;
                return Ok(Holdings::Missing);
            }
            Found::Made(_) if remote.native.is_none() => return Ok(Holdings::Made),
            Found::Made(person) | Found::Person(person) => person,
        };
        let (held, lacks) = self.held_of(&mut loan, asked, &person).await?;
        // what it has not heard of would count as lent, and be taken; nor does it prove that something did not come back
        if loan.is_substitute() && !lacks.is_empty() {
            return Err(unseen());
        }
        Ok(Holdings::Found { native: person.id.to_string(), held, lacks })
    }

    /// What of this a person holds, and what not, each with what it is called for good.
    async fn held_of(
        &self,
        loan: &mut Loan,
        asked: &BTreeSet<RemoteEntitlement>,
        person: &Person,
    ) -> Result<(BTreeSet<RemoteEntitlement>, BTreeSet<RemoteEntitlement>), BackendError> {
        let (mut known, mut places, mut lacks) = (Vec::new(), Vec::new(), BTreeSet::new());
        for asked in asked {
            let place = if is_by_name(asked) {
                Some(self.place_of(loan, asked).await?)
            } else {
                self.seek(loan, asked).await?.place
            };
            match place {
                Some(place) => {
                    known.push(place.known(asked));
                    places.push(place);
                }
                None => drop(lacks.insert(asked.clone())),
            }
        }
        let are_held = self.held_among(loan, &places, &self.named_in_searches(person)).await;
        let are_held = are_held.map_err(|error| Step::Look.failed(error))?;
        let mut held = BTreeSet::new();
        for (known, is_held) in known.into_iter().zip(are_held) {
            (if is_held { &mut held } else { &mut lacks }).insert(known);
        }
        Ok((held, lacks))
    }

    /// The group that a name stands for now. What is not there is refused before anything is written down of it: kept by its
    /// name alone, whatever is made under that later would count as lent.
    async fn place_of(&self, loan: &mut Loan, asked: &RemoteEntitlement) -> Result<Place, BackendError> {
        match self.place_at(loan, &self.group_of(asked)?.dn).await? {
            Some(place) => Ok(place),
            None if loan.is_substitute() => Err(unseen()),
            None => Err(missing()),
        }
    }

    pub(super) async fn hold(
        &self,
        remote: &RemoteRef,
        give: &BTreeMap<RemoteEntitlement, DateTime<Utc>>,
        take: &BTreeSet<RemoteEntitlement>,
    ) -> Result<Effect, BackendError> {
        let ready = self.make_ready_to_hold(remote, give).await;
        let (mut loan, found) = ready.map_err(BackendError::having_done_nothing)?;
        let person = match found {
            Found::Nothing if loan.is_substitute() => return Err(unseen().having_done_nothing()),
            Found::Nothing => {
                let id = remote.native.as_ref().and_then(|native| native.parse().ok());
                if let (true, true, Some(id)) = (self.dialect.names_members_for_good(), give.is_empty(), id) {
                    return self.take_unfound(&mut loan, remote, take, id).await;
                }
                // one that was struck from the table may still name them
                self.check_person_gone(&mut loan, remote, give.keys().chain(take)).await?;
                return Ok(Effect::Absent { was_there: false });
            }
            Found::Made(_) if !give.is_empty() => return Ok(Effect::NotOurs),
            Found::Made(person) | Found::Person(person) => person,
        };
        // what was lent is taken wherever the account went
        if !give.is_empty() && !self.is_person_of_ours(&person.dn) {
            return Err(Step::Groups.refused(TargetFault::Place).having_done_nothing());
        }
        let mut places = Vec::new();
        for wanted in give.keys() {
            let place = self.place_to_give(&mut loan, wanted).await;
            places.push((wanted, place.map_err(BackendError::having_done_nothing)?));
        }
        let (taken, repointed) = match self.take_all(&mut loan, remote, take, &person).await {
            Ok(taken) => taken,
            Err(kept) => return kept,
        };
        let (mut given, mut told) = (BTreeSet::new(), BTreeMap::new());
        let clock = self.clock_of(&mut loan, give).await?;
        for (wanted, place) in places {
            let stays = clock.zip(give.get(wanted)).map(|(clock, end)| clock.until(*end));
            let put = self.put_in(&mut loan, remote, &place, (&person, stays)).await;
            let is_first = given.is_empty() && told.is_empty() && take.is_empty();
            let put = put.map_err(|error| if is_first { error } else { error.possibly_having_acted() })?;
            if put.is_new {
                given.insert(wanted.clone());
            }
            let stay = clock.zip(put.for_a_time).zip(give.get(wanted));
            let end = stay.and_then(|((clock, given), end)| clock.end_of(&given, *end));
            told.extend(end.map(|end| (wanted.clone(), end)));
        }
        Ok(Effect::Holding { given, taken, ends: told, repointed })
    }

    /// Finds out where work is done, whether that can be done at all, and whom it is about. Nothing is changed.
    async fn make_ready_to_hold(
        &self,
        remote: &RemoteRef,
        give: &BTreeMap<RemoteEntitlement, DateTime<Utc>>,
    ) -> Result<(Loan, Found), BackendError> {
        let groups = give.keys().map(|wanted| self.group_of(wanted)).collect::<Result<Vec<_>, _>>()?;
        let mut loan = self.lend_for_person(remote).await?;
        self.dialect.check(&mut loan, &self.table.base, &groups).await?;
        let found = self.find_person(&mut loan, remote).await?;
        Ok((loan, found))
    }

    /// The server's own time, where it is to end what is given.
    async fn clock_of(
        &self,
        connection: &mut Connection,
        ends: &BTreeMap<RemoteEntitlement, DateTime<Utc>>,
    ) -> Result<Option<ServerClock>, BackendError> {
        if ends.is_empty() || !self.dialect.ends_memberships() {
            return Ok(None);
        }
        let clock = timed::server_time(connection).await;
        clock.map(Some).map_err(|error| Step::Look.failed(error))
    }

    async fn lend_for_person(&self, remote: &RemoteRef) -> Result<Loan, BackendError> {
        self.lend_for(&work_of_person(remote)).await
    }

    /// Puts the person into the group, for so many seconds where the server ends it; they may have been in it.
    async fn put_in(
        &self,
        connection: &mut Connection,
        remote: &RemoteRef,
        group: &Place,
        (person, stays): (&Person, Option<u32>),
    ) -> Result<Put, BackendError> {
        let failed = |error: LdapError| Step::Groups.failed(error);
        if let Some(seconds) = stays {
            return self.put_in_for(connection, remote, group, (person, seconds)).await;
        }
        let member = self.named_in_changes(person);
        let name = self.reach(group).map_err(failed)?;
        let joined = members::join(connection, &name, &member).await;
        let joined = joined.map_err(|error| Step::Groups.failed_whole(error))?;
        if !joined || self.dialect.names_members_for_good() {
            return Ok(Put::of(joined));
        }
        // renamed since it was found: the name that was put in is nobody's, or will be somebody else's
        let is_same = matches!(
            self.find_person(connection, remote).await?,
            Found::Person(now) if now.dn == person.dn
        );
        if is_same {
            return Ok(Put::of(true));
        }
        members::leave(connection, &name, &member).await.map_err(failed)?;
        Err(Step::Groups.refused(TargetFault::Unreachable))
    }

    /// The same where the server takes them out again, which it is told by their name: no identifier of a member is known to be
    /// taken there.
    async fn put_in_for(
        &self,
        connection: &mut Connection,
        remote: &RemoteRef,
        group: &Place,
        (person, seconds): (&Person, u32),
    ) -> Result<Put, BackendError> {
        let failed = |error: LdapError| Step::Groups.failed(error);
        let group = self.reach(group).map_err(failed)?;
        let given = timed::join(connection, &group, &person.dn, seconds).await.map_err(failed)?;
        let now = match self.find_person(connection, remote).await? {
            Found::Person(now) if now.dn == person.dn => {
                let is_new = matches!(given.joined, Joined::Newly);
                return Ok(Put { is_new, for_a_time: Some(given) });
            }
            Found::Person(now) | Found::Made(now) => Some(now.dn),
            Found::Nothing => None,
        };
        // renamed before or after it: whoever bears the old name has what was given, or the person has
        for name in std::iter::once(&person.dn).chain(&now) {
            timed::take_back(connection, &group, name, &given).await.map_err(failed)?;
        }
        Err(Step::Groups.refused(TargetFault::Unreachable))
    }

    pub(super) async fn find_person(
        &self,
        connection: &mut Connection,
        remote: &RemoteRef,
    ) -> Result<Found, BackendError> {
        let Some(people) = &self.table.people else { return Err(Step::Look.refused(TargetFault::Forbidden)) };
        let entry = match &remote.native {
            Some(native) => self.person_by_id(connection, people, native).await?,
            None => self.person_by_name(connection, people, &remote.name).await?,
        };
        let Some(entry) = entry else { return Ok(Found::Nothing) };
        let mut values = self.table.markers().flat_map(|name| entry.values(name).unwrap_or_default());
        let is_made = values.any(|value| value.starts_with(Marker::PREFIX.as_bytes()));
        let failed = |reason: Reason| Step::Look.failed(reason);
        let id = entry.id(self.dialect.id()).map_err(failed)?;
        let person = Person { id, dn: entry.dn().map_err(failed)? };
        Ok(if is_made { Found::Made(person) } else { Found::Person(person) })
    }

    /// Where people are, and then wherever an administrator may have moved them.
    async fn person_by_id(
        &self,
        connection: &mut Connection,
        people: &Dn,
        native: &str,
    ) -> Result<Option<Entry>, BackendError> {
        let id: EntryId = native.parse().map_err(|reason: Reason| {
            BackendError::new(ErrorKind::Corrupt, "directory.look").caused_by(reason)
        })?;
        let failed = |error: LdapError| Step::Look.failed(error);
        let search = |base: &Dn| self.dialect.by_id(base, id).attributes(self.known_by());
        if let Some(entry) = connection.read(&search(people)).await.map_err(failed)? {
            return Ok(Some(entry));
        }
        if self.dialect.names_members_for_good() {
            return Ok(None);
        }
        let features = connection.features().await.map_err(failed)?;
        for context in features.naming_contexts() {
            if let Some(entry) = connection.read(&search(&context)).await.map_err(failed)? {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    /// The one person of this very name: directories fold letters that look alike, and give groups names as well.
    async fn person_by_name(
        &self,
        connection: &mut Connection,
        people: &Dn,
        name: &str,
    ) -> Result<Option<Entry>, BackendError> {
        if name.trim() != name || name.chars().any(char::is_control) {
            return Err(Step::Look.refused(TargetFault::Name));
        }
        let (_, filter) = self.dialect.by_login(people, name).map_err(|reason| Step::Look.failed(reason))?;
        let mut wanted = self.known_by();
        wanted.extend([self.dialect.login().clone(), AttributeName::OBJECT_CLASS]);
        let search = Search::new(people, Scope::Subtree, filter).attributes(wanted);
        let entry = match connection.read(&search).await {
            Err(error) if error.reason() == Reason::NotUnique => {
                return Err(Step::Look.refused(TargetFault::Name));
            }
            found => found.map_err(|error| Step::Look.failed(error))?,
        };
        Ok(entry.filter(|entry| self.is_person(entry, name)))
    }

    fn is_person(&self, entry: &Entry, name: &str) -> bool {
        let bears = |value: &Vec<u8>, text: &str| {
            std::str::from_utf8(value).is_ok_and(|value| value.to_lowercase() == text.to_lowercase())
        };
        let logins = entry.values(self.dialect.login()).unwrap_or_default();
        let classes = entry.values(&AttributeName::OBJECT_CLASS).unwrap_or_default();
        let is_a = |class: &str| classes.iter().any(|value| bears(value, class));
        // a computer of Active Directory is a user as well
        logins.iter().any(|value| bears(value, name)) && is_a(self.dialect.class()) && !is_a("computer")
    }

    fn is_person_of_ours(&self, dn: &Dn) -> bool {
        self.table.people.as_ref().is_some_and(|people| dn.is_within(people))
    }

    fn known_by(&self) -> Vec<AttributeName> {
        std::iter::once(self.dialect.id().name()).chain(self.table.markers().cloned()).collect()
    }

    fn named_in_searches(&self, person: &Person) -> Member {
        self.table.membership.of(&person.dn, "")
    }

    pub(super) fn named_in_changes(&self, person: &Person) -> Member {
        let mut member = self.named_in_searches(person);
        if self.dialect.names_members_for_good() {
            member.value = crate::identifier::EntryName::Guid(person.id).to_string();
        }
        member
    }
}

/// Tells whether nothing is known of it but what the table calls it.
const fn is_by_name(asked: &RemoteEntitlement) -> bool {
    asked.native.is_none() && asked.at.is_none()
}
