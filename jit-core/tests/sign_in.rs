//! What a person who signs in may count on.

#[cfg(test)]
mod support;

use std::sync::Arc;

use chrono::TimeDelta;
use jit_core::*;
use serde_json::json;
use support::*;

fn alice() -> serde_json::Value {
    json!({"email": "alice@example.com", "email_verified": true, "preferred_username": "alice",
        "department": "Engineering", "groups": ["editor", "oncall"]})
}

#[tokio::test]
async fn the_first_sign_in_makes_the_account_and_the_second_changes_nothing() {
    let house = house(vec![wire("corp").speaks_for("example.com")]);
    let first = house.enter(0, "s1", alice()).await;
    assert!(first.plan.creates());
    assert_eq!(held_roles(&first.account), ["role:editor", "role:oncall"]);
    assert_eq!(first.account.user_name.as_ref().unwrap().as_str(), "alice");
    assert_eq!(first.account.email.as_ref().unwrap().trust, EmailTrust::Authoritative);
    let second = house.enter(0, "s1", alice()).await;
    assert!(second.plan.is_empty(), "{:?}", second.plan);
    assert_eq!(*second.account, house.get(first.account.id).await);
    assert_eq!(house.all().await.len(), 1);
    let actions: Vec<_> = house.trail().await.iter().map(|event| event.action.to_string()).collect();
    assert_eq!(actions, ["account.created"]);
}

#[tokio::test]
async fn a_returning_sign_in_costs_one_read_and_no_write() {
    let counting = Arc::new(Counting::new(Arc::new(MemoryStore::new())));
    let house =
        house_on(counting.clone(), vec![wire("corp").speaks_for("example.com").links_by_email()], |b| b);
    house.enter(0, "s1", alice()).await;
    counting.take();
    house.enter(0, "s1", alice()).await;
    assert_eq!(counting.take().into_iter().collect::<Vec<_>>(), [("find", 1)]);
}

