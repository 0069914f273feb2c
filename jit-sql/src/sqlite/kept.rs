//! The documents of a commit, statement by statement.

use std::collections::BTreeMap;

use jit_core::{ErrorKind, Taken};
use rusqlite::Params;

use super::{error::Refused, session::Session};
use crate::kept::{GoneDraft, KeptDraft, MemberDraft, NameDraft, PlaceDraft, RowDraft};

/// Writes documents. The rows come first: what is refused most often is found before anything is written.
pub(super) fn write(session: &Session<'_>, tenant: &str, draft: &KeptDraft) -> Result<(), Refused> {
    let keep = Keep { session, tenant };
    for row in &draft.changed {
        keep.change(row)?;
    }
    for gone in &draft.gone {
        keep.remove(gone)?;
    }
    for row in &draft.made {
        keep.make(row)?;
    }
    for name in &draft.names_removed {
        keep.unname(name)?;
    }
    for name in &draft.names_added {
        keep.name(name, draft)?;
    }
    keep.leave_groups(draft)?;
    keep.members(draft)
}

struct Keep<'a, 'c> {
    session: &'a Session<'c>,
    tenant: &'a str,
}

impl Keep<'_, '_> {
    /// Runs a statement and tells how many rows it changed.
    fn run(&self, sql: &'static str, params: impl Params) -> Result<usize, rusqlite::Error> {
        self.session.run(sql, params)
    }

    fn make(&self, row: &RowDraft) -> Result<(), Refused> {
        let RowDraft { place, created_at, changed_at, account, names, body, .. } = row;
        let (connection, kind, id) = key(place);
        let account = account.as_ref().map(uuid::Uuid::as_bytes);
        let params = (self.tenant, connection, kind, id, created_at, changed_at, account, names, body);
        match self.run(MAKE, params)? {
            1 => Ok(()),
            _ => Err(Refused::Kind(ErrorKind::AlreadyExists(Taken::Document))),
        }
    }

    fn change(&self, row: &RowDraft) -> Result<(), Refused> {
        let RowDraft { place, expected, changed_at, account, names, body, .. } = row;
        let (connection, kind, id) = key(place);
        let account = account.as_ref().map(uuid::Uuid::as_bytes);
        let params = (self.tenant, connection, kind, id, expected, changed_at, account, names, body);
        match self.run(CHANGE, params)? {
            1 => Ok(()),
            _ => Err(Refused::Kind(ErrorKind::DocumentChanged)),
        }
    }

    fn remove(&self, gone: &GoneDraft) -> Result<(), Refused> {
        let (connection, kind, id) = key(&gone.place);
        match self.run(REMOVE, (self.tenant, connection, kind, id, gone.expected))? {
            1 => Ok(()),
            _ => Err(Refused::Kind(ErrorKind::DocumentChanged)),
        }
    }

    fn unname(&self, name: &NameDraft) -> Result<(), Refused> {
        let NameDraft { connection, kind, digest, tie, document, .. } = name;
        let (connection, kind) = (connection.as_str(), kind.as_str());
        self.run(UNNAME, (self.tenant, connection, kind, digest, tie.as_bytes(), document.as_bytes()))?;
        Ok(())
    }

    fn name(&self, name: &NameDraft, draft: &KeptDraft) -> Result<(), Refused> {
        let NameDraft { connection, kind, digest, tie, document, index } = name;
        let (connection, kind) = (connection.as_str(), kind.as_str());
        let params = (self.tenant, connection, kind, digest, tie.as_bytes(), document.as_bytes());
        let index = index.and_then(|place| draft.indexes.get(place));
        match (self.run(NAME, params)?, index) {
            (0, Some(index)) => {
                Err(Refused::Kind(ErrorKind::AlreadyExists(Taken::DocumentName(index.clone()))))
            }
            _ => Ok(()),
        }
    }

