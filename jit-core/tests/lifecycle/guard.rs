//! What guards against a source that errs: leaves that wait, beginnings that are moved, the last administrator.

use std::sync::Arc;

use jit_core::*;
use serde_json::json;

use crate::{facts::*, support::*};

fn none_leave() -> Provisioning {
    let limit = LeaverLimit { most: 0, within: "1h".parse().unwrap(), removals: None };
    Provisioning { leavers: Some(limit), ..Provisioning::default() }
}

fn protected(provisioning: Provisioning) -> House {
    let protection = Protection::new().never_without(role("admin"));
    let scim = wire("scim").ceiling(&["role:*", "role:admin"]).provisions(provisioning);
    house_on(Arc::new(MemoryStore::new()), vec![scim], |builder| builder.protection(protection))
}

async fn waiting(house: &House, connection: &str) -> usize {
    let (connection, limit) =
        (ConnectionId::new(connection).unwrap(), std::num::NonZeroUsize::new(100).unwrap());
    house.jit.parked_leaves(None, &tenant(), Some(&connection), None, limit).await.unwrap().items.len()
}

#[tokio::test]
async fn a_confirmed_leave_of_the_last_administrator_is_a_leave() {
    let house = protected(none_leave());
    let joined = house.taken(said("e1", json!({"groups": ["admin"]}))).await.account;
    assert_eq!(held_roles(&joined), ["role:admin"]);
    assert_eq!(house.taken(said("e1", json!({})).leaves()).await.effect, RecordEffect::Parked);
    let confirmed = house.confirm_leaves(joined.id).await;
    assert!(matches!(confirmed.state, AccountState::Disabled { .. }) && confirmed.grants.is_empty());
}

#[tokio::test]
async fn a_leave_that_waits_is_taken_back_for_somebody_suspended_as_well() {
    let house = house_of_scim(none_leave());
    let id = house.taken(said("e1", json!({}))).await.account.id;
    house.taken(said("e1", json!({})).leaves()).await;
    house.administer(id, AdminAct::Suspend).await.unwrap();
    assert_eq!(waiting(&house, "scim").await, 1);
    house.taken(said("e1", json!({}))).await;
    assert_eq!(waiting(&house, "scim").await, 0);
    assert!(matches!(house.get(id).await.state, AccountState::Suspended { .. }));
}

#[tokio::test]
async fn confirming_leaves_of_two_sources_takes_away_what_both_gave() {
    let okta = || SamePerson { connection: ConnectionId::new("okta").unwrap(), by: NamedBy::Subject };
    let kin = || Provisioning { same_person: vec![okta()], ..none_leave() };
    let house = house(vec![
        wire("scim").provisions(kin()),
        wire("hr").provisions(kin()),
        wire("okta").speaks_for("example.com"),
    ]);
    let id = house.enter(2, "e1", json!({})).await.account.id;
    for (connection, group) in [("scim", "reader"), ("hr", "editor")] {
        house.taken(said_over(connection, "e1", json!({"groups": [group]}))).await;
        house.taken(said_over(connection, "e1", json!({})).leaves()).await;
    }
    assert_eq!(held_roles(&house.get(id).await), ["role:editor", "role:reader"]);
    let confirmed = house.confirm_leaves(id).await;
    assert!(matches!(confirmed.state, AccountState::Disabled { .. }) && confirmed.grants.is_empty());
}

/// Somebody whose leave waits over `scim`, and whose removal waits over `hr`.
async fn waiting_over_two() -> (House, AccountId) {
    let okta = || SamePerson { connection: ConnectionId::new("okta").unwrap(), by: NamedBy::Subject };
    let kin = || Provisioning { same_person: vec![okta()], reactivates: true, ..none_leave() };
    let house = house(vec![
        wire("scim").provisions(kin()),
        wire("hr").provisions(kin()),
        wire("okta").speaks_for("example.com"),
    ]);
    let id = house.enter(2, "e1", json!({})).await.account.id;
    for (connection, group) in [("scim", "reader"), ("hr", "editor")] {
        house.taken(said_over(connection, "e1", json!({"groups": [group]}))).await;
    }
    house.taken(said_over("scim", "e1", json!({})).leaves()).await;
    house.taken(said_over("hr", "e1", json!({})).gone()).await;
    (house, id)
}

async fn leaves_over(house: &House, id: AccountId, connection: &str) -> Vec<WaitingLeave> {
    // As the form of a page carries them.
    let form = serde_json::to_string(&house.get(id).await.waiting_leaves()).unwrap();
    let waiting: Vec<WaitingLeave> = serde_json::from_str(&form).unwrap();
    waiting.into_iter().filter(|leave| leave.key.connection.as_str() == connection).collect()
}

