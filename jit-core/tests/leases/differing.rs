//! Live accounts that somebody else changed are reported, and what was added to them is taken back when that is asked for.

use chrono::TimeDelta;
use jit_core::*;

use super::{faulty::Fault, house::*};

const APPLY: ReconcileMode = ReconcileMode::Apply { at_most: 10 };

async fn reconcile(house: &House, mode: ReconcileMode) -> Reconciliation {
    house.jit.reconcile(None, &tenant(), &target(), mode).await.unwrap()
}

/// What differs, by the words for it.
fn words(found: &Reconciliation) -> Vec<(AccountId, Vec<&'static str>)> {
    let each = found.differing.iter();
    each.map(|one| (one.lease, one.found.iter().map(Difference::word).collect())).collect()
}

async fn out(house: &House) -> CheckedOut {
    let out = house.out(60).await;
    house.clock.advance(TimeDelta::seconds(1));
    out
}

#[tokio::test]
async fn what_somebody_changed_is_told_with_what_differs() {
    let house = House::new().await;
    let names = ["never", "later", "earlier", "shut", "more", "less", "as it was"];
    let mut lent = Vec::new();
    for _ in names {
        lent.push(out(&house).await);
    }
    let (name, directory) = (|number: usize| lent[number].name.as_str(), &house.directory);
    directory.move_end(name(0), None);
    directory.move_end(name(1), Some(lent[1].until + TimeDelta::hours(1)));
    directory.move_end(name(2), Some(lent[2].until - TimeDelta::minutes(30)));
    directory.shut(name(3));
    directory.join(name(4), "dba");
    directory.leave(name(5), "ops");
    let before = directory.accounts();
    let found = reconcile(&house, ReconcileMode::Report).await;
    let said = |number: usize, word| (lent[number].lease, vec![word]);
    let mut expected = vec![
        said(0, "ends_never"),
        said(1, "ends_later"),
        said(2, "ends_earlier"),
        said(3, "shut"),
        said(4, "holds_more"),
        said(5, "holds_less"),
    ];
    expected.sort();
    assert_eq!(words(&found), expected);
    assert!(found.changed.is_empty() && found.missing.is_empty() && found.suspects.is_empty());
    assert_eq!(directory.accounts(), before, "a report changes nothing");
}

#[tokio::test]
async fn what_was_added_is_taken_back_and_what_was_taken_is_not_given_again() {
    let house = House::new().await;
    let (added, both, shut) = (out(&house).await, out(&house).await, out(&house).await);
    let directory = &house.directory;
    directory.move_end(&added.name, None);
    directory.join(&added.name, "dba");
    let earlier = both.until - TimeDelta::minutes(30);
    directory.move_end(&both.name, Some(earlier));
    directory.leave(&both.name, "ops");
    directory.join(&both.name, "dba");
    directory.shut(&shut.name);
    directory.join(&shut.name, "dba");

    let none = house.jit.reconcile(None, &tenant(), &target(), ReconcileMode::Apply { at_most: 1 }).await;
    assert_eq!(code_of(none), "reconcile.too_many");
    let found = reconcile(&house, APPLY).await;
    let back: Vec<_> = found.differing.iter().map(|one| (one.lease, one.brought_back)).collect();
    let mut expected = vec![(added.lease, true), (both.lease, true), (shut.lease, false)];
    expected.sort();
    assert_eq!(back, expected);
    let settled: Vec<_> =
        found.differing.iter().filter(|one| one.is_settled()).map(|one| one.lease).collect();
    assert_eq!(settled, [added.lease]);

    let now = directory.accounts();
    let (one, two) = (&now[&added.name], &now[&both.name]);
    assert_eq!(
        (one.entitlements.as_slice(), one.ends_at),
        (["ops".to_owned()].as_slice(), Some(added.until))
    );
    assert_eq!((two.entitlements.len(), two.ends_at), (0, Some(earlier)), "somebody took it, and meant it");
    assert!(!now[&shut.name].enabled, "what is shut stays shut");
    let left = reconcile(&house, APPLY).await;
    assert!(left.differing.len() == 2 && left.differing.iter().all(|one| !one.brought_back));
    let actions: Vec<_> = house.trail().await.into_iter().map(|event| event.action.to_string()).collect();
    assert_eq!(actions.iter().filter(|action| *action == "lease.brought_back").count(), 2);
    let before = actions.iter().position(|action| action == "lease.bringing_back");
    let after = actions.iter().position(|action| action == "lease.brought_back");
    assert!(before < after, "it is written down first");
}

#[tokio::test]
async fn the_secret_of_what_is_brought_back_stays_and_its_lease_goes_on() {
    let house = House::new().await;
    let lent = out(&house).await;
    house.directory.join(&lent.name, "dba");
    reconcile(&house, APPLY).await;
    assert!(house.directory.accounts()[&lent.name].admits(lent.secret.reveal(), house.now()));
    let longer =
        house.jit.extend(None, &tenant(), lent.lease, TimeDelta::hours(2), house.by()).await.unwrap();
    assert!(reconcile(&house, ReconcileMode::Report).await.differing.is_empty());
    house.clock.advance(longer - house.now() + TimeDelta::seconds(1));
    house.work().await.unwrap();
    assert!(house.directory.accounts().is_empty());
}

#[tokio::test]
async fn an_extension_whose_answer_is_missing_is_no_difference() {
    let house = House::new().await;
    let lent = out(&house).await;
    // Read twice, written down, then the target.
    house.script.at(3, Fault::FailAfter);
    let extended = house.jit.extend(None, &tenant(), lent.lease, TimeDelta::hours(2), house.by()).await;
    assert!(extended.is_err());
    house.script.clear();
    assert!(house.directory.accounts()[&lent.name].ends_at > Some(lent.until), "the target learnt of it");
    for minutes in [0, 10] {
        house.clock.advance(TimeDelta::minutes(minutes));
        assert!(reconcile(&house, APPLY).await.differing.is_empty());
    }
    house.directory.move_end(&lent.name, None);
    assert_eq!(words(&reconcile(&house, APPLY).await), [(lent.lease, vec!["ends_never"])]);
}
