use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::{
    AccountEmail, AccountState, AttributeValue, EmailAddress, Grant, GrantId, HeldRecord, LinkedIdentity,
    RequestId, RuleName, TaskId, UserName,
};

fn text() -> impl Strategy<Value = String> {
    // No name of ours may be longer than 128 bytes.
    prop_oneof!["[a-z]{1,8}", "[a-zäß漢]{20,42}"]
}

fn instant() -> impl Strategy<Value = DateTime<Utc>> {
    // Some are the same instant as the beginning, most are not.
    let any = (-70_000_000_000..250_000_000_000_i64, 0..1_000_000_000_u32);
    prop_oneof![Just((1_800_000_000, 0)), any].prop_map(|(s, n)| DateTime::from_timestamp(s, n).unwrap())
}

fn id() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

fn provenance() -> impl Strategy<Value = Provenance> {
    let source = prop_oneof![
        Just(Source::Person),
        Just(Source::Administrator),
        Just(Source::PreExisting),
        "[a-z]{1,4}".prop_map(|name| Source::Connection(ConnectionId::new(name).unwrap())),
    ];
    let rule = prop::option::of(text().prop_map(|text| RuleName::new(text).unwrap()));
    (source, rule, prop::option::of(text())).prop_map(|(source, rule, claim)| Provenance {
        source,
        rule,
        claim: claim.map(Into::into),
    })
}

fn key() -> impl Strategy<Value = ExternalKey> {
    ("[a-z]{1,3}", "[a-z]{1,3}", text(), text()).prop_map(|(tenant, connection, issuer, subject)| {
        ExternalKey {
            tenant: TenantId::new(tenant).unwrap(),
            connection: ConnectionId::new(connection).unwrap(),
            issuer: Issuer::new(issuer).unwrap(),
            subject: Subject::new(subject).unwrap(),
        }
    })
}

fn state() -> impl Strategy<Value = AccountState> {
    (0..6, "[a-z]{1,4}[.][a-z]{1,4}", instant()).prop_map(|(state, reason, since)| {
        let reason = Code::from(reason);
        match state {
            0 => AccountState::Invited,
            1 => AccountState::Pending { since },
            2 => AccountState::Active,
            3 => AccountState::Suspended { reason, since },
            4 => AccountState::Disabled { reason, since },
            _ => AccountState::Ended { reason, since },
        }
    })
}

fn attributes() -> impl Strategy<Value = Vec<(String, Vec<AttributeValue>)>> {
    let value = (".{0,40}", provenance(), any::<bool>());
    let value =
        value.prop_map(|(text, provenance, searchable)| AttributeValue { text, provenance, searchable });
    prop::collection::vec(("[a-z]{1,9}", prop::collection::vec(value, 0..3)), 0..4)
}

fn grants() -> impl Strategy<Value = Vec<Grant>> {
    let of = (id(), "(role|group):.{1,30}", provenance(), instant());
    let grant = (of, prop::option::of(instant()), prop::option::of(id()));
    let grant = grant.prop_filter_map("an entitlement", |((id, held, provenance, at), end, task)| {
        let mut grant = Grant::new(GrantId::from_uuid(id), held.parse().ok()?, provenance, at).until(end);
        grant.end_task = task.map(TaskId::from_uuid);
        Some(grant)
    });
    prop::collection::vec(grant, 0..4)
}

fn identities() -> impl Strategy<Value = Vec<LinkedIdentity>> {
    let proof = prop_oneof![Just(LinkProof::FirstRecord), Just(LinkProof::Mail)];
    let identity = (key(), instant(), proof);
    let identity = identity.prop_map(|(key, linked_at, proof)| LinkedIdentity { key, linked_at, proof });
    prop::collection::vec(identity, 0..3)
}

fn records() -> impl Strategy<Value = Vec<HeldRecord>> {
    let presence = prop_oneof![Just(HeldPresence::Active), Just(HeldPresence::Gone)];
    let record =
        (key(), presence, any::<Option<u64>>(), prop::option::of(text()), prop::option::of(instant()));
    let record = record.prop_map(|(key, presence, version, request, parked)| HeldRecord {
        key,
        presence,
        version,
        request: request.map(|text| RequestId::new(text).unwrap()),
        claims: None,
        parked,
        before_parked: parked.and(version).map(|_| HeldPresence::Inactive),
    });
    prop::collection::vec(record, 0..3)
}

