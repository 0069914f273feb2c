//! What every command works with.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use jit_core::{
    Account, AccountId, Actor, AdminAct, AdminRequest, BackendError, Clock, ErrorKind, Exposure, Jit, Lease,
    Store, TargetId, TenantId, TimeGuard, UserName, Whose,
};

use super::arguments::Out;
use super::failure::Failure;
use super::settings::Settings;
use super::telling::Teller;
use crate::alarms::Alarms;
use crate::portal::assemble::open;
use crate::record::Record;
use crate::targets::Opened;

/// The leases read at once.
const PAGE: NonZeroUsize = NonZeroUsize::new(500).expect("not zero");

pub(super) struct House {
    pub(super) jit: Jit,
    pub(super) store: Arc<dyn Store>,
    pub(super) tenant: TenantId,
    pub(super) targets: Vec<Opened>,
    /// Who acts, for the record.
    pub(super) by: String,
    clock: Arc<dyn Clock>,
}

impl House {
    /// Opens the store. No target is asked before it is needed.
    pub(super) async fn open(
        settings: Settings,
        targets: Vec<Opened>,
        folder: &Path,
        (clock, guard): (Arc<dyn Clock>, Option<TimeGuard>),
        teller: Teller,
    ) -> Result<Self, Failure> {
        let store = open(&settings.checkout.store, folder).await?;
        let alarms = Arc::new(Alarms(teller));
        let mut builder = Jit::builder(Arc::clone(&store)).clock(Arc::clone(&clock)).alarms(alarms);
        builder = builder.protection(settings.protection.protection());
        if let Some(guard) = guard {
            builder = builder.time_guard(match settings.checkout.downtime {
                None => guard,
                Some(longest) => guard.downtime(longest.delta()),
            });
        }
        if settings.checkout.leave_notices {
            builder = builder.leaves_notices();
        }
        if let Some(deployment) = &settings.deployment {
            builder = deployment.bound(builder);
        }
        builder = builder.for_tenants([settings.checkout.tenant.clone()]);
        for opened in &targets {
            builder = builder.target(opened.setup.clone());
        }
        let stopped = |error| {
            BackendError::new(ErrorKind::Unavailable, "checkout.assemble")
                .caused_by(Box::new(error) as Box<_>)
        };
        let jit = builder.build().map_err(stopped)?;
        let (tenant, by) = (settings.checkout.tenant, "checkout".to_owned());
        Ok(Self { jit, store, tenant, targets, by, clock })
    }

    /// The same, for somebody who is named.
    pub(super) fn acting_as(mut self, by: Option<String>) -> Self {
        self.by = by.unwrap_or(self.by);
        self
    }

