//! Who is in a group, for changes that are about all of it: read in pieces, once for a request where nothing changed, and not
//! without end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jit_core::{Document, DocumentId, DocumentKey, Member, MemberChange};

use super::fault;
use super::find::{Pace, give_way};
use super::served::Served;
use super::service::Turn;
use super::settings::Reach;
use crate::effort::Effort;
use crate::error::ScimError;
use crate::filter::Filter;
use crate::reason::Reason;
use crate::resource::Value;
use crate::resource::read::{Purpose, Reader};
use crate::schema::ResourceType;
use crate::tolerance::Tolerance;

/// How many looks the filters of one change may take.
const LOOKS: usize = 1_000_000;
/// How many members are looked up until others have a turn.
const AT_ONCE: usize = 500;

/// Everybody in a group.
pub(super) type Everybody = BTreeMap<DocumentId, Member>;

/// Who in a group fulfils a filter.
pub(super) type Fitting = BTreeSet<DocumentId>;

/// What the changes of one request have read of groups, and what they may read and look at yet.
pub(super) struct Rolls {
    state: Mutex<State>,
}

struct State {
    members_left: usize,
    looks_left: usize,
    last: Option<Roll>,
    /// Groups of more members than were left to read.
    too_large: BTreeSet<DocumentKey>,
    /// Whether somebody else changed a group that was read: that reading came to nothing.
    is_overtaken: bool,
}

/// Who was in a group when it had this version.
struct Roll {
    group: DocumentKey,
    version: u64,
    everybody: Arc<Everybody>,
    /// Whom the last filter found.
    fitting: Option<(Filter, Arc<Fitting>)>,
}

impl Rolls {
    pub(super) const fn new(reach: &Reach) -> Self {
        Self {
            state: Mutex::new(State {
                members_left: reach.members_read,
                looks_left: reach.looks,
                last: None,
                too_large: BTreeSet::new(),
                is_overtaken: false,
            }),
        }
    }

    /// Lends what one change may look at.
    pub(super) fn lend(&self) -> Effort {
        Effort::new(self.state().looks_left.min(LOOKS))
    }

    /// Takes what was not needed back.
    pub(super) fn settle(&self, lent: usize, effort: &Effort) {
        let mut state = self.state();
        state.looks_left = state.looks_left.saturating_sub(lent.saturating_sub(effort.left()));
    }

    /// Tells whether everybody in the group was read.
    pub(super) fn knows(&self, group: &Document) -> bool {
        self.state().last.as_ref().is_some_and(|roll| roll.is_of(group))
    }

    /// Follows what was written on top of a version: nobody else has changed the group in between.
    pub(super) fn follow(&self, before: &Document, changes: &[MemberChange]) {
        let mut state = self.state();
        let Some(roll) = state.last.as_mut().filter(|roll| roll.is_of(before)) else { return };
        let everybody = Arc::make_mut(&mut roll.everybody);
        for change in changes {
            match change {
                MemberChange::Add { member, kind, body } => {
                    let new = || Member { id: *member, kind: kind.clone(), body: Arc::clone(body) };
                    everybody.entry(*member).or_insert_with(new);
                }
                MemberChange::Remove { member } => drop(everybody.remove(member)),
                MemberChange::Clear => everybody.clear(),
            }
        }
        roll.version = roll.version.saturating_add(1);
        roll.fitting = None;
    }

    /// Notes that others changed a group beside a change for which it was read.
    pub(super) fn overtaken(&self) {
        self.state().is_overtaken = true;
    }

    /// Says why a change is refused. Where others overtook one, what it read is taken from what may be read: whoever sends it
    /// again may read all of that.
    pub(super) fn why(&self, error: ScimError) -> ScimError {
        let is_spent = error.reason() == Reason::PatchTooMuchWork && self.state().is_overtaken;
        if is_spent { Reason::Contended.into() } else { error }
    }

    /// Tells how many members of a group may be read.
    fn left_for(&self, group: &Document) -> Result<usize, ScimError> {
        let state = self.state();
        if state.too_large.contains(&group.key) {
            return Err(too_much());
        }
        Ok(state.members_left)
    }

    /// Takes half of what was left for a group that has more members: others may be small, and all such looks together read no
    /// more than twice of it. That group is not read again.
    fn refuse_too_large(&self, group: &Document) -> ScimError {
        let mut state = self.state();
        state.members_left /= 2;
        state.too_large.insert(group.key.clone());
        too_much()
    }

