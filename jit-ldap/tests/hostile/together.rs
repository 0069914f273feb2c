//! Changes that are on their way at once, and servers that answer them wrongly.

use std::sync::{Arc, Mutex};

use jit_ldap::{Attribute, AttributeName, Connection, Dn, EntryName, Fate, LdapError, Modification};

use crate::ber::{message, result};
use crate::server::{Act, connection};

const NO_SUCH_OBJECT: u8 = 32;

fn answered(id: i32, code: u8) -> Act {
    Act::Say(message(id, &result(0x67, code, b"")))
}

async fn join(connection: &mut Connection, count: usize) -> Result<Vec<Result<(), LdapError>>, LdapError> {
    let change = |number| {
        let group = Dn::parse(&format!("cn={number}")).unwrap();
        (EntryName::from(group), Modification::Add(Attribute::new(AttributeName::MEMBER, ["uid=a"])))
    };
    let changes: Vec<_> = (0..count).map(change).collect();
    connection.modify_together(&changes).await
}

#[tokio::test(start_paused = true)]
async fn each_change_gets_its_own_answer_whichever_comes_first() {
    let mut asked = Vec::new();
    let mut connection = connection(move |request| {
        asked.push(request.id);
        match asked[..] {
            // nothing is said before all three were sent
            [first, second, third] => {
                vec![answered(third, 0), answered(first, 0), answered(second, NO_SUCH_OBJECT)]
            }
            _ => Vec::new(),
        }
    });
    let outcomes = join(&mut connection, 3).await.unwrap();
    let codes: Vec<_> =
        outcomes.iter().map(|outcome| outcome.as_ref().err().map(|error| error.code().to_string())).collect();
    assert_eq!(codes, [None, Some("ldap.entry_missing".to_owned()), None]);
    assert!(connection.is_usable());
}

#[tokio::test(start_paused = true)]
async fn no_more_are_on_their_way_than_find_room() {
    let (most, mut open) = (Arc::new(Mutex::new(0)), Vec::new());
    let seen = Arc::clone(&most);
    let mut connection = connection(move |asked| {
        open.push(asked.id);
        let mut most = seen.lock().unwrap();
        *most = open.len().max(*most);
        // whoever sends one more before it read an answer waits for ever
        let is_time = open.len() == 16 || asked.id == 20;
        if is_time { open.drain(..).map(|id| answered(id, 0)).collect() } else { Vec::new() }
    });
    assert_eq!(join(&mut connection, 20).await.unwrap().len(), 20);
    assert_eq!(*most.lock().unwrap(), 16);
    assert!(join(&mut connection, 0).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_wrong_answer_to_one_says_nothing_of_any() {
    type Acts = fn(i32) -> Vec<Act>;
    let cases: [(&str, Acts); 4] = [
        ("ldap.message_id_unexpected", |id| match id {
            1 => vec![answered(1, 0), answered(1, 0)],
            _ => Vec::new(),
        }),
        ("ldap.message_id_unexpected", |_| vec![answered(7, 0)]),
        ("ldap.response_unexpected", |id| vec![Act::Say(message(id, &result(0x6b, 0, b"")))]),
        ("ldap.connection_lost", |id| if id == 1 { vec![answered(1, 0)] } else { vec![Act::Close] }),
    ];
    for (expected, acts) in cases {
        let mut connection = connection(move |asked| acts(asked.id));
        let error = join(&mut connection, 2).await.unwrap_err();
        assert_eq!((error.code().as_str(), error.fate()), (expected, Fate::Unknown));
        assert!(!connection.is_usable(), "{expected}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_come_is_not_waited_for_without_end() {
    let mut connection =
        connection(|asked| if asked.id == 1 { vec![answered(1, 0)] } else { vec![Act::Wait] });
    let error = join(&mut connection, 2).await.unwrap_err();
    assert_eq!((error.code().as_str(), error.fate()), ("ldap.timeout", Fate::Unknown));
    assert!(!connection.is_usable());
}
