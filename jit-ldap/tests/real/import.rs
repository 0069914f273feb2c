//! People and groups of both directories, read whole, and what has changed since.

mod disabled;
mod large;
mod restored;
mod standing_in;

use std::collections::{BTreeMap, BTreeSet};

use jit_core::LentAccounts;
use jit_ldap::import::{Complete, Extent, ImportConfig, ImportCookie, ImportWay, Record, Step};
use jit_ldap::{
    Attribute, AttributeName, Connection, Dn, EntryId, EntryName, IdAttribute, Import, ImportSettings,
    Modification, Rdn, Search,
};

use crate::active_directory::samba;
use crate::peer::Peer;
use crate::target::{House, World, administrator_of, tenant};

fn name(text: &str) -> AttributeName {
    AttributeName::new(text).unwrap()
}

/// What an application would keep: who is there, by what the directory calls them for good.
#[derive(Default)]
struct Kept {
    people: BTreeMap<EntryId, String>,
    cookie: Option<ImportCookie>,
}

/// What one reading brought.
#[derive(Debug, Default, PartialEq, Eq)]
struct News {
    changed: BTreeSet<String>,
    gone: BTreeSet<String>,
}

impl Kept {
    /// Reads and applies what was read, as the documentation says.
    async fn update(&mut self, import: &Import, shown: &AttributeName) -> (News, Extent) {
        let mut reading = import.begin(self.cookie.as_ref()).await.unwrap();
        let (mut news, mut named) = (News::default(), BTreeSet::new());
        let Complete { extent, cookie } = loop {
            match reading.next().await.unwrap() {
                Step::Records(records) => {
                    for record in records {
                        self.apply(record, shown, &mut news, &mut named);
                    }
                }
                Step::Complete(complete) => break complete,
            }
        };
        if extent == Extent::Everything {
            let unnamed: Vec<_> = self.people.keys().filter(|id| !named.contains(*id)).copied().collect();
            news.gone.extend(unnamed.iter().filter_map(|id| self.people.remove(id)));
        }
        self.cookie = cookie.map(|cookie| ImportCookie::from_bytes(cookie.as_bytes()));
        (news, extent)
    }

    fn apply(
        &mut self,
        record: Record,
        shown: &AttributeName,
        news: &mut News,
        named: &mut BTreeSet<EntryId>,
    ) {
        match record {
            Record::Changed(entry) => {
                let text = entry.entry().text(shown).unwrap_or_default().to_owned();
                named.insert(entry.id());
                news.changed.insert(text.clone());
                self.people.insert(entry.id(), text);
            }
            Record::Unchanged(id) => {
                named.insert(id);
            }
            Record::Gone(id) => {
                named.remove(&id);
                news.gone.extend(self.people.remove(&id));
            }
        }
    }
}

fn texts(texts: &[&str]) -> BTreeSet<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// A unit of its own, in which a test does what it likes.
struct Unit {
    administrator: Connection,
    dn: Dn,
    /// The class of people, and the attribute that names them.
    person: (&'static str, &'static str),
}

impl Unit {
    async fn make(
        mut administrator: Connection,
        above: &Dn,
        unit: &str,
        person: (&'static str, &'static str),
    ) -> Self {
        let dn = above.child(Rdn::new("ou", unit).unwrap());
        let attributes = [
            Attribute::new(AttributeName::OBJECT_CLASS, ["organizationalUnit"]),
            Attribute::new(name("ou"), [unit]),
        ];
        administrator.add(&dn, &attributes, &[]).await.unwrap();
        Self { administrator, dn, person }
    }

    fn dn_of(&self, person: &str) -> Dn {
        self.dn.child(Rdn::new(self.person.1, person).unwrap())
    }

    async fn add(&mut self, person: &str) {
        let (class, kind) = self.person;
        let mut attributes = vec![
            Attribute::new(AttributeName::OBJECT_CLASS, [class]),
            Attribute::new(name(kind), [person]),
            Attribute::new(name("sn"), [person]),
        ];
        if kind == "uid" {
            attributes.push(Attribute::new(AttributeName::COMMON_NAME, [person]));
        }
        self.administrator.add(&self.dn_of(person), &attributes, &[]).await.unwrap();
    }

