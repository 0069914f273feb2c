//! What names an account that is gone: groups that were to follow their members, or had to name somebody.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use jit_core::{BackendError, Code, Effect, RemoteRef, TargetFault};

use super::absence::{AT_ONCE, own_part};
use super::accounts::Accounts;
use super::dialect::{Dialect, Following};
use super::fault::{Step, fault_of};
use super::find::Found;
use super::members::{self, GroupName};
use super::table::{Group, Member};
use crate::connection::Connection;
use crate::dn::Dn;
use crate::error::LdapError;
use crate::filter::Filter;
use crate::identifier::EntryName;
use crate::pool::Loan;
use crate::reason::Reason;
use crate::request::{Scope, Search};

/// How long a removal waits for the overlay after each look, until it is known what that does.
const OVERLAY: [Duration; 3] =
    [Duration::from_millis(5), Duration::from_millis(20), Duration::from_millis(75)];

impl<D: Dialect> Accounts<D> {
    /// Which groups name an account that is about to be removed where it was made, if that is one to learn from these by.
    pub(super) async fn named_before(
        &self,
        loan: &mut Loan,
        remote: &RemoteRef,
        groups: &[&Group],
    ) -> Vec<Dn> {
        let groups = groups.iter().map(|group| &group.dn);
        let is_at_once = self.dialect.reaches_blindly() && remote.native.is_some();
        let (Following::Promised, true, Ok(dn)) = (self.dialect.following(), is_at_once, self.dn_of(remote))
        else {
            return Vec::new();
        };
        if !self.followed.shall_learn(&loan.server(), groups) {
            return Vec::new();
        }
        let member = self.table.membership.of(&dn, &remote.name);
        self.held(loan, &member).await.unwrap_or_default()
    }

    /// Tells that an account is gone that was removed a moment ago where it was made. Groups that others were seen to leave so
    /// right before it are not looked at.
    pub(super) async fn gone_at_once(
        &self,
        loan: &mut Loan,
        remote: &RemoteRef,
        groups: &[&Group],
        named_before: &[Dn],
    ) -> Result<Effect, BackendError> {
        let server = loan.server();
        let let_go = self.wait_for_overlay(loan, remote, groups).await?;
        let is_looked_at =
            |group: &&Group| !self.followed.is_sure(&server, &group.dn) && !let_go.contains(&group.dn);
        let groups: Vec<_> = groups.iter().copied().filter(is_looked_at).collect();
        let (gone, open) = self.let_go(loan, remote, &groups, None).await?;
        for group in named_before.iter().filter(|group| !open.contains(group)) {
            self.followed.learn(&server, group, true);
        }
        for group in &open {
            self.followed.learn(&server, group, false);
        }
        Ok(gone.unwrap_or(Effect::Absent { was_there: true }))
    }

    /// Lets the server's overlay do what it promised: OpenLDAP answers a removal first, and changes the groups after that. Whoever
    /// changes them before would do its work, and never learn that it does it. Tells which groups let go.
    async fn wait_for_overlay(
        &self,
        loan: &mut Loan,
        remote: &RemoteRef,
        groups: &[&Group],
    ) -> Result<HashSet<Dn>, BackendError> {
        let (server, dn) = (loan.server(), self.dn_of(remote)?);
        let member = self.table.membership.of(&dn, &remote.name);
        let is_awaited = |group: &&Group| self.followed.is_unknown(&server, &group.dn);
        let awaited: Vec<_> = groups.iter().copied().filter(is_awaited).collect();
        let mut open = awaited.clone();
        for pause in OVERLAY {
            open = self.open_groups(loan, &open, &member).await.map_err(|error| Step::Look.failed(error))?;
            if open.is_empty() {
                break;
            }
            tokio::time::sleep(pause).await;
        }
        let has_let_go = |group: &&Group| !open.iter().any(|open| open.dn == group.dn);
        Ok(awaited.into_iter().filter(has_let_go).map(|group| group.dn.clone()).collect())
    }

    /// Tells that an account is gone, or which of these groups name it still.
    pub(super) async fn gone(
        &self,
        connection: &mut Connection,
        remote: &RemoteRef,
        groups: &[&Group],
        removed_at: Option<&Dn>,
    ) -> Result<Effect, BackendError> {
        let (named, _) = self.let_go(connection, remote, groups, removed_at).await?;
        Ok(named.unwrap_or(Effect::Absent { was_there: removed_at.is_some() }))
    }

