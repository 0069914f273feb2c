//! Writing documents.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fmt,
    sync::Arc,
};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Document, DocumentKey, DocumentName};
use crate::{AccountId, DocumentId, DocumentKind};

/// Carries a document as it shall be, with the version it was made on, the names that change, and its members that do.
///
/// Fields are private so that the names always agree with the document. The write numbers the versions by itself: 1 for a
/// new document, one more than `before` for an update. Instants are kept to the microsecond.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DocumentWrite {
    key: DocumentKey,
    expected: Option<u64>,
    after: Option<Document>,
    removed_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    leaves_members: bool,
    names_added: Arc<[DocumentName]>,
    names_removed: Arc<[DocumentName]>,
    members: Vec<MemberChange>,
}

impl DocumentWrite {
    /// Writes a document that must not exist yet.
    #[must_use]
    pub fn create(mut after: Document) -> Self {
        after.version = 1;
        let after = settled(after);
        Self {
            key: after.key.clone(),
            expected: None,
            names_added: Arc::clone(&after.names),
            names_removed: Arc::default(),
            after: Some(after),
            removed_at: None,
            leaves_members: false,
            members: Vec::new(),
        }
    }

    /// Writes a document over `before`, which must still be what is stored. Its key and when it came into being stay.
    #[must_use]
    pub fn update(before: &Document, mut after: Document) -> Self {
        after.key = before.key.clone();
        after.version = before.version.saturating_add(1);
        after.created_at = before.created_at;
        let after = settled(after);
        let (names_added, names_removed) = difference(&before.names, &after.names);
        Self {
            key: after.key.clone(),
            expected: Some(before.version),
            after: Some(after),
            removed_at: None,
            leaves_members: false,
            names_added: names_added.into(),
            names_removed: names_removed.into(),
            members: Vec::new(),
        }
    }

    /// Removes a document, which must still be what is stored, with its members. It leaves the groups that it is in: they
    /// change as of `at`, and their versions move on by one, unless the same commit writes them.
    #[must_use]
    pub fn remove(before: &Document, at: DateTime<Utc>) -> Self {
        Self {
            key: before.key.clone(),
            expected: Some(before.version),
            after: None,
            removed_at: Some(to_the_microsecond(at)),
            leaves_members: false,
            names_added: Arc::default(),
            names_removed: Arc::clone(&before.names),
            members: Vec::new(),
        }
    }

    /// Removes a document as [`Self::remove`] does, but leaves its members behind, so that the write does not grow with
    /// them. [`DocumentStore::members`](super::DocumentStore::members) lists them until [`Self::dismiss`] has let them go;
    /// nobody is a member of it any longer for [`DocumentStore::memberships`](super::DocumentStore::memberships).
    #[must_use]
    pub fn remove_apart(before: &Document, at: DateTime<Utc>) -> Self {
        Self { leaves_members: true, ..Self::remove(before, at) }
    }

    /// Lets go of members that stayed behind when their group was removed. Of a group that is there it changes nothing.
    #[must_use]
    pub fn dismiss(group: DocumentKey, members: impl IntoIterator<Item = DocumentId>) -> Self {
        Self {
            key: group,
            expected: None,
            after: None,
            removed_at: None,
            leaves_members: false,
            names_added: Arc::default(),
            names_removed: Arc::default(),
            members: members.into_iter().map(|member| MemberChange::Remove { member }).collect(),
        }
    }

    /// Changes members along with the document, in this order.
    #[must_use]
    pub fn with_members(mut self, changes: Vec<MemberChange>) -> Self {
        self.members = changes;
        self
    }

    /// Says whom the document is about; a removal stays as it is.
    pub(crate) fn about(mut self, account: AccountId) -> Self {
        if let Some(after) = &mut self.after {
            after.account = Some(account);
        }
        self
    }

    /// Which document it is.
    #[must_use]
    pub fn key(&self) -> &DocumentKey {
        &self.key
    }

    /// The version that must be stored; `None` where the document must not exist.
    #[must_use]
    pub fn expected(&self) -> Option<u64> {
        self.expected
    }

