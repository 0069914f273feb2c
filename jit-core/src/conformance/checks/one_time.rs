//! Values that are put once and taken once.

use chrono::TimeDelta;

use crate::conformance::{
    Failure, Nodes,
    failure::{ensure, refused, same},
    race::{RACERS, part, race},
    sample::{at, count},
};
use crate::{ErrorKind, ONE_TIME_BYTES, OneTime, OneTimeKey, Taken, TenantId};

type Ones = Nodes<dyn OneTime>;

const TAKEN: ErrorKind = ErrorKind::AlreadyExists(Taken::OneTime);

fn key(tenant: &str, part: &str) -> Result<OneTimeKey, Failure> {
    Ok(OneTimeKey::new(TenantId::new(tenant)?, "check", &[part.as_bytes()]))
}

/// Checks that a value is taken as it was put, whatever bytes it has, and by either node.
pub async fn a_value_is_taken_as_it_was_put(nodes: &Ones) -> Result<(), Failure> {
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    for (part, value) in [("bytes", every_byte.as_slice()), ("empty", b""), ("zeros", &[0; 3])] {
        nodes.one().put(&key("a", part)?, value, at(60), at(0)).await?;
        same(&nodes.two().take(&key("a", part)?, at(1)).await?.as_deref(), &Some(value), part)?;
    }
    same(&nodes.one().take(&key("a", "nothing")?, at(1)).await?, &None, "what was never put")
}

/// Checks that a key that holds a value cannot be put, and keeps its value.
pub async fn a_value_is_put_once(nodes: &Ones) -> Result<(), Failure> {
    let key = key("a", "key")?;
    nodes.one().put(&key, b"first", at(60), at(0)).await?;
    refused(nodes.two().put(&key, b"second", at(90), at(1)).await, &TAKEN, "another value")?;
    refused(nodes.two().put(&key, b"first", at(60), at(0)).await, &TAKEN, "the same value")?;
    same(&nodes.one().take(&key, at(2)).await?.as_deref(), &Some(b"first".as_slice()), "the value")
}

/// Checks that a value is taken once, and its key may be put again.
pub async fn a_value_is_taken_once(nodes: &Ones) -> Result<(), Failure> {
    let key = key("a", "key")?;
    for value in [b"first".as_slice(), b"second"] {
        nodes.one().put(&key, value, at(60), at(0)).await?;
        same(&nodes.one().take(&key, at(1)).await?.as_deref(), &Some(value), "the first who takes")?;
        for store in [nodes.one(), nodes.two()] {
            same(&store.take(&key, at(1)).await?, &None, "the next who takes")?;
        }
    }
    Ok(())
}

/// Checks that of many who take at once, one gets the value.
pub async fn one_of_many_takes(nodes: &Ones) -> Result<(), Failure> {
    for round in 0..4 {
        let key = key("a", &format!("round {round}"))?;
        nodes.one().put(&key, b"value", at(60), at(0)).await?;
        let answers = race(RACERS, |number| {
            let (store, key) = (nodes.of(number), key.clone());
            async move { store.take(&key, at(1)).await }
        });
        let mut got = 0;
        for answer in answers.await? {
            got += usize::from(answer?.is_some());
        }
        same(&got, &1, "who got the value")?;
    }
    Ok(())
}

/// Checks that of many who put one key at once, one succeeds, and the value is theirs.
pub async fn one_of_many_puts(nodes: &Ones) -> Result<(), Failure> {
    for round in 0..4 {
        let key = key("a", &format!("round {round}"))?;
        let answers = race(RACERS, |number| {
            let (store, key) = (nodes.of(number), key.clone());
            async move { store.put(&key, number.to_string().as_bytes(), at(60), at(0)).await }
        });
        let (accepted, errors) = part(answers.await?);
        same(&accepted, &1, "who could put")?;
        for error in errors {
            same(error.kind(), &TAKEN, "the others")?;
        }
        ensure(nodes.two().take(&key, at(1)).await?.is_some(), "the value is not there")?;
    }
    Ok(())
}

