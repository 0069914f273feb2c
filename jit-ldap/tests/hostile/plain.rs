//! Accounts in a directory that is not Active Directory, made and ended beside others who change them.

use std::sync::{Arc, Mutex};

use jit_core::*;
use jit_ldap::target::{PasswordWay, SwitchSettings};
use jit_ldap::{CustomSettings, CustomTarget, LdapError, OpenLdapSettings, OpenLdapTarget};

use crate::ber::{attribute, done, entry, message, result};
use crate::server::Act;
use crate::targets::{NATIVE, directory, dora};

/// What becomes of the end of an account that is not found by its identifier, where the server answers the change under its
/// name so, and shows an entry of that name or none: the codes of the target and of the server, where it is not gone.
async fn end_of_unfound(code: u8, text: &'static str, shows_name: bool) -> Result<Effect, (Code, Code)> {
    const BASE: &str = "ou=jit,dc=x";
    let name = format!("uid=dora,{BASE}");
    let directory = directory(move |asked| {
        let says = |text: &str| asked.bytes.windows(text.len()).any(|part| part == text.as_bytes());
        let found = match asked.op {
            0x66 => return vec![Act::Say(message(asked.id, &result(0x67, code, text.as_bytes())))],
            0x4a => return vec![Act::Say(message(asked.id, &result(0x6b, 32, b"")))],
            _ if says(&name) => shows_name.then(|| entry(&name, &[])),
            _ if says("entryUUID") => None,
            _ if says(BASE) => Some(entry(BASE, &[])),
            _ => Some(entry("", &[])),
        };
        let found = found.map(|found| message(asked.id, &found)).unwrap_or_default();
        vec![Act::Say([found, message(asked.id, &done(0))].concat())]
    });
    let target = OpenLdapTarget::new(directory.await, &OpenLdapSettings::new(BASE, ("jit", BASE))).unwrap();
    let absent = Desired { remote: dora(), state: DesiredState::Absent };
    target.ensure(&absent).await.map_err(|error| {
        let cause = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref::<LdapError>());
        (error.code(), cause.unwrap().code())
    })
}

#[tokio::test(start_paused = true)]
async fn only_a_server_that_says_so_proves_that_nothing_bears_a_name() {
    let gone = Ok(Effect::Absent { was_there: false });
    for shows_name in [false, true] {
        assert_eq!(end_of_unfound(32, "", shows_name).await, gone);
    }
    // somebody else has the name by now
    for code in [0, 16, 19, 50, 53, 65, 80] {
        assert_eq!(end_of_unfound(code, "", true).await, gone, "{code}");
    }
    for (code, text, shows_name, of_target, of_server) in [
        (16, "", false, "target.forbidden", "ldap.absence_unproved"),
        (50, "", false, "target.forbidden", "ldap.absence_unproved"),
        // its marker could be taken and put back
        (0, "", false, "target.forbidden", "ldap.absence_unproved"),
        (11, "", false, "target.limit", "ldap.admin_limit"),
        (19, "", false, "target.forbidden", "ldap.constraint_violation"),
        (53, "", false, "target.forbidden", "ldap.unwilling"),
        (65, "", false, "target.forbidden", "ldap.schema_violation"),
        (80, "", false, "target.protocol", "ldap.server_failed"),
        // nor was it looked for here
        (51, "", false, "target.unreachable", "ldap.busy"),
        (51, "", true, "target.unreachable", "ldap.busy"),
        (52, "", true, "target.unreachable", "ldap.busy"),
        (10, "", false, "target.read_only", "ldap.read_only"),
        (10, "", true, "target.read_only", "ldap.read_only"),
        (53, "shadow context; no update referral", true, "target.read_only", "ldap.read_only"),
    ] {
        let refused = end_of_unfound(code, text, shows_name).await;
        let codes = refused.as_ref().map_err(|(target, server)| (target.as_str(), server.as_str()));
        assert_eq!(codes, Err((of_target, of_server)), "{code} {text} {shows_name}");
    }
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
