//! Who is told of leaves that wait, and of what ended.

use std::sync::Arc;

use jit_core::*;
use serde_json::json;

use crate::{facts::*, support::*};

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
