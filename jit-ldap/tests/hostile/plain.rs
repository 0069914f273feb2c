//! Accounts in a directory that is not Active Directory, made and ended beside others who change them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jit_core::*;
use jit_ldap::target::{PasswordWay, SwitchSettings};
use jit_ldap::{CustomSettings, CustomTarget, LdapError, OpenLdapSettings, OpenLdapTarget};
use tokio::time::Instant;

use crate::ber::{attribute, done, entry, message, result};
use crate::server::Act;
use crate::targets::{NATIVE, directory, dora};

/// What a server shows under the name of an account that it does not find by its identifier.
#[derive(Clone, Copy, Debug)]
enum Shown {
    Nothing,
    /// Whose identifier cannot be read.
    Something,
    Another,
}

impl Shown {
    fn entry(self, name: &str) -> Option<Vec<u8>> {
        let id = attribute("entryUUID", &[b"ffffffff-0504-0706-0809-0a0b0c0d0e0f".to_vec()]);
        match self {
            Self::Nothing => None,
            Self::Something => Some(entry(name, &[])),
            Self::Another => Some(entry(name, &[id])),
        }
    }
}

/// What becomes of the end of an account that is not found by its identifier, where the server answers the change under its
/// name so, and shows this there to whoever looks then: the codes of the target and of the server, where it is not gone.
async fn end_of_unfound(code: u8, text: &'static str, shown: Shown) -> Result<Effect, (Code, Code)> {
    const BASE: &str = "ou=jit,dc=x";
    let name = format!("uid=dora,{BASE}");
    let mut is_changed = false;
    let directory = directory(move |asked| {
        let says = |text: &str| asked.bytes.windows(text.len()).any(|part| part == text.as_bytes());
        let found = match asked.op {
            0x66 => {
                is_changed = true;
                return vec![Act::Say(message(asked.id, &result(0x67, code, text.as_bytes())))];
            }
            0x4a => return vec![Act::Say(message(asked.id, &result(0x6b, 32, b"")))],
            // what bears the name comes when nobody saw it before
            _ if says(&name) => if is_changed { shown } else { Shown::Nothing }.entry(&name),
            _ if says("entryUUID") || says("jit1:") => None,
            _ if says(BASE) => Some(entry(BASE, &[])),
            _ => Some(entry("", &[])),
        };
        let found = found.map(|found| message(asked.id, &found)).unwrap_or_default();
        vec![Act::Say([found, message(asked.id, &done(0))].concat())]
    });
    let target = OpenLdapTarget::new(directory.await, &OpenLdapSettings::new(BASE, ("jit", BASE))).unwrap();
    let absent = Desired { remote: dora(), state: DesiredState::Absent { given: None } };
    target.ensure(&absent).await.map_err(|error| {
        let cause = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref::<LdapError>());
        (error.code(), cause.unwrap().code())
    })
}

#[tokio::test(start_paused = true)]
async fn only_a_server_that_says_so_proves_that_nothing_bears_a_name() {
    let gone = Ok(Effect::Absent { was_there: false });
    for shown in [Shown::Nothing, Shown::Something, Shown::Another] {
        assert_eq!(end_of_unfound(32, "", shown).await, gone);
    }
    // somebody else has the name by now
    for code in [0, 16, 19, 50, 53, 65, 80] {
        assert_eq!(end_of_unfound(code, "", Shown::Another).await, gone, "{code}");
    }
    for shown in [Shown::Nothing, Shown::Something] {
        for (code, codes) in [
            // its marker could be taken and put back
            (0, ("target.forbidden", "ldap.absence_unproved")),
            (16, ("target.forbidden", "ldap.absence_unproved")),
            (50, ("target.forbidden", "ldap.absence_unproved")),
            (11, ("target.limit", "ldap.admin_limit")),
            (19, ("target.forbidden", "ldap.constraint_violation")),
            (53, ("target.forbidden", "ldap.unwilling")),
            (65, ("target.forbidden", "ldap.schema_violation")),
            (80, ("target.protocol", "ldap.server_failed")),
        ] {
            assert_is_not_gone((code, "", shown), codes).await;
        }
    }
    // nor was it looked for here
    for shown in [Shown::Nothing, Shown::Something, Shown::Another] {
        for (code, text, codes) in [
            (51, "", ("target.unreachable", "ldap.busy")),
            (52, "", ("target.unreachable", "ldap.busy")),
            (10, "", ("target.read_only", "ldap.read_only")),
            (53, "shadow context; no update referral", ("target.read_only", "ldap.read_only")),
        ] {
            assert_is_not_gone((code, text, shown), codes).await;
        }
    }
}

