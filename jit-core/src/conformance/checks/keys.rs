//! Keys are compared byte for byte: nothing is folded, trimmed, normalised or read as a pattern.

use crate::conformance::{
    Failure, Nodes,
    failure::{is_account, is_nobody, same},
    sample::{Dressed, World},
};
use crate::{ConnectionId, ExternalKey, Issuer, LookupKey, Matches, Store, Subject};

/// Asks whether these subjects can live side by side and each leads to its own account.
async fn live_apart(nodes: &Nodes, subjects: &[&str]) -> Result<(), Failure> {
    let (mut world, mut accounts) = (World::new("a")?, Vec::new());
    for subject in subjects {
        is_nobody(
            nodes.one().find(&world.key(subject)?).await?.as_ref(),
            &format!("{subject:?} before it came"),
        )?;
        let account = world.person(subject)?;
        accounts.push(world.create(nodes.one(), account).await?);
    }
    for (subject, account) in subjects.iter().zip(&accounts) {
        is_account(nodes.two().find(&world.key(subject)?).await?.as_ref(), account, &format!("{subject:?}"))?;
    }
    Ok(())
}

/// Checks that subjects that differ in case are different people.
pub async fn case_tells_subjects_apart(nodes: &Nodes) -> Result<(), Failure> {
    live_apart(nodes, &["alice", "Alice", "ALICE", "straße", "STRASSE", "k", "\u{212a}"]).await
}

/// Checks that blanks around and within a subject count.
pub async fn blanks_tell_subjects_apart(nodes: &Nodes) -> Result<(), Failure> {
    live_apart(nodes, &["alice", "alice ", " alice", "alice  ", "ali ce", "alice\u{a0}", " "]).await
}

/// Checks that Unicode normal forms count: composed, decomposed and marks in another order.
pub async fn normal_forms_tell_subjects_apart(nodes: &Nodes) -> Result<(), Failure> {
    let marks = ["q\u{323}\u{307}", "q\u{307}\u{323}"];
    live_apart(nodes, &["jos\u{e9}", "jose\u{301}", "jose", marks[0], marks[1], "\u{c5}", "\u{212b}"]).await
}

/// Checks that compatibility forms and invisible characters count.
pub async fn look_alikes_tell_subjects_apart(nodes: &Nodes) -> Result<(), Failure> {
    live_apart(
        nodes,
        &["admin", "\u{ff41}dmin", "\u{430}dmin", "ad\u{200b}min", "ad\u{ad}min", "1", "\u{b9}", "01"],
    )
    .await
}

/// Checks that wildcards, quotes and escapes are plain characters.
pub async fn patterns_are_plain_subjects(nodes: &Nodes) -> Result<(), Failure> {
    live_apart(nodes, &["a%", "ab", "a_", "a*", "a\\", "a\\\\", "a'", "a''", "a\"", "{a,b}", "null", "NULL"])
        .await
}

/// Checks that every part of a key counts, and where one part ends and the next begins.
pub async fn every_part_of_a_key_counts(nodes: &Nodes) -> Result<(), Failure> {
    let mut world = World::new("a")?;
    let parts = [
        ("main", "https://idp.example", "x"),
        ("Main", "https://idp.example", "x"),
        ("main", "https://idp.example/", "x"),
        ("main", "https://IDP.example", "x"),
        ("main", "https://idp.examplex", "x"),
        ("main", "https://idp.example", "xx"),
        ("mainhttps", "://idp.example", "x"),
    ];
    let mut accounts = Vec::new();
    for (connection, issuer, subject) in parts {
        let key = ExternalKey {
            tenant: world.tenant.clone(),
            connection: ConnectionId::new(connection)?,
            issuer: Issuer::new(issuer)?,
            subject: Subject::new(subject)?,
        };
        let account = world.account().linked(key.clone());
        accounts.push((key, world.create(nodes.one(), account).await?));
    }
    for (key, account) in &accounts {
        is_account(nodes.one().find(key).await?.as_ref(), account, &format!("{key:?}"))?;
    }
    Ok(())
}

/// Checks that the longest keys are kept whole.
pub async fn the_longest_keys_are_kept(nodes: &Nodes) -> Result<(), Failure> {
    let mut world = World::new("a")?;
    // Characters of several bytes and in no regular order, up to the last byte that is allowed.
    let text = |last: char| -> String {
        let scattered = (0..339_u32).filter_map(|n| char::from_u32(0x4e00 + n.wrapping_mul(7_919) % 20_000));
        scattered.chain(std::iter::repeat_n('x', 6)).chain([last]).collect()
    };
    let mut accounts = Vec::new();
    for last in ['1', '2'] {
        let mut key = world.key(&text(last))?;
        key.issuer = Issuer::new(text('i'))?;
        key.connection = ConnectionId::new("c".repeat(64))?;
        let account = world.account().linked(key.clone());
        accounts.push((key, world.create(nodes.one(), account).await?));
    }
    for (key, account) in &accounts {
        same(&key.subject.as_str().len(), &1_024, "the length of the sample")?;
        is_account(nodes.one().find(key).await?.as_ref(), account, "a long key")?;
    }
    Ok(())
}

/// Checks that a store compares the key of a user name as it is: folding is done before.
pub async fn a_user_name_key_is_compared_exactly(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    for name in ["alice", "jos\u{e9}"] {
        let account = world.account().called(name)?;
        world.create(store, account).await?;
    }
    for other in ["Alice", "alice ", " alice", "alic_", "a%", "jose\u{301}", "jose", "JOS\u{c9}"] {
        is_nobody(store.named(&world.tenant, other).await?.as_ref(), other)?;
    }
    Ok(())
}

/// Checks that attribute values are looked up byte for byte.
pub async fn a_lookup_value_is_compared_exactly(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let values =
        ["Badge 7", "badge 7", "Badge 7 ", "Badge\u{a0}7", "Badge _", "%", "", "jos\u{e9}", "jose\u{301}"];
    for value in values {
        let account = world.account().tagged("badge", value)?;
        leads_alone(store, &mut world, account).await?;
    }
    for account in store.list(&world.query(crate::Filter::All, None, 100)).await?.items {
        for key in account.lookup_keys() {
            one(store, &world, &key).await?;
        }
    }
    Ok(())
}

async fn leads_alone(store: &dyn Store, world: &mut World, account: crate::Account) -> Result<(), Failure> {
    let account = world.create(store, account).await?;
    for key in account.lookup_keys() {
        one(store, world, &key).await?;
    }
    Ok(())
}

async fn one(store: &dyn Store, world: &World, key: &LookupKey) -> Result<(), Failure> {
    let found = store.matching(&world.tenant, key).await?;
    match found {
        Matches::One(found) if found.lookup_keys().contains(key) => Ok(()),
        other => Err(Failure::new(format!("{:?} leads to {other:?}", key.value))),
    }
}
