//! What administrators do: acts on accounts, and invitations.

use std::{collections::BTreeMap, fmt, sync::Arc};

use chrono::{DateTime, Utc};

use super::{Jit, compose::Record, outcome::JitError};
use crate::{
    Account, AccountEmail, AccountId, AccountState, Actor, AdminAct, AttributeName, AttributeValue, Change,
    Code, CounterName, Denial, EmailAddress, EmailTrust, Entitlement, ErrorKind, Grant, LookupKey, Matches,
    Plan, Provenance, Reason, Source, StoreId, TenantId, UserName, plan_admin,
};

/// Asks for an administrator's act on an account. The application has checked that the administrator may.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "the application builds it")]
pub struct AdminRequest {
    /// The tenant.
    pub tenant: TenantId,
    /// The store that the account lives in; `None` for the main one.
    pub store: Option<StoreId>,
    /// The account.
    pub account: AccountId,
    /// What to do.
    pub act: AdminAct,
    /// Who does it, for the record.
    pub by: String,
}

/// Asks for an account to be made ahead for somebody who has not come yet. `Debug` prints the names of attributes, and no
/// personal data.
#[derive(Clone)]
#[expect(clippy::exhaustive_structs, reason = "the application builds it")]
pub struct Invitation {
    /// The tenant.
    pub tenant: TenantId,
    /// The store that the account shall live in; `None` for the main one.
    pub store: Option<StoreId>,
    /// The address that the person will prove.
    pub email: EmailAddress,
    /// The user name, if it is decided already.
    pub user_name: Option<UserName>,
    /// Attributes, such as `sponsor`.
    pub attributes: BTreeMap<AttributeName, String>,
    /// What the person will hold.
    pub entitlements: Vec<Entitlement>,
    /// When the account ends, used or not.
    pub ends_at: Option<DateTime<Utc>>,
    /// Who invites, for the record.
    pub by: String,
}

impl fmt::Debug for Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invitation")
            .field("tenant", &self.tenant)
            .field("store", &self.store)
            .field("email", &self.email)
            .field("attributes", &self.attributes.keys())
            .field("entitlements", &self.entitlements)
            .field("ends_at", &self.ends_at)
            .finish_non_exhaustive()
    }
}

/// How often an act is planned anew when the account changes under it.
const ATTEMPTS: usize = 16;

impl Jit {
    /// Does what an administrator asks. Doing it twice changes nothing the second time, or is denied by the state.
    ///
    /// # Errors
    /// `Ok(Err(denial))` with `account.unknown`, `account.is_leased` (it is checked in instead), `account.wrong_state`,
    /// `account.ended`, `record.leave_changed` (look again: it does not wait as it was seen), `access.last_holder` or
    /// `account.no_seat`; [`JitError`] when a backend failed or the account changed under every attempt.
    ///
    /// # Cancel safety
    /// The commit is made whole or not at all.
    pub async fn administer(&self, request: &AdminRequest) -> Result<Result<Account, Denial>, JitError> {
        let store = self.store_named(request.store.as_ref())?;
        for _ in 0..ATTEMPTS {
            let now = self.parts.clock.now();
            let mut mint = self.mint(now);
            let Some(before) = store.get(&request.tenant, request.account).await? else {
                return Ok(Err(Denial::new(Code::new("account.unknown"))));
            };
            if before.is_remote() {
                return Ok(Err(Denial::new(Code::new("account.is_leased"))));
            }
            let plan = match plan_admin(&request.act, &before, now, &mut mint) {
                Ok(plan) if plan.is_empty() => return Ok(Ok(before)),
                Ok(plan) => plan,
                Err(denial) => return Ok(Err(denial)),
            };
            let actor = Actor::Administrator { name: request.by.clone() };
            // A leave is an end, whoever held it up.
            let absolute = matches!(request.act, AdminAct::ConfirmLeave(_));
            let record = Record { actor, action: request.act.code(), rule: None, absolute, now };
            let (commit, after) = self.compose(&request.tenant, Some(&before), &plan, record, &mut mint);
            match self.commit(store, &commit).await {
                Ok(()) => return Ok(Ok(Arc::unwrap_or_clone(after))),
                Err(error) => match error.kind() {
                    ErrorKind::Conflict => {}
                    ErrorKind::LimitReached(counter) => return Ok(Err(self.beyond(counter))),
                    _ => return Err(error.into()),
                },
            }
        }
        Err(JitError::refused("engine.contended"))
    }

    /// Makes an account ahead. It comes into use when somebody proves the address over a connection that speaks for it.
    ///
    /// # Errors
    /// `Ok(Err(denial))` with `link.email_taken` or `name.taken`; [`JitError`] when a backend failed.
    ///
    /// # Cancel safety
    /// The commit is made whole or not at all.
    pub async fn invite(&self, invitation: &Invitation) -> Result<Result<Account, Denial>, JitError> {
        let store = self.store_named(invitation.store.as_ref())?;
        let now = self.parts.clock.now();
        if store.matching(&invitation.tenant, &LookupKey::email(&invitation.email)).await? != Matches::None {
            return Ok(Err(Denial::new(Code::new("link.email_taken"))));
        }
        let plan = self.plan_invitation(invitation, now);
        let actor = Actor::Administrator { name: invitation.by.clone() };
        let record = Record { actor, action: Code::new("account.invited"), rule: None, absolute: false, now };
        let (commit, after) = self.compose(&invitation.tenant, None, &plan, record, &mut self.mint(now));
        match self.commit(store, &commit).await {
            Ok(()) => Ok(Ok(Arc::unwrap_or_clone(after))),
            Err(error) if matches!(error.kind(), ErrorKind::AlreadyExists(_)) => {
                Ok(Err(Denial::new(Code::new("name.taken"))))
            }
            Err(error) => match error.kind() {
                ErrorKind::LimitReached(counter) => Ok(Err(self.beyond(counter))),
                _ => Err(error.into()),
            },
        }
    }

    /// Says which bound an act would break.
    fn beyond(&self, counter: &CounterName) -> Denial {
        Denial::new(Code::new(if self.parts.protection.last_held(counter).is_some() {
            "access.last_holder"
        } else if counter.is_address() {
            "link.email_taken"
        } else {
            "account.no_seat"
        }))
    }

    fn plan_invitation(&self, invitation: &Invitation, now: DateTime<Utc>) -> Plan {
        let mut mint = self.mint(now);
        let mut plan = Plan::new(mint.account());
        let provenance = || Provenance::of(Source::Administrator);
        let reason = || Reason::code("admin.invited");
        plan.push(Change::Create { state: AccountState::Invited }, reason());
        let email = AccountEmail {
            address: invitation.email.clone(),
            trust: EmailTrust::Unstated,
            provenance: provenance(),
        };
        plan.push(Change::SetEmail(email), reason());
        if let Some(name) = &invitation.user_name {
            plan.push(Change::SetUserName(name.clone()), reason());
        }
        for (name, text) in &invitation.attributes {
            let value = AttributeValue { text: text.clone(), provenance: provenance(), searchable: false };
            plan.push(Change::SetAttribute { name: name.clone(), values: vec![value] }, reason());
        }
        for entitlement in &invitation.entitlements {
            let (id, entitlement) = (mint.grant(), entitlement.clone());
            plan.push(Change::Give(Grant::new(id, entitlement, provenance(), now)), reason());
        }
        if invitation.ends_at.is_some() {
            plan.push(Change::SetEnd { at: invitation.ends_at, by: Source::Administrator }, reason());
        }
        plan
    }
}
