//! Ends that come on time, counters that count right, grants that follow their claims.

#[cfg(test)]
mod support;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use jit_core::*;
use serde_json::{Value, json};
use support::{hooked::Hooked, *};

const VICTIM: &str = "alice@example.com";

fn verified(address: &str) -> Value {
    json!({"email": address, "email_verified": true})
}

fn limits(permit: Permit) -> Decision {
    Decision::Permit(permit)
}

#[tokio::test]
async fn an_administrators_earlier_end_is_not_moved_out_by_a_sign_in() {
    let house = house(vec![wire("corp").decides(|_| {
        limits(Permit {
            account_end: Some(AccountEnd::AfterCreation(TimeDelta::days(365))),
            ..Permit::default()
        })
    })]);
    let id = house.enter(0, "s1", json!({})).await.account.id;
    let end = instant("2026-12-01T00:00:00Z");
    house.administer(id, AdminAct::SetEnd(Some(end))).await.unwrap();
    let again = house.enter(0, "s1", json!({})).await.account;
    assert_eq!(again.ends_at, Some(end), "the sign-in lengthened its own account");
}

#[tokio::test]
async fn a_guest_does_not_outstay_the_invitation_by_signing_in() {
    let corp = wire("corp").speaks_for("example.com").links_by_email().decides(|_| {
        limits(Permit {
            account_end: Some(AccountEnd::AfterCreation(TimeDelta::days(365))),
            ..Permit::default()
        })
    });
    let house = house(vec![corp]);
    let end = Some(instant("2026-12-01T00:00:00Z"));
    let invitation = Invitation {
        tenant: tenant(),
        store: None,
        email: EmailAddress::new(VICTIM).unwrap(),
        user_name: None,
        attributes: std::collections::BTreeMap::new(),
        entitlements: Vec::new(),
        ends_at: end,
        by: "root".into(),
    };
    house.jit.invite(&invitation).await.unwrap().unwrap();
    assert_eq!(house.enter(0, "g", verified(VICTIM)).await.account.ends_at, end);
}

#[tokio::test]
async fn a_grant_whose_end_was_moved_forward_ends_then() {
    let house = house(vec![wire("corp")]);
    let id = house.enter(0, "s1", json!({})).await.account.id;
    let give = |days| AdminAct::Give {
        entitlement: role("auditor"),
        ends_at: Some(instant("2026-11-21T09:00:00Z") + TimeDelta::days(days)),
    };
    house.administer(id, give(300)).await.unwrap();
    house.administer(id, give(1)).await.unwrap();
    house.clock.advance(TimeDelta::days(2));
    house.work().await;
    assert!(house.get(id).await.grants.is_empty(), "its task is still due in 300 days");
}

#[tokio::test]
async fn an_end_that_comes_and_goes_makes_no_heap_of_tasks() {
    let house = house(vec![wire("corp").decides(|request| {
        let remote = request.identity.claims().get("remote").values().is_some();
        let grant_end = remote.then_some(GrantEnd::Lease(TimeDelta::days(1)));
        limits(Permit { grant_end, ..Permit::default() })
    })]);
    for _ in 0..20 {
        house.enter(0, "s1", json!({"groups": ["editor"], "remote": true})).await;
        house.enter(0, "s1", json!({"groups": ["editor"]})).await;
    }
    house.clock.advance(TimeDelta::days(2));
    let report = house.work().await;
    assert!(report.done + report.again <= 1, "{report:?}");
}

#[tokio::test]
async fn an_end_that_was_set_while_the_account_was_stopped_comes() {
    let house = house(vec![wire("corp")]);
    let id = house.enter(0, "s1", json!({"groups": ["editor"]})).await.account.id;
    let start = instant("2026-11-21T09:00:00Z");
    house.administer(id, AdminAct::SetEnd(Some(start + TimeDelta::days(10)))).await.unwrap();
    house.administer(id, AdminAct::Disable).await.unwrap();
    house.clock.advance(TimeDelta::days(11));
    house.work().await;
    house.administer(id, AdminAct::SetEnd(Some(start + TimeDelta::days(100)))).await.unwrap();
    house.administer(id, AdminAct::Reactivate).await.unwrap();
    house.clock.advance(TimeDelta::days(100));
    house.work().await;
    let account = house.get(id).await;
    assert_eq!((account.state.word(), account.grants.len()), ("disabled", 0), "no task looks after the end");
}

