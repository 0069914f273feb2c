//! What a source says, put together in few words.

use chrono::{DateTime, Utc};
use jit_core::*;
use serde_json::Value;

use crate::support::*;

/// A record in the making.
pub(crate) struct Said {
    statement: RecordStatement,
}

/// Says something of a person over the connection `scim`.
pub(crate) fn said(subject: &str, claimed: Value) -> Said {
    said_over("scim", subject, claimed)
}

pub(crate) fn said_over(connection: &str, subject: &str, claimed: Value) -> Said {
    let made = || Check::Made("bearer token".into());
    let not = || Check::NotApplicable("the connection is asked directly".into());
    let statement = RecordStatement {
        issuer: issuer(connection),
        subject: Subject::new(subject).unwrap(),
        claims: claims(claimed),
        extent: Extent::Whole,
        presence: Presence::ACTIVE,
        version: None,
        request: None,
        expected: Expected::Anything,
        checks: Checks { origin: made(), audience: made(), freshness: not(), replay: not() },
    };
    Said { statement }
}

impl Said {
    pub(crate) fn version(mut self, version: u64) -> Self {
        self.statement.version = Some(version);
        self
    }

    pub(crate) fn request(mut self, name: &str) -> Self {
        self.statement.request = Some(RequestId::new(name).unwrap());
        self
    }

    pub(crate) fn expecting(mut self, expected: Expected) -> Self {
        self.statement.expected = expected;
        self
    }

    pub(crate) fn in_part(mut self) -> Self {
        self.statement.extent = Extent::Part;
        self
    }

    pub(crate) fn presence(mut self, presence: Presence) -> Self {
        self.statement.presence = presence;
        self
    }

    pub(crate) fn leaves(self) -> Self {
        self.presence(Presence::INACTIVE)
    }

    pub(crate) fn gone(self) -> Self {
        self.presence(Presence::Gone)
    }

    pub(crate) fn until(self, end: DateTime<Utc>) -> Self {
        self.presence(Presence::Active { from: Bound::Unsaid, until: Bound::At(end) })
    }

    pub(crate) fn from(self, begin: DateTime<Utc>) -> Self {
        self.presence(Presence::Active { from: Bound::At(begin), until: Bound::Unsaid })
    }

    pub(crate) fn by(self, attestor: &Attestor) -> VerifiedRecord {
        attestor.attest_record(self.statement).unwrap()
    }
}

impl House {
    fn attestor(&self, connection: &Issuer) -> &Attestor {
        let of = |attestor: &&Attestor| issuer(attestor.connection().as_str()) == *connection;
        self.attestors.iter().find(of).unwrap()
    }

    pub(crate) async fn hear(&self, said: Said) -> Outcome {
        let attestor = self.attestor(&said.statement.issuer);
        self.jit.handle(Event::record(said.by(attestor))).await.unwrap()
    }

    /// Hears a record and expects it to be taken.
    pub(crate) async fn taken(&self, said: Said) -> Provisioned {
        match self.hear(said).await {
            Outcome::Provisioned(provisioned) => *provisioned,
            other => panic!("expected to be taken: {other:?}"),
        }
    }

    /// Confirms whatever waits of somebody.
    pub(crate) async fn confirm_leaves(&self, id: AccountId) -> Account {
        let leaves = self.get(id).await.waiting_leaves();
        self.administer(id, AdminAct::ConfirmLeave(leaves)).await.unwrap()
    }

    /// Dismisses whatever waits of somebody.
    pub(crate) async fn dismiss_leaves(&self, id: AccountId) -> Account {
        let leaves = self.get(id).await.waiting_leaves();
        self.administer(id, AdminAct::DismissLeave(leaves)).await.unwrap()
    }

    /// Hears a record and expects it to be refused.
    pub(crate) async fn refused(&self, said: Said) -> String {
        match self.hear(said).await {
            Outcome::Denied(denied) => denied.denial.code.to_string(),
            other => panic!("expected to be refused: {other:?}"),
        }
    }
}

/// A house with a SCIM connection (0) and the connection that the same people sign in over (1).
pub(crate) fn house_of_one_source(provisioning: Provisioning) -> House {
    house(vec![scim(provisioning), wire("okta").speaks_for("example.com")])
}

/// A SCIM connection whose people sign in over `okta` by the same name.
pub(crate) fn scim(provisioning: Provisioning) -> Wire {
    let same_person =
        vec![SamePerson { connection: ConnectionId::new("okta").unwrap(), by: NamedBy::Subject }];
    wire("scim").speaks_for("example.com").provisions(Provisioning { same_person, ..provisioning })
}

/// A house with a SCIM connection alone.
pub(crate) fn house_of_scim(provisioning: Provisioning) -> House {
    house(vec![wire("scim").speaks_for("example.com").provisions(provisioning)])
}

/// Two sources, `scim` and `hr`, of the people who sign in over `okta`.
pub(crate) fn house_of_two_sources(provisioning: Provisioning) -> House {
    let okta = SamePerson { connection: ConnectionId::new("okta").unwrap(), by: NamedBy::Subject };
    let kin = Provisioning { same_person: vec![okta], ..provisioning };
    house(vec![
        wire("scim").provisions(kin.clone()),
        wire("hr").provisions(kin),
        wire("okta").speaks_for("example.com"),
    ])
}

/// Whoever leaves waits for an administrator.
pub(crate) fn none_leave() -> Provisioning {
    let limit = LeaverLimit { most: 0, within: "1h".parse().unwrap(), removals: None };
    Provisioning { leavers: Some(limit), ..Provisioning::default() }
}

/// How many leaves wait over a connection.
pub(crate) async fn waiting(house: &House, connection: &str) -> usize {
    let (connection, limit) =
        (ConnectionId::new(connection).unwrap(), std::num::NonZeroUsize::new(100).unwrap());
    house.jit.parked_leaves(None, &tenant(), Some(&connection), None, limit).await.unwrap().items.len()
}

pub(crate) fn texts(account: &Account, attribute: &str) -> Vec<String> {
    let values = account.attributes.get(&AttributeName::new(attribute).unwrap());
    values.into_iter().flatten().map(|value| value.text.clone()).collect()
}
