//! Joiners: the account is there before the person comes.

use chrono::TimeDelta;
use jit_core::*;
use serde_json::json;

use crate::{facts::*, support::*};

#[tokio::test]
async fn a_joiner_has_an_account_before_the_first_sign_in() {
    let house = house_of_scim(Provisioning::default());
    let alice = json!({
        "email": "alice@example.com", "email_verified": true, "preferred_username": "alice",
        "department": "research", "groups": ["editor"],
    });
    let joined = house.taken(said("e1", alice.clone())).await;
    assert_eq!(joined.effect, RecordEffect::Joined);
    let account = joined.account;
    assert_eq!(account.standing(instant("2026-11-21T09:00:00Z")), Standing::Active);
    assert_eq!(account.user_name.as_ref().unwrap().as_str(), "alice");
    assert_eq!(texts(&account, "department"), ["research"]);
    assert_eq!(held_roles(&account), ["role:editor"]);
    assert!(
        account
            .grants
            .iter()
            .all(|grant| grant.provenance.source == Source::Connection(ConnectionId::new("scim").unwrap())),
        "what a source gives bears its name"
    );
    assert_eq!(account.last_seen, None, "nobody has used it");
    let again = house.taken(said("e1", alice)).await;
    assert_eq!((again.effect, again.plan.is_empty()), (RecordEffect::Unchanged, true));
    assert_eq!(again.account.version, account.version);
    let trail = house.trail().await;
    assert_eq!(trail.iter().map(|event| event.action.as_str()).collect::<Vec<_>>(), ["record.joined"]);
}

#[tokio::test]
async fn a_joiner_of_next_month_cannot_come_in_before() {
    let house = house_of_one_source(Provisioning::default());
    let begin = instant("2026-12-01T00:00:00Z");
    let joined = house.taken(said("e1", json!({"groups": ["editor"]})).from(begin)).await;
    assert_eq!(joined.account.begins_at, Some(begin));
    assert_eq!(house.denied(1, "e1", json!({})).await, "account.not_begun");
    let earlier = begin - TimeDelta::days(5);
    house.taken(said("e1", json!({"groups": ["editor"]})).from(earlier)).await;
    house.clock.advance(TimeDelta::days(6));
    assert_eq!(
        house.enter(1, "e1", json!({})).await.account.id,
        joined.account.id,
        "time alone lets them in"
    );
}

#[tokio::test]
async fn an_end_that_lies_ahead_is_kept_and_comes_by_itself() {
    let house = house_of_one_source(Provisioning::default());
    let end = instant("2026-12-01T00:00:00Z");
    let joined = house.taken(said("e1", json!({"groups": ["editor"]})).until(end)).await;
    assert_eq!(joined.account.ends_at, Some(end));
    let open = Presence::Active { from: Bound::Unsaid, until: Bound::Open };
    let opened = house.taken(said("e1", json!({"groups": ["editor"]})).presence(open)).await;
    assert_eq!(opened.account.ends_at, None, "the source took back what it said");
    let leaving = Presence::Inactive { at: Some(end) };
    let leaver = house.taken(said("e1", json!({"groups": ["editor"]})).presence(leaving)).await;
    assert_eq!((leaver.account.ends_at, leaver.effect), (Some(end), RecordEffect::Moved));
    house.clock.advance(TimeDelta::days(30));
    assert_eq!(house.denied(1, "e1", json!({})).await, "account.expired");
    house.work().await;
    let over = house.get(joined.account.id).await;
    assert!(over.grants.is_empty() && matches!(over.state, AccountState::Disabled { .. }));
}

#[tokio::test]
async fn a_source_does_not_move_out_an_end_that_an_administrator_set() {
    let house = house_of_scim(Provisioning { reactivates: true, ..Provisioning::default() });
    let id = house.taken(said("e1", json!({}))).await.account.id;
    let end = Some(instant("2026-11-30T00:00:00Z"));
    house.administer(id, AdminAct::SetEnd(end)).await.unwrap();
    let later = said("e1", json!({})).until(instant("2027-11-30T00:00:00Z"));
    assert_eq!(house.taken(later).await.account.ends_at, end);
    let open = Presence::Active { from: Bound::Unsaid, until: Bound::Open };
    assert_eq!(house.taken(said("e1", json!({})).presence(open)).await.account.ends_at, end);
}

#[tokio::test]
async fn what_needs_a_person_to_answer_is_refused() {
    let asks = [Ask::Consent("terms".into()), Ask::UserName, Ask::Password, Ask::Approval];
    for ask in asks {
        let scim = wire("scim").decides(move |_| hold(std::slice::from_ref(&ask)));
        let house = house(vec![scim.provisions(Provisioning::default())]);
        assert_eq!(house.refused(said("e1", json!({}))).await, "record.needs_answer");
        assert!(house.all().await.is_empty());
        assert_eq!(house.trail().await[0].action.as_str(), "record.denied");
    }
}

#[tokio::test]
async fn what_a_source_supposes_to_find_is_checked() {
    let house = house_of_scim(Provisioning::default());
    let post = || said("e1", json!({"preferred_username": "alice"})).expecting(Expected::New);
    let put = || said("e1", json!({"department": "x"})).expecting(Expected::Known);
    assert_eq!(house.refused(put()).await, "record.unknown");
    assert_eq!(house.refused(said("e1", json!({})).gone()).await, "record.unknown");
    let first = house.taken(post().request("r1")).await;
    assert_eq!(house.refused(post()).await, "record.exists");
    let repeated = house.taken(post().request("r1")).await;
    assert_eq!((repeated.effect, repeated.account.id), (RecordEffect::Unchanged, first.account.id));
    house.taken(put()).await;
    let stale = said("e1", json!({"department": "y"})).expecting(Expected::Version(first.account.version));
    assert_eq!(house.refused(stale).await, "record.changed");
    let other = said("e2", json!({"preferred_username": "ALICE"})).expecting(Expected::New);
    assert_eq!(house.refused(other).await, "name.taken");
    assert_eq!(house.all().await.len(), 1);
}

#[tokio::test]
async fn of_many_who_name_one_version_one_wins() {
    let house = house_of_scim(Provisioning::default());
    let version = house.taken(said("e1", json!({}))).await.account.version;
    let house = std::sync::Arc::new(house);
    let writers = (0..30).map(|n| {
        let house = std::sync::Arc::clone(&house);
        let put = said("e1", json!({"department": format!("d{n}")})).expecting(Expected::Version(version));
        tokio::spawn(async move { house.hear(put).await })
    });
    let mut won = 0;
    for writer in writers.collect::<Vec<_>>() {
        match writer.await.unwrap() {
            Outcome::Provisioned(_) => won += 1,
            Outcome::Denied(denied) => assert_eq!(denied.denial.code.as_str(), "record.changed"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn explaining_a_record_says_what_it_would_come_to_and_changes_nothing() {
    let house = house_of_scim(Provisioning::default());
    let event = Event::record(said("e1", json!({"groups": ["editor"]})).by(&house.attestors[0]));
    let explained = house.jit.explain(event).await.unwrap();
    let Verdict::Provisioned(plan, RecordEffect::Joined) = &explained.verdict else {
        panic!("{explained:?}")
    };
    assert!(plan.creates() && !explained.steps.is_empty());
    assert!(house.all().await.is_empty() && house.trail().await.is_empty());
}
