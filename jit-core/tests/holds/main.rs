//! Held sign-ins: what an answer may prove, for whom, for how long, and what is left on record.

#[cfg(test)]
#[path = "../support/mod.rs"]
mod support;
#[cfg(test)]
mod world;

use std::sync::{Arc, atomic::Ordering};

use chrono::TimeDelta;
use jit_core::*;
use serde_json::{Value, json};
use support::{hooked::Hooked, *};
use world::*;

// ------------------------------------------------------------ what a proof proves

/// The company lets nobody in without a second factor; Mallory has Alice's password.
#[tokio::test]
async fn an_identity_that_may_not_sign_in_is_no_proof_either() {
    let two_factors =
        corp().decides(|request| match request.identity.claims().get("second_factor").values() {
            Some(_) => permit(),
            None => Decision::Deny(Denial::new(Code::new("policy.denied"))),
        });
    let house = house(vec![two_factors, other(&[Ask::LinkProof])]);
    let strong = json!({"email": VICTIM, "email_verified": true, "second_factor": true});
    let alice = house.enter(0, "alice-1", strong.clone()).await.account.id;
    assert_eq!(house.denied(0, "alice-1", verified(VICTIM)).await, "policy.denied");
    let identity = |said: Value| by_identity(attest(&house.attestors[0], "alice-1", claims(said)));
    let ticket = house.held(1, "mallory", json!({"email": VICTIM})).await.ticket.unwrap();
    assert_eq!(house.refused(&ticket, identity(verified(VICTIM))).await, "hold.proof_refused");
    assert_eq!(house.get(alice).await.identities.len(), 1);
    let ticket = house.held(1, "alice-at-other", json!({"email": VICTIM})).await.ticket.unwrap();
    assert_eq!(house.let_in(&ticket, identity(strong)).await.identities.len(), 2);
}

#[tokio::test]
async fn an_identity_that_is_held_itself_is_no_proof() {
    let house = house(vec![corp().decides(|_| hold(&[terms()])), other(&[Ask::LinkProof])]);
    let first = house.held(0, "alice-1", verified(VICTIM)).await.ticket.unwrap();
    let alice = house.let_in(&first, consent()).await;
    let mut changed = alice.clone();
    changed.consents.clear();
    let commit = Commit { account: Some(AccountWrite::update(&alice, changed)), ..Commit::new(tenant()) };
    house.store.commit(&commit).await.unwrap();
    let ticket = house.held(1, "a", verified(VICTIM)).await.ticket.unwrap();
    let reply = by_identity(attest(&house.attestors[0], "alice-1", claims(verified(VICTIM))));
    assert_eq!(house.refused(&ticket, reply).await, "hold.proof_refused");
}

#[tokio::test]
async fn a_proof_for_one_account_never_links_another() {
    let hooked = Arc::new(Hooked::new(Arc::new(MemoryStore::new())));
    let house = house_on(hooked.clone(), vec![corp(), other(&[Ask::LinkProof])], |builder| builder);
    let mallory = house.enter(0, "m-1", verified("shared@example.com")).await.account.id;
    let victim = house.enter(0, "v-1", verified("v@example.com")).await.account.id;
    let ticket = house.held(1, "mallory", json!({"email": "shared@example.com"})).await.ticket.unwrap();
    let own = attest(&house.attestors[0], "m-1", claims(json!({})));
    // Between the check of the proof and the plan, the shared address passes from Mallory's account to the victim's.
    hooked.before("matching", 1, move |store| {
        Box::pin(async move {
            set_email(store.as_ref(), mallory, "m@example.com").await;
            set_email(store.as_ref(), victim, "shared@example.com").await;
        })
    });
    let held = house.again(&ticket, by_identity(own)).await;
    assert!(hooked.hook.lock().unwrap().is_none(), "the address has passed");
    assert_eq!(held.asks, [Ask::LinkProof], "the victim's account needs a proof of its own");
    assert_eq!(house.get(victim).await.identities.len(), 1);
    house.again(&held.ticket.unwrap(), Reply::default()).await;
    assert_eq!(house.get(victim).await.identities.len(), 1);
}