    /// The document as it shall be; `None` where it is removed.
    #[must_use]
    pub fn after(&self) -> Option<&Document> {
        self.after.as_ref()
    }

    /// When it is removed, if it is.
    #[must_use]
    pub fn removed_at(&self) -> Option<DateTime<Utc>> {
        self.removed_at
    }

    /// Whether its members stay behind where it is removed.
    #[must_use]
    pub fn leaves_members(&self) -> bool {
        self.leaves_members
    }

    /// Whether it lets go of members that stayed behind, and does nothing else.
    #[must_use]
    pub fn dismisses(&self) -> bool {
        self.after.is_none() && self.removed_at.is_none()
    }

    /// The names that it is found by from now on.
    #[must_use]
    pub fn names_added(&self) -> &[DocumentName] {
        &self.names_added
    }

    /// The names that it no longer is found by.
    #[must_use]
    pub fn names_removed(&self) -> &[DocumentName] {
        &self.names_removed
    }

    /// The changes of its members, as they were given.
    #[must_use]
    pub fn members(&self) -> &[MemberChange] {
        &self.members
    }

    /// What the changes of its members come to.
    #[must_use]
    pub fn net_members(&self) -> NetMembers<'_> {
        NetMembers::of(&self.members)
    }

    /// Names the write as the audit trail does.
    pub(crate) fn word(&self) -> String {
        let act = match (&self.after, self.expected) {
            (None, None) => "dismiss members of",
            (None, Some(_)) => "remove",
            (Some(_), None) => "create",
            (Some(_), Some(_)) => "update",
        };
        format!("{act} document {} {}", self.key.collection.kind, self.key.id)
    }

    /// Says what is wrong with the write in itself.
    pub(in crate::store) fn wrong(&self) -> Option<&'static str> {
        let counts_on =
            |after: &Document| after.version == self.expected.map_or(1, |version| version.saturating_add(1));
        let bodies = self.after.iter().map(|after| &after.body);
        let mut bodies = bodies.chain(self.members.iter().filter_map(MemberChange::body));
        let only_leave = || self.members.iter().all(|change| matches!(change, MemberChange::Remove { .. }));
        if self.dismisses() {
            let is_sound = self.expected.is_none() && !self.members.is_empty() && only_leave();
            (!is_sound).then_some("members are dismissed and something else is done")
        } else if self.after.is_none() && self.expected.is_none() {
            Some("a document is removed that was not read")
        } else if self.after.as_ref().is_some_and(|after| after.key != self.key || !counts_on(after)) {
            Some("the version of a document does not follow the one before")
        } else if self.after.is_none() && !self.members.is_empty() {
            Some("a document that is removed has its members changed")
        } else if bodies.any(|body| body.contains('\0')) {
            Some("a body holds a NUL character")
        } else {
            None
        }
    }
}

/// Keeps what every backend can keep: each name once, instants to the microsecond.
fn settled(mut document: Document) -> Document {
    let mut met = BTreeSet::new();
    let once: Vec<_> = document.names.iter().filter(|name| met.insert((&name.index, &name.value))).collect();
    if once.len() < document.names.len() {
        document.names = once.into_iter().cloned().collect();
    }
    document.created_at = to_the_microsecond(document.created_at);
    document.changed_at = to_the_microsecond(document.changed_at);
    document
}

fn to_the_microsecond(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap_or(at)
}

fn difference(before: &[DocumentName], after: &[DocumentName]) -> (Vec<DocumentName>, Vec<DocumentName>) {
    if before == after {
        return (Vec::new(), Vec::new());
    }
    // whoever writes the document says how many names there are
    let without = |these: &[DocumentName], those: &[DocumentName]| {
        let those: HashSet<_> = those.iter().collect();
        these.iter().filter(|name| !those.contains(name)).cloned().collect()
    };
    (without(after, before), without(before, after))
}

/// Changes one member of a group, or all. `Debug` does not print the body.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "a store does each of them")]
pub enum MemberChange {
    /// Has the member. Where it is one already, nothing changes.
    Add {
        /// The document that becomes a member; it must be there when the commit is done.
        member: DocumentId,
        /// Of which kind it is.
        kind: DocumentKind,
        /// What the group's owner keeps of it, as JSON.
        body: Arc<str>,
    },
    /// Has no such member. Where it is none, nothing changes.
    Remove {
        /// The document that is no longer a member.
        member: DocumentId,
    },
    /// Has no members.
    Clear,
}

