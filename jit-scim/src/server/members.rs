//! Members of groups: who comes, who goes, and whose access follows.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;

use jit_core::{AccountId, Document, DocumentId, DocumentKey, Member, MemberChange, PAGE_ITEMS};

use super::fault;
use super::find::{Pace, give_way};
use super::rolls::{Everybody, Fitting, Rolls, fits};
use super::served::{Role, Served};
use super::service::Turn;
use crate::effort::Effort;
use crate::error::ScimError;
use crate::filter::Filter;
use crate::json::Json;
use crate::patch::{Element, ElementChange};
use crate::reason::Reason;
use crate::schema::{Attribute, ResourceType};
use crate::text::comparable;

/// Up to how many members a group is small: what is about all of them is then written at once, and else piece by piece.
const FEW: usize = 500;
/// How many leave for one who stays where all are said to leave.
const FEW_STAY: usize = 4;

/// What becomes of the members of a group, and the people who are told anew.
#[derive(Default)]
pub(super) struct Membership {
    pub(super) changes: Vec<MemberChange>,
    pub(super) retell: Vec<(AccountId, DocumentKey)>,
    /// The group whose members are told anew besides, and who of them comes first: there are too many to list.
    pub(super) all_of: Option<(DocumentKey, Vec<DocumentKey>)>,
}

/// Who is a member, as far as the changes need it.
struct Roll<'a> {
    turn: Turn<'a>,
    rolls: &'a Rolls,
    group: Option<&'a Document>,
    /// Everybody, where that matters.
    everybody: Option<Arc<Everybody>>,
}

/// What changes come to: whoever is named last is a member, or is not. Nobody is in both.
#[derive(Default)]
struct Net {
    joins: BTreeMap<DocumentId, Element>,
    leaves: BTreeSet<DocumentId>,
}

