//! Groups that no page has room for.

use std::collections::BTreeMap;

use jit_ldap::import::{Extent, Record, Step};
use jit_ldap::{
    Attribute, AttributeName, Connection, Dn, IdAttribute, Import, ImportSettings, Limits, Password, Rdn,
};

use super::{all, name};
use crate::peer::Peer;

const MEMBERS: usize = 5000;

/// Somebody who may write more in one request than the limits of others allow to read.
async fn writer(peer: &Peer) -> Connection {
    let mut limits = Limits::default();
    limits.message_bytes = 4 << 20;
    let mut connection = Connection::open(&peer.ldaps(), limits).await.unwrap();
    let password = Password::new("jit-administrator-password").unwrap();
    connection.bind(&format!("cn=admin,{}", peer.base()), &password, &[]).await.unwrap();
    connection
}

async fn add_group(writer: &mut Connection, base: &Dn, group: &str, members: usize) {
    let names = (0..members)
        .map(|number| format!("uid=somebody-with-a-name-{number:05},ou=people,ou=far-away,dc=jit,dc=test"));
    let attributes = [
        Attribute::new(AttributeName::OBJECT_CLASS, ["groupOfNames"]),
        Attribute::new(AttributeName::COMMON_NAME, [group]),
        Attribute::new(AttributeName::MEMBER, names),
    ];
    writer.add(&base.child(Rdn::new("cn", group).unwrap()), &attributes, &[]).await.unwrap();
}

#[tokio::test]
async fn groups_that_no_page_has_room_for_are_read_whole_and_one_that_no_message_has_is_named() {
    let peer = Peer::start("slapd");
    let (base, mut writer) = (peer.below("ou=groups"), writer(&peer).await);
    // together some 20 MiB, as they count
    for number in 0..36 {
        add_group(&mut writer, &base, &format!("large-{number:02}"), MEMBERS).await;
    }
    let mut settings = ImportSettings::new(
        &base.to_string(),
        "(&(objectClass=groupOfNames)(cn=large-*))",
        IdAttribute::EntryUuid,
    );
    settings.attributes = vec!["cn".to_owned(), "member".to_owned()];
    let (records, complete) = all(&settings.check().unwrap(), peer.as_service().await, None).await;
    assert_eq!(complete.extent, Extent::Everything);
    let mut groups = BTreeMap::new();
    for record in &records {
        let Record::Changed(group) = record else { panic!("a group: {record:?}") };
        let members = group.entry().values(&AttributeName::MEMBER).unwrap().len();
        assert_eq!(groups.insert(group.entry().text(&name("cn")).unwrap(), members), None, "each once");
    }
    assert!(groups.len() == 36 && groups.values().all(|members| *members == MEMBERS), "{groups:?}");

    add_group(&mut writer, &base, "large-99", 40_000).await;
    let import = Import::new(peer.directory(), &settings).unwrap();
    let mut reading = import.begin(None).await.unwrap();
    let error = loop {
        match reading.next().await {
            Ok(Step::Records(_)) => {}
            Ok(Step::Complete(complete)) => panic!("{complete:?}"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.code().as_str(), "ldap.message_too_large");
    assert_eq!(error.entry(), Some(format!("cn=large-99,{base}").as_str()));
    assert!(!format!("{error} {error:?}").contains("large-99"), "which is no text for everybody");
}
