//! Imports of directories of several servers, of which one knows less than the other.

use std::sync::Arc;

use jit_ldap::import::{Extent, ImportCookie, ImportWay};
use jit_ldap::{Directory, IdAttribute, Import, ImportSettings, PoolSettings, Server};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::{Kept, Unit, name, settings, texts};
use crate::active_directory::samba;
use crate::peer::Peer;
use crate::target::administrator_of;

/// A way to a server that can be shut and opened again.
struct Door {
    is_open: Arc<watch::Sender<bool>>,
    server: Server,
}

impl Door {
    async fn before(peer: &Peer) -> Self {
        let (host, to) = (peer.text("host").to_owned(), peer.port("ldaps"));
        let listener = TcpListener::bind((host.as_str(), 0)).await.unwrap();
        let server = Server::ldaps(host.as_str(), peer.tls()).port(listener.local_addr().unwrap().port());
        let is_open = Arc::new(watch::Sender::new(true));
        let passing = Arc::clone(&is_open);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (mut is_open, host) = (passing.subscribe(), host.clone());
                tokio::spawn(async move {
                    let passed = async {
                        let mut server = TcpStream::connect((host.as_str(), to)).await?;
                        copy_bidirectional(&mut client, &mut server).await
                    };
                    tokio::select! {
                        _ = passed => {}
                        _ = is_open.wait_for(|is_open| !is_open) => {}
                    }
                });
            }
        });
        Self { is_open, server }
    }

    fn shut(&self) {
        self.is_open.send_replace(false);
    }

    fn open(&self) {
        self.is_open.send_replace(true);
    }
}

/// A server that has not heard of what the other one was told, which lies behind a door.
struct Pair {
    lagging: Peer,
    own: Peer,
    door: Door,
}

impl Pair {
    async fn start() -> Self {
        let lagging = Peer::start("slapd");
        let own = Peer::start("slapd");
        let door = Door::before(&own).await;
        Self { lagging, own, door }
    }

    fn directory(&self, servers: impl IntoIterator<Item = Server>) -> Directory {
        Directory::new(servers, &self.own.account(), PoolSettings::default())
    }

    fn import(&self, way: ImportWay) -> Import {
        self.import_of([self.door.server.clone(), self.lagging.ldaps()], way)
    }

    fn import_of(&self, servers: impl IntoIterator<Item = Server>, way: ImportWay) -> Import {
        let base = self.own.below("ou=people").to_string();
        let mut settings = ImportSettings::new(&base, "(uid=*)", IdAttribute::EntryUuid);
        (settings.way, settings.attributes) = (way, vec!["uid".to_owned()]);
        Import::new(self.directory(servers), &settings).unwrap()
    }

    async fn add(&self, peer: &Peer, person: &str) {
        let administrator = peer.as_administrator().await;
        let dn = peer.below("ou=people");
        Unit { administrator, dn, person: ("inetOrgPerson", "uid") }.add(person).await;
    }
}

impl Kept {
    fn knows(&self, person: &str) -> bool {
        self.people.values().any(|known| known == person)
    }
}

#[tokio::test]
async fn a_server_that_stands_in_says_of_nobody_that_they_are_gone() {
    let (pair, uid) = (Pair::start().await, name("uid"));
    pair.add(&pair.own, "ann").await;
    for way in [ImportWay::Pages, ImportWay::Sync] {
        pair.door.open();
        let (mut kept, import) = (Kept::default(), pair.import(way));
        assert_eq!(kept.update(&import, &uid).await.1, Extent::Everything);
        assert!(kept.knows("ann"));
        let cookie = kept.cookie.clone();

        pair.door.shut();
        if way == ImportWay::Sync {
            // it knows less than the cookie, which is no reason to throw that away
            let mut reading = import.begin(cookie.as_ref()).await.unwrap();
            assert!(reading.is_substitute());
            let error = loop {
                if let Err(error) = reading.next().await {
                    break error;
                }
            };
            assert_eq!(error.code().as_str(), "ldap.connect_failed", "{error:?}");
        }
        pair.add(&pair.lagging, &format!("eve-{way:?}")).await;
        let (news, extent) = kept.update(&import, &uid).await;
        assert_eq!((extent, news.gone), (Extent::Changes, texts(&[])), "{way:?}");
        assert!(kept.knows("ann") && kept.knows(&format!("eve-{way:?}")), "{way:?}: {:?}", kept.people);
        assert_eq!(kept.cookie, cookie, "the next reading goes on where its own server was");

        pair.door.open();
        pair.add(&pair.own, &format!("fay-{way:?}")).await;
        let (news, _) = kept.update(&import, &uid).await;
        assert!(news.changed.contains(&format!("fay-{way:?}")), "{way:?}: {news:?}");
        assert!(kept.knows("ann"));
    }
}

