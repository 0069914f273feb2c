//! Checking out: who may, what they get, and that asking twice makes no second account.

use std::sync::Arc;

use chrono::TimeDelta;
use jit_core::*;

use super::{faulty::Fault, house::*};

#[tokio::test]
async fn what_is_checked_out_works_until_its_end_and_holds_what_the_role_says() {
    let house = House::new().await;
    let out = house.out(30).await;
    let remote = house.directory.accounts().remove(&out.name).unwrap();
    assert!(remote.admits(out.secret.reveal(), house.now()));
    assert_eq!(remote.entitlements, ["ops"]);
    assert_eq!(out.until, house.now() + TimeDelta::minutes(30));
    assert!(!remote.admits(out.secret.reveal(), out.until), "the target itself refuses it");
    assert_eq!(out.unattended, UnattendedEnd::ServerRefusesLogin);
    assert!(matches!(house.lease(out.lease).await.phase, Phase::Active { .. }));
}

#[tokio::test]
async fn the_secret_is_stored_nowhere() {
    let house = House::new().await;
    let out = house.out(30).await;
    let account = house.store.get(&tenant(), out.lease).await.unwrap().unwrap();
    assert!(!serde_json::to_string(&account).unwrap().contains(out.secret.reveal()));
}

#[tokio::test]
async fn who_may_not_gets_nothing_and_nothing_is_written() {
    let house = House::new().await;
    let request = house.request(30, None);
    let wrong = |change: fn(&mut CheckOut)| {
        let mut request = request.clone();
        change(&mut request);
        request
    };
    for (request, code) in [
        (wrong(|r| r.target = TargetId::new("other").unwrap()), "lease.unknown_target"),
        (wrong(|r| r.role = rule("root")), "lease.unknown_role"),
        (wrong(|r| r.span = TimeDelta::hours(9)), "lease.too_long"),
        (wrong(|r| r.span = TimeDelta::zero()), "lease.too_long"),
        (wrong(|r| r.tenant = TenantId::new("other").unwrap()), "lease.unknown_target"),
        (wrong(|r| r.holder = AccountId::from_uuid(uuid::Uuid::nil())), "lease.unknown_holder"),
        (wrong(|r| r.key = Some("k".repeat(257))), "lease.invalid"),
    ] {
        assert_eq!(code_of(house.jit.check_out(&request).await), code);
    }
    let (_, _, effects, commits) = house.script.counts();
    assert_eq!((effects, commits), (0, 0));
}

#[tokio::test]
async fn a_holder_who_lost_the_role_or_is_out_of_use_gets_nothing() {
    let house = House::new().await;
    let mut holder = house.store.get(&tenant(), house.holder).await.unwrap().unwrap();
    for (change, code) in [
        ((|a: &mut Account| a.grants.clear()) as fn(&mut Account), "lease.not_entitled"),
        (|a| a.ends_at = Some(a.created_at), "lease.holder_inactive"),
    ] {
        let before = holder.clone();
        change(&mut holder);
        let write = AccountWrite::update(&before, holder);
        holder = write.after().clone();
        house.store.commit(&Commit { account: Some(write), ..Commit::new(tenant()) }).await.unwrap();
        assert_eq!(code_of(house.jit.check_out(&house.request(5, None)).await), code);
    }
}

