//! Leavers: out at once, out for good, and back only where that was decided.

use jit_core::{
    RecordEffect::{Left, Parked},
    *,
};
use serde_json::json;

use crate::{facts::*, support::*};

#[tokio::test]
async fn whoever_leaves_is_out_at_once_and_no_sign_in_brings_them_back() {
    let house = house_of_one_source(Provisioning::default());
    house.taken(said("e1", json!({"groups": ["editor"]}))).await;
    let session = house.enter(1, "e1", json!({})).await;
    let left = house.taken(said("e1", json!({"groups": ["editor"]})).leaves()).await;
    assert_eq!(left.effect, RecordEffect::Left);
    assert!(left.account.grants.is_empty());
    let (id, epoch) = (left.account.id, session.session.epoch);
    assert!(left.account.credential_epoch > epoch, "sessions and tokens are void");
    assert!(house.jit.session_account(None, &tenant(), id, epoch).await.unwrap().is_none());
    assert_eq!(house.denied(1, "e1", json!({"groups": ["editor"]})).await, "account.disabled");
    let again = house.taken(said("e1", json!({"groups": ["editor"]})).leaves()).await;
    assert_eq!((again.effect, again.account.version), (RecordEffect::Unchanged, left.account.version));
}

#[tokio::test]
async fn a_leave_asks_neither_mapping_nor_policy() {
    let scim = wire("scim").decides(|request| {
        let is_known = request.present.account().is_some();
        if is_known { Decision::Deny(Denial::new(Code::new("app.no"))) } else { permit() }
    });
    let house = house(vec![scim.provisions(Provisioning::default())]);
    house.taken(said("e1", json!({}))).await;
    assert_eq!(house.refused(said("e1", json!({}))).await, "app.no");
    assert_eq!(house.taken(said("e1", json!({})).in_part().leaves()).await.effect, RecordEffect::Left);
    assert_eq!(house.taken(said("e1", json!({})).gone()).await.effect, RecordEffect::Ended);
}

#[tokio::test]
async fn an_end_that_the_policy_sets_comes_with_the_record_once() {
    let limit = LeaverLimit { most: 0, within: "1h".parse().unwrap(), removals: None };
    let scim = wire("scim").decides(|request| {
        let over = request.identity.claims().get("over").values().is_some();
        let account_end = over.then(|| AccountEnd::At(instant("2026-11-20T00:00:00Z")));
        Decision::Permit(Permit { account_end, ..Permit::default() })
    });
    let house =
        house(vec![scim.provisions(Provisioning { leavers: Some(limit), ..Provisioning::default() })]);
    let over = || said("e1", json!({"over": true, "department": "sales", "groups": ["editor"]}));
    assert_eq!(house.refused(over()).await, "account.expired");
    house.taken(said("e1", json!({"department": "research", "groups": ["editor"]}))).await;
    let ended = house.taken(over()).await;
    assert_eq!((ended.effect, texts(&ended.account, "department")), (Left, vec!["sales".to_owned()]));
    assert!(matches!(ended.account.state, AccountState::Disabled { .. }) && ended.account.grants.is_empty());
    assert_eq!(house.taken(over()).await.effect, RecordEffect::Unchanged);
}

#[tokio::test]
async fn coming_back_is_a_policy_of_the_connection() {
    for reactivates in [false, true] {
        let house = house_of_one_source(Provisioning { reactivates, ..Provisioning::default() });
        house.taken(said("e1", json!({"groups": ["editor"]}))).await;
        house.taken(said("e1", json!({})).leaves()).await;
        let back = said("e1", json!({"groups": ["editor"]}));
        if reactivates {
            let back = house.taken(back).await;
            assert_eq!(back.effect, RecordEffect::Returned);
            assert_eq!(held_roles(&back.account), ["role:editor"]);
            house.enter(1, "e1", json!({})).await;
        } else {
            assert_eq!(house.refused(back).await, "account.disabled");
        }
    }
}

#[tokio::test]
async fn a_source_brings_nobody_back_whom_an_administrator_stopped() {
    let house = house_of_scim(Provisioning { reactivates: true, ..Provisioning::default() });
    for (subject, first) in [("e1", AdminAct::Disable), ("e2", AdminAct::Suspend)] {
        let id = house.taken(said(subject, json!({}))).await.account.id;
        house.administer(id, first).await.unwrap();
        house.taken(said(subject, json!({})).leaves()).await;
        assert_eq!(house.refused(said(subject, json!({}))).await, "account.disabled");
    }
    // Who had left already can be stopped by the administrator as well, and stays so.
    let id = house.taken(said("e3", json!({}))).await.account.id;
    house.taken(said("e3", json!({})).leaves()).await;
    house.administer(id, AdminAct::Disable).await.unwrap();
    assert_eq!(house.refused(said("e3", json!({}))).await, "account.disabled");
}

#[tokio::test]
async fn whoever_is_gone_leaves_a_tombstone_that_blocks_sign_ins_and_records() {
    let house = house_of_one_source(Provisioning { reactivates: true, ..Provisioning::default() });
    let said_of = json!({"email": "alice@example.com", "email_verified": true});
    house.taken(said("e1", said_of.clone())).await;
    let gone = house.taken(said("e1", said_of.clone()).gone()).await;
    assert_eq!(gone.effect, RecordEffect::Ended);
    assert_eq!(house.taken(said("e1", said_of.clone()).gone()).await.effect, RecordEffect::Unchanged);
    assert_eq!(house.denied(1, "e1", said_of.clone()).await, "account.ended", "never signed in before");
    assert_eq!(house.refused(said("e1", said_of.clone())).await, "account.ended");
    assert_eq!(
        house.refused(said("e2", said_of.clone())).await,
        "account.ended",
        "the address is still theirs"
    );
    house.administer(gone.account.id, AdminAct::Release).await.unwrap();
    let anew = house.taken(said("e1", said_of)).await;
    assert_eq!(anew.effect, RecordEffect::Joined);
    assert_ne!(anew.account.id, gone.account.id);
}

