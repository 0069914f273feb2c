//! Live accounts that somebody else changed are reported, and what was added to them is taken back when that is asked for.

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, TimeDelta};
use jit_core::*;

use super::{faulty::Fault, house::*};

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
    let names =
        ["never", "later", "earlier", "shut", "more", "less", "renamed", "moved", "away", "as it was"];
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
    directory.rename(name(6), "backdoor");
    directory.relocate(name(7), Some("elsewhere"));
    directory.relocate(name(8), None);
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
        said(6, "renamed"),
        said(7, "moved"),
        said(8, "moved"),
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

    let none = reconcile(&house, applying(1)).await;
    assert_eq!(none.refused.as_ref().map(Code::as_str), Some("reconcile.too_many"));
    assert_eq!(none.differing.len(), 3);
    assert!(none.differing.iter().all(|one| !one.brought_back), "nothing is acted on");
    let found = reconcile(&house, applying(10)).await;
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
    house.clock.advance(TimeDelta::seconds(1));
    let left = reconcile(&house, applying(10)).await;
    assert!(left.differing.len() == 2 && left.differing.iter().all(|one| !one.brought_back));
    let actions: Vec<_> = house.trail().await.into_iter().map(|event| event.action.to_string()).collect();
    assert_eq!(actions.iter().filter(|action| *action == "lease.brought_back").count(), 2);
    let before = actions.iter().position(|action| action == "lease.bringing_back");
    let after = actions.iter().position(|action| action == "lease.brought_back");
    assert!(before < after, "it is written down first");
}

/// What the trail says of a lease under an action: who, and what beside the name of the account.
async fn told(house: &House, lease: AccountId, action: &str) -> Vec<(Actor, Vec<String>)> {
    let about = |event: &AuditEvent| event.account == Some(lease) && event.action.as_str() == action;
    let trail = house.trail().await.into_iter().filter(about);
    trail.map(|event| (event.actor, event.changes.into_iter().skip(1).collect())).collect()
}

#[tokio::test]
async fn the_trail_says_who_had_what_taken_back_before_it_is_and_after() {
    let house = House::new().await;
    let out = out(&house).await;
    house.directory.move_end(&out.name, None);
    house.directory.join(&out.name, "dba");
    reconcile(&house, applying(10)).await;
    let until = out.until.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let taken = vec![format!("move end from never to {until}"), "withdraw dba".to_owned()];
    let ops = Actor::Administrator { name: "ops".to_owned() };
    for action in ["lease.bringing_back", "lease.brought_back"] {
        assert_eq!(told(&house, out.lease, action).await, [(ops.clone(), taken.clone())], "{action}");
    }
}

#[tokio::test]
async fn what_is_added_after_the_listing_is_named_before_it_is_taken() {
    let house = House::new().await;
    let lent = out(&house).await;
    house.directory.join(&lent.name, "dba");
    house.script.meddle_after_listing(|directory| {
        directory.accounts().keys().for_each(|name| directory.join(name, "root"));
    });
    let found = reconcile(&house, applying(10)).await;
    assert!(found.differing[0].brought_back);
    let named: Vec<_> =
        told(&house, lent.lease, "lease.bringing_back").await.into_iter().map(|(_, what)| what).collect();
    assert_eq!(named, [vec!["withdraw dba"], vec!["withdraw dba", "withdraw root"]]);
    let done = told(&house, lent.lease, "lease.brought_back").await;
    assert_eq!(done[0].1, ["withdraw dba", "withdraw root"]);
}

#[tokio::test]
async fn the_secret_of_what_is_brought_back_stays_and_its_lease_goes_on() {
    let house = House::new().await;
    let lent = out(&house).await;
    house.directory.join(&lent.name, "dba");
    reconcile(&house, applying(10)).await;
    assert!(house.directory.accounts()[&lent.name].admits(lent.secret.reveal(), house.now()));
    let longer =
        house.jit.extend(None, &tenant(), lent.lease, TimeDelta::hours(2), house.by()).await.unwrap();
    assert!(reconcile(&house, ReconcileMode::Report).await.differing.is_empty());
    house.clock.advance(longer.until - house.now() + TimeDelta::seconds(1));
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
        assert!(reconcile(&house, applying(10)).await.differing.is_empty());
    }
    house.directory.move_end(&lent.name, None);
    assert_eq!(words(&reconcile(&house, applying(10)).await), [(lent.lease, vec!["ends_never"])]);
}

