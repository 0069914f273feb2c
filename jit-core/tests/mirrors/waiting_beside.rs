//! Sign-ins that wait while somebody else changes the person, at any moment: nobody is let in who does not stand there.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use jit_core::*;

use super::{
    house::{House, members},
    support::{hooked::Hooked, role, tenant},
};

fn waiting() -> Mirroring {
    members().waited_for_by(ConnectionId::new("main").unwrap())
}

/// What somebody else does, such as a source that tells of the person in the same moment.
fn acts(identity: &ExternalKey) -> [Vec<AdminAct>; 5] {
    let give = AdminAct::Give { entitlement: role("editor"), ends_at: None };
    let back = vec![AdminAct::Disable, AdminAct::Reactivate];
    [vec![give], vec![AdminAct::Disable], back, vec![AdminAct::End], vec![AdminAct::Unlink(identity.clone())]]
}

/// Anna is known, and comes to be a member, or is one and is an editor no longer. Before the n-th call of an operation somebody
/// else changes her. Tells whether there was such a call.
async fn comes_beside(operation: &'static str, call: usize, act: usize, was_there: bool) -> bool {
    let hooked = Arc::new(Hooked::new(Arc::new(MemoryStore::new())));
    let house = House::on_store(Arc::clone(&hooked) as Arc<dyn Store>, waiting());
    let before: &[&str] = if was_there { &["member", "editor"] } else { &["viewer"] };
    let id = house.enter(before).await;
    let identity = house.inner.get(id).await.identities[0].key.clone();
    let acts = acts(&identity).into_iter().nth(act).unwrap();
    let beside = House::on_store(Arc::clone(&hooked.inner), waiting());
    let happened = Arc::new(AtomicBool::new(false));
    let happens = Arc::clone(&happened);
    hooked.before(operation, call, move |_| {
        Box::pin(async move {
            happens.store(true, Ordering::SeqCst);
            for act in acts {
                let by = "source".to_owned();
                let request = AdminRequest { tenant: tenant(), store: None, account: id, act, by };
                beside.inner.jit.administer(&request).await.unwrap().unwrap();
            }
        })
    });
    let groups: &[&str] = if was_there { &["member"] } else { &["member", "viewer"] };
    let outcome = house.inner.jit.handle(house.inner.event(0, "anna", House::said(groups))).await;
    hooked.hook.lock().unwrap().take();
    let place = format!("{operation} {call}, act {act}, {was_there}: {outcome:?}");
    let happened = happened.load(Ordering::SeqCst);
    if let Ok(Outcome::SignedIn(done)) = &outcome {
        let now = house.inner.get(id).await;
        assert_eq!(now.standing(house.inner.clock.now()), Standing::Active, "{place}");
        assert!(now.identities.iter().any(|linked| linked.key == identity), "{place}");
        assert_eq!(done.session.epoch, now.credential_epoch, "{place}");
        let there = house.there();
        assert!(matches!(there.as_slice(), [(name, true, _)] if name == "anna"), "{there:?} {place}");
    }
    happened
}

#[tokio::test]
async fn whoever_waits_is_there_though_somebody_else_changes_them_meanwhile() {
    for operation in ["get", "commit"] {
        for (act, was_there) in (0..5).flat_map(|act| [(act, false), (act, true)]) {
            let mut call = 1;
            while comes_beside(operation, call, act, was_there).await {
                call += 1;
            }
            assert!(call > 2, "{operation}: {call}");
        }
    }
}

/// What somebody else gave in the same moment is brought along.
#[tokio::test]
async fn what_is_brought_is_what_was_given_meanwhile() {
    let hooked = Arc::new(Hooked::new(Arc::new(MemoryStore::new())));
    let house = House::on_store(Arc::clone(&hooked) as Arc<dyn Store>, waiting());
    let id = house.enter(&["viewer"]).await;
    let beside = House::on_store(Arc::clone(&hooked.inner), waiting());
    hooked.before("get", 1, move |_| {
        Box::pin(async move {
            let act = AdminAct::Give { entitlement: role("editor"), ends_at: None };
            let by = "source".to_owned();
            let request = AdminRequest { tenant: tenant(), store: None, account: id, act, by };
            beside.inner.jit.administer(&request).await.unwrap().unwrap();
        })
    });
    house.enter(&["viewer", "member"]).await;
    assert_eq!(house.there(), [("anna".to_owned(), true, vec!["Editors".to_owned()])]);
    assert_eq!(house.mirror(id).await.unwrap().task, None);
}

/// The answer was about something else than what is wanted by now.
#[tokio::test]
async fn whoever_is_changed_while_the_target_refuses_them_is_asked_for_once_more() {
    let hooked = Arc::new(Hooked::new(Arc::new(MemoryStore::new())));
    let house = House::on_store(Arc::clone(&hooked) as Arc<dyn Store>, waiting());
    let id = house.enter(&["viewer"]).await;
    let event = || house.inner.event(0, "anna", House::said(&["viewer", "member"]));
    house.script.answer(Some(TargetFault::Unreachable));
    house.inner.jit.handle(event()).await.unwrap_err();
    house.script.answer(None);
    house.chat.plant("anna");
    let beside = House::on_store(Arc::clone(&hooked.inner), waiting());
    let (calls, chat) = (house.script.counts().2, Arc::clone(&house.chat));
    // The call is written down, answered, and that is about to be written down.
    hooked.before("commit", 2, move |_| {
        Box::pin(async move {
            chat.take_out("anna").unwrap();
            let act = AdminAct::Give { entitlement: role("editor"), ends_at: None };
            let by = "source".to_owned();
            let request = AdminRequest { tenant: tenant(), store: None, account: id, act, by };
            beside.inner.jit.administer(&request).await.unwrap().unwrap();
        })
    });
    let outcome = house.inner.jit.handle(event()).await;
    assert!(matches!(outcome, Ok(Outcome::SignedIn(_))), "{outcome:?}");
    assert_eq!(house.script.counts().2 - calls, 2);
    assert_eq!(house.there(), [("anna".to_owned(), true, vec!["Editors".to_owned()])]);
}