    async fn describe(&mut self, person: &str, text: &str) {
        self.set("description", person, text).await;
    }

    async fn set(&mut self, kind: &str, person: &str, text: &str) {
        let change = Modification::Replace(Attribute::new(name(kind), [text]));
        self.administrator.modify(&EntryName::Dn(self.dn_of(person)), &[change], &[]).await.unwrap();
    }

    /// Lets an entry bear a marker, as one does that was made for a time.
    async fn mark(&mut self, person: &str) {
        self.mark_in(if self.person.1 == "uid" { "description" } else { "adminDescription" }, person).await;
    }

    async fn mark_in(&mut self, kind: &str, person: &str) {
        self.set(kind, person, "jit1:prod:acme:x:y").await;
    }

    async fn id_of(&mut self, person: &str) -> EntryId {
        let search = Search::entry(self.dn_of(person)).attributes([AttributeName::ENTRY_UUID]);
        self.administrator.read(&search).await.unwrap().unwrap().id(IdAttribute::EntryUuid).unwrap()
    }

    async fn delete(&mut self, person: &str) {
        self.administrator.delete(&EntryName::Dn(self.dn_of(person)), &[]).await.unwrap();
    }

    async fn move_to(&mut self, person: &str, parent: &Dn) {
        let rdn = Rdn::new(self.person.1, person).unwrap();
        let entry = EntryName::Dn(self.dn_of(person));
        self.administrator.rename(&entry, &rdn, false, Some(parent), &[]).await.unwrap();
    }
}

fn settings(unit: &Unit, way: ImportWay, id: IdAttribute) -> ImportSettings {
    let (class, kind) = unit.person;
    let mut settings = ImportSettings::new(&unit.dn.to_string(), &format!("(objectClass={class})"), id);
    settings.attributes = [kind, "description"].map(str::to_owned).to_vec();
    settings.way = way;
    settings.beside_targets(["title"])
}

/// The same story in every way of reading; what is told at each step is the same too.
async fn story(unit: &mut Unit, elsewhere: &Dn, import: &Import, tells_changes: bool) {
    let (mut kept, shown) = (Kept::default(), name(unit.person.1));
    for person in ["ann", "ben", "cid", "dan"] {
        unit.add(person).await;
    }
    let (news, extent) = kept.update(import, &shown).await;
    assert_eq!(extent, Extent::Everything, "the first time");
    assert_eq!(news, News { changed: texts(&["ann", "ben", "cid", "dan"]), gone: texts(&[]) });
    assert_eq!(kept.cookie.is_some(), tells_changes);

    unit.describe("ann", "changed").await;
    unit.delete("ben").await;
    unit.move_to("cid", elsewhere).await;
    unit.add("eve").await;
    let (news, _) = kept.update(import, &shown).await;
    assert_eq!(news.gone, texts(&["ben", "cid"]), "deleted, and moved away");
    assert!(news.changed.is_superset(&texts(&["ann", "eve"])), "{news:?}");
    assert_eq!(news.changed.contains("dan"), !tells_changes, "nothing happened to dan");
    assert_eq!(kept.people.values().cloned().collect::<BTreeSet<_>>(), texts(&["ann", "dan", "eve"]));

    let (news, _) = kept.update(import, &shown).await;
    assert_eq!(news.gone, texts(&[]));
    assert_eq!(news.changed.is_empty(), tells_changes, "{news:?}");

    // what is made for a time is no person
    unit.add("lent").await;
    unit.mark("lent").await;
    unit.mark("dan").await;
    let (news, _) = kept.update(import, &shown).await;
    assert_eq!(news.gone, texts(&["dan"]));
    assert!(!news.changed.contains("lent"), "{news:?}");
    assert_eq!(kept.people.values().cloned().collect::<BTreeSet<_>>(), texts(&["ann", "eve"]));
    assert_eq!(kept.update(import, &shown).await.0.gone, texts(&[]));

    // nor is what another target made, which marks in another place
    unit.add("lifted").await;
    unit.mark_in("title", "lifted").await;
    unit.mark_in("title", "eve").await;
    let (news, _) = kept.update(import, &shown).await;
    assert_eq!(news.gone, texts(&["eve"]));
    assert!(!news.changed.contains("lifted"), "{news:?}");
    assert_eq!(kept.people.values().cloned().collect::<BTreeSet<_>>(), texts(&["ann"]));
}