#[tokio::test]
async fn a_review_that_comes_while_the_account_waits_is_not_lost() {
    let house = house(vec![wire("corp").decides(|_| {
        let permit = Permit {
            idle_limit: Some(TimeDelta::days(30)),
            account_end: Some(AccountEnd::AfterCreation(TimeDelta::days(100))),
            ..Permit::default()
        };
        limits(permit)
    })]);
    let id = house.enter(0, "s1", json!({"groups": ["editor"]})).await.account.id;
    house.administer(id, AdminAct::Suspend).await.unwrap();
    house.clock.advance(TimeDelta::days(31));
    house.work().await;
    house.administer(id, AdminAct::Reactivate).await.unwrap();
    house.clock.advance(TimeDelta::days(100));
    house.work().await;
    let account = house.get(id).await;
    assert_eq!((account.state.word(), account.grants.len()), ("disabled", 0), "no task looks after the end");
}

#[tokio::test]
async fn a_suspended_account_ends_on_its_day() {
    let house = house(vec![wire("corp")]);
    let id = house.enter(0, "s1", json!({"groups": ["editor"]})).await.account.id;
    house.administer(id, AdminAct::SetEnd(Some(instant("2026-12-01T00:00:00Z")))).await.unwrap();
    house.administer(id, AdminAct::Suspend).await.unwrap();
    house.clock.advance(TimeDelta::days(11));
    house.work().await;
    house.clock.advance(TimeDelta::days(300));
    house.work().await;
    assert_eq!(held_roles(&house.get(id).await), [""; 0], "its grants outlive the account's end for ever");
}

#[tokio::test]
async fn an_end_that_the_source_reports_as_past_ends_the_account() {
    let house = house(vec![wire("corp").decides(|request| {
        let left = request.identity.claims().get("left").values().is_some();
        let end = if left { "2026-11-20T00:00:00Z" } else { "2027-11-20T00:00:00Z" };
        limits(Permit { account_end: Some(AccountEnd::At(instant(end))), ..Permit::default() })
    })]);
    let first = house.enter(0, "s1", json!({"groups": ["editor"]})).await;
    assert_eq!(house.denied(0, "s1", json!({"left": true})).await, "account.expired");
    house.work().await;
    let session =
        house.jit.session_account(None, &tenant(), first.account.id, first.session.epoch).await.unwrap();
    assert!(session.is_none(), "the contract is over, the session and the grants live on for a year");
}

#[tokio::test]
async fn disuse_counts_from_the_last_use() {
    let house = house(vec![
        wire("corp")
            .decides(|_| limits(Permit { idle_limit: Some(TimeDelta::hours(4)), ..Permit::default() })),
    ]);
    house.enter(0, "s1", json!({})).await;
    house.clock.advance(TimeDelta::minutes(59));
    house.enter(0, "s1", json!({})).await;
    house.clock.advance(TimeDelta::minutes(3 * 60 + 30));
    let outcome = house.sign_in(0, "s1", json!({})).await;
    assert!(matches!(outcome, Outcome::SignedIn(_)), "unused for 3:30 of 4 hours: {outcome:?}");
}

#[tokio::test]
async fn an_endless_lease_settles() {
    let house = house(vec![wire("corp").decides(|_| {
        limits(Permit { grant_end: Some(GrantEnd::Lease(TimeDelta::MAX)), ..Permit::default() })
    })]);
    house.enter(0, "s1", json!({"groups": ["editor"]})).await;
    let second = house.enter(0, "s1", json!({"groups": ["editor"]})).await;
    assert!(second.plan.is_empty(), "every sign-in writes: {:?}", second.plan);
}