    fn everybody(&self, group: &Document) -> Option<Arc<Everybody>> {
        let state = self.state();
        state.last.as_ref().filter(|roll| roll.is_of(group)).map(|roll| Arc::clone(&roll.everybody))
    }

    fn fitting(&self, group: &Document, filter: &Filter) -> Option<Arc<Fitting>> {
        let state = self.state();
        let (known, fitting) = state.last.as_ref().filter(|roll| roll.is_of(group))?.fitting.as_ref()?;
        (known == filter).then(|| Arc::clone(fitting))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Roll {
    fn is_of(&self, group: &Document) -> bool {
        self.group == group.key && self.version == group.version
    }
}

impl Turn<'_> {
    /// Reads everybody in a group.
    pub(super) async fn everybody_in(
        &self,
        rolls: &Rolls,
        group: &Document,
    ) -> Result<Arc<Everybody>, ScimError> {
        if let Some(everybody) = rolls.everybody(group) {
            return Ok(everybody);
        }
        let left = rolls.left_for(group)?;
        let read = self.members_of(&group.key, left).await;
        let read = read.map_err(|error| match error.reason() {
            Reason::TooManyFound => rolls.refuse_too_large(group),
            _ => error,
        })?;
        let everybody: Everybody = read.into_iter().map(|member| (member.id, member)).collect();
        let everybody = Arc::new(everybody);
        let mut state = rolls.state();
        state.members_left = left.saturating_sub(everybody.len());
        state.last = Some(Roll {
            group: group.key.clone(),
            version: group.version,
            everybody: Arc::clone(&everybody),
            fitting: None,
        });
        drop(state);
        Ok(everybody)
    }

    /// Finds who in a group fulfils a filter: of those whom it names, if it names any, and else of everybody.
    pub(super) async fn fitting_in(
        &self,
        (rolls, group): (&Rolls, &Document),
        (kind, filter): (&ResourceType, &Filter),
        effort: &mut Effort,
    ) -> Result<Arc<Fitting>, ScimError> {
        if let Some(named) = filter.keys("value") {
            let named: BTreeSet<_> = named.into_iter().filter_map(Served::id).collect();
            let mut members = Vec::with_capacity(named.len());
            for (number, id) in named.into_iter().enumerate() {
                if number % AT_ONCE == AT_ONCE - 1 {
                    give_way().await;
                }
                let member = self.service.store.member(&group.key, id).await;
                members.extend(member.map_err(|error| fault::of_store(&error))?);
            }
            return self.sift_members(members.iter(), (kind, filter), effort).await;
        }
        if let Some(fitting) = rolls.fitting(group, filter) {
            return Ok(fitting);
        }
        let everybody = self.everybody_in(rolls, group).await?;
        let fitting = self.sift_members(everybody.values(), (kind, filter), effort).await?;
        if let Some(roll) = rolls.state().last.as_mut().filter(|roll| roll.is_of(group)) {
            roll.fitting = Some((filter.clone(), Arc::clone(&fitting)));
        }
        Ok(fitting)
    }

    async fn sift_members<'m>(
        &self,
        members: impl Iterator<Item = &'m Member> + Send,
        (kind, filter): (&ResourceType, &Filter),
        effort: &mut Effort,
    ) -> Result<Arc<Fitting>, ScimError> {
        let (mut fitting, mut pace) = (Fitting::new(), Pace::new(effort));
        for member in members {
            if let Some(value) = self.value_of(kind, member)
                && fits(filter, &value, effort)?
            {
                fitting.insert(member.id);
            }
            pace.keep(effort).await;
        }
        Ok(Arc::new(fitting))
    }

    /// Reads a member as filters look at it.
    fn value_of(&self, kind: &ResourceType, member: &Member) -> Option<Value> {
        let attribute = kind.attribute(&kind.resolve("members")?)?;
        let reader = Reader { purpose: Purpose::Stored, tolerance: Tolerance::strict() };
        reader.element(attribute, &self.member_json(member)).ok()?
    }
}

fn too_much() -> ScimError {
    ScimError::at_attribute(Reason::PatchTooMuchWork, "members")
}

/// Tells whether a member fulfils a filter.
pub(super) fn fits(filter: &Filter, value: &Value, effort: &mut Effort) -> Result<bool, ScimError> {
    filter.holds_for(value, effort).map_err(|_| Reason::PatchTooMuchWork.into())
}