/// A target that knows, and tells of, less than there is.
struct Narrow {
    behind: Arc<MemoryTarget>,
    knows: fn(&str) -> bool,
    tells: fn(Listed) -> Listed,
}

jit_core::pass_on! { Target(capabilities, home, ensure, observe, differs) for Narrow => behind;
    async fn holdings(
        &self,
        remote: &RemoteRef,
        asked: &BTreeSet<RemoteEntitlement>,
    ) -> Result<Holdings, BackendError> {
        if !asked.iter().all(|asked| (self.knows)(&asked.name)) {
            return Err(BackendError::new(ErrorKind::Target(TargetFault::Entitlement), "holdings"));
        }
        self.behind.holdings(remote, asked).await
    }

    async fn show(&self, remote: &RemoteRef) -> Result<Option<Listed>, BackendError> {
        Ok(self.behind.show(remote).await?.map(self.tells))
    }

    async fn list(&self, cursor: Option<ListCursor>) -> Result<Listing, BackendError> {
        let Listing::Complete(all) = self.behind.list(cursor).await? else { panic!("whole") };
        Ok(Listing::Complete(all.into_iter().map(self.tells).collect()))
    }
}

/// It does not tell what an account holds.
fn silent(one: Listed) -> Listed {
    Listed { entitlements: None, ..one }
}

/// An engine on what is kept in the house, to which the target knows and tells less.
fn behind(house: &House, knows: fn(&str) -> bool, tells: fn(Listed) -> Listed) -> Jit {
    let narrow = Arc::new(Narrow { behind: Arc::clone(&house.directory), knows, tells });
    let markers = MarkerKey::new("test", &[5; 32]).unwrap();
    let setup = TargetSetup::new(target(), narrow, markers).for_tenants([tenant()]);
    let jit = Jit::builder(Arc::clone(&house.store) as _).clock(Arc::clone(&house.clock) as _);
    jit.target(setup).build().unwrap()
}

#[tokio::test]
async fn what_somebody_took_is_not_given_again_where_the_target_does_not_tell_of_it() {
    let house = House::new().await;
    let lent = out(&house).await;
    house.directory.leave(&lent.name, "ops");
    house.directory.move_end(&lent.name, None);
    let jit = behind(&house, |_| true, silent);
    let found = jit.reconcile(None, &tenant(), &target(), applying(10)).await.unwrap();
    assert_eq!(words(&found), [(lent.lease, vec!["ends_never"])]);
    assert!(!found.differing[0].brought_back);
    assert_eq!(found.partial, Some(Code::new("reconcile.untold")), "that is no answer like any other");
    assert!(house.directory.accounts()[&lent.name].entitlements.is_empty());
}

/// Takes `ops` from every account, and lets it end half an hour earlier.
fn take_from_all(directory: &MemoryTarget) {
    for (name, account) in directory.accounts() {
        directory.leave(&name, "ops");
        directory.move_end(&name, account.ends_at.map(|end| end - TimeDelta::minutes(30)));
    }
}