impl Turn<'_> {
    /// Finds out what the changes come to. The work is as large as the change, unless all members go. Where the group has
    /// another name, the members of a large one are told piece by piece.
    pub(super) async fn membership(
        &self,
        served: &Served,
        before: Option<&Document>,
        changes: &[ElementChange],
        is_renamed: bool,
    ) -> Result<Membership, ScimError> {
        let own = Rolls::new(&self.realm.connection.reach);
        let rolls = self.rolls.unwrap_or(&own);
        let about_all = |change: &ElementChange| match change {
            ElementChange::Clear => true,
            ElementChange::RemoveWhere(filter) => filter.keys("value").is_none(),
            ElementChange::Add(_) | ElementChange::Remove(_) => false,
        };
        let everybody = match before {
            Some(group) if changes.iter().any(about_all) => Some(self.everybody_in(rolls, group).await?),
            _ => None,
        };
        let roll = Roll { turn: *self, rolls, group: before, everybody };
        let mut effort = rolls.lend();
        let lent = effort.left();
        let net = roll.net(&served.kind, changes, &mut effort).await;
        rolls.settle(lent, &effort);
        let mut membership = self.moves(&roll, net?).await?;
        if let Some(everybody) = &roll.everybody {
            membership.changes = at_once(everybody, membership.changes);
        }
        if let Some(group) = before.filter(|_| is_renamed) {
            self.tell_all(&group.key, &mut membership).await?;
        }
        Ok(membership)
    }

    /// Finds who is a member already, and who is not: those stay, or stay away.
    async fn moves(&self, roll: &Roll<'_>, net: Net) -> Result<Membership, ScimError> {
        let Net { joins, leaves } = net;
        let joins = joins.into_iter().map(|(id, element)| (id, Some(element)));
        let all: BTreeMap<_, _> = leaves.into_iter().map(|id| (id, None)).chain(joins).collect();
        let mut membership = Membership::default();
        for (number, (id, element)) in all.into_iter().enumerate() {
            if number % FEW == FEW - 1 {
                give_way().await;
            }
            let is_member = roll.member(id).await?;
            match (element, is_member) {
                (Some(element), None) => {
                    let member = self.found(id, &element).await?;
                    membership.retell.extend(self.person(&member));
                    let Member { id, kind, body } = member;
                    membership.changes.push(MemberChange::Add { member: id, kind, body });
                }
                (None, Some(member)) => {
                    membership.retell.extend(self.person(&member));
                    membership.changes.push(MemberChange::Remove { member: member.id });
                }
                (Some(_), Some(_)) | (None, None) => {}
            }
        }
        Ok(membership)
    }

    /// Finds who is told that a group goes.
    pub(super) async fn everybody(&self, served: &Served, group: &Document) -> Result<Membership, ScimError> {
        debug_assert_eq!(served.role, Role::Group);
        let mut membership = Membership::default();
        self.tell_all(&group.key, &mut membership).await?;
        Ok(membership)
    }

    /// Has everybody told who is in a group now: by name where they are few, else as all of the group. Who comes or goes
    /// meanwhile changes the group, and what is made of this is then not written.
    async fn tell_all(&self, group: &DocumentKey, membership: &mut Membership) -> Result<(), ScimError> {
        let limit = NonZeroUsize::new(FEW).unwrap_or(NonZeroUsize::MIN);
        let page = self.service.store.members(group, None, limit).await;
        let page = page.map_err(|error| fault::of_store(&error))?;
        let told: BTreeSet<_> = membership.retell.iter().map(|(_, key)| key.id).collect();
        let others = page.items.iter().filter(|member| !told.contains(&member.id));
        let others = others.filter_map(|member| self.person(member));
        if page.next.is_none() {
            membership.retell.extend(others);
        } else {
            membership.all_of = Some((group.clone(), others.map(|(_, key)| key).collect()));
        }
        Ok(())
    }

    /// Reads the members of a group, no more than `most`.
    pub(super) async fn members_of(
        &self,
        group: &DocumentKey,
        most: usize,
    ) -> Result<Vec<Member>, ScimError> {
        let mut members = Vec::new();
        let mut after = None;
        let limit = NonZeroUsize::new(PAGE_ITEMS).unwrap_or(NonZeroUsize::MIN);
        loop {
            let page = self.service.store.members(group, after, limit).await;
            let page = page.map_err(|error| fault::of_store(&error))?;
            after = page.items.last().map(|member| member.id);
            // what others ask must not wait for everybody in a large group
            give_way().await;
            members.extend(page.items);
            if members.len() > most {
                return Err(ScimError::at_attribute(Reason::TooManyFound, "members"));
            }
            if page.next.is_none() || after.is_none() {
                return Ok(members);
            }
        }
    }

    /// Writes a member as it is shown.
    pub(super) fn member_json(&self, member: &Member) -> Json {
        let id = member.id.to_string();
        let mut shown = vec![("value", Json::text(id.as_str()))];
        if let Some(served) = self.realm.served(member.kind.as_str()) {
            shown.push(("$ref", Json::text(self.location(served, &id))));
        }
        shown.push(("type", Json::text(member.kind.as_str())));
        Json::object(shown)
    }

    /// Finds the resource that is to become a member, be it a person or a group.
    async fn found(&self, id: DocumentId, element: &Element) -> Result<Member, ScimError> {
        for served in &self.realm.served {
            let said = element.kind().is_none_or(|kind| kind.eq_ignore_ascii_case(served.kind.name()));
            if served.role == Role::Plain || !said {
                continue;
            }
            let document = self.service.store.document(&served.of.key(id)).await;
            if let Some(document) = document.map_err(|error| fault::of_store(&error))? {
                return Ok(Member { id, kind: served.of.kind.clone(), body: body(document.account) });
            }
        }
        Err(ScimError::at_attribute(Reason::MemberUnknown, "members.value"))
    }

    /// Whose access follows the group, if the member is a person.
    pub(super) fn person(&self, member: &Member) -> Option<(AccountId, DocumentKey)> {
        let served = self.realm.served(member.kind.as_str())?;
        let account: String = serde_json::from_str(&member.body).ok()?;
        Some((account.parse().ok()?, served.of.key(member.id)))
    }
}

