//! A directory with strangers in it, and what can be seen of all that from outside.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use jit_core::*;
use jit_ldap::{
    Attribute, AttributeName, Connection, Dn, Filter, Modification, Password, Rdn, Scope, Search,
};

use super::child::{Came, Job, Place, Work, open, operator, tenant};
use super::parent::{Dice, Worker};
use crate::peer::{Kind, Peer, folder, wait};

/// What a directory shows of all that is not ours.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Snapshot(Vec<(String, Vec<Attribute>)>);

pub(crate) struct World {
    kind: Kind,
    peer: Peer,
    place: Place,
    store: String,
    holder: AccountId,
    now: DateTime<Utc>,
    before: Option<Snapshot>,
    pub(crate) dice: Dice,
}

impl World {
    /// A directory of its own, with strangers, and a durable store with somebody who may check out.
    pub(crate) fn new(kind: Kind, name: &str) -> Self {
        let file = folder(&format!("store-{name}")).join("accounts.db");
        Self::new_on(kind, name, &format!("sqlite:{}", file.to_str().unwrap()))
    }

    /// The same, on another store.
    pub(crate) fn new_on(kind: Kind, name: &str, store: &str) -> Self {
        let peer = Peer::start_as(if kind == Kind::OpenLdap { "slapd" } else { "samba" }, name);
        let now = SystemClock.now();
        let holder = wait(async { holder(open(store).await.as_ref(), now).await });
        let place = Place::new(kind, &peer);
        // Told so that a run can be repeated.
        let seed = now.timestamp_micros().unsigned_abs() | 1;
        println!("{name}: seed {seed}");
        let store = store.to_owned();
        let mut world = Self { kind, peer, place, store, holder, now, before: None, dice: Dice(seed) };
        wait(world.plant_strangers());
        world.before = Some(world.snapshot());
        world
    }

    pub(crate) fn job(&self, work: Work, stop_at: Option<u64>) -> Job {
        Job {
            place: self.place.clone(),
            store: self.store.clone(),
            deployment: "killed".to_owned(),
            holder: self.holder,
            work,
            begin: self.now,
            stop_at,
        }
    }

    pub(crate) fn pass(&mut self, minutes: i64) {
        self.now += TimeDelta::minutes(minutes);
    }

    /// Lets whatever was sent before a kill take effect: a later request on a new connection is answered after it.
    pub(crate) fn let_it_land(&self) {
        wait(async {
            for _ in 0..2 {
                self.peer.as_service().await.read(&Search::entry(self.base())).await.unwrap();
            }
        });
    }

    /// How long a child takes that nobody disturbs.
    pub(crate) fn undisturbed(&mut self, work: Work) -> (Came, Duration) {
        let worker = Worker::start(&self.job(work, None));
        let began = Instant::now();
        let came = worker.end();
        (came, began.elapsed())
    }

    /// Looks after everything that is due, in a process of its own: half an hour passes meanwhile.
    pub(crate) fn recover(&mut self) -> Came {
        let came = Worker::start(&self.job(recovery(), None)).end();
        self.pass(30);
        came
    }

    /// How many entries of ours are there.
    pub(crate) fn left(&self) -> usize {
        let marker = AttributeName::new(self.marker()).unwrap();
        let ours = Filter::begins_with(&marker, "jit1:killed:");
        wait(async {
            let search = Search::new(self.base(), Scope::Subtree, ours);
            self.peer.as_service().await.search(&search).await.unwrap().entries.len()
        })
    }

    /// Whether everything that is not ours is as it was.
    pub(crate) fn is_untouched(&self) -> bool {
        self.before.as_ref() == Some(&self.snapshot())
    }