#[test]
fn an_inactivity_limit_comes_back_from_the_store_as_it_was() {
    let mut account = Account::begin(
        Mint::new(instant("2026-01-01T00:00:00Z"), [1; 16]).account(),
        tenant(),
        AccountState::Active,
        instant("2026-01-01T00:00:00Z"),
    );
    account.idle_limit = Some(TimeDelta::milliseconds(90_500));
    let text = serde_json::to_string(&account).unwrap();
    let back: Account = serde_json::from_str(&text).unwrap();
    assert_eq!(back.idle_limit, account.idle_limit, "every sign-in sets the limit anew");
}

fn one_admin(builder: JitBuilder) -> JitBuilder {
    builder.protection(Protection::new().never_without(role("admin")))
}

fn admins(accounts: &[Account], now: DateTime<Utc>) -> usize {
    let holds =
        |account: &&Account| account.standing(now) == Standing::Active && account.holds(&role("admin"), now);
    accounts.iter().filter(holds).count()
}

#[tokio::test]
async fn a_grant_that_has_ended_makes_no_administrator() {
    let house =
        house_on(Arc::new(MemoryStore::new()), vec![wire("corp").ceiling(&["role:admin"])], one_admin);
    house.enter(0, "a", json!({"groups": ["admin"]})).await;
    let b = house.enter(0, "b", json!({})).await.account.id;
    let give = AdminAct::Give { entitlement: role("admin"), ends_at: Some(instant("2026-11-22T09:00:00Z")) };
    house.administer(b, give).await.unwrap();
    house.clock.advance(TimeDelta::days(2)); // no worker has come by yet
    house.enter(0, "a", json!({"groups": []})).await;
    assert_eq!(admins(&house.all().await, house.clock.now()), 1, "nobody administers the tenant");
}

#[tokio::test]
async fn a_bounded_administrator_does_not_stand_in_for_the_lasting_one() {
    let house =
        house_on(Arc::new(MemoryStore::new()), vec![wire("corp").ceiling(&["role:admin"])], one_admin);
    let a = house.enter(0, "a", json!({"groups": ["admin"]})).await.account.id;
    let b = house.enter(0, "b", json!({})).await.account.id;
    let give = AdminAct::Give { entitlement: role("admin"), ends_at: Some(instant("2026-11-22T09:00:00Z")) };
    house.administer(b, give).await.unwrap();
    let _ = house.administer(a, AdminAct::Disable).await;
    house.clock.advance(TimeDelta::days(2));
    house.work().await;
    assert_eq!(admins(&house.all().await, house.clock.now()), 1, "nobody administers the tenant");
}

#[tokio::test]
async fn setting_an_end_does_not_take_the_last_administrator() {
    let house =
        house_on(Arc::new(MemoryStore::new()), vec![wire("corp").ceiling(&["role:admin"])], one_admin);
    let a = house.enter(0, "a", json!({"groups": ["admin"]})).await.account.id;
    let _ = house.administer(a, AdminAct::SetEnd(Some(house.clock.now()))).await;
    assert_eq!(admins(&house.all().await, house.clock.now()), 1, "what `Disable` may not do, `SetEnd` did");
}

#[tokio::test]
async fn protection_that_comes_later_counts_who_is_there() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let before = house_on(Arc::clone(&store), vec![wire("corp").ceiling(&["role:admin"])], |builder| builder);
    for name in ["a", "b", "c"] {
        before.enter(0, name, json!({"groups": ["admin"]})).await;
    }
    let rogue = before.all().await[0].id;
    let house = house_on(store, vec![wire("corp").ceiling(&["role:admin"])], one_admin);
    house.clock.advance(TimeDelta::days(1));
    let stopped = house.administer(rogue, AdminAct::Disable).await;
    assert!(stopped.is_ok(), "one of three administrators cannot be stopped: {stopped:?}");
}

#[tokio::test]
async fn seats_that_come_later_count_who_is_there() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let before = house_on(Arc::clone(&store), vec![wire("corp")], |builder| builder);
    for name in ["a", "b", "c"] {
        before.enter(0, name, json!({})).await;
    }
    let house = house_on(store, vec![wire("corp")], |builder| builder.protection(Protection::new().seats(3)));
    house.clock.advance(TimeDelta::days(1));
    assert_eq!(house.denied(0, "d", json!({})).await, "account.no_seat");
}