#[tokio::test]
async fn open_ldap_tells_who_came_changed_and_went() {
    for (way, tells_changes) in [(ImportWay::Pages, false), (ImportWay::Sync, true)] {
        let peer = Peer::start("slapd");
        let (above, person) = (peer.below("ou=jit"), ("inetOrgPerson", "uid"));
        let mut unit = Unit::make(peer.as_administrator().await, &above, "import", person).await;
        let settings = settings(&unit, way, IdAttribute::EntryUuid);
        let import = Import::new(peer.directory(), &settings).unwrap();
        story(&mut unit, &above, &import, tells_changes).await;
    }
}

/// Whom a reading since a cookie names as still there, and the cookie to go on with.
async fn present_since(
    config: &ImportConfig,
    peer: &Peer,
    cookie: &ImportCookie,
) -> (BTreeSet<EntryId>, ImportCookie) {
    let (records, complete) = all(config, peer.as_service().await, Some(cookie)).await;
    assert_eq!(complete.extent, Extent::Everything, "the server names whoever is there");
    let present = records.into_iter().filter_map(|record| match record {
        Record::Unchanged(id) => Some(id),
        Record::Changed(_) | Record::Gone(_) => None,
    });
    (present.collect(), complete.cookie.unwrap())
}

#[tokio::test]
async fn whoever_was_made_for_a_time_is_not_among_those_still_there() {
    let peer = Peer::start_as("slapd", &["--forgetful"]);
    let (above, person) = (peer.below("ou=jit"), ("inetOrgPerson", "uid"));
    let mut unit = Unit::make(peer.as_administrator().await, &above, "import", person).await;
    for person in ["ann", "ben", "lent", "lifted"] {
        unit.add(person).await;
    }
    unit.mark("lent").await;
    unit.mark_in("title", "lifted").await;
    let (ann, ben, lent) = (unit.id_of("ann").await, unit.id_of("ben").await, unit.id_of("lent").await);
    let config = settings(&unit, ImportWay::Sync, IdAttribute::EntryUuid).check().unwrap();
    let (_, complete) = all(&config, peer.as_service().await, None).await;

    unit.describe("ann", "changed").await;
    let (present, cookie) = present_since(&config, &peer, &complete.cookie.unwrap()).await;
    assert_eq!(present, BTreeSet::from([ann, ben]), "and not what bears a marker");

    // what is a marker no more hides nobody
    unit.describe("lent", "hired").await;
    let (_, cookie) = present_since(&config, &peer, &cookie).await;
    unit.describe("ann", "changed again").await;
    let (present, _) = present_since(&config, &peer, &cookie).await;
    assert_eq!(present, BTreeSet::from([ann, ben, lent]));
}

#[tokio::test]
async fn what_a_lease_made_is_no_person_also_where_its_marker_was_taken_away() {
    for way in [ImportWay::Pages, ImportWay::Sync] {
        let place = World::open_ldap();
        let house = House::behind(place.target(), 0).await;
        let out = house.out(30).await;
        let entry = EntryName::Dn(place.dn(&out.name));
        let marker = Modification::Replace(Attribute::new(place.marker(), ["one of us now"]));
        place.administrator().await.modify(&entry, &[marker], &[]).await.unwrap();
        let base = place.peer().base().to_string();
        let mut settings = ImportSettings::new(&base, "(objectClass=inetOrgPerson)", IdAttribute::EntryUuid);
        (settings.way, settings.attributes) = (way, vec!["uid".to_owned()]);
        let (mut by_marker, mut by_lease) = (Kept::default(), Kept::default());
        let import = Import::new(place.peer().directory(), &settings).unwrap();
        by_marker.update(&import, &name("uid")).await;
        assert!(by_marker.people.values().any(|uid| *uid == out.name), "it bears no marker");
        let import = import.leaving_out(LentAccounts::of(tenant(), house.store.clone()));
        by_lease.update(&import, &name("uid")).await;
        let both = (by_marker.people.len(), by_lease.people.len());
        assert_eq!(both.0, both.1 + 1, "all others are read");
        assert!(!by_lease.people.values().any(|uid| *uid == out.name));
        // whoever took it for a person is told that it is none, also by what changed since
        let title = Modification::Replace(Attribute::new(name("title"), ["one of us"]));
        place.administrator().await.modify(&entry, &[title], &[]).await.unwrap();
        assert!(by_marker.update(&import, &name("uid")).await.0.gone.contains(&out.name), "{way:?}");
    }
}