    /// Has each of these groups drop the names of an account that is gone, unless it shows that it names nobody so, or somebody
    /// else has the name by now: whoever gets it next would be in them. Tells which groups name it still, and which had not let
    /// go of it.
    async fn let_go(
        &self,
        connection: &mut Connection,
        remote: &RemoteRef,
        groups: &[&Group],
        removed_at: Option<&Dn>,
    ) -> Result<(Option<Effect>, Vec<Dn>), BackendError> {
        if self.dialect.following() == Following::Sure {
            return Ok((None, Vec::new()));
        }
        let made_at = self.dn_of(remote).ok();
        let mut names: Vec<_> = removed_at.cloned().into_iter().chain(made_at).collect();
        names.dedup();
        let (mut by, mut why, mut had_not) = (BTreeSet::new(), None, Vec::new());
        for name in names {
            let member = self.table.membership.of(&name, &remote.name);
            let open = self.open_groups(connection, groups, &member).await;
            let open = open.map_err(|error| Step::Look.failed(error))?;
            if open.is_empty() || self.is_given_again(connection, &name, remote).await? {
                continue;
            }
            for group in open {
                had_not.push(group.dn.clone());
                if let Some(code) = self.drop_from(connection, group, &member).await? {
                    by.extend(self.table.names_of(std::slice::from_ref(&group.dn)));
                    why.get_or_insert(code);
                }
            }
        }
        Ok((why.map(|why| Effect::Named { by, why }), had_not))
    }

    /// Those of these groups that do not show that they name nobody so. What may not be read is not shown by its contrary
    /// either (RFC 4511 §4.5.1.7), so whatever is not seen is asked by a change.
    async fn open_groups<'a>(
        &self,
        connection: &mut Connection,
        groups: &[&'a Group],
        member: &Member,
    ) -> Result<Vec<&'a Group>, LdapError> {
        let mut open = Vec::new();
        for home in self.table.homes_of_groups() {
            let within: Vec<_> =
                groups.iter().copied().filter(|group| group.dn.parent().as_ref() == Some(&home)).collect();
            for some in within.chunks(AT_ONCE) {
                let own: Result<Vec<_>, _> = some.iter().filter_map(|group| own_part(&group.dn)).collect();
                let names_nobody_so = Filter::all([Filter::any(own?)?, members::holds(member).negate()?])?;
                let shut =
                    match connection.search(&Search::new(&home, Scope::Children, names_nobody_so)).await {
                        Ok(found) => found.entries.iter().filter_map(|entry| entry.dn().ok()).collect(),
                        Err(error) if is_unseen(&error) => Vec::new(),
                        Err(error) => return Err(error),
                    };
                open.extend(some.iter().copied().filter(|group| !shut.contains(&group.dn)));
            }
        }
        Ok(open)
    }

    /// Whether somebody else has a name of an account that is gone: what they hold is theirs.
    async fn is_given_again(
        &self,
        connection: &mut Connection,
        name: &Dn,
        remote: &RemoteRef,
    ) -> Result<bool, BackendError> {
        if !self.is_unborne(connection, &EntryName::from(name), remote).await? {
            return Ok(true);
        }
        // groups that name their members by what they log in by mean whoever does, wherever they are
        let is_by_name = self.table.membership.is_by_name;
        Ok(is_by_name && !matches!(self.find_by_name(connection, remote).await?, Found::Nothing))
    }

    /// Has a group drop a name; returns what kept it from that.
    async fn drop_from(
        &self,
        connection: &mut Connection,
        group: &Group,
        member: &Member,
    ) -> Result<Option<Code>, BackendError> {
        match members::leave(connection, &GroupName::from(&group.dn), member).await {
            Ok(_) => Ok(None),
            // a rule of the server, or a right that we lack: somebody has to look after that
            Err(error) if fault_of(Step::Groups, &error) == TargetFault::Forbidden => Ok(Some(error.code())),
            Err(error) => Err(Step::Groups.failed(error)),
        }
    }
}

fn is_unseen(error: &LdapError) -> bool {
    matches!(error.reason(), Reason::EntryMissing | Reason::AccessDenied)
}