#[tokio::test]
async fn nobody_goes_for_what_another_connection_said() {
    let (house, id) = waiting_over_two().await;
    let of_scim = leaves_over(&house, id, "scim").await;
    let left = house.administer(id, AdminAct::ConfirmLeave(of_scim.clone())).await.unwrap();
    assert!(matches!(left.state, AccountState::Disabled { .. }), "no tombstone: {:?}", left.state);
    assert_eq!(held_roles(&left), ["role:editor"], "hr has given it, and its word waits");
    assert_eq!((waiting(&house, "scim").await, waiting(&house, "hr").await), (0, 1));
    let twice = house.administer(id, AdminAct::ConfirmLeave(of_scim)).await.unwrap_err();
    assert_eq!(twice.code.as_str(), "record.leave_changed");
    let removed =
        house.administer(id, AdminAct::ConfirmLeave(leaves_over(&house, id, "hr").await)).await.unwrap();
    assert!(matches!(removed.state, AccountState::Ended { .. }));
}

#[tokio::test]
async fn a_dismissal_lets_wait_what_another_connection_said() {
    let (house, id) = waiting_over_two().await;
    let of_hr = leaves_over(&house, id, "hr").await;
    let stays = house.administer(id, AdminAct::DismissLeave(of_hr)).await.unwrap();
    assert_eq!(stays.state, AccountState::Active);
    assert_eq!((waiting(&house, "scim").await, waiting(&house, "hr").await), (1, 0));
}

#[tokio::test]
async fn a_leave_that_became_a_removal_or_was_taken_back_is_not_decided_unseen() {
    let house = house_of_scim(none_leave());
    let id = house.taken(said("e1", json!({"groups": ["editor"]}))).await.account.id;
    house.taken(said("e1", json!({})).leaves()).await;
    let seen = house.get(id).await.waiting_leaves();
    assert_eq!(seen.len(), 1);
    let refused = async |act: AdminAct| house.administer(id, act).await.unwrap_err().code;
    let both = async |seen: &[WaitingLeave]| {
        for act in [AdminAct::ConfirmLeave(seen.to_vec()), AdminAct::DismissLeave(seen.to_vec())] {
            assert_eq!(refused(act).await.as_str(), "record.leave_changed");
        }
    };
    // The source removes whom it had let go.
    house.taken(said("e1", json!({})).gone()).await;
    both(&seen).await;
    assert_eq!((waiting(&house, "scim").await, house.get(id).await.state), (1, AccountState::Active));
    // It takes that back, and lets them go anew: it is another leave.
    house.taken(said("e1", json!({"groups": ["editor"]}))).await;
    both(&seen).await;
    house.clock.advance(chrono::TimeDelta::minutes(1));
    house.taken(said("e1", json!({})).leaves()).await;
    both(&seen).await;
    both(&[]).await;
    let account = house.get(id).await;
    assert_eq!((waiting(&house, "scim").await, held_roles(&account)), (1, vec!["role:editor".into()]));
    assert_eq!(house.dismiss_leaves(id).await.state, AccountState::Active);
}

#[tokio::test]
async fn a_leave_waits_no_longer_once_its_identity_is_cut_off() {
    let house = house_of_scim(none_leave());
    let joined = house.taken(said("e1", json!({}))).await.account;
    house.taken(said("e1", json!({})).leaves()).await;
    assert_eq!(waiting(&house, "scim").await, 1);
    house.administer(joined.id, AdminAct::Unlink(joined.identities[0].key.clone())).await.unwrap();
    assert_eq!(waiting(&house, "scim").await, 0);
}

#[tokio::test]
async fn a_source_does_not_move_the_beginning_of_an_account_in_use() {
    let house = house_of_one_source(Provisioning { reactivates: true, ..Provisioning::default() });
    house.enter(1, "e1", json!({})).await;
    house.taken(said("e1", json!({}))).await;
    let later = || said("e1", json!({"department": "sales"})).from(instant("2099-01-01T00:00:00Z"));
    let moved = house.taken(later()).await;
    assert_eq!(
        (moved.account.begins_at, texts(&moved.account, "department")),
        (None, vec!["sales".to_owned()])
    );
    assert_eq!(moved.plan.refusals[0].code.as_str(), "record.has_begun");
    house.enter(1, "e1", json!({})).await;
    // Who has left may be hired again ahead of time.
    house.taken(said("e1", json!({})).leaves()).await;
    let again = house.taken(later()).await;
    assert_eq!(again.account.begins_at, Some(instant("2099-01-01T00:00:00Z")));
}