impl Roll<'_> {
    /// Brings the changes together.
    async fn net(
        &self,
        kind: &ResourceType,
        changes: &[ElementChange],
        effort: &mut Effort,
    ) -> Result<Net, ScimError> {
        let (mut net, is_exact) = (Net::default(), case_counts(kind));
        let mut asked: Vec<(&Filter, Arc<Fitting>)> = Vec::new();
        // what was before nobody was left comes to nothing
        let cleared = changes.iter().rposition(|change| *change == ElementChange::Clear);
        for change in changes.iter().skip(cleared.unwrap_or_default()) {
            match change {
                ElementChange::Add(element) => {
                    let unknown = || ScimError::at_attribute(Reason::MemberUnknown, "members.value");
                    net.join(Served::id(element.key()).ok_or_else(unknown)?, element);
                }
                // whom nobody knows is no member
                ElementChange::Remove(key) => {
                    if let Some(id) = Served::id(&comparable(key, is_exact)) {
                        net.leave(id);
                    }
                }
                ElementChange::Clear => {
                    net.leaves = self.everybody.iter().flat_map(|all| all.keys().copied()).collect();
                }
                ElementChange::RemoveWhere(filter) => {
                    let known =
                        asked.iter().find(|(own, _)| *own == filter).map(|(_, fitting)| fitting.clone());
                    let fitting = match (known, self.group) {
                        (Some(fitting), _) => fitting,
                        (None, None) => Arc::default(),
                        (None, Some(group)) => {
                            let (here, what) = ((self.rolls, group), (kind, filter));
                            let fitting = self.turn.fitting_in(here, what, effort).await?;
                            net.leaves.extend(fitting.iter().filter(|id| !net.joins.contains_key(id)));
                            asked.push((filter, Arc::clone(&fitting)));
                            fitting
                        }
                    };
                    net.leave_where(filter, &fitting, effort).await?;
                }
            }
        }
        Ok(net)
    }

    async fn member(&self, id: DocumentId) -> Result<Option<Member>, ScimError> {
        match (&self.everybody, self.group) {
            (Some(everybody), _) => Ok(everybody.get(&id).cloned()),
            (None, Some(group)) => {
                let member = self.turn.service.store.member(&group.key, id).await;
                member.map_err(|error| fault::of_store(&error))
            }
            (None, None) => Ok(None),
        }
    }
}

impl Net {
    fn join(&mut self, id: DocumentId, element: &Element) {
        self.leaves.remove(&id);
        self.joins.insert(id, element.clone());
    }

    fn leave(&mut self, id: DocumentId) {
        self.joins.remove(&id);
        self.leaves.insert(id);
    }

    /// Lets those leave again who are to join and fulfil a filter, as they are or as they are said to be.
    async fn leave_where(
        &mut self,
        filter: &Filter,
        fitting: &Fitting,
        effort: &mut Effort,
    ) -> Result<(), ScimError> {
        let (mut gone, mut pace) = (Vec::new(), Pace::new(effort));
        for (id, element) in &self.joins {
            if fits(filter, element.value(), effort)? || fitting.contains(id) {
                gone.push(*id);
            }
            pace.keep(effort).await;
        }
        for id in gone {
            self.leave(id);
        }
        Ok(())
    }
}

/// Says of nearly all who leave that nobody is left, and that the few who stay join: a change for each who leaves takes a store
/// longer than it may, where they are very many.
fn at_once(everybody: &Everybody, changes: Vec<MemberChange>) -> Vec<MemberChange> {
    let leaving: BTreeSet<_> = changes
        .iter()
        .filter_map(|change| if let MemberChange::Remove { member } = change { Some(*member) } else { None })
        .collect();
    let staying = everybody.len().saturating_sub(leaving.len());
    if leaving.is_empty() || leaving.len() / FEW_STAY < staying {
        return changes;
    }
    let stays = everybody.values().filter(|member| !leaving.contains(&member.id)).cloned();
    let stays = stays.map(|Member { id, kind, body }| MemberChange::Add { member: id, kind, body });
    let joins = changes.into_iter().filter(|change| matches!(change, MemberChange::Add { .. }));
    [MemberChange::Clear].into_iter().chain(stays).chain(joins).collect()
}

/// Tells whether the case of a member's `value` counts.
fn case_counts(kind: &ResourceType) -> bool {
    let value = kind.resolve("members.value");
    value.as_ref().and_then(|path| kind.attribute(path)).is_some_and(Attribute::is_case_exact)
}

/// What a group keeps of a member: the account of a person.
fn body(account: Option<AccountId>) -> Arc<str> {
    account.map_or_else(|| "null".into(), |account| format!("\"{account}\"").into())
}
