//! The checks of a target. Each removes what it made.

#![expect(
    clippy::missing_errors_doc,
    reason = "each fails with what it found, as `Check` says for all of them"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::TimeDelta;

use super::{
    super::failure::{ensure, same},
    Failure, Rig, native_of,
};
use crate::{
    Clock as _, Desired, DesiredState, Effect, Holdings, Listed, Observed, RemoteEntitlement, RemoteRef,
    ShownEnd, SystemClock, Target,
};

const GONE: Effect = Effect::Absent { was_there: true };
const NOT_THERE: Effect = Effect::Absent { was_there: false };

async fn remove(rig: &Rig, remote: &RemoteRef) -> Result<(), Failure> {
    same(&rig.ensure(remote, DesiredState::Absent { given: None }).await?, &GONE, "what was made is removed")
}

async fn is_in_use(rig: &Rig, remote: &RemoteRef, what: &str) -> Result<(), Failure> {
    let native = remote.native.clone().unwrap_or_default();
    same(&rig.observe(remote).await?, &Observed::Ours { native, enabled: true }, what)
}

/// Creating is repeatable: the answer may have been lost.
pub async fn what_is_made_twice_is_one(rig: &Rig) -> Result<(), Failure> {
    let made = rig.made().await?;
    let again = RemoteRef { native: None, ..made.clone() };
    same(&rig.make(&again).await?, &rig.make(&made).await?, "by name and by id")?;
    same(&Some(native_of(rig.make(&again).await?)?), &made.native, "the id stays")?;
    is_in_use(rig, &made, "it is in use").await?;
    remove(rig, &made).await
}

/// Two workers may do the same at once.
pub async fn many_who_make_it_at_once_make_one(rig: &Rig) -> Result<(), Failure> {
    let remote = rig.fresh()?;
    let mut makers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (target, desired) = (Arc::clone(&rig.target), rig.desired(&remote, Some(Rig::secret()?)));
        makers.spawn(async move { target.ensure(&desired).await });
    }
    let mut ids = BTreeSet::new();
    while let Some(answer) = makers.join_next().await {
        // Who comes second may be told to come again; nobody makes a second one.
        if let Ok(effect) = answer? {
            ids.insert(native_of(effect)?);
        }
    }
    same(&ids.len(), &1, "one account, and somebody who was told so")?;
    remove(rig, &RemoteRef { native: ids.pop_first(), ..remote }).await
}

/// A late extension must not bring back what is gone.
pub async fn without_a_secret_nothing_is_made(rig: &Rig) -> Result<(), Failure> {
    let remote = rig.fresh()?;
    same(
        &rig.target.ensure(&rig.desired(&remote, None)).await?,
        &NOT_THERE,
        "it tells that it is not there",
    )?;
    same(&rig.observe(&remote).await?, &Observed::Missing, "nothing is there")?;
    let removed = rig.made().await?;
    remove(rig, &removed).await?;
    same(&rig.target.ensure(&rig.desired(&removed, None)).await?, &NOT_THERE, "what is gone stays gone")?;
    same(&rig.observe(&RemoteRef { native: None, ..removed }).await?, &Observed::Missing, "also by name")
}

/// An end is moved without a new secret.
pub async fn without_a_secret_what_is_there_is_kept(rig: &Rig) -> Result<(), Failure> {
    let made = rig.made().await?;
    let effect = rig.target.ensure(&rig.desired(&made, None)).await?;
    same(&Some(native_of(effect)?), &made.native, "the id stays")?;
    is_in_use(rig, &made, "it is in use").await?;
    remove(rig, &made).await
}

/// Nobody is adopted.
pub async fn a_name_that_another_bears_is_left_to_them(rig: &Rig) -> Result<(), Failure> {
    let made = rig.made().await?;
    let rival = rig.rival(&made)?;
    same(&rig.make(&rival).await?, &Effect::Stranger, "the name is somebody's")?;
    is_in_use(rig, &made, "they stay as they were").await?;
    remove(rig, &made).await
}

