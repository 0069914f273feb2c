//! Removing records of leases that are over, at a cost that depends on them alone.

use jit_core::{
    Account, AccountState, AccountWrite, Code, Commit, Lease, MarkerKey, Phase, RemoteRef, UserStore,
};

use crate::support::{lease, mint, now, tenant};

/// An account that keeps a lease, which ended when the account changed last or before.
pub(crate) fn leased(number: u64, phase: Phase, updated: &str) -> Account {
    let mut mint = mint(number);
    let updated_at = updated.parse().unwrap();
    let state = match phase {
        Phase::Gone { since, .. } => AccountState::Ended { reason: Code::new("lease.over"), since },
        _ => AccountState::Active,
    };
    let mut account = Account { updated_at, ..Account::begin(mint.account(), tenant(), state, now()) };
    let native = Some(format!("id-{number}"));
    let marker = MarkerKey::new("test", &[5; 32]).unwrap().mark(&tenant(), account.id);
    let remote = RemoteRef { name: "jit-1".into(), place: None, marker, native, home: None };
    account.lease = Some(Box::new(Lease { phase, ..lease(mint.account(), remote) }));
    account
}

pub(crate) async fn write(store: &dyn UserStore, account: Account) {
    let account = Some(AccountWrite::create(account));
    store.commit(&Commit { account, ..Commit::new(tenant()) }).await.unwrap();
}

/// However many are over, those that are named and forgotten are a few looks each, and nobody looks at those that were
/// forgotten before.
#[cfg(feature = "real-postgres")]
#[tokio::test]
async fn forgetting_looks_at_what_is_forgotten_alone() {
    use std::num::NonZeroUsize;

    use chrono::{DateTime, Utc};
    use jit_core::{EndReason, Forgotten};

    let schema = crate::support::server::Schema::new().await;
    let mut config = schema.config();
    config.application_name(schema.name());
    let open = || jit_sql::PostgresStore::open_local(config.clone(), crate::support::server::options());
    let store = open().await.unwrap();
    let instant = |number: u64| now() + chrono::TimeDelta::seconds(i64::try_from(number).unwrap());
    for number in 1_000..3_000 {
        let since = instant(number);
        let phase = Phase::Gone { since, why: EndReason::Expired };
        write(&store, leased(number, phase, &since.to_rfc3339())).await;
    }
    let forget = async |store: &jit_sql::PostgresStore, until, count: usize| {
        let limit = NonZeroUsize::new(count).unwrap();
        let mut forgotten = Vec::new();
        for over in store.long_over(&tenant(), until, None, limit).await.unwrap() {
            forgotten
                .extend(store.get(&tenant(), over.account).await.unwrap().as_ref().and_then(Forgotten::of));
        }
        assert_eq!(forgotten.len(), count);
        store.commit(&Commit { forgotten, ..Commit::new(tenant()) }).await.unwrap();
    };
    forget(&store, DateTime::<Utc>::MAX_UTC, 900).await;
    drop(store);
    // As the server does by itself: what was forgotten before leaves its dead rows to it.
    schema.connect().await.batch_execute("VACUUM ANALYZE jit_account, jit_lookup").await.unwrap();
    let before = schema.looked_at().await;
    let store = open().await.unwrap();
    forget(&store, instant(1_950), 10).await;
    let two = NonZeroUsize::new(2).unwrap();
    let query = jit_core::Query { tenant: tenant(), filter: jit_core::Filter::All, after: None, limit: two };
    assert_eq!(store.list(&query).await.unwrap().items.len(), 2);
    drop(store);
    let looks = schema.looked_at().await - before;
    assert!(looks < 200, "{looks}");
}
