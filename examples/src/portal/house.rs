//! What every page of the portal shares.

use std::sync::Arc;

use axum::http::HeaderMap;
use chrono::{DateTime, TimeDelta, Utc};
use jit_core::{Account, Actor, CheckOut, Clock, ConnectionId, Entitlement, Jit, Store, StoreId, TenantId};
use jit_ldap::LdapTrigger;
use jit_oidc::OidcTrigger;
use jit_saml::SamlTrigger;
use jit_saml::logout::SingleLogout;

use super::comparisons::Comparisons;
use super::failure::Failure;
use super::holds::Holds;
use super::present;
use super::proxies::Proxies;
use super::scim::Scim;
use super::session::{Session, Sessions};
use super::sign_in_forms::SignInForms;
use super::view::{ConnectionCard, Frame, GuestView, Visitor};
use crate::targets::{Opened, RoleOffer, open_to};

/// Holds the engine and everything around it.
pub(super) struct House {
    pub(super) jit: Arc<Jit>,
    /// Directories that drive accounts.
    pub(super) scim: Option<Scim>,
    pub(super) shelves: Vec<Shelf>,
    pub(super) doors: Vec<Door>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) sessions: Sessions,
    pub(super) holds: Holds,
    pub(super) sign_in_forms: SignInForms,
    /// Whoever holds it sees the administration.
    pub(super) admin: Option<Entitlement>,
    pub(super) proxies: Proxies,
    pub(super) demo: bool,
    /// Where people can check out accounts.
    pub(super) targets: Vec<Opened>,
    /// How those differ from what is written down.
    pub(super) comparisons: Arc<Comparisons>,
}

/// A user store; the main one has no name.
pub(super) struct Shelf {
    pub(super) name: Option<StoreId>,
    pub(super) store: Arc<dyn Store>,
}

/// A way to sign in.
pub(super) struct Door {
    pub(super) id: ConnectionId,
    pub(super) tenant: TenantId,
    pub(super) store: Option<StoreId>,
    pub(super) label: String,
    pub(super) issuer: String,
    pub(super) way: Way,
}

/// Verifies what comes in by a door, by the protocol of its connection.
pub(super) enum Way {
    Oidc(Box<OidcTrigger>),
    Saml(Box<SamlWay>),
    Ldap(Box<LdapWay>),
}

/// Signs people in by a name and a password of a directory.
pub(super) struct LdapWay {
    pub(super) trigger: LdapTrigger,
    /// For how long at most a name is shut after too many failures.
    pub(super) shut_for: TimeDelta,
}

/// Signs people in, and out, by SAML.
pub(super) struct SamlWay {
    pub(super) trigger: SamlTrigger,
    pub(super) logout: Option<SingleLogout>,
    /// What the provider must know of this portal.
    pub(super) metadata: String,
}

/// Somebody whose session is good.
pub(super) struct Visit {
    pub(super) session: Session,
    pub(super) account: Account,
    pub(super) is_admin: bool,
}

impl Visit {
    /// The visitor, for the audit trail.
    pub(super) fn actor(&self) -> Actor {
        Actor::Account { id: self.account.id }
    }
}

impl House {
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(super) fn door(&self, id: &str) -> Option<&Door> {
        self.doors.iter().find(|door| door.id.as_str() == id)
    }

    pub(super) fn door_of(&self, tenant: &TenantId, id: &ConnectionId) -> Option<&Door> {
        self.doors.iter().find(|door| door.tenant == *tenant && door.id == *id)
    }

    pub(super) fn cards(&self) -> Vec<ConnectionCard> {
        self.doors.iter().map(Door::card).collect()
    }

    /// Finds out who asks. A session is good while its account may be used and nobody has ended its credentials.
    pub(super) async fn visit(&self, headers: &HeaderMap) -> Result<Option<Visit>, Failure> {
        let now = self.now();
        let Some(session) = self.sessions.find(headers, now) else { return Ok(None) };
        let account = self
            .jit
            .session_account(session.store.as_ref(), &session.tenant, session.account, session.epoch)
            .await?;
        let Some(account) = account else {
            self.sessions.close(headers, now);
            return Ok(None);
        };
        let is_admin = self.admin.as_ref().is_some_and(|admin| account.holds(admin, now));
        Ok(Some(Visit { session, account, is_admin }))
    }

    pub(super) fn frame(&self, visit: Option<&Visit>) -> Frame {
        let visitor = visit.map(|visit| Visitor {
            name: present::display_name(&visit.account),
            is_admin: visit.is_admin,
            csrf: visit.session.csrf.clone(),
        });
        let lends = visit.is_some_and(|visit| self.targets_of(&visit.session.tenant).next().is_some());
        Frame { visitor, guest: None, demo: self.demo, lends }
    }

    /// The frame of whoever asks, as far as that can be told now.
    pub(super) async fn frame_of(&self, headers: &HeaderMap) -> Frame {
        self.frame_for(self.visit(headers).await.ok().flatten().as_ref(), headers)
    }

    /// The frame of a visitor, or else of whoever has a sign-in under way that waits for their answer.
    pub(super) fn frame_for(&self, visit: Option<&Visit>, headers: &HeaderMap) -> Frame {
        let hold = if visit.is_none() { self.holds.find(headers, self.now()) } else { None };
        let guest = hold.map(|hold| GuestView { name: hold.guest.name, csrf: Some(hold.csrf) });
        Frame { guest, ..self.frame(visit) }
    }

    /// The targets that are open to the people of a tenant.
    pub(super) fn targets_of(&self, tenant: &TenantId) -> impl Iterator<Item = &Opened> {
        open_to(&self.targets, tenant)
    }

    /// The role that is asked for.
    pub(super) fn role(&self, asked: &CheckOut) -> Option<&RoleOffer> {
        let target = self.targets_of(&asked.tenant).find(|target| target.id == asked.target)?;
        target.roles.iter().find(|role| role.name == asked.role)
    }

    /// The user store that a session's account lives in.
    pub(super) fn store(&self, id: Option<&StoreId>) -> Option<&dyn Store> {
        let found = self.shelves.iter().find(|shelf| shelf.name.as_ref() == id);
        found.map(|shelf| shelf.store.as_ref())
    }
}

impl Door {
    pub(super) fn card(&self) -> ConnectionCard {
        ConnectionCard { id: self.id.to_string(), label: self.label.clone(), issuer: self.issuer.clone() }
    }
}