/// A name alone proves nothing: neither that it is ours, nor that ours is not there.
pub async fn removing_by_name_leaves_another_alone(rig: &Rig) -> Result<(), Failure> {
    let made = rig.made().await?;
    let effect = rig.ensure(&rig.rival(&made)?, DesiredState::Absent { given: None }).await?;
    same(&effect, &Effect::Stranger, "somebody else bears the name")?;
    is_in_use(rig, &made, "they stay as they were").await?;
    remove(rig, &made).await
}

/// Neither does an id.
pub async fn removing_by_id_needs_our_marker(rig: &Rig) -> Result<(), Failure> {
    let made = rig.made().await?;
    let rival = RemoteRef { native: made.native.clone(), ..rig.rival(&made)? };
    same(
        &rig.ensure(&rival, DesiredState::Absent { given: None }).await?,
        &Effect::NotOurs,
        "the marker is another",
    )?;
    is_in_use(rig, &made, "they stay as they were").await?;
    remove(rig, &made).await
}

/// Putting out of use is destruction as well.
pub async fn disabling_by_id_needs_our_marker(rig: &Rig) -> Result<(), Failure> {
    let made = rig.made().await?;
    let rival = RemoteRef { native: made.native.clone(), ..rig.rival(&made)? };
    same(&rig.ensure(&rival, DesiredState::Disabled).await?, &Effect::NotOurs, "the marker is another")?;
    is_in_use(rig, &made, "they stay in use").await?;
    remove(rig, &made).await
}

/// And so is a new secret.
pub async fn changing_by_id_needs_our_marker(rig: &Rig) -> Result<(), Failure> {
    let made = rig.made().await?;
    let rival = RemoteRef { native: made.native.clone(), ..rig.rival(&made)? };
    same(&rig.make(&rival).await?, &Effect::NotOurs, "the marker is another")?;
    is_in_use(rig, &made, "they stay as they were").await?;
    remove(rig, &made).await
}

/// Looking tells whose it is.
pub async fn what_another_made_is_foreign(rig: &Rig) -> Result<(), Failure> {
    let made = rig.made().await?;
    let rival = rig.rival(&made)?;
    same(&rig.observe(&rival).await?, &Observed::Foreign, "by name")?;
    let rival = RemoteRef { native: made.native.clone(), ..rival };
    same(&rig.observe(&rival).await?, &Observed::Foreign, "by id")?;
    remove(rig, &made).await
}

/// The answer of a removal is a proof.
pub async fn what_is_removed_is_gone(rig: &Rig) -> Result<(), Failure> {
    let made = rig.made().await?;
    remove(rig, &made).await?;
    same(&rig.observe(&made).await?, &Observed::Missing, "by id")?;
    let by_name = RemoteRef { native: None, ..made };
    same(&rig.observe(&by_name).await?, &Observed::Missing, "by name")?;
    ensure(
        !rig.listed().await?.iter().any(|listed| listed.remote.marker == by_name.marker),
        "nor is it listed",
    )
}

/// Removing is repeatable, with an id and without.
pub async fn removing_what_is_not_there_is_no_error(rig: &Rig) -> Result<(), Failure> {
    same(
        &rig.ensure(&rig.fresh()?, DesiredState::Absent { given: None }).await?,
        &NOT_THERE,
        "what was never made",
    )?;
    let made = rig.made().await?;
    remove(rig, &made).await?;
    same(&rig.ensure(&made, DesiredState::Absent { given: None }).await?, &NOT_THERE, "what was removed")
}

/// Nothing is there by accident.
pub async fn what_was_never_made_is_missing(rig: &Rig) -> Result<(), Failure> {
    same(&rig.observe(&rig.fresh()?).await?, &Observed::Missing, "it was never made")
}