#[tokio::test]
async fn somebody_who_has_not_begun_is_no_last_administrator() {
    let house = protected(Provisioning::default());
    let present = house.taken(said("e1", json!({"groups": ["admin"]}))).await.account;
    let begin = instant("2027-01-01T00:00:00Z");
    house.taken(said("e2", json!({"groups": ["admin"]})).from(begin)).await;
    let suspended = house.administer(present.id, AdminAct::Suspend).await;
    assert_eq!(suspended.unwrap_err().code.as_str(), "access.last_holder");
}

#[tokio::test]
async fn what_is_said_no_longer_of_somebody_whose_leave_waits_goes() {
    let house = house_of_scim(none_leave());
    let both = json!({"groups": ["editor", "reader"]});
    let id = house.taken(said("e1", both.clone())).await.account.id;
    // What is not said takes nothing away, and what is said no longer goes, be it said with the leave or told anew.
    house.taken(said("e1", json!({})).leaves()).await;
    assert_eq!(held_roles(&house.get(id).await), ["role:editor", "role:reader"]);
    let fewer = house.taken(said("e1", json!({"groups": ["reader"]})).leaves()).await;
    assert_eq!(
        (fewer.effect, held_roles(&fewer.account)),
        (RecordEffect::Parked, vec!["role:reader".into()])
    );
    let told = house.taken(said("e1", json!({"groups": []})).presence(Presence::Unsaid)).await;
    assert_eq!((told.effect, held_roles(&told.account).len()), (RecordEffect::Moved, 0));
    let again = house.taken(said("e1", both).presence(Presence::Unsaid)).await;
    assert_eq!((again.effect, held_roles(&again.account).len()), (RecordEffect::Unchanged, 0));
    assert_eq!((waiting(&house, "scim").await, again.account.state), (1, AccountState::Active));
    assert_eq!(house.refused(said("e2", json!({})).presence(Presence::Unsaid)).await, "record.unknown");
}

#[tokio::test]
async fn what_is_told_of_somebody_whose_leave_was_dismissed_is_no_leave() {
    let house = house_of_scim(none_leave());
    let id = house.taken(said("e1", json!({"groups": ["editor"]}))).await.account.id;
    house.taken(said("e1", json!({})).leaves()).await;
    house.dismiss_leaves(id).await;
    let told = house.taken(said("e1", json!({"groups": ["reader"]})).presence(Presence::Unsaid)).await;
    assert_eq!((told.effect, told.account.state.clone()), (RecordEffect::Moved, AccountState::Active));
    assert_eq!(held_roles(&told.account), ["role:reader"]);
    // An account that is over hears nothing, and a task that tells of it is done.
    house.administer(id, AdminAct::End).await.unwrap();
    let over = house.taken(said("e1", json!({"groups": []})).presence(Presence::Unsaid)).await;
    assert_eq!(over.effect, RecordEffect::Unchanged);
}

/// Keeps what the application is told.
#[derive(Default)]
struct Told(std::sync::Mutex<Vec<String>>);