#[tokio::test]
async fn a_mailed_proof_dies_with_the_address_it_was_sent_to() {
    let employee = LinkBy::Attribute {
        claim: ClaimPath::new("employee").unwrap(),
        attribute: AttributeName::new("employee").unwrap(),
        given_by: vec![ConnectionId::new("corp").unwrap()],
    };
    let by_number = || wire("other").links_by(employee.clone()).decides(|_| hold(&[Ask::LinkProof]));
    let said = |email: &str| json!({"email": email, "email_verified": true, "employee": "A-1"});
    let house = house(vec![corp(), by_number()]);
    let alice = house.enter(0, "alice-1", said("old@example.com")).await.account.id;
    let ticket = house.held(1, "mallory", json!({"employee": "A-1"})).await.ticket.unwrap();
    let mail = house.jit.offer_mail_proof(&ticket).await.unwrap();
    house.enter(0, "alice-1", said("new@example.com")).await;
    assert_eq!(house.refused(&ticket, by_mail(&mail.token)).await, "hold.proof_refused");
    assert_eq!(house.get(alice).await.identities.len(), 1, "the reader of the old mailbox is in");
}

#[tokio::test]
async fn a_mailed_proof_dies_when_credentials_are_ended() {
    let (house, alice) = with_alice(&[Ask::LinkProof]).await;
    let ticket = house.held(1, "a", verified(VICTIM)).await.ticket.unwrap();
    let mail = house.jit.offer_mail_proof(&ticket).await.unwrap();
    let mut after = alice.clone();
    after.credential_epoch += 1;
    let commit = Commit { account: Some(AccountWrite::update(&alice, after)), ..Commit::new(tenant()) };
    house.store.commit(&commit).await.unwrap();
    assert_eq!(house.refused(&ticket, by_mail(&mail.token)).await, "hold.proof_refused");
}

#[tokio::test]
async fn a_proof_given_before_the_last_question_dies_with_a_change_of_the_account() {
    let (house, alice) = with_alice(&[Ask::LinkProof, terms()]).await;
    let ticket = house.held(1, "a", verified(VICTIM)).await.ticket.unwrap();
    let own = attest(&house.attestors[0], "alice-1", claims(verified(VICTIM)));
    let held = house.again(&ticket, by_identity(own)).await;
    assert_eq!(held.asks, [terms()]);
    house.administer(alice.id, AdminAct::Unlink(alice.identities[0].key.clone())).await.unwrap();
    let held = house.again(&held.ticket.unwrap(), consent()).await;
    assert_eq!(held.asks, [Ask::LinkProof], "the identity that proved it is cut off");
    assert!(house.get(alice.id).await.identities.is_empty());
}

// ------------------------------------------------------------ for how long

#[tokio::test]
async fn a_held_sign_in_cannot_be_kept_for_ever() {
    let house = house(vec![wire("corp").decides(|_| hold(&[Ask::UserName]))]);
    let ticket = house.held(0, "s1", json!({})).await.ticket.unwrap();
    house.clock.advance(TimeDelta::minutes(29));
    let ticket = house.again(&ticket, Reply::default()).await.ticket.unwrap();
    house.clock.advance(TimeDelta::minutes(1));
    assert_eq!(house.refused(&ticket, named("pat")).await, "hold.unknown_ticket");
}

#[tokio::test]
async fn a_held_sign_in_does_not_outlive_the_session_of_its_source() {
    let house = house(vec![wire("corp").decides(|_| hold(&[Ask::UserName]))]);
    let made = || Check::Made("test".into());
    let identity = house.attestors[0].attest(Attestation {
        issuer: issuer("corp"),
        subject: Subject::new("s1").unwrap(),
        stability: Stability::Persistent,
        claims: Claims::default(),
        assurance: Assurance::default(),
        session: SessionHint { ends_at: Some(house.clock.now() + TimeDelta::minutes(5)), index: None },
        checks: Checks { origin: made(), audience: made(), freshness: made(), replay: made() },
    });
    let event = Event::sign_in(identity.unwrap(), Context::default());
    let Outcome::Held(held) = house.jit.handle(event).await.unwrap() else { panic!("held") };
    house.clock.advance(TimeDelta::minutes(5));
    assert_eq!(house.refused(&held.ticket.unwrap(), named("pat")).await, "hold.unknown_ticket");
}