/// Putting out of use is repeatable.
pub async fn what_is_disabled_is_there_and_out_of_use(rig: &Rig) -> Result<(), Failure> {
    let made = rig.made().await?;
    for turn in ["at first", "again"] {
        same(&rig.ensure(&made, DesiredState::Disabled).await?, &Effect::Disabled, turn)?;
    }
    let native = made.native.clone().unwrap_or_default();
    same(&rig.observe(&made).await?, &Observed::Ours { native, enabled: false }, "it is there, out of use")?;
    remove(rig, &made).await
}

/// A late extension must not open what somebody has shut.
pub async fn without_a_secret_what_is_shut_stays_shut(rig: &Rig) -> Result<(), Failure> {
    let made = rig.made().await?;
    same(&rig.ensure(&made, DesiredState::Disabled).await?, &Effect::Disabled, "out of use")?;
    let effect = rig.target.ensure(&rig.desired(&made, None)).await?;
    same(&effect, &Effect::Disabled, "without a secret it is told to be out of use")?;
    let native = made.native.clone().unwrap_or_default();
    same(&rig.observe(&made).await?, &Observed::Ours { native, enabled: false }, "it is left so")?;
    same(&Some(native_of(rig.make(&made).await?)?), &made.native, "a new secret opens it")?;
    is_in_use(rig, &made, "it is in use again").await?;
    remove(rig, &made).await
}

/// Nothing is made in order to be disabled.
pub async fn disabling_what_is_not_there_is_no_error(rig: &Rig) -> Result<(), Failure> {
    let remote = rig.fresh()?;
    same(&rig.ensure(&remote, DesiredState::Disabled).await?, &NOT_THERE, "it was never made")?;
    same(&rig.observe(&remote).await?, &Observed::Missing, "nothing is there")
}

/// Two speeds: out of use first, gone second.
pub async fn what_is_disabled_can_be_removed(rig: &Rig) -> Result<(), Failure> {
    let made = rig.made().await?;
    same(&rig.ensure(&made, DesiredState::Disabled).await?, &Effect::Disabled, "out of use")?;
    remove(rig, &made).await?;
    same(&rig.observe(&made).await?, &Observed::Missing, "gone")
}

/// An id that returned would let an old removal hit a new account.
pub async fn an_id_is_not_given_again(rig: &Rig) -> Result<(), Failure> {
    let made = rig.made().await?;
    remove(rig, &made).await?;
    let anew = RemoteRef { native: None, ..made.clone() };
    let native = native_of(rig.make(&anew).await?)?;
    ensure(Some(&native) != made.native.as_ref(), "the id is another one")?;
    same(
        &rig.ensure(&made, DesiredState::Absent { given: None }).await?,
        &NOT_THERE,
        "the old id names nobody",
    )?;
    let anew = RemoteRef { native: Some(native), ..anew };
    is_in_use(rig, &anew, "the new one is in use").await?;
    remove(rig, &anew).await
}

/// Entitlements may name their holders: whoever gets a name next must hold nothing by it.
pub async fn what_is_removed_leaves_its_name_nothing(rig: &Rig) -> Result<(), Failure> {
    let made = rig.made().await?;
    remove(rig, &made).await?;
    let anew = RemoteRef { native: None, ..made };
    let ends_at = SystemClock.now() + TimeDelta::hours(1);
    let state = DesiredState::Present { entitlements: Vec::new(), secret: Some(Rig::secret()?), ends_at };
    let native = native_of(rig.ensure(&anew, state).await?)?;
    let anew = RemoteRef { native: Some(native), ..anew };
    let shown = shown(rig, &anew).await?;
    ensure(
        shown.entitlements.is_none_or(|held| held.is_empty()),
        "whoever has its name by now holds nothing",
    )?;
    remove(rig, &anew).await
}

/// A creation that lands after the removal is found, so that it can be removed.
pub async fn what_came_late_is_found_by_its_name(rig: &Rig) -> Result<(), Failure> {
    let made = rig.made().await?;
    remove(rig, &made).await?;
    let by_name = RemoteRef { native: None, ..made };
    let native = native_of(rig.make(&by_name).await?)?;
    same(&rig.observe(&by_name).await?, &Observed::Ours { native, enabled: true }, "it is there")?;
    remove(rig, &by_name).await
}

