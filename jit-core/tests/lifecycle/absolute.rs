//! Ends are absolute: whoever stopped a person is the one to bring them back, whatever comes in between.

use std::sync::Arc;

use chrono::TimeDelta;
use jit_core::*;
use serde_json::json;

use crate::{facts::*, support::*};

const OPEN: Presence = Presence::Active { from: Bound::Unsaid, until: Bound::Open };

fn returning() -> Provisioning {
    Provisioning { reactivates: true, ..Provisioning::default() }
}

#[tokio::test]
async fn a_suspension_outlasts_the_day_on_which_the_source_ends_the_account() {
    let house = house_of_scim(returning());
    let end = instant("2026-11-30T00:00:00Z");
    let id = house.taken(said("e1", json!({})).until(end)).await.account.id;
    house.administer(id, AdminAct::Suspend).await.unwrap();
    house.clock.advance(TimeDelta::days(30));
    house.work().await;
    house.hear(said("e1", json!({})).presence(OPEN)).await;
    assert_eq!(house.get(id).await.standing(house.clock.now()), Standing::Disabled);
    let back = house.administer(id, AdminAct::Reactivate).await.unwrap();
    assert_eq!(back.standing(house.clock.now()), Standing::Active);
}

#[tokio::test]
async fn whom_an_administrator_stopped_before_the_source_spoke_is_adopted_and_stays_stopped() {
    for signs_in_since in [false, true] {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let before = house_on(Arc::clone(&store), vec![wire("okta")], |builder| builder);
        let id = before.enter(0, "e1", json!({"groups": ["reader"]})).await.account.id;
        let house = house_on(store, vec![scim(returning()), wire("okta")], |builder| builder);
        if signs_in_since {
            house.enter(1, "e1", json!({"groups": ["reader"]})).await;
        }
        house.administer(id, AdminAct::Suspend).await.unwrap();
        let joins = || said("e1", json!({"groups": ["editor"]}));
        let adopted = house.taken(joins()).await;
        assert_eq!((adopted.account.id, adopted.effect), (id, RecordEffect::Adopted));
        assert_eq!(adopted.account.standing(house.clock.now()), Standing::Suspended);
        assert_eq!(adopted.plan.refusals[0].code.as_str(), "account.suspended");
        assert_eq!(held_roles(&adopted.account), ["role:reader"], "what cannot be used is given nothing");
        assert_eq!(house.taken(joins()).await.effect, RecordEffect::Unchanged);
        house.administer(id, AdminAct::Reactivate).await.unwrap();
        assert_eq!(held_roles(&house.taken(joins()).await.account), ["role:editor", "role:reader"]);
        assert_eq!(house.taken(joins().leaves()).await.effect, RecordEffect::Left, "their source can end it");
        assert_eq!(house.denied(1, "e1", json!({})).await, "account.disabled");
    }
}

#[tokio::test]
async fn an_end_that_was_said_of_somebody_else_is_not_lifted_by_who_is_only_now_found() {
    for is_worked_on in [false, true] {
        let okta = wire("okta").speaks_for("example.com").links_by_email();
        let house = house(vec![scim(returning()), okta]);
        let claims = || json!({"email": "alice@example.com", "email_verified": true});
        let end = instant("2026-11-30T00:00:00Z");
        let first = house.taken(said("e1", claims()).until(end)).await.account;
        assert_eq!(house.enter(1, "e2", claims()).await.account.id, first.id);
        let key = first.identities[0].key.clone();
        house.administer(first.id, AdminAct::Unlink(key)).await.unwrap();
        house.clock.advance(TimeDelta::days(60));
        if is_worked_on {
            house.work().await;
        }
        let stopped = house.get(first.id).await;
        for _ in 0..2 {
            assert!(house.refused(said("e2", claims()).presence(OPEN)).await.starts_with("account."));
            assert_eq!(house.get(first.id).await, stopped);
        }
    }
}

#[tokio::test]
async fn whom_a_link_rule_alone_finds_is_not_adopted_while_stopped() {
    let scim = wire("scim").speaks_for("example.com").links_by_email().provisions(returning());
    let house = house(vec![scim, wire("corp").speaks_for("example.com")]);
    let claims = || json!({"email": "alice@example.com", "email_verified": true});
    let id = house.enter(1, "alice-1", claims()).await.account.id;
    house.administer(id, AdminAct::Suspend).await.unwrap();
    let stopped = house.get(id).await;
    assert_eq!(house.refused(said("m1", claims())).await, "account.suspended");
    assert_eq!(house.get(id).await, stopped);
    house.administer(id, AdminAct::Reactivate).await.unwrap();
    let adopted = house.taken(said("m1", claims())).await;
    assert_eq!((adopted.account.id, adopted.effect), (id, RecordEffect::Adopted));
}

