//! What is read back is what was written.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use crate::conformance::{
    Failure, Nodes,
    failure::{ensure, is_account, is_nobody, same},
    sample::{Dressed, Made, World, at},
};
use crate::{
    Account, AccountState, Actor, AttributeName, AttributeValue, AuditEvent, AuditOutcome, Claims, Code,
    Commit, ConnectionId, ErrorKind, GrantId, HeldPresence, HeldRecord, LinkProof, Provenance, RequestId,
    RuleName, Source,
};

/// Checks that every field of a rich account survives.
pub async fn every_field_of_an_account_survives(nodes: &Nodes) -> Result<(), Failure> {
    let mut world = World::new("a")?;
    let account = rich(&mut world)?;
    let account = world.create(nodes.one(), account).await?;
    is_account(nodes.one().get(&world.tenant, account.id).await?.as_ref(), &account, "created")?;
    let plain = Account { version: account.version, ..world.account() };
    let plain = Account { id: account.id, ..plain };
    let plain = world.update(nodes.one(), &account, plain).await?;
    is_account(nodes.two().get(&world.tenant, account.id).await?.as_ref(), &plain, "emptied")?;
    let again = world.update(nodes.two(), &plain, Account { last_seen: None, ..account }).await?;
    is_account(nodes.one().get(&world.tenant, again.id).await?.as_ref(), &again, "filled again")
}

/// An account with something in every field; `last_seen` is left to the checks of `touch`.
fn rich(world: &mut World) -> Made<Account> {
    let ruled = Provenance {
        source: Source::Connection(ConnectionId::new("main")?),
        rule: Some(RuleName::new("Everybody from our domain ✓")?),
        claim: Some("https://example.com/roles".into()),
    };
    let mut account =
        world.person("rich")?.linked(world.key("richer")?).called("Ünal")?.mailed("Rich@Example.com")?;
    let given = [
        ("zoë \"quoted\" \\ line\nbreak", Source::Person),
        ("", Source::PreExisting),
        ("日本語 👩‍🚀", Source::Administrator),
    ];
    let values = given.map(|(text, source)| AttributeValue {
        text: text.into(),
        provenance: Provenance::of(source),
        searchable: false,
    });
    account.attributes.insert(AttributeName::new("note")?, values.to_vec());
    account.attributes.insert(AttributeName::new("none")?, Vec::new());
    for (identity, proof) in account.identities.iter_mut().zip([LinkProof::Administrator, LinkProof::Mail]) {
        identity.proof = proof;
    }
    for entitlement in ["role:editor", "role:editor", "group:ops:night"] {
        let mut grant = world.grant(entitlement)?;
        (grant.ends_at, grant.provenance) = (Some(at(99)), ruled.clone());
        account.grants.push(grant);
    }
    account.consents = BTreeMap::from([("terms 2026".to_owned(), at(1)), ("privacy".to_owned(), at(2))]);
    account.credential_epoch = u64::from(u32::MAX) + 7;
    (account.updated_at, account.ends_at) = (at(3), Some(at(1_000)));
    account.idle_limit = Some(TimeDelta::days(90));
    account.begins_at = Some(at(2));
    account.records = vec![rich_record(world)?];
    Ok(account)
}

fn rich_record(world: &World) -> Made<HeldRecord> {
    let claims = [("groups".to_owned(), serde_json::json!(["zoë"]))];
    Ok(HeldRecord {
        key: world.key("richer")?,
        presence: HeldPresence::Inactive,
        version: Some(u64::from(u32::MAX) + 9),
        request: Some(RequestId::new("request 7")?),
        claims: Some(Claims::new(claims.into_iter().collect())),
        parked: Some(at(4)),
        before_parked: Some(HeldPresence::Inactive),
    })
}

/// Checks that each state survives with its reason and instant.
pub async fn every_state_survives(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let (reason, since) = (Code::new("account.because"), at(5));
    for state in [
        AccountState::Invited,
        AccountState::Pending { since },
        AccountState::Active,
        AccountState::Suspended { reason: reason.clone(), since },
        AccountState::Disabled { reason: reason.clone(), since },
        AccountState::Ended { reason, since },
    ] {
        let account = Account { state, ..world.account() };
        let account = world.create(store, account).await?;
        is_account(store.get(&world.tenant, account.id).await?.as_ref(), &account, account.state.word())?;
    }
    Ok(())
}

/// Checks that instants are kept to the microsecond, also before 1970 and far in the future.
pub async fn instants_are_kept_to_the_microsecond(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    for (instant, what) in [
        (at(0) + TimeDelta::microseconds(123_457), "now"),
        (at(0) + TimeDelta::microseconds(999_999), "before the full second"),
        (at(-2_000_000_000) + TimeDelta::microseconds(1), "before 1970"),
        (at(60_000_000_000) + TimeDelta::microseconds(1), "in two thousand years"),
    ] {
        let account =
            Account { created_at: instant, updated_at: instant, ends_at: Some(instant), ..world.account() };
        let account = Account { last_seen: Some(instant), ..account };
        let account = world.create(store, account).await?;
        is_account(store.get(&world.tenant, account.id).await?.as_ref(), &account, what)?;
    }
    Ok(())
}

/// Checks that a NUL character within a text is kept, or refused as invalid with nothing written.
pub async fn a_nul_character_is_kept_or_refused(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let account = world.person("nul")?.tagged("note", "a\0b")?;
    match store.commit(&world.creation(&account)).await {
        Ok(()) => is_account(store.get(&world.tenant, account.id).await?.as_ref(), &account, "kept"),
        Err(error) => {
            same(error.kind(), &ErrorKind::Invalid, "refused")?;
            is_nobody(store.get(&world.tenant, account.id).await?.as_ref(), "refused")
        }
    }
}

/// Checks that every field of every kind of event survives.
pub async fn every_field_of_an_event_survives(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let account = world.account().id;
    let actors = [
        Actor::Connection { id: ConnectionId::new("main")? },
        Actor::Administrator { name: "root \"the\" admin".into() },
        Actor::Clock,
    ];
    let outcomes = [
        AuditOutcome::Done,
        AuditOutcome::Refused { code: Code::new("policy.default_deny") },
        AuditOutcome::Held { asks: vec!["consent".into(), "approval".into()] },
    ];
    let mut events = Vec::new();
    for (number, (actor, outcome)) in (0..).zip(actors.into_iter().zip(outcomes)) {
        let rule = RuleName::new(format!("rule {number}"))?;
        let instant = at(number) + TimeDelta::microseconds(number + 1);
        let changes = vec!["grant role:editor".to_owned(), format!("change {number}")];
        events.push(AuditEvent {
            actor,
            outcome,
            rule: Some(rule),
            changes,
            at: instant,
            ..world.event(Some(account))
        });
    }
    events.push(world.event(None));
    store.commit(&Commit { events: events.clone(), ..world.commit() }).await?;
    same(&nodes.two().events(&world.trail()).await?.items, &events, "the events")
}

/// Checks that a new grant id is not confused with another of the same entitlement.
pub async fn grants_are_kept_in_order_by_id(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let grants = [world.grant("role:b")?, world.grant("role:a")?, world.grant("role:b")?];
    let ids: Vec<GrantId> = grants.iter().map(|grant| grant.id).collect();
    let account = grants.into_iter().fold(world.account(), Dressed::holding);
    let account = world.create(store, account).await?;
    let stored = store.get(&world.tenant, account.id).await?;
    let stored: Vec<GrantId> =
        stored.iter().flat_map(|account| &account.grants).map(|grant| grant.id).collect();
    ensure(stored == ids, "grants were reordered, merged or lost")
}