#[tokio::test]
async fn what_is_lent_lends_nothing_in_turn() {
    let house = House::new().await;
    let out = house.out(30).await;
    let request = CheckOut { holder: out.lease, ..house.request(5, None) };
    assert_eq!(code_of(house.jit.check_out(&request).await), "lease.holder_inactive");
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_and_ends_the_old_secret() {
    let house = House::new().await;
    let request = house.request(30, Some("deploy-7"));
    let first = house.jit.check_out(&request).await.unwrap();
    let second = house.jit.check_out(&request).await.unwrap();
    assert_eq!((first.lease, &first.name, first.until), (second.lease, &second.name, second.until));
    assert_eq!(house.directory.accounts().len(), 1);
    let remote = house.directory.accounts().remove(&second.name).unwrap();
    assert!(remote.admits(second.secret.reveal(), house.now()));
    assert!(!remote.admits(first.secret.reveal(), house.now()));
    let other = CheckOut { role: rule("reader"), ..request.clone() };
    assert_eq!(code_of(house.jit.check_out(&other).await), "lease.other_request");
    house.jit.check_in(None, &tenant(), first.lease, house.by()).await.unwrap();
    assert_eq!(code_of(house.jit.check_out(&request).await), "lease.over");
}

#[tokio::test]
async fn while_one_call_is_under_way_another_with_its_key_waits() {
    let mut house = House::new().await;
    // Holder, then the intent; the call to the target never answers.
    house.script.at(2, Fault::KillAfter);
    let request = house.request(30, Some("deploy-8"));
    assert!(run(house.jit.check_out(&request)).is_none());
    let limit = std::num::NonZeroUsize::MIN;
    let under_way = house.jit.leases(None, &tenant(), &target(), None, limit).await.unwrap();
    assert_eq!(under_way.items[0].state, AccountState::Pending { since: house.now() });
    house.restart();
    let error = house.jit.check_out(&request).await.unwrap_err();
    assert_eq!((error.code().as_str(), error.class()), ("lease.in_progress", ErrorClass::Transient));
    house.clock.advance(TimeDelta::minutes(2));
    let out = house.jit.check_out(&request).await.unwrap();
    assert_eq!(house.directory.accounts().len(), 1);
    assert!(house.directory.accounts().remove(&out.name).unwrap().admits(out.secret.reveal(), house.now()));
}

#[tokio::test]
async fn a_name_that_a_stranger_bears_is_left_to_them() {
    let house = House::new().await;
    let probe = house.out(5).await;
    let name = probe.name.clone();
    house.jit.check_in(None, &tenant(), probe.lease, house.by()).await.unwrap();
    // The same key leads to the same names in a house of its own.
    let (first, second) = (House::new().await, House::new().await);
    let request = first.request(5, Some("k"));
    let wished = first.jit.check_out(&request).await.unwrap().name;
    assert_ne!(wished, name);
    second.directory.plant(&wished);
    let out = second.jit.check_out(&request).await.unwrap();
    assert_ne!(out.name, wished);
    second.jit.check_in(None, &tenant(), out.lease, second.by()).await.unwrap();
    assert_eq!(second.directory.accounts().into_keys().collect::<Vec<_>>(), [wished]);
}

#[tokio::test]
async fn where_strangers_bear_every_name_nothing_is_made_and_the_key_says_so() {
    let mut taken: Vec<String> = Vec::new();
    let house = loop {
        // The same key leads to the same names in a house of its own.
        let house = House::new().await;
        for name in &taken {
            house.directory.plant(name);
        }
        match house.jit.check_out(&house.request(5, Some("k"))).await {
            Ok(out) => taken.push(out.name),
            refused => {
                assert_eq!(code_of(refused), "lease.name_taken");
                break house;
            }
        }
    };
    house.pass_minutes(10).await;
    let limit = std::num::NonZeroUsize::MIN;
    let left = house.jit.leases(None, &tenant(), &target(), None, limit).await.unwrap();
    assert!(left.items.is_empty());
    taken.sort();
    assert_eq!(taken.len(), 3);
    assert_eq!(house.directory.accounts().into_keys().collect::<Vec<_>>(), taken, "the strangers alone");
}

#[tokio::test]
async fn extending_moves_both_ends_and_never_beyond_the_longest_time() {
    let house = House::new().await;
    let out = house.out(30).await;
    let longer = house.jit.extend(None, &tenant(), out.lease, TimeDelta::hours(2), house.by()).await.unwrap();
    let until = longer.until;
    assert_eq!(until, house.now() + TimeDelta::hours(2));
    assert_eq!(house.directory.accounts()[&out.name].ends_at, Some(until));
    let latest = house.jit.extend(None, &tenant(), out.lease, TimeDelta::days(9), house.by()).await.unwrap();
    assert_eq!(latest.until, house.now() + TimeDelta::hours(8));
    let more = house.jit.extend(None, &tenant(), out.lease, TimeDelta::days(9), house.by()).await;
    assert_eq!(code_of(more), "lease.too_long");
    assert!(house.directory.accounts()[&out.name].admits(out.secret.reveal(), house.now()));
}

#[tokio::test]
async fn the_trail_names_who_asked_whoever_holds_it() {
    let house = House::new().await;
    house.directory.plant(PERSON);
    let root = Actor::Administrator { name: "root".into() };
    let asked = CheckOut { by: root.clone(), ..house.request(30, None) };
    let lifted = CheckOut { role: rule("lift"), ..asked.clone() };
    let out = house.jit.check_out(&asked).await.unwrap();
    let lent = house.jit.elevate(&lifted, Some(PERSON)).await.unwrap();
    for lease in [out.lease, lent.lease] {
        house.jit.extend(None, &tenant(), lease, TimeDelta::hours(1), root.clone()).await.unwrap();
    }
    let trail = house.trail().await;
    let actions: Vec<_> = trail.iter().map(|event| event.action.as_str()).collect();
    let of = ["lease.intended", "lease.active", "lease.joined", "lease.extending", "lease.extended"];
    assert!(of.iter().all(|action| actions.contains(action)), "{actions:?}");
    assert!(trail.iter().all(|event| event.actor == root), "{trail:?}");
    house.check_in(lent.lease).await;
    let ending = house.trail().await.into_iter().find(|event| event.action.as_str() == "lease.ending");
    assert_eq!(ending.unwrap().actor, house.by());
}

#[tokio::test]
async fn whoever_lost_what_the_role_asks_for_keeps_what_is_lent_and_extends_nothing() {
    let house = House::new().await;
    house.directory.plant(PERSON);
    let (out, lent) = (house.out(30).await, house.lift("lift", 30).await.unwrap());
    let before = house.store.get(&tenant(), house.holder).await.unwrap().unwrap();
    let mut after = before.clone();
    after.grants.clear();
    let write = AccountWrite::update(&before, after);
    house.store.commit(&Commit { account: Some(write), ..Commit::new(tenant()) }).await.unwrap();
    let counts = house.script.counts();
    for (lease, until) in [(out.lease, out.until), (lent.lease, lent.until)] {
        let longer = house.jit.extend(None, &tenant(), lease, TimeDelta::hours(1), house.by()).await;
        assert_eq!(code_of(longer), "lease.not_entitled");
        assert_eq!(house.lease(lease).await.until, until);
    }
    assert_eq!(house.script.counts().2, counts.2, "the target was not asked");
    assert_eq!(house.directory.accounts()[&out.name].ends_at, Some(out.until));
    house.pass_minutes(31).await;
    assert!(!house.directory.accounts().contains_key(&out.name) && !house.person_holds("ops"));
}

#[tokio::test]
async fn a_role_that_was_struck_extends_nothing() {
    let mut house = House::new().await;
    let out = house.out(30).await;
    house.restart_without_roles();
    let longer = house.jit.extend(None, &tenant(), out.lease, TimeDelta::hours(1), house.by()).await;
    assert_eq!(code_of(longer), "lease.not_entitled");
}

#[tokio::test]
async fn a_target_is_unknown_to_tenants_that_it_is_not_open_to() {
    let house = House::new().await;
    house.directory.plant(PERSON);
    let other = TenantId::new("other").unwrap();
    // Somebody with the same grants, by the administrators of another tenant.
    let mut account = house.store.get(&tenant(), house.holder).await.unwrap().unwrap();
    account.tenant = other.clone();
    let commit = Commit { account: Some(AccountWrite::create(account)), ..Commit::new(other.clone()) };
    house.store.commit(&commit).await.unwrap();
    let before = house.script.counts();
    let request = CheckOut { tenant: other.clone(), ..house.request(30, None) };
    assert_eq!(code_of(house.jit.check_out(&request).await), "lease.unknown_target");
    let request = CheckOut { role: rule("lift"), ..request };
    assert_eq!(code_of(house.jit.elevate(&request, Some(PERSON)).await), "lease.unknown_target");
    let compared = house.jit.reconcile(None, &other, &target(), ReconcileMode::Report).await;
    assert_eq!(code_of(compared), "lease.unknown_target");
    assert_eq!(house.script.counts(), before, "nothing was read, written or asked");
    assert!(house.lift("lift", 30).await.is_ok());
}

#[tokio::test]
async fn a_target_that_was_closed_to_a_tenant_lends_nothing_more_and_takes_what_it_lent() {
    let mut house = House::new().await;
    let out = house.out(30).await;
    house.restart_closed();
    let longer = house.jit.extend(None, &tenant(), out.lease, TimeDelta::hours(1), house.by()).await;
    assert_eq!(code_of(longer), "lease.unknown_target");
    house.pass_minutes(31).await;
    assert!(house.directory.accounts().is_empty());
    assert_eq!(house.lease(out.lease).await.phase.word(), "gone");
}

#[tokio::test]
async fn what_an_administrator_removed_or_shut_no_request_brings_back() {
    let house = House::new().await;
    let (removed, shut) = (house.request(30, Some("removed")), house.request(30, Some("shut")));
    let gone = house.jit.check_out(&removed).await.unwrap();
    let closed = house.jit.check_out(&shut).await.unwrap();
    house.directory.take_out(&gone.name).unwrap();
    house.directory.shut(&closed.name);
    assert_eq!(code_of(house.jit.check_out(&removed).await), "lease.over");
    assert_eq!(code_of(house.jit.check_out(&shut).await), "lease.shut_by_others");
    let left = house.directory.accounts();
    assert!(!left.contains_key(&gone.name) && !left[&closed.name].enabled);
    assert!(matches!(house.lease(gone.lease).await.phase, Phase::Gone { why: EndReason::Lost, .. }));
    house.check_in(closed.lease).await;
    assert!(house.directory.accounts().is_empty());
}

#[tokio::test]
async fn what_an_administrator_removed_or_shut_is_not_extended_and_not_called_present() {
    let house = House::new().await;
    let (gone, closed) = (house.out(30).await, house.out(30).await);
    house.directory.take_out(&gone.name).unwrap();
    house.directory.shut(&closed.name);
    let extend = async |lease| {
        let span = TimeDelta::hours(1);
        code_of(house.jit.extend(None, &tenant(), lease, span, house.by()).await)
    };
    assert_eq!(extend(gone.lease).await, "lease.over");
    assert_eq!(extend(closed.lease).await, "lease.shut_by_others");
    assert_eq!(house.lease(gone.lease).await.proof.unwrap().seen, Seeing::Absent);
    assert_eq!(house.lease(closed.lease).await.until, closed.until);
}

#[tokio::test]
async fn a_refused_extension_opens_nothing_for_a_repeated_request() {
    let house = House::new().await;
    let request = house.request(60, Some("shut"));
    let out = house.jit.check_out(&request).await.unwrap();
    house.directory.shut(&out.name);
    let extended = house.jit.extend(None, &tenant(), out.lease, TimeDelta::hours(2), house.by()).await;
    assert_eq!(code_of(extended), "lease.shut_by_others");
    house.clock.advance(TimeDelta::minutes(10));
    assert_eq!(code_of(house.jit.check_out(&request).await), "lease.shut_by_others");
    assert!(!house.directory.accounts()[&out.name].enabled);
}

#[tokio::test]
async fn what_was_removed_after_an_extension_without_an_answer_is_not_made_again() {
    let house = House::new().await;
    let request = house.request(60, Some("k"));
    let out = house.jit.check_out(&request).await.unwrap();
    // Read twice, written down, then the target.
    house.script.at(3, Fault::FailAfter);
    assert!(house.jit.extend(None, &tenant(), out.lease, TimeDelta::hours(2), house.by()).await.is_err());
    house.script.clear();
    house.directory.take_out(&out.name).unwrap();
    house.clock.advance(TimeDelta::minutes(10));
    assert_eq!(code_of(house.jit.check_out(&request).await), "lease.over");
    assert!(house.directory.accounts().is_empty());
    assert!(matches!(house.lease(out.lease).await.phase, Phase::Gone { why: EndReason::Lost, .. }));
}

#[tokio::test]
async fn what_a_server_may_not_know_of_yet_is_not_lost() {
    let house = House::settling(TimeDelta::minutes(5)).await;
    let request = house.request(60, Some("new"));
    let out = house.jit.check_out(&request).await.unwrap();
    house.directory.take_out(&out.name).unwrap();
    let extend = async || house.jit.extend(None, &tenant(), out.lease, TimeDelta::hours(2), house.by()).await;
    assert_eq!(code_of(house.jit.check_out(&request).await), "target.unreachable");
    assert_eq!(code_of(extend().await), "target.unreachable");
    assert!(matches!(house.lease(out.lease).await.phase, Phase::Active { .. }));
    house.clock.advance(TimeDelta::minutes(10));
    assert_eq!(code_of(extend().await), "lease.over");
}

#[tokio::test]
async fn a_request_that_nobody_can_mean_is_refused() {
    let house = House::new().await;
    let purpose = |text: &str| CheckOut { purpose: Some(text.into()), ..house.request(30, None) };
    for request in [house.request(30, Some("")), purpose("\u{1b}[2J"), purpose("a\0b"), purpose("\u{9b}x")] {
        assert_eq!(code_of(house.jit.check_out(&request).await), "lease.invalid");
    }
    house.jit.check_out(&purpose("ticket 4711:\n\tGrüße 🎫")).await.unwrap();
    assert_eq!(house.directory.accounts().len(), 1);
}

#[tokio::test]
async fn an_end_that_would_not_come_later_is_no_extension() {
    let house = House::new().await;
    let out = house.out(60).await;
    let extend = async |minutes| {
        house.jit.extend(None, &tenant(), out.lease, TimeDelta::minutes(minutes), house.by()).await
    };
    for minutes in [59, 60, 0, -5] {
        assert_eq!(code_of(extend(minutes).await), "lease.not_longer", "{minutes}");
    }
    extend(480).await.unwrap();
    assert_eq!(code_of(extend(480).await), "lease.too_long");
    assert_eq!(code_of(extend(1).await), "lease.not_longer", "whatever the longest time is");
}

#[tokio::test]
async fn a_role_that_was_cut_down_prolongs_nothing_of_what_it_was() {
    let house = House::new().await;
    let out = house.out(60).await;
    let extend = async |hours: i64, entitlements: &[&str], minutes| {
        let held = entitlements.iter().map(|held| (*held).to_owned()).collect();
        let holders = vec![Entitlement::role("operator").unwrap()];
        let role = TargetRole::new(TimeDelta::hours(hours), holders).with(held);
        let markers = MarkerKey::new("test", &[5; 32]).unwrap();
        let setup = TargetSetup::new(target(), Arc::clone(&house.directory) as _, markers);
        let setup = setup.for_tenants([tenant()]).role(rule("admin"), role);
        let jit = Jit::builder(Arc::clone(&house.store) as _).clock(Arc::clone(&house.clock) as _);
        let jit = jit.target(setup).build().unwrap();
        jit.extend(None, &tenant(), out.lease, TimeDelta::minutes(minutes), house.by()).await
    };
    assert_eq!(code_of(extend(8, &[], 120).await), "lease.not_entitled");
    assert_eq!(code_of(extend(1, &["ops"], 120).await), "lease.too_long");
    assert_eq!(extend(2, &["ops", "more"], 480).await.unwrap().until, house.now() + TimeDelta::hours(2));
}
