//! What the leases of all targets of a deployment have in common.

use std::num::NonZeroU32;
use std::path::PathBuf;

use chrono::TimeDelta;
use jit_core::config::Problems;
use jit_core::{Code, JitBuilder, Span};
use serde::Deserialize;

/// How long the records of ended leases are kept unless said otherwise: a year, and what an audit of it takes.
const KEPT_FOR: TimeDelta = TimeDelta::days(400);
/// For how long they are kept at least.
const KEPT_AT_LEAST: TimeDelta = TimeDelta::days(30);

/// Says by what the accounts that are made here are known from those of everybody else.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeploymentSettings {
    /// Stands in every marker.
    pub(crate) name: String,
    /// The file with the key that makes markers: at least 32 bytes, for nobody but its owner to read.
    pub(crate) marker_key: PathBuf,
    /// The files with earlier keys, of which something may be left. Mirrors know the present key alone.
    #[serde(default)]
    pub(crate) former_keys: Vec<PathBuf>,
    /// How many leases one person may have at once, at all targets together.
    #[serde(default)]
    leases_per_holder: Option<NonZeroU32>,
    /// How long the records of leases are kept after they are over.
    #[serde(default)]
    keep_ended_for: Option<Span>,
}

impl DeploymentSettings {
    /// Says to an engine what holds for the leases of all targets.
    pub(crate) fn bound(&self, builder: JitBuilder) -> JitBuilder {
        let builder = builder.keep_ended_for(self.keep_ended_for.map_or(KEPT_FOR, Span::delta));
        match self.leases_per_holder {
            Some(most) => builder.leases_per_holder(most),
            None => builder,
        }
    }

    pub(super) fn check(&self, found: &mut Problems) {
        if self.keep_ended_for.is_some_and(|span| span.delta() < KEPT_AT_LEAST) {
            let message = "must be `30d` at least: the key of a request is known for good, and nothing else";
            found.report_in("keep_ended_for", Code::new("config.out_of_range"), message);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{num::NonZeroUsize, sync::Arc};

    use chrono::{DateTime, Utc};
    use jit_core::{
        Account, AccountState, AccountWrite, Clock as _, Commit, Jit, ManualClock, MarkerKey, MemoryStore,
        MemoryTarget, Mint, TargetId, TargetSetup, TenantId, TimeGuard, UserStore as _, WorkerId,
    };

    use super::*;

    /// How many records go that have been over for so many days, where the configuration says this.
    async fn gone_after(days: i64, keep_ended_for: Option<Span>) -> usize {
        let (clock, store) = (Arc::new(ManualClock::at(DateTime::UNIX_EPOCH)), Arc::new(MemoryStore::new()));
        clock.advance(TimeDelta::days(20_000));
        store.commit(&over(clock.now() - TimeDelta::days(days))).await.unwrap();
        let key = MarkerKey::new("prod", &[5; 32]).unwrap();
        let target = TargetSetup::new(TargetId::new("ad").unwrap(), Arc::new(MemoryTarget::new()), key);
        let builder = Jit::builder(store)
            .clock(Arc::clone(&clock) as _)
            .time_guard(TimeGuard::new(clock))
            .target(target.for_tenants([TenantId::new("acme").unwrap()]));
        let (name, marker_key, former_keys) = ("prod".to_owned(), PathBuf::new(), Vec::new());
        let settings =
            DeploymentSettings { name, marker_key, former_keys, leases_per_holder: None, keep_ended_for };
        let jit = settings.bound(builder).build().unwrap();
        jit.work(&WorkerId::new("w").unwrap(), NonZeroUsize::MIN).await.unwrap().forgotten
    }

    /// A lease that was over since then.
    fn over(since: DateTime<Utc>) -> Commit {
        let (mut mint, tenant) = (Mint::new(since, [1; 16]), TenantId::new("acme").unwrap());
        let state = AccountState::Ended { reason: Code::new("lease.over"), since };
        let mut account = Account::begin(mint.account(), tenant.clone(), state, since);
        let marker = MarkerKey::new("prod", &[5; 32]).unwrap().mark(&tenant, account.id);
        let lease = serde_json::json!({
            "target": "ad", "holder": mint.account().to_string(), "role": "admin", "names_taken": 0,
            "remote": { "name": "jit-1", "marker": marker.as_str() }, "until": since, "latest": since,
            "phase": { "is": "gone", "since": since, "why": "expired" },
        });
        account.lease = Some(Box::new(serde_json::from_value(lease).unwrap()));
        Commit { account: Some(AccountWrite::create(account)), ..Commit::new(tenant) }
    }

    #[tokio::test]
    async fn records_of_ended_leases_go_after_400_days_or_when_the_configuration_says() {
        assert_eq!([gone_after(399, None).await, gone_after(401, None).await], [0, 1]);
        let month: Span = serde_json::from_value(serde_json::json!("31d")).unwrap();
        assert_eq!([gone_after(30, Some(month)).await, gone_after(32, Some(month)).await], [0, 1]);
        let century: Span = serde_json::from_value(serde_json::json!("36500d")).unwrap();
        assert_eq!(gone_after(401, Some(century)).await, 0);
    }
}