/// Checks that a value can be taken until just before its instant, and at the instant no more.
pub async fn a_value_is_over_at_its_instant(nodes: &Ones) -> Result<(), Failure> {
    let (just, over) = (key("a", "just")?, key("a", "over")?);
    for key in [&just, &over] {
        nodes.one().put(key, b"value", at(60), at(0)).await?;
    }
    let before = nodes.one().take(&just, at(60) - TimeDelta::microseconds(1)).await?;
    same(&before.as_deref(), &Some(b"value".as_slice()), "just before")?;
    same(&nodes.one().take(&over, at(60)).await?, &None, "at the instant")
}

/// Checks that values live by the caller's time, long ago or far ahead: no clock of the backend takes part.
pub async fn a_value_lives_by_the_callers_time(nodes: &Ones) -> Result<(), Failure> {
    let key = key("a", "key")?;
    for now in [-1_500_000_000, 5_000_000_000] {
        nodes.one().put(&key, b"value", at(now + 60), at(now)).await?;
        refused(nodes.one().put(&key, b"value", at(now + 60), at(now)).await, &TAKEN, "while it lives")?;
        let taken = nodes.one().take(&key, at(now + 59)).await?;
        same(&taken.as_deref(), &Some(b"value".as_slice()), "while it lives")?;
    }
    Ok(())
}

/// Checks that a key whose value is over may be put anew, from the instant on and not before.
pub async fn a_key_that_is_over_may_be_put_again(nodes: &Ones) -> Result<(), Failure> {
    let key = key("a", "key")?;
    nodes.one().put(&key, b"old", at(60), at(0)).await?;
    let early = at(60) - TimeDelta::microseconds(1);
    refused(nodes.two().put(&key, b"new", at(90), early).await, &TAKEN, "just before")?;
    nodes.two().put(&key, b"new", at(90), at(60)).await?;
    same(&nodes.one().take(&key, at(89)).await?.as_deref(), &Some(b"new".as_slice()), "the new value")
}

/// Checks that the longest value is kept, and a longer one is invalid and leaves its key free.
pub async fn a_value_has_a_longest_size(nodes: &Ones) -> Result<(), Failure> {
    let key = key("a", "key")?;
    let long = vec![0xa5; ONE_TIME_BYTES];
    let too_long = vec![0xa5; ONE_TIME_BYTES + 1];
    refused(nodes.one().put(&key, &too_long, at(60), at(0)).await, &ErrorKind::Invalid, "one byte more")?;
    nodes.one().put(&key, &long, at(60), at(0)).await?;
    ensure(nodes.one().take(&key, at(1)).await? == Some(long), "the longest value is not kept")
}

/// Checks that the same key of two tenants, and other purposes and parts, name values of their own.
pub async fn each_tenant_and_purpose_has_its_own_values(nodes: &Ones) -> Result<(), Failure> {
    let (a, b) = (TenantId::new("a")?, TenantId::new("b")?);
    let keys = [
        OneTimeKey::new(a.clone(), "state", &[b"xy"]),
        OneTimeKey::new(b, "state", &[b"xy"]),
        OneTimeKey::new(a.clone(), "nonce", &[b"xy"]),
        OneTimeKey::new(a.clone(), "state", &[b"x", b"y"]),
        OneTimeKey::new(a, "state", &[b"XY"]),
    ];
    for (key, value) in keys.iter().zip(0..) {
        nodes.one().put(key, &[value], at(60), at(0)).await?;
    }
    for (key, value) in keys.iter().zip(0..) {
        same(&nodes.one().take(key, at(1)).await?, &Some(vec![value]), &format!("key {value}"))?;
    }
    Ok(())
}

/// Checks that a purge removes what is over, no more at once than asked, and tells how many.
pub async fn a_purge_removes_what_is_over(nodes: &Ones) -> Result<(), Failure> {
    for (number, until) in (0..).zip([10, 20, 30, 30, 31]) {
        nodes.one().put(&key("a", &format!("key {number}"))?, &[number], at(until), at(0)).await?;
    }
    for (limit, want) in [(3, 3), (3, 1), (3, 0)] {
        same(&nodes.one().purge(at(30), count(limit)).await?, &want, "how many went")?;
    }
    same(&nodes.two().take(&key("a", "key 4")?, at(30)).await?, &Some(vec![4]), "what is not over")
}