#[tokio::test]
async fn whom_two_sources_let_go_comes_back_when_both_say_so() {
    let okta = || SamePerson { connection: ConnectionId::new("okta").unwrap(), by: NamedBy::Subject };
    let hr = wire("hr").provisions(Provisioning { same_person: vec![okta()], ..returning() });
    let house = house(vec![scim(returning()), wire("okta").speaks_for("example.com"), hr]);
    house.enter(1, "e1", json!({})).await;
    for connection in ["scim", "hr"] {
        house.taken(said_over(connection, "e1", json!({}))).await;
    }
    for (first, last) in [("scim", "hr"), ("hr", "scim")] {
        house.taken(said_over("scim", "e1", json!({})).leaves()).await;
        house.taken(said_over("hr", "e1", json!({})).leaves()).await;
        let waits = house.taken(said_over(first, "e1", json!({}))).await;
        assert_eq!(waits.effect, RecordEffect::Moved);
        assert_eq!(house.denied(1, "e1", json!({})).await, "account.disabled", "{last} let them go");
        assert_eq!(house.taken(said_over(first, "e1", json!({}))).await.effect, RecordEffect::Unchanged);
        assert_eq!(house.taken(said_over(last, "e1", json!({}))).await.effect, RecordEffect::Returned);
        house.enter(1, "e1", json!({})).await;
    }
}

#[tokio::test]
async fn a_leaver_with_two_accounts_signs_in_to_neither() {
    let same = SamePerson {
        connection: ConnectionId::new("entra").unwrap(),
        by: NamedBy::Claim("oid".parse().unwrap()),
    };
    let scim = wire("scim").provisions(Provisioning { same_person: vec![same], ..returning() });
    let house = house(vec![scim, wire("entra")]);
    let own = house.enter(1, "pairwise-1", json!({})).await.account.id;
    let other = house.taken(said("o1", json!({}))).await.account.id;
    assert_ne!(own, other, "the first sign-in did not say who it is");
    let claims = || json!({"oid": "o1"});
    assert_eq!(house.enter(1, "pairwise-1", claims()).await.account.id, own);
    house.taken(said("o1", json!({})).leaves()).await;
    assert_eq!(house.denied(1, "pairwise-1", claims()).await, "account.disabled");
    let explained = house.jit.explain(house.event(1, "pairwise-1", claims())).await.unwrap();
    assert!(matches!(explained.verdict, Verdict::Denied(_)), "{explained:?}");
    house.taken(said("o1", json!({}))).await;
    house.enter(1, "pairwise-1", claims()).await;
    house.taken(said("o1", json!({})).gone()).await;
    assert_eq!(house.denied(1, "pairwise-1", claims()).await, "account.ended");
}

#[tokio::test]
async fn an_end_that_an_administrator_set_outlasts_a_shorter_one() {
    let (earlier, end) = (instant("2026-11-29T00:00:00Z"), instant("2026-11-30T00:00:00Z"));
    for later in [OPEN, Presence::Active { from: Bound::Unsaid, until: Bound::At(end + TimeDelta::days(9)) }]
    {
        let house = house_of_scim(returning());
        let id = house.taken(said("e1", json!({}))).await.account.id;
        house.administer(id, AdminAct::SetEnd(Some(end))).await.unwrap();
        assert_eq!(house.taken(said("e1", json!({})).until(earlier)).await.account.ends_at, Some(earlier));
        let moved = house.taken(said("e1", json!({})).presence(later)).await.account;
        assert_eq!((moved.ends_at, moved.end_set_by), (Some(end), Some(Source::Administrator)));
        assert_eq!(house.taken(said("e1", json!({})).presence(later)).await.effect, RecordEffect::Unchanged);
        // Past the administrator's end, the source does not bring back whom its own shorter end had stopped.
        house.taken(said("e1", json!({})).until(earlier)).await;
        house.clock.advance(TimeDelta::days(10));
        house.work().await;
        house.hear(said("e1", json!({})).presence(OPEN)).await;
        assert!(matches!(house.get(id).await.state, AccountState::Disabled { .. }));
        house.administer(id, AdminAct::Reactivate).await.unwrap();
        assert_eq!(house.taken(said("e1", json!({})).presence(OPEN)).await.account.ends_at, None);
    }
}

