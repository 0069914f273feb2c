//! Whoever came first with somebody else's address: kept out for good, and never in the owner's way.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[cfg(test)]
mod support;

use std::sync::Arc;

use chrono::TimeDelta;
use jit_core::*;
use serde_json::{Value, json};
use support::{hooked::Hooked, *};

const VICTIM: &str = "alice@example.com";

fn verified(address: &str) -> Value {
    json!({"email": address, "email_verified": true})
}

fn employee_of(connection: &str) -> LinkBy {
    LinkBy::Attribute {
        claim: ClaimPath::new("employee").unwrap(),
        attribute: AttributeName::new("employee").unwrap(),
        given_by: vec![ConnectionId::new(connection).unwrap()],
    }
}

fn employee() -> LinkBy {
    LinkBy::Attribute {
        claim: ClaimPath::new("employee").unwrap(),
        attribute: AttributeName::new("employee").unwrap(),
        given_by: Vec::new(),
    }
}

fn limits(permit: Permit) -> Decision {
    Decision::Permit(permit)
}

/// Mallory registers Alice's address at a source that does not verify addresses but does tell employee numbers truly.
#[tokio::test]
async fn what_a_cut_off_owner_brought_does_not_lead_back_in() {
    let house = house(vec![
        wire("corp").speaks_for("example.com").links_by_email(),
        wire("other").links_by(employee()),
    ]);
    let said = json!({"email": VICTIM, "employee": "M-1"});
    house.enter(1, "mallory", said.clone()).await;
    let alice = house.enter(0, "alice-1", verified(VICTIM)).await.account;
    assert_eq!(alice.identities.len(), 1, "Mallory is cut off");
    if let Outcome::SignedIn(back) = house.sign_in(1, "mallory", said).await {
        assert_ne!(back.account.id, alice.id, "Mallory is back in Alice's account");
    }
}

/// Mallory's own source tells any employee number; the company's source links by it.
#[tokio::test]
async fn an_attribute_of_another_source_proves_nothing() {
    let house = house(vec![wire("corp").links_by(employee()), wire("other")]);
    let mallory = house.enter(1, "mallory", json!({"employee": "A-1"})).await.account.id;
    if let Outcome::SignedIn(alice) = house.sign_in(0, "alice-1", json!({"employee": "A-1"})).await {
        assert!(
            alice.account.id != mallory || alice.account.identities.len() == 1,
            "Alice shares her account with Mallory"
        );
    }
}

#[tokio::test]
async fn an_identity_that_was_cut_off_does_not_link_itself_again() {
    let house = house(vec![wire("corp").speaks_for("example.com").links_by_email()]);
    let alice = house.enter(0, "alice-1", verified(VICTIM)).await.account;
    house.administer(alice.id, AdminAct::Unlink(alice.identities[0].key.clone())).await.unwrap();
    if let Outcome::SignedIn(back) = house.sign_in(0, "alice-1", verified(VICTIM)).await {
        assert_ne!(back.account.id, alice.id, "the unlink lasted until the next sign-in");
    }
}

#[tokio::test]
async fn what_a_cut_off_connection_gave_goes_with_it() {
    let house = house(vec![wire("corp").speaks_for("example.com").links_by_email(), wire("other")]);
    let said = json!({"email": VICTIM, "groups": ["editor"]});
    let trojan = house.enter(1, "mallory", said).await.account;
    let cut = house.administer(trojan.id, AdminAct::Unlink(trojan.identities[0].key.clone())).await.unwrap();
    let owner = house.enter(0, "alice-1", verified(VICTIM)).await.account;
    assert_eq!(
        (held_roles(&cut), held_roles(&owner)),
        (vec![], vec![]),
        "nobody is left who could take it back"
    );
}

#[tokio::test]
async fn linking_by_attribute_gives_no_address_that_another_account_has() {
    let corp = wire("corp").speaks_for("example.com");
    let house = house(vec![corp, wire("hr").speaks_for("example.com").links_by(employee_of("corp"))]);
    house.enter(0, "alice-1", verified(VICTIM)).await;
    house.enter(0, "bob-1", json!({"employee": "B-1"})).await;
    house.enter(1, "b", json!({"employee": "B-1", "email": VICTIM, "email_verified": true})).await;
    assert_eq!(with_address(&house, VICTIM).await, 1, "two accounts carry one address");
}

/// Two nodes at once: the last seat goes to the same person, and the store names the seat (of several reasons that
/// apply, a store may name any).
#[tokio::test]
async fn whoever_takes_the_last_seat_on_two_nodes_at_once_gets_in_on_both() {
    let inner: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let hooked = Arc::new(Hooked::new(Arc::clone(&inner)));
    let one_seat = |builder: JitBuilder| builder.protection(Protection::new().seats(1));
    let house = house_on(hooked.clone(), vec![wire("corp")], one_seat);
    let node = house_on(inner, vec![wire("corp")], one_seat);
    node.clock.advance(TimeDelta::seconds(1));
    hooked.before("commit", 1, move |_| {
        Box::pin(async move {
            node.enter(0, "s1", json!({})).await;
        })
    });
    *hooked.limit_first.lock().unwrap() = true;
    let outcome = house.sign_in(0, "s1", json!({})).await;
    assert!(matches!(outcome, Outcome::SignedIn(_)), "{outcome:?}");
}