fn email() -> impl Strategy<Value = Option<AccountEmail>> {
    let trust = prop_oneof![Just(EmailTrust::Refuted), Just(EmailTrust::Authoritative)];
    let email = ("[a-zA-Z]{1,30}@[A-Z]?[a-z]{1,20}[.]example", trust, provenance());
    prop::option::of(email.prop_map(|(address, trust, provenance)| AccountEmail {
        address: EmailAddress::new(&address).unwrap(),
        trust,
        provenance,
    }))
}

prop_compose! {
    fn account()(
        (id, state, created, version, epoch) in (id(), state(), instant(), any::<u64>(), any::<u64>()),
        name in prop::option::of("[a-zA-ZäÄ]{1,40}"),
        (email, attributes, grants) in (email(), attributes(), grants()),
        (identities, records) in (identities(), records()),
        instants in prop::collection::vec(prop::option::of(instant()), 6),
        (idle, task, by) in (any::<Option<u32>>(), prop::option::of(id()), prop::option::of(provenance())),
    ) -> Account {
        let mut account =
            Account::begin(AccountId::from_uuid(id), TenantId::new("acme").unwrap(), state, created);
        account.user_name = name.and_then(|name| UserName::new(&name).ok());
        account.email = email;
        account.attributes =
            attributes.into_iter().map(|(name, values)| (AttributeName::new(name).unwrap(), values)).collect();
        (account.grants, account.identities, account.records) = (grants, identities, records);
        (account.version, account.credential_epoch) = (version, epoch);
        account.updated_at = instants[0].unwrap_or(created);
        account.activated_at = instants[1];
        account.ends_at = instants[2];
        account.admin_end = instants[3];
        account.begins_at = instants[4];
        account.last_seen = instants[5];
        account.end_set_by = by.map(|by| by.source);
        account.idle_limit = idle.map(|idle| TimeDelta::milliseconds(i64::from(idle)));
        account.end_review = task.map(TaskId::from_uuid);
        account
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn an_account_comes_back_as_it_was(accounts in prop::collection::vec(account(), 1..4)) {
        let mut tables = Tables::default();
        let packed: Vec<_> = accounts.iter().map(|account| Packed::of(account, &mut tables)).collect();
        for (packed, account) in packed.iter().zip(&accounts) {
            prop_assert!(matches!(packed.form, Form::Small(_)));
            prop_assert!(packed.account(&tables).as_ref() == Some(account));
            let name = account.user_name.as_ref().map(|name| name.key().into());
            prop_assert_eq!(packed.state_and_name(), Some((account.state.word(), name)));
        }
    }

    #[test]
    fn what_was_not_written_here_is_no_account_and_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let account = Account::begin(
            AccountId::from_uuid(Uuid::nil()), TenantId::new("acme").unwrap(), AccountState::Active, DateTime::UNIX_EPOCH,
        );
        let mut tables = Tables::default();
        let mut packed = Packed::of(&account, &mut tables);
        packed.form = Form::Small(bytes.into());
        let _may_be_none = packed.account(&tables);
    }
}

#[test]
fn what_few_have_is_kept_as_it_is() {
    let at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    let mut account = Account::begin(
        AccountId::from_uuid(Uuid::nil()),
        TenantId::new("acme").unwrap(),
        AccountState::Active,
        at,
    );
    account.consents.insert("terms".into(), at);
    let mut tables = Tables::default();
    let mut packed = Packed::of(&account, &mut tables);
    assert!(matches!(packed.form, Form::Whole(_)));
    packed.last_seen = Some(at);
    account.last_seen = Some(at);
    assert!(packed.account(&tables) == Some(account));
    assert_eq!(packed.state_and_name(), Some(("active", None)));
}

#[test]
fn a_full_table_numbers_nothing_new() {
    let mut table = Table::default();
    let numbers: Vec<_> = (0..70_000).map(|value: u32| table.number(&value)).collect();
    assert_eq!((numbers[0], numbers[65_535], numbers[65_536]), (Some(0), Some(65_535), None));
    assert_eq!((table.number(&7), table.value(7), table.value(65_536)), (Some(7), Some(&7), None));
}