#[tokio::test]
async fn a_mailed_proof_is_not_lost_when_the_store_is_down() {
    let flaky = Arc::new(Counting::new(Arc::new(MemoryStore::new())));
    let house = house_on(flaky.clone(), vec![corp(), other(&[Ask::LinkProof])], |builder| builder);
    house.enter(0, "alice-1", verified(VICTIM)).await;
    let ticket = house.held(1, "a", verified(VICTIM)).await.ticket.unwrap();
    let mail = house.jit.offer_mail_proof(&ticket).await.unwrap();
    for _ in 0..2 {
        flaky.down.store(1, Ordering::SeqCst);
        let error = house.jit.answer(&ticket, by_mail(&mail.token)).await.unwrap_err();
        assert_eq!(error.class(), ErrorClass::Transient);
    }
    assert_eq!(house.let_in(&ticket, by_mail(&mail.token)).await.identities.len(), 2);
}

#[tokio::test]
async fn what_another_identity_proved_is_not_lost_when_the_store_is_down() {
    let flaky = Arc::new(Counting::new(Arc::new(MemoryStore::new())));
    let house = house_on(flaky.clone(), vec![corp(), other(&[Ask::LinkProof])], |builder| builder);
    house.enter(0, "alice-1", verified(VICTIM)).await;
    let ticket = house.held(1, "a", verified(VICTIM)).await.ticket.unwrap();
    let own = attest(&house.attestors[0], "alice-1", claims(verified(VICTIM)));
    flaky.down.store(1, Ordering::SeqCst);
    house.jit.answer(&ticket, by_identity(own)).await.unwrap_err();
    assert_eq!(house.let_in(&ticket, Reply::default()).await.identities.len(), 2);
}

#[tokio::test]
async fn mail_is_not_sent_without_bound() {
    let (house, alice) = with_alice(&[Ask::LinkProof, terms()]).await;
    let ticket = house.held(1, "a", verified(VICTIM)).await.ticket.unwrap();
    house.jit.offer_mail_proof(&ticket).await.unwrap();
    let ticket = house.again(&ticket, consent()).await.ticket.unwrap();
    house.jit.offer_mail_proof(&ticket).await.unwrap();
    let last = house.jit.offer_mail_proof(&ticket).await.unwrap();
    let refused = house.jit.offer_mail_proof(&ticket).await.unwrap_err();
    assert_eq!(refused.code().as_str(), "hold.too_many_mails");
    assert_eq!(house.let_in(&ticket, by_mail(&last.token)).await.id, alice.id, "the ticket stays good");
}

#[tokio::test]
async fn only_the_token_that_was_mailed_last_counts() {
    let (house, alice) = with_alice(&[Ask::LinkProof]).await;
    let ticket = house.held(1, "a", verified(VICTIM)).await.ticket.unwrap();
    let first = house.jit.offer_mail_proof(&ticket).await.unwrap();
    house.jit.offer_mail_proof(&ticket).await.unwrap();
    assert_eq!(house.refused(&ticket, by_mail(&first.token)).await, "hold.proof_refused");
    assert_eq!(house.get(alice.id).await.identities.len(), 1);
}

// ------------------------------------------------------------ what else is answered

#[tokio::test]
async fn a_name_counts_as_chosen_only_when_it_was_asked_for() {
    for on_taken in [OnNameTaken::Fail, OnNameTaken::Ask] {
        let mapper = PlainMapper { on_taken, ..PlainMapper::default() };
        let house = house(vec![wire("corp").maps(mapper).decides(|_| hold(&[terms()]))]);
        let held = house.held(0, "s1", json!({"preferred_username": "mallory"})).await;
        let reply = Reply { user_name: named("root").user_name, ..consent() };
        let account = house.let_in(&held.ticket.unwrap(), reply).await;
        assert_eq!(account.user_name.unwrap().as_str(), "mallory");
    }
}