#[tokio::test]
async fn whoever_squats_an_address_does_not_lock_its_owner_out_for_ever() {
    squatted(AdminAct::End).await;
}

async fn squatted(act: AdminAct) {
    let house = house(vec![wire("corp").speaks_for("example.com").links_by_email(), wire("other")]);
    let squatter = house.enter(1, "mallory", json!({"email": VICTIM})).await.account.id;
    house.administer(squatter, act).await.unwrap();
    let outcome = house.sign_in(0, "alice-1", verified(VICTIM)).await;
    assert!(matches!(outcome, Outcome::SignedIn(_)), "{outcome:?}");
}

#[tokio::test]
async fn a_request_in_somebodys_name_does_not_stand_in_the_owners_way() {
    let other = || wire("other").decides(|_| hold(&[Ask::Approval]));
    for refused in [false, true] {
        let house = house(vec![wire("corp").speaks_for("example.com").links_by_email(), other()]);
        let squatter = house.held(1, "mallory", json!({"email": VICTIM})).await.account.unwrap();
        if refused {
            house.administer(squatter, AdminAct::Refuse).await.unwrap();
        }
        let owner = house.enter(0, "alice-1", verified(VICTIM)).await.account;
        assert_eq!(owner.identities.len(), 1);
        assert_eq!(
            owner.id == squatter,
            !refused,
            "a waiting request is taken over, a refused one is left behind"
        );
    }
}

#[tokio::test]
async fn an_approved_account_is_not_unused_at_once() {
    let limit = TimeDelta::days(30);
    let house = house(vec![wire("corp").decides(move |_| {
        let permit = Permit { idle_limit: Some(limit), ..Permit::default() };
        Decision::Hold(Hold { asks: [Ask::Approval].into(), permit })
    })]);
    let id = house.held(0, "s1", json!({})).await.account.unwrap();
    house.clock.advance(TimeDelta::days(31));
    house.administer(id, AdminAct::Approve).await.unwrap();
    let outcome = house.sign_in(0, "s1", json!({})).await;
    let back = house.administer(id, AdminAct::Reactivate).await;
    assert!(matches!(outcome, Outcome::SignedIn(_)), "{outcome:?}, and reactivating: {back:?}");
}

#[tokio::test]
async fn an_account_that_stands_as_over_can_be_reactivated_before_a_worker_came_by() {
    let house = house(vec![wire("corp")]);
    let id = house.enter(0, "s1", json!({})).await.account.id;
    house.administer(id, AdminAct::SetEnd(Some(instant("2026-11-22T00:00:00Z")))).await.unwrap();
    house.clock.advance(TimeDelta::days(2));
    assert_eq!(house.denied(0, "s1", json!({})).await, "account.expired");
    house.administer(id, AdminAct::Reactivate).await.unwrap();
}

#[tokio::test]
async fn a_reactivated_account_can_be_used_again_whatever_its_age() {
    let house = house(vec![wire("corp").decides(|_| {
        limits(Permit {
            account_end: Some(AccountEnd::AfterCreation(TimeDelta::days(30))),
            ..Permit::default()
        })
    })]);
    let id = house.enter(0, "s1", json!({})).await.account.id;
    house.clock.advance(TimeDelta::days(31));
    house.work().await;
    house.administer(id, AdminAct::Reactivate).await.unwrap();
    house.administer(id, AdminAct::SetEnd(Some(instant("2027-06-01T00:00:00Z")))).await.unwrap();
    let outcome = house.sign_in(0, "s1", json!({})).await;
    assert!(matches!(outcome, Outcome::SignedIn(_)), "{outcome:?}");
}

#[tokio::test]
async fn the_owner_of_an_address_is_let_in_though_the_squatter_is_the_last_administrator() {
    let house = house_on(
        Arc::new(MemoryStore::new()),
        vec![wire("corp").speaks_for("example.com").links_by_email(), wire("other").ceiling(&["role:admin"])],
        |builder| builder.protection(Protection::new().never_without(role("admin"))),
    );
    house.enter(1, "founder", json!({"email": VICTIM, "groups": ["admin"]})).await;
    let outcome = house.sign_in(0, "alice-1", verified(VICTIM)).await;
    assert!(matches!(outcome, Outcome::SignedIn(_)), "{outcome:?}");
}

#[tokio::test]
async fn a_returning_person_is_not_kept_out_by_a_name_that_somebody_else_has() {
    let house = house(vec![wire("corp")]);
    house.enter(0, "s1", json!({})).await;
    house.enter(0, "s2", json!({"preferred_username": "sam"})).await;
    let outcome = house.sign_in(0, "s1", json!({"preferred_username": "sam"})).await;
    assert!(matches!(outcome, Outcome::SignedIn(_)), "{outcome:?}");
}