#[tokio::test]
async fn what_somebody_took_during_the_comparison_is_not_given_again() {
    let house = House::new().await;
    let lent = out(&house).await;
    house.directory.join(&lent.name, "dba");
    house.script.meddle_after_listing(take_from_all);
    let found = reconcile(&house, applying(10)).await;
    assert!(found.differing[0].brought_back);
    let now = &house.directory.accounts()[&lent.name];
    assert_eq!((now.entitlements.len(), now.ends_at), (0, Some(lent.until - TimeDelta::minutes(30))));
    // Now somebody takes an end back that is later, before we do.
    let endless = out(&house).await;
    house.directory.move_end(&endless.name, None);
    house.script.meddle_after_listing(|directory| {
        for (name, account) in directory.accounts().into_iter().filter(|(_, one)| one.ends_at.is_none()) {
            assert!(account.holds("ops", DateTime::default()));
            directory.leave(&name, "ops");
            directory.move_end(&name, Some("2026-11-21T12:05:00Z".parse().unwrap()));
        }
    });
    let (before, asked) = (house.lease(endless.lease).await, house.script.counts().2);
    let found = reconcile(&house, applying(10)).await;
    let one = found.differing.iter().find(|one| one.lease == endless.lease).unwrap();
    assert_eq!((one.brought_back, &one.failed), (false, &None));
    assert_eq!(house.script.counts().2, asked, "nothing is more than it should be");
    assert!(house.directory.accounts()[&endless.name].entitlements.is_empty());
    let after = house.lease(endless.lease).await;
    assert_eq!(Lease { task: before.task, ..after }, before, "and no call is under way");
}

#[tokio::test]
async fn one_that_fails_keeps_no_other_from_its_turn() {
    let house = House::new().await;
    let both = [out(&house).await, out(&house).await];
    for one in &both {
        house.directory.join(&one.name, "dba");
    }
    let first = both.iter().map(|one| one.lease).min().unwrap();
    // Both leases read, the first one again and written down, then the target.
    house.script.at(4, Fault::FailBefore);
    let found = reconcile(&house, applying(10)).await;
    let failed: Vec<_> = found.differing.iter().map(|one| (one.brought_back, one.failed.clone())).collect();
    assert_eq!(failed, [(false, Some(Code::new("target.unreachable"))), (true, None)]);
    let left = reconcile(&house, applying(10)).await;
    assert_eq!(words(&left), [(first, vec!["holds_more"])]);
    assert!(left.differing[0].is_settled(), "a failure keeps nobody from the next attempt");
}

#[tokio::test]
async fn whoever_stood_still_for_too_long_asks_no_more() {
    let house = House::new().await;
    let lent = out(&house).await;
    house.directory.join(&lent.name, "dba");
    house.script.stall(TimeDelta::minutes(2));
    let asked = house.script.counts().2;
    let found = reconcile(&house, applying(10)).await;
    assert_eq!(found.differing[0].failed, Some(Code::new("lease.interrupted")));
    assert_eq!(house.script.counts().2, asked);
    assert!(reconcile(&house, applying(10)).await.differing[0].is_settled());
}

#[tokio::test]
async fn what_a_server_may_not_have_learnt_is_no_difference() {
    let house = House::settling(TimeDelta::minutes(10)).await;
    let lent = house.out(60).await;
    let differs = async |minutes: i64| {
        house.clock.advance(TimeDelta::minutes(minutes));
        !reconcile(&house, ReconcileMode::Report).await.differing.is_empty()
    };
    house.directory.join(&lent.name, "dba");
    assert!(!differs(9).await && differs(2).await);
    house.jit.extend(None, &tenant(), lent.lease, TimeDelta::hours(2), house.by()).await.unwrap();
    house.directory.move_end(&lent.name, Some(lent.until));
    assert!(!differs(9).await, "it may show what was before the extension");
    assert!(differs(2).await);
}

/// `ops` was struck from its configuration.
fn without_ops(mut one: Listed) -> Listed {
    one.entitlements.iter_mut().for_each(|held| held.retain(|held| held != "ops"));
    one
}

#[tokio::test]
async fn what_the_target_does_not_know_any_longer_is_not_missed() {
    let house = House::new().await;
    let lent = out(&house).await;
    let jit = behind(&house, |name| name != "ops", without_ops);
    let report = async || jit.reconcile(None, &tenant(), &target(), ReconcileMode::Report).await.unwrap();
    assert!(report().await.differing.is_empty());
    house.directory.join(&lent.name, "dba");
    assert_eq!(words(&report().await), [(lent.lease, vec!["holds_more"])]);
}
