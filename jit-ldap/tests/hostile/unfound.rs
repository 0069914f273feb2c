//! What a domain controller does not find: only one that says so proves that it is not there.

use jit_core::*;
use jit_ldap::LdapError;

use crate::ber::{done, entry, message, result};
use crate::server::Act;
use crate::targets::{dora, taking, target};

/// What taking a group from a person comes to whom a domain controller does not find, while it shows nothing of this name, and
/// a group that names them or none: the codes of the target and of the directory, where they are not gone. Told to drop them,
/// the group answers so.
async fn end_of_unfound_person(
    hidden: &'static str,
    is_named: bool,
    (code, text): (u8, &'static str),
) -> Result<Effect, (Code, Code)> {
    let target = target(1, false, move |asked| {
        if asked.op == 0x66 {
            assert!(asked.bytes.windows(6).any(|part| part == b"<GUID="), "by what they are called for good");
            return vec![Act::Say(message(asked.id, &result(0x67, code, text.as_bytes())))];
        }
        let says = |text: &str| asked.bytes.windows(text.len()).any(|part| part == text.as_bytes());
        let shown = |dn: &str| (dn != hidden).then(|| entry(dn, &[]));
        let found = match asked.op {
            0x63 if says("CN=g00") && says("member") => is_named.then(|| entry("CN=g00,OU=Groups,DC=x", &[])),
            0x63 if says("CN=g00") => shown("CN=g00,OU=Groups,DC=x"),
            // who of the groups names them
            0x63 if says("OU=Groups") && hidden == "OU=Groups,DC=x" => {
                return vec![Act::Say(message(asked.id, &done(32)))];
            }
            0x63 if says("OU=Groups") => is_named.then(|| entry("CN=g00,OU=Groups,DC=x", &[])),
            0x63 if says("<GUID=") => None,
            0x63 if says("OU=People") => shown("OU=People,DC=x"),
            _ => Some(entry("", &[])),
        };
        let found = found.map(|found| message(asked.id, &found)).unwrap_or_default();
        vec![Act::Say([found, message(asked.id, &done(0))].concat())]
    });
    target.await.ensure(&taking(1)).await.map_err(|error| {
        let cause = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref::<LdapError>());
        (error.code(), cause.unwrap().code())
    })
}

/// No such value.
const NOT_IN: (u8, &str) = (16, "");

#[tokio::test(start_paused = true)]
async fn in_active_directory_too_a_group_that_cannot_be_looked_at_is_not_one_that_names_nobody() {
    let gone = Ok(Effect::Absent { was_there: false });
    for answer in [NOT_IN, (53, "00000561: SvcErr: DSID-031A1254"), (53, "doesn't exist for target GUID")] {
        assert_eq!(end_of_unfound_person("", false, answer).await, gone, "{answer:?}");
    }
    for (hidden, is_named, answer) in [
        ("OU=People,DC=x", false, NOT_IN),
        // renamed, or not for us to see: it may name them
        ("CN=g00,OU=Groups,DC=x", false, NOT_IN),
        ("OU=Groups,DC=x", false, NOT_IN),
        ("", true, (50, "")),
        // it shows nobody: what may not be read looks like what is not there
        ("", false, (50, "")),
        ("", false, (53, "")),
        ("", false, (21, "")),
    ] {
        let unproved = end_of_unfound_person(hidden, is_named, answer).await;
        let codes = unproved.as_ref().map_err(|(target, directory)| (target.as_str(), directory.as_str()));
        let unproved = Err(("target.forbidden", "ldap.absence_unproved"));
        assert_eq!(codes, unproved, "{hidden} {is_named} {answer:?}");
    }
    let taken = end_of_unfound_person("", true, (0, "")).await;
    assert!(matches!(&taken, Ok(Effect::Holding { taken, .. }) if taken.len() == 1), "{taken:?}");
    let elsewhere = end_of_unfound_person("", false, (51, "")).await.unwrap_err();
    assert_eq!((elsewhere.0.as_str(), elsewhere.1.as_str()), ("target.unreachable", "ldap.busy"));
}

/// What becomes of the end of an account that a domain controller does not find by its identifier, where it answers the change
/// of what bears that so.
async fn end_of_unfound_by_identifier(code: u8) -> Result<Effect, Code> {
    let target = target(1, false, move |asked| {
        let says = |text: &str| asked.bytes.windows(text.len()).any(|part| part == text.as_bytes());
        let found = match asked.op {
            0x66 => {
                assert!(says("<GUID="), "whatever its name is by now");
                return vec![Act::Say(message(asked.id, &result(0x67, code, b"")))];
            }
            0x4a => return vec![Act::Say(message(asked.id, &result(0x6b, 32, b"")))],
            _ if says("<GUID=") || says("jit1:") => None,
            _ if says("OU=JIT,DC=x") => Some(entry("OU=JIT,DC=x", &[])),
            _ => Some(entry("", &[])),
        };
        let found = found.map(|found| message(asked.id, &found)).unwrap_or_default();
        vec![Act::Say([found, message(asked.id, &done(0))].concat())]
    });
    let absent = Desired { remote: dora(), state: DesiredState::Absent { given: None } };
    target.await.ensure(&absent).await.map_err(|error| error.code())
}

#[tokio::test(start_paused = true)]
async fn in_active_directory_too_only_a_server_that_says_so_proves_that_nothing_bears_an_identifier() {
    let gone = Effect::Absent { was_there: false };
    assert_eq!(end_of_unfound_by_identifier(32).await, Ok(gone));
    for (code, says) in [
        (0, "target.forbidden"),
        (16, "target.forbidden"),
        (50, "target.forbidden"),
        (51, "target.unreachable"),
    ] {
        let unproved = end_of_unfound_by_identifier(code).await;
        assert_eq!(unproved.as_ref().map_err(Code::as_str), Err(says), "{code}");
    }
}