#[tokio::test]
async fn the_policy_sees_from_where_the_answer_came() {
    let from = |text: &str| Context { client: Some(text.parse().unwrap()) };
    let office = from("10.0.0.1");
    let inside = office.clone();
    let house = house(vec![wire("corp").decides(move |request| {
        if *request.context == inside {
            hold(&[terms(), Ask::UserName])
        } else {
            Decision::Deny(Denial::new(Code::new("policy.denied")))
        }
    })]);
    let identity = attest(&house.attestors[0], "s1", claims(json!({})));
    let Outcome::Held(held) = house.jit.handle(Event::sign_in(identity, office.clone())).await.unwrap()
    else {
        panic!("held")
    };
    // Without a context of its own, the answer is taken to come from where the sign-in came.
    let held = house.again(&held.ticket.unwrap(), consent()).await;
    let ticket =
        house.again(&held.ticket.unwrap(), Reply { context: Some(office), ..Reply::default() }).await;
    let outside = Reply { context: Some(from("192.0.2.7")), ..named("pat") };
    let Outcome::Denied(denied) = house.jit.answer(&ticket.ticket.unwrap(), outside).await.unwrap() else {
        panic!("denied")
    };
    assert_eq!(denied.denial.code.as_str(), "policy.denied");
}

// ------------------------------------------------------------ what is left on record, and what is not

#[tokio::test]
async fn a_refused_proof_is_on_record() {
    let (house, alice) = with_alice(&[Ask::LinkProof]).await;
    let ticket = house.held(1, "mallory", verified(VICTIM)).await.ticket.unwrap();
    house.jit.offer_mail_proof(&ticket).await.unwrap();
    assert_eq!(house.refused(&ticket, by_mail("guess")).await, "hold.proof_refused");
    let actions = house.actions(alice.id).await;
    assert_eq!(
        actions,
        ["account.created", "sign_in.held", "sign_in.proof_offered", "sign_in.proof_refused"],
        "an attempt on Alice's account left no trace"
    );
    let refused = house.trail().await.pop().unwrap().outcome;
    assert_eq!(refused, AuditOutcome::Refused { code: Code::new("hold.proof_refused") });
}

#[test]
fn debug_does_not_print_a_mailed_token() {
    let reply = Reply { user_name: named("private-name").user_name, ..by_mail("s3cret-token") };
    let text = format!("{reply:?}");
    assert!(!text.contains("s3cret-token") && !text.contains("private-name"), "{text}");
}

#[test]
fn debug_prints_neither_subjects_nor_attribute_values() {
    let house = house(vec![wire("corp")]);
    let made = || Check::Made("test".into());
    let attestation = Attestation {
        issuer: issuer("corp"),
        subject: Subject::new("DE-private").unwrap(),
        stability: Stability::Persistent,
        claims: claims(json!({"iban": "DE-private"})),
        assurance: Assurance::default(),
        session: SessionHint { ends_at: None, index: Some("DE-private".into()) },
        checks: Checks { origin: made(), audience: made(), freshness: made(), replay: made() },
    };
    let invitation = Invitation {
        tenant: tenant(),
        store: None,
        email: EmailAddress::new(VICTIM).unwrap(),
        user_name: Some(UserName::new("DE-private").unwrap()),
        attributes: [(AttributeName::new("iban").unwrap(), "DE-private".to_owned())].into(),
        entitlements: Vec::new(),
        ends_at: None,
        by: "DE-private".into(),
    };
    let mut text = format!("{invitation:?} {attestation:?} {:?}", attestation.subject);
    let identity = house.attestors[0].attest(attestation).unwrap();
    text += &[format!("{identity:?}"), format!("{:?}", by_identity(identity))].concat();
    assert!(!text.contains("DE-private") && !text.contains("alice"), "{text}");
    assert!(text.contains("iban") && text.contains("Subject(10 bytes)"), "{text}");
}
