//! The same accounts by bare operations of the directory: no lease, no store, no trail, no port.

use std::{
    ops::{Deref, DerefMut},
    sync::atomic::{AtomicU64, Ordering},
};

use chrono::TimeDelta;
use jit_core::{Clock as _, SecretRules, SystemClock, SystemEntropy};
use jit_ldap::{
    Attribute, AttributeName, Connection, Control, Dn, EntryName, Filter, Limits, Modification, Password,
    Pool, PoolSettings, Rdn, Server, ServiceAccount, control, pool::Loan, time::write_generalized,
};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::slapd::Slapd;

static NUMBER: AtomicU64 = AtomicU64::new(0);

/// Whoever programs against the directory without us.
pub(crate) struct Raw {
    way: Way,
    place: Dn,
    groups: Vec<Dn>,
}

/// How a connection is come by.
enum Way {
    /// From a pool like ours.
    Pool(Pool),
    /// For each operation a new one: TLS, bind, unbind. As many at once as a pool has.
    Each { server: Server, name: String, password: Password, places: Semaphore },
}

enum Lent<'a> {
    Loan(Loan),
    Own(Connection, SemaphorePermit<'a>),
}

/// An account, and what makes sure that no other is removed.
pub(crate) struct Made {
    dn: Dn,
    is_ours: Filter,
}

impl Raw {
    pub(crate) fn pooled(slapd: &Slapd, size: u8) -> Self {
        let mut settings = PoolSettings::default();
        settings.size = size;
        let account = ServiceAccount::new(slapd.text("service"), slapd.text("service_password")).unwrap();
        Self::over(Way::Pool(Pool::new(slapd.server(), account, settings)), slapd)
    }

    pub(crate) fn each(slapd: &Slapd, size: u8) -> Self {
        let password = Password::new(slapd.text("service_password")).unwrap();
        let (server, name) = (slapd.server_without_memory(), slapd.text("service").to_owned());
        let places = Semaphore::new(usize::from(size));
        Self::over(Way::Each { server, name, password, places }, slapd)
    }

    fn over(way: Way, slapd: &Slapd) -> Self {
        let base = slapd.text("base");
        let groups =
            ["ops", "staff"].map(|group| Dn::parse(&format!("cn={group},ou=groups,{base}")).unwrap());
        Self { way, place: Dn::parse(&format!("ou=jit,{base}")).unwrap(), groups: groups.into() }
    }

    async fn lend(&self) -> Lent<'_> {
        match &self.way {
            Way::Pool(pool) => Lent::Loan(pool.lend().await.unwrap()),
            Way::Each { server, name, password, places } => {
                let place = places.acquire().await.unwrap();
                let mut own = Connection::open(server, Limits::default()).await.unwrap();
                own.bind(name, password, &[]).await.unwrap();
                Lent::Own(own, place)
            }
        }
    }

    /// Makes an account that ends by itself, with a password and a mark.
    pub(crate) async fn make(&self) -> Made {
        let name = format!("raw-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let dn = self.place.child(Rdn::new("uid", &name).unwrap());
        let secret = SecretRules::default().draw(&SystemEntropy).unwrap();
        let end = SystemClock.now() + TimeDelta::minutes(30);
        let (mark, end) = (format!("mark of {name}"), write_generalized(end).unwrap());
        let attributes = [
            (AttributeName::OBJECT_CLASS, "inetOrgPerson"),
            (AttributeName::new("description").unwrap(), &mark),
            (AttributeName::USER_ID, &name),
            (AttributeName::COMMON_NAME, &name),
            (AttributeName::SURNAME, &name),
            (AttributeName::PASSWORD_END_TIME, &end),
            (AttributeName::USER_PASSWORD, secret.reveal()),
        ];
        let attributes = attributes.map(|(name, value)| Attribute::new(name, [value]));
        let mut lent = self.lend().await;
        let controls = [Control::post_read(&[AttributeName::ENTRY_UUID])];
        let answer = lent.add(&dn, &attributes, &controls).await.unwrap();
        lent.done().await;
        let entry = answer.read_entry(control::oid::POST_READ).unwrap();
        let id = entry.value(&AttributeName::ENTRY_UUID).unwrap().to_vec();
        Made { dn, is_ours: Filter::equals(&AttributeName::ENTRY_UUID, id) }
    }

    /// Puts it into two groups: both changes on the way at once, where they share a connection.
    pub(crate) async fn join(&self, made: &Made) {
        let member = || Modification::Add(Attribute::new(AttributeName::MEMBER, [made.dn.to_string()]));
        let changes: Vec<_> = self.groups.iter().map(|group| (EntryName::from(group), member())).collect();
        let apart = if matches!(self.way, Way::Pool(_)) { changes.len() } else { 1 };
        for changes in changes.chunks(apart) {
            let mut lent = self.lend().await;
            for outcome in lent.modify_together(changes).await.unwrap() {
                outcome.unwrap();
            }
            lent.done().await;
        }
    }

    /// Removes it, and nothing that has taken its name.
    pub(crate) async fn remove(&self, made: Made) {
        let mut lent = self.lend().await;
        lent.delete(&EntryName::from(&made.dn), &[Control::assertion(&made.is_ours)]).await.unwrap();
        lent.done().await;
    }
}

impl Lent<'_> {
    async fn done(self) {
        if let Self::Own(own, _place) = self {
            own.close().await;
        }
    }
}

impl Deref for Lent<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        match self {
            Self::Loan(loan) => loan,
            Self::Own(own, _) => own,
        }
    }
}

impl DerefMut for Lent<'_> {
    fn deref_mut(&mut self) -> &mut Connection {
        match self {
            Self::Loan(loan) => loan,
            Self::Own(own, _) => own,
        }
    }
}