/// Leases keep the answer, and it is what people are told.
pub async fn who_ends_what_is_made_is_told_with_it(rig: &Rig) -> Result<(), Failure> {
    let remote = rig.fresh()?;
    let effect = rig.make(&remote).await?;
    let Effect::Present { native, end } = effect else { return Err(Failure::new("it is not made")) };
    same(&end, &rig.target.capabilities().end, "what was made a moment ago ends as the target says of such")?;
    let made = RemoteRef { native: Some(native.clone()), ..remote };
    let extended = rig.target.ensure(&rig.desired(&made, None)).await?;
    same(
        &extended,
        &Effect::Present { native, end },
        "and so does what is extended under the same settings",
    )?;
    remove(rig, &made).await
}

/// Reconciliation sees what is there.
pub async fn a_listing_names_what_is_there_with_its_marker_and_id(rig: &Rig) -> Result<(), Failure> {
    let (one, two) = (rig.made().await?, rig.made().await?);
    let listed = rig.listed().await?;
    for made in [&one, &two] {
        let named: Vec<_> = listed.iter().filter(|listed| listed.remote.marker == made.marker).collect();
        ensure(named.len() == 1, "it is listed once")?;
        let seen = named.first().map(|listed| (&listed.remote.name, &listed.remote.native));
        same(&seen, &Some((&made.name, &made.native)), "by its name and id")?;
    }
    remove(rig, &one).await?;
    remove(rig, &two).await
}

/// Reconciliation compares what is told of each; a target need not tell it.
pub async fn a_listing_tells_nothing_that_is_not_so(rig: &Rig) -> Result<(), Failure> {
    let made = rig.made().await?;
    let shown = shown(rig, &made).await?;
    ensure(shown.enabled != Some(false), "it is in use")?;
    let ends_at = SystemClock.now() + TimeDelta::hours(1);
    let ends_so = match shown.end {
        ShownEnd::Untold => true,
        ShownEnd::Never => false,
        ShownEnd::At(end) => (ends_at - end).abs() < TimeDelta::minutes(5),
    };
    ensure(ends_so, "it ends when it was told to")?;
    let given: BTreeSet<_> = rig.entitlements.iter().cloned().collect();
    ensure(shown.entitlements.is_none_or(|held| held == given), "it holds what it was given")?;
    same(&rig.ensure(&made, DesiredState::Disabled).await?, &Effect::Disabled, "it is disabled")?;
    let shown = self::shown(rig, &made).await?;
    ensure(shown.enabled != Some(true), "it is out of use")?;
    ensure(shown.entitlements.is_none_or(|held| held.is_empty()), "it holds nothing any longer")?;
    remove(rig, &made).await?;
    same(&rig.target.show(&made).await?, &None, "what is not there is not shown")
}

async fn shown(rig: &Rig, made: &RemoteRef) -> Result<Listed, Failure> {
    let found = rig.listed().await?.into_iter().find(|listed| listed.remote.marker == made.marker);
    let found = found.ok_or_else(|| Failure::new("it is not listed"))?;
    same(&rig.target.show(made).await?.as_ref(), &Some(&found), "looked at by itself it is the same")?;
    Ok(found)
}