    /// Takes removed documents out of their groups, and groups that are removed from their members.
    fn leave_groups(&self, draft: &KeptDraft) -> Result<(), Refused> {
        let mut left: BTreeMap<PlaceDraft, i64> = BTreeMap::new();
        for gone in &draft.gone {
            let (connection, kind, id) = key(&gone.place);
            let groups = self.session.rows(GROUPS, (self.tenant, connection, kind, id), |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, [u8; 16]>(1)?))
            })?;
            for (kind, id) in groups {
                let kind = kind.parse().map_err(|_| Refused::Kind(ErrorKind::Corrupt))?;
                let connection = gone.place.connection.clone();
                let at =
                    left.entry(PlaceDraft { connection, kind, id: uuid::Uuid::from_bytes(id) }).or_default();
                *at = (*at).max(gone.at);
            }
            self.run(ORPHAN, (self.tenant, connection, kind, id))?;
            if !gone.leaves_members {
                self.run(CLEAR, (self.tenant, connection, kind, id))?;
            }
        }
        for row in &draft.changed {
            left.remove(&row.place);
        }
        for (group, at) in &left {
            let (connection, kind, id) = key(group);
            self.run(MOVE_ON, (self.tenant, connection, kind, id, at))?;
        }
        Ok(())
    }

    fn members(&self, draft: &KeptDraft) -> Result<(), Refused> {
        for group in &draft.cleared {
            let (connection, kind, id) = key(group);
            self.run(CLEAR, (self.tenant, connection, kind, id))?;
        }
        for (group, member) in &draft.leaving {
            let (connection, kind, id) = key(group);
            self.run(LEAVE, (self.tenant, connection, kind, id, member.as_bytes()))?;
        }
        for (group, member) in &draft.dismissed {
            let (connection, kind, id) = key(group);
            self.run(DISMISS, (self.tenant, connection, kind, id, member.as_bytes()))?;
        }
        for member in &draft.joining {
            self.join(JOIN, member)?;
        }
        for member in &draft.rejoining {
            self.join(REJOIN, member)?;
        }
        Ok(())
    }

    /// Who is a member already is there.
    fn join(&self, sql: &'static str, draft: &MemberDraft) -> Result<(), Refused> {
        let MemberDraft { group, kind: of, member, body } = draft;
        let (connection, kind, id) = key(group);
        let params = (self.tenant, connection, kind, id, of.as_str(), member.as_bytes(), body);
        if self.run(sql, params)? == 0 {
            return Ok(());
        }
        let params = (self.tenant, connection, of.as_str(), member.as_bytes());
        let is_there = self.session.row(IS_THERE, params, |_| Ok(()))?;
        is_there.ok_or(Refused::Kind(ErrorKind::NoSuchMember))
    }
}

fn key(place: &PlaceDraft) -> (&str, &str, &[u8; 16]) {
    (place.connection.as_str(), place.kind.as_str(), place.id.as_bytes())
}

const MAKE: &str = "INSERT INTO jit_document \
    (tenant, connection, kind, id, version, created_at, changed_at, account, names, body) \
    VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING";

const CHANGE: &str = "UPDATE jit_document \
    SET version = version + 1, changed_at = ?6, account = ?7, names = ?8, body = ?9 \
    WHERE tenant = ?1 AND connection = ?2 AND kind = ?3 AND id = ?4 AND version = ?5";

const REMOVE: &str = "DELETE FROM jit_document \
    WHERE tenant = ?1 AND connection = ?2 AND kind = ?3 AND id = ?4 AND version = ?5";

const MOVE_ON: &str = "UPDATE jit_document SET version = version + 1, changed_at = max(changed_at, ?5) \
    WHERE tenant = ?1 AND connection = ?2 AND kind = ?3 AND id = ?4";

const IS_THERE: &str =
    "SELECT 1 FROM jit_document WHERE tenant = ?1 AND connection = ?2 AND kind = ?3 AND id = ?4";

const NAME: &str = "INSERT INTO jit_document_name (tenant, connection, kind, digest, tie, document) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";

const UNNAME: &str = "DELETE FROM jit_document_name \
    WHERE tenant = ?1 AND connection = ?2 AND kind = ?3 AND digest = ?4 AND tie = ?5 AND document = ?6";

const GROUPS: &str = "SELECT kind, id FROM jit_member INDEXED BY jit_member_groups \
    WHERE tenant = ?1 AND connection = ?2 AND member_kind = ?3 AND member = ?4";

// Left to itself, SQLite would look at every member of the connection.
const ORPHAN: &str = "DELETE FROM jit_member INDEXED BY jit_member_groups \
    WHERE tenant = ?1 AND connection = ?2 AND member_kind = ?3 AND member = ?4";

const CLEAR: &str = "DELETE FROM jit_member WHERE tenant = ?1 AND connection = ?2 AND kind = ?3 AND id = ?4";

const LEAVE: &str = "DELETE FROM jit_member \
    WHERE tenant = ?1 AND connection = ?2 AND kind = ?3 AND id = ?4 AND member = ?5";

const DISMISS: &str = "DELETE FROM jit_member \
    WHERE tenant = ?1 AND connection = ?2 AND kind = ?3 AND id = ?4 AND member = ?5 AND NOT EXISTS ( \
    SELECT 1 FROM jit_document WHERE tenant = ?1 AND connection = ?2 AND kind = ?3 AND id = ?4)";

const JOIN: &str = "INSERT INTO jit_member (tenant, connection, kind, id, member_kind, member, body) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING";

const REJOIN: &str = "INSERT INTO jit_member (tenant, connection, kind, id, member_kind, member, body) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
    ON CONFLICT DO UPDATE SET member_kind = excluded.member_kind, body = excluded.body";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    MAKE, CHANGE, REMOVE, MOVE_ON, IS_THERE, NAME, UNNAME, GROUPS, ORPHAN, CLEAR, LEAVE, DISMISS, JOIN,
    REJOIN,
];