#[tokio::test]
async fn a_first_reading_by_a_server_that_stands_in_is_followed_by_another_first_one() {
    let (pair, uid) = (Pair::start().await, name("uid"));
    pair.add(&pair.own, "ann").await;
    pair.door.shut();
    let (mut kept, import) = (Kept::default(), pair.import(ImportWay::Sync));
    let (news, extent) = kept.update(&import, &uid).await;
    assert!(extent == Extent::Changes && !news.changed.is_empty() && kept.cookie.is_none());
    pair.door.open();
    let (news, extent) = kept.update(&import, &uid).await;
    assert!(extent == Extent::Everything && news.changed.contains("ann") && kept.cookie.is_some());
}

#[tokio::test]
async fn a_cookie_goes_on_at_its_own_server_whatever_the_order_and_nowhere_without_it() {
    let (pair, uid) = (Pair::start().await, name("uid"));
    pair.add(&pair.own, "ann").await;
    let mut kept = Kept::default();
    kept.update(&pair.import(ImportWay::Sync), &uid).await;
    pair.add(&pair.lagging, "eve").await;
    let turned = pair.import_of([pair.lagging.ldaps(), pair.door.server.clone()], ImportWay::Sync);
    assert!(!turned.begin(kept.cookie.as_ref()).await.unwrap().is_substitute());
    let (news, extent) = kept.update(&turned, &uid).await;
    assert_eq!((news, extent), (super::News::default(), Extent::Changes));

    let alone = pair.import_of([pair.lagging.ldaps()], ImportWay::Sync);
    let restart = async |cookie: &ImportCookie| {
        alone.begin(Some(cookie)).await.map(drop).unwrap_err().code().to_string()
    };
    let cookie = kept.cookie.unwrap();
    assert_eq!(restart(&cookie).await, "ldap.sync_restart");
    for torn in 0..cookie.as_bytes().len() {
        let torn = ImportCookie::from_bytes(&cookie.as_bytes()[..torn]);
        assert_eq!(restart(&torn).await, "ldap.sync_restart", "{torn:?}");
    }
}

#[tokio::test]
async fn a_domain_controller_that_stands_in_tells_who_came_and_leaves_who_went_to_the_other() {
    let peer = samba().await;
    let door = Door::before(peer).await;
    let above = peer.below("OU=People");
    let mut unit = Unit::make(administrator_of(peer).await, &above, "import-door", ("contact", "cn")).await;
    let settings = settings(&unit, ImportWay::DirSync, IdAttribute::ObjectGuid);
    let servers = [door.server.clone(), peer.ldaps()];
    let directory = Directory::new(servers, &peer.account(), PoolSettings::default());
    let (mut kept, import) = (Kept::default(), Import::new(directory, &settings).unwrap());
    for person in ["ann", "ben"] {
        unit.add(person).await;
    }
    assert_eq!(kept.update(&import, &name("cn")).await.1, Extent::Everything);
    let cookie = kept.cookie.clone();
    door.shut();
    unit.delete("ben").await;
    unit.add("cid").await;
    let (news, extent) = kept.update(&import, &name("cn")).await;
    assert_eq!(extent, Extent::Changes);
    assert!(news.changed.contains("cid") && news.gone.is_empty(), "{news:?}");
    assert_eq!(kept.cookie, cookie);
    door.open();
    let (news, extent) = kept.update(&import, &name("cn")).await;
    assert_eq!((extent, news.gone), (Extent::Everything, texts(&["ben"])));
}