#[tokio::test]
async fn a_leave_that_overtakes_the_joiner_wins() {
    let house = house_of_one_source(Provisioning::default());
    house.taken(said("e1", json!({})).gone().version(7)).await;
    assert_eq!(house.hear_code(said("e1", json!({})).version(6)).await, "record.outdated");
    assert_eq!(house.denied(1, "e1", json!({})).await, "account.ended");
    house.taken(said("e2", json!({})).leaves().version(7)).await;
    assert_eq!(house.hear_code(said("e2", json!({})).version(6)).await, "record.outdated");
    assert_eq!(house.denied(1, "e2", json!({})).await, "account.disabled");
}

#[tokio::test]
async fn who_joins_as_inactive_comes_into_use_when_the_source_says_so() {
    let house = house_of_one_source(Provisioning { reactivates: true, ..Provisioning::default() });
    let joined = house.taken(said("e1", json!({"groups": ["editor"]})).leaves()).await;
    assert_eq!(joined.effect, RecordEffect::Joined);
    assert!(joined.account.grants.is_empty());
    assert_eq!(house.denied(1, "e1", json!({})).await, "account.disabled");
    let active = house.taken(said("e1", json!({"groups": ["editor"]}))).await;
    assert_eq!((active.effect, active.account.state.clone()), (RecordEffect::Returned, AccountState::Active));
    house.enter(1, "e1", json!({})).await;
}

#[tokio::test]
async fn when_too_many_leave_at_once_the_others_wait_for_an_administrator() {
    let limit = LeaverLimit { most: 2, within: "1h".parse().unwrap(), removals: None };
    let house = house_of_scim(Provisioning { leavers: Some(limit), ..Provisioning::default() });
    let people: Vec<_> = (0..6).map(|n| format!("e{n}")).collect();
    for person in &people {
        house.taken(said(person, json!({"groups": ["editor"]}))).await;
    }
    let mut effects = Vec::new();
    for person in &people {
        effects.push(house.taken(said(person, json!({})).leaves()).await.effect);
    }
    assert_eq!(effects, [Left, Left, Parked, Parked, Parked, Parked]);
    assert_eq!(
        house.taken(said("e0", json!({})).gone()).await.effect,
        RecordEffect::Ended,
        "stopped already"
    );
    let waiting = house.parked().await;
    assert_eq!(waiting.len(), 4);
    assert!(
        waiting.iter().all(|account| account.state == AccountState::Active && !account.grants.is_empty())
    );
    // The source repeats itself, also in the next span: what waits waits.
    house.clock.advance(chrono::TimeDelta::hours(1));
    let again = house.taken(said("e2", json!({})).leaves()).await;
    assert_eq!((again.effect, again.plan.is_empty()), (Parked, true));
    let confirmed = house.confirm_leaves(waiting[0].id).await;
    assert!(matches!(confirmed.state, AccountState::Disabled { .. }) && confirmed.grants.is_empty());
    let dismissed = house.dismiss_leaves(waiting[1].id).await;
    assert_eq!(dismissed.state, AccountState::Active);
    let back = house.taken(said("e4", json!({"groups": ["editor"]}))).await;
    assert_eq!(back.effect, RecordEffect::Moved, "the source took it back");
    assert_eq!(house.parked().await.len(), 1);
    assert_eq!(house.taken(said("e3", json!({})).leaves()).await.effect, Left, "the next span has room");
}

#[tokio::test]
async fn the_limit_on_leavers_holds_when_they_come_at_once() {
    let limit = LeaverLimit { most: 5, within: "1h".parse().unwrap(), removals: None };
    let house = house_of_scim(Provisioning { leavers: Some(limit), ..Provisioning::default() });
    for n in 0..30 {
        house.taken(said(&format!("e{n}"), json!({}))).await;
    }
    let house = std::sync::Arc::new(house);
    let leaving = (0..30).map(|n| {
        let house = std::sync::Arc::clone(&house);
        tokio::spawn(async move { house.taken(said(&format!("e{n}"), json!({})).gone()).await.effect })
    });
    let mut ended = 0;
    for task in leaving.collect::<Vec<_>>() {
        ended += usize::from(task.await.unwrap() == RecordEffect::Ended);
    }
    assert_eq!(ended, 5);
    assert_eq!(house.parked().await.len(), 25);
}

impl House {
    async fn hear_code(&self, said: Said) -> String {
        match self.hear(said).await {
            Outcome::Provisioned(provisioned) => provisioned.effect.code().to_string(),
            Outcome::Denied(denied) => denied.denial.code.to_string(),
            other => panic!("{other:?}"),
        }
    }

    async fn parked(&self) -> Vec<Account> {
        let (connection, limit) =
            (ConnectionId::new("scim").unwrap(), std::num::NonZeroUsize::new(100).unwrap());
        self.jit.parked_leaves(None, &tenant(), Some(&connection), None, limit).await.unwrap().items
    }
}