#[tokio::test]
async fn active_directory_tells_who_came_changed_and_went() {
    let peer = samba().await;
    for (number, way) in [ImportWay::Pages, ImportWay::DirSync].into_iter().enumerate() {
        let unit = format!("import-{number}");
        let above = peer.below("OU=People");
        let mut unit = Unit::make(administrator_of(peer).await, &above, &unit, ("contact", "cn")).await;
        let settings = settings(&unit, way, IdAttribute::ObjectGuid);
        // as the account with the least rights, which sees nothing of what was deleted
        let import = Import::new(peer.directory(), &settings).unwrap();
        story(&mut unit, &above, &import, way == ImportWay::DirSync).await;
        let cid = EntryName::Dn(above.child(Rdn::new("cn", "cid").unwrap()));
        unit.administrator.delete(&cid, &[]).await.unwrap();
    }
}

#[tokio::test]
async fn whoever_sees_deleted_entries_is_told_of_them() {
    let peer = samba().await;
    let above = peer.below("OU=People");
    let mut unit = Unit::make(administrator_of(peer).await, &above, "import-seen", ("contact", "cn")).await;
    let mut settings = settings(&unit, ImportWay::DirSync, IdAttribute::ObjectGuid);
    settings.sees_deleted = true;
    let config = settings.check().unwrap();
    for person in ["ann", "ben", "cid"] {
        unit.add(person).await;
    }
    let (before, complete) = all(&config, administrator_of(peer).await, None).await;
    assert_eq!((before.len(), complete.extent), (3, Extent::Everything));
    unit.delete("ben").await;
    unit.move_to("cid", &peer.below("OU=JIT")).await;
    let (records, complete) = all(&config, administrator_of(peer).await, complete.cookie.as_ref()).await;
    assert_eq!(complete.extent, Extent::Changes);
    // others delete and change in the same domain meanwhile
    let was_there = |id: &EntryId| {
        before.iter().any(|record| matches!(record, Record::Changed(entry) if entry.id() == *id))
    };
    let gone = records.iter().filter(|record| matches!(record, Record::Gone(id) if was_there(id)));
    assert_eq!(gone.count(), 2, "deleted, and moved away");
    assert!(!records.iter().any(|record| matches!(record, Record::Unchanged(_))));
    let cid = EntryName::Dn(peer.below("CN=cid,OU=JIT"));
    unit.administrator.delete(&cid, &[]).await.unwrap();
}

async fn all(
    config: &ImportConfig,
    connection: Connection,
    since: Option<&ImportCookie>,
) -> (Vec<Record>, Complete) {
    let mut reading = config.read_over(connection, since).unwrap();
    let mut records = Vec::new();
    loop {
        match reading.next().await.unwrap() {
            Step::Records(more) => records.extend(more),
            Step::Complete(complete) => return (records, complete),
        }
    }
}

#[tokio::test]
async fn groups_are_read_with_all_their_members_and_as_claims() {
    let peer = Peer::start("slapd");
    let mut settings = ImportSettings::new(
        &peer.below("ou=groups").to_string(),
        "(objectClass=groupOfNames)",
        IdAttribute::EntryUuid,
    );
    settings.attributes = ["cn", "member", "description"].map(str::to_owned).to_vec();
    settings.readable = vec!["description".to_owned()];
    let config = settings.check().unwrap();
    let (records, _) = all(&config, peer.as_service().await, None).await;
    let claims: Vec<_> = records
        .iter()
        .map(|record| {
            let Record::Changed(entry) = record else { panic!("an entry") };
            entry.claims(&config)
        })
        .collect();
    assert_eq!(claims.len(), 2);
    for claims in claims {
        assert_eq!(claims.get("description").state(), "empty", "which may be read, and is not there");
        assert_eq!(claims.get("member").values().unwrap().text().unwrap(), "cn=nobody,dc=jit,dc=test");
    }
}