    pub(super) fn actor(&self) -> Actor {
        Actor::Administrator { name: self.by.clone() }
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// The targets: the one that is named, or all.
    pub(super) fn chosen(&self, id: Option<&TargetId>) -> Result<Vec<&Opened>, Failure> {
        let chosen: Vec<_> =
            self.targets.iter().filter(|target| id.is_none_or(|id| target.id == *id)).collect();
        if chosen.is_empty() && id.is_some() {
            Err(Failure::refused("lease.unknown_target"))
        } else {
            Ok(chosen)
        }
    }

    /// Whose account a role elevates; `None` where it makes one, or is not there.
    pub(super) fn elevates(&self, order: &Out) -> Option<Whose> {
        let target = self.targets.iter().find(|target| target.id == order.target)?;
        target.roles.iter().find(|role| role.name == order.role)?.elevates.clone()
    }

    /// Says why an order can name no account: the role makes one, or whoever ordered mistyped the target or the role.
    pub(super) fn without_account(&self, order: &Out) -> Failure {
        let Some(target) = self.targets.iter().find(|target| target.id == order.target) else {
            return Failure::refused("lease.unknown_target");
        };
        let is_known = target.roles.iter().any(|role| role.name == order.role);
        Failure::refused(if is_known { "lease.other_kind" } else { "lease.unknown_role" })
    }

    /// Finds somebody by user name.
    pub(super) async fn person(&self, name: &UserName) -> Result<Option<Account>, Failure> {
        Ok(self.store.named(&self.tenant, name.key()).await?)
    }

    /// Finds somebody by user name; where nobody has the name, it is taken for that of an account.
    pub(super) async fn person_or_account(&self, whom: &UserName) -> Result<Account, Failure> {
        let account = match (self.person(whom).await?, whom.as_str().parse::<AccountId>()) {
            (None, Ok(id)) => self.store.get(&self.tenant, id).await?,
            (person, _) => person,
        };
        account.ok_or(Failure::refused("account.unknown"))
    }

    /// Does what an administrator may.
    pub(super) async fn act(&self, account: AccountId, act: AdminAct) -> Result<Account, Failure> {
        let tenant = self.tenant.clone();
        let request = AdminRequest { tenant, store: None, account, act, by: self.by.clone() };
        Ok(self.jit.administer(&request).await??)
    }

    /// What somebody holds now.
    pub(super) fn roles_of(&self, account: &Account) -> Vec<String> {
        let in_force = account.grants.iter().filter(|grant| grant.is_in_force(self.now()));
        let mut roles: Vec<_> = in_force.map(|grant| grant.entitlement.to_string()).collect();
        roles.sort();
        roles.dedup();
        roles
    }

    /// What somebody is called, for people.
    pub(super) fn name_of(account: &Account) -> String {
        account.user_name.as_ref().map(ToString::to_string).unwrap_or_default()
    }

    /// The targets that may have leases, those included that are not configured any longer: the one that is named, or all.
    pub(super) async fn lending(
        &self,
        id: Option<&TargetId>,
    ) -> Result<Vec<(TargetId, Option<&Opened>)>, Failure> {
        let mut all: BTreeMap<_, _> =
            self.targets.iter().map(|target| (target.id.clone(), Some(target))).collect();
        for target in self.jit.missing_targets_of(&self.tenant).await? {
            // One that is there may be missed too, where it leaves alone what is ours.
            all.entry(target).or_insert(None);
        }
        let chosen: Vec<_> = all.into_iter().filter(|(target, _)| id.is_none_or(|id| target == id)).collect();
        if chosen.is_empty() && id.is_some() {
            Err(Failure::refused("lease.unknown_target"))
        } else {
            Ok(chosen)
        }
    }

    /// What is left of a lease if nobody of ours ever runs again.
    pub(super) async fn exposure(&self, account: &Account, lease: &Lease) -> Result<Exposure, Failure> {
        let told = self.jit.exposure(None, account).await?;
        Ok(told.unwrap_or_else(|| lease.exposure(account.id, None)))
    }

    /// The accounts that keep the leases at a target. Those whose records cannot be read go to the others.
    pub(super) async fn leases(
        &self,
        target: &TargetId,
        unreadable: &mut Vec<(TargetId, AccountId)>,
    ) -> Result<Vec<Account>, Failure> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = self.jit.leases(None, &self.tenant, target, after, PAGE).await?;
            found.extend(page.items);
            unreadable.extend(page.unreadable.into_iter().map(|lease| (target.clone(), lease)));
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(found),
            }
        }
    }
}

/// Remembers what holders are called.
#[derive(Default)]
pub(super) struct Names(BTreeMap<AccountId, String>);

impl Names {
    pub(super) async fn of(&mut self, house: &House, id: AccountId) -> Result<String, Failure> {
        if let Some(name) = self.0.get(&id) {
            return Ok(name.clone());
        }
        // a record that cannot be read has its id, and takes no list away
        let account = Record::read(house.store.as_ref(), &house.tenant, id).await?.account();
        let name = account.and_then(|account| account.user_name);
        let name = name.map_or_else(|| id.to_string(), |name| name.to_string());
        self.0.insert(id, name.clone());
        Ok(name)
    }
}