#[async_trait::async_trait]
impl Notices for Told {
    async fn deliver(&self, task: &Task) -> Result<(), BackendError> {
        match &task.kind {
            TaskKind::Alarm { about, target: None } => {
                self.0.lock().unwrap().push(format!("{about} {}", task.account));
            }
            TaskKind::EndSessions { .. } => self.0.lock().unwrap().push("end sessions".to_owned()),
            _ => {}
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_leave_that_waits_raises_an_alarm_once() {
    let told = Arc::new(Told::default());
    let scim = wire("scim").provisions(none_leave());
    let store = Arc::new(MemoryStore::new());
    let house = house_on(store, vec![scim], |builder| builder.notices(Arc::clone(&told) as _));
    let id = house.taken(said("e1", json!({"groups": ["editor"]}))).await.account.id;
    for claims in [json!({}), json!({"groups": []}), json!({})] {
        house.taken(said("e1", claims).leaves()).await;
        house.clock.advance(chrono::TimeDelta::hours(1));
    }
    house.work().await;
    assert_eq!(*told.0.lock().unwrap(), [format!("record.parked {id}")]);
    // Dismissed, said again: it is another one.
    house.dismiss_leaves(id).await;
    house.taken(said("e1", json!({})).leaves()).await;
    house.work().await;
    assert_eq!(told.0.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn whoever_tells_of_alarms_alone_takes_no_notice_from_whoever_keeps_the_sessions() {
    let [mine, theirs] = [Told::default(), Told::default()].map(Arc::new);
    let limit = LeaverLimit { most: 1, within: "1h".parse().unwrap(), removals: None };
    let provisioning = Provisioning { leavers: Some(limit), ..Provisioning::default() };
    let store = Arc::new(MemoryStore::new());
    let connection = || vec![wire("scim").provisions(provisioning.clone())];
    let application =
        house_on(Arc::clone(&store) as _, connection(), |builder| builder.notices(Arc::clone(&theirs) as _));
    let scim = house_on(store, connection(), |builder| builder.alarms(Arc::clone(&mine) as _));
    for person in ["e1", "e2"] {
        application.taken(said(person, json!({}))).await;
        application.taken(said(person, json!({})).leaves()).await;
    }
    scim.work().await;
    let alarms = mine.0.lock().unwrap().clone();
    assert!(matches!(alarms.as_slice(), [one] if one.starts_with("record.parked")), "{alarms:?}");
    application.work().await;
    assert_eq!(*theirs.0.lock().unwrap(), ["end sessions"]);
}

#[tokio::test]
async fn whoever_keeps_the_sessions_hears_of_what_ended_elsewhere_where_that_is_left_to_them() {
    let [mine, theirs] = [Told::default(), Told::default()].map(Arc::new);
    let store = Arc::new(MemoryStore::new());
    let connection = || vec![wire("scim").provisions(Provisioning::default())];
    let application =
        house_on(Arc::clone(&store) as _, connection(), |builder| builder.notices(Arc::clone(&theirs) as _));
    let scim =
        house_on(store, connection(), |builder| builder.alarms(Arc::clone(&mine) as _).leaves_notices());
    scim.taken(said("e1", json!({}))).await;
    scim.taken(said("e1", json!({})).leaves()).await;
    scim.work().await;
    assert!(mine.0.lock().unwrap().is_empty());
    application.work().await;
    assert_eq!(*theirs.0.lock().unwrap(), ["end sessions"]);
}

#[tokio::test]
async fn too_many_who_left_before_are_not_removed_for_good_at_once() {
    use RecordEffect::{Ended, Parked, Returned};

    let limit = LeaverLimit { most: 3, within: "1h".parse().unwrap(), removals: None };
    let provisioning = Provisioning { leavers: Some(limit), reactivates: true, ..Provisioning::default() };
    let house = house_of_scim(provisioning);
    let people: Vec<_> = (0..6).map(|n| format!("e{n}")).collect();
    for (n, person) in people.iter().enumerate() {
        house.taken(said(person, json!({}))).await;
        house.taken(said(person, json!({})).leaves()).await;
        if n == 2 {
            house.clock.advance(chrono::TimeDelta::hours(1));
        }
    }
    assert_eq!(waiting(&house, "scim").await, 0);
    let mut effects = Vec::new();
    for person in &people {
        effects.push(house.taken(said(person, json!({})).gone()).await.effect);
    }
    assert_eq!(effects, [Ended, Ended, Ended, Parked, Parked, Parked], "they count by themselves");
    let id = async |person: &str| house.hear_of(person).await;
    // Who left before has left, whatever becomes of the removal: their source brings them back, and nobody else does.
    assert_eq!(house.taken(said("e3", json!({}))).await.effect, Returned);
    house.dismiss_leaves(id("e4").await).await;
    assert!(matches!(house.get(id("e4").await).await.state, AccountState::Disabled { .. }));
    assert_eq!(house.taken(said("e4", json!({}))).await.effect, Returned);
    let gone = house.confirm_leaves(id("e5").await).await;
    assert!(matches!(gone.state, AccountState::Ended { .. }));
    assert_eq!(waiting(&house, "scim").await, 0);
}

#[tokio::test]
async fn a_removal_that_waits_is_taken_back_by_its_source_where_that_may_not_bring_people_back() {
    let limit = LeaverLimit { most: 9, within: "1h".parse().unwrap(), removals: Some(0) };
    for reactivates in [false, true] {
        let house =
            house_of_scim(Provisioning { leavers: Some(limit), reactivates, ..Provisioning::default() });
        let id = house.taken(said("e1", json!({"groups": ["editor"]}))).await.account.id;
        if reactivates {
            house.administer(id, AdminAct::Disable).await.unwrap();
        } else {
            house.taken(said("e1", json!({})).leaves()).await;
        }
        assert_eq!(house.taken(said("e1", json!({})).gone()).await.effect, RecordEffect::Parked);
        assert_eq!(waiting(&house, "scim").await, 1);
        let seen = house.get(id).await.waiting_leaves();
        let back = house.taken(said("e1", json!({"groups": ["editor", "reader"]}))).await;
        assert_eq!((back.effect, waiting(&house, "scim").await), (RecordEffect::Moved, 0));
        assert_eq!(back.plan.refusals[0].wish, "activate", "they stay stopped, and the source is told so");
        assert!(!held_roles(&back.account).contains(&"role:reader".to_owned()), "nothing is given");
        let confirmed = house.administer(id, AdminAct::ConfirmLeave(seen)).await;
        assert_eq!(confirmed.unwrap_err().code.as_str(), "record.leave_changed");
        let state = house.get(id).await.state;
        assert!(
            matches!(state, AccountState::Disabled { .. }),
            "nobody is buried whose source has them: {state:?}"
        );
    }
}

/// Two sources of one person, neither of which may remove anybody before an administrator confirmed it.
fn house_of_two_sources() -> House {
    let limit = LeaverLimit { most: 9, within: "1h".parse().unwrap(), removals: Some(0) };
    let okta = || SamePerson { connection: ConnectionId::new("okta").unwrap(), by: NamedBy::Subject };
    let kin = || Provisioning {
        same_person: vec![okta()],
        leavers: Some(limit),
        reactivates: true,
        ..Provisioning::default()
    };
    house(vec![
        wire("scim").provisions(kin()),
        wire("hr").provisions(kin()),
        wire("okta").speaks_for("example.com"),
    ])
}

#[tokio::test]
async fn a_dismissed_removal_keeps_nobody_out_whom_its_source_had_not_let_go() {
    let house = house_of_two_sources();
    let id = house.taken(said_over("scim", "e1", json!({}))).await.account.id;
    house.enter(2, "e1", json!({})).await;
    house.taken(said_over("hr", "e1", json!({}))).await;
    house.taken(said_over("scim", "e1", json!({})).leaves()).await;
    let removed = house.taken(said_over("hr", "e1", json!({})).gone()).await;
    assert_eq!((removed.effect, removed.account.id), (RecordEffect::Parked, id));
    house.dismiss_leaves(id).await;
    let back = house.taken(said_over("scim", "e1", json!({}))).await;
    assert_eq!((back.effect, back.account.state), (RecordEffect::Returned, AccountState::Active));
}

#[tokio::test]
async fn a_dismissed_removal_keeps_nobody_out_of_whom_its_source_had_said_nothing() {
    let house = house_of_two_sources();
    let id = house.taken(said_over("scim", "e1", json!({}))).await.account.id;
    house.enter(2, "e1", json!({})).await;
    house.taken(said_over("scim", "e1", json!({})).leaves()).await;
    let removed = house.taken(said_over("hr", "e1", json!({})).gone()).await;
    assert_eq!((removed.effect, removed.account.id), (RecordEffect::Parked, id));
    house.dismiss_leaves(id).await;
    let back = house.taken(said_over("scim", "e1", json!({}))).await;
    assert_eq!((back.effect, back.account.state), (RecordEffect::Returned, AccountState::Active));
}

#[tokio::test]
async fn a_dismissed_removal_brings_nobody_back_whom_its_source_had_let_go() {
    let house = house_of_two_sources();
    let id = house.taken(said_over("scim", "e1", json!({}))).await.account.id;
    house.enter(2, "e1", json!({})).await;
    let end = house.clock.now() + chrono::TimeDelta::days(1);
    house.taken(said_over("hr", "e1", json!({})).until(end)).await;
    house.clock.advance(chrono::TimeDelta::days(2));
    house.work().await;
    let over = || Code::new("account.expired");
    let is_over = |account: &Account| matches!(&account.state, AccountState::Disabled { reason, .. } if *reason == over());
    assert!(is_over(&house.get(id).await));
    house.taken(said_over("scim", "e1", json!({})).leaves()).await;
    assert_eq!(house.taken(said_over("scim", "e1", json!({})).gone()).await.effect, RecordEffect::Parked);
    house.dismiss_leaves(id).await;
    let longer = house.clock.now() + chrono::TimeDelta::days(9);
    let extended = house.taken(said_over("hr", "e1", json!({})).until(longer)).await;
    assert!(is_over(&extended.account), "one source let them go: {:?}", extended.account.state);
}

impl House {
    /// The account of a person.
    async fn hear_of(&self, subject: &str) -> AccountId {
        let is_theirs =
            |account: &Account| account.identities.iter().any(|own| own.key.subject.as_str() == subject);
        self.all().await.into_iter().find(is_theirs).unwrap().id
    }
}