#[tokio::test]
async fn a_grant_follows_the_claim_that_gives_it_now() {
    // At first the policy gives the role to whoever is a trainee; later the groups do, and then their list is cut.
    let house = house(vec![wire("corp").decides(|request| {
        let trainee = request.identity.claims().get("trainee").values().is_some();
        let entitlements = if trainee { vec![role("editor")] } else { Vec::new() };
        limits(Permit { entitlements, ..Permit::default() })
    })]);
    house.enter(0, "s1", json!({"trainee": true})).await;
    house.enter(0, "s1", json!({"groups": ["editor"]})).await;
    let cut = claims(json!({})).truncated("groups");
    let event = Event::sign_in(attest(&house.attestors[0], "s1", cut), Context::default());
    let Outcome::SignedIn(cut) = house.jit.handle(event).await.unwrap() else { panic!("signed in") };
    assert_eq!(held_roles(&cut.account), ["role:editor"], "a cut list took access away");
}

/// Maps `groups` and `roles` to roles, as two rules about two claims do.
struct TwoClaims;

impl AttributeMapper for TwoClaims {
    fn map(&self, identity: &VerifiedIdentity) -> Result<Profile, MapError> {
        let mut entitlements = Vec::new();
        for name in ["groups", "roles"] {
            let texts = identity.claims().get(name).values().into_iter().flat_map(ClaimValues::texts);
            entitlements.extend(texts.map(|text| EntitlementWish {
                entitlement: role(&text),
                rule: rule(name),
                claim: Some(name.into()),
            }));
        }
        Ok(Profile { entitlements, ..Profile::default() })
    }
}

#[tokio::test]
async fn what_two_claims_gave_stays_while_one_of_them_is_silent() {
    let wire = wire("corp");
    let (connection, attestor) =
        Connection::define(wire.settings, Arc::new(TwoClaims), Arc::new(wire.policy));
    let jit = Jit::builder(Arc::new(MemoryStore::new())).connection(connection).build().unwrap();
    let sign_in = async |said: Value| {
        let event = Event::sign_in(attest(&attestor, "s1", claims(said)), Context::default());
        let Outcome::SignedIn(done) = jit.handle(event).await.unwrap() else { panic!("signed in") };
        held_roles(&done.account)
    };
    sign_in(json!({"groups": ["editor"], "roles": ["editor"]})).await;
    assert_eq!(sign_in(json!({"groups": []})).await, ["role:editor"], "`roles` said nothing");
}

#[tokio::test]
async fn what_a_rule_gave_by_a_claim_stays_while_the_claim_is_cut() {
    let rules: PolicyRules = config::load(
        "[[rule]]\nname = 'oncall'\nwhen.groups.contains = ['oncall']\npermit.entitlements = ['role:pager']\n\
         [[rule]]\nname = 'all'\npermit = {}\n",
        config::Format::Toml,
        "p",
    )
    .unwrap();
    let policy = RulePolicy::new(&rules).unwrap();
    let house = house(vec![wire("corp").decides(move |request| policy.weigh(request, &mut Trace::off()))]);
    let first = house.enter(0, "s1", json!({"groups": ["oncall"]})).await;
    assert!(held_roles(&first.account).contains(&"role:pager".to_owned()));
    for said in [claims(json!({})).truncated("groups"), claims(json!({}))] {
        let event = Event::sign_in(attest(&house.attestors[0], "s1", said), Context::default());
        let Outcome::SignedIn(cut) = house.jit.handle(event).await.unwrap() else { panic!("signed in") };
        assert_eq!(
            held_roles(&cut.account),
            ["role:oncall", "role:pager"],
            "a silent or cut claim took access away"
        );
    }
}