/// What a lease made, and what existed before, never mix. Taking asks for no mark: people may write one into their own
/// account, and the id was a person's when something was lent to it.
pub async fn what_was_made_for_a_time_is_not_elevated(rig: &Rig) -> Result<(), Failure> {
    let made = rig.made().await?;
    if rig.target.capabilities().elevation.is_some() {
        let asked = RemoteEntitlement::all_named(&rig.entitlements);
        let by_name = RemoteRef { native: None, ..made.clone() };
        let seen = rig.target.holdings(&by_name, &asked).await?;
        ensure(!matches!(seen, Holdings::Found { .. }), "by its name it is nobody who can be elevated")?;
        let give = asked.iter().map(|name| (name.clone(), SystemClock.now())).collect();
        let state = DesiredState::Holding { give, take: BTreeSet::new() };
        same(&rig.ensure(&made, state).await?, &Effect::NotOurs, "nothing is given")?;
        let (held, lacks) = found(rig, &made, &asked).await?;
        same(&(names(&held), lacks.is_empty()), &(names(&asked), true), "by its id it is seen")?;
        let effect = Effect::Holding {
            given: BTreeSet::new(),
            taken: asked.clone(),
            ends: BTreeMap::new(),
            repointed: BTreeSet::new(),
        };
        same(&take(&*rig.target, &made, &asked).await?, &effect, "and what it holds can be taken")?;
        let (held, lacks) = found(rig, &made, &asked).await?;
        same(&(held.is_empty(), names(&lacks)), &(true, names(&asked)), "it holds nothing")?;
    }
    remove(rig, &made).await
}

/// Settings change while something is lent. What was given goes, and whatever its name stands for by then is another's.
pub async fn what_was_given_is_taken_where_it_was_given(rig: &Rig) -> Result<(), Failure> {
    if rig.target.capabilities().elevation.is_none() {
        return Ok(());
    }
    let (Some(elsewhere), [first, second, ..]) = (&rig.elsewhere, rig.entitlements.as_slice()) else {
        return Err(Failure::new(
            "the rig names no two entitlements (`with`) or no other settings (`pointed_elsewhere`)",
        ));
    };
    let made = rig.made().await?;
    let asked = RemoteEntitlement::all_named([first, second]);
    let (held, _) = found(rig, &made, &asked).await?;
    ensure(held.iter().all(|known| known.native.is_some()), "each is told with its id")?;
    for (name, repointed) in [(first, true), (second, false)] {
        let lent: BTreeSet<_> = held.iter().filter(|known| known.name == *name).cloned().collect();
        let seen = elsewhere.holdings(&made, &lent).await?;
        let is_seen = matches!(&seen, Holdings::Found { held, .. } if names(held) == names(&lent));
        ensure(is_seen, "it is seen where it was given")?;
        let effect = Effect::Holding {
            given: BTreeSet::new(),
            taken: lent.clone(),
            ends: BTreeMap::new(),
            repointed: lent.iter().filter(|_| repointed).cloned().collect(),
        };
        same(&take(&**elsewhere, &made, &lent).await?, &effect, "it is taken, and a name of another told")?;
        let (kept, _) = found(rig, &made, &asked).await?;
        let others = if repointed { BTreeSet::from([second]) } else { BTreeSet::new() };
        same(&names(&kept), &others, "what the name stands for stays")?;
    }
    remove(rig, &made).await
}

async fn take(
    target: &dyn Target,
    remote: &RemoteRef,
    take: &BTreeSet<RemoteEntitlement>,
) -> Result<Effect, Failure> {
    let state = DesiredState::Holding { give: BTreeMap::new(), take: take.clone() };
    Ok(target.ensure(&Desired { remote: remote.clone(), state }).await?)
}

/// What of this a remote account holds, and what it lacks.
async fn found(
    rig: &Rig,
    remote: &RemoteRef,
    asked: &BTreeSet<RemoteEntitlement>,
) -> Result<(BTreeSet<RemoteEntitlement>, BTreeSet<RemoteEntitlement>), Failure> {
    match rig.target.holdings(remote, asked).await? {
        Holdings::Found { native, held, lacks } => {
            same(&Some(native), &remote.native, "it is found by its id")?;
            Ok((held, lacks))
        }
        other => Err(Failure::new(format!("it is not found: {other:?}"))),
    }
}

fn names(entitlements: &BTreeSet<RemoteEntitlement>) -> BTreeSet<&String> {
    entitlements.iter().map(|entitlement| &entitlement.name).collect()
}