#[tokio::test]
async fn a_link_that_needs_a_proof_asks_for_it() {
    let other = wire("other").links_by(LinkBy::Email(MailLink::AfterProof));
    let house = house(vec![wire("corp").speaks_for("example.com"), other]);
    house.enter(0, "alice-1", verified(VICTIM)).await;
    let outcome = house.sign_in(1, "alice", verified(VICTIM)).await;
    assert!(
        matches!(outcome, Outcome::Held(_)),
        "denied without a ticket to prove anything with: {outcome:?}"
    );
}

#[tokio::test]
async fn two_first_sign_ins_with_one_address_at_once_make_one_account() {
    let inner: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let hooked = Arc::new(Hooked::new(Arc::clone(&inner)));
    let wires = || vec![wire("corp").speaks_for("example.com").links_by_email(), wire("other")];
    let house = house_on(hooked.clone(), wires(), |builder| builder);
    let node = house_on(inner, wires(), |builder| builder);
    node.clock.advance(TimeDelta::seconds(1));
    hooked.before("commit", 1, move |_| {
        Box::pin(async move {
            node.enter(1, "mallory", json!({"email": VICTIM})).await;
        })
    });
    house.enter(0, "alice-1", verified(VICTIM)).await;
    assert_eq!(with_address(&house, VICTIM).await, 1, "Mallory keeps an account with Alice's address");
}

/// The account comes into being between the look-up by identity and the one by address.
#[tokio::test]
async fn whoever_signs_in_first_on_two_nodes_at_once_is_no_stranger_to_the_own_account() {
    for links in [false, true] {
        let inner: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let hooked = Arc::new(Hooked::new(Arc::clone(&inner)));
        let corp = || wire("corp").speaks_for("example.com");
        let wires = || vec![if links { corp().links_by_email() } else { corp() }];
        let house = house_on(hooked.clone(), wires(), |builder| builder);
        let node = house_on(inner, wires(), |builder| builder);
        hooked.before("matching", 1, move |_| {
            Box::pin(async move {
                node.enter(0, "alice-1", verified(VICTIM)).await;
            })
        });
        let alice = house.enter(0, "alice-1", verified(VICTIM)).await.account;
        assert_eq!((alice.identities.len(), house.all().await.len()), (1, 1));
    }
}

#[tokio::test]
async fn a_released_tombstone_leaves_address_name_and_identity_to_whoever_comes_next() {
    let house = house(vec![wire("corp").speaks_for("example.com").links_by_email()]);
    let said = json!({"email": VICTIM, "email_verified": true, "preferred_username": "alice"});
    let first = house.enter(0, "alice-1", said.clone()).await.account.id;
    assert_eq!(
        house.administer(first, AdminAct::Release).await.unwrap_err().code.as_str(),
        "account.wrong_state"
    );
    house.administer(first, AdminAct::End).await.unwrap();
    assert_eq!(
        house.denied(0, "alice-2", said.clone()).await,
        "account.ended",
        "a tombstone keeps what was proved"
    );
    house.administer(first, AdminAct::Release).await.unwrap();
    let next = house.enter(0, "alice-2", said.clone()).await.account;
    assert_ne!(next.id, first);
    assert_eq!(next.user_name.as_ref().unwrap().as_str(), "alice");
    assert_eq!(house.get(first).await.state.word(), "ended", "and nothing revives the old account");
}

async fn with_address(house: &House, address: &str) -> usize {
    let carries =
        |account: &&Account| account.email.as_ref().is_some_and(|email| email.address.as_str() == address);
    house.all().await.iter().filter(carries).count()
}

#[tokio::test]
async fn consents_of_a_cut_off_owner_are_not_the_new_owners() {
    let terms = || Ask::Consent("terms".into());
    let house = house(vec![
        wire("corp").speaks_for("example.com").links_by_email(),
        wire("other").decides(move |_| hold(&[terms()])),
    ]);
    let ticket = house.held(1, "mallory", json!({"email": VICTIM})).await.ticket.unwrap();
    let reply = Reply { consents: ["terms".to_owned()].into(), ..Reply::default() };
    assert!(matches!(house.jit.answer(&ticket, reply).await.unwrap(), Outcome::SignedIn(_)));
    let alice = house.enter(0, "alice-1", verified(VICTIM)).await.account;
    assert!(alice.consents.is_empty(), "Alice never consented");
}

#[tokio::test]
async fn who_waits_for_approval_is_not_let_in_by_being_suspended() {
    let house = house(vec![wire("corp").decides(|_| hold(&[Ask::Approval]))]);
    let id = house.held(0, "s1", json!({})).await.account.unwrap();
    for act in [AdminAct::Suspend, AdminAct::Disable, AdminAct::Reactivate] {
        assert_eq!(house.administer(id, act).await.unwrap_err().code.as_str(), "account.wrong_state");
    }
    house.administer(id, AdminAct::SetEnd(Some(instant("2026-11-22T00:00:00Z")))).await.unwrap();
    house.clock.advance(TimeDelta::days(2));
    house.work().await;
    house.administer(id, AdminAct::Reactivate).await.unwrap();
    assert_eq!(
        house.held(0, "s1", json!({})).await.asks,
        [Ask::Approval],
        "who never was approved waits again"
    );
}