#[tokio::test]
async fn more_than_any_limit_of_one_search_is_read_in_steps() {
    let peer = Peer::start("slapd");
    let mut service = peer.as_service().await;
    for number in 0..1203 {
        let uid = format!("jit-{number}");
        let attributes = [
            Attribute::new(AttributeName::OBJECT_CLASS, ["account"]),
            Attribute::new(name("uid"), [uid.as_str()]),
        ];
        let dn = peer.below("ou=jit").child(Rdn::new("uid", &uid).unwrap());
        service.add(&dn, &attributes, &[]).await.unwrap();
    }
    for way in [ImportWay::Pages, ImportWay::Sync] {
        let base = peer.below("ou=jit").to_string();
        let mut settings = ImportSettings::new(&base, "(objectClass=account)", IdAttribute::EntryUuid);
        settings.way = way;
        let import = Import::new(peer.directory(), &settings).unwrap();
        let mut reading = import.begin(None).await.unwrap();
        let (mut read, mut steps) = (0, 0);
        while let Step::Records(records) = reading.next().await.unwrap() {
            assert!(records.len() <= 500);
            (read, steps) = (read + records.len(), steps + 1);
        }
        assert_eq!((read, steps), (1203, 3), "{way:?}");
        assert!(reading.next().await.is_err(), "it is over");
    }
}

#[tokio::test]
async fn a_cookie_of_other_settings_or_a_way_that_the_server_does_not_know_is_refused() {
    let peer = Peer::start("slapd");
    let base = peer.below("ou=people").to_string();
    let mut settings = ImportSettings::new(&base, "(uid=*)", IdAttribute::EntryUuid);
    settings.way = ImportWay::Sync;
    let (_, complete) = all(&settings.check().unwrap(), peer.as_service().await, None).await;
    let cookie = complete.cookie.unwrap();
    let refused = |settings: &ImportSettings, cookie: &ImportCookie, connection: Connection| {
        settings.check().unwrap().read_over(connection, Some(cookie)).unwrap_err().code().to_string()
    };
    let mut others = vec![settings.clone(), settings.clone(), settings.clone()];
    others[0].filter = "(cn=*)".to_owned();
    others[1].attributes.push("mail".to_owned());
    others[2].way = ImportWay::Pages;
    for other in others {
        assert_eq!(refused(&other, &cookie, peer.as_service().await), "ldap.sync_restart");
    }
    let torn = ImportCookie::from_bytes(&cookie.as_bytes()[..9]);
    assert_eq!(refused(&settings, &torn, peer.as_service().await), "ldap.sync_restart");

    let mut windows = settings.clone();
    (windows.way, windows.id) = (ImportWay::DirSync, IdAttribute::ObjectGuid);
    let config = windows.check().unwrap();
    let mut reading = config.read_over(peer.as_service().await, None).unwrap();
    assert_eq!(reading.next().await.unwrap_err().code().as_str(), "ldap.control_unsupported");
    let config = settings.check().unwrap();
    let samba = samba().await;
    let mut reading = config.read_over(samba.as_service().await, None).unwrap();
    assert_ne!(reading.next().await.unwrap_err().code().as_str(), "ldap.connection_lost");
}

#[tokio::test]
async fn what_the_server_keeps_elsewhere_makes_a_reading_not_whole() {
    let peer = samba().await;
    let root = peer.base().to_string();
    let settings = ImportSettings::new(&root, "(sAMAccountName=alice)", IdAttribute::ObjectGuid);
    let config = settings.check().unwrap();
    let mut reading = config.read_over(peer.as_service().await, None).unwrap();
    let Step::Records(records) = reading.next().await.unwrap() else { panic!("alice") };
    assert_eq!(records.len(), 1);
    assert_eq!(reading.next().await.unwrap_err().code().as_str(), "ldap.referral");
    assert!(reading.next().await.is_err(), "and it stays so");
}