#[tokio::test]
async fn a_store_that_is_down_does_not_stop_the_ends_in_the_others() {
    let sick = Arc::new(Hooked::new(Arc::new(MemoryStore::new())));
    *sick.failing.lock().unwrap() = Some("claim");
    let house = house_on(Arc::new(MemoryStore::new()), vec![wire("corp")], |builder| {
        builder.store(StoreId::new("partners").unwrap(), sick.clone())
    });
    let id = house.enter(0, "s1", json!({"groups": ["editor"]})).await.account.id;
    house.administer(id, AdminAct::SetEnd(Some(instant("2026-11-22T00:00:00Z")))).await.unwrap();
    house.clock.advance(TimeDelta::days(2));
    let (worker, limit) = (WorkerId::new("w1").unwrap(), std::num::NonZeroUsize::new(100).unwrap());
    let _ = house.jit.work(&worker, limit).await;
    assert_eq!(house.get(id).await.state.word(), "disabled");
}

#[tokio::test]
async fn what_a_sick_store_does_not_take_costs_the_others_nothing() {
    for _ in 0..16 {
        let sick = Arc::new(Hooked::new(Arc::new(MemoryStore::new())));
        let mut partners = wire("partners");
        partners.settings.store = Some(StoreId::new("partners").unwrap());
        let house = house_on(Arc::new(MemoryStore::new()), vec![wire("corp"), partners], |builder| {
            builder.store(StoreId::new("partners").unwrap(), sick.clone())
        });
        let id = house.enter(0, "s1", json!({})).await.account.id;
        house.enter(1, "p1", json!({})).await;
        house.clock.advance(TimeDelta::days(1));
        house.enter(0, "s1", json!({})).await;
        house.enter(1, "p1", json!({})).await;
        *sick.failing.lock().unwrap() = Some("touch");
        let _ = house.jit.flush_seen().await;
        *sick.failing.lock().unwrap() = None;
        house.jit.flush_seen().await.unwrap();
        assert_eq!(
            house.get(id).await.last_seen,
            Some(house.clock.now()),
            "the use of a healthy store is lost"
        );
    }
}

#[tokio::test]
async fn a_contract_that_ended_at_the_source_ends_the_account_by_rule() {
    let rules: PolicyRules = config::load(
        "[[rule]]\nname = 'contract'\npermit.account_end = { claim = 'contract_end' }\n",
        config::Format::Toml,
        "p",
    )
    .unwrap();
    let policy = RulePolicy::new(&rules).unwrap();
    let house = house(vec![wire("corp").decides(move |request| policy.weigh(request, &mut Trace::off()))]);
    let until = |day: &str| json!({"contract_end": day, "groups": ["editor"]});
    assert_eq!(house.denied(0, "s1", until("2026-11-01")).await, "policy.end_passed");
    let entered = house.enter(0, "s1", until("2027-11-01")).await;
    assert_eq!(house.denied(0, "s1", until("2026-11-01")).await, "account.expired");
    let account = house.get(entered.account.id).await;
    assert_eq!((account.state.word(), account.grants.len()), ("disabled", 0));
    assert!(account.credential_epoch > entered.session.epoch, "its sessions are void");
}

#[tokio::test]
async fn disuse_does_not_end_an_account_that_is_used_at_that_moment() {
    let hooked = Arc::new(Hooked::new(Arc::new(MemoryStore::new())));
    let corp = wire("corp")
        .decides(|_| limits(Permit { idle_limit: Some(TimeDelta::days(30)), ..Permit::default() }));
    let house = house_on(hooked.clone(), vec![corp], |builder| builder);
    let id = house.enter(0, "s1", json!({})).await.account.id;
    house.clock.advance(TimeDelta::days(40));
    let used = Seen { tenant: tenant(), account: id, at: house.clock.now() };
    // Somebody on another node was let in a moment ago; the instant arrives while the end is on its way.
    hooked.before("commit", 1, move |store| Box::pin(async move { store.touch(&[used]).await.unwrap() }));
    let (worker, limit) = (WorkerId::new("w1").unwrap(), std::num::NonZeroUsize::new(100).unwrap());
    for _ in 0..2 {
        house.jit.work(&worker, limit).await.unwrap();
        assert_eq!(house.get(id).await.state, AccountState::Active, "disuse ended an account in use");
    }
    house.clock.advance(TimeDelta::days(40));
    house.jit.work(&worker, limit).await.unwrap();
    assert_eq!(house.get(id).await.state.word(), "disabled", "and its end does not come any more");
}