async fn assert_is_not_gone((code, text, shown): (u8, &'static str, Shown), codes: (&str, &str)) {
    let refused = end_of_unfound(code, text, shown).await;
    let told = refused.as_ref().map_err(|(target, server)| (target.as_str(), server.as_str()));
    assert_eq!(told, Err(codes), "{code} {text} {shown:?}");
}

/// An account is opened by a request of its own, after its password. Where that is answered so: whether it was removed.
async fn is_removed_where_opening_ends_with(code: u8) -> bool {
    const BASE: &str = "ou=jit,dc=x";
    const ADD: u8 = 0x68;
    const SET_PASSWORD: u8 = 0x77;
    const MODIFY: u8 = 0x66;
    const DELETE: u8 = 0x4a;
    let asked_for = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked_for);
    let directory = directory(move |asked| {
        let mut seen = seen.lock().unwrap();
        let is_opening = seen.last() == Some(&SET_PASSWORD);
        seen.push(asked.op);
        let account = entry("uid=dora,ou=jit,dc=x", &[attribute("entryUUID", &[NATIVE.into()])]);
        let found = match asked.op {
            ADD => return vec![Act::Say(message(asked.id, &result(0x69, 0, b"")))],
            SET_PASSWORD => return vec![Act::Say(message(asked.id, &result(0x78, 0, b"")))],
            MODIFY if is_opening => return vec![Act::Say(message(asked.id, &result(0x67, code, b"")))],
            MODIFY => return vec![Act::Say(message(asked.id, &result(0x67, 0, b"")))],
            DELETE => return vec![Act::Say(message(asked.id, &result(0x6b, 0, b"")))],
            _ if seen.contains(&ADD) => message(asked.id, &account),
            _ => Vec::new(),
        };
        vec![Act::Say([found, message(asked.id, &done(0))].concat())]
    });
    let mut settings = CustomSettings::new(BASE, ("jit", BASE), "inetOrgPerson", "uid");
    settings.password = PasswordWay::Operation;
    let closed = "000001010000Z".to_owned();
    settings.switch =
        Some(SwitchSettings { attribute: "pwdAccountLockedTime".to_owned(), open: None, closed });
    let target = CustomTarget::new(directory.await, &settings).unwrap();
    let secret = Some(SecretRules::default().draw(&SeededEntropy::new(7)).unwrap());
    let ends_at = "2027-01-15T09:00:00Z".parse().unwrap();
    let state = DesiredState::Present { entitlements: Vec::new(), secret, ends_at };
    let remote = RemoteRef { native: None, ..dora() };
    target.ensure(&Desired { remote, state }).await.unwrap_err();
    let asked_for = asked_for.lock().unwrap();
    assert!(asked_for.contains(&SET_PASSWORD), "{asked_for:x?}");
    asked_for.contains(&DELETE)
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_changed_meanwhile_is_not_removed_under_them() {
    // no such value: another one who makes the same account opened it, and told whoever asked that it is there
    assert!(!is_removed_where_opening_ends_with(16).await);
    // nobody opened it
    assert!(is_removed_where_opening_ends_with(50).await);
}

/// What a server is asked for while accounts are removed one after the other, each so many seconds after the one before: its
/// groups let go of whoever is removed so long after the answer, or do not.
async fn asked_for_while_removing(seconds: &[u64], lets_go_after: Option<Duration>) -> Vec<String> {
    const BASE: &str = "ou=jit,dc=x";
    const DELETE: u8 = 0x4a;
    let asked_for = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked_for);
    // whoever is about to be removed is named without an end
    let mut is_named_until = None;
    let directory = directory(move |asked| {
        let says = |text: &str| asked.bytes.windows(text.len()).any(|part| part == text.as_bytes());
        // the contrary of an equality
        let is_after = asked.bytes.contains(&0xa2);
        let (answer, what) = match asked.op {
            DELETE => {
                is_named_until = lets_go_after.map(|after| Instant::now() + after);
                (message(asked.id, &result(0x6b, 0, b"")), "removes")
            }
            // what bears the name
            0x66 if !says("cn=ops") => (message(asked.id, &result(0x67, 32, b"")), "asks"),
            0x66 => {
                is_named_until = Some(Instant::now());
                (message(asked.id, &result(0x67, 0, b"")), "drops")
            }
            _ if says("ou=groups") => {
                let is_named = !is_after || is_named_until.is_none_or(|until| Instant::now() < until);
                let found =
                    (is_named != is_after).then(|| message(asked.id, &entry("cn=ops,ou=groups,dc=x", &[])));
                let what = if is_after { "looks" } else { "learns" };
                ([found.unwrap_or_default(), message(asked.id, &done(0))].concat(), what)
            }
            _ => (message(asked.id, &done(0)), "reads"),
        };
        seen.lock().unwrap().push(what);
        vec![Act::Say(answer)]
    });
    let mut settings = OpenLdapSettings::new(BASE, ("jit", BASE));
    for group in ["ops", "nobody"] {
        settings.groups.insert(group.into(), format!("cn={group},ou=groups,dc=x"));
    }
    settings.groups_follow = true;
    let target = OpenLdapTarget::new(directory.await, &settings).unwrap();
    let mut turns = Vec::new();
    for seconds in seconds {
        tokio::time::advance(Duration::from_secs(*seconds)).await;
        let absent =
            Desired { remote: dora(), state: DesiredState::Absent { given: Some(vec!["ops".to_owned()]) } };
        assert_eq!(target.ensure(&absent).await.unwrap(), Effect::Absent { was_there: true });
        turns.push(std::mem::take(&mut *asked_for.lock().unwrap()).join(" "));
    }
    turns
}

#[tokio::test(start_paused = true)]
async fn what_a_group_was_seen_to_do_a_moment_ago_is_not_looked_at_again_and_what_it_did_not_always_is() {
    let sure = asked_for_while_removing(&[0, 1, 1, 1, 60, 1], Some(Duration::ZERO)).await;
    let learning = "learns removes looks";
    assert_eq!(sure, ["removes looks", learning, "removes", "removes", "removes looks", learning]);
    let never = asked_for_while_removing(&[0, 1, 1, 70], None).await;
    let (waiting, mended) = ("removes looks looks looks looks asks drops", "removes looks asks drops");
    assert_eq!(never, [waiting, "learns removes looks asks drops", mended, waiting]);
}

#[tokio::test(start_paused = true)]
async fn a_group_that_lets_go_after_the_answer_is_waited_for_and_never_changed() {
    let late = asked_for_while_removing(&[0, 1, 1, 1], Some(Duration::from_millis(20))).await;
    let awaited = "removes looks looks looks";
    assert_eq!(late, [awaited, &format!("learns {awaited}"), "removes", "removes"]);
}