#[tokio::test]
async fn a_first_sign_in_reads_once_by_identity_and_once_by_address_and_writes_once() {
    let counting = Arc::new(Counting::new(Arc::new(MemoryStore::new())));
    let house =
        house_on(counting.clone(), vec![wire("corp").speaks_for("example.com").links_by_email()], |b| b);
    house.enter(0, "warm", json!({})).await;
    counting.take();
    house.enter(0, "s1", alice()).await;
    let calls: Vec<_> = counting.take().into_iter().collect();
    assert_eq!(calls, [("commit", 1), ("find", 1), ("matching", 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_who_sign_in_first_at_once_all_get_in_to_one_account() {
    let house = Arc::new(house(vec![wire("corp").speaks_for("example.com")]));
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let house = Arc::clone(&house);
            tokio::spawn(async move { house.enter(0, "s1", alice()).await.account.id })
        })
        .collect();
    let mut ids = Vec::new();
    for task in tasks {
        ids.push(task.await.unwrap());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(house.all().await.len(), 1);
    assert_eq!(house.trail().await.len(), 1);
}

#[tokio::test]
async fn a_change_at_the_source_is_taken_over_and_only_its_own_grants_go() {
    let house = house(vec![wire("corp")]);
    let id = house.enter(0, "s1", alice()).await.account.id;
    house.administer(id, AdminAct::Give { entitlement: role("auditor"), ends_at: None }).await.unwrap();
    let next = house.enter(0, "s1", json!({"department": "Sales", "groups": ["editor"]})).await;
    assert_eq!(held_roles(&next.account), ["role:auditor", "role:editor"]);
    let department = AttributeName::new("department").unwrap();
    assert_eq!(next.account.attributes[&department][0].text, "Sales");
    let emptied = house.enter(0, "s1", json!({"groups": []})).await;
    assert_eq!(held_roles(&emptied.account), ["role:auditor"], "empty removes what this source gave");
    assert_eq!(emptied.account.attributes[&department][0].text, "Sales", "absent removes nothing");
}

#[tokio::test]
async fn a_claim_that_is_missing_or_cut_removes_nothing() {
    let house = house(vec![wire("corp")]);
    house.enter(0, "s1", alice()).await;
    let absent = house.enter(0, "s1", json!({"department": "Engineering"})).await;
    assert_eq!(held_roles(&absent.account), ["role:editor", "role:oncall"]);
    let cut = claims(json!({"groups": ["editor"]})).truncated("groups");
    let event = Event::sign_in(attest(&house.attestors[0], "s1", cut), Context::default());
    let Outcome::SignedIn(cut) = house.jit.handle(event).await.unwrap() else { panic!("signed in") };
    assert_eq!(held_roles(&cut.account), ["role:editor", "role:oncall"]);
}

#[tokio::test]
async fn an_expected_name_that_is_taken_gives_way_by_its_strategy() {
    let numbered = PlainMapper { numbered: 3, ..PlainMapper::default() };
    let house = house(vec![
        wire("corp").maps(numbered),
        wire("other"),
        wire("asking").maps(PlainMapper { on_taken: OnNameTaken::Ask, ..PlainMapper::default() }),
    ]);
    let named = |signed_in: SignedIn| signed_in.account.user_name.as_ref().unwrap().as_str().to_owned();
    let said = json!({"preferred_username": "sam"});
    assert_eq!(named(house.enter(0, "s1", said.clone()).await), "sam");
    assert_eq!(named(house.enter(0, "s2", said.clone()).await), "sam2");
    assert_eq!(named(house.enter(0, "s3", said.clone()).await), "sam3");
    assert_eq!(house.denied(0, "s4", said.clone()).await, "name.taken");
    assert_eq!(house.denied(1, "s1", json!({"preferred_username": "SAM"})).await, "name.taken");
    let held = house.held(2, "s1", said).await;
    assert_eq!(held.asks, [Ask::UserName]);
    let reply = |name: &str| Reply { user_name: Some(UserName::new(name).unwrap()), ..Reply::default() };
    let Outcome::Held(again) = house.jit.answer(&held.ticket.unwrap(), reply("Sam")).await.unwrap() else {
        panic!("a taken name is asked for again")
    };
    let Outcome::SignedIn(done) = house.jit.answer(&again.ticket.unwrap(), reply("sammy")).await.unwrap()
    else {
        panic!("signed in")
    };
    assert_eq!(named(*done), "sammy");
}

#[tokio::test]
async fn consent_and_a_name_are_asked_once_and_a_ticket_counts_once() {
    let terms = Ask::Consent("terms-2026".into());
    let asks = [terms.clone(), Ask::UserName, Ask::Password];
    let house = house(vec![wire("corp").decides(move |_| hold(&asks))]);
    let held = house.held(0, "s1", json!({})).await;
    assert_eq!(held.asks, [terms, Ask::UserName, Ask::Password]);
    assert!(house.all().await.is_empty(), "nothing exists before the answer");
    let ticket = held.ticket.unwrap();
    let consents = || ["terms-2026".to_owned()].into();
    let partial = Reply { consents: consents(), ..Reply::default() };
    let Outcome::Held(rest) = house.jit.answer(&ticket, partial).await.unwrap() else { panic!("held") };
    assert_eq!(rest.asks, [Ask::UserName, Ask::Password]);
    let spent = house.jit.answer(&ticket, Reply::default()).await.unwrap_err();
    assert_eq!(spent.code().as_str(), "hold.unknown_ticket");
    let full =
        Reply { user_name: Some(UserName::new("pat").unwrap()), password_taken: true, ..Reply::default() };
    let Outcome::SignedIn(done) = house.jit.answer(&rest.ticket.unwrap(), full).await.unwrap() else {
        panic!("in")
    };
    assert!(done.account.consents.contains_key("terms-2026"));
    assert!(house.enter(0, "s1", json!({})).await.plan.is_empty(), "nothing is asked again");
}

#[tokio::test]
async fn a_held_sign_in_is_over_when_its_time_is() {
    let house = house(vec![wire("corp").decides(|_| hold(&[Ask::UserName]))]);
    let held = house.held(0, "s1", json!({})).await;
    house.clock.advance(TimeDelta::minutes(30));
    let late = house.jit.answer(&held.ticket.unwrap(), Reply::default()).await.unwrap_err();
    assert_eq!(late.code().as_str(), "hold.unknown_ticket");
}

#[tokio::test]
async fn an_account_waits_for_approval_and_is_let_in_or_turned_away_for_good() {
    let house = house(vec![wire("corp").decides(|_| hold(&[Ask::Approval]))]);
    let waiting = house.held(0, "s1", alice()).await;
    assert_eq!(waiting.asks, [Ask::Approval]);
    let id = waiting.account.unwrap();
    assert_eq!(house.get(id).await.state.word(), "pending");
    let again = house.held(0, "s1", alice()).await;
    assert!(again.plan.unwrap().is_empty(), "waiting twice changes nothing");
    house.administer(id, AdminAct::Approve).await.unwrap();
    assert_eq!(house.enter(0, "s1", alice()).await.account.id, id);
    let other = house.held(0, "s2", json!({})).await.account.unwrap();
    house.administer(other, AdminAct::Refuse).await.unwrap();
    assert_eq!(house.denied(0, "s2", json!({})).await, "account.ended");
}

#[tokio::test]
async fn an_invited_guest_comes_into_use_by_proving_the_address_and_ends_on_time() {
    let house =
        house(vec![wire("corp").speaks_for("example.com").links_by_email(), wire("social").links_by_email()]);
    let invitation = Invitation {
        tenant: tenant(),
        store: None,
        email: EmailAddress::new("guest@example.com").unwrap(),
        user_name: None,
        attributes: [(AttributeName::new("sponsor").unwrap(), "alice".to_owned())].into(),
        entitlements: vec![role("reader")],
        ends_at: Some(instant("2026-12-01T00:00:00Z")),
        by: "alice".into(),
    };
    let invited = house.jit.invite(&invitation).await.unwrap().unwrap();
    let said = json!({"email": "guest@example.com", "email_verified": true});
    assert_eq!(house.denied(1, "g1", said.clone()).await, "link.not_authoritative");
    let entered = house.enter(0, "g1", said.clone()).await;
    assert_eq!((entered.account.id, entered.account.state.word()), (invited.id, "active"));
    assert_eq!(held_roles(&entered.account), ["role:reader"]);
    assert_eq!(entered.session.ends_at, invitation.ends_at);
    house.clock.advance(TimeDelta::days(10));
    assert_eq!(
        house.denied(0, "g1", said).await,
        "account.expired",
        "the end counts whether or not a worker ran"
    );
    assert_eq!(house.work().await.done, 1);
    let ended = house.get(invited.id).await;
    assert!(ended.grants.is_empty());
    assert_eq!((ended.state.word(), ended.credential_epoch), ("disabled", entered.session.epoch + 1));
}

#[tokio::test]
async fn explaining_writes_nothing_and_says_what_handling_then_does() {
    let house = house(vec![wire("corp").speaks_for("example.com")]);
    let explained = house.jit.explain(house.event(0, "s1", alice())).await.unwrap();
    let Verdict::SignedIn(plan) = explained.verdict else { panic!("{:?}", explained.verdict) };
    assert!(house.all().await.is_empty() && house.trail().await.is_empty());
    let names =
        |plan: &Plan| plan.changes.iter().map(|planned| planned.change.to_string()).collect::<Vec<_>>();
    assert_eq!(names(&plan), names(&house.enter(0, "s1", alice()).await.plan));
    assert!(explained.steps.iter().any(|step| step.stage == Stage::Map));
    let text = format!("{:?}", explained.steps);
    assert!(!text.contains("alice@example.com") && !text.contains("Engineering"), "no claim values: {text}");
}

#[tokio::test]
async fn a_shadow_is_compared_and_never_counts() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let wire = wire("corp");
    let (connection, attestor) =
        Connection::define(wire.settings, Arc::new(wire.mapper), Arc::new(wire.policy));
    let strict = PlainPolicy {
        decide: Box::new(|_| Decision::Deny(Denial::new(Code::new("policy.denied")))),
        is_pure: true,
    };
    let connection = connection.shadowed_by(Arc::new(PlainMapper::default()), Arc::new(strict));
    let jit = Jit::builder(store).connection(connection).build().unwrap();
    let event = Event::sign_in(attest(&attestor, "s1", claims(alice())), Context::default());
    let Outcome::SignedIn(signed_in) = jit.handle(event).await.unwrap() else {
        panic!("the shadow must not deny")
    };
    let report = signed_in.shadow.unwrap();
    assert!(!report.agrees());
    assert_eq!((report.real.as_str(), report.shadow.as_str()), ("signed_in", "denied: policy.denied"));
    assert!(report.only_real.contains(&"give role:editor".to_owned()));
}

#[tokio::test]
async fn a_connection_uses_the_store_that_it_names() {
    let (main, partners): (Arc<dyn Store>, Arc<dyn Store>) =
        (Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()));
    let mut wire = wire("corp");
    wire.settings.store = Some(StoreId::new("partners").unwrap());
    let house = house_on(main, vec![wire], |builder| {
        builder.store(StoreId::new("partners").unwrap(), partners.clone())
    });
    let id = house.enter(0, "s1", alice()).await.account.id;
    assert!(house.all().await.is_empty());
    assert!(partners.get(&tenant(), id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_lease_is_renewed_when_half_is_gone_and_ends_when_nobody_comes() {
    let lease = TimeDelta::days(10);
    let house = house(vec![wire("corp").decides(move |_| {
        Decision::Permit(Permit { grant_end: Some(GrantEnd::Lease(lease)), ..Permit::default() })
    })]);
    let first = house.enter(0, "s1", json!({"groups": ["editor"]})).await;
    let end = |account: &Account| account.grants[0].ends_at.unwrap();
    house.clock.advance(TimeDelta::days(4));
    assert!(house.enter(0, "s1", json!({"groups": ["editor"]})).await.plan.is_empty());
    house.clock.advance(TimeDelta::days(2));
    let renewed = house.enter(0, "s1", json!({"groups": ["editor"]})).await;
    assert_eq!(end(&renewed.account), end(&first.account) + TimeDelta::days(6));
    house.clock.advance(TimeDelta::days(5));
    assert_eq!(house.work().await.again, 1, "the old end is looked at and moved on");
    house.clock.advance(TimeDelta::days(5));
    assert_eq!(house.work().await.done, 1);
    assert!(house.get(first.account.id).await.grants.is_empty());
}

#[tokio::test]
async fn last_use_is_written_seldom_and_disuse_ends_an_account() {
    let limit = TimeDelta::days(30);
    let house = house(vec![
        wire("corp")
            .decides(move |_| Decision::Permit(Permit { idle_limit: Some(limit), ..Permit::default() })),
    ]);
    let id = house.enter(0, "s1", json!({})).await.account.id;
    house.clock.advance(TimeDelta::days(20));
    house.enter(0, "s1", json!({})).await;
    house.clock.advance(TimeDelta::days(20));
    house.work().await;
    assert_eq!(house.get(id).await.state.word(), "active", "it was used in between");
    house.clock.advance(TimeDelta::days(11));
    assert_eq!(house.denied(0, "s1", json!({})).await, "account.idle");
    house.work().await;
    assert_eq!(house.get(id).await.state.word(), "disabled");
}

#[tokio::test]
async fn a_store_that_is_down_is_transient_and_a_held_sign_in_is_not_lost() {
    let flaky = Arc::new(Counting::new(Arc::new(MemoryStore::new())));
    let house =
        house_on(flaky.clone(), vec![wire("corp").decides(|_| hold(&[Ask::UserName]))], |builder| builder);
    let ticket = house.held(0, "s1", json!({})).await.ticket.unwrap();
    let reply = || Reply { user_name: Some(UserName::new("pat").unwrap()), ..Reply::default() };
    flaky.down.store(1, std::sync::atomic::Ordering::SeqCst);
    let error = house.jit.answer(&ticket, reply()).await.unwrap_err();
    assert_eq!((error.class(), error.code().as_str()), (ErrorClass::Transient, "store.unavailable"));
    assert!(house.all().await.is_empty());
    let Outcome::SignedIn(done) = house.jit.answer(&ticket, reply()).await.unwrap() else {
        panic!("signed in")
    };
    assert_eq!(done.account.user_name.as_ref().unwrap().as_str(), "pat");
}