impl MemberChange {
    fn body(&self) -> Option<&Arc<str>> {
        match self {
            Self::Add { body, .. } => Some(body),
            Self::Remove { .. } | Self::Clear => None,
        }
    }
}

impl fmt::Debug for MemberChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Add { member, kind, .. } => write!(f, "Add({kind} {member})"),
            Self::Remove { member } => write!(f, "Remove({member})"),
            Self::Clear => f.write_str("Clear"),
        }
    }
}

/// Tells what a list of member changes comes to, so that a store can do it in any order.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct NetMembers<'a> {
    /// Whether those who were members before are none any more, but for those who join.
    pub clears: bool,
    /// Who joins.
    pub joining: BTreeMap<DocumentId, Joining<'a>>,
    /// Who leaves.
    pub leaving: BTreeSet<DocumentId>,
}

/// Tells how a document becomes a member.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Joining<'a> {
    /// Of which kind it is.
    pub kind: &'a DocumentKind,
    /// What is kept of it.
    pub body: &'a Arc<str>,
    /// Whether this replaces what was kept of it before: it was removed in between.
    pub anew: bool,
}

impl fmt::Debug for Joining<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Joining").field("kind", self.kind).field("anew", &self.anew).finish_non_exhaustive()
    }
}

impl<'a> NetMembers<'a> {
    fn of(changes: &'a [MemberChange]) -> Self {
        let mut net = Self::default();
        for change in changes {
            match change {
                MemberChange::Add { member, kind, body } => {
                    let anew = net.leaving.remove(member) || net.clears;
                    net.joining.entry(*member).or_insert(Joining { kind, body, anew });
                }
                MemberChange::Remove { member } => {
                    net.joining.remove(member);
                    net.leaving.insert(*member);
                }
                MemberChange::Clear => net = Self { clears: true, ..Self::default() },
            }
        }
        net
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> DocumentId {
        DocumentId::from_uuid(uuid::Uuid::from_u128(number))
    }

    fn add(number: u128, body: &str) -> MemberChange {
        MemberChange::Add { member: id(number), kind: "User".parse().unwrap(), body: body.into() }
    }

    #[test]
    fn the_last_change_of_a_member_counts_and_a_second_addition_changes_nothing() {
        let remove = |number| MemberChange::Remove { member: id(number) };
        let changes = [
            add(9, "gone"),
            remove(8),
            MemberChange::Clear,
            add(1, "first"),
            add(1, "second"),
            add(2, "x"),
            remove(2),
            remove(3),
        ];
        let net = NetMembers::of(&changes);
        assert!(net.clears);
        assert_eq!(net.leaving, BTreeSet::from([id(2), id(3)]));
        let joining: Vec<_> = net.joining.iter().map(|(id, new)| (*id, &**new.body, new.anew)).collect();
        assert_eq!(joining, [(id(1), "first", true)]);
    }

    #[test]
    fn names_beyond_number_are_compared_in_one_go() {
        let names = |range: std::ops::Range<u32>| -> Vec<_> {
            let index: crate::IndexName = "emails.value".parse().unwrap();
            range.map(|number| DocumentName::shared(index.clone(), number.to_string())).collect()
        };
        // each with each would be many billions
        let (added, removed) = difference(&names(0..300_000), &names(1..300_001));
        assert_eq!((added, removed), (names(300_000..300_001), names(0..1)));
        assert_eq!(difference(&names(0..3), &names(0..3)), (Vec::new(), Vec::new()));
    }

    #[test]
    fn who_is_removed_and_added_is_a_member_anew() {
        let changes = [MemberChange::Remove { member: id(1) }, add(1, "new"), add(2, "kept if there")];
        let net = NetMembers::of(&changes);
        assert!(net.leaving.is_empty() && !net.clears);
        assert_eq!(net.joining.values().map(|new| new.anew).collect::<Vec<_>>(), [true, false]);
    }
}
