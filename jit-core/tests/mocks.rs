//! Doubles of every port stand in for the port in an application's tests.
#![cfg(feature = "mocks")]
#![expect(clippy::unwrap_used, reason = "helpers of tests: what is wrong there must stop the test")]

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use jit_core::*;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn unavailable(operation: &'static str) -> BackendError {
    BackendError::new(ErrorKind::Unavailable, operation)
}

fn settings() -> ConnectionSettings {
    ConnectionSettings {
        tenant: "acme".parse().unwrap(),
        id: "main".parse().unwrap(),
        issuers: IssuerSet::one("https://idp.example".parse().unwrap()),
        domains: DomainSet::default(),
        ceiling: Vec::new(),
        link: Vec::new(),
        store: None,
    }
}

fn attest(attestor: &Attestor) -> VerifiedIdentity {
    let made = || Check::Made("test".into());
    let attestation = Attestation {
        issuer: "https://idp.example".parse().unwrap(),
        subject: "anna".parse().unwrap(),
        stability: Stability::Persistent,
        claims: Claims::default(),
        assurance: Assurance::default(),
        session: SessionHint::default(),
        checks: Checks { origin: made(), audience: made(), freshness: made(), replay: made() },
    };
    attestor.attest(attestation).unwrap()
}

/// An engine on a store, with a trigger that accepts the evidence `token`; the policy decides as told.
fn engine(
    store: Arc<dyn Store>,
    decide: impl Fn(&Request<'_>) -> Decision + Send + 'static,
) -> (Jit, MockTrigger) {
    let (mut mapper, mut policy) = (MockAttributeMapper::new(), MockPolicy::new());
    mapper.expect_map().returning(|_| Ok(Profile::default()));
    policy.expect_decide().returning(move |request, _| decide(request));
    let (connection, attestor) = Connection::define(settings(), Arc::new(mapper), Arc::new(policy));
    let (mut clock, mut entropy) = (MockClock::new(), MockEntropy::new());
    clock.expect_now().returning(now);
    entropy.expect_fill().returning(|buffer| {
        buffer.fill(7);
        Ok(())
    });
    let builder = Jit::builder(store).clock(Arc::new(clock)).entropy(Arc::new(entropy));
    let mut trigger = MockTrigger::new();
    trigger.expect_verify().returning(move |evidence| match evidence.as_slice() {
        b"token" => Ok(Event::sign_in(attest(&attestor), Context::default())),
        _ => Err(VerifyError::rejected(Code::new("test.token"), "not the token")),
    });
    (builder.connection(connection).build().unwrap(), trigger)
}

#[tokio::test]
async fn a_sign_in_runs_through_doubles_of_trigger_mapper_policy_and_clock() {
    let store = Arc::new(MemoryStore::new());
    let permit = |request: &Request<'_>| {
        assert!(matches!(request.present, Present::Nobody) && request.now == now());
        Decision::Permit(Permit::default())
    };
    let (jit, trigger) = engine(store, permit);
    let Outcome::SignedIn(signed_in) = jit.run(&trigger, b"token".to_vec()).await.unwrap() else {
        panic!("not signed in")
    };
    assert_eq!(signed_in.account.created_at, now());
    let refused = jit.run(&trigger, b"forged".to_vec()).await.unwrap_err();
    assert_eq!(refused.code(), Code::new("test.token"));
}

#[tokio::test]
async fn a_denial_of_the_policys_double_is_the_outcome() {
    let deny = |_: &Request<'_>| Decision::Deny(Denial::new(Code::new("test.no")));
    let (jit, trigger) = engine(Arc::new(MemoryStore::new()), deny);
    let Outcome::Denied(denied) = jit.run(&trigger, b"token".to_vec()).await.unwrap() else {
        panic!("not denied")
    };
    assert_eq!(denied.denial.code, Code::new("test.no"));
}

#[tokio::test]
async fn a_store_that_is_down_is_transient_and_is_asked_for_no_write() {
    let mut store = MockStore::new();
    store.expect_find().returning(|_| Err(unavailable("users.find")));
    store.expect_commit().never();
    let (jit, trigger) = engine(Arc::new(store), |_| Decision::Permit(Permit::default()));
    let error = jit.run(&trigger, b"token".to_vec()).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Transient);
}

#[tokio::test]
async fn each_port_of_a_backend_has_a_double_of_its_own() {
    let (tenant, lane, worker): (TenantId, Lane, WorkerId) =
        ("acme".parse().unwrap(), "lane".parse().unwrap(), "worker".parse().unwrap());
    let one = std::num::NonZeroUsize::MIN;

    let mut users = MockUserStore::new();
    users.expect_named().withf(|_, key| key == "anna").returning(|_, _| Ok(None));
    assert!(users.named(&tenant, "anna").await.unwrap().is_none());

    let mut tasks = MockTaskQueue::new();
    tasks.expect_claim().times(1).returning(|_, _, _, _, _, _| Ok(Vec::new()));
    let hour = TimeDelta::hours(1);
    assert!(tasks.claim(&worker, &lane, &Tenants::All, now(), hour, one).await.unwrap().is_empty());

    let mut one_time = MockOneTime::new();
    one_time.expect_take().returning(|_, _| Ok(Some(b"value".to_vec())));
    let key = OneTimeKey::new(tenant.clone(), "state", &[]);
    assert_eq!(one_time.take(&key, now()).await.unwrap().unwrap(), b"value");

    let mut log = MockAuditLog::new();
    log.expect_events().returning(|_| Err(unavailable("audit.events")));
    let query = AuditQuery { tenant, account: None, after: None, latest_first: false, limit: one };
    assert_eq!(log.events(&query).await.unwrap_err().retry(), Retry::Backoff);

    let mut sink = MockAuditSink::new();
    sink.expect_export().withf(<[AuditEvent]>::is_empty).returning(|_| Ok(()));
    sink.export(&[]).await.unwrap();
}

#[tokio::test]
async fn notices_have_a_double() {
    let mut notices = MockNotices::new();
    notices.expect_deliver().returning(|_| Err(unavailable("notices.deliver")));
    let mut mint = Mint::new(now(), [0; 16]);
    let task = Task {
        id: mint.task(),
        tenant: "acme".parse().unwrap(),
        lane: "notices".parse().unwrap(),
        account: mint.account(),
        kind: TaskKind::ReviewEnd,
        due: now(),
    };
    assert!(notices.deliver(&task).await.is_err());
}
