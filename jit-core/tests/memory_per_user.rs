//! How much a person takes in the memory store: the account with its indexes, the document, and the event that tells of both.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "helpers of tests: what is wrong there must stop the test")]

use chrono::{DateTime, TimeDelta, Utc};
use jit_core::*;

const PEOPLE: u32 = 20_000;

fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4_096
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

struct Source {
    tenant: TenantId,
    connection: ConnectionId,
    issuer: Issuer,
    given: Provenance,
    collection: Collection,
    indexes: [IndexName; 3],
}

impl Source {
    fn new() -> Self {
        let (tenant, connection) = (TenantId::new("acme").unwrap(), ConnectionId::new("scim").unwrap());
        let given = Provenance {
            rule: Some(RuleName::new("attributes").unwrap()),
            claim: Some("department".into()),
            ..Provenance::of(jit_core::Source::Connection(connection.clone()))
        };
        let kind = "User".parse().unwrap();
        Self {
            issuer: Issuer::new("https://scim.example").unwrap(),
            given,
            collection: Collection { tenant: tenant.clone(), connection: connection.clone(), kind },
            indexes: ["userName", "externalId", "subject"].map(|name| IndexName::new(name).unwrap()),
            tenant,
            connection,
        }
    }

    /// As a mapping of the usual attributes leaves it, with a group and a role.
    fn account(&self, number: u32, mint: &mut Mint) -> Account {
        let key = ExternalKey {
            tenant: self.tenant.clone(),
            connection: self.connection.clone(),
            issuer: self.issuer.clone(),
            subject: Subject::new(format!("0x8f{number:08}")).unwrap(),
        };
        let mut account = Account::begin(mint.account(), self.tenant.clone(), AccountState::Active, now());
        account.user_name = Some(UserName::new(&format!("person{number}@example.com")).unwrap());
        account.email = Some(AccountEmail {
            address: EmailAddress::new(&format!("person{number}@example.com")).unwrap(),
            trust: EmailTrust::Asserted,
            provenance: self.given.clone(),
        });
        for (name, text) in [
            ("display_name", format!("Person Number {number}")),
            ("department", "Research and Development".into()),
            ("employee_number", format!("{number:07}")),
        ] {
            let value = AttributeValue { text, provenance: self.given.clone(), searchable: false };
            account.attributes.insert(AttributeName::new(name).unwrap(), vec![value]);
        }
        for held in ["group:staff", "role:editor"] {
            account.grants.push(Grant::new(mint.grant(), held.parse().unwrap(), self.given.clone(), now()));
        }
        account.records.push(HeldRecord {
            key: key.clone(),
            presence: HeldPresence::Active,
            version: None,
            request: None,
            claims: None,
            parked: None,
            before_parked: None,
        });
        account.identities.push(LinkedIdentity { key, linked_at: now(), proof: LinkProof::SameSource });
        account
    }

    /// A user of SCIM with the enterprise extension, as its own answer.
    fn document(&self, number: u32, account: AccountId, mint: &mut Mint) -> Document {
        let id = mint.document();
        let body = format!(
            r#"{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"id":"{id}","externalId":"0x8f{number:08}","userName":"person{number}@example.com","name":{{"familyName":"Number {number}","givenName":"Person","formatted":"Person Number {number}"}},"displayName":"Person Number {number}","active":true,"emails":[{{"value":"person{number}@example.com","type":"work","primary":true}}],"phoneNumbers":[{{"value":"+49 30 {number:08}","type":"work"}}],"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{{"employeeNumber":"{number:07}","department":"Research and Development","costCenter":"4130","manager":{{"value":"{id}","displayName":"Person Number 1"}}}},"meta":{{"resourceType":"User","created":"2026-11-21T09:00:00Z","lastModified":"2026-11-21T09:00:00Z","version":"W/\"1\"","location":"/scim/v2/Users/{id}"}}}}"#
        );
        let [name, external, subject] = self.indexes.clone();
        Document {
            key: self.collection.key(id),
            version: 1,
            created_at: now(),
            changed_at: now(),
            account: Some(account),
            body: body.into(),
            names: [
                DocumentName::unique(name, format!("person{number}@example.com")),
                DocumentName::shared(external, format!("0x8f{number:08}")),
                DocumentName::unique(subject, format!("0x8f{number:08}")),
            ]
            .into(),
        }
    }
}

/// Fills a store and tells how many bytes each person took.
async fn fill(store: &MemoryStore, source: &Source, records_events: bool) -> usize {
    let before = resident();
    for number in 0..PEOPLE {
        let mut seed = [0; 16];
        seed[4..8].copy_from_slice(&number.to_le_bytes());
        let mut mint = Mint::new(now() + TimeDelta::milliseconds(i64::from(number)), seed);
        let account = source.account(number, &mut mint);
        let document = source.document(number, account.id, &mut mint);
        let changes = ["create", "link", "grant group:staff", "grant role:editor"];
        let event = AuditEvent {
            id: mint.event(),
            at: now(),
            tenant: source.tenant.clone(),
            actor: Actor::Connection { id: source.connection.clone() },
            action: Code::new("record.joined"),
            account: Some(account.id),
            outcome: AuditOutcome::Done,
            rule: None,
            changes: changes.map(ToOwned::to_owned).to_vec(),
        };
        let commit = Commit {
            events: Some(event).filter(|_| records_events).into_iter().collect(),
            documents: vec![DocumentWrite::create(document)],
            account: Some(AccountWrite::create(account)),
            ..Commit::new(source.tenant.clone())
        };
        store.commit(&commit).await.unwrap();
    }
    (resident() - before) / usize::try_from(PEOPLE).unwrap()
}

#[tokio::test]
async fn a_person_takes_no_more_than_three_kibibytes() {
    let (silent, telling, source) = (MemoryStore::new(), MemoryStore::new(), Source::new());
    let without = fill(&silent, &source, false).await;
    let with = fill(&telling, &source, true).await;
    println!(
        "{without} bytes for account and document, {with} with the event; {} the bare account",
        size_of::<Account>()
    );
    assert!(
        without <= 3_072 && with <= 3_072,
        "{without} bytes for account and document, {with} with the event"
    );
}