    fn snapshot(&self) -> Snapshot {
        let seen = wait(async {
            let mut connection = self.peer.as_service().await;
            let marker = AttributeName::new(self.marker()).unwrap();
            let ours = Filter::begins_with(&marker, "jit1:killed:").negate().unwrap();
            // The state of an entry, by the server's own count of changes.
            let changed = if self.kind == Kind::OpenLdap { "entryCSN" } else { "uSNChanged" };
            let search = Search::new(self.base(), Scope::Subtree, ours)
                .attributes([AttributeName::new(changed).unwrap()]);
            let mut entries = connection.search(&search).await.unwrap().entries;
            for (_, group) in &self.place.groups {
                let group = Search::entry(Dn::parse(group).unwrap()).attributes([AttributeName::MEMBER]);
                entries.extend(connection.read(&group).await.unwrap());
            }
            entries
        });
        let mut seen: Vec<_> =
            seen.iter().map(|entry| (entry.dn_text().to_owned(), entry.attributes().to_vec())).collect();
        seen.sort_by(|a, b| a.0.cmp(&b.0));
        Snapshot(seen)
    }

    /// Somebody without a mark, somebody whom another deployment made, and one of them in a group.
    async fn plant_strangers(&self) {
        let mut connection = self.service_or_administrator().await;
        let marker = AttributeName::new(self.marker()).unwrap();
        let other = MarkerKey::new("other", &[8; 32]).unwrap().mark(&tenant(), self.holder);
        for (name, mark) in [("stranger", None), ("jit-another", Some(other))] {
            let mut attributes = self.person(name);
            attributes.extend(mark.map(|mark| Attribute::new(marker.clone(), [mark.as_str()])));
            connection.add(&self.dn(name), &attributes, &[]).await.unwrap();
        }
        let member = self.dn("stranger").to_string();
        let joins = Modification::Add(Attribute::new(AttributeName::MEMBER, [member]));
        let group = Dn::parse(&self.place.groups[0].1).unwrap();
        connection.modify(&group.into(), &[joins], &[]).await.unwrap();
    }

    fn person(&self, name: &str) -> Vec<Attribute> {
        let text = |kind: AttributeName| Attribute::new(kind, [name]);
        match self.kind {
            Kind::OpenLdap => vec![
                Attribute::new(AttributeName::OBJECT_CLASS, ["inetOrgPerson"]),
                text(AttributeName::USER_ID),
                text(AttributeName::COMMON_NAME),
                text(AttributeName::SURNAME),
            ],
            Kind::Windows => vec![
                Attribute::new(AttributeName::OBJECT_CLASS, ["user"]),
                text(AttributeName::SAM_ACCOUNT_NAME),
            ],
        }
    }

    async fn service_or_administrator(&self) -> Connection {
        if self.kind == Kind::OpenLdap {
            return self.peer.as_service().await;
        }
        let mut connection = self.peer.connect().await;
        let password = Password::new("Adm1nistrator-Passw0rd").unwrap();
        connection.bind("Administrator@jit.test", &password, &[]).await.unwrap();
        connection
    }

    fn base(&self) -> Dn {
        Dn::parse(&self.place.base).unwrap()
    }

    fn dn(&self, name: &str) -> Dn {
        let kind = if self.kind == Kind::OpenLdap { "uid" } else { "CN" };
        self.base().child(Rdn::new(kind, name).unwrap())
    }

    fn marker(&self) -> &'static str {
        if self.kind == Kind::OpenLdap { "description" } else { "adminDescription" }
    }
}

/// Calls that may still arrive are waited for, then what ran out, then what fails once more.
pub(crate) fn recovery() -> Work {
    Work::Tend(vec![3, 3, 6, 3, 5])
}

async fn holder(store: &dyn Store, now: DateTime<Utc>) -> AccountId {
    let mut mint = Mint::new(now, [9; 16]);
    let mut account = Account::begin(mint.account(), tenant(), AccountState::Active, now);
    let by = Provenance::of(Source::Administrator);
    account.grants.push(Grant::new(mint.grant(), operator(), by, now));
    let holder = account.id;
    let commit = Commit { account: Some(AccountWrite::create(account)), ..Commit::new(tenant()) };
    store.commit(&commit).await.unwrap();
    holder
}
