//! Servers that were put back from a backup, or are of another product than the one that made the cookie.

use jit_ldap::import::{Complete, Extent, ImportConfig, ImportCookie, ImportWay, Record, Step};
use jit_ldap::{IdAttribute, ImportSettings, LdapError};

use super::{Unit, all};
use crate::peer::Peer;

/// Reads to the end, or to the error.
async fn read_at(
    peer: &Peer,
    config: &ImportConfig,
    since: Option<&ImportCookie>,
) -> Result<(usize, Complete), LdapError> {
    let mut reading = config.read_over(peer.as_service().await, since)?;
    let mut changed = 0;
    loop {
        match reading.next().await? {
            Step::Records(records) => {
                changed += records.iter().filter(|record| matches!(record, Record::Changed(_))).count();
            }
            Step::Complete(complete) => return Ok((changed, complete)),
        }
    }
}

fn people(peer: &Peer) -> ImportConfig {
    let base = peer.below("ou=people").to_string();
    let mut settings = ImportSettings::new(&base, "(uid=*)", IdAttribute::EntryUuid);
    (settings.way, settings.attributes) = (ImportWay::Sync, vec!["uid".to_owned()]);
    settings.check().unwrap()
}

#[tokio::test]
async fn a_server_that_knows_less_than_the_cookie_says_so_and_the_next_reading_begins_anew() {
    // what the first one holds is what a backup of the second one would have held
    let restored = Peer::start("slapd");
    let lost = Peer::start("slapd");
    let config = people(&restored);
    let person = ("inetOrgPerson", "uid");
    Unit::make(lost.as_administrator().await, &lost.below("ou=people"), "later", person)
        .await
        .add("ann")
        .await;
    let (_, complete) = all(&config, lost.as_service().await, None).await;
    let error = read_at(&restored, &config, complete.cookie.as_ref()).await.unwrap_err();
    assert_eq!(error.code().as_str(), "ldap.sync_restart", "{error:?}");
    let (changed, complete) = read_at(&restored, &config, None).await.unwrap();
    assert!(changed > 0 && complete.extent == Extent::Everything);
}

#[tokio::test]
async fn a_cookie_that_the_server_cannot_read_is_not_kept_for_good() {
    let peer = Peer::start("slapd");
    let config = people(&peer);
    let (everybody, complete) = all(&config, peer.as_service().await, None).await;
    let own = complete.cookie.unwrap();
    let place = own.as_bytes().windows(4).position(|part| part == b"rid=").unwrap();
    let foreign = [&own.as_bytes()[..place], b"ldap.example.com:389#cn=jit:dc=example:(uid=*)#1234"].concat();
    let error = read_at(&peer, &config, Some(&ImportCookie::from_bytes(foreign))).await.unwrap_err();
    assert_eq!(error.code().as_str(), "ldap.sync_restart", "{error:?}");
    // one that it can read is kept also where it has nothing to tell
    let (changed, complete) = read_at(&peer, &config, Some(&own)).await.unwrap();
    assert_eq!((changed, complete.extent), (0, Extent::Changes));
    assert_eq!(complete.cookie, Some(own));
    assert!(!everybody.is_empty());
}
