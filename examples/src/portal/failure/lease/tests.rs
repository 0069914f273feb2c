use jit_core::{BackendError, TargetFault};

use super::*;

const DEEDS: [Deed; 5] =
    [Deed::CheckOut, Deed::Extend, Deed::CheckIn, Deed::ExtendOfOthers, Deed::EndOfOthers];

fn told(failure: Failure) -> NotDone {
    let Failure::NotDone(told) = failure else { panic!("{failure:?} is not told as what was not done") };
    assert!(told.title.starts_with("Not ") && !told.reason.is_empty() && !told.advice.is_empty(), "{told:?}");
    *told
}

#[test]
fn each_refusal_that_a_person_can_act_on_has_words_and_a_status_of_its_own() {
    for (code, status) in [
        ("lease.account_is_lent", 409),
        ("lease.holder_inactive", 403),
        ("lease.in_progress", 409),
        ("lease.interrupted", 409),
        ("lease.invalid", 400),
        ("lease.long_gone", 409),
        ("lease.name_taken", 409),
        ("lease.not_entitled", 403),
        ("lease.not_longer", 409),
        ("lease.other_request", 409),
        ("lease.over", 409),
        ("lease.quarantined", 409),
        ("lease.shut_by_others", 409),
        ("lease.too_long", 400),
        ("lease.too_many", 409),
        ("lease.unknown", 404),
        ("lease.unknown_account", 409),
        ("lease.unknown_holder", 403),
        ("lease.unknown_role", 404),
        ("lease.unknown_target", 404),
        ("lease.unnamed", 403),
        ("clock.ahead", 503),
        ("target.markers_unknown", 409),
        ("portal.form", 400),
        ("portal.span", 400),
    ] {
        let told = told(Asked::to(Deed::CheckOut).refused(Code::new(code)));
        assert_eq!((told.status.as_u16(), told.code.as_str()), (status, code), "{told:?}");
        assert!(!told.reason.contains("set up"), "{told:?}");
    }
    // What extends and ends a lease may answer, whoever asks.
    for deed in [Deed::Extend, Deed::ExtendOfOthers, Deed::CheckIn, Deed::EndOfOthers] {
        for code in
            ["lease.unknown", "lease.over", "lease.unknown_target", "lease.quarantined", "lease.too_long"]
        {
            let told = told(Asked::to(deed).refused(Code::new(code)));
            assert_eq!(told.status.as_u16(), if code == "lease.unknown" { 404 } else { 409 }, "{told:?}");
        }
    }
}

#[test]
fn what_fails_at_the_target_says_whether_to_ask_again_or_an_administrator() {
    for deed in DEEDS {
        for (fault, status) in [
            (TargetFault::Unreachable, 503),
            (TargetFault::Unseen, 503),
            (TargetFault::Limit, 503),
            (TargetFault::Credentials, 500),
            (TargetFault::Resting, 500),
            (TargetFault::Entitlement, 500),
            (TargetFault::Protocol, 500),
        ] {
            let error = BackendError::new(ErrorKind::Target(fault), "test");
            let code = error.code();
            let told = told(Asked::to(deed).failed(error.into()));
            assert_eq!((told.status.as_u16(), &told.code), (status, &code), "{told:?}");
            assert_eq!(told.advice.contains("administrator"), status == 500, "{told:?}");
            // What was handed out before may work still: whoever hands it back must not be told that nothing was.
            let says_so = told.advice.contains("Nothing was handed out");
            assert_eq!(says_so, deed == Deed::CheckOut, "{deed:?} {told:?}");
        }
        let down = BackendError::new(ErrorKind::Unavailable, "test");
        assert_eq!(Asked::to(deed).failed(down.into()), Failure::DatabaseDown);
        assert_eq!(Asked::to(deed).refused(Code::new("engine.contended")), Failure::Contended);
    }
}