#[tokio::test]
async fn a_policy_of_sign_ins_does_not_lift_the_end_of_an_administrator_in_two_steps() {
    let corp = wire("corp").decides(|request| {
        let said = request.identity.claims().get("until").values().and_then(ClaimValues::text);
        let account_end = said.map(|text| AccountEnd::At(instant(&text)));
        Decision::Permit(Permit { account_end, ..Permit::default() })
    });
    let house = house(vec![corp]);
    let id = house.enter(0, "s1", json!({})).await.account.id;
    let end = instant("2026-11-30T00:00:00Z");
    house.administer(id, AdminAct::SetEnd(Some(end))).await.unwrap();
    house.enter(0, "s1", json!({"until": "2026-11-29T00:00:00Z"})).await;
    let entered = house.enter(0, "s1", json!({"until": "2027-11-29T00:00:00Z"})).await;
    assert_eq!(entered.account.ends_at, Some(end));
}

#[tokio::test]
async fn an_account_written_before_its_administrators_end_was_kept_apart_knows_it_still() {
    let house = house_of_scim(Provisioning::default());
    let id = house.taken(said("e1", json!({}))).await.account.id;
    let end = instant("2026-11-30T00:00:00Z");
    let ends = house.administer(id, AdminAct::SetEnd(Some(end))).await.unwrap();
    let mut written = serde_json::to_value(&ends).unwrap();
    written.as_object_mut().unwrap().remove("admin_end");
    let read: Account = serde_json::from_value(written).unwrap();
    let mut plan = Plan::new(id);
    let by = Source::Connection(ConnectionId::new("scim").unwrap());
    let earlier = Some(instant("2026-11-29T00:00:00Z"));
    plan.push(Change::SetEnd { at: earlier, by }, Reason::code("test"));
    let shorter = plan.apply(Some(&read), &tenant(), house.clock.now());
    assert_eq!((shorter.ends_at, shorter.end_of_administrator()), (earlier, Some(end)));
}

#[tokio::test]
async fn an_end_that_is_said_while_the_account_is_stopped_holds_afterwards() {
    let house = house_of_scim(Provisioning::default());
    let end = instant("2026-11-27T00:00:00Z");
    let id = house.taken(said("e1", json!({}))).await.account.id;
    house.administer(id, AdminAct::Suspend).await.unwrap();
    let leaving = || said("e1", json!({})).presence(Presence::Inactive { at: Some(end) });
    house.taken(leaving()).await;
    assert_eq!(house.taken(leaving()).await.effect, RecordEffect::Unchanged);
    let back = house.administer(id, AdminAct::Reactivate).await.unwrap();
    assert_eq!((back.ends_at, back.state), (Some(end), AccountState::Active));
}

#[tokio::test]
async fn a_leave_with_a_date_that_overtakes_the_joiner_wins() {
    let house = house_of_scim(Provisioning::default());
    let yesterday = instant("2026-11-20T09:00:00Z");
    let until = Presence::Active { from: Bound::Unsaid, until: Bound::At(yesterday) };
    for (subject, leaves) in [("e1", Presence::Inactive { at: Some(yesterday) }), ("e2", until)] {
        let left =
            house.taken(said(subject, json!({"groups": ["editor"]})).presence(leaves).version(7)).await;
        assert_eq!(left.account.standing(house.clock.now()), Standing::Disabled);
        assert!(left.account.grants.is_empty());
        let late = house.taken(said(subject, json!({})).version(6)).await;
        assert_eq!(late.effect, RecordEffect::Outdated);
    }
}

#[tokio::test]
async fn a_leave_that_overtakes_the_joiner_asks_neither_mapping_nor_policy() {
    let scim = wire("scim").decides(|request| {
        let is_over = request.identity.claims().get("over").values().is_some();
        if is_over { Decision::Deny(Denial::new(Code::new("app.no"))) } else { permit() }
    });
    let house = house(vec![scim.provisions(returning())]);
    let left = house.taken(said("e1", json!({"over": true})).leaves().version(7)).await;
    assert_eq!(left.account.standing(house.clock.now()), Standing::Disabled);
    assert_eq!(house.taken(said("e1", json!({})).version(6)).await.effect, RecordEffect::Outdated);
    assert_eq!(
        house.refused(said("e2", json!({"over": true})).leaves()).await,
        "app.no",
        "nothing to be older than"
    );
    assert_eq!(house.taken(said("e1", json!({})).version(8)).await.effect, RecordEffect::Returned);
}
